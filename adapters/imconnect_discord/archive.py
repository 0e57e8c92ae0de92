"""Room for threads: where Discord allows no more active ones, those in which all is quiet go into the archive."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar, cast

import structlog

from imconnect.ports import Kit, TryLater, Undeliverable
from imconnect_discord.history import begins_at
from imconnect_discord.refusals import TOO_MANY_CHANNELS, TOO_MANY_THREADS, Refused, done
from imconnect_discord.wire import Line

T = TypeVar("T")

QUIET_FOR = timedelta(hours=1)
"""Nobody wrote there for as long: whoever does opens it again, and so do we."""

AT_A_TIME = 20
"""Threads that are archived in one go, so that not everybody who comes has to wait for it."""

TRIES = 3

FULL = frozenset({TOO_MANY_THREADS, TOO_MANY_CHANNELS})

Raw = Mapping[str, Any]

log = structlog.get_logger("imconnect.discord")


class Archive:
    """Where the bot's own threads and posts rest. A server may have 1,000 that do not
    (docs.discord.com/developers/topics/threads#active--archived-threads)."""

    def __init__(self, line: Line, support_channel: int | None, forum: int | None) -> None:
        self._line = line
        self._support = support_channel
        self._forum = forum
        self._kit: Kit | None = None
        self._made = 0
        self._one_at_a_time = asyncio.Lock()

    def equip(self, kit: Kit) -> None:
        """Have the time."""
        self._kit = kit

    async def with_room(self, make: Callable[[], Awaitable[T]]) -> T:
        """What *make* returns. Where Discord allows no more threads room is made and it is tried again.

        Raises what *make* raises, a refusal for want of room too if nothing can go.
        """
        for _ in range(TRIES):
            made = self._made
            try:
                return await make()
            except Refused as refused:
                if refused.code not in FULL or not await self._has_made_room(made):
                    raise
        return await make()

    async def _has_made_room(self, made: int) -> bool:
        """Whether there is room that was not there when *made* threads had been archived; many may ask at once."""
        async with self._one_at_a_time:
            if self._made == made:
                try:
                    await self._make_room()
                except (TryLater, Undeliverable) as error:
                    log.warning("no room made for threads", says=error.reason)
            return self._made > made

    async def _make_room(self) -> None:
        client, quiet = await self._line.client(), self._quiet(await self._active())
        for thread in quiet[:AT_A_TIME]:
            await done(client.http.edit_channel(int(thread["id"]), archived=True))
            self._made += 1
        log.info("threads archived", count=min(len(quiet), AT_A_TIME), why="Discord allows no more active ones")

    def _quiet(self, threads: Iterable[Raw]) -> list[Raw]:
        """Those that may go, the one that rests longest first; colleagues' only where no customer's can."""
        if self._kit is None:
            return []
        since = self._kit.now() - QUIET_FOR
        quiet = sorted((one for one in threads if begins_at(_last(one)) < since), key=_last)
        return [one for one in quiet if int(one["parent_id"]) == self._support] or quiet

    async def _active(self) -> list[Raw]:
        """The active threads the bot opened where it serves."""
        ours = [one for one in (self._support, self._forum) if one is not None]
        if not ours:
            return []
        client, bot = await self._line.client(), await self._line.bot_id()
        channel = cast("Raw", await done(client.http.get_channel(ours[0])))
        active = cast("Raw", await done(client.http.get_active_threads(int(channel["guild_id"]))))
        threads = cast("list[Raw]", active["threads"])
        return [one for one in threads if int(one["parent_id"]) in ours and int(one["owner_id"]) == bot]


def _last(thread: Raw) -> int:
    """The last message of a thread, or itself where nothing was said."""
    return max(int(thread["id"]), int(thread.get("last_message_id") or 0))
