"""What goes out and what falls due: sends, errands, timers and the watch over the line."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from imconnect.domain.events import (
    DeliveryEnded,
    ErrandDone,
    ErrandKind,
    PlaceDue,
    PlaceReason,
    TimerFell,
    TimerKind,
)
from imconnect.domain.messages import Address, Choice, Language, Outgoing, Purpose
from imconnect.domain.playbook import Pace
from imconnect.domain.waiting import notice_due
from imconnect.ports import Bounced, Doubted, DueErrand, DueSend, ErrandResult, SendResult, SendState
from imconnect.storage import files
from imconnect.storage import tables as t
from imconnect.storage.codec import doubt_of
from imconnect.storage.dialect import Many, among, insert, insert_new, is_listed, listed
from imconnect.storage.recording import event_row

ERRAND_LEASE = timedelta(minutes=1)
"""How long an errand is left to who claimed it."""

SETTLED = (SendState.SENT, SendState.UNKNOWN, SendState.FAILED, SendState.WITHDRAWN)


# ------------------------------------------------------------------------------------------------------------- sends


def claim_sends(connection: sa.Connection, channel: str, account: str, limit: int, now: datetime) -> list[DueSend]:
    """The oldest unsettled send of each address, if it is due; marked as being sent."""
    due = _found(connection, _due(locking=True), channel, account, limit, now)
    if due:
        connection.execute(
            sa.update(t.outbox)
            .where(among(connection, t.outbox.c.id, [send.id for send in due]))
            .values(state=SendState.SENDING.value, attempts=t.outbox.c.attempts + 1)
        )
    return due


def due_sends(connection: sa.Connection, channel: str, account: str, limit: int, now: datetime) -> list[DueSend]:
    """The oldest unsettled send of each address, if it is due."""
    return _found(connection, _due(locking=False), channel, account, limit, now)


def _found(
    connection: sa.Connection, statement: Any, channel: str, account: str, limit: int, now: datetime
) -> list[DueSend]:
    wanted = {"channel": channel, "account": account, "most": limit, "now": now}
    return [
        DueSend(row.id, row.conversation_id, _outgoing(row, channel, account), row.attempts)
        for row in connection.execute(statement, wanted)
    ]


@cache
def _due(*, locking: bool) -> Any:
    o, b, v = t.outbox, t.outbox.alias("b"), t.conversations.c
    # One look into an index for each address. As an anti-join, PostgreSQL without statistics reads them all for each.
    first = (
        sa.select(b.c.id)
        .where(
            b.c.channel == o.c.channel,
            b.c.account == o.c.account,
            b.c.peer == o.c.peer,
            sa.literal_column("b.unsettled"),
        )
        .order_by(b.c.id)
        .limit(1)
        .scalar_subquery()
    )
    said = tuple(
        o.c[name]
        for name in ("id", "conversation_id", "key", "peer", "purpose", "choices", "reply_to", "slot", "attempts")
    )
    statement = (
        sa.select(*said, t.messages.c.text, v.language, v.reference, _stands_in_slot(o).label("replaces"))
        .select_from(o.join(t.messages, t.messages.c.id == o.c.id).join(t.conversations, v.id == o.c.conversation_id))
        .where(
            o.c.channel == sa.bindparam("channel"),
            o.c.account == sa.bindparam("account"),
            sa.literal_column("outbox.unsettled"),
            o.c.state == SendState.READY.value,
            sa.or_(o.c.not_before.is_(None), o.c.not_before <= sa.bindparam("now", type_=t.UtcTime())),
            o.c.id == first,
        )
        .order_by(o.c.id)
        .limit(sa.bindparam("most", type_=sa.Integer()))
    )
    return statement.with_for_update(of=o, skip_locked=True) if locking else statement


def _stands_in_slot(send: sa.Table) -> sa.ColumnElement[str | None]:
    """What the channel calls the newest thing said in the slot of *send*; without a slot nothing is looked up."""
    s = t.outbox.alias("s")
    newest = (
        sa.select(s.c.external_id)
        .where(
            s.c.conversation_id == send.c.conversation_id, s.c.slot == send.c.slot, s.c.state == SendState.SENT.value
        )
        .order_by(s.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.case((send.c.slot.is_not(None), newest))


def _outgoing(row: Any, channel: str, account: str) -> Outgoing:
    return Outgoing(
        key=row.key,
        address=Address(channel, account, row.peer),
        text=row.text,
        purpose=Purpose(row.purpose),
        choices=tuple(Choice(key, label) for key, label in row.choices or ()),
        reply_to=row.reply_to,
        slot=row.slot,
        replaces=row.replaces,
        language=Language(row.language),
        reference=row.reference,
    )


_SETTLE = Many(
    sa.update(t.outbox)
    .where(
        t.outbox.c.id == sa.bindparam("send"),
        # What was taken back while it was tried is not tried again.
        sa.or_(t.outbox.c.state != SendState.WITHDRAWN.value, sa.bindparam("ended", type_=sa.Boolean())),
    )
    .values(
        state=sa.bindparam("new_state"),
        unsettled=sa.bindparam("open"),
        # A send that was not marked before (see `due_sends`) is counted now.
        attempts=t.outbox.c.attempts + sa.case((t.outbox.c.state == SendState.READY.value, 1), else_=0),
        not_before=sa.bindparam("retry_at"),
        external_id=sa.bindparam("channel_id"),
        reason=sa.bindparam("because"),
    )
)


def settle_sends(connection: sa.Connection, results: Sequence[SendResult], now: datetime) -> set[int]:
    """Record what came of sends. Returns the conversations they belong to."""
    _SETTLE.run(
        connection,
        [
            {
                "send": result.id,
                "new_state": result.state.value,
                "open": result.state not in SETTLED,
                "ended": result.state in SETTLED,
                "retry_at": result.retry_at,
                "channel_id": result.external_id,
                "because": result.reason or None,
            }
            for result in results
        ],
    )
    dialect = connection.dialect.name
    ids = listed(dialect, (result.id for result in results))
    rows = connection.execute(_sends_of(dialect), {"listed": ids}).all()
    row_of = {row.id: row for row in rows}
    ended = [result for result in results if result.state in (SendState.UNKNOWN, SendState.FAILED)]
    _tell_of_deliveries(connection, [(row_of[result.id], result) for result in ended], now)
    for result in results:
        if result.blocked:
            _mark_blocked(connection, row_of[result.id], result.reason, now)
    return {row.conversation_id for row in rows}


@cache
def _sends_of(dialect: str) -> Any:
    o = t.outbox.c
    return sa.select(o.id, o.conversation_id, o.key, o.channel, o.account, o.peer).where(is_listed(dialect, o.id))


def _tell_of_deliveries(connection: sa.Connection, ended: Sequence[tuple[Any, SendResult]], now: datetime) -> None:
    if not ended:
        return
    rows = [
        event_row(
            row.conversation_id,
            ("desk", "delivery", f"{row.key}:{result.state.value}"),
            DeliveryEnded(row.key, result.state is SendState.UNKNOWN, result.reason),
            now,
        )
        for row, result in ended
    ]
    connection.execute(insert(connection, t.events).on_conflict_do_nothing(), rows)


def _mark_blocked(connection: sa.Connection, row: Any, reason: str, now: datetime) -> None:
    """The customer shut the door: what else waits for them cannot be delivered either."""
    c = t.contact_channels.c
    connection.execute(
        sa.update(t.contact_channels)
        .where(c.channel == row.channel, c.account == row.account, c.peer == row.peer)
        .values(unreachable=reason)
    )
    waiting = connection.execute(
        sa.update(t.outbox)
        .where(
            t.outbox.c.channel == row.channel,
            t.outbox.c.account == row.account,
            t.outbox.c.peer == row.peer,
            t.outbox.c.state == SendState.READY.value,
        )
        .values(state=SendState.FAILED.value, unsettled=False, reason=reason)
        .returning(t.outbox.c.id, t.outbox.c.conversation_id, t.outbox.c.key)
    ).all()
    failed = sorted(waiting, key=lambda one: one.id)
    _tell_of_deliveries(connection, [(one, SendResult(one.id, SendState.FAILED, reason=reason)) for one in failed], now)


def recover_sends(
    connection: sa.Connection, channel: str, account: str, keyed: bool, now: datetime
) -> tuple[int, set[int]]:
    """Sends begun by a process that is no more: due again where keyed, else unknown."""
    o = t.outbox.c
    rows = connection.execute(
        sa.select(o.id).where(
            o.channel == channel,
            o.account == account,
            sa.literal_column("outbox.unsettled"),
            o.state == SendState.SENDING.value,
        )
    ).all()
    if not rows:
        return 0, set()
    state = SendState.READY if keyed else SendState.UNKNOWN
    reason = "" if keyed else "the desk stopped while this was being sent"
    changed = settle_sends(connection, [SendResult(row.id, state, reason=reason) for row in rows], now)
    return len(rows), changed


def bounce(connection: sa.Connection, bounced: Bounced, now: datetime) -> tuple[bool, int | None]:
    """A send that came back: whether that is news, and its conversation; None where nothing of the kind was sent."""
    o, c = t.outbox.c, t.contact_channels.c
    row = connection.execute(
        sa.select(o.id, o.conversation_id, o.key, o.channel, o.account, o.peer, o.state)
        .where(o.channel == bounced.channel, o.account == bounced.account, o.external_id == bounced.send)
        .order_by(o.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    if row is None:
        return False, None
    if row.state == SendState.FAILED.value:
        return False, row.conversation_id  # heard before; who wrote again since can be reached
    send = sa.update(t.outbox).where(o.id == row.id)
    if not bounced.final:
        connection.execute(send.values(reason=bounced.reason))
        return False, row.conversation_id
    connection.execute(send.values(state=SendState.FAILED.value, unsettled=False, reason=bounced.reason))
    connection.execute(
        sa.update(t.contact_channels)
        .where(c.channel == row.channel, c.account == row.account, c.peer == row.peer)
        .values(unreachable=bounced.reason)
    )
    _tell_of_deliveries(connection, [(row, SendResult(row.id, SendState.FAILED, reason=bounced.reason))], now)
    return True, row.conversation_id


# ----------------------------------------------------------------------------------------------------------- errands


def claim_errands(connection: sa.Connection, channel: str, account: str, limit: int, now: datetime) -> list[DueErrand]:
    """Errands due at this inbox. One that is claimed and never settled is due again a minute later."""
    e = t.errands.c
    rows = connection.execute(
        sa.select(t.errands)
        .where(
            e.channel == channel,
            e.account == account,
            sa.literal_column("errands.unsettled"),
            sa.or_(e.not_before.is_(None), e.not_before <= now),
        )
        .order_by(e.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        mine = among(connection, e.id, [row.id for row in rows])
        connection.execute(sa.update(t.errands).where(mine).values(not_before=now + ERRAND_LEASE))
    to_fetch = [row.subject for row in rows if row.kind == ErrandKind.FETCH_FILES.value]
    files_of = files.named_by(connection, channel, account, to_fetch)
    in_doubt = _in_doubt(connection, [row.id for row in rows if row.kind == ErrandKind.SECOND_OPINION.value])
    return [
        DueErrand(
            row.id,
            row.conversation_id,
            ErrandKind(row.kind),
            Address(row.channel, row.account, row.peer),
            row.subject,
            row.attempts,
            files_of.get(row.subject, ()) if row.kind == ErrandKind.FETCH_FILES.value else (),
            in_doubt.get(row.id),
        )
        for row in rows
    ]


def _in_doubt(connection: sa.Connection, errands: Sequence[int]) -> dict[int, Doubted]:
    """What an opinion is still wanted on, by errand. Nothing that was withheld or changed since is shown to anybody."""
    if not errands:
        return {}
    e, m, v = t.errands.c, t.messages.c, t.conversations.c
    rows = connection.execute(
        sa.select(e.id, e.subject, m.text, v.memory, v.language)
        .join_from(t.errands, t.conversations, v.id == e.conversation_id)
        .join(t.messages, sa.and_(m.channel == e.channel, m.account == e.account, m.external_id == e.subject))
        .where(m.conversation_id == e.conversation_id)
        .where(among(connection, e.id, errands), m.secret.is_(None), m.revision == 0)
    ).all()
    wanted = [(row, doubt_of(row.memory)) for row in rows]
    return {
        row.id: Doubted(row.text, doubt.topics, Language(row.language))
        for row, doubt in wanted
        if doubt is not None and doubt.message_id == row.subject
    }


def settle_errands(connection: sa.Connection, results: Sequence[ErrandResult], now: datetime) -> None:
    """Record what came of errands; each that ended becomes an event."""
    for result in results:
        ended = result.retry_at is None
        connection.execute(
            sa.update(t.errands)
            .where(t.errands.c.id == result.id)
            .values(
                unsettled=not ended,
                attempts=t.errands.c.attempts + 1,
                not_before=result.retry_at,
                reason=result.reason or None,
            )
        )
        if ended:
            row = connection.execute(
                sa.select(t.errands.c.conversation_id, t.errands.c.key, t.errands.c.kind, t.errands.c.subject).where(
                    t.errands.c.id == result.id
                )
            ).one()
            kind = ErrandKind(row.kind)
            event = ErrandDone(kind, result.done, result.reason, row.subject, result.secret, result.topic)
            source = ("desk", "errand", row.key)
            connection.execute(
                insert(connection, t.events).on_conflict_do_nothing(),
                event_row(row.conversation_id, source, event, now),
            )


# ------------------------------------------------------------------------------------------------- timers, the line


def fire_timers(connection: sa.Connection, limit: int, now: datetime) -> int:
    """Turn timers that fell due into events, and be rid of them, in one transaction."""
    c = t.timers.c
    rows = connection.execute(
        sa.select(t.timers).where(c.due_at <= now).order_by(c.due_at).limit(limit).with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    connection.execute(
        insert(connection, t.events).on_conflict_do_nothing(),
        [
            event_row(
                row.conversation_id,
                ("desk", "timer", f"{row.conversation_id}:{row.kind}:{row.due_at.isoformat()}"),
                TimerFell(TimerKind(row.kind)),
                now,
            )
            for row in rows
        ],
    )
    mine = sa.and_(c.conversation_id == sa.bindparam("conversation"), c.kind == sa.bindparam("timer"))
    connection.execute(
        sa.delete(t.timers).where(mine), [{"conversation": row.conversation_id, "timer": row.kind} for row in rows]
    )
    return len(rows)


def watch_line(connection: sa.Connection, pace: Pace, now: datetime, paces: Mapping[str, Pace]) -> int:
    """Have those told of changes of place to whom they matter. One query over the whole line, however long."""
    c, v = t.waiting_line.c, t.conversations.c
    ranked = sa.select(
        c.conversation_id,
        c.told_place,
        c.told_at,
        sa.func.row_number().over(order_by=(c.priority, c.since, c.conversation_id)).label("place"),
    ).subquery()
    moved = connection.execute(
        sa.select(ranked, v.channel)
        .join_from(ranked, t.conversations, v.id == ranked.c.conversation_id)
        .where(ranked.c.told_place.is_not(None), ranked.c.place < ranked.c.told_place)
    ).all()
    due = [
        row
        for row in moved
        if notice_due(row.told_place, row.place, row.told_at, now, paces.get(row.channel, pace).notice_gap)
    ]
    if not due:
        return 0
    # The half minute keeps one change from being queued again while its event waits for its turn.
    half_minute = int(now.timestamp()) // 30
    rows = [
        event_row(
            row.conversation_id,
            ("desk", "line", f"{row.conversation_id}:{row.told_place}:{row.place}:{half_minute}"),
            PlaceDue(PlaceReason.MOVED_UP),
            now,
        )
        for row in due
    ]
    return insert_new(connection, t.events, rows)
