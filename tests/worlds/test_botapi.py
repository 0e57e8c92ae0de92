"""The Bot API server keeps the promises that tests of the Telegram adapter stand on."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import telegram
from aiohttp import web
from telegram.request import HTTPXRequest
from tests.worlds.botapi import ONE_PIXEL, Limits, Moment, Server, World, serving
from tests.worlds.botapi.oracle import Breach

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawBot:
    """A bot that speaks plain HTTP, so that nothing stands between a test and the server."""

    server: Server
    http: httpx.AsyncClient

    async def call(self, method: str, **parameters: Any) -> Json:
        response = await self.http.post(f"{self.server.url}/bot{self.server.world.token}/{method}", json=parameters)
        answer: Json = response.json()
        assert answer.get("error_code", 200) == response.status_code
        return answer

    async def does(self, method: str, **parameters: Any) -> Any:
        answer = await self.call(method, **parameters)
        assert answer["ok"], answer
        return answer["result"]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[RawBot]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield RawBot(server, http)


# ---- updates


async def test_a_poll_stays_open_until_somebody_writes(bot: RawBot, world: World) -> None:
    poll = asyncio.create_task(bot.does("getUpdates", timeout=10))
    await world.until(lambda: world.poll)
    await asyncio.sleep(0.2)
    assert not poll.done()

    world.person("Ann").says("hello")
    updates = await asyncio.wait_for(poll, 1)

    assert [update["message"]["text"] for update in updates] == ["hello"]


async def test_a_poll_with_nothing_to_say_ends_after_its_timeout(bot: RawBot) -> None:
    begun = time.monotonic()
    updates = await bot.does("getUpdates", timeout=1)

    assert updates == []
    assert 0.9 < time.monotonic() - begun < 2


async def test_an_update_is_repeated_until_a_higher_offset_confirms_it(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.says("one")
    ann.says("two")

    first = await bot.does("getUpdates")
    await asyncio.sleep(0.6)  # who repeats a poll at once is given one update only
    again = await bot.does("getUpdates")
    rest = await bot.does("getUpdates", offset=first[0]["update_id"] + 1)
    await asyncio.sleep(0.6)
    forgotten = await bot.does("getUpdates")

    assert [u["update_id"] for u in again] == [u["update_id"] for u in first]
    assert [u["message"]["text"] for u in rest] == ["two"]
    assert forgotten == rest


async def test_a_negative_offset_counts_from_the_end_and_forgets_the_rest(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    for text in ("one", "two", "three"):
        ann.says(text)

    last = await bot.does("getUpdates", offset=-1)

    assert [u["message"]["text"] for u in last] == ["three"]
    assert world.updates.waiting == 1


async def test_the_limit_is_kept(bot: RawBot, world: World) -> None:
    for _ in range(5):
        world.person().says("hi")

    assert len(await bot.does("getUpdates", limit=3)) == 3


async def test_only_the_kinds_that_were_asked_for_arrive(bot: RawBot, world: World) -> None:
    await bot.does("getUpdates", allowed_updates=["message"])
    ann = world.person("Ann")
    ann.edits(ann.says("hello"), "hello there")

    updates = await bot.does("getUpdates", offset=1)

    assert [list(u) for u in updates] == [["update_id", "message"]]


async def test_an_update_says_what_was_true_when_it_was_made(bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    ann.edits(ann.says("before"), "after")

    said, edited = await bot.does("getUpdates")

    assert said["message"]["text"] == "before"
    assert edited["edited_message"]["text"] == "after"


async def test_updates_nobody_fetched_are_gone_after_a_day(bot: RawBot, world: World) -> None:
    world.person("Ann").says("yesterday")
    world.later(timedelta(hours=25))

    assert await bot.does("getUpdates") == []


async def test_a_second_poll_ends_the_first_with_409(bot: RawBot, world: World) -> None:
    first = asyncio.create_task(bot.call("getUpdates", timeout=10))
    await world.until(lambda: world.poll)
    second = asyncio.create_task(bot.call("getUpdates", timeout=1))

    ended = await asyncio.wait_for(first, 1)
    assert (ended["error_code"], "terminated by other getUpdates" in ended["description"]) == (409, True)
    assert (await second)["ok"]


async def test_no_poll_while_a_webhook_is_set(bot: RawBot) -> None:
    await bot.does("setWebhook", url="https://example.org/hook")

    refused = await bot.call("getUpdates")
    await bot.does("deleteWebhook")

    assert refused["error_code"] == 409
    assert (await bot.call("getUpdates"))["ok"]


async def test_a_wrong_token_is_401_and_an_unknown_method_404(server: Server, bot: RawBot) -> None:
    wrong = await bot.http.post(f"{server.url}/bot1:wrong/getMe")

    assert wrong.status_code == 401
    assert (await bot.call("getRich"))["error_code"] == 404
    assert (await bot.call("GETME"))["ok"]


# ---- the webhook


@dataclass(slots=True)
class Hook:
    """A bot's own web server: what it was sent, and the statuses it is going to answer."""

    url: str
    heard: list[tuple[str | None, Json]]
    answers: list[int]


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    heard: list[tuple[str | None, Json]] = []
    answers: list[int] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), await request.json()))
        return web.Response(status=answers.pop(0) if answers else 200)

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Hook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", heard, answers)
    await runner.cleanup()


