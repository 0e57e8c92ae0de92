"""The desk's process dies at any moment, and every message is still handled once. (T-01, T-02)"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.botapi import Limits, Person, Server, World, serving
from tests.worlds.needs import ALL

REPETITIONS = 20 if ALL else 1
AT_ONCE = 20


def environment(server: Server, folder: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("IMCONNECT_")} | {
        "IMCONNECT_DATABASE__URL": f"sqlite:///{folder}/desk.db",
        "IMCONNECT_PACK": str(folder / "pack"),
        "IMCONNECT_WEB__PORT": "0",
        "IMCONNECT_MATCHER": "ngrams",
        "IMCONNECT_TELEGRAM__TOKEN": server.world.token,
        "IMCONNECT_TELEGRAM__API_ROOT": server.url,
        "IMCONNECT_TELEGRAM__MESSAGES_PER_SECOND": "1000",
    }


@asynccontextmanager
async def running(server: Server, folder: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The desk as an operator runs it, polling; killed at the end, if it still lives."""
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "imconnect",
            "run",
            cwd=folder,
            env=environment(server, folder),
            stdout=log,
            stderr=log,
        )
    try:
        await server.world.until(lambda: server.world.poll or process.returncode is not None, 60)
        assert process.returncode is None, (folder / "log").read_text()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def asked(folder: Path, question: str) -> list[tuple[str, ...]]:
    """Rows of the desk's database, while nobody or the desk itself has it open."""
    with closing(sqlite3.connect(f"file:{folder}/desk.db?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(question).fetchall()


async def all_is_done(world: World, folder: Path) -> None:
    """Wait until Telegram has nothing more to tell and the desk nothing more to do."""

    def nothing_left() -> bool:
        if world.updates.waiting:
            return False
        open_events = asked(folder, "select id from events where pending")
        return not open_events and not asked(folder, "select id from outbox where unsettled")

    await world.until(nothing_left, 60)


def handled_once(people: Sequence[Person], folder: Path) -> None:
    """What each wrote is stored once and answered once; an answer that nobody saw is one the desk calls unknown."""
    stored = Counter(peer for (peer,) in asked(folder, "select substr(external_id, 1, instr(external_id, ':') - 1) "
                                                       "from messages where speaker = 'customer'"))  # fmt: skip
    sends = Counter(peer for (peer,) in asked(folder, "select peer from outbox"))
    unknown = {peer for (peer,) in asked(folder, "select peer from outbox where state = 'unknown'")}

    for person in people:
        peer = str(person.id)
        seen = len(person.chat.from_bot)
        assert (stored[peer], sends[peer]) == (1, 1)
        assert seen == 1 or (seen == 0 and peer in unknown)


async def test_killed_after_twenty_updates_were_fetched_each_is_handled_once(tmp_path: Path) -> None:
    """T-01"""
    light_pack(tmp_path)
    async with serving(World(limits=Limits.none())) as server:
        world = server.world
        people: list[Person] = []
        for repetition in range(REPETITIONS):
            chance = random.Random(repetition)
            async with running(server, tmp_path) as process:
                world.calls.clear()
                newcomers = [world.person(f"Ann {repetition}.{number}") for number in range(AT_ONCE)]
                for person in newcomers:
                    person.says("/start")
                await world.until(lambda: world.called("getUpdates"))
                await asyncio.sleep(chance.uniform(0, 0.15))
                process.kill()
                people += newcomers
        async with running(server, tmp_path):
            await all_is_done(world, tmp_path)

    handled_once(people, tmp_path)


async def test_stopped_with_fifty_waiting_and_killed_two_seconds_later_none_is_dropped(tmp_path: Path) -> None:
    """T-02"""
    light_pack(tmp_path)
    async with serving(World(limits=Limits.none())) as server:
        world = server.world
        people = [world.person(f"Ann {number}") for number in range(50)]
        async with running(server, tmp_path) as process:
            for person in people:
                person.says("/start")
            await world.until(lambda: world.called("getUpdates"))
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 2)
            except TimeoutError:
                process.kill()
        async with running(server, tmp_path):
            await all_is_done(world, tmp_path)

    handled_once(people, tmp_path)
