"""For measuring: how fast this machine commits at all, and databases to be thrown away."""

import sqlite3
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from imconnect.storage.engine import PostgresDatabase, translated
from imconnect.storage.urls import DatabaseUrl

SENTENCE = "a message of ordinary length, as people write them"


async def commits_a_second(url: DatabaseUrl, folder: Path, count: int) -> float:
    """Durable commits of one row each, one after another; for SQLite in a file of its own in *folder*."""
    return _on_sqlite(folder / "floor.db", count) if url.sqlite else await _on_postgres(url, count)


def _on_sqlite(path: Path, count: int) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE floor (text TEXT)"):
        connection.execute(statement).close()
    started = time.perf_counter()
    for _ in range(count):
        connection.execute("INSERT INTO floor VALUES (?)", (SENTENCE,)).close()
    elapsed = time.perf_counter() - started
    connection.close()
    return count / elapsed


async def _on_postgres(url: DatabaseUrl, count: int) -> float:
    async with scratch_database(url, "floor") as scratch:
        database = PostgresDatabase(scratch)
        connection, driver = await database.driver_connection()
        try:
            await driver.execute("CREATE TABLE floor (text TEXT)")
            insert = await driver.prepare("INSERT INTO floor VALUES ($1)")
            started = time.perf_counter()
            for _ in range(count):
                await insert.fetch(SENTENCE)
            return count / (time.perf_counter() - started)
        finally:
            await connection.close()
            await database.close()


@asynccontextmanager
async def scratch_database(url: DatabaseUrl, name: str) -> AsyncGenerator[DatabaseUrl]:
    """A new database beside the one *url* names, dropped at the end."""
    server = PostgresDatabase(url)
    fresh = f"imconnect_{name}_{time.monotonic_ns():x}"
    try:
        connection, driver = await server.driver_connection()
        try:
            with translated(url):
                await driver.execute(f'CREATE DATABASE "{fresh}"')
            try:
                yield DatabaseUrl(url.url.set(database=fresh))
            finally:
                await driver.execute(f'DROP DATABASE IF EXISTS "{fresh}" WITH (FORCE)')
        finally:
            await connection.close()
    finally:
        await server.close()
