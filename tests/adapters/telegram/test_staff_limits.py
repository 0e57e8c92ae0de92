"""When the staff's group takes little or nothing: customers notice none of it."""

import asyncio
import logging
from pathlib import Path

import pytest
from tests.adapters.telegram.desk import Desk, running_desk
from tests.worlds.botapi import Limits, Server, World, serving

from imconnect.domain.conversations import Stage


async def test_without_the_right_to_open_topics_there_are_few_tries_one_alarm_and_a_reference_all_the_same(
    server: Server, world: World, tmp_path: Path
) -> None:
    """T-10"""
    staff = world.forum()
    staff.revoke("can_manage_topics")
    async with running_desk(server, tmp_path, staff_chat=staff.id) as store:
        desk = Desk(store, world)
        ann, bob = world.person("Ann"), world.person("Bob")
        ann.says("/human")
        await ann.hears(await desk.reference_of(ann))
        bob.says("/human")
        await bob.hears(await desk.reference_of(bob))
        await world.until(lambda: staff.bot_texts, within=30)
        await asyncio.sleep(2)
        tried = len(world.called("createForumTopic"))
        backlog = await store.backlog(desk.clock())
        alarms = len(staff.bot_texts)

        staff.grant("can_manage_topics")
        ann.says("are you there?")
        await world.until(lambda: staff.topics, within=15)

    assert tried <= 12
    assert alarms == 1
    assert backlog.rooms_failed >= 1


async def test_forty_messages_over_ten_conversations_fit_into_the_groups_minute(tmp_path: Path) -> None:
    """T-11: the group gets at most 20 in a minute, and an agent's words reach the customer at once meanwhile."""
    async with serving(World(limits=Limits())) as server:
        world = server.world
        staff = world.forum()
        async with running_desk(server, tmp_path, staff_chat=staff.id) as store:
            desk = Desk(store, world)
            mei = staff.member("Mei")
            agent = await store.add_agent("Mei", "hash-of-mei", desk.clock(), desk.clock())
            await store.link_agent(agent.id, "telegram", str(mei.id), desk.clock())
            people = [world.person(f"Customer {number}") for number in range(10)]
            for person in people:
                person.says("/human")
            for round_ in range(3):
                for person in people:
                    person.says(f"line {round_} of {person.name}")
            await world.until(lambda: staff.topics, within=15)
            await asyncio.sleep(1)
            topic = next(iter(staff.topics))
            reference = await store.conversation_in("telegram", str(staff.id), str(topic))
            [served] = [one for one in people if (await desk.of(one)).summary.reference == reference]

            mei.says("I am with you", thread=topic)
            await served.hears("I am with you", within=5)

            refused = [call for call in world.called("sendMessage", staff.id) if call.status == 429]
            stored = [len((await desk.of(person)).lines) for person in people]
            stage = (await desk.of(served)).summary.stage

    assert len(world.called("sendMessage", staff.id)) <= 20
    assert refused == []
    assert all(lines >= 4 for lines in stored)
    assert stage is Stage.WITH_AGENT


async def test_neither_words_nor_the_token_are_in_any_log_at_any_level(
    server: Server, world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No customer's text and no token, whatever is logged and whatever goes wrong."""
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        async with running_desk(server, tmp_path) as store:
            desk = Desk(store, world)
            ann = world.person("Annabel Wordsworth")
            world.fail("sendMessage", times=2, status=502)
            world.garble("sendMessage")
            ann.says("purple elephants dance on my transfer")
            ann.sends_document("purple-elephants.txt", b"purple elephants")
            world.emit_unchecked({"update_id": 99_999, "message": {"text": "purple elephants", "chat": 5}})
            await desk.settles()
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)

    written = "".join(capfd.readouterr())
    secret = world.token.partition(":")[2]
    mine = [line for line in written.splitlines() if "tests.worlds" not in line and "aiohttp" not in line]
    assert mine
    for word in ("elephants", "Wordsworth", secret):
        assert not [line for line in mine if word in line]
