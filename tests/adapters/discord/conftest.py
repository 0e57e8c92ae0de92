"""A Discord on loopback, an adapter that talks to it over HTTP and a gateway, and the desk's door."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
from tests.adapters.discord.door import Door, connected
from tests.worlds.discord import Limits, World, discord_world

from imconnect.testing.kit import MemoryKit
from imconnect_discord import DiscordAdapter


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits.none()) as opened:
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
    async with connected(world, kit) as made:
        yield made
