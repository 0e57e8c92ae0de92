"""Who can be written to, and what people send."""

from tests.worlds.botapi import ONE_PIXEL, World
from tests.worlds.botapi.raw_bot import RawBot


async def test_who_blocked_the_bot_is_not_written_to(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    ann.blocks()

    refused = await bot.call("sendMessage", chat_id=ann.id, text="hello?")
    ann.unblocks()

    assert (refused["error_code"], refused["description"]) == (403, "Forbidden: bot was blocked by the user")
    assert (await bot.call("sendMessage", chat_id=ann.id, text="hello"))["ok"]
    changes = [u["my_chat_member"]["new_chat_member"]["status"] for u in (await bot.does("getUpdates"))[1:]]
    assert changes == ["kicked", "member"]


async def test_a_bot_does_not_speak_first(bot: RawBot, world: World) -> None:
    ann, bob = world.person("Ann"), world.person("Bob")
    bob.joins(world.supergroup())

    assert (await bot.call("sendMessage", chat_id=ann.id, text="hi"))["description"] == "Bad Request: chat not found"
    assert (await bot.call("sendMessage", chat_id=bob.id, text="hi"))["error_code"] == 403


async def test_a_group_that_became_a_supergroup_tells_its_new_id(bot: RawBot, world: World) -> None:
    group = world.group()
    new = world.upgrade(group)

    refused = await bot.call("sendMessage", chat_id=group.id, text="hi")

    assert (refused["error_code"], refused["parameters"]) == (400, {"migrate_to_chat_id": new.id})
    assert (await bot.call("sendMessage", chat_id=new.id, text="hi"))["ok"]


async def test_in_a_group_the_bot_hears_only_what_is_meant_for_it(bot: RawBot, world: World) -> None:
    group = world.supergroup()
    ann = world.person("Ann").joins(group)
    ann.says("good morning", chat=group)
    ann.says("@im_wallet_support_bot hello", chat=group)
    ann.says("/help", chat=group)

    texts = [u["message"].get("text") for u in await bot.does("getUpdates") if "message" in u]

    assert texts == [None, "@im_wallet_support_bot hello", "/help"]


async def test_a_member_is_told_apart_from_an_owner(bot: RawBot, world: World) -> None:
    group = world.forum()
    owner, ann, bob = (world.person(name) for name in ("Owner", "Ann", "Bob"))
    owner.joins(group, "creator")
    ann.joins(group)

    people = [
        (await bot.does("getChatMember", chat_id=group.id, user_id=who.id))["status"] for who in (owner, ann, bob)
    ]
    me = await bot.does("getChatMember", chat_id=group.id, user_id=world.bot["id"])

    assert people == ["creator", "member", "left"]
    assert (me["status"], me["can_manage_topics"], me["can_pin_messages"]) == ("administrator", True, False)
    assert (await bot.does("getChat", chat_id=group.id))["is_forum"]


async def test_every_kind_of_thing_arrives_as_what_it_is(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.sends_video(caption="see https://example.org")
    ann.sends_video_note()
    ann.sends_animation()
    ann.sends_audio()
    ann.sends_voice(duration=9)
    ann.sends_sticker("😡")
    ann.sends_own_contact("+4912345")
    ann.sends_location(1.5, 2.5)
    ann.sends_venue("Bank", "Street 1")
    ann.sends_dice("🎰", 64)
    ann.sends_poll("Is it down?", "yes", "no")

    kinds = ("video", "video_note", "animation", "audio", "voice", "sticker", "contact", "location", "venue", "dice")
    told = await bot.updates()
    assert [kind for kind, message in zip((*kinds, "poll"), told, strict=True) if kind not in message] == []
    assert told[0]["caption_entities"][0]["type"] == "url"
    assert told[2]["document"]["file_id"] == told[2]["animation"]["file_id"]
    assert (told[4]["voice"]["duration"], told[6]["contact"]["user_id"]) == (9, ann.id)
    assert told[8]["location"] == told[8]["venue"]["location"]
    assert [option["text"] for option in told[10]["poll"]["options"]] == ["yes", "no"]


async def test_a_forward_tells_as_much_of_its_origin_as_its_author_allows(bot: RawBot, world: World) -> None:
    ann, bob, group = world.person("Ann"), world.person("Bob"), world.supergroup()
    ann.says("he wrote this", forwarded_from=bob)
    ann.says("somebody wrote this", forwarded_from="Support Team")
    ann.forwards_post("airdrop!", channel="Wallet News")
    ann.forwards(bob.sends_photo(caption="my screen"))
    ann.forwards(bob.posts_as_the_group("rules", group))

    origins = [message["forward_origin"] for message in await bot.updates() if message["chat"]["id"] == ann.id]

    assert [origin["type"] for origin in origins] == ["user", "hidden_user", "channel", "user", "chat"]
    assert [origins[0]["sender_user"]["id"], origins[3]["sender_user"]["id"]] == [bob.id, bob.id]
    assert (origins[1]["sender_user_name"], origins[2]["chat"]["title"]) == ("Support Team", "Wallet News")


async def test_a_person_quotes_a_part_of_what_the_bot_said(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    await bot.does("sendMessage", chat_id=ann.id, text="😀 Open the app, then settings.")
    ann.says("where is that?", reply_to=await ann.hears("settings"), quote="settings")

    [message] = await bot.updates()

    assert message["quote"] == {"text": "settings", "position": 22, "is_manual": True}
    assert message["reply_to_message"]["from"]["id"] == world.bot["id"]


async def test_bold_is_where_a_person_made_it_bold(bot: RawBot, world: World) -> None:
    world.person("Ann").says("😀 help", entities=[{"type": "bold", "offset": 3, "length": 4}])

    [message] = await bot.updates()

    assert message["entities"] == [{"type": "bold", "offset": 3, "length": 4}]


async def test_an_edited_part_of_an_album_stays_a_part_of_it(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    first, second = ann.sends_album([ONE_PIXEL] * 2, caption="my screen")
    ann.edits(first, "my other screen")
    ann.replaces_photo(second, ONE_PIXEL + b"changed")

    caption, photo = await bot.updates("edited_message")

    assert caption["media_group_id"] == photo["media_group_id"] == first.json["media_group_id"]
    assert (caption["caption"], caption["message_id"], photo["message_id"]) == ("my other screen", first.id, second.id)
    assert photo["photo"][-1]["file_size"] == len(ONE_PIXEL) + len(b"changed")


async def test_an_account_that_was_deleted_is_refused_as_such(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    ann.deletes_account()

    refused = await bot.call("sendMessage", chat_id=ann.id, text="hi")

    assert (refused["error_code"], refused["description"]) == (403, "Forbidden: user is deactivated")


async def test_who_blocked_the_bot_and_writes_again_unblocks_it_first(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    ann.blocks()
    ann.says("me again")

    blocked, unblocked, message = await bot.does("getUpdates")

    assert blocked["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert unblocked["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert message["message"]["text"] == "me again"
