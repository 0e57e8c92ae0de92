"""How pages hear of changes, over a real server."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from tests.web.desk import RunningDesk, served
from tests.web.visits import Visitor

from imconnect.desk.bells import Bell
from imconnect.domain.events import AgentReplied, AgentTook
from imconnect.web.app import end_streams
from imconnect.web.sse import MOST_STREAMS, Ringing, Streams

PATIENCE = 5.0
FIRST_HALF = "abandon abandon abandon abandon abandon abandon"
SECOND_HALF = "abandon abandon abandon abandon abandon about"


@dataclass(frozen=True, slots=True)
class Heard:
    """One event, or with an empty name a comment."""

    name: str
    data: dict[str, object]
    id: str


class Listening:
    """An open stream, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> Heard | None:
        """The next event or comment; None when the stream has ended."""
        name, data, number = "", "", ""
        async for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = value
            elif field == "id":
                number = value
            elif not line and name:
                return Heard(name, json.loads(data) if data else {}, number)
            elif field == "":
                return Heard("", {"comment": value}, "")
        return None

    async def until(self, name: str, words: str = "") -> Heard:
        """The next event of *name* that holds *words*."""
        async with asyncio.timeout(PATIENCE):
            while (heard := await self.next()) is not None:
                if heard.name == name and words in str(heard.data):
                    return heard
        raise AssertionError(f"the stream ended before {name}")

    async def end(self) -> list[Heard]:
        """What comes until the stream ends."""
        heard: list[Heard] = []
        async with asyncio.timeout(PATIENCE):
            while (one := await self.next()) is not None:
                heard.append(one)
        return heard


@asynccontextmanager
async def listening(client: httpx.AsyncClient, path: str, **headers: str) -> AsyncGenerator[Listening]:
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listening(answer)


@pytest.fixture
async def online(desk: RunningDesk) -> AsyncGenerator[Visitor]:
    """A customer at a real server."""
    async with (
        served(desk) as url,
        httpx.AsyncClient(base_url=url, headers={"Accept-Language": "en"}, timeout=10) as client,
    ):
        visitor = Visitor(client)
        await visitor.page("/chat")
        yield visitor


async def test_an_agents_answer_reaches_the_open_page_at_once(desk: RunningDesk, online: Visitor) -> None:
    await online.press("t:human")
    async with listening(online.http, "/chat/events") as page:
        await page.until("line", "Talk to a person")
        await desk.store.act("IM-1001", AgentTook("Lin"), "key-take", desk.time())
        started = asyncio.get_running_loop().time()
        await desk.store.act("IM-1001", AgentReplied("Lin", "Hello, I am Lin"), "key-reply", desk.time())
        await page.until("line", "Hello, I am Lin")
        took = asyncio.get_running_loop().time() - started

    assert took < 2.0


async def test_a_page_opened_before_the_first_message_hears_of_it(online: Visitor) -> None:
    async with listening(online.http, "/chat/events") as other_tab:
        await other_tab.until("standing")
        await online.write("my transfer has not arrived")
        heard = await other_tab.until("line")

    assert "my transfer has not arrived" in str(heard.data["html"])


async def test_a_page_that_lost_its_connection_goes_on_where_it_was(online: Visitor) -> None:
    await online.write("first line of mine")
    async with listening(online.http, "/chat/events") as page:
        seen = await page.until("line", "first line of mine")
        last = seen.id
        while (await page.until("line")).id == last:
            pass
    await online.write("second line of mine")
    async with listening(online.http, "/chat/events", **{"Last-Event-ID": last}) as page:
        heard = [await page.until("line") for _ in range(2)]

    assert "first line of mine" not in str(heard)


async def test_where_the_case_stands_is_told_as_it_changes(desk: RunningDesk, online: Visitor) -> None:
    await online.press("t:human")
    async with listening(online.http, "/chat/events") as page:
        await page.until("standing", "In line")
        await desk.store.act("IM-1001", AgentTook("Lin"), "key-take", desk.time())
        heard = await page.until("standing", "With an agent")

    assert heard.data["reference"] == "Reference IM-1001"


