"""Files: what comes with a call or is named by its id, and what the bot may fetch."""

from tests.worlds.botapi import contents
from tests.worlds.botapi.chats import Json, StoredFile
from tests.worlds.botapi.parameters import Parameters, Upload
from tests.worlds.botapi.refusals import bad_request
from tests.worlds.botapi.world import World

DOWNLOAD_LIMIT = 20 * 1024 * 1024  # bytes; core.telegram.org/bots/api#getfile
PHOTO_LIMIT = 10 * 1024 * 1024  # bytes; core.telegram.org/bots/api#sendphoto
IMAGE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


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


def photo(world: World, given: Upload | str) -> Json:
    picture = _stored(world, given) if isinstance(given, str) else given
    if picture.size > PHOTO_LIMIT:
        raise bad_request(f"file of size {picture.size} bytes is too big for a photo")
    if not picture.content.startswith(IMAGE_MAGIC):
        raise bad_request("IMAGE_PROCESS_FAILED")
    return contents.photo(world, picture.content)


def kept(world: World, given: Upload | str) -> StoredFile:
    """The file as Telegram holds it from now on."""
    if isinstance(given, str):
        return _stored(world, given)
    if not given.size:
        raise bad_request("file must be non-empty")
    return world.keep_file(given.content, given.name, given.media_type, size=given.size)


def _stored(world: World, file_id: str) -> StoredFile:
    if file_id not in world.files:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return world.files[file_id]
