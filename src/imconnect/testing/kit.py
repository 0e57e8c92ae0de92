"""A `Kit` for an adapter's tests: remembers in memory, and its clock is moved by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imconnect.domain.conversations import Given
from imconnect.domain.messages import Address
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Link, Spotted
from imconnect.domain.triage import missing
from imconnect.guard.links import inspect_links
from imconnect.nlu.details import spot
from imconnect.ports import Kept
from imconnect.testing.makers import NOON, PLAYBOOK

LEAKED = "the-funds-are-yours"
"""What stands for a secret, for tests without a guard."""


@dataclass(slots=True)
class MemoryKit:
    """What the desk lends a channel, without a desk."""

    playbook: Playbook = PLAYBOOK
    secret: bytes = bytes(range(32))
    kept: dict[str, Kept] = field(default_factory=dict[str, Kept])
    moment: datetime = NOON
    known: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The details that are known already, by peer."""

    def now(self) -> datetime:
        return self.moment

    def later(self, seconds: float) -> None:
        """Move the clock."""
        self.moment += timedelta(seconds=seconds)

    async def recall(self, prefix: str = "") -> Mapping[str, Kept]:
        return {name: kept for name, kept in self.kept.items() if name.startswith(prefix)}

    async def remember(self, name: str, value: str | None) -> None:
        if value is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = Kept(value, self.moment)

    def spot(self, text: str) -> tuple[Spotted, ...]:
        return tuple(spot(text))

    async def missing(self, address: Address, topic: str) -> tuple[str, ...]:
        known = dict.fromkeys(self.known.get(address.peer, ()), Given(""))
        return tuple(missing(topic, known, (), self.playbook))

    def leaks(self, text: str) -> bool:
        return LEAKED in text

    def links(self, text: str) -> tuple[Link, ...]:
        return inspect_links(text, self.playbook.official_hosts)
