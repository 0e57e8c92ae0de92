"""The desk's door as an adapter sees it: takes what is delivered, and can be told not to."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.worlds.botapi import Server

from imconnect.domain.messages import Address, Choice, Incoming, Outgoing, Purpose
from imconnect.ports import Item, TryLater
from imconnect_telegram import TelegramAdapter, TelegramSettings


@dataclass(slots=True)
class Door:
    """Keeps every batch. While `refusals` is not 0 it takes nothing, as a full disk would."""

    batches: list[list[Item]] = field(default_factory=list[list[Item]])
    refusals: int = 0
    seconds: float = 0.0

    async def deliver(self, items: Sequence[Item]) -> None:
        await asyncio.sleep(self.seconds)
        if self.refusals:
            self.refusals -= 1
            raise TryLater("the disk is full")
        self.batches.append(list(items))

    @property
    def items(self) -> list[Item]:
        return [item for batch in self.batches for item in batch]

    @property
    def said(self) -> list[Incoming]:
        return [item for item in self.items if isinstance(item, Incoming)]

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.said]


def settings_for(server: Server, **others: object) -> TelegramSettings:
    return TelegramSettings.model_validate({"token": server.world.token, "api_root": server.url, **others})


@asynccontextmanager
async def connected(server: Server, **others: object) -> AsyncGenerator[TelegramAdapter]:
    """An adapter that talks to *server*, closed at the end."""
    adapter = TelegramAdapter(settings_for(server, **others))
    try:
        yield adapter
    finally:
        await adapter.close()


@asynccontextmanager
async def listening(adapter: TelegramAdapter, door: Door) -> AsyncGenerator[asyncio.Task[None]]:
    """The adapter at work: called again when it gives up, as the desk does, with shorter pauses."""

    async def listen() -> None:
        while True:
            try:
                await adapter.listen(door.deliver)
            except TryLater:
                await asyncio.sleep(0.05)

    task = asyncio.create_task(listen())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def outgoing(
    adapter: TelegramAdapter,
    peer: int | str,
    text: str,
    *,
    key: str = "k1",
    choices: tuple[Choice, ...] = (),
    reply_to: str | None = None,
) -> Outgoing:
    address = Address(adapter.name, adapter.account, str(peer))
    return Outgoing(key, address, text, Purpose.ANSWER, choices, reply_to)
