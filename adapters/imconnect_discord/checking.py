"""What `imconnect doctor` tells of Discord: the token, what may be read, the rights in each channel, the commands."""

from collections.abc import Sequence

import discord

from imconnect.ports import Finding, TryLater, Undeliverable
from imconnect_discord.commands import CUSTOMER_COMMANDS
from imconnect_discord.refusals import done
from imconnect_discord.settings import DiscordSettings
from imconnect_discord.wire import Line

IN_SUPPORT = (
    "view_channel",
    "read_message_history",
    "send_messages",
    "create_private_threads",
    "send_messages_in_threads",
    "manage_threads",
    "manage_messages",
)
"""What the bot needs in the support channel, by discord.py's names."""

IN_FORUM = ("view_channel", "read_message_history", "send_messages", "send_messages_in_threads", "manage_threads")
"""What it needs in the staff forum; a post of a forum is made by the right to send messages."""

INVITED_WITH = discord.Permissions(**dict.fromkeys((*IN_SUPPORT, *IN_FORUM), True))
"""The rights of the invite link."""


async def look_at(line: Line, settings: DiscordSettings) -> Sequence[Finding]:
    """One finding for each thing that can be wrong. Never raises."""
    try:
        client = await line.client()
        user, application = client.user, await done(client.application_info())
    except (TryLater, Undeliverable) as error:
        return [Finding("discord.token", False, error.reason)]
    findings = [Finding("discord.token", user is not None, f"@{user}" if user is not None else "nobody")]
    flags = application.flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        findings.append(Finding("discord.intents", True, "the words of messages are readable"))
    else:
        cure = "switch Message Content Intent on, on the page Bot of the developer portal"
        findings.append(Finding("discord.intents", False, f"the words of messages are kept from the bot: {cure}"))
    findings.append(await _look_at_support(client, settings.support_channel))
    if settings.staff_channel is not None:
        findings.append(await _look_at_forum(client, settings.staff_channel))
    findings.append(await _look_at_commands(client))
    return findings


async def _look_at_support(client: discord.Client, channel: int | None) -> Finding:
    subject = "discord.support_channel"
    if channel is None:
        return Finding(subject, True, "not set: private messages and mentions only, no threads and no panel")
    try:
        found = await done(client.fetch_channel(channel))
        if not isinstance(found, discord.TextChannel):
            return Finding(subject, False, "this is no text channel: correct its id")
        return await _look_at_rights(client, subject, found, IN_SUPPORT)
    except (TryLater, Undeliverable) as error:
        return Finding(subject, False, f"{error.reason}: invite the bot, let it see the channel, correct the id")


async def _look_at_forum(client: discord.Client, channel: int) -> Finding:
    subject = "discord.staff_channel"
    try:
        found = await done(client.fetch_channel(channel))
        if not isinstance(found, discord.ForumChannel):
            return Finding(subject, False, "this is no forum channel: make one, or correct its id")
        return await _look_at_rights(client, subject, found, IN_FORUM)
    except (TryLater, Undeliverable) as error:
        return Finding(subject, False, f"{error.reason}: invite the bot, let it see the forum, correct the id")


async def _look_at_rights(
    client: discord.Client, subject: str, channel: discord.TextChannel | discord.ForumChannel, needed: Sequence[str]
) -> Finding:
    guild = await done(client.fetch_guild(channel.guild.id, with_counts=False))
    me = await done(guild.fetch_member(client.user.id if client.user is not None else 0))
    held = _rights(guild, me, channel)
    missing = [name for name in needed if not getattr(held, name)]
    if missing:
        return Finding(subject, False, f"the bot may not {', '.join(missing)} there: give it these rights")
    return Finding(subject, True, f"#{channel.name}: the bot has the rights it needs")


def _rights(
    guild: discord.Guild, me: discord.Member, channel: discord.TextChannel | discord.ForumChannel
) -> discord.Permissions:
    """What a member may do in a channel (docs.discord.com/developers/topics/permissions#permission-overwrites).

    discord.py works it out only for servers it is told of by a gateway.
    """
    base = discord.Permissions(guild.default_role.permissions.value)
    for role in me.roles:
        base.value |= role.permissions.value
    if base.administrator:
        return discord.Permissions.all()
    overwrites = {target.id: overwrite for target, overwrite in _pairs(channel)}
    everyone = overwrites.get(guild.id, (0, 0))
    base.value = base.value & ~everyone[1] | everyone[0]
    roles = [overwrites[role.id] for role in me.roles if role.id in overwrites and role.id != guild.id]
    allow = deny = 0
    for allowed, denied in roles:
        allow, deny = allow | allowed, deny | denied
    base.value = base.value & ~deny | allow
    mine = overwrites.get(me.id, (0, 0))
    base.value = base.value & ~mine[1] | mine[0]
    return base


def _pairs(
    channel: discord.TextChannel | discord.ForumChannel,
) -> Sequence[tuple[discord.abc.Snowflake, tuple[int, int]]]:
    pairs: list[tuple[discord.abc.Snowflake, tuple[int, int]]] = []
    for target, overwrite in channel.overwrites.items():
        allow, deny = overwrite.pair()
        pairs.append((target, (allow.value, deny.value)))
    return pairs


async def _look_at_commands(client: discord.Client) -> Finding:
    subject = "discord.commands"
    try:
        there = await done(client.http.get_global_commands(client.application_id or 0))
    except (TryLater, Undeliverable) as error:
        return Finding(subject, False, error.reason)
    names = {str(one["name"]) for one in there}
    missing = [name for name in CUSTOMER_COMMANDS if name not in names]
    if missing and names:
        return Finding(subject, False, f"/{', /'.join(missing)} not offered: start the desk, it offers them")
    says = "offered" if not missing else "none yet: the desk offers them when it starts"
    return Finding(subject, True, says)
