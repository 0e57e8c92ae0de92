"""What people write on Discord reaches the desk once, in order, whatever happens to the connection."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs
from tests.adapters.discord.door import Door, connected, listening, outgoing, thread_for
from tests.worlds.discord import ONE_PIXEL, World

from imconnect.domain.messages import Remark, Unreadable
from imconnect.testing.kit import LEAKED, MemoryKit
from imconnect_discord import DiscordAdapter


async def test_a_message_in_the_thread_is_its_members(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        post = mei.say("where is my transfer", thread)
        [message] = await door.has(1)

    assert (message.text, message.address.peer) == ("where is my transfer", f"u{mei.id}")
    assert message.id == f"{thread.id}:{post.id}"
    assert (message.author.id, message.author.name, message.public) == (str(mei.id), "Mei", False)


async def test_private_messages_are_a_conversation_of_their_own(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    async with listening(adapter, door):
        mei.dm("hello")
        [message] = await door.has(1)

    assert (message.text, message.address.peer, message.public) == ("hello", f"d{mei.id}", False)


async def test_in_public_only_what_names_the_bot_is_heard(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei, lobby = world.member("Mei"), world.channel("lobby")
    async with listening(adapter, door):
        mei.say("good morning everybody", lobby)
        mei.say(f"<@{world.model.bot_user.id}> what does a transfer cost?", lobby)
        [message] = await door.has(1)

    assert (message.text, message.public) == ("what does a transfer cost?", True)
    assert message.address.peer == f"g{lobby.id}:{mei.id}"


async def test_in_the_support_channel_what_is_said_to_nobody_else_is_for_the_desk(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei, bob, support = world.member("Mei"), world.member("Bob"), world.channel("support")
    async with listening(adapter, door):
        said = mei.say("my transfer is gone", support)
        bob.say("same here", support, reply_to=said)
        bob.say(f"<@{mei.id}> write to them", support)
        mei.say("anybody?", support)
        await door.has(2)

    assert door.texts == ["my transfer is gone", "anybody?"]
    assert all(item.public for item in door.said)


async def test_a_secret_said_where_others_read_along_is_for_the_desk_whoever_it_was_said_to(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei, lobby = world.member("Mei"), world.channel("lobby")
    async with listening(adapter, door):
        mei.say("good morning everybody", lobby)
        mei.say(f"is this right? {LEAKED}", lobby)
        [message] = await door.has(1)

    assert (message.text, message.public) == (f"is this right? {LEAKED}", True)


async def test_others_in_a_thread_are_not_its_member(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei, agent = world.member("Mei"), world.member("Agent")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        world.model.add_thread_member(thread.id, agent.id)
        agent.say("let me look", thread)
        world.other_bot("Robot")
        mei.say("thanks", thread)
        await door.has(1)

    assert door.texts == ["thanks"]


async def test_what_is_heard_is_marked_with_it(
    adapter: DiscordAdapter, door: Door, world: World, kit: MemoryKit
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        first = mei.say("hello", thread)
        await door.has(1)
        marked = kit.kept[f"last:{thread.id}"].value
        door.refusals = 1000
        mei.say("and more", thread)
        await world.until(lambda: door.refusals < 990 or None)

    assert marked == str(first.id)
    assert kit.kept[f"last:{thread.id}"].value == str(first.id)


async def test_what_the_store_could_not_take_is_delivered_in_its_order_later(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        door.refusals = 3
        for number in range(5):
            mei.say(f"line {number}", thread)
        await door.has(5)

    assert door.texts == [f"line {number}" for number in range(5)]


# ---- what was missed


async def test_a_hundred_and_twenty_private_messages_written_while_we_were_down_are_stored_once_in_order(
    world: World, kit: MemoryKit, door: Door
) -> None:
    """D-01"""
    mei = world.member("Mei")
    async with connected(world, kit) as before, listening(before, door):
        mei.dm("are you there")
        await door.has(1)
    world.later(timedelta(minutes=10))
    for number in range(120):
        mei.dm(f"message {number}")
    async with connected(world, kit) as after, listening(after, door):
        await door.has(121)

    assert door.texts == ["are you there", *(f"message {number}" for number in range(120))]
    assert door.told == 121


async def test_private_messages_of_somebody_whose_channel_is_known_are_found(
    world: World, kit: MemoryKit, door: Door
) -> None:
    """D-02: we wrote to them once; they never wrote before."""
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        await before.send(outgoing(before, f"d{mei.id}", "your case goes on here"))
    for number in range(3):
        mei.dm(f"message {number}")
    async with connected(world, kit) as after, listening(after, door):
        messages = await door.has(3)

    assert door.texts == ["message 0", "message 1", "message 2"]
    assert {message.address.peer for message in messages} == {f"d{mei.id}"}


async def test_a_first_private_message_that_was_told_and_never_stored_is_found_with_the_second(
    world: World, kit: MemoryKit, door: Door
) -> None:
    """D-02: until then a bot cannot know that it is there."""
    mei = world.member("Mei")
    async with connected(world, kit) as before, listening(before, door):
        door.refusals = 10_000
        mei.dm("the first")
        await world.until(lambda: door.refusals < 10_000 or None)
    door.refusals = 0
    async with connected(world, kit) as after, listening(after, door):
        mei.dm("the second")
        await door.has(2)

    assert door.texts == ["the first", "the second"]


async def test_what_was_written_in_a_thread_whose_opening_was_cut_off_is_heard(
    world: World, kit: MemoryKit, door: Door
) -> None:
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        thread = await thread_for(before, mei)
    await kit.remember(f"thread:{mei.id}", "opening")
    mei.say("hello?", thread)
    async with connected(world, kit) as after, listening(after, door):
        await door.has(1)

    assert door.texts == ["hello?"]
    assert kit.kept[f"thread:{mei.id}"].value == str(thread.id)


async def test_a_desk_that_fails_in_its_own_way_gets_the_message_again(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        door.failures = 2
        mei.say("hello", thread)
        mei.say("are you there?", thread)
        await door.has(2)

    assert door.texts == ["hello", "are you there?"]


async def test_after_a_session_that_cannot_be_resumed_what_it_did_not_tell_is_read(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    """D-03"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("before", thread)
        await door.has(1)
        world.connection.forgets()
        world.connection.cuts()
        for number in range(7):
            mei.say(f"meanwhile {number}", thread)
        mei.dm("and in private for the first time while somebody listens")
        await world.until(lambda: world.connection.connected or None, 15)
        mei.say("after", thread)
        await door.has(9)

    in_thread = [one.text for one in door.said if one.address.peer == f"u{mei.id}"]
    assert world.connection.failed_resumes == 1
    assert in_thread == ["before", *(f"meanwhile {number}" for number in range(7)), "after"]
    assert door.told == len(door.stored)


