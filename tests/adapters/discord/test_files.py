"""Files come by links that expire; they are asked for anew each time."""

from datetime import timedelta

import pytest
from tests.adapters.discord.door import Door, listening, thread_for
from tests.worlds.discord import ONE_PIXEL, World

from imconnect.domain.messages import Attachment
from imconnect.ports import TryLater, Undeliverable
from imconnect_discord import DiscordAdapter


async def test_a_file_can_be_had_after_its_link_has_expired(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("see", thread, files={"proof.png": ONE_PIXEL})
        [message] = await door.has(1)
    world.later(timedelta(days=3))
    content = await adapter.fetch(message.address, message.id, message.attachments[0], 1000)

    assert content == ONE_PIXEL
    assert "http" not in repr(message.attachments[0].id)


async def test_a_forwarded_file_can_be_had(adapter: DiscordAdapter, door: Door, world: World) -> None:
    """D-13"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    original = world.member("Bo").say("", world.channel("lobby"), files={"proof.png": ONE_PIXEL})
    async with listening(adapter, door):
        mei.forward(original, thread)
        [message] = await door.has(1)

    assert await adapter.fetch(message.address, message.id, message.attachments[0], 1000) == ONE_PIXEL


async def test_a_file_of_a_message_that_was_removed_is_gone(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        post = mei.say("see", thread, files={"proof.png": ONE_PIXEL})
        [message] = await door.has(1)
    mei.delete(post)
    with pytest.raises(Undeliverable):
        await adapter.fetch(message.address, message.id, message.attachments[0], 1000)


async def test_a_file_that_cannot_be_had_now_is_asked_for_later(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("see", thread, files={"proof.png": ONE_PIXEL})
        [message] = await door.has(1)
    world.faults.fail("GET /channels/*/messages/*", 503)
    with pytest.raises(TryLater):
        await adapter.fetch(message.address, message.id, message.attachments[0], 1000)


async def test_what_came_with_no_message_cannot_be_fetched(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    async with listening(adapter, door):
        mei.dm("hello")
        [message] = await door.has(1)
    with pytest.raises(Undeliverable):
        await adapter.fetch(message.address, "i123", Attachment("1", "a", "image/png", 1), 1000)


async def test_in_private_messages_nothing_can_be_erased(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    async with listening(adapter, door):
        post = mei.dm("a secret")
        [message] = await door.has(1)
    with pytest.raises(Undeliverable) as raised:
        await adapter.erase(message.address, message.id)

    assert "private messages" in raised.value.reason
    assert not post.gone
    assert world.invalid_requests == 0


async def test_without_the_right_nothing_can_be_erased(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("a secret", thread)
        [message] = await door.has(1)
    world.channel("support").deny_bot("manage_messages")
    with pytest.raises(Undeliverable) as raised:
        await adapter.erase(message.address, message.id)

    assert "manage messages" in raised.value.reason


async def test_in_an_archived_thread_a_message_is_erased(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        post = mei.say("a secret", thread)
        [message] = await door.has(1)
    thread.archive()
    await adapter.erase(message.address, message.id)

    assert post.gone
