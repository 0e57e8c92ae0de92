"""What channels keep in the store, and what becomes of a send that comes back."""

import pytest
from tests.storage.acts import claim, dossier, events, later, lines, say, settle, state, write_in
from tests.storage.conftest import SqlGround

from imconnect.domain.conversations import Stage
from imconnect.domain.events import DeliveryEnded
from imconnect.ports import Bounced, Kept, Mark, SendState, Store, StoreUnavailable
from imconnect.testing.makers import NOON, received

# -------------------------------------------------------------------------------------------------------------- marks


def mark(name: str, value: str, account: str = "site") -> Mark:
    return Mark("web", account, name, value)


async def test_a_mark_stands_in_the_commit_of_what_came_before_it(store: Store) -> None:
    new = await store.record([received("hello"), mark("cursor", "17")], NOON)

    assert new == 1
    assert await store.marks("web", "site", "") == {"cursor": Kept("17", NOON)}
    assert [line.text for line in await lines(store)] == ["hello"]


async def test_a_newer_mark_takes_the_place_of_the_one_before(store: Store) -> None:
    await store.record([mark("cursor", "17")], NOON)
    await store.record([mark("cursor", "18"), mark("cursor", "19")], later(5))

    assert await store.marks("web", "site", "cursor") == {"cursor": Kept("19", later(5))}


async def test_marks_are_found_by_how_their_names_begin(store: Store) -> None:
    names = ("folder:INBOX", "folder:Junk", "folders", "other%", "Folder:x")
    await store.record([mark(name, name) for name in names], NOON)

    assert list(await store.marks("web", "site", "folder:")) == ["folder:INBOX", "folder:Junk"]
    assert list(await store.marks("web", "site", "%")) == []
    assert len(await store.marks("web", "site", "")) == 5


async def test_marks_of_another_inbox_are_its_own(store: Store) -> None:
    await store.record([mark("cursor", "1"), mark("cursor", "2", account="b")], NOON)
    await store.unmark("web", "site", "cursor")
    await store.unmark("web", "site", "cursor")

    assert await store.marks("web", "site", "") == {}
    assert await store.marks("web", "b", "") == {"cursor": Kept("2", NOON)}
    assert await store.marks("email", "b", "") == {}


async def test_a_mark_alone_wakes_nobody(store: Store) -> None:
    async with store.changes("turn") as bell:
        await store.record([mark("cursor", "17")], NOON)

        assert not await bell.wait(0.05)


async def test_the_marks_of_a_commit_that_fails_do_not_stand(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    await database.write(lambda connection: connection.exec_driver_sql("DROP TABLE contact_channels"))
    with pytest.raises(StoreUnavailable):
        await store.record([mark("cursor", "17"), received("hello")], NOON)

    assert await store.marks("web", "site", "") == {}


# ------------------------------------------------------------------------------------------------------------ bounces


def bounced(send: str, *, final: bool = True, id: str = "dsn-1", reason: str = "5.1.1") -> Bounced:  # noqa: A002 - it is the field's name
    return Bounced(id, "web", "site", send, final, reason)


async def sent(store: Store) -> str:
    """Say something to ann; what the channel calls it."""
    await say(store, "your answer")
    sends = await claim(store)
    await settle(store, sends)
    return f"their-{sends[0].id}"


async def delivery(store: Store) -> tuple[SendState | None, str]:
    line = (await lines(store))[1]
    return line.delivery, line.delivery_reason


async def test_a_send_that_comes_back_for_good_has_failed_and_its_customer_is_unreachable(store: Store) -> None:
    """E-13: a delivery report 5.1.1 for our answer."""
    send = await sent(store)
    new = await store.record([bounced(send)], NOON)

    assert new == 1
    assert await delivery(store) == (SendState.FAILED, "5.1.1")
    assert (await dossier(store)).unreachable == "5.1.1"
    assert [(type(event), event.unknown, event.reason) for event in await ended(store)] == [
        (DeliveryEnded, False, "5.1.1")
    ]


async def ended(store: Store) -> list[DeliveryEnded]:
    return [event for event in await events(store) if isinstance(event, DeliveryEnded)]


async def test_a_send_that_is_still_being_tried_waits(store: Store) -> None:
    """E-13: a delivery report 4.x for our answer."""
    send = await sent(store)
    await store.record([bounced(send, final=False, reason="4.2.2 mailbox full")], NOON)

    assert await delivery(store) == (SendState.SENT, "4.2.2 mailbox full")
    assert (await dossier(store)).unreachable is None
    assert await events(store) == []


async def test_a_bounce_that_is_delivered_again_has_no_second_effect(store: Store) -> None:
    send = await sent(store)
    await store.record([bounced(send)], NOON)
    await write_in(store, "I am here again")
    counts = [await store.record([bounced(send)], NOON), await store.record([bounced(send, id="dsn-2")], NOON)]

    assert counts == [0, 0]
    assert len(await ended(store)) == 1
    assert (await dossier(store)).unreachable is None


async def test_a_late_report_of_trying_does_not_undo_the_final_one(store: Store) -> None:
    send = await sent(store)
    await store.record([bounced(send), bounced(send, final=False, id="dsn-0", reason="4.2.2")], NOON)

    assert await delivery(store) == (SendState.FAILED, "5.1.1")


async def test_a_bounce_of_what_was_never_sent_is_set_aside_once(store: Store) -> None:
    counts = [await store.record([bounced("unheard of")], NOON) for _ in range(2)]

    assert counts == [1, 0]
    assert (await store.backlog(NOON)).quarantined == 1
    assert list(await store.summaries(frozenset(Stage), 10)) == []


async def test_a_bounce_is_of_its_own_inbox(store: Store) -> None:
    send = await sent(store)
    await store.record([Bounced("dsn", "web", "another", send, True, "5.1.1")], NOON)

    assert await delivery(store) == (SendState.SENT, "")


@pytest.mark.parametrize(("wrote_first", "unreachable"), [(True, "5.1.1"), (False, None)])
async def test_bounces_and_messages_of_one_batch_keep_their_order(
    store: Store, wrote_first: bool, unreachable: str | None
) -> None:
    back, message = bounced(await sent(store)), received("me again", id="later")
    await store.record([message, back] if wrote_first else [back, message], NOON)

    assert (await dossier(store)).unreachable == unreachable


async def test_a_bounce_wakes_the_desk_and_who_looks_at_the_conversation(store: Store) -> None:
    send = await sent(store)
    topic = f"conversation:{(await state(store)).id}"
    async with store.changes("turn") as turn, store.changes(topic) as conversation:
        await store.record([bounced(send)], NOON)

        assert (await turn.wait(5), await conversation.wait(5)) == (True, True)


async def test_sends_are_looked_up_by_what_the_channel_calls_them(sqlite: SqlGround) -> None:
    """E-13: among a million sends, the one that came back is found by an index."""
    store = await sqlite.open()
    plan = "EXPLAIN QUERY PLAN SELECT id FROM outbox WHERE channel = 'a' AND account = 'b' AND external_id = 'c'"
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    steps = await database.read(lambda connection: connection.exec_driver_sql(plan).all())

    assert ["ix_outbox_external_id" in str(step) for step in steps] == [True]
