"""A server that has as many active threads as Discord allows: what rests makes room for who comes."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from tests.adapters.discord.door import Door, connected, outgoing, thread_for
from tests.worlds.discord import Channel, Limits, Member, World, discord_world

from imconnect.domain.conversations import Stage
from imconnect.domain.playbook import Priority
from imconnect.ports import Header
from imconnect.testing.kit import MemoryKit
from imconnect_discord import DiscordAdapter
from imconnect_discord.staff import DiscordStaffRoom

MOST = 3
HEADER = Header("TW-1001", "A title", "what it is about", Stage.WAITING, Priority.HIGH, None)


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits(buckets={}, requests_a_second=10_000, active_threads=MOST)) as opened:
        opened.channel("support")
        yield opened


@pytest.fixture
def kit() -> MemoryKit:
    return MemoryKit(moment=datetime.now(UTC))


@pytest.fixture
def door(world: World, kit: MemoryKit) -> Door:
    return Door(kit, world)


@pytest.fixture
async def adapter(world: World, kit: MemoryKit) -> AsyncGenerator[DiscordAdapter]:
    async with connected(world, kit, staff_channel=world.forum("staff").id) as made:
        yield made


@pytest.fixture
def staff(adapter: DiscordAdapter) -> DiscordStaffRoom:
    room = adapter.staff_room
    assert room is not None
    return room


def hours_pass(world: World, kit: MemoryKit, hours: float) -> None:
    world.later(timedelta(hours=hours))
    kit.later(hours * 3600)


async def full(world: World, kit: MemoryKit, adapter: DiscordAdapter) -> list[tuple[Member, Channel]]:
    """A member for each thread there may be, the first of whom has been quiet for longest."""
    there: list[tuple[Member, Channel]] = []
    for number in range(MOST):
        member = world.member(f"Member {number}")
        there.append((member, await thread_for(adapter, member)))
        hours_pass(world, kit, 1)
    return there


async def test_who_comes_last_gets_a_thread_and_what_rests_longest_goes_into_the_archive(
    adapter: DiscordAdapter, world: World, kit: MemoryKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-19, healed: nobody is sent to private messages while a thread can rest."""
    monkeypatch.setattr("imconnect_discord.archive.AT_A_TIME", 1)
    there = await full(world, kit, adapter)
    hours_pass(world, kit, 1)
    there[0][0].say("one more thing", there[0][1])  # so the second rests longest
    new = world.member("New")
    thread = await thread_for(adapter, new)

    assert new.visible(thread)
    assert [one.archived for _, one in there] == [False, True, False]
    assert new.direct.from_bot == []
    assert world.forum("staff").threads == []


async def test_what_rests_is_opened_again_when_something_is_to_be_said_there(
    adapter: DiscordAdapter, world: World, kit: MemoryKit
) -> None:
    """D-18 and D-19 together: a thread in the archive while all others are active."""
    there = await full(world, kit, adapter)
    there[0][1].archive()
    fresh = await thread_for(adapter, world.member("New"))
    hours_pass(world, kit, 2)
    mei, thread = there[0]
    await adapter.send(outgoing(adapter, f"u{mei.id}", "there is news", key="k9"))

    assert thread.texts[-1] == "there is news"
    assert not thread.archived
    assert sum(not one.archived for one in (fresh, *(one for _, one in there))) <= MOST
    assert mei.direct.from_bot == []


async def test_threads_in_which_somebody_wrote_a_moment_ago_stay_open(
    adapter: DiscordAdapter, world: World, kit: MemoryKit
) -> None:
    """D-19: then it is said in private messages, as long as that lasts, and colleagues are told."""
    there = await full(world, kit, adapter)
    for member, thread in there:
        member.say("I am still here", thread)
    hours_pass(world, kit, 0.9)
    new = world.member("New")
    await adapter.send(outgoing(adapter, f"u{new.id}", "your case is TW-9", key="k9"))

    assert not any(thread.archived for _, thread in there)
    assert new.direct.texts == ["your case is TW-9"]


async def test_a_thread_that_rests_while_nothing_can_go_is_not_given_up(
    adapter: DiscordAdapter, world: World, kit: MemoryKit
) -> None:
    """D-18, D-19: the answer goes into private messages this once, the next one into the thread."""
    there = await full(world, kit, adapter)
    mei, thread = there[0]
    thread.archive()
    await thread_for(adapter, world.member("New"))
    for member, other in there[1:]:
        member.say("I am still here", other)
    await adapter.send(outgoing(adapter, f"u{mei.id}", "the first", key="k8"))
    hours_pass(world, kit, 2)
    await adapter.send(outgoing(adapter, f"u{mei.id}", "the second", key="k9"))

    assert mei.direct.texts == ["the first"]
    assert thread.texts[-1] == "the second"


