"""`explain`: what the desk would make of a message, without storing or sending anything."""

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imconnect.cli.speech import Complaint, put, settings_of
from imconnect.settings import Settings

if TYPE_CHECKING:
    from imconnect.desk.explaining import Explained, Explainer
    from imconnect.guard.links import BlockList

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When a message without `at` was said. Explanations do not depend on the day they are asked for."""


def explain(
    context: typer.Context,
    text: Annotated[str | None, typer.Argument(help="A message.")] = None,
    jsonl: Annotated[str | None, typer.Option(help="A file of JSON lines, or - for standard input.")] = None,
) -> None:
    """Show what the desk would make of a message, or of many."""
    if (text is None) == (jsonl is None):
        raise Complaint("explain takes one message, or --jsonl FILE")
    explainer = _explainer(settings_of(context))
    if text is not None:
        put(json.dumps(as_json("c1", explainer.explain("c1", "web", text, EPOCH)), ensure_ascii=False, indent=2))
        return
    for number, line in enumerate(_lines(jsonl or "-"), start=1):
        if line.strip():
            put(json.dumps(_explained(explainer, line, number), ensure_ascii=False))


def _explainer(settings: Settings) -> "Explainer":
    from imconnect.content import (  # noqa: PLC0415 - not every command explains
        PackError,
        bundled_pack,
        read_with_phrasings,
        reader_for,
    )
    from imconnect.desk.explaining import Explainer  # noqa: PLC0415 - as above
    from imconnect.desk.understanding import understanding  # noqa: PLC0415 - as above
    from imconnect.guard import Guard  # noqa: PLC0415 - as above

    try:
        playbook, phrasings = read_with_phrasings(settings.core.pack or bundled_pack())
        reader = reader_for(playbook, phrasings, settings.core.matcher, settings.core.cache.expanduser())
    except PackError as error:
        raise Complaint(f"pack: {error}") from None
    except ImportError as missing:
        raise Complaint(str(missing)) from None
    playbook = replace(playbook, second_opinion=settings.core.opinion.on)
    return Explainer(playbook, Guard(), understanding(reader.read, playbook, _blocked(settings)))


def _blocked(settings: Settings) -> "BlockList | None":
    from imconnect.guard.links import BlockList, BlockListUnreadable  # noqa: PLC0415 - as above

    path = settings.core.block_list
    try:
        return BlockList.read(path.expanduser()) if path is not None else None
    except BlockListUnreadable as error:
        raise Complaint(f"block_list {path}: {error}; take a config.json of eth-phishing-detect") from None


def _lines(source: str) -> Iterable[str]:
    if source == "-":
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # text on a terminal or pipe
        return sys.stdin
    try:
        return Path(source).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        raise Complaint(f"{source}: cannot be read ({error.strerror}); correct --jsonl") from None


def _explained(explainer: "Explainer", line: str, number: int) -> dict[str, Any]:
    """One line in, one line out. A line that is not as it should be is named by its number, never quoted."""
    try:
        asked = json.loads(line)
        conversation, text = str(asked["conversation"]), asked["text"]
        at = datetime.fromisoformat(asked["at"]) if asked.get("at") else EPOCH
        channel = str(asked.get("channel") or "web")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Complaint(
            f'line {number}: must be {{"conversation": "…", "text": "…"}}; "channel" and "at" (ISO 8601) are optional'
        ) from None
    if not isinstance(text, str):
        raise Complaint(f"line {number}: text must be a string")
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return as_json(conversation, explainer.explain(conversation, channel, text, at))


def as_json(name: str, explained: "Explained") -> dict[str, Any]:
    """The shape outside programs rely on."""
    state, reading, secret = explained.conversation, explained.reading, explained.secret
    shown: dict[str, Any] = {
        "conversation": name,
        "language": (reading.language or state.language).value,
        "text": explained.text,
        "secret": {"kind": secret.kind.value, "certainty": secret.certainty.value} if secret else None,
        "details": {
            one.name: {"value": one.value, "chain": one.chain, "problem": one.problem} for one in explained.details
        },
        "links": [{"host": link.host, "verdict": link.verdict.value} for link in explained.links],
        "topic": reading.topic,
        "candidates": [{"topic": one.topic, "probability": round(one.probability, 3)} for one in reading.candidates],
        "stage": state.stage.value,
        "asked_for": list(state.asked_for),
        "answer": explained.answer,
        "priority": state.priority.word,
        "reply": explained.reply,
    }
    if explained.secret_earlier:
        shown["secret_earlier"] = explained.secret_earlier
    if explained.asked is not None:
        shown["second_opinion"] = {
            "text": explained.asked.text,
            "topics": [{"id": one.topic, "title": one.title, "about": one.about} for one in explained.asked.options],
        }
    return shown
