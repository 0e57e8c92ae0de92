"""What a lead is shown of all that was asked, and what may be made of it."""

from collections.abc import Sequence

import pytest

from imconnect.desk import questions as module
from imconnect.desk.questions import NotAdded, Question, QuestionDesk
from imconnect.domain.messages import Language
from imconnect.domain.questions import Became, NamedBy, QuestionKind
from imconnect.guard import Guard
from imconnect.ports import Settled
from imconnect.testing.fakes import MemoryStore
from imconnect.testing.makers import NOON, PLAYBOOK, address, received

UNANSWERED, CORRECTED = QuestionKind.UNANSWERED, QuestionKind.CORRECTED
UNCLEAR = "asked what it is about"
KEY = "a" * 32


@pytest.fixture(scope="session")
def guard() -> Guard:
    return Guard()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def desk(store: MemoryStore, guard: Guard) -> QuestionDesk:
    return QuestionDesk(store, PLAYBOOK, guard, lambda: NOON)


async def happened(store: MemoryStore, peer: str, *said: tuple[str, str], choice: str | None = None) -> None:
    """*peer* says each text, of which the outcome is recorded; a last one may be a *choice*."""
    for number, (text, outcome) in enumerate(said):
        pressed = choice if number == len(said) - 1 else None
        item = received("" if pressed else text, id=f"{peer}:{number}:{text}", at=address(peer), choice=pressed)
        await store.record([item], NOON)
        async with store.turn(10, NOON) as turn:
            (case,) = turn.cases
            await turn.apply([Settled(case.conversation, ((case.events[0].id, outcome, ()),))], NOON)


def texts(found: Sequence[Question]) -> list[tuple[str, int]]:
    return [(one.text, one.times) for one in found]


async def test_what_was_asked_most_comes_first_and_of_those_the_newest(store: MemoryStore, desk: QuestionDesk) -> None:
    for peer, text in (("a", "old one"), ("b", "often"), ("c", "OFTEN!"), ("d", "new one")):
        await happened(store, peer, (text, UNCLEAR))

    assert texts((await desk.collected(UNANSWERED)).questions) == [("OFTEN!", 2), ("new one", 1), ("old one", 1)]


async def test_what_the_pack_knows_by_now_is_asked_no_more(store: MemoryStore, desk: QuestionDesk) -> None:
    for peer, text in (("a", "Fees?"), ("b", "is it SAFE"), ("c", "hello"), ("d", "where is it")):
        await happened(store, peer, (text, UNCLEAR))

    assert texts((await desk.collected(UNANSWERED)).questions) == [("where is it", 1)]


async def test_a_story_too_long_for_an_example_is_left_out(store: MemoryStore, desk: QuestionDesk) -> None:
    for peer, length in (("a", 40), ("b", 80), ("c", 2_000)):
        await happened(store, peer, ("blorp " * length, UNCLEAR))

    assert [len(one.text) for one in (await desk.collected(UNANSWERED)).questions] == [239]


async def test_a_bare_value_is_no_question(store: MemoryStore, desk: QuestionDesk) -> None:
    for peer, text in (("a", "13800138000"), ("b", "0x52908400098527886E0F7030069857D2E4169EE7"), ("c", "???")):
        await happened(store, peer, (text, UNCLEAR))

    assert (await desk.collected(UNANSWERED)).questions == ()


async def test_the_topic_most_people_chose_is_proposed(store: MemoryStore, desk: QuestionDesk) -> None:
    for peer, chosen in (("a", "fees"), ("b", "is-it-safe"), ("c", "is-it-safe"), ("d", "gone")):
        await happened(store, peer, ("blorp", "offered: fees"), ("", "answered: x"), choice=f"t:{chosen}")
    (found,) = (await desk.collected(UNANSWERED)).questions

    assert (found.proposed, found.named_by, found.times) == ("is-it-safe", NamedBy.CUSTOMER, 4)
    assert (found.thought, found.language) == (("fees",), Language.ENGLISH)


async def test_kinds_are_kept_apart(store: MemoryStore, desk: QuestionDesk) -> None:
    await happened(store, "a", ("blorp", "answered: fees"), ("", "offered next: is-it-safe"), choice="no")
    await happened(store, "b", ("wibble", UNCLEAR))

    assert texts((await desk.collected(UNANSWERED)).questions) == [("wibble", 1)]
    assert texts((await desk.collected(CORRECTED)).questions) == [("blorp", 1)]


async def test_everything_is_all_pages_with_each_question_once(
    store: MemoryStore, desk: QuestionDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKED_AT", 2)
    monkeypatch.setattr(module, "MOST_SHOWN", 1)
    for peer, text in (("a", "often"), ("b", "rare"), ("c", "once"), ("d", "often"), ("e", "often")):
        await happened(store, peer, (text, UNCLEAR))
    page = await desk.collected(UNANSWERED)

    assert texts(page.questions) == [("often", 2)]
    assert texts(await desk.everything(UNANSWERED)) == [("often", 3), ("once", 1), ("rare", 1)]


async def test_one_conversation_on_two_pages_is_counted_on_each_for_what_it_holds_there(
    store: MemoryStore, desk: QuestionDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOKED_AT", 1)
    await happened(store, "a", ("blorp", UNCLEAR), ("wibble", UNCLEAR))
    first = await desk.collected(UNANSWERED)
    second = await desk.collected(UNANSWERED, first.older)

    assert [texts(page.questions) for page in (first, second)] == [[("wibble", 1)], [("blorp", 1)]]


@pytest.mark.parametrize(
    ("text", "topic", "why"),
    [
        (" … ", "fees", NotAdded.EMPTY),
        ("blorp", "", NotAdded.UNKNOWN_TOPIC),
        ("blorp " * 60, "fees", NotAdded.TOO_LONG),
        ("Fees!", "is-it-safe", NotAdded.KNOWN),
        ("blorp 13800138000", "fees", NotAdded.HOLDS_VALUE),
        (
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            "fees",
            NotAdded.CONTAINS_SECRET,
        ),
    ],
)
async def test_what_may_not_be_added_is_refused_for_a_reason(
    store: MemoryStore, desk: QuestionDesk, text: str, topic: str, why: NotAdded
) -> None:
    """S-01"""
    assert await desk.settle(KEY, Became.ADDED, "Mei", text, topic) is why
    assert await store.examples() == []


async def test_an_example_is_one_line_and_no_remark(store: MemoryStore, desk: QuestionDesk) -> None:
    await desk.settle(KEY, Became.ADDED, "Mei", "# blorp\n  the wibble", "fees")

    assert [one.text for one in await store.examples()] == ["blorp the wibble"]


async def test_of_what_is_dismissed_nothing_is_kept_but_that(store: MemoryStore, desk: QuestionDesk) -> None:
    await desk.settle(KEY, Became.DISMISSED, "Mei", "blorp 13800138000", "fees")

    assert await store.settled_keys([KEY]) == {KEY}
    assert await store.examples() == []


async def test_what_was_added_is_asked_no_more_under_either_wording(store: MemoryStore, desk: QuestionDesk) -> None:
    await happened(store, "a", ("blorp my wibble", UNCLEAR))
    await happened(store, "b", ("blorp the wibble", UNCLEAR))
    mine = next(one for one in (await desk.collected(UNANSWERED)).questions if "my" in one.text)
    await desk.settle(mine.key, Became.ADDED, "Mei", "blorp the wibble", "fees")

    assert (await desk.collected(UNANSWERED)).questions == ()
