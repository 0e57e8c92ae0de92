"""The Telegram channel: one bot and its private chats."""

import asyncio
import hmac
import json
import re
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel
from telegram import ChatMemberAdministrator, LinkPreviewOptions, ReplyParameters

from imconnect.domain.messages import Address, Attachment, Incoming, Outgoing, Unreadable
from imconnect.ports import Deliver, Finding, Hook, MaybeSent, Sent, TryLater, Undeliverable
from imconnect_telegram.pace import Pace
from imconnect_telegram.settings import TelegramSettings
from imconnect_telegram.translate import (
    CHANNEL,
    UPDATE_KINDS,
    Heard,
    buttons,
    join_album,
    message_ref,
    place_of,
    read,
    split,
    unreadable_body,
)
from imconnect_telegram.wire import Doubtful, Line, done, raw_updates, told

Raw = Mapping[str, Any]

LONG_POLL = 30
"""Seconds a poll stays open."""

LARGEST_BATCH = 100
"""Updates in one answer; core.telegram.org/bots/api#getupdates."""

ALBUM_PAUSE, ALBUM_ROUNDS, LARGEST_ALBUM = 0.7, 4, 10
"""Seconds the rest of an album is given to come, how often, and how many parts it can have."""

FORGOTTEN_AFTER = 24 * 3600.0
"""Seconds Telegram keeps what nobody fetched; core.telegram.org/bots/api#getting-updates."""

LONGEST_PAUSE = 30.0
MOST_BEGUN = 1000
WEBHOOK_LOOK = 60.0
"""Seconds between two looks at how deliveries to the webhook go."""

_MESSAGE = re.compile(r"-?\d+:(\d+)(?::edit:.*)?")

log = structlog.get_logger("imconnect.telegram")


