"""What the desk says on Discord stands there once, whole, where it belongs."""

from datetime import timedelta

import pytest
from tests.adapters.discord.door import Door, connected, listening, outgoing, thread_for
from tests.worlds.discord import Moment, World

from imconnect.domain.messages import Address, Choice, Outgoing, Purpose
from imconnect.ports import TryLater, Undeliverable
from imconnect.testing.kit import MemoryKit
from imconnect_discord import DiscordAdapter
from imconnect_discord.archive import Archive
from imconnect_discord.directs import Directs
from imconnect_discord.invalid import InvalidRequests
from imconnect_discord.speaking import Speaking
from imconnect_discord.threads import Threads
from imconnect_discord.wire import Line

SENDS = "POST /channels/*/messages"


async def test_a_member_is_written_to_in_a_private_thread_with_a_name_that_says_nothing(
    adapter: DiscordAdapter, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)

    assert thread.is_private
    assert thread.row.parent_id == world.channel("support").id
    assert thread.name.startswith("support-")
    assert set(thread.members) == {mei.id, world.model.bot_user.id}
    assert mei.visible(thread)


async def test_a_second_message_goes_into_the_same_thread_after_a_restart_too(world: World, kit: MemoryKit) -> None:
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        thread = await thread_for(before, mei)
    async with connected(world, kit) as after:
        await after.send(outgoing(after, f"u{mei.id}", "again", key="k2"))

    assert world.guild.threads == [thread]
    assert [post.text for post in thread.from_bot if post.text] == ["welcome", "again"]


# ---- once


@pytest.mark.parametrize("peer", ["u", "d"])
async def test_a_send_that_was_taken_and_never_marked_is_seen_once(world: World, kit: MemoryKit, peer: str) -> None:
    """D-05"""
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        await before.send(outgoing(before, f"{peer}{mei.id}", "hello", key="k0"))
        world.faults.cut(SENDS, Moment.AFTER_THE_EFFECT)
        with pytest.raises(TryLater):
            await before.send(outgoing(before, f"{peer}{mei.id}", "the answer"))
    async with connected(world, kit) as after:
        sent = await after.send(outgoing(after, f"{peer}{mei.id}", "the answer"))

    post = await mei.sees("the answer")
    said = [one for one in world.channel_by_id(post.channel_id).from_bot if one.text == "the answer"]
    assert len(said) == 1
    assert sent.id == f"{post.channel_id}:{post.id}"


@pytest.mark.parametrize("told_nonces", [True, False])
async def test_half_an_hour_later_a_look_at_what_stands_there_finds_it(
    world: World, kit: MemoryKit, told_nonces: bool
) -> None:
    """D-06: beyond the time for which Discord knows a nonce, whether or not its history tells them."""
    mei = world.member("Mei")
    long = "\n\n".join(f"paragraph {number} " + "words " * 60 for number in range(12))
    async with connected(world, kit) as before:
        await before.send(outgoing(before, f"u{mei.id}", "hello", key="k0"))
        thread = mei.threads[0]
        await before.send(outgoing(before, f"u{mei.id}", long))
        count = len(thread.from_bot)
    world.later(timedelta(minutes=30))
    if not told_nonces:
        world.model.nonce_of.clear()
    async with connected(world, kit) as after:
        sent = await after.send(outgoing(after, f"u{mei.id}", long))
        once = len(thread.from_bot)
        await after.send(outgoing(after, f"u{mei.id}", "something else", key="k2"))

    assert once == count
    assert sent.id == f"{thread.id}:{thread.from_bot[-2].id}"
    assert thread.texts[-1] == "something else"


async def test_the_same_words_meant_twice_are_said_twice(world: World, kit: MemoryKit) -> None:
    """D-06: what was said to another message, or under another key, is not this one."""
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        thread = await thread_for(before, mei)
        first, second = mei.say("?", thread), mei.say("??", thread)
        await before.send(outgoing(before, f"u{mei.id}", "one moment", reply_to=f"{thread.id}:{first.id}"))
    world.later(timedelta(minutes=30))
    world.model.nonce_of.clear()
    async with connected(world, kit) as after:
        await after.send(outgoing(after, f"u{mei.id}", "one moment", key="k2", reply_to=f"{thread.id}:{second.id}"))
        await after.send(outgoing(after, f"u{mei.id}", "one moment", key="k3"))

    assert thread.texts.count("one moment") == 3


