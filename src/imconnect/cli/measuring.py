"""`match eval` and `bench`: figures an operator can take on their own machine and questions."""

import json
from pathlib import Path
from typing import Annotated

import typer

from imconnect.cli.speech import put


def evaluate(
    train: Annotated[Path, typer.Option(help='JSON lines {"text", "label"}.')],
    test: Annotated[Path, typer.Option(help="The same; a label of null is out of scope.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Measure how well questions are recognised."""
    put(json.dumps({"train": str(train), "test": str(test), "json": as_json}))


def bench() -> None:
    """Measure the desk on this machine."""
