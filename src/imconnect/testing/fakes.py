"""Stand-ins for what a test is not about: a store in memory, channels that do as they are told, a meter at rest."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from imconnect.domain.messages import Address, Outgoing
from imconnect.ports import Deliver, Finding, Item, MaybeSent, Sent, TryLater, Undeliverable
from imconnect.testing.memory import MemoryStore

__all__ = ["MemoryStore", "NullAdapter", "NullMeter", "ScriptedAdapter"]

Outcome = Sent | MaybeSent | TryLater | Undeliverable


class ScriptedAdapter:
    """A channel that answers each send with the next of *outcomes*, then with success.

    `seen` is what its customers see: of a keyed channel each key once, however often it was sent, and nothing of a send
    that failed; after `MaybeSent` it is there, as the worst case has it. `tried` is every call of `send`. What is given
    to `say` is handed over by `listen`, again and again until `deliver` takes it; then it stands in `acknowledged`.
    """

    def __init__(
        self, name: str = "web", account: str = "site", *, keyed: bool = True, outcomes: Iterable[Outcome] = ()
    ) -> None:
        self.name = name
        self.account = account
        self.keyed = keyed
        self.outcomes = deque(outcomes)
        self.seen: list[Outgoing] = []
        self.tried: list[Outgoing] = []
        self.acknowledged: list[Item] = []
        self.erased: list[tuple[Address, str]] = []
        self.refuses_to_erase: TryLater | Undeliverable | None = None
        self.closed = False
        self._ids: dict[str, str] = {}
        self._said: deque[Item] = deque()
        self._spoken = asyncio.Event()

    def say(self, item: Item) -> None:
        """Have *item* come in."""
        self._said.append(item)
        self._spoken.set()

    async def listen(self, deliver: Deliver) -> None:
        while True:
            while self._said:
                try:
                    await deliver([self._said[0]])
                except TryLater as later:
                    await asyncio.sleep(later.after or 0.001)
                    continue
                self.acknowledged.append(self._said.popleft())
            self._spoken.clear()
            await self._spoken.wait()

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        self.tried.append(message)
        outcome = self.outcomes.popleft() if self.outcomes else None
        if isinstance(outcome, TryLater | Undeliverable):
            raise outcome
        if not self.keyed or message.key not in self._ids:
            self.seen.append(message)
            self._ids[message.key] = outcome.id if isinstance(outcome, Sent) else f"{self.name}-{len(self.seen)}"
        if isinstance(outcome, MaybeSent):
            return outcome
        return Sent(self._ids[message.key])

    async def erase(self, address: Address, message_id: str) -> None:
        if self.refuses_to_erase is not None:
            raise self.refuses_to_erase
        self.erased.append((address, message_id))

    async def check(self) -> Sequence[Finding]:
        return [Finding(self.name, well=not self.closed, says="closed" if self.closed else "ready")]

    async def close(self) -> None:
        self.closed = True


class NullAdapter:
    """A channel on which nobody speaks: what is sent arrives at once and is forgotten. It cannot erase."""

    def __init__(self, name: str = "web", account: str = "site", *, keyed: bool = True) -> None:
        self.name = name
        self.account = account
        self.keyed = keyed

    async def listen(self, deliver: Deliver) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        return Sent(f"{self.name}-{message.key}")

    async def check(self) -> Sequence[Finding]:
        return [Finding(self.name, well=True, says="ready")]

    async def close(self) -> None: ...


class NullMeter:
    """Measures nothing."""

    def count(self, name: str, value: int = 1, **labels: str) -> None: ...

    def observe(self, name: str, seconds: float, **labels: str) -> None: ...
