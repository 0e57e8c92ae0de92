"""The tables are made by migrations, and migrations make the tables the program knows."""

from pathlib import Path
from sqlite3 import connect

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from tests.storage.conftest import SqlGround

from imconnect.domain.conversations import Stage
from imconnect.domain.events import AgentResolved
from imconnect.ports import Speaker, StoreUnavailable
from imconnect.storage import SqlStore
from imconnect.storage.engine import Work
from imconnect.storage.migrate import HEAD, MIGRATIONS
from imconnect.storage.tables import metadata
from imconnect.testing.makers import NOON

FIRST_RELEASE = Path(__file__).parent / "first-release.sql"
"""A database of the first release: one customer being served, one waiting, one who sent a recovery phrase."""


def test_the_newest_revision_is_the_one_the_program_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_migrations_from_nothing_make_the_tables_the_program_knows(ground: SqlGround) -> None:
    store = await ground.open()

    assert await run(store, differences) == []


async def test_the_comparison_would_see_a_missing_column(ground: SqlGround) -> None:
    store = await ground.open()
    lost = await run(store, lambda connection: lacking(connection, "ALTER TABLE kept DROP COLUMN value"))
    if ground.kind == "postgres":
        await run(store, lambda connection: lacking(connection, "ALTER TABLE kept ADD COLUMN value TEXT NOT NULL"))

    assert [difference[0] for difference in lost] == ["add_column"]


async def test_a_database_of_a_newer_program_is_refused(sqlite: SqlGround) -> None:
    await (await sqlite.open()).close()
    with connect(sqlite.url.path) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()

    with pytest.raises(StoreUnavailable, match="9999, newer than this program: update imconnect"):
        await sqlite.open()


async def test_what_the_first_release_stored_is_read_and_goes_on(sqlite: SqlGround) -> None:
    with connect(sqlite.url.path) as file:
        file.executescript(FIRST_RELEASE.read_text(encoding="utf-8"))
    file.close()

    store = await sqlite.open()
    told = await store.dossier("IM-0001-0001")
    act = await store.act("IM-0001-0001", AgentResolved("Mia"), "later", NOON)

    assert told is not None
    assert [line.text for line in told.lines if line.speaker is Speaker.AGENT] == ["We are looking into it."]
    assert (told.summary.stage, told.summary.agent) == (Stage.WITH_AGENT, "Mia")
    assert set(told.details) == {"transaction_hash", "chain", "screenshot"}
    assert [one.reference for one in await store.summaries(frozenset({Stage.WAITING}), 9)] == [
        "IM-0001-0003",
        "IM-0001-0002",
    ]
    async with store.turn(10, NOON) as turn:
        assert [(case.conversation.reference, [one.id for one in case.events]) for case in turn.cases] == [
            ("IM-0001-0001", [act])
        ]


async def run(store: SqlStore, work: Work[list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    return await database.write(work)


def differences(connection: sa.Connection) -> list[tuple[object, ...]]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def lacking(connection: sa.Connection, statement: str) -> list[tuple[object, ...]]:
    connection.exec_driver_sql(statement)
    return differences(connection)
