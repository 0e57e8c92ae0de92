"""The Discord of the tests keeps the API's promises: messages, histories, limits, refusals and broken connections."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import discord
import httpx
import pytest
from tests.worlds.discord import ONE_PIXEL, Bucket, Limits, Moment, SetupError, World, discord_world
from tests.worlds.discord.listener import Listener, listening

Json = dict[str, Any]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        yield opened


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Listener]:
    world.channel("support")
    async with listening(world) as client:
        yield client


class Raw:
    """A bot that speaks plain HTTP, so that nothing stands between a test and the server."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self._world = world
        self._http = http

    async def call(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        return await self._http.request(
            method, self._world.api_root + path, json=body, headers={"Authorization": f"Bot {self._world.token}"}
        )


@pytest.fixture
async def raw(world: World) -> AsyncIterator[Raw]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield Raw(world, http)


# ---- who we are


async def test_the_application_says_which_privileged_intents_it_was_granted(world: World, bot: Listener) -> None:
    world.connection.approved.discard("message_content")

    flags = (await bot.application_info()).flags

    assert flags.gateway_guild_members_limited
    assert not flags.gateway_message_content_limited


async def test_a_wrong_token_is_refused_and_counts_as_invalid(world: World) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(world.api_root + "/users/@me", headers={"Authorization": "Bot wrong"})

    assert (answer.status_code, answer.json()) == (401, {"message": "401: Unauthorized", "code": 0})
    assert world.invalid_requests == 1


async def test_a_member_shows_how_old_the_account_is_and_when_they_joined(world: World, bot: Listener) -> None:
    mei = world.member("Mei", account_age=timedelta(days=2), joined=timedelta(hours=3))

    seen = await bot.guilds[0].fetch_member(mei.id)

    assert seen.joined_at is not None
    assert abs(datetime.now(UTC) - seen.created_at - timedelta(days=2)) < timedelta(minutes=1)
    assert abs(datetime.now(UTC) - seen.joined_at - timedelta(hours=3)) < timedelta(minutes=1)


async def test_two_people_may_have_one_name(world: World, bot: Listener) -> None:
    """The ground of D-22."""
    support, impostor = world.member("Support", roles=[world.role("Staff")]), world.namesake("Support")

    genuine, copy = [await bot.guilds[0].fetch_member(one.id) for one in (support, impostor)]

    assert genuine.display_name == copy.display_name
    assert len(genuine.roles) == len(copy.roles) + 1


async def test_what_this_world_does_not_know_is_said_aloud_when_it_closes() -> None:
    answers: list[int] = []

    async def ask_for_the_unknown() -> None:
        async with discord_world() as world, httpx.AsyncClient() as http:
            answers.append((await Raw(world, http).call("GET", "/guilds/1/soundboard-sounds")).status_code)

    with pytest.raises(ExceptionGroup, match="ways this world does not know"):
        await ask_for_the_unknown()

    assert answers == [501]


# ---- sending


async def test_a_nonce_shows_one_message_however_often_it_is_sent(world: World, bot: Listener) -> None:
    """The ground of D-05."""
    support = world.channel("support")
    first = await bot.text_channel(support.id).send("once", nonce="key-1")
    again = await bot.text_channel(support.id).send("once", nonce="key-1")

    assert first.id == again.id
    assert support.texts == ["once"]
    assert support.posts[0].nonce == "key-1"


async def test_a_nonce_is_forgotten_after_some_minutes(world: World, bot: Listener) -> None:
    """The ground of D-06."""
    support = world.channel("support")
    await bot.text_channel(support.id).send("once", nonce="key-1")
    world.later(timedelta(minutes=30))
    await bot.text_channel(support.id).send("once", nonce="key-1")

    assert support.texts == ["once", "once"]


async def test_a_nonce_without_enforcing_hinders_nothing(world: World, raw: Raw) -> None:
    support = world.channel("support")
    for _ in range(2):
        await raw.call("POST", f"/channels/{support.id}/messages", {"content": "hi", "nonce": "n"})

    assert support.texts == ["hi", "hi"]


async def test_a_nonce_whose_message_was_deleted_is_not_found(world: World, bot: Listener) -> None:
    channel = bot.text_channel(world.channel("support").id)
    await (await channel.send("once", nonce="key-1")).delete()

    with pytest.raises(discord.NotFound) as refused:
        await channel.send("once", nonce="key-1")

    assert refused.value.code == 10008


async def test_the_nonce_comes_back_with_the_event(world: World, bot: Listener) -> None:
    await bot.text_channel(world.channel("support").id).send("once", nonce="key-1")
    await world.until(lambda: bot.messages)

    assert bot.messages[0].nonce == "key-1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": "x" * 2001}, 50035),
        ({"content": "  "}, 50006),
        ({"content": "x", "nonce": "n" * 26, "enforce_nonce": True}, 50035),
    ],
)
async def test_what_is_no_message_is_refused(world: World, raw: Raw, body: Json, code: int) -> None:
    support = world.channel("support")

    answer = await raw.call("POST", f"/channels/{support.id}/messages", body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert support.posts == []


async def test_a_nitro_user_may_write_twice_as_much_as_the_bot(world: World, bot: Listener) -> None:
    """The ground of D-14."""
    world.member("Mei").say("长" * 4000, world.channel("support"))
    await world.until(lambda: bot.messages)

    assert len(bot.texts[0]) == 4000


async def test_nobody_is_called_whom_the_bot_did_not_mean_to_call(world: World, bot: Listener) -> None:
    """The ground of D-15."""
    role = world.role("Staff")
    world.model.edit_role(world.guild.id, role, {"mentionable": True})
    world.guild.allow_bot("view_channel", "send_messages", "mention_everyone")
    mei = world.member("Mei", roles=[role])
    support = world.channel("support")
    words = f"@everyone <@&{role}> {mei.mention}"
    await bot.text_channel(support.id).send(words)
    await bot.text_channel(support.id).send(words, allowed_mentions=discord.AllowedMentions.all())
    await bot.text_channel(support.id).send(
        words, allowed_mentions=discord.AllowedMentions(users=[discord.Object(mei.id)])
    )

    quiet, loud, meant = support.posts
    assert not quiet.pings_anybody
    assert loud.pings(mei)
    assert loud.row.mention_everyone
    assert (meant.row.ping_user_ids, meant.row.ping_role_ids) == ([mei.id], [])
    assert world.asked("POST /channels/*/messages")[0].fields["allowed_mentions"] == {"parse": []}


async def test_closed_private_messages_are_50007_and_no_shared_server_50278(world: World, bot: Listener) -> None:
    """The ground of D-16."""
    mei, gone = world.member("Mei"), world.member("Gone")
    mei.closes_dms()
    gone.leaves()
    codes: list[int] = []
    for member in (mei, gone):
        with pytest.raises(discord.Forbidden) as refused:
            await (await bot.fetch_user(member.id)).send("hello")
        codes.append(refused.value.code)
    mei.opens_dms()
    await (await bot.fetch_user(mei.id)).send("hello")

    assert codes == [50007, 50278]
    assert [post.text for post in mei.shown()] == ["hello"]
    assert world.invalid_requests == 2


async def test_the_bot_edits_its_own_messages_only(world: World, bot: Listener) -> None:
    support = world.channel("support")
    post = world.member("Mei").say("mine", support)
    channel = bot.text_channel(support.id)
    await (await channel.send("before")).edit(content="after")

    with pytest.raises(discord.Forbidden) as refused:
        await channel.get_partial_message(post.id).edit(content="yours")

    assert refused.value.code == 50005
    assert support.texts == ["mine", "after"]


async def test_deleting_a_customers_message_takes_the_right_to(world: World, bot: Listener) -> None:
    support = world.channel("support")
    mei = world.member("Mei")
    first, second = mei.say("my secret words", support), mei.say("again", support)
    channel = bot.text_channel(support.id)
    await channel.get_partial_message(first.id).delete()
    support.deny_bot("manage_messages")
    with pytest.raises(discord.Forbidden) as refused:
        await channel.get_partial_message(second.id).delete()
    with pytest.raises(discord.NotFound) as missing:
        await channel.get_partial_message(first.id).delete()

    assert first.gone
    assert not second.gone
    assert (refused.value.code, missing.value.code) == (50013, 10008)


async def test_nobody_can_delete_what_another_wrote_in_private(world: World, bot: Listener) -> None:
    mei = world.member("Mei")
    post = mei.dm("my secret words")
    private = await (await bot.fetch_user(mei.id)).create_dm()

    with pytest.raises(discord.Forbidden) as refused:
        await private.get_partial_message(post.id).delete()

    assert refused.value.code == 50003
    assert not post.gone


async def test_many_messages_go_at_once_unless_they_are_old(world: World, bot: Listener) -> None:
    support = world.channel("support")
    mei = world.member("Mei")
    old = mei.say("old", support)
    world.later(timedelta(days=15))
    young = [mei.say(str(number), support) for number in range(3)]
    channel = bot.text_channel(support.id)
    await channel.delete_messages([discord.Object(post.id) for post in young])

    with pytest.raises(discord.HTTPException) as refused:
        await channel.delete_messages([discord.Object(old.id), discord.Object(old.id)])

    assert support.texts == ["old"]
    assert refused.value.code == 50034


# ---- reading back


async def test_paging_forward_gives_every_message_once_and_in_order(world: World, bot: Listener) -> None:
    """The ground of D-01: 120 messages are more than a page."""
    support, mei = world.channel("support"), world.member("Mei")
    first = mei.say("0", support)
    for number in range(1, 251):
        mei.say(str(number), support)
    channel = bot.text_channel(support.id)

    after = [m.content async for m in channel.history(limit=None, after=discord.Object(first.id), oldest_first=True)]
    newest = [m.content async for m in channel.history(limit=3)]
    before = [m.content async for m in channel.history(limit=2, before=discord.Object(support.posts[10].id))]

    assert after == [str(number) for number in range(1, 251)]
    assert newest == ["250", "249", "248"]
    assert before == ["9", "8"]


async def test_a_page_has_a_hundred_messages_at_most(world: World, raw: Raw) -> None:
    answer = await raw.call("GET", f"/channels/{world.channel('support').id}/messages?limit=101")

    assert (answer.status_code, answer.json()["code"]) == (400, 50035)


async def test_private_messages_can_be_read_back_too(world: World, bot: Listener) -> None:
    """The ground of D-02."""
    mei = world.member("Mei")
    mei.dm("one")
    mei.dm("two")

    private = await bot.fetch_channel(mei.direct.id)

    assert isinstance(private, discord.DMChannel)
    assert [m.content async for m in private.history(oldest_first=True)] == ["one", "two"]


async def test_without_the_right_to_look_there_is_nothing_to_see(world: World, bot: Listener) -> None:
    support = world.channel("support")
    world.member("Mei").say("hello", support)
    channel = bot.text_channel(support.id)
    support.deny_bot("read_message_history")
    unread = [m async for m in channel.history()]
    support.deny_bot("view_channel")

    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("hello?")

    assert unread == []
    assert refused.value.code == 50001


# ---- files


async def test_files_come_with_links_that_serve_them_and_expire(world: World, bot: Listener) -> None:
    mei = world.member("Mei")
    mei.say("see", world.channel("support"), files={"截图 1.png": ONE_PIXEL})
    await world.until(lambda: bot.messages)
    attachment = bot.messages[0].attachments[0]
    content = await attachment.read()
    world.later(timedelta(hours=25))
    with pytest.raises(discord.NotFound):
        await attachment.read()
    fresh = (await bot.messages[0].channel.fetch_message(bot.messages[0].id)).attachments[0]

    assert (attachment.filename, attachment.size, content) == ("截图 1.png", len(ONE_PIXEL), ONE_PIXEL)
    assert await fresh.read() == ONE_PIXEL


async def test_a_link_that_was_tampered_with_serves_nothing(world: World) -> None:
    link = world.member("Mei").say("see", world.channel("support"), files={"a.txt": b"a"}).links[0]
    async with httpx.AsyncClient() as http:
        good, bad = await http.get(link), await http.get(link.replace("ex=", "ex=f"))

    assert (good.status_code, bad.status_code) == (200, 404)


async def test_the_bot_sends_files_up_to_a_size(world: World, bot: Listener) -> None:
    support = world.channel("support")
    channel = bot.text_channel(support.id)
    await channel.send("log", file=discord.File(__file__, filename="log.txt"))
    with pytest.raises(discord.HTTPException) as refused:
        await channel.send("log", file=discord.File(io.BytesIO(bytes(world.limits.upload + 1)), filename="big.bin"))

    assert list(support.posts[0].files) == ["log.txt"]
    assert (refused.value.status, refused.value.code) == (413, 40005)


async def test_forwards_and_stickers_arrive_as_discord_sends_them(world: World, bot: Listener) -> None:
    """The ground of D-13."""
    mei, support, other = world.member("Mei"), world.channel("support"), world.channel("chat")
    source = mei.say("the words", other, files={"a.txt": b"a"})
    mei.forward(source, support)
    mei.say("", support, stickers=["wave"])
    await world.until(lambda: len(bot.messages) == 3)

    _, forwarded, sticker = bot.messages
    assert (forwarded.content, forwarded.message_snapshots[0].content) == ("", "the words")
    assert await forwarded.message_snapshots[0].attachments[0].read() == b"a"
    assert [one.name for one in sticker.stickers] == ["wave"]


# ---- what goes wrong


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (10003, 404),
        (10008, 404),
        (30013, 400),
        (50001, 403),
        (50007, 403),
        (50013, 403),
        (50083, 400),
        (50278, 403),
        (160006, 400),
    ],
)
async def test_any_refusal_can_be_ordered_for_any_route(world: World, bot: Listener, code: int, status: int) -> None:
    support = world.channel("support")
    world.faults.refuse("POST /channels/*/messages", code)
    with pytest.raises(discord.HTTPException) as refused:
        await bot.text_channel(support.id).send("no")
    await bot.text_channel(support.id).send("yes")

    assert (refused.value.status, refused.value.code) == (status, code)
    assert support.texts == ["yes"]


