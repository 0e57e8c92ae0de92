"""Deliveries to the webhook: only Telegram's own are taken, and each gets its 200 once it is kept."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tests.adapters.telegram.door import Door, connected, listening
from tests.worlds.botapi import Server, World

from imconnect.domain.messages import Unreadable
from imconnect.ports import TryLater
from imconnect_telegram import TelegramAdapter

SECRET = "a-secret-of-the-desk-0123"


@asynccontextmanager
async def mounted(server: Server, door: Door) -> AsyncGenerator[tuple[TelegramAdapter, list[int]]]:
    """The adapter behind a web server of its own, as the desk's pages have it; and what each delivery was answered."""
    answers: list[int] = []
    adapters: list[TelegramAdapter] = []

    async def take(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        answers.append(await adapters[0].receive(door.deliver, secret, await request.read()))
        return web.Response(status=answers[-1])

    application = web.Application()
    application.router.add_post("/telegram", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
    try:
        async with connected(server, mode="webhook", webhook_url=url, webhook_secret=SECRET) as adapter:
            adapters.append(adapter)
            yield adapter, answers
    finally:
        await runner.cleanup()


async def test_what_people_write_is_delivered_and_confirmed(server: Server, world: World, door: Door) -> None:
    ann = world.person("Ann")
    async with mounted(server, door) as (adapter, answers), listening(adapter, door):
        ann.says("one")
        ann.edits(ann.says("two"), "three")
        await world.until(lambda: len(door.items) == 3 and world.updates.waiting == 0)

    assert door.texts == ["one", "two", "three"]
    assert answers == [200, 200, 200]


async def test_it_is_confirmed_only_when_the_desk_has_taken_it(server: Server, world: World, door: Door) -> None:
    door.refusals = 2
    async with mounted(server, door) as (adapter, answers), listening(adapter, door):
        world.person("Ann").says("hello")
        await world.until(lambda: world.updates.waiting == 0)

    assert answers == [503, 503, 200]
    assert door.texts == ["hello"]


async def test_a_delivery_that_comes_twice_has_one_id(server: Server, world: World, door: Door) -> None:
    """T-04: the store keeps one of each id."""
    ann = world.person("Ann")
    async with mounted(server, door) as (adapter, _), listening(adapter, door):
        ann.edits(ann.says("hello"), "hello there")
        await world.until(lambda: world.updates.waiting == 0 and len(door.items) == 2)
        for number in (world.updates.next_id - 2, world.updates.next_id - 1):
            world.redeliver(number)
        await world.until(lambda: len(door.items) == 4)

    first, edit, again, edit_again = door.said
    assert (first, edit) == (again, edit_again)


@pytest.mark.parametrize("secret", [None, "", "a-secret-of-the-desk-0124", "geheim-ü", SECRET + "x"])
async def test_a_wrong_secret_is_403_and_nothing_is_looked_at(
    server: Server, door: Door, secret: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """T-05"""
    caplog.set_level(0)
    body = json.dumps({"update_id": 1, "message": {"text": "abandon abandon about"}}).encode()
    async with mounted(server, door) as (adapter, _):
        status = await adapter.receive(door.deliver, secret, body)

    assert status == 403
    assert door.items == []
    assert "abandon" not in caplog.text


async def test_without_a_secret_of_ours_nothing_is_taken(adapter: TelegramAdapter, door: Door) -> None:
    assert await adapter.receive(door.deliver, "", b"{}") == 403


@pytest.mark.parametrize("body", [b"no json", b"[]", b"\xff\xfe", b"null"])
async def test_a_body_that_is_no_update_is_set_aside_and_not_sent_for_ever(
    server: Server, door: Door, body: bytes
) -> None:
    async with mounted(server, door) as (adapter, _):
        status = await adapter.receive(door.deliver, SECRET, body)

    assert status == 200
    [strange] = door.items
    assert isinstance(strange, Unreadable)
    assert strange.size == len(body)


async def test_a_pressed_button_is_answered(server: Server, world: World, door: Door) -> None:
    ann = world.person("Ann")
    ann.says("hi")
    keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "k:yes"}]]}
    question = world.post(ann.chat, world.bot, {"text": "well?", "reply_markup": keyboard})
    async with mounted(server, door) as (adapter, _), listening(adapter, door):
        press = ann.presses(question, "Yes")
        await world.until(lambda: world.presses[press])

    assert door.said[-1].choice == "yes"


async def test_a_webhook_somebody_else_set_is_noticed(
    server: Server, world: World, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imconnect_telegram.adapter.WEBHOOK_LOOK", 0.05)
    async with mounted(server, door) as (adapter, _):
        listens = asyncio.create_task(adapter.listen(door.deliver))
        await world.until(lambda: world.webhook)
        assert world.webhook is not None
        world.webhook.url = "https://other.example/hook"

        with pytest.raises(TryLater, match="another program changed"):
            await asyncio.wait_for(listens, 5)
