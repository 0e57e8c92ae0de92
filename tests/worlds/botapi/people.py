"""What people do on Telegram, each act told to the bot as Telegram would tell it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.worlds.botapi import contents
from tests.worlds.botapi.chats import PATIENCE, Chat, Edit, Json, Message, Topic
from tests.worlds.botapi.contents import ONE_PIXEL
from tests.worlds.botapi.menus import menu_for
from tests.worlds.botapi.texts import CAPTION_LIMIT, TEXT_LIMIT, checked_entities, found_entities, units

if TYPE_CHECKING:
    from tests.worlds.botapi.world import World

ANONYMOUS_ADMIN: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
CHANNEL_POSTER: Json = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
CHANNEL_ID = -1_009_000_000_000
MAY_MANAGE = frozenset({"administrator", "creator"})


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

    @property
    def place(self) -> Chat:
        """Where they write unless another chat is named."""
        return self.chat

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
        entities: Sequence[Json] = (),
        forwarded_from: "Person | str | None" = None,
    ) -> Message:
        """Write *text*; `entities` is what they made bold. Forwarded from a mere name is from somebody who hides."""
        if not text.strip() or units(text) > TEXT_LIMIT:
            raise ValueError("no Telegram client sends a text like this")
        content: Json = {"text": text}
        if shown := checked_entities(text, list(entities)) or found_entities(text):
            content["entities"] = shown
        if quote is not None:
            content["quote"] = {"text": quote, "position": 0, "is_manual": True}
            if reply_to is not None:
                content["quote"]["position"] = units(reply_to.text[: reply_to.text.index(quote)])
        if forwarded_from is not None:
            content["forward_origin"] = self._origin(forwarded_from)
        return self._sends(content, chat, thread, reply_to)

    def forwards(self, message: Message, *, chat: Chat | None = None, thread: int | None = None) -> Message:
        """Forward *message*, whatever it holds, with a note whose it was."""
        origin = self.world.origin_of(message)
        return self._sends(contents.things_in(message) | {"forward_origin": origin}, chat, thread)

    def forwards_post(self, text: str, *, channel: str = "News", chat: Chat | None = None) -> Message:
        """Forward what a channel of that name posted."""
        posted: Json = {"type": "channel", "date": int(self.world.now()), "message_id": 7}
        posted["chat"] = {"id": CHANNEL_ID, "type": "channel", "title": channel}
        return self._sends({"text": text, "forward_origin": posted}, chat)

    def _origin(self, source: "Person | str") -> Json:
        date = int(self.world.now())
        if isinstance(source, str):
            return {"type": "hidden_user", "date": date, "sender_user_name": source}
        return {"type": "user", "date": date, "sender_user": source.as_json()}

    def _sends(
        self, content: Json, chat: Chat | None, thread: int | None = None, reply_to: Message | None = None
    ) -> Message:
        where = chat or self.place
        if where.kind == "private":
            where.started = True
            if where.blocked:
                self.unblocks()
            if thread is not None:
                where.topics.setdefault(thread, Topic(thread, "Topic", creator=self.id))
        else:
            self._may_write(where, thread)
        message = self.world.post(where, self.as_json(), content, thread=thread, reply_to=reply_to)
        self.world.tell(where, message)
        return message

    def _may_write(self, chat: Chat, thread: int | None) -> None:
        """Raise `ValueError` where Telegram's own programs would not let them write."""
        if chat.migrated_to is not None:
            raise ValueError("this group has become a supergroup")
        topic = chat.general if thread is None else chat.topics.get(thread)
        if chat.forum and topic is None:
            raise ValueError("there is no such topic")
        if chat.forum and topic is not None and topic.closed and chat.members.get(self.id) not in MAY_MANAGE:
            raise ValueError("this topic is closed, and they are no administrator")

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
        self.world.tell(chat, message, "edited_message")
        return message

    def replaces_photo(self, message: Message, content: bytes) -> Message:
        """Put another photo into *message*, one of an album perhaps; its caption stays."""
        message.json.update(contents.photo(self.world, content) | {"edit_date": int(self.world.now())})
        self.world.notify()
        self.world.tell(self.world.chats[message.chat_id], message, "edited_message")
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
        if message.id in chat.messages and message.id not in chat.forgotten:
            under: Json = message.json
        else:
            under = {"chat": chat.as_json(), "message_id": message.id, "date": 0}
        self.world.pressed_at[press_id] = self.world.now()
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
        thread: int | None = None,
        reply_to: Message | None = None,
        album_of: Message | None = None,
    ) -> Message:
        """Send a photo; with `album_of` a late part of the album that message began."""
        group = {"media_group_id": album_of.json["media_group_id"]} if album_of is not None else {}
        return self._sends(group | contents.photo(self.world, content) | _caption(caption), chat, thread, reply_to)

    def sends_album(
        self,
        photos: Sequence[bytes],
        *,
        caption: str | None = None,
        chat: Chat | None = None,
        thread: int | None = None,
    ) -> list[Message]:
        """Several photos at once: to the bot they are as many messages with one `media_group_id`."""
        group = {"media_group_id": str(13_000_000_000_000 + self.world.new_id())}
        captions = [caption] + [None] * (len(photos) - 1)
        return [
            self._sends(group | contents.photo(self.world, content) | _caption(text), chat, thread)
            for content, text in zip(photos, captions, strict=True)
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
        thread: int | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a file; bytes of `size` beyond *content* are zeros that nobody keeps."""
        stored = self.world.keep_file(content, name, media_type, size=size)
        return self._sends(contents.document(stored) | _caption(caption), chat, thread, reply_to)

    def sends_voice(
        self,
        content: bytes = b"OggS",
        *,
        duration: int = 3,
        caption: str | None = None,
        chat: Chat | None = None,
        thread: int | None = None,
    ) -> Message:
        stored = self.world.keep_file(content, "voice.oga", "audio/ogg")
        return self._sends(contents.voice(stored, duration) | _caption(caption), chat, thread)

    def sends_audio(self, name: str = "call.mp3", content: bytes = b"ID3", *, chat: Chat | None = None) -> Message:
        return self._sends(contents.audio(self.world.keep_file(content, name, "audio/mpeg")), chat)

    def sends_video(
        self,
        name: str = "screen.mp4",
        content: bytes = b"ftyp",
        *,
        size: int | None = None,
        caption: str | None = None,
        chat: Chat | None = None,
        thread: int | None = None,
    ) -> Message:
        stored = self.world.keep_file(content, name, "video/mp4", size=size)
        return self._sends(contents.video(stored) | _caption(caption), chat, thread)

    def sends_video_note(self, content: bytes = b"ftyp", *, chat: Chat | None = None) -> Message:
        """Send one of the round videos."""
        return self._sends(contents.video_note(self.world.keep_file(content, "note.mp4", "video/mp4")), chat)

    def sends_animation(self, name: str = "cat.mp4", content: bytes = b"ftyp", *, chat: Chat | None = None) -> Message:
        return self._sends(contents.animation(self.world.keep_file(content, name, "video/mp4")), chat)

    def sends_sticker(self, emoji: str = "😀", *, chat: Chat | None = None, thread: int | None = None) -> Message:
        stored = self.world.keep_file(b"RIFF", "sticker.webp", "image/webp")
        return self._sends(contents.sticker(stored, emoji), chat, thread)

    def sends_contact(self, phone_number: str, first_name: str, *, chat: Chat | None = None) -> Message:
        return self._sends(contents.contact(phone_number, first_name), chat)

    def sends_own_contact(self, phone_number: str) -> Message:
        """Share the number of their own account."""
        return self._sends(contents.contact(phone_number, self.name, self.id), None)

    def sends_location(self, latitude: float, longitude: float, *, chat: Chat | None = None) -> Message:
        return self._sends(contents.location(latitude, longitude), chat)

    def sends_venue(
        self, title: str, address: str, latitude: float = 1.5, longitude: float = 2.5, *, chat: Chat | None = None
    ) -> Message:
        return self._sends(contents.venue(title, address, latitude, longitude), chat)

    def sends_dice(self, emoji: str = "🎲", value: int = 4, *, chat: Chat | None = None) -> Message:
        return self._sends(contents.dice(emoji, value), chat)

    def sends_poll(self, question: str, *options: str, chat: Chat | None = None) -> Message:
        return self._sends(contents.poll(str(self.world.new_id()), question, options), chat)

    # ---- coming and going

    def blocks(self) -> None:
        self.world.set_blocked(self, True)

    def unblocks(self) -> None:
        self.world.set_blocked(self, False)

    def deletes_account(self) -> None:
        self.chat.deactivated = True

    def joins(self, chat: Chat, status: str = "member") -> "Person":
        """Become a `member`, `administrator` or `creator` of *chat*."""
        self.world.set_member_status(chat, self.id, status)
        note = self.world.post(chat, self.as_json(), {"new_chat_members": [self.as_json()]})
        self.world.tell(chat, note)
        return self

    def leaves(self, chat: Chat) -> None:
        self.world.set_member_status(chat, self.id, "left")
        note = self.world.post(chat, self.as_json(), {"left_chat_member": self.as_json()})
        self.world.tell(chat, note)

    def posts_as_the_group(self, text: str, chat: Chat, *, thread: int | None = None) -> Message:
        """Write as an anonymous administrator: the sender is the group itself."""
        return self._posts_as(ANONYMOUS_ADMIN, chat.as_json(), text, chat, thread)

    def posts_as_a_channel(self, text: str, chat: Chat, *, thread: int | None = None) -> Message:
        """Write in the name of a channel."""
        channel: Json = {"id": CHANNEL_ID, "type": "channel", "title": "News"}
        return self._posts_as(CHANNEL_POSTER, channel, text, chat, thread)

    def _posts_as(self, sender: Json, face: Json, text: str, chat: Chat, thread: int | None) -> Message:
        entities = found_entities(text)
        content: Json = {"text": text, "sender_chat": face} | ({"entities": entities} if entities else {})
        message = self.world.post(chat, sender, content, thread=thread)
        self.world.tell(chat, message)
        return message

    # ---- topics

    def opens_topic(self, chat: Chat, name: str) -> Topic:
        return open_topic(self.world, chat, self.as_json(), name)

    def renames_topic(self, chat: Chat, thread: int, name: str) -> None:
        chat.topics[thread].name = name
        self._notes(chat, thread, {"forum_topic_edited": {"name": name}})

    def closes_topic(self, chat: Chat, thread: int) -> None:
        chat.topics[thread].closed = True
        self._notes(chat, thread, {"forum_topic_closed": {}})

    def reopens_topic(self, chat: Chat, thread: int) -> None:
        chat.topics[thread].closed = False
        self._notes(chat, thread, {"forum_topic_reopened": {}})

    def deletes_topic(self, chat: Chat, thread: int) -> None:
        """Remove a topic with all its messages. The bot is never told."""
        forget_topic(chat, thread, self.world.now())
        self.world.notify()

    def _notes(self, chat: Chat, thread: int, content: Json) -> None:
        self.world.tell(chat, self.world.post(chat, self.as_json(), content, thread=thread))

    # ---- what they get to see

    async def hears(self, words: str = "", *, within: float = PATIENCE) -> Message:
        """Wait for the bot to say something with *words* in it, in private, that was not heard before."""
        return await self.world.until(lambda: self.world.unheard(self.chat, words), within)

    def menu(self, chat: Chat | None = None) -> list[str]:
        """The commands they are offered when they type a slash, in private or in *chat*."""
        where = chat or self.chat
        shown = menu_for(self.world.commands, where, self.id, (self.language_code or "").partition("-")[0])
        return [f"/{command['command']} {command['description']}" for command in shown]


def open_topic(world: "World", chat: Chat, sender: Json, name: str, icon_color: int = 0x6FB9F0) -> Topic:
    """Open a topic; its id is that of the note that says so."""
    note = world.post(chat, sender, {"forum_topic_created": {"name": name, "icon_color": icon_color}})
    note.json.update({"message_thread_id": note.id, "is_topic_message": True})
    topic = chat.topics[note.id] = Topic(note.id, name, icon_color, sender["id"])
    world.tell(chat, note)
    return topic


def forget_topic(chat: Chat, thread: int, now: float) -> None:
    del chat.topics[thread]
    chat.deleted_topics[thread] = now
    for message in chat.in_topic(thread):
        del chat.messages[message.id]


def _caption(caption: str | None) -> Json:
    if caption is None:
        return {}
    if units(caption) > CAPTION_LIMIT:
        raise ValueError("no Telegram client sends a caption like this")
    entities = found_entities(caption)
    return {"caption": caption} | ({"caption_entities": entities} if entities else {})
