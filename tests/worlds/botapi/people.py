"""What people do on Telegram, each act told to the bot as Telegram would tell it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.worlds.botapi.chats import Chat, Edit, Json, Message, StoredFile, Topic
from tests.worlds.botapi.texts import CAPTION_LIMIT, TEXT_LIMIT, found_entities, units

if TYPE_CHECKING:
    from tests.worlds.botapi.world import World

ANONYMOUS_ADMIN: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
CHANNEL_POSTER: Json = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}

ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)  # the smallest PNG there is: one red pixel


@dataclass(eq=False, slots=True)
class Person:
    """Somebody with Telegram on their phone."""

    world: "World" = field(repr=False)
    id: int
    name: str
    username: str | None = None
    language_code: str | None = None

    @property
    def chat(self) -> Chat:
        """The private chat with the bot."""
        return self.world.chats[self.id]

    def as_json(self) -> Json:
        json: Json = {"id": self.id, "is_bot": False, "first_name": self.name}
        if self.username:
            json["username"] = self.username
        if self.language_code:
            json["language_code"] = self.language_code
        return json

    def has_written_before(self) -> "Person":
        """Open the chat as if long ago: the bot may write, and has nothing new to read."""
        self.chat.started = True
        return self

    # ---- saying things

    def says(
        self,
        text: str,
        *,
        chat: Chat | None = None,
        thread: int | None = None,
        reply_to: Message | None = None,
        quote: str | None = None,
        forwarded_from: "Person | None" = None,
    ) -> Message:
        """Write *text* to the bot, or into *chat*."""
        if not text.strip() or units(text) > TEXT_LIMIT:
            raise ValueError("no Telegram client sends a text like this")
        content: Json = {"text": text}
        if entities := found_entities(text):
            content["entities"] = entities
        if quote is not None:
            content["quote"] = {"text": quote, "position": 0, "is_manual": True}
        if forwarded_from is not None:
            content["forward_origin"] = {
                "type": "user",
                "date": int(self.world.now()),
                "sender_user": forwarded_from.as_json(),
            }
        return self._sends(content, chat, thread, reply_to)

    def _sends(
        self, content: Json, chat: Chat | None, thread: int | None = None, reply_to: Message | None = None
    ) -> Message:
        where = chat or self.chat
        if where.kind == "private":
            where.started = True
            where.blocked = False
            if thread is not None:
                where.topics.setdefault(thread, Topic(thread, "Topic"))
        message = self.world.post(where, self.as_json(), content, thread=thread, reply_to=reply_to)
        if where.kind == "private" or self._bot_sees(where, message):
            self.world.emit("message", message.json, where.id)
        return message

    def _bot_sees(self, chat: Chat, message: Message) -> bool:
        """Whether the bot is told of a group's message (core.telegram.org/bots/features#privacy-mode)."""
        if chat.bot_status not in ("member", "administrator"):
            return False
        if not self.world.privacy_mode or chat.bot_status == "administrator":
            return True
        answered: Json = message.json.get("reply_to_message", {})
        is_answer = answered.get("from", {}).get("id") == self.world.bot["id"]
        name = f"@{self.world.bot['username']}"
        return is_answer or name in message.text or message.text.startswith("/")

    def edits(self, message: Message, text: str) -> Message:
        """Change what *message* says (its caption, where it is a file)."""
        chat = self.world.chats[message.chat_id]
        before = message.text
        part, entities = ("text", "entities") if "text" in message.json else ("caption", "caption_entities")
        message.json.pop(entities, None)
        message.json.update({part: text, "edit_date": int(self.world.now())})
        if found := found_entities(text):
            message.json[entities] = found
        chat.edits.append(Edit(message.id, before, text))
        self.world.notify()
        if chat.kind == "private" or self._bot_sees(chat, message):
            self.world.emit("edited_message", dict(message.json), chat.id)
        return message

    def deletes(self, message: Message) -> None:
        """Take a message back. The bot is never told."""
        chat = self.world.chats[message.chat_id]
        del chat.messages[message.id]
        chat.deleted.append(message.id)
        self.world.notify()

    def presses(self, message: Message, label: str) -> str:
        """Press the button called *label* under the bot's *message*; returns the press's id."""
        chat = self.world.chats[message.chat_id]
        press_id = str(4_382_000_000_000 + self.world.new_id())
        if message.id in chat.messages:
            under: Json = message.json
        else:
            under = {"chat": chat.as_json(), "message_id": message.id, "date": 0}
        self.world.presses[press_id] = None
        press: Json = {
            "id": press_id,
            "from": self.as_json(),
            "message": under,
            "chat_instance": str(-9_000_000_000 - chat.id),
            "data": message.buttons[label],
        }
        self.world.emit("callback_query", press, chat.id)
        return press_id

    # ---- sending things

    def sends_photo(
        self,
        content: bytes = ONE_PIXEL,
        *,
        caption: str | None = None,
        chat: Chat | None = None,
        album_of: Message | None = None,
    ) -> Message:
        """Send a photo; with `album_of` a late part of the album that message began."""
        group = {"media_group_id": album_of.json["media_group_id"]} if album_of is not None else {}
        return self._sends(group | self._photo(content) | _caption(caption), chat)

    def sends_album(
        self, contents: Sequence[bytes], *, caption: str | None = None, chat: Chat | None = None
    ) -> list[Message]:
        """Several photos at once: to the bot they are as many messages with one `media_group_id`."""
        group = {"media_group_id": str(13_000_000_000_000 + self.world.new_id())}
        captions = [caption] + [None] * (len(contents) - 1)
        return [
            self._sends(group | self._photo(content) | _caption(text), chat)
            for content, text in zip(contents, captions, strict=True)
        ]

    def sends_document(
        self,
        name: str = "log.txt",
        content: bytes = b"log",
        media_type: str = "text/plain",
        *,
        size: int | None = None,
        caption: str | None = None,
        chat: Chat | None = None,
    ) -> Message:
        """Send a file; `size` claims more bytes than there are."""
        stored = self.world.keep_file(content, name, media_type, size=size)
        return self._sends({"document": document_json(stored)} | _caption(caption), chat)

    def sends_voice(self, content: bytes = b"OggS", *, duration: int = 3, chat: Chat | None = None) -> Message:
        stored = self.world.keep_file(content, "voice.oga", "audio/ogg")
        voice = _file_json(stored) | {"duration": duration, "mime_type": stored.media_type}
        return self._sends({"voice": voice}, chat)

    def sends_sticker(self, emoji: str = "😀", *, chat: Chat | None = None) -> Message:
        stored = self.world.keep_file(b"RIFF", "sticker.webp", "image/webp")
        look: Json = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        return self._sends({"sticker": _file_json(stored) | look | {"emoji": emoji, "set_name": "HotCherry"}}, chat)

    def sends_contact(self, phone_number: str, first_name: str, *, chat: Chat | None = None) -> Message:
        return self._sends({"contact": {"phone_number": phone_number, "first_name": first_name}}, chat)

    def sends_location(self, latitude: float, longitude: float, *, chat: Chat | None = None) -> Message:
        return self._sends({"location": {"latitude": latitude, "longitude": longitude}}, chat)

    def _photo(self, content: bytes) -> Json:
        return {"photo": photo_json(self.world, content)}

    # ---- coming and going

    def blocks(self) -> None:
        self.world.set_blocked(self, True)

    def unblocks(self) -> None:
        self.world.set_blocked(self, False)

    def deletes_account(self) -> None:
        self.chat.deactivated = True

    def joins(self, chat: Chat, status: str = "member") -> "Person":
        """Become a `member`, `administrator` or `creator` of *chat*."""
        chat.members[self.id] = status
        note = self.world.post(chat, self.as_json(), {"new_chat_members": [self.as_json()]})
        if chat.bot_status in ("member", "administrator"):
            self.world.emit("message", note.json, chat.id)
        return self

    def leaves(self, chat: Chat) -> None:
        chat.members[self.id] = "left"
        note = self.world.post(chat, self.as_json(), {"left_chat_member": self.as_json()})
        if chat.bot_status in ("member", "administrator"):
            self.world.emit("message", note.json, chat.id)

    def posts_as_the_group(self, text: str, chat: Chat, *, thread: int | None = None) -> Message:
        """Write as an anonymous administrator: the sender is the group itself."""
        return self._posts_as(ANONYMOUS_ADMIN, chat.as_json(), text, chat, thread)

    def posts_as_a_channel(self, text: str, chat: Chat, *, thread: int | None = None) -> Message:
        """Write in the name of a channel."""
        channel: Json = {"id": -1_009_000_000_000, "type": "channel", "title": "News"}
        return self._posts_as(CHANNEL_POSTER, channel, text, chat, thread)

    def _posts_as(self, sender: Json, face: Json, text: str, chat: Chat, thread: int | None) -> Message:
        message = self.world.post(chat, sender, {"text": text, "sender_chat": face}, thread=thread)
        if self._bot_sees(chat, message):
            self.world.emit("message", message.json, chat.id)
        return message

    # ---- topics

    def opens_topic(self, chat: Chat, name: str) -> Topic:
        return open_topic(self.world, chat, self.as_json(), name)

    def closes_topic(self, chat: Chat, thread: int) -> None:
        chat.topics[thread].closed = True
        note = self.world.post(chat, self.as_json(), {"forum_topic_closed": {}}, thread=thread)
        self.world.emit("message", note.json, chat.id)

    def reopens_topic(self, chat: Chat, thread: int) -> None:
        chat.topics[thread].closed = False
        note = self.world.post(chat, self.as_json(), {"forum_topic_reopened": {}}, thread=thread)
        self.world.emit("message", note.json, chat.id)

    def deletes_topic(self, chat: Chat, thread: int) -> None:
        """Remove a topic with all its messages. The bot is never told."""
        forget_topic(chat, thread)
        self.world.notify()

    # ---- what they get to see

    async def hears(self, words: str = "", *, within: float = 5.0) -> Message:
        """Wait for the bot to say something with *words* in it, in private, that was not heard before."""
        return await self.world.until(lambda: self._new_words(words), within)

    def _new_words(self, words: str) -> Message | None:
        heard = self.world.heard.setdefault(self.id, set())
        for message in self.chat.from_bot:
            if message.id not in heard and words in message.text:
                heard.add(message.id)
                return message
        return None