async def test_a_refusal_ordered_for_one_channel_spares_the_others(world: World, raw: Raw) -> None:
    here, there = world.channel("here"), world.channel("there")
    world.faults.refuse(f"POST /channels/{here.id}/messages", 50013, times=2)

    answers = [await raw.call("POST", f"/channels/{one.id}/messages", {"content": "x"}) for one in (there, here, here)]

    assert [answer.status_code for answer in answers] == [200, 403, 403]


async def test_an_unavailable_discord_is_raised_at_once_and_a_bad_gateway_tried_again(
    world: World, bot: Listener
) -> None:
    """discord.py repeats 500, 502, 504 and 524 by itself, a 503 never."""
    channel = bot.text_channel(world.channel("support").id)
    world.faults.fail("POST /channels/*/messages", 503)
    begun = time.monotonic()
    with pytest.raises(discord.DiscordServerError):
        await channel.send("one")
    raised_after = time.monotonic() - begun
    world.faults.fail("POST /channels/*/messages", 502)
    await channel.send("two")

    assert raised_after < 1
    assert [one.status for one in world.asked("POST /channels/*/messages")] == [503, 502, 200]


async def test_a_message_can_stand_there_although_the_answer_was_an_error(world: World, raw: Raw) -> None:
    support = world.channel("support")
    world.faults.fail_after("POST /channels/*/messages", 504)

    answer = await raw.call("POST", f"/channels/{support.id}/messages", {"content": "done"})

    assert answer.status_code == 504
    assert support.texts == ["done"]


