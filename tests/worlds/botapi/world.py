"""A Telegram of our own: its people, its chats, one bot, and everything that happened."""

import asyncio
import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from tests.worlds.botapi.chats import Chat, Json, Message, StoredFile, Topic
from tests.worlds.botapi.faults import Cut, FaultQueue, Garbled, Hangs, Moment, Refused
from tests.worlds.botapi.limits import Limits, Meter
from tests.worlds.botapi.oracle import check_update
from tests.worlds.botapi.people import Person
from tests.worlds.botapi.refusals import Refusal, bad_request, forbidden
from tests.worlds.botapi.updates import UpdateQueue, Webhook

T = TypeVar("T")

TOKEN = "424242:AAHb0tT0kenForTheWorldOnLoopback00"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of the bot: the method in the Bot API's own spelling, what was asked, and the status it was answered.

    `status` is None where the connection was left without an answer.
    """

    method: str
    parameters: Json = field(repr=False)
    at: float
    status: int | None = None

    @property
    def chat_id(self) -> int:
        """The chat it was about; 0 where it was about none."""
        return int(self.parameters.get("chat_id", 0))


class World:
    """What Telegram knows. Tests act through `person` and `group`, and look at `chats` and `calls`."""

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "im_wallet_support_bot",
        limits: Limits | None = None,
        privacy_mode: bool = True,
    ) -> None:
        self.token = token
        self.bot: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Support",
            "username": username,
        }
        self.privacy_mode = privacy_mode
        self.chats: dict[int, Chat] = {}
        self.people: dict[int, Person] = {}
        self.files: dict[str, StoredFile] = {}
        self.calls: list[Call] = []
        self.presses: dict[str, Json | None] = {}  # id of a button press -> how it was answered
        self.heard: dict[int, set[int]] = {}  # chat -> messages a test has waited for
        self.commands: dict[tuple[str, str], list[Json]] = {}  # (scope, language) -> menu
        self.breaches: list[Exception] = []
        self.faults = FaultQueue()
        self.meter = Meter(limits or Limits())
        self.updates = UpdateQueue()
        self.webhook: Webhook | None = None
        self.poll: object | None = None  # the one getUpdates that is open
        self.last_poll: tuple[int, float] | None = None  # its offset, and when it began (monotonic seconds)
        self.closing = False
        self._ahead = 0.0
        self._last_id = 1_000
        self._last_message_id = 0
        self._changed = asyncio.Event()

    # ---- time and change

    def now(self) -> float:
        """Seconds since 1970, as this world has them."""
        return time.time() + self._ahead

    def later(self, by: timedelta) -> None:
        """Let time pass for Telegram; nobody has to wait for it."""
        self._ahead += by.total_seconds()
        self.notify()

    def notify(self) -> None:
        """Wake everything that waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, within: float) -> None:
        """Return at the next change, or after *within* seconds."""
        waiting = self._changed
        try:
            async with asyncio.timeout(within):
                await waiting.wait()
        except TimeoutError:
            return

    async def until(self, happened: Callable[[], T | None], within: float = 5.0) -> T:
        """Wait for *happened* to say yes and return what it said; fail after *within* seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not (value := happened()):
            remaining = deadline - loop.time()
            if remaining <= 0:
                raise AssertionError(f"did not happen within {within} s; the bot said {self.last_words()}")
            await self.changed(min(remaining, 0.25))
        return value

    def last_words(self) -> list[str]:
        """The end of what the bot said in each chat: for a failed test's message."""
        return [f"{chat.id}: {chat.bot_texts[-1]!r}" for chat in self.chats.values() if chat.bot_texts]

    # ---- people and chats

    def person(self, name: str = "Ann", *, username: str | None = None, language_code: str | None = "en") -> Person:
        """Somebody new, with a private chat they have not opened yet."""
        user_id = self.new_id()
        self.chats[user_id] = Chat(user_id, "private", name, username)
        self.people[user_id] = Person(self, user_id, name, username, language_code)
        return self.people[user_id]

    def group(self, title: str = "Wallet Users", *, bot_rights: Iterable[str] | None = None) -> Chat:
        """A basic group with the bot in it; `bot_rights` makes the bot an administrator."""
        return self._add_group(Chat(-self.new_id(), "group", title), bot_rights)

    def supergroup(self, title: str = "Wallet Users", *, bot_rights: Iterable[str] | None = None) -> Chat:
        """A supergroup with the bot in it; `bot_rights` makes the bot an administrator."""
        return self._add_group(Chat(self._supergroup_id(), "supergroup", title), bot_rights)

    def forum(
        self, title: str = "Staff", *, bot_rights: Iterable[str] | None = ("can_manage_topics", "can_delete_messages")
    ) -> Chat:
        """A supergroup with topics; the bot is an administrator unless `bot_rights` is None."""
        return self._add_group(Chat(self._supergroup_id(), "supergroup", title, forum=True), bot_rights)

    def _supergroup_id(self) -> int:
        return -1_000_000_000_000 - self.new_id()

    def _add_group(self, chat: Chat, bot_rights: Iterable[str] | None) -> Chat:
        self.chats[chat.id] = chat
        chat.bot_status = "left"
        self.set_bot_status(chat, "member" if bot_rights is None else "administrator", bot_rights or ())
        return chat

    def set_bot_status(self, chat: Chat, status: str, rights: Iterable[str] = ()) -> None:
        """Make the bot a `member` or an `administrator` of *chat*, or let it be `left` or `kicked`."""
        before = self.member_json(chat, self.bot["id"])
        chat.bot_status, chat.bot_rights = status, frozenset(rights)
        owner = next((user for user in chat.members if chat.members[user] == "creator"), None)
        actor = self.people[owner].as_json() if owner else {"id": 1, "is_bot": False, "first_name": "Owner"}
        self._emit_bot_membership(chat, actor, before)

    def set_blocked(self, person: Person, blocked: bool) -> None:
        before = self._private_bot_member(person.chat)
        person.chat.blocked = blocked
        self._emit_bot_membership(person.chat, person.as_json(), before)

    def _private_bot_member(self, chat: Chat) -> Json:
        if chat.blocked:
            return {"status": "kicked", "user": self.bot, "until_date": 0}
        return {"status": "member", "user": self.bot}

    def _emit_bot_membership(self, chat: Chat, actor: Json, before: Json) -> None:
        after = self._private_bot_member(chat) if chat.kind == "private" else self.member_json(chat, self.bot["id"])
        change = {
            "chat": chat.as_json(),
            "from": actor,
            "date": int(self.now()),
            "old_chat_member": before,
            "new_chat_member": after,
        }
        self.emit("my_chat_member", change, chat.id)

    def upgrade(self, group: Chat) -> Chat:
        """Turn a basic group into a supergroup: from now on the old id is refused with the new one."""
        new = Chat(
            self._supergroup_id(),
            "supergroup",
            group.name,
            bot_status=group.bot_status,
            bot_rights=group.bot_rights,
            members=dict(group.members),
        )
        self.chats[new.id] = new
        old_note = self.post(group, self.bot, {"migrate_to_chat_id": new.id})
        group.migrated_to = new.id
        new_note = self.post(new, self.bot, {"migrate_from_chat_id": group.id})
        self.emit("message", old_note.json, group.id)
        self.emit("message", new_note.json, new.id)
        return new

    def member_json(self, chat: Chat, user_id: int) -> Json:
        """A member of *chat* as getChatMember tells it."""
        is_bot = user_id == self.bot["id"]
        status = chat.bot_status if is_bot else chat.members.get(user_id, "left")
        json: Json = {"status": status, "user": self.bot if is_bot else self.people[user_id].as_json()}
        if status == "creator":
            json["is_anonymous"] = False
        if status == "kicked":
            json["until_date"] = 0
        if status == "administrator":
            rights = chat.bot_rights if is_bot else frozenset({"can_manage_chat"})
            json |= {"can_be_edited": False, "is_anonymous": False, "can_manage_chat": True}
            json |= {right: right in rights for right in ADMINISTRATOR_RIGHTS}
        return json

    # ---- messages

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def new_message_id(self, chat: Chat) -> int:
        """Supergroups count their own messages; private chats and basic groups share the bot's count."""
        if chat.kind == "supergroup":
            chat.last_message_id += 1
            return chat.last_message_id
        self._last_message_id += 1
        return self._last_message_id

    def post(
        self, chat: Chat, sender: Json, content: Json, *, thread: int | None = None, reply_to: Message | None = None
    ) -> Message:
        """Put a message into *chat*, where everybody sees it; nobody is told yet."""
        json: Json = {
            "message_id": self.new_message_id(chat),
            "date": int(self.now()),
            "chat": chat.as_json(),
            "from": sender,
        }
        if thread is not None:
            json |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            json["reply_to_message"] = {k: v for k, v in reply_to.json.items() if k != "reply_to_message"}
        message = Message(json | content)
        chat.messages[message.id] = message
        self.notify()
        return message

    def keep_file(self, content: bytes, name: str, media_type: str, *, size: int | None = None) -> StoredFile:
        """Hold a file and give it the ids it is known by."""
        number = self.new_id()
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        stored = StoredFile(
            file_id=f"BQACAgIAAxkBAAI{number}",
            unique_id=f"AgAD{number}",
            content=content,
            size=len(content) if size is None else size,
            media_type=media_type,
            name=name,
            path=f"documents/file_{number}.{suffix}",
        )
        self.files[stored.file_id] = stored
        return stored

    # ---- what the bot is told

    def emit(self, kind: str, payload: Json, queue: int) -> int:
        """Tell the bot something; the updates of one *queue* (a chat) keep their order. Returns the update's id."""
        update: Json = {"update_id": self.updates.next_id, kind: copy.deepcopy(payload)}
        check_update(update)
        return self.emit_unchecked(update, kind, queue)

    def emit_unchecked(self, update: Json, kind: str = "message", queue: int = 0) -> int:
        """Tell the bot something no Telegram would say: for the day the Bot API changes. The id is given here."""
        update_id = self.updates.add(update, kind, queue, self.now())
        self.notify()
        return update_id

    def redeliver(self, update_id: int) -> None:
        """Tell the bot once more what it was told, under the same update id."""
        self.updates.put_back(update_id, self.now())
        self.notify()

    # ---- what goes wrong

    def fail(
        self,
        method: str,
        *,
        times: int = 1,
        status: int = 500,
        description: str | None = None,
        retry_after: int | None = None,
        chat_id: int | None = None,
    ) -> None:
        """Answer the next *times* calls of *method* with an error, nothing done."""
        self.faults.order(method, Refused(status, description, retry_after), times=times, chat_id=chat_id)

    def hang(self, method: str, moment: Moment, *, times: int = 1, chat_id: int | None = None) -> None:
        """Leave the next *times* calls of *method* without an answer until the bot gives up."""
        self.faults.order(method, Hangs(moment), times=times, chat_id=chat_id)

    def cut(self, method: str, moment: Moment, *, times: int = 1, chat_id: int | None = None) -> None:
        """Drop the connection of the next *times* calls of *method* instead of answering."""
        self.faults.order(method, Cut(moment), times=times, chat_id=chat_id)

    def garble(self, method: str, *, times: int = 1) -> None:
        """Do what the next *times* calls of *method* ask, and answer with something that is not JSON."""
        self.faults.order(method, Garbled(), times=times)

    def recover(self) -> None:
        """Forget every fault that is still to happen."""
        self.faults.clear()

    # ---- what tests look at

    def called(self, method: str, chat_id: int | None = None) -> list[Call]:
        """The bot's calls of *method*, in order: all, or those about one chat."""
        return [call for call in self.calls if call.method == method and chat_id in (None, call.chat_id)]

    # ---- who may be written to

    def chat_to_read(self, chat_id: str) -> Chat:
        chat = self._find(chat_id)
        if chat.kind == "private" and not chat.started:
            raise bad_request("chat not found")
        if chat.is_group and chat.bot_status == "kicked":
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        if chat.is_group and chat.bot_status == "left":
            raise forbidden(f"bot is not a member of the {chat.kind} chat")
        return chat

    def chat_to_write(self, chat_id: str) -> Chat:
        chat = self._find(chat_id)
        if chat.migrated_to is not None:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": chat.migrated_to},
            )
        if chat.kind == "private" and chat.deactivated:
            raise forbidden("user is deactivated")
        if chat.kind == "private" and not chat.started and self._is_known(chat.id):
            raise forbidden("bot can't initiate conversation with a user")
        chat = self.chat_to_read(chat_id)
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        return chat

    def _is_known(self, user_id: int) -> bool:
        return any(user_id in chat.members for chat in self.chats.values())

    def _find(self, chat_id: str) -> Chat:
        if not chat_id:
            raise bad_request("chat_id is empty")
        if chat_id.startswith("@"):
            found = next((chat for chat in self.chats.values() if chat.username == chat_id[1:]), None)
        else:
            found = self.chats.get(int(chat_id)) if chat_id.lstrip("-").isdigit() else None
        if found is None:
            raise bad_request("chat not found")
        return found

    def topic_to_write(self, chat: Chat, thread: int) -> Topic | None:
        """The topic a message goes to; None where the chat has no topics and the id means nothing."""
        if chat.forum or (chat.kind == "private" and chat.topics):
            topic = chat.topics.get(thread)
            if topic is None:
                raise bad_request("message thread not found")
            if topic.closed and "can_manage_topics" not in chat.bot_rights:
                raise bad_request("TOPIC_CLOSED")
            return topic
        if chat.kind == "private":
            raise bad_request("message thread not found")
        return None


ADMINISTRATOR_RIGHTS: tuple[str, ...] = (
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
    "can_send_welcome_messages",
)
