"""A turn: claimed by one, in order, with an outcome for every event, written down whole."""

import asyncio
from dataclasses import replace

import pytest
from tests.storage.acts import (
    answer,
    claim,
    deliver_all,
    events,
    later,
    lines,
    say,
    state,
    take_turn,
    write_in,
)
from tests.storage.conftest import SqlGround

from imconnect.domain.actions import ClearTimer, FollowUp, MarkUnreachable, Note, SetTimer, WithdrawNotices
from imconnect.domain.conversations import Conversation, Given, Stage
from imconnect.domain.events import (
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentTook,
    DeliveryEnded,
    ErrandDone,
    ErrandKind,
    Event,
    MessageEdited,
    MessageReceived,
    PlaceDue,
    PlaceReason,
    TimerFell,
    TimerKind,
)
from imconnect.domain.messages import Language, Purpose, Script
from imconnect.domain.playbook import Priority
from imconnect.ports import SendState, Settled, Speaker, Store
from imconnect.testing.makers import NOON, secret

TOOK = AgentTook("Mei")


async def test_with_nothing_waiting_there_is_no_case(store: Store) -> None:
    async with store.turn(10, NOON) as turn:
        assert list(turn.cases) == []


async def test_every_event_has_its_outcome_and_happens_once(store: Store) -> None:
    await write_in(store, "one", "two", "three")
    (case,) = await take_turn(store)

    assert [await store.outcome(pending.id) for pending in case.events] == ["done", "done", "done"]
    assert [pending.at for pending in case.events] == [NOON, NOON, NOON]
    assert await events(store) == []


async def test_a_turn_that_is_not_applied_comes_again(store: Store) -> None:
    await write_in(store, "hello")
    async with store.turn(10, NOON) as turn:
        first = turn.cases
    async with store.turn(10, NOON) as turn:
        again = turn.cases

    assert first == again
    assert await store.outcome(first[0].events[0].id) is None


async def test_a_turn_that_fails_comes_again(store: Store) -> None:
    await write_in(store, "hello")
    with pytest.raises(ZeroDivisionError):
        async with store.turn(10, NOON):
            raise ZeroDivisionError

    assert len(await events(store)) == 1


async def test_the_conversations_that_waited_longest_come_first(store: Store) -> None:
    peers = ["ann", "bob", "cid", "dan", "eve"]
    for peer in peers:
        await write_in(store, "first", peer=peer)
    await take_turn(store)
    for peer in reversed(peers):
        await write_in(store, "second", peer=peer)
    served: list[str] = []
    for _ in range(5):
        served += [case.conversation.address.peer for case in await take_turn(store, limit=1)]

    assert served == ["eve", "dan", "cid", "bob", "ann"]


async def test_a_turn_takes_no_more_conversations_than_asked(store: Store) -> None:
    for peer in ("ann", "bob", "cid"):
        await write_in(store, "first", "second", peer=peer)
    cases = await take_turn(store, limit=2)

    assert [len(case.events) for case in cases] == [2, 2]
    assert len(await events(store)) == 2


async def test_two_workers_never_have_the_same_conversation(postgres: SqlGround) -> None:
    first, second = await postgres.open(), await postgres.open()
    await write_in(first, "hello", peer="ann")
    await write_in(first, "hello", peer="bob")
    async with first.turn(1, NOON) as mine, second.turn(10, NOON) as theirs:
        peers = [[case.conversation.address.peer for case in turn.cases] for turn in (mine, theirs)]

    assert sorted(map(len, peers)) == [1, 1]
    assert {*peers[0], *peers[1]} == {"ann", "bob"}


async def test_many_workers_settle_each_event_once_and_in_order(postgres: SqlGround) -> None:
    stores = [await postgres.open() for _ in range(3)]
    settled: list[tuple[str, str]] = []

    async def talk() -> None:
        for number in range(15):
            for peer in ("ann", "bob", "cid", "dan"):
                await write_in(stores[0], f"{number:02}", peer=peer)

    async def work(store: Store) -> None:
        idle = 0
        while idle < 20:
            async with store.turn(2, NOON) as turn:
                await turn.apply(
                    [
                        Settled(case.conversation, tuple((one.id, "done", ()) for one in case.events))
                        for case in turn.cases
                    ],
                    NOON,
                )
                for case in turn.cases:
                    texts = [one.event.text for one in case.events if isinstance(one.event, MessageReceived)]
                    settled.extend((case.conversation.address.peer, text) for text in texts)
                idle = 0 if turn.cases else idle + 1
            await asyncio.sleep(0.005)

    await asyncio.gather(talk(), *(work(store) for store in stores))

    for peer in ("ann", "bob", "cid", "dan"):
        assert [text for who, text in settled if who == peer] == [f"{number:02}" for number in range(15)]


