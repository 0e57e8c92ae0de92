"""`pack questions` and `pack gather`: what customers asked, for programs; what was added, for the pack's files."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imconnect.cli.speech import Complaint, put, say, settings_of, within

if TYPE_CHECKING:
    from imconnect.content import Gathered
    from imconnect.desk.questions import Question
    from imconnect.ports import SettledQuestion
    from imconnect.settings import Settings


def questions(
    context: typer.Context,
    labelled: Annotated[
        bool, typer.Option("--labelled", help="Only what was added in the inbox, each with its topic or null.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help='JSON lines {"text", "label"}; an open question has "proposed" instead.')
    ] = False,
) -> None:
    """What customers asked and the desk could not answer, and what was added to the pack since."""
    added, asked = within(lambda: _collected(settings_of(context), labelled=labelled))
    for line in (*_added(added), *_asked(asked)):
        put(json.dumps(line, ensure_ascii=False) if as_json else _in_words(line))
    say(f"{len(asked)} open questions, {len(added)} added")


async def _collected(settings: "Settings", *, labelled: bool) -> "tuple[Sequence[SettledQuestion], Sequence[Question]]":
    from imconnect.app import clock, opened_store, playbook_of  # noqa: PLC0415 - other commands do without
    from imconnect.desk.questions import QuestionDesk  # noqa: PLC0415 - as above
    from imconnect.domain.questions import QuestionKind  # noqa: PLC0415 - as above
    from imconnect.guard import Guard  # noqa: PLC0415 - as above

    playbook = playbook_of(settings)
    async with opened_store(settings, playbook, migrate=False) as store:
        added = await store.examples()
        if labelled:
            return added, ()
        desk = QuestionDesk(store, playbook, Guard(), clock)
        return added, [one for kind in QuestionKind for one in await desk.everything(kind)]


def _added(examples: "Iterable[SettledQuestion]") -> Iterator[dict[str, Any]]:
    return ({"text": one.text, "label": one.topic} for one in examples)


def _asked(asked: "Iterable[Question]") -> Iterator[dict[str, Any]]:
    return ({"text": one.text, "proposed": one.proposed, "kind": one.kind.value, "times": one.times} for one in asked)


def _in_words(line: dict[str, Any]) -> str:
    if "label" in line:
        return f"added       {line['label'] or 'off topic'}: {line['text']}"
    return f"{line['kind']:<10} {line['times']:>3}  {line['text']}" + (
        f"  ({line['proposed']}?)" if line["proposed"] else ""
    )


def gather(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The pack whose files are to hold what was added in the inbox.")],
) -> None:
    """Write what was added in the inbox into a pack's files, each once."""
    done = within(lambda: _gathered(settings_of(context), folder))
    files = ", ".join(f"{file} {count}" for file, count in sorted(done.written.items()))
    put(f"{folder}: {sum(done.written.values())} written{f' ({files})' if files else ''}, {done.known} there already")
    if done.unknown_topics:
        topics = ", ".join(sorted(set(done.unknown_topics)))
        cure = "add it, or take them back in the inbox"
        say(f"{len(done.unknown_topics)} left out: this pack has no topic {topics}; {cure}")


async def _gathered(settings: "Settings", folder: Path) -> "Gathered":
    from imconnect.app import clock, opened_store, playbook_of  # noqa: PLC0415 - as above
    from imconnect.content import PackError  # noqa: PLC0415 - as above
    from imconnect.content import gather as written  # noqa: PLC0415 - as above

    async with opened_store(settings, playbook_of(settings), migrate=False) as store:
        fresh = [one for one in await store.examples() if one.written_at is None]
        try:
            done = written(folder, fresh)
        except PackError as error:
            raise Complaint(f"pack {folder}: {error}") from None
        except OSError as error:
            raise Complaint(
                f"{error.filename or folder}: cannot be written ({error.strerror}); check its rights, then gather again"
            ) from None
        await store.mark_written(done.keys, clock())
    return done
