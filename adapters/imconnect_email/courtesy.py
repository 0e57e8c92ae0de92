"""How much is said to whom by machine: bounded for each address, each domain and all that nothing proves, in a day.

Whoever forges senders makes every answer a mail to somebody who never wrote (RFC 3834, 5). What nothing proves is
therefore bounded by domain and in all too; a person's reply is not counted. Days are those of UTC.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from imconnect.domain.messages import Purpose
from imconnect.ports import Kit
from imconnect_email.threading import Peer

SAID, QUIET, PROVEN = "said:", "quiet:", "proven:"
"""Marks, each by a hash: what was said to an address today, which peers want no automatic mail, and which of those that
nothing authenticates have answered a mail of ours."""

MOST_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Caps:
    """Automatic mails a day: to one address, to one that nothing proves, to a domain of such, to all of such."""

    address: int
    unproven_address: int
    unproven_domain: int
    unproven: int


class Courtesy:
    """Knows who may be answered by machine now. What it counted outlives the process."""

    def __init__(self, caps: Caps, kit: Kit) -> None:
        self._caps = caps
        self._kit = kit
        self._day = ""
        self._said: dict[str, int] = {}
        self._counted: OrderedDict[str, None] = OrderedDict()
        self._known: set[str] = set()

    async def recall(self) -> None:
        """Take up the counts of today, and forget those of other days. Raises `TryLater`."""
        self._day = self._today()
        self._said.clear()
        for name, kept in (await self._kit.recall(SAID)).items():
            day, _, count = kept.value.partition(" ")
            if day == self._day:
                self._said[name] = int(count)
            else:
                await self._kit.remember(name, None)
        self._known = set(await self._kit.recall(QUIET)) | set(await self._kit.recall(PROVEN))

    def heard(self, peer: Peer, *, quiet: bool, proven: bool) -> tuple[str, ...]:
        """What a mail of *peer* tells, as the names of marks to keep with it: those that are not kept yet.

        *quiet*: it wants no automatic mail; *proven*: it answers a mail of ours, so that they get our mail.
        """
        told = (*((_mark(QUIET, peer),) if quiet else ()), *((_mark(PROVEN, peer),) if proven and peer.mark else ()))
        return tuple(name for name in told if name not in self._known)

    def kept(self, names: Iterable[str]) -> None:
        """Those marks were stored."""
        self._known.update(names)

    async def objection(self, key: str, peer: Peer, purpose: Purpose) -> str | None:
        """Why *peer* is not written to by machine now; None counts the mail *key*, once however often it is tried.

        Whoever leaked a secret is warned even where no automatic mail is wanted. Raises `TryLater`.
        """
        if _mark(QUIET, peer) in self._known and purpose is not Purpose.WARNING:
            return "this correspondent wants no automatic mail: a person must answer"
        if key in self._counted:
            return None
        today = self._today()
        if today != self._day:
            self._day = today
            self._said.clear()
        limits = self._limits(peer)
        if any(self._said.get(name, 0) >= most for name, most in limits.items()):
            return "as many automatic mails as a day may have went there, or to others like it: a person must answer"
        self._counted[key] = None
        if len(self._counted) > MOST_KEYS:
            self._counted.popitem(last=False)
        for name in limits:
            self._said[name] = self._said.get(name, 0) + 1
        for name in limits:
            await self._kit.remember(name, f"{today} {self._said[name]}")
        return None

    def _limits(self, peer: Peer) -> dict[str, int]:
        caps = self._caps
        address = SAID + _hashed(peer.address)
        if not peer.mark or _mark(PROVEN, peer) in self._known:
            return {address: caps.address}
        domain = SAID + _hashed("@" + peer.address.rpartition("@")[2])
        return {address: caps.unproven_address, domain: caps.unproven_domain, f"{SAID}unproven": caps.unproven}

    def _today(self) -> str:
        return self._kit.now().date().isoformat()


def _mark(kind: str, peer: Peer) -> str:
    return kind + _hashed(str(peer))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
