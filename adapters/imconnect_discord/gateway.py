"""The gateway: one connection that tells what happens, again and again from where it stopped."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import discord
import structlog

from imconnect.ports import TryLater
from imconnect_discord.wire import LONGEST_LIMIT, Line

IDENTIFY_GAP = 5.0
"""Seconds between two sessions; docs.discord.com/developers/events/gateway#rate-limiting and #identifying."""

REFUSED_PAUSE = 60.0
"""Seconds before the gateway is asked again after it refused what the settings say."""

INTENTS_REFUSED, TOKEN_REFUSED = 4014, 4004
# docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes

Raw = Mapping[str, Any]

log = structlog.get_logger("imconnect.discord")


def needed_intents() -> discord.Intents:
    """The fewest that serve: servers and threads, messages there and in private, and what stands in them."""
    intents = discord.Intents.none()
    intents.guilds = intents.guild_messages = intents.dm_messages = intents.message_content = True
    return intents


class Gateway(discord.Client):
    """Hands over events as Discord sent them, in order; interactions and messages also as discord.py reads them."""

    def __init__(
        self,
        line: Line,
        told: Callable[[str, Raw], None],
        asked: Callable[[discord.Interaction], Awaitable[None]],
        said: Callable[[discord.Message], Awaitable[None]],
        arrived: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            intents=needed_intents(),
            connector=line.wire(),
            http_trace=line.trace(),
            max_ratelimit_timeout=LONGEST_LIMIT,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            enable_debug_events=True,  # the documented way to have events as they are sent
        )
        self._told = told
        self._asked = asked
        self._said = said
        self._arrived = arrived
        self._identified_at = float("-inf")
        self.listened = False

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Begin sessions no faster than Discord allows."""
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._identified_at + IDENTIFY_GAP - now))
        self._identified_at = asyncio.get_running_loop().time()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Tell nothing any more once closed: discord.py may still be about to say that it is ready."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def on_socket_raw_receive(self, frame: str) -> None:
        event = json.loads(frame)
        if event.get("op") == 0:
            self._told(str(event["t"]), event["d"])

    async def on_interaction(self, asked: discord.Interaction) -> None:
        await self._asked(asked)

    async def on_message(self, message: discord.Message) -> None:
        await self._said(message)

    async def on_ready(self) -> None:
        self.listened = True
        await self._arrived()

    async def on_error(self, event_method: str, /, *_args: object, **_named: object) -> None:
        """A handler failed: only where, for what it was about may be a customer's words."""
        kind = sys.exc_info()[0]
        log.error("event not handled", name=event_method, error=kind.__name__ if kind is not None else "")

    async def run_until_it_ends(self) -> TryLater:
        """Listen until the connection cannot go on; returns what to do about it."""
        try:
            await self.connect()
        except discord.PrivilegedIntentsRequired:
            cure = "switch Message Content Intent on, on the page Bot of the developer portal"
            return TryLater(f"Discord keeps the words of messages from this bot: {cure}", REFUSED_PAUSE)
        except discord.ConnectionClosed as closed:
            if closed.code == TOKEN_REFUSED:
                return TryLater("Discord refuses discord.token: copy it again", REFUSED_PAUSE)
            return TryLater(f"Discord's gateway closed the connection with {closed.code}")
        except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
            return TryLater(f"Discord's gateway cannot be reached ({type(error).__name__})")
        except Exception as error:  # discord.py stumbles over an event it does not know: histories are read instead
            log.error("event not read", error=type(error).__name__)
            return TryLater("Discord's gateway said something that could not be read")
        return TryLater("Discord's gateway ended the connection")
