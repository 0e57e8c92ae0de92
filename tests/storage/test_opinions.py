"""What a second opinion is wanted on: brought with its errand while it is wanted, and its topic kept with the event."""

from dataclasses import replace

import pytest
from tests.storage.acts import events, state, take_turn

from imconnect.domain.actions import Note, RunErrand
from imconnect.domain.conversations import Conversation, Doubt
from imconnect.domain.events import ErrandDone, ErrandKind
from imconnect.domain.messages import Language
from imconnect.ports import Doubted, ErrandResult, Received, Store
from imconnect.testing.makers import NOON, address, received, secret

ASK = RunErrand(ErrandKind.SECOND_OPINION, "1")
DOUBT = Doubt("1", ("fees", "is-it-safe"), corrects=True)


def doubtful(conversation: Conversation) -> Conversation:
    return replace(conversation, doubt=DOUBT, language=Language.ENGLISH)


def settled(conversation: Conversation) -> Conversation:
    return replace(conversation, doubt=None)


async def in_doubt(store: Store) -> None:
    """A message, and the errand to have an opinion on it."""
    await store.record([received("is it dear", id="1"), received("of ben", id="2", at=address("ben"))], NOON)
    await take_turn(store, ASK, become=doubtful)


async def doubted(store: Store) -> Doubted | None:
    """What the first errand that is due is about."""
    return (await store.claim_errands("web", "site", 10, NOON))[0].doubted


async def test_an_errand_brings_the_message_as_it_is_stored_and_the_topics(store: Store) -> None:
    await in_doubt(store)

    assert await doubted(store) == Doubted("is it dear", ("fees", "is-it-safe"), Language.ENGLISH)
    assert (await state(store)).doubt == DOUBT


async def test_once_it_is_settled_nothing_is_brought(store: Store) -> None:
    await in_doubt(store)
    await store.record([received("another", id="3")], NOON)
    await take_turn(store, Note("", "settled"), become=settled)

    assert await doubted(store) is None
    assert (await state(store)).doubt is None


async def test_while_another_message_is_in_doubt_nothing_is_brought_of_this_one(store: Store) -> None:
    await in_doubt(store)
    await store.record([received("another", id="3")], NOON)
    await take_turn(store, become=lambda one: replace(one, doubt=replace(DOUBT, message_id="3")))

    assert await doubted(store) is None


MEANWHILE = {
    "edited": received("is it really dear", id="3", revises="1"),
    "edited to hold a secret": received("[recovery_phrase removed]", id="3", revises="1", secret=secret()),
    "found to be a part of a secret": received("[recovery_phrase removed]", id="3", secret=secret(), withdrawn=["1"]),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
async def test_of_a_message_that_changed_or_was_withheld_since_nothing_is_brought(
    store: Store, meanwhile: Received
) -> None:
    await in_doubt(store)
    await store.record([meanwhile], NOON)

    assert await doubted(store) is None


async def test_nothing_is_brought_of_another_conversation(store: Store) -> None:
    await in_doubt(store)
    anns, bens = await store.claim_errands("web", "site", 10, NOON)

    assert anns.doubted is not None
    assert (bens.subject, bens.doubted) == ("1", None)


async def test_an_errand_of_another_kind_brings_no_message(store: Store) -> None:
    await store.record([received("is it dear", id="1")], NOON)
    await take_turn(store, RunErrand(ErrandKind.DELETE_UPSTREAM, "1"), become=doubtful)

    assert await doubted(store) is None


@pytest.mark.parametrize("topic", ["fees", None])
async def test_the_topic_chosen_is_in_the_event(store: Store, topic: str | None) -> None:
    await in_doubt(store)
    errand = (await store.claim_errands("web", "site", 10, NOON))[0]
    await store.settle_errands([ErrandResult(errand.id, topic is not None, "chosen", topic=topic)], NOON)

    assert await events(store) == [ErrandDone(ErrandKind.SECOND_OPINION, topic is not None, "chosen", "1", topic=topic)]
