"""A turn's two halves: claim conversations with what happened to them; write down what was decided."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

from imconnect.domain.actions import (
    Action,
    Admit,
    ClearTimer,
    FollowUp,
    MarkUnreachable,
    Note,
    RunErrand,
    Say,
    SetTimer,
    WithdrawNotices,
)
from imconnect.domain.conversations import Conversation, Given, PlaceInLine, Stage
from imconnect.domain.events import MessageReceived
from imconnect.domain.messages import Purpose
from imconnect.domain.waiting import expected_wait, pace
from imconnect.ports import Case, Pending, SendState, Settled, Speaker
from imconnect.storage import tables as t
from imconnect.storage.codec import About, from_payload, to_conversation, to_memory
from imconnect.storage.dialect import Many, among, insert, is_listed, listed, next_ids
from imconnect.storage.files import files_of
from imconnect.storage.recording import ADD_EVENTS, ADD_MESSAGES, event_row

T = TypeVar("T")

LOOK_AHEAD = 1_000
"""Pending events looked at to find conversations to claim."""

EVENTS_A_TURN = 400
DEPARTURES = 20
"""How many of the last customers served the expected wait is worked out from."""

FOLLOW_UPS = ("desk", "follow-up")

STATE = tuple(column for column in t.conversations.c if column.name not in ("created_at", "updated_at"))
"""What a state is loaded from."""


# ------------------------------------------------------------------------------------------------------------- claim


def claim(connection: sa.Connection, limit: int) -> list[Case]:
    """Up to *limit* conversations with events pending, locked where the database can, and those events in order."""
    rows = connection.execute(_claimed(), {"most": limit}).all()
    if not rows:
        return []
    pending = _pending(connection, [row.id for row in rows])
    states = load(connection, [row for row in rows if row.id in pending])
    return [Case(state, tuple(pending[state.id])) for state in states]


@cache
def _claimed() -> Any:
    heads = (
        sa.select(t.events.c.id, t.events.c.conversation_id)
        .where(sa.literal_column("pending"))
        .order_by(t.events.c.id)
        .limit(LOOK_AHEAD)
        .subquery()
    )
    since = (
        sa.select(heads.c.conversation_id, sa.func.min(heads.c.id).label("first"))
        .group_by(heads.c.conversation_id)
        .subquery()
    )
    return (
        sa.select(*STATE)
        .join(since, since.c.conversation_id == t.conversations.c.id)
        .order_by(since.c.first)
        .limit(sa.bindparam("most", type_=sa.Integer()))
        # KEY SHARE of an intake that adds events to the conversation does not wait for this lock, nor this for it.
        .with_for_update(of=t.conversations, key_share=True, skip_locked=True)
    )


def _pending(connection: sa.Connection, conversations: list[int]) -> dict[int, list[Pending]]:
    dialect = connection.dialect.name
    rows = connection.execute(_pending_of(dialect), {"listed": listed(dialect, conversations)}).all()
    files = files_of(connection, [row.message_id for row in rows if row.kind == "message"])
    pending: dict[int, list[Pending]] = {}
    for row in rows:
        attached = tuple(one.file for one in files.get(row.message_id, ()))
        about = About(row.external_id, row.text or "", attached)
        event = from_payload(row.kind, row.payload, about)
        pending.setdefault(row.conversation_id, []).append(Pending(row.id, event, row.at))
    return pending


@cache
def _pending_of(dialect: str) -> Any:
    e, m = t.events.c, t.messages.c
    return (
        sa.select(e.id, e.conversation_id, e.kind, e.payload, e.at, e.external_id, e.message_id, m.text)
        .select_from(t.events.outerjoin(t.messages, m.id == e.message_id))
        .where(is_listed(dialect, e.conversation_id), sa.literal_column("events.pending"))
        .order_by(e.id)
        .limit(EVENTS_A_TURN)
    )


def load(connection: sa.Connection, rows: Sequence[Any]) -> list[Conversation]:
    """The states of which *rows* of `conversations` are part."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    given: dict[int, dict[str, Given]] = {}
    dialect = connection.dialect.name
    for detail in connection.execute(_details_of(dialect), {"listed": listed(dialect, ids)}):
        given.setdefault(detail.conversation_id, {})[detail.name] = Given(detail.value, detail.chain)
    waiting = [row.id for row in rows if row.stage == Stage.WAITING.value]
    lines = places_in_line(connection, waiting)
    return [to_conversation(row, given.get(row.id, {}), lines.get(row.id)) for row in rows]


