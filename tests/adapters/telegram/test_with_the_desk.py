"""A customer's Telegram at one end, the whole desk at the other: what must never happen between them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.adapters.telegram.desk import Desk, kept_in, running_desk
from tests.worlds.botapi import ONE_PIXEL, Limits, Moment, Server, World, serving

from imconnect.domain.conversations import Stage
from imconnect.domain.events import AgentReplied, AgentResolved, AgentTook
from imconnect.ports import SendState, Speaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # a test vector of BIP 39


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncGenerator[Server]:
    async with serving(World(limits=Limits.none())) as started:
        yield started


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the desk keeps everything it keeps."""
    return tmp_path_factory.mktemp("desk")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(server: Server, folder: Path) -> AsyncGenerator[Desk]:
    """One desk for all these customers: starting one takes as long as serving them."""
    async with running_desk(server, folder) as store:
        yield Desk(store, server.world)


async def test_each_answer_goes_to_who_asked(desk: Desk, world: World) -> None:
    """T-06"""
    people = [world.person(f"Asking {number}") for number in range(20)]
    for person in people:
        person.says("how do I reset my password?" if person.id % 2 else "转账手续费怎么这么贵")
    await desk.settles()

    for person in people:
        assert len(person.chat.from_bot) >= 1
        spoken = "".join(person.chat.bot_texts)
        assert ("password" in spoken) is bool(person.id % 2)


async def test_closing_one_conversation_of_five_is_told_to_that_customer_only(desk: Desk, world: World) -> None:
    """T-07"""
    people = [world.person(f"Waiting {number}") for number in range(5)]
    for person in people:
        person.says("/human")
    await desk.settles()
    before = [len(person.chat.from_bot) for person in people]
    await desk.act(people[1], AgentTook("Mei"))
    await desk.act(people[1], AgentReplied("Mei", "all is well now"))
    await desk.act(people[1], AgentResolved("Mei"))
    await desk.settles()

    reference = (await desk.of(people[1])).summary.reference
    new = [person.chat.bot_texts[count:] for person, count in zip(people, before, strict=True)]
    assert "all is well now" in new[1]
    assert not any(reference in text or "all is well" in text for texts in (*new[:1], *new[2:]) for text in texts)


async def test_the_first_two_messages_begin_one_conversation_in_order(desk: Desk, world: World) -> None:
    """T-08"""
    ann = world.person("Ada")
    ann.says("hello")
    ann.says("my transfer has not arrived")
    await desk.settles()

    said = [line.text for line in (await desk.of(ann)).lines if line.speaker is Speaker.CUSTOMER]
    assert said == ["hello", "my transfer has not arrived"]


async def test_an_answer_that_may_have_arrived_is_unknown_and_never_repeated(desk: Desk, world: World) -> None:
    """T-13"""
    ann = world.person("Bea")
    world.cut("sendMessage", Moment.AFTER_THE_EFFECT, chat_id=ann.id)
    ann.says("/start")
    await desk.settles()

    deliveries = [line.delivery for line in (await desk.of(ann)).lines if line.speaker is Speaker.BOT]
    assert deliveries == [SendState.UNKNOWN]
    assert len(ann.chat.from_bot) == len(world.called("sendMessage", ann.id)) == 1


async def test_who_blocked_us_is_not_tried_again_until_they_write(desk: Desk, world: World) -> None:
    """T-14"""
    ann = world.person("Cleo")
    ann.says("/human")
    await desk.settles()
    ann.blocks()
    tries = len(world.called("sendMessage", ann.id))
    await desk.act(ann, AgentTook("Mei"))
    await desk.act(ann, AgentReplied("Mei", "are you there?"))
    await desk.settles()
    assert (await desk.of(ann)).unreachable is not None
    failed = world.called("sendMessage", ann.id)[tries:]
    ann.unblocks()
    ann.says("sorry, I am back")
    await desk.act(ann, AgentReplied("Mei", "good to see you"))
    await desk.settles()

    assert [call.status for call in failed] == [403, 403]  # that somebody joined, and what they said: once each
    assert (await desk.of(ann)).unreachable is None
    assert "good to see you" in ann.chat.bot_texts


