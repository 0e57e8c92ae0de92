"""Coverage-guided fuzzing of one part: `python tests/fuzz/target.py PART -max_total_time=600`; PARTS lists them."""

import importlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

atheris: Any = importlib.import_module("atheris")  # only where its engine is installed
sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["imconnect"]):
    from tests.fuzz import properties

PIECES = properties.PIECES
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def text_of(data: Any, longest: int = 2_048) -> str:
    """A text of words that mean something to the desk and of any characters between them."""
    parts: list[str] = []
    length = 0
    while data.remaining_bytes() > 0 and length < longest:
        choice: int = data.ConsumeIntInRange(0, 2 * len(PIECES))
        known: str | None = PIECES[choice] if choice < len(PIECES) else None
        parts.append(known or str(data.ConsumeUnicodeNoSurrogates(choice // 8)))
        length += len(parts[-1])
    return "".join(parts)


def guard(data: Any) -> None:
    properties.guard_holds(text_of(data))


def details(data: Any) -> None:
    asked_for = frozenset(name for name in properties.DETAILS if data.ConsumeBool())
    properties.details_hold(text_of(data), asked_for, NOW)


def links(data: Any) -> None:
    properties.links_hold(text_of(data))


def files(data: Any) -> None:
    name = data.ConsumeUnicodeNoSurrogates(data.ConsumeIntInRange(0, 24))
    claimed = data.PickValueInList(list(properties.CLAIMED))
    encoding = data.PickValueInList(["", *properties.ENCODINGS])
    size: int = data.remaining_bytes()
    content: bytes = text_of(data).encode(encoding, "replace") if encoding else data.ConsumeBytes(size)
    properties.files_hold(name, claimed, content)


PARTS: dict[str, Callable[[Any], None]] = {"guard": guard, "details": details, "links": links, "files": files}


if __name__ == "__main__":
    part = PARTS[sys.argv.pop(1)]

    def read(raw: bytes) -> None:
        part(atheris.FuzzedDataProvider(raw))

    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
