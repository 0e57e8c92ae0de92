"""Marks: how far each channel has come, by its own account."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from imconnect.ports import Kept, Mark
from imconnect.storage import tables as t
from imconnect.storage.dialect import insert

_KEY = ("channel", "account", "name")

LAST_LETTER = "\U0010ffff"
FIRST_SURROGATE, AFTER_SURROGATES = 0xD800, "\ue000"
"""Halves of characters are no text: the letter after U+D7FF is U+E000."""


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
    """Those of the inbox whose names begin with *prefix*, in the order of their letters."""
    c = t.marks.c
    # Names in the order of their bytes, as SQLite has them: in others, what begins alike need not stand together.
    name = sa.collate(c.name, "C") if connection.dialect.name == "postgresql" else c.name
    end = after_all(prefix)
    rows = connection.execute(
        sa.select(c.name, c.value, c.at)
        .where(
            c.channel == channel,
            c.account == account,
            *((name >= prefix,) if prefix else ()),
            *((name < end,) if end else ()),
        )
        .order_by(name)
    )
    return {row.name: Kept(row.value, row.at) for row in rows}


def after_all(prefix: str) -> str:
    """What comes next after everything that begins with *prefix*, by code points; nothing where nothing does."""
    stem = prefix.rstrip(LAST_LETTER)
    if not stem:
        return ""
    following = ord(stem[-1]) + 1
    return stem[:-1] + (AFTER_SURROGATES if following == FIRST_SURROGATE else chr(following))


def remove(connection: sa.Connection, channel: str, account: str, name: str) -> None:
    c = t.marks.c
    connection.execute(sa.delete(t.marks).where(c.channel == channel, c.account == account, c.name == name))
