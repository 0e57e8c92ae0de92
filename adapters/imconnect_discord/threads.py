"""Each member's private thread: opened once, found again, healed when somebody archived or deleted it."""

import asyncio
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, cast

import discord
import structlog

from imconnect.ports import Kit, TryLater, Undeliverable
from imconnect_discord.archive import FULL, Archive
from imconnect_discord.refusals import UNKNOWN_CHANNEL, UNKNOWN_MEMBER, Refused, done
from imconnect_discord.translate import WRITTEN
from imconnect_discord.wire import Line

THREAD, OPENING = "thread:", "opening"
"""The mark of a member's thread, and what it says before there is one."""

PRIVATE_THREAD: Final = 12  # docs.discord.com/developers/resources/channel#channel-object-channel-types
ARCHIVED_AFTER: Final = 10_080  # minutes; the longest there is (docs: resources/channel#thread-metadata-object)

LOOK_BACK = 20
"""Messages that are looked at before a thread is taken for unused; one that is used has more than notes by then."""

SEEN_FOR = 3600.0
"""Seconds for which somebody who was in their thread is taken to be there still."""

Raw = Mapping[str, Any]

log = structlog.get_logger("imconnect.discord")


class Full(Exception):
    """The server has as many threads as Discord allows."""


class Threads:
    """The private threads of one support channel. The id of a thread is only remembered: it is nobody's identity."""

    def __init__(self, line: Line, support_channel: int | None, archive: Archive) -> None:
        self._line = line
        self._support = support_channel
        self._archive = archive
        self._kit: Kit | None = None
        self._of: dict[int, int] = {}
        self._members: dict[int, int] = {}
        self._opening: set[int] = set()
        self._opened_here: set[int] = set()
        self._seen_at: dict[int, float] = {}
        self._alone: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def equip(self, kit: Kit) -> None:
        """Remember whose threads there are. Raises `TryLater`."""
        self._kit = kit
        self._opened_here.clear()  # another process may have said something there since
        for name, kept in (await kit.recall(THREAD)).items():
            member = int(name.removeprefix(THREAD))
            if kept.value == OPENING:
                self._opening.add(member)
            else:
                self._hold(member, int(kept.value))

    @property
    def known(self) -> Mapping[int, int]:
        """The member of each thread."""
        return self._members

    def owner(self, thread: int) -> int | None:
        """Whose private thread it is; None for any other channel."""
        return self._members.get(thread)

    def of(self, member: int) -> int | None:
        """The thread of a member, as far as is known."""
        return self._of.get(member)

    def opened_here(self, thread: int) -> bool:
        """Whether it was opened by us and nobody else: what stands in it, this process said."""
        return thread in self._opened_here

    async def open_for(self, member: int) -> int:
        """The member's thread, opened if there is none, however often it is asked for at a time.

        Raises `Full` where Discord allows no more, `TryLater` and `Undeliverable`.
        """
        async with self._alone[member]:
            known = self._of.get(member)
            return known if known is not None else await self._open(member)

    def seen(self, thread: int) -> None:
        """The member wrote there: they are in it."""
        self._seen_at[thread] = asyncio.get_running_loop().time()

    async def let_in(self, member: int, thread: int) -> None:
        """Have the member in the thread, unless they were there lately: nobody tells us when one leaves.

        Raises `TryLater`, `Refused`, and `Undeliverable` where they left the server.
        """
        if asyncio.get_running_loop().time() - self._seen_at.get(thread, float("-inf")) < SEEN_FOR:
            return
        client = await self._line.client()
        try:
            await done(client.http.add_user_to_thread(thread, member))
        except Refused as refused:
            if refused.code == UNKNOWN_MEMBER:
                raise Undeliverable("the customer left the server", blocked=True) from None
            raise
        self.seen(thread)

    async def reopen(self, thread: int) -> bool:
        """Take a thread out of the archive and unlock it. False if it is gone, or closed to us.

        Raises `Full` where Discord allows no more active ones, and `TryLater`.
        """
        client = await self._line.client()
        try:
            await self._archive.with_room(lambda: done(client.http.edit_channel(thread, archived=False, locked=False)))
        except Refused as refused:
            if refused.code in FULL:
                raise Full from None
            log.info("thread not reopened", says=refused.reason)
            return False
        return True

    async def forget(self, thread: int) -> None:
        """The thread is gone: its member has none until another is opened. Raises `TryLater`."""
        member = self._members.get(thread)
        if member is not None and self._of.get(member) == thread:
            self._let_go(member, thread)
            await self._remember(member, None)

    async def sweep(self) -> Sequence[int]:
        """Take up threads whose opening was cut off, and tell which; remove those that are nobody's.

        Only those of our own making in which nothing was said. Raises `TryLater`.
        """
        if self._support is None:
            return ()
        taken_up: list[int] = []
        threads = await self._ours()
        wanted = {self.name_for(member): member for member in self._opening}
        for thread in threads:
            number = int(thread["id"])
            if number in self._members:
                continue
            member = wanted.pop(str(thread["name"]), None)
            if member is not None:
                taken_up.append(await self._take_up(member, number))
            elif str(thread["name"]).startswith("support-"):
                try:
                    await self._remove_unused(number)
                except Refused as refused:
                    log.info("orphaned thread stays", says=refused.reason)
        return taken_up

    async def _remove_unused(self, thread: int) -> None:
        """Remove a thread in which nobody wrote anything; Discord's own notes are nothing."""
        client = await self._line.client()
        last = cast("list[Raw]", await done(client.http.logs_from(thread, LOOK_BACK)))
        if not any(int(one.get("type", 0)) in WRITTEN for one in last):
            await done(client.http.delete_channel(thread))

    def name_for(self, member: int) -> str:
        """A name that says nothing of them and is theirs: it finds a thread again whose id was not written down."""
        return "support-" + hmac.new(self._kept().secret, str(member).encode(), hashlib.sha256).hexdigest()[:8]

    # ------------------------------------------------------------------------------------------------------- opening

    async def _open(self, member: int) -> int:
        support = self._support
        if support is None:
            raise Undeliverable("discord.support_channel is not set: there is no place for threads")
        if member in self._opening and (found := await self._unheard(member)) is not None:
            return await self._take_up(member, found)
        await self._remember(member, OPENING)
        self._opening.add(member)
        client = await self._line.client()
        try:
            made = await self._archive.with_room(lambda: done(self._start(client, support, member)))
        except Refused as refused:
            await self._remember(member, None)
            self._opening.discard(member)
            if refused.code in FULL:
                raise Full from None
            raise
        self._opened_here.add(int(made["id"]))
        return await self._take_up(member, int(made["id"]))

    def _start(self, client: discord.Client, support: int, member: int) -> Awaitable[Any]:
        return client.http.start_thread_without_message(
            support,
            name=self.name_for(member),
            auto_archive_duration=ARCHIVED_AFTER,
            type=PRIVATE_THREAD,
            invitable=False,
        )

    async def _take_up(self, member: int, thread: int) -> int:
        """Let them in and write down whose it is. They may write as soon as they are in."""
        client = await self._line.client()
        self._hold(member, thread)
        try:
            await done(client.http.add_user_to_thread(thread, member))
        except TryLater:
            self._let_go(member, thread)
            self._opening.add(member)
            raise
        except Refused as refused:
            self._let_go(member, thread)
            await self._remember(member, None)
            if refused.code == UNKNOWN_CHANNEL:  # it was removed meanwhile
                raise TryLater("the thread was removed while it was being opened", 0.0) from None
            await done(client.http.delete_channel(thread))
            left = refused.code == UNKNOWN_MEMBER
            raise Undeliverable(f"they cannot be let into a thread: {refused.reason}", blocked=left) from None
        await self._remember(member, str(thread))
        self.seen(thread)
        return thread

    async def _unheard(self, member: int) -> int | None:
        """The thread made for them by a call whose answer never came."""
        name = self.name_for(member)
        return next((int(one["id"]) for one in await self._ours() if one["name"] == name), None)

    async def _ours(self) -> list[Raw]:
        """The threads of the support channel that the bot opened and that are active."""
        client, bot = await self._line.client(), await self._line.bot_id()
        if self._support is None:
            return []
        channel = cast("Raw", await done(client.http.get_channel(self._support)))
        active = cast("Raw", await done(client.http.get_active_threads(int(channel["guild_id"]))))
        return [
            one
            for one in cast("list[Raw]", active["threads"])
            if int(one["parent_id"]) == self._support and int(one["owner_id"]) == bot and one["type"] == PRIVATE_THREAD
        ]

    # ------------------------------------------------------------------------------------------------------- memory

    def _hold(self, member: int, thread: int) -> None:
        self._of[member] = thread
        self._members[thread] = member
        self._opening.discard(member)

    def _let_go(self, member: int, thread: int) -> None:
        self._of.pop(member, None)
        self._members.pop(thread, None)

    async def _remember(self, member: int, value: str | None) -> None:
        await self._kept().remember(f"{THREAD}{member}", value)

    def _kept(self) -> Kit:
        if self._kit is None:
            raise TryLater("the desk is not ready yet")
        return self._kit
