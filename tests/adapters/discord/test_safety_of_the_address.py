"""However much is to be said, Discord gets no more requests a second than it takes: refusals lead to a ban."""

import asyncio

import pytest
from tests.adapters.discord.front import line_to
from tests.worlds.discord import Limits, discord_world

from imconnect_discord.pacing import Pacing, is_counted
from imconnect_discord.refusals import done


async def test_a_span_has_no_more_turns_than_it_may() -> None:
    pacing, clock = Pacing(most=5, within=0.2), asyncio.get_running_loop().time
    at: list[float] = []

    async def take() -> None:
        await pacing.turn()
        at.append(clock())

    await asyncio.gather(*(take() for _ in range(12)))

    assert all(later - earlier > 0.19 for earlier, later in zip(at, at[5:], strict=False))


@pytest.mark.parametrize(
    ("path", "counted"),
    [
        ("/channels/1/messages", True),
        ("/guilds/1", True),
        ("/interactions/1/token/callback", False),
        ("/webhooks/1/token", False),
    ],
)
def test_responses_to_interactions_wait_for_nobody(path: str, counted: bool) -> None:
    """Three seconds are too short for a queue, and Discord does not count them."""
    assert is_counted(path) is counted


async def test_a_burst_of_calls_is_refused_nothing() -> None:
    async with discord_world(limits=Limits(buckets={})) as world:
        channels = [world.channel(f"c{number}") for number in range(60)]
        line = line_to(world)
        client = await line.client()
        await asyncio.gather(*(done(client.get_partial_messageable(one.id).send("hello")) for one in channels))
        refused = world.invalid_requests
        await line.close()

    assert refused == 0
