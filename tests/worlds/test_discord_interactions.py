"""The Discord of the tests keeps the promises of interactions: buttons, menus, forms and slash commands."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import discord
import pytest
from discord import app_commands
from tests.worlds.discord import Limits, Post, SetupError, World, discord_world
from tests.worlds.discord.listener import Listener, listening

Command = app_commands.Command[Any, ..., None]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        opened.channel("support")
        yield opened


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Listener]:
    async with listening(world) as client:
        yield client


class Panel(discord.ui.View):
    """A button and a menu that outlive the process that showed them."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(discord.ui.Button[Any](label="Get help", custom_id="panel:help"))
        options = [discord.SelectOption(label=one.title(), value=one) for one in ("deposit", "withdrawal")]
        self.add_item(discord.ui.Select[Any](custom_id="panel:topic", options=options))


class Details(discord.ui.Modal, title="Details"):
    """A form with one field."""

    txid = discord.ui.Label[Any](
        text="Transaction hash",
        component=discord.ui.TextInput[Any](custom_id="txid", max_length=66),
    )


@pytest.fixture
async def panel(world: World, bot: Listener) -> Post:
    support = world.channel("support")
    await bot.text_channel(support.id).send("How can we help?", view=Panel())
    return support.posts[0]


# ---- buttons and menus


async def test_a_press_is_answered_where_only_its_maker_sees_it(world: World, bot: Listener, panel: Post) -> None:
    mei, ben = world.member("Mei", locale="zh-CN"), world.member("Ben")
    asked = mei.press(panel, "Get help")
    interaction = await bot.next_interaction()
    await interaction.response.send_message("Hello Mei", ephemeral=True)
    answer = await asked.says("Hello")

    assert (interaction.user.id, str(interaction.locale)) == (mei.id, "zh-CN")
    assert interaction.data is not None
    assert interaction.data.get("custom_id") == "panel:help"
    assert answer.ephemeral
    assert [post.text for post in mei.shown(world.channel("support"))][-1] == "Hello Mei"
    assert [post.text for post in ben.shown(world.channel("support"))] == ["How can we help?"]
    assert "Hello Mei" not in bot.texts


async def test_a_choice_in_a_menu_arrives_and_the_message_can_be_changed(
    world: World, bot: Listener, panel: Post
) -> None:
    mei = world.member("Mei")
    asked = mei.select(panel, "deposit")
    interaction = await bot.next_interaction()
    await interaction.response.edit_message(content="You chose", view=None)
    await asked.answered()

    assert interaction.data is not None
    assert interaction.data.get("values") == ["deposit"]
    assert (panel.text, panel.buttons) == ("You chose", {})
    with pytest.raises(SetupError):
        mei.select(panel, "deposit")


async def test_a_button_works_after_the_bot_was_restarted(world: World) -> None:
    """The ground of D-24."""
    support, mei = world.channel("support"), world.member("Mei")
    async with listening(world) as first:
        await first.text_channel(support.id).send("How can we help?", view=Panel())
    world.later(timedelta(days=90))
    async with listening(world) as second:
        asked = mei.press(support.posts[0], "panel:help")
        await (await second.next_interaction()).response.send_message("still here", ephemeral=True)
        await asked.says("still here")

    assert not asked.failed


async def test_two_presses_at_once_are_two_interactions(world: World, bot: Listener, panel: Post) -> None:
    """The ground of D-07."""
    mei = world.member("Mei")
    mei.press(panel, "Get help")
    mei.press(panel, "Get help")
    await world.until(lambda: len(bot.asked) == 2)

    assert len({one.id for one in bot.asked}) == 2


# ---- time


async def test_no_answer_within_three_seconds_is_a_failed_interaction(world: World, bot: Listener, panel: Post) -> None:
    asked = world.member("Mei").press(panel, "Get help")
    interaction = await bot.next_interaction()
    world.later(timedelta(seconds=3))
    with pytest.raises(discord.NotFound) as refused:
        await interaction.response.defer()

    assert asked.failed
    assert refused.value.code == 10062


async def test_an_interaction_is_answered_once(world: World, bot: Listener, panel: Post) -> None:
    world.member("Mei").press(panel, "Get help")
    interaction = await bot.next_interaction()
    await interaction.response.defer()
    again = discord.InteractionResponse[discord.Client](interaction)
    with pytest.raises(discord.HTTPException) as refused:
        await again.defer()

    assert (refused.value.status, refused.value.code) == (400, 40060)


async def test_after_a_deferral_follow_ups_work_for_fifteen_minutes(world: World, bot: Listener, panel: Post) -> None:
    mei = world.member("Mei")
    asked = mei.press(panel, "Get help")
    interaction = await bot.next_interaction()
    await interaction.response.defer(ephemeral=True, thinking=True)
    thinking = asked.thinking
    world.later(timedelta(minutes=14))
    await interaction.followup.send("one", ephemeral=True)
    second = await interaction.followup.send("two", ephemeral=True, wait=True)
    await second.edit(content="two, changed")
    world.later(timedelta(minutes=2))
    with pytest.raises(discord.HTTPException) as refused:
        await interaction.followup.send("three", ephemeral=True)

    assert thinking
    assert not asked.thinking
    assert [post.text for post in asked.posts] == ["one", "two, changed"]
    assert (refused.value.status, refused.value.code) == (401, 50027)


