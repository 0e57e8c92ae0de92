"""Everything the bot can send."""

from tests.worlds.botapi import contents
from tests.worlds.botapi.chats import Chat, Json, Message
from tests.worlds.botapi.contents import things_in
from tests.worlds.botapi.methods import files
from tests.worlds.botapi.methods.parts import answered, buttons, caption, text, thread
from tests.worlds.botapi.parameters import Parameters
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.texts import TEXT_LIMIT
from tests.worlds.botapi.world import World

ALBUM_KINDS = ("photo", "document", "video", "audio")
DICE = {"🎲": 6, "🎯": 6, "🎳": 6, "🏀": 5, "⚽": 5, "🎰": 64}  # and their highest values
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
KIND_WORDS = {
    "text": "text messages",
    "voice": "voice notes",
    "video_note": "video notes",
    "audio": "music",
    "dice": "dice",
    "venue": "venues",
}
"""How a refusal calls what may not be sent, where that is not simply the plural."""


async def send_message(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = text(parameters, "text", "entities", TEXT_LIMIT)
    if not content:
        raise bad_request("message text is empty")
    return _sent(world, chat, parameters, content).json


async def send_photo(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = files.photo(world, parameters.file("photo"))
    return _sent(world, chat, parameters, content | caption(parameters)).json


async def send_document(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.document(files.kept(world, parameters.file("document")))
    return _sent(world, chat, parameters, content | caption(parameters)).json


async def send_video(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.video(files.kept(world, parameters.file("video")))
    return _sent(world, chat, parameters, content | caption(parameters)).json


async def send_animation(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.animation(files.kept(world, parameters.file("animation")))
    return _sent(world, chat, parameters, content | caption(parameters)).json


async def send_audio(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.audio(files.kept(world, parameters.file("audio")))
    return _sent(world, chat, parameters, content | caption(parameters)).json


async def send_voice(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.voice(files.kept(world, parameters.file("voice")))
    return _sent(world, chat, parameters, content | caption(parameters)).json


async def send_video_note(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    return _sent(world, chat, parameters, contents.video_note(files.kept(world, parameters.file("video_note")))).json


async def send_sticker(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    return _sent(world, chat, parameters, contents.sticker(files.kept(world, parameters.file("sticker")))).json


async def send_contact(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.contact(parameters.text("phone_number"), parameters.text("first_name"))
    return _sent(world, chat, parameters, content).json


async def send_location(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    return _sent(world, chat, parameters, contents.location(*_place(parameters))).json


async def send_venue(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = contents.venue(parameters.text("title"), parameters.text("address"), *_place(parameters))
    return _sent(world, chat, parameters, content).json


async def send_dice(world: World, parameters: Parameters) -> Json:
    """Always the highest value: a world that rolls dice could not be played again."""
    chat = _chat(world, parameters)
    emoji = parameters.text("emoji", "🎲")
    if emoji not in DICE:
        raise bad_request("invalid dice emoji specified")
    return _sent(world, chat, parameters, contents.dice(emoji, DICE[emoji])).json


async def send_media_group(world: World, parameters: Parameters) -> list[Json]:
    chat = _chat(world, parameters)
    items = parameters.objects("media")
    if not 2 <= len(items) <= 10:
        raise bad_request("group of media messages must include 2-10 items")
    album = {"media_group_id": str(13_000_000_000_000 + world.new_id())}
    parts = [album | _part(world, parameters, item) for item in items]
    world.meter.count(chat, world.now(), len(parts) - 1)  # the last one is counted where it is sent
    first, *others = parts
    messages = [_sent(world, chat, parameters, first)]
    messages += [_put(world, chat, parameters, content) for content in others]
    return [message.json for message in messages]


def _part(world: World, parameters: Parameters, item: Json) -> Json:
    kind, reference = item["type"], parameters.attached(item["media"])
    if kind not in ALBUM_KINDS:
        raise bad_request("Can't use the media of the specified type in the album")
    if kind == "photo":
        content = files.photo(world, reference)
    else:
        make = {"document": contents.document, "video": contents.video, "audio": contents.audio}[kind]
        content = make(files.kept(world, reference))
    return content | caption(Parameters(item, {}))


async def forward_message(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    original = _original(world, parameters, parameters.integer("message_id"), "forward")
    return _sent(world, chat, parameters, things_in(original) | {"forward_origin": world.origin_of(original)}).json


async def copy_message(world: World, parameters: Parameters) -> Json:
    chat = _chat(world, parameters)
    content = things_in(_original(world, parameters, parameters.integer("message_id"), "copy"))
    if parameters.text("caption"):
        content |= caption(parameters)
    return {"message_id": _sent(world, chat, parameters, content).id}


async def copy_messages(world: World, parameters: Parameters) -> list[Json]:
    """Several at once; those that are gone are left out."""
    chat = _chat(world, parameters)
    source = world.chat_to_read(parameters.text("from_chat_id"))
    found = [source.messages[number] for number in parameters.structure("message_ids") if number in source.messages]
    copied = [message for message in found if things_in(message)]
    if not copied:
        raise bad_request("there are no messages to forward")
    return [{"message_id": _sent(world, chat, parameters, things_in(message)).id} for message in copied]


async def send_chat_action(world: World, parameters: Parameters) -> bool:
    chat = _chat(world, parameters)
    action = parameters.text("action")
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    thread(world, chat, parameters)
    chat.actions.append(action)
    world.notify()
    return True


def _chat(world: World, parameters: Parameters) -> Chat:
    """Where it goes: a chat of the bot's own, or one of a business account the bot writes for."""
    if connection_id := parameters.text("business_connection_id"):
        connection = world.connections.get(connection_id)
        if connection is None:
            raise bad_request("business connection not found")
        return connection.chat_to_write(parameters.text("chat_id"))
    return world.chat_to_write(parameters.text("chat_id"))


def _place(parameters: Parameters) -> tuple[float, float]:
    for name in ("latitude", "longitude"):
        if not parameters.text(name):
            raise bad_request(f"{name} is empty")
    return float(parameters.text("latitude")), float(parameters.text("longitude"))


def _sent(world: World, chat: Chat, parameters: Parameters, content: Json) -> Message:
    """Refuse what could not be sent before anything is, then count it and put it there."""
    if chat.bot_status == "restricted":
        kind = next(name for name in (*KIND_WORDS, *contents.THINGS) if name in content)
        raise bad_request(f"not enough rights to send {KIND_WORDS.get(kind, f'{kind}s')} to the chat")
    thread(world, chat, parameters)
    answered(world, chat, parameters)
    markup = buttons(parameters)
    world.meter.count(chat, world.now())
    return _put(world, chat, parameters, content | markup)


def _put(world: World, chat: Chat, parameters: Parameters, content: Json) -> Message:
    message, told = answered(world, chat, parameters)
    sender = world.bot
    if connection := world.connections.get(parameters.text("business_connection_id")):
        sender = connection.owner.as_json()
        told |= {"business_connection_id": connection.id, "sender_business_bot": world.bot}
    return world.post(chat, sender, content | told, thread=thread(world, chat, parameters), reply_to=message)


def _original(world: World, parameters: Parameters, message_id: int, purpose: str) -> Message:
    source = world.chat_to_read(parameters.text("from_chat_id"))
    original = source.messages.get(message_id)
    if original is None:
        raise bad_request(f"message to {purpose} not found")
    if not things_in(original):
        raise bad_request(f"message can't be {'copied' if purpose == 'copy' else 'forwarded'}")
    return original
