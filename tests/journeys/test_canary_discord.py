"""Secrets through every field of Discord: of none three words or twelve characters are kept or told."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio
from tests.faults.desks import Desks, desks_in
from tests.journeys.secrets import canaries, of_words, phrase
from tests.journeys.stories import PATIENCE, agent
from tests.journeys.test_canary import everything_told, found_in, found_under
from tests.worlds.discord import Limits, World, discord_world

ALL = canaries()


@pytest_asyncio.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        opened.channel("support")
        yield opened


@pytest_asyncio.fixture
async def desks(tmp_path: Path, learnt: Path, world: World) -> AsyncGenerator[Desks]:
    """The shipped pack and a Discord server, on SQLite, with everything logged."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "web.port": str(port),
        "cache": str(learnt),
        "log.level": "debug",
        "discord.token": world.token,
        "discord.api_root": world.api_root,
        "discord.gateway": world.gateway,
        "discord.support_channel": str(world.channel("support").id),
    }
    async with desks_in(tmp_path, settings) as desks:
        yield desks


async def test_nothing_of_a_secret_typed_on_discord_is_kept_or_told(desks: Desks, world: World, tmp_path: Path) -> None:
    """S-01, S-05, S-06, S-09, S-12; D-12"""
    sought = list(ALL)

    def fresh(number: int) -> str:
        """A phrase of its own for each field, so that a find names the field."""
        words = phrase("english", number)
        sought.append(of_words(f"field {number}", words, words))
        return words

    desk = await desks.start()
    await desk.ready()
    await world.until(lambda: world.connection.identifies or None, PATIENCE)
    support = world.channel("support")
    [panel] = await world.until(lambda: support.from_bot or None, PATIENCE)
    people = [world.member(f"Member {number}") for number in range(len(ALL))]
    for member, one in zip(people, ALL, strict=True):
        member.dm(one.typed)
    ann, bob, cem, dora, eve, fay = (world.member(name) for name in ("Ann", "Bob", "Cem", "Dora", "Eve", "Fay"))
    said = ann.dm("my wallet is empty")
    await ann.sees("", within=PATIENCE)
    ann.edit(said, f"the words are {fresh(300)}")
    bob.dm("see the file", files={"backup.txt": fresh(301).encode()})
    cem.dm("see the file", files={f"{fresh(302).replace(' ', '-')}.txt": b"nothing"})
    dora.slash("verify", support, {"name": fresh(303)})
    menu = eve.press(panel, next(iter(panel.buttons.values())))
    chosen = await menu.says("")
    form = eve.select(chosen, "tx-not-received")
    await form.shows_form()
    eve.submit(form, {name: fresh(310 + number) for number, name in enumerate(form.fields)})
    public = world.channel("general")
    fay.say(f"<@{world.model.bot_user.id}> {fresh(304)}", public)
    warned = [*people, ann, bob]
    for member in warned:
        await member.sees("", within=PATIENCE)
    await asyncio.sleep(3)  # whatever is still on its way to a table or a log
    async with agent(desks, "Mei") as mei:
        told = await everything_told(desks, desk, mei)
    running = found_under(tmp_path, sought)
    await desk.stop()

    assert found_in(told, sought) == []
    assert (running, found_under(tmp_path, sought)) == ({}, {})