def open_topic(world: "World", chat: Chat, sender: Json, name: str, icon_color: int = 0x6FB9F0) -> Topic:
    """Open a topic; its id is that of the note that says so."""
    note = world.post(chat, sender, {"forum_topic_created": {"name": name, "icon_color": icon_color}})
    note.json.update({"message_thread_id": note.id, "is_topic_message": True})
    topic = chat.topics[note.id] = Topic(note.id, name, icon_color)
    world.emit("message", note.json, chat.id)
    return topic


def forget_topic(chat: Chat, thread: int) -> None:
    del chat.topics[thread]
    for message in chat.in_topic(thread):
        del chat.messages[message.id]


def _caption(caption: str | None) -> Json:
    if caption is None:
        return {}
    if units(caption) > CAPTION_LIMIT:
        raise ValueError("no Telegram client sends a caption like this")
    entities = found_entities(caption)
    return {"caption": caption} | ({"caption_entities": entities} if entities else {})


def _file_json(stored: StoredFile) -> Json:
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}


def document_json(stored: StoredFile) -> Json:
    return _file_json(stored) | {"file_name": stored.name, "mime_type": stored.media_type}


def photo_json(world: "World", content: bytes) -> list[Json]:
    """A photo in the sizes Telegram makes of it, the smallest first."""
    width, height = _png_size(content)
    small = world.keep_file(content, "thumbnail.jpg", "image/jpeg")
    full = world.keep_file(content, "photo.jpg", "image/jpeg")
    scale = min(1.0, 90 / max(width, height))
    thumbnail = {"width": max(1, int(width * scale)), "height": max(1, int(height * scale))}
    return [_file_json(small) | thumbnail, _file_json(full) | {"width": width, "height": height}]


def _png_size(content: bytes) -> tuple[int, int]:
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return (800, 600)
    width, height = struct.unpack(">II", content[16:24])
    return (int(width), int(height))
