"""Colleagues work in a forum group: a topic for each conversation, and only those who are linked may act in it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.adapters.telegram.desk import Desk, kept_in, running_desk
from tests.worlds.botapi import Group, Limits, Member, Person, Server, World, serving

from imconnect.domain.conversations import Stage
from imconnect.ports import SendState, Speaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # a test vector of BIP 39


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncGenerator[Server]:
    async with serving(World(limits=Limits.none())) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return server.world


@pytest.fixture(scope="module")
def staff(world: World) -> Group:
    return world.forum()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(server: Server, folder: Path, staff: Group) -> AsyncGenerator[Desk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imconnect_telegram.pace.GROUP", 10_000)  # the limits have tests of their own
        async with running_desk(server, folder, staff_chat=staff.id) as store:
            yield Desk(store, server.world)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mei(desk: Desk, staff: Group) -> Member:
    """An agent, linked by her number."""
    mei = staff.member("Mei")
    agent = await desk.store.add_agent("Mei", "hash-of-mei", desk.clock(), desk.clock())
    await desk.store.link_agent(agent.id, "telegram", str(mei.id), desk.clock())
    return mei


async def in_line(desk: Desk, staff: Group, person: Person) -> int:
    """Have *person* ask for somebody; the topic it got."""
    person.says("/human")
    reference = await desk.reference_of(person)
    [thread] = await desk.world.until(lambda: threads_of(staff, reference))
    # The header is written once the desk knows whose topic it is.
    await desk.world.until(lambda: reference in copied(staff, thread))
    return thread


def threads_of(staff: Group, reference: str) -> list[int]:
    return [number for number, topic in staff.topics.items() if reference in topic.name]


def texts_in(staff: Group, thread: int) -> list[str]:
    return [message.text for message in staff.in_topic(thread) if message.from_bot and message.text]


def copied(staff: Group, thread: int) -> str:
    """All that stands in a topic now."""
    return "\n".join(texts_in(staff, thread))


async def test_who_waits_has_a_topic_with_everything_prepared(desk: Desk, staff: Group, world: World) -> None:
    ann = world.person("Ann")
    ann.says("转账三个小时了还没到账")
    thread = await in_line(desk, staff, ann)
    reference = await desk.reference_of(ann)

    await world.until(lambda: "转账三个小时了还没到账" in copied(staff, thread))
    head = texts_in(staff, thread)[0]
    assert reference in head
    assert "telegram" in head.lower()


async def test_the_first_two_messages_get_one_topic_in_order(desk: Desk, staff: Group, world: World) -> None:
    """T-08, the staff's half"""
    bob = world.person("Bob")
    bob.says("first of two")
    bob.says("/human")
    bob.says("second of two")
    reference = await desk.reference_of(bob)
    await desk.settles()

    [thread] = threads_of(staff, reference)
    await world.until(lambda: "second of two" in copied(staff, thread))
    text = copied(staff, thread)
    assert text.index("first of two") < text.index("second of two")


async def test_what_an_agent_writes_in_the_topic_reaches_the_customer(
    desk: Desk, staff: Group, world: World, mei: Member
) -> None:
    cem = world.person("Cem")
    thread = await in_line(desk, staff, cem)

    mei.says("we are looking into it", thread=thread)

    await cem.hears("we are looking into it")
    dossier = await desk.of(cem)
    assert (dossier.summary.stage, dossier.summary.agent) == (Stage.WITH_AGENT, "Mei")


async def test_the_commands_do_what_the_inbox_does(desk: Desk, staff: Group, world: World, mei: Member) -> None:
    dora = world.person("Dora")
    thread = await in_line(desk, staff, dora)
    steps = {
        "/take": Stage.WITH_AGENT,
        "/handback": Stage.WAITING,
        "/take@im_wallet_support_bot": Stage.WITH_AGENT,
        "/resolve": Stage.RESOLVED,
    }
    mei.says("/note check the hash first", thread=thread)
    for command, stage in steps.items():
        mei.says(command, thread=thread)
        await desk.reaches(dora, stage)

    notes = [line.text for line in (await desk.of(dora)).lines if line.speaker is Speaker.NOTE]
    assert notes == ["check the hash first"]
    assert "check the hash first" not in "".join(dora.chat.bot_texts)
    await world.until(lambda: staff.topics[thread].closed)


async def test_a_snippet_is_said_in_the_customers_language(desk: Desk, staff: Group, world: World, mei: Member) -> None:
    eve = world.person("Eve")
    eve.says("good morning, can you help me please")
    thread = await in_line(desk, staff, eve)

    mei.says("/snippet checking", thread=thread)

    await eve.hears("looking into it now")


