"""Of what is said in one slot only the newest stands, where the channel can change what it said."""

from dataclasses import replace

from tests.storage.acts import claim, later, settle, state, take_turn, write_in

from imconnect.domain.actions import Say
from imconnect.domain.messages import Language, Outgoing, Purpose
from imconnect.ports import DueSend, SendState, Store


def place(text: str, slot: str | None = "place") -> Say:
    return Say(Purpose.NOTICE, "place", text, slot=slot)


async def due(store: Store, *said: Say, peer: str = "ann") -> DueSend:
    """Have the desk say it, and claim it."""
    await write_in(store, f"before {said[0].text}", peer=peer)
    await take_turn(store, *said)
    (send,) = [send for send in await claim(store) if send.message.address.peer == peer]
    return send


async def shown(store: Store, text: str, slot: str | None = "place", peer: str = "ann") -> Outgoing:
    """Say it and have it arrive."""
    send = await due(store, place(text, slot), peer=peer)
    await settle(store, [send])
    return send.message


async def test_the_first_in_a_slot_replaces_nothing_and_the_next_the_newest_before(store: Store) -> None:
    first = await shown(store, "you are third")
    second = await shown(store, "you are second")
    third = await due(store, place("you are next"))
    standing = await store.transcript(first.address, 0, 100)
    ids = {line.text: f"their-{line.id}" for line in standing}

    assert (first.slot, first.replaces) == ("place", None)
    assert second.replaces == ids["you are third"]
    assert third.message.replaces == ids["you are second"]


async def test_what_has_no_slot_replaces_nothing(store: Store) -> None:
    await shown(store, "you are third")
    await shown(store, "an answer", slot=None)
    other = await due(store, place("another answer", slot=None))

    assert (other.message.slot, other.message.replaces) == (None, None)


async def test_slots_and_conversations_are_told_apart(store: Store) -> None:
    await shown(store, "you are third")
    elsewhere = await shown(store, "you are third too", peer="bob")
    other = await due(store, place("the menu", slot="menu"))

    assert (elsewhere.replaces, other.message.replaces) == (None, None)


async def test_what_did_not_arrive_stands_nowhere(store: Store) -> None:
    await shown(store, "you are third")
    failed = await due(store, place("you are second"))
    await settle(store, [failed], SendState.FAILED, reason="too long")
    third = await due(store, place("you are next"))

    assert third.message.replaces == failed.message.replaces is not None


async def test_what_is_tried_again_replaces_the_same(store: Store) -> None:
    await shown(store, "you are third")
    first = await due(store, place("you are second"))
    await settle(store, [first], SendState.READY, retry_at=later(5))
    looked = await store.due_sends("web", "site", 10, later(5))

    assert [send.message for send in looked] == [first.message]
    assert first.message.replaces is not None


async def test_a_send_knows_the_language_and_the_reference_of_its_conversation(store: Store) -> None:
    before = await due(store, place("您是第三位"))
    await settle(store, [before])
    await write_in(store, "in English, please")
    await take_turn(
        store, place("you are third"), become=lambda conversation: replace(conversation, language=Language.ENGLISH)
    )
    (after,) = await claim(store)
    reference = (await state(store)).reference

    assert (before.message.language, before.message.reference) == (Language.CHINESE, reference)
    assert (after.message.language, after.message.reference) == (Language.ENGLISH, reference)
