"""The Telegram channel: one bot, its private chats, the groups it is addressed in and the staff's group."""

import asyncio
import hmac
import json
import re
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from pydantic import BaseModel
from telegram import ChatMemberAdministrator, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatAction

from imconnect.domain.messages import Address, Attachment, Incoming, Outgoing, Unreadable
from imconnect.domain.splitting import split, utf16_units
from imconnect.ports import (
    Deliver,
    Finding,
    Hook,
    Item,
    Kit,
    Mark,
    MaybeSent,
    Sent,
    StaffWord,
    TryLater,
    Undeliverable,
)
from imconnect_telegram.menu import offer_commands
from imconnect_telegram.pace import Pace
from imconnect_telegram.settings import TelegramSettings
from imconnect_telegram.staff import TelegramStaffRoom
from imconnect_telegram.translate import (
    CHANNEL,
    TEXT_LIMIT,
    UPDATE_KINDS,
    Bot,
    Heard,
    buttons,
    entities,
    join_album,
    message_ref,
    place_of,
    read,
    unreadable_body,
)
from imconnect_telegram.wire import Doubtful, Line, Moved, done, raw_updates, told

Raw = Mapping[str, Any]

LONG_POLL = 30
"""Seconds a poll stays open."""

LARGEST_BATCH = 100
"""Updates in one answer; core.telegram.org/bots/api#getupdates."""

ALBUM_PAUSE, ALBUM_ROUNDS, LARGEST_ALBUM = 0.7, 4, 10
"""Seconds the rest of an album is given to come, how often, and how many parts it can have."""

FORGOTTEN_AFTER = timedelta(hours=24)
"""How long Telegram keeps what nobody fetched; core.telegram.org/bots/api#getting-updates."""

REACHED, REACHED_EVERY = "reached", timedelta(minutes=10)
"""The mark that says when Telegram was last heard from, and how often it is set while nobody writes."""

MOVED = "moved:"
"""The mark that says by which number a group goes now."""

TYPING_AFTER, MOST_TYPING = 0.7, 16
"""Seconds without an answer after which a chat shows that we are typing; in how many chats at a time that may be
waited for: with more, answers are more welcome than the sign."""

FEWEST_LETTERS = 16
"""Of a webhook secret, below which it can be guessed."""

LONGEST_PAUSE = 30.0
MOST_OFFERS = 20
MOST_BEGUN = 1000
WEBHOOK_LOOK = 60.0
"""Seconds between two looks at how deliveries to the webhook go."""

_MESSAGE = re.compile(r"-?\d+:(\d+)(?::edit:.*)?")

log = structlog.get_logger("imconnect.telegram")


