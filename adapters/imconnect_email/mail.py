"""A mail as the desk sees it: what `read_mail` makes of bytes. Typed words stay out of every `repr`."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a mail is read. What goes beyond is told by `Mail.problem` and left to an operator."""

    raw_bytes: int = 32 * 1024 * 1024
    header_bytes: int = 256 * 1024
    headers: int = 1_000
    depth: int = 30
    parts: int = 500
    text_characters: int = 500_000


@dataclass(frozen=True, slots=True)
class House:
    """What is ours: the addresses of our mailboxes, and the domains nobody else may look like."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Field:
    """One header field as it arrived: *name* in lower case, *raw* without the line's end."""

    name: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, in lower case, and the name its owner gave it."""

    address: str
    name: str = field(default="", repr=False)

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a mail, decoded. `inline`: the text shows it; `content_id` is what the text calls it."""

    name: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)
    inline: bool = False
    content_id: str | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the HTML part. `shown` is what its reader sees, `url` is where it leads."""

    shown: str = field(repr=False)
    url: str = field(repr=False)
    misleading: bool = False


class Remark(StrEnum):
    """What an agent should know before believing a mail."""

    SEVERAL_SENDERS = "more than one From"
    AMBIGUOUS_SENDER = "From can be read in two ways"
    NAME_SHOWS_AN_ADDRESS = "the sender's name shows another address"
    NAME_IS_DISGUISED = "the sender's name holds invisible characters"
    LOOKALIKE_DOMAIN = "the sender's domain imitates ours"
    REPLY_ELSEWHERE = "Reply-To differs from From"
    MISLEADING_LINK = "a link shows another address than it leads to"
    ENCRYPTED = "encrypted"
    WINMAIL = "holds a winmail.dat"
    ODD_MESSAGE_ID = "no usable Message-ID"


class AutomaticKind(StrEnum):
    """Why a mail is not a person speaking."""

    LOOP = "loop"
    BOUNCE = "bounce"
    REPLIED = "auto-replied"
    GENERATED = "auto-generated"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mail server says became of a mail of ours.

    `final`: it will never arrive (status 5.x.x), so sending more is no use. `status` is that of RFC 3463. `sent_to` is
    whom the copy that came back was written to: where mail is forwarded, `recipient` is another.
    """

    message_id: str | None
    recipient: str | None
    status: str | None
    final: bool
    sent_to: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, read. With a `problem` it was not read to its end, and belongs before an operator.

    `id` is the same for every copy of one mail, whichever of our mailboxes it came by, and for no other mail.
    `raw_hash` names these very bytes. `new_text` is `text` without what was quoted. `acknowledge` tells whether an
    automatic answer would do no harm: false also for people whose mail asks for none.
    """

    id: str
    raw_hash: str
    size: int
    fields: tuple[Field, ...] = field(default=(), repr=False)
    sender: Mailbox | None = None
    message_id: str | None = field(default=None, repr=False)
    in_reply_to: tuple[str, ...] = field(default=(), repr=False)
    references: tuple[str, ...] = field(default=(), repr=False)
    recipients: tuple[Mailbox, ...] = field(default=(), repr=False)
    reply_to: tuple[Mailbox, ...] = field(default=(), repr=False)
    date: datetime | None = None
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    new_text: str = field(default="", repr=False)
    attachments: tuple[Attached, ...] = ()
    links: tuple[Link, ...] = field(default=(), repr=False)
    automatic: AutomaticKind | None = None
    acknowledge: bool = True
    bounce: Bounce | None = None
    remarks: frozenset[Remark] = frozenset()
    problem: str | None = None
