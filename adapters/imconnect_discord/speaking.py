"""What the desk says, said on Discord: once, whole, where it belongs, however often it has to be tried."""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import discord
import structlog

from imconnect.domain.drafting import PLACE
from imconnect.domain.messages import Outgoing
from imconnect.domain.splitting import split
from imconnect.ports import Kit, Sent, TryLater, Undeliverable
from imconnect_discord.archive import FULL, Archive
from imconnect_discord.directs import Directs
from imconnect_discord.refusals import (
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    THREAD_ARCHIVED,
    THREAD_LOCKED,
    UNKNOWN_CHANNEL,
    Refused,
    done,
)
from imconnect_discord.threads import Full, Threads
from imconnect_discord.translate import (
    TEXT_LIMIT,
    Place,
    Said,
    buttons,
    message_ref,
    nonce_of,
    place_of,
    read,
    read_ref,
)
from imconnect_discord.wire import Line

PLAIN = discord.AllowedMentions.none()

LOOK_BACK = 50
"""Messages of a channel in which one is looked for that may have been sent before."""

MOST_DOUBTFUL = 1_000
MOST_SPOKEN = 10_000

RIGHTS_PAUSE, FULL_PAUSE = 60.0, 300.0
"""Seconds before it is tried again where the bot lacks a right, and where Discord allows no more threads."""

STAMP = re.compile(r"\n-# <t:\d+:R>$")
"""The line below a waiting notice that says how old it is, counted up by Discord itself
(docs.discord.com/developers/reference#message-formatting)."""

log = structlog.get_logger("imconnect.discord")


