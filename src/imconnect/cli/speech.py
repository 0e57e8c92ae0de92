"""How commands speak: results to standard output, everything else to standard error, complaints in one line."""

import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import typer

from imconnect.settings import Settings, SettingsError, load_settings

T = TypeVar("T")


class Complaint(Exception):
    """Something the operator can mend, in one line that names it and the cure."""


def complain(line: str) -> None:
    sys.stderr.write(f"imconnect: {line}\n")


def say(line: str) -> None:
    """A line for whoever watches."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def put(line: str) -> None:
    """A line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def settings_of(context: typer.Context) -> Settings:
    """The settings a command runs with. Raises `Complaint`."""
    from imconnect.registry import RegistryError, installed, load  # noqa: PLC0415 - needed by few commands

    config: Path | None = context.obj
    try:
        points = installed()
        return load_settings(config, os.environ, list(points), lambda name: load(name, points).Settings)
    except (SettingsError, RegistryError) as error:
        raise Complaint(str(error)) from None


def within(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run *work* on a loop of its own; what an operator can mend becomes a `Complaint`."""
    import asyncio  # noqa: PLC0415 - as above

    from imconnect.ports import StoreUnavailable  # noqa: PLC0415 - as above

    try:
        return asyncio.run(work())
    except (SettingsError, StoreUnavailable) as error:
        raise Complaint(str(error)) from None
