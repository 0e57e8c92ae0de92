"""Files that are kept, staff rooms, agents' handles, marks, and what a message quotes.

Every new column may be left out, so that a program of the first release can go on writing beside this one.
"""

import sqlalchemy as sa
from alembic import op

from imconnect.storage.tables import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("messages", sa.Column("quoted", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("remarks", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("attachments", sa.Column("state", sa.Text(), server_default="named", nullable=False))
    op.add_column("attachments", sa.Column("kept_type", sa.Text(), nullable=True))
    op.add_column("attachments", sa.Column("secret", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("slot", sa.Text(), nullable=True))
    op.create_index("ix_contact_channels_channel_handle", "contact_channels", ["channel", "handle"], unique=False)
    op.create_index("ix_conversations_address", "conversations", ["channel", "account", "peer"], unique=False)
    op.create_index(
        "ix_outbox_external_id",
        "outbox",
        ["channel", "account", "external_id"],
        unique=False,
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_slot",
        "outbox",
        ["conversation_id", "slot", "id"],
        unique=False,
        sqlite_where=sa.text("slot IS NOT NULL"),
        postgresql_where=sa.text("slot IS NOT NULL"),
    )
    op.create_table(
        "files",
        sa.Column("attachment_id", BigId, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attachment_id"], ["attachments.id"], name=op.f("fk_files_attachment_id")),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_files")),
    )
    op.create_table(
        "marks",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "name", name=op.f("pk_marks")),
    )
    op.create_table(
        "agent_handles",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("agent_id", BigId, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_handles_agent_id")),
        sa.PrimaryKeyConstraint("channel", "handle", name=op.f("pk_agent_handles")),
    )
    op.create_table(
        "rooms",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("conversation_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("copied_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("shut", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", UtcTime(), nullable=True),
        sa.Column("failed", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_rooms_conversation_id")),
        sa.PrimaryKeyConstraint("channel", "room", "conversation_id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("channel", "room", "topic", name=op.f("uq_rooms_channel_room_topic")),
    )
    op.create_index(
        "ix_rooms_behind",
        "rooms",
        ["channel", "room", "conversation_id"],
        unique=False,
        sqlite_where=sa.text("version > copied_version"),
        postgresql_where=sa.text("version > copied_version"),
    )
    op.create_table(
        "room_posts",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("conversation_id", BigId, autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("first", BigId, nullable=False),
        sa.Column("last", BigId, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel", "room", "conversation_id"],
            ["rooms.channel", "rooms.room", "rooms.conversation_id"],
            name=op.f("fk_room_posts_channel"),
        ),
        sa.PrimaryKeyConstraint("channel", "room", "conversation_id", "ordinal", name=op.f("pk_room_posts")),
    )
