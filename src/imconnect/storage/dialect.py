"""The few words in which the two databases differ, and a short way for many rows."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect

from imconnect.storage.tables import BigId

Rows = Sequence[Mapping[str, Any]]


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that can say what to do on conflict."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: sa.Table) -> Any:
    """The same, for statements that are made once and run often."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_new(connection: sa.Connection, table: sa.Table, rows: Rows) -> int:
    """Insert those of *rows* that are not there yet, and say how many those were."""
    if not rows:
        return 0
    statement = insert(connection, table).on_conflict_do_nothing().returning(table.c.id)
    return len(connection.execute(statement, list(rows)).all())


def among(connection: sa.Connection, column: sa.Column[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """*column* is one of *values*: as one parameter, so that each length is not a statement of its own."""
    dialect = connection.dialect.name
    return is_listed(dialect, column, sa.literal(listed(dialect, values), _list_type(dialect, column)))


def is_listed(dialect: str, column: sa.Column[Any], parameter: Any = None) -> sa.ColumnElement[bool]:
    """*column* is one of those in the parameter `listed`: for statements that are made once and run often."""
    given = sa.bindparam("listed", type_=_list_type(dialect, column)) if parameter is None else parameter
    if dialect != "postgresql":
        return column.in_(sa.select(sa.func.json_each(given).table_valued("value").c.value))
    return column == sa.any_(sa.cast(given, _list_type(dialect, column)))


def listed(dialect: str, values: Iterable[Any]) -> Any:
    """*values* as the parameter `listed` takes them."""
    return list(values) if dialect == "postgresql" else json.dumps(list(values))


def _list_type(dialect: str, column: sa.Column[Any]) -> Any:
    if dialect != "postgresql":
        return sa.Text()
    return sa.ARRAY(sa.BigInteger() if isinstance(column.type, type(BigId)) else column.type)


def next_ids(connection: sa.Connection, table: sa.Table, count: int) -> list[int]:
    """The ids of the next *count* rows of *table*, in order. In SQLite only a writing transaction may ask."""
    if not count:
        return []
    if connection.dialect.name == "postgresql":
        drawn = sa.select(sa.func.nextval(f"{table.name}_id_seq")).select_from(sa.func.generate_series(1, count))
        return sorted(connection.execute(drawn).scalars())
    last = connection.execute(sa.select(sa.func.max(table.c.id))).scalar_one() or 0
    return list(range(last + 1, last + 1 + count))


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One place of a compiled statement: whose value goes there, or which if no row names one, and how it is bound."""

    name: str
    value: Any
    bind: Callable[[Any], Any] | None

    def of(self, row: Mapping[str, Any]) -> Any:
        value = row.get(self.name, self.value)
        return self.bind(value) if self.bind is not None else value


class Many:
    """A statement run for many rows at once, without SQLAlchemy's work on each: compiled once for each database."""

    def __init__(self, statement: sa.Insert | sa.Update, columns: Sequence[str] | None = None) -> None:
        """*columns* are those an INSERT fills; an UPDATE names its parameters itself."""
        self._statement = statement
        self._columns = list(columns) if columns is not None else None
        self._compiled: dict[str, tuple[str, list[_Parameter]]] = {}

    def run(self, connection: sa.Connection, rows: Rows) -> None:
        """Run it for each of *rows*; a column a row does not name is NULL."""
        if not rows:
            return
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(dialect)
        sql, parameters = self._compiled[dialect.name]
        connection.exec_driver_sql(sql, [tuple(parameter.of(row) for parameter in parameters) for row in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, list[_Parameter]]:
        compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)
        names: Sequence[str] = compiled.positiontup or ()
        binds: Mapping[str, sa.BindParameter[Any]] = compiled.binds
        return str(compiled), [_parameter(name, binds[name], dialect) for name in names]


def _parameter(name: str, parameter: sa.BindParameter[Any], dialect: Dialect) -> _Parameter:
    binder: Callable[[Any], Any] | None = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    return _Parameter(name, None if parameter.required else parameter.value, binder)
