"""What a message can hold, as the Bot API tells it: each function makes the part of a message that is one thing."""

import struct
from typing import TYPE_CHECKING

from tests.worlds.botapi.chats import Json, Message, StoredFile

if TYPE_CHECKING:
    from tests.worlds.botapi.world import World

ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)  # the smallest PNG there is: one red pixel

THINGS = (
    "text",
    "entities",
    "caption",
    "caption_entities",
    "photo",
    "animation",
    "document",
    "voice",
    "video",
    "video_note",
    "audio",
    "sticker",
    "contact",
    "venue",
    "location",
    "dice",
    "poll",
)


def things_in(message: Message) -> Json:
    """What can be forwarded or copied of *message*; empty for Telegram's own notes."""
    return {name: message.json[name] for name in THINGS if name in message.json}


def file_json(stored: StoredFile) -> Json:
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": stored.size}


def document_json(stored: StoredFile) -> Json:
    return file_json(stored) | {"file_name": stored.name, "mime_type": stored.media_type}


def photo_json(world: "World", content: bytes) -> list[Json]:
    """A photo in the sizes Telegram makes of it, the smallest first."""
    width, height = _png_size(content)
    small = world.keep_file(content, "thumbnail.jpg", "image/jpeg")
    full = world.keep_file(content, "photo.jpg", "image/jpeg")
    scale = min(1.0, 90 / max(width, height))
    thumbnail = {"width": max(1, int(width * scale)), "height": max(1, int(height * scale))}
    return [file_json(small) | thumbnail, file_json(full) | {"width": width, "height": height}]


def _png_size(content: bytes) -> tuple[int, int]:
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return (800, 600)
    width, height = struct.unpack(">II", content[16:24])
    return (int(width), int(height))


def photo(world: "World", content: bytes) -> Json:
    return {"photo": photo_json(world, content)}


def document(stored: StoredFile) -> Json:
    return {"document": document_json(stored)}


def voice(stored: StoredFile, duration: int = 3) -> Json:
    return {"voice": file_json(stored) | {"duration": duration, "mime_type": stored.media_type}}


def audio(stored: StoredFile, duration: int = 180) -> Json:
    return {"audio": document_json(stored) | {"duration": duration, "title": stored.name}}


def video(stored: StoredFile, duration: int = 5) -> Json:
    return {"video": document_json(stored) | {"duration": duration, "width": 640, "height": 360}}


def animation(stored: StoredFile, duration: int = 2) -> Json:
    """A moving picture; Telegram tells it as a document too."""
    moving = document_json(stored) | {"duration": duration, "width": 320, "height": 180}
    return {"animation": moving, "document": document_json(stored)}


def video_note(stored: StoredFile, duration: int = 4) -> Json:
    return {"video_note": file_json(stored) | {"duration": duration, "length": 240}}


def sticker(stored: StoredFile, emoji: str = "😀") -> Json:
    look: Json = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
    return {"sticker": file_json(stored) | look | {"emoji": emoji, "set_name": "HotCherry"}}


def contact(phone_number: str, first_name: str, user_id: int | None = None) -> Json:
    card: Json = {"phone_number": phone_number, "first_name": first_name}
    return {"contact": card | ({"user_id": user_id} if user_id else {})}


def location(latitude: float, longitude: float) -> Json:
    return {"location": {"latitude": latitude, "longitude": longitude}}


def venue(title: str, address: str, latitude: float, longitude: float) -> Json:
    """A place with a name; Telegram tells where it is a second time."""
    place = location(latitude, longitude)
    return place | {"venue": place | {"title": title, "address": address}}


def dice(emoji: str, value: int) -> Json:
    return {"dice": {"emoji": emoji, "value": value}}


def poll(poll_id: str, question: str, options: tuple[str, ...]) -> Json:
    answers: list[Json] = [
        {"persistent_id": str(number), "text": option, "voter_count": 0} for number, option in enumerate(options)
    ]
    rules: Json = {"is_closed": False, "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
    new: Json = {"allows_revoting": True, "members_only": False}
    asked: Json = {"id": poll_id, "question": question, "options": answers, "total_voter_count": 0}
    return {"poll": asked | rules | new}
