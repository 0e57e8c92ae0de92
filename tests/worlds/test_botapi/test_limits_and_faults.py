"""Flood limits, and everything that can go wrong on the way."""

from datetime import timedelta

import httpx
import pytest
from tests.worlds.botapi import Limits, Moment, Server, World, serving
from tests.worlds.botapi.raw_bot import RawBot


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


async def test_a_chat_takes_one_message_a_second_where_that_limit_is_on(bot: RawBot, world: World) -> None:
    world.meter.limits = Limits(chat_a_second=1)
    ann, bob = world.person("Ann").has_written_before(), world.person("Bob").has_written_before()
    await bot.does("sendMessage", chat_id=ann.id, text="one")

    refused = await bot.call("sendMessage", chat_id=ann.id, text="two")

    assert refused["description"] == "Too Many Requests: retry after 1"
    assert (refused["error_code"], refused["parameters"]) == (429, {"retry_after": 1})
    assert (await bot.call("sendMessage", chat_id=bob.id, text="another chat"))["ok"]
    world.later(timedelta(seconds=1))
    assert (await bot.call("sendMessage", chat_id=ann.id, text="two"))["ok"]


async def test_an_album_counts_as_many_messages_as_it_has_parts(bot: RawBot, world: World) -> None:
    staff = world.forum()
    file_id = world.person("Ann").sends_document().json["document"]["file_id"]
    album = [{"type": "document", "media": file_id}] * 10
    await bot.does("sendMediaGroup", chat_id=staff.id, media=album)
    await bot.does("sendMediaGroup", chat_id=staff.id, media=album)

    assert "retry after" in await bot.refusal("sendMessage", chat_id=staff.id, text="the 21st")
    assert "retry after" in await bot.refusal("copyMessage", chat_id=staff.id, from_chat_id=staff.id, message_id=2)
    assert len(staff.from_bot) == 20


async def test_a_refusal_counts_for_nothing(bot: RawBot, world: World) -> None:
    world.meter.limits = Limits(group_a_minute=1)
    staff = world.forum()
    for _ in range(3):
        await bot.refusal("sendMessage", chat_id=staff.id, text="into nowhere", message_thread_id=999)

    assert (await bot.call("sendMessage", chat_id=staff.id, text="hi"))["ok"]


@pytest.mark.parametrize("method", ["createForumTopic", "deleteMessage", "getFile", "sendDocument", "pinChatMessage"])
async def test_any_method_can_be_refused_by_order(bot: RawBot, world: World, method: str) -> None:
    world.fail(method, status=400, description="Bad Request: CHAT_WRITE_FORBIDDEN", times=2)

    refusals = [await bot.refusal(method, chat_id=1) for _ in range(2)]

    assert set(refusals) == {"Bad Request: CHAT_WRITE_FORBIDDEN"}
    assert [call.status for call in world.called(method)] == [400, 400]
