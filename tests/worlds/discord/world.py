"""A Discord of our own: one server, its members and channels, one bot, and everything that happened."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import discord
from simcord.backend import serializers
from simcord.backend.models import Channel as ChannelRow
from simcord.backend.models import Guild as GuildRow
from simcord.enums import ChannelType
from tests.worlds.discord.cdn import Cdn
from tests.worlds.discord.channels import Channel, Post
from tests.worlds.discord.faults import Faults, fits
from tests.worlds.discord.gateway import Gateway
from tests.worlds.discord.limits import Limits, Meter
from tests.worlds.discord.model import Json, Model
from tests.worlds.discord.people import Member
from tests.worlds.discord.routes import Api, fields_of

T = TypeVar("T")

TOKEN = "NDI0MjQyNDI0MjQyNDI0MjQy.G0loop.back-world-token-for-tests"

SUPPORT_BOT_PERMISSIONS = (
    "view_channel",
    "send_messages",
    "send_messages_in_threads",
    "create_public_threads",
    "create_private_threads",
    "manage_threads",
    "manage_messages",
    "read_message_history",
    "embed_links",
    "attach_files",
    "use_application_commands",
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the bot, with the status it was answered; None where the connection was left without an answer."""

    method: str
    path: str
    body: Any = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    files: tuple[str, ...]
    at: float
    status: int | None

    @property
    def fields(self) -> Json:
        return fields_of(self.body)


@dataclass(frozen=True, slots=True)
class Guild:
    """The Discord server the bot works in."""

    world: "World"
    id: int

    @property
    def row(self) -> GuildRow:
        return self.world.model.get_guild(self.id)

    @property
    def bot_role(self) -> int:
        """The managed role that holds the bot's rights."""
        return self.row.members[self.world.model.bot_user.id].role_ids[0]

    def allow_bot(self, *permissions: str) -> None:
        """Give the bot these rights and no others; channels may still take some away."""
        bits = discord.Permissions(**dict.fromkeys(permissions, True)).value
        self.world.model.edit_role(self.id, self.bot_role, {"permissions": bits})

    @property
    def threads(self) -> list[Channel]:
        """Every thread and post there is, in the order they were opened."""
        return [Channel(self.world, one) for one in sorted(self.row.thread_ids)]


