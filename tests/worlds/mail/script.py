"""What scripted servers share: what they do instead of the usual, and how they are started."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum, auto


class Instead(Enum):
    """What a server can do instead of answering."""

    CLOSE = auto()
    SILENCE = auto()
    USUAL = auto()


Deed = Instead | bytes
"""Bytes are said as they are, with `{tag}` for the tag of the command."""


class Closed(Exception):
    """The server hangs up."""


class Script(ABC):
    """A server that can be told what to do instead of the usual, command by command."""

    def __init__(self) -> None:
        self.said: list[str] = []
        """Commands that clients said, without tags."""
        self.connections = 0
        self.port = 0
        self._deeds: dict[str, list[Deed]] = defaultdict(list)
        self._repeated: dict[str, Deed] = {}

    def once(self, command: str, *deeds: Deed) -> None:
        """Do these instead, the next times *command* is said."""
        self._deeds[command] += deeds

    def repeat(self, command: str, deed: Deed) -> None:
        """Do this instead whenever *command* is said."""
        self._repeated[command] = deed

    async def deed(self, command: str, tag: str, writer: asyncio.StreamWriter) -> bool:
        """Do what the script has for *command*; whether there was anything but the usual."""
        waiting = self._deeds[command]
        deed = waiting.pop(0) if waiting else self._repeated.get(command, Instead.USUAL)
        match deed:
            case Instead.USUAL:
                return False
            case Instead.CLOSE:
                raise Closed
            case Instead.SILENCE:
                await asyncio.Event().wait()
            case bytes():
                writer.write(deed.replace(b"{tag}", tag.encode()))
        return True

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with one client until one of both has enough."""


@asynccontextmanager
async def on_a_port(script: Script) -> AsyncGenerator[None]:
    """Have *script* serve until the block ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script.connections += 1
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        with contextlib.suppress(Closed, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await script.serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    script.port = int(server.sockets[0].getsockname()[1])
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
