"""What the stories share: customers at the page, agents at the inbox, and a search for what must not be kept."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from tests.faults.desks import Desk, Desks
from tests.web.visits import Visitor

PATIENCE = 30.0
"""Seconds; the desk answers in a fraction of one, and a busy machine takes its time."""


@dataclass(slots=True)
class Customer:
    """Somebody at the chat page."""

    visitor: Visitor
    typed: list[str] = field(default_factory=list[str])

    async def writes(self, text: str) -> None:
        self.typed.append(text)
        response = await self.visitor.write(text)
        response.raise_for_status()

    async def reads(self, words: str) -> str:
        """Wait until the page shows *words*; the whole page."""
        async with asyncio.timeout(PATIENCE):
            while words not in (page := unescape(await self.visitor.page("/chat"))):  # noqa: ASYNC110 - a page is all there is
                await asyncio.sleep(0.05)
        return page

    @asynccontextmanager
    async def stream(self) -> AsyncGenerator["Stream"]:
        """The events of an open page, from now on."""
        async with self.visitor.http.stream("GET", "/chat/events", timeout=PATIENCE) as response:
            yield Stream(response)


@dataclass(slots=True)
class Stream:
    """Server-sent events as they come."""

    response: httpx.Response

    async def line_with(self, words: str) -> str:
        """The first event that holds *words*."""
        async with asyncio.timeout(PATIENCE):
            async for line in self.response.aiter_lines():
                if words in line:
                    return line
        raise AssertionError(f"the stream ended without {words!r}")


@asynccontextmanager
async def customer(desk: Desk) -> AsyncGenerator[Customer]:
    """Opens the page; the session is its cookie's."""
    async with httpx.AsyncClient(base_url=desk.web, timeout=PATIENCE) as http:
        visitor = Visitor(http)
        await visitor.page("/chat")
        yield Customer(visitor)


@asynccontextmanager
async def agent(desks: Desks, name: str) -> AsyncGenerator[Visitor]:
    """Signs in with the one-time link the operator made."""
    link = urlsplit((await desks.told("agent", "add", name)).splitlines()[-1])
    async with httpx.AsyncClient(base_url=f"{link.scheme}://{link.netloc}", timeout=PATIENCE) as http:
        await http.post("/inbox/sign-in", data={"token": parse_qs(link.query)["token"][0]})
        yield Visitor(http)


def reference_in(page: str) -> str:
    found = re.search(r"IM-[2-9A-Z]{4}-[2-9A-Z]{4}", page)
    assert found is not None
    return found[0]


def place_in(page: str) -> int:
    found = re.search(r"您现在是第 (\d+) 位", page)
    assert found is not None
    return int(found[1])


async def shown(desks: Desks) -> str:
    """Every conversation, as `imconnect conversation show` tells it to people and to programs."""
    listed = json.loads((await desks.told("conversation", "list", "--json")).splitlines()[-1])
    told = [
        await desks.told("conversation", "show", one["reference"], *style)
        for one in listed
        for style in ((), ("--json",))
    ]
    return "\n".join(told)


def three_words_of(phrase: str) -> set[str]:
    """Every three consecutive words of *phrase*."""
    words = phrase.split()
    return {f"{first} {second} {third}" for (first, second), (_, third) in pairwise(pairwise(words))}


def files_with(folder: Path, texts: Iterable[str]) -> dict[str, list[str]]:
    """Which files under *folder* hold which of *texts*: the database, its log, and what the desk said."""
    sought = list(texts)
    found: dict[str, list[str]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        if held := [text for text in sought if text.encode() in content]:
            found[file.name] = held
    return found


def logged(desk: Desk, typed: Iterable[str]) -> list[str]:
    """Which of the things customers typed stand in the desk's log."""
    said = desk.says()
    return [text for text in typed if text in said]
