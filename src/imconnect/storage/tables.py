"""The tables. Times are UTC; what a customer typed stands in `messages`, `message_revisions` and nowhere else."""

from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlmodel import Field, SQLModel


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC: `timestamptz` in PostgreSQL, microseconds since 1970 in SQLite."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return int(value.timestamp() * 1_000_000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return cast("datetime | None", value)
        return datetime.fromtimestamp(value / 1_000_000, UTC)


BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> Any:
    return Field(default=None, sa_column=sa.Column(BigId, primary_key=True, autoincrement=True))


def _time(*, null: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=sa.Column(UtcTime, nullable=null, index=index))


def _text(*, null: bool = False) -> Any:
    return Field(default=None, sa_column=sa.Column(sa.Text, nullable=null))


def _json() -> Any:
    """JSON, with NULL for nothing at all."""
    return Field(default=None, sa_column=sa.Column(sa.JSON(none_as_null=True), nullable=True))


def _to(target: str, *, null: bool = False, index: bool = False, primary: bool = False) -> Any:
    column = sa.Column(BigId, sa.ForeignKey(target), nullable=null, index=index, primary_key=primary)
    return Field(default=None, sa_column=column)


class Table(SQLModel):
    """Every table names its constraints alike, so that migrations can."""

    metadata: ClassVar[sa.MetaData] = sa.MetaData(  # pyright: ignore[reportIncompatibleVariableOverride] - SQLModel reads it so
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Contact(Table, table=True):
    """A person. Handles are joined to one contact only by proof."""

    __tablename__ = "contacts"  # pyright: ignore[reportAssignmentType] - SQLModel's own way to name a table
    id: int | None = _id()
    created_at: datetime = _time()


class ContactChannel(Table, table=True):
    """A person's handle at one address, and the conversation now held there."""

    __tablename__ = "contact_channels"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.UniqueConstraint("channel", "account", "peer"),
        sa.Index("ix_contact_channels_channel_handle", "channel", "handle"),
    )
    id: int | None = _id()
    contact_id: int | None = _to("contacts.id", null=True, index=True)
    conversation_id: int | None = _to("conversations.id", null=True)
    channel: str = _text()
    account: str = _text()
    peer: str = _text()
    handle: str = _text()
    name: str = _text()
    unreachable: str | None = _text(null=True)


class ConversationRow(Table, table=True):
    """A conversation's state; `memory` holds what only `decide()` reads."""

    __tablename__ = "conversations"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.Index("ix_conversations_stage_updated_at", "stage", "updated_at"),
        sa.Index("ix_conversations_address", "channel", "account", "peer"),
    )
    id: int | None = _id()
    reference: str = Field(default=None, sa_column=sa.Column(sa.Text, nullable=False, unique=True))
    channel: str = _text()
    account: str = _text()
    peer: str = _text()
    stage: str = _text()
    language: str = _text()
    topic: str | None = _text(null=True)
    priority: int = Field(default=None, sa_column=sa.Column(sa.SmallInteger, nullable=False))
    agent: str | None = _text(null=True)
    waiting_since: datetime | None = _time(null=True)
    memory: dict[str, Any] | None = _json()
    created_at: datetime = _time()
    updated_at: datetime = _time()


class Message(Table, table=True):
    """What was said, by whom, in its newest revision. `text` has passed the guard."""

    __tablename__ = "messages"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.UniqueConstraint("channel", "account", "external_id"),
        sa.Index("ix_messages_conversation_id_id", "conversation_id", "id"),
    )
    id: int | None = _id()
    conversation_id: int = _to("conversations.id")
    speaker: str = _text()
    author: str = _text()
    channel: str | None = _text(null=True)
    account: str | None = _text(null=True)
    external_id: str | None = _text(null=True)
    text: str = _text()
    secret: str | None = _text(null=True)
    revision: int = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    sent_at: datetime = _time()
    quoted: str | None = _text(null=True)
    remarks: list[str] | None = _json()


