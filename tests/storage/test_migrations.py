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
from imconnect.domain.readings import SecretKind
from imconnect.ports import Bounced, FileState, SendState, Speaker, StoreUnavailable
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.storage.engine import Work, open_database
from imconnect.storage.migrate import HEAD, MIGRATIONS, upgrade
from imconnect.storage.tables import UtcTime, metadata
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


async def test_rows_of_the_first_release_come_out_right(sqlite: SqlGround) -> None:
    with connect(sqlite.url.path) as file:
        file.executescript(FIRST_RELEASE.read_text(encoding="utf-8"))
    file.close()

    store = await sqlite.open()
    served = await store.dossier("IM-0001-0001")
    secretive = await store.dossier("IM-0001-0003")
    await store.mirror_to([("telegram", "-100")])
    urgent = await store.behind("telegram", "-100", NOON)

    assert served is not None
    assert [(line.revision, line.edited) for line in served.lines if line.edited] == [(1, True)]
    assert {(line.quoted, line.remarks) for line in served.lines} == {("", ())}
    (picture,) = (file for line in served.lines for file in line.files)
    assert (picture.state, picture.media_type, picture.secret) == (FileState.NAMED, picture.file.media_type, None)
    assert await store.file(picture.id) is None
    assert served.related == ()
    assert secretive is not None
    assert [line.secret for line in secretive.lines if line.secret] == [SecretKind.RECOVERY_PHRASE]
    assert urgent is not None
    assert urgent.dossier == served


FIRST_ROWS = """
INSERT INTO contacts (id, created_at) VALUES (1, :now);
INSERT INTO conversations (id, reference, channel, account, peer, stage, language, priority, created_at, updated_at)
    VALUES (1, 'IM-1', 'web', 'chat', 'ann', 'waiting', 'en', 2, :now, :now);
INSERT INTO contact_channels (contact_id, conversation_id, channel, account, peer, handle, name)
    VALUES (1, 1, 'web', 'chat', 'ann', 'ann', 'Ann');
INSERT INTO messages (id, conversation_id, speaker, author, channel, account, external_id, text, revision, sent_at)
    VALUES (1, 1, 'customer', 'Ann', 'web', 'chat', 'a1', 'look', 1, :now);
INSERT INTO messages (id, conversation_id, speaker, author, text, sent_at) VALUES (2, 1, 'agent', 'Mia', 'yes', :now);
INSERT INTO attachments (message_id, external_id, name, media_type, size) VALUES (1, 'f1', 'a.png', 'image/png', 7);
INSERT INTO outbox (id, conversation_id, key, channel, account, peer, purpose, source, state, created_at)
    VALUES (2, 1, '1.0', 'web', 'chat', 'ann', 'reply', 'Mia', 'ready', :now)
"""


async def test_a_database_in_use_is_brought_up_to_date_with_its_rows(url: DatabaseUrl) -> None:
    database = open_database(url)
    await database.write(lambda connection: upgrade(connection, "0001"))
    await database.write(first_rows)
    await database.close()

    store = await SqlStore.open(url, new_reference=lambda: "IM-2")
    told = await store.dossier("IM-1")
    due = await store.due_sends("web", "chat", 10, NOON)
    await store.close()

    assert told is not None
    assert [(line.text, line.revision, [file.state for file in line.files]) for line in told.lines] == [
        ("look", 1, [FileState.NAMED]),
        ("yes", 0, []),
    ]
    assert [(send.message.text, send.message.slot, send.message.reference) for send in due] == [("yes", None, "IM-1")]


def first_rows(connection: sa.Connection) -> None:
    for statement in FIRST_ROWS.split(";"):
        bound = sa.bindparam("now", NOON, type_=UtcTime()) if ":now" in statement else None
        connection.execute(sa.text(statement).bindparams(bound) if bound is not None else sa.text(statement))


async def test_what_the_first_release_sent_is_found_when_it_comes_back(sqlite: SqlGround) -> None:
    with connect(sqlite.url.path) as file:
        file.executescript(FIRST_RELEASE.read_text(encoding="utf-8"))
    file.close()

    store = await sqlite.open()
    await store.record([Bounced("dsn", "web", "chat", "11.0", final=True, reason="5.1.1")], NOON)
    told = await store.dossier("IM-0001-0001")

    assert told is not None
    assert told.unreachable == "5.1.1"
    assert [line.delivery for line in told.lines if line.speaker is Speaker.AGENT] == [SendState.FAILED]


async def test_a_program_of_the_first_release_can_go_on_writing(ground: SqlGround) -> None:
    """What it does not know it leaves out; it must be allowed to."""
    store = await ground.open()
    known = first_columns()
    unknown = [
        column
        for table in metadata.sorted_tables
        if table.name in known
        for column in table.columns
        if column.name not in known[table.name]
    ]
    optional = await run(store, lambda connection: [pair for name in known for pair in left_out(connection, name)])

    assert {column.name for column in unknown} == {"quoted", "remarks", "state", "kept_type", "secret", "slot"}
    assert [column for column in unknown if (column.table.name, column.name) not in optional] == []


def first_columns() -> dict[str, set[str]]:
    """The columns of each table of the first release."""
    file = connect(":memory:")
    file.executescript(FIRST_RELEASE.read_text(encoding="utf-8"))
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {name: {row[1] for row in file.execute(f"PRAGMA table_info({name})")} for name in names}
    file.close()
    return columns


def left_out(connection: sa.Connection, table: str) -> list[tuple[object, ...]]:
    """The columns of *table* that a row may leave out."""
    columns = sa.inspect(connection).get_columns(table)
    return [(table, column["name"]) for column in columns if column["nullable"] or column["default"] is not None]


async def run(store: SqlStore, work: Work[list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    return await database.write(work)


def differences(connection: sa.Connection) -> list[tuple[object, ...]]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def lacking(connection: sa.Connection, statement: str) -> list[tuple[object, ...]]:
    connection.exec_driver_sql(statement)
    return differences(connection)
