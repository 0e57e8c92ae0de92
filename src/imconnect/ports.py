"""The sockets: what the desk asks of a channel, a store and a meter, and the errors that cross them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from imconnect.domain.actions import Action
from imconnect.domain.conversations import Conversation, Given, PlaceInLine, Stage
from imconnect.domain.events import AgentsAct, ErrandKind, Event
from imconnect.domain.messages import Address, Attachment, Choice, Incoming, Language, Outgoing, Purpose, Unreadable
from imconnect.domain.playbook import Pace, Priority
from imconnect.domain.readings import Secret, SecretKind


class TryLater(Exception):
    """Nothing was done; try again after *after* seconds, or when the desk sees fit."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Undeliverable(Exception):
    """It cannot be done, now or later. `blocked`: the customer shut the door, and only they can open it again."""

    def __init__(self, reason: str, *, blocked: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.blocked = blocked


class StoreUnavailable(Exception):
    """The store cannot be reached or written just now. Nothing was acknowledged; the line says what and the cure."""


# ---------------------------------------------------------------------------------------------------------- channels


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took it; `id` is the channel's own."""

    id: str


@dataclass(frozen=True, slots=True)
class MaybeSent:
    """The request went out and no answer came: it may have arrived. Only a channel without keys says this."""

    reason: str


Deliver = Callable[[Sequence[Incoming | Unreadable]], Awaitable[None]]
"""Hands over what came in, in order. Returns once all of it is stored: only then may it be acknowledged upstream.

Raises `TryLater` when the store cannot take it; nothing of the batch may then be acknowledged.
"""


class Adapter(Protocol):
    """One channel, both ways. Knows its vendor; knows nothing of topics, lines or tables."""

    @property
    def name(self) -> str:
        """The channel's name, as in `Address.channel`."""
        ...

    @property
    def account(self) -> str:
        """Which bot, mailbox or site this is, as in `Address.account`."""
        ...

    @property
    def keyed(self) -> bool:
        """Whether sending the same key twice shows one message, so that a doubtful send may be repeated."""
        ...

    async def listen(self, deliver: Deliver) -> None:
        """Hand over every new message until cancelled. Acknowledge upstream only after *deliver* returns."""
        ...

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        """Say it. Raises `TryLater` or `Undeliverable`, never a vendor's exception."""
        ...

    async def check(self) -> Sequence["Finding"]:
        """What `imconnect doctor` tells of this channel: credentials, rights, settings. Never raises."""
        ...

    async def close(self) -> None:
        """Let go of connections. Called once, after `listen` has ended."""
        ...


@runtime_checkable
class Erases(Protocol):
    """A channel where a message of the customer's can be removed by us."""

    async def erase(self, address: Address, message_id: str) -> None:
        """Remove it upstream. Raises `TryLater` or `Undeliverable` (too old, no right)."""
        ...


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a vendor delivers to us: `take` gets the header *secret_header* and the body, and returns an HTTP status.

    It answers 200 only once what was brought is stored.
    """

    secret_header: str
    take: Callable[[str | None, bytes], Awaitable[int]]


@runtime_checkable
class IsBrought(Protocol):
    """A channel whose vendor can bring messages, instead of being asked for them."""

    @property
    def brought_to(self) -> str | None:
        """The path of our address it brings them to, or None while it is asked."""
        ...

    def hook(self, deliver: Deliver) -> Hook:
        """What takes deliveries."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `imconnect doctor`: what was looked at, whether it is well, and the cure if not."""

    subject: str
    well: bool
    says: str


# ------------------------------------------------------------------------------------------------------------- store


@dataclass(frozen=True, slots=True)
class Received:
    """A customer's message after the guard: `incoming.text` is safe to store.

    `withdrawn` names earlier messages at the same address whose text must not stay stored.
    """

    incoming: Incoming
    secret: Secret | None = None
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """An event waiting for its turn. `id` grows in the order of arrival."""

    id: int
    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation and what happened to it since its last turn, in order."""

    conversation: Conversation
    events: tuple[Pending, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a turn made of one case: the new state and, for each event in order, its outcome and actions."""

    conversation: Conversation
    outcomes: tuple[tuple[int, str, tuple[Action, ...]], ...]


class Turn(Protocol):
    """A batch of conversations that no other worker touches until it is applied."""

    @property
    def cases(self) -> Sequence[Case]: ...

    async def apply(self, settled: Sequence[Settled], now: datetime) -> None:
        """Write everything down in one transaction: state, messages to send, timers, errands, outcomes."""
        ...


class SendState(StrEnum):
    """What became of something we say."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class DueSend:
    """Something to send now. `attempts` counts the tries before this one."""

    id: int
    conversation: int
    message: Outgoing
    attempts: int


@dataclass(frozen=True, slots=True)
class SendResult:
    """What came of a send: for READY, `retry_at` says when to try again and stops only its own address."""

    id: int
    state: SendState
    external_id: str | None = None
    reason: str = ""
    retry_at: datetime | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class DueErrand:
    id: int
    conversation: int
    errand: ErrandKind
    address: Address
    subject: str
    attempts: int


@dataclass(frozen=True, slots=True)
class ErrandResult:
    """What came of an errand: with `retry_at` it is tried again, else it has ended."""

    id: int
    done: bool
    reason: str = ""
    retry_at: datetime | None = None


class Speaker(StrEnum):
    """Who speaks in a transcript."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `secret` tells that something was withheld, and of which kind."""

    id: int
    speaker: Speaker
    author: str
    text: str = field(repr=False)
    at: datetime
    secret: SecretKind | None = None
    edited: bool = False
    attachments: tuple[Attachment, ...] = ()
    choices: tuple[Choice, ...] = ()
    delivery: SendState | None = None
    delivery_reason: str = ""
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as a list shows it. `place` is None unless it is waiting; `why` is the reason of its priority."""

    id: int
    reference: str
    channel: str
    contact: str = field(repr=False)
    stage: Stage
    topic: str | None
    priority: Priority
    language: Language
    agent: str | None
    waiting_since: datetime | None
    updated_at: datetime
    place: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """A conversation with everything an agent needs to answer."""

    summary: Summary
    details: Mapping[str, Given]
    lines: tuple[Line, ...]
    outcomes: tuple[tuple[datetime, str, str], ...]
    unreachable: str | None
    asked_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far behind the desk is: counts, and the age in seconds of the oldest of each."""

    events: int
    oldest_event: float
    sends: int
    oldest_send: float
    unknown_sends: int
    failed_sends: int
    waiting: int
    errands: int
    quarantined: int


class Store(Protocol):
    """Where everything is kept: one transaction holds a message, what was decided of it and what is to be said.

    Every method raises `StoreUnavailable` when the database cannot be reached or written; nothing is then changed.
    """

    async def record(self, items: Sequence[Received | Unreadable], now: datetime) -> int:
        """Store what came in, each item once, in order; committed on return. Says how many were new."""
        ...

    async def expects(self, address: Address) -> frozenset[str]:
        """The details the conversation at *address* was last asked for."""
        ...

    async def act(self, reference: str, act: AgentsAct, key: str, now: datetime) -> int | None:
        """Put an agent's act into the conversation's inbox, once per *key*; its event id, None if there is no such."""
        ...

    async def outcome(self, event: int) -> str | None:
        """What was recorded of an event, or None while its turn has not come."""
        ...

    def turn(self, limit: int, now: datetime) -> AbstractAsyncContextManager[Turn]:
        """Claim up to *limit* conversations that have events waiting, oldest first, with at most a few events each."""
        ...

    async def claim_sends(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueSend]:
        """The oldest due send of each address, marked as being sent. Later ones of an address wait for it."""
        ...

    async def due_sends(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueSend]:
        """The same, not marked: where a channel has keys, sending again what was sent before a crash does no harm."""
        ...

    async def settle_sends(self, results: Sequence[SendResult], now: datetime) -> None:
        """Record what came of sends; what failed or is unknown becomes an event of its conversation."""
        ...

    async def recover_sends(self, channel: str, account: str, keyed: bool, now: datetime) -> int:
        """After a crash: sends begun and never settled are due again where *keyed*, else unknown. Says how many."""
        ...

    async def claim_errands(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueErrand]:
        """Errands due on this inbox."""
        ...

    async def settle_errands(self, results: Sequence[ErrandResult], now: datetime) -> None:
        """Record what came of errands; each that ended becomes an event of its conversation."""
        ...

    async def fire_timers(self, limit: int, now: datetime) -> int:
        """Turn timers that fell due into events. Says how many."""
        ...

    async def watch_line(self, pace: Pace, now: datetime) -> int:
        """Turn changes of place that matter into events. Says how many."""
        ...

    async def summaries(self, stages: frozenset[Stage], limit: int) -> Sequence[Summary]:
        """Conversations at *stages*: the line in its order, then the others, newest first."""
        ...

    async def dossier(self, reference: str) -> Dossier | None: ...

    async def transcript(self, address: Address, after: int, limit: int) -> Sequence[Line]:
        """What the customer at *address* may see, oldest first, with ids greater than *after*."""
        ...

    async def state_at(self, address: Address) -> Conversation | None:
        """The current conversation at *address*, with its place in line."""
        ...

    async def place(self, conversation: int) -> PlaceInLine | None: ...

    async def add_agent(self, name: str, token_hash: str, expires: datetime, now: datetime) -> Agent:
        """Make the agent if new, and let one sign-in with the token of that hash through until *expires*."""
        ...

    async def redeem(self, token_hash: str, now: datetime) -> Agent | None:
        """The agent whose one-time sign-in token this is, once."""
        ...

    async def agent(self, agent: int) -> Agent | None: ...

    async def agent_named(self, name: str) -> Agent | None: ...

    async def keep(self, name: str, value: str) -> str:
        """The value kept under *name*; *value* if there was none, from now on."""
        ...

    async def backlog(self, now: datetime) -> Backlog: ...

    def changes(self, topic: str) -> AbstractAsyncContextManager["Changes"]:
        """Be woken when *topic* changes: `turn`, `send`, `errand`, `line`, or `conversation:ID`."""
        ...

    async def close(self) -> None: ...


class Changes(Protocol):
    """A bell to wait at. Rings that came while nobody waited are remembered, as one."""

    async def wait(self, seconds: float) -> bool:
        """True when it rang, False when *seconds* passed first."""
        ...


# ------------------------------------------------------------------------------------------------------------- meter


class Meter(Protocol):
    """Counts and times what the desk does. Labels are names of ours, never anything a customer typed."""

    def count(self, name: str, value: int = 1, **labels: str) -> None: ...

    def observe(self, name: str, seconds: float, **labels: str) -> None: ...
