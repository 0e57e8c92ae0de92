"""Who else is let into a conversation, and what else was said under the same handle."""

from dataclasses import replace

from tests.storage.acts import answer, claim, dossier, later, settle, state, take_turn, write_in

from imconnect.domain.actions import Admit
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Handle
from imconnect.domain.playbook import Pace
from imconnect.ports import Received, SendState, Store
from imconnect.testing.makers import NOON, address, incoming, received


async def bob_is_let_in(store: Store) -> str:
    """Ann's conversation, into which bob was let; its reference."""
    await write_in(store, "it is about bob too")
    await take_turn(store, Admit("bob"))
    return (await state(store)).reference


async def test_what_comes_from_who_was_let_in_is_said_in_that_conversation(store: Store) -> None:
    """E-30: somebody in copy is added by an agent."""
    reference = await bob_is_let_in(store)
    await store.record([received("me too", id="b1", at=address("bob"), name="Bob")], NOON)
    await store.record([received("and again", id="b2", at=address("bob"), name="Bob")], NOON)
    lines = (await dossier(store)).lines

    assert [(line.author, line.text) for line in lines] == [
        ("Ann", "it is about bob too"),
        ("Bob", "me too"),
        ("Bob", "and again"),
    ]
    assert [one.reference for one in await store.summaries(frozenset(Stage), 10)] == [reference]


async def test_who_was_let_in_is_shown_nothing_of_the_conversation(store: Store) -> None:
    """E-30: the owner's words are not for somebody in copy."""
    await bob_is_let_in(store)
    await store.record([received("me too", id="b1", at=address("bob"), name="Bob")], NOON)

    assert list(await store.transcript(address("bob"), 0, 100)) == []


async def test_replies_go_to_the_conversations_own_address_and_its_contact_stays(store: Store) -> None:
    await bob_is_let_in(store)
    await store.record([received("me too", id="b1", at=address("bob"), name="Bob")], NOON)
    await take_turn(store, answer())
    (send,) = await claim(store)

    assert send.message.address == address("ann")
    assert [one.contact for one in await store.summaries(frozenset(Stage), 10)] == ["Ann"]


async def test_a_conversation_of_their_own_is_left_for_the_one_they_are_let_into(store: Store) -> None:
    await write_in(store, "something else", peer="bob")
    await take_turn(store)
    own = (await state(store, "bob")).reference
    reference = await bob_is_let_in(store)
    await write_in(store, "me too", peer="bob")

    assert (await state(store, "bob")).reference == reference != own
    assert [line.text for line in (await dossier(store)).lines] == ["it is about bob too", "me too"]


async def test_long_after_the_end_they_begin_a_conversation_of_their_own(store: Store) -> None:
    reference = await bob_is_let_in(store)
    await write_in(store, "thanks")
    await take_turn(store, become=lambda conversation: conversation.moved_to(Stage.RESOLVED))
    await write_in(store, "a new matter", peer="bob", now=later(Pace().reopen_within + 1))
    bobs = await state(store, "bob")

    assert bobs.reference != reference
    assert bobs.address == address("bob")
    assert (await state(store)).reference == reference


async def test_that_an_address_fails_shuts_out_nobody_who_was_let_in(store: Store) -> None:
    await bob_is_let_in(store)
    await write_in(store, "me too", peer="bob")
    await take_turn(store, answer())
    await settle(store, await claim(store), SendState.FAILED, reason="gone", blocked=True)
    await write_in(store, "still here", peer="bob")

    assert (await dossier(store)).unreachable == "gone"


# --------------------------------------------------------------------------------------------------- the same handle


def by_mail(number: int, handle: str = "ann@example.org", channel: str = "email") -> Received:
    """A mail in a thread of its own."""
    said = incoming(f"mail {number}", id=f"{handle}-{number}", at=address(f"{handle} {number}", channel))
    return Received(replace(said, author=Handle(handle, "Ann")))


async def mails(store: Store, count: int) -> list[str]:
    """References of conversations by mail under one handle, oldest first."""
    await store.record([by_mail(0, "bob@example.org"), by_mail(0, "")], NOON)
    references: list[str] = []
    for number in range(count):
        await store.record([by_mail(number)], NOON)
        found = await store.state_at(by_mail(number).incoming.address)
        assert found is not None
        references.append(found.reference)
    return references


async def test_other_conversations_under_the_same_handle_are_named_newest_first(store: Store) -> None:
    references = await mails(store, 8)
    found = await store.dossier(references[6])

    assert found is not None
    assert found.related == (references[7], *references[5:1:-1])


async def test_a_handle_of_another_channel_is_somebody_else(store: Store) -> None:
    """S-18: nothing proves that they are the same person."""
    (reference,) = await mails(store, 1)
    await store.record([by_mail(5, channel="web")], NOON)
    found = await store.dossier(reference)

    assert found is not None
    assert found.related == ()


async def test_those_without_a_handle_have_nothing_in_common(store: Store) -> None:
    await store.record([by_mail(1, ""), by_mail(2, "")], NOON)
    first = await store.state_at(by_mail(1, "").incoming.address)

    assert first is not None
    found = await store.dossier(first.reference)
    assert found is not None
    assert found.related == ()


async def test_earlier_conversations_at_the_same_address_are_related(store: Store) -> None:
    await write_in(store, "before")
    await take_turn(store, become=lambda conversation: conversation.moved_to(Stage.RESOLVED))
    before = (await state(store)).reference
    await write_in(store, "after", now=later(Pace().reopen_within + 1))

    assert (await dossier(store)).related == (before,)
