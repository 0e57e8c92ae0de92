"""Groups, their members, and what the bot may do and hear in them."""

import pytest
from tests.worlds.botapi import World
from tests.worlds.botapi.raw_bot import RawBot

NAME = "@im_wallet_support_bot"


async def test_a_member_speaks_where_they_are_a_member(bot: RawBot, world: World) -> None:
    staff = world.forum()
    mei = staff.member("Mei", username="mei_desk")
    topic = mei.opens_topic(staff, "IM-1")

    said = mei.says("/take", thread=topic.thread)

    _, heard = await bot.updates()
    assert (heard["chat"]["id"], heard["message_thread_id"], heard["is_topic_message"]) == (
        staff.id,
        topic.thread,
        True,
    )
    assert (heard["from"]["username"], heard["text"], heard["message_id"]) == ("mei_desk", "/take", said.id)
    assert heard["entities"] == [{"type": "bot_command", "offset": 0, "length": 5}]


async def test_a_person_can_be_a_member_here_and_a_customer_there(bot: RawBot, world: World) -> None:
    staff, ann = world.forum(), world.person("Ann")
    seat = staff.member(ann)
    ann.says("privately")
    seat.says("among colleagues")

    chats = [message["chat"]["id"] for message in await bot.updates()]

    assert chats == [ann.id, staff.id]
    assert seat.id == ann.id


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("good morning", False),
        (f"{NAME} hello", True),
        (f"hello {NAME.upper()}", True),
        ("/help", True),
        (f"/help{NAME} now", True),
        ("/help@another_bot", False),
    ],
)
async def test_with_privacy_mode_the_bot_hears_only_what_is_meant_for_it(
    bot: RawBot, world: World, text: str, heard: bool
) -> None:
    world.supergroup().member("Ann").says(text)

    assert bool(await bot.updates()) is heard


async def test_with_privacy_mode_the_bot_hears_answers_to_itself_and_no_others(bot: RawBot, world: World) -> None:
    group = world.supergroup()
    ann, bob = group.member("Ann"), group.member("Bob")
    await bot.does("sendMessage", chat_id=group.id, text="how can I help?")
    ann.says("like this", reply_to=await group.hears("how"))
    bob.says("hello Ann", reply_to=ann.says("thanks"))

    assert [message["text"] for message in await bot.updates()] == ["like this"]


async def test_getme_says_whether_privacy_mode_is_on_and_without_it_everything_is_heard(
    bot: RawBot, world: World
) -> None:
    group = world.supergroup()
    with_privacy = await bot.does("getMe")
    world.privacy_mode = False
    group.member("Ann").says("good morning")

    without = await bot.does("getMe")
    assert (with_privacy["can_read_all_group_messages"], without["can_read_all_group_messages"]) == (False, True)
    assert [message["text"] for message in await bot.updates()] == ["good morning"]


async def test_an_administrator_hears_everything_in_spite_of_privacy_mode(bot: RawBot, world: World) -> None:
    world.supergroup(bot_rights=()).member("Ann").says("good morning")

    assert [message["text"] for message in await bot.updates()] == ["good morning"]


async def test_who_joins_and_leaves_is_told_in_the_group(bot: RawBot, world: World) -> None:
    group = world.supergroup()
    eve = world.person("Eve")
    eve.joins(group)
    eve.leaves(group)
    group.remove(group.member("Bob"))

    joined, left, removed = await bot.updates()
    assert [member["id"] for member in joined["new_chat_members"]] == [eve.id]
    assert left["left_chat_member"]["id"] == eve.id
    assert removed["left_chat_member"]["first_name"] == "Bob"


async def test_changes_of_members_are_told_to_an_administrator_that_asked(bot: RawBot, world: World) -> None:
    await bot.does("getUpdates", allowed_updates=["chat_member"])
    deaf, managed = world.supergroup(), world.supergroup(bot_rights=())
    world.person("Eve").joins(deaf)
    mei = managed.member("Mei")
    managed.promote(mei)
    managed.demote(mei)

    changes = await bot.updates("chat_member")

    assert [change["chat"]["id"] for change in changes] == [managed.id, managed.id]
    assert [change["new_chat_member"]["status"] for change in changes] == ["administrator", "member"]


async def test_administrators_are_told_by_name_and_members_by_number(bot: RawBot, world: World) -> None:
    group = world.forum()
    owner, mei = group.member("Owner", status="creator"), group.member("Mei", status="administrator")
    group.remove(group.member("Bob"))
    group.member("Ann")

    managing = await bot.does("getChatAdministrators", chat_id=group.id)

    assert [member["user"]["id"] for member in managing] == [owner.id, mei.id, world.bot["id"]]
    assert await bot.does("getChatMemberCount", chat_id=group.id) == 4
    ann = world.person("Ann")
    ann.says("hi")
    assert "no administrators" in await bot.refusal("getChatAdministrators", chat_id=ann.id)


