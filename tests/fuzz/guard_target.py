"""Coverage-guided fuzzing of what reads typed text: `python tests/fuzz/guard_target.py -max_total_time=600`."""

import importlib
import sys
from typing import Any

atheris: Any = importlib.import_module("atheris")  # no dependency of ours: brought along by who wants to fuzz

with atheris.instrument_imports(include=["imconnect"]):
    from imconnect.guard import Guard, Tail
    from imconnect.guard.links import inspect_links
    from imconnect.guard.outgoing import objection
    from imconnect.nlu.details import spot

GUARD = Guard()
HOSTS = frozenset({"imwallet.example"})


def read(raw: bytes) -> None:
    """Raises where a text could not be read, or where what was left of it still holds a secret."""
    text: str = atheris.FuzzedDataProvider(raw).ConsumeUnicodeNoSurrogates(4_096)
    GUARD.examine(text)  # `inspect` would hide the fault: it fails closed
    left = GUARD.inspect(text).text
    if GUARD.inspect(left).secret is not None:
        raise AssertionError("a secret was left")
    tail = Tail(GUARD)
    for place, part in enumerate(text.split("|")):
        tail.inspect("fuzz", str(place), part, float(place))
    inspect_links(text, HOSTS)
    objection(text, GUARD)
    spot(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
