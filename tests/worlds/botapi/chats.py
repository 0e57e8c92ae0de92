"""What is kept of a chat: its messages as people see them now, its topics, its members, its files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

GENERAL = 1  # the id of a forum's General topic; never sent as message_thread_id
BLOCK = bytes(64 * 1024)
PATIENCE = 15.0  # seconds a test waits for what should happen at once: machines can be busy


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file Telegram holds. What `size` has more than `content` are zeros nobody keeps, so big files are light."""

    file_id: str
    unique_id: str
    content: bytes = field(repr=False)
    size: int
    media_type: str
    name: str
    path: str

    def chunks(self) -> Iterator[bytes]:
        """All `size` bytes of it, a little at a time."""
        yield self.content
        for start in range(len(self.content), self.size, len(BLOCK)):
            yield BLOCK[: self.size - start]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the people in the chat see it now: an edit shows in it."""

    json: Json

    @property
    def id(self) -> int:
        return int(self.json["message_id"])

    @property
    def chat_id(self) -> int:
        return int(self.json["chat"]["id"])

    @property
    def text(self) -> str:
        """The text, or the caption of a file."""
        return str(self.json.get("text") or self.json.get("caption") or "")

    @property
    def from_bot(self) -> bool:
        return bool(self.json.get("from", {}).get("is_bot")) and "sender_chat" not in self.json

    @property
    def thread(self) -> int | None:
        return self.json.get("message_thread_id")

    @property
    def reply_to(self) -> int | None:
        """The id of the message this one answers; being in a topic alone is no answer to the note that opened it."""
        answered: Json | None = self.json.get("reply_to_message")
        return int(answered["message_id"]) if answered and answered["message_id"] != self.thread else None

    @property
    def buttons(self) -> dict[str, str]:
        """The inline buttons under the message: label to callback data, in order."""
        rows: list[list[Json]] = self.json.get("reply_markup", {}).get("inline_keyboard", [])
        return {button["text"]: button.get("callback_data", "") for row in rows for button in row}


@dataclass(slots=True)
class Topic:
    """One topic of a forum, or of a private chat that has topics."""

    thread: int
    name: str
    icon_color: int = 0x6FB9F0
    creator: int = 0
    closed: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """A message that was changed: what it said before, and what it says since."""

    message_id: int
    before: str
    after: str


@dataclass(slots=True)
class Chat:
    """A chat and all that happened in it."""

    id: int
    kind: str
    name: str
    username: str | None = None
    forum: bool = False
    started: bool = False
    blocked: bool = False
    deactivated: bool = False
    migrated_to: int | None = None
    linked_channel: Json | None = None
    bot_status: str = "member"
    bot_rights: frozenset[str] = frozenset()
    members: dict[int, str] = field(default_factory=dict[int, str])
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    topics: dict[int, Topic] = field(default_factory=dict[int, Topic])
    deleted_topics: dict[int, float] = field(default_factory=dict[int, float])  # thread -> when it was deleted
    general: Topic = field(default_factory=lambda: Topic(GENERAL, "General"))
    pinned: list[int] = field(default_factory=list[int])  # the latest last
    forgotten: set[int] = field(default_factory=set[int])  # messages the bot is shown nothing of any more
    edits: list[Edit] = field(default_factory=list[Edit])
    deleted: list[int] = field(default_factory=list[int])
    actions: list[str] = field(default_factory=list[str])
    last_message_id: int = 0

    @property
    def is_group(self) -> bool:
        return self.kind in ("group", "supergroup")

    @property
    def bot_is_in(self) -> bool:
        """Whether the bot is there to hear anything."""
        return self.kind == "private" or self.bot_status in ("member", "administrator", "restricted")

    @property
    def from_bot(self) -> list[Message]:
        """What the bot said here and what is still to be seen, in order."""
        return [message for message in self.messages.values() if message.from_bot]

    @property
    def bot_texts(self) -> list[str]:
        """The texts of what the bot said here, service messages left out."""
        return [message.text for message in self.from_bot if message.text]

    def in_topic(self, thread: int) -> list[Message]:
        return [message for message in self.messages.values() if message.thread == thread]

    def as_json(self) -> Json:
        """The chat as it stands in a message."""
        if self.kind == "private":
            json: Json = {"id": self.id, "type": "private", "first_name": self.name}
        else:
            json = {"id": self.id, "type": self.kind, "title": self.name}
        if self.username:
            json["username"] = self.username
        if self.forum:
            json["is_forum"] = True
        return json