async def test_follow_ups_keep_their_own_rate_limit_and_no_global_one() -> None:
    async with discord_world(limits=Limits(requests_a_second=8)) as world:
        support, mei = world.channel("support"), world.member("Mei")
        async with listening(world) as bot:
            await bot.text_channel(support.id).send("Help", view=Panel())
            for _ in range(12):
                asked = mei.press(support.posts[0], "Get help")
                await (await bot.next_interaction()).response.send_message("hello", ephemeral=True)
                await asked.answered()

        assert {one.status for one in world.asked("POST /interactions/*/*/callback")} <= {200, 204}


# ---- forms


async def test_a_form_is_filled_in_and_sent_off(world: World, bot: Listener, panel: Post) -> None:
    mei = world.member("Mei")
    asked = mei.press(panel, "Get help")
    await (await bot.next_interaction()).response.send_modal(Details())
    await asked.shows_form()
    sent = mei.submit(asked, {"txid": "0xabc"})
    submitted = await bot.next_interaction()
    await submitted.response.send_message("thank you", ephemeral=True)
    await sent.says("thank you")

    assert asked.form is not None
    assert (asked.form["title"], asked.fields["txid"]["label"]) == ("Details", "Transaction hash")
    assert submitted.type is discord.InteractionType.modal_submit
    assert "0xabc" in str(submitted.data)
    assert submitted.message is not None
    assert submitted.message.id == panel.id


async def test_a_form_can_be_sent_off_twice(world: World, bot: Listener, panel: Post) -> None:
    """The ground of D-08: from two devices, or opened twice."""
    mei = world.member("Mei")
    opened = [mei.press(panel, "Get help") for _ in range(2)]
    for _ in opened:
        await (await bot.next_interaction()).response.send_modal(Details())
    for asked in opened:
        await asked.shows_form()
        mei.submit(asked, {"txid": "0xabc"})
    await world.until(lambda: len(bot.asked) == 2)

    assert len({one.id for one in bot.asked}) == 2


async def test_no_client_sends_a_form_that_is_wrong(world: World, bot: Listener, panel: Post) -> None:
    mei = world.member("Mei")
    asked = mei.press(panel, "Get help")
    with pytest.raises(SetupError):
        mei.submit(asked, {"txid": "0xabc"})
    await (await bot.next_interaction()).response.send_modal(Details())
    await asked.shows_form()

    wrong: list[dict[str, str]] = [{}, {"txid": "x" * 67}, {"txid": "0x", "other": "x"}]
    for values in wrong:
        with pytest.raises(SetupError):
            mei.submit(asked, values)


# ---- slash commands


async def test_commands_are_registered_and_used_with_their_options(world: World, bot: Listener) -> None:
    told: list[tuple[str, int]] = []

    @app_commands.describe(reference="your case", days="since when")
    async def status(interaction: discord.Interaction[Listener], reference: str, days: int = 1) -> None:
        told.append((reference, days))
        await interaction.response.send_message(f"about {reference}", ephemeral=True)

    bot.tree.add_command(Command(name="status", description="Where your case stands", callback=status))
    await bot.tree.sync()
    mei = world.member("Mei")
    in_public = await mei.slash("status", world.channel("support"), {"reference": "IM-1", "days": 3}).says("about IM-1")
    in_private = await mei.slash("status", None, {"reference": "IM-2"}).says("about IM-2")

    assert list(world.commands) == ["status"]
    assert told == [("IM-1", 3), ("IM-2", 1)]
    assert in_public.channel_id == world.channel("support").id
    assert in_private.channel_id == mei.direct.id
    with pytest.raises(SetupError):
        mei.slash("status", None, {})


async def test_commands_may_have_subcommands_choices_and_members(world: World, bot: Listener) -> None:
    told: list[tuple[str, int]] = []
    group = app_commands.Group(name="case", description="Cases")

    @group.command(name="give", description="Give a case to somebody")
    @app_commands.choices(how=[app_commands.Choice(name="Now", value="now")])
    async def give(interaction: discord.Interaction, whom: discord.Member, how: str) -> None:
        told.append((how, whom.id))
        await interaction.response.send_message("given", ephemeral=True)

    bot.tree.add_command(group, guild=discord.Object(world.guild.id))
    await bot.tree.sync(guild=discord.Object(world.guild.id))
    mei, ben = world.member("Mei"), world.member("Ben")
    await mei.slash("case give", world.channel("support"), {"whom": str(ben.id), "how": "now"}).says("given")

    assert list(world.commands) == ["case"]
    assert told == [("now", ben.id)]
    with pytest.raises(SetupError):
        mei.slash("case give", world.channel("support"), {"whom": str(ben.id), "how": "later"})


async def test_a_command_may_be_for_some_members_only(world: World, bot: Listener) -> None:
    @app_commands.default_permissions(manage_messages=True)
    async def take(interaction: discord.Interaction[Listener]) -> None:
        await interaction.response.send_message("taken", ephemeral=True)

    bot.tree.add_command(Command(name="take", description="Take a case", callback=take))
    await bot.tree.sync()
    agent = world.member("Agent", roles=[world.role("Staff", "manage_messages")])
    with pytest.raises(SetupError):
        world.member("Mei").slash("take", world.channel("support"))

    assert await agent.slash("take", world.channel("support")).says("taken")
