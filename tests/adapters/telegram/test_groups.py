"""Groups: silent unless addressed; what is everybody's is answered once, a case moves to the private chat."""

import pytest
from tests.adapters.telegram.door import Door, connected, listening, outgoing
from tests.worlds.botapi import Server, World

from imconnect.domain.messages import Choice, Incoming
from imconnect.testing.kit import LEAKED, MemoryKit
from imconnect_telegram import TelegramAdapter

NAME = "@im_wallet_support_bot"


async def test_who_names_the_bot_asks_it_in_public(adapter: TelegramAdapter, world: World, door: Door) -> None:
    group = world.supergroup(bot_rights=())
    ann = group.member("Ann")
    said = ann.says(f"{NAME} what does a transfer cost?")

    async with listening(adapter, door):
        await world.until(lambda: door.said)

    [item] = door.said
    assert (item.text, item.public) == ("what does a transfer cost?", True)
    assert item.address.peer == f"{group.id}:{ann.id}"
    assert item.id == f"{group.id}:{said.id}"


async def test_a_command_or_an_answer_to_the_bot_is_for_the_bot(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    group = world.supergroup(bot_rights=())
    ann = group.member("Ann")
    async with listening(adapter, door):
        ann.says("/help")
        await world.until(lambda: door.said)
        await adapter.send(outgoing(adapter, door.said[0].address.peer, "what is it about?"))
        ann.says("about fees", reply_to=group.from_bot[-1])
        await world.until(lambda: len(door.said) == 2)

    assert [(item.text, item.choice) for item in door.said] == [("/help", "help"), ("about fees", None)]


async def test_what_is_for_another_bot_or_for_nobody_is_left_alone(server: Server, world: World, door: Door) -> None:
    world.bot["can_read_all_group_messages"] = True
    group = world.supergroup(bot_rights=("can_delete_messages",))
    ann = group.member("Ann")
    ann.says("/help@another_bot")
    ann.says("hello everybody")
    ann.says("/swap 5")
    ann.says(f"{NAME} the last")

    async with connected(server) as adapter, listening(adapter, door):
        await world.until(lambda: door.said)

    assert door.texts == ["the last"]


async def test_a_secret_said_in_a_group_is_for_the_desk_whoever_it_was_said_to(
    server: Server, world: World, door: Door
) -> None:
    world.bot["can_read_all_group_messages"] = True
    group = world.supergroup(bot_rights=("can_delete_messages",))
    group.member("Ann").says("hello everybody")
    group.member("Ann").says(f"mine is {LEAKED}")

    async with connected(server) as adapter:
        await adapter.equip(MemoryKit())
        async with listening(adapter, door):
            await world.until(lambda: door.said)

    assert door.texts == [f"mine is {LEAKED}"]
    assert door.said[0].public


async def test_a_group_that_is_opened_is_listened_to_unaddressed(server: Server, world: World, door: Door) -> None:
    world.bot["can_read_all_group_messages"] = True
    group, other = world.supergroup(bot_rights=("can_delete_messages",)), world.supergroup()
    group.member("Ann").says("hello everybody")
    other.member("Bob").says("hello to us alone")
    group.member("Cem").says("hello again")

    async with connected(server, open_groups=[group.id]) as adapter, listening(adapter, door):
        await world.until(lambda: len(door.said) == 2)

    assert door.texts == ["hello everybody", "hello again"]
    assert all(item.public for item in door.said)


async def test_two_members_of_a_group_are_two_people(adapter: TelegramAdapter, world: World, door: Door) -> None:
    group = world.supergroup(bot_rights=())
    for name in ("Ann", "Bob"):
        group.member(name).says(f"{NAME} help")

    async with listening(adapter, door):
        await world.until(lambda: len(door.said) == 2)

    assert len({item.address.peer for item in door.said}) == 2


async def test_an_answer_in_a_group_quotes_who_is_answered_and_leads_to_the_private_chat(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    group = world.supergroup(bot_rights=())
    said = group.member("Ann").says(f"{NAME} my transfer is gone")
    async with listening(adapter, door):
        await world.until(lambda: door.said)
        [item] = door.said
        await adapter.send(
            outgoing(
                adapter, item.address.peer, "come in private", choices=(Choice("private", "Private"),), reply_to=item.id
            )
        )

    [answer] = group.from_bot
    assert answer.reply_to == said.id
    [[button]] = answer.json["reply_markup"]["inline_keyboard"]
    assert button["url"] == "https://t.me/im_wallet_support_bot?start=private"


async def test_anonymous_admins_and_channels_are_nobody(adapter: TelegramAdapter, world: World, door: Door) -> None:
    group = world.supergroup(bot_rights=())
    ann = group.member("Ann", status="administrator")
    ann.posts_as_the_group(f"{NAME} as the group", group)
    ann.posts_as_a_channel(f"{NAME} as a channel", group)
    group.passes_on_a_post(f"{NAME} a post")
    ann.says(f"{NAME} as myself")

    async with listening(adapter, door):
        await world.until(lambda: door.said)

    assert door.texts == ["as myself"]


async def test_a_group_that_became_a_supergroup_is_the_same_group(
    adapter: TelegramAdapter, world: World, door: Door
) -> None:
    """Chat migration is followed, whether the note or the refusal comes first."""
    group = world.group(bot_rights=())
    ann = group.member("Ann")
    async with listening(adapter, door):
        ann.says(f"{NAME} before")
        await world.until(lambda: door.said)
        before = door.said[0].address.peer
        moved = world.upgrade(group)

        await adapter.send(outgoing(adapter, before, "to the old number"))

    assert moved.bot_texts == ["to the old number"]


async def test_files_in_a_group_are_not_taken(adapter: TelegramAdapter, world: World, door: Door) -> None:
    group = world.supergroup(bot_rights=())
    group.member("Ann").sends_document("wallet.log", caption=f"{NAME} see this")

    async with listening(adapter, door):
        await world.until(lambda: door.said)

    [item] = door.said
    assert isinstance(item, Incoming)
    assert item.attachments == ()


@pytest.mark.parametrize("text", ["plain words", "😀 bold and [a link]"])
async def test_where_a_words_link_leads_is_part_of_what_was_said(
    adapter: TelegramAdapter, world: World, door: Door, text: str
) -> None:
    """T-18, reading: offsets are counted in UTF-16 units, also after an emoji."""
    units = len(text.encode("utf-16-le")) // 2
    entity = {"type": "text_link", "offset": units - 4, "length": 4, "url": "https://wa11et.example/claim"}
    world.person("Ann").says(text, entities=[entity])

    async with listening(adapter, door):
        await world.until(lambda: door.said)

    assert door.texts == [f"{text}\nhttps://wa11et.example/claim"]
