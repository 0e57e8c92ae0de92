"""Interactions, read: what was pressed, chosen, filled in or typed after a slash."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, cast

import discord

from imconnect.domain.messages import Handle, Language
from imconnect.ports import TryLater
from imconnect_discord.refusals import Refused, done

TEXT_INPUT, SELECT, LABEL = (
    4,
    3,
    18,
)  # docs.discord.com/developers/components/reference#component-object-component-types

RESPOND_WITHIN = 3.0
"""Seconds Discord waits for a first response: docs.discord.com/developers/interactions/receiving-and-responding."""


def about(asked: discord.Interaction) -> Mapping[str, Any]:
    """The data of *asked*, as Discord sent it."""
    return cast("Mapping[str, Any]", asked.data or {})


def custom_id(asked: discord.Interaction) -> str:
    """What the button, menu or form carries; "" for a command."""
    return str(about(asked).get("custom_id", ""))


def chosen(asked: discord.Interaction) -> str:
    """The value that was picked in a menu."""
    return next((str(value) for value in about(asked).get("values", ())), "")


def filled_in(asked: discord.Interaction) -> dict[str, str]:
    """What was typed into each field of a form, by custom id."""
    return {
        str(one["custom_id"]): str(one.get("value") or "").strip()
        for one in _walk(about(asked).get("components", ()))
        if one.get("type") == TEXT_INPUT
    }


def option(asked: discord.Interaction, name: str) -> str:
    """What was given for the option *name* of a slash command; "" if nothing."""
    given = cast("list[Mapping[str, Any]]", about(asked).get("options") or [])
    return next((str(one.get("value", "")).strip() for one in given if one.get("name") == name), "")


def _walk(components: object) -> Iterator[Mapping[str, Any]]:
    for one in cast("list[Mapping[str, Any]]", components):
        yield one
        if "component" in one:
            yield from _walk([one["component"]])
        yield from _walk(one.get("components", ()))


def author(user: discord.User | discord.Member) -> Handle:
    """Who it is, by id; the name is only a name."""
    return Handle(str(user.id), user.display_name)


def language_of(asked: discord.Interaction) -> Language | None:
    """The language of their Discord, where it is one a pack may have."""
    tag = asked.locale.value.partition("-")[0].lower()
    return Language(tag) if tag in list(Language) else None


async def acknowledge(asked: discord.Interaction, *, thinking: bool) -> bool:
    """Respond within the three seconds Discord gives; *thinking* shows only its maker that an answer is coming.

    Whether Discord took it. What was said is stored in either case: only the sign is lost.
    """
    try:
        async with asyncio.timeout(RESPOND_WITHIN):
            await done(asked.response.defer(ephemeral=True, thinking=thinking))
    except (TryLater, Refused, TimeoutError):
        return False
    return True


async def tell(asked: discord.Interaction, text: str, view: discord.ui.View | None = None) -> bool:
    """Say *text* to its maker alone: as the response, or after one as a follow-up, for 15 minutes. Whether it went."""
    shown = view if view is not None else discord.utils.MISSING
    try:
        if asked.response.is_done():
            await done(asked.followup.send(text, view=shown, ephemeral=True))
        else:
            await done(asked.response.send_message(text, view=shown, ephemeral=True))
    except (TryLater, Refused):
        return False
    return True


def lasting(view: discord.ui.View) -> discord.ui.View:
    """*view* for sending. Presses are read by custom id, after any restart: discord.py need not keep it in memory."""
    view.stop()
    return view
