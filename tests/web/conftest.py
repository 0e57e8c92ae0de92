"""A desk, its pages, and people at them."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from tests.web.desk import Brains, RunningDesk, running_desk
from tests.web.visits import Visitor


@pytest.fixture(scope="session")
def brains(tmp_path_factory: pytest.TempPathFactory) -> Brains:
    return Brains.made(tmp_path_factory.mktemp("blank"))


@pytest.fixture
async def desk(tmp_path: Path, brains: Brains) -> AsyncGenerator[RunningDesk]:
    async with running_desk(tmp_path, brains) as running:
        yield running


@pytest.fixture
async def visitor(desk: RunningDesk) -> AsyncGenerator[Visitor]:
    """Somebody with an English browser that runs no scripts."""
    transport = httpx.ASGITransport(app=desk.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://desk.test", headers={"Accept-Language": "en"}
    ) as client:
        yield Visitor(client)


@pytest.fixture
async def agent(desk: RunningDesk) -> AsyncGenerator[Visitor]:
    """The agent Lin, signed in."""
    await desk.agent("Lin", "lins link")
    transport = httpx.ASGITransport(app=desk.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://desk.test", headers={"Accept-Language": "en"}
    ) as client:
        await client.post("/inbox/sign-in", data={"token": "lins link"})
        yield Visitor(client)
