"""The desk as an operator runs it, with Discord as its channel, in a process that may be killed."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tests.worlds.discord import World

PHRASINGS = 12


def offered(folder: Path) -> Path:
    """A folder that offers the channel to a desk, whether or not the installed package does."""
    about = folder / "site" / "imconnect_discord_offer-1.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: imconnect-discord-offer\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[imconnect.adapters]\ndiscord = imconnect_discord:DiscordAdapter\n")
    return about.parent


def environment(world: World, folder: Path, database: str | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMCONNECT_")}
    paths = [str(offered(folder)), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "IMCONNECT_DATABASE__URL": database or f"sqlite:///{folder}/desk.db",
        "IMCONNECT_PACK": str(folder / "pack"),
        "IMCONNECT_WEB__PORT": "0",
        "IMCONNECT_MATCHER": "ngrams",
        "IMCONNECT_DISCORD__TOKEN": world.token,
        "IMCONNECT_DISCORD__API_ROOT": world.api_root,
        "IMCONNECT_DISCORD__GATEWAY": world.gateway,
        "IMCONNECT_DISCORD__SUPPORT_CHANNEL": str(world.channel("support").id),
    }


@asynccontextmanager
async def started(
    world: World, folder: Path, log: str = "log", database: str | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process of a desk, which says what it does in the file *log*; killed at the end, if it still lives."""
    environ = environment(world, folder, database)
    with (folder / log).open("ab") as says:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "imconnect", "run", cwd=folder, env=environ, stdout=says, stderr=says
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def running(world: World, folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A desk with a session; killed at the end, if it still lives."""
    sessions = len(world.connection.identifies)
    async with started(world, folder) as process:
        await world.until(
            lambda: len(world.connection.identifies) > sessions or process.returncode is not None or None, 60
        )
        assert process.returncode is None, (folder / "log").read_text()
        yield process


def asked(folder: Path, question: str) -> list[tuple[str, ...]]:
    """Rows of the desk's database, while nobody or the desk itself has it open."""
    with closing(sqlite3.connect(f"file:{folder}/desk.db?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(question).fetchall()


async def all_is_done(world: World, folder: Path, messages: int) -> None:
    """Wait until *messages* of customers are stored and the desk has nothing more to do."""

    def nothing_left() -> bool | None:
        [(stored,)] = asked(folder, "select count(*) from messages where speaker = 'customer'")
        if int(stored) < messages or asked(folder, "select id from events where pending"):
            return None
        return not asked(folder, "select id from outbox where unsettled") or None

    await world.until(nothing_left, 60)
