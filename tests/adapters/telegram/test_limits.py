"""What Telegram takes: a chat, a group and everything together have limits of their own, and one waits for no other."""

import asyncio
from dataclasses import replace

import pytest
from tests.adapters.telegram.door import connected, outgoing
from tests.worlds.botapi import Server, World

from imconnect.domain.messages import Language
from imconnect_telegram import TelegramAdapter
from imconnect_telegram.pace import GROUP, KEPT_FOR_ANSWERS, Pace
from imconnect_telegram.translate import entities

GROUP_ID = -1001


async def passed(pace: Pace, chat_id: int, count: int, *, copied: bool = False, within: float = 0.3) -> int:
    """How many of *count* may pass to the chat within so many seconds."""
    tasks = [asyncio.create_task(pace.turn(chat_id, copied=copied)) for _ in range(count)]
    done, waiting = await asyncio.wait(tasks, timeout=within)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return len(done)


async def test_a_group_takes_twenty_in_a_minute() -> None:
    """T-11: the group's limit"""
    assert await passed(Pace(1000), GROUP_ID, 40) == GROUP


async def test_what_is_copied_leaves_room_for_what_somebody_waits_for() -> None:
    """T-11: the priority lane"""
    pace = Pace(1000)

    copies = await passed(pace, GROUP_ID, 40, copied=True)
    answers = await passed(pace, GROUP_ID, 40)

    assert (copies, answers) == (GROUP - KEPT_FOR_ANSWERS, KEPT_FOR_ANSWERS)


async def test_a_full_group_holds_up_nobody_else() -> None:
    """T-11, T-12: customers are answered while the staff's group must wait"""
    pace = Pace(1000)
    await passed(pace, GROUP_ID, 40)
    pace.hold(GROUP_ID, 35)

    assert [await passed(pace, chat_id, 1) for chat_id in (1, 2, 3)] == [1, 1, 1]


async def test_a_chat_that_was_told_to_wait_waits_alone() -> None:
    pace = Pace(1000)
    pace.hold(1, 35)

    assert (await passed(pace, 1, 1), await passed(pace, 2, 1)) == (0, 1)


async def test_a_wait_that_telegram_names_is_kept_to(adapter: TelegramAdapter, world: World) -> None:
    """T-12"""
    group = world.forum()
    ann = world.person("Ann").has_written_before()
    world.fail("sendMessage", times=1, status=429, retry_after=35, chat_id=group.id)
    with pytest.raises(Exception, match="slow down"):
        await adapter.send(outgoing(adapter, group.id, "to the group"))

    async with asyncio.timeout(5):
        await adapter.send(outgoing(adapter, ann.id, "to Ann", key="k2"))

    assert ann.chat.bot_texts == ["to Ann"]


def test_what_one_tap_copies_is_marked_by_utf_16_units() -> None:
    """T-18, writing: an emoji before it moves nothing."""
    address = "0x" + "a" * 40
    text = f"👍🏽 IM-7K3F-92QX and {address}"

    marked = [(one.offset, one.length) for one in entities(text, "IM-7K3F-92QX")]

    units = text.encode("utf-16-le")
    assert [units[2 * start : 2 * (start + length)].decode("utf-16-le") for start, length in marked] == [
        "IM-7K3F-92QX",
        address,
    ]


async def test_telegram_takes_what_is_marked(server: Server, world: World) -> None:
    """T-18: the server refuses an offset that is wrong."""
    ann = world.person("Ann").has_written_before()
    async with connected(server) as adapter:
        message = outgoing(adapter, ann.id, "😀😀 您的编号 IM-7K3F-92QX，请记下")
        await adapter.send(replace(message, reference="IM-7K3F-92QX", language=Language.CHINESE))

    [said] = ann.chat.from_bot
    assert [(one["type"], one["length"]) for one in said.json["entities"]] == [("code", 12)]