class TelegramAdapter:
    """One bot. Its private chats are conversations; what is said in groups is not for the desk."""

    Settings: type[BaseModel] = TelegramSettings

    name = CHANNEL
    keyed = False  # sendMessage has no key: said twice is read twice

    def __init__(self, settings: BaseModel) -> None:
        chosen = TelegramSettings.model_validate(settings)
        token = chosen.token.get_secret_value()
        self._settings = chosen
        self._account = chosen.bot_id
        self._speaking = Line.to(chosen.api_root, token, 64)
        self._fetching = Line.to(chosen.api_root, token, 2)
        self._pace = Pace(chosen.messages_per_second)
        self._offset = 0
        self._failures = 0
        self._reached_at: float | None = None
        self._begun: OrderedDict[str, list[int]] = OrderedDict()  # key -> the parts of it that were sent
        self._thanks: set[asyncio.Task[None]] = set()

    @property
    def account(self) -> str:
        return self._account

    # ---------------------------------------------------------------------------------------------------- listening

    async def listen(self, deliver: Deliver) -> None:
        """Hand over what people write until cancelled. Raises `TryLater`, with the seconds to wait, where it cannot."""
        try:
            if self._settings.mode == "webhook":
                await self._have_it_delivered()
            else:
                await self._fetch(deliver)
        except TryLater as later:
            self._failures += 1
            pause = later.after if later.after is not None else min(LONGEST_PAUSE, 0.25 * 2 ** min(self._failures, 7))
            raise TryLater(later.reason, pause) from None

    async def _fetch(self, deliver: Deliver) -> None:
        await done(self._fetching.bot.delete_webhook())
        while True:
            batch, heard = await self._next_batch()
            self._failures = 0
            now = asyncio.get_running_loop().time()
            items = [*self._missed(now), *_joined(heard)]
            if items:
                await deliver(items)
            self._reached_at = now
            self._offset = _after(batch, self._offset)
            self._thank(heard)

    async def _next_batch(self) -> tuple[Sequence[Raw], Sequence[Heard]]:
        """What is new, once the albums in it are whole. Nothing of it is confirmed by this."""
        batch, heard = await self._updates(LONG_POLL)
        for _ in range(ALBUM_ROUNDS):
            if len(batch) >= LARGEST_BATCH or _unfinished(heard) is None:
                break
            await asyncio.sleep(ALBUM_PAUSE)
            again = await self._updates(0)
            if len(again[0]) <= len(batch):
                return batch, heard
            batch, heard = again
        if len(batch) >= LARGEST_BATCH and (cut := _unfinished(heard)):
            return batch[:cut], heard[:cut]  # the rest of this album is in the next answer
        return batch, heard

    async def _updates(self, wait: int) -> tuple[Sequence[Raw], Sequence[Heard]]:
        batch = await done(raw_updates(self._fetching.bot, self._offset, wait, UPDATE_KINDS))
        return batch, [read(raw, self._account) for raw in batch]

    def _missed(self, now: float) -> list[Unreadable]:
        """A word for the operator, where Telegram was out of reach for so long that it has forgotten messages."""
        if self._reached_at is None or now - self._reached_at < FORGOTTEN_AFTER:
            return []
        log.error("messages may be missing", hours=int((now - self._reached_at) / 3600))
        reason = "Telegram was out of reach for more than 24 hours: messages may be missing"
        return [Unreadable(f"gap:{self._offset}", CHANNEL, self._account, reason, 0)]

    def _thank(self, heard: Sequence[Heard]) -> None:
        """Tell Telegram that presses were taken, so that buttons stop turning. Late or lost, it does no harm."""
        for press in [one.press for one in heard if one.press is not None]:
            self._aside(self._answer(press))

    async def _answer(self, press: str) -> None:
        try:
            await done(self._speaking.bot.answer_callback_query(press))
        except (TryLater, Undeliverable) as error:
            log.debug("press not answered", reason=error.reason)

    def _aside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._thanks.add(task)
        task.add_done_callback(self._thanks.discard)

    # ------------------------------------------------------------------------------------------------------ webhook

    async def _have_it_delivered(self) -> None:
        """Tell Telegram where to deliver, and look now and then how that goes."""
        chosen = self._settings
        if chosen.webhook_url is None or chosen.webhook_secret is None:
            raise TryLater("telegram.webhook_url and telegram.webhook_secret are not set", LONGEST_PAUSE)
        await done(
            self._fetching.bot.set_webhook(
                chosen.webhook_url,
                secret_token=chosen.webhook_secret.get_secret_value(),
                allowed_updates=UPDATE_KINDS,
            )
        )
        failed_at = None
        while True:
            info = await done(self._fetching.bot.get_webhook_info())
            self._failures = 0
            if info.url != chosen.webhook_url:
                raise TryLater("another program changed this bot's webhook: one bot belongs to one desk", 1.0)
            if info.last_error_date is not None and info.last_error_date != failed_at:
                failed_at = info.last_error_date
                log.warning("webhook fails", says=info.last_error_message, waiting=info.pending_update_count)
            await asyncio.sleep(WEBHOOK_LOOK)

    @property
    def brought_to(self) -> str | None:
        """The path of `telegram.webhook_url`, in webhook mode."""
        url = self._settings.webhook_url
        return (urlsplit(url).path or "/") if self._settings.mode == "webhook" and url else None

    def hook(self, deliver: Deliver) -> Hook:
        """What takes Telegram's deliveries."""
        return Hook("X-Telegram-Bot-Api-Secret-Token", partial(self.receive, deliver))

    async def receive(self, deliver: Deliver, secret: str | None, body: bytes) -> int:
        """Take one delivery to the webhook; returns the HTTP status to answer with.

        200 only once it is stored; 403 where *secret* (the header `X-Telegram-Bot-Api-Secret-Token`) is not ours, and
        then nothing of *body* is looked at; 503 where the store cannot take it, and Telegram comes again.
        """
        ours = self._settings.webhook_secret
        if ours is None or not hmac.compare_digest((secret or "").encode(), ours.get_secret_value().encode()):
            return 403
        try:
            raw = json.loads(body)
        except ValueError:
            raw = None
        heard = read(cast("Raw", raw), self._account) if isinstance(raw, dict) else unreadable_body(body, self._account)
        try:
            if heard.item is not None:
                await deliver([heard.item])
        except TryLater:
            return 503
        self._thank([heard])
        return 200

    # ----------------------------------------------------------------------------------------------------- speaking

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        """Say it, in several parts where it is long. Raises `TryLater` or `Undeliverable`.

        What was tried later goes on with the part that was not sent. A part that may have arrived is not repeated.
        """
        parts = split(message.text)
        if not parts:
            raise Undeliverable("there is nothing to say")
        sent = self._begun.pop(message.key, [])
        try:
            while len(sent) < len(parts):
                await self._pace.turn()
                sent.append(await self._say(message, parts, len(sent)))
        except Doubtful as doubt:
            return MaybeSent(str(doubt))
        except TryLater:
            self._begun[message.key] = sent
            if len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)
            raise
        return Sent(message_ref(_place(message.address)[0], sent[-1]))

    async def _say(self, message: Outgoing, parts: Sequence[str], number: int) -> int:
        """Say one part: the first answers what is answered, the last has the buttons. Returns its message id."""
        chat_id, thread = _place(message.address)
        answered = _MESSAGE.fullmatch(message.reply_to or "")
        call = self._speaking.bot.send_message
        quoting = (
            ReplyParameters(int(answered[1]), allow_sending_without_reply=True) if answered and not number else None
        )
        markup = buttons(message.choices) if number == len(parts) - 1 else None
        no_preview = LinkPreviewOptions(is_disabled=True)
        try:
            said = await told(
                call(
                    chat_id,
                    parts[number],
                    message_thread_id=thread,
                    reply_parameters=quoting,
                    reply_markup=markup,
                    link_preview_options=no_preview,
                )
            )
        except Undeliverable as never:
            if thread is None or "thread not found" not in never.reason.lower():
                raise
            plain = replace(message, address=replace(message.address, peer=str(chat_id)))
            return await self._say(plain, parts, number)  # the topic is gone; the chat is still there
        return said.message_id

    async def erase(self, address: Address, message_id: str) -> None:
        """Delete a message in the chat itself. Telegram allows it for 48 hours; one that is gone counts as deleted."""
        found = _MESSAGE.fullmatch(message_id)
        if found is None:
            raise Undeliverable("this is no message of the chat")
        try:
            await done(self._speaking.bot.delete_message(_place(address)[0], int(found[1])))
        except Undeliverable as never:
            if "message to delete not found" not in never.reason.lower():
                raise

    async def fetch(self, file: Attachment, most: int) -> bytes:
        """The content of a file that came with a message, if it has at most *most* bytes.

        Nothing is fetched of a file that says itself to be too large. Raises `TryLater`, or `Undeliverable` for a file
        that is larger, gone, or beyond the 20 MB that Telegram hands to bots.
        """
        if file.size > most:
            raise Undeliverable(f"the file has more than {most} bytes")
        found = await done(self._speaking.bot.get_file(file.id))
        content = bytes(await done(found.download_as_bytearray()))
        if len(content) > most:
            raise Undeliverable(f"the file has more than {most} bytes")
        return content

    # ------------------------------------------------------------------------------------------------------ looking

    async def check(self) -> Sequence[Finding]:
        """The token, how messages come, and the staff group."""
        try:
            me = await done(self._speaking.bot.get_me())
            webhook = await done(self._speaking.bot.get_webhook_info())
        except (TryLater, Undeliverable) as error:
            return [Finding("telegram.token", False, error.reason)]
        findings = [Finding("telegram.token", True, f"@{me.username}")]
        ours = self._settings.webhook_url if self._settings.mode == "webhook" else ""
        if webhook.url and webhook.url != ours:
            cure = "it will be replaced when the desk starts; stop the other program first"
            findings.append(Finding("telegram.mode", False, f"another webhook is set: {cure}"))
        elif webhook.last_error_message:
            findings.append(Finding("telegram.webhook_url", False, f"Telegram says: {webhook.last_error_message}"))
        else:
            findings.append(Finding("telegram.mode", True, self._settings.mode))
        if self._settings.staff_chat is not None:
            findings.append(await self._check_staff_chat(self._settings.staff_chat))
        return findings

    async def _check_staff_chat(self, chat_id: int) -> Finding:
        subject = "telegram.staff_chat"
        try:
            chat = await done(self._speaking.bot.get_chat(chat_id))
            me = await done(self._speaking.bot.get_chat_member(chat_id, int(self._account)))
        except (TryLater, Undeliverable) as error:
            return Finding(subject, False, f"{error.reason}: add the bot to the group and correct its id")
        if not chat.is_forum:
            return Finding(subject, False, "the group has no topics: switch them on in its settings")
        if not (isinstance(me, ChatMemberAdministrator) and me.can_manage_topics):
            return Finding(subject, False, "the bot may not manage topics: make it an administrator with that right")
        return Finding(subject, True, "topics can be managed")

    async def close(self) -> None:
        for task in list(self._thanks):
            task.cancel()
        await asyncio.gather(*self._thanks, return_exceptions=True)
        await self._fetching.close()
        await self._speaking.close()


