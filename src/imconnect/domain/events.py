"""Everything that can happen to a conversation. All of it enters by one door, the conversation's inbox."""

from dataclasses import dataclass, field
from enum import StrEnum

from imconnect.domain.messages import Attachment, Language
from imconnect.domain.readings import Reading, Secret


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """The customer said something. `text` has passed the guard; `reading` is filled in when the turn begins."""

    message_id: str
    text: str = field(repr=False)
    choice: str | None = None
    attachments: tuple[Attachment, ...] = ()
    secret: Secret | None = None
    language_hint: Language | None = None
    reading: Reading = field(default=Reading())
    public: bool = False
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """The customer changed an earlier message. The newest words are kept and shown; nothing is answered again."""

    message_id: str
    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class AgentTook:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentReplied:
    agent: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentNoted:
    """For colleagues; the customer never sees it."""

    agent: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentResolved:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentHandedBack:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentTransferred:
    """Hands the conversation on to the colleague *to*."""

    agent: str
    to: str


@dataclass(frozen=True, slots=True)
class AgentSentSnippet:
    """Says the pack's snippet, or the answer of the topic, of that slug, in the customer's language."""

    agent: str
    slug: str


@dataclass(frozen=True, slots=True)
class AgentAdmitted:
    """Lets somebody else, who writes from *peer* on the same channel, into the conversation."""

    agent: str
    peer: str = field(repr=False)


class TimerKind(StrEnum):
    REMIND = "remind"  # somebody has been waiting a while since they last heard from us
    GIVE_UP_COLLECTING = "give_up_collecting"  # the missing details do not come
    OPINION = "opinion"  # the second opinion does not come


@dataclass(frozen=True, slots=True)
class TimerFell:
    """A timer fell due."""

    timer: TimerKind


class PlaceReason(StrEnum):
    """Why somebody is to be told their place."""

    QUEUED = "queued"
    HANDED_BACK = "handed_back"
    MOVED_UP = "moved_up"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class PlaceDue:
    """It is time to tell the customer their place in line."""

    reason: PlaceReason


class ErrandKind(StrEnum):
    DELETE_UPSTREAM = "delete_upstream"  # remove a leaked message from the channel itself
    FETCH_FILES = "fetch_files"  # bring the files of a message into the store
    SECOND_OPINION = "second_opinion"  # have another reader say which of a few topics a message is about


@dataclass(frozen=True, slots=True)
class ErrandDone:
    """An errand ended. `done` says whether it achieved what it was sent for; `reason` why not.

    `subject` is the message it was about; `secret` what the guard found in that message's files; `topic` what a second
    opinion says it is about.
    """

    errand: ErrandKind
    done: bool
    reason: str = ""
    subject: str = ""
    secret: Secret | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryEnded:
    """Something we said did not reach the customer for certain: `unknown` may have arrived, else it failed."""

    key: str
    unknown: bool
    reason: str = ""


AgentsAct = (
    AgentTook
    | AgentReplied
    | AgentNoted
    | AgentResolved
    | AgentHandedBack
    | AgentTransferred
    | AgentSentSnippet
    | AgentAdmitted
)
Event = MessageReceived | MessageEdited | AgentsAct | TimerFell | PlaceDue | ErrandDone | DeliveryEnded
