"""Files that came with messages are fetched byte for byte, within a cap, or refused with a reason."""

from dataclasses import replace

import pytest
from tests.worlds.botapi import Message, Moment, World

from imconnect.domain.messages import Address, Attachment, Incoming
from imconnect.ports import TryLater, Undeliverable
from imconnect_telegram import TelegramAdapter
from imconnect_telegram.translate import Bot, read

MEBI = 1024 * 1024
HERE = Address("telegram", "424242", "1")


def attachment_of(message: Message) -> Attachment:
    item = read({"update_id": 1, "message": message.json}, Bot("424242")).item
    assert isinstance(item, Incoming)
    return item.attachments[0]


async def test_a_file_comes_byte_for_byte(adapter: TelegramAdapter, world: World) -> None:
    content = bytes(range(256)) * 40
    file = attachment_of(world.person("Ann").sends_document("wallet.log", content))

    assert await adapter.fetch(HERE, "1:1", file, MEBI) == content


async def test_the_largest_size_of_a_photo_is_what_is_fetched(adapter: TelegramAdapter, world: World) -> None:
    photo = world.person("Ann").sends_photo()

    assert attachment_of(photo).id == photo.json["photo"][-1]["file_id"]
    assert (await adapter.fetch(HERE, "1:1", attachment_of(photo), MEBI)).startswith(b"\x89PNG")


async def test_a_file_over_the_cap_is_not_asked_for(adapter: TelegramAdapter, world: World) -> None:
    file = attachment_of(world.person("Ann").sends_document(size=2 * MEBI))

    with pytest.raises(Undeliverable, match="more than 1048576 bytes"):
        await adapter.fetch(HERE, "1:1", file, MEBI)

    assert world.called("getFile") == []


async def test_a_file_that_hides_its_size_is_still_held_to_the_cap(adapter: TelegramAdapter, world: World) -> None:
    file = attachment_of(world.person("Ann").sends_document(content=b"x" * 2000))

    with pytest.raises(Undeliverable, match="more than 1000 bytes"):
        await adapter.fetch(HERE, "1:1", replace(file, size=0), 1000)


async def test_telegram_hands_out_no_more_than_20_mb(adapter: TelegramAdapter, world: World) -> None:
    """T-26, Telegram's half"""
    file = attachment_of(world.person("Ann").sends_document(size=21 * MEBI))

    with pytest.raises(Undeliverable, match="File is too big"):
        await adapter.fetch(HERE, "1:1", file, 50 * MEBI)


async def test_a_file_that_is_gone(adapter: TelegramAdapter) -> None:
    with pytest.raises(Undeliverable, match="Wrong file_id"):
        await adapter.fetch(HERE, "1:1", Attachment("gone", "", "image/png", 10), MEBI)


async def test_a_broken_connection_is_tried_later(adapter: TelegramAdapter, world: World) -> None:
    file = attachment_of(world.person("Ann").sends_document())
    world.cut("getFile", Moment.AFTER_THE_EFFECT)

    with pytest.raises(TryLater):
        await adapter.fetch(HERE, "1:1", file, MEBI)

    assert await adapter.fetch(HERE, "1:1", file, MEBI) == b"log"
