"""One way to run a transaction on either database: a plain function over a connection.

SQLite: functions run in a thread of their own, one writer at a time, so that each transaction is one hop however many
statements it has. PostgreSQL: the same functions run on an asyncpg connection.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from imconnect.ports import StoreUnavailable
from imconnect.storage.urls import DatabaseUrl

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

BUSY_TIMEOUT_MS = 5_000
POOL = 8
STATEMENT_TIMEOUT_MS = 30_000

UNSERVED = ("08", "25", "28", "3D", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that are not a statement's fault (PostgreSQL manual, appendix A): connection, role, catalog,
rollback, resources, not in the right state, an operator's act, the system."""


class Database(Protocol):
    """Runs functions in transactions. Both methods raise `StoreUnavailable` when the database cannot serve."""

    async def read(self, work: Work[T]) -> T:
        """Run *work* on a snapshot of what is committed."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Run *work* in one transaction; on return it is committed and durable."""
        ...

    async def close(self) -> None: ...


def open_database(url: DatabaseUrl) -> "SqliteDatabase | PostgresDatabase":
    return SqliteDatabase(url) if url.sqlite else PostgresDatabase(url)


@dataclass(slots=True)
class _Queued:
    """A piece of writing, waiting for its commit."""

    work: Work[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.future.done():
            return  # whoever asked was cancelled; what was written stays written
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def _still_in_transaction(connection: sa.Connection) -> bool:
    driver = connection.connection.dbapi_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction


def sqlite_engine(url: DatabaseUrl) -> sa.Engine:
    """An engine whose writing transactions lock at once and are on disk when they end (WAL, synchronous=FULL)."""
    engine = sa.create_engine(
        url.driver_url,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1e3},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "wal_autocheckpoint=4000",
            "cache_size=-16000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


class SqliteDatabase:
    """A file next to the desk: one writer thread, two reader threads.

    What is to be written while a commit is under way shares the next one, each piece in a savepoint of its own: the
    disk is waited for once, and a piece that fails takes nothing else with it.
    """

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._engine = sqlite_engine(url)
        self._writer = ThreadPoolExecutor(1, "sqlite-writer")
        self._readers = ThreadPoolExecutor(2, "sqlite-reader")
        self._queue: list[_Queued] = []
        self._writing: asyncio.Task[None] | None = None
        self._to_scrub = False

    async def read(self, work: Work[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        queued = _Queued(work, asyncio.get_running_loop().create_future())
        self._queue.append(queued)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return cast("T", await queued.future)

    def _read(self, work: Work[T]) -> T:
        with (
            translated(self._url),
            self._engine.connect().execution_options(reading=True) as connection,
            connection.begin(),
        ):
            return work(connection)

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                group, self._queue = self._queue, []
                try:
                    await loop.run_in_executor(self._writer, self._write, group)
                except Exception as error:  # the transaction itself failed: nothing of the group is written
                    for queued in group:
                        queued.error = error
                for queued in group:
                    queued.tell()
        finally:
            self._writing = None

    def scrub(self) -> None:
        """After the next commit, leave nothing in the file's log of what was overwritten in it."""
        self._to_scrub = True

    def _write(self, group: "list[_Queued]") -> None:
        self._commit(group)
        if self._to_scrub:
            self._to_scrub = not self._empty_log()

    def _empty_log(self) -> bool:
        """Whether the log could be emptied: not while somebody reads from it; then the next commit tries again."""
        connection = sqlite3.connect(self._url.path, timeout=0)
        try:
            return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()

    def _commit(self, group: "list[_Queued]") -> None:
        with translated(self._url), self._engine.connect() as connection, connection.begin():
            if len(group) == 1:
                group[0].result = group[0].work(connection)
                return
            for queued in group:
                try:
                    with translated(self._url), connection.begin_nested():
                        queued.result = queued.work(connection)
                except Exception as error:
                    if not _still_in_transaction(connection):
                        raise  # a full disk, say, undoes everything: the whole group must hear of it
                    queued.error = error

    def data_version(self) -> int:
        """Changes when another process writes to the file. Call it from one thread only."""
        return int(self._watch().execute("PRAGMA data_version").fetchone()[0])

    def _watch(self) -> sqlite3.Connection:
        if not hasattr(self, "_watching"):
            self._watching = sqlite3.connect(self._url.path, check_same_thread=False)
        return self._watching

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        for pool in (self._readers, self._writer):
            await loop.run_in_executor(None, pool.shutdown)
        if hasattr(self, "_watching"):
            self._watching.close()
        self._engine.dispose()


class PostgresDatabase:
    """A server, for several processes. Locks of a dead worker vanish with its connection."""

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._engine = create_async_engine(
            url.driver_url,
            hide_parameters=True,
            pool_size=POOL,
            max_overflow=POOL,
            pool_pre_ping=False,
            isolation_level="READ COMMITTED",
            connect_args={
                "timeout": 5,
                "command_timeout": STATEMENT_TIMEOUT_MS / 1_000 + 5,
                "server_settings": {
                    "application_name": "imconnect",
                    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": "60000",
                },
            },
        )

    async def read(self, work: Work[T]) -> T:
        return await self.write(work)

    async def write(self, work: Work[T]) -> T:
        async with self.transaction() as connection:
            return await connection.run_sync(work)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction over several hops: committed at the end of the block, rolled back on any exception."""
        with translated(self._url):
            async with self._engine.begin() as connection:
                yield connection

    async def driver_connection(self) -> tuple[AsyncConnection, Any]:
        """A connection of one's own, for locks and notifications; the caller closes it."""
        with translated(self._url):
            connection = await self._engine.connect()
            raw = await connection.get_raw_connection()
            return connection, raw.driver_connection

    async def close(self) -> None:
        await self._engine.dispose()


class translated:  # noqa: N801 - reads as the word it is: with translated(url)
    """Turns a database's failure to serve into `StoreUnavailable`; a programming error stays what it is."""

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is not None and is_failure_to_serve(error):
            # The driver's error would carry the statement's parameters, and with them what customers typed.
            raise StoreUnavailable(f"database {self._url}: {reason(error)}") from None


def is_failure_to_serve(error: BaseException) -> bool:
    """Whether the database is at fault. While connecting, drivers' own errors come as they are."""
    if isinstance(error, OSError | TimeoutError | sqlite3.Error | PoolTimeoutError | OperationalError | InterfaceError):
        return True
    if isinstance(error, DBAPIError):
        if type(error.orig) is sqlite3.DatabaseError:
            return True  # SQLite's word for a file that is damaged, or none of its own
        return error.connection_invalidated or _sqlstate(error.orig)[:2] in UNSERVED
    return type(error).__module__.startswith("asyncpg") and _sqlstate(error)[:2] in ("", *UNSERVED)


def _sqlstate(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def reason(error: BaseException) -> str:
    """One line on what is wrong and the cure, never with a statement or its values."""
    origin = getattr(error, "orig", None) or error
    text = str(origin).splitlines()[0] if str(origin) else type(origin).__name__
    for sign, cure in (
        ("database is locked", "locked by another program; end it, or wait until its transaction is over"),
        ("database or disk is full", "the disk is full; free some space"),
        ("readonly", "not writable; check the owner and mode of the file and its folder"),
        ("unable to open", "cannot be opened; check that the folder exists and is writable"),
        ("disk I/O error", "the disk reports an error"),
        ("not a database", "the file is not a SQLite database; name another with database.url"),
        ("malformed", "the file is damaged; restore it from a backup"),
        ("Connect call failed", "no server answers there; start PostgreSQL or correct database.url"),
        ("password authentication failed", "user or password refused; correct database.url"),
        ("does not exist", "does not exist; create it or correct database.url"),
        ("no such table", "has no tables yet; run: imconnect migrate"),
        ("undefined", "has no tables yet; run: imconnect migrate"),
    ):
        if sign in text:
            return cure
    return type(origin).__name__