@cache
def _details_of(dialect: str) -> Any:
    d = t.details.c
    return sa.select(d.conversation_id, d.name, d.value, d.chain).where(is_listed(dialect, d.conversation_id))


def places_in_line(connection: sa.Connection, conversations: Iterable[int]) -> dict[int, PlaceInLine]:
    """Where each of *conversations* stands, counted from 1, and the wait in seconds."""
    ids = list(conversations)
    if not ids:
        return {}
    mine, others = t.waiting_line.alias("mine"), t.waiting_line.alias("others")
    before = (
        sa.select(sa.func.count())
        .select_from(others)
        .where(
            sa.tuple_(others.c.priority, others.c.since, others.c.conversation_id)
            < sa.tuple_(mine.c.priority, mine.c.since, mine.c.conversation_id)
        )
        .scalar_subquery()
    )
    rows = connection.execute(
        sa.select(mine.c.conversation_id, before.label("before")).where(among(connection, mine.c.conversation_id, ids))
    ).all()
    length = connection.execute(sa.select(sa.func.count()).select_from(t.waiting_line)).scalar_one()
    latest = sa.select(t.departures.c.at).order_by(t.departures.c.at.desc()).limit(DEPARTURES)
    seconds = pace(list(connection.execute(latest).scalars()))
    return {
        row.conversation_id: PlaceInLine(row.before + 1, length, expected_wait(row.before + 1, seconds)) for row in rows
    }


# ------------------------------------------------------------------------------------------------------------- apply


@dataclass(slots=True)
class _Writes:
    """Rows to write, gathered so that each table is one statement."""

    said: list[tuple[dict[str, Any], dict[str, Any]]] = field(
        default_factory=list[tuple[dict[str, Any], dict[str, Any]]]
    )
    notes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    follow_ups: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    timers: dict[tuple[int, str], datetime | None] = field(default_factory=dict[tuple[int, str], datetime | None])
    errands: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    withdrawn: set[int] = field(default_factory=set[int])
    unreachable: dict[int, str] = field(default_factory=dict[int, str])
    admitted: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    done: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    inboxes: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


@dataclass(frozen=True, slots=True)
class Applied:
    """What a turn changed, for the bells."""

    conversations: tuple[int, ...]
    sends: bool
    errands: bool
    follow_ups: bool
    line: bool
    rooms: bool


def apply(
    connection: sa.Connection,
    cases: Sequence[Case],
    settled: Sequence[Settled],
    now: datetime,
    copy: Callable[[sa.Connection, Collection[int]], bool],
) -> Applied:
    """Write down what was decided of *cases*. One transaction: the caller's.

    *copy* has the conversations copied to the staff rooms, and says whether any is.
    """
    before = {case.conversation.id: case.conversation for case in cases}
    writes = _Writes()
    for one in settled:
        for event, outcome, actions in one.outcomes:
            writes.done.append({"event": event, "outcome": outcome})
            for ordinal, action in enumerate(actions):
                _gather(writes, one.conversation, event, ordinal, action, now)
    _update_states(connection, [one.conversation for one in settled], now)
    _update_details(connection, cases, settled)
    line = _update_line(connection, before, settled, now)
    _withdraw_notices(connection, writes.withdrawn)
    _speak(connection, writes)
    ADD_MESSAGES.run(connection, [{**note, "id": number} for note, number in _numbered(connection, writes.notes)])
    ADD_EVENTS.run(connection, writes.follow_ups)
    if writes.errands:
        connection.execute(insert(connection, t.errands).on_conflict_do_nothing(), writes.errands)
    _set_timers(connection, writes.timers)
    _mark_unreachable(connection, before, writes.unreachable)
    _admit(connection, before, writes.admitted)
    _DONE.run(connection, writes.done)
    copied = copy(connection, [one.conversation.id for one in settled])
    return Applied(tuple(before), bool(writes.said), bool(writes.errands), bool(writes.follow_ups), line, copied)


_DONE = Many(
    sa.update(t.events)
    .where(t.events.c.id == sa.bindparam("event"))
    .values(pending=False, outcome=sa.bindparam("outcome"))
)


