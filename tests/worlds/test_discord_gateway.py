"""The Discord of the tests keeps the gateway's promises: sessions, intents, replays, close codes, dead connections."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import pytest
from tests.worlds.discord import TOKEN, Limits, World, discord_world
from tests.worlds.discord.listener import Listener, listening

Json = dict[str, Any]

EVERYTHING = discord.Intents.all().value


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        opened.channel("support")
        yield opened


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Listener]:
    async with listening(world) as client:
        yield client


class Line:
    """A websocket to the gateway with nothing in between."""

    def __init__(self, world: World, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._world = world
        self.ws = ws

    async def send(self, op: int, about: Any = None) -> None:
        await self.ws.send_str(json.dumps({"op": op, "d": about}))

    async def identify(self, **changed: Any) -> None:
        await self.send(2, {"token": self._world.token, "intents": EVERYTHING, "properties": {}} | changed)

    async def frame(self) -> Json:
        frame: Json = json.loads(await self.ws.receive_str(timeout=5))
        return frame

    async def event(self, name: str) -> Json:
        """What the next event called *name* is about; others are passed over."""
        while True:
            frame = await self.frame()
            if frame["t"] == name:
                about: Json = frame["d"]
                return about

    async def close_code(self) -> int | None:
        """Read to the end and return the code it was closed with."""
        async with asyncio.timeout(5):
            async for _ in self.ws:
                pass
        return self.ws.close_code


@pytest.fixture
async def line(world: World) -> AsyncIterator[Line]:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{world.gateway}?v=10&encoding=json") as ws:
        yield Line(world, ws)


# ---- opening a session


async def test_a_connection_is_greeted_and_its_heartbeats_are_acknowledged(line: Line) -> None:
    hello = await line.frame()
    await line.send(1)
    ack = await line.frame()

    assert (hello["op"], hello["d"]) == (10, {"heartbeat_interval": 41250})
    assert ack["op"] == 11


async def test_who_identifies_is_told_who_it_is_and_where(world: World, line: Line) -> None:
    await line.identify()
    ready = await line.event("READY")
    guild = await line.event("GUILD_CREATE")

    assert ready["guilds"] == [{"id": str(world.guild.id), "unavailable": True}]
    assert ready["resume_gateway_url"] == world.gateway
    assert [channel["name"] for channel in guild["channels"]] == ["support"]
    assert "token" not in world.connection.identifies[0]


async def test_frames_are_packed_for_a_client_that_asks_for_it(world: World) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{world.gateway}?v=10&encoding=json&compress=zlib-stream") as ws,
    ):
        packed = await ws.receive_bytes(timeout=5)

    assert packed.endswith(b"\x00\x00\xff\xff")
    assert json.loads(zlib.decompressobj().decompress(packed))["op"] == 10


def identify_with(**changed: Any) -> str:
    return json.dumps({"op": 2, "d": {"token": TOKEN, "intents": 1} | changed})


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (['{"op": 77}'], 4001),
        (["not json"], 4002),
        (['{"op": 2, "d": null}'], 4002),
        (['{"op": 3, "d": {}}'], 4003),
        ([identify_with(token="wrong")], 4004),
        ([identify_with(), identify_with()], 4005),
        ([identify_with(), '{"op": 6, "d": {}}'], 4005),
        ([identify_with(shard=[1, 1])], 4010),
        ([identify_with(intents=1 << 40)], 4013),
    ],
)
async def test_who_breaks_the_protocol_is_closed_with_its_code(line: Line, frames: list[str], code: int) -> None:
    for frame in frames:
        await line.ws.send_str(frame)

    assert await line.close_code() == code


async def test_another_version_of_the_api_is_refused(world: World) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{world.gateway}?v=6") as ws:
        await ws.receive(timeout=5)

        assert ws.close_code == 4012


async def test_a_client_that_sends_too_much_is_closed() -> None:
    async with (
        discord_world(limits=Limits(gateway_events_a_minute=3)) as world,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{world.gateway}?v=10") as ws,
    ):
        line = Line(world, ws)
        for _ in range(4):
            await line.send(1)

        assert await line.close_code() == 4008


async def test_an_intent_the_portal_does_not_grant_stops_discord_py(world: World) -> None:
    world.connection.approved.discard("message_content")

    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with listening(world):
            pass

    assert world.connection.close_codes == [4014]


async def test_any_close_code_can_be_ordered_for_the_next_session(world: World) -> None:
    world.connection.closes_next_identify(4000)
    async with listening(world) as bot:
        assert bot.readies == 1

    assert world.connection.close_codes[0] == 4000
    assert len(world.connection.identifies) == 2


async def test_a_gateway_that_cannot_be_reached_again_is_tried_again(world: World, bot: Listener) -> None:
    """Once a client was connected: discord.py 2.7.1 does not survive a failure of its very first connection."""
    world.connection.refuses(1)
    world.connection.drops()
    world.member("Mei").say("meanwhile", world.channel("support"))
    await world.until(lambda: bot.messages, within=10)

    assert bot.texts == ["meanwhile"]


# ---- intents and rights


async def test_without_the_intent_there_is_no_content_but_in_private_and_where_the_bot_is_meant(world: World) -> None:
    intents = discord.Intents.default()
    mei, support = world.member("Mei"), world.channel("support")
    async with listening(world, intents=intents) as bot:
        assert bot.user is not None
        mei.say("plain", support, files={"a.txt": b"a"})
        mei.say(f"{bot.user.mention} help", support)
        mei.dm("psst")
        await world.until(lambda: len(bot.messages) == 3)

    assert bot.texts == ["", f"<@{world.model.bot_user.id}> help", "psst"]
    assert bot.messages[0].attachments == []


async def test_events_nobody_asked_for_are_not_sent(world: World) -> None:
    mei, support = world.member("Mei"), world.channel("support")
    async with listening(world, intents=discord.Intents(guilds=True, dm_messages=True)) as bot:
        mei.say("in public", support)
        mei.dm("in private")
        await world.until(lambda: bot.messages)

    assert bot.texts == ["in private"]


async def test_what_the_bot_may_not_see_it_is_not_told(world: World, bot: Listener) -> None:
    mei, support, hidden = world.member("Mei"), world.channel("support"), world.channel("hidden")
    hidden.deny_bot("view_channel")
    mei.say("there", hidden)
    mei.say("here", support)
    await world.until(lambda: bot.messages)

    assert bot.texts == ["here"]


async def test_members_are_listed_for_those_with_the_intent(world: World) -> None:
    world.member("Mei")
    async with listening(world) as bot:
        everybody = {member.display_name for member in bot.guilds[0].members}
    async with listening(world, intents=discord.Intents.default()) as modest:
        known = {member.display_name for member in modest.guilds[0].members}
        found = await modest.guilds[0].query_members(user_ids=[world.member("Mei").id])

    assert "Mei" in everybody
    assert "Mei" not in known
    assert [member.display_name for member in found] == ["Mei"]


# ---- edits and deletions


async def test_edits_and_deletions_of_messages_from_before_the_start_are_told(world: World) -> None:
    """The ground of D-09."""
    mei, support = world.member("Mei"), world.channel("support")
    post, other = mei.say("before", support), mei.say("other", support)
    async with listening(world) as bot:
        mei.edit(post, "after")
        mei.delete(other)
        await world.until(lambda: bot.edits and bot.deletions)

    assert (bot.edits[0].message_id, bot.edits[0].cached_message) == (post.id, None)
    assert (bot.edits[0].data["content"], bot.deletions[0].message_id) == ("after", other.id)


async def test_a_link_that_unfolds_is_an_update_that_is_no_edit(world: World, bot: Listener) -> None:
    """The ground of D-11, as Discord has sent it since 2025: everything, with no time of an edit."""
    post = world.member("Mei").say("see https://example.org/", world.channel("support"))
    world.resolves_link(post)
    await world.until(lambda: bot.edits)

    assert bot.edits[0].data["content"] == "see https://example.org/"
    assert bot.edits[0].data["edited_timestamp"] is None


async def test_an_update_may_lack_the_content(world: World, line: Line) -> None:
    """The ground of D-11, as Discord sent it before."""
    post = world.member("Mei").say("see https://example.org/", world.channel("support"))
    await line.identify()
    await line.event("GUILD_CREATE")
    world.resolves_link_tersely(post)

    assert (await line.event("MESSAGE_UPDATE")).keys() == {"id", "channel_id", "guild_id", "embeds"}


# ---- coming back


async def test_what_was_missed_is_replayed_once_and_in_order(world: World, bot: Listener) -> None:
    mei, support = world.member("Mei"), world.channel("support")
    mei.say("before", support)
    await world.until(lambda: bot.messages)
    world.connection.drops(4000)
    for number in range(20):
        mei.say(str(number), support)
    await world.until(lambda: len(bot.messages) == 21)

    assert bot.texts == ["before", *map(str, range(20))]
    assert (world.connection.resumed, len(world.connection.identifies)) == (1, 1)
    await world.until(lambda: bot.resumes)


@pytest.mark.parametrize("trouble", ["cuts", "asks_to_reconnect", "invalidates"])
async def test_every_other_break_is_resumed_too(world: World, bot: Listener, trouble: str) -> None:
    connection = world.connection
    match trouble:
        case "cuts":
            connection.cuts()
        case "asks_to_reconnect":
            connection.asks_to_reconnect()
        case _:
            connection.invalidates(resumable=True)
    world.member("Mei").say("meanwhile", world.channel("support"))
    await world.until(lambda: bot.messages)

    assert bot.texts == ["meanwhile"]
    assert (connection.resumed, len(connection.identifies)) == (1, 1)


async def test_after_an_invalid_session_nothing_is_replayed_and_the_history_has_it(world: World, bot: Listener) -> None:
    """The ground of D-03."""
    mei, support = world.member("Mei"), world.channel("support")
    world.connection.invalidates(resumable=False)
    mei.say("meanwhile", support)
    await world.until(lambda: bot.readies == 2)
    mei.say("afterwards", support)
    await world.until(lambda: bot.messages)

    assert bot.texts == ["afterwards"]
    assert [m.content async for m in bot.text_channel(support.id).history()] == ["afterwards", "meanwhile"]
    assert len(world.connection.identifies) == 2


async def test_a_session_that_was_forgotten_cannot_be_resumed(world: World, bot: Listener) -> None:
    world.connection.forgets()
    world.connection.drops()
    await world.until(lambda: bot.readies == 2)

    assert (world.connection.failed_resumes, world.connection.resumed) == (1, 0)


async def test_an_invalid_session_is_over_for_whoever_tries_it_again(world: World, line: Line) -> None:
    await line.identify()
    session = (await line.event("READY"))["session_id"]
    world.connection.invalidates(resumable=False)
    await line.ws.close(code=4000)
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{world.gateway}?v=10") as ws:
        again = Line(world, ws)
        await again.frame()
        await again.send(6, {"token": world.token, "session_id": session, "seq": 1})

        assert await again.frame() == {"op": 9, "t": None, "s": None, "d": False}


async def test_a_resume_from_the_future_is_refused(world: World, line: Line) -> None:
    await line.identify()
    session = (await line.event("READY"))["session_id"]
    await line.ws.close(code=4000)
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{world.gateway}?v=10") as ws:
        again = Line(world, ws)
        await again.send(6, {"token": world.token, "session_id": session, "seq": 999})

        assert await again.close_code() == 4007


@pytest.mark.parametrize(("code", "op"), [(1000, 9), (4000, 0)])
async def test_who_says_goodbye_has_no_session_to_come_back_to(world: World, line: Line, code: int, op: int) -> None:
    await line.identify()
    session = (await line.event("READY"))["session_id"]
    await line.ws.close(code=code)
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{world.gateway}?v=10") as ws:
        again = Line(world, ws)
        await again.frame()
        await again.send(6, {"token": world.token, "session_id": session, "seq": 1})

        assert (await again.frame())["op"] == op


async def test_an_event_may_come_twice(world: World, bot: Listener) -> None:
    """The ground of D-04."""
    world.member("Mei").say("once", world.channel("support"))
    await world.until(lambda: bot.messages)
    world.connection.repeats()
    await world.until(lambda: len(bot.messages) == 2)

    assert len({message.id for message in bot.messages}) == 1


async def test_a_dead_connection_is_noticed_and_what_it_swallowed_is_replayed(world_of_quick_hearts: World) -> None:
    """A zombie: the socket is open and nothing comes."""
    world, support = world_of_quick_hearts, world_of_quick_hearts.channel("support")
    async with listening(world, heartbeat_timeout=0.5) as bot:
        world.connection.goes_silent()
        world.member("Mei").say("unheard", support)
        await world.until(lambda: bot.messages)

    assert bot.texts == ["unheard"]
    assert world.connection.resumed == 1


async def test_missing_acknowledgements_alone_make_a_client_come_back(world_of_quick_hearts: World) -> None:
    async with listening(world_of_quick_hearts, heartbeat_timeout=0.5):
        world_of_quick_hearts.connection.stops_acknowledging()
        await world_of_quick_hearts.until(lambda: world_of_quick_hearts.connection.resumed)

    assert world_of_quick_hearts.connection.heartbeats > 0


@pytest.fixture
async def world_of_quick_hearts() -> AsyncIterator[World]:
    async with discord_world(limits=Limits(heartbeat_interval=0.2)) as opened:
        yield opened


async def test_two_sessions_of_one_bot_are_both_told(world: World, bot: Listener) -> None:
    async with listening(world) as second:
        world.member("Mei").say("hello", world.channel("support"))
        await world.until(lambda: bot.messages and second.messages)

    assert bot.texts == second.texts == ["hello"]


async def test_a_long_night_is_kept_for_whoever_resumes(world: World, bot: Listener) -> None:
    """Time that passes ends no session by itself; a test says when one is forgotten."""
    world.connection.drops()
    world.later(timedelta(hours=8))
    world.member("Mei").say("morning", world.channel("support"))
    await world.until(lambda: bot.messages)

    assert bot.texts == ["morning"]