async def test_an_agents_words_that_ask_for_a_phrase_are_stopped(
    desk: Desk, staff: Group, world: World, mei: Member
) -> None:
    """S-13, in the staff room"""
    fay = world.person("Fay")
    thread = await in_line(desk, staff, fay)
    await desk.settles()
    before = fay.chat.bot_texts

    said = mei.says("please send me your recovery phrase", thread=thread)

    await world.until(lambda: [message for message in staff.in_topic(thread) if message.reply_to == said.id])
    await desk.settles()
    assert fay.chat.bot_texts == before


async def test_a_topic_that_was_deleted_is_made_anew_with_everything_in_it(
    desk: Desk, staff: Group, world: World, mei: Member
) -> None:
    """T-09"""
    gus = world.person("Gus")
    gus.says("before it was deleted")
    thread = await in_line(desk, staff, gus)
    await world.until(lambda: "before it was deleted" in copied(staff, thread))
    reference = await desk.reference_of(gus)
    mei.deletes_topic(staff, thread)

    gus.says("after it was deleted")

    [anew] = await world.until(lambda: [one for one in threads_of(staff, reference) if one != thread])
    await world.until(lambda: "after it was deleted" in copied(staff, anew))
    assert "before it was deleted" in copied(staff, anew)
    assert await desk.reference_of(gus) == reference


async def test_a_topic_that_was_closed_is_opened_for_what_comes(
    desk: Desk, staff: Group, world: World, mei: Member
) -> None:
    hal = world.person("Hal")
    thread = await in_line(desk, staff, hal)
    mei.closes_topic(staff, thread)

    hal.says("still here")

    await world.until(lambda: "still here" in copied(staff, thread))


async def test_the_copy_follows_an_edit_into_a_secret(desk: Desk, staff: Group, world: World, folder: Path) -> None:
    """T-17, the staff's copy"""
    ida = world.person("Ida")
    thread = await in_line(desk, staff, ida)
    said = ida.says("harmless words to begin with")
    await world.until(lambda: "harmless words" in copied(staff, thread))

    ida.edits(said, PHRASE)

    await world.until(lambda: "harmless words" not in copied(staff, thread))
    assert "sausage" not in copied(staff, thread)
    await desk.settles()
    assert "sausage" not in kept_in(folder)


async def test_who_is_not_linked_is_not_relayed_whatever_they_are_in_the_group(
    desk: Desk, staff: Group, world: World, mei: Member
) -> None:
    """T-23, T-24"""
    jan = world.person("Jan")
    thread = await in_line(desk, staff, jan)
    await desk.settles()
    before = jan.chat.bot_texts
    guest, chief = staff.member("Guest"), staff.member("Mei", status="administrator")

    guest.says("I will help you, write to me", thread=thread)
    chief.says("me too", thread=thread)
    mei.posts_as_the_group("as the group", staff, thread=thread)
    mei.posts_as_a_channel("as a channel", staff, thread=thread)
    mei.says("as myself", thread=thread)

    await jan.hears("as myself")
    await desk.settles()
    said = [text for text in jan.chat.bot_texts if text not in before]
    assert not any(word in text for text in said for word in ("I will help", "me too", "as the group", "as a channel"))


async def test_an_edited_reply_is_not_sent_again(desk: Desk, staff: Group, world: World, mei: Member) -> None:
    kim = world.person("Kim")
    thread = await in_line(desk, staff, kim)
    said = mei.says("the first wording", thread=thread)
    await kim.hears("the first wording")

    mei.edits(said, "another wording")
    await desk.settles()

    assert "another wording" not in "".join(kim.chat.bot_texts)


async def test_many_short_messages_are_copied_in_few(desk: Desk, staff: Group, world: World) -> None:
    """T-20, the staff's half"""
    lea = world.person("Lea")
    thread = await in_line(desk, staff, lea)
    await desk.settles()
    before = len(world.called("sendMessage", staff.id))
    for number in range(30):
        lea.says(f"line {number} of many")

    await world.until(lambda: "line 29 of many" in copied(staff, thread))
    text = copied(staff, thread)
    assert [text.index(f"line {number} of many") for number in range(30)] == sorted(
        text.index(f"line {number} of many") for number in range(30)
    )
    assert len(world.called("sendMessage", staff.id)) - before <= 8


async def test_what_did_not_reach_the_customer_stands_in_the_topic_once(
    desk: Desk, staff: Group, world: World, mei: Member
) -> None:
    """T-14, the note"""
    max_ = world.person("Max")
    thread = await in_line(desk, staff, max_)
    await desk.settles()
    max_.blocks()
    mei.says("are you there?", thread=thread)
    mei.says("hello?", thread=thread)
    await desk.settles()

    dossier = await desk.of(max_)
    assert len([line for line in dossier.lines if line.speaker is Speaker.NOTE]) == 1
    assert dossier.unreachable is not None
    assert {line.delivery for line in dossier.lines if line.text in ("are you there?", "hello?")} == {SendState.FAILED}
    note = next(line.text for line in dossier.lines if line.speaker is Speaker.NOTE)
    await world.until(lambda: note in copied(staff, thread))
