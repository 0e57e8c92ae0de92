"""What the bot is told: polls, confirmations and the webhook."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import web
from tests.worlds.botapi import Server, World
from tests.worlds.botapi.chats import Json
from tests.worlds.botapi.raw_bot import RawBot


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


@dataclass(slots=True)
class Hook:
    """A bot's own web server: what it was sent, the statuses it is going to answer, and when it may."""

    url: str
    heard: list[tuple[str | None, Json]]
    answers: list[int]
    gate: asyncio.Event


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    heard: list[tuple[str | None, Json]] = []
    answers: list[int] = []
    gate = asyncio.Event()
    gate.set()

    async def take(request: web.Request) -> web.Response:
        heard.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), await request.json()))
        await gate.wait()
        return web.Response(status=answers.pop(0) if answers else 200)

    application = web.Application()
    application.router.add_post("/hook", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Hook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", heard, answers, gate)
    gate.set()
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


async def test_a_webhook_gets_no_more_at_once_than_it_asked_for(bot: RawBot, world: World, hook: Hook) -> None:
    hook.gate.clear()
    await bot.does("setWebhook", url=hook.url, max_connections=2)
    for _ in range(5):
        world.person().says("hello")
    await world.until(lambda: len(hook.heard) >= 2)
    await asyncio.sleep(0.2)
    at_once = len(hook.heard)

    hook.gate.set()
    await world.until(lambda: world.updates.waiting == 0)

    assert (at_once, len(hook.heard)) == (2, 5)
    assert (await bot.does("getWebhookInfo"))["max_connections"] == 2


async def test_a_delivery_that_fails_holds_up_its_own_chat_alone(bot: RawBot, world: World, hook: Hook) -> None:
    hook.answers += [503]
    await bot.does("setWebhook", url=hook.url)
    ann, bob = world.person("Ann"), world.person("Bob")
    ann.says("one")
    await world.until(lambda: hook.heard)
    ann.says("two")
    bob.says("mine")

    await world.until(lambda: world.updates.waiting == 0)

    texts = [update["message"]["text"] for _, update in hook.heard]
    assert [text for text in texts if text != "mine"] == ["one", "one", "two"]
    assert texts.index("mine") < texts.index("two")


async def test_a_webhook_that_cannot_be_reached_is_said_so_and_tried_again(
    bot: RawBot, world: World, hook: Hook
) -> None:
    await bot.does("setWebhook", url="http://127.0.0.1:9/hook")
    world.person("Ann").says("hello")
    await world.until(lambda: world.webhook and world.webhook.last_error_date)
    info = await bot.does("getWebhookInfo")

    await bot.does("setWebhook", url=hook.url)
    await world.until(lambda: hook.heard)

    assert (info["pending_update_count"], "Connection failed" in info["last_error_message"]) == (1, True)
