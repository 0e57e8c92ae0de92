"""The staff room: a forum group in which each conversation has a topic."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram import Bot, LinkPreviewOptions, ReplyParameters

from imconnect.domain.conversations import Stage
from imconnect.domain.splitting import split, utf16_units
from imconnect.ports import Header, TopicGone, TryLater, Undeliverable
from imconnect_telegram.pace import Pace
from imconnect_telegram.translate import TEXT_LIMIT
from imconnect_telegram.wire import Moved, done

T = TypeVar("T")

LONGEST_WAIT = 1.0
"""Seconds a copy waits for its turn before it is tried later."""

TITLE_LIMIT = 128  # characters; core.telegram.org/bots/api#createforumtopic
GONE = ("thread not found", "topic_deleted", "topic_id_invalid", "topic not found", "topic deleted")
CLOSED = ("topic_closed", "topic is closed", "topic closed")
NOTHING_NEW = ("message is not modified", "topic_not_modified")
MESSAGE_GONE = (
    "message to edit not found",
    "message to delete not found",
    "message can't be edited",
    "message_id_invalid",
)


class TelegramStaffRoom:
    """One forum group. Its number may change, when Telegram makes it another group; *moved* is told then."""

    def __init__(self, bot: Bot, pace: Pace, chat_id: int, moved: Callable[[int, int], Awaitable[None]]) -> None:
        self._bot = bot
        self._pace = pace
        self._room = chat_id
        self._moved = moved
        self._shut: set[str] = set()
        self.chat_id = chat_id

    @property
    def room(self) -> str:
        """The group by the number it is set under: a room keeps its name when the group moves."""
        return str(self._room)

    async def open(self, header: Header) -> str:
        """Make a topic. After an answer that went unheard a second one may be made; the first is never used then."""
        title = f"{header.reference} · {header.title}"[:TITLE_LIMIT]
        await self._turn()  # a topic begins with a note in the group
        made = await self._call(lambda chat: self._bot.create_forum_topic(chat, title))
        return str(made.message_thread_id)

    async def head(self, topic: str, head: str | None, header: Header) -> str:
        """The header as the topic's first message, rewritten in place. A case that goes on opens its topic again."""
        if topic in self._shut and header.stage is not Stage.RESOLVED:
            await self._reopen(topic)
        text = split(header.text, TEXT_LIMIT, utf16_units)[0]
        if head is not None:
            try:
                await self._edit(head, text)
            except MessageGone:
                pass
            else:
                return head
        return await self._say(topic, text, copied=True)

    async def post(self, topic: str, text: str) -> tuple[str, ...]:
        return tuple([await self._say(topic, part, copied=True) for part in split(text, TEXT_LIMIT, utf16_units)])

    async def revise(self, topic: str, posted: tuple[str, ...], text: str) -> tuple[str, ...]:
        """Rewrite what was posted. Telegram lets a bot edit its messages at any age."""
        parts = split(text, TEXT_LIMIT, utf16_units)
        kept: list[str] = []
        for number, part in enumerate(parts):
            if number < len(posted):
                try:
                    await self._edit(posted[number], part)
                except MessageGone:
                    kept.append(await self._say(topic, part, copied=True))
                else:
                    kept.append(posted[number])
            else:
                kept.append(await self._say(topic, part, copied=True))
        for old in posted[len(parts) :]:
            await self._edit(old, "…")
        return tuple(kept)

    async def answer(self, topic: str | None, text: str, to: str | None = None) -> None:
        number = int(to.rpartition(":")[2]) if to else None
        await self._say(topic, text, copied=False, answering=number)

    async def shut(self, topic: str) -> None:
        await self._turn()
        with contextlib.suppress(TopicShut, NothingNew):
            await self._call(lambda chat: self._bot.close_forum_topic(chat, int(topic)))
        self._shut.add(topic)

    async def _reopen(self, topic: str) -> None:
        with contextlib.suppress(NothingNew):
            await self._call(lambda chat: self._bot.reopen_forum_topic(chat, int(topic)))
        self._shut.discard(topic)

    # ------------------------------------------------------------------------------------------------------- calls

    async def _say(self, topic: str | None, text: str, *, copied: bool, answering: int | None = None) -> str:
        quoting = ReplyParameters(answering, allow_sending_without_reply=True) if answering is not None else None
        # Without previews: nobody who works here should fetch a page that a customer was sent to.
        plain = LinkPreviewOptions(is_disabled=True)

        async def say() -> str:
            if copied:
                await self._turn()
            else:
                await self._pace.turn(self.chat_id)
            said = await self._call(
                lambda chat: self._bot.send_message(
                    chat,
                    text,
                    message_thread_id=int(topic) if topic is not None else None,
                    reply_parameters=quoting,
                    link_preview_options=plain,
                )
            )
            return str(said.message_id)

        try:
            return await say()
        except TopicShut:
            if topic is None:
                raise Undeliverable("the group's general topic is closed") from None
            await self._reopen(topic)
            return await say()

    async def _turn(self) -> None:
        """Take one of the group's messages for a copy. Raises `TryLater` where that would take long: copies can wait,
        and what comes meanwhile goes into the same."""
        early = self._pace.early(self.chat_id, copied=True)
        if early > LONGEST_WAIT:
            raise TryLater("the group has had its messages for this minute", early)
        await self._pace.turn(self.chat_id, copied=True)

    async def _edit(self, message: str, text: str) -> None:
        await self._turn()
        plain = LinkPreviewOptions(is_disabled=True)
        with contextlib.suppress(NothingNew):
            await self._call(
                lambda chat: self._bot.edit_message_text(
                    text, chat_id=chat, message_id=int(message), link_preview_options=plain
                )
            )

    async def _call(self, call: Callable[[int], Awaitable[T]]) -> T:
        """Call with the group's number. Raises what the room's methods raise, and what is named below."""
        try:
            return await done(call(self.chat_id))
        except Moved as moved:
            await self._moved(self.chat_id, moved.to)
            self.chat_id = moved.to
            return await self._call(call)
        except TryLater as later:
            if later.after is not None:
                self._pace.hold(self.chat_id, later.after)
            raise
        except Undeliverable as never:
            raise _sorted(never) from None


class TopicShut(Exception):
    """The topic is closed; it can be opened again."""


class MessageGone(Exception):
    """What was posted is not there any more."""


class NothingNew(Exception):
    """It is so already."""


def _sorted(never: Undeliverable) -> Exception:
    says = never.reason.lower()
    if any(sign in says for sign in GONE):
        return TopicGone("the topic was deleted")
    if any(sign in says for sign in CLOSED):
        return TopicShut()
    if any(sign in says for sign in NOTHING_NEW):
        return NothingNew()
    if any(sign in says for sign in MESSAGE_GONE):
        return MessageGone()
    return never