class Speaking:
    """Says what it is given. *full* is called when Discord allows no more threads, each time that begins."""

    def __init__(
        self,
        line: Line,
        threads: Threads,
        directs: Directs,
        archive: Archive,
        full: Callable[[], Awaitable[None]],
    ) -> None:
        self._line = line
        self._archive = archive
        self._threads = threads
        self._directs = directs
        self._full = full
        self._is_full = False
        self._kit: Kit | None = None
        self._spoken: OrderedDict[int, None] = (
            OrderedDict()
        )  # channels in which nothing from before a start is in doubt
        self._doubtful: OrderedDict[str, None] = OrderedDict()  # keys that were tried and may have gone out

    def equip(self, kit: Kit) -> None:
        """Have the time. After a change of owners anything may have been said by the one before."""
        self._kit = kit
        self._spoken.clear()

    async def send(self, message: Outgoing) -> Sent:
        """Say it, in several parts where it is long. Raises `TryLater` or `Undeliverable`."""
        try:
            place = place_of(message.address.peer)
        except ValueError:
            raise Undeliverable("this is no place on Discord") from None
        parts = split(message.text, TEXT_LIMIT)
        if not parts:
            raise Undeliverable("there is nothing to say")
        try:
            sent = await self._send(place, message, self._stamped(message, parts))
        except TryLater:
            self._doubtful[message.key] = None
            if len(self._doubtful) > MOST_DOUBTFUL:
                self._doubtful.popitem(last=False)
            raise
        self._doubtful.pop(message.key, None)
        return sent

    async def _send(self, place: Place, message: Outgoing, parts: Sequence[str]) -> Sent:
        try:
            if len(parts) == 1 and await self._rewritten(message, parts[0]):
                return Sent(message.replaces or "")
            return await self._say_there(place, message, parts)
        except Refused as refused:
            if refused.code in (MISSING_ACCESS, MISSING_PERMISSIONS):  # a right that somebody has to give back
                raise TryLater(refused.reason, RIGHTS_PAUSE) from None
            raise

    def _stamped(self, message: Outgoing, parts: list[str]) -> list[str]:
        """A waiting notice says how old it is: it stands for long and is rewritten where it stands."""
        if message.slot != PLACE or self._kit is None:
            return parts
        stamped = f"{parts[-1]}\n-# <t:{int(self._kit.now().timestamp())}:R>"
        return [*parts[:-1], stamped] if len(stamped) <= TEXT_LIMIT else parts

    # -------------------------------------------------------------------------------------------------------- places

    async def _say_there(self, place: Place, message: Outgoing, parts: Sequence[str]) -> Sent:
        if place.channel is not None:
            return await self._say(place.channel, message, parts)
        if place.direct:
            return await self._say(await self._directs.open_for(place.member), message, parts)
        try:
            return await self._say_in_thread(place.member, message, parts)
        except Full:
            return await self._say_elsewhere(place.member, message, parts)

    async def _say_in_thread(self, member: int, message: Outgoing, parts: Sequence[str]) -> Sent:
        """In their private thread; in another where that one is gone or cannot be opened again."""
        thread = await self._threads.open_for(member)
        try:
            await self._threads.let_in(member, thread)
            sent = await self._say(thread, message, parts)
        except Refused as refused:
            if refused.code in FULL:  # it rests in the archive, and cannot be taken out of it now
                raise Full from None
            if refused.code not in (UNKNOWN_CHANNEL, THREAD_ARCHIVED, THREAD_LOCKED):
                raise
            if refused.code == UNKNOWN_CHANNEL or not await self._threads.reopen(thread):
                await self._threads.forget(thread)
                thread = await self._threads.open_for(member)
            try:
                sent = await self._say(thread, message, parts)
            except Refused as again:
                raise TryLater(again.reason) from None
        self._is_full = False
        return sent

    async def _say_elsewhere(self, member: int, message: Outgoing, parts: Sequence[str]) -> Sent:
        """No thread can be opened: say it in private messages, if they take any. The staff are told once."""
        if not self._is_full:
            self._is_full = True
            await self._full()
        try:
            return await self._say(await self._directs.open_for(member), message, parts)
        except Refused as refused:
            raise TryLater(f"Discord allows no more threads, and {refused.reason}", FULL_PAUSE) from None

    # --------------------------------------------------------------------------------------------------------- words

    async def _say(self, channel: int, message: Outgoing, parts: Sequence[str]) -> Sent:
        """Each part once: the first answers what is answered, the last has what can be chosen."""
        where = (await self._line.client()).get_partial_messageable(channel)
        before = await self._said_before(channel, message, parts)
        last = 0
        for number, part in enumerate(parts):
            if number in before:
                last = before[number]
                continue
            extras: dict[str, Any] = {"allowed_mentions": PLAIN, "suppress_embeds": True}
            if number == len(parts) - 1 and message.choices:
                extras["view"] = buttons(message.choices)
            answered = read_ref(message.reply_to or "") if number == 0 else None
            if answered is not None and answered[0] == channel:
                extras["reference"] = discord.MessageReference(
                    message_id=answered[1], channel_id=channel, fail_if_not_exists=False
                )
            nonce = nonce_of(message.key, number, channel)
            last = (await self._archive.with_room(partial(_sent, where, part, nonce, extras))).id
        self._spoken[channel] = None
        if len(self._spoken) > MOST_SPOKEN:
            self._spoken.popitem(last=False)
        return Sent(message_ref(channel, last))

    async def _said_before(self, channel: int, message: Outgoing, parts: Sequence[str]) -> dict[int, int]:
        """Parts that stand there already, by number: Discord itself knows a nonce only for a few minutes.

        Looked for where a try before this one may have gone unheard: the first time after a start, and after one that
        failed. Nothing else was said there meanwhile, so only the last things said can be this one.
        """
        known = channel in self._spoken or self._threads.opened_here(channel)
        if known and message.key not in self._doubtful:
            return {}
        client, bot = await self._line.client(), await self._line.bot_id()
        raws = cast("list[dict[str, Any]]", await done(client.http.logs_from(channel, LOOK_BACK)))
        ours = [said for raw in raws if (said := _readable(raw)) is not None and said.member == bot]
        nonces = {nonce_of(message.key, number, channel): number for number in range(len(parts))}
        found = {nonces[said.nonce]: said.id for said in ours if said.nonce in nonces}
        for said in ours[: len(parts)]:
            for number, part in enumerate(parts):
                if number not in found and said.nonce is None and _is_it(said, message, part, number):
                    found[number] = said.id
                    break
        return found

    async def _rewritten(self, message: Outgoing, text: str) -> bool:
        """Whether what this one replaces could be rewritten where it stands."""
        standing = read_ref(message.replaces or "")
        if standing is None:
            return False
        there = (await self._line.client()).get_partial_messageable(standing[0]).get_partial_message(standing[1])

        async def rewrite() -> None:
            await done(there.edit(content=text, view=buttons(message.choices), allowed_mentions=PLAIN))

        try:
            await rewrite()
        except Refused as refused:
            if refused.code != THREAD_ARCHIVED or not await self._reopened(standing[0]):
                log.info("notice not rewritten", says=refused.reason)
                return False
            try:
                await rewrite()
            except Refused:
                return False
        return True

    async def _reopened(self, thread: int) -> bool:
        try:
            return await self._threads.reopen(thread)
        except Full:
            return False


async def _sent(where: discord.PartialMessageable, part: str, nonce: str, extras: Mapping[str, Any]) -> discord.Message:
    return await done(where.send(part, nonce=nonce, **extras))


def _readable(raw: dict[str, Any]) -> Said | None:
    try:
        return read(raw)
    except (KeyError, TypeError, ValueError):
        return None


def _is_it(said: Said, message: Outgoing, part: str, number: int) -> bool:
    answered = read_ref(message.reply_to or "") if number == 0 else None
    same_answer = said.answers == (answered[1] if answered is not None and answered[0] == said.channel else None)
    return same_answer and STAMP.sub("", said.text).strip() == STAMP.sub("", part).strip()
