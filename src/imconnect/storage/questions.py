"""What customers asked and was not answered rightly, and what agents made of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from imconnect.domain.messages import Language, Remark
from imconnect.domain.questions import Became, Happened, QuestionKind
from imconnect.ports import SettledQuestion, Stories, Story
from imconnect.storage import tables as t
from imconnect.storage.dialect import among, insert

MOST_ENTRIES = 20_000
"""Of the records that are read at a time, so that no conversation, however long, makes a page wait."""

_ANSWERED = "substr(outcome, 1, 10) = 'answered: ' OR substr(outcome, 1, 8) = 'guided: '"
_TELLING = {
    QuestionKind.UNANSWERED: sa.text(f"({t.UNANSWERED})"),
    QuestionKind.CORRECTED: sa.text(f"({_ANSWERED})"),
}
_FROM_AGENTS = ("snippet", "resolved")


def stories(connection: sa.Connection, kind: QuestionKind, before: int | None, limit: int) -> Stories:
    """The conversations of the newest messages that may hold questions of *kind*, with their records."""
    rows = connection.execute(telling(kind, before, limit)).all()
    records: dict[int, list[Happened]] = {row.conversation_id: [] for row in rows}
    topics: dict[int, str | None] = {}
    for row in reversed(connection.execute(_records(connection, list(records))).all()):
        records[row.conversation_id].append(_happened(row))
        topics[row.conversation_id] = row.topic
    told = tuple(Story(tuple(record), topics.get(conversation)) for conversation, record in records.items())
    return Stories(told, rows[-1].id if rows else 0, older=len(rows) == limit)


def telling(kind: QuestionKind, before: int | None, limit: int) -> sa.Select[Any]:
    """The newest messages that may hold questions of *kind*, and their conversations."""
    e = t.events.c
    statement = sa.select(e.id).add_columns(e.conversation_id).where(_TELLING[kind]).order_by(e.id.desc()).limit(limit)
    return statement.where(e.id < before) if before is not None else statement


def _records(connection: sa.Connection, conversations: Sequence[int]) -> sa.Select[Any]:
    e, m, v = t.events.c, t.messages.c, t.conversations.c
    return (
        sa.select(e.id, e.conversation_id, e.kind, e.payload, e.at, e.outcome, v.topic)
        .add_columns(m.text, m.secret, m.remarks)
        .select_from(
            t.events.join(t.conversations, v.id == e.conversation_id).outerjoin(t.messages, m.id == e.message_id)
        )
        .where(
            among(connection, e.conversation_id, conversations),
            e.kind.in_(("message", *_FROM_AGENTS)),
            e.outcome.is_not(None),
        )
        .order_by(e.id.desc())
        .limit(MOST_ENTRIES)
    )


def _happened(row: Any) -> Happened:
    if row.kind in _FROM_AGENTS:
        return Happened(row.id, row.at, row.outcome, by_agent=True)
    payload: dict[str, Any] = row.payload or {}
    choice = payload.get("choice")
    text = row.text or ""
    removed = Remark.REMOVED_BY_SENDER.value in (row.remarks or ())
    # The event knows of what was withheld at once, the message also of what was found out later.
    withheld = row.secret is not None or "secret" in payload
    if choice is not None or withheld or removed or payload.get("automatic") or text.startswith("/"):
        text = ""
    return Happened(row.id, row.at, row.outcome, text, choice)


# ----------------------------------------------------------------------------------------------- what became of them


def settle(connection: sa.Connection, settled: SettledQuestion) -> bool:
    row = {
        "key": settled.key,
        "became": settled.became.value,
        "text": settled.text or None,
        "text_key": settled.text_key or None,
        "topic": settled.topic,
        "language": settled.language.value if settled.language else None,
        "agent": settled.agent,
        "at": settled.at,
        "written_at": settled.written_at,
    }
    statement = insert(connection, t.questions).on_conflict_do_nothing().returning(t.questions.c.key)
    return connection.execute(statement, row).first() is not None


def reopen(connection: sa.Connection, key: str) -> bool:
    gone = sa.delete(t.questions).where(t.questions.c.key == key).returning(t.questions.c.key)
    return connection.execute(gone).first() is not None


def settled_keys(connection: sa.Connection, keys: Sequence[str]) -> frozenset[str]:
    q = t.questions.c
    found: set[str] = set()
    for column in (q.key, q.text_key):
        found |= set(connection.execute(sa.select(column).where(among(connection, column, keys))).scalars())
    return frozenset(found)


def examples(connection: sa.Connection) -> list[SettledQuestion]:
    q = t.questions.c
    rows = connection.execute(sa.select(t.questions).where(q.became != Became.DISMISSED.value).order_by(q.at, q.key))
    return [
        SettledQuestion(
            key=row.key,
            became=Became(row.became),
            agent=row.agent,
            at=row.at,
            text=row.text or "",
            text_key=row.text_key or "",
            topic=row.topic,
            language=Language(row.language) if row.language else None,
            written_at=row.written_at,
        )
        for row in rows
    ]


def mark_written(connection: sa.Connection, keys: Sequence[str], now: datetime) -> None:
    q = t.questions.c
    statement = sa.update(t.questions).where(among(connection, q.key, keys), q.written_at.is_(None))
    connection.execute(statement.values(written_at=now))
