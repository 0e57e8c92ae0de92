"""Telegram's updates as messages, and messages as what Telegram is asked to show. Pure, both ways."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update, User

from imconnect.domain.drafting import LANGUAGE_CHOICE, START, TOPIC_CHOICE
from imconnect.domain.messages import Address, Attachment, Choice, Handle, Incoming, Language, Unreadable
from imconnect.domain.triage import HUMAN, QUEUE_STATUS

CHANNEL = "telegram"

TEXT_LIMIT = 4096  # UTF-16 units; core.telegram.org/bots/api#sendmessage
CALLBACK_LIMIT = 64  # bytes; core.telegram.org/bots/api#inlinekeyboardbutton

UPDATE_KINDS = ("message", "edited_message", "callback_query")
"""All we ask Telegram to tell."""

COMMANDS: Mapping[str, str] = {
    "start": START,
    "human": TOPIC_CHOICE + HUMAN,
    "status": TOPIC_CHOICE + QUEUE_STATUS,
    **{language.value: LANGUAGE_CHOICE + language.value for language in Language},
}
"""What a command chooses. Any other is a message like every other."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s|$)")
_KEY, _NUMBER = "k:", "#"
"""What a button carries: the choice's key, or its place where the key is too long."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one update brings: at most one message; the album it is part of; the button press that wants an answer."""

    item: Incoming | Unreadable | None
    album: str | None = None
    press: str | None = None


# ------------------------------------------------------------------------------------------------------------ reading


def read(raw: Mapping[str, Any], account: str) -> Heard:
    """What *raw*, one update as Telegram sent it, brings. Never raises: what cannot be read is `Unreadable`."""
    try:
        update = Update.de_json(dict(raw), None)
        if update.message is not None:
            return _read_message(update.message, account)
        if update.edited_message is not None:
            return Heard(_read_edit(update.edited_message, account, update.update_id))
        if update.callback_query is not None:
            return _read_press(update.callback_query, account)
    except Exception as error:
        return Heard(_unreadable(raw, account, type(error).__name__))
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


def _read_message(message: Message, account: str) -> Heard:
    incoming = _incoming(message, account)
    if incoming is None:
        return Heard(None)
    return Heard(replace(incoming, choice=_command(incoming.text)), album=message.media_group_id)


def _read_edit(message: Message, account: str, update_id: int) -> Incoming | None:
    """An edit says what the message says now; a command in it is no command. A moving location is no edit."""
    incoming = _incoming(message, account)
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


def _incoming(message: Message, account: str) -> Incoming | None:
    """What somebody said to the bot in private; None for groups, for bots and for Telegram's own notes."""
    author = message.from_user
    if message.chat.type != "private" or author is None or author.is_bot:
        return None
    text, attachments = _text(message), tuple(_attachments(message))
    if not text and not attachments and message.effective_attachment is None:
        return None
    thread = message.message_thread_id if message.is_topic_message else None
    return Incoming(
        id=message_ref(message.chat.id, message.message_id),
        address=Address(CHANNEL, account, peer_of(message.chat.id, thread)),
        author=_author(author),
        text=text,
        sent_at=message.date,
        attachments=attachments,
        language_hint=_language(author),
    )


def _text(message: Message) -> str:
    """Everything typed: quoted from another chat, written, or filled into a card."""
    parts: list[str] = []
    if message.external_reply is not None and message.quote is not None:
        parts += [f"> {line}" for line in message.quote.text.splitlines()]
    parts += [part for part in (message.text, message.caption) if part]
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


def peer_of(chat_id: int, thread: int | None) -> str:
    """A private chat, or one topic of it."""
    return str(chat_id) if thread is None else f"{chat_id}/{thread}"


def place_of(peer: str) -> tuple[int, int | None]:
    """The chat and the topic that `peer_of` made a peer of."""
    chat_id, _, thread = peer.partition("/")
    return int(chat_id), int(thread) if thread else None


def message_ref(chat_id: int, message_id: int) -> str:
    """What a message is called in all Telegram: its own number means something only within its chat."""
    return f"{chat_id}:{message_id}"


def buttons(choices: Iterable[Choice]) -> InlineKeyboardMarkup | None:
    """One button a row. A button carries its choice's key, so it works after any restart."""
    rows = [
        [InlineKeyboardButton(choice.label, callback_data=_carried(n, choice))] for n, choice in enumerate(choices, 1)
    ]
    return InlineKeyboardMarkup(rows) if rows else None


def _carried(number: int, choice: Choice) -> str:
    key = _KEY + choice.key
    return key if len(key.encode()) <= CALLBACK_LIMIT else f"{_NUMBER}{number}"


# ---------------------------------------------------------------------------------------------------------- splitting

_UNCUTTABLE = re.compile(r"https?://[^\s　-〿＀-￯一-鿿]+|[!-~]{2,}")
"""Links, hashes, addresses, words: runs of ASCII without a space. Chinese letters and punctuation end a link."""

_JOINERS = "\u200d\ufe0e\ufe0f\u20e3"
_PLACES = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[。！？!?；;.](?=\s|[^!-~])|\s"))
"""Where a text may be parted, the best first: between paragraphs, lines, sentences or words."""


def utf16_units(text: str) -> int:
    """The length of *text* as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """*text* in parts of at most *limit* UTF-16 units. Nothing is cut that fits: no link, hash or character."""
    parts: list[str] = []
    rest = text.strip()
    while utf16_units(rest) > limit:
        end = _cut(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest] if rest else parts


def _cut(text: str, limit: int) -> int:
    """Where the first part of *text* ends."""
    longest = _fitting(text, limit)
    whole = [(run.start(), run.end()) for run in _UNCUTTABLE.finditer(text, 0, longest + limit)]
    for place in _PLACES:
        for found in reversed(list(place.finditer(text, longest // 2, longest))):
            if not any(start < found.end() < end for start, end in whole):
                return found.end()
    end = longest
    for start, stop in whole:
        if start < longest < stop and start > 0:
            end = start
    while end > 1 and _joined(text, end):
        end -= 1
    return end


def _fitting(text: str, limit: int) -> int:
    """How many characters of *text* fit into *limit* UTF-16 units."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > limit:
            return index
    return len(text)


def _joined(text: str, index: int) -> bool:
    """Whether a cut at *index* would part what is shown as one character."""
    after, before = text[index : index + 1], text[index - 1]
    return after in _JOINERS or before == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff" or _accent(after)


def _accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f"
