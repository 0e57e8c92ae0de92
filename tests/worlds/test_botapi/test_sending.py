"""What the bot sends, changes and takes back."""

from datetime import timedelta

import pytest
from tests.worlds.botapi import World
from tests.worlds.botapi.raw_bot import RawBot


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("x" * 4096, 200),
        ("x" * 4097, "message is too long"),
        ("😀" * 2048, 200),
        ("😀" * 2049, "message is too long"),
        ("", "message text is empty"),
        (" \n ", "message text is empty"),
    ],
)
async def test_a_text_has_1_to_4096_utf16_units(bot: RawBot, world: World, text: str, outcome: int | str) -> None:
    ann = world.person("Ann")
    ann.says("/start")

    answer = await bot.call("sendMessage", chat_id=ann.id, text=text)

    assert (outcome == 200 and answer["ok"]) or str(outcome) in answer["description"]


@pytest.mark.parametrize(("offset", "length", "ok"), [(3, 2, True), (1, 2, False), (0, 9, False)])
async def test_an_entity_begins_and_ends_between_two_characters(
    bot: RawBot, world: World, offset: int, length: int, ok: bool
) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    bold = {"type": "bold", "offset": offset, "length": length}

    answer = await bot.call("sendMessage", chat_id=ann.id, text="😀 ok", entities=[bold])

    assert answer["ok"] is ok


@pytest.mark.parametrize(("letters", "ok"), [(64, True), (65, False)])
async def test_callback_data_has_at_most_64_bytes(bot: RawBot, world: World, letters: int, ok: bool) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "x" * letters}]]}

    answer = await bot.call("sendMessage", chat_id=ann.id, text="choose", reply_markup=keyboard)

    assert answer["ok"] is ok