@pytest.mark.parametrize(("moment", "left"), [(Moment.BEFORE_THE_EFFECT, []), (Moment.AFTER_THE_EFFECT, ["hello"])])
async def test_a_connection_breaks_before_or_after_the_effect(
    world: World, bot: Listener, moment: Moment, left: list[str]
) -> None:
    support = world.channel("support")
    world.faults.cut("POST /channels/*/messages", moment)

    with pytest.raises(aiohttp.ClientError):
        await bot.text_channel(support.id).send("hello")

    assert support.texts == left
    assert world.asked("POST /channels/*/messages")[0].status is None


async def test_a_server_that_never_answers_lets_go_when_the_client_does(world: World, raw: Raw) -> None:
    support = world.channel("support")
    world.faults.hang("POST /channels/*/messages", Moment.AFTER_THE_EFFECT)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(raw.call("POST", f"/channels/{support.id}/messages", {"content": "hello"}), 0.3)

    assert support.texts == ["hello"]


# ---- limits


async def test_a_bucket_tells_what_is_left_and_then_how_long_to_wait() -> None:
    limits = Limits(buckets={"POST /channels/*/messages": Bucket(2, 5.0)})
    async with discord_world(limits=limits) as world, httpx.AsyncClient() as http:
        here, there, raw = world.channel("here"), world.channel("there"), Raw(world, http)
        first, second, third = [
            await raw.call("POST", f"/channels/{here.id}/messages", {"content": "x"}) for _ in range(3)
        ]
        elsewhere = await raw.call("POST", f"/channels/{there.id}/messages", {"content": "x"})
        world.later(timedelta(seconds=6))
        later = await raw.call("POST", f"/channels/{here.id}/messages", {"content": "x"})

    assert [one.headers["X-RateLimit-Remaining"] for one in (first, second)] == ["1", "0"]
    assert (third.status_code, third.json()["global"], third.headers["X-RateLimit-Scope"]) == (429, False, "user")
    assert 4 < third.json()["retry_after"] <= 5
    assert "Via" in third.headers
    assert len({one.headers["X-RateLimit-Bucket"] for one in (first, third, elsewhere)}) == 1
    assert (elsewhere.status_code, later.status_code) == (200, 200)


