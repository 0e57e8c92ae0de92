"""Brings a database's tables up to this program's."""

from pathlib import Path

import sqlalchemy as sa

from imconnect.ports import StoreUnavailable
from imconnect.storage.engine import PostgresDatabase, SqliteDatabase

HEAD = "0003"
"""The newest revision in `migrations/versions`; a test holds the two together."""

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 736_501


async def bring_up_to_date(database: SqliteDatabase | PostgresDatabase) -> None:
    """Run the migrations that are missing, one process at a time. Cheap when none is."""
    found = await database.read(revision)
    if found == HEAD:
        return
    await database.write(upgrade)


def revision(connection: sa.Connection) -> str | None:
    """Which migration the database is at; None where it has no tables."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Migrate within the caller's transaction."""
    # Alembic takes a good part of a second to import, and is needed once in a database's life.
    from alembic import command  # noqa: PLC0415 - as said
    from alembic.config import Config  # noqa: PLC0415 - as said
    from alembic.util import CommandError  # noqa: PLC0415 - as said

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise StoreUnavailable(
                f"the database is at revision {revision(connection)}, newer than this program: update imconnect"
            ) from None
        raise
