"""Telegram keeps what every channel keeps, fetched and delivered alike."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import pytest
from aiohttp import web
from tests.adapters.telegram.door import settings_for
from tests.worlds.botapi import Group, Limits, Moment, Person, Server, World, serving

from imconnect.domain.messages import Address
from imconnect.ports import Deliver
from imconnect.testing.conformance import (
    AdapterConformance,
    EditConformance,
    ErasureConformance,
    FileConformance,
    RefusalConformance,
    Seen,
    StaffRoomConformance,
)
from imconnect_telegram import TelegramAdapter

SECRET = "a-secret-of-the-desk-0123"


@dataclass(frozen=True, slots=True)
class OnTelegram:
    """A person with Telegram, as the suite knows customers."""

    person: Person
    account: str

    @property
    def address(self) -> Address:
        return Address("telegram", self.account, str(self.person.id))

    async def say(self, text: str) -> None:
        self.person.says(text)

    async def edit(self, before: str, after: str) -> None:
        said = next(m for m in self.person.chat.messages.values() if not m.from_bot and m.text == before)
        self.person.edits(said, after)

    async def choose(self, label: str) -> None:
        newest = next(m for m in reversed(self.person.chat.from_bot) if label in m.buttons)
        self.person.presses(newest, label)

    async def sees(self) -> Sequence[Seen]:
        return [Seen(message.text, tuple(message.buttons)) for message in self.person.chat.from_bot]

    async def send_file(self, name: str, content: bytes) -> None:
        self.person.sends_document(name, content)

    async def said(self) -> Sequence[str]:
        return [message.text for message in self.person.chat.messages.values() if not message.from_bot]


@dataclass(frozen=True, slots=True)
class TelegramsFaults:
    """What goes wrong at Telegram, until the test ends."""

    server: Server
    person: Person

    async def busy(self) -> None:
        self.server.world.fail("sendMessage", times=1000, status=429, retry_after=7)

    async def shut(self) -> None:
        self.person.blocks()

    async def cut(self) -> None:
        self.server.world.cut("sendMessage", Moment.AFTER_THE_EFFECT, times=1000)

    async def unreachable(self) -> None:
        await self.server.stop()


class OverTelegram(AdapterConformance, EditConformance, ErasureConformance, RefusalConformance, FileConformance):
    """The suite against the Bot API server."""

    @pytest.fixture
    async def server(self) -> AsyncGenerator[Server]:
        async with serving(World(limits=Limits.none())) as started:
            yield started

    @pytest.fixture
    def customer(self, server: Server, channel: TelegramAdapter) -> OnTelegram:
        return OnTelegram(server.world.person("Ann").has_written_before(), channel.account)

    @pytest.fixture
    def faults(self, server: Server, customer: OnTelegram) -> TelegramsFaults:
        return TelegramsFaults(server, customer.person)


@dataclass(frozen=True, slots=True)
class InTheForum:
    """A colleague in the staff's group, as the suite knows them."""

    group: Group
    person: Person

    async def reads(self, topic: str) -> str:
        assert int(topic) in self.group.topics, "the topic is gone"
        return "\n".join(message.text for message in self.group.in_topic(int(topic)) if message.text)

    async def reads_room(self) -> str:
        return "\n".join(message.text for message in self.group.from_bot if message.thread is None)

    async def removes(self, topic: str) -> None:
        self.person.deletes_topic(self.group, int(topic))

    async def sees_open(self, topic: str) -> bool:
        return not self.group.topics[int(topic)].closed


class TestStaffRoom(StaffRoomConformance):
    @pytest.fixture
    async def server(self) -> AsyncGenerator[Server]:
        async with serving(World(limits=Limits.none())) as started:
            yield started

    @pytest.fixture
    def group(self, server: Server) -> Group:
        return server.world.forum()

    @pytest.fixture
    def channel(self, server: Server, group: Group) -> TelegramAdapter:
        return TelegramAdapter(settings_for(server, staff_chat=group.id))

    @pytest.fixture
    def colleague(self, group: Group) -> InTheForum:
        return InTheForum(group, group.member("Mei", status="administrator"))


class TestFetched(OverTelegram):
    @pytest.fixture
    def channel(self, server: Server) -> TelegramAdapter:
        return TelegramAdapter(settings_for(server))


class WithItsWebServer(TelegramAdapter):
    """The adapter as a desk has it that takes deliveries: its pages hand over what comes, while the desk is there."""

    deliver: Deliver | None = None

    async def listen(self, deliver: Deliver) -> None:
        self.deliver = deliver
        try:
            await super().listen(deliver)
        finally:
            self.deliver = None


class TestDelivered(OverTelegram):
    @pytest.fixture
    async def channel(self, server: Server) -> AsyncGenerator[TelegramAdapter]:
        adapters: list[WithItsWebServer] = []

        async def take(request: web.Request) -> web.Response:
            [adapter] = adapters
            if adapter.deliver is None:
                return web.Response(status=503)
            secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
            return web.Response(status=await adapter.receive(adapter.deliver, secret, await request.read()))

        application = web.Application()
        application.router.add_post("/telegram", take)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
        adapters.append(WithItsWebServer(settings_for(server, mode="webhook", webhook_url=url, webhook_secret=SECRET)))
        yield adapters[0]
        await runner.cleanup()
