"""A store that cannot serve says so in one line with the cure, changes nothing, and never shows what was typed."""

import os
import shutil
import tempfile
import traceback
from collections.abc import Generator
from pathlib import Path
from sqlite3 import Connection, connect

import pytest
from sqlalchemy import event
from tests.storage.acts import lines, write_in
from tests.storage.conftest import SqlGround
from tests.worlds.needs import needs_postgres
from tests.worlds.postgres import Cluster, running_cluster

from imconnect.ports import StoreUnavailable
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.storage import engine as engine_module
from imconnect.storage.engine import SqliteDatabase
from imconnect.testing.makers import NOON, received

PROBE = "heliotrope rhubarb"


async def opened(url: str) -> SqlStore:
    return await SqlStore.open(DatabaseUrl.parse(url), new_reference=lambda: "TW-1")


async def refusal_to_record(store: SqlStore) -> str:
    """What recording typed words is refused with, the whole traceback of it."""
    with pytest.raises(StoreUnavailable) as raised:
        await store.record([received(f"{PROBE} " * 20_000, id="typed")], NOON)
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value.__dict__)
    assert "\n" not in str(raised.value)
    assert PROBE not in shown
    return str(raised.value)


async def test_a_locked_file(sqlite: SqlGround, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_MS", 50)
    store = await sqlite.open()
    other = connect(sqlite.url.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    says = await refusal_to_record(store)
    other.execute("ROLLBACK")
    other.close()
    await write_in(store, "afterwards")

    assert "locked by another program; end it" in says
    assert [line.text for line in await lines(store)] == ["afterwards"]


async def test_a_full_disk(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside

    assert isinstance(database, SqliteDatabase)

    @event.listens_for(database._engine, "checkout")  # pyright: ignore[reportPrivateUsage] - as above
    def fill(connection: Connection, *_: object) -> None:  # pyright: ignore[reportUnusedFunction] - SQLAlchemy calls it
        connection.execute("PRAGMA max_page_count = 1").close()  # SQLite takes this for "no larger than it is"

    says = await refusal_to_record(store)

    assert "the disk is full; free some space" in says
    assert list(await lines(store)) == []


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened; check that the folder exists and is writable"):
        await opened(f"sqlite:///{tmp_path}/nowhere/desk.db")


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_text("this is a letter, not a database\n" * 100)

    with pytest.raises(StoreUnavailable, match=r"not a SQLite database; name another with database.url"):
        await opened(f"sqlite:///{tmp_path}/desk.db")


@pytest.fixture
def anybodys_folder() -> Generator[Path]:
    """A folder that also others than its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="imconnect-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def lock_up(folder: Path) -> None:
    (folder / "desk.db").chmod(0o444)
    folder.chmod(0o555)


async def write_once(url: str) -> None:
    store = await opened(url)
    try:
        await write_in(store, PROBE)
    finally:
        await store.close()


async def test_a_file_that_may_only_be_read(anybodys_folder: Path) -> None:
    url = f"sqlite:///{anybodys_folder}/desk.db"
    await (await opened(url)).close()
    lock_up(anybodys_folder)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)  # to root, nothing is read-only
    try:
        with pytest.raises(StoreUnavailable, match=r"not writable|cannot be opened"):
            await write_once(url)
    finally:
        if root:
            os.seteuid(0)


async def test_a_second_desk_on_one_file_is_refused_until_the_first_is_gone(sqlite: SqlGround) -> None:
    first, second = await sqlite.open(), await sqlite.open()
    await first.reserve()
    with pytest.raises(StoreUnavailable, match=f"another desk .process {os.getpid()}. runs on it; stop that one"):
        await second.reserve()
    await first.close()
    await second.reserve()


@needs_postgres
async def test_no_server() -> None:
    with pytest.raises(StoreUnavailable, match=r"no server answers there; start PostgreSQL or correct database.url"):
        await opened("postgresql://postgres:hunter2@127.0.0.1:1/desk")


@needs_postgres
async def test_a_database_that_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(StoreUnavailable, match=r"does not exist; create it or correct database.url"):
        await opened(cluster.url("nowhere"))


@needs_postgres
async def test_a_server_that_goes_and_comes_back() -> None:
    with running_cluster() as cluster:
        store = await opened(cluster.url("postgres"))
        await write_in(store, "before")
        cluster.stop()
        says = await refusal_to_record(store)
        says_again = await refusal_to_record(store)
        cluster.start()
        for _ in range(3):
            try:
                await write_in(store, "afterwards")
                break
            except StoreUnavailable:
                continue
        shown = [line.text for line in await lines(store)]
        await store.close()

    assert "postgres" in says
    assert "no server answers there" in says_again
    assert shown == ["before", "afterwards"]


@needs_postgres
async def test_the_password_is_never_shown() -> None:
    password = "hunter" + "2"  # in two parts, so that the traceback's source lines do not hold it
    with pytest.raises(StoreUnavailable) as raised:
        await opened(f"postgresql://postgres:{password}@127.0.0.1:1/desk")

    assert password not in "".join(traceback.format_exception(raised.value))


# --------------------------------------------------------------------------------------------------------- ownership


async def test_an_inbox_is_owned_by_one_and_then_by_the_next(postgres: SqlGround) -> None:
    first, second = await postgres.open(), await postgres.open()
    async with first.owning("telegram:1") as mine, second.owning("telegram:1") as theirs:
        assert (mine is not None, theirs) == (True, None)
    async with second.owning("telegram:1") as theirs, first.owning("telegram:2") as another:
        assert theirs is not None
        assert another is not None
