"""`imconnect` as an operator runs it: a process of its own, told everything by its environment."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.worlds.counterparty import CHANNEL

READY_WITHIN = 90.0
"""Seconds; a desk starts in one or two, and a busy machine takes its time."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with *settings* (`web.port`, say) in place of any it has, and the tests' channel."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("IMCONNECT_")}
    ours |= {f"IMCONNECT_{name.upper().replace('.', '__')}": value for name, value in settings.items()}
    path = os.pathsep.join(filter(None, [str(CHANNEL), os.environ.get("PYTHONPATH")]))
    return ours | {"PYTHONPATH": path, "NO_COLOR": "1"}


@dataclass(slots=True)
class Desk:
    """One process of a desk. `errors` is the file that holds what it says on standard error."""

    process: asyncio.subprocess.Process
    errors: Path

    def says(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    async def ready(self) -> None:
        """Return once it says so; raises `AssertionError` with its words if it ends or takes too long."""
        async with asyncio.timeout(READY_WITHIN):
            while "imconnect: ready" not in self.says():
                if self.process.returncode is not None:
                    raise AssertionError(self.says())
                await asyncio.sleep(0.02)

    @property
    def web(self) -> str:
        """Where its pages are."""
        line = next(line for line in self.says().splitlines() if line.startswith("  chat "))
        return line.split()[-1].removesuffix("/chat")

    async def ended(self, within: float = READY_WITHIN) -> int:
        """Wait for its end; its exit code. Raises `TimeoutError`."""
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self, within: float = READY_WITHIN) -> int:
        """SIGTERM, and wait for the end."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended(within)


@dataclass(slots=True)
class Desks:
    """Starts desks with the same settings, and leaves none behind."""

    folder: Path
    settings: dict[str, str]
    started: list[Desk] = field(default_factory=list[Desk])

    async def start(self, *arguments: str, **settings: str) -> Desk:
        """`imconnect run ARGUMENTS`; *settings* (`web__port="0"`) are for this one alone. Does not wait."""
        special = {name.replace("__", "."): value for name, value in settings.items()}
        return await self.command("run", *arguments, settings=special)

    async def command(self, *arguments: str, settings: Mapping[str, str] | None = None) -> Desk:
        """Any command of `imconnect`, with standard output in the same file."""
        errors = self.folder / f"stderr-{len(self.started)}.log"
        with errors.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "imconnect", *arguments,
                cwd=self.folder,
                env=environment({**self.settings, **(settings or {})}),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )  # fmt: skip
        desk = Desk(process, errors)
        self.started.append(desk)
        return desk

    async def told(self, *arguments: str) -> str:
        """What a command prints. Raises `AssertionError` if it fails."""
        command = await self.command(*arguments)
        if await command.ended():
            raise AssertionError(command.says())
        return command.says()


@asynccontextmanager
async def desks_in(folder: Path, settings: Mapping[str, str]) -> AsyncGenerator[Desks]:
    """Desks that keep what they write in *folder*; on a free port, an `a.db` there and n-grams, unless *settings* say
    more: an encoder's memory and seconds are for the tests that are about it."""
    usual = {"web.port": "0", "database.url": f"sqlite:///{folder}/a.db", "cache": f"{folder}/cache"}
    usual["matcher"] = "ngrams"
    desks = Desks(folder, {**usual, **settings})
    try:
        yield desks
    finally:
        for desk in desks.started:
            await desk.kill()
