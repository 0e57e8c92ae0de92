"""What colleagues do in the forum reaches the desk only on purpose, and only from those who are agents."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import discord
import pytest
from tests.adapters.discord.front import in_front, line_to
from tests.worlds.discord import Channel, Limits, Member, SetupError, World, discord_world

from imconnect.domain.conversations import Stage
from imconnect.domain.playbook import Priority
from imconnect.ports import Header, StaffAct, StaffWord, TryLater
from imconnect.testing.kit import MemoryKit
from imconnect_discord.archive import Archive
from imconnect_discord.commands import offer_commands
from imconnect_discord.staff import DiscordStaffRoom, Staff, StaffDoor
from imconnect_discord.wire import Line

ACCOUNT = "42"


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        opened.forum("desk")
        yield opened


@pytest.fixture
async def line(world: World) -> AsyncGenerator[Line]:
    opened = line_to(world)
    yield opened
    await opened.close()


@pytest.fixture
def kit() -> MemoryKit:
    return MemoryKit()


@pytest.fixture
def agents(world: World) -> int:
    return world.role("Agents", "manage_threads")


@pytest.fixture
def mei(world: World, agents: int) -> Member:
    """An agent, by her role."""
    return world.member("Mei", roles=[agents])


@dataclass(slots=True)
class Office:
    """The staff's end of a bot: what was heard, and what else was written in posts."""

    world: World
    staff: Staff
    words: list[StaffWord] = field(default_factory=list[StaffWord])
    messages: list[discord.Message] = field(default_factory=list[discord.Message])
    away: bool = False

    async def hear(self, word: StaffWord) -> None:
        if self.away:
            raise TryLater("the store is away")
        self.words.append(word)
        self.world.notify()

    async def said(self, message: discord.Message) -> None:
        self.messages.append(message)
        word = self.staff.word_of(message)
        if word is not None:
            await self.hear(word)
        self.world.notify()

    async def hears(self) -> StaffWord:
        await self.world.until(lambda: self.words)
        return self.words.pop(0)

    async def reads(self, text: str) -> None:
        """Wait until a message with *text* has been looked at."""
        await self.world.until(lambda: any(message.content == text for message in self.messages))


@pytest.fixture
async def topic(world: World, line: Line, kit: MemoryKit) -> Channel:
    """The post of a conversation."""
    room = DiscordStaffRoom(line.client, world.forum("desk").id, Archive(line, None, world.forum("desk").id))
    room.equip(kit)
    header = Header("TW-1001", "A title", "TW-1001", Stage.WAITING, Priority.NORMAL, None)
    return world.channel_by_id(int(await room.open(header)))


@pytest.fixture
async def office(world: World, kit: MemoryKit, agents: int, line: Line) -> AsyncGenerator[Office]:
    opened = Office(world, Staff(ACCOUNT, world.forum("desk").id, agents))
    door = StaffDoor(opened.staff, kit.playbook, opened.hear)

    async def asked(interaction: discord.Interaction) -> None:
        assert door.minds(interaction)
        await door.take(interaction)

    await offer_commands(await line.client(), kit, world.guild.id)
    async with in_front(world, asked, opened.said):
        yield opened


def label(kit: MemoryKit, slug: str) -> str:
    return kit.playbook.label(slug, kit.playbook.default_language)


# ---- typed


@pytest.mark.parametrize(
    ("typed", "act", "text"),
    [
        ("!reply we are on it", StaffAct.REPLY, "we are on it"),
        ("!Reply   spaced\nand more", StaffAct.REPLY, "spaced\nand more"),
        ("!take", StaffAct.TAKE, ""),
        ("!handback", StaffAct.HAND_BACK, ""),
        ("!resolve", StaffAct.RESOLVE, ""),
        ("!note check the hash", StaffAct.NOTE, "check the hash"),
        ("!snippet checking", StaffAct.SNIPPET, "checking"),
        ("!transfer Ben", StaffAct.TRANSFER, "Ben"),
    ],
)
async def test_a_command_in_a_post_is_an_act(
    office: Office, topic: Channel, mei: Member, typed: str, act: StaffAct, text: str
) -> None:
    post = mei.say(typed, topic)
    word = await office.hears()

    assert (word.act, word.text, word.topic, word.room) == (act, text, str(topic.id), str(office.staff.forum))
    assert (word.id, word.author.id, word.channel, word.account) == (str(post.id), str(mei.id), "discord", ACCOUNT)


async def test_talk_among_colleagues_stays_among_them(office: Office, topic: Channel, mei: Member) -> None:
    """D-23: without the command nothing goes to the customer."""
    for text in (
        "he lies to us",
        "reply: he lies to us",
        "! reply he lies",
        "!replying is hard",
        "/reply not a command",
    ):
        mei.say(text, topic)
        await office.reads(text)

    assert office.words == []


async def test_with_the_setting_every_message_of_an_agent_is_a_reply(
    office: Office, topic: Channel, mei: Member, agents: int
) -> None:
    """D-23, the setting: and only that."""
    office.staff = Staff(ACCOUNT, office.staff.forum, agents, "any")
    mei.say("we are on it", topic)
    word = await office.hears()

    assert (word.act, word.text) == (StaffAct.REPLY, "we are on it")


