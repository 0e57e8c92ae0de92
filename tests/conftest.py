"""What every test relies on, and the PostgreSQL server that those who need one share."""

import asyncio
import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from tests.worlds.postgres import Cluster, running_cluster

from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.storage.tables import metadata

pytest.register_assert_rewrite("imconnect.testing.conformance")


SLOWEST = frozenset({"test_crashes.py", "test_kill.py", "test_bad_input.py"})
"""Files that take minutes: begun first, they do not keep one worker busy when the others have nothing left to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in SLOWEST)


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """A PostgreSQL server; tests that use it are marked `needs_postgres`."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated(cluster: Cluster) -> str:
    """A database with all tables."""

    async def make() -> str:
        name = await cluster.create()
        store = await SqlStore.open(DatabaseUrl.parse(cluster.url(name)), new_reference=lambda: "")
        await store.close()
        return name

    return asyncio.run(make())


@pytest_asyncio.fixture
async def postgres_url(cluster: Cluster, migrated: str) -> str:
    """The URL of a database with all tables and no rows. Tests share it, one after the other."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    await cluster.run(f"TRUNCATE {tables} RESTART IDENTITY CASCADE", migrated)
    return cluster.url(migrated)


@contextmanager
def one_at_a_time(folder: Path) -> Generator[None]:
    """Whoever else wants to learn into *folder* waits, and then finds it learnt."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def learnt_pack(pytestconfig: pytest.Config) -> Path:
    """Where what was learnt of the shipped pack is kept between test runs, for all workers: it takes half a minute."""
    folder: Path = pytestconfig.cache.mkdir("learnt")
    return folder
