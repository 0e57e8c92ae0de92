"""What Discord keeps of a channel, read again after a time in which nobody told us."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import discord

from imconnect.ports import Item, StaffWord
from imconnect_discord.lanes import Found
from imconnect_discord.refusals import Refused, done
from imconnect_discord.translate import Said, read, unreadable
from imconnect_discord.wire import Line

PAGE = 100  # messages; docs.discord.com/developers/resources/message#get-channel-messages
LOOK_BACK = 50
"""Messages before the last one heard that are looked at for edits."""

CLOCKS_APART = timedelta(minutes=1)
"""How far our clock and Discord's may differ."""

Raw = Mapping[str, Any]


class ChannelHistory:
    """A thread, a private conversation or a public channel. *bring* and *change* make items of messages and edits."""

    def __init__(
        self,
        line: Line,
        account: str,
        channel: int,
        bring: Callable[[Said], Sequence[Item]],
        change: Callable[[Said], Sequence[Item]],
    ) -> None:
        self._line = line
        self._account = account
        self._channel = channel
        self._bring = bring
        self._change = change

    async def after(self, message: int) -> Sequence[Found]:
        """A hundred messages at most. One that cannot be read spoils no other. Raises `TryLater`, `Undeliverable`."""
        client = await self._line.client()
        raws = cast("list[Raw]", await done(client.http.logs_from(self._channel, PAGE, after=message)))
        return [(int(raw["id"]), self._items(raw)) for raw in sorted(raws, key=_number)]

    async def changed(self, message: int, since: datetime) -> Sequence[Found]:
        """Messages we would bring, with their edits. Raises `TryLater`, `Undeliverable`."""
        client = await self._line.client()
        raws = cast("list[Raw]", await done(client.http.logs_from(self._channel, LOOK_BACK, before=message + 1)))
        found: list[Found] = []
        for raw in sorted(raws, key=_number):
            said = readable(raw)
            if said is None or not self._bring(said):
                continue
            late = said.edited and datetime.fromisoformat(said.edited) > since - CLOCKS_APART
            found.append((said.id, self._change(said) if late else ()))
        return found

    def _items(self, raw: Raw) -> Sequence[Item]:
        try:
            said = read(raw)
        except Exception as error:  # whatever is strange about it, the others are to be heard
            return [unreadable(raw, self._account, type(error).__name__)]
        return self._bring(said) if said is not None else ()


class PostHistory:
    """A post of the staff forum. *word_of* reads what a colleague did there."""

    def __init__(self, line: Line, post: int, word_of: Callable[[discord.Message], StaffWord | None]) -> None:
        self._line = line
        self._post = post
        self._word_of = word_of

    async def after(self, message: int) -> Sequence[Found]:
        """A hundred messages at most. Raises `TryLater`, `Undeliverable`."""
        client = await self._line.client()
        post = await done(client.fetch_channel(self._post))
        if not isinstance(post, discord.Thread):
            return ()
        members: dict[int, discord.Member | None] = {}
        found: list[Found] = []
        for said in await done(_page(post, message)):
            if not said.author.bot and said.author.id not in members:
                members[said.author.id] = await _member(post.guild, said.author.id)
            member = members.get(said.author.id)
            if member is not None:
                said.author = member  # the history does not tell roles
            word = self._word_of(said) if member is not None else None
            found.append((said.id, (word,) if word is not None else ()))
        return found

    async def changed(self, message: int, since: datetime) -> Sequence[Found]:
        """What colleagues wrote counts as it was written: none."""
        return ()


async def _page(post: discord.Thread, after: int) -> list[discord.Message]:
    return [one async for one in post.history(limit=PAGE, after=discord.Object(after), oldest_first=True)]


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    try:
        return await done(guild.fetch_member(user_id))
    except Refused:
        return None


def readable(raw: Raw) -> Said | None:
    """*raw* read, or None where that is not possible or nobody wrote it."""
    try:
        return read(raw)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def begins_at(snowflake: int) -> datetime:
    """When the thing of that id was made."""
    return discord.utils.snowflake_time(snowflake).astimezone(UTC)


def _number(raw: Raw) -> int:
    return int(raw["id"])