async def test_a_pressed_button_reaches_the_bot_and_is_answered_once(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    await bot.does("sendMessage", chat_id=ann.id, text="choose", reply_markup=keyboard)
    press = ann.presses(await ann.hears("choose"), "Yes")

    update = (await bot.does("getUpdates"))[-1]["callback_query"]
    assert (update["id"], update["data"], update["from"]["id"]) == (press, "y", ann.id)
    assert await bot.does("answerCallbackQuery", callback_query_id=press)
    assert "query is too old" in (await bot.call("answerCallbackQuery", callback_query_id=press))["description"]


async def test_an_answer_quotes_the_message_it_answers(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    question = ann.says("how?")
    await bot.does("sendMessage", chat_id=ann.id, text="so", reply_parameters={"message_id": question.id})
    gone = await bot.call("sendMessage", chat_id=ann.id, text="so", reply_parameters={"message_id": 999})

    assert (await ann.hears("so")).reply_to == question.id
    assert gone["description"] == "Bad Request: message to be replied not found"


async def test_an_edit_is_seen_and_an_edit_without_a_change_refused(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    sent = await bot.does("sendMessage", chat_id=ann.id, text="place 2")
    where = {"chat_id": ann.id, "message_id": sent["message_id"]}

    await bot.does("editMessageText", **where, text="place 1")

    assert "is not modified" in (await bot.call("editMessageText", **where, text="place 1"))["description"]
    assert ann.chat.bot_texts == ["place 1"]
    assert [(edit.before, edit.after) for edit in ann.chat.edits] == [("place 2", "place 1")]


async def test_a_message_can_be_deleted_for_48_hours(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    leaked, old = ann.says("secret"), ann.says("old secret")

    await bot.does("deleteMessage", chat_id=ann.id, message_id=leaked.id)
    world.later(timedelta(hours=48, seconds=1))
    refused = await bot.call("deleteMessage", chat_id=ann.id, message_id=old.id)

    assert ann.chat.deleted == [leaked.id]
    assert refused["description"] == "Bad Request: message can't be deleted for everyone"


async def test_forwards_and_copies_differ_in_what_they_tell(bot: RawBot, world: World) -> None:
    ann, bob = world.person("Ann"), world.person("Bob")
    said = ann.says("hello")
    bob.says("hi")
    where = {"chat_id": bob.id, "from_chat_id": ann.id, "message_id": said.id}

    await bot.does("forwardMessage", **where)
    await bot.does("copyMessage", **where)

    forwarded, copied = bob.chat.from_bot
    assert forwarded.json["forward_origin"]["sender_user"]["id"] == ann.id
    assert "forward_origin" not in copied.json
    assert forwarded.text == copied.text == "hello"


async def test_the_command_menu_is_kept_by_language(bot: RawBot) -> None:
    menu = [{"command": "human", "description": "找人工"}]
    await bot.does("setMyCommands", commands=menu, language_code="zh")

    assert await bot.does("getMyCommands", language_code="zh") == menu
    assert await bot.does("getMyCommands") == []


@pytest.mark.parametrize(
    ("offset", "length", "why"),
    [
        (1, 2, "entity begins in a middle of a UTF-16 symbol at byte offset 4"),
        (0, 1, "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4"),
        (3, 9, "entity beginning at UTF-16 offset 3 ends after the end of the text at UTF-16 offset 12"),
        (5, 1, "entity begins after the end of the text at UTF-16 offset 5"),
        (3, 0, "receive an entity with incorrect length 0"),
        (-1, 2, "receive an entity with incorrect offset -1"),
    ],
)
async def test_a_wrong_entity_is_refused_with_its_reason(
    bot: RawBot, world: World, offset: int, length: int, why: str
) -> None:
    bold = {"type": "bold", "offset": offset, "length": length}
    ann = world.person("Ann").has_written_before()

    assert await bot.refusal("sendMessage", chat_id=ann.id, text="😀 ok", entities=[bold]) == f"Bad Request: {why}"


async def test_an_answer_can_quote_a_part_of_what_it_answers(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    question = ann.says("😀 how do I reset it, and why?")
    reply = {"message_id": question.id, "quote": "how do I reset it"}

    sent = await bot.does("sendMessage", chat_id=ann.id, text="so", reply_parameters=reply)

    assert sent["quote"] == {"text": "how do I reset it", "position": 3, "is_manual": True}
    wrong = {"message_id": question.id, "quote": "how do I delete it"}
    assert "QUOTE_TEXT_INVALID" in await bot.refusal("sendMessage", chat_id=ann.id, text="so", reply_parameters=wrong)


async def test_an_answer_goes_out_alone_where_the_question_is_gone_and_that_is_allowed(
    bot: RawBot, world: World
) -> None:
    ann = world.person("Ann")
    question = ann.says("how?")
    ann.deletes(question)
    reply = {"message_id": question.id, "allow_sending_without_reply": True}

    sent = await bot.does("sendMessage", chat_id=ann.id, text="so", reply_parameters=reply)

    assert "reply_to_message" not in sent


async def test_a_message_of_another_chat_is_answered_as_one_from_elsewhere(bot: RawBot, world: World) -> None:
    staff, ann = world.forum(), world.person("Ann").has_written_before()
    said = staff.member("Mei").says("try again tomorrow")
    reply = {"chat_id": staff.id, "message_id": said.id}

    sent = await bot.does("sendMessage", chat_id=ann.id, text="we have news", reply_parameters=reply)

    assert (sent["external_reply"]["message_id"], sent["external_reply"]["chat"]["id"]) == (said.id, staff.id)
    assert "reply_to_message" not in sent


async def test_words_under_a_photo_are_edited_as_a_caption(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    photo = ann.sends_photo().json["photo"][-1]["file_id"]
    sent = await bot.does("sendPhoto", chat_id=ann.id, photo=photo, caption="before")
    where = {"chat_id": ann.id, "message_id": sent["message_id"]}

    edited = await bot.does("editMessageCaption", **where, caption="after")

    assert (edited["caption"], edited["photo"][-1]["width"]) == ("after", 1)
    assert [(edit.before, edit.after) for edit in ann.chat.edits] == [("before", "after")]
    assert await bot.refusal("editMessageText", **where, text="x") == (
        "Bad Request: there is no text in the message to edit"
    )


async def test_buttons_are_taken_away_and_the_words_stay(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    sent = await bot.does("sendMessage", chat_id=ann.id, text="choose", reply_markup=keyboard)

    bare = await bot.does("editMessageReplyMarkup", chat_id=ann.id, message_id=sent["message_id"])

    assert (bare["text"], bare.get("reply_markup")) == ("choose", None)


async def test_in_a_supergroup_only_the_right_deletes_what_others_wrote_and_only_for_48_hours(
    bot: RawBot, world: World
) -> None:
    group = world.supergroup(bot_rights=())
    ann = group.member("Ann")
    first, second = ann.says("secret"), ann.says("another secret")
    refused = await bot.refusal("deleteMessage", chat_id=group.id, message_id=first.id)

    group.grant("can_delete_messages")
    await bot.does("deleteMessage", chat_id=group.id, message_id=first.id)
    world.later(timedelta(hours=48))
    too_late = await bot.refusal("deleteMessage", chat_id=group.id, message_id=second.id)

    assert refused == too_late == "Bad Request: message can't be deleted"
    assert group.deleted == [first.id]


async def test_the_note_that_opened_a_topic_and_a_fresh_dice_cannot_be_deleted(bot: RawBot, world: World) -> None:
    forum, ann = world.forum(), world.person("Ann")
    thread = (await bot.does("createForumTopic", chat_id=forum.id, name="IM-1"))["message_thread_id"]
    dice = ann.sends_dice()

    assert "can't be deleted" in await bot.refusal("deleteMessage", chat_id=forum.id, message_id=thread)
    assert "can't be deleted" in await bot.refusal("deleteMessage", chat_id=ann.id, message_id=dice.id)
    world.later(timedelta(hours=25))
    assert await bot.does("deleteMessage", chat_id=ann.id, message_id=dice.id)


async def test_several_messages_are_deleted_together_or_not_at_all(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    old = ann.says("old")
    world.later(timedelta(hours=40))
    new, gone = ann.says("new"), ann.says("gone")
    ann.deletes(gone)
    world.later(timedelta(hours=9))

    refused = await bot.refusal("deleteMessages", chat_id=ann.id, message_ids=[new.id, old.id])
    after_the_refusal = list(ann.chat.messages)
    await bot.does("deleteMessages", chat_id=ann.id, message_ids=[new.id, gone.id])

    assert after_the_refusal == [old.id, new.id]
    assert refused == "Bad Request: message can't be deleted for everyone"
    assert list(ann.chat.messages) == [old.id]
    many = list(range(1, 102))
    assert "too many" in await bot.refusal("deleteMessages", chat_id=ann.id, message_ids=many)
    assert "not specified" in await bot.refusal("deleteMessages", chat_id=ann.id, message_ids=[])


async def test_copies_go_to_a_topic_with_their_file_and_notes_cannot_be_copied(bot: RawBot, world: World) -> None:
    staff, ann = world.forum(), world.person("Ann")
    topic = staff.member("Mei").opens_topic(staff, "IM-1")
    photo, voice = ann.sends_photo(caption="see"), ann.sends_voice()
    to = {"chat_id": staff.id, "message_thread_id": topic.thread}

    await bot.does("copyMessage", **to, from_chat_id=ann.id, message_id=photo.id)
    await bot.does("copyMessages", **to, from_chat_id=ann.id, message_ids=[voice.id, 999])

    _, first, second = staff.in_topic(topic.thread)
    assert (first.text, first.json["photo"], second.json["voice"]) == ("see", photo.json["photo"], voice.json["voice"])
    assert await bot.refusal("copyMessage", **to, from_chat_id=staff.id, message_id=topic.thread) == (
        "Bad Request: message can't be copied"
    )
    assert "message to copy not found" in await bot.refusal("copyMessage", **to, from_chat_id=ann.id, message_id=999)
    forward = {"from_chat_id": ann.id, "message_id": 999}
    assert "message to forward not found" in await bot.refusal("forwardMessage", **to, **forward)
    assert "no messages" in await bot.refusal("copyMessages", **to, from_chat_id=ann.id, message_ids=[999])


async def test_a_forward_of_a_forward_tells_who_said_it_first(bot: RawBot, world: World) -> None:
    ann, bob = world.person("Ann"), world.person("Bob").has_written_before()
    said = ann.says("scam?", forwarded_from="Deleted Account")

    sent = await bot.does("forwardMessage", chat_id=bob.id, from_chat_id=ann.id, message_id=said.id)

    assert sent["forward_origin"]["sender_user_name"] == "Deleted Account"


async def test_a_press_under_a_message_the_bot_cannot_see_any_more_shows_where_alone(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    await bot.does("sendMessage", chat_id=ann.id, text="choose", reply_markup=keyboard)
    old = await ann.hears("choose")
    world.forget(old)
    ann.presses(old, "Yes")

    [press] = await bot.updates("callback_query")
    assert press["message"] == {"chat": ann.chat.as_json(), "message_id": old.id, "date": 0}
    assert press["data"] == "y"
    assert await bot.refusal("editMessageText", chat_id=ann.id, message_id=old.id, text="x") == (
        "Bad Request: message to edit not found"
    )


async def test_a_press_is_answered_in_time_and_briefly(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    await bot.does("sendMessage", chat_id=ann.id, text="choose", reply_markup=keyboard)
    message = await ann.hears("choose")
    first, second = ann.presses(message, "Yes"), ann.presses(message, "Yes")

    assert "MESSAGE_TOO_LONG" in await bot.refusal("answerCallbackQuery", callback_query_id=first, text="x" * 201)
    assert await bot.does("answerCallbackQuery", callback_query_id=first, text="x" * 200, show_alert=True)
    world.later(timedelta(seconds=61))
    assert "query is too old" in await bot.refusal("answerCallbackQuery", callback_query_id=second)


async def test_typing_is_shown_and_nonsense_is_not(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()

    await bot.does("sendChatAction", chat_id=ann.id, action="typing")

    assert ann.chat.actions == ["typing"]
    assert "wrong parameter action" in await bot.refusal("sendChatAction", chat_id=ann.id, action="dancing")


async def test_what_people_sent_can_be_sent_on_by_its_id(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    for kind, message in {
        "Video": ann.sends_video(),
        "Animation": ann.sends_animation(),
        "Audio": ann.sends_audio(),
        "Voice": ann.sends_voice(),
        "VideoNote": ann.sends_video_note(),
        "Sticker": ann.sends_sticker(),
        "Document": ann.sends_document(),
    }.items():
        name = "video_note" if kind == "VideoNote" else kind.lower()
        sent = await bot.does(f"send{kind}", chat_id=ann.id, **{name: message.json[name]["file_id"]})
        assert sent[name]["file_id"] == message.json[name]["file_id"]

    assert "wrong file identifier" in await bot.refusal("sendVoice", chat_id=ann.id, voice="nothing")


async def test_places_cards_and_dice_are_sent(bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    place = {"latitude": 1.5, "longitude": 2.5}

    contact = await bot.does("sendContact", chat_id=ann.id, phone_number="+49123", first_name="Desk")
    location = await bot.does("sendLocation", chat_id=ann.id, **place)
    venue = await bot.does("sendVenue", chat_id=ann.id, **place, title="Office", address="Street 1")
    dice = await bot.does("sendDice", chat_id=ann.id)

    assert contact["contact"]["phone_number"] == "+49123"
    assert location["location"] == venue["venue"]["location"] == place
    assert dice["dice"] == {"emoji": "🎲", "value": 6}
    assert "latitude is empty" in await bot.refusal("sendLocation", chat_id=ann.id)
    assert "invalid dice" in await bot.refusal("sendDice", chat_id=ann.id, emoji="🎈")