def _gather(
    writes: _Writes, conversation: Conversation, event: int, ordinal: int, action: Action, now: datetime
) -> None:
    match action:
        case Say():
            writes.said.append(_said(conversation, event, ordinal, action, now))
        case Note():
            writes.notes.append(_line(conversation, Speaker.NOTE, action.author, action.text, now))
        case SetTimer():
            writes.timers[conversation.id, action.timer.value] = action.due
        case ClearTimer():
            writes.timers[conversation.id, action.timer.value] = None
        case FollowUp():
            source = (*FOLLOW_UPS, f"{event}.{ordinal}")
            writes.follow_ups.append(event_row(conversation.id, source, action.event, now))
        case RunErrand():
            address = conversation.address
            writes.errands.append(
                {
                    "conversation_id": conversation.id,
                    "key": f"{event}.{ordinal}",
                    "kind": action.errand.value,
                    "channel": address.channel,
                    "account": address.account,
                    "peer": address.peer,
                    "subject": action.subject,
                }
            )
        case WithdrawNotices():
            writes.withdrawn.add(conversation.id)
            writes.said = [pair for pair in writes.said if not _is_notice_of(pair[1], conversation.id)]
        case MarkUnreachable():
            writes.unreachable[conversation.id] = action.reason
        case Admit():
            writes.admitted.append((conversation.id, action.peer))


def _is_notice_of(row: dict[str, Any], conversation: int) -> bool:
    return bool(row["conversation_id"] == conversation and row["purpose"] == Purpose.NOTICE.value)


