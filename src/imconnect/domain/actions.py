"""What `decide()` chooses: said, set and sent by the one step that applies it."""

from dataclasses import dataclass, field
from datetime import datetime

from imconnect.domain.conversations import Conversation
from imconnect.domain.events import ErrandKind, Event, TimerKind
from imconnect.domain.messages import Choice, Purpose


@dataclass(frozen=True, slots=True)
class Say:
    """Send *text*. `source` is the slug it comes from (a topic, a notice) or the agent who wrote it.

    Of those with the same `slot` only the newest stands, where the channel can change what it said.
    """

    purpose: Purpose
    source: str
    text: str = field(repr=False)
    choices: tuple[Choice, ...] = ()
    reply_to: str | None = None
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Write down, for agents only, what the desk did or what a colleague wants remembered."""

    author: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Have the timer fall due then; an earlier one of the kind is replaced."""

    timer: TimerKind
    due: datetime


@dataclass(frozen=True, slots=True)
class ClearTimer:
    timer: TimerKind


@dataclass(frozen=True, slots=True)
class WithdrawNotices:
    """Take back notices not sent yet: what they tell is no longer true."""


@dataclass(frozen=True, slots=True)
class RunErrand:
    """Have the desk do something in the world and report back."""

    errand: ErrandKind
    subject: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Let *event* happen to this conversation next."""

    event: Event


@dataclass(frozen=True, slots=True)
class MarkUnreachable:
    """The customer cannot be reached here until they write again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Admit:
    """Let what comes from *peer* on the conversation's channel into this conversation."""

    peer: str = field(repr=False)


Action = Say | Note | SetTimer | ClearTimer | WithdrawNotices | RunErrand | FollowUp | MarkUnreachable | Admit


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a conversation after one event: its next state, what to do, and a word for the record."""

    conversation: Conversation
    actions: tuple[Action, ...]
    outcome: str
