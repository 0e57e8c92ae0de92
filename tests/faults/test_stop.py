"""Asked to stop while messages flow: it ends soon and well, and what was acknowledged is kept and answered."""

import asyncio
import random
import signal
from pathlib import Path

import httpx
import pytest
from tests.faults.desks import desks_in
from tests.faults.packs import small_pack
from tests.faults.talks import Talks
from tests.worlds.counterparty import open_loft
from tests.worlds.needs import needs_postgres

from imconnect.content import read_pack

LINES = 50
SOON = 5.0
"""Seconds from the signal to the end; on a machine so busy that a start takes longer, an end may take as long."""


class Stopwatch:
    """Runs from its making: the time a start takes tells how busy the machine is."""

    def __init__(self) -> None:
        self._begun = asyncio.get_running_loop().time()

    def soon(self) -> float:
        return max(SOON, asyncio.get_running_loop().time() - self._begun)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
async def test_a_desk_asked_to_stop_while_messages_flow_ends_soon_and_answers_the_rest_at_the_next_start(
    tmp_path: Path, asked: signal.Signals
) -> None:
    pack = small_pack(tmp_path)
    talks = Talks(read_pack(pack), random.Random(7), left=LINES)
    async with (
        open_loft(talks.more) as loft,
        desks_in(tmp_path, {"pack": str(pack), "pigeon.url": loft.url}) as desks,
    ):
        watch = Stopwatch()
        first = await desks.start()
        await loft.until(lambda loft: len(loft.arrived) >= LINES // 5)
        soon = watch.soon()
        first.process.send_signal(asked)
        code = await first.ended(within=soon)
        acknowledged = loft.acknowledged
        second = await desks.start()
        await loft.until(lambda loft: len(loft.shown) == LINES)
        await second.stop()

        assert code == 0
        assert acknowledged < LINES, "it was asked too late to show anything"
        assert {peer: loft.shown_to(peer) for peer in talks.expected} == talks.expected
        assert "Traceback" not in first.says() + second.says()


async def test_an_open_event_stream_does_not_hold_up_the_end(tmp_path: Path) -> None:
    pack = small_pack(tmp_path)
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        watch = Stopwatch()
        desk = await desks.start()
        await desk.ready()
        soon = watch.soon()
        async with httpx.AsyncClient(base_url=desk.web) as browser:
            await browser.get("/chat")
            async with browser.stream("GET", "/chat/events") as stream:
                lines = stream.aiter_lines()
                await anext(lines)
                code = await desk.stop(within=soon)
                async for _ in lines:
                    pass  # the browser reads to the end without an error

        assert code == 0


@needs_postgres
async def test_a_process_that_stands_by_for_another_ends_as_soon_as_any(tmp_path: Path, postgres_url: str) -> None:
    pack = small_pack(tmp_path)
    settings = {"pack": str(pack), "database.url": postgres_url}
    async with open_loft() as loft, desks_in(tmp_path, {**settings, "pigeon.url": loft.url}) as desks:
        first = await desks.start()
        await first.ready()
        await loft.until(lambda loft: loft.requests > 0)
        watch = Stopwatch()
        second = await desks.start()
        await second.ready()
        code = await second.stop(within=watch.soon())
        await first.stop()

        assert code == 0