async def test_discord_py_keeps_within_a_bucket_by_its_headers() -> None:
    limits = Limits(buckets={"POST /channels/*/messages": Bucket(2, 0.5)})
    async with discord_world(limits=limits) as world:
        support = world.channel("support")
        async with listening(world) as bot:
            await asyncio.gather(*(bot.text_channel(support.id).send(str(number)) for number in range(5)))

        assert len(support.posts) == 5
        assert [one.status for one in world.asked("POST /channels/*/messages")].count(429) <= 1


async def test_an_ordered_429_is_waited_for_and_the_message_sent_once(world: World, bot: Listener) -> None:
    support = world.channel("support")
    world.faults.limit("POST /channels/*/messages", 0.3, times=2)
    begun = time.monotonic()
    await bot.text_channel(support.id).send("hello")

    assert time.monotonic() - begun >= 0.6
    assert support.texts == ["hello"]


async def test_too_many_requests_a_second_are_a_global_limit() -> None:
    async with discord_world(limits=Limits(requests_a_second=3)) as world, httpx.AsyncClient() as http:
        answers = [await Raw(world, http).call("GET", "/users/@me") for _ in range(5)]

    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json()["global"] is True
    assert answers[-1].headers["X-RateLimit-Global"] == "true"


async def test_too_many_invalid_requests_shut_the_address_out() -> None:
    """Ten thousand in ten minutes; here five. 429 of the shared scope do not count."""
    async with discord_world(limits=Limits(invalid_requests=5)) as world, httpx.AsyncClient() as http:
        raw, support = Raw(world, http), world.channel("support")
        send = f"/channels/{support.id}/messages"
        world.faults.limit("POST /channels/*/messages", 1.0, times=3, scope="shared")
        shared = [await raw.call("POST", send, {"content": "x"}) for _ in range(3)]
        counted_after_shared = world.invalid_requests
        support.deny_bot("send_messages")
        refused = [await raw.call("POST", send, {"content": "x"}) for _ in range(5)]
        shut_out = await raw.call("GET", "/users/@me")
        world.later(timedelta(minutes=11))
        again = await raw.call("GET", "/users/@me")

    assert [one.status_code for one in shared + refused] == [429] * 3 + [403] * 5
    assert counted_after_shared == 0
    assert (shut_out.status_code, "Via" in shut_out.headers) == (429, False)
    assert shut_out.headers["content-type"].startswith("text/html")
    assert again.status_code == 200


