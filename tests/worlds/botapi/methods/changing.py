"""Changing what was sent, taking it back, pinning it, and answering presses of its buttons."""

from tests.worlds.botapi.chats import Chat, Edit, Json, Message
from tests.worlds.botapi.methods.parts import buttons, caption, text
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.refusals import Refusal, bad_request
from tests.worlds.botapi.texts import TEXT_LIMIT
from tests.worlds.botapi.world import World

DELETABLE_FOR = 48 * 3600  # seconds; core.telegram.org/bots/api#deletemessage
DICE_KEPT_FOR = 24 * 3600  # seconds a dice in a private chat cannot be taken back
ANSWERABLE_FOR = 60  # seconds; not documented, but Telegram's own programs stop waiting then
NOTICE_LIMIT = 200  # characters; core.telegram.org/bots/api#answercallbackquery
MOST_DELETED = 100  # messages; core.telegram.org/bots/api#deletemessages
UNDELETABLE = ("forum_topic_created", "migrate_from_chat_id", "supergroup_chat_created")


async def edit_message_text(world: World, parameters: Parameters) -> Json:
    chat, message = _own_message(world, parameters)
    if "text" not in message.json:
        raise bad_request("there is no text in the message to edit")
    content = text(parameters, "text", "entities", TEXT_LIMIT)
    if not content:
        raise bad_request("message text is empty")
    return _changed(world, chat, message, content | buttons(parameters))


async def edit_message_caption(world: World, parameters: Parameters) -> Json:
    chat, message = _own_message(world, parameters)
    if "text" in message.json:
        raise bad_request("there is no caption in the message to edit")
    return _changed(world, chat, message, caption(parameters) | buttons(parameters))


async def edit_message_reply_markup(world: World, parameters: Parameters) -> Json:
    chat, message = _own_message(world, parameters)
    kept = {name: message.json[name] for name in WORDS if name in message.json}
    return _changed(world, chat, message, kept | buttons(parameters))


def _own_message(world: World, parameters: Parameters) -> tuple[Chat, Message]:
    chat = world.chat_to_write(parameters.text("chat_id"))
    message = _found(chat, parameters, "edit")
    if message.json["from"]["id"] != world.bot["id"]:
        raise bad_request("message can't be edited")
    return chat, message


def _found(chat: Chat, parameters: Parameters, purpose: str) -> Message:
    message = chat.messages.get(parameters.integer("message_id"))
    if message is None or message.id in chat.forgotten:
        raise bad_request(f"message to {purpose} not found")
    return message


WORDS = ("text", "entities", "caption", "caption_entities")


def _changed(world: World, chat: Chat, message: Message, content: Json) -> Json:
    before = {name: message.json[name] for name in (*WORDS, "reply_markup") if name in message.json}
    if before == content:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same as a current "
            "content and reply markup of the message"
        )
    chat.edits.append(Edit(message.id, message.text, str(content.get("text") or content.get("caption") or "")))
    for name in before:
        del message.json[name]
    message.json.update(content | {"edit_date": int(world.now())})
    world.notify()
    return message.json


async def delete_message(world: World, parameters: Parameters) -> bool:
    chat = world.chat_to_read(parameters.text("chat_id"))
    _delete(world, chat, parameters.integer("message_id"))
    return True


async def delete_messages(world: World, parameters: Parameters) -> bool:
    """All of them or none; those that are gone are passed over."""
    chat = world.chat_to_read(parameters.text("chat_id"))
    ids = [int(number) for number in parameters.structure("message_ids") or ()]
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > MOST_DELETED:
        raise bad_request("too many message identifiers specified")
    there = [number for number in ids if number in chat.messages]
    for number in there:
        if refusal := _kept(world, chat, chat.messages[number]):
            raise refusal
    for number in there:
        _delete(world, chat, number)
    return True


def _delete(world: World, chat: Chat, message_id: int) -> None:
    message = chat.messages.get(message_id)
    if message is None:
        raise bad_request("message to delete not found")
    if refusal := _kept(world, chat, message):
        raise refusal
    del chat.messages[message_id]
    chat.deleted.append(message_id)
    world.notify()


def _kept(world: World, chat: Chat, message: Message) -> Refusal | None:
    """Why *message* cannot be taken back, as Telegram's server decides it (github.com/tdlib/td, can_delete_message)."""
    own = message.json["from"]["id"] == world.bot["id"]
    age = world.now() - message.json["date"]
    if chat.kind == "supergroup":
        may = own or "can_delete_messages" in chat.bot_rights
        if not may or age >= DELETABLE_FOR or any(name in message.json for name in UNDELETABLE):
            return bad_request("message can't be deleted")
        return None
    fresh_dice = chat.kind == "private" and "dice" in message.json and age < DICE_KEPT_FOR
    may = own or chat.kind == "private" or chat.bot_status == "administrator"
    if not may or fresh_dice or age > DELETABLE_FOR:
        return bad_request("message can't be deleted for everyone")
    return None


async def pin_chat_message(world: World, parameters: Parameters) -> bool:
    chat = _pinnable(world, parameters)
    message = _found(chat, parameters, "pin")
    if message.id in chat.pinned:
        chat.pinned.remove(message.id)
    chat.pinned.append(message.id)
    note = world.post(chat, world.bot, {"pinned_message": dict(message.json)}, thread=message.thread)
    world.tell(chat, note)
    return True


async def unpin_chat_message(world: World, parameters: Parameters) -> bool:
    """Without a message: the one that was pinned last."""
    chat = _pinnable(world, parameters)
    number = parameters.integer("message_id") or (chat.pinned[-1] if chat.pinned else 0)
    if number not in chat.pinned:
        raise bad_request("message to unpin not found")
    chat.pinned.remove(number)
    world.notify()
    return True


async def unpin_all_chat_messages(world: World, parameters: Parameters) -> bool:
    _pinnable(world, parameters).pinned.clear()
    world.notify()
    return True


def _pinnable(world: World, parameters: Parameters) -> Chat:
    chat = world.chat_to_write(parameters.text("chat_id"))
    if chat.is_group and "can_pin_messages" not in chat.bot_rights:
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat


async def answer_callback_query(world: World, parameters: Parameters) -> bool:
    press = parameters.text("callback_query_id")
    late = world.now() > world.pressed_at.get(press, 0.0) + ANSWERABLE_FOR
    if press not in world.presses or world.presses[press] is not None or late:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(parameters.text("text")) > NOTICE_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    world.presses[press] = parameters.as_json()
    world.notify()
    return True