async def test_a_thread_of_our_own_opening_is_not_read_before_the_first_word(
    adapter: DiscordAdapter, world: World
) -> None:
    """Nothing can stand there: a request fewer for each of a thousand members."""
    for number in range(3):
        await thread_for(adapter, world.member(f"Member {number}"))

    assert world.asked("GET /channels/*/messages") == []


async def test_what_another_owner_said_in_a_thread_of_our_opening_is_not_said_again(
    world: World, kit: MemoryKit
) -> None:
    """D-06: the inbox went to another process and came back."""
    mei = world.member("Mei")
    async with connected(world, kit) as one, connected(world, kit) as other:
        thread = await thread_for(one, mei)
        await other.equip(kit)
        await other.send(outgoing(other, f"u{mei.id}", "the answer"))
        world.later(timedelta(minutes=30))
        await one.equip(kit)
        await one.send(outgoing(one, f"u{mei.id}", "the answer"))

    assert thread.texts.count("the answer") == 1


async def test_a_long_text_goes_on_with_the_part_that_was_not_said(adapter: DiscordAdapter, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    text = "\n\n".join(f"paragraph {number} " + "words " * 60 for number in range(12))
    world.faults.slow(SENDS, 0.0)
    world.faults.cut(SENDS, Moment.AFTER_THE_EFFECT)
    with pytest.raises(TryLater):
        await adapter.send(outgoing(adapter, f"u{mei.id}", text))
    await adapter.send(outgoing(adapter, f"u{mei.id}", text))
    parts = [post.text for post in thread.from_bot if post.text not in ("", "welcome")]

    assert len(parts) == len(set(parts)) == 3
    assert "".join("".join(parts).split()) == "".join(text.split())


# ---- whole, and without harm


async def test_four_thousand_characters_are_said_in_parts_and_nothing_is_cut(
    adapter: DiscordAdapter, world: World
) -> None:
    """D-14"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    wholes = ["https://example.org/" + "a" * 180, "0x" + "ab" * 32, "👩‍👩‍👧‍👦"]
    text = ("转账。" * 40 + " ".join(wholes) + "\n") * 9
    text = text[:4000]
    await adapter.send(outgoing(adapter, f"u{mei.id}", text))
    parts = [post.text for post in thread.from_bot if post.text not in ("", "welcome")]

    assert all(len(part) <= 2000 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    for whole in wholes:
        assert sum(part.count(whole) for part in parts) == text.count(whole)


async def test_nobody_is_pinged_by_what_is_said(adapter: DiscordAdapter, world: World) -> None:
    """D-15"""
    mei, role = world.member("Mei"), world.role("agents", "mention_everyone")
    thread = await thread_for(adapter, mei)
    question = mei.say("hello", thread)
    await adapter.send(
        outgoing(adapter, f"u{mei.id}", f"@everyone <@&{role}> <@{mei.id}>", reply_to=f"{thread.id}:{question.id}")
    )

    assert thread.from_bot[-1].text.startswith("@everyone")
    assert not thread.from_bot[-1].pings_anybody


async def test_an_answer_stands_under_what_it_answers(adapter: DiscordAdapter, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    question = mei.say("how much?", thread)
    await adapter.send(outgoing(adapter, f"u{mei.id}", "that much", reply_to=f"{thread.id}:{question.id}"))

    reference = thread.from_bot[-1].row.reference
    assert reference is not None
    assert int(reference["message_id"]) == question.id


async def test_a_public_question_is_answered_where_it_was_asked(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei, lobby = world.member("Mei"), world.channel("lobby")
    async with listening(adapter, door):
        mei.say(f"<@{world.model.bot_user.id}> is it safe?", lobby)
        [message] = await door.has(1)
        await adapter.send(outgoing(adapter, message.address.peer, "it is", reply_to=message.id))

    assert lobby.from_bot[-1].text == "it is"
    assert mei.threads == []


# ---- choices


async def test_choices_work_after_three_months_and_three_restarts(world: World, kit: MemoryKit, door: Door) -> None:
    """D-24"""
    mei = world.member("Mei")
    choices = (Choice("t:fees", "What it costs"), Choice("t:" + "x" * 200, "Long"))
    async with connected(world, kit) as adapter:
        thread = await thread_for(adapter, mei)
        await adapter.send(outgoing(adapter, f"u{mei.id}", "what is it about?", choices=choices))
    menu = thread.from_bot[-1]
    for _ in range(2):
        async with connected(world, kit) as adapter, listening(adapter, door):
            pass
    world.later(timedelta(days=90))
    async with connected(world, kit) as adapter, listening(adapter, door):
        pressed = mei.press(menu, "What it costs")
        [message] = await door.has(1)
        await pressed.answered()
        mei.press(menu, "Long")
        long = (await door.has(2))[1]

    assert (message.choice, message.text, message.address.peer) == ("t:fees", "What it costs", f"u{mei.id}")
    assert (long.choice, long.text) == (None, "2")
    assert pressed.responded
    assert all(len(custom_id) <= 100 for custom_id in menu.buttons.values())


async def test_a_button_of_long_ago_that_means_nothing_any_more_gets_a_fresh_menu(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    """D-24"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    await adapter.send(outgoing(adapter, f"u{mei.id}", "?", choices=(Choice("yes", "Yes"),)))
    menu = thread.from_bot[-1]
    menu.row.components[0]["components"][0]["custom_id"] = "of-another-time"
    async with listening(adapter, door):
        answer = await mei.press(menu, "Yes").says("discord_expired")

    assert answer.selects
    assert door.said == []


async def test_many_choices_are_a_menu(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    choices = tuple(Choice(f"t:{number}", f"Topic {number}") for number in range(14))
    await adapter.send(outgoing(adapter, f"u{mei.id}", "what is it about?", choices=choices))
    async with listening(adapter, door):
        mei.select(thread.from_bot[-1], "k:t:11")
        [message] = await door.has(1)

    assert (message.choice, message.text) == ("t:11", "Topic 11")


async def test_a_press_that_cannot_be_stored_is_not_acknowledged(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    await adapter.send(outgoing(adapter, f"u{mei.id}", "?", choices=(Choice("yes", "Yes"),)))
    async with listening(adapter, door):
        door.refusals = 10_000
        pressed = mei.press(thread.from_bot[-1], "Yes")
        await world.until(lambda: door.refusals < 9_998 or None)

        assert not pressed.responded


# ---- standing notices


async def test_a_notice_is_rewritten_where_it_stands_and_says_how_old_it_is(
    adapter: DiscordAdapter, world: World, kit: MemoryKit
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    first = await adapter.send(outgoing(adapter, f"u{mei.id}", "you are third", key="k2", slot="place"))
    kit.later(120)
    again = await adapter.send(
        outgoing(adapter, f"u{mei.id}", "you are second", key="k3", slot="place", replaces=first.id)
    )

    assert again.id == first.id
    assert thread.texts[-1] == f"you are second\n-# <t:{int(kit.moment.timestamp())}:R>"
    assert not any("third" in text for text in thread.texts)


@pytest.mark.parametrize("what", ["removed", "archived", "thread gone"])
async def test_a_notice_that_cannot_be_rewritten_is_said_anew(adapter: DiscordAdapter, world: World, what: str) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    first = await adapter.send(outgoing(adapter, f"u{mei.id}", "you are third", key="k2", slot="place"))
    match what:
        case "removed":
            world.model.delete_message(thread.id, int(first.id.partition(":")[2]))
        case "archived":
            thread.archive()
        case _:
            thread.delete()
    await adapter.send(outgoing(adapter, f"u{mei.id}", "you are second", key="k3", slot="place", replaces=first.id))

    now = mei.threads[-1]
    assert [text for text in now.texts if text.startswith("you are")][-1].startswith("you are second")
    assert not now.archived


# ---- threads that are not as they were


async def test_a_thread_that_was_deleted_is_opened_anew_and_nothing_is_lost(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    """D-17"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        thread.delete()
        await adapter.send(outgoing(adapter, f"u{mei.id}", "are you there?"))
        [fresh] = mei.threads
        mei.say("yes", fresh)
        [message] = await door.has(1)

    assert fresh.id != thread.id
    assert [post.text for post in fresh.from_bot if post.text] == ["are you there?"]
    assert (message.text, message.address.peer) == ("yes", f"u{mei.id}")


@pytest.mark.parametrize("locked", [False, True])
async def test_an_archived_thread_is_opened_again(adapter: DiscordAdapter, world: World, locked: bool) -> None:
    """D-18"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    thread.lock() if locked else thread.archive()
    await adapter.send(outgoing(adapter, f"u{mei.id}", "are you there?"))

    assert thread.texts[-1] == "are you there?"
    assert not thread.archived


async def test_a_locked_thread_that_cannot_be_opened_again_is_replaced(adapter: DiscordAdapter, world: World) -> None:
    """D-18: 50083 is nothing a customer hears of."""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    thread.lock()
    world.channel("support").deny_bot("manage_threads")
    await adapter.send(outgoing(adapter, f"u{mei.id}", "are you there?"))

    assert mei.threads[-1].id != thread.id
    assert mei.threads[-1].texts[-1] == "are you there?"


@pytest.mark.parametrize("code", [160006, 30013])
async def test_where_no_more_threads_are_allowed_it_is_said_in_private_and_the_staff_are_told_once(
    world: World, kit: MemoryKit, code: int
) -> None:
    """D-19"""
    mei, bo = world.member("Mei"), world.member("Bo")
    async with connected(world, kit, staff_channel=world.forum("staff").id) as adapter:
        world.faults.refuse(f"POST /channels/{world.channel('support').id}/threads", code, 2)
        await adapter.send(outgoing(adapter, f"u{mei.id}", "your case is TW-1"))
        await adapter.send(outgoing(adapter, f"u{bo.id}", "your case is TW-2", key="k2"))

    assert (await mei.sees("TW-1", mei.direct)).from_bot
    assert (await bo.sees("TW-2", bo.direct)).from_bot
    told = [post.text for thread in world.forum("staff").threads for post in thread.posts]
    assert sum("discord_threads_full" in text for text in told) == 1


async def test_where_no_thread_is_allowed_and_no_private_message_taken_it_waits(
    adapter: DiscordAdapter, world: World
) -> None:
    """D-19"""
    mei = world.member("Mei")
    mei.closes_dms()
    world.faults.refuse("POST /channels/*/threads", 160006)
    with pytest.raises(TryLater) as raised:
        await adapter.send(outgoing(adapter, f"u{mei.id}", "your case is TW-1"))
    await adapter.send(outgoing(adapter, f"u{mei.id}", "your case is TW-1"))

    assert raised.value.after == 300
    assert mei.threads[0].texts[-1] == "your case is TW-1"


async def test_a_thread_whose_opening_went_unheard_is_taken_up(adapter: DiscordAdapter, world: World) -> None:
    mei = world.member("Mei")
    world.faults.cut("POST /channels/*/threads", Moment.AFTER_THE_EFFECT)
    with pytest.raises(TryLater):
        await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))
    await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))

    assert len(world.guild.threads) == 1
    assert world.guild.threads[0].texts[-1] == "hello"


async def test_orphans_of_ours_are_swept_at_the_start_and_others_are_left(
    world: World, kit: MemoryKit, door: Door
) -> None:
    mei, support = world.member("Mei"), world.channel("support")
    async with connected(world, MemoryKit()) as forgetful:
        kept = await thread_for(forgetful, world.member("Cy"))
    line = Line(world.token, world.api_root, world.gateway)
    threads = Threads(line, support.id, Archive(line, support.id, None))
    await threads.equip(MemoryKit())
    orphan = await threads.open_for(world.member("Bo").id)
    await line.close()
    async with connected(world, kit) as adapter:
        own = await thread_for(adapter, mei)
        async with listening(adapter, door):
            await world.until(lambda: orphan not in world.model.channels or None)
            await world.until(lambda: support.from_bot or None)

    assert {thread.id for thread in support.threads} == {own.id, kept.id}


async def test_somebody_who_left_their_thread_is_let_in_again(world: World, kit: MemoryKit) -> None:
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        thread = await thread_for(before, mei)
    mei.leaves_thread(thread)
    async with connected(world, kit) as after:
        await after.send(outgoing(after, f"u{mei.id}", "there is news"))

    assert mei.threads == [thread]


# ---- refusals


@pytest.mark.parametrize("how", ["closes_dms", "leaves"])
async def test_somebody_who_takes_no_messages_is_told_as_that_and_not_tried_again(
    adapter: DiscordAdapter, world: World, how: str
) -> None:
    """D-16"""
    mei = world.member("Mei")
    await adapter.send(outgoing(adapter, f"d{mei.id}", "hello"))
    getattr(mei, how)()
    with pytest.raises(Undeliverable) as raised:
        await adapter.send(outgoing(adapter, f"d{mei.id}", "are you there?", key="k2"))

    assert raised.value.blocked
    assert world.invalid_requests == 1


async def test_a_member_who_left_the_server_cannot_be_reached(world: World, kit: MemoryKit) -> None:
    """D-16"""
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        await thread_for(before, mei)
    mei.leaves()
    async with connected(world, kit) as after:
        with pytest.raises(Undeliverable) as raised:
            await after.send(outgoing(after, f"u{mei.id}", "are you there?"))

    assert raised.value.blocked


async def test_an_overloaded_discord_is_tried_later(adapter: DiscordAdapter, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    world.faults.refuse(SENDS, 130000)
    world.faults.fail(SENDS, 503)
    for _ in range(2):
        with pytest.raises(TryLater):
            await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))
    await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))

    assert thread.texts.count("hello") == 1


