"""What is shown of what is stored: lists, dossiers, transcripts, backlogs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from imconnect.domain.conversations import Conversation, Given, Stage
from imconnect.domain.messages import Address, Choice, Language, Purpose, Remark
from imconnect.domain.playbook import Priority
from imconnect.domain.readings import SecretKind
from imconnect.ports import Backlog, Dossier, FileOfMessage, Line, SendState, Speaker, Summary
from imconnect.storage import tables as t
from imconnect.storage.dialect import among, insert
from imconnect.storage.files import files_of
from imconnect.storage.turning import load

MOST_RELATED = 5

TO_CUSTOMERS = (Speaker.CUSTOMER.value, Speaker.BOT.value, Speaker.AGENT.value)


def expects(connection: sa.Connection, address: Address) -> frozenset[str]:
    """The details the current conversation at *address* was last asked for."""
    row = connection.execute(_current(address)).first()
    memory: dict[str, Any] = (row.memory if row is not None else None) or {}
    return frozenset(memory.get("asked_for", ()))


def _current(address: Address) -> sa.Select[Any]:
    c = t.contact_channels.c
    return (
        sa.select(t.conversations)
        .join(t.contact_channels, c.conversation_id == t.conversations.c.id)
        .where(c.channel == address.channel, c.account == address.account, c.peer == address.peer)
    )


def state_at(connection: sa.Connection, address: Address) -> Conversation | None:
    row = connection.execute(_current(address)).first()
    return load(connection, [row])[0] if row is not None else None


def summaries(connection: sa.Connection, stages: Iterable[Stage], limit: int) -> list[Summary]:
    """Those waiting first, in their order; then the others, newest first."""
    v, w, p = t.conversations.c, t.waiting_line.c, t.contact_channels.c
    ranked = sa.select(
        w.conversation_id, sa.func.row_number().over(order_by=(w.priority, w.since, w.conversation_id)).label("place")
    ).subquery()
    statement = (
        sa.select(t.conversations, p.name, ranked.c.place)
        .select_from(
            t.conversations.outerjoin(ranked, ranked.c.conversation_id == v.id).outerjoin(
                t.contact_channels, sa.and_(p.channel == v.channel, p.account == v.account, p.peer == v.peer)
            )
        )
        .where(v.stage.in_([stage.value for stage in stages]))
        .order_by(ranked.c.place.is_(None), ranked.c.place, v.updated_at.desc(), v.id.desc())
        .limit(limit)
    )
    return [_summary(row) for row in connection.execute(statement)]


def _summary(row: Any) -> Summary:
    memory: dict[str, Any] = row.memory or {}
    return Summary(
        id=row.id,
        reference=row.reference,
        channel=row.channel,
        contact=row.name or "",
        stage=Stage(row.stage),
        topic=row.topic,
        priority=Priority(row.priority),
        language=Language(row.language),
        agent=row.agent,
        waiting_since=row.waiting_since,
        updated_at=row.updated_at,
        place=row.place,
        why=memory.get("why", ""),
    )


def dossier(connection: sa.Connection, reference: str) -> Dossier | None:
    return dossier_of(connection, t.conversations.c.reference == reference)


def dossier_of(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Dossier | None:
    """Everything about the one conversation of which *condition* is true."""
    v, w, p, e = t.conversations.c, t.waiting_line.c, t.contact_channels.c, t.events.c
    ranked = sa.select(
        w.conversation_id, sa.func.row_number().over(order_by=(w.priority, w.since, w.conversation_id)).label("place")
    ).subquery()
    row = connection.execute(
        sa.select(t.conversations, p.name, p.handle, p.unreachable, ranked.c.place)
        .select_from(
            t.conversations.outerjoin(ranked, ranked.c.conversation_id == v.id).outerjoin(
                t.contact_channels, sa.and_(p.channel == v.channel, p.account == v.account, p.peer == v.peer)
            )
        )
        .where(condition)
    ).first()
    if row is None:
        return None
    given = {
        detail.name: Given(detail.value, detail.chain)
        for detail in connection.execute(sa.select(t.details).where(t.details.c.conversation_id == row.id))
    }
    outcomes = connection.execute(
        sa.select(e.at, e.kind, e.outcome).where(e.conversation_id == row.id, e.outcome.is_not(None)).order_by(e.id)
    )
    lines = _lines(connection, t.messages.c.conversation_id == row.id, limit=None)
    memory: dict[str, Any] = row.memory or {}
    return Dossier(
        summary=_summary(row),
        details=given,
        lines=tuple(lines),
        outcomes=tuple((outcome.at, outcome.kind, outcome.outcome) for outcome in outcomes),
        unreachable=row.unreachable,
        asked_for=tuple(memory.get("asked_for", ())),
        related=tuple(_related(connection, row.id, row.channel, row.handle)),
    )


def _related(connection: sa.Connection, conversation: int, channel: str, handle: str | None) -> list[str]:
    """References of other conversations under the same handle of the channel, newest first."""
    if not handle:
        return []
    v, p = t.conversations.c, t.contact_channels.c
    theirs = sa.and_(p.channel == v.channel, p.account == v.account, p.peer == v.peer)
    rows = connection.execute(
        sa.select(v.reference)
        .join_from(t.contact_channels, t.conversations, theirs)
        .where(p.channel == channel, p.handle == handle, v.id != conversation)
        .order_by(v.id.desc())
        .limit(MOST_RELATED)
    )
    return list(rows.scalars())


def transcript(connection: sa.Connection, address: Address, after: int, limit: int) -> list[Line]:
    """What the customer at *address* may see: no notes, and nothing that was taken back."""
    v = t.conversations.c
    mine = sa.select(v.id).where(v.channel == address.channel, v.account == address.account, v.peer == address.peer)
    condition = sa.and_(
        t.messages.c.conversation_id.in_(mine),
        t.messages.c.id > after,
        t.messages.c.speaker.in_(TO_CUSTOMERS),
        sa.or_(t.outbox.c.state.is_(None), t.outbox.c.state != SendState.WITHDRAWN.value),
    )
    # What a message quotes and what is remarked on it is for agents.
    return [replace(line, earlier=(), quoted="", remarks=()) for line in _lines(connection, condition, limit)]


def _lines(connection: sa.Connection, condition: sa.ColumnElement[bool], limit: int | None) -> list[Line]:
    m, o = t.messages.c, t.outbox.c
    rows = connection.execute(
        sa.select(t.messages, o.state, o.reason, o.choices, o.purpose)
        .select_from(t.messages.outerjoin(t.outbox, o.id == m.id))
        .where(condition)
        .order_by(m.id)
        .limit(limit)
    ).all()
    files = files_of(connection, [row.id for row in rows])
    earlier = _earlier(connection, [row.id for row in rows if row.revision and not row.secret])
    return [_line(row, files.get(row.id, ()), earlier.get(row.id, ())) for row in rows]


def _earlier(connection: sa.Connection, edited: list[int]) -> dict[int, tuple[str, ...]]:
    """What *edited* messages said before, oldest first."""
    if not edited:
        return {}
    r = t.message_revisions.c
    statement = sa.select(r.message_id, r.text).where(among(connection, r.message_id, edited))
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(statement.order_by(r.message_id, r.revision)):
        found[row.message_id] = (*found.get(row.message_id, ()), row.text)
    return found


def _line(row: Any, files: tuple[FileOfMessage, ...], earlier: tuple[str, ...]) -> Line:
    return Line(
        id=row.id,
        speaker=Speaker(row.speaker),
        author=row.author,
        text=row.text,
        at=row.sent_at,
        secret=SecretKind(row.secret) if row.secret else None,
        revision=row.revision,
        earlier=earlier,
        files=files,
        quoted=row.quoted or "",
        remarks=tuple(Remark(remark) for remark in row.remarks or ()),
        choices=tuple(Choice(key, label) for key, label in row.choices or ()),
        delivery=SendState(row.state) if row.state else None,
        delivery_reason=row.reason or "",
        purpose=Purpose(row.purpose) if row.purpose else None,
    )


# ------------------------------------------------------------------------------------------------------- what is kept


def keep(connection: sa.Connection, name: str, value: str) -> str:
    connection.execute(insert(connection, t.kept).on_conflict_do_nothing(), {"name": name, "value": value})
    return str(connection.execute(sa.select(t.kept.c.value).where(t.kept.c.name == name)).scalar_one())


# ----------------------------------------------------------------------------------------------------------- backlog


def backlog(connection: sa.Connection, now: datetime) -> Backlog:
    pending = sa.literal_column("events.pending", sa.Boolean)
    open_sends = sa.literal_column("outbox.unsettled", sa.Boolean)
    events = connection.execute(
        sa.select(sa.func.count(), sa.func.min(t.events.c.at)).select_from(t.events).where(pending)
    ).one()
    sends = connection.execute(
        sa.select(sa.func.count(), sa.func.min(t.outbox.c.created_at)).select_from(t.outbox).where(open_sends)
    ).one()
    since = now - timedelta(days=1)
    ended: Sequence[Any] = connection.execute(
        sa.select(t.outbox.c.state, sa.func.count())
        .where(t.outbox.c.state.in_(("unknown", "failed")), t.outbox.c.created_at > since)
        .group_by(t.outbox.c.state)
    ).all()
    by_state = {row[0]: row[1] for row in ended}
    errands = sa.literal_column("errands.unsettled", sa.Boolean)

    def count(table: sa.Table, *conditions: Any) -> int:
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*conditions)).scalar_one()

    return Backlog(
        events=events[0],
        oldest_event=_age(events[1], now),
        sends=sends[0],
        oldest_send=_age(sends[1], now),
        unknown_sends=by_state.get("unknown", 0),
        failed_sends=by_state.get("failed", 0),
        waiting=count(t.waiting_line),
        errands=count(t.errands, errands),
        quarantined=count(t.quarantine),
        rooms_failed=count(t.rooms, t.rooms.c.failed.is_not(None)),
    )


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment is not None else 0.0
