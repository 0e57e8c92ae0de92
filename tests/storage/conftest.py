"""The three stores, each fresh for every test."""

import itertools
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from tests.worlds.needs import needs_postgres

from imconnect.ports import Store
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.testing.fakes import MemoryStore

SQL = [pytest.param("sqlite"), pytest.param("postgres", marks=needs_postgres)]
ALL = [*SQL, pytest.param("memory")]


@dataclass(slots=True)
class SqlGround:
    """A database that any number of stores may be opened on, as several processes would."""

    url: DatabaseUrl
    opened: list[SqlStore] = field(default_factory=list[SqlStore])
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1_001))

    @property
    def kind(self) -> str:
        return "sqlite" if self.url.sqlite else "postgres"

    async def open(self) -> SqlStore:
        store = await SqlStore.open(self.url, new_reference=lambda: f"TW-{next(self._numbers)}")
        self.opened.append(store)
        return store

    async def close(self) -> None:
        for store in self.opened:
            await store.close()


def url_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl:
    file = f"sqlite:///{tmp_path}/desk.db"
    return DatabaseUrl.parse(file if kind == "sqlite" else request.getfixturevalue("postgres_url"))


@pytest.fixture(params=SQL)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl:
    """A fresh database: SQLite's and PostgreSQL's."""
    return url_of(request.param, request, tmp_path)


@pytest_asyncio.fixture
async def ground(url: DatabaseUrl) -> AsyncGenerator[SqlGround]:
    """SQLite and PostgreSQL, to open stores on."""
    ground = SqlGround(url)
    yield ground
    await ground.close()


@pytest.fixture(params=[SQL[1]])
def only_postgres(postgres_url: str) -> DatabaseUrl:
    return DatabaseUrl.parse(postgres_url)


@pytest_asyncio.fixture
async def sqlite(tmp_path: Path) -> AsyncGenerator[SqlGround]:
    """SQLite, for what only a file does."""
    ground = SqlGround(DatabaseUrl.parse(f"sqlite:///{tmp_path}/desk.db"))
    yield ground
    await ground.close()


@pytest_asyncio.fixture
async def postgres(only_postgres: DatabaseUrl) -> AsyncGenerator[SqlGround]:
    """PostgreSQL, for what only a server does."""
    ground = SqlGround(only_postgres)
    yield ground
    await ground.close()


@pytest.fixture(params=ALL)
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseUrl | None:
    """A fresh database, or none: the store in memory."""
    return None if request.param == "memory" else url_of(request.param, request, tmp_path)


@pytest_asyncio.fixture
async def store(anywhere: DatabaseUrl | None) -> AsyncGenerator[Store]:
    """One store: on SQLite, on PostgreSQL and in memory."""
    if anywhere is None:
        memory = MemoryStore()
        yield memory
        await memory.close()
        return
    ground = SqlGround(anywhere)
    yield await ground.open()
    await ground.close()
