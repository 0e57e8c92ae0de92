"""A Discord with a world behind it, for tests: real HTTP, a real gateway, real state, faults on demand.

async with discord_world() as world:
    mei = world.member("Mei", locale="zh-CN")
    support = world.channel("support")
    ...  # a bot with world.token at world.api_root and world.gateway
    mei.say("hello", support)
    await mei.sees("welcome", support)
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from simcord.backend.errors import SetupError
from tests.worlds.discord.asked import Asked
from tests.worlds.discord.channels import Channel, Post
from tests.worlds.discord.faults import Moment
from tests.worlds.discord.limits import Bucket, Limits
from tests.worlds.discord.people import ONE_PIXEL, Member
from tests.worlds.discord.server import Server
from tests.worlds.discord.world import TOKEN, Request, World

__all__ = [
    "ONE_PIXEL",
    "TOKEN",
    "Asked",
    "Bucket",
    "Channel",
    "Limits",
    "Member",
    "Moment",
    "Post",
    "Request",
    "Server",
    "SetupError",
    "World",
    "discord_world",
]


@asynccontextmanager
async def discord_world(*, limits: Limits | None = None, port: int = 0) -> AsyncGenerator[World]:
    """A world on loopback for as long as the block lasts; leaving it raises what used Discord in unknown ways."""
    server = Server(World(limits=limits))
    await server.start(port)
    try:
        yield server.world
    finally:
        await server.stop()
    if server.world.breaches:
        raise ExceptionGroup("Discord was used in ways this world does not know", server.world.breaches)
