"""The community is safe: links that steal go, names that look like ours are told, who is kept out stays out."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import discord
import pytest
from tests.adapters.discord.front import Raw, in_front, line_to
from tests.worlds.discord import Channel, Limits, World, discord_world

from imconnect.ports import Undeliverable
from imconnect.testing.kit import MemoryKit
from imconnect_discord.safety import Gate, LinkWatch, NotAdmitted, looks_like_ours
from imconnect_discord.wire import Line

FAKE = "https://metamask-login.top/claim-now"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


# ---- who may come in


def made_at(when: datetime) -> int:
    """The id of an account made then."""
    return discord.utils.time_snowflake(when)


def test_who_is_on_the_block_list_is_kept_out() -> None:
    gate = Gate(frozenset({7}))

    assert gate.keeps_out(7, NOW) is NotAdmitted.BLOCKED


def test_an_account_is_let_in_once_it_is_old_enough() -> None:
    gate = Gate(min_account_days=3)
    young = made_at(NOW - timedelta(days=3) + timedelta(minutes=1))
    old = made_at(NOW - timedelta(days=3))

    assert (gate.keeps_out(young, NOW), gate.keeps_out(old, NOW)) == (NotAdmitted.TOO_NEW, None)


def test_without_the_setting_everybody_is_let_in() -> None:
    assert Gate().keeps_out(made_at(NOW), NOW) is None


# ---- names

OURS = ("IM Wallet Support", "Mei Lin", "客服小林")


@pytest.mark.parametrize(
    "name",
    [
        "IM Wallet Support",
        "im-wallet_support",
        "IM Wallet Support ✪",
        "✅ IM Wallet Support [Official]",
        "ІМ Wаllеt Suрроrt",  # Cyrillic letters among the Latin
        "ＩＭ Ｗａｌｌｅｔ Ｓｕｐｐｏｒｔ",
        "IM WaIIet Support",  # capital i for l
        "lM Wallet 5upp0rt",
        "IM VVallet Support",
        "IM Wallet Suport",
        "IM Wallet Supoprt",
        "IM\u200b Wallet\u200d Support",
        "𝐈𝐌 𝐖𝐚𝐥𝐥𝐞𝐭 𝐒𝐮𝐩𝐩𝐨𝐫𝐭",
        "ÎM Wállet Suppört",
        "Mei Lin | Support",
        "客服小林 ✅",
        "IM钱包客服小林",
    ],
)
def test_a_name_that_reads_like_ours_is_told(name: str) -> None:
    """D-22, the name"""
    assert looks_like_ours(name, OURS)


@pytest.mark.parametrize(
    "name", ["Mei", "Linda", "Wallet fan", "I need support", "小林", "客服", "林", "✪", "", "Melina"]
)
def test_a_name_of_ones_own_is_not(name: str) -> None:
    assert not looks_like_ours(name, OURS)


def test_without_names_of_ours_nobody_looks_like_them() -> None:
    assert not looks_like_ours("IM Wallet Support", ("", "✪"))


# ---- links


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        yield opened


@pytest.fixture
def general(world: World) -> Channel:
    return world.channel("general")


@pytest.fixture
async def line(world: World) -> AsyncGenerator[Line]:
    opened = line_to(world)
    yield opened
    await opened.close()


@pytest.fixture
def kit() -> MemoryKit:
    return MemoryKit()


@dataclass(slots=True)
class Watched:
    """What was looked at, what went, and what colleagues were told."""

    world: World
    looked: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    alerts: list[str] = field(default_factory=list[str])
    deaf: int = 0

    async def alert(self, text: str) -> None:
        if self.deaf:
            self.deaf -= 1
            raise Undeliverable("the staff room cannot be written")
        self.alerts.append(text)

    async def sees(self, count: int) -> list[bool]:
        """Whether each of the first *count* messages went."""
        await self.world.until(lambda: len(self.looked) >= count)
        return [gone for _, gone in self.looked[:count]]


@pytest.fixture
async def watched(world: World, general: Channel, line: Line, kit: MemoryKit) -> AsyncGenerator[Watched]:
    seen = Watched(world)
    watch = LinkWatch(line.client, kit, {general.id}.__contains__, seen.alert)

    async def asked(_: discord.Interaction) -> None:
        raise AssertionError("nobody presses anything here")

    async def said(message: discord.Message) -> None:
        if message.author.id != world.model.bot_user.id:
            seen.looked.append((message.content, await watch.look(message)))
            world.notify()

    async def changed(raw: Raw) -> None:
        seen.looked.append((str(raw.get("content")), await watch.look_again(raw)))
        world.notify()

    async with in_front(world, asked, said, changed):
        yield seen


def reason(kit: MemoryKit) -> str:
    return kit.playbook.label("discord_link_removed", kit.playbook.default_language)


async def test_a_link_to_a_fake_site_goes_and_everybody_learns_why(
    world: World, general: Channel, watched: Watched, kit: MemoryKit
) -> None:
    eve = world.member("Eve")
    post = eve.say(f"free coins @everyone {FAKE}", general)

    assert await watched.sees(1) == [True]
    assert post.gone
    [told] = general.from_bot
    assert reason(kit) in told.text
    assert "claim-now" not in told.text
    assert not told.pings_anybody


async def test_honest_links_stay(world: World, general: Channel, watched: Watched) -> None:
    ann = world.member("Ann")
    posts = [
        ann.say(text, general)
        for text in (
            "no link at all",
            "https://etherscan.io/tx/0x1",
            "https://wallet.example/help",
            "https://en.wikipedia.org/",
        )
    ]

    assert await watched.sees(4) == [False] * 4
    assert not any(post.gone for post in posts)
    assert general.from_bot == []


async def test_a_link_that_is_edited_in_or_forwarded_goes_as_well(
    world: World, general: Channel, watched: Watched
) -> None:
    eve = world.member("Eve")
    edited = eve.say("hello", general)
    await watched.sees(1)
    eve.edit(edited, f"hello {FAKE}")
    await watched.sees(2)
    elsewhere = eve.say(FAKE, world.channel("off-topic"))
    await watched.sees(3)
    forwarded = eve.forward(elsewhere, general)

    assert await watched.sees(4) == [False, True, False, True]
    assert (edited.gone, elsewhere.gone, forwarded.gone) == (True, False, True)


async def test_a_wave_of_spam_is_no_wave_of_ours(
    world: World, general: Channel, watched: Watched, kit: MemoryKit
) -> None:
    eve = world.member("Eve")
    for _ in range(5):
        eve.say(FAKE, general)
    gone = await watched.sees(5)
    kit.later(61)
    eve.say(FAKE, general)
    await watched.sees(6)

    assert gone == [True] * 5
    assert len(general.from_bot) == 2


async def test_without_the_right_colleagues_are_told_once(world: World, general: Channel, watched: Watched) -> None:
    general.deny_bot("manage_messages")
    watched.deaf = 1
    eve = world.member("Eve")
    posts = [eve.say(FAKE, general) for _ in range(4)]

    assert await watched.sees(4) == [False] * 4
    assert not any(post.gone for post in posts)
    assert len(watched.alerts) == 1
    assert f"<#{general.id}>" in watched.alerts[0]


async def test_a_message_somebody_else_removed_first_counts_as_removed(
    world: World, general: Channel, watched: Watched
) -> None:
    world.faults.refuse("DELETE /channels/*/messages/*", 10008)
    world.member("Eve").say(FAKE, general)

    assert await watched.sees(1) == [True]
    assert watched.alerts == []


async def test_an_outage_only_delays_the_removal(
    world: World, general: Channel, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imconnect_discord.safety.TRIES", (0.01, 0.01, 0.01))
    world.faults.fail("DELETE /channels/*/messages/*", 503, times=2)
    post = world.member("Eve").say(FAKE, general)

    assert await watched.sees(1) == [True]
    assert post.gone
