"""What makes it pleasant: the menu in the customer's language, a sign that somebody is at work, files kept."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from tests.adapters.telegram.desk import Desk, running_desk
from tests.worlds.botapi import ONE_PIXEL, Group, Limits, Server, World, serving

from imconnect.domain.conversations import Stage
from imconnect.domain.playbook import Priority
from imconnect.ports import FileState, Speaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"  # a test vector of BIP 39
NAME = "@im_wallet_support_bot"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncGenerator[Server]:
    async with serving(World(limits=Limits.none())) as started:
        yield started


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return server.world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Desk]:
    async with running_desk(server, tmp_path_factory.mktemp("desk")) as store:
        yield Desk(store, server.world)


async def test_the_menu_is_in_the_language_of_who_opens_it(desk: Desk, world: World) -> None:
    chinese, english = world.person("Mei", language_code="zh"), world.person("Ann", language_code="en")
    other = world.person("Jan", language_code="pl")
    await world.until(lambda: "/human Talk to a person" in english.menu())

    assert "/human 找人工" in chinese.menu()
    assert [line.partition(" ")[0] for line in other.menu()] == [
        "/start", "/help", "/status", "/human", "/language", "/verify",
    ]  # fmt: skip


async def test_the_commands_answer_in_the_chat(desk: Desk, world: World) -> None:
    bob = world.person("Bob")
    for command, words in (
        ("/status", "not waiting"),
        ("/language", "Which language"),
        ("/verify", "official support"),
        ("/verify Satoshi", "nobody of ours"),
        ("/human", "reference"),
        ("/status", "place"),
        ("/help", "/verify"),
    ):
        bob.says(command)
        await bob.hears(words)


async def test_an_agent_is_vouched_for_by_name(desk: Desk, world: World) -> None:
    """S-19"""
    await desk.store.add_agent("Xiaolin", "hash-of-xiaolin", desk.clock(), desk.clock())
    cem = world.person("Cem")

    cem.says("/verify xiaolin")

    await cem.hears("names can be copied")


async def test_a_file_is_kept_as_it_came_and_typed_by_what_it_is(desk: Desk, world: World) -> None:
    dora = world.person("Dora")
    dora.sends_document("holiday.jpg", ONE_PIXEL, "image/jpeg")
    await desk.settles()

    [line] = [line for line in (await desk.of(dora)).lines if line.speaker is Speaker.CUSTOMER]
    [file] = line.files
    assert (file.state, file.media_type) == (FileState.KEPT, "image/png")
    kept = await desk.store.file(file.id)
    assert kept is not None
    assert kept[1] == ONE_PIXEL


async def test_a_file_too_large_is_told_and_remembered_by_name_and_size(desk: Desk, world: World) -> None:
    """T-26"""
    eve = world.person("Eve")
    eve.sends_document("screen.mp4", size=30 * 1024 * 1024)
    await eve.hears("20 MB")
    await desk.settles()

    [line] = [line for line in (await desk.of(eve)).lines if line.speaker is Speaker.CUSTOMER]
    assert [(file.file.name, file.file.size, file.state) for file in line.files] == [
        ("screen.mp4", 30 * 1024 * 1024, FileState.NAMED)
    ]


async def test_a_phrase_in_a_file_is_withheld_and_the_message_deleted(desk: Desk, world: World) -> None:
    """S-09"""
    fay = world.person("Fay")
    said = fay.sends_document("backup.txt", PHRASE.encode())
    await fay.hears("recovery phrase")
    await desk.settles()

    dossier = await desk.of(fay)
    [line] = [line for line in dossier.lines if line.speaker is Speaker.CUSTOMER]
    assert [file.state for file in line.files] == [FileState.WITHHELD]
    assert fay.chat.deleted == [said.id]
    assert (dossier.summary.topic, dossier.summary.priority) == ("secret-leaked", Priority.URGENT)


async def test_a_question_with_a_real_loss_in_it_is_a_case_and_urgent(desk: Desk, world: World) -> None:
    """T-21"""
    gus = world.person("Gus")
    gus.says("how do I install the app on a new phone and my USDT is gone, somebody stole all of it")
    await desk.settles()

    summary = (await desk.of(gus)).summary
    assert summary.priority <= Priority.HIGH
    assert summary.stage in (Stage.COLLECTING, Stage.WAITING)


async def test_in_a_group_a_common_question_is_answered_and_a_case_is_not_discussed(desk: Desk, world: World) -> None:
    group: Group = world.supergroup(bot_rights=("can_delete_messages",))
    hal = group.member("Hal")
    hal.says(f"{NAME} what does a transfer cost? which fees?")
    await group.hears("fee")
    hal.says(f"{NAME} my transfer has not arrived")
    await desk.settles()

    assert not any("IM-" in text for text in group.bot_texts)
    assert [button for message in group.from_bot for button in message.buttons] == ["Talk in private"] * 2


async def test_a_phrase_in_a_group_is_deleted_there(desk: Desk, world: World) -> None:
    """S-12: where others read along"""
    group = world.supergroup(bot_rights=("can_delete_messages",))
    said = group.member("Ida").says(f"{NAME} {PHRASE}")

    await world.until(lambda: group.deleted == [said.id])
    await asyncio.sleep(0.1)
    assert "sausage" not in "".join(group.bot_texts)
