"""The web chat keeps what every channel keeps."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path

import httpx
import pytest
from tests.web.desk import SECRET, Brains, PassingTime, Unmetered, open_store

from imconnect.desk.agents import AgentDesk
from imconnect.desk.questions import QuestionDesk
from imconnect.desk.turns import Turns
from imconnect.domain.actions import Decision, Say
from imconnect.domain.conversations import Conversation
from imconnect.domain.events import Event
from imconnect.domain.messages import Address, Handle, Incoming, Outgoing
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Reading
from imconnect.ports import Adapter, Erases, MaybeSent, Received, Sent
from imconnect.storage import SqlStore
from imconnect.testing.conformance import AdapterConformance, Seen
from imconnect.web.app import web_app
from imconnect.web.chat import WebChat
from imconnect.web.health import Readiness
from imconnect.web.sessions import Seals

_BOT_LINE = re.compile(r'<li class="line bot".*?</li>', re.DOTALL)
_SAID = re.compile(r'<p class="said" dir="auto">(.*?)</p>', re.DOTALL)
_BUTTON = re.compile(r'<button name="choice" value="([^"]*)">([^<]*)</button>')


@dataclass(slots=True)
class Site:
    """The chat page on a store, with nobody deciding: what is said is what the test says."""

    store: SqlStore
    chat: WebChat
    playbook: Playbook
    client: httpx.AsyncClient
    time: PassingTime = field(default_factory=PassingTime)

    async def put(self, message: Outgoing) -> None:
        """Have *message* in the transcript, once per key, as a turn of the desk would."""

        def say_it(conversation: Conversation, event: Event, playbook: Playbook, now: datetime) -> Decision:
            said = Say(message.purpose, "conformance", message.text, message.choices)
            return Decision(conversation, (said,), "said")

        occasion = Incoming(f"occasion {message.key}", message.address, Handle("peer"), "", self.time())
        await self.store.record([Received(occasion)], self.time())
        turns = Turns(self.store, lambda text: Reading(), self.playbook, self.time, Unmetered(), say_it)
        while await turns.step():
            pass


@dataclass(slots=True)
class Browser:
    """A customer at the page, by its forms; what is refused for now is sent again under the same id."""

    site: Site
    address: Address
    _posts: int = 0

    async def say(self, text: str) -> None:
        await self._post({"text": text})

    async def choose(self, label: str) -> None:
        buttons = _BUTTON.findall(await self._page())
        await self._post({"choice": next(key for key, says in reversed(buttons) if unescape(says) == label)})

    async def _post(self, form: dict[str, str]) -> None:
        self._posts += 1
        posted = {"id": f"message-{self._posts:04}", **form}
        while (await self.site.client.post("/chat/messages", data=posted)).status_code == 503:  # noqa: ASYNC110 - a
            await asyncio.sleep(0.02)  # browser has no bell to wait at either

    async def sees(self) -> Sequence[Seen]:
        return [_seen(line) for line in _BOT_LINE.findall(await self._page())]

    async def _page(self) -> str:
        return (await self.site.client.get("/chat")).text


def _seen(line: str) -> Seen:
    said = _SAID.search(line)
    return Seen(unescape(said[1]) if said else "", tuple(unescape(says) for _, says in _BUTTON.findall(line)))


class TestWebChat(AdapterConformance):
    @pytest.fixture
    async def site(self, tmp_path: Path, brains: Brains) -> AsyncGenerator[Site]:
        store = await open_store(tmp_path, brains)
        chat, time = WebChat(), PassingTime()

        async def ready() -> Readiness:
            return Readiness("ok")

        app = web_app(
            store=store,
            agents=AgentDesk(store, lambda text: None, time, brains.playbook),
            questions=QuestionDesk(store, brains.playbook, brains.guard, time),
            chat=chat,
            playbook=brains.playbook,
            clock=time,
            secret=SECRET,
            render_metrics=lambda: b"",
            ready=ready,
        )
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
            yield Site(store, chat, brains.playbook, client)
        await store.close()

    @pytest.fixture
    async def channel(self, site: Site) -> WebChat:
        return site.chat

    @pytest.fixture
    async def customer(self, site: Site) -> Browser:
        await site.client.get("/chat")
        peer = Seals(SECRET).chat(site.client.cookies.get("imconnect_chat"))
        assert peer is not None
        return Browser(site, site.chat.address(peer))

    @pytest.fixture(autouse=True)
    async def _remember_the_site(self, site: Site) -> None:
        self.at = site

    async def send(self, channel: Adapter, message: Outgoing) -> Sent | MaybeSent:
        await self.at.put(message)
        return await channel.send(message)


async def test_what_is_erased_has_open_pages_read_again() -> None:
    chat = WebChat()
    page, another = chat.watch("peer"), chat.watch("another")
    await chat.erase(chat.address("peer"), "peer:message-1")

    assert isinstance(chat, Erases)
    assert await page.wait(0)
    assert not await another.wait(0)
