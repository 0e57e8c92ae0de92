"""A Telegram on loopback, and a bot that speaks plain HTTP to it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.worlds.botapi import Server, World, serving
from tests.worlds.botapi.raw_bot import RawBot


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


@pytest.fixture
def world(server: Server) -> World:
    return server.world


@pytest.fixture
async def bot(server: Server) -> AsyncIterator[RawBot]:
    async with httpx.AsyncClient(timeout=10) as http:
        yield RawBot(server, http)
