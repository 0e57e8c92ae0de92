"""Business accounts the bot writes for (core.telegram.org/bots/features#bots-for-business)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.worlds.botapi.chats import Chat, Json, Message
from tests.worlds.botapi.people import Person
from tests.worlds.botapi.refusals import bad_request

if TYPE_CHECKING:
    from tests.worlds.botapi.world import World

ANSWERABLE_FOR = 24 * 3600.0  # seconds since the customer wrote; core.telegram.org/bots/api#businessbotrights


@dataclass(eq=False, slots=True)
class Connection:
    """A business account and its chats with customers, which are not the customers' chats with the bot."""

    world: "World" = field(repr=False)
    id: str
    owner: Person
    enabled: bool = True
    chats: dict[int, Chat] = field(default_factory=dict[int, Chat])
    heard_at: dict[int, float] = field(default_factory=dict[int, float])  # customer -> when they wrote last

    def as_json(self) -> Json:
        connection: Json = {"id": self.id, "user": self.owner.as_json(), "user_chat_id": self.owner.id}
        rights = {"can_reply": True, "can_read_messages": True}
        return connection | {"date": int(self.world.now()), "is_enabled": self.enabled, "rights": rights}

    def announce(self) -> None:
        self.world.emit("business_connection", self.as_json(), self.owner.id)

    def ends(self) -> None:
        """The owner takes their account back."""
        self.enabled = False
        self.announce()

    def receives(self, customer: Person, text: str) -> Message:
        """*customer* writes to the owner, and the bot reads it."""
        chat = self.chats.setdefault(customer.id, Chat(customer.id, "private", customer.name, customer.username))
        self.heard_at[customer.id] = self.world.now()
        message = self.world.post(chat, customer.as_json(), {"text": text, "business_connection_id": self.id})
        self.world.emit("business_message", message.json, customer.id)
        return message

    def sees_edited(self, message: Message, text: str) -> None:
        """The customer changes what they wrote."""
        message.json.update({"text": text, "edit_date": int(self.world.now())})
        self.world.emit("edited_business_message", message.json, message.chat_id)

    def sees_deleted(self, *messages: Message) -> None:
        """The customer takes back what they wrote: in business chats the bot is told."""
        chat = self.chats[messages[0].chat_id]
        for message in messages:
            del chat.messages[message.id]
            chat.deleted.append(message.id)
        gone: Json = {
            "business_connection_id": self.id,
            "chat": chat.as_json(),
            "message_ids": [m.id for m in messages],
        }
        self.world.emit("deleted_business_messages", gone, chat.id)

    def chat_to_write(self, chat_id: str) -> Chat:
        """The chat with that customer; refused where the bot may not write there."""
        if not self.enabled:
            raise bad_request("business connection not found")
        chat = self.chats.get(int(chat_id)) if chat_id.lstrip("-").isdigit() else None
        if chat is None:
            raise bad_request("chat not found")
        if self.world.now() > self.heard_at[chat.id] + ANSWERABLE_FOR:
            raise bad_request("BUSINESS_PEER_USAGE_MISSING")
        return chat
