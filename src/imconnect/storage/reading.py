"""What is shown of what is stored: lists, dossiers, transcripts, backlogs; and who may sign in."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from imconnect.domain.conversations import Conversation, Given, Stage
from imconnect.domain.messages import Address, Attachment, Choice, Language, Purpose
from imconnect.domain.playbook import Priority
from imconnect.domain.readings import SecretKind
from imconnect.ports import Agent, Backlog, Dossier, Line, SendState, Speaker, Summary
from imconnect.storage import tables as t
from imconnect.storage.dialect import among, insert
from imconnect.storage.turning import load

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
    v, w, p, e = t.conversations.c, t.waiting_line.c, t.contact_channels.c, t.events.c
    ranked = sa.select(
        w.conversation_id, sa.func.row_number().over(order_by=(w.priority, w.since, w.conversation_id)).label("place")
    ).subquery()
    row = connection.execute(
        sa.select(t.conversations, p.name, p.unreachable, ranked.c.place)
        .select_from(
            t.conversations.outerjoin(ranked, ranked.c.conversation_id == v.id).outerjoin(
                t.contact_channels, sa.and_(p.channel == v.channel, p.account == v.account, p.peer == v.peer)
            )
        )
        .where(v.reference == reference)
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
    )


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
    return _lines(connection, condition, limit)


def _lines(connection: sa.Connection, condition: sa.ColumnElement[bool], limit: int | None) -> list[Line]:
    m, o = t.messages.c, t.outbox.c
    rows = connection.execute(
        sa.select(t.messages, o.state, o.reason, o.choices, o.purpose)
        .select_from(t.messages.outerjoin(t.outbox, o.id == m.id))
        .where(condition)
        .order_by(m.id)
        .limit(limit)
    ).all()
    files: dict[int, tuple[Attachment, ...]] = {}
    wanted = [row.id for row in rows]
    if wanted:
        statement = sa.select(t.attachments).where(among(connection, t.attachments.c.message_id, wanted))
        for file in connection.execute(statement.order_by(t.attachments.c.id)):
            attached = Attachment(file.external_id, file.name, file.media_type, file.size)
            files[file.message_id] = (*files.get(file.message_id, ()), attached)
    return [_line(row, files.get(row.id, ())) for row in rows]


def _line(row: Any, files: tuple[Attachment, ...]) -> Line:
    return Line(
        id=row.id,
        speaker=Speaker(row.speaker),
        author=row.author,
        text=row.text,
        at=row.sent_at,
        secret=SecretKind(row.secret) if row.secret else None,
        edited=row.revision > 0,
        attachments=files,
        choices=tuple(Choice(key, label) for key, label in row.choices or ()),
        delivery=SendState(row.state) if row.state else None,
        delivery_reason=row.reason or "",
        purpose=Purpose(row.purpose) if row.purpose else None,
    )


# ------------------------------------------------------------------------------------------------------------ agents


def add_agent(connection: sa.Connection, name: str, token_hash: str, expires: datetime, now: datetime) -> Agent:
    statement = insert(connection, t.agents)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "token_hash": statement.excluded.token_hash,
            "token_expires_at": statement.excluded.token_expires_at,
        },
    ).returning(t.agents.c.id)
    row = {"name": name, "token_hash": token_hash, "token_expires_at": expires, "created_at": now}
    return Agent(connection.execute(statement, row).scalar_one(), name)


def redeem(connection: sa.Connection, token_hash: str, now: datetime) -> Agent | None:
    c = t.agents.c
    row = connection.execute(
        sa.update(t.agents)
        .where(c.token_hash == token_hash, c.token_expires_at > now)
        .values(token_hash=None, token_expires_at=None)
        .returning(c.id, c.name)
    ).first()
    return Agent(row.id, row.name) if row is not None else None


def agent(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Agent | None:
    row = connection.execute(sa.select(t.agents.c.id, t.agents.c.name).where(condition)).first()
    return Agent(row.id, row.name) if row is not None else None


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
    )


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment is not None else 0.0
