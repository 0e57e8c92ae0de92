"""What is shown of what is stored, who may sign in, and how those who wait are woken."""

import asyncio
import sys
from dataclasses import replace

import pytest
from tests.storage.acts import answer, claim, later, lines, say, settle, state, take_turn, write_in
from tests.storage.conftest import SqlGround

from imconnect.domain.actions import RunErrand
from imconnect.domain.conversations import Given, Stage
from imconnect.domain.events import ErrandKind
from imconnect.domain.messages import Choice, Purpose
from imconnect.ports import Agent, AgentHandle, Backlog, SendState, Speaker, Store
from imconnect.storage import store as store_module
from imconnect.testing.makers import NOON, address, received, secret


async def test_a_transcript_goes_on_where_the_reader_stopped(store: Store) -> None:
    await write_in(store, "one", "two", "three", "four")
    first = await store.transcript(address(), 0, 3)
    rest = await store.transcript(address(), first[-1].id, 3)

    assert [[line.text for line in page] for page in (first, rest)] == [["one", "two", "three"], ["four"]]


async def test_a_transcript_is_of_one_address(store: Store) -> None:
    await write_in(store, "mine", peer="ann")
    await write_in(store, "theirs", peer="bob")

    assert [line.text for line in await lines(store, "ann")] == ["mine"]
    assert list(await lines(store, "nobody")) == []


async def test_a_dossier_tells_all_of_a_case(store: Store) -> None:
    await store.record([received("hello", secret=secret())], NOON)
    choices = (Choice("yes", "Yes"),)
    await take_turn(
        store,
        answer("anything else?", Purpose.QUESTION, choices),
        become=lambda conversation: replace(
            conversation, topic="fees", why="topic fees", details={"when": Given("today")}, asked_for=("device",)
        ),
    )
    dossier = await store.dossier((await state(store)).reference)

    assert dossier is not None
    assert (dossier.summary.topic, dossier.summary.why, dossier.asked_for) == ("fees", "topic fees", ("device",))
    assert dict(dossier.details) == {"when": Given("today")}
    assert [(line.speaker, line.text, line.choices, line.purpose) for line in dossier.lines] == [
        (Speaker.CUSTOMER, "hello", (), None),
        (Speaker.BOT, "anything else?", choices, Purpose.QUESTION),
    ]
    assert dossier.outcomes == ((NOON, "message", "done"),)
    assert await store.dossier("TW-0") is None


async def test_a_backlog_counts_what_waits_and_how_long(store: Store) -> None:
    await write_in(store, "hello", now=NOON)
    await take_turn(store, answer(), answer("more"), RunErrand(ErrandKind.DELETE_UPSTREAM, "m1"), now=later(10))
    await write_in(store, "again", now=later(20))
    (send,) = await claim(store, now=later(20))
    await settle(store, [send], SendState.UNKNOWN, now=later(20))
    found = await store.backlog(later(50))

    assert found == Backlog(
        events=2,
        oldest_event=30.0,
        sends=1,
        oldest_send=40.0,
        unknown_sends=1,
        failed_sends=0,
        waiting=0,
        errands=1,
        quarantined=0,
    )


async def test_an_empty_desk_has_no_backlog(store: Store) -> None:
    assert await store.backlog(NOON) == Backlog(0, 0.0, 0, 0.0, 0, 0, 0, 0, 0)


async def test_an_address_nobody_wrote_from_has_no_state(store: Store) -> None:
    assert await store.state_at(address("nobody")) is None
    assert await store.expects(address("nobody")) == frozenset()
    assert list(await store.summaries(frozenset(Stage), 10)) == []


# ------------------------------------------------------------------------------------------------------------ agents


async def test_a_sign_in_token_lets_one_in_once(store: Store) -> None:
    mei = await store.add_agent("Mei", "hash", later(60), NOON)
    entered = [await store.redeem("hash", later(59)), await store.redeem("hash", later(59))]

    assert entered == [mei, None]
    assert await store.agent(mei.id) == await store.agent_named("Mei") == Agent(mei.id, "Mei")


async def test_a_token_ends_at_its_time_or_when_there_is_a_newer(store: Store) -> None:
    mei = await store.add_agent("Mei", "first", later(60), NOON)
    late = await store.redeem("first", later(60))
    again = await store.add_agent("Mei", "second", later(60), NOON)
    old = await store.redeem("first", later(1))

    assert (late, old) == (None, None)
    assert again == mei == await store.redeem("second", later(1))


async def test_agents_are_told_apart(store: Store) -> None:
    mei = await store.add_agent("Mei", "one", later(60), NOON)
    li = await store.add_agent("Li", "two", later(60), NOON)

    assert mei.id != li.id
    assert await store.redeem("two", NOON) == li
    assert (await store.agent(99), await store.agent_named("Nobody")) == (None, None)


async def test_two_who_come_with_one_token_are_one(ground: SqlGround) -> None:
    stores = [await ground.open(), await ground.open()]
    mei = await stores[0].add_agent("Mei", "hash", later(60), NOON)
    entered = await asyncio.gather(*(store.redeem("hash", NOON) for store in (*stores, *stores)))

    assert sorted(entered, key=lambda one: one is None) == [mei, None, None, None]


