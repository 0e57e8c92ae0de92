"""The loft: where a desk under test fetches messages and leaves replies, outside its process and over real HTTP."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

CHANNEL = Path(__file__).parent / "pigeon"
"""What must be on the import path of a desk that is to find the channel."""

LETTERS_A_TIME = 5
LONG_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to the desk. Numbers count from 1, over all peers."""

    number: int
    peer: str
    text: str
    choice: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A reply that arrived."""

    key: str
    peer: str
    text: str


@dataclass(slots=True)
class Loft:
    """Counts what it gave out, what was acknowledged, and what came back.

    `arrived` holds every reply as it came in, repeats of a key included. *more* is asked for further letters whenever
    fewer than a handful are left. While `answering` is cleared, a reply is shown but its sender is left waiting.
    """

    more: Callable[[], Sequence[tuple[str, str, str | None]]] = tuple
    letters: list[Letter] = field(default_factory=list[Letter])
    acknowledged: int = 0
    arrived: list[Shown] = field(default_factory=list[Shown])
    requests: int = 0
    url: str = ""
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.answering.set()

    async def write(self, peer: str, text: str, choice: str | None = None) -> Letter:
        """Have *peer* write to the desk."""
        letter = self._add(peer, text, choice)
        await self._change()
        return letter

    def _add(self, peer: str, text: str, choice: str | None) -> Letter:
        letter = Letter(len(self.letters) + 1, peer, text, choice)
        self.letters.append(letter)
        return letter

    @property
    def shown(self) -> list[Shown]:
        """Each key once, as a channel with keys shows it."""
        return list({one.key: one for one in reversed(self.arrived)}.values())[::-1]

    def shown_to(self, peer: str) -> list[str]:
        """What *peer* reads, in the order it first appeared."""
        first: dict[str, str] = {}
        for one in self.arrived:
            if one.peer == peer:
                first.setdefault(one.key, one.text)
        return list(first.values())

    def repeats(self) -> int:
        """Replies that came again with a key that had been shown."""
        return len(self.arrived) - len(Counter(one.key for one in self.arrived))

    async def until(self, happened: Callable[["Loft"], bool], within: float = 90.0) -> None:
        """Return once *happened*; raises `TimeoutError`."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: happened(self))

    async def _change(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # ---------------------------------------------------------------------------------------------------------- HTTP

    async def give(self, request: web.Request) -> web.Response:
        """The next letters, once there are any. Asking for those after one acknowledges it."""
        self.acknowledged = max(self.acknowledged, int(request.query["after"]))
        if len(self.letters) - self.acknowledged < LETTERS_A_TIME:
            for peer, text, choice in self.more():
                self._add(peer, text, choice)
        self.requests += 1
        await self._change()
        try:
            await self.until(lambda loft: len(loft.letters) > loft.acknowledged, LONG_POLL_SECONDS)
        except TimeoutError:
            return web.json_response([])
        due = self.letters[self.acknowledged : self.acknowledged + LETTERS_A_TIME]
        return web.json_response(
            [{"number": one.number, "peer": one.peer, "text": one.text, "choice": one.choice} for one in due]
        )

    async def take(self, request: web.Request) -> web.Response:
        """A reply, shown before it is answered for."""
        letter = await request.json()
        self.arrived.append(Shown(letter["key"], letter["peer"], letter["text"]))
        self.requests += 1
        await self._change()
        await self.answering.wait()
        return web.json_response({"id": letter["key"]})


@asynccontextmanager
async def open_loft(more: Callable[[], Sequence[tuple[str, str, str | None]]] = tuple) -> AsyncGenerator[Loft]:
    """A loft that answers at `url` until the block ends."""
    loft = Loft(more)
    app = web.Application()
    app.router.add_get("/next", loft.give)
    app.router.add_post("/say", loft.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    loft.url = f"http://{host}:{port}"
    try:
        yield loft
    finally:
        loft.answering.set()
        await runner.cleanup()
