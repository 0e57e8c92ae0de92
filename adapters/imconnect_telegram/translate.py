"""Telegram's updates as messages, and messages as what Telegram is asked to show. Pure, both ways."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from telegram import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    MessageOriginUser,
    Update,
    User,
)

from imconnect.domain import drafting
from imconnect.domain.drafting import LANGUAGE_CHOICE, PRIVATE
from imconnect.domain.messages import Address, Attachment, Choice, Handle, Incoming, Language, Remark, Unreadable
from imconnect.domain.splitting import utf16_units
from imconnect.ports import StaffAct, StaffWord

CHANNEL = "telegram"

TEXT_LIMIT = 4096  # UTF-16 units; core.telegram.org/bots/api#sendmessage
CALLBACK_LIMIT = 64  # bytes; core.telegram.org/bots/api#inlinekeyboardbutton

UPDATE_KINDS = ("message", "edited_message", "callback_query")
"""All we ask Telegram to tell."""

COMMANDS: Mapping[str, str] = {
    **{command.removeprefix("/"): key for command, key in drafting.COMMANDS.items()},
    **{language.value: LANGUAGE_CHOICE + language.value for language in Language},
}
"""What a command chooses. Any other is a message like every other."""

STAFF_COMMANDS: Mapping[str, StaffAct] = {
    "take": StaffAct.TAKE,
    "resolve": StaffAct.RESOLVE,
    "handback": StaffAct.HAND_BACK,
    "note": StaffAct.NOTE,
    "snippet": StaffAct.SNIPPET,
    "transfer": StaffAct.TRANSFER,
}
"""What colleagues do in the staff group by a command."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w+))?(?:\s+|$)")
_COPIED = re.compile(r"\b0x[0-9a-fA-F]{40,64}\b|\b[0-9a-fA-F]{64}\b")
_KEY, _NUMBER = "k:", "#"
"""What a button carries: the choice's key, or its place where the key is too long."""


@dataclass(frozen=True, slots=True)
class Bot:
    """Which bot reads: its number and user name, the groups it listens to unaddressed, and the staff's group."""

    account: str
    username: str = ""
    open_groups: frozenset[int] = frozenset()
    staff_chat: int | None = None
    leaks: Callable[[str], bool] = field(default=lambda _: False, repr=False, compare=False)
    """Whether a text gives a secret away: in a group it is then for the desk, which removes it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one update brings: at most one message; the album it is part of; the button press that wants an answer.

    `moved`: a group of the first number goes by the second from now on.
    """

    item: Incoming | Unreadable | StaffWord | None
    album: str | None = None
    press: str | None = None
    moved: tuple[int, int] | None = None


# ------------------------------------------------------------------------------------------------------------ reading


def read(raw: Mapping[str, Any], bot: Bot) -> Heard:
    """What *raw*, one update as Telegram sent it, brings. Never raises: what cannot be read is `Unreadable`."""
    try:
        update = Update.de_json(dict(raw), None)
        if update.message is not None:
            return _read_message(update.message, bot)
        if update.edited_message is not None:
            return Heard(_read_edit(update.edited_message, bot, update.update_id))
        if update.callback_query is not None:
            return _read_press(update.callback_query, bot.account)
    except Exception as error:
        return Heard(_unreadable(raw, bot.account, type(error).__name__))
    return Heard(None)


def unreadable_body(body: bytes, account: str) -> Heard:
    """A delivery that is no update at all."""
    name = hashlib.sha256(body).hexdigest()[:32]
    return Heard(Unreadable(f"update:{name}", CHANNEL, account, "not understood: no JSON object", len(body)))


def _unreadable(raw: Mapping[str, Any], account: str, reason: str) -> Unreadable:
    written = json.dumps(raw, sort_keys=True, default=repr).encode()
    number = raw.get("update_id")
    name = str(number) if isinstance(number, int) else hashlib.sha256(written).hexdigest()[:32]
    return Unreadable(f"update:{name}", CHANNEL, account, f"not understood: {reason}", len(written))


def _read_message(message: Message, bot: Bot) -> Heard:
    if message.migrate_to_chat_id is not None:
        return Heard(None, moved=(message.chat.id, message.migrate_to_chat_id))
    if message.chat.id == bot.staff_chat:
        return Heard(_staff_word(message, bot))
    incoming = _incoming(message, bot)
    if incoming is None:
        return Heard(None)
    return Heard(replace(incoming, choice=_command(incoming.text)), album=message.media_group_id)


