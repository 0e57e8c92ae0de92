"""A bot at the front of the desk, without a desk: what it is told goes where a test wants it."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import discord
from tests.worlds.discord import World

from imconnect.domain.messages import Incoming, Remark
from imconnect.ports import TryLater, Undeliverable
from imconnect_discord.wire import Line, Wire

Raw = dict[str, Any]
T = TypeVar("T")


class Gateway(discord.Client):
    """Hands over interactions and messages as discord.py reads them, and edits as they came."""

    def __init__(
        self,
        world: World,
        asked: Callable[[discord.Interaction], Awaitable[None]],
        said: Callable[[discord.Message], Awaitable[None]] | None = None,
        changed: Callable[[Raw], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, messages=True, message_content=True),
            connector=Wire(world.api_root, world.gateway),
            guild_ready_timeout=0.1,
            enable_debug_events=True,
        )
        self._asked = asked
        self._said = said
        self._changed = changed
        self.problems: list[BaseException] = []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait five seconds before a new session; one bot is no crowd."""

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await self._safely(self._asked, interaction)

    async def on_message(self, message: discord.Message) -> None:
        await self._safely(self._said, message)

    async def on_socket_raw_receive(self, frame: str) -> None:
        event = json.loads(frame)
        if event.get("t") == "MESSAGE_UPDATE":
            await self._safely(self._changed, event["d"])

    async def _safely(self, take: Callable[[T], Awaitable[None]] | None, what: T) -> None:
        try:
            if take is not None:
                await take(what)
        except Exception as error:
            self.problems.append(error)


@asynccontextmanager
async def in_front(
    world: World,
    asked: Callable[[discord.Interaction], Awaitable[None]],
    said: Callable[[discord.Message], Awaitable[None]] | None = None,
    changed: Callable[[Raw], Awaitable[None]] | None = None,
) -> AsyncGenerator[Gateway]:
    """A connected bot until the block ends; raises what went wrong in it."""
    client = Gateway(world, asked, said, changed)
    running = asyncio.create_task(client.start(world.token))
    async with asyncio.timeout(10):
        while not client.is_ready():
            if running.done():
                await running
            await asyncio.sleep(0.01)
    try:
        yield client
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)
    if client.problems:
        raise BaseExceptionGroup("the bot's own handlers failed", client.problems)


def line_to(world: World) -> Line:
    """The connections a bot calls through."""
    return Line(world.token, world.api_root, world.gateway)


@dataclass(slots=True)
class Hall:
    """Stores what is said, and opens one private thread for each member in the support channel."""

    world: World
    line: Line
    support: int
    taken: list[Incoming] = field(default_factory=list[Incoming])
    threads: dict[int, int] = field(default_factory=dict[int, int])
    remarks: tuple[Remark, ...] = ()
    away: int = 0
    full: bool = False
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def say(self, incoming: Incoming) -> None:
        await asyncio.sleep(0)  # as a store would, it lets others go on meanwhile
        if self.away:
            self.away -= 1
            raise TryLater("the store is away")
        self.taken.append(incoming)
        self.world.notify()

    async def open_thread(self, member_id: int) -> int:
        if self.full:
            raise Undeliverable("Discord says 400, code 160006")
        async with self._opening:
            if member_id not in self.threads:
                client = await self.line.client()
                made = await client.http.start_thread_without_message(
                    self.support, name="t", auto_archive_duration=1440, type=12, invitable=False
                )
                self.threads[member_id] = int(made["id"])
                await client.http.add_user_to_thread(int(made["id"]), member_id)
            return self.threads[member_id]

    def thread_of(self, member_id: int) -> int | None:
        return self.threads.get(member_id)

    def remarks_on(self, user: discord.User | discord.Member) -> tuple[Remark, ...]:
        return self.remarks

    async def has(self, count: int) -> list[Incoming]:
        """The first *count* messages, once they are there."""
        await self.world.until(lambda: len(self.taken) >= count)
        return self.taken[:count]
