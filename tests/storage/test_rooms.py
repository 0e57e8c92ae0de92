"""What of each conversation stands in a staff room, and which copy is to be brought up to date next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.storage.acts import join_line, later, leave_line, state, take_turn, write_in
from tests.storage.conftest import SqlGround

from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.playbook import Priority
from imconnect.ports import Posted, RoomCopy, RoomResult, Store
from imconnect.storage import SqlStore
from imconnect.storage.engine import SqliteDatabase
from imconnect.testing.makers import NOON, address

PEERS = ("ann", "bob", "cid", "dan", "eve", "fay")
ROOM = ("telegram", "-100")
POSTS = (Posted(("11", "12"), 1, 3, "a"), Posted(("13",), 4, 4, "b"))


async def behind(store: Store, now: datetime = NOON, room: tuple[str, str] = ROOM) -> RoomCopy | None:
    return await store.behind(*room, now)


async def next_copy(store: Store, now: datetime = NOON, room: tuple[str, str] = ROOM) -> RoomCopy:
    copy = await behind(store, now, room)
    assert copy is not None
    return copy


def copied(copy: RoomCopy, topic: str | None = "t-1") -> RoomResult:
    """The room stands as the conversation does."""
    return RoomResult(copy.conversation, copy.version, topic, "head-1", POSTS, shut=False)


async def settle(store: Store, result: RoomResult, room: tuple[str, str] = ROOM) -> None:
    await store.settle_room(*room, result, NOON)


async def copy_all(store: Store, now: datetime = NOON) -> list[str]:
    """Bring everything up to date; whose conversations, in the order of copying."""
    peers: list[str] = []
    while (copy := await behind(store, now)) is not None:
        peers.append(await peer_of(store, copy))
        await settle(store, copied(copy, f"topic {copy.conversation}"))
    return peers


async def peer_of(store: Store, copy: RoomCopy) -> str:
    states = {peer: await store.state_at(address(peer)) for peer in PEERS}
    return next(peer for peer, found in states.items() if found is not None and found.id == copy.conversation)


async def with_agent(store: Store, peer: str) -> None:
    await join_line(store, peer)
    await write_in(store, "an agent comes", peer=peer)
    await take_turn(store, become=lambda conversation: replace(conversation, stage=Stage.WITH_AGENT, agent="Mei"))


async def test_what_the_bot_handles_alone_is_not_copied(store: Store) -> None:
    await store.mirror_to([ROOM])
    await write_in(store, "hello")
    await take_turn(store)

    assert await behind(store) is None


async def test_who_waits_is_copied_with_everything_an_agent_needs(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    copy = await next_copy(store)
    dossier = await store.dossier((await state(store)).reference)

    assert copy.dossier == dossier
    assert (copy.topic, copy.head, copy.posts, copy.shut, copy.attempts) == (None, None, (), False, 0)


async def test_what_was_copied_is_remembered_and_up_to_date(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    first = await next_copy(store)
    await settle(store, copied(first))
    between = await behind(store)
    await write_in(store, "one more thing")
    await take_turn(store)
    second = await next_copy(store)

    assert between is None
    assert (second.topic, second.head, second.posts, second.shut) == ("t-1", "head-1", POSTS, False)
    assert second.version > first.version
    assert [line.text for line in second.dossier.lines][-1] == "one more thing"


async def test_what_is_said_while_it_is_copied_is_copied_after(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    copy = await next_copy(store)
    await write_in(store, "meanwhile")
    await take_turn(store)
    await settle(store, copied(copy))

    assert (await next_copy(store)).version > copy.version


async def test_posts_take_the_place_of_those_before(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    copy = await next_copy(store)
    await settle(store, replace(copied(copy), retry_at=NOON))
    await settle(store, replace(copied(copy), posts=POSTS[1:], topic=None, head=None, shut=True, retry_at=NOON))
    again = await next_copy(store)

    assert (again.posts, again.topic, again.head, again.shut) == (POSTS[1:], None, None, True)


async def test_a_conversation_that_is_over_is_copied_to_the_end(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    await settle(store, copied(await next_copy(store)))
    await leave_line(store, "ann")

    assert (await next_copy(store)).dossier.summary.stage is Stage.RESOLVED


async def test_a_copy_to_try_later_is_due_then_and_counted(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    copy = await next_copy(store)
    await settle(store, replace(copied(copy), retry_at=later(35)))
    early, due = await behind(store, later(34)), await next_copy(store, later(35))
    await settle(store, copied(due))
    await write_in(store, "more")
    await take_turn(store)

    assert early is None
    assert (due.version, due.attempts, due.topic) == (copy.version, 1, "t-1")
    assert (await next_copy(store)).attempts == 0


async def test_what_cannot_be_copied_is_left_until_it_changes_and_counted(store: Store) -> None:
    """T-10: the bot may open no topics any more."""
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    copy = await next_copy(store)
    await settle(store, replace(copied(copy), topic=None, failed="no right to open topics"))
    left, counted = await behind(store, later(10_000)), (await store.backlog(NOON)).rooms_failed
    await write_in(store, "more")
    await take_turn(store)
    again = await next_copy(store)
    await settle(store, copied(again))

    assert (left, counted) == (None, 1)
    assert (await store.backlog(NOON)).rooms_failed == 0


async def test_the_most_urgent_is_copied_first(store: Store) -> None:
    """Agents' own conversations, then the line in its order, then what is over."""
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    await join_line(store, "bob")
    await leave_line(store, "bob")
    await leave_line(store, "ann")
    await join_line(store, "cid", since=later(20))
    await join_line(store, "dan", since=later(10))
    await join_line(store, "eve", Priority.URGENT, since=later(30))
    await with_agent(store, "fay")

    assert await copy_all(store) == ["fay", "eve", "dan", "cid", "ann", "bob"]