class World:
    """What Discord knows. Tests act through `member` and `channel`, and look at posts and `requests`."""

    def __init__(self, *, token: str = TOKEN, limits: Limits | None = None) -> None:
        self.token = token
        self.limits = limits or Limits()
        self.model = Model(self.limits)
        self.cdn = Cdn(self.model)
        self.connection = Gateway(self.model, self.cdn, token)
        self.api = Api(self.model, self.connection)
        self.faults = Faults()
        self.meter = Meter(self.limits)
        self.requests: list[Request] = []
        self.breaches: list[Exception] = []
        self.closing = False
        self.api_root = ""
        self.gateway = ""
        self._members: dict[str, Member] = {}
        self._changed = asyncio.Event()
        self.model.subscribers.append(lambda _event, _payload: self.notify())
        made = self.model.create_guild("IM Wallet")
        self.guild = Guild(self, made.id)
        self.guild.allow_bot(*SUPPORT_BOT_PERMISSIONS)

    def listens_at(self, address: str) -> None:
        """Take *address*, host and port, as where this world is reached."""
        self.api_root = f"http://{address}/api/v10"
        self.gateway = self.connection.url = f"ws://{address}/gw"
        self.cdn.root = f"http://{address}"

    # ---- time and change

    def now(self) -> float:
        """Seconds since 1970, as this world has them."""
        return self.model.now()

    def later(self, by: timedelta) -> None:
        """Let time pass for Discord: nonces, tokens and links grow old, idle threads are archived."""
        self.model.advance_clock(by.total_seconds())
        self.model.archive_the_idle()
        self.notify()

    def notify(self) -> None:
        """Wake everything that waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, within: float) -> None:
        """Return at the next change, or after *within* seconds."""
        waiting = self._changed
        try:
            async with asyncio.timeout(within):
                await waiting.wait()
        except TimeoutError:
            return

    async def until(self, happened: Callable[[], T | None], within: float = 5.0) -> T:
        """Wait for *happened* to say yes and return what it said; fail after *within* seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not (value := happened()):
            remaining = deadline - loop.time()
            if remaining <= 0:
                raise AssertionError(f"did not happen within {within} s; the bot said {self.last_words()}")
            await self.changed(min(remaining, 0.25))
        return value

    def last_words(self) -> list[str]:
        """The end of what the bot said in each channel: for a failed test's message."""
        channels = [Channel(self, one) for one in self.model.channels]
        return [f"{one.name or 'dm'}: {one.from_bot[-1].everything!r}" for one in channels if one.from_bot]

    # ---- who and where

    def member(
        self,
        name: str,
        *,
        account_age: timedelta = timedelta(days=900),
        joined: timedelta = timedelta(days=30),
        roles: Iterable[int] = (),
        locale: str = "en-US",
    ) -> Member:
        """The member of that name, who joins the server if there is none: so old an account, a member for so long."""
        known = self._members.get(name)
        if known is not None:
            return known
        member = self._members[name] = self.namesake(
            name, account_age=account_age, joined=joined, roles=roles, locale=locale
        )
        return member

    def namesake(
        self,
        name: str,
        *,
        account_age: timedelta = timedelta(days=900),
        joined: timedelta = timedelta(days=30),
        roles: Iterable[int] = (),
        locale: str = "en-US",
    ) -> Member:
        """A new member, even if somebody has that name already."""
        user = self.model.new_user(name, account_age)
        row = self.model.add_member(self.guild.id, user.id, roles=roles)
        row.joined_at = (self.model.clock.now() - joined).isoformat()
        payload = serializers.member_payload(self.model, self.guild.row, row)
        self.model.emit("GUILD_MEMBER_ADD", {**payload, "guild_id": str(self.guild.id)})
        return Member(self, user.id, name, locale)

    def stranger(self, name: str) -> Member:
        """Somebody who shares no server with the bot."""
        return Member(self, self.model.new_user(name, timedelta(days=900)).id, name, "en-US")

    def other_bot(self, name: str) -> Member:
        """Another bot on the server, which writes like anybody else."""
        user = self.model.new_user(name, timedelta(days=900), bot=True)
        self.model.add_member(self.guild.id, user.id)
        return Member(self, user.id, name, "en-US")

    def role(self, name: str, *permissions: str) -> int:
        """A new role and its id."""
        bits = discord.Permissions(**dict.fromkeys(permissions, True)).value
        return self.model.create_role(self.guild.id, name, permissions=bits).id

    def channel(self, name: str) -> Channel:
        """The text channel of that name, made if there is none."""
        return self._named(name, ChannelType.TEXT) or Channel(
            self, self.model.create_channel(self.guild.id, name, type=ChannelType.TEXT).id
        )

    def forum(self, name: str, tags: Sequence[str] = ()) -> Channel:
        """The forum of that name, made with *tags* if there is none."""
        known = self._named(name, ChannelType.FORUM)
        if known is not None:
            return known
        made: list[Json] = [
            {"id": str(self.model.snowflake()), "name": tag, "moderated": False, "emoji_id": None, "emoji_name": None}
            for tag in tags
        ]
        row = self.model.create_channel(self.guild.id, name, type=ChannelType.FORUM, available_tags=made)
        return Channel(self, row.id)

    def _named(self, name: str, kind: ChannelType) -> Channel | None:
        rows: list[ChannelRow] = [self.model.channels[one] for one in self.guild.row.channel_ids]
        return next((Channel(self, row.id) for row in rows if row.name == name and row.type == kind), None)

    def channel_by_id(self, channel_id: int) -> Channel:
        return Channel(self, channel_id)

    def post(self, channel_id: int, message_id: int) -> Post:
        return Post(self, self.model.get_message(channel_id, message_id))

    # ---- what Discord does by itself

    def resolves_link(self, post: Post) -> None:
        """Unfold a link in *post*: MESSAGE_UPDATE with the whole message, its text and `edited_timestamp` untouched."""
        post.row.embeds = [{"type": "link", "title": "A page", "url": "https://example.org/"}]
        self.model.emit("MESSAGE_UPDATE", serializers.message_payload(self.model, post.row))

    def resolves_link_tersely(self, post: Post) -> None:
        """The same in the shape it had until 2025: no content, no author, only what changed."""
        post.row.embeds = [{"type": "link", "title": "A page", "url": "https://example.org/"}]
        terse: Json = {"id": str(post.id), "channel_id": str(post.channel_id), "embeds": post.row.embeds}
        guild_id = self.model.get_channel(post.channel_id).guild_id
        self.model.emit("MESSAGE_UPDATE", terse | ({"guild_id": str(guild_id)} if guild_id is not None else {}))

    # ---- what the bot did

    def asked(self, route: str) -> list[Request]:
        """The bot's requests that fit *route*, such as `POST /channels/*/messages`, in order."""
        return [one for one in self.requests if fits(route, one.method, one.path)]

    @property
    def invalid_requests(self) -> int:
        """How many 401, 403 and 429 the bot met in the last ten minutes; at ten thousand its address is banned."""
        return self.meter.invalid(self.now())

    @property
    def commands(self) -> dict[str, Json]:
        """The slash commands the bot registered, by name; those of the server before the global ones."""
        scopes = (None, self.guild.id)
        return {name: one for scope in scopes for (name, _), one in self.model.commands.get(scope, {}).items()}
