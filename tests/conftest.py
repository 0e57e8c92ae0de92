"""What every test relies on, and the PostgreSQL server that those who need one share."""

import asyncio
from collections.abc import Generator

import pytest
import pytest_asyncio
from tests.worlds.postgres import Cluster, running_cluster

from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.storage.tables import metadata

pytest.register_assert_rewrite("imconnect.testing.conformance")


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
