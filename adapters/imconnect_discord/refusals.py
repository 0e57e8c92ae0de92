"""What Discord's refusals mean to the desk."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import aiohttp
import discord

from imconnect.ports import TryLater, Undeliverable

T = TypeVar("T")

# JSON error codes: docs.discord.com/developers/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL, UNKNOWN_MEMBER, UNKNOWN_MESSAGE = 10003, 10007, 10008
MISSING_ACCESS, MISSING_PERMISSIONS = 50001, 50013
THREAD_ARCHIVED, THREAD_LOCKED = 50083, 160005
TOO_MANY_CHANNELS, TOO_MANY_THREADS = 30013, 160006
SHUT_OUT = frozenset({50007, 50278})
"""The customer takes no private messages, or shares no server with us any more."""


ANSWER_WITHIN = 90.0
"""Seconds a call may take, with the waits that rate limits and discord.py's own repeats put into it."""


class Refused(Undeliverable):
    """Discord said no, with its error *code*; 0 where it gave none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason, blocked=code in SHUT_OUT)
        self.code = code


async def done(call: Awaitable[T]) -> T:
    """What *call* returns. Raises `TryLater` or `Refused`, never an exception of discord.py's."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            return await call
    except discord.RateLimited as limited:
        raise TryLater("Discord asks to wait", limited.retry_after) from None
    except discord.HTTPException as refused:
        raise told(refused) from None
    except discord.DiscordException as error:
        raise TryLater(f"Discord cannot be used: {type(error).__name__}") from None
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise TryLater(f"Discord cannot be reached: {type(error).__name__}") from None


def told(refused: discord.HTTPException) -> TryLater | Refused:
    """*refused* in the desk's terms. Only the first line of it: those below can repeat what was sent."""
    says = f"Discord says {refused.status}, code {refused.code}: {refused.text.partition(chr(10))[0][:200]}"
    if refused.status == 429 or refused.status >= 500:
        after = refused.response.headers.get("Retry-After")
        return TryLater(says, float(after) if after and after.replace(".", "", 1).isdecimal() else None)
    if refused.status == 401:
        return TryLater("Discord refuses discord.token")
    return Refused(refused.code, says)
