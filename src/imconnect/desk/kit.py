"""What the desk lends a channel: a memory that outlives the process, a secret of its own, the time, the pack."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Self

from imconnect.desk.loops import Clock
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Address
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Certainty, Link, Spotted
from imconnect.domain.triage import gives_the_funds_away, missing
from imconnect.guard import Guard
from imconnect.guard.links import BlockList, inspect_links
from imconnect.nlu import details
from imconnect.ports import Kept, Mark, Store, StoreUnavailable, TryLater


class InboxKit:
    """The `Kit` of one inbox. What it remembers is kept beside what the channel delivers as a `Mark`."""

    def __init__(
        self,
        store: Store,
        channel: str,
        account: str,
        secret: bytes,
        playbook: Playbook,
        clock: Clock,
        guard: Guard,
        blocked: BlockList | None = None,
    ) -> None:
        self._store = store
        self._channel = channel
        self._account = account
        self._secret = secret
        self._playbook = playbook
        self._clock = clock
        self._guard = guard
        self._blocked = blocked

    @classmethod
    async def of(
        cls,
        store: Store,
        channel: str,
        account: str,
        playbook: Playbook,
        clock: Clock,
        new_secret: Callable[[], str],
        guard: Guard,
        blocked: BlockList | None = None,
    ) -> Self:
        """The kit of this inbox; *new_secret* makes 32 bytes in hexadecimal, at its first start. Raises `TryLater`."""
        inbox = hashlib.sha256(f"{channel}:{account}".encode()).hexdigest()[:32]
        try:
            kept = await store.keep(f"inbox-secret:{inbox}", new_secret())
        except StoreUnavailable as error:
            raise TryLater(str(error)) from None
        return cls(store, channel, account, bytes.fromhex(kept), playbook, clock, guard, blocked)

    @property
    def secret(self) -> bytes:
        return self._secret

    @property
    def playbook(self) -> Playbook:
        return self._playbook

    def now(self) -> datetime:
        return self._clock()

    async def recall(self, prefix: str = "") -> Mapping[str, Kept]:
        try:
            return await self._store.marks(self._channel, self._account, prefix)
        except StoreUnavailable as error:
            raise TryLater(str(error)) from None

    async def remember(self, name: str, value: str | None) -> None:
        try:
            if value is None:
                await self._store.unmark(self._channel, self._account, name)
            else:
                await self._store.record([Mark(self._channel, self._account, name, value)], self._clock())
        except StoreUnavailable as error:
            raise TryLater(str(error)) from None

    def spot(self, text: str) -> tuple[Spotted, ...]:
        return details.spot(text)

    async def missing(self, address: Address, topic: str) -> tuple[str, ...]:
        try:
            standing = await self._store.state_at(address)
        except StoreUnavailable as error:
            raise TryLater(str(error)) from None
        if standing is None or standing.stage is Stage.RESOLVED:  # what comes now is another matter
            return tuple(missing(topic, {}, (), self._playbook))
        return tuple(missing(topic, standing.details, standing.refused, self._playbook))

    def links(self, text: str) -> tuple[Link, ...]:
        return inspect_links(text, self._playbook.official_hosts, self._blocked)

    def leaks(self, text: str) -> bool:
        secret = self._guard.inspect(text).secret
        return gives_the_funds_away(secret) and secret is not None and secret.certainty is Certainty.CERTAIN
