"""A Telegram of our own: its people, its chats, one bot, and everything that happened."""

import asyncio
import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from tests.worlds.botapi.business import Connection
from tests.worlds.botapi.chats import PATIENCE, Chat, Json, Message, StoredFile, Topic
from tests.worlds.botapi.contents import things_in
from tests.worlds.botapi.faults import Cut, FaultQueue, Garbled, Hangs, Moment, Refused
from tests.worlds.botapi.groups import Group
from tests.worlds.botapi.limits import Limits, Meter
from tests.worlds.botapi.memberships import membership
from tests.worlds.botapi.menus import Scope
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
        self.spellings: set[str] = set()  # of methods, as the bot wrote them; Telegram itself does not mind
        self.presses: dict[str, Json | None] = {}  # id of a button press -> how it was answered
        self.heard: dict[int, set[int]] = {}  # chat -> messages a test has waited for
        self.pressed_at: dict[str, float] = {}  # id of a button press -> when
        self.commands: dict[tuple[Scope, str], list[Json]] = {}  # whom for, and in which language
        self.connections: dict[str, Connection] = {}  # business accounts the bot writes for
        self.topics_remembered_for = 0.0  # seconds Telegram's server still believes in a topic that was deleted
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

    async def until(self, happened: Callable[[], T | None], within: float = PATIENCE) -> T:
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

    def group(self, title: str = "Wallet Users", *, bot_rights: Iterable[str] | None = None) -> Group:
        """A basic group with the bot in it; `bot_rights` makes the bot an administrator."""
        return self._add_group(Group(-self.new_id(), "group", title, world=self), bot_rights)

    def supergroup(self, title: str = "Wallet Users", *, bot_rights: Iterable[str] | None = None) -> Group:
        """A supergroup with the bot in it; `bot_rights` makes the bot an administrator."""
        return self._add_group(Group(self._supergroup_id(), "supergroup", title, world=self), bot_rights)

    def forum(
        self, title: str = "Staff", *, bot_rights: Iterable[str] | None = ("can_manage_topics", "can_delete_messages")
    ) -> Group:
        """A supergroup with topics; the bot is an administrator unless `bot_rights` is None."""
        return self._add_group(Group(self._supergroup_id(), "supergroup", title, forum=True, world=self), bot_rights)

    def business(self, name: str = "Shop") -> Connection:
        """Somebody new with a business account that lets the bot write for them."""
        connection = Connection(self, f"BC{self.new_id()}", self.person(name))
        self.connections[connection.id] = connection
        connection.announce()
        return connection

    def _supergroup_id(self) -> int:
        return -1_000_000_000_000 - self.new_id()

    def _add_group(self, group: Group, bot_rights: Iterable[str] | None) -> Group:
        self.chats[group.id] = group
        group.bot_status = "left"
        self.set_bot_status(group, "member" if bot_rights is None else "administrator", bot_rights or ())
        return group

    def actor(self, chat: Chat) -> Json:
        """Who does what nobody in particular does: the owner of *chat*."""
        owner = next((user for user in chat.members if chat.members[user] == "creator"), None)
        return self.people[owner].as_json() if owner else {"id": 1, "is_bot": False, "first_name": "Owner"}

    def set_bot_status(self, chat: Chat, status: str, rights: Iterable[str] = ()) -> None:
        """Make the bot a `member`, an `administrator` or `restricted` in *chat*, or let it be `left` or `kicked`."""
        before = self.member_json(chat, self.bot["id"])
        chat.bot_status, chat.bot_rights = status, frozenset(rights)
        self._emit_bot_membership(chat, self.actor(chat), before)

    def set_member_status(self, chat: Chat, user_id: int, status: str) -> None:
        """Change what somebody is in *chat*; only a bot that is an administrator, and asked for it, is told."""
        before = self.member_json(chat, user_id)
        chat.members[user_id] = status
        if chat.bot_status == "administrator":
            change = self._change(chat, self.actor(chat), before, self.member_json(chat, user_id))
            self.emit("chat_member", change, chat.id)
        self.notify()

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
        self.emit("my_chat_member", self._change(chat, actor, before, after), chat.id)

    def _change(self, chat: Chat, actor: Json, before: Json, after: Json) -> Json:
        change: Json = {"chat": chat.as_json(), "from": actor, "date": int(self.now())}
        return change | {"old_chat_member": before, "new_chat_member": after}

    def upgrade(self, group: Chat) -> Group:
        """Turn a basic group into a supergroup: from now on the old id is refused with the new one."""
        new = Group(
            self._supergroup_id(),
            "supergroup",
            group.name,
            bot_status=group.bot_status,
            bot_rights=group.bot_rights,
            members=dict(group.members),
            world=self,
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
        user = self.bot if is_bot else self.people[user_id].as_json()
        return membership(status, user, chat.bot_rights if is_bot else frozenset())

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
            if chat.kind == "supergroup" and reply_to is None:
                reply_to = chat.messages.get(thread)  # Telegram tells every message of a topic as an answer to its note
        if reply_to is not None and "external_reply" not in content:
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

    def origin_of(self, message: Message) -> Json:
        """Whose *message* was, as a forward of it tells."""
        date = message.json["date"]
        if "forward_origin" in message.json:
            return dict(message.json["forward_origin"])
        if "sender_chat" in message.json:
            return {"type": "chat", "date": date, "sender_chat": message.json["sender_chat"]}
        return {"type": "user", "date": date, "sender_user": message.json["from"]}

    def forget(self, message: Message) -> None:
        """Show the bot nothing of *message* any more; people see it, and can press its buttons."""
        self.chats[message.chat_id].forgotten.add(message.id)

    def unheard(self, chat: Chat, words: str, thread: int | None = None) -> Message | None:
        """The first thing the bot said in *chat* with *words* in it that nobody waited for; now somebody has."""
        heard = self.heard.setdefault(chat.id, set())
        for message in chat.from_bot:
            fits = words in message.text and thread in (None, message.thread) and things_in(message)
            if fits and message.id not in heard:
                heard.add(message.id)
                return message
        return None

    def tell(self, chat: Chat, message: Message, kind: str = "message") -> None:
        """Tell the bot of *message*, where Telegram would (core.telegram.org/bots/features#privacy-mode)."""
        if chat.kind == "private" or (chat.bot_is_in and self._is_for_the_bot(chat, message)):
            self.emit(kind, message.json, chat.id)

    def _is_for_the_bot(self, chat: Chat, message: Message) -> bool:
        if not self.privacy_mode or chat.bot_status == "administrator" or not things_in(message):
            return True
        answered = chat.messages.get(message.reply_to or 0)
        name = f"@{self.bot['username']}".lower()
        if (answered is not None and answered.from_bot) or name in message.text.lower():
            return True
        command = message.text.partition(" ")[0]
        return command.startswith("/") and "@" not in command

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

    @staticmethod
    def migrated(new_id: int) -> Refusal:
        """The refusal of a group that has become the supergroup *new_id*."""
        reason = "Bad Request: group chat was upgraded to a supergroup chat"
        return Refusal(400, reason, {"migrate_to_chat_id": new_id})

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
            raise self.migrated(chat.migrated_to)
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
                gone = chat.deleted_topics.get(thread)
                if gone is not None and self.now() < gone + self.topics_remembered_for:
                    raise bad_request("TOPIC_DELETED")
                raise bad_request("message thread not found")
            if topic.closed and "can_manage_topics" not in chat.bot_rights:
                raise bad_request("TOPIC_CLOSED")
            return topic
        if chat.kind == "private":
            raise bad_request("message thread not found")
        return None
