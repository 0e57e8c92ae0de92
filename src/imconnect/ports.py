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
from imconnect.domain.messages import (
    Address,
    Attachment,
    Choice,
    Handle,
    Incoming,
    Language,
    Outgoing,
    Purpose,
    Remark,
    Unreadable,
)
from imconnect.domain.playbook import Pace, Playbook, Priority
from imconnect.domain.questions import Became, Happened, QuestionKind
from imconnect.domain.readings import Link, Secret, SecretKind, Spotted


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


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a channel has come (a UID, a message id), kept under *name* in the same commit as what came before it."""

    channel: str
    account: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """Something we said came back. `send` is the id the channel gave it; `final` unless it is still being tried."""

    id: str
    channel: str
    account: str
    send: str
    final: bool
    reason: str


class StaffAct(StrEnum):
    """What a colleague does by writing in the staff room."""

    REPLY = "reply"
    NOTE = "note"
    SNIPPET = "snippet"
    TAKE = "take"
    HAND_BACK = "hand_back"
    RESOLVE = "resolve"
    TRANSFER = "transfer"
    ADMIT = "admit"


@dataclass(frozen=True, slots=True)
class StaffWord:
    """What somebody wrote in the staff room, exactly once by `id`. Who may act is settled by `author.id`, not by name.

    `topic` is where in the room it was said; `text` is what comes after the command, or all of it for a reply.
    """

    id: str
    channel: str
    account: str
    room: str
    topic: str
    author: Handle
    act: StaffAct
    text: str = field(default="", repr=False)


Item = Incoming | Unreadable | Bounced | Mark | StaffWord

Deliver = Callable[[Sequence[Item]], Awaitable[None]]
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


@runtime_checkable
class Fetches(Protocol):
    """A channel whose messages bring files that can be fetched."""

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        """The content of *file*, at most *most* bytes. Raises `TryLater`, or `Undeliverable`: too large, or gone."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What a channel left under a name, and when."""

    value: str
    at: datetime


class Kit(Protocol):
    """What the desk lends a channel: a memory that outlives the process, a secret, the time, the pack."""

    @property
    def secret(self) -> bytes:
        """32 bytes that are this inbox's own and the same at every start."""
        ...

    @property
    def playbook(self) -> Playbook:
        """Topics, details and labels in every language."""
        ...

    def now(self) -> datetime: ...

    async def recall(self, prefix: str = "") -> Mapping[str, Kept]:
        """What was remembered, or delivered as a `Mark`, under names that begin with *prefix*."""
        ...

    async def remember(self, name: str, value: str | None) -> None:
        """Keep *value* under *name* for good; None forgets it. Never what a customer typed. Raises `TryLater`."""
        ...

    def spot(self, text: str) -> tuple[Spotted, ...]:
        """The details in *text*, each with what is wrong with it."""
        ...

    async def missing(self, address: Address, topic: str) -> tuple[str, ...]:
        """The details a case of *topic* still lacks at *address*; all of them where nothing is open there.

        Raises `TryLater`.
        """
        ...

    def links(self, text: str) -> tuple[Link, ...]:
        """The links in *text* by their real hosts, and what each is to us."""
        ...

    def leaks(self, text: str) -> bool:
        """Whether *text* gives somebody's funds away for sure.

        Where others read along that is for the desk, whoever it was said to: it must be removed.
        """
        ...


@runtime_checkable
class Equipped(Protocol):
    """A channel that works with a `Kit`."""

    async def equip(self, kit: Kit) -> None:
        """Called before `listen` and `send` whenever this process comes to own the inbox. Raises `TryLater`."""
        ...


class TopicGone(Exception):
    """The topic is not in the staff room any more: open another."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands at the head of a conversation's topic in the staff room. `text` is all of it, in words."""

    reference: str
    title: str
    text: str = field(repr=False)
    stage: Stage
    priority: Priority
    topic: str | None


class StaffRoom(Protocol):
    """Where agents work on a channel: one topic (a forum topic, a post) a conversation.

    Every method raises `TryLater` or `Undeliverable`, and where it names a topic, `TopicGone`.
    """

    @property
    def room(self) -> str:
        """Which room this is, as the channel knows it."""
        ...

    async def open(self, header: Header) -> str:
        """Make a topic and return its id. May be called again for the same conversation, if the first went unheard."""
        ...

    async def head(self, topic: str, head: str | None, header: Header) -> str:
        """Write the header, or rewrite the one of id *head*; returns its id."""
        ...

    async def post(self, topic: str, text: str) -> tuple[str, ...]:
        """Say what happened in the conversation; the ids of what was posted, more than one where it is long."""
        ...

    async def revise(self, topic: str, posted: tuple[str, ...], text: str) -> tuple[str, ...]:
        """Put *text* in the place of what was posted."""
        ...

    async def answer(self, topic: str | None, text: str, to: str | None = None) -> None:
        """Answer a colleague, ahead of everything that is copied; without a topic, tell the room as a whole."""
        ...

    async def shut(self, topic: str) -> None:
        """The conversation is resolved: close its topic."""
        ...


