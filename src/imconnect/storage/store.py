"""`SqlStore`: the store on SQLite and on PostgreSQL, by the same statements."""

import asyncio
import contextlib
import os
import zlib
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from imconnect.desk.bells import EVERYTHING, Belfry
from imconnect.domain.conversations import Conversation, PlaceInLine, Stage
from imconnect.domain.events import AgentsAct
from imconnect.domain.messages import Address, Language
from imconnect.domain.playbook import Pace
from imconnect.domain.questions import QuestionKind
from imconnect.ports import (
    Agent,
    AgentHandle,
    Backlog,
    Case,
    Changes,
    Dossier,
    DueErrand,
    DueSend,
    ErrandResult,
    FileOfMessage,
    FileResult,
    Kept,
    Line,
    Received,
    RoomCopy,
    RoomResult,
    SendResult,
    Settled,
    SettledQuestion,
    StoreUnavailable,
    Stories,
    Summary,
)
from imconnect.storage import (
    agents,
    errands,
    files,
    intake,
    marks,
    questions,
    reading,
    recording,
    rooms,
    tables,
    turning,
)
from imconnect.storage.engine import PostgresDatabase, SqliteDatabase, Work, open_database, translated
from imconnect.storage.intake import Item
from imconnect.storage.locks import FileLock
from imconnect.storage.migrate import bring_up_to_date
from imconnect.storage.recording import Newcomers, Recorded
from imconnect.storage.rooms import Room, welcome
from imconnect.storage.turning import Applied
from imconnect.storage.urls import DatabaseUrl

T = TypeVar("T")

NOTIFY_CHANNEL = "imconnect"
LONGEST_NOTICE = 7_000
"""Bytes; PostgreSQL takes less than 8,000 in a notification."""

WATCH_SECONDS = 0.3
"""How often a SQLite file is looked at for what another process wrote."""

WATCH_CONNECTION_SECONDS = 2.0
"""How often an owner makes sure that it still is one."""