class MessageRevision(Table, table=True):
    """What a message said before it was edited."""

    __tablename__ = "message_revisions"  # pyright: ignore[reportAssignmentType] - as above
    message_id: int = _to("messages.id", primary=True)
    revision: int = Field(default=None, sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False))
    text: str = _text()
    at: datetime = _time()


class AttachmentRow(Table, table=True):
    """A file that came with a message. `kept_type` is its type by its content."""

    __tablename__ = "attachments"  # pyright: ignore[reportAssignmentType] - as above
    id: int | None = _id()
    message_id: int = _to("messages.id", index=True)
    external_id: str = _text()
    name: str = _text()
    media_type: str = _text()
    size: int = Field(default=None, sa_column=sa.Column(sa.BigInteger, nullable=False))
    state: str = Field(default=None, sa_column=sa.Column(sa.Text, nullable=False, server_default="named"))
    kept_type: str | None = _text(null=True)
    secret: str | None = _text(null=True)


class FileRow(Table, table=True):
    """The content of a file that was fetched and may be kept."""

    __tablename__ = "files"  # pyright: ignore[reportAssignmentType] - as above
    attachment_id: int = _to("attachments.id", primary=True)
    content: bytes = Field(default=None, sa_column=sa.Column(sa.LargeBinary, nullable=False))


UNANSWERED = (
    "outcome = 'asked what it is about' OR substr(outcome, 1, 9) = 'offered: '"
    " OR substr(outcome, 1, 23) = 'second opinion wanted: '"
)
"""What `imconnect.domain.questions` calls unanswered, as an index and a query must say it alike."""


class EventRow(Table, table=True):
    """The inbox of every conversation. (`channel`, `account`, `external_id`) happens once, whatever crashed when."""

    __tablename__ = "events"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.UniqueConstraint("channel", "account", "external_id"),
        sa.Index(
            "ix_events_pending",
            "id",
            "conversation_id",
            sqlite_where=sa.text("pending"),
            postgresql_where=sa.text("pending"),
        ),
        sa.Index(
            "ix_events_pending_conversation",
            "conversation_id",
            "id",
            sqlite_where=sa.text("pending"),
            postgresql_where=sa.text("pending"),
        ),
        sa.Index("ix_events_conversation_id_id", "conversation_id", "id"),
        sa.Index(
            "ix_events_unanswered",
            "id",
            "conversation_id",
            sqlite_where=sa.text(UNANSWERED),
            postgresql_where=sa.text(UNANSWERED),
        ),
    )
    id: int | None = _id()
    conversation_id: int = _to("conversations.id")
    channel: str = _text()
    account: str = _text()
    external_id: str = _text()
    kind: str = _text()
    message_id: int | None = _to("messages.id", null=True)
    payload: dict[str, Any] | None = _json()
    at: datetime = _time()
    pending: bool = Field(default=None, sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true()))
    outcome: str | None = _text(null=True)


class DetailRow(Table, table=True):
    """A detail the customer gave, checked."""

    __tablename__ = "details"  # pyright: ignore[reportAssignmentType] - as above
    conversation_id: int = _to("conversations.id", primary=True)
    name: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    value: str = _text()
    chain: str | None = _text(null=True)


