"""The waiting line as the store keeps it: who stands where, how long it takes, and who is to be told."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.storage.acts import events, join_line, later, leave_line, places, state, take_turn, write_in

from imconnect.domain.conversations import PlaceInLine, Stage
from imconnect.domain.events import PlaceDue, PlaceReason
from imconnect.domain.playbook import Pace, Priority
from imconnect.ports import Store
from imconnect.testing.makers import NOON

PEERS = ("ann", "bob", "cid", "dan", "eve")
MOVED = PlaceDue(PlaceReason.MOVED_UP)


async def five_wait(store: Store, told: bool = False) -> None:
    for number, peer in enumerate(PEERS):
        await join_line(store, peer, since=later(number), told=number + 1 if told else None)


async def test_the_line_is_by_priority_then_by_arrival(store: Store) -> None:
    await join_line(store, "early", Priority.NORMAL, later(0))
    await join_line(store, "late", Priority.NORMAL, later(10))
    await join_line(store, "urgent", Priority.URGENT, later(20))
    await join_line(store, "idle", Priority.LOW, later(-10))

    assert await places(store, ["urgent", "early", "late", "idle"]) == {"urgent": 1, "early": 2, "late": 3, "idle": 4}


async def test_when_one_in_the_middle_leaves_those_behind_move_up_by_one(store: Store) -> None:
    """S-16: five wait and the second is closed."""
    await five_wait(store)
    await leave_line(store, "bob")

    assert await places(store, PEERS) == {"ann": 1, "bob": None, "cid": 2, "dan": 3, "eve": 4}


async def test_a_place_is_known_by_the_conversation_too(store: Store) -> None:
    await five_wait(store)
    third = await state(store, "cid")

    assert await store.place(third.id) == PlaceInLine(3, 5, None)
    assert await store.place(99) is None


async def test_a_turn_begins_with_the_place_as_it_is_then(store: Store) -> None:
    await five_wait(store)
    await leave_line(store, "ann")
    await write_in(store, "how long", peer="cid")
    async with store.turn(10, NOON) as turn:
        (case,) = turn.cases

    assert case.conversation.line == PlaceInLine(2, 4, None)


async def test_a_raised_priority_moves_forward(store: Store) -> None:
    await five_wait(store)
    await write_in(store, "it is stolen", peer="eve")
    await take_turn(store, become=lambda conversation: replace(conversation, priority=Priority.URGENT))

    assert await places(store, PEERS) == {"eve": 1, "ann": 2, "bob": 3, "cid": 4, "dan": 5}


async def test_the_wait_is_worked_out_from_how_fast_people_are_served(store: Store) -> None:
    for number in range(9):
        await join_line(store, f"peer {number}", since=later(number))
    waits: list[int | None] = []
    for number in range(4):
        await leave_line(store, f"peer {number}", now=later(100 + 120 * number))
        line = (await state(store, "peer 8")).line
        waits.append(line.wait if line is not None else -1)

    assert waits == [None, None, None, 600]


# ------------------------------------------------------------------------------------------------------ who is told


async def watch(store: Store, seconds: float) -> int:
    return await store.watch_line(Pace(), later(seconds))


async def told(store: Store) -> Sequence[str]:
    """Whom a change of place is to be told to; the events stay."""
    async with store.turn(100, NOON) as turn:
        return sorted(
            case.conversation.address.peer for case in turn.cases for pending in case.events if pending.event == MOVED
        )


async def test_nobody_is_told_while_nothing_changed(store: Store) -> None:
    await five_wait(store, told=True)

    assert await watch(store, 600) == 0


async def test_only_those_are_told_to_whom_the_change_matters(store: Store) -> None:
    await five_wait(store, told=True)
    await leave_line(store, "ann", now=later(100))
    changed = await watch(store, 600)

    assert changed == 1
    assert await told(store) == ["bob"]


async def test_somebody_whose_wait_is_halved_is_told(store: Store) -> None:
    await five_wait(store, told=True)
    for peer in ("ann", "bob"):
        await leave_line(store, peer, now=later(100))
    await watch(store, 600)

    assert await told(store) == ["cid", "dan"]


async def test_a_change_is_queued_once_while_its_event_waits(store: Store) -> None:
    await five_wait(store, told=True)
    await leave_line(store, "ann", now=later(100))
    counts = [await watch(store, seconds) for seconds in (600, 601, 602)]

    assert counts == [1, 0, 0]


async def test_those_who_were_never_told_a_place_are_told_no_change(store: Store) -> None:
    await five_wait(store)
    await leave_line(store, "ann", now=later(100))

    assert await watch(store, 600) == 0
    assert await events(store) == []


@pytest.mark.parametrize(("channel", "told"), [("web", 0), ("email", 1)])
async def test_a_channel_has_a_pace_of_its_own(store: Store, channel: str, told: int) -> None:
    """Of two to whom it matters, one is next and is told at once; the other is on the web, and may be left in peace."""
    await five_wait(store, told=True)
    for peer in ("ann", "bob", "cid"):
        await leave_line(store, peer, now=later(10))
    patient = {channel: Pace(notice_gap=86_400)}
    changed = await store.watch_line(Pace(), later(100), patient)

    assert changed == 1 + told


async def test_moving_down_is_announced_to_nobody(store: Store) -> None:
    await five_wait(store, told=True)
    for number in range(3):
        await join_line(store, f"urgent {number}", Priority.URGENT, later(50), told=number + 1)

    assert await watch(store, 600) == 0


# ---------------------------------------------------------------------------------------------------------- on lists


async def test_lists_show_the_line_in_its_order_and_then_the_newest(store: Store) -> None:
    await write_in(store, "hello", peer="older", now=later(100))
    await take_turn(store, now=later(100))
    await write_in(store, "hello", peer="newer", now=later(200))
    await take_turn(store, now=later(200))
    await join_line(store, "late", since=later(20))
    await join_line(store, "early", since=later(10))
    found = await store.summaries(frozenset({Stage.WAITING, Stage.SELF_SERVICE}), 10)
    waiting = await store.summaries(frozenset({Stage.WAITING}), 1)

    assert [(one.place, one.updated_at) for one in found] == [
        (1, later(10)),
        (2, later(20)),
        (None, later(200)),
        (None, later(100)),
    ]
    assert [one.place for one in waiting] == [1]


@pytest.mark.parametrize("stage", [Stage.RESOLVED, Stage.WITH_AGENT])
async def test_who_is_no_longer_waiting_stands_in_no_line(store: Store, stage: Stage) -> None:
    await five_wait(store)
    await write_in(store, "their turn", peer="ann")
    await take_turn(store, become=lambda conversation: conversation.moved_to(stage))

    assert (await state(store, "ann")).line is None
    assert (await store.backlog(NOON)).waiting == 4
