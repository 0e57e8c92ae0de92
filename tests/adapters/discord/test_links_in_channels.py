"""Links that steal are gone from where members read along; where a case is told of they stay."""

from collections.abc import Callable

import pytest
from tests.adapters.discord.door import Door, connected, listening, thread_for
from tests.worlds.discord import Channel, Member, World

from imconnect.testing.kit import MemoryKit

FAKE = "https://metamask-login.top/claim-now"

Place = Callable[[World], Channel]


def the_support_channel(world: World) -> Channel:
    return world.channel("support")


def a_thread_below_it(world: World) -> Channel:
    return _a_thread_of(world, world.channel("support"))


def a_public_thread(world: World) -> Channel:
    return _a_thread_of(world, world.channel("lobby"))


def _a_thread_of(world: World, channel: Channel) -> Channel:
    return world.channel_by_id(world.model.create_thread(channel.id, "talk", world.member("Bo").id, type=11).id)


def a_channel_made_later(world: World) -> Channel:
    return world.channel("made later")


@pytest.mark.parametrize("place", [the_support_channel, a_thread_below_it])
async def test_a_link_to_a_fake_site_goes_from_the_support_channel_and_everybody_learns_why(
    world: World, kit: MemoryKit, door: Door, place: Place
) -> None:
    eve, where = world.member("Eve"), place(world)
    async with connected(world, kit) as adapter, listening(adapter, door):
        await world.until(lambda: world.channel("support").from_bot or None)
        post = eve.say(f"free coins @everyone {FAKE}", where)
        told = await eve.sees("discord_link_removed", where)

    assert post.gone
    assert "claim-now" not in told.text
    assert not told.pings_anybody


async def test_a_link_that_is_edited_in_goes_too(world: World, kit: MemoryKit, door: Door) -> None:
    support, eve = world.channel("support"), world.member("Eve")
    async with connected(world, kit) as adapter, listening(adapter, door):
        await world.until(lambda: support.from_bot or None)
        post = eve.say("hello", support)
        eve.edit(post, f"hello {FAKE}")
        await eve.sees("discord_link_removed", support)

    assert post.gone


async def test_elsewhere_it_stays_unless_that_is_set(world: World, kit: MemoryKit, door: Door) -> None:
    support, lobby, eve = world.channel("support"), world.channel("lobby"), world.member("Eve")
    async with connected(world, kit) as adapter, listening(adapter, door):
        await world.until(lambda: support.from_bot or None)
        post = eve.say(FAKE, lobby)
        last = eve.say(FAKE, support)
        await world.until(lambda: last.gone or None)

    assert not post.gone


@pytest.mark.parametrize("place", [a_public_thread, a_channel_made_later])
async def test_where_it_is_set_it_goes_from_every_channel_and_its_threads(
    world: World, kit: MemoryKit, door: Door, place: Place
) -> None:
    support, eve = world.channel("support"), world.member("Eve")
    async with connected(world, kit, remove_links=True) as adapter, listening(adapter, door):
        await world.until(lambda: support.from_bot or None)
        where = place(world)
        post = eve.say(FAKE, where)
        await eve.sees("discord_link_removed", where)

    assert post.gone


async def test_where_a_case_is_told_of_and_among_colleagues_it_stays(world: World, kit: MemoryKit, door: Door) -> None:
    """It is what the case is about."""
    forum, agents = world.forum("staff"), world.role("Agents", "manage_threads")
    mei: Member = world.member("Mei", roles=[agents])
    eve = world.member("Eve")
    async with connected(world, kit, remove_links=True, staff_channel=forum.id, agent_role=agents) as adapter:
        thread = await thread_for(adapter, eve)
        room = adapter.staff_room
        assert room is not None
        await room.answer(None, "hello")
        [post] = forum.threads
        async with listening(adapter, door):
            await world.until(lambda: world.channel("support").from_bot or None)
            said = [eve.say(f"is it real? {FAKE}", thread), eve.dm(FAKE), mei.say(f"look {FAKE}", post)]
            last = eve.say(FAKE, world.channel("lobby"))
            await world.until(lambda: last.gone or None)
            await door.has(2)

    assert not any(one.gone for one in said)