async def test_a_session_that_is_resumed_tells_itself_what_was_missed(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("before", thread)
        await door.has(1)
        world.connection.drops(4000)
        mei.say("meanwhile", thread)
        await world.until(lambda: world.connection.resumed or None, 15)
        mei.say("after", thread)
        await door.has(3)

    assert door.texts == ["before", "meanwhile", "after"]


async def test_a_message_that_is_told_twice_is_delivered_once(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    """D-04"""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("only once", thread)
        await door.has(1)
        world.connection.repeats(1)
        mei.say("and then this", thread)
        await door.has(2)

    assert door.texts == ["only once", "and then this"]
    assert door.told == 2


async def test_an_outage_of_thirty_minutes_over_twenty_threads_and_private_messages(
    world: World, kit: MemoryKit, door: Door
) -> None:
    """D-01, D-03: 120 messages over 20 threads and 30 in private, with others coming in while they are read."""
    people = [world.member(f"Member {number}") for number in range(20)]
    async with connected(world, kit) as before, listening(before, door):
        threads = [await thread_for(before, person) for person in people]
        for person in people[:5]:
            person.dm("hello")
        await door.has(5)
    for number in range(6):
        for person, thread in zip(people, threads, strict=True):
            person.say(f"{person.name} {number}", thread)
        for person in people[:5]:
            person.dm(f"{person.name} in private {number}")
        world.later(timedelta(minutes=5))
    async with connected(world, kit) as after, listening(after, door):
        for person, thread in zip(people, threads, strict=True):
            person.say(f"{person.name} live", thread)
        await door.has(5 + 120 + 30 + 20, 30)

    heard: dict[str, list[str]] = {}
    for one in door.said:
        heard.setdefault(one.address.peer, []).append(one.text)
    for person in people:
        assert heard[f"u{person.id}"] == [*(f"{person.name} {number}" for number in range(6)), f"{person.name} live"]
    for person in people[:5]:
        assert heard[f"d{person.id}"] == ["hello", *(f"{person.name} in private {number}" for number in range(6))]
    assert door.told == len(door.stored) == 175


async def test_a_mention_in_the_support_channel_while_we_were_down_is_heard(
    world: World, kit: MemoryKit, door: Door
) -> None:
    mei, support = world.member("Mei"), world.channel("support")
    async with connected(world, kit) as before, listening(before, door):
        pass
    mei.say("just talking", world.channel("lobby"))
    mei.say(f"<@{world.model.bot_user.id}> is it safe?", support)
    async with connected(world, kit) as after, listening(after, door):
        [message] = await door.has(1)

    assert (message.text, message.public) == ("is it safe?", True)


async def test_a_conversation_that_rested_for_thirty_days_goes_on_where_it_was(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    """D-20: its thread was archived by Discord meanwhile."""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        world.later(timedelta(days=30))
        archived = thread.archived
        mei.say("it is back", thread)
        [message] = await door.has(1)
        world.later(timedelta(days=30))
        await adapter.send(outgoing(adapter, f"u{mei.id}", "we look", reply_to=message.id))

    assert archived
    assert message.address.peer == f"u{mei.id}"
    assert mei.threads == [thread]
    assert thread.texts[-1] == "we look"


# ---- edits and deletions


async def test_an_edit_of_a_message_from_before_a_restart_and_far_back_is_told(
    world: World, kit: MemoryKit, door: Door
) -> None:
    """D-09"""
    mei = world.member("Mei")
    async with connected(world, kit) as before, listening(before, door):
        thread = await thread_for(before, mei)
        old = mei.say("sent 10 USDT", thread)
        await door.has(1)
    for number in range(500):
        mei.say(f"line {number}", thread)
    async with connected(world, kit) as after, listening(after, door):
        await door.has(501, 20)
        mei.edit(old, "sent 100 USDT")
        messages = await door.has(502)

    assert messages[-1].revises == messages[0].id
    assert messages[-1].text == "sent 100 USDT"


async def test_an_edit_while_we_were_down_is_told(world: World, kit: MemoryKit, door: Door) -> None:
    """D-09, D-12: the guard is to see it as soon as we are back."""
    mei = world.member("Mei")
    async with connected(world, kit) as before, listening(before, door):
        thread = await thread_for(before, mei)
        post = mei.say("harmless", thread)
        await door.has(1)
    world.later(timedelta(minutes=10))
    mei.edit(post, "not harmless any more")
    async with connected(world, kit) as after, listening(after, door):
        messages = await door.has(2)

    assert (messages[1].revises, messages[1].text) == (messages[0].id, "not harmless any more")


async def test_a_link_that_is_unfolded_is_no_edit(adapter: DiscordAdapter, door: Door, world: World) -> None:
    """D-11: in the shape it has today, and in the one of before 2025 over which discord.py stumbles."""
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    with capture_logs() as logged:
        async with listening(adapter, door):
            post = mei.say("see https://example.org/", thread)
            await door.has(1)
            world.resolves_link(post)
            world.resolves_link_tersely(post)
            mei.say("done", thread)
            await door.has(2)

    assert door.texts == ["see https://example.org/", "done"]
    assert door.told == 2
    assert "event not handled" not in [line["event"] for line in logged]


async def test_what_a_customer_takes_back_is_told_and_what_we_erase_is_not(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        taken, erased = mei.say("forget this", thread), mei.say("a secret", thread)
        messages = await door.has(2)
        await adapter.erase(messages[1].address, messages[1].id)
        mei.delete(taken)
        messages = await door.has(3)
        mei.say("done", thread)
        messages = await door.has(4)

    assert erased.gone
    assert (messages[2].revises, messages[2].text) == (messages[0].id, "")
    assert messages[2].remarks == (Remark.REMOVED_BY_SENDER,)
    assert messages[2].author == messages[0].author
    assert messages[3].text == "done"


async def test_our_own_messages_that_are_removed_are_no_customers(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    mei, moderator = world.member("Mei"), world.member("Mod", roles=[world.role("mods", "manage_messages")])
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("hello", thread)
        await door.has(1)
        moderator.delete(thread.from_bot[-1])
        mei.say("thanks", thread)
        await door.has(2)
        await asyncio.sleep(0.2)  # what would be told behind the history is told by then

    assert door.texts == ["hello", "thanks"]


# ---- kinds of messages


async def test_of_a_forwarded_message_the_words_and_the_files_are_heard(
    adapter: DiscordAdapter, door: Door, world: World
) -> None:
    """D-13"""
    mei, lobby = world.member("Mei"), world.channel("lobby")
    thread = await thread_for(adapter, mei)
    original = world.member("Bo").say("send it to 0xabc", lobby, files={"proof.png": ONE_PIXEL})
    async with listening(adapter, door):
        mei.forward(original, thread)
        [message] = await door.has(1)

    assert message.text == "send it to 0xabc"
    assert [file.name for file in message.attachments] == ["proof.png"]
    assert message.remarks == (Remark.FORWARDED,)


async def test_a_sticker_is_its_name(adapter: DiscordAdapter, door: Door, world: World) -> None:
    mei = world.member("Mei")
    thread = await thread_for(adapter, mei)
    async with listening(adapter, door):
        mei.say("", thread, stickers=["wave"])
        [message] = await door.has(1)

    assert message.text == ":wave:"


async def test_a_message_nobody_can_read_is_set_aside_and_spoils_no_other(
    world: World, kit: MemoryKit, door: Door
) -> None:
    mei = world.member("Mei")
    async with connected(world, kit) as before:
        thread = await thread_for(before, mei)
    strange = mei.say("strange", thread)
    strange.row.timestamp = "yesterday"
    mei.say("as always", thread)
    async with connected(world, kit) as after, listening(after, door):
        await door.has(1)

    [aside] = [item for item in door.stored.values() if isinstance(item, Unreadable)]
    assert aside.id == f"message:{strange.id}"
    assert "strange" not in repr(aside)
    assert door.texts == ["as always"]


async def test_somebody_on_the_block_list_is_not_heard_however_they_write(
    world: World, kit: MemoryKit, door: Door
) -> None:
    """D-25: messages; presses, commands and forms are the panel's."""
    bad, good = world.member("Bad"), world.member("Good")
    async with connected(world, kit, blocked_users=[bad.id]) as adapter:
        thread = await thread_for(adapter, bad)
        async with listening(adapter, door):
            bad.dm("let me in")
            bad.say("let me in", thread)
            bad.say(f"<@{world.model.bot_user.id}> let me in", world.channel("lobby"))
            refusal = await bad.sees("discord_refused", bad.direct)
            good.dm("hello")
            await door.has(1)

    assert refusal.from_bot
    assert door.texts == ["hello"]


async def test_a_name_that_reads_like_ours_is_remarked_on(world: World, kit: MemoryKit, door: Door) -> None:
    """D-22: it is shown to agents; what they may do is settled by roles alone."""
    fake = world.member("Suppоrt ✪")
    async with connected(world, kit, staff_names=["Support"]) as adapter, listening(adapter, door):
        fake.dm("hello")
        [message] = await door.has(1)

    assert message.remarks == (Remark.LOOKALIKE_SENDER,)