async def test_the_first_half_of_a_phrase_is_taken_from_the_page_when_the_second_comes(online: Visitor) -> None:
    await online.write(f"words: {FIRST_HALF}")
    async with listening(online.http, "/chat/events") as page:
        first = await page.until("line", FIRST_HALF)
        await online.write(SECOND_HALF)
        changed = await page.until("line", "removed for your safety")

    assert changed.data["id"] == first.data["id"]
    assert "abandon" not in str(changed.data["html"])


async def test_a_quiet_stream_shows_that_it_lives(online: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imconnect.web.chat_pages.HEARTBEAT", 0.05)
    async with listening(online.http, "/chat/events") as page:
        heard = [await page.next() for _ in range(3)]

    assert heard[-1] == Heard("", {"comment": "still here"}, "")


async def test_without_a_session_a_page_stops_asking(online: Visitor) -> None:
    online.http.cookies.clear()

    assert (await online.http.get("/chat/events")).status_code == 204


async def test_the_server_stops_while_pages_listen(desk: RunningDesk) -> None:
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(timeout=10) as client:
        async with served(desk) as url:
            await client.get(url + "/chat")
            async with listening(client, url + "/chat/events") as page:
                await page.until("standing")
                asked = loop.time()
                end_streams(desk.app)
                heard = await page.end()
        took = loop.time() - asked

    assert heard == []
    assert took < 2.0


async def test_the_longest_open_of_many_tabs_rests(online: Visitor) -> None:
    await online.write("hello there")
    async with listening(online.http, "/chat/events") as eldest:
        await eldest.until("standing")
        async with _many(online, MOST_STREAMS) as others:
            rested = await eldest.end()
            await online.write("is this heard in every other tab?")
            for page in others:
                await page.until("line", "is this heard")

    assert rested[-1].name == "rest"


@asynccontextmanager
async def _many(visitor: Visitor, number: int) -> AsyncGenerator[list[Listening]]:
    if number == 0:
        yield []
        return
    async with listening(visitor.http, "/chat/events") as one:
        await one.until("standing")
        async with _many(visitor, number - 1) as others:
            yield [one, *others]


async def test_the_inbox_hears_of_the_line_and_of_the_open_conversation(desk: RunningDesk, online: Visitor) -> None:
    await desk.agent("Lin", "one link")
    await online.http.post("/inbox/sign-in", data={"token": "one link"})
    await online.write("my transfer has not arrived")
    async with listening(online.http, "/inbox/events?open=IM-1001") as page:
        await page.until("line")
        await page.until("conversation")
        await online.press("t:human")
        heard = {(await page.until("line")).name, (await page.until("conversation")).name}

    assert heard == {"line", "conversation"}


# --------------------------------------------------------------------------------------------------------- the parts


async def test_a_bell_remembers_one_ring() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()

    assert await bell.wait(0)
    assert not await bell.wait(0.01)


async def test_of_several_bells_those_that_rang_are_named() -> None:
    one, two = Bell(), Bell()
    ringing = Ringing({"one": one, "two": two})
    assert await ringing.first(0.01) == frozenset()
    two.ring()

    assert await ringing.first(1) == {"two"}
    await ringing.stop()


async def test_a_ring_is_not_lost_between_two_waits() -> None:
    one, two = Bell(), Bell()
    ringing = Ringing({"one": one, "two": two})
    one.ring()
    assert await ringing.first(1) == {"one"}
    one.ring()
    two.ring()
    heard = await ringing.first(1) | await ringing.first(0.05)

    assert heard == {"one", "two"}
    await ringing.stop()


def test_after_closing_every_stream_ends_as_it_begins() -> None:
    streams = Streams()
    streams.close()
    with streams.admit("session") as seat:
        assert seat.over


def test_sessions_do_not_take_each_others_seats() -> None:
    streams = Streams()
    with streams.admit("one") as one, ExitStack() as others:
        for _ in range(MOST_STREAMS + 1):
            others.enter_context(streams.admit("two"))

        assert not one.over
