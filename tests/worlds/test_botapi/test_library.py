"""The library the adapter stands on can do its work here, in the form it sends things."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import telegram
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter
from tests.worlds.botapi import Limits, Server, World


@pytest.fixture
async def ptb(server: Server) -> AsyncIterator[telegram.Bot]:
    async with telegram.Bot(server.world.token, base_url=f"{server.url}/bot") as bot:
        yield bot


async def test_a_staff_room_is_kept(ptb: telegram.Bot, world: World) -> None:
    staff = world.forum(bot_rights=("can_manage_topics", "can_delete_messages", "can_pin_messages"))
    mei, ann = staff.member("Mei", status="administrator"), world.person("Ann")
    said = ann.says("😀 my transfer is missing")

    topic = await ptb.create_forum_topic(staff.id, "IM-1 · Ann")
    thread = topic.message_thread_id
    header = await ptb.send_message(staff.id, "IM-1", message_thread_id=thread)
    await header.pin()
    copy = await ptb.copy_message(staff.id, ann.id, said.id, message_thread_id=thread)
    mei.says("which hash?", thread=thread, reply_to=staff.messages[copy.message_id])
    quote = telegram.ReplyParameters(said.id, quote="my transfer")
    await ptb.send_message(ann.id, "which hash?", reply_parameters=quote)
    await ptb.edit_forum_topic(staff.id, thread, name="IM-1 · Ann ✓")
    await ptb.delete_messages(staff.id, [copy.message_id])
    await ptb.close_forum_topic(staff.id, thread)

    updates = await ptb.get_updates()
    asked = next(update.message for update in updates if update.message and update.message.text == "which hash?")
    assert asked.reply_to_message is not None
    assert asked.reply_to_message.message_id == copy.message_id
    assert (await ann.hears("which hash?")).json["quote"]["position"] == 3
    assert (staff.topics[thread].name, staff.topics[thread].closed) == ("IM-1 · Ann ✓", True)
    assert (staff.pinned, staff.deleted) == ([header.message_id], [copy.message_id])
    managing = await ptb.get_chat_administrators(staff.id)
    assert [type(member).__name__ for member in managing] == ["ChatMemberAdministrator"] * 2
    await ptb.delete_forum_topic(staff.id, thread)
    with pytest.raises(BadRequest, match="thread not found"):
        await ptb.send_message(staff.id, "hello?", message_thread_id=thread)


async def test_menus_are_set_for_a_scope_and_a_language(ptb: telegram.Bot, world: World) -> None:
    staff = world.forum()
    mei = staff.member("美", status="administrator", language_code="zh-hans")
    take = [telegram.BotCommand("take", "接手")]

    await ptb.set_my_commands(take, telegram.BotCommandScopeChatAdministrators(staff.id), "zh")

    assert mei.menu(staff) == ["/take 接手"]
    assert [command.command for command in await ptb.get_my_commands()] == []


async def test_refusals_become_the_librarys_errors(
    ptb: telegram.Bot, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # without it the library warns of what it will do one day
    group, ann = world.group(), world.person("Ann").has_written_before()
    new = world.upgrade(group)
    ann.blocks()
    world.meter.limits = Limits(group_a_minute=0)

    with pytest.raises(ChatMigrated) as migrated:
        await ptb.send_message(group.id, "hi")
    with pytest.raises(Forbidden, match="blocked"):
        await ptb.send_message(ann.id, "hi")
    with pytest.raises(RetryAfter) as slow:
        await ptb.send_message(new.id, "hi")

    assert migrated.value.new_chat_id == new.id
    assert slow.value.retry_after == timedelta(seconds=60)