async def test_a_webhook_is_sent_every_update_with_its_secret(bot: RawBot, world: World, hook: Hook) -> None:
    await bot.does("setWebhook", url=hook.url, secret_token="s3cret-token")
    world.person("Ann").says("hello")

    await world.until(lambda: hook.heard)

    secret, update = hook.heard[0]
    assert (secret, update["message"]["text"]) == ("s3cret-token", "hello")
    await world.until(lambda: world.updates.waiting == 0)


async def test_a_webhook_that_fails_is_tried_again_in_order(bot: RawBot, world: World, hook: Hook) -> None:
    hook.answers += [500, 500]
    await bot.does("setWebhook", url=hook.url)
    ann = world.person("Ann")
    ann.says("one")
    ann.says("two")

    await world.until(lambda: world.updates.waiting == 0)

    assert [update["message"]["text"] for _, update in hook.heard] == ["one", "one", "one", "two"]
    assert "500" in (await bot.does("getWebhookInfo"))["last_error_message"]


async def test_an_update_can_be_delivered_twice(bot: RawBot, world: World, hook: Hook) -> None:
    await bot.does("setWebhook", url=hook.url)
    world.person("Ann").says("hello")
    await world.until(lambda: hook.heard and world.updates.waiting == 0)

    world.redeliver(hook.heard[0][1]["update_id"])
    await world.until(lambda: len(hook.heard) == 2)

    assert hook.heard[0] == hook.heard[1]


async def test_a_secret_with_unallowed_characters_is_refused(bot: RawBot) -> None:
    assert (await bot.call("setWebhook", url="https://example.org", secret_token="a b"))["error_code"] == 400


# ---- sending


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


# ---- files


