"""A desk put together by hand: a store in memory, a clock that is set, channels that do as they are told."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imconnect.desk.turns import Turns
from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.messages import Address
from imconnect.ports import DueSend, Line
from imconnect.testing.fakes import MemoryStore, NullMeter
from imconnect.testing.makers import NOON, PLAYBOOK, address, reader, received

ALL_STAGES = frozenset(Stage)


@dataclass(slots=True)
class SetClock:
    """Shows what it was set to."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@dataclass(slots=True)
class Counts:
    """A meter that can be read."""

    of: dict[str, int] = field(default_factory=dict[str, int])

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.of[name] = self.of.get(name, 0) + value

    def observe(self, name: str, seconds: float, **labels: str) -> None: ...


@dataclass(slots=True)
class Rig:
    """One desk. `clock` is its only time."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: SetClock = field(default_factory=SetClock)
    counts: Counts = field(default_factory=Counts)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def turns(self) -> Turns:
        return Turns(self.store, reader(), PLAYBOOK, self.clock, NullMeter())

    async def hear(self, text: str, at: Address | None = None) -> None:
        """Have a customer's message stored."""
        await self.store.record([received(text, id=f"m{next(self._ids)}", at=at)], self.clock())

    async def settle(self) -> None:
        """Give every event its turn."""
        turns = self.turns()
        while await turns.step():
            pass

    async def conversation(self, at: Address | None = None) -> Conversation:
        found = await self.store.state_at(at or address())
        assert found is not None
        return found

    async def lines(self, at: Address | None = None) -> Sequence[Line]:
        return await self.store.transcript(at or address(), 0, 100)

    async def outcomes(self, at: Address | None = None) -> list[str]:
        dossier = await self.store.dossier((await self.conversation(at)).reference)
        assert dossier is not None
        return [outcome for _, _, outcome in dossier.outcomes]

    async def due(self, channel: str = "web", account: str = "site") -> Sequence[DueSend]:
        """What a channel would send now; it stays marked as being sent."""
        return await self.store.claim_sends(channel, account, 100, self.clock())
