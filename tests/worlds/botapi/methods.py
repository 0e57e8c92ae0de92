"""What the bot can ask of Telegram. Each function is one method of the Bot API (core.telegram.org/bots/api)."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.worlds.botapi.chats import Chat, Edit, Json, Message, StoredFile, Topic
from tests.worlds.botapi.parameters import Parameters, Upload
from tests.worlds.botapi.people import document_json, forget_topic, open_topic, photo_json
from tests.worlds.botapi.polling import get_updates
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.texts import CAPTION_LIMIT, TEXT_LIMIT, checked_entities, found_entities, units
from tests.worlds.botapi.updates import LEFT_OUT_BY_DEFAULT, Webhook
from tests.worlds.botapi.world import World

Method = Callable[[World, Parameters], Awaitable[Any]]

DELETABLE_FOR = 48 * 3600  # seconds; core.telegram.org/bots/api#deletemessage
DOWNLOAD_LIMIT = 20 * 1024 * 1024  # bytes; core.telegram.org/bots/api#getfile
UPLOAD_LIMIT = 50 * 1024 * 1024  # bytes; core.telegram.org/bots/faq#how-do-i-upload-a-large-file
CALLBACK_DATA_LIMIT = 64  # bytes; core.telegram.org/bots/api#inlinekeyboardbutton
TOPIC_NAME_LIMIT = 128  # characters; core.telegram.org/bots/api#createforumtopic
IMAGE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
COMMAND = re.compile(r"[a-z0-9_]{1,32}")


# ---- the bot itself and its updates


async def get_me(world: World, parameters: Parameters) -> Json:
    return world.bot | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy_mode,
        "supports_inline_queries": False,
    }


async def set_webhook(world: World, parameters: Parameters) -> bool:
    url = parameters.text("url")
    if not url:
        return await delete_webhook(world, parameters)
    loopback = url.startswith(("http://127.0.0.1:", "http://localhost:"))
    if not (loopback or url.startswith("https://")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = parameters.text("secret_token")
    if secret and not SECRET_TOKEN.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if parameters.flag("drop_pending_updates"):
        world.updates.drop_all()
    world.updates.ask_for(parameters.structure("allowed_updates"))
    world.webhook = Webhook(url, secret, parameters.integer("max_connections", 40))
    world.notify()
    return True


async def delete_webhook(world: World, parameters: Parameters) -> bool:
    if parameters.flag("drop_pending_updates"):
        world.updates.drop_all()
    world.webhook = None
    world.notify()
    return True


async def get_webhook_info(world: World, parameters: Parameters) -> Json:
    info: Json = {"url": "", "has_custom_certificate": False, "pending_update_count": world.updates.waiting}
    if world.webhook is not None:
        info |= {"url": world.webhook.url, "max_connections": world.webhook.max_connections}
        if world.webhook.last_error_date is not None:
            info["last_error_date"] = world.webhook.last_error_date
            info["last_error_message"] = world.webhook.last_error_message
    if world.updates.allowed is not None and not world.updates.allowed >= LEFT_OUT_BY_DEFAULT:
        info["allowed_updates"] = sorted(world.updates.allowed)
    return info


async def set_my_commands(world: World, parameters: Parameters) -> bool:
    menu = parameters.objects("commands")
    if len(menu) > 100:
        raise bad_request("can't set more than 100 commands")
    for command in menu:
        if not COMMAND.fullmatch(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    world.commands[_menu(parameters)] = menu
    return True


async def get_my_commands(world: World, parameters: Parameters) -> list[Json]:
    return world.commands.get(_menu(parameters), [])


def _menu(parameters: Parameters) -> tuple[str, str]:
    scope = parameters.object("scope")
    name = str(scope.get("type", "default"))
    return (f"{name} {scope['chat_id']}" if "chat_id" in scope else name, parameters.text("language_code"))


# ---- sending


async def send_message(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_write(parameters.text("chat_id"))
    content = _text(parameters, "text", "entities", TEXT_LIMIT)
    if not content:
        raise bad_request("message text is empty")
    return _sent(world, chat, parameters, content).json


async def send_photo(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_write(parameters.text("chat_id"))
    content = _photo(world, parameters.file("photo"))
    return _sent(world, chat, parameters, content | _caption(parameters)).json


async def send_document(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_write(parameters.text("chat_id"))
    content = _document(world, parameters.file("document"))
    return _sent(world, chat, parameters, content | _caption(parameters)).json


async def send_media_group(world: World, parameters: Parameters) -> list[Json]:
    chat = world.chat_to_write(parameters.text("chat_id"))
    items = parameters.objects("media")
    if not 2 <= len(items) <= 10:
        raise bad_request("group of media messages must include 2-10 items")
    album = {"media_group_id": str(13_000_000_000_000 + world.new_id())}
    contents: list[Json] = []
    for item in items:
        reference = parameters.attached(item["media"])
        if item["type"] not in ("photo", "document"):
            raise bad_request("Can't use the media of the specified type in the album")
        content = _photo(world, reference) if item["type"] == "photo" else _document(world, reference)
        inner = Parameters(item, {})
        contents.append(album | content | _caption(inner))
    world.meter.count(chat, world.now(), len(contents) - 1)  # the last one is counted where it is sent
    first, *others = contents
    messages = [_sent(world, chat, parameters, first)]
    messages += [_put(world, chat, parameters, content) for content in others]
    return [message.json for message in messages]


async def forward_message(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_write(parameters.text("chat_id"))
    original = _original(world, parameters)
    origin: Json = {"type": "user", "date": original.json["date"], "sender_user": original.json["from"]}
    return _sent(world, chat, parameters, _content(original) | {"forward_origin": origin}).json


async def copy_message(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_write(parameters.text("chat_id"))
    content = _content(_original(world, parameters))
    if parameters.text("caption"):
        content |= _caption(parameters)
    return {"message_id": _sent(world, chat, parameters, content).id}


async def send_chat_action(world: World, parameters: Parameters) -> bool:
    chat = world.chat_to_write(parameters.text("chat_id"))
    action = parameters.text("action")
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    _thread(world, chat, parameters)
    chat.actions.append(action)
    world.notify()
    return True


def _sent(world: World, chat: Chat, parameters: Parameters, content: Json) -> Message:
    message_parts = _checked_send(world, chat, parameters)
    world.meter.count(chat, world.now())
    return _put(world, chat, parameters, content | message_parts)


def _checked_send(world: World, chat: Chat, parameters: Parameters) -> Json:
    """Refuse what could not be sent before anything is; returns the buttons."""
    _thread(world, chat, parameters)
    _answered(chat, parameters)
    return _buttons(parameters)


def _put(world: World, chat: Chat, parameters: Parameters, content: Json) -> Message:
    return world.post(
        chat, world.bot, content, thread=_thread(world, chat, parameters), reply_to=_answered(chat, parameters)
    )


def _text(parameters: Parameters, name: str, entities: str, limit: int) -> Json:
    if parameters.text("parse_mode"):
        raise NotImplementedError("this world does not read Markdown or HTML: send entities")
    text = parameters.text(name)
    given = checked_entities(text, parameters.objects(entities))
    if not given:
        text = text.strip()
    if units(text) > limit:
        raise bad_request("message is too long" if name == "text" else "message caption is too long")
    if not text.strip():
        return {}
    shown = given or found_entities(text)
    return {name: text} | ({entities: shown} if shown else {})


def _caption(parameters: Parameters) -> Json:
    return _text(parameters, "caption", "caption_entities", CAPTION_LIMIT)


def _photo(world: World, given: Upload | str) -> Json:
    content = _stored(world, given).content if isinstance(given, str) else given.content
    if not content.startswith(IMAGE_MAGIC):
        raise bad_request("IMAGE_PROCESS_FAILED")
    return {"photo": photo_json(world, content)}


def _document(world: World, given: Upload | str) -> Json:
    if isinstance(given, str):
        return {"document": document_json(_stored(world, given))}
    if not given.content:
        raise bad_request("file must be non-empty")
    if len(given.content) > UPLOAD_LIMIT:
        raise bad_request("file is too big")
    return {"document": document_json(world.keep_file(given.content, given.name, given.media_type))}


def _stored(world: World, file_id: str) -> StoredFile:
    if file_id not in world.files:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return world.files[file_id]


def _thread(world: World, chat: Chat, parameters: Parameters) -> int | None:
    thread = parameters.integer("message_thread_id")
    if not thread:
        if chat.forum and chat.general.closed and "can_manage_topics" not in chat.bot_rights:
            raise bad_request("TOPIC_CLOSED")
        return None
    topic = world.topic_to_write(chat, thread)
    return topic.thread if topic else None


def _answered(chat: Chat, parameters: Parameters) -> Message | None:
    reply = parameters.object("reply_parameters")
    if not reply:
        return None
    answered = chat.messages.get(int(reply["message_id"]))
    if answered is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return answered


def _buttons(parameters: Parameters) -> Json:
    markup = parameters.object("reply_markup")
    for row in markup.get("inline_keyboard", []):
        for button in row:
            if not button.get("text"):
                raise bad_request("text buttons must be non-empty")
            if not 1 <= len(button.get("callback_data", "").encode()) <= CALLBACK_DATA_LIMIT:
                raise bad_request("BUTTON_DATA_INVALID")
    return {"reply_markup": markup} if markup.get("inline_keyboard") else {}


def _original(world: World, parameters: Parameters) -> Message:
    source = world.chat_to_read(parameters.text("from_chat_id"))
    original = source.messages.get(parameters.integer("message_id"))
    if original is None:
        raise bad_request("message to copy not found")
    return original


def _content(message: Message) -> Json:
    kept = ("text", "entities", "caption", "caption_entities", "photo", "document", "voice", "sticker", "contact")
    return {name: message.json[name] for name in (*kept, "location") if name in message.json}


# ---- changing and taking back


async def edit_message_text(world: World, parameters: Parameters) -> Json:
    chat, message = _own_message(world, parameters)
    content = _text(parameters, "text", "entities", TEXT_LIMIT)
    if not content:
        raise bad_request("message text is empty")
    return _changed(world, chat, message, content | _buttons(parameters))


async def edit_message_reply_markup(world: World, parameters: Parameters) -> Json:
    chat, message = _own_message(world, parameters)
    kept = {name: message.json[name] for name in ("text", "entities") if name in message.json}
    return _changed(world, chat, message, kept | _buttons(parameters))


def _own_message(world: World, parameters: Parameters) -> tuple[Chat, Message]:
    chat = world.chat_to_write(parameters.text("chat_id"))
    message = chat.messages.get(parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if message.json["from"]["id"] != world.bot["id"]:
        raise bad_request("message can't be edited")
    return chat, message


def _changed(world: World, chat: Chat, message: Message, content: Json) -> Json:
    changing = ("text", "entities", "reply_markup")
    before = {name: message.json[name] for name in changing if name in message.json}
    if before == content:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same as a current "
            "content and reply markup of the message"
        )
    chat.edits.append(Edit(message.id, message.text, str(content.get("text", ""))))
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
    chat = world.chat_to_read(parameters.text("chat_id"))
    for message_id in parameters.structure("message_ids"):
        if message_id in chat.messages:
            _delete(world, chat, int(message_id))
    return True


def _delete(world: World, chat: Chat, message_id: int) -> None:
    message = chat.messages.get(message_id)
    if message is None:
        raise bad_request("message to delete not found")
    own = message.json["from"]["id"] == world.bot["id"]
    may_delete_any = chat.bot_status == "administrator" and "can_delete_messages" in chat.bot_rights
    if chat.is_group and not own and not may_delete_any:
        raise bad_request("message can't be deleted")
    old = message.json["date"] < world.now() - DELETABLE_FOR
    if old and not may_delete_any:
        raise bad_request("message can't be deleted for everyone")
    del chat.messages[message_id]
    chat.deleted.append(message_id)
    world.notify()


async def answer_callback_query(world: World, parameters: Parameters) -> bool:
    press = parameters.text("callback_query_id")
    if press not in world.presses or world.presses[press] is not None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(parameters.text("text")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    world.presses[press] = parameters.as_json()
    world.notify()
    return True


# ---- chats, members and files


async def get_chat(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_read(parameters.text("chat_id"))
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return chat.as_json() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }


async def get_chat_member(world: World, parameters: Parameters) -> Json:
    chat = world.chat_to_read(parameters.text("chat_id"))
    user_id = parameters.integer("user_id")
    if user_id != world.bot["id"] and user_id not in world.people:
        raise bad_request("invalid user_id specified")
    return world.member_json(chat, user_id)


async def get_file(world: World, parameters: Parameters) -> Json:
    file_id = parameters.text("file_id")
    if not file_id:
        raise bad_request("file_id not specified")
    stored = world.files.get(file_id)
    if stored is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if stored.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size,
        "file_path": stored.path,
    }


# ---- topics


async def create_forum_topic(world: World, parameters: Parameters) -> Json:
    chat = _managed_forum(world, parameters)
    name = _topic_name(parameters)
    topic = open_topic(world, chat, world.bot, name, parameters.integer("icon_color", 0x6FB9F0))
    return {"message_thread_id": topic.thread, "name": topic.name, "icon_color": topic.icon_color}


async def edit_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    return _renamed(world, chat, _topic(chat, parameters), _topic_name(parameters))


async def close_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    return _set_closed(world, chat, _topic(chat, parameters), True)


async def reopen_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    return _set_closed(world, chat, _topic(chat, parameters), False)


async def delete_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    if "can_delete_messages" not in chat.bot_rights:
        raise bad_request("not enough rights to delete a topic")
    forget_topic(chat, _topic(chat, parameters).thread)
    world.notify()
    return True


async def edit_general_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    return _renamed(world, chat, chat.general, _topic_name(parameters))


async def close_general_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    return _set_closed(world, chat, chat.general, True)


async def reopen_general_forum_topic(world: World, parameters: Parameters) -> bool:
    chat = _managed_forum(world, parameters)
    return _set_closed(world, chat, chat.general, False)


async def hide_general_forum_topic(world: World, parameters: Parameters) -> bool:
    return _set_hidden(world, _managed_forum(world, parameters), True)


async def unhide_general_forum_topic(world: World, parameters: Parameters) -> bool:
    return _set_hidden(world, _managed_forum(world, parameters), False)


def _managed_forum(world: World, parameters: Parameters) -> Chat:
    chat = world.chat_to_write(parameters.text("chat_id"))
    if not chat.forum:
        raise bad_request("the chat is not a forum")
    if "can_manage_topics" not in chat.bot_rights:
        raise bad_request("not enough rights to manage topics")
    return chat


def _topic(chat: Chat, parameters: Parameters) -> Topic:
    thread = parameters.integer("message_thread_id")
    if thread not in chat.topics:
        raise bad_request("TOPIC_ID_INVALID")
    return chat.topics[thread]


def _topic_name(parameters: Parameters) -> str:
    name = parameters.text("name").strip()
    if not 1 <= len(name) <= TOPIC_NAME_LIMIT:
        raise bad_request("TOPIC_TITLE_EMPTY" if not name else "TOPIC_TITLE_TOO_LONG")
    return name


def _renamed(world: World, chat: Chat, topic: Topic, name: str) -> bool:
    if topic.name == name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.name = name
    _note(world, chat, topic, {"forum_topic_edited": {"name": name}})
    return True


def _set_closed(world: World, chat: Chat, topic: Topic, closed: bool) -> bool:
    if topic.closed == closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.closed = closed
    _note(world, chat, topic, {"forum_topic_closed" if closed else "forum_topic_reopened": {}})
    return True


def _set_hidden(world: World, chat: Chat, hidden: bool) -> bool:
    if chat.general.hidden == hidden:
        raise bad_request("TOPIC_NOT_MODIFIED")
    chat.general.hidden = hidden
    _note(world, chat, chat.general, {"general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden": {}})
    return True


def _note(world: World, chat: Chat, topic: Topic, content: Json) -> None:
    """Say in the chat what became of a topic; Telegram tells the bot of such notes even where they are its own."""
    thread = None if topic is chat.general else topic.thread
    note = world.post(chat, world.bot, content, thread=thread)
    world.emit("message", note.json, chat.id)


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "forwardMessage": forward_message,
    "copyMessage": copy_message,
    "sendChatAction": send_chat_action,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback_query,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getFile": get_file,
    "createForumTopic": create_forum_topic,
    "editForumTopic": edit_forum_topic,
    "closeForumTopic": close_forum_topic,
    "reopenForumTopic": reopen_forum_topic,
    "deleteForumTopic": delete_forum_topic,
    "editGeneralForumTopic": edit_general_forum_topic,
    "closeGeneralForumTopic": close_general_forum_topic,
    "reopenGeneralForumTopic": reopen_general_forum_topic,
    "hideGeneralForumTopic": hide_general_forum_topic,
    "unhideGeneralForumTopic": unhide_general_forum_topic,
}

SPELLING = {name.lower(): name for name in METHODS}  # Telegram does not mind how a method's name is written