def _said(
    conversation: Conversation, event: int, ordinal: int, say: Say, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The message and its row in the outbox. The key follows from the event that caused it."""
    speaker = Speaker.AGENT if say.purpose is Purpose.REPLY else Speaker.BOT
    message = _line(conversation, speaker, say.source if speaker is Speaker.AGENT else "", say.text, now)
    address = conversation.address
    return message, {
        "conversation_id": conversation.id,
        "key": f"{event}.{ordinal}",
        "channel": address.channel,
        "account": address.account,
        "peer": address.peer,
        "purpose": say.purpose.value,
        "source": say.source,
        "choices": [[choice.key, choice.label] for choice in say.choices] or None,
        "reply_to": say.reply_to,
        "slot": say.slot,
        "state": SendState.READY.value,
        "created_at": now,
    }


def _line(conversation: Conversation, speaker: Speaker, author: str, text: str, now: datetime) -> dict[str, Any]:
    return {
        "conversation_id": conversation.id,
        "speaker": speaker.value,
        "author": author,
        "text": text,
        "revision": 0,
        "sent_at": now,
    }


def _speak(connection: sa.Connection, writes: _Writes) -> None:
    said = _numbered(connection, writes.said)
    ADD_MESSAGES.run(connection, [{**message, "id": number} for (message, _), number in said])
    _TO_SEND.run(connection, [{**row, "id": number, "unsettled": True, "attempts": 0} for (_, row), number in said])


def _numbered(connection: sa.Connection, lines: Sequence[T]) -> list[tuple[T, int]]:
    return list(zip(lines, next_ids(connection, t.messages, len(lines)), strict=True))


_TO_SEND = Many(
    sa.insert(t.outbox),
    (
        "id",
        "conversation_id",
        "key",
        "channel",
        "account",
        "peer",
        "purpose",
        "source",
        "choices",
        "reply_to",
        "slot",
        "state",
        "unsettled",
        "attempts",
        "created_at",
    ),
)


_STATE = Many(
    sa.update(t.conversations)
    .where(t.conversations.c.id == sa.bindparam("conversation"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("stage", "language", "topic", "priority", "agent", "waiting_since", "memory", "updated_at")
        }
    )
)


def _update_states(connection: sa.Connection, states: Sequence[Conversation], now: datetime) -> None:
    rows = [
        {
            "conversation": state.id,
            "new_stage": state.stage.value,
            "new_language": state.language.value,
            "new_topic": state.topic,
            "new_priority": state.priority.value,
            "new_agent": state.agent,
            "new_waiting_since": state.waiting_since,
            "new_memory": to_memory(state),
            "new_updated_at": now,
        }
        for state in states
    ]
    _STATE.run(connection, rows)


def _update_details(connection: sa.Connection, cases: Sequence[Case], settled: Sequence[Settled]) -> None:
    before = {case.conversation.id: case.conversation for case in cases}
    found = [
        (one.conversation.id, name, given)
        for one in settled
        for name, given in one.conversation.details.items()
        if before[one.conversation.id].details.get(name) != given
    ]
    withdrawn = _withdrawn_meanwhile(connection, cases) if found else []
    rows = [
        {"conversation_id": conversation, "name": name, "value": given.value, "chain": given.chain}
        for conversation, name, given in found
        if not any(given.value in words for words in withdrawn)
    ]
    if not rows:
        return
    statement = insert(connection, t.details)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["conversation_id", "name"],
            set_={"value": statement.excluded.value, "chain": statement.excluded.chain},
        ),
        rows,
    )


def _withdrawn_meanwhile(connection: sa.Connection, cases: Sequence[Case]) -> list[str]:
    """What messages of *cases* said when the turn began, and must not be kept any more."""
    said = {
        pending.id: pending.event.text
        for case in cases
        for pending in case.events
        if isinstance(pending.event, MessageReceived) and pending.event.secret is None
    }
    if not said:
        return []
    statement = (
        sa.select(t.events.c.id)
        .join(t.messages, t.messages.c.id == t.events.c.message_id)
        .where(among(connection, t.events.c.id, said), t.messages.c.secret.is_not(None))
    )
    return [said[event] for event in connection.execute(statement).scalars()]


def _update_line(
    connection: sa.Connection, before: dict[int, Conversation], settled: Sequence[Settled], now: datetime
) -> bool:
    """Bring the waiting line in step with the stages, and count those whose turn came."""
    joined: list[dict[str, Any]] = []
    left: list[int] = []
    served = 0
    for one in settled:
        state, was = one.conversation, before[one.conversation.id]
        if state.stage is Stage.WAITING:
            row = {
                "conversation_id": state.id,
                "priority": state.priority.value,
                "since": state.waiting_since or now,
                "told_place": state.told_place,
                "told_at": state.told_at,
            }
            joined.append(row)
        elif was.stage is Stage.WAITING:
            left.append(state.id)
            served += 1
    if joined:
        statement = insert(connection, t.waiting_line)
        names = ("priority", "since", "told_place", "told_at")
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["conversation_id"], set_={name: statement.excluded[name] for name in names}
            ),
            joined,
        )
    if left:
        mine = among(connection, t.waiting_line.c.conversation_id, left)
        connection.execute(sa.delete(t.waiting_line).where(mine))
        connection.execute(sa.insert(t.departures), [{"at": now} for _ in range(served)])
    return bool(joined or left)


def _withdraw_notices(connection: sa.Connection, conversations: set[int]) -> None:
    """Notices not sent yet say what is no longer so."""
    if not conversations:
        return
    connection.execute(
        sa.update(t.outbox)
        .where(
            among(connection, t.outbox.c.conversation_id, conversations),
            t.outbox.c.purpose == Purpose.NOTICE.value,
            t.outbox.c.state == SendState.READY.value,
        )
        .values(state=SendState.WITHDRAWN.value, unsettled=False)
    )


def _set_timers(connection: sa.Connection, wanted: dict[tuple[int, str], datetime | None]) -> None:
    cleared = [{"c": conversation, "k": kind} for (conversation, kind), due in wanted.items() if due is None]
    if cleared:
        mine = sa.and_(t.timers.c.conversation_id == sa.bindparam("c"), t.timers.c.kind == sa.bindparam("k"))
        connection.execute(sa.delete(t.timers).where(mine), cleared)
    due = [
        {"conversation_id": conversation, "kind": kind, "due_at": moment}
        for (conversation, kind), moment in wanted.items()
        if moment is not None
    ]
    if due:
        statement = insert(connection, t.timers)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["conversation_id", "kind"], set_={"due_at": statement.excluded.due_at}
            ),
            due,
        )


def _mark_unreachable(connection: sa.Connection, before: dict[int, Conversation], reasons: dict[int, str]) -> None:
    for conversation, reason in reasons.items():
        address = before[conversation].address
        connection.execute(
            sa.update(t.contact_channels)
            .where(
                t.contact_channels.c.channel == address.channel,
                t.contact_channels.c.account == address.account,
                t.contact_channels.c.peer == address.peer,
            )
            .values(unreachable=reason)
        )


def _admit(connection: sa.Connection, before: dict[int, Conversation], admitted: Sequence[tuple[int, str]]) -> None:
    """From now on what comes from each peer is said in its conversation. Who they are shows when they write."""
    if not admitted:
        return
    statement = insert(connection, t.contact_channels)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "account", "peer"],
            set_={"conversation_id": statement.excluded.conversation_id},
        ),
        [
            {
                "channel": before[conversation].address.channel,
                "account": before[conversation].address.account,
                "peer": peer,
                "handle": "",
                "name": "",
                "conversation_id": conversation,
            }
            for conversation, peer in admitted
        ],
    )
