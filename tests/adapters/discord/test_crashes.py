"""The desk's process dies at any moment, and every message on Discord is still stored once and answered once."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.adapters.discord.desk import all_is_done, asked, running
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.discord import Channel, Limits, Member, World, discord_world
from tests.worlds.needs import ALL

REPETITIONS = 20 if ALL else 2
AT_ONCE = 6
SAID_AT = "select c.peer from messages m join conversations c on c.id = m.conversation_id"
SENDS = "POST /channels/*/messages"


def place_of(member: Member) -> Channel:
    return member.threads[0] if member.threads else member.direct


async def taken(world: World, sends: int) -> None:
    """Wait until Discord has taken so many sends in all."""
    await world.until(lambda: len(world.model.nonces) >= sends or None, 30)


async def test_killed_between_discords_taking_a_message_and_the_mark_of_it_one_is_seen(tmp_path: Path) -> None:
    """D-05, and D-06 where Discord has forgotten the nonce meanwhile; D-01, D-04 for what was written around it."""
    light_pack(tmp_path)
    async with discord_world(limits=Limits.none()) as world:
        support = world.channel("support")
        people = [world.member(f"Member {number}") for number in range(REPETITIONS * AT_ONCE)]
        async with running(world, tmp_path):
            await world.until(lambda: "help" in world.commands or None, 30)
            for number, person in enumerate(people):
                person.slash("help", support) if number % 2 else person.dm("/help")
            await all_is_done(world, tmp_path, len(people))
        seen = {person.id: len(place_of(person).from_bot) for person in people}
        for repetition in range(REPETITIONS):
            chance = random.Random(repetition)
            group = people[repetition * AT_ONCE : (repetition + 1) * AT_ONCE]
            async with running(world, tmp_path) as process:
                world.faults.slow(SENDS, 1.0, AT_ONCE)
                wanted = len(world.model.nonces) + chance.randint(1, AT_ONCE)
                for person in group:
                    person.say("/start", place_of(person))
                await taken(world, wanted)
                process.kill()
            world.faults.clear()
            await asyncio.sleep(0)
            if repetition % 2:
                world.later(timedelta(minutes=30))
        async with running(world, tmp_path):
            await all_is_done(world, tmp_path, 2 * len(people))

        answers = {person.id: len(place_of(person).from_bot) - seen[person.id] for person in people}
    rows = asked(tmp_path, f"{SAID_AT} where m.speaker = 'customer'")
    stored = Counter(peer for (peer,) in rows)

    assert set(answers.values()) == {1}
    assert set(stored.values()) == {2}
    assert len(stored) == len(people)
