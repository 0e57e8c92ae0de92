"""What is said goes out in order for each address, and what came of it is known."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.storage.acts import answer, claim, deliver_all, events, later, lines, say, settle, state, take_turn, write_in
from tests.storage.conftest import SqlGround

from imconnect.domain.actions import RunErrand, WithdrawNotices
from imconnect.domain.events import DeliveryEnded, ErrandDone, ErrandKind
from imconnect.domain.messages import Choice, Outgoing, Purpose
from imconnect.ports import DueSend, ErrandResult, SendState, Store
from imconnect.testing.makers import NOON, address


def texts(sends: Sequence[DueSend]) -> list[str]:
    return [send.message.text for send in sends]


async def test_only_the_oldest_of_each_address_is_claimed(store: Store) -> None:
    await say(store, "a1", "a2", peer="ann")
    await say(store, "b1", "b2", peer="bob")
    first = await claim(store)
    while_under_way = await claim(store)
    await settle(store, [send for send in first if send.message.address.peer == "bob"])

    assert texts(first) == ["a1", "b1"]
    assert texts(while_under_way) == []
    assert texts(await claim(store)) == ["b2"]


async def test_each_address_hears_everything_in_order(store: Store) -> None:
    for number in range(5):
        for peer in ("ann", "bob"):
            await say(store, f"{peer} {number}", peer=peer)
    said = await deliver_all(store)

    for peer in ("ann", "bob"):
        assert [text for text in said if text.startswith(peer)] == [f"{peer} {number}" for number in range(5)]


async def test_a_send_carries_all_it_was_given_under_the_key_of_its_event(store: Store) -> None:
    await write_in(store, "hello")
    choices = (Choice("t:fees", "What it costs"), Choice("no", "不是"))
    (case,) = await take_turn(store, answer("pick", Purpose.QUESTION, choices), answer("then"))
    (send,) = await claim(store)

    reference = case.conversation.reference
    pick = Outgoing(f"{case.events[0].id}.0", address(), "pick", Purpose.QUESTION, choices, reference=reference)
    assert send.message == pick
    assert send.conversation == case.conversation.id


async def test_a_send_to_try_later_holds_up_its_own_address_only(store: Store) -> None:
    await say(store, "a1", "a2", peer="ann")
    await say(store, "b1", "b2", peer="bob")
    sends = await claim(store)
    await settle(store, sends[:1], SendState.READY, retry_at=later(30), reason="too many requests")
    await settle(store, sends[1:])
    meanwhile = await claim(store, later(29))
    then = await claim(store, later(30))

    assert texts(meanwhile) == ["b2"]
    assert texts(then) == ["a1"]
    assert [send.attempts for send in then] == [1]


async def test_a_claim_takes_no_more_than_asked_and_only_of_its_inbox(store: Store) -> None:
    for peer in ("ann", "bob", "cid"):
        await say(store, f"to {peer}", peer=peer)

    assert list(await store.claim_sends("web", "another", 10, NOON)) == []
    assert list(await store.claim_sends("email", "site", 10, NOON)) == []
    assert texts(await claim(store, limit=2)) == ["to ann", "to bob"]


async def test_what_is_looked_at_and_not_claimed_is_due_still(store: Store) -> None:
    await say(store, "once")
    looked = await store.due_sends("web", "site", 10, NOON)
    again = await store.due_sends("web", "site", 10, NOON)
    await settle(store, looked, SendState.READY, retry_at=later(1))
    tried = await store.due_sends("web", "site", 10, later(1))

    assert [send.attempts for send in (*looked, *again, *tried)] == [0, 0, 1]


async def test_what_arrived_is_shown_as_arrived(store: Store) -> None:
    await say(store, "hello")
    await deliver_all(store)

    assert [(line.text, line.delivery) for line in await lines(store)][1:] == [("hello", SendState.SENT)]
    assert await events(store) == []


@pytest.mark.parametrize(("ended", "unknown"), [(SendState.UNKNOWN, True), (SendState.FAILED, False)])
async def test_what_may_not_have_arrived_becomes_an_event_once(store: Store, ended: SendState, unknown: bool) -> None:
    await say(store, "one", "two")
    (send,) = await claim(store)
    await settle(store, [send], ended, reason="no answer")
    await settle(store, [send], ended, reason="no answer")

    assert await events(store) == [DeliveryEnded(send.message.key, unknown, "no answer")]
    assert [(line.delivery, line.delivery_reason) for line in await lines(store)][1] == (ended, "no answer")
    assert texts(await claim(store)) == ["two"]


@pytest.mark.parametrize("keyed", [True, False])
async def test_after_a_crash_only_what_has_a_key_is_sent_again(store: Store, keyed: bool) -> None:
    await say(store, "in doubt", "after it")
    (before,) = await claim(store)
    recovered = await store.recover_sends("web", "site", keyed, NOON)
    after = await claim(store)

    assert recovered == 1
    assert await store.recover_sends("email", "site", keyed, NOON) == 0
    if keyed:
        assert [(send.message, send.attempts) for send in after] == [(before.message, 1)]
        assert await events(store) == []
    else:
        assert texts(after) == ["after it"]
        assert [type(event) for event in await events(store)] == [DeliveryEnded]
        assert [line.delivery for line in await lines(store)][1] is SendState.UNKNOWN


async def test_a_shut_door_ends_all_that_waits_before_it(store: Store) -> None:
    await say(store, "one", "two", "three", peer="ann")
    await say(store, "elsewhere", peer="bob")
    (send, _) = await claim(store)
    await settle(store, [send], SendState.FAILED, reason="blocked", blocked=True)
    dossier = await store.dossier((await state(store)).reference)

    assert dossier is not None
    assert dossier.unreachable == "blocked"
    assert [line.delivery for line in dossier.lines][1:] == [SendState.FAILED] * 3
    assert [type(event) for event in await events(store)] == [DeliveryEnded] * 3
    assert texts(await claim(store)) == []
    assert [line.delivery for line in await lines(store, "bob")][1] is SendState.SENDING


async def test_a_notice_taken_back_while_it_is_tried_is_not_tried_again(store: Store) -> None:
    """S-17: the channel says "later", and meanwhile an agent took the case."""
    await say(store, "you are third", purpose=Purpose.NOTICE)
    looked = await store.due_sends("web", "site", 10, NOON)
    await write_in(store, "an agent comes")
    await take_turn(store, WithdrawNotices())
    await settle(store, looked, SendState.READY, retry_at=later(1))

    assert texts(await claim(store, later(5))) == []


async def test_two_senders_never_claim_the_same(postgres: SqlGround) -> None:
    stores = [await postgres.open(), await postgres.open()]
    for number in range(20):
        await say(stores[0], f"to {number}", peer=f"peer {number}")
    claimed = await asyncio.gather(*(claim(store, limit=7) for store in (*stores, *stores, *stores)))
    said = [send.message.text for sends in claimed for send in sends]

    assert len(said) == len(set(said)) == 20


# ----------------------------------------------------------------------------------------------------------- errands

REMOVE = RunErrand(ErrandKind.DELETE_UPSTREAM, "m1")


async def with_an_errand(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, REMOVE)


async def test_an_errand_is_claimed_where_it_belongs_and_by_one(store: Store) -> None:
    await with_an_errand(store)
    elsewhere = await store.claim_errands("email", "site", 10, NOON)
    (errand,) = await store.claim_errands("web", "site", 10, NOON)
    again = await store.claim_errands("web", "site", 10, later(59))

    assert (list(elsewhere), list(again)) == ([], [])
    assert (errand.errand, errand.address, errand.subject) == (ErrandKind.DELETE_UPSTREAM, address(), "m1")
    assert (errand.attempts, errand.conversation) == (0, (await state(store)).id)


async def test_an_errand_nobody_came_back_from_is_due_again_after_a_minute(store: Store) -> None:
    await with_an_errand(store)
    await store.claim_errands("web", "site", 10, NOON)

    assert len(await store.claim_errands("web", "site", 10, later(60))) == 1


async def test_an_errand_to_try_later_is_due_then(store: Store) -> None:
    await with_an_errand(store)
    (errand,) = await store.claim_errands("web", "site", 10, NOON)
    await store.settle_errands([ErrandResult(errand.id, False, "busy", later(300))], NOON)
    early = await store.claim_errands("web", "site", 10, later(299))
    due = await store.claim_errands("web", "site", 10, later(300))

    assert list(early) == []
    assert [one.attempts for one in due] == [1]
    assert await events(store) == []


@pytest.mark.parametrize("done", [True, False])
async def test_an_errand_that_ended_becomes_an_event_once(store: Store, done: bool) -> None:
    await with_an_errand(store)
    (errand,) = await store.claim_errands("web", "site", 10, NOON)
    result = ErrandResult(errand.id, done, "" if done else "too old")
    await store.settle_errands([result], NOON)
    await store.settle_errands([result], NOON)

    assert await events(store) == [ErrandDone(ErrandKind.DELETE_UPSTREAM, done, result.reason, "m1")]
    assert list(await store.claim_errands("web", "site", 10, later(10_000))) == []
    assert (await store.backlog(NOON)).errands == 0
