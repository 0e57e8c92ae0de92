"""A whole desk with a second reader: told rightly, killed while it waits, and none the worse without it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest_asyncio
from tests.faults.desks import Desks, desks_in
from tests.faults.packs import small_pack
from tests.worlds.counterparty import Loft, open_loft
from tests.worlds.opinion import Completions, Fault, serving_completions

DOUBTFUL = "真人要多少钱"
"""What the small pack takes for the fees, or for the wish for a person."""

CHOICES = "did-you-mean zh"
KEY = "sk-canary-7f3a9c"
WITHIN = 30.0


@pytest_asyncio.fixture
async def server() -> AsyncGenerator[Completions]:
    async with serving_completions() as world:
        world.key = KEY
        yield world


@pytest_asyncio.fixture
async def loft() -> AsyncGenerator[Loft]:
    async with open_loft() as loft:
        yield loft


@pytest_asyncio.fixture
async def desks(tmp_path: Path, server: Completions, loft: Loft) -> AsyncGenerator[Desks]:
    settings = {
        "pack": str(small_pack(tmp_path)),
        "matcher": "ngrams",
        "pigeon.url": loft.url,
        "opinion.url": server.url,
        "opinion.model": "small",
        "opinion.key": KEY,
        "opinion.timeout": "2",
        "log.level": "debug",
    }
    async with desks_in(tmp_path, settings) as desks:
        yield desks


def topics_shown(loft: Loft, peer: str) -> list[str]:
    return [text.split("\n")[0] for text in loft.shown_to(peer)]


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_the_topic_chosen_is_answered_and_counted_and_the_key_told_nowhere(
    desks: Desks, server: Completions, loft: Loft, tmp_path: Path
) -> None:
    desk = await desks.start()
    await desk.ready()
    await loft.write("ann", DOUBTFUL)
    await loft.until(lambda one: bool(one.shown_to("ann")), WITHIN)
    async with httpx.AsyncClient() as browser:
        metrics = (await browser.get(f"{desk.web}/metrics")).text
    told = desk.says() + metrics
    await desk.stop()
    kept = everything_in(tmp_path)

    assert topics_shown(loft, "ann") == ["Answer fees."]
    assert [(question.message, question.ids) for question in server.asked] == [(DOUBTFUL, ["fees", "human"])]
    assert 'imconnect_opinions_total{outcome="chosen"} 1.0' in metrics
    assert 'imconnect_answers_total{by="opinion"} 1.0' in metrics
    assert KEY not in told
    assert KEY.encode() not in kept
    assert DOUBTFUL not in told


async def test_killed_while_it_waits_for_an_opinion_the_desk_offers_the_choices_once_it_is_back(
    desks: Desks, server: Completions, loft: Loft
) -> None:
    server.fault = Fault.SILENT
    desk = await desks.start()
    await desk.ready()
    await loft.write("ann", DOUBTFUL)
    await server.until_asked()
    await desk.kill()
    again = await desks.start()
    await loft.until(lambda one: bool(one.shown_to("ann")), WITHIN)
    await loft.write("ann", "转账要多少钱")
    await loft.until(lambda one: len(one.shown_to("ann")) > 1, WITHIN)
    await again.stop()

    assert topics_shown(loft, "ann") == [CHOICES, "Answer fees."]
    assert loft.repeats() == 0
    assert len(server.asked) == 1


async def test_a_server_that_says_nothing_keeps_nobody_waiting_longer_than_allowed(
    desks: Desks, server: Completions, loft: Loft
) -> None:
    server.fault = Fault.SILENT
    desk = await desks.start()
    await desk.ready()
    began = asyncio.get_running_loop().time()
    await loft.write("ann", DOUBTFUL)
    await loft.until(lambda one: bool(one.shown_to("ann")), WITHIN)
    took = asyncio.get_running_loop().time() - began
    await desk.stop()

    assert topics_shown(loft, "ann") == [CHOICES]
    assert took < 10


async def test_doctor_says_how_the_second_reader_does(desks: Desks, server: Completions) -> None:
    server.says = lambda _: '{"topic": "language"}'
    await desks.told("migrate")
    well = await desks.told("doctor")
    server.key = "another"
    ill = await desks.command("doctor")
    code = await ill.ended()

    assert "ok    opinion: small at 127.0.0.1 chose rightly in " in well
    assert (
        code,
        "FAIL  opinion: small at 127.0.0.1: the server answers HTTP 401; check opinion.url" in ill.says(),
    ) == (
        1,
        True,
    )
    assert KEY not in well + ill.says()
