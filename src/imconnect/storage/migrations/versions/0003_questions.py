"""What became of the questions that were collected, and a quick way to those nobody answered.

A program of an earlier release can go on writing beside this one: it knows nothing of the table, and all that the index
needs it fills in already.
"""

import sqlalchemy as sa
from alembic import op

from imconnect.storage.tables import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNANSWERED = (
    "outcome = 'asked what it is about' OR substr(outcome, 1, 9) = 'offered: '"
    " OR substr(outcome, 1, 23) = 'second opinion wanted: '"
)


def upgrade() -> None:
    op.create_index(
        "ix_events_unanswered",
        "events",
        ["id", "conversation_id"],
        unique=False,
        sqlite_where=sa.text(UNANSWERED),
        postgresql_where=sa.text(UNANSWERED),
    )
    op.create_table(
        "questions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("became", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("text_key", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("written_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_questions")),
    )
    op.create_index("ix_questions_text_key", "questions", ["text_key"], unique=False)
