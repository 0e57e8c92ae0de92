"""Marks: how far each channel has come, by its own account."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from imconnect.ports import Kept, Mark
from imconnect.storage import tables as t
from imconnect.storage.dialect import insert

_KEY = ("channel", "account", "name")


def put(connection: sa.Connection, marks: Sequence[Mark], now: datetime) -> None:
    """The newest of each name stands. Rows are locked in order, so that two processes do not wait for each other."""
    if not marks:
        return
    newest = {(mark.channel, mark.account, mark.name): mark.value for mark in marks}
    rows = [
        {"channel": channel, "account": account, "name": name, "value": value, "at": now}
        for (channel, account, name), value in sorted(newest.items())
    ]
    statement = insert(connection, t.marks)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=_KEY, set_={"value": statement.excluded.value, "at": statement.excluded.at}
        ),
        rows,
    )


def under(connection: sa.Connection, channel: str, account: str, prefix: str) -> dict[str, Kept]:
    """Those of the inbox whose names begin with *prefix*."""
    c = t.marks.c
    rows = connection.execute(
        sa.select(c.name, c.value, c.at)
        .where(c.channel == channel, c.account == account, sa.func.substr(c.name, 1, len(prefix)) == prefix)
        .order_by(c.name)
    )
    return {row.name: Kept(row.value, row.at) for row in rows}


def remove(connection: sa.Connection, channel: str, account: str, name: str) -> None:
    c = t.marks.c
    connection.execute(sa.delete(t.marks).where(c.channel == channel, c.account == account, c.name == name))
