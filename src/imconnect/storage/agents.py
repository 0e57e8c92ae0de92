"""Agents: who may sign in, under which handles they work, and whose name is vouched for."""

from datetime import datetime

import sqlalchemy as sa

from imconnect.ports import Agent, AgentHandle
from imconnect.storage import tables as t
from imconnect.storage.dialect import insert


def add(connection: sa.Connection, name: str, token_hash: str, expires: datetime, now: datetime) -> Agent:
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


def one(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Agent | None:
    row = connection.execute(sa.select(t.agents.c.id, t.agents.c.name).where(condition)).first()
    return Agent(row.id, row.name) if row is not None else None


def everyone(connection: sa.Connection) -> list[Agent]:
    """In the order they came."""
    rows = connection.execute(sa.select(t.agents.c.id, t.agents.c.name).order_by(t.agents.c.id))
    return [Agent(row.id, row.name) for row in rows]


def link(connection: sa.Connection, agent: int, channel: str, handle: str, now: datetime) -> None:
    statement = insert(connection, t.agent_handles)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "handle"],
            set_={"agent_id": statement.excluded.agent_id, "at": statement.excluded.at},
        ),
        {"channel": channel, "handle": handle, "agent_id": agent, "at": now},
    )


def unlink(connection: sa.Connection, channel: str, handle: str) -> bool:
    c = t.agent_handles.c
    gone = sa.delete(t.agent_handles).where(c.channel == channel, c.handle == handle).returning(c.agent_id)
    return connection.execute(gone).first() is not None


def behind(connection: sa.Connection, channel: str, handle: str) -> Agent | None:
    h = t.agent_handles.c
    mine = sa.select(h.agent_id).where(h.channel == channel, h.handle == handle).scalar_subquery()
    return one(connection, t.agents.c.id == mine)


def handles(connection: sa.Connection) -> list[AgentHandle]:
    h, a = t.agent_handles.c, t.agents.c
    rows = connection.execute(
        sa.select(a.id, a.name, h.channel, h.handle)
        .join_from(t.agent_handles, t.agents, a.id == h.agent_id)
        .order_by(a.id, h.channel, h.handle)
    )
    return [AgentHandle(Agent(row.id, row.name), row.channel, row.handle) for row in rows]


def vouched(connection: sa.Connection, channel: str, name: str) -> bool:
    """Whether *name* is an agent's, or their handle on *channel*, however it is written."""
    # There are few agents, and SQLite knows capital letters of ASCII only.
    names = connection.execute(sa.select(t.agents.c.name)).scalars()
    mine = sa.select(t.agent_handles.c.handle).where(t.agent_handles.c.channel == channel)
    known = {_plain(one) for one in (*names, *connection.execute(mine).scalars())}
    return bool(_plain(name)) and _plain(name) in known


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
