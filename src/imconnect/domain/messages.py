"""What people say to the desk and what the desk says to them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Language(StrEnum):
    """The languages a pack answers in."""

    CHINESE = "zh"
    ENGLISH = "en"


class Script(StrEnum):
    """Which characters a Chinese message is written in (ISO 15924)."""

    SIMPLIFIED = "hans"
    TRADITIONAL = "hant"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a conversation is held: one peer (a chat, a thread, a correspondent) of one inbox on one channel."""

    channel: str
    account: str
    peer: str


@dataclass(frozen=True, slots=True)
class Handle:
    """Who wrote, as the channel knows them. The name was typed by its owner, so it never shows in a `repr`."""

    id: str
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. `size` is in bytes; `id` is the channel's own."""

    id: str
    name: str = field(repr=False)
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing a customer said, exactly once: (`address.channel`, `address.account`, `id`) never repeats.

    `revises` is the id of the message this one is an edit of; `choice` is the key of the button that was pressed.
    Typed text is kept out of `repr`, so that neither a log line nor a traceback can carry it.
    """

    id: str
    address: Address
    author: Handle
    text: str = field(repr=False)
    sent_at: datetime
    attachments: tuple[Attachment, ...] = ()
    revises: str | None = None
    choice: str | None = None
    language_hint: Language | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A raw item the adapter could not read: kept aside for an operator, told by `reason`, never in its own words."""

    id: str
    channel: str
    account: str
    reason: str
    size: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One button (or numbered line, where a channel has no buttons): `key` comes back when it is chosen."""

    key: str
    label: str


class Purpose(StrEnum):
    """Why the desk says something; a notice that is overtaken by events may still be taken back."""

    ANSWER = "answer"
    QUESTION = "question"
    NOTICE = "notice"
    WARNING = "warning"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Something to say at an address. `key` is the same however often the send is tried."""

    key: str
    address: Address
    text: str = field(repr=False)
    purpose: Purpose
    choices: tuple[Choice, ...] = ()
    reply_to: str | None = None