async def test_a_copy_that_is_not_due_holds_up_nobody_else(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann", since=later(1))
    await join_line(store, "bob", since=later(2))
    first = await next_copy(store)
    await settle(store, replace(copied(first, None), retry_at=later(60)))

    assert await peer_of(store, await next_copy(store)) == "bob"


async def test_a_topic_leads_to_its_conversation(store: Store) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    await settle(store, copied(await next_copy(store), "77"))

    assert await store.conversation_in(*ROOM, "77") == (await state(store)).reference
    assert await store.conversation_in(*ROOM, "78") is None
    assert await store.conversation_in("telegram", "-200", "77") is None


async def test_each_room_has_a_copy_of_its_own(store: Store) -> None:
    forum = ("discord", "9")
    await store.mirror_to([ROOM, forum])
    await join_line(store, "ann")
    await settle(store, copied(await next_copy(store)))

    assert await behind(store) is None
    assert (await next_copy(store, room=forum)).topic is None
    assert await behind(store, room=("discord", "10")) is None


async def test_a_room_that_is_new_gets_everybody_who_is_waiting_already(store: Store) -> None:
    await join_line(store, "ann")
    await write_in(store, "hello", peer="bob")
    await take_turn(store)
    async with store.changes("room") as bell:
        await store.mirror_to([ROOM])
        rung = await bell.wait(5)
    await settle(store, copied(await next_copy(store)))
    await store.mirror_to([ROOM])

    assert rung
    assert await behind(store) is None


async def test_a_room_that_is_left_gets_no_more(store: Store) -> None:
    await store.mirror_to([ROOM])
    await store.mirror_to([])
    await join_line(store, "ann")

    assert await behind(store) is None


async def test_a_result_for_what_is_not_there_changes_nothing(store: Store) -> None:
    await store.mirror_to([ROOM])
    await settle(store, RoomResult(99, 1, "t", "h", POSTS, shut=False))

    assert await behind(store) is None
    assert await store.conversation_in(*ROOM, "t") is None


@pytest.mark.parametrize("waits", [True, False])
async def test_a_turn_rings_for_the_room_only_when_there_is_something_to_copy(store: Store, waits: bool) -> None:
    await store.mirror_to([ROOM])
    async with store.changes("room") as bell:
        await write_in(store, "hello")
        await take_turn(store, become=_waiting if waits else _as_it_is)

        assert await bell.wait(0.1) is waits


def _waiting(conversation: Conversation) -> Conversation:
    return replace(conversation, stage=Stage.WAITING, waiting_since=NOON)


def _as_it_is(conversation: Conversation) -> Conversation:
    return conversation


@pytest.mark.parametrize("again", [True, False])
async def test_a_copy_to_try_again_rings(store: Store, again: bool) -> None:
    await store.mirror_to([ROOM])
    await join_line(store, "ann")
    copy = await next_copy(store)
    async with store.changes("room") as bell:
        await settle(store, replace(copied(copy), retry_at=later(5) if again else None))

        assert await bell.wait(0.1) is again


async def test_a_turn_is_one_statement_more_with_a_room_and_none_without(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    for peer in PEERS:
        await join_line(store, peer)
    counts: dict[str, int] = {}
    rooms_of: dict[str, Sequence[tuple[str, str]]] = {"none": [], "one": [ROOM]}
    for name, rooms in rooms_of.items():
        await store.mirror_to(rooms)
        for peer in PEERS:
            await write_in(store, name, peer=peer)
        counts[name] = await statements(store, lambda: take_turn(store))

    assert counts["one"] == counts["none"] + 1


async def statements(store: SqlStore, act: Callable[[], Awaitable[object]]) -> int:
    """How many statements the database runs while *act* does its work."""
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    assert isinstance(database, SqliteDatabase)
    seen: list[str] = []

    def see(_connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = database._engine  # pyright: ignore[reportPrivateUsage] - as above
    event.listen(engine, "before_cursor_execute", see)
    await act()
    event.remove(engine, "before_cursor_execute", see)
    return len(seen)


async def test_the_conversations_of_a_room_are_found_by_an_index(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    plan = "EXPLAIN QUERY PLAN SELECT * FROM rooms WHERE channel = 'a' AND room = 'b' AND version > copied_version"
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    steps = await database.read(lambda connection: connection.exec_driver_sql(plan).all())

    assert ["ix_rooms_behind" in str(step) for step in steps] == [True]


async def test_many_workers_lose_no_version(postgres: SqlGround) -> None:
    stores = [await postgres.open() for _ in range(3)]
    for store in stores:
        await store.mirror_to([ROOM])
    await join_line(stores[0], "ann")
    before = (await next_copy(stores[0])).version

    async def talk(store: Store, number: int) -> None:
        for turn in range(8):
            await write_in(store, f"{number} {turn}")
            await take_turn(store)

    await asyncio.gather(*(talk(store, number) for number, store in enumerate(stores)))
    while await take_turn(stores[0]):
        pass
    copy = await next_copy(stores[1])

    assert copy.version > before
    assert len(copy.dossier.lines) == 25