def _place(address: Address) -> tuple[int, int | None]:
    try:
        return place_of(address.peer)
    except ValueError:
        raise Undeliverable("this is no chat of Telegram's") from None


def _joined(heard: Sequence[Heard]) -> list[Incoming | Unreadable]:
    """What was heard, in order, the parts of an album as one message where its first part was."""
    albums: dict[str, list[Incoming]] = {}
    for one in heard:
        if one.album is not None and isinstance(one.item, Incoming):
            albums.setdefault(one.album, []).append(one.item)
    items: list[Incoming | Unreadable] = []
    for one in heard:
        if one.album is None or not isinstance(one.item, Incoming):
            items += [one.item] if one.item is not None else []
        elif parts := albums.pop(one.album, None):
            items.append(join_album(parts))
    return items


def _unfinished(heard: Sequence[Heard]) -> int | None:
    """Where an album begins of which more may come: nothing else follows in its chat, and it can still have more."""
    open_albums: dict[str, tuple[str, int, int]] = {}  # peer -> the album it ends with, its first place, its parts
    for place, one in enumerate(heard):
        if not isinstance(one.item, Incoming):
            continue
        peer = one.item.address.peer
        if one.album is None:
            open_albums.pop(peer, None)
        elif peer in open_albums and open_albums[peer][0] == one.album:
            open_albums[peer] = (one.album, open_albums[peer][1], open_albums[peer][2] + 1)
        else:
            open_albums[peer] = (one.album, place, 1)
    return min((place for _, place, parts in open_albums.values() if parts < LARGEST_ALBUM), default=None)


def _after(batch: Sequence[Raw], offset: int) -> int:
    """The offset that confirms *batch*."""
    numbers = [number for raw in batch if isinstance(number := raw.get("update_id"), int)]
    if batch and not numbers:
        raise TryLater("Telegram's updates have no numbers", LONGEST_PAUSE)
    return max([offset, *(number + 1 for number in numbers)])
