"""What customers do on Telegram reaches the desk: each thing once, in order, acknowledged only when it is kept."""

import asyncio

import pytest
from tests.adapters.telegram.door import Door, connected, listening, outgoing
from tests.worlds.botapi import ONE_PIXEL, TOKEN, Moment, Server, World
from tests.worlds.botapi.updates import Webhook

from imconnect.domain.messages import Choice, Incoming, Language, Unreadable
from imconnect.ports import Mark, TryLater
from imconnect.testing.kit import MemoryKit
from imconnect_telegram import TelegramAdapter

BOT = TOKEN.partition(":")[0]


async def test_a_private_message_is_delivered_with_everything_the_desk_needs(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    ann = world.person("Ann", language_code="zh-hans")
    said = ann.says("转账没到")

    async with listening(adapter, door):
        await world.until(lambda: door.items)

    [message] = door.said
    assert message.id == f"{ann.id}:{said.id}"
    assert (message.address.channel, message.address.account, message.address.peer) == ("telegram", BOT, str(ann.id))
    assert (message.author.id, message.author.name) == (str(ann.id), "Ann")
    assert (message.text, message.language_hint) == ("转账没到", Language.CHINESE)
    assert message.sent_at.timestamp() == said.json["date"]


async def test_the_offset_moves_only_after_the_desk_has_taken_the_batch(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    door.refusals = 2
    ann = world.person("Ann")
    ann.says("one")
    ann.says("two")

    async with listening(adapter, door):
        await world.until(lambda: door.refusals == 0)
        assert world.updates.waiting == 2
        await world.until(lambda: world.updates.waiting == 0)

    assert door.texts[-2:] == ["one", "two"]


async def test_what_was_delivered_and_not_confirmed_comes_again_under_the_same_id(
    server: Server, world: World, door: Door
) -> None:
    """T-01: a process that dies between the commit and the next poll."""
    for number in range(20):
        world.person().says(str(number))

    async with connected(server) as first:
        killed = asyncio.create_task(first.listen(door.deliver))
        await world.until(lambda: door.items)
        killed.cancel()
    before = [item.id for item in door.said]
    async with connected(server) as second, listening(second, door):
        await world.until(lambda: world.updates.waiting == 0)

    after = [item.id for item in door.said[len(before) :]]
    assert len(before) == 20
    assert set(after) <= set(before)


async def test_an_update_nobody_can_read_is_set_aside_and_the_next_ones_are_delivered(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    """T-03"""
    ann = world.person("Ann")
    ann.says("before")
    poison = world.emit_unchecked({"message": {"message_id": "seven", "date": "my twelve words", "chat": []}})
    ann.says("after")

    async with listening(adapter, door):
        await world.until(lambda: world.updates.waiting == 0)

    before, strange, after = door.items
    assert isinstance(strange, Unreadable)
    assert strange.id == f"update:{poison}"
    assert "twelve" not in repr(strange)
    assert [item.text for item in (before, after) if isinstance(item, Incoming)] == ["before", "after"]


async def test_every_shape_of_strange_update_is_passed_over(adapter: TelegramAdapter, world: World, door: Door) -> None:
    shapes: list[dict[str, object]] = [
        {"message": None},
        {"message": []},
        {"message": "text"},
        {"message": {"chat": {"id": 1, "type": "private"}, "message_id": 1}},
        {"callback_query": {"id": 1}},
        {"edited_message": {"photo": {}}},
        {"something_new": {"deep": [[[]]]}},
        {},
    ]
    for shape in shapes:
        world.emit_unchecked(dict(shape))
    world.person("Ann").says("still here")

    async with listening(adapter, door):
        await world.until(lambda: world.updates.waiting == 0)

    assert door.texts == ["still here"]


async def test_an_edit_revises_the_message_and_presses_nothing(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    """T-16: the edit becomes a command's text, and no command is run."""
    ann = world.person("Ann")
    said = ann.says("how do I swap")
    ann.edits(said, "/human")

    async with listening(adapter, door):
        await world.until(lambda: len(door.items) == 2)

    first, edit = door.said
    assert edit.revises == first.id != edit.id
    assert (edit.text, edit.choice) == ("/human", None)


async def test_two_edits_within_a_second_are_two_revisions(adapter: TelegramAdapter, world: World, door: Door) -> None:
    ann = world.person("Ann")
    said = ann.says("one")
    ann.edits(said, "two")
    ann.edits(said, "three")

    async with listening(adapter, door):
        await world.until(lambda: len(door.items) == 3)

    assert len({item.id for item in door.said}) == 3


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("/start", "start"),
        ("/start from-the-website", "start"),
        ("/human", "t:human"),
        ("/human@im_wallet_support_bot", "t:human"),
        ("/status", "status"),
        ("/en", "l:en"),
        ("/zh", "l:zh"),
        ("/swap", None),
        ("I typed /human", None),
    ],
)
async def test_a_command_is_a_choice(
    adapter: TelegramAdapter, world: World, door: Door, text: str, choice: str | None
) -> None:
    world.person("Ann").says(text)

    async with listening(adapter, door):
        await world.until(lambda: door.items)

    assert [(item.text, item.choice) for item in door.said] == [(text, choice)]


async def test_files_are_noted_with_name_type_and_size(adapter: TelegramAdapter, world: World, door: Door) -> None:
    ann = world.person("Ann")
    ann.sends_photo(caption="the error")
    ann.sends_document("wallet.log", b"x" * 10, "text/x-log")
    ann.sends_voice(b"OggS")
    ann.sends_sticker("😢")
    ann.sends_contact("+491234", "Bob")
    ann.sends_location(1.5, -2.5)

    async with listening(adapter, door):
        await world.until(lambda: len(door.items) == 6)

    photo, document, voice, sticker, contact, location = door.said
    assert (photo.text, photo.attachments[0].media_type, photo.attachments[0].size) == (
        "the error",
        "image/jpeg",
        len(ONE_PIXEL),
    )
    file = document.attachments[0]
    assert (file.name, file.media_type, file.size) == ("wallet.log", "text/x-log", 10)
    assert voice.attachments[0].media_type == "audio/ogg"
    assert (sticker.text, sticker.attachments[0].media_type) == ("😢", "image/webp")
    assert contact.text == "Bob tel:+491234"
    assert location.text == "geo:1.5,-2.5"


async def test_an_album_is_one_message(adapter: TelegramAdapter, world: World, door: Door) -> None:
    """T-15"""
    ann, bob = world.person("Ann"), world.person("Bob")
    parts = ann.sends_album([ONE_PIXEL] * 10, caption="all my screens")
    bob.says("meanwhile")

    async with listening(adapter, door):
        await world.until(lambda: world.updates.waiting == 0)

    album, other = door.said
    assert (album.id, album.text, len(album.attachments)) == (f"{ann.id}:{parts[0].id}", "all my screens", 10)
    assert other.text == "meanwhile"


async def test_an_album_that_comes_in_two_polls_is_still_one_message(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    ann = world.person("Ann")
    async with listening(adapter, door):
        await world.until(lambda: world.poll)
        first, _ = ann.sends_album([ONE_PIXEL] * 2, caption="three screens")
        await asyncio.sleep(0.2)
        ann.sends_photo(album_of=first)
        await world.until(lambda: world.updates.waiting == 0)

    assert [(item.text, len(item.attachments)) for item in door.said] == [("three screens", 3)]


async def test_an_album_at_the_end_of_a_full_answer_is_not_parted(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    for number in range(98):
        world.person().says(str(number))
    world.person("Ann").sends_album([ONE_PIXEL] * 5, caption="five screens")

    async with listening(adapter, door):
        await world.until(lambda: world.updates.waiting == 0)

    assert [len(item.attachments) for item in door.said if item.attachments] == [5]


async def test_what_is_said_among_others_is_not_for_the_desk(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    group = world.supergroup(bot_rights=())
    ann = world.person("Ann").joins(group)
    ann.says("my transfer is gone", chat=group)
    ann.says("in private")

    async with listening(adapter, door):
        await world.until(lambda: world.updates.waiting == 0)

    assert door.texts == ["in private"]
    assert group.from_bot == []


async def test_a_topic_of_a_private_chat_is_a_conversation_of_its_own(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    """T-22, first half"""
    ann = world.person("Ann")
    ann.says("in the topic", thread=77)
    ann.says("in the chat")

    async with listening(adapter, door):
        await world.until(lambda: len(door.items) == 2)

    assert [item.address.peer for item in door.said] == [f"{ann.id}/77", str(ann.id)]


async def test_a_quote_from_another_chat_is_part_of_what_was_typed(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    ann = world.person("Ann")
    message = world.post(ann.chat, ann.as_json(), {"text": "is this true?"})
    message.json.update(
        {
            "quote": {"text": "send 1 ETH\nget 2 back", "position": 0},
            "external_reply": {"origin": {"type": "hidden_user", "date": 1, "sender_user_name": "Eve"}},
        }
    )
    world.emit("message", message.json, ann.id)

    async with listening(adapter, door):
        await world.until(lambda: door.items)

    assert door.texts == ["> send 1 ETH\n> get 2 back\nis this true?"]


async def test_a_pressed_button_comes_back_as_its_choice_and_is_answered(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:

    ann = world.person("Ann")
    ann.says("hi")
    long_key = "t:" + "x" * 70
    choices = (Choice("t:human", "找人工"), Choice(long_key, "A long one"))
    await adapter.send(outgoing(adapter, ann.id, "choose", choices=choices))
    question = await ann.hears("choose")

    async with listening(adapter, door):
        press = ann.presses(question, "找人工")
        ann.presses(question, "A long one")
        await world.until(lambda: len(door.items) == 3)
        await world.until(lambda: world.presses[press])

    _, human, long_one = door.said
    assert (human.id, human.choice, human.text) == (f"press:{press}", "t:human", "找人工")
    assert (long_one.choice, long_one.text) == (None, "2")


async def test_a_button_under_a_deleted_message_still_works(adapter: TelegramAdapter, world: World, door: Door) -> None:

    ann = world.person("Ann")
    ann.says("hi")
    await adapter.send(outgoing(adapter, ann.id, "choose", choices=(Choice("yes", "Yes"),)))
    question = await ann.hears("choose")
    ann.deletes(question)

    async with listening(adapter, door):
        ann.presses(question, "Yes")
        await world.until(lambda: len(door.items) == 2)

    assert door.said[1].choice == "yes"


async def test_a_press_telegram_will_not_have_answered_stops_nothing(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:

    ann = world.person("Ann")
    ann.says("hi")
    await adapter.send(outgoing(adapter, ann.id, "choose", choices=(Choice("yes", "Yes"),)))
    world.fail("answerCallbackQuery", times=1, status=400, description="Bad Request: query is too old")

    async with listening(adapter, door):
        ann.presses(await ann.hears("choose"), "Yes")
        ann.says("and more")
        await world.until(lambda: world.updates.waiting == 0)

    assert door.texts == ["hi", "Yes", "and more"]


# ---- when it cannot listen


async def test_a_second_program_on_the_same_bot_is_explained(
    server: Server, adapter: TelegramAdapter, world: World, door: Door
) -> None:
    first = asyncio.create_task(adapter.listen(door.deliver))
    await world.until(lambda: world.poll)
    async with connected(server) as other, listening(other, Door()):
        with pytest.raises(TryLater, match="another program fetches this bot's updates"):
            await asyncio.wait_for(first, 5)


async def test_a_webhook_somebody_set_meanwhile_is_explained(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    first = asyncio.create_task(adapter.listen(door.deliver))
    await world.until(lambda: world.poll)
    world.webhook = Webhook("https://other.example/hook", "", 40)
    world.notify()

    with pytest.raises(TryLater, match="go to a webhook"):
        await asyncio.wait_for(first, 5)


async def test_a_webhook_left_from_before_does_not_keep_us_from_polling(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    world.webhook = Webhook("https://old.example/hook", "", 40)
    world.person("Ann").says("hello")

    async with listening(adapter, door):
        await world.until(lambda: door.items)

    assert world.webhook is None


async def test_a_refused_token_says_which_setting_to_correct(server: Server, door: Door) -> None:
    async with connected(server, token="1:" + "x" * 35) as adapter:
        with pytest.raises(TryLater, match=r"telegram\.token") as refused:
            await adapter.listen(door.deliver)

    assert refused.value.after == 60


@pytest.mark.parametrize("trouble", ["fail", "cut", "garble"])
async def test_a_poll_that_goes_wrong_loses_nothing(
    adapter: TelegramAdapter, world: World, door: Door, trouble: str
) -> None:
    match trouble:
        case "fail":
            world.fail("getUpdates", times=2, status=502)
        case "cut":
            world.cut("getUpdates", Moment.AFTER_THE_EFFECT, times=2)
        case _:
            world.garble("getUpdates", times=2)
    world.person("Ann").says("hello")

    async with listening(adapter, door):
        await world.until(lambda: world.updates.waiting == 0)

    assert door.texts == ["hello"]


async def test_the_pause_grows_while_telegram_is_away_and_is_forgotten_afterwards(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    world.fail("deleteWebhook", times=4, status=502)
    pauses: list[float | None] = []
    for _ in range(4):
        with pytest.raises(TryLater) as refused:
            await adapter.listen(door.deliver)
        pauses.append(refused.value.after)
    async with listening(adapter, door):
        world.person("Ann").says("hello")
        await world.until(lambda: door.items)
    world.fail("deleteWebhook", status=502)
    with pytest.raises(TryLater) as refused:
        await adapter.listen(door.deliver)

    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert refused.value.after == 0.5


async def test_an_outage_longer_than_telegram_keeps_messages_is_told_to_the_operator(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    kit = MemoryKit()
    await adapter.equip(kit)
    async with listening(adapter, door):
        world.person("Ann").says("before")
        await world.until(lambda: door.said)
        world.fail("getUpdates", times=100, status=502)
        world.fail("deleteWebhook", times=100, status=502)
        world.person("Bob").says("this poll was open")
        await world.until(lambda: "this poll was open" in door.texts)
        kit.later(25 * 3600)
        door.refusals = 1
        world.recover()
        world.person("Cem").says("after")
        await world.until(lambda: door.texts[-1:] == ["after"])

    gaps = [item for item in door.items if isinstance(item, Unreadable)]
    assert len(gaps) == 1
    assert "more than 24 hours" in gaps[0].reason


async def test_an_outage_is_noticed_over_a_restart_too(adapter: TelegramAdapter, world: World, door: Door) -> None:
    kit = MemoryKit()
    await kit.remember("reached", kit.now().isoformat())
    kit.later(25 * 3600)
    await adapter.equip(kit)
    world.person("Ann").says("after")

    async with listening(adapter, door):
        await world.until(lambda: door.said)

    assert [item.reason for item in door.items if isinstance(item, Unreadable)] == [
        "Telegram was out of reach for more than 24 hours: messages may be missing"
    ]
    marks = [item.value for item in door.items if isinstance(item, Mark)]
    assert marks == [kit.now().isoformat()]


async def test_a_quiet_night_is_no_outage(
    adapter: TelegramAdapter, world: World, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imconnect_telegram.adapter.LONG_POLL", 0)
    kit = MemoryKit()
    await adapter.equip(kit)
    async with listening(adapter, door):
        for hours in range(30):
            await world.until(lambda hours=hours: len(door.items) > hours)  # type: ignore[misc]  # mypy cannot infer it
            kit.later(3600)
        world.person("Bob").says("after")
        await world.until(lambda: door.said)

    assert not [item for item in door.items if isinstance(item, Unreadable)]


async def test_who_waits_for_an_answer_sees_that_we_are_at_work_and_who_was_answered_does_not(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    ann, bob = world.person("Ann"), world.person("Bob")
    async with listening(adapter, door):
        ann.says("hello")
        bob.says("hello")
        await world.until(lambda: len(door.said) == 2)
        await adapter.send(outgoing(adapter, bob.id, "good day"))

        await world.until(lambda: ann.chat.actions)

    assert (ann.chat.actions, bob.chat.actions) == (["typing"], [])


async def test_methods_are_spelled_as_the_documentation_spells_them(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    """Telegram does not mind; other servers of the Bot API may."""
    world.person("Ann").says("hello")
    async with listening(adapter, door):
        await world.until(lambda: door.said)

    assert {name for name in world.spellings if name.lower() == "getupdates"} == {"getUpdates"}


async def test_a_menu_that_cannot_be_offered_hinders_nothing(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    for method in ("getMyCommands", "setMyCommands"):
        world.fail(method, times=100, status=404, description="Not Found: method not found")
    await adapter.equip(MemoryKit())
    world.person("Ann").says("hello")
    async with listening(adapter, door):
        await world.until(lambda: door.said)

    assert door.texts == ["hello"]