class SqlStore:
    """The one truth, in SQL. Open it with `SqlStore.open`; close it when done."""

    def __init__(self, url: DatabaseUrl, database: SqliteDatabase | PostgresDatabase, newcomers: Newcomers) -> None:
        self._url = url
        self._database = database
        self._newcomers = newcomers
        self._belfry = Belfry()
        self._one_turn = asyncio.Lock()
        self._watchers: list[asyncio.Task[None]] = []
        self._lock: FileLock | None = None
        self._rooms: tuple[Room, ...] = ()

    @classmethod
    async def open(
        cls,
        url: DatabaseUrl,
        *,
        new_reference: Callable[[], str],
        language: Language = Language.CHINESE,
        reopen_within: int = Pace().reopen_within,
        migrate: bool = True,
    ) -> Self:
        """Connect, bring the tables up to date, and begin to hear what other processes change.

        Raises `StoreUnavailable` with one line that says what is wrong and the cure.
        """
        database = open_database(url)
        store = cls(url, database, Newcomers(new_reference, language, reopen_within))
        try:
            if migrate:
                await bring_up_to_date(database)
            await store._listen()
        except BaseException:
            await store.close()
            raise
        return store

    async def reserve(self) -> None:
        """Make sure that no other desk runs on a SQLite file. On PostgreSQL several may."""
        if self._url.sqlite and self._lock is None:
            self._lock = FileLock.acquire(self._url.path)

    async def close(self) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self._database.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    # ------------------------------------------------------------------------------------------------------- intake

    async def record(self, items: Sequence[Item], now: datetime) -> int:
        def work(connection: sa.Connection) -> Recorded:
            done = intake.record(connection, items, self._newcomers, now)
            self._notify(connection, _after_recording(done))
            return done

        if isinstance(self._database, SqliteDatabase) and any(_takes_away(item) for item in items):
            self._database.scrub()
        try:
            done = await self._database.write(work)
        except IntegrityError:
            # Another process stored some of these a moment ago; now they are seen and passed over.
            done = await self._database.write(work)
        self._belfry.ring(_after_recording(done))
        return done.new

    async def marks(self, channel: str, account: str, prefix: str) -> Mapping[str, Kept]:
        return await self._database.read(lambda connection: marks.under(connection, channel, account, prefix))

    async def unmark(self, channel: str, account: str, name: str) -> None:
        await self._database.write(lambda connection: marks.remove(connection, channel, account, name))

    async def expects(self, address: Address) -> frozenset[str]:
        return await self._database.read(lambda connection: reading.expects(connection, address))

    async def act(self, reference: str, act: AgentsAct, key: str, now: datetime) -> int | None:
        def work(connection: sa.Connection) -> tuple[int, int] | None:
            found = recording.record_act(connection, reference, act, key, now)
            if found is not None:
                self._notify(connection, ["turn"])
            return found

        found = await self._database.write(work)
        if found is None:
            return None
        self._belfry.ring(["turn"])
        return found[0]

    async def outcome(self, event: int) -> str | None:
        statement = sa.select(tables.events.c.outcome).where(tables.events.c.id == event)
        return await self._database.read(lambda connection: connection.execute(statement).scalar_one_or_none())

    # -------------------------------------------------------------------------------------------------------- turns

    @asynccontextmanager
    async def turn(self, limit: int, now: datetime) -> AsyncGenerator["_Turn"]:
        if isinstance(self._database, SqliteDatabase):
            async with self._one_turn:
                cases = await self._database.read(lambda connection: turning.claim(connection, limit))
                turn = _Turn(cases, self._database.write, self._notify, self._copy)
                yield turn
        else:
            async with self._database.transaction() as connection:
                cases = await connection.run_sync(turning.claim, limit)
                turn = _Turn(cases, _on(connection), self._notify, self._copy)
                yield turn
        if turn.applied is not None:
            self._belfry.ring(_after_turn(turn.applied))

    def _copy(self, connection: sa.Connection, conversations: Collection[int]) -> bool:
        return rooms.bump(connection, self._rooms, conversations)

    # -------------------------------------------------------------------------------------------------- what goes out

    async def claim_sends(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueSend]:
        return await self._database.write(
            lambda connection: errands.claim_sends(connection, channel, account, limit, now)
        )

    async def due_sends(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueSend]:
        return await self._database.read(lambda connection: errands.due_sends(connection, channel, account, limit, now))

    async def settle_sends(self, results: Sequence[SendResult], now: datetime) -> None:
        def work(connection: sa.Connection) -> list[str]:
            changed = errands.settle_sends(connection, results, now)
            topics = ["send", "turn", *(f"conversation:{conversation}" for conversation in sorted(changed))]
            self._notify(connection, topics)
            return topics

        if results:
            self._belfry.ring(await self._database.write(work))

    async def recover_sends(self, channel: str, account: str, keyed: bool, now: datetime) -> int:
        count, changed = await self._database.write(
            lambda connection: errands.recover_sends(connection, channel, account, keyed, now)
        )
        self._belfry.ring(["send", "turn", *(f"conversation:{conversation}" for conversation in changed)])
        return count

    async def claim_errands(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueErrand]:
        return await self._database.write(
            lambda connection: errands.claim_errands(connection, channel, account, limit, now)
        )

    async def settle_errands(self, results: Sequence[ErrandResult], now: datetime) -> None:
        if results:
            await self._write_and_ring(
                lambda connection: errands.settle_errands(connection, results, now), ["turn", "errand"]
            )

    async def keep_files(self, results: Sequence[FileResult], now: datetime) -> None:
        def work(connection: sa.Connection) -> list[str]:
            changed = files.keep(connection, results)
            topics = [f"conversation:{conversation}" for conversation in sorted(changed)]
            self._notify(connection, topics)
            return topics

        if results:
            self._belfry.ring(await self._database.write(work))

    async def file(self, file: int) -> tuple[FileOfMessage, bytes] | None:
        return await self._database.read(lambda connection: files.kept(connection, file))

    async def fire_timers(self, limit: int, now: datetime) -> int:
        return await self._write_and_ring(lambda connection: errands.fire_timers(connection, limit, now), ["turn"])

    async def watch_line(self, pace: Pace, now: datetime, paces: Mapping[str, Pace] | None = None) -> int:
        return await self._write_and_ring(
            lambda connection: errands.watch_line(connection, pace, now, paces or {}), ["turn"]
        )

    # ------------------------------------------------------------------------------------------------------- reading

    async def summaries(self, stages: frozenset[Stage], limit: int) -> Sequence[Summary]:
        return await self._database.read(lambda connection: reading.summaries(connection, stages, limit))

    async def dossier(self, reference: str) -> Dossier | None:
        return await self._database.read(lambda connection: reading.dossier(connection, reference))

    async def transcript(self, address: Address, after: int, limit: int) -> Sequence[Line]:
        return await self._database.read(lambda connection: reading.transcript(connection, address, after, limit))

    async def state_at(self, address: Address) -> Conversation | None:
        return await self._database.read(lambda connection: reading.state_at(connection, address))

    async def place(self, conversation: int) -> PlaceInLine | None:
        found = await self._database.read(lambda connection: turning.places_in_line(connection, [conversation]))
        return found.get(conversation)

    async def backlog(self, now: datetime) -> Backlog:
        return await self._database.read(lambda connection: reading.backlog(connection, now))

    # -------------------------------------------------------------------------------------------------------- agents

    async def add_agent(self, name: str, token_hash: str, expires: datetime, now: datetime) -> Agent:
        return await self._database.write(lambda connection: agents.add(connection, name, token_hash, expires, now))

    async def redeem(self, token_hash: str, now: datetime) -> Agent | None:
        return await self._database.write(lambda connection: agents.redeem(connection, token_hash, now))

    async def agent(self, agent: int) -> Agent | None:
        return await self._database.read(lambda connection: agents.one(connection, tables.agents.c.id == agent))

    async def agent_named(self, name: str) -> Agent | None:
        return await self._database.read(lambda connection: agents.one(connection, tables.agents.c.name == name))

    async def agents(self) -> Sequence[Agent]:
        return await self._database.read(agents.everyone)

    async def link_agent(self, agent: int, channel: str, handle: str, now: datetime) -> None:
        await self._database.write(lambda connection: agents.link(connection, agent, channel, handle, now))

    async def unlink_agent(self, channel: str, handle: str) -> bool:
        return await self._database.write(lambda connection: agents.unlink(connection, channel, handle))

    async def agent_behind(self, channel: str, handle: str) -> Agent | None:
        return await self._database.read(lambda connection: agents.behind(connection, channel, handle))

    async def agent_handles(self) -> Sequence[AgentHandle]:
        return await self._database.read(agents.handles)

    async def vouched(self, channel: str, name: str) -> bool:
        return await self._database.read(lambda connection: agents.vouched(connection, channel, name))

    # --------------------------------------------------------------------------------------------------- staff rooms

    async def mirror_to(self, rooms: Sequence[tuple[str, str]]) -> None:
        self._rooms = mirrored = tuple(dict.fromkeys(rooms))
        if mirrored:
            await self._write_and_ring(lambda connection: welcome(connection, mirrored), ["room"])

    async def behind(self, channel: str, room: str, now: datetime) -> RoomCopy | None:
        return await self._database.read(lambda connection: rooms.behind(connection, channel, room, now))

    async def settle_room(self, channel: str, room: str, result: RoomResult, now: datetime) -> None:
        def work(connection: sa.Connection) -> int:
            rooms.settle(connection, channel, room, result)
            return int(result.retry_at is not None)

        await self._write_and_ring(work, ["room"])

    async def conversation_in(self, channel: str, room: str, topic: str) -> str | None:
        return await self._database.read(lambda connection: rooms.conversation_in(connection, channel, room, topic))

    # ----------------------------------------------------------------------------------------------------- questions

    async def stories(self, kind: QuestionKind, before: int | None, limit: int) -> Stories:
        return await self._database.read(lambda connection: questions.stories(connection, kind, before, limit))

    async def settle_question(self, settled: SettledQuestion) -> bool:
        return await self._database.write(lambda connection: questions.settle(connection, settled))

    async def reopen_question(self, key: str) -> bool:
        return await self._database.write(lambda connection: questions.reopen(connection, key))

    async def settled_keys(self, keys: Sequence[str]) -> frozenset[str]:
        return await self._database.read(lambda connection: questions.settled_keys(connection, keys))

    async def examples(self) -> Sequence[SettledQuestion]:
        return await self._database.read(questions.examples)

    async def mark_written(self, keys: Sequence[str], now: datetime) -> None:
        await self._database.write(lambda connection: questions.mark_written(connection, keys, now))

    # -------------------------------------------------------------------------------------------------- what is kept

    async def keep(self, name: str, value: str) -> str:
        return await self._database.write(lambda connection: reading.keep(connection, name, value))

    # --------------------------------------------------------------------------------------------------------- bells

    def changes(self, topic: str) -> AbstractAsyncContextManager[Changes]:
        return self._belfry.bell(topic)

    async def _write_and_ring(self, work: Work[T], topics: Iterable[str]) -> T:
        """Write, and wake whom it concerns if anything was done."""

        def announced(connection: sa.Connection) -> T:
            done = work(connection)
            if done != 0:
                self._notify(connection, topics)
            return done

        done = await self._database.write(announced)
        if done != 0:
            self._belfry.ring(topics)
        return done

    def _notify(self, connection: sa.Connection, topics: Iterable[str]) -> None:
        """Tell other processes, if this commits. SQLite has no such thing: there the file is watched."""
        if connection.dialect.name != "postgresql":
            return
        told = " ".join(topics)
        if not told:
            return
        if len(told) > LONGEST_NOTICE:
            told = EVERYTHING
        connection.execute(_NOTIFY, {"channel": NOTIFY_CHANNEL, "told": f"{os.getpid()} {told}"})

    async def _listen(self) -> None:
        if isinstance(self._database, SqliteDatabase):
            await self._database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
            self._watchers.append(asyncio.create_task(self._watch_file(self._database)))
        else:
            self._watchers.append(
                asyncio.create_task(self._hear(self._database, await self._subscribe(self._database)))
            )
            await asyncio.sleep(0)  # a task cancelled before it began would not give its connection back

    async def _watch_file(self, database: SqliteDatabase) -> None:
        """Ring for what other processes write (`imconnect conversation take`, say)."""
        seen = database.data_version()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            with contextlib.suppress(Exception):  # a busy file is looked at again; its faults show where it is used
                version = database.data_version()
                if version != seen:
                    seen = version
                    self._belfry.ring([EVERYTHING])

    async def _subscribe(self, database: PostgresDatabase) -> tuple[AsyncConnection, Any]:
        connection, driver = await database.driver_connection()
        with translated(self._url):
            await driver.add_listener(NOTIFY_CHANNEL, self._heard)
        return connection, driver

    def _heard(self, *heard: object) -> None:
        sender, _, topics = str(heard[-1]).partition(" ")
        if sender != str(os.getpid()):
            self._belfry.ring(topics.split())

    async def _hear(self, database: PostgresDatabase, subscribed: tuple[AsyncConnection, Any]) -> None:
        """Keep one connection listening; after a break, ring everything once: something may have been missed."""
        connection, driver = subscribed
        try:
            while True:
                await asyncio.sleep(1)
                if not driver.is_closed():
                    continue
                with contextlib.suppress(StoreUnavailable):
                    with contextlib.suppress(Exception):  # it is broken already
                        await connection.close()
                    connection, driver = await self._subscribe(database)
                    self._belfry.ring([EVERYTHING])
        finally:
            with contextlib.suppress(Exception):  # the process is leaving; the server notices by itself
                await connection.invalidate()
                await connection.close()

    # ----------------------------------------------------------------------------------------------------- ownership

    @asynccontextmanager
    async def owning(self, name: str) -> AsyncGenerator[asyncio.Event | None]:
        """Own *name* alone while the block lasts; None where another process owns it: ask again after a while.

        The event is set if ownership is lost. On SQLite the file's one process owns everything. On PostgreSQL it is an
        advisory lock, which a dead process loses with its connection.
        """
        lost = asyncio.Event()
        if isinstance(self._database, SqliteDatabase):
            yield lost
            return
        connection, driver = await self._database.driver_connection()
        key = zlib.crc32(name.encode()) - 2**31
        try:
            with translated(self._url):
                mine = await driver.fetchval("SELECT pg_try_advisory_lock(7365, $1::int)", key)
            if not mine:
                yield None
                return
            guard = asyncio.create_task(_watch_connection(driver, lost))
            try:
                yield lost
            finally:
                guard.cancel()
                await asyncio.gather(guard, return_exceptions=True)
        finally:
            with contextlib.suppress(Exception):  # a broken connection has lost its locks already
                await driver.execute("SELECT pg_advisory_unlock_all()")
            with contextlib.suppress(Exception):  # as above
                await connection.close()


