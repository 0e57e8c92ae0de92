"""An unpatched discord.py client that notes what it is told, for tests of this world and for comparing with a bot."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
from discord import app_commands
from tests.worlds.discord.world import World

from imconnect_discord.wire import Wire

READY_WITHIN = 10.0  # seconds


def all_intents() -> discord.Intents:
    return discord.Intents.all()


class Listener(discord.Client):
    """Writes down events in the order they came. Use it from the task that made it."""

    def __init__(self, world: World, intents: discord.Intents, heartbeat_timeout: float) -> None:
        super().__init__(
            intents=intents,
            connector=Wire(world.api_root, world.gateway),
            guild_ready_timeout=0.1,
            heartbeat_timeout=heartbeat_timeout,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.world = world
        self.tree = app_commands.CommandTree(self)
        self.messages: list[discord.Message] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deletions: list[discord.RawMessageDeleteEvent] = []
        self.threads_changed: list[tuple[str, int]] = []
        self.asked: list[discord.Interaction] = []
        self.readies = 0
        self.resumes = 0
        self.problems: list[BaseException] = []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Do not wait five seconds before a new session; one bot is no crowd."""

    @property
    def texts(self) -> list[str]:
        return [message.content for message in self.messages]

    def text_channel(self, channel_id: int) -> discord.TextChannel:
        found = self.get_channel(channel_id)
        assert isinstance(found, discord.TextChannel)
        return found

    async def next_interaction(self) -> discord.Interaction:
        """The next interaction nobody has taken yet."""
        await self.world.until(lambda: self.asked)
        return self.asked.pop(0)

    async def on_ready(self) -> None:
        self.readies += 1
        self.world.notify()

    async def on_resumed(self) -> None:
        self.resumes += 1
        self.world.notify()

    async def on_message(self, message: discord.Message) -> None:
        self.messages.append(message)
        self.world.notify()

    async def on_raw_message_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        self.edits.append(edit)
        self.world.notify()

    async def on_raw_message_delete(self, deletion: discord.RawMessageDeleteEvent) -> None:
        self.deletions.append(deletion)
        self.world.notify()

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self._thread("created", thread.id)

    async def on_raw_thread_update(self, update: discord.RawThreadUpdateEvent) -> None:
        self._thread("updated", update.thread_id)

    async def on_raw_thread_delete(self, deletion: discord.RawThreadDeleteEvent) -> None:
        self._thread("deleted", deletion.thread_id)

    def _thread(self, what: str, thread_id: int) -> None:
        self.threads_changed.append((what, thread_id))
        self.world.notify()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is not discord.InteractionType.application_command:  # those the tree answers
            self.asked.append(interaction)
        self.world.notify()

    async def on_error(self, event_method: str, /, *_: object) -> None:
        problem = sys.exc_info()[1]
        assert problem is not None
        self.problems.append(problem)


@asynccontextmanager
async def listening(
    world: World, *, intents: discord.Intents | None = None, heartbeat_timeout: float = 60.0
) -> AsyncGenerator[Listener]:
    """A client that is ready, until the block ends; raises what went wrong in it."""
    client = Listener(world, intents or all_intents(), heartbeat_timeout)
    running = asyncio.create_task(client.start(world.token))
    ready = asyncio.create_task(client.world.until(lambda: client.readies, READY_WITHIN))
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    try:
        if running.done():
            await running
        await ready
        yield client
    finally:
        ready.cancel()
        await client.close()
        await asyncio.gather(running, ready, return_exceptions=True)
    if client.problems:
        raise BaseExceptionGroup("the client's own handlers failed", client.problems)
