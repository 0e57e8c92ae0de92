"""Killed at any moment, again and again: nothing lost, nothing twice, nothing out of order."""

import asyncio
import json
import random
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.desks import Desk, Desks, desks_in
from tests.faults.packs import small_pack
from tests.faults.talks import PEERS, Talks, outcomes_of
from tests.worlds.counterparty import Loft, open_loft
from tests.worlds.needs import needs_postgres
from tests.worlds.postgres import Cluster

from imconnect.content import read_pack
from imconnect.domain.conversations import Stage
from imconnect.ports import Backlog
from imconnect.storage import DatabaseUrl, SqlStore

KILLS = 30
LINES_A_LIFE = 40
SEED = 20260105


async def test_thirty_kills_on_sqlite_lose_nothing_double_nothing_and_keep_the_order(tmp_path: Path) -> None:
    pack = small_pack(tmp_path)
    chance = random.Random(SEED)
    talks = Talks(read_pack(pack), chance)
    async with (
        open_loft(talks.more) as loft,
        desks_in(tmp_path, {"pack": str(pack), "pigeon.url": loft.url}) as desks,
    ):
        for _ in range(KILLS):
            talks.left += LINES_A_LIFE
            desk = await desks.start()
            await _some_work(loft, chance)
            await desk.kill()
        last = await desks.start()
        await _all_answered(loft, talks)
        await last.stop()

        await _assert_once_and_in_order(loft, talks, f"sqlite:///{tmp_path}/a.db")


async def _up(desks: Desks, desk: Desk, role: str) -> Desk:
    """*desk* once it is ready; one whose connection was cut while it started has ended with a line, and is started
    anew as a supervisor would."""
    try:
        await desk.ready()
    except AssertionError:
        desk = await desks.start("--only", role)
        await desk.ready()
    return desk


@needs_postgres
async def test_thirty_kills_of_several_processes_on_postgres_lose_nothing_double_nothing_and_keep_the_order(
    tmp_path: Path, postgres_url: str, cluster: Cluster
) -> None:
    pack = small_pack(tmp_path)
    chance = random.Random(SEED)
    talks = Talks(read_pack(pack), chance)
    settings = {"pack": str(pack), "database.url": postgres_url}
    async with open_loft(talks.more) as loft, desks_in(tmp_path, {**settings, "pigeon.url": loft.url}) as desks:
        roles = ["connectors", "workers", "workers"]
        running = [await desks.start("--only", role) for role in roles]
        await asyncio.gather(*(desk.ready() for desk in running))
        for kill in range(KILLS):
            talks.left += LINES_A_LIFE
            await _some_work(loft, chance)
            if kill % 4 == 0:
                await _cut_connections(cluster, postgres_url)
            victim = chance.randrange(len(roles))
            await running[victim].kill()
            running[victim] = await desks.start("--only", roles[victim])
        running = [await _up(desks, desk, role) for desk, role in zip(running, roles, strict=True)]
        await _all_answered(loft, talks)
        for desk in running:
            await desk.stop()

        await _assert_once_and_in_order(loft, talks, postgres_url)


async def test_what_was_being_sent_at_a_kill_on_a_channel_without_keys_is_shown_as_unknown_and_never_repeated(
    tmp_path: Path,
) -> None:
    pack = small_pack(tmp_path)
    settings = {"pack": str(pack), "pigeon.keyed": "false"}
    async with open_loft() as loft, desks_in(tmp_path, {**settings, "pigeon.url": loft.url}) as desks:
        first = await desks.start()
        loft.answering.clear()
        for peer in PEERS:
            await loft.write(peer, "start", "start")
        await loft.until(lambda loft: len(loft.arrived) == len(PEERS))
        await first.kill()
        loft.answering.set()
        second = await desks.start()
        for peer in PEERS:
            await loft.write(peer, "thanks")
        await loft.until(lambda loft: len(loft.arrived) == 2 * len(PEERS))
        await second.stop()
        shown = await _conversations(desks)

        assert [loft.shown_to(peer) for peer in PEERS] == [["welcome en", "thanks en"]] * len(PEERS)
        assert loft.repeats() == 0
        assert {tuple(line["delivery"] for line in one["lines"] if line["speaker"] == "bot") for one in shown} == {
            ("unknown", "sent")
        }


@needs_postgres
async def test_a_second_process_takes_over_the_channel_of_one_that_was_killed(
    tmp_path: Path, postgres_url: str
) -> None:
    pack = small_pack(tmp_path)
    settings = {"pack": str(pack), "database.url": postgres_url}
    async with open_loft() as loft, desks_in(tmp_path, {**settings, "pigeon.url": loft.url}) as desks:
        first = await desks.start()
        await first.ready()
        await loft.write("ann", "start", "start")
        await loft.until(lambda loft: len(loft.arrived) == 1)
        second = await desks.start()
        await second.ready()
        await first.kill()
        await loft.write("ann", "thanks")
        await loft.until(lambda loft: len(loft.arrived) == 2)
        code = await second.stop()

        assert loft.shown_to("ann") == ["welcome en", "thanks en"]
        assert code == 0


# ------------------------------------------------------------------------------------------------------------- parts


async def _some_work(loft: Loft, chance: random.Random) -> None:
    """Let the desk get on with it for a while: so many requests by chance, and then an instant by chance."""
    wanted = loft.requests + chance.randrange(1, LINES_A_LIFE)
    await loft.until(lambda loft: loft.requests >= wanted)
    await asyncio.sleep(chance.random() * 0.02)


async def _all_answered(loft: Loft, talks: Talks) -> None:
    await loft.until(lambda loft: talks.left == 0 and len(loft.shown) >= talks.said, within=120)
    await loft.until(lambda loft: loft.acknowledged == len(loft.letters))


async def _cut_connections(cluster: Cluster, url: str) -> None:
    name = url.rpartition("/")[2]
    await cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def _conversations(desks: Desks) -> list[dict[str, list[dict[str, str]]]]:
    listed = json.loads(await desks.told("conversation", "list", "--json"))
    return [json.loads(await desks.told("conversation", "show", one["reference"], "--json")) for one in listed]


async def _assert_once_and_in_order(loft: Loft, talks: Talks, url: str) -> None:
    texts: dict[str, set[str]] = {}
    for one in loft.arrived:
        texts.setdefault(one.key, set()).add(one.text)
    store = await SqlStore.open(DatabaseUrl.parse(url), new_reference=str, migrate=False)
    try:
        backlog: Backlog = await store.backlog(datetime.now(UTC))
        open_ones = await store.summaries(frozenset(Stage), 100)
        outcomes = [await outcomes_of(store, one.reference) for one in open_ones]
    finally:
        await store.close()

    assert {key: said for key, said in texts.items() if len(said) > 1} == {}
    assert {peer: loft.shown_to(peer) for peer in talks.expected} == talks.expected
    assert len(loft.shown) == talks.said == loft.acknowledged
    assert sum(map(len, outcomes)) == loft.acknowledged
    assert not [said for one in outcomes for said in one if not said or said.startswith("failed")]
    assert (backlog.events, backlog.sends, backlog.errands, backlog.unknown_sends) == (0, 0, 0, 0)
