"""Forum topics, with real state."""

from datetime import timedelta

import pytest
from tests.worlds.botapi import World
from tests.worlds.botapi.raw_bot import RawBot


async def test_a_topic_lives_until_it_is_deleted(bot: RawBot, world: World) -> None:
    forum = world.forum()
    owner = world.person("Owner").joins(forum, "creator")
    thread = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    await bot.does("sendMessage", chat_id=forum.id, message_thread_id=thread, text="in the topic")
    assert [m.text for m in forum.in_topic(thread) if m.text] == ["in the topic"]

    owner.deletes_topic(forum, thread)
    refused = await bot.call("sendMessage", chat_id=forum.id, message_thread_id=thread, text="again")

    assert refused["description"] == "Bad Request: message thread not found"


async def test_a_topic_is_renamed_closed_and_opened_again(bot: RawBot, world: World) -> None:
    forum = world.forum()
    thread = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    topic = {"chat_id": forum.id, "message_thread_id": thread}
    await bot.does("editForumTopic", **topic, name="IM-1 ✓")
    await bot.does("closeForumTopic", **topic)

    twice = await bot.call("closeForumTopic", **topic)
    assert (forum.topics[thread].name, forum.topics[thread].closed) == ("IM-1 ✓", True)
    assert twice["description"] == "Bad Request: TOPIC_NOT_MODIFIED"
    await bot.does("reopenForumTopic", **topic)
    await bot.does("deleteForumTopic", **topic)
    assert forum.topics == {}


async def test_a_mere_member_writes_to_no_closed_topic(bot: RawBot, world: World) -> None:
    forum = world.forum(bot_rights=None)
    owner = world.person("Owner").joins(forum, "creator")
    topic = owner.opens_topic(forum, "IM-1")
    owner.closes_topic(forum, topic.thread)

    send = {"chat_id": forum.id, "text": "hi"}
    refused = await bot.call("sendMessage", **send, message_thread_id=topic.thread)

    assert refused["description"] == "Bad Request: TOPIC_CLOSED"
    assert "not enough rights" in (await bot.call("createForumTopic", chat_id=forum.id, name="x"))["description"]


async def test_the_general_topic_is_written_to_without_its_number(bot: RawBot, world: World) -> None:
    forum = world.forum()

    assert (await bot.call("sendMessage", chat_id=forum.id, text="hi"))["ok"]
    refused = await bot.call("sendMessage", chat_id=forum.id, text="hi", message_thread_id=1)
    assert refused["description"] == "Bad Request: message thread not found"
    await bot.does("closeGeneralForumTopic", chat_id=forum.id)
    await bot.does("reopenGeneralForumTopic", chat_id=forum.id)
    await bot.does("hideGeneralForumTopic", chat_id=forum.id)
    await bot.does("unhideGeneralForumTopic", chat_id=forum.id)
    await bot.does("editGeneralForumTopic", chat_id=forum.id, name="Desk")
    assert forum.general.name == "Desk"