async def test_many_who_come_at_once_get_a_thread_each(adapter: DiscordAdapter, world: World, kit: MemoryKit) -> None:
    """D-07 and D-19"""
    await full(world, kit, adapter)
    hours_pass(world, kit, 2)
    crowd = [world.member(f"New {number}") for number in range(MOST)]
    await asyncio.gather(*(thread_for(adapter, member) for member in crowd))

    assert [len(member.threads) for member in crowd] == [1] * MOST
    assert not any(member.direct.from_bot for member in crowd)
    assert len(world.asked("GET /guilds/*/threads/active")) == 1


async def test_the_room_is_told_although_no_post_of_its_notices_was_there_when_the_server_was_full(
    adapter: DiscordAdapter, staff: DiscordStaffRoom, world: World, kit: MemoryKit
) -> None:
    """D-19, the staff's half"""
    there = await full(world, kit, adapter)
    hours_pass(world, kit, 2)
    await staff.answer(None, "no more threads")
    [notices] = world.forum("staff").threads
    for _ in range(3):
        hours_pass(world, kit, 2)
        notices.archive()
        await thread_for(adapter, world.member(f"New {world.now()}"))
        await staff.answer(None, "still none")

    assert notices.texts == ["no more threads", *["still none"] * 3]
    assert world.forum("staff").threads == [notices]
    assert there[0][1].archived


async def test_customers_threads_rest_before_posts_of_colleagues(
    adapter: DiscordAdapter, staff: DiscordStaffRoom, world: World, kit: MemoryKit
) -> None:
    """D-19: what waits for a person stays in sight."""
    topic = await staff.open(HEADER)
    hours_pass(world, kit, 2)
    post = world.channel_by_id(int(topic))
    ann = await thread_for(adapter, world.member("Ann"))
    await thread_for(adapter, world.member("Ben"))
    hours_pass(world, kit, 2)
    await staff.open(HEADER)

    assert not post.archived
    assert ann.archived


async def test_a_post_that_rests_takes_a_copy_when_the_server_is_full(
    adapter: DiscordAdapter, staff: DiscordStaffRoom, world: World, kit: MemoryKit
) -> None:
    """D-18, D-19, the staff's half"""
    topic = await staff.open(HEADER)
    post = world.channel_by_id(int(topic))
    post.archive()
    await full(world, kit, adapter)
    hours_pass(world, kit, 2)
    await staff.post(topic, "the customer wrote again")

    assert post.texts[-1] == "the customer wrote again"
    assert not post.archived


async def test_where_only_posts_are_active_the_one_that_rests_longest_goes(
    staff: DiscordStaffRoom, world: World, kit: MemoryKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-19, the staff's half: a new case is seen; the old post opens again with the next word in it."""
    monkeypatch.setattr("imconnect_discord.archive.AT_A_TIME", 1)
    posts = [world.channel_by_id(int(await staff.open(HEADER))) for _ in range(MOST)]
    hours_pass(world, kit, 2)
    await staff.post(str(posts[0].id), "the customer wrote again")
    hours_pass(world, kit, 2)
    fresh = world.channel_by_id(int(await staff.open(HEADER)))

    assert [one.archived for one in (*posts, fresh)] == [False, True, False, False]


async def test_others_threads_are_left_alone(adapter: DiscordAdapter, world: World, kit: MemoryKit) -> None:
    """Only what the bot opened where it serves may rest."""
    bo, bot, support, lobby = (
        world.member("Bo").id,
        world.model.bot_user.id,
        world.channel("support"),
        world.channel("lobby"),
    )
    theirs = [
        world.channel_by_id(world.model.create_thread(channel.id, "talk", owner, type=11).id)
        for channel, owner in ((support, bo), (lobby, bot), (lobby, bo))
    ]
    hours_pass(world, kit, 5)
    new = world.member("New")
    await adapter.send(outgoing(adapter, f"u{new.id}", "your case is TW-9", key="k9"))

    assert not any(one.archived for one in theirs)
    assert new.direct.texts == ["your case is TW-9"]