async def test_who_only_has_an_agents_name_is_nobody(
    world: World, office: Office, topic: Channel, mei: Member, kit: MemoryKit
) -> None:
    """D-22: the role decides, in messages, on buttons and in commands; the name never does."""
    impostor = world.namesake("Mei")
    impostor.say("!reply send me your phrase", topic)
    await office.reads("!reply send me your phrase")
    asked = impostor.press(topic.posts[0], label(kit, "discord_take"))
    told = await asked.says(label(kit, "discord_not_staff"))

    assert office.words == []
    assert told.ephemeral
    with pytest.raises(SetupError):
        impostor.slash("take", topic)


async def test_whoever_loses_the_role_has_lost_it_at_once(
    office: Office, topic: Channel, mei: Member, agents: int
) -> None:
    """D-22, over time"""
    mei.say("!take", topic)
    await office.hears()
    mei.loses_role(agents)
    mei.say("!reply still here", topic)
    await office.reads("!reply still here")

    assert office.words == []


async def test_bots_and_webhooks_are_nobody(office: Office, topic: Channel, world: World, mei: Member) -> None:
    """D-23, for machines: also where every message is a reply."""
    office.staff = Staff(ACCOUNT, office.staff.forum, None, "any")
    world.other_bot("Relay").say("!reply from a bot", topic)
    await office.reads("!reply from a bot")
    mei.say("a person", topic)
    person = await office.hears()
    [message] = [one for one in office.messages if one.content == "a person"]
    message.webhook_id = 1  # this world has no webhooks; Discord gives their messages the webhook's id

    assert person.text == "a person"
    assert office.staff.word_of(message) is None


async def test_what_is_read_from_the_history_counts_once_its_author_is_known_as_an_agent(
    world: World, office: Office, topic: Channel, mei: Member, line: Line
) -> None:
    mei.say("!take", topic)
    word = await office.hears()
    thread = await (await line.client()).fetch_channel(topic.id)
    assert isinstance(thread, discord.Thread)
    [old] = [one async for one in thread.history() if one.content == "!take"]
    as_a_stranger = office.staff.word_of(old)
    old.author = await office.messages[0].guild.fetch_member(mei.id) if office.messages[0].guild else old.author

    assert as_a_stranger is None
    assert office.staff.word_of(old) == word


# ---- pressed, filled in, typed after a slash


async def test_buttons_under_the_header_do_what_the_commands_do(
    office: Office, topic: Channel, mei: Member, kit: MemoryKit
) -> None:
    for slug, act in {
        "discord_take": StaffAct.TAKE,
        "discord_hand_back": StaffAct.HAND_BACK,
        "discord_resolve": StaffAct.RESOLVE,
    }.items():
        asked = mei.press(topic.posts[0], label(kit, slug))
        word = await office.hears()
        await asked.answered()

        assert (word.act, word.topic, word.author.id) == (act, str(topic.id), str(mei.id))
        assert not asked.failed


async def test_the_reply_button_asks_for_the_words(office: Office, topic: Channel, mei: Member, kit: MemoryKit) -> None:
    asked = mei.press(topic.posts[0], label(kit, "discord_reply"))
    form = await asked.shows_form()
    sent = mei.submit(asked, {"text": "we are on it"})
    word = await office.hears()

    assert len(form["title"]) <= 45
    assert (word.act, word.text) == (StaffAct.REPLY, "we are on it")
    assert (await sent.says(label(kit, "discord_recorded"))).ephemeral


async def test_slash_commands_do_the_same_and_are_described_in_both_languages(
    world: World, office: Office, topic: Channel, mei: Member, kit: MemoryKit
) -> None:
    asked = mei.slash("reply", topic, {"text": "we are on it"})
    word = await office.hears()
    told = await asked.says(label(kit, "discord_recorded"))

    assert (word.act, word.text) == (StaffAct.REPLY, "we are on it")
    assert told.ephemeral
    assert {"zh-CN", "en-US"} <= set(world.commands["reply"]["description_localizations"])


async def test_elsewhere_a_staff_command_does_nothing(
    world: World, office: Office, mei: Member, kit: MemoryKit
) -> None:
    asked = mei.slash("resolve", world.channel("general"))
    await asked.says(label(kit, "discord_not_here"))

    assert office.words == []


async def test_while_the_store_is_away_a_colleague_is_told(
    office: Office, topic: Channel, mei: Member, kit: MemoryKit
) -> None:
    office.away = True
    asked = mei.slash("take", topic)
    told = await asked.says()

    assert told.text == kit.playbook.notice("busy", kit.playbook.default_language)


async def test_commands_are_offered_once_and_again_when_their_words_change(
    world: World, office: Office, line: Line, kit: MemoryKit
) -> None:
    puts = [one for one in world.requests if one.method == "PUT"]
    await offer_commands(await line.client(), kit, world.guild.id)
    unchanged = [one for one in world.requests if one.method == "PUT"]
    kit.kept.clear()
    await offer_commands(await line.client(), kit, world.guild.id)

    assert len(puts) == len(unchanged) == 2
    assert len([one for one in world.requests if one.method == "PUT"]) == 4
