"""Calls of the Bot API, and what goes wrong with them sorted by what to do next."""

import logging
import os
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from imconnect.ports import TryLater, Undeliverable

T = TypeVar("T")

# The library's documented way to have seconds as timedelta, which it will always do from version 23 on.
os.environ.setdefault("PTB_TIMEDELTA", "true")

ANSWER_WITHIN = 20.0
"""Seconds a call may take."""

TOKEN_REFUSED_PAUSE, CONFLICT_PAUSE = 60.0, 10.0
"""Seconds before Telegram is asked again after it refused the token, or gave the updates to another program."""


class Doubtful(Exception):
    """The request went out and no answer came."""


class Moved(Exception):
    """The group goes by the number *to* from now on (it became a supergroup)."""

    def __init__(self, to: int) -> None:
        super().__init__("the group has become another chat")
        self.to = to


def silence() -> None:
    """Keep the libraries below from logging: their lines hold the token (in addresses) and what people wrote."""
    for name in ("telegram", "httpx", "httpcore"):
        library = logging.getLogger(name)
        library.setLevel(logging.CRITICAL + 1)
        library.propagate = False  # whatever level somebody gives to a part of it
        if not library.handlers:
            library.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Line:
    """A bot and the connections it calls through."""

    bot: Bot
    _request: HTTPXRequest

    @classmethod
    def to(cls, api_root: str, token: str, connections: int) -> "Line":
        """A line that nobody has been called on yet."""
        silence()
        request = HTTPXRequest(connections, read_timeout=ANSWER_WITHIN, write_timeout=ANSWER_WITHIN, pool_timeout=5.0)
        bot = Bot(
            token,
            base_url=f"{api_root}/bot",
            base_file_url=f"{api_root}/file/bot",
            request=request,
            get_updates_request=request,
        )
        return cls(bot, request)

    async def close(self) -> None:
        await self._request.shutdown()


async def raw_updates(bot: Bot, offset: int, wait: int, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """What `getUpdates` answers, unread, so that one strange update spoils no other.

    The library makes `getUpdates` of the name; written so it is none of its own methods, and hands the answer through
    as it is.
    """
    answer: object = await bot.do_api_request(
        "get_Updates",
        {"offset": offset, "timeout": wait, "allowed_updates": list(kinds)},
        read_timeout=wait + ANSWER_WITHIN,
    )
    return cast("list[dict[str, Any]]", answer) if isinstance(answer, list) else []


async def told(call: Awaitable[T]) -> T:
    """The answer to *call*. Raises `TryLater`, `Undeliverable`, `Doubtful` or `Moved`; no error of the library's."""
    try:
        return await call
    except TelegramError as error:
        raise sorted_out(error) from None


async def done(call: Awaitable[T]) -> T:
    """As `told`, for a call that may be repeated: where it is doubtful, it is tried later."""
    try:
        return await told(call)
    except Doubtful as doubt:
        raise TryLater(str(doubt)) from None


def sorted_out(error: TelegramError) -> TryLater | Undeliverable | Doubtful | Moved:
    """What to do next about *error*. Only Telegram's own words are kept of it."""
    if isinstance(error, ChatMigrated):
        return Moved(error.new_chat_id)
    return _lasting(error) or _passing(error)


def _lasting(error: TelegramError) -> Undeliverable | None:
    match error:
        case Forbidden():
            return Undeliverable(f"Telegram: {error.message}", blocked="blocked" in error.message.lower())
        case BadRequest():
            return Undeliverable(f"Telegram: {error.message}")
        case _:
            return None


def _passing(error: TelegramError) -> TryLater | Doubtful:
    match error:
        case RetryAfter():
            return TryLater("Telegram asks us to slow down", _seconds(error.retry_after))
        case InvalidToken():
            return TryLater("Telegram refuses the bot's token: correct telegram.token", TOKEN_REFUSED_PAUSE)
        case Conflict():
            return TryLater(_who_else(error.message), CONFLICT_PAUSE)
        case NetworkError():
            return _network(error)
        case _:
            return Doubtful("Telegram's answer could not be read")


def _network(error: NetworkError) -> TryLater | Doubtful:
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return TryLater(f"Telegram cannot be reached ({type(cause).__name__})")
    if isinstance(error, TimedOut):
        return Doubtful("Telegram did not answer in time")
    if isinstance(cause, httpx.HTTPError):
        return Doubtful(f"the connection to Telegram broke ({type(cause).__name__})")
    if cause is None or "(503)" in error.message:  # Telegram itself said no, or nobody was there to take it
        return TryLater("Telegram has a problem of its own")
    return Doubtful("a gateway answered in Telegram's place")


def _who_else(message: str) -> str:
    if "webhook" in message.lower():
        return "this bot's updates go to a webhook: set telegram.mode to webhook, or remove the webhook"
    return "another program fetches this bot's updates: stop it, one bot belongs to one desk"


def _seconds(pause: timedelta | int) -> float:
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)
