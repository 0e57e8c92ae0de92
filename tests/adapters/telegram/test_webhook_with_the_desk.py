"""Webhook mode with the whole desk: Telegram brings messages to the desk's own pages."""

import json
from pathlib import Path
from socket import socket

import httpx
from tests.adapters.telegram.desk import running_desk
from tests.worlds.botapi import Server, World

from imconnect.domain.conversations import Stage
from imconnect.web.hooks import MOST_BROUGHT

SECRET = "a-secret-of-the-desk-0123"
STAGES = frozenset(Stage)


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_what_telegram_brings_is_answered_and_what_others_bring_is_not(
    server: Server, world: World, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/telegram"
    update = json.dumps({"update_id": 1, "message": {"text": "forged"}})
    async with (
        running_desk(server, tmp_path, port, mode="webhook", webhook_url=url, webhook_secret=SECRET) as store,
        httpx.AsyncClient() as stranger,
    ):
        ann = world.person("Ann")
        ann.says("my transfer has not arrived")
        answer = await ann.hears("Transaction hash", within=15)
        header = "X-Telegram-Bot-Api-Secret-Token"
        forged = await stranger.post(url, content=update, headers={header: "another-secret-of-nobody"})
        bare = await stranger.post(url, content=update)
        looked = await stranger.get(url)
        huge = await stranger.post(url, content=b"x" * (MOST_BROUGHT + 1), headers={header: SECRET})
        found = await store.summaries(STAGES, 10)

    assert answer.text
    assert (forged.status_code, bare.status_code, looked.status_code, huge.status_code) == (403, 403, 405, 413)
    assert [one.contact for one in found] == ["Ann"]
