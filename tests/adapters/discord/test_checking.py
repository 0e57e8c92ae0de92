"""What the doctor says of Discord: each thing that is wrong, with its cure."""

from pathlib import Path

import discord
import pytest
from tests.adapters.discord.door import Door, connected, listening
from tests.worlds.discord import World

from imconnect.ports import Finding
from imconnect.testing.kit import MemoryKit
from imconnect_discord import DiscordAdapter
from imconnect_discord.checking import INVITED_WITH


async def found(adapter: DiscordAdapter) -> dict[str, Finding]:
    return {finding.subject: finding for finding in await adapter.check()}


async def test_a_bot_with_its_rights_is_well(world: World, kit: MemoryKit) -> None:
    async with connected(world, kit, staff_channel=world.forum("staff").id) as adapter:
        findings = await found(adapter)

    assert list(findings) == [
        "discord.token",
        "discord.intents",
        "discord.support_channel",
        "discord.staff_channel",
        "discord.commands",
    ]
    assert all(finding.well for finding in findings.values())


async def test_the_rights_of_the_invite_link_are_enough(world: World, kit: MemoryKit) -> None:
    world.guild.allow_bot(*(name for name, held in INVITED_WITH if held))
    async with connected(world, kit, staff_channel=world.forum("staff").id) as adapter:
        findings = await found(adapter)

    assert all(finding.well for finding in findings.values())


def test_the_guide_has_the_invite_link_with_these_rights() -> None:
    guide = (Path(__file__).parents[3] / "docs/channels/discord.md").read_text(encoding="utf-8")

    assert f"scope=bot+applications.commands&permissions={INVITED_WITH.value}\n" in guide


def test_the_guide_names_each_of_these_rights_and_no_other() -> None:
    guide = (Path(__file__).parents[3] / "docs/channels/discord.md").read_text(encoding="utf-8")
    named = guide.partition(f"`{INVITED_WITH.value}` is ")[2].partition(", and nothing else")[0]
    rights = {one.strip().lower().replace(" ", "_") for one in named.replace(" and ", ", ").split(",")}
    held = {"view_channels" if name == "read_messages" else name for name, on in INVITED_WITH if on}  # its old name

    assert rights == held


async def test_no_more_is_asked_of_the_gateway_than_is_heard(adapter: DiscordAdapter, door: Door, world: World) -> None:
    """Servers with their threads, messages there and in private, and their words; no members, no presences."""
    async with listening(adapter, door):
        [asked] = world.connection.identifies
    fewest = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True)

    assert asked["intents"] == fewest.value


@pytest.mark.parametrize("right", ["create_private_threads", "manage_messages", "manage_threads", "send_messages"])
async def test_a_right_that_the_support_channel_takes_away_is_named(
    adapter: DiscordAdapter, world: World, right: str
) -> None:
    world.channel("support").deny_bot(right)
    finding = (await found(adapter))["discord.support_channel"]

    assert not finding.well
    assert right in finding.says


async def test_a_right_that_is_given_back_in_the_channel_counts(adapter: DiscordAdapter, world: World) -> None:
    support = world.channel("support")
    support.deny_everyone("manage_messages")
    support.allow(world.guild.bot_role, "manage_messages")

    assert (await found(adapter))["discord.support_channel"].well


async def test_words_that_are_kept_from_the_bot_are_found(adapter: DiscordAdapter, world: World) -> None:
    world.connection.approved.discard("message_content")
    finding = (await found(adapter))["discord.intents"]

    assert not finding.well
    assert "Message Content Intent" in finding.says


async def test_without_the_intent_the_start_says_so(
    adapter: DiscordAdapter, door: Door, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.connection.approved.discard("message_content")
    reasons: list[str] = []

    async def attempt() -> None:
        try:
            await adapter.listen(door.deliver)
        except Exception as error:
            reasons.append(str(error))

    await attempt()

    assert "switch Message Content Intent on" in reasons[0]


async def test_a_channel_that_is_no_channel_is_found(world: World, kit: MemoryKit) -> None:
    wrong = world.forum("staff").id
    async with connected(world, kit, support_channel=wrong, staff_channel=world.channel("lobby").id) as adapter:
        findings = await found(adapter)

    assert "no text channel" in findings["discord.support_channel"].says
    assert "no forum" in findings["discord.staff_channel"].says


async def test_a_channel_that_does_not_exist_is_found(world: World, kit: MemoryKit) -> None:
    async with connected(world, kit, support_channel=12345) as adapter:
        finding = (await found(adapter))["discord.support_channel"]

    assert not finding.well
    assert "Unknown Channel" in finding.says


async def test_commands_are_there_after_the_first_start(adapter: DiscordAdapter, door: Door, world: World) -> None:
    before = (await found(adapter))["discord.commands"]
    async with listening(adapter, door):
        await world.until(lambda: world.commands or None)
    after = (await found(adapter))["discord.commands"]

    assert before.well
    assert "none yet" in before.says
    assert (after.well, after.says) == (True, "offered")