class TelegramAdapter:
    """One bot. A private chat with it is a conversation; in groups it answers what is addressed to it."""

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
        self._kit: Kit | None = None
        self._reached_at: datetime | None = None
        self._bot = Bot(self._account, "", frozenset(chosen.open_groups), chosen.staff_chat)
        self._moved: dict[int, int] = {}
        self._typing: dict[int, asyncio.Task[None]] = {}
        self._albums: dict[str, _Album] = {}
        self._staff_room = (
            TelegramStaffRoom(self._speaking.bot, self._pace, chosen.staff_chat, self._follow)
            if chosen.staff_chat is not None
            else None
        )
        self._begun: OrderedDict[str, list[int]] = OrderedDict()  # key -> the parts of it that were sent
        self._thanks: set[asyncio.Task[None]] = set()
        self._offering: asyncio.Task[None] | None = None

    @property
    def account(self) -> str:
        return self._account

    @property
    def staff_room(self) -> TelegramStaffRoom | None:
        """Where agents work, if `telegram.staff_chat` is set."""
        return self._staff_room

    async def equip(self, kit: Kit) -> None:
        """Remember when Telegram was last heard from and which groups moved; aside, offer the commands."""
        self._kit = kit
        self._bot = replace(self._bot, leaks=kit.leaks)
        kept = await kit.recall()
        if REACHED in kept:
            self._reached_at = datetime.fromisoformat(kept[REACHED].value)
        for name, mark in kept.items():
            if name.startswith(MOVED):
                self._now_goes_by(int(name.removeprefix(MOVED)), int(mark.value))
        if self._offering is not None:
            self._offering.cancel()
        self._offering = self._aside(self._offer_commands(kit))

    async def _offer_commands(self, kit: Kit) -> None:
        """In every language, as soon as Telegram lets us. Nobody waits for it: the desk works without a menu."""
        for number in range(MOST_OFFERS):
            try:
                await offer_commands(self._speaking.bot, kit.playbook, self._goes_by(self._settings.staff_chat))
            except TryLater as later:
                await asyncio.sleep(later.after if later.after is not None else min(LONGEST_PAUSE, 2.0**number))
            except Exception as error:  # another server's answer may be one that the library cannot read
                log.warning("commands not offered", error=type(error).__name__)
                return
            else:
                return
        log.warning("commands not offered", error="Telegram put it off too often")

    def _goes_by(self, chat_id: int | None) -> int | None:
        return self._moved.get(chat_id, chat_id) if chat_id is not None else None

    def _now_goes_by(self, old: int, new: int) -> None:
        self._moved[old] = new
        if old == self._bot.staff_chat:
            self._bot = replace(self._bot, staff_chat=new)
            if self._staff_room is not None:
                self._staff_room.chat_id = new
        if old in self._bot.open_groups:
            self._bot = replace(self._bot, open_groups=(self._bot.open_groups - {old}) | {new})

    async def _follow(self, old: int, new: int) -> None:
        """A group became a supergroup: it is the same room under another number."""
        log.info("group moved")
        self._now_goes_by(old, new)
        if self._kit is not None:
            await self._kit.remember(f"{MOVED}{old}", str(new))

    # ---------------------------------------------------------------------------------------------------- listening

    async def listen(self, deliver: Deliver) -> None:
        """Hand over what people write until cancelled. Raises `TryLater`, with the seconds to wait, where it cannot."""
        try:
            if not self._bot.username:
                me = await done(self._fetching.bot.get_me())
                self._bot = replace(self._bot, username=me.username or "")
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
            await self._follow_all(heard)
            await self._hand_over(deliver, _joined(heard))
            self._offset = _after(batch, self._offset)
            self._thank(heard)
            self._show_typing(heard)

    async def _follow_all(self, heard: Sequence[Heard]) -> None:
        for one in heard:
            if one.moved is not None:
                await self._follow(*one.moved)

    async def _hand_over(self, deliver: Deliver, items: Sequence[Item]) -> None:
        """Deliver, and with it that Telegram was heard from. The staff's group keeps the number it is set under."""
        room = self._staff_room.room if self._staff_room is not None else ""
        named = [replace(item, room=room) if isinstance(item, StaffWord) else item for item in items]
        now = self._kit.now() if self._kit is not None else None
        reached = self._reached(now) if now is not None else []
        if reached or named:
            await deliver([*reached, *named])
        if reached:
            self._reached_at = now

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
        return batch, [read(raw, self._bot) for raw in batch]

    def _reached(self, now: datetime) -> list[Item]:
        """That Telegram was heard from. Where it was out of reach for so long that it has forgotten messages, a word
        for the operator; across restarts too."""
        before = self._reached_at
        if before is not None and now - before < REACHED_EVERY:
            return []
        mark = Mark(CHANNEL, self._account, REACHED, now.isoformat())
        if before is None or now - before < FORGOTTEN_AFTER:
            return [mark]
        log.error("messages may be missing", hours=int((now - before).total_seconds() / 3600))
        reason = "Telegram was out of reach for more than 24 hours: messages may be missing"
        return [Unreadable(f"gap:{before.isoformat()}", CHANNEL, self._account, reason, 0), mark]

    def _thank(self, heard: Sequence[Heard]) -> None:
        """Tell Telegram that presses were taken, so that buttons stop turning. Late or lost, it does no harm."""
        for press in [one.press for one in heard if one.press is not None]:
            self._aside(self._answer(press))

    def _show_typing(self, heard: Sequence[Heard]) -> None:
        """Show those who wrote that something is being done, where an answer takes a while."""
        for one in heard:
            if isinstance(one.item, Incoming) and one.item.revises is None and len(self._typing) < MOST_TYPING:
                chat_id, thread = _place(one.item.address)
                if chat_id not in self._typing:
                    self._typing[chat_id] = self._aside(self._type(chat_id, thread))

    def _answered(self, chat_id: int) -> None:
        if typing := self._typing.pop(chat_id, None):
            typing.cancel()

    async def _type(self, chat_id: int, thread: int | None) -> None:
        await asyncio.sleep(TYPING_AFTER)
        self._typing.pop(chat_id, None)
        try:
            await done(self._speaking.bot.send_chat_action(chat_id, ChatAction.TYPING, message_thread_id=thread))
        except (TryLater, Undeliverable, Moved) as error:
            log.debug("typing not shown", error=type(error).__name__)

    async def _answer(self, press: str) -> None:
        try:
            await done(self._speaking.bot.answer_callback_query(press))
        except (TryLater, Undeliverable) as error:
            log.debug("press not answered", reason=error.reason)

    def _aside(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._thanks.add(task)
        task.add_done_callback(self._thanks.discard)
        return task

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
        heard = read(cast("Raw", raw), self._bot) if isinstance(raw, dict) else unreadable_body(body, self._account)
        try:
            await self._follow_all([heard])
            if heard.album is not None and isinstance(heard.item, Incoming):
                await self._gather(deliver, heard.album, heard.item)
            elif heard.item is not None:
                await self._hand_over(deliver, [heard.item])
        except TryLater:
            return 503
        self._thank([heard])
        self._show_typing([heard])
        return 200

    async def _gather(self, deliver: Deliver, name: str, part: Incoming) -> None:
        """Wait for the other parts of the album, which come each by itself; deliver all as one; return once stored."""
        album = self._albums.get(name)
        if album is None:
            album = self._albums[name] = _Album()
            album.task = asyncio.create_task(self._deliver_album(deliver, name, album))
        album.parts.append(part)
        album.came.set()
        await asyncio.shield(album.task)

    async def _deliver_album(self, deliver: Deliver, name: str, album: "_Album") -> None:
        try:
            while len(album.parts) < LARGEST_ALBUM:
                album.came.clear()
                try:
                    await asyncio.wait_for(album.came.wait(), ALBUM_PAUSE)
                except TimeoutError:
                    break
        finally:
            del self._albums[name]
        parts = sorted(album.parts, key=lambda one: int(one.id.partition(":")[2]))
        await self._hand_over(deliver, [join_album(parts)])

    # ----------------------------------------------------------------------------------------------------- speaking

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        """Say it, in several parts where it is long. Raises `TryLater` or `Undeliverable`.

        What was tried later goes on with the part that was not sent. A part that may have arrived is not repeated.
        """
        parts = split(message.text, TEXT_LIMIT, utf16_units)
        if not parts:
            raise Undeliverable("there is nothing to say")
        sent = self._begun.pop(message.key, [])
        try:
            while len(sent) < len(parts):
                sent.append(await self._say(message, parts, len(sent)))
        except Doubtful as doubt:
            return MaybeSent(str(doubt))
        except TryLater:
            self._begun[message.key] = sent
            if len(self._begun) > MOST_BEGUN:
                self._begun.popitem(last=False)
            raise
        return Sent(message_ref(self._chat(message.address)[0], sent[-1]))

    def _chat(self, address: Address) -> tuple[int, int | None]:
        chat_id, thread = _place(address)
        return self._moved.get(chat_id, chat_id), thread

    async def _say(self, message: Outgoing, parts: Sequence[str], number: int) -> int:
        """Say one part: the first answers what is answered, the last has the buttons. Returns its message id."""
        chat_id, thread = self._chat(message.address)
        self._answered(chat_id)
        await self._pace.turn(chat_id)
        answered = _MESSAGE.fullmatch(message.reply_to or "")
        call = self._speaking.bot.send_message
        quoting = (
            ReplyParameters(int(answered[1]), allow_sending_without_reply=True) if answered and not number else None
        )
        markup = buttons(message.choices, self._bot.username) if number == len(parts) - 1 else None
        no_preview = LinkPreviewOptions(is_disabled=True)
        try:
            said = await told(
                call(
                    chat_id,
                    parts[number],
                    entities=entities(parts[number], message.reference),
                    message_thread_id=thread,
                    reply_parameters=quoting,
                    reply_markup=markup,
                    link_preview_options=no_preview,
                )
            )
        except TryLater as later:
            if later.after is not None:
                self._pace.hold(chat_id, later.after)
            raise
        except Moved as moved:
            await self._follow(chat_id, moved.to)
            return await self._say(message, parts, number)
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
            await done(self._speaking.bot.delete_message(self._chat(address)[0], int(found[1])))
        except Moved as moved:
            await self._follow(self._chat(address)[0], moved.to)
            await self.erase(address, message_id)
        except Undeliverable as never:
            if "message to delete not found" not in never.reason.lower():
                raise

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
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
        secret = self._settings.webhook_secret
        if secret is not None and len(secret.get_secret_value()) < FEWEST_LETTERS:
            cure = f"take at least {FEWEST_LETTERS} letters and digits at random"
            findings.append(Finding("telegram.webhook_secret", False, f"short enough to be guessed: {cure}"))
        open_groups = self._settings.open_groups
        if open_groups and not me.can_read_all_group_messages:
            cure = "switch privacy mode off with @BotFather (/setprivacy), then add the bot to the group anew"
            findings.append(Finding("telegram.open_groups", False, f"the bot sees only what names it: {cure}"))
        else:
            privacy = "off: it sees every message of its groups" if me.can_read_all_group_messages else "on"
            findings.append(Finding("telegram.privacy", True, f"privacy mode is {privacy}"))
        if self._settings.staff_chat is not None:
            findings.append(await self._check_staff_chat(self._settings.staff_chat))
        return findings

    async def _check_staff_chat(self, chat_id: int) -> Finding:
        subject = "telegram.staff_chat"
        try:
            chat = await done(self._speaking.bot.get_chat(chat_id))
            me = await done(self._speaking.bot.get_chat_member(chat_id, int(self._account)))
        except Moved as moved:
            return Finding(subject, False, f"the group became a supergroup: set telegram.staff_chat to {moved.to}")
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


@dataclass(slots=True)
class _Album:
    """The parts of an album that came so far, each by a delivery of its own."""

    parts: list[Incoming] = field(default_factory=list[Incoming])
    came: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] = field(init=False)


def _joined(heard: Sequence[Heard]) -> list[Item]:
    """What was heard, in order, the parts of an album as one message where its first part was."""
    albums: dict[str, list[Incoming]] = {}
    for one in heard:
        if one.album is not None and isinstance(one.item, Incoming):
            albums.setdefault(one.album, []).append(one.item)
    items: list[Item] = []
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
