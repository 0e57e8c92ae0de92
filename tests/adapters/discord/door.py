"""The desk's door as the Discord adapter sees it, and the adapter at work."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.worlds.discord import Channel, Member, World

from imconnect.domain.messages import Address, Choice, Incoming, Outgoing, Purpose
from imconnect.ports import Item, Mark, TryLater
from imconnect.testing.kit import MemoryKit
from imconnect_discord import DiscordAdapter, DiscordSettings


@dataclass(slots=True)
class Door:
    """Stores each item once, as the desk does, and keeps marks where the kit finds them. Can be told not to."""

    kit: MemoryKit
    world: World
    stored: dict[str, Item] = field(default_factory=dict[str, Item])
    refusals: int = 0
    failures: int = 0
    told: int = 0

    async def deliver(self, items: Sequence[Item]) -> None:
        await asyncio.sleep(0)
        if self.refusals:
            self.refusals -= 1
            raise TryLater("the disk is full", 0.01)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a fault of the desk's own")
        for item in items:
            if isinstance(item, Mark):
                await self.kit.remember(item.name, item.value)
            else:
                self.told += 1
                self.stored.setdefault(item.id, item)
        self.world.notify()

    @property
    def said(self) -> list[Incoming]:
        return [item for item in self.stored.values() if isinstance(item, Incoming)]

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.said]

    async def has(self, count: int, within: float = 10.0) -> list[Incoming]:
        """Everything said, once that is *count* messages."""
        await self.world.until(lambda: len(self.said) >= count, within)
        return self.said


def settings_for(world: World, **others: object) -> DiscordSettings:
    return DiscordSettings.model_validate(
        {
            "token": world.token,
            "api_root": world.api_root,
            "gateway": world.gateway,
            "support_channel": world.channel("support").id,
            **others,
        }
    )


@asynccontextmanager
async def connected(world: World, kit: MemoryKit, **others: object) -> AsyncGenerator[DiscordAdapter]:
    """An adapter as a desk has it that was just started, closed at the end."""
    adapter = DiscordAdapter(settings_for(world, **others))
    await adapter.equip(kit)
    try:
        yield adapter
    finally:
        await adapter.close()


@asynccontextmanager
async def listening(adapter: DiscordAdapter, door: Door) -> AsyncGenerator[asyncio.Task[None]]:
    """The adapter at work, with a session: called again when it gives up, as the desk does, with shorter pauses."""

    async def listen() -> None:
        while True:
            try:
                await adapter.listen(door.deliver)
            except TryLater:
                await asyncio.sleep(0.05)

    task = asyncio.create_task(listen())
    try:
        await door.world.until(lambda: door.world.connection.connected or task.done() or None, 10)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def thread_for(adapter: DiscordAdapter, member: Member) -> Channel:
    """The private thread of *member*, as it is when the desk spoke to them."""
    sent = await adapter.send(outgoing(adapter, f"u{member.id}", "welcome", key=f"welcome-{member.id}"))
    return member.world.channel_by_id(int(sent.id.partition(":")[0]))


def outgoing(
    adapter: DiscordAdapter,
    peer: str,
    text: str,
    *,
    key: str = "k1",
    choices: tuple[Choice, ...] = (),
    reply_to: str | None = None,
    slot: str | None = None,
    replaces: str | None = None,
) -> Outgoing:
    address = Address(adapter.name, adapter.account, peer)
    return Outgoing(key, address, text, Purpose.ANSWER, choices, reply_to, slot, replaces)