async def test_an_anonymous_administrator_and_a_channel_speak_with_another_face(bot: RawBot, world: World) -> None:
    group = world.forum()
    mei = group.member("Mei", status="administrator")
    mei.posts_as_the_group("/resolve", group)
    mei.posts_as_a_channel("buy now", group)
    group.passes_on_a_post("version 2 is out")

    anonymous, channel, linked = await bot.updates()
    assert anonymous["sender_chat"]["id"] == group.id
    assert (anonymous["from"]["username"], anonymous["from"]["is_bot"]) == ("GroupAnonymousBot", True)
    assert (channel["sender_chat"]["type"], channel["from"]["username"]) == ("channel", "Channel_Bot")
    assert (linked["is_automatic_forward"], linked["from"]["id"]) == (True, 777000)


async def test_rights_are_given_and_taken_and_the_bot_is_told(bot: RawBot, world: World) -> None:
    group = world.forum(bot_rights=())
    group.grant("can_manage_topics", "can_pin_messages")
    group.revoke("can_manage_topics")
    group.demote_bot()

    changes = [change["new_chat_member"] for change in await bot.updates("my_chat_member")]

    assert [change["status"] for change in changes] == ["administrator"] * 3 + ["member"]
    assert [change.get("can_manage_topics") for change in changes] == [False, True, False, None]
    assert [change.get("can_pin_messages") for change in changes] == [False, True, True, None]


async def test_a_bot_that_was_put_out_is_told_hears_nothing_and_may_not_write(bot: RawBot, world: World) -> None:
    group = world.supergroup()
    ann = group.member("Ann")
    group.remove_bot()
    ann.says("/help")

    assert (await bot.updates("my_chat_member"))[-1]["new_chat_member"]["status"] == "kicked"
    assert [message["left_chat_member"]["id"] for message in await bot.updates()] == [world.bot["id"]]
    refused = await bot.call("sendMessage", chat_id=group.id, text="hi")
    assert (refused["error_code"], refused["description"]) == (
        403,
        "Forbidden: bot was kicked from the supergroup chat",
    )
    group.add_bot("can_manage_topics")
    assert await bot.does("sendMessage", chat_id=group.id, text="back")
    assert (await bot.updates())[-1]["new_chat_members"][0]["id"] == world.bot["id"]


async def test_a_bot_leaves_a_group(bot: RawBot, world: World) -> None:
    group = world.group()

    await bot.does("leaveChat", chat_id=group.id)

    assert await bot.refusal("sendMessage", chat_id=group.id, text="hi") == (
        "Forbidden: bot is not a member of the group chat"
    )


async def test_a_muted_bot_reads_and_does_not_write(bot: RawBot, world: World) -> None:
    group = world.supergroup()
    group.mute_bot()
    group.member("Ann").says("/help")

    assert await bot.refusal("sendMessage", chat_id=group.id, text="hi") == (
        "Bad Request: not enough rights to send text messages to the chat"
    )
    assert [message["text"] for message in await bot.updates()] == ["/help"]
    assert (await bot.does("getChatMember", chat_id=group.id, user_id=world.bot["id"]))["status"] == "restricted"


async def test_a_group_that_becomes_a_supergroup_says_so_on_both_sides(bot: RawBot, world: World) -> None:
    group = world.group()
    mei = group.member("Mei")
    new = world.upgrade(group)

    told = await bot.updates()
    assert [(note["chat"]["id"], note.get("migrate_to_chat_id")) for note in told[:1]] == [(group.id, new.id)]
    assert [(note["chat"]["id"], note.get("migrate_from_chat_id")) for note in told[1:]] == [(new.id, group.id)]
    asked = await bot.call("getChatMember", chat_id=group.id, user_id=mei.id)
    assert asked["parameters"] == {"migrate_to_chat_id": new.id}
    with pytest.raises(ValueError, match="supergroup"):
        mei.says("hello?")


async def test_a_message_is_pinned_where_the_bot_may_pin(bot: RawBot, world: World) -> None:
    group = world.forum(bot_rights=("can_manage_topics",))
    thread = (await bot.does("createForumTopic", chat_id=group.id, name="IM-1"))["message_thread_id"]
    header = await bot.does("sendMessage", chat_id=group.id, message_thread_id=thread, text="IM-1 · Ann")
    where = {"chat_id": group.id, "message_id": header["message_id"]}

    refused = await bot.refusal("pinChatMessage", **where)
    group.grant("can_pin_messages")
    await bot.does("pinChatMessage", **where)

    assert refused == "Bad Request: not enough rights to manage pinned messages in the chat"
    note = (await bot.updates())[-1]
    assert (note["pinned_message"]["message_id"], note["message_thread_id"]) == (header["message_id"], thread)
    assert (await bot.does("getChat", chat_id=group.id))["pinned_message"]["text"] == "IM-1 · Ann"
    await bot.does("unpinChatMessage", **where)
    assert group.pinned == []
    assert await bot.refusal("unpinChatMessage", chat_id=group.id) == "Bad Request: message to unpin not found"
    assert await bot.refusal("pinChatMessage", chat_id=group.id, message_id=999) == (
        "Bad Request: message to pin not found"
    )
    await bot.does("unpinAllChatMessages", chat_id=group.id)
