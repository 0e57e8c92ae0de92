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


class Remark(StrEnum):
    """What an agent should know of a message and the customer need not be told."""

    UNVERIFIED_SENDER = "unverified_sender"  # nothing proves that it comes from whom it names
    REPLY_TO_DIFFERS = "reply_to_differs"
    LOOKALIKE_SENDER = "lookalike_sender"  # a name or domain that could be taken for one of ours
    NAME_HIDES_ADDRESS = "name_hides_address"
    LINK_HIDES_TARGET = "link_hides_target"
    FORWARDED = "forwarded"
    REMOVED_BY_SENDER = "removed_by_sender"


LARGEST_FILE = 20 * 1024 * 1024
"""Bytes of a file that is fetched and kept. Telegram hands bots no more (core.telegram.org/bots/api#getfile)."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing a customer said, exactly once: (`address.channel`, `address.account`, `id`) never repeats.

    `revises` is the id of the message this one is an edit of; `choice` is the key of the button that was pressed.
    `public`: said where others read along. `automatic`: a machine wrote it; kept and shown, never answered. `quoted` is
    what it repeats of earlier messages: shown to agents, never read as the customer's words.
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
    public: bool = False
    automatic: bool = False
    quoted: str = field(default="", repr=False)
    remarks: tuple[Remark, ...] = ()


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
    """Something to say at an address. `key` is the same however often the send is tried.

    `reply_to` is the customer's message it answers. `slot` names what only the newest of may stand (the place in line);
    `replaces` is the channel's own id of the one before it, where the channel can change what it said.
    """

    key: str
    address: Address
    text: str = field(repr=False)
    purpose: Purpose
    choices: tuple[Choice, ...] = ()
    reply_to: str | None = None
    slot: str | None = None
    replaces: str | None = None
    language: Language = Language.CHINESE
    reference: str = ""