async def test_intake_does_not_wait_for_a_turn_nor_is_it_lost(postgres: SqlGround) -> None:
    store = await postgres.open()
    await write_in(store, "before")
    async with store.turn(10, NOON) as turn:
        await asyncio.wait_for(write_in(store, "meanwhile"), 5)
        (case,) = turn.cases
        await turn.apply([Settled(case.conversation, ((case.events[0].id, "done", ()),))], NOON)

    assert [event.text for event in await events(store) if isinstance(event, MessageReceived)] == ["meanwhile"]


async def test_a_worker_that_dies_lets_go_of_what_it_claimed(postgres: SqlGround) -> None:
    doomed, other = await postgres.open(), await postgres.open()
    await write_in(other, "hello")
    claimed = asyncio.Event()

    async def work() -> None:
        async with doomed.turn(10, NOON) as turn:
            assert turn.cases
            claimed.set()
            await asyncio.sleep(60)

    worker = asyncio.create_task(work())
    await claimed.wait()
    held = await events(other)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)

    assert (held, len(await events(other))) == ([], 1)


# -------------------------------------------------------------------------------------------------- what is written


async def test_a_state_comes_back_as_it_was_written(store: Store) -> None:
    await write_in(store, "hello")
    before = await state(store)
    wanted = Conversation(
        before.id,
        before.reference,
        before.address,
        stage=Stage.WITH_AGENT,
        language=Language.ENGLISH,
        script=Script.TRADITIONAL,
        language_fixed=True,
        topic="fees",
        priority=Priority.HIGH,
        why="because",
        details={"chain": Given("tron", "tron"), "when": Given("today")},
        refused=("device", "app_version"),
        asked_for=("transaction_hash", "when"),
        tries=2,
        offered=("yes", "no"),
        unclear=1,
        answered="is-it-safe",
        answered_at=later(0.000001),
        acknowledged_at=later(2.5),
        waiting_since=later(3.000007),
        told_place=4,
        told_at=later(4),
        agent="Mei",
    )
    await take_turn(store, become=lambda _: wanted)

    assert await state(store) == wanted
    assert await store.expects(wanted.address) == {"transaction_hash", "when"}


async def test_a_state_of_which_nothing_is_set_comes_back_empty(store: Store) -> None:
    await write_in(store, "hello")
    before = await state(store)
    blank = Conversation(before.id, before.reference, before.address)
    await take_turn(store, become=lambda _: replace(blank, told_place=3, asked_for=("when",)))
    await write_in(store, "more")
    await take_turn(store, become=lambda _: blank)

    assert await state(store) == blank


@pytest.mark.parametrize(
    "event",
    [
        MessageEdited("m", secret()),
        TOOK,
        AgentReplied("Mei", "hello there"),
        AgentNoted("Mei", "careful"),
        AgentResolved("Mei"),
        AgentHandedBack("Mei"),
        TimerFell(TimerKind.REMIND),
        PlaceDue(PlaceReason.HANDED_BACK),
        ErrandDone(ErrandKind.DELETE_UPSTREAM, False, "too old"),
        DeliveryEnded("7.0", True, "cut"),
    ],
)
async def test_a_follow_up_happens_next_and_once(store: Store, event: Event) -> None:
    await write_in(store, "hello")
    await take_turn(store, FollowUp(event))
    then = await events(store)
    await take_turn(store)

    assert then == [event]
    assert await events(store) == []


async def test_what_is_said_goes_out_in_order_and_shows_in_the_transcript(store: Store) -> None:
    await say(store, "first", "second", "third")

    assert [line.text for line in await lines(store)] == ["before first", "first", "second", "third"]
    assert await deliver_all(store) == ["first", "second", "third"]


async def test_an_agents_words_are_the_agents_and_a_note_is_for_agents_only(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, replace(answer("my words", Purpose.REPLY), source="Mei"), Note("Mei", "rude"))
    shown = [(line.speaker, line.author, line.text) for line in await lines(store)]
    dossier = await store.dossier((await state(store)).reference)

    assert shown[1:] == [(Speaker.AGENT, "Mei", "my words")]
    assert dossier is not None
    assert [(line.speaker, line.author, line.text) for line in dossier.lines][1:] == [
        (Speaker.AGENT, "Mei", "my words"),
        (Speaker.NOTE, "Mei", "rude"),
    ]
    assert await deliver_all(store) == ["my words"]


