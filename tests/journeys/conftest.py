"""A desk of its own process for each story; what was learnt of the shipped pack is shared by all."""

import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.conftest import one_at_a_time
from tests.faults.desks import Desks, desks_in, environment
from tests.worlds.botapi import Server, serving


@pytest.fixture(scope="session")
def learnt(learnt_pack: Path) -> Path:
    """What a desk learns of the shipped pack at its first start: once for all stories, for it takes seconds."""
    command = [sys.executable, "-m", "imconnect", "explain", "hello"]
    settings = environment({"cache": str(learnt_pack), "matcher": "ngrams"})
    with one_at_a_time(learnt_pack):
        subprocess.run(command, cwd=learnt_pack, env=settings, check=True, stdout=subprocess.DEVNULL, timeout=300)
    return learnt_pack


@pytest_asyncio.fixture
async def telegram() -> AsyncGenerator[Server]:
    async with serving() as server:
        yield server


@pytest_asyncio.fixture
async def desks(tmp_path: Path, learnt: Path, telegram: Server) -> AsyncGenerator[Desks]:
    """The shipped pack, the web chat and a Telegram bot, on SQLite, with everything logged."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "web.port": str(port),
        "cache": str(learnt),
        "log.level": "debug",
        "telegram.token": telegram.world.token,
        "telegram.api_root": telegram.url,
    }
    async with desks_in(tmp_path, settings) as desks:
        yield desks
