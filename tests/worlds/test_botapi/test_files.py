"""Files, both ways."""

import json

import pytest
import telegram
from telegram.request import HTTPXRequest
from tests.worlds.botapi import ONE_PIXEL, Server, World
from tests.worlds.botapi.methods.files import DOWNLOAD_LIMIT
from tests.worlds.botapi.raw_bot import RawBot
from tests.worlds.botapi.server import UPLOAD_LIMIT


async def test_a_file_comes_back_byte_for_byte(server: Server, bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    document = ann.sends_document("log.txt", b"line\n" * 100).json["document"]

    path = (await bot.does("getFile", file_id=document["file_id"]))["file_path"]
    got = await bot.http.get(f"{server.url}/file/bot{world.token}/{path}")

    assert got.content == b"line\n" * 100


async def test_a_file_over_20_mib_is_not_given_out(bot: RawBot, world: World) -> None:
    document = world.person("Ann").sends_document("dump.bin", size=21 * 1024 * 1024).json["document"]

    refused = await bot.call("getFile", file_id=document["file_id"])

    assert refused["description"] == "Bad Request: file is too big"


async def test_an_album_is_several_messages_of_one_group(bot: RawBot, world: World) -> None:
    world.person("Ann").sends_album([ONE_PIXEL] * 3, caption="see")

    messages = [update["message"] for update in await bot.does("getUpdates")]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["see", None, None]


async def test_everything_a_person_can_send_is_an_update_aiogram_reads(bot: RawBot, world: World) -> None:
    ann, bob = world.person("Ann", username="ann_w"), world.person("Bob")
    ann.sends_photo(caption="https://example.org/x")
    ann.sends_voice()
    ann.sends_sticker()
    ann.sends_contact("+4912345", "Bob")
    ann.sends_location(1.5, 2.5)
    ann.says("look", forwarded_from=bob)
    ann.says("this", reply_to=ann.says("that"), quote="th")
    ann.says("in a topic", thread=77)
    ann.blocks()
    ann.unblocks()

    assert len(await bot.does("getUpdates")) == 11


async def test_python_telegram_bot_talks_to_it(server: Server, world: World) -> None:
    request = HTTPXRequest()
    bot = telegram.Bot(
        world.token, base_url=f"{server.url}/bot", base_file_url=f"{server.url}/file/bot", request=request
    )
    ann = world.person("Ann")
    ann.sends_document("log.txt", b"log")
    async with bot:
        [update] = await bot.get_updates(timeout=1)
        assert update.message is not None
        assert update.message.document is not None
        got = await (await update.message.document.get_file()).download_as_bytearray()
        await bot.send_photo(ann.id, ONE_PIXEL, caption="a photo")
        await bot.send_document(ann.id, b"bytes", filename="a.bin")
        album = [telegram.InputMediaPhoto(ONE_PIXEL), telegram.InputMediaPhoto(ONE_PIXEL, caption="two")]
        await bot.send_media_group(ann.id, album)
        buttons = telegram.InlineKeyboardMarkup.from_button(telegram.InlineKeyboardButton("Yes", callback_data="1"))
        sent = await bot.send_message(ann.id, "<b>plain</b>", reply_markup=buttons)
        await sent.edit_text("changed")
        await bot.send_chat_action(ann.id, "typing")

    assert bytes(got) == b"log"
    assert [m.text for m in ann.chat.from_bot] == ["a photo", "", "", "two", "changed"]
    assert ann.chat.actions == ["typing"]


async def test_the_largest_file_that_may_be_fetched_is_sent_whole_and_kept_light(
    server: Server, bot: RawBot, world: World
) -> None:
    ann = world.person("Ann")
    whole = ann.sends_document("dump.bin", b"head", size=DOWNLOAD_LIMIT).json["document"]
    too_big = ann.sends_video("long.mp4", size=DOWNLOAD_LIMIT + 1).json["video"]

    path = (await bot.does("getFile", file_id=whole["file_id"]))["file_path"]
    got = await bot.http.get(f"{server.url}/file/bot{world.token}/{path}")

    assert (len(got.content), got.content[:4], got.headers["content-length"]) == (DOWNLOAD_LIMIT, b"head", "20971520")
    assert world.files[whole["file_id"]].content == b"head"
    assert sum(len(chunk) for chunk in world.files[whole["file_id"]].chunks()) == DOWNLOAD_LIMIT
    assert await bot.refusal("getFile", file_id=too_big["file_id"]) == "Bad Request: file is too big"


@pytest.mark.parametrize(("over", "status"), [(0, 200), (1, 413)])
async def test_a_bot_sends_files_of_up_to_50_mib(
    server: Server, bot: RawBot, world: World, over: int, status: int
) -> None:
    ann = world.person("Ann").has_written_before()
    upload = {"document": ("big.bin", b"head" + bytes(UPLOAD_LIMIT - 4 + over))}

    answer = await bot.http.post(
        f"{server.url}/bot{world.token}/sendDocument", data={"chat_id": str(ann.id)}, files=upload
    )

    assert answer.status_code == answer.json().get("error_code", 200) == status
    assert [(file.size, file.content) for file in world.files.values()] == [(UPLOAD_LIMIT, b"head")] * (1 - over)


async def test_a_photo_has_at_most_10_mib_and_is_a_picture(server: Server, bot: RawBot, world: World) -> None:
    ann = world.person("Ann").has_written_before()
    url, to = f"{server.url}/bot{world.token}/sendPhoto", {"chat_id": str(ann.id)}

    too_big = await bot.http.post(url, data=to, files={"photo": ("p.png", ONE_PIXEL + bytes(10 * 1024 * 1024))})
    no_picture = await bot.http.post(url, data=to, files={"photo": ("p.png", b"words")})
    missing = await bot.http.post(url, data=to)

    assert "is too big for a photo" in too_big.json()["description"]
    assert no_picture.json()["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    assert missing.json()["description"] == "Bad Request: there is no file in the request"


async def test_an_album_of_uploads_and_of_files_telegram_has(server: Server, bot: RawBot, world: World) -> None:
    ann = world.person("Ann")
    kept = ann.sends_document("log.txt").json["document"]["file_id"]
    media = [
        {"type": "document", "media": "attach://new", "caption": "both"},
        {"type": "document", "media": kept},
    ]

    answer = await bot.http.post(
        f"{server.url}/bot{world.token}/sendMediaGroup",
        data={"chat_id": str(ann.id), "media": json.dumps(media)},
        files={"new": ("new.txt", b"new")},
    )

    first, second = answer.json()["result"]
    assert (first["caption"], first["document"]["file_name"]) == ("both", "new.txt")
    assert (second["document"]["file_id"], second["media_group_id"]) == (kept, first["media_group_id"])
    mixed = [{"type": "sticker", "media": kept}] * 2
    assert "can't use the media" in (await bot.refusal("sendMediaGroup", chat_id=ann.id, media=mixed)).lower()
    assert "2-10 items" in await bot.refusal("sendMediaGroup", chat_id=ann.id, media=media[1:])
