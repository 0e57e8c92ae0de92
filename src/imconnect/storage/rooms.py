"""Staff rooms: which conversations stand there, how far their copies have come, and what was posted of each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from imconnect.domain.conversations import Stage
from imconnect.ports import Posted, RoomCopy, RoomResult
from imconnect.storage import tables as t
from imconnect.storage.dialect import insert, insert_for, is_listed, listed
from imconnect.storage.reading import dossier_of

FOR_PEOPLE = (Stage.WAITING.value, Stage.WITH_AGENT.value)
"""The stages at which a conversation comes to the rooms; once there, it stays."""

Room = tuple[str, str]


def welcome(connection: sa.Connection, rooms: Sequence[Room]) -> int:
    """Have every conversation that a person is to see now copied to *rooms*. Says how many were not yet."""
    v = t.conversations.c
    added = 0
    for channel, room in rooms:
        those = sa.select(sa.literal(channel), sa.literal(room), v.id).where(v.stage.in_(FOR_PEOPLE))
        statement = insert(connection, t.rooms).from_select(["channel", "room", "conversation_id"], those)
        added += len(connection.execute(statement.on_conflict_do_nothing().returning(t.rooms.c.room)).all())
    return added


def bump(connection: sa.Connection, rooms: Sequence[Room], conversations: Collection[int]) -> bool:
    """There is something to copy of those of *conversations* that a person is to see or that stand there already."""
    dialect = connection.dialect.name
    ids = listed(dialect, sorted(conversations))
    touched = False
    for channel, room in rooms:
        wanted = {"channel": channel, "room": room, "listed": ids}
        touched |= bool(connection.execute(_bump(dialect), wanted).all())
    return touched


@cache
def _bump(dialect: str) -> Any:
    v, r = t.conversations.c, t.rooms.c
    channel, room = sa.bindparam("channel", type_=sa.Text()), sa.bindparam("room", type_=sa.Text())
    there = sa.exists().where(r.channel == channel, r.room == room, r.conversation_id == v.id)
    those = (
        sa.select(channel, room, v.id)
        .where(is_listed(dialect, v.id), sa.or_(v.stage.in_(FOR_PEOPLE), there))
        .order_by(v.id)
    )
    return (
        insert_for(dialect, t.rooms)
        .from_select(["channel", "room", "conversation_id"], those)
        .on_conflict_do_update(
            index_elements=["channel", "room", "conversation_id"], set_={"version": t.rooms.c.version + 1}
        )
        .returning(r.conversation_id)
    )


def behind(connection: sa.Connection, channel: str, room: str, now: datetime) -> RoomCopy | None:
    """The most urgent conversation whose copy in the room is behind and due."""
    r, v, w = t.rooms.c, t.conversations.c, t.waiting_line.c
    urgency = sa.case((v.stage == Stage.WITH_AGENT.value, 0), (v.stage == Stage.WAITING.value, 1), else_=2)
    # The version is read before the lines: what is said in between is copied once more, never left out.
    row = connection.execute(
        sa.select(t.rooms)
        .select_from(
            t.rooms.join(t.conversations, v.id == r.conversation_id).outerjoin(
                t.waiting_line, w.conversation_id == r.conversation_id
            )
        )
        .where(
            r.channel == channel,
            r.room == room,
            r.version > r.copied_version,
            sa.or_(r.not_before.is_(None), r.not_before <= now),
        )
        .order_by(urgency, w.priority, w.since, r.conversation_id)
        .limit(1)
    ).first()
    if row is None:
        return None
    dossier = dossier_of(connection, t.conversations.c.id == row.conversation_id)
    if dossier is None:
        return None
    return RoomCopy(
        conversation=row.conversation_id,
        dossier=dossier,
        version=row.version,
        attempts=row.attempts,
        topic=row.topic,
        head=row.head,
        posts=_posts(connection, channel, room, row.conversation_id),
        shut=row.shut,
    )


def _posts(connection: sa.Connection, channel: str, room: str, conversation: int) -> tuple[Posted, ...]:
    p = t.room_posts.c
    rows = connection.execute(
        sa.select(p.ids, p.first, p.last, p.state)
        .where(p.channel == channel, p.room == room, p.conversation_id == conversation)
        .order_by(p.ordinal)
    )
    return tuple(Posted(tuple(row.ids or ()), row.first, row.last, row.state) for row in rows)


def settle(connection: sa.Connection, channel: str, room: str, result: RoomResult) -> None:
    """Write down what stands in the room now, and whether the copy is to be tried again."""
    r, p = t.rooms.c, t.room_posts.c
    ended = result.retry_at is None
    row = connection.execute(
        sa.update(t.rooms)
        .where(r.channel == channel, r.room == room, r.conversation_id == result.conversation)
        .values(
            copied_version=result.version if ended else r.copied_version,
            topic=result.topic,
            head=result.head,
            shut=result.shut,
            attempts=0 if ended else r.attempts + 1,
            not_before=result.retry_at,
            failed=result.failed or None,
        )
        .returning(r.conversation_id)
    ).first()
    if row is None:
        return
    connection.execute(
        sa.delete(t.room_posts).where(p.channel == channel, p.room == room, p.conversation_id == result.conversation)
    )
    if result.posts:
        connection.execute(
            sa.insert(t.room_posts),
            [
                {
                    "channel": channel,
                    "room": room,
                    "conversation_id": result.conversation,
                    "ordinal": ordinal,
                    "ids": list(post.ids),
                    "first": post.first,
                    "last": post.last,
                    "state": post.state,
                }
                for ordinal, post in enumerate(result.posts)
            ],
        )


def conversation_in(connection: sa.Connection, channel: str, room: str, topic: str) -> str | None:
    """The reference of the conversation that has that topic."""
    r, v = t.rooms.c, t.conversations.c
    return connection.execute(
        sa.select(v.reference)
        .join_from(t.rooms, t.conversations, v.id == r.conversation_id)
        .where(r.channel == channel, r.room == room, r.topic == topic)
    ).scalar_one_or_none()
