"""What customers asked, read back from what is stored anyway; and what became of it, kept once."""

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa
from tests.storage.acts import decide_all, later, state, write_in
from tests.storage.conftest import SqlGround

from imconnect.domain.events import AgentResolved, AgentSentSnippet, AgentTook
from imconnect.domain.messages import Language, Remark
from imconnect.domain.questions import Became, Happened, QuestionKind
from imconnect.ports import Received, SettledQuestion, Store, Stories
from imconnect.storage import SqlStore
from imconnect.storage.engine import Work
from imconnect.storage.questions import telling
from imconnect.testing.makers import NOON, received, secret

UNANSWERED, CORRECTED = QuestionKind.UNANSWERED, QuestionKind.CORRECTED
ODD = "where did the thingy go"


async def told(store: Store, kind: QuestionKind = UNANSWERED, before: int | None = None, limit: int = 100) -> Stories:
    await decide_all(store)
    return await store.stories(kind, before, limit)


def words(found: Stories) -> list[list[tuple[str, str | None, str]]]:
    return [[(one.text, one.choice, one.outcome) for one in story.record] for story in found.told]


def settled(key: str = "a", became: Became = Became.ADDED, at: datetime = NOON) -> SettledQuestion:
    return SettledQuestion(key, became, "Mei", at, "where is it", f"text of {key}", "fees", Language.ENGLISH)


async def test_the_record_of_a_conversation_with_an_unanswered_question_is_told(store: Store) -> None:
    await store.record([received(ODD, id="1"), received("", id="2", choice="t:fees")], NOON)
    found = await told(store)

    assert words(found) == [[(ODD, None, "asked what it is about"), ("", "t:fees", "answered: fees")]]
    assert (found.told[0].topic, found.older) == ("fees", False)


async def test_what_was_answered_is_not_looked_through_for_what_was_not(store: Store) -> None:
    await write_in(store, "fees", peer="ann")
    await write_in(store, ODD, peer="bob")
    unanswered, corrected = await told(store), await told(store, CORRECTED)

    assert [story[0][0] for story in words(unanswered)] == [ODD]
    assert [story[0][0] for story in words(corrected)] == ["fees"]


async def test_what_agents_did_is_told_without_their_words(store: Store) -> None:
    await write_in(store, ODD)
    await decide_all(store)
    reference = (await state(store)).reference
    for act in (AgentTook("Mei"), AgentSentSnippet("Mei", "fees"), AgentResolved("Mei")):
        await store.act(reference, act, type(act).__name__, NOON)
    found = await told(store)

    assert [one for one in found.told[0].record if one.by_agent] == [
        Happened(3, NOON, "replied: fees", by_agent=True),
        Happened(4, NOON, "resolved", by_agent=True),
    ]


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(received("pass [password removed]", id="2", secret=secret()), id="withheld"),
        pytest.param(received("out of office", id="2", automatic=True), id="automatic"),
        pytest.param(received("/nonsense", id="2"), id="command"),
        pytest.param(received("Fees", id="2", choice="t:fees"), id="button"),
    ],
)
async def test_what_is_no_question_of_a_customers_has_no_words(store: Store, item: Received) -> None:
    await store.record([received(ODD, id="1"), item], NOON)
    found = await told(store)

    assert [one.text for one in found.told[0].record] == [ODD, ""]


async def test_what_its_sender_removed_has_no_words(store: Store) -> None:
    await store.record([received(ODD, id="1")], NOON)
    await decide_all(store)
    await store.record([received("", id="2", revises="1", remarks=[Remark.REMOVED_BY_SENDER])], NOON)

    assert [one.text for one in (await told(store)).told[0].record] == [""]


async def test_what_turns_out_to_be_part_of_a_secret_has_no_words_any_more(store: Store) -> None:
    """S-11"""
    await store.record([received("abandon ability able about", id="1")], NOON)
    await decide_all(store)
    late = replace(received("[recovery_phrase removed]", id="2", secret=secret()), withdrawn=("1",))
    await store.record([late], NOON)

    assert [one.text for one in (await told(store)).told[0].record] == ["", ""]


async def test_an_edited_question_is_told_as_it_now_reads(store: Store) -> None:
    await store.record([received(ODD, id="1")], NOON)
    await decide_all(store)
    await store.record([received("where did my coins go", id="2", revises="1")], NOON)

    assert [one.text for one in (await told(store)).told[0].record] == ["where did my coins go"]


