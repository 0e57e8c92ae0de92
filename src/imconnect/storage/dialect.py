"""The few words in which the two databases differ."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from imconnect.storage.tables import BigId


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that can say what to do on conflict."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def among(connection: sa.Connection, column: sa.Column[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """*column* is one of *values*: as one array in PostgreSQL, so that each length is not a statement of its own."""
    listed = list(values)
    if connection.dialect.name != "postgresql":
        return column.in_(listed)
    kind = sa.BigInteger() if isinstance(column.type, type(BigId)) else column.type
    return column == sa.any_(sa.cast(sa.literal(listed, sa.ARRAY(kind)), sa.ARRAY(kind)))


def insert_returning(
    connection: sa.Connection, statement: Any, column: sa.Column[Any], rows: Sequence[dict[str, Any]]
) -> list[Any]:
    """Insert *rows* and return *column* of each, in their order."""
    if not rows:
        return []
    returning = statement.returning(column, sort_by_parameter_order=True)
    return list(connection.execute(returning, rows).scalars())