async def test_a_long_rate_limit_is_told_with_its_seconds_and_a_short_one_waited_out(
    adapter: DiscordAdapter, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    world.faults.limit(SENDS, 75.0)
    with pytest.raises(TryLater) as raised:
        await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))
    world.faults.limit(SENDS, 0.2)
    await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))

    assert raised.value.after == 75
    assert thread.texts[-1] == "hello"


async def test_a_right_that_is_missing_is_waited_for(adapter: DiscordAdapter, world: World) -> None:
    mei = world.member("Mei")
    await thread_for(adapter, mei)
    world.channel("support").deny_bot("send_messages_in_threads")
    with pytest.raises(TryLater) as raised:
        await adapter.send(outgoing(adapter, f"u{mei.id}", "hello"))

    assert raised.value.after == 60


async def test_refusals_stop_far_below_what_gets_an_address_banned(world: World, kit: MemoryKit) -> None:
    """D-16: here after five, else after a thousand; Discord bans at ten thousand in ten minutes."""
    line = Line(world.token, world.api_root, world.gateway, InvalidRequests(5))
    archive, directs = Archive(line, None, None), Directs(line)
    await directs.equip(kit)
    speaking = Speaking(line, Threads(line, None, archive), directs, archive, _nothing)
    reasons: list[str] = []
    world.faults.refuse(SENDS, 50007, 1000)
    for number in range(20):
        message = Outgoing(f"k{number}", Address("discord", "1", f"d{world.member('Mei').id}"), "hello", Purpose.ANSWER)
        with pytest.raises((Undeliverable, TryLater)) as raised:
            await speaking.send(message)
        reasons.append(type(raised.value).__name__)
    await line.close()

    assert reasons == ["Refused"] * 5 + ["TryLater"] * 15
    assert world.invalid_requests == 5


async def _nothing() -> None:
    raise AssertionError("threads are not full")


async def test_a_wrong_token_is_told_with_its_cure(world: World, kit: MemoryKit) -> None:
    world.token = world.token[:-4] + "tsts"
    async with connected(world, kit, token=world.token[:-4] + "else") as adapter:
        with pytest.raises(TryLater) as raised:
            await adapter.send(outgoing(adapter, "d1", "hello"))
        findings = await adapter.check()

    assert raised.value.reason == "Discord refuses discord.token: copy it again"
    assert [(one.subject, one.well) for one in findings] == [("discord.token", False)]


@pytest.mark.parametrize("peer", ["", "u", "x1", "u1x", "g1", "g1:", "1"])
async def test_what_is_no_place_on_discord_is_undeliverable(adapter: DiscordAdapter, peer: str) -> None:
    with pytest.raises(Undeliverable):
        await adapter.send(outgoing(adapter, peer, "hello"))