async def test_a_private_topic_that_is_gone_is_not_found(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.says("in a topic", thread=77)

    assert (await bot.call("sendMessage", chat_id=ann.id, text="hi", message_thread_id=77))["ok"]
    assert not (await bot.call("sendMessage", chat_id=ann.id, text="hi", message_thread_id=78))["ok"]


async def test_what_is_done_to_topics_is_told_in_them(bot: RawBot, world: World) -> None:
    forum = world.forum()
    mei = forum.member("Mei", status="administrator")
    topic = mei.opens_topic(forum, "IM-1")
    mei.renames_topic(forum, topic.thread, "IM-1 urgent")
    mei.closes_topic(forum, topic.thread)
    mei.reopens_topic(forum, topic.thread)

    notes = await bot.updates()

    assert {note["message_thread_id"] for note in notes} == {topic.thread}
    assert [next(name for name in note if name.startswith("forum_topic")) for note in notes] == [
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
    ]


async def test_a_topic_that_is_gone_cannot_be_changed(bot: RawBot, world: World) -> None:
    forum = world.forum()
    thread = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    forum.member("Mei").deletes_topic(forum, thread)
    gone = {"chat_id": forum.id, "message_thread_id": thread}

    assert await bot.refusal("closeForumTopic", **gone) == "Bad Request: TOPIC_ID_INVALID"
    assert await bot.refusal("editForumTopic", **gone, name="IM-2") == "Bad Request: TOPIC_ID_INVALID"
    assert await bot.refusal("deleteForumTopic", **gone) == "Bad Request: TOPIC_ID_INVALID"
    assert forum.in_topic(thread) == []


async def test_telegram_may_remember_a_topic_for_a_while_after_it_was_deleted(bot: RawBot, world: World) -> None:
    world.topics_remembered_for = 60.0
    forum = world.forum()
    thread = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    forum.member("Mei").deletes_topic(forum, thread)
    send = {"chat_id": forum.id, "message_thread_id": thread, "text": "hi"}

    at_once = await bot.refusal("sendMessage", **send)
    world.later(timedelta(seconds=61))

    assert at_once == "Bad Request: TOPIC_DELETED"
    assert await bot.refusal("sendMessage", **send) == "Bad Request: message thread not found"


async def test_without_the_right_no_topic_is_made_and_with_it_again_one_is(bot: RawBot, world: World) -> None:
    forum = world.forum()
    forum.revoke("can_manage_topics")
    refused = await bot.refusal("createForumTopic", chat_id=forum.id, name="IM-1")
    forum.grant("can_manage_topics")

    assert refused == "Bad Request: not enough rights to create a topic"
    assert await bot.does("createForumTopic", chat_id=forum.id, name="IM-1")


async def test_without_the_right_only_ones_own_topics_are_changed(bot: RawBot, world: World) -> None:
    forum = world.forum()
    own = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    other = forum.member("Mei").opens_topic(forum, "Lunch").thread
    assert await bot.does("editForumTopic", chat_id=forum.id, message_thread_id=other, name="Supper")
    forum.demote_bot()

    assert await bot.does("editForumTopic", chat_id=forum.id, message_thread_id=own, name="IM-1 ✓")
    assert await bot.refusal("editForumTopic", chat_id=forum.id, message_thread_id=other, name="x") == (
        "Bad Request: not enough rights to edit the topic"
    )
    assert await bot.refusal("closeForumTopic", chat_id=forum.id, message_thread_id=other) == (
        "Bad Request: not enough rights to close or open the topic"
    )
    assert await bot.refusal("deleteForumTopic", chat_id=forum.id, message_thread_id=other) == (
        "Bad Request: not enough rights to delete the topic"
    )
    assert await bot.does("deleteForumTopic", chat_id=forum.id, message_thread_id=own)


async def test_a_topic_name_is_cut_at_128_characters(bot: RawBot, world: World) -> None:
    forum = world.forum()
    made = await bot.does("createForumTopic", chat_id=forum.id, name="钱" * 200)

    assert made["name"] == forum.topics[made["message_thread_id"]].name == "钱" * 128
    assert await bot.refusal("createForumTopic", chat_id=forum.id, name="  ") == "Bad Request: name must be non-empty"
    assert await bot.refusal("createForumTopic", chat_id=world.supergroup().id, name="x") == (
        "Bad Request: the chat is not a forum"
    )


async def test_a_member_cannot_write_into_a_closed_or_a_missing_topic(world: World) -> None:
    forum = world.forum()
    mei, eve = forum.member("Mei", status="administrator"), forum.member("Eve")
    topic = mei.opens_topic(forum, "IM-1")
    mei.closes_topic(forum, topic.thread)

    mei.says("an administrator can", thread=topic.thread)
    with pytest.raises(ValueError, match="closed"):
        eve.says("let me in", thread=topic.thread)
    with pytest.raises(ValueError, match="no such topic"):
        eve.says("hello?", thread=999)


async def test_answers_are_waited_for_topic_by_topic(bot: RawBot, world: World) -> None:
    forum = world.forum()
    threads = [(await bot.does("createForumTopic", chat_id=forum.id, name=name))["message_thread_id"] for name in "ab"]
    for thread in threads:
        await bot.does("sendMessage", chat_id=forum.id, message_thread_id=thread, text=f"in {thread}")

    assert (await forum.hears(thread=threads[1])).text == f"in {threads[1]}"
    assert (await forum.hears()).text == f"in {threads[0]}"
    with pytest.raises(AssertionError, match="did not happen"):
        await forum.hears(within=0.05)


async def test_everything_in_a_topic_is_told_as_an_answer_to_the_note_that_opened_it(bot: RawBot, world: World) -> None:
    forum = world.forum()
    mei = forum.member("Mei")
    topic = mei.opens_topic(forum, "IM-1")
    plain = mei.says("/take", thread=topic.thread)
    answer = mei.says("done", thread=topic.thread, reply_to=plain)

    _, first, second = await bot.updates()

    assert first["reply_to_message"]["forum_topic_created"]["name"] == "IM-1"
    assert second["reply_to_message"]["message_id"] == plain.id
    assert (plain.reply_to, answer.reply_to) == (None, plain.id)


async def test_being_in_a_topic_of_the_bot_is_no_answer_to_it(bot: RawBot, world: World) -> None:
    forum = world.forum(bot_rights=("can_manage_topics",))
    thread = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    forum.demote_bot()
    forum.member("Mei").says("among ourselves", thread=thread)

    assert [message.get("text") for message in await bot.updates()] == [None]
