"""The Discord of the tests keeps the promises of threads, forums and roles."""

from collections.abc import AsyncIterator
from datetime import timedelta

import discord
import pytest
from discord.http import handle_message_parameters
from tests.worlds.discord import Channel, Limits, SetupError, World, discord_world
from tests.worlds.discord.listener import Listener, listening


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with discord_world(limits=Limits(buckets={}, active_threads=3, thread_members=3, guild_channels=4)) as opened:
        opened.channel("support")
        yield opened


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Listener]:
    async with listening(world) as client:
        yield client


async def open_thread(world: World, bot: Listener, name: str = "t-1") -> tuple[discord.Thread, Channel]:
    channel = bot.text_channel(world.channel("support").id)
    made = await channel.create_thread(
        name=name, type=discord.ChannelType.private_thread, invitable=False, auto_archive_duration=1440
    )
    return made, world.channel_by_id(made.id)


# ---- private threads


async def test_a_private_thread_is_for_those_who_are_in_it(world: World, bot: Listener) -> None:
    mei, ben = world.member("Mei"), world.member("Ben")
    made, thread = await open_thread(world, bot)
    await made.add_user(discord.Object(mei.id))
    await made.send("just us")
    mei.say("thanks", thread)
    await world.until(lambda: "thanks" in bot.texts)

    assert thread.is_private
    assert (await mei.sees("just us")).channel_id == thread.id
    assert (mei.visible(thread), ben.visible(thread)) == (True, False)
    assert world.channel("support").posts == []
    with pytest.raises(SetupError):
        ben.say("me too", thread)


async def test_agents_see_private_threads_by_their_role(world: World, bot: Listener) -> None:
    agent = world.member("Agent")
    _, thread = await open_thread(world, bot)
    before = agent.visible(thread)
    role = world.role("Staff", "manage_threads")
    agent.gets_role(role)
    with_role = agent.visible(thread)
    agent.loses_role(role)

    assert (before, with_role, agent.visible(thread)) == (False, True, False)


async def test_who_is_added_is_announced_by_a_note_without_words(world: World, bot: Listener) -> None:
    """A bot must not take Discord's own notes for what somebody said."""
    mei = world.member("Mei")
    made, _ = await open_thread(world, bot)
    await made.add_user(discord.Object(mei.id))
    await world.until(lambda: bot.messages)

    assert (bot.messages[0].type, bot.messages[0].content) == (discord.MessageType.recipient_add, "")


async def test_who_may_not_see_the_channel_cannot_be_added(world: World, bot: Listener) -> None:
    mei, stranger = world.member("Mei"), world.stranger("Somebody")
    made, _ = await open_thread(world, bot)
    world.channel("support").deny_everyone("view_channel")
    world.channel("support").allow(world.guild.bot_role, "view_channel")
    codes: list[int] = []
    for member in (mei, stranger):
        with pytest.raises(discord.HTTPException) as refused:
            await made.add_user(discord.Object(member.id))
        codes.append(refused.value.code)

    assert codes == [50001, 10007]


async def test_a_thread_takes_the_right_to_open_one(world: World, bot: Listener) -> None:
    world.channel("support").deny_bot("create_private_threads")

    with pytest.raises(discord.Forbidden) as refused:
        await open_thread(world, bot)

    assert refused.value.code == 50013


async def test_threads_members_and_channels_are_capped(world: World, bot: Listener) -> None:
    """The ground of D-19."""
    made = [(await open_thread(world, bot, f"t-{number}"))[0] for number in range(3)]
    for name in ("Mei", "Ben"):
        await made[0].add_user(discord.Object(world.member(name).id))
    world.guild.allow_bot("view_channel", "manage_channels", "send_messages_in_threads", "create_private_threads")
    codes: list[int] = []
    for attempt in (
        open_thread(world, bot, "t-4"),
        made[0].add_user(discord.Object(world.member("Zoe").id)),
        *(bot.guilds[0].create_text_channel(f"case-{number}") for number in range(4)),
    ):
        try:
            await attempt
        except discord.HTTPException as refused:
            codes.append(refused.code)

    assert codes == [160006, 30033, 30013]


# ---- archived, locked, gone


async def test_a_quiet_thread_is_archived_by_itself(world: World, bot: Listener) -> None:
    """The ground of D-18."""
    made, thread = await open_thread(world, bot)
    world.later(timedelta(hours=23))
    open_still = not thread.archived
    world.later(timedelta(hours=2))
    await world.until(lambda: ("updated", made.id) in bot.threads_changed)

    assert open_still
    assert thread.archived
    assert await bot.guilds[0].active_threads() == []


async def test_whoever_writes_in_an_archived_thread_opens_it(world: World, bot: Listener) -> None:
    mei = world.member("Mei")
    made, thread = await open_thread(world, bot)
    await made.add_user(discord.Object(mei.id))
    thread.archive()
    await made.send("hello again")
    opened_by_bot = not thread.archived
    thread.archive()
    mei.say("hello", thread)

    assert opened_by_bot
    assert not thread.archived