async def test_discord_py_raises_a_429_that_is_not_discords(world: World, bot: Listener) -> None:
    world.faults.shut_out("POST /channels/*/messages")

    with pytest.raises(discord.HTTPException) as refused:
        await bot.text_channel(world.channel("support").id).send("hello")

    assert refused.value.status == 429


# ---- what a person can and cannot do


async def test_no_client_lets_a_person_do_what_they_may_not(world: World) -> None:
    mei, ben, support = world.member("Mei"), world.member("Ben"), world.channel("support")
    post = ben.say("mine", support)
    hidden = world.channel("staff")
    hidden.deny_everyone("view_channel")
    support.deny_everyone("send_messages")

    for impossible in (
        lambda: mei.edit(post, "yours"),
        lambda: mei.delete(post),
        lambda: mei.say("hello", hidden),
        lambda: mei.say("hello", support),
        lambda: mei.dm("x" * 4001),
        lambda: mei.slash("help", support),
        lambda: mei.press(post, "Open"),
    ):
        with pytest.raises(SetupError):
            impossible()

    assert mei.shown(hidden) == []
    assert support.texts == ["mine"]


async def test_people_leave_come_back_and_change_their_names(world: World, bot: Listener) -> None:
    mei = world.member("Mei", roles=[world.role("Staff")])
    mei.takes_name("Support ✪")
    renamed = (await bot.guilds[0].fetch_member(mei.id)).display_name
    mei.leaves()
    with pytest.raises(discord.NotFound) as missing:
        await bot.guilds[0].fetch_member(mei.id)
    mei.comes_back()
    back = await bot.guilds[0].fetch_member(mei.id)

    assert renamed == "Support ✪"
    assert missing.value.code == 10007
    assert (back.display_name, len(back.roles)) == ("Mei", 1)


