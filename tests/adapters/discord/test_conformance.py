"""Discord keeps what every channel keeps, in a private thread and in private messages."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import pytest
from tests.adapters.discord.door import settings_for, thread_for
from tests.worlds.discord import Channel, Limits, Member, Moment, World
from tests.worlds.discord.server import Server

from imconnect.domain.messages import Address
from imconnect.testing.conformance import (
    AdapterConformance,
    EditConformance,
    ErasureConformance,
    FileConformance,
    RefusalConformance,
    Seen,
)
from imconnect.testing.kit import MemoryKit
from imconnect_discord import DiscordAdapter

SENDS = "POST /channels/*/messages"


@dataclass(frozen=True, slots=True)
class OnDiscord:
    """A member, in the channel where they talk to the desk, as the suite knows customers."""

    member: Member
    channel: Channel
    peer: str
    account: str

    @property
    def address(self) -> Address:
        return Address("discord", self.account, self.peer)

    async def say(self, text: str) -> None:
        self.member.say(text, self.channel)

    async def send_file(self, name: str, content: bytes) -> None:
        self.member.say("", self.channel, files={name: content})

    async def edit(self, before: str, after: str) -> None:
        post = next(one for one in self.channel.posts if one.text == before)
        self.member.edit(post, after)

    async def choose(self, label: str) -> None:
        newest = next(one for one in reversed(self.channel.from_bot) if label in one.buttons)
        self.member.press(newest, label)

    async def sees(self) -> Sequence[Seen]:
        said = [one for one in self.channel.from_bot if one.text not in ("", "welcome")]
        return [Seen(one.text, tuple(one.buttons)) for one in said]

    async def said(self) -> Sequence[str]:
        return [one.text for one in self.channel.posts if not one.from_bot]


@dataclass(frozen=True, slots=True)
class DiscordsFaults:
    """What goes wrong at Discord, until the test ends."""

    server: Server
    member: Member

    async def busy(self) -> None:
        self.server.world.faults.limit(SENDS, 75.0, 1000)

    async def shut(self) -> None:
        self.member.leaves()

    async def cut(self) -> None:
        self.server.world.faults.cut(SENDS, Moment.AFTER_THE_EFFECT, 1000)

    async def unreachable(self) -> None:
        await self.server.stop()


class OnAnyDiscord(AdapterConformance, EditConformance, RefusalConformance, FileConformance):
    """The suite against a Discord on loopback."""

    @pytest.fixture
    async def server(self) -> AsyncGenerator[Server]:
        server = Server(World(limits=Limits.none()))
        await server.start()
        server.world.channel("support")
        yield server
        await server.stop()

    @pytest.fixture
    def kit(self) -> MemoryKit:
        return MemoryKit()

    @pytest.fixture
    async def channel(self, server: Server, kit: MemoryKit, prepared: OnDiscord) -> DiscordAdapter:
        adapter = DiscordAdapter(settings_for(server.world))
        await adapter.equip(kit)
        return adapter

    @pytest.fixture
    def customer(self, prepared: OnDiscord) -> OnDiscord:
        return prepared

    @pytest.fixture
    def faults(self, server: Server, prepared: OnDiscord) -> DiscordsFaults:
        return DiscordsFaults(server, prepared.member)


class TestInTheirThread(OnAnyDiscord, ErasureConformance):
    @pytest.fixture
    async def prepared(self, server: Server, kit: MemoryKit) -> OnDiscord:
        """A member whose thread was opened by the desk that ran before."""
        earlier = DiscordAdapter(settings_for(server.world))
        await earlier.equip(kit)
        member = server.world.member("Ann")
        thread = await thread_for(earlier, member)
        await earlier.close()
        return OnDiscord(member, thread, f"u{member.id}", earlier.account)


class TestInPrivate(OnAnyDiscord):
    @pytest.fixture
    async def prepared(self, server: Server, kit: MemoryKit) -> OnDiscord:
        """A member whose private channel is known, as it is once they wrote or were written to."""
        member = server.world.member("Ann")
        await kit.remember(f"dm:{member.id}", str(member.direct.id))
        return OnDiscord(member, member.direct, f"d{member.id}", settings_for(server.world).bot_id)