class OutboxRow(Table, table=True):
    """Something to say. Its words stand in `messages` under the same id; `key` is the same at every try."""

    __tablename__ = "outbox"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.UniqueConstraint("key"),
        sa.Index(
            "ix_outbox_open",
            "channel",
            "account",
            "id",
            sqlite_where=sa.text("unsettled"),
            postgresql_where=sa.text("unsettled"),
        ),
        sa.Index(
            "ix_outbox_open_peer",
            "channel",
            "account",
            "peer",
            "id",
            sqlite_where=sa.text("unsettled"),
            postgresql_where=sa.text("unsettled"),
        ),
        sa.Index("ix_outbox_conversation_id", "conversation_id"),
        sa.Index(
            "ix_outbox_external_id",
            "channel",
            "account",
            "external_id",
            sqlite_where=sa.text("external_id IS NOT NULL"),
            postgresql_where=sa.text("external_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_outbox_slot",
            "conversation_id",
            "slot",
            "id",
            sqlite_where=sa.text("slot IS NOT NULL"),
            postgresql_where=sa.text("slot IS NOT NULL"),
        ),
    )
    id: int = _to("messages.id", primary=True)
    conversation_id: int = _to("conversations.id")
    key: str = _text()
    channel: str = _text()
    account: str = _text()
    peer: str = _text()
    purpose: str = _text()
    source: str = _text()
    choices: list[list[str]] | None = _json()
    reply_to: str | None = _text(null=True)
    state: str = _text()
    unsettled: bool = Field(default=None, sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true()))
    attempts: int = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    not_before: datetime | None = _time(null=True)
    created_at: datetime = _time()
    external_id: str | None = _text(null=True)
    reason: str | None = _text(null=True)
    slot: str | None = _text(null=True)


class TimerRow(Table, table=True):
    """When something is due for a conversation."""

    __tablename__ = "timers"  # pyright: ignore[reportAssignmentType] - as above
    conversation_id: int = _to("conversations.id", primary=True)
    kind: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    due_at: datetime = _time(index=True)


class ErrandRow(Table, table=True):
    """Something to do in the world, until it is done or cannot be."""

    __tablename__ = "errands"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.UniqueConstraint("key"),
        sa.Index(
            "ix_errands_open",
            "channel",
            "account",
            "id",
            sqlite_where=sa.text("unsettled"),
            postgresql_where=sa.text("unsettled"),
        ),
    )
    id: int | None = _id()
    conversation_id: int = _to("conversations.id")
    key: str = _text()
    kind: str = _text()
    channel: str = _text()
    account: str = _text()
    peer: str = _text()
    subject: str = _text()
    unsettled: bool = Field(default=None, sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true()))
    attempts: int = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    not_before: datetime | None = _time(null=True)
    reason: str | None = _text(null=True)


class WaitingRow(Table, table=True):
    """The waiting line, in the order of service."""

    __tablename__ = "waiting_line"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (sa.Index("ix_waiting_line_order", "priority", "since", "conversation_id"),)
    conversation_id: int = _to("conversations.id", primary=True)
    priority: int = Field(default=None, sa_column=sa.Column(sa.SmallInteger, nullable=False))
    since: datetime = _time()
    told_place: int | None = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=True))
    told_at: datetime | None = _time(null=True)


class Departure(Table, table=True):
    """When somebody's turn came: what the expected wait is worked out from."""

    __tablename__ = "departures"  # pyright: ignore[reportAssignmentType] - as above
    id: int | None = _id()
    at: datetime = _time(index=True)


class AgentRow(Table, table=True):
    """Somebody who answers customers. The sign-in token itself is not kept, only its SHA-256."""

    __tablename__ = "agents"  # pyright: ignore[reportAssignmentType] - as above
    id: int | None = _id()
    name: str = Field(default=None, sa_column=sa.Column(sa.Text, nullable=False, unique=True))
    token_hash: str | None = Field(default=None, sa_column=sa.Column(sa.Text, nullable=True, unique=True))
    token_expires_at: datetime | None = _time(null=True)
    created_at: datetime = _time()


class AgentHandleRow(Table, table=True):
    """Under which handle an agent works on a channel."""

    __tablename__ = "agent_handles"  # pyright: ignore[reportAssignmentType] - as above
    channel: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    handle: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    agent_id: int = _to("agents.id")
    at: datetime = _time()