async def test_other_bots_write_too_and_moderators_take_anything_down(world: World, bot: Listener) -> None:
    support = world.channel("support")
    post = world.other_bot("Music").say("now playing", support)
    world.member("Agent", roles=[world.role("Staff", "manage_messages")]).delete(post)
    await world.until(lambda: bot.messages and bot.deletions)

    assert bot.messages[0].author.bot
    assert post.gone


async def test_a_world_in_another_process_can_be_written_to_and_looked_at(world: World, bot: Listener) -> None:
    support = world.channel("support")
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button[discord.ui.View](label="Help", custom_id="help"))
    shown = await bot.text_channel(support.id).send("How can we help?", view=view)
    async with httpx.AsyncClient(base_url=world.cdn.root) as http:
        press = {"person": "Mei", "channel": support.id, "message": shown.id, "label": "Help"}
        pressed = await http.post("/world/presses", json=press)
        impossible = await http.post("/world/presses", json=press | {"label": "Nothing"})
        said = (await http.post("/world/says", json={"person": "Mei", "channel": support.id, "text": "hello"})).json()
        seen = (await http.get("/world/channels")).json()

    assert (pressed.status_code, impossible.status_code) == (200, 409)
    assert (await bot.next_interaction()).id == int(pressed.json()["interaction"])
    assert [one["content"] for one in seen[str(support.id)]["messages"]] == ["How can we help?", "hello"]
    assert int(said["person"]) == world.member("Mei").id