async def test_notices_that_were_not_sent_are_taken_back(store: Store) -> None:
    """S-17: an agent takes the case while "you are third" is still on its way."""
    await say(store, "you are third", purpose=Purpose.NOTICE)
    await say(store, "an answer")
    await write_in(store, "an agent comes")
    await take_turn(store, WithdrawNotices(), answer("Mei is here now", Purpose.NOTICE))

    assert await deliver_all(store) == ["an answer", "Mei is here now"]
    assert "you are third" not in [line.text for line in await lines(store)]


async def test_a_notice_of_the_same_turn_is_taken_back_too(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, answer("you are third", Purpose.NOTICE), answer("an answer"), WithdrawNotices())

    assert await deliver_all(store) == ["an answer"]


async def test_a_notice_of_somebody_else_stays(store: Store) -> None:
    await say(store, "you are third", peer="bob", purpose=Purpose.NOTICE)
    await write_in(store, "hello", peer="ann")
    await take_turn(store, WithdrawNotices())

    assert await deliver_all(store) == ["you are third"]


async def test_a_notice_being_sent_cannot_be_taken_back(store: Store) -> None:
    await say(store, "you are third", purpose=Purpose.NOTICE)
    (send,) = await claim(store)
    await write_in(store, "an agent comes")
    await take_turn(store, WithdrawNotices())

    assert [line.delivery for line in await lines(store) if line.text == send.message.text] == [SendState.SENDING]


async def test_the_unreachable_are_marked(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, MarkUnreachable("left the group"))
    dossier = await store.dossier((await state(store)).reference)

    assert dossier is not None
    assert dossier.unreachable == "left the group"


async def test_a_timer_that_is_set_again_falls_once_when_it_was_set_last(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, SetTimer(TimerKind.REMIND, later(10)))
    await write_in(store, "again")
    await take_turn(store, SetTimer(TimerKind.REMIND, later(20)), SetTimer(TimerKind.GIVE_UP_COLLECTING, later(15)))
    fired = [await store.fire_timers(10, later(moment)) for moment in (10, 19, 20, 500)]

    assert fired == [0, 1, 1, 0]
    assert await events(store) == [TimerFell(TimerKind.GIVE_UP_COLLECTING), TimerFell(TimerKind.REMIND)]


async def test_a_timer_that_is_cleared_never_falls(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, SetTimer(TimerKind.REMIND, later(10)))
    await write_in(store, "again")
    await take_turn(store, ClearTimer(TimerKind.REMIND), SetTimer(TimerKind.GIVE_UP_COLLECTING, later(10)))
    await store.fire_timers(10, later(11))

    assert await events(store) == [TimerFell(TimerKind.GIVE_UP_COLLECTING)]


async def test_two_clocks_let_each_timer_fall_once(postgres: SqlGround) -> None:
    stores = [await postgres.open(), await postgres.open()]
    for number in range(12):
        await write_in(stores[0], "hello", peer=f"peer {number}")
    await take_turn(stores[0], SetTimer(TimerKind.REMIND, later(10)))
    fired = await asyncio.gather(*(store.fire_timers(100, later(10)) for store in (*stores, *stores)))

    assert sum(fired) == 12
    assert len(await events(stores[0])) == 12


# ------------------------------------------------------------------------------------------------------ agents' acts


async def test_an_agents_act_happens_once_for_each_key(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store)
    reference = (await state(store)).reference
    first = await store.act(reference, AgentReplied("Mei", "good day"), "click-1", NOON)
    again = await store.act(reference, AgentReplied("Mei", "good day"), "click-1", NOON)
    other = await store.act(reference, AgentReplied("Mei", "good day"), "click-2", NOON)

    assert first == again
    assert first != other
    assert await events(store) == [AgentReplied("Mei", "good day")] * 2


async def test_an_act_is_told_its_outcome_once_its_turn_has_come(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store)
    event = await store.act((await state(store)).reference, TOOK, "click-1", NOON)
    assert event is not None
    before = await store.outcome(event)
    await take_turn(store)

    assert (before, await store.outcome(event)) == (None, "done")


async def test_an_act_on_a_reference_nobody_has_does_nothing(store: Store) -> None:
    assert await store.act("TW-0", TOOK, "click-1", NOON) is None
    assert await events(store) == []
