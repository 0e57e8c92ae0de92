"""An unpatched discord.py client speaks to whatever Discord its connector names, and to no other."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import discord
import httpx
import pytest
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route
from tests.worlds.discord import Limits, discord_world
from tests.worlds.discord.listener import listening
from yarl import URL

from imconnect_discord.wire import API_ROOT, GATEWAY, Wire

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("http://127.0.0.1:8081/api/v10", "ws://127.0.0.1:8081/gw")


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire(*ELSEWHERE)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("meant", "goes_to"),
    [
        ("https://discord.com/api/v10/users/@me", "http://127.0.0.1:8081/api/v10/users/@me"),
        (
            "https://discord.com/api/v10/channels/1/messages?after=2026-01-01T00:00:00%2B00:00&limit=5",
            "http://127.0.0.1:8081/api/v10/channels/1/messages?after=2026-01-01T00:00:00%2B00:00&limit=5",
        ),
        (
            "https://discord.com/api/v10/channels/1/messages/2/reactions/%F0%9F%91%8D/@me",
            "http://127.0.0.1:8081/api/v10/channels/1/messages/2/reactions/%F0%9F%91%8D/@me",
        ),
        ("https://gateway.discord.gg/?v=10&encoding=json", "http://127.0.0.1:8081/gw?v=10&encoding=json"),
        ("https://gateway-us-east1-b.discord.gg/?v=10", "http://127.0.0.1:8081/gw?v=10"),
        ("https://cdn.discordapp.com/attachments/1/2/a.png", "https://cdn.discordapp.com/attachments/1/2/a.png"),
        ("http://10.0.0.1/gw?v=10", "http://10.0.0.1/gw?v=10"),
        ("https://notdiscord.gg/?v=10", "https://notdiscord.gg/?v=10"),
    ],
)
async def test_what_is_meant_for_discord_goes_where_the_settings_say(wire: Wire, meant: str, goes_to: str) -> None:
    assert wire.address(URL(meant, encoded=True)) == URL(goes_to, encoded=True)


async def test_without_settings_every_address_stays_as_it_is() -> None:
    wire = Wire()
    for url in (
        "https://discord.com/api/v10/users/@me?x=1",
        "https://gateway.discord.gg/?v=10",
        "https://gateway-us-east1-b.discord.gg/?v=10",
    ):
        assert wire.address(URL(url)) == URL(url)
    await wire.close()


async def test_the_server_named_is_asked_by_its_own_name() -> None:
    """What stands in front of it may go by the Host header."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.host}{request.path}")
        return web.Response()

    application = web.Application()
    application.router.add_get("/{any:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(connector=Wire(f"http://{host}:{port}/proxy/v10", GATEWAY)) as session:
        await session.get("https://discord.com/api/v10/users/@me")
    await runner.cleanup()

    assert asked == [f"{host}:{port}/proxy/v10/users/@me"]


async def test_two_clients_of_one_process_live_in_two_worlds() -> None:
    async with discord_world() as one, discord_world() as two:
        first, second = one.channel("support"), two.channel("support")
        async with listening(one) as left, listening(two) as right:
            await left.text_channel(first.id).send("left")
            await right.text_channel(second.id).send("right")
            one.member("Mei").say("hello", first)
            await one.until(lambda: "hello" in left.texts)

        assert (first.texts, second.texts) == (["left", "hello"], ["right"])
        assert "hello" not in right.texts


async def test_every_kind_of_traffic_reaches_the_world_named_and_leaves_discord_py_as_it_was() -> None:
    """Calls, the gateway and its resumption, responses to interactions, their follow-ups, and files."""
    async with discord_world(limits=Limits.none()) as world:
        support, mei = world.channel("support"), world.member("Mei")
        async with listening(world) as bot:
            view = discord.ui.View(timeout=None)
            view.add_item(discord.ui.Button[discord.ui.View](label="Help", custom_id="help"))
            await bot.text_channel(support.id).send("hello", view=view)
            asked = mei.press(support.posts[0], "Help")
            interaction = await bot.next_interaction()
            await interaction.response.defer(ephemeral=True)
            await interaction.followup.send("there you are", ephemeral=True)
            await asked.says("there you are")
            world.connection.drops()
            await world.until(lambda: bot.resumes)

    routes = {(one.method, one.path.split("/")[1]) for one in world.requests}
    assert {("GET", "users"), ("POST", "channels"), ("POST", "interactions"), ("POST", "webhooks")} <= routes
    assert (API_ROOT, URL(GATEWAY)) == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A world in a process of its own, as it describes itself."""

    api_root: str
    gateway: str
    token: str
    support_channel: int
    staff_channel: int


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.worlds.discord", "--no-limits", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told: dict[str, str] = {}
    async with asyncio.timeout(20):
        while "see what was said" not in told:
            name, _, value = (await process.stdout.readline()).decode().partition("=" if len(told) < 6 else ":")
            told[name.strip()] = value.strip()
    yield Elsewhere(
        told["discord.api_root"],
        told["discord.gateway"],
        told["discord.token"],
        int(told["discord.support_channel"]),
        int(told["discord.staff_channel"]),
    )
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 10) == 0


class Echo(discord.Client):
    """A bot as simple as can be."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(intents=discord.Intents.all(), connector=wire, guild_ready_timeout=0.1)
        self.echoed = asyncio.Event()

    async def on_message(self, message: discord.Message) -> None:
        if message.author != self.user:
            await message.channel.send(f"you said {message.content}")
            self.echoed.set()


async def test_a_world_in_a_process_of_its_own_serves_a_bot(elsewhere: Elsewhere) -> None:
    client = Echo(Wire(elsewhere.api_root, elsewhere.gateway))
    async with client, httpx.AsyncClient(base_url=elsewhere.api_root.removesuffix("/api/v10")) as http:
        await client.login(elsewhere.token)
        running = asyncio.create_task(client.connect())
        await asyncio.wait_for(client.wait_until_ready(), 10)
        await http.post("/world/says", json={"person": "Mei", "channel": elsewhere.support_channel, "text": "hello"})
        await asyncio.wait_for(client.echoed.wait(), 5)
        seen = (await http.get("/world/channels")).json()
        await client.close()
        await running

    texts = [one["content"] for one in seen[str(elsewhere.support_channel)]["messages"]]
    assert texts == ["hello", "you said hello"]
    assert seen[str(elsewhere.staff_channel)]["name"] == "staff"