async def test_an_archived_thread_can_only_be_changed_by_opening_it(world: World, bot: Listener) -> None:
    """The ground of D-18: 50083 for edits of its messages and for new members."""
    made, thread = await open_thread(world, bot)
    message = await made.send("before")
    thread.archive()
    codes: list[int] = []
    for attempt in (
        message.edit(content="after"),
        made.add_user(discord.Object(world.member("Mei").id)),
        made.edit(name="other"),
    ):
        with pytest.raises(discord.HTTPException) as refused:
            await attempt
        codes.append(refused.value.code)
    await made.edit(archived=False, name="other")
    await message.edit(content="after")

    assert codes == [50083, 50083, 50083]
    assert (thread.name, thread.texts[0], thread.archived) == ("other", "after", False)


async def test_a_locked_thread_is_opened_by_moderators_only(world: World, bot: Listener) -> None:
    mei = world.member("Mei")
    made, thread = await open_thread(world, bot)
    await made.add_user(discord.Object(mei.id))
    thread.lock()
    world.channel("support").deny_bot("manage_threads")
    codes: list[int] = []
    for attempt in (made.send("hello"), made.edit(archived=False)):
        with pytest.raises(discord.HTTPException) as refused:
            await attempt
        codes.append(refused.value.code)
    with pytest.raises(SetupError):
        mei.say("hello", thread)

    assert codes == [50083, 50013]


async def test_the_bot_locks_and_archives_what_it_closes(world: World, bot: Listener) -> None:
    made, thread = await open_thread(world, bot)
    await made.edit(archived=True, locked=True)

    assert (thread.archived, thread.locked) == (True, True)


async def test_a_thread_deleted_by_hand_is_gone(world: World, bot: Listener) -> None:
    """The ground of D-17."""
    made, thread = await open_thread(world, bot)
    thread.delete()
    await world.until(lambda: ("deleted", made.id) in bot.threads_changed)
    with pytest.raises(discord.NotFound) as refused:
        await made.send("hello")

    assert not thread.exists
    assert refused.value.code == 10003


async def test_archived_threads_can_be_paged_through(world: World, bot: Listener) -> None:
    for number in range(7):
        _, thread = await open_thread(world, bot, f"t-{number}")
        thread.archive()
        world.later(timedelta(minutes=1))
    channel = bot.text_channel(world.channel("support").id)

    all_of_them = [one.name async for one in channel.archived_threads(private=True, limit=None)]
    joined = [one.name async for one in channel.archived_threads(private=True, joined=True, limit=3)]

    assert all_of_them == [f"t-{number}" for number in reversed(range(7))]
    assert joined == ["t-6", "t-5", "t-4"]


async def test_open_threads_are_known_after_a_restart(world: World) -> None:
    async with listening(world) as first:
        _, kept = await open_thread(world, first, "kept")
        _, closed = await open_thread(world, first, "closed")
        closed.archive()
    async with listening(world) as second:
        known = [(thread.id, thread.me is not None) for thread in second.guilds[0].threads]

    assert known == [(kept.id, True)]


# ---- forums


async def test_a_forum_post_has_a_first_message_and_tags(world: World, bot: Listener) -> None:
    forum = world.forum("staff", ["deposit", "urgent"])
    await world.until(lambda: bot.get_channel(forum.id))
    found = bot.get_channel(forum.id)
    assert isinstance(found, discord.ForumChannel)
    urgent = next(tag for tag in found.available_tags if tag.name == "urgent")
    made = await found.create_thread(name="IM-1", content="about the case", applied_tags=[urgent])
    await made.thread.send("more")
    post = forum.threads[0]
    tags_at_first = post.applied_tags
    await made.thread.edit(applied_tags=[tag for tag in found.available_tags if tag.name == "deposit"])

    assert (post.name, post.texts) == ("IM-1", ["about the case", "more"])
    assert tags_at_first == ["urgent"]
    assert post.applied_tags == ["deposit"]


async def test_nobody_writes_into_a_forum_itself(world: World, bot: Listener) -> None:
    forum = world.forum("staff")

    with pytest.raises(discord.HTTPException) as refused:
        await bot.http.send_message(forum.id, params=handle_message_parameters("hello"))

    assert refused.value.code == 50024


async def test_who_posts_is_in_the_thread_and_may_be_told_apart_by_role(world: World, bot: Listener) -> None:
    staff = world.role("Staff")
    agent = world.member("Agent", roles=[staff])
    made, thread = await open_thread(world, bot)
    await made.add_user(discord.Object(agent.id))
    agent.say("mine", thread)
    await world.until(lambda: "mine" in bot.texts)

    author = bot.messages[-1].author
    assert isinstance(author, discord.Member)
    assert [role.id for role in author.roles if role.id != world.guild.id] == [staff]
