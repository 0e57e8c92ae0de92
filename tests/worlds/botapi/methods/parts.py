"""The parts that sending and changing messages have in common: text, buttons, the topic and what is answered."""

import re

from tests.worlds.botapi.chats import Chat, Json, Message
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.texts import CAPTION_LIMIT, checked_entities, found_entities, units
from tests.worlds.botapi.world import World

CALLBACK_DATA_LIMIT = 64  # bytes; core.telegram.org/bots/api#inlinekeyboardbutton
QUOTE_LIMIT = 1024  # characters; core.telegram.org/bots/api#replyparameters


def text(parameters: Parameters, name: str, entities: str, limit: int) -> Json:
    if parameters.text("parse_mode"):
        raise NotImplementedError("this world does not read Markdown or HTML: send entities")
    words = parameters.text(name)
    given = checked_entities(words, parameters.objects(entities))
    if not given:
        words = words.strip()
    if units(words) > limit:
        raise bad_request("message is too long" if name == "text" else "message caption is too long")
    if not words.strip():
        return {}
    shown = given or found_entities(words)
    return {name: words} | ({entities: shown} if shown else {})


def caption(parameters: Parameters) -> Json:
    return text(parameters, "caption", "caption_entities", CAPTION_LIMIT)


def thread(world: World, chat: Chat, parameters: Parameters) -> int | None:
    asked = parameters.integer("message_thread_id")
    if not asked:
        if chat.forum and chat.general.closed and "can_manage_topics" not in chat.bot_rights:
            raise bad_request("TOPIC_CLOSED")
        return None
    topic = world.topic_to_write(chat, asked)
    return topic.thread if topic else None


def answered(world: World, chat: Chat, parameters: Parameters) -> tuple[Message | None, Json]:
    """The message that is answered, if any, and what the answer tells of it: a quote, or that it is from elsewhere."""
    reply = parameters.object("reply_parameters")
    if not reply:
        return None, {}
    elsewhere = str(reply.get("chat_id", chat.id))
    source = chat if elsewhere in (str(chat.id), f"@{chat.username}") else world.chat_to_read(elsewhere)
    message = source.messages.get(int(reply["message_id"]))
    if message is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    if message is None:
        return None, {}
    told: Json = {"quote": _quote(message, reply)} if reply.get("quote") else {}
    if source is not chat:
        told["external_reply"] = {"origin": world.origin_of(message)}
        if source.kind != "private":
            told["external_reply"] |= {"chat": source.as_json(), "message_id": message.id}
    return message, told


def _quote(message: Message, reply: Json) -> Json:
    words = str(reply["quote"])
    start = message.text.find(words)
    if start < 0 or len(words) > QUOTE_LIMIT:
        raise bad_request("QUOTE_TEXT_INVALID")
    return {"text": words, "position": units(message.text[:start]), "is_manual": True}


def buttons(parameters: Parameters) -> Json:
    markup = parameters.object("reply_markup")
    for row in markup.get("inline_keyboard", []):
        for button in row:
            if not button.get("text"):
                raise bad_request("text buttons must be non-empty")
            if re.match(r"https?://[^\s/]+", button.get("url", "")):
                continue
            if not 1 <= len(button.get("callback_data", "").encode()) <= CALLBACK_DATA_LIMIT:
                raise bad_request("BUTTON_DATA_INVALID")
    return {"reply_markup": markup} if markup.get("inline_keyboard") else {}