async def test_an_album_gets_one_answer(desk: Desk, world: World) -> None:
    """T-15"""
    ann = world.person("Dora")
    ann.sends_album([ONE_PIXEL] * 10, caption="my transfer has not arrived")
    await desk.settles()

    dossier = await desk.of(ann)
    assert [len(line.attachments) for line in dossier.lines if line.speaker is Speaker.CUSTOMER] == [10]
    assert len([line for line in dossier.lines if line.speaker is Speaker.BOT]) == len(ann.chat.from_bot) <= 2


async def test_an_edited_question_is_not_answered_again(desk: Desk, world: World) -> None:
    """T-16"""
    ann = world.person("Edda")
    said = ann.says("how do I reset my password?")
    await desk.settles()
    answered = ann.chat.bot_texts
    ann.edits(said, "/human")
    await desk.settles()

    dossier = await desk.of(ann)
    assert ann.chat.bot_texts == answered
    assert [(line.text, line.edited) for line in dossier.lines if line.speaker is Speaker.CUSTOMER] == [
        ("/human", True)
    ]
    assert dossier.summary.stage is Stage.SELF_SERVICE


async def test_an_edit_into_a_secret_is_deleted_in_the_chat_and_kept_nowhere(
    desk: Desk, world: World, folder: Path
) -> None:
    """T-17"""
    ann = world.person("Fay")
    said = ann.says("my wallet is empty")
    await desk.settles()
    ann.edits(said, PHRASE)
    await desk.settles()

    assert ann.chat.deleted == [said.id]
    [line] = [line for line in (await desk.of(ann)).lines if line.speaker is Speaker.CUSTOMER]
    assert line.secret is not None
    assert "my wallet is empty" in kept_in(folder)
    assert "sausage" not in kept_in(folder)


async def test_a_secret_is_deleted_at_once_and_the_customer_warned(desk: Desk, world: World) -> None:
    ann = world.person("Gwen")
    said = ann.says(f"here is my phrase: {PHRASE}")
    await desk.settles()

    assert ann.chat.deleted == [said.id]
    assert len(ann.chat.from_bot) >= 1
    assert "sausage" not in "".join(ann.chat.bot_texts)
    assert "sausage" not in json.dumps([call.parameters for call in world.called("sendMessage", ann.id)])


async def test_many_short_messages_of_somebody_robbed_are_all_kept_and_answered_sparingly(
    desk: Desk, world: World
) -> None:
    """T-20, the customer's half"""
    ann = world.person("Hana")
    ann.says("我的钱被盗了")
    ann.says("/human")
    await desk.settles()
    before = len(ann.chat.from_bot)
    lines = [f"第{number}句，快帮我" for number in range(30)]
    for line in lines:
        ann.says(line)
    await desk.settles()

    said = [line.text for line in (await desk.of(ann)).lines if line.speaker is Speaker.CUSTOMER]
    assert said[2:] == lines
    assert len(ann.chat.from_bot) - before <= 2


async def test_a_reply_to_a_closed_case_opens_the_same_case(desk: Desk, world: World) -> None:
    """T-25"""
    ann = world.person("Ida")
    ann.says("/human")
    await desk.settles()
    await desk.act(ann, AgentTook("Mei"))
    await desk.act(ann, AgentReplied("Mei", "done"))
    await desk.act(ann, AgentResolved("Mei"))
    await desk.settles()
    before = (await desk.of(ann)).summary.reference
    ann.says("it is still not there", reply_to=ann.chat.from_bot[0])
    await desk.settles()

    after = await desk.of(ann)
    assert after.summary.reference == before
    assert after.summary.stage is not Stage.RESOLVED


async def test_a_chat_that_must_wait_lets_the_others_go_on(desk: Desk, world: World) -> None:
    """T-12"""
    ann, bob = world.person("Mia"), world.person("Noa")
    world.fail("sendMessage", times=1, status=429, retry_after=35, chat_id=ann.id)
    ann.says("/start")
    bob.says("/start")
    await bob.hears()
    await asyncio.sleep(0.3)

    assert ann.chat.from_bot == []
    assert [call.status for call in world.called("sendMessage", ann.id)] == [429]