class RoomRow(Table, table=True):
    """A conversation and its topic in a staff room.

    `version` grows with every turn; `copied_version` is the newest that was copied, or that cannot be (`failed`).
    """

    __tablename__ = "rooms"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.UniqueConstraint("channel", "room", "topic"),
        sa.Index(
            "ix_rooms_behind",
            "channel",
            "room",
            "conversation_id",
            sqlite_where=sa.text("version > copied_version"),
            postgresql_where=sa.text("version > copied_version"),
        ),
    )
    channel: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    room: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    conversation_id: int = _to("conversations.id", primary=True)
    version: int = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=False, server_default="1"))
    copied_version: int = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    topic: str | None = _text(null=True)
    head: str | None = _text(null=True)
    shut: bool = Field(default=None, sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))
    attempts: int = Field(default=None, sa_column=sa.Column(sa.Integer, nullable=False, server_default="0"))
    not_before: datetime | None = _time(null=True)
    failed: str | None = _text(null=True)


class RoomPost(Table, table=True):
    """What stands in a topic for the lines from `first` to `last`, in the order of posting."""

    __tablename__ = "room_posts"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["channel", "room", "conversation_id"], ["rooms.channel", "rooms.room", "rooms.conversation_id"]
        ),
    )
    channel: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    room: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    conversation_id: int = Field(default=None, sa_column=sa.Column(BigId, primary_key=True, autoincrement=False))
    ordinal: int = Field(default=None, sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False))
    ids: list[str] | None = _json()
    first: int = Field(default=None, sa_column=sa.Column(BigId, nullable=False))
    last: int = Field(default=None, sa_column=sa.Column(BigId, nullable=False))
    state: str = _text()


class MarkRow(Table, table=True):
    """How far a channel has come, by its own account."""

    __tablename__ = "marks"  # pyright: ignore[reportAssignmentType] - as above
    channel: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    account: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    name: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    value: str = _text()
    at: datetime = _time()


class QuarantineRow(Table, table=True):
    """An item no adapter could read: that it came, from where, how large, and why. Never its words."""

    __tablename__ = "quarantine"  # pyright: ignore[reportAssignmentType] - as above
    __table_args__ = (sa.UniqueConstraint("channel", "account", "external_id"),)
    id: int | None = _id()
    channel: str = _text()
    account: str = _text()
    external_id: str = _text()
    reason: str = _text()
    size: int = Field(default=None, sa_column=sa.Column(sa.BigInteger, nullable=False))
    at: datetime = _time()


class QuestionRow(Table, table=True):
    """What an agent made of a question. Only what was added has a text, which they have read and nobody is named in."""

    __tablename__ = "questions"  # pyright: ignore[reportAssignmentType] - as above
    key: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    became: str = _text()
    text: str | None = _text(null=True)
    text_key: str | None = Field(default=None, sa_column=sa.Column(sa.Text, nullable=True, index=True))
    topic: str | None = _text(null=True)
    language: str | None = _text(null=True)
    agent: str = _text()
    at: datetime = _time()
    written_at: datetime | None = _time(null=True)


class Kept(Table, table=True):
    """Small things an installation keeps for good, such as the key its cookies are signed with."""

    __tablename__ = "kept"  # pyright: ignore[reportAssignmentType] - as above
    name: str = Field(default=None, sa_column=sa.Column(sa.Text, primary_key=True))
    value: str = _text()


metadata = Table.metadata


def table(model: type[SQLModel]) -> sa.Table:
    """The Core table of *model*, for statements that move many rows at once."""
    return cast("sa.Table", model.__table__)  # type: ignore[attr-defined]  # SQLModel adds it to table models


contacts = table(Contact)
contact_channels = table(ContactChannel)
conversations = table(ConversationRow)
messages = table(Message)
message_revisions = table(MessageRevision)
attachments = table(AttachmentRow)
files = table(FileRow)
events = table(EventRow)
details = table(DetailRow)
outbox = table(OutboxRow)
timers = table(TimerRow)
errands = table(ErrandRow)
waiting_line = table(WaitingRow)
departures = table(Departure)
agents = table(AgentRow)
agent_handles = table(AgentHandleRow)
rooms = table(RoomRow)
room_posts = table(RoomPost)
marks = table(MarkRow)
quarantine = table(QuarantineRow)
questions = table(QuestionRow)
kept = table(Kept)