@runtime_checkable
class HasStaffRoom(Protocol):
    """A channel on which agents work too."""

    @property
    def staff_room(self) -> StaffRoom | None:
        """The room, or None where none is set."""
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
class Doubted:
    """A message as it is stored, and the topics it may be about."""

    text: str = field(repr=False)
    topics: tuple[str, ...]
    language: Language


@dataclass(frozen=True, slots=True)
class DueErrand:
    """Something to do now. `files` are those of the message *subject*, where it is about files.

    `doubted` is what a second opinion is wanted on; None where it no longer is, or the message must not be shown.
    """

    id: int
    conversation: int
    errand: ErrandKind
    address: Address
    subject: str
    attempts: int
    files: tuple["FileOfMessage", ...] = ()
    doubted: Doubted | None = None


@dataclass(frozen=True, slots=True)
class ErrandResult:
    """What came of an errand: with `retry_at` it is tried again, else it has ended.

    `secret`: found on the way. `topic`: the one that was chosen.
    """

    id: int
    done: bool
    reason: str = ""
    retry_at: datetime | None = None
    secret: Secret | None = None
    topic: str | None = None


class FileState(StrEnum):
    """What became of a file that came with a message."""

    NAMED = "named"  # only its name, type and size are known
    KEPT = "kept"
    WITHHELD = "withheld"
    TOO_LARGE = "too_large"
    LOST = "lost"  # it could not be fetched