def _staff_word(message: Message, bot: Bot) -> StaffWord | None:
    """What a colleague does in a topic of the staff group. Anonymous admins and channels are nobody (T-23)."""
    author, thread = message.from_user, message.message_thread_id
    if author is None or author.is_bot or message.sender_chat is not None or thread is None:
        return None
    text = message.text or message.caption or ""
    if not message.is_topic_message or not (text or message.effective_attachment):
        return None
    act = StaffAct.REPLY
    if found := _COMMAND.match(text):
        if (found[2] and found[2].lower() != bot.username.lower()) or found[1].lower() not in STAFF_COMMANDS:
            return None
        act, text = STAFF_COMMANDS[found[1].lower()], text[found.end() :]
    return StaffWord(
        id=message_ref(message.chat.id, message.message_id),
        channel=CHANNEL,
        account=bot.account,
        room=str(message.chat.id),
        topic=str(thread),
        author=_author(author),
        act=act,
        text=text.strip(),
    )


def _read_edit(message: Message, bot: Bot, update_id: int) -> Incoming | None:
    """An edit says what the message says now; a command in it is no command. A moving location is no edit."""
    if message.chat.id == bot.staff_chat:
        return None
    incoming = _incoming(message, bot)
    if incoming is None or message.location is not None:
        return None
    changed = message.edit_date or message.date
    edit = f"{incoming.id}:edit:{int(changed.timestamp())}:{update_id}"
    return replace(incoming, id=edit, revises=incoming.id, sent_at=changed)


def _read_press(press: CallbackQuery, account: str) -> Heard:
    """A press says the button's words. Telegram does not tell its time: that of the message it is under stands in."""
    under = press.message
    if under is None or under.chat.type != "private" or press.data is None:
        return Heard(None, press=press.id)
    thread = under.message_thread_id if isinstance(under, Message) and under.is_topic_message else None
    text, choice = _chosen(press.data, under if isinstance(under, Message) else None)
    item = Incoming(
        id=f"press:{press.id}",
        address=Address(CHANNEL, account, peer_of(under.chat.id, thread)),
        author=_author(press.from_user),
        text=text,
        sent_at=under.date if isinstance(under, Message) else datetime.fromtimestamp(0, UTC),
        choice=choice,
        language_hint=_language(press.from_user),
    )
    return Heard(item, press=press.id)


def _chosen(data: str, under: Message | None) -> tuple[str, str | None]:
    if data.startswith(_NUMBER):
        return data.removeprefix(_NUMBER), None
    rows = under.reply_markup.inline_keyboard if under is not None and under.reply_markup is not None else ()
    label = next((button.text for row in rows for button in row if button.callback_data == data), "")
    return label, data.removeprefix(_KEY)


def _incoming(message: Message, bot: Bot) -> Incoming | None:
    """What somebody said to the bot; None for what is not for it, for bots and for Telegram's own notes."""
    author, public = message.from_user, message.chat.type != "private"
    if author is None or author.is_bot or message.sender_chat is not None:
        return None
    text = _text(message, bot)
    if public and not _addressed(message, bot) and not bot.leaks(text):
        return None
    attachments = tuple(_attachments(message))
    if not text and not attachments and message.effective_attachment is None and not public:
        return None
    thread = message.message_thread_id if message.is_topic_message else None
    return Incoming(
        id=message_ref(message.chat.id, message.message_id),
        address=Address(CHANNEL, bot.account, peer_of(message.chat.id, thread, author.id if public else None)),
        author=_author(author),
        text=text,
        sent_at=message.date,
        attachments=() if public else attachments,
        language_hint=_language(author),
        public=public,
        remarks=(Remark.FORWARDED,) if _forwarded(message) else (),
    )


def _forwarded(message: Message) -> bool:
    """Whether the words are somebody else's."""
    origin, author = message.forward_origin, message.from_user
    if origin is None:
        return False
    return not (isinstance(origin, MessageOriginUser) and author is not None and origin.sender_user.id == author.id)


def _addressed(message: Message, bot: Bot) -> bool:
    """Whether a message in a group is for the bot: by its name, by a command, as an answer, or because it listens."""
    if message.chat.id in bot.open_groups:
        return True
    answered = message.reply_to_message
    if answered is not None and answered.from_user is not None and str(answered.from_user.id) == bot.account:
        return True
    text = message.text or message.caption or ""
    if command := _COMMAND.match(text):
        return command[1].lower() in COMMANDS and (not command[2] or command[2].lower() == bot.username.lower())
    return bool(bot.username) and re.search(rf"@{bot.username}\b", text, re.IGNORECASE) is not None