async def _watch_connection(driver: Any, lost: asyncio.Event) -> None:
    try:
        while True:
            await asyncio.sleep(WATCH_CONNECTION_SECONDS)
            await asyncio.wait_for(driver.execute("SELECT 1"), WATCH_CONNECTION_SECONDS * 2)
    except asyncio.CancelledError:
        raise
    except Exception:
        lost.set()


_NOTIFY = sa.text("SELECT pg_notify(:channel, :told)")


def _on(connection: AsyncConnection) -> Callable[[Work[Any]], Any]:
    async def run(work: Work[Any]) -> Any:
        return await connection.run_sync(work)

    return run


def _takes_away(item: Item) -> bool:
    """Whether *item* may take out of the store what is in it already."""
    return isinstance(item, Received) and item.secret is not None and bool(item.withdrawn or item.incoming.revises)


def _after_recording(done: Recorded) -> list[str]:
    if not done.new and not done.conversations:
        return []
    return ["turn", *(f"conversation:{conversation}" for conversation in sorted(done.conversations))]


def _after_turn(applied: Applied) -> list[str]:
    topics = [f"conversation:{conversation}" for conversation in applied.conversations]
    for topic, changed in (
        ("send", applied.sends),
        ("errand", applied.errands),
        ("turn", applied.follow_ups),
        ("line", True),
        ("room", applied.rooms),
    ):
        if changed:
            topics.append(topic)
    return topics


class _Turn:
    """One claimed batch; see `imconnect.ports.Turn`."""

    def __init__(
        self,
        cases: Sequence[Case],
        write: Callable[[Work[Applied]], Any],
        notify: Callable[[sa.Connection, Iterable[str]], None],
        copy: Callable[[sa.Connection, Collection[int]], bool],
    ) -> None:
        self.cases = cases
        self.applied: Applied | None = None
        self._write = write
        self._notify = notify
        self._copy = copy

    async def apply(self, settled: Sequence[Settled], now: datetime) -> None:
        def work(connection: sa.Connection) -> Applied:
            applied = turning.apply(connection, self.cases, settled, now, self._copy)
            self._notify(connection, _after_turn(applied))
            return applied

        self.applied = await self._write(work)