@dataclass(frozen=True, slots=True)
class FileOfMessage:
    """A file of a message, by our own id. `media_type` is by its content once it is kept."""

    id: int
    file: Attachment
    state: FileState
    media_type: str
    secret: SecretKind | None = None


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of fetching a file. `content` only for KEPT."""

    id: int
    state: FileState
    media_type: str = ""
    content: bytes = field(default=b"", repr=False)
    secret: SecretKind | None = None


class Speaker(StrEnum):
    """Who speaks in a transcript."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a transcript. `secret` tells that something was withheld, and of which kind.

    `earlier`, for agents, is what it said before it was edited, oldest first; nothing where a secret was withheld.
    """

    id: int
    speaker: Speaker
    author: str
    text: str = field(repr=False)
    at: datetime
    secret: SecretKind | None = None
    revision: int = 0
    earlier: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[FileOfMessage, ...] = ()
    quoted: str = field(default="", repr=False)
    remarks: tuple[Remark, ...] = ()
    choices: tuple[Choice, ...] = ()
    delivery: SendState | None = None
    delivery_reason: str = ""
    purpose: Purpose | None = None

    @property
    def edited(self) -> bool:
        return self.revision > 0

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(one.file for one in self.files)


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
    related: tuple[str, ...] = ()
    """References of other conversations under the same handle, for agents: nothing proves it is the same person."""


@dataclass(frozen=True, slots=True)
class Agent:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class AgentHandle:
    """Under which handle of a channel an agent works."""

    agent: Agent
    channel: str
    handle: str


@dataclass(frozen=True, slots=True)
class Posted:
    """What stands in the staff room for the lines *first* to *last*; `state` changes when one of those does."""

    ids: tuple[str, ...]
    first: int
    last: int
    state: str


@dataclass(frozen=True, slots=True)
class RoomCopy:
    """A conversation and what of it stands in a staff room. `version` grows whenever something is to be copied."""

    conversation: int
    dossier: Dossier
    version: int
    attempts: int
    topic: str | None
    head: str | None
    posts: tuple[Posted, ...]
    shut: bool


@dataclass(frozen=True, slots=True)
class RoomResult:
    """What stands in the room now. With `retry_at` the copy is still behind; `failed`: not tried till it changes."""

    conversation: int
    version: int
    topic: str | None
    head: str | None
    posts: tuple[Posted, ...]
    shut: bool
    retry_at: datetime | None = None
    failed: str = ""


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
    rooms_failed: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """What happened in a conversation, for what can be learnt from it; `topic` is what it came to be about."""

    record: tuple[Happened, ...]
    topic: str | None


@dataclass(frozen=True, slots=True)
class Stories:
    """Conversations in which something was asked, by events *from_event* and later; `older` where there are more."""

    told: tuple[Story, ...]
    from_event: int
    older: bool


@dataclass(frozen=True, slots=True)
class SettledQuestion:
    """What an agent made of a question. `key` is that of the question, `text_key` that of the text that was added.

    The words of a question that was dismissed are not kept. `written_at`: when it came into a pack's files.
    """

    key: str
    became: Became
    agent: str
    at: datetime
    text: str = field(default="", repr=False)
    text_key: str = ""
    topic: str | None = None
    language: Language | None = None
    written_at: datetime | None = None


class Store(Protocol):
    """Where everything is kept: one transaction holds a message, what was decided of it and what is to be said.

    Every method raises `StoreUnavailable` when the database cannot be reached or written; nothing is then changed.
    """

    async def record(self, items: Sequence[Received | Unreadable | Bounced | Mark], now: datetime) -> int:
        """Store what came in, each item once, in order; committed on return. Says how many were new.

        A `Bounced` makes its send failed, if *final*, and its customer unreachable; a `Mark` replaces the one before.
        """
        ...

    async def marks(self, channel: str, account: str, prefix: str) -> Mapping[str, Kept]:
        """The marks of an inbox whose names begin with *prefix*."""
        ...

    async def unmark(self, channel: str, account: str, name: str) -> None:
        """Forget a mark."""
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

    async def keep_files(self, results: Sequence[FileResult], now: datetime) -> None:
        """Record what came of fetching files, and keep the content of those that may be kept."""
        ...

    async def file(self, file: int) -> tuple[FileOfMessage, bytes] | None:
        """A kept file and its content."""
        ...

    async def fire_timers(self, limit: int, now: datetime) -> int:
        """Turn timers that fell due into events. Says how many."""
        ...

    async def watch_line(self, pace: Pace, now: datetime, paces: Mapping[str, Pace] | None = None) -> int:
        """Turn changes of place that matter into events. Says how many. *paces* are those of channels of their own."""
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

    async def agents(self) -> Sequence[Agent]: ...

    async def link_agent(self, agent: int, channel: str, handle: str, now: datetime) -> None:
        """From now on *handle* is this agent on *channel*, and nobody else."""
        ...

    async def unlink_agent(self, channel: str, handle: str) -> bool:
        """Whether there was such a handle."""
        ...

    async def agent_behind(self, channel: str, handle: str) -> Agent | None: ...

    async def agent_handles(self) -> Sequence[AgentHandle]: ...

    # The staff rooms: what of each conversation stands there.

    async def mirror_to(self, rooms: Sequence[tuple[str, str]]) -> None:
        """Copy to these (channel, room) from now on every conversation that a person is to see."""
        ...

    async def behind(self, channel: str, room: str, now: datetime) -> RoomCopy | None:
        """The conversation whose copy in the room is behind and due: with an agent first, then in the line's order."""
        ...

    async def settle_room(self, channel: str, room: str, result: RoomResult, now: datetime) -> None: ...

    async def conversation_in(self, channel: str, room: str, topic: str) -> str | None:
        """The reference of the conversation that has that topic."""
        ...

    async def vouched(self, channel: str, name: str) -> bool:
        """Whether *name* is an agent's name, or their handle on *channel*."""
        ...

    # What customers asked, and what was made of it.

    async def stories(self, kind: QuestionKind, before: int | None, limit: int) -> Stories:
        """The conversations of the newest *limit* messages, of those before the event *before*, that may hold questions
        of *kind*: not what was withheld, removed, written by a machine or said by a button or a command."""
        ...

    async def settle_question(self, settled: SettledQuestion) -> bool:
        """Keep what became of a question. False where somebody settled it before: that stands."""
        ...

    async def reopen_question(self, key: str) -> bool:
        """Forget what became of a question. Whether anything had."""
        ...

    async def settled_keys(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of *keys* under which a question was settled or a text was added."""
        ...

    async def examples(self) -> Sequence[SettledQuestion]:
        """What was added, to a topic or as nothing of ours, in the order of adding."""
        ...

    async def mark_written(self, keys: Sequence[str], now: datetime) -> None:
        """The examples of *keys* stand in a pack's files; of those that stood there before, nothing changes."""
        ...

    async def keep(self, name: str, value: str) -> str:
        """The value kept under *name*; *value* if there was none, from now on."""
        ...

    async def backlog(self, now: datetime) -> Backlog: ...

    def changes(self, topic: str) -> AbstractAsyncContextManager["Changes"]:
        """Be woken when *topic* changes: `turn`, `send`, `errand`, `line`, `room`, or `conversation:ID`."""
        ...

    async def close(self) -> None: ...


class Changes(Protocol):
    """A bell to wait at. Rings that came while nobody waited are remembered, as one."""

    async def wait(self, seconds: float) -> bool:
        """True when it rang, False when *seconds* passed first."""
        ...


# ----------------------------------------------------------------------------------------------------- second opinion


@dataclass(frozen=True, slots=True)
class Option:
    """A topic that a second reader may choose, with its title and what it is about in a line."""

    topic: str
    title: str
    about: str


class Outcome(StrEnum):
    """What came of asking for an opinion."""

    CHOSEN = "chosen"
    NONE = "none"  # it said that no option fits
    REFUSED = "refused"  # what it said is none of the options, and was not taken
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One of the options, or why there is none; `why` is in words of ours."""

    outcome: Outcome
    topic: str | None = None
    why: str = ""


class SecondReader(Protocol):
    """Whoever is asked where the matcher is not sure. It chooses; it never writes what a customer reads."""

    async def choose(self, text: str, options: Sequence[Option]) -> Opinion:
        """Which of *options* the *text* is about. Answers within a few seconds of its own; never raises."""
        ...


# ------------------------------------------------------------------------------------------------------------- meter


class Meter(Protocol):
    """Counts and times what the desk does. Labels are names of ours, never anything a customer typed."""

    def count(self, name: str, value: int = 1, **labels: str) -> None: ...

    def observe(self, name: str, seconds: float, **labels: str) -> None: ...