async def test_a_file_comes_back_byte_for_byte(server: Server, bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    document = ann.sends_document("log.txt", b"line\n" * 100).json["document"]

    path = (await bot.does("getFile", file_id=document["file_id"]))["file_path"]
    got = await bot.http.get(f"{server.url}/file/bot{world.token}/{path}")

    assert got.content == b"line\n" * 100


async def test_a_file_over_20_mib_is_not_given_out(bot: RawBot, world: World) -> None:
    document = world.person("Ann").sends_document("dump.bin", size=21 * 1024 * 1024).json["document"]

    refused = await bot.call("getFile", file_id=document["file_id"])

    assert refused["description"] == "Bad Request: file is too big"


async def test_an_album_is_several_messages_of_one_group(bot: RawBot, world: World) -> None:
    world.person("Ann").sends_album([ONE_PIXEL] * 3, caption="see")

    messages = [update["message"] for update in await bot.does("getUpdates")]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["see", None, None]


async def test_everything_a_person_can_send_is_an_update_aiogram_reads(bot: RawBot, world: World) -> None:
    ann, bob = world.person("Ann", username="ann_w"), world.person("Bob")
    ann.sends_photo(caption="https://example.org/x")
    ann.sends_voice()
    ann.sends_sticker()
    ann.sends_contact("+4912345", "Bob")
    ann.sends_location(1.5, 2.5)
    ann.says("look", forwarded_from=bob)
    ann.says("this", reply_to=ann.says("that"), quote="th")
    ann.says("in a topic", thread=77)
    ann.blocks()
    ann.unblocks()

    assert len(await bot.does("getUpdates")) == 11


async def test_python_telegram_bot_talks_to_it(server: Server, world: World) -> None:
    request = HTTPXRequest()
    bot = telegram.Bot(
        world.token, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot", request=request
    )
    ann = world.person("Ann")
    ann.sends_document("log.txt", b"log")
    async with bot:
        [update] = await bot.get_updates(timeout=1)
        assert update.message is not None
        assert update.message.document is not None
        got = await (await update.message.document.get_file()).download_as_bytearray()
        await bot.send_photo(ann.id, ONE_PIXEL, caption="a photo")
        await bot.send_document(ann.id, b"bytes", filename="a.bin")
        album = [telegram.InputMediaPhoto(ONE_PIXEL), telegram.InputMediaPhoto(ONE_PIXEL, caption="two")]
        await bot.send_media_group(ann.id, album)
        buttons = telegram.InlineKeyboardMarkup.from_button(telegram.InlineKeyboardButton("Yes", callback_data="1"))
        sent = await bot.send_message(ann.id, "<b>plain</b>", reply_markup=buttons)
        await sent.edit_text("changed")
        await bot.send_chat_action(ann.id, "typing")

    assert bytes(got) == b"log"
    assert [m.text for m in ann.chat.from_bot] == ["a photo", "", "", "two", "changed"]
    assert ann.chat.actions == ["typing"]


# ---- who can be written to


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


# ---- topics


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


# ---- limits and faults


async def test_a_group_takes_20_messages_a_minute(bot: RawBot, world: World) -> None:
    group, ann = world.supergroup(), world.person("Ann")
    ann.says("hi")
    for number in range(20):
        await bot.does("sendMessage", chat_id=group.id, text=str(number))

    refused = await bot.call("sendMessage", chat_id=group.id, text="one more")
    assert refused["error_code"] == 429
    assert 55 <= refused["parameters"]["retry_after"] <= 60
    assert (await bot.call("sendMessage", chat_id=ann.id, text="others go on"))["ok"]
    world.later(timedelta(seconds=61))
    assert (await bot.call("sendMessage", chat_id=group.id, text="a minute later"))["ok"]


async def test_limits_are_those_that_were_set() -> None:
    async with serving(World(limits=Limits(all_a_second=3))) as server, httpx.AsyncClient() as http:
        bot = RawBot(server, http)
        people = [server.world.person() for _ in range(4)]
        for person in people:
            person.says("hi")

        answers = [await bot.call("sendMessage", chat_id=person.id, text="hi") for person in people]

    assert [answer["ok"] for answer in answers] == [True, True, True, False]


async def test_a_fault_happens_as_often_as_asked_and_only_there(bot: RawBot, world: World) -> None:
    ann, bob = world.person("Ann"), world.person("Bob")
    ann.says("hi")
    bob.says("hi")
    world.fail("sendMessage", times=2, status=429, retry_after=1, chat_id=ann.id)

    for_bob = await bot.call("sendMessage", chat_id=bob.id, text="hi")
    for_ann = [await bot.call("sendMessage", chat_id=ann.id, text="hi") for _ in range(3)]

    assert for_bob["ok"]
    assert [answer.get("parameters") for answer in for_ann] == [{"retry_after": 1}, {"retry_after": 1}, None]
    assert len(ann.chat.bot_texts) == 1


async def test_a_gateway_answers_5xx_with_a_page(server: Server, bot: RawBot, world: World) -> None:
    world.fail("getMe", status=502)

    answer = await bot.http.post(f"{server.url}/bot{world.token}/getMe")

    assert (answer.status_code, answer.headers["content-type"][:9]) == (502, "text/html")


@pytest.mark.parametrize(("moment", "seen"), [(Moment.BEFORE_THE_EFFECT, 0), (Moment.AFTER_THE_EFFECT, 1)])
async def test_a_cut_connection_may_or_may_not_have_had_its_effect(
    bot: RawBot, world: World, moment: Moment, seen: int
) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    world.cut("sendMessage", moment)

    with pytest.raises(httpx.RemoteProtocolError):
        await bot.call("sendMessage", chat_id=ann.id, text="hello")

    assert len(ann.chat.bot_texts) == seen


@pytest.mark.parametrize(("moment", "seen"), [(Moment.BEFORE_THE_EFFECT, 0), (Moment.AFTER_THE_EFFECT, 1)])
async def test_a_server_that_hangs_may_or_may_not_have_done_its_work(
    bot: RawBot, world: World, moment: Moment, seen: int
) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    world.hang("sendMessage", moment)

    with pytest.raises(httpx.ReadTimeout):
        await bot.http.post(
            f"{bot.server.url}/bot{world.token}/sendMessage", json={"chat_id": ann.id, "text": "hello"}, timeout=0.3
        )

    assert len(ann.chat.bot_texts) == seen


async def test_a_garbled_answer_is_no_json(server: Server, bot: RawBot, world: World) -> None:
    world.garble("getMe")

    answer = await bot.http.post(f"{server.url}/bot{world.token}/getMe")

    assert (answer.status_code, answer.text[:6]) == (200, "<html>")


async def test_faults_that_were_not_met_can_be_taken_back(bot: RawBot, world: World) -> None:
    world.fail("getMe", times=100)
    world.recover()

    assert (await bot.call("getMe"))["ok"]


# ---- the second opinion


def test_an_update_telegram_would_not_send_is_not_made() -> None:
    world = World()
    ann = world.person("Ann")

    with pytest.raises(Breach, match="mesage"):
        world.emit("mesage", {"text": "hi"}, ann.id)
    with pytest.raises(Breach, match="date"):
        world.emit("message", {"message_id": 1, "chat": ann.chat.as_json()}, ann.id)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_parameter_the_bot_api_does_not_know_fails_the_test(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ExceptionGroup, match="used in ways"):
        async with serving() as server, httpx.AsyncClient() as http:
            await RawBot(server, http).call("sendMessage", chat_id=1, txt="hi")

    assert "sendMessage is broken" in caplog.text


async def test_an_update_of_tomorrows_bot_api_can_be_told(bot: RawBot, world: World) -> None:
    world.emit_unchecked({"message": {"message_id": "seven", "date": "noon"}})

    [update] = await bot.does("getUpdates")

    assert update["message"]["date"] == "noon"


# ---- another process


async def test_a_test_in_another_process_can_speak_and_look(server: Server, bot: RawBot) -> None:
    said = (await bot.http.post(f"{server.url}/world/says", json={"text": "hello"})).json()
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    sent = await bot.does("sendMessage", chat_id=said["person"], text="choose", reply_markup=keyboard)
    press = {"person": said["person"], "message_id": sent["message_id"], "label": "Yes"}
    await bot.http.post(f"{server.url}/world/presses", json=press)

    chats = (await bot.http.get(f"{server.url}/world/chats")).json()
    assert [m["text"] for m in chats[str(said["person"])]["messages"]] == ["hello", "choose"]
    assert (await bot.does("getUpdates"))[-1]["callback_query"]["data"] == "y"
