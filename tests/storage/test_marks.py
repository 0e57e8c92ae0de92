"""Marks are found by how their names begin, letter by letter, whatever order the database likes."""

import sqlite3
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from tests.storage.conftest import SqlGround
from tests.worlds.needs import needs_postgres
from tests.worlds.postgres import Cluster

from imconnect.ports import Mark, Store
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.storage.engine import sqlite_engine
from imconnect.storage.marks import after_all, under
from imconnect.testing.makers import NOON

NAMES = ("at", "at-x", "at:", "at:INBOX:1", "at:inbox:2", "at:Ü", "at:中", "at:\ud7ff", "at:\ue000", "at:\U0010ffff")
OTHERS = ("AT:x", "as:", "atx", "at;", "át:x", "b")


async def found_under(store: Store, prefix: str) -> list[str]:
    await store.record([Mark("web", "site", name, "") for name in (*NAMES, *OTHERS)], NOON)
    return list(await store.marks("web", "site", prefix))


@pytest_asyncio.fixture
async def in_dictionary_order(cluster: Cluster, migrated: str) -> AsyncGenerator[SqlStore]:
    """A PostgreSQL whose names go as in an English dictionary: neither case nor signs count for much."""
    name = await cluster.create(migrated)
    await cluster.run('ALTER TABLE marks ALTER COLUMN name TYPE text COLLATE "en-x-icu"', name)
    store = await SqlStore.open(DatabaseUrl.parse(cluster.url(name)), new_reference=lambda: "TW-1")
    yield store
    await store.close()
    await cluster.drop(name)


@pytest.mark.parametrize("prefix", ["at:", "at", "a", "at:中", "at:\ud7ff", "at:\U0010ffff", "", "zz"])
async def test_what_begins_so_is_found_and_nothing_else(store: Store, prefix: str) -> None:
    assert await found_under(store, prefix) == sorted(name for name in (*NAMES, *OTHERS) if name.startswith(prefix))


@needs_postgres
@pytest.mark.parametrize("prefix", ["at:", "at", "a"])
async def test_the_order_a_database_likes_is_no_matter(in_dictionary_order: SqlStore, prefix: str) -> None:
    assert await found_under(in_dictionary_order, prefix) == sorted(
        name for name in (*NAMES, *OTHERS) if name.startswith(prefix)
    )


async def test_a_file_looks_at_nothing_but_what_begins_so(sqlite: SqlGround) -> None:
    """A desk that has read a hundred thousand mails asks where one of them lies."""
    await sqlite.open()
    engine = sqlite_engine(sqlite.url)
    said: list[str] = []
    with engine.connect() as connection:
        file = connection.connection.dbapi_connection
        assert isinstance(file, sqlite3.Connection)
        file.set_trace_callback(said.append)
        under(connection, "web", "site", "at:")
        file.set_trace_callback(None)
        [asked] = [one for one in said if "FROM marks" in one]
        plan = [row[-1] for row in file.execute(f"EXPLAIN QUERY PLAN {asked}")]
    engine.dispose()

    assert plan == ["SEARCH marks USING INDEX sqlite_autoindex_marks_1 (channel=? AND account=? AND name>? AND name<?)"]


@pytest.mark.parametrize(
    ("prefix", "end"),
    [("at:", "at;"), ("", ""), ("\U0010ffff", ""), ("a\U0010ffff", "b"), ("\ud7ff", "\ue000"), ("z", "{")],
)
def test_after_a_prefix_comes_its_last_letters_successor(prefix: str, end: str) -> None:
    assert after_all(prefix) == end