async def test_agents_are_listed_in_the_order_they_came(store: Store) -> None:
    names = [(await store.add_agent(name, name, later(60), NOON)).name for name in ("Mei", "Li", "Ann")]

    assert [agent.name for agent in await store.agents()] == names


async def test_a_handle_is_one_agents_and_nobody_elses(store: Store) -> None:
    mei, li = await two_agents(store)
    await store.link_agent(mei.id, "telegram", "7", NOON)
    await store.link_agent(li.id, "discord", "7", NOON)
    before = await store.agent_behind("telegram", "7")
    await store.link_agent(li.id, "telegram", "7", later(1))

    assert (before, await store.agent_behind("telegram", "7")) == (mei, li)
    assert list(await store.agent_handles()) == [AgentHandle(li, "discord", "7"), AgentHandle(li, "telegram", "7")]
    assert await store.agent_behind("email", "7") is None


async def test_a_handle_that_is_taken_away_is_nobodys(store: Store) -> None:
    mei, _ = await two_agents(store)
    await store.link_agent(mei.id, "telegram", "7", NOON)
    gone = [await store.unlink_agent("discord", "7"), await store.unlink_agent("telegram", "7")]

    assert gone == [False, True]
    assert await store.unlink_agent("telegram", "7") is False
    assert await store.agent_behind("telegram", "7") is None


async def two_agents(store: Store) -> tuple[Agent, Agent]:
    return await store.add_agent("Mei", "one", later(60), NOON), await store.add_agent(
        "Élodie 李", "two", later(60), NOON
    )


@pytest.mark.parametrize(
    ("name", "vouched"),
    [
        ("Mei", True),
        ("mei", True),
        ("@MEI", True),
        (" Mei ", True),
        ("élodie 李", True),
        ("mei_support", True),
        ("@Mei_Support", True),
        ("mei_elsewhere", False),
        ("Mei Support", False),
        ("Me", False),
        ("", False),
        ("@", False),
    ],
)
async def test_only_an_agents_own_name_and_handles_are_vouched_for(store: Store, name: str, vouched: bool) -> None:
    """S-19: "is this agent real?"."""
    mei, _ = await two_agents(store)
    await store.link_agent(mei.id, "telegram", "Mei_Support", NOON)
    await store.link_agent(mei.id, "discord", "mei_elsewhere", NOON)

    assert await store.vouched("telegram", name) is vouched


async def test_what_is_kept_first_stays(store: Store) -> None:
    assert [await store.keep("key", "first"), await store.keep("key", "second")] == ["first", "first"]


async def test_two_processes_keep_the_same(ground: SqlGround) -> None:
    stores = [await ground.open(), await ground.open()]
    kept = await asyncio.gather(*(store.keep("key", str(number)) for number, store in enumerate(stores)))

    assert kept[0] == kept[1]


# ------------------------------------------------------------------------------------------------------------- bells

SOON, NOT_AT_ALL = 5.0, 0.05


async def test_a_bell_rings_for_its_own_topic(store: Store) -> None:
    async with store.changes("turn") as turn, store.changes("send") as send:
        await write_in(store, "hello")

        assert await turn.wait(SOON)
        assert not await send.wait(NOT_AT_ALL)


async def test_rings_that_came_while_nobody_waited_are_remembered_as_one(store: Store) -> None:
    async with store.changes("turn") as bell:
        await write_in(store, "one")
        await write_in(store, "two")

        assert await bell.wait(SOON)
        assert not await bell.wait(NOT_AT_ALL)


async def test_a_conversation_rings_when_something_is_said_or_sent(store: Store) -> None:
    await write_in(store, "hello")
    conversation = (await state(store)).id
    async with store.changes(f"conversation:{conversation}") as bell, store.changes("send") as sends:
        await take_turn(store, answer())
        said, to_send = await bell.wait(SOON), await sends.wait(SOON)
        await settle(store, await claim(store))

        assert (said, to_send, await bell.wait(SOON)) == (True, True, True)


async def test_a_bell_of_another_conversation_is_silent(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    await write_in(store, "hello", peer="ann")
    await write_in(store, "hello", peer="bob")
    async with store.changes(f"conversation:{(await state(store, 'bob')).id}") as bell:
        await say(store, "to ann only", peer="ann")
        await bell.wait(NOT_AT_ALL)
        await write_in(store, "more", peer="ann")

        assert not await bell.wait(NOT_AT_ALL)


TAKES = """
import asyncio, sys
from datetime import UTC, datetime
from imconnect.domain.events import AgentTook
from imconnect.storage import DatabaseUrl, SqlStore

async def main():
    store = await SqlStore.open(DatabaseUrl.parse(sys.argv[1]), new_reference=str)
    await store.act(sys.argv[2], AgentTook("Mei"), "click", datetime.now(UTC))
    await store.close()

asyncio.run(main())
"""


async def test_what_another_process_does_rings_here(ground: SqlGround) -> None:
    store = await ground.open()
    await write_in(store, "hello")
    await asyncio.sleep(2 * store_module.WATCH_SECONDS)
    async with store.changes("turn") as bell:
        await bell.wait(NOT_AT_ALL)
        url, reference = str(ground.url), (await state(store)).reference
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", TAKES, url, reference)

        assert await process.wait() == 0
        assert await bell.wait(SOON)
