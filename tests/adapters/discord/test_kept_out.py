"""Who is kept out is kept out by every way in, and told so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.adapters.discord.door import Door, connected, listening, outgoing, thread_for
from tests.worlds.discord import Member, World

from imconnect.domain.messages import Choice
from imconnect.testing.kit import MemoryKit


def on_the_list(member: Member) -> dict[str, object]:
    return {"blocked_users": [member.id]}


def too_new(_: Member) -> dict[str, object]:
    return {"min_account_days": 7}


@pytest.mark.parametrize(("settings", "label"), [(on_the_list, "discord_refused"), (too_new, "discord_too_new")])
async def test_who_is_kept_out_is_refused_alike_by_message_button_menu_form_and_command(
    world: World, kit: MemoryKit, door: Door, settings: Callable[[Member], dict[str, object]], label: str
) -> None:
    """D-25"""
    bad, good = world.member("Bad", account_age=timedelta(days=6)), world.member("Good")
    support, lobby = world.channel("support"), world.channel("lobby")
    async with connected(world, kit) as before, listening(before, door):
        thread = await thread_for(before, bad)
        await before.send(outgoing(before, f"u{bad.id}", "?", choices=(Choice("yes", "Yes"),)))
        [panel] = await world.until(lambda: support.from_bot or None)
        await world.until(lambda: "help" in world.commands or None)
        menu = await bad.press(panel, "panel:help:en").says()
        form = bad.select(menu, "tx-not-received")
        await form.shows_form()
    async with connected(world, kit, **settings(bad)) as adapter, listening(adapter, door):
        tried = [
            bad.press(panel, "panel:help:en"),
            bad.select(menu, "tx-not-received"),
            bad.submit(form, {"chain": "ethereum"}),
            bad.press(thread.from_bot[-1], "Yes"),
            bad.slash("human", lobby),
            bad.slash("status"),
        ]
        told = [(await asked.says()).text for asked in tried]
        bad.dm("let me in")
        await bad.sees(label, bad.direct)
        bad.say("let me in", thread)
        bad.say(f"<@{world.model.bot_user.id}> let me in", lobby)
        good.dm("hello")
        await door.has(1)

    assert [label in text for text in told] == [True] * 6
    assert door.texts == ["hello"]
