"""The slash commands: what Discord offers to customers everywhere, and to colleagues in their server."""

import hashlib
import json
from typing import Any

import discord

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.ports import Kit
from imconnect_discord.refusals import done
from imconnect_discord.staff import STAFF_COMMANDS, WORDED

CUSTOMER_COMMANDS = ("help", "status", "human", "language", "verify")
DESCRIPTION_LIMIT = 100  # docs.discord.com/developers/interactions/application-commands
LOCALES = {Language.CHINESE: ("zh-CN", "zh-TW"), Language.ENGLISH: ("en-GB", "en-US")}
"""The languages of Discord's clients that read each of ours; docs.discord.com/developers/reference#locales."""

OFFERED = "commands:"
"""The marks that say which commands were last offered, so that a start costs nothing where none changed."""

CHAT_INPUT, STRING, IN_A_SERVER, IN_PRIVATE = 1, 3, 0, 1

Payload = dict[str, Any]


async def offer_commands(client: discord.Client, kit: Kit, staff_guild: int | None) -> None:
    """Offer customers theirs everywhere, and colleagues theirs in the server *staff_guild*.

    Nothing is sent that is so already. Raises `TryLater` or `Undeliverable`.
    """
    if client.application_id is None:
        return
    scopes: dict[int | None, list[Payload]] = {None: customers_commands(kit.playbook)}
    if staff_guild is not None:
        scopes[staff_guild] = staff_commands(kit.playbook)
    offered = await kit.recall(OFFERED)
    for guild_id, payloads in scopes.items():
        name = f"{OFFERED}{guild_id or 'everywhere'}"
        state = hashlib.sha256(json.dumps(payloads, sort_keys=True).encode()).hexdigest()
        if name in offered and offered[name].value == state:
            continue
        if guild_id is None:
            await done(client.http.bulk_upsert_global_commands(client.application_id, payloads))
        else:
            await done(client.http.bulk_upsert_guild_commands(client.application_id, guild_id, payloads))
        await kit.remember(name, state)


def customers_commands(playbook: Playbook) -> list[Payload]:
    """/help, /status, /human, /language and /verify, in the server and in private."""
    made = [_command(playbook, name, f"command_{name}") for name in CUSTOMER_COMMANDS]
    choices = [
        {"name": playbook.label(f"language_{one.value}", one), "value": one.value} for one in sorted(playbook.labels)
    ]
    for command in made:
        command["contexts"] = [IN_A_SERVER, IN_PRIVATE]
        if command["name"] == "language":
            command["options"] = [_option(playbook, "language", "command_language") | {"choices": choices}]
        if command["name"] == "verify":
            command["options"] = [_option(playbook, "name", "discord_option_name")]
    return made


def staff_commands(playbook: Playbook) -> list[Payload]:
    """What colleagues do. Shown to who may manage threads; a server's settings may show them to others.

    Being shown one gives nobody a right: the role and the handle are looked at when it is used.
    """
    made: list[Payload] = []
    for name, act in STAFF_COMMANDS.items():
        command = _command(playbook, name, "discord_staff_reply" if name == "reply" else f"staff_{name}")
        command["default_member_permissions"] = str(discord.Permissions(manage_threads=True).value)
        command["contexts"] = [IN_A_SERVER]
        if act in WORDED:
            command["options"] = [_option(playbook, "text", "discord_option_text") | {"required": True}]
        made.append(command)
    return made


def _command(playbook: Playbook, name: str, label: str) -> Payload:
    return {"type": CHAT_INPUT, "name": name, **_described(playbook, label)}


def _option(playbook: Playbook, name: str, label: str) -> Payload:
    return {"type": STRING, "name": name, **_described(playbook, label)}


def _described(playbook: Playbook, label: str) -> Payload:
    return {
        "description": playbook.label(label, playbook.default_language)[:DESCRIPTION_LIMIT],
        "description_localizations": {
            locale: labels[label][:DESCRIPTION_LIMIT]
            for language, labels in playbook.labels.items()
            for locale in LOCALES[language]
        },
    }