async def test_what_has_not_had_its_turn_is_not_told(store: Store) -> None:
    await write_in(store, ODD)

    assert await store.stories(UNANSWERED, None, 100) == Stories((), 0, older=False)


async def test_pages_go_from_the_newest_to_the_oldest(store: Store) -> None:
    for peer in ("ann", "bob", "cy"):
        await write_in(store, ODD, peer=peer)
    first = await told(store, limit=2)
    second = await told(store, before=first.from_event, limit=2)

    assert [len(page.told) for page in (first, second)] == [2, 1]
    assert (first.older, second.older) == (True, False)
    assert first.from_event > second.from_event


# -------------------------------------------------------------------------------------------------- what became of them


async def test_what_became_of_a_question_is_kept_once(store: Store) -> None:
    done = [await store.settle_question(settled()), await store.settle_question(settled(became=Became.OFF_TOPIC))]

    assert done == [True, False]
    assert list(await store.examples()) == [settled()]


async def test_both_keys_of_what_was_added_are_known(store: Store) -> None:
    await store.settle_question(settled("a"))
    await store.settle_question(SettledQuestion("b", Became.DISMISSED, "Mei", NOON))

    assert await store.settled_keys(["a", "text of a", "b", "c", ""]) == {"a", "text of a", "b"}


async def test_examples_come_in_the_order_of_adding_and_none_that_was_dismissed(store: Store) -> None:
    await store.settle_question(settled("late", Became.OFF_TOPIC, later(2)))
    await store.settle_question(SettledQuestion("gone", Became.DISMISSED, "Mei", NOON))
    await store.settle_question(settled("early", at=later(1)))

    assert [one.key for one in await store.examples()] == ["early", "late"]


async def test_what_was_settled_can_be_taken_back(store: Store) -> None:
    await store.settle_question(settled())
    done = [await store.reopen_question("a"), await store.reopen_question("a")]

    assert done == [True, False]
    assert list(await store.examples()) == []


async def test_when_an_example_was_written_is_kept_from_the_first_time(store: Store) -> None:
    await store.settle_question(settled("a"))
    await store.settle_question(settled("b"))
    await store.mark_written(["a"], later(5))
    await store.mark_written(["a", "b", "unknown"], later(9))

    assert [one.written_at for one in await store.examples()] == [later(5), later(9)]


async def test_another_process_sees_what_was_added(ground: SqlGround) -> None:
    mine, theirs = await ground.open(), await ground.open()
    await mine.settle_question(settled())

    assert list(await theirs.examples()) == [settled()]


async def test_of_a_question_that_was_dismissed_no_word_is_in_the_database(ground: SqlGround) -> None:
    store = await ground.open()
    await store.settle_question(SettledQuestion("a" * 32, Became.DISMISSED, "Mei", NOON))
    rows = await run(store, lambda connection: [tuple(row) for row in connection.execute(sa.text(ROW))])

    assert rows == [("dismissed", None, None, None)]


ROW = "SELECT became, text, topic, language FROM questions"


async def test_unanswered_questions_are_found_by_their_index(ground: SqlGround) -> None:
    """Else every look at the page would read every event there ever was."""
    store = await ground.open()
    plan = await run(store, lambda connection: [(line,) for line in plan_of_stories(connection)])

    assert any("ix_events_unanswered" in str(line) for line in plan)


def plan_of_stories(connection: sa.Connection) -> list[str]:
    """How the database would look for them, had it many events to look through."""
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    asked = telling(UNANSWERED, 1_000, 10).compile(connection, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN " if postgres else "EXPLAIN QUERY PLAN "
    return [str(row[-1]) for row in connection.exec_driver_sql(f"{explain}{asked}")]


async def run(store: SqlStore, work: Work[list[tuple[object, ...]]]) -> list[tuple[object, ...]]:
    return await store._database.write(work)  # pyright: ignore[reportPrivateUsage] - a test may look inside


async def test_everything_is_looked_through_page_by_page(store: Store) -> None:
    for number in range(7):
        await write_in(store, f"{ODD} {number}", peer=f"peer-{number}")
    seen, before = list[str](), None
    while True:
        page = await told(store, before=before, limit=3)
        seen += [one.text for story in page.told for one in story.record]
        before = page.from_event
        if not page.older:
            break

    assert sorted(seen) == [f"{ODD} {number}" for number in range(7)]
