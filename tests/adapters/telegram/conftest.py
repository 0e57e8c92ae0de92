"""A Telegram on loopback, an adapter that talks to it over HTTP, and the desk's door."""

from collections.abc import AsyncGenerator

import pytest
from tests.adapters.telegram.door import Door, connected
from tests.worlds.botapi import Server, World, serving

from imconnect_telegram import TelegramAdapter


@pytest.fixture
async def server() -> AsyncGenerator[Server]:
    async with serving() as started:
        yield started


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
async def adapter(server: Server) -> AsyncGenerator[TelegramAdapter]:
    async with connected(server) as made:
        yield made


@pytest.fixture
def door() -> Door:
    return Door()