def _text(message: Message, bot: Bot) -> str:
    """Everything typed: quoted from another chat, written, or filled into a card."""
    parts: list[str] = []
    if message.external_reply is not None and message.quote is not None:
        parts += [f"> {line}" for line in message.quote.text.splitlines()]
    parts += [part for part in (message.text, message.caption) if part]
    # Words may hide where their link leads; Telegram counts offsets in UTF-16 units, which the library knows.
    hiding = {
        **message.parse_entities([MessageEntity.TEXT_LINK]),
        **message.parse_caption_entities([MessageEntity.TEXT_LINK]),
    }
    parts += [entity.url for entity, words in hiding.items() if entity.url and entity.url.rstrip("/") not in words]
    if message.chat.type != "private" and bot.username:
        parts = [re.sub(rf"\s*@{bot.username}\b", "", part, flags=re.IGNORECASE).strip() for part in parts]
        parts = [part for part in parts if part]
    if message.contact is not None:
        card = message.contact
        parts.append(" ".join(filter(None, (card.first_name, card.last_name, f"tel:{card.phone_number}"))))
    if message.location is not None:
        parts.append(f"geo:{message.location.latitude},{message.location.longitude}")  # RFC 5870
    if message.sticker is not None and message.sticker.emoji:
        parts.append(message.sticker.emoji)
    return "\n".join(parts)


def _attachments(message: Message) -> Iterator[Attachment]:
    if message.photo:
        photo = message.photo[-1]  # the largest comes last
        yield Attachment(photo.file_id, "", "image/jpeg", photo.file_size or 0)
    if message.sticker is not None:
        moving = message.sticker.is_animated or message.sticker.is_video
        yield Attachment(
            message.sticker.file_id,
            "",
            "application/octet-stream" if moving else "image/webp",
            message.sticker.file_size or 0,
        )
    if message.video_note is not None:
        yield Attachment(message.video_note.file_id, "", "video/mp4", message.video_note.file_size or 0)
    if message.voice is not None:
        yield Attachment(
            message.voice.file_id, "", message.voice.mime_type or "audio/ogg", message.voice.file_size or 0
        )
    named = message.animation or message.document or message.video or message.audio  # an animation is a document too
    if named is not None:
        yield Attachment(
            named.file_id, named.file_name or "", named.mime_type or "application/octet-stream", named.file_size or 0
        )


def _author(user: User) -> Handle:
    return Handle(str(user.id), user.full_name)


def _language(user: User) -> Language | None:
    """The language of their Telegram, where it is one a pack may have (IETF tag)."""
    tag = (user.language_code or "").partition("-")[0].lower()
    return Language(tag) if tag in list(Language) else None


def _command(text: str) -> str | None:
    found = _COMMAND.match(text)
    return COMMANDS.get(found[1].lower()) if found else None


def join_album(parts: Iterable[Incoming]) -> Incoming:
    """The photos of one album as the one message they are. It goes by the id of the part that was captioned."""
    first, *others = parts
    captioned = next((part for part in (first, *others) if part.text), first)
    return replace(
        captioned,
        text="\n".join(part.text for part in (first, *others) if part.text),
        attachments=tuple(file for part in (first, *others) for file in part.attachments),
    )


# ------------------------------------------------------------------------------------------------------------ writing


def peer_of(chat_id: int, thread: int | None, member: int | None = None) -> str:
    """A private chat, or one topic of it; in a group, one member there."""
    place = str(chat_id) if thread is None else f"{chat_id}/{thread}"
    return place if member is None else f"{place}:{member}"


def place_of(peer: str) -> tuple[int, int | None]:
    """The chat and the topic that `peer_of` made a peer of."""
    chat_id, _, thread = peer.partition(":")[0].partition("/")
    return int(chat_id), int(thread) if thread else None


def message_ref(chat_id: int, message_id: int) -> str:
    """What a message is called in all Telegram: its own number means something only within its chat."""
    return f"{chat_id}:{message_id}"


def buttons(choices: Iterable[Choice], username: str = "") -> InlineKeyboardMarkup | None:
    """One button a row. A button carries its choice's key, so it works after any restart.

    The one that leads into the private chat with the bot is a link, which anybody who reads along may use.
    """
    rows = [[_button(number, choice, username)] for number, choice in enumerate(choices, 1)]
    return InlineKeyboardMarkup(rows) if rows else None


def _button(number: int, choice: Choice, username: str) -> InlineKeyboardButton:
    if choice.key == PRIVATE and username:
        return InlineKeyboardButton(choice.label, url=f"https://t.me/{username}?start=private")
    return InlineKeyboardButton(choice.label, callback_data=_carried(number, choice))


def entities(text: str, reference: str) -> list[MessageEntity]:
    """What in *text* one tap should copy: the reference, hashes and addresses. Offsets are in UTF-16 units."""
    wanted = re.compile(f"{re.escape(reference)}|{_COPIED.pattern}") if reference else _COPIED
    return [
        MessageEntity(MessageEntity.CODE, utf16_units(text[: found.start()]), utf16_units(found[0]))
        for found in wanted.finditer(text)
    ]


def _carried(number: int, choice: Choice) -> str:
    key = _KEY + choice.key
    return key if len(key.encode()) <= CALLBACK_LIMIT else f"{_NUMBER}{number}"
