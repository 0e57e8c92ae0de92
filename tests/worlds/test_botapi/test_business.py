"""Business accounts: chats of the owner's own, in which the bot may write for them."""

from datetime import timedelta

from tests.worlds.botapi import World
from tests.worlds.botapi.raw_bot import RawBot


async def test_a_business_message_says_by_which_connection_it_came(bot: RawBot, world: World) -> None:
    shop, ann = world.business("Shop"), world.person("Ann")
    said = shop.receives(ann, "is it open?")
    shop.sees_edited(said, "is it open today?")
    shop.sees_deleted(said)

    [announced] = await bot.updates("business_connection")
    [message] = await bot.updates("business_message")
    [edited] = await bot.updates("edited_business_message")
    [deleted] = await bot.updates("deleted_business_messages")
    assert announced["id"] == message["business_connection_id"] == shop.id
    assert (message["text"], edited["text"]) == ("is it open?", "is it open today?")
    assert deleted["message_ids"] == [said.id]
    assert await bot.updates() == []
    assert not ann.chat.messages


async def test_an_answer_goes_out_in_the_owners_name(bot: RawBot, world: World) -> None:
    shop, ann = world.business("Shop"), world.person("Ann")
    shop.receives(ann, "is it open?")

    sent = await bot.does("sendMessage", chat_id=ann.id, business_connection_id=shop.id, text="yes")

    assert (sent["from"]["first_name"], sent["sender_business_bot"]["id"]) == ("Shop", world.bot["id"])
    assert [message.text for message in shop.chats[ann.id].messages.values()] == ["is it open?", "yes"]
    assert await bot.refusal("sendMessage", chat_id=ann.id, text="yes") == "Bad Request: chat not found"


async def test_a_customer_is_answered_for_24_hours_and_while_the_connection_lasts(bot: RawBot, world: World) -> None:
    shop, ann, bob = world.business("Shop"), world.person("Ann"), world.person("Bob")
    shop.receives(ann, "is it open?")
    send = {"chat_id": ann.id, "business_connection_id": shop.id, "text": "yes"}

    assert "chat not found" in await bot.refusal("sendMessage", **(send | {"chat_id": bob.id}))
    assert "not found" in await bot.refusal("sendMessage", **(send | {"business_connection_id": "x"}))
    world.later(timedelta(hours=24, seconds=1))
    assert "BUSINESS_PEER_USAGE_MISSING" in await bot.refusal("sendMessage", **send)
    shop.receives(ann, "hello?")
    assert await bot.does("sendMessage", **send)
    shop.ends()
    assert await bot.refusal("sendMessage", **send) == "Bad Request: business connection not found"
    assert [one["is_enabled"] for one in await bot.updates("business_connection")][-1] is False
