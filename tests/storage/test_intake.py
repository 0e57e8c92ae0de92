"""What comes in is stored once, in order, and words that must go leave no trace."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from sqlite3 import connect

import pytest
import sqlalchemy as sa
from tests.storage.acts import (
    answer,
    claim,
    decide_all,
    dossier,
    events,
    later,
    lines,
    settle,
    state,
    strings_in,
    take_turn,
    write_in,
)
from tests.storage.conftest import SqlGround

from imconnect.domain.actions import MarkUnreachable
from imconnect.domain.conversations import Conversation, Given, Stage
from imconnect.domain.events import MessageEdited, MessageReceived
from imconnect.domain.messages import Language, Remark, Unreadable
from imconnect.domain.playbook import Pace
from imconnect.domain.readings import SecretKind
from imconnect.ports import Received, SendState, Settled, Store
from imconnect.storage import SqlStore, tables
from imconnect.testing.fakes import MemoryStore
from imconnect.testing.makers import NOON, address, picture, received, secret


def texts(found: Sequence[object]) -> list[str]:
    return [event.text for event in found if isinstance(event, MessageReceived)]


# --------------------------------------------------------------------------------------------------------------- once


async def test_a_message_that_is_delivered_again_is_stored_once(store: Store) -> None:
    first = await store.record([received("hello")], NOON)
    again = await store.record([received("hello")], later(5))

    assert (first, again) == (1, 0)
    assert [line.text for line in await lines(store)] == ["hello"]
    assert texts(await events(store)) == ["hello"]


async def test_a_message_that_stands_twice_in_a_batch_is_stored_once(store: Store) -> None:
    new = await store.record([received("first words"), received("other words")], NOON)

    assert new == 1
    assert [line.text for line in await lines(store)] == ["first words"]


async def test_a_message_delivered_again_after_its_turn_has_no_second_one(store: Store) -> None:
    await store.record([received("hello")], NOON)
    await take_turn(store)
    await store.record([received("hello")], NOON)

    assert await events(store) == []


async def test_the_same_id_in_another_inbox_is_another_message(store: Store) -> None:
    items = [
        received("on the web"),
        received("by mail", at=address(channel="email")),
        received("elsewhere", at=address(account="b")),
    ]
    new = await store.record(items, NOON)

    assert new == 3
    assert sorted(texts(await events(store))) == ["by mail", "elsewhere", "on the web"]


async def test_messages_keep_the_order_of_their_batches(store: Store) -> None:
    await write_in(store, "one", "two", "three")
    await write_in(store, "four", "five")

    assert texts(await events(store)) == ["one", "two", "three", "four", "five"]
    assert [line.text for line in await lines(store)] == ["one", "two", "three", "four", "five"]


async def test_what_nobody_could_read_is_set_aside_once_and_counted(store: Store) -> None:
    items = [Unreadable(str(number), "web", "site", "not JSON", 7) for number in range(3)]
    first = await store.record(items, NOON)
    again = await store.record([*items, received("readable")], NOON)

    assert (first, again) == (3, 1)
    assert (await store.backlog(NOON)).quarantined == 3


async def test_two_processes_that_record_the_same_messages_store_each_once(ground: SqlGround) -> None:
    stores = [await ground.open(), await ground.open()]
    items = [received(f"message {number}", id=str(number), at=address(f"peer {number % 7}")) for number in range(120)]
    batches = [items[start : start + 10] for start in range(0, 120, 10)]

    async def record_all(store: SqlStore, mine: Sequence[Sequence[Received]]) -> int:
        return sum([await store.record(batch, NOON) for batch in mine])

    new = await asyncio.gather(record_all(stores[0], batches), record_all(stores[1], batches))

    assert sum(new) == 120
    assert sorted(texts(await events(stores[0]))) == sorted(item.incoming.text for item in items)


async def test_two_processes_keep_the_order_of_a_conversation(ground: SqlGround) -> None:
    stores = [await ground.open(), await ground.open()]

    async def talk(store: SqlStore, peer: str) -> None:
        for number in range(30):
            await write_in(store, f"{number:02}", peer=peer)

    await asyncio.gather(talk(stores[0], "ann"), talk(stores[1], "bob"))

    assert [line.text for line in await lines(stores[0], "ann")] == [f"{number:02}" for number in range(30)]
    assert [line.text for line in await lines(stores[0], "bob")] == [f"{number:02}" for number in range(30)]


# ------------------------------------------------------------------------------------------------------ conversations


async def test_two_first_messages_begin_one_conversation(store: Store) -> None:
    await write_in(store, "one", "two")
    cases = await take_turn(store)

    assert len(cases) == 1
    assert len(await store.summaries(frozenset(Stage), 10)) == 1


async def test_two_first_messages_at_two_processes_begin_one_conversation(ground: SqlGround) -> None:
    stores = [await ground.open() for _ in range(4)]
    await asyncio.gather(*(write_in(store, f"hello {number}") for number, store in enumerate(stores)))

    assert len(await stores[0].summaries(frozenset(Stage), 10)) == 1


async def test_a_conversation_begins_in_the_language_of_the_customers_client(store: Store) -> None:
    await store.record([received("hello", language_hint=Language.ENGLISH)], NOON)
    await store.record([received("hello", id="2", at=address("bob"))], NOON)

    assert (await state(store)).language is Language.ENGLISH
    assert (await state(store, "bob")).language is Language.CHINESE


@pytest.mark.parametrize(("pause", "same"), [(-1, True), (1, False)])
async def test_a_message_long_after_the_end_begins_a_new_conversation(store: Store, pause: int, same: bool) -> None:
    await write_in(store, "before")
    await take_turn(store, become=lambda conversation: conversation.moved_to(Stage.RESOLVED))
    before = await state(store)
    await write_in(store, "after", now=later(Pace().reopen_within + pause))
    after = await state(store)

    assert (after.reference == before.reference) is same
    assert [line.text for line in await lines(store)] == ["before", "after"]


async def test_a_name_and_files_come_back_as_they_came(store: Store) -> None:
    sent_at = NOON - timedelta(microseconds=1)
    item = received("look", attachments=[picture("a", "one.png"), picture("b", "two.png")])
    await store.record([replace(item, incoming=replace(item.incoming, sent_at=sent_at))], NOON)
    (event,) = await events(store)
    (line,) = await lines(store)

    assert isinstance(event, MessageReceived)
    assert event.attachments == line.attachments == (picture("a", "one.png"), picture("b", "two.png"))
    assert (line.author, line.at) == ("Ann", sent_at)
    assert (await store.summaries(frozenset(Stage), 10))[0].contact == "Ann"


async def test_every_microsecond_is_kept(store: Store) -> None:
    moments = [NOON + timedelta(days=day, microseconds=day * 7_919 + 1) for day in range(200)]
    items = [received(str(number), id=str(number)) for number in range(200)]
    dated = [
        replace(item, incoming=replace(item.incoming, sent_at=moment))
        for item, moment in zip(items, moments, strict=True)
    ]
    await store.record(dated, NOON)

    assert [line.at for line in await lines(store)] == moments


async def test_the_choice_and_the_hint_reach_the_turn(store: Store) -> None:
    await store.record([received("", choice="t:fees", language_hint=Language.ENGLISH, secret=secret())], NOON)

    assert await events(store) == [
        MessageReceived("1", "", "t:fees", secret=secret(), language_hint=Language.ENGLISH),
    ]


async def test_who_writes_again_can_be_reached_again(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, answer())
    await settle(store, await claim(store), SendState.FAILED, reason="blocked by the customer", blocked=True)
    reference = (await state(store)).reference
    before = await store.dossier(reference)
    await write_in(store, "back again")
    after = await store.dossier(reference)

    assert before is not None
    assert after is not None
    assert (before.unreachable, after.unreachable) == ("blocked by the customer", None)


async def test_what_kind_of_message_it_is_reaches_the_turn(store: Store) -> None:
    await store.record([received("hello all", public=True), received("out of office", id="2", automatic=True)], NOON)
    found = await events(store)

    assert [(one.public, one.automatic) for one in found if isinstance(one, MessageReceived)] == [
        (True, False),
        (False, True),
    ]


async def test_what_a_message_quotes_and_what_is_remarked_on_it_is_for_agents(store: Store) -> None:
    remarks = (Remark.FORWARDED, Remark.UNVERIFIED_SENDER)
    await store.record([received("still nothing", quoted="> your answer", remarks=remarks)], NOON)
    (line,) = (await dossier(store)).lines
    (seen,) = await lines(store)

    assert (line.text, line.quoted, line.remarks) == ("still nothing", "> your answer", remarks)
    assert (seen.text, seen.quoted, seen.remarks) == ("still nothing", "", ())
    assert texts(await events(store)) == ["still nothing"]


async def test_agents_see_what_a_message_said_before_and_nobody_does_once_a_secret_was_in_it(store: Store) -> None:
    await store.record([received("first"), received("second", id="1e", revises="1")], NOON)
    (seen,) = (await dossier(store)).lines
    (shown,) = await lines(store)
    await store.record([received("[removed]", id="1f", revises="1", secret=secret())], NOON)
    (after,) = (await dossier(store)).lines

    assert (seen.text, seen.earlier, shown.earlier) == ("second", ("first",), ())
    assert after.earlier == ()


# ----------------------------------------------------------------------------------------------------------- machines


async def unreachable_ann(store: Store) -> None:
    await write_in(store, "hello")
    await take_turn(store, MarkUnreachable("mailbox full"))


async def test_a_machines_message_is_kept_and_makes_nobody_reachable(store: Store) -> None:
    await unreachable_ann(store)
    before = await dossier(store)
    await store.record([received("I am away", id="auto", automatic=True, name="Mail System")], NOON)
    after = await dossier(store)

    assert after.summary.reference == before.summary.reference
    assert [(line.author, line.text) for line in after.lines] == [("Ann", "hello"), ("Mail System", "I am away")]
    assert (after.unreachable, after.summary.contact) == ("mailbox full", "Ann")


async def test_a_person_who_writes_in_the_same_batch_can_be_reached(store: Store) -> None:
    await unreachable_ann(store)
    batch = [received("back again", id="p"), received("I am away", id="auto", automatic=True, name="Mail System")]
    await store.record(batch, NOON)
    after = await dossier(store)

    assert (after.unreachable, after.summary.contact, len(after.lines)) == (None, "Ann", 3)


async def test_a_machine_that_writes_first_begins_a_conversation_like_anybody(store: Store) -> None:
    await store.record([received("ticket 7 received", automatic=True, name="Their Desk")], NOON)

    assert (await dossier(store)).summary.contact == "Their Desk"
    assert texts(await events(store)) == ["ticket 7 received"]


async def test_a_machine_that_writes_long_after_the_end_makes_nobody_reachable_either(store: Store) -> None:
    await unreachable_ann(store)
    await write_in(store, "thanks")
    await take_turn(store, MarkUnreachable("gone"), become=lambda conversation: conversation.moved_to(Stage.RESOLVED))
    before = (await state(store)).reference
    late = received("I am away", id="auto", automatic=True, name="Mail System")
    await store.record([late], later(Pace().reopen_within + 1))
    after = await dossier(store)

    assert after.summary.reference != before
    assert (after.unreachable, after.summary.contact) == ("gone", "Ann")


# -------------------------------------------------------------------------------------------------------------- edits


async def test_an_edit_shows_the_newest_words_and_happens_to_the_message_it_revises(store: Store) -> None:
    await store.record([received("ten USDT", id="m")], NOON)
    await take_turn(store)
    await store.record([received("hundred USDT", id="m:1", revises="m")], later(5))
    await store.record([received("thousand USDT", id="m:2", revises="m")], later(9))
    (line,) = await lines(store)

    assert (line.text, line.edited) == ("thousand USDT", True)
    assert await events(store) == [MessageEdited("m"), MessageEdited("m")]


async def test_an_edit_that_comes_in_the_same_batch_as_its_message_is_an_edit(store: Store) -> None:
    """After an hour away a channel hands over both at once."""
    batch = [received("ten", id="m"), received("hundred", id="m:1", revises="m"), received("more", id="n")]
    await store.record(batch, NOON)

    assert [(line.text, line.edited) for line in await lines(store)] == [("hundred", True), ("more", False)]
    assert await events(store) == [MessageReceived("m", "hundred"), MessageEdited("m"), MessageReceived("n", "more")]


async def test_an_edit_of_what_was_never_seen_is_a_message(store: Store) -> None:
    await store.record([received("corrected", id="m:1", revises="m")], NOON)

    assert texts(await events(store)) == ["corrected"]
    assert [line.edited for line in await lines(store)] == [False]


async def test_what_a_message_said_before_is_kept(ground: SqlGround) -> None:
    store = await ground.open()
    await store.record([received("ten", id="m")], NOON)
    await store.record([received("hundred", id="m:1", revises="m")], NOON)
    await store.record([received("thousand", id="m:2", revises="m")], NOON)

    assert await rows(store, sa.select(tables.message_revisions.c.text).order_by(sa.text("revision"))) == [
        ("ten",),
        ("hundred",),
    ]


async def test_an_edit_replaces_what_was_quoted_and_remarked_too(store: Store) -> None:
    await store.record([received("look", id="m", quoted="> one", remarks=(Remark.LINK_HIDES_TARGET,))], NOON)
    await store.record([received("look here", id="m:1", revises="m", quoted="> two")], NOON)
    (line,) = (await dossier(store)).lines

    assert (line.text, line.quoted, line.remarks, line.revision) == ("look here", "> two", (), 1)


async def test_what_its_sender_removed_upstream_stays_and_says_so(store: Store) -> None:
    await store.record([received("ten USDT", id="m", quoted="> how much", remarks=(Remark.FORWARDED,))], NOON)
    await store.record([received("", id="m:x", revises="m", remarks=(Remark.REMOVED_BY_SENDER,))], NOON)
    (line,) = (await dossier(store)).lines

    assert (line.text, line.quoted, line.revision) == ("ten USDT", "> how much", 1)
    assert line.remarks == (Remark.FORWARDED, Remark.REMOVED_BY_SENDER)


async def test_an_edit_into_a_secret_marks_the_message(store: Store) -> None:
    await store.record([received("what now", id="m")], NOON)
    await store.record([received("[withheld]", id="m:1", revises="m", secret=secret())], NOON)

    assert [line.secret for line in await lines(store)] == [SecretKind.RECOVERY_PHRASE]
    assert (await events(store))[1] == MessageEdited("m", secret())


# ---------------------------------------------------------------------------------------------- words that must go

FRAGMENTS = ("abandon ability able", "about above absent")


async def stand_in_the_store(store: Store) -> list[str]:
    """All strings that are stored, wherever they are."""
    if isinstance(store, MemoryStore):
        return [*strings_in(store)]
    assert isinstance(store, SqlStore)
    found: list[str] = []
    for table in tables.metadata.sorted_tables:
        found += [str(value) for row in await rows(store, sa.select(table)) for value in row]
    return found


async def rows(store: SqlStore, statement: sa.Select[tuple[object, ...]]) -> list[tuple[object, ...]]:
    database = store._database  # pyright: ignore[reportPrivateUsage] - a test may look inside
    return await database.read(lambda connection: [tuple(row) for row in connection.execute(statement)])


def holds(words: Sequence[str], found: Sequence[str]) -> list[str]:
    return [word for word in words if any(word in text for text in found)]


async def phrase_in_parts(store: Store) -> None:
    """The first parts of a phrase are stored, edited and taken for a detail before the last tells what they are."""
    await store.record([received(FRAGMENTS[0], id="1"), received("about", id="2")], NOON)
    await store.record([received(FRAGMENTS[1], id="2:1", revises="2")], NOON)
    await take_turn(
        store,
        become=lambda conversation: replace(
            conversation, details={"device": Given(FRAGMENTS[0]), "when": Given("yesterday")}
        ),
    )
    await store.record([received("more of it", id="3")], NOON)
    last = received("[recovery phrase withheld]", id="4", secret=secret(), withdrawn=("1", "2"))
    await store.record([last], NOON)


async def test_withdrawn_words_stand_nowhere_in_the_store(store: Store) -> None:
    await phrase_in_parts(store)
    found = await stand_in_the_store(store)

    assert holds(FRAGMENTS, found) == []
    assert holds(["yesterday", "more of it"], found) == ["yesterday", "more of it"]
    assert [line.secret for line in await lines(store)] == [
        SecretKind.RECOVERY_PHRASE,
        SecretKind.RECOVERY_PHRASE,
        None,
        SecretKind.RECOVERY_PHRASE,
    ]


async def test_a_detail_that_was_taken_from_withdrawn_words_is_forgotten(store: Store) -> None:
    await phrase_in_parts(store)

    assert dict((await state(store)).details) == {"when": Given("yesterday")}


async def test_withdrawn_words_that_wait_for_their_turn_are_not_read_in_it(store: Store) -> None:
    await store.record([received(FRAGMENTS[0], id="1")], NOON)
    await store.record([received("[withheld]", id="2", secret=secret(), withdrawn=("1",))], NOON)

    assert holds(FRAGMENTS, texts(await events(store))) == []


async def test_words_withdrawn_while_their_turn_is_taken_do_not_come_back_with_it(store: Store) -> None:
    await store.record([received(FRAGMENTS[0], id="1")], NOON)
    secret_part = received("[withheld]", id="2", secret=secret(), withdrawn=("1",))
    async with store.turn(10, NOON) as turn:
        (case,) = turn.cases
        withdrawing = asyncio.create_task(store.record([secret_part], NOON))
        await asyncio.sleep(0.1)
        kept = replace(case.conversation, details={"device": Given(FRAGMENTS[0]), "when": Given("yesterday")})
        await turn.apply([_settled(case.events[0].id, kept)], NOON)
    await withdrawing

    assert holds(FRAGMENTS, await stand_in_the_store(store)) == []
    assert dict((await state(store)).details) == {"when": Given("yesterday")}


def _settled(event: int, kept: Conversation) -> Settled:
    return Settled(kept, ((event, "done", ()),))


async def test_whatever_may_quote_withdrawn_words_is_not_kept(store: Store) -> None:
    """S-12: a quoted mail. The quotation may break the lines anew, so that no comparison would find the words."""
    quoted = "> abandon\n> ability able"
    await store.record([received("hello", id="0", quoted="> good day")], NOON)
    await store.record([received(FRAGMENTS[0], id="1", quoted=quoted), received("see above", id="2")], NOON)
    await store.record([received("and?", id="3", quoted=quoted), received("me too", "4", address("bob"))], NOON)
    await store.record([received("[withheld]", id="5", secret=secret(), withdrawn=("1",))], NOON)
    found = await stand_in_the_store(store)

    assert [line.quoted for line in (await dossier(store)).lines] == ["> good day", "", "", "", ""]
    assert holds([quoted, "ability"], found) == []


async def test_an_edit_into_a_secret_leaves_nothing_of_what_was_quoted(store: Store) -> None:
    await store.record([received("see below", id="1", quoted="> more than you should see")], NOON)
    await store.record([received("[withheld]", id="1:1", revises="1", secret=secret())], NOON)

    assert holds(["more than you should see"], await stand_in_the_store(store)) == []


async def test_withdrawn_words_are_in_no_byte_of_the_file(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    await phrase_in_parts(store)
    on_disk = b"".join(path.read_bytes() for path in sqlite.url.path.parent.glob("desk.db*"))

    assert [fragment for fragment in FRAGMENTS if fragment.encode() in on_disk] == []
    assert b"more of it" in on_disk


async def test_withdrawn_words_leave_the_file_though_somebody_reads_it(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    await write_in(store, "hello")
    reading = connect(sqlite.url.path)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM messages").fetchone()
    await phrase_in_parts(store)
    reading.close()
    await decide_all(store)
    await write_in(store, "something else")
    on_disk = b"".join(path.read_bytes() for path in sqlite.url.path.parent.glob("desk.db*"))

    assert [fragment for fragment in FRAGMENTS if fragment.encode() in on_disk] == []
