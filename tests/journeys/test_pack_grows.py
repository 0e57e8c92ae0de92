"""The pack grows: what was odd is answered at once after a lead looked at it; and no secret is ever taught."""

import asyncio
import json
import re
import shutil
import socket
from collections.abc import AsyncGenerator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio
from tests.faults.desks import Desk, Desks, desks_in
from tests.journeys.secrets import canaries, of_words, phrase
from tests.journeys.stories import PATIENCE, agent, customer
from tests.journeys.test_canary import found_in, found_under
from tests.web.visits import Visitor

from imconnect.content import bundled_pack

ODD = "我的冒泡咋还没冒出来呢 wibble"
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
LISTS = tuple(f"/inbox/questions?kind={kind}" for kind in ("unanswered", "corrected", "added"))


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack of few phrasings, so that each start learns it in a moment."""
    folder = Path(shutil.copytree(bundled_pack(), tmp_path / "pack"))
    for file in folder.glob("*/topics/*.txt"):
        file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:8]), encoding="utf-8")
    return folder


@pytest_asyncio.fixture
async def thin(tmp_path: Path, pack: Path) -> AsyncGenerator[Desks]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with desks_in(tmp_path, {"pack": str(pack), "matcher": "ngrams", "web.port": str(port)}) as desks:
        yield desks


async def add_as_proposed(mei: Visitor) -> str:
    """Add the only question there is to the topic that is selected; the page after it."""
    page = unescape(await mei.page("/inbox/questions"))
    key, words = found(r'id="text-([0-9a-f]{32})"', page), found(r"<textarea[^>]*>([^<]*)</textarea>", page)
    topic, token = found(r'<option value="([^"]+)" selected>', page), found(r'name="csrf" value="([^"]+)"', page)
    form = {"csrf": token, "kind": "unanswered", "act": "add", "text": words, "topic": topic}
    return (await mei.http.post(f"/inbox/questions/{key}", data=form, follow_redirects=True)).text


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match is not None, pattern
    return match[1]


async def answered_at_once(desk: Desk, text: str, words: str) -> str:
    async with customer(desk) as li:
        await li.writes(text)
        return await li.reads(words)


async def test_what_was_odd_is_answered_at_once_after_a_lead_added_it(thin: Desks, tmp_path: Path) -> None:
    first = await thin.start()
    await first.ready()
    async with customer(first) as li:
        await li.writes(f"{ODD} {WALLET}")
        asked = await li.reads("bot")
        async with asyncio.timeout(PATIENCE):
            while 'value="t:' not in (asked := await li.visitor.page("/chat")):  # noqa: ASYNC110 - a page is all there is
                await asyncio.sleep(0.05)
        await li.visitor.press("t:fees")
        answer = await li.reads("网络费")
    async with agent(thin, "小美") as mei:
        listed = unescape(await mei.page("/inbox/questions"))
        after = await add_as_proposed(mei)
    await first.stop()
    second = await thin.start()
    await second.ready()
    at_once = await answered_at_once(second, ODD, "网络费")
    checkout = Path(shutil.copytree(tmp_path / "pack", tmp_path / "checkout"))
    gathered = await thin.told("pack", "gather", str(checkout))
    exported = await thin.told("pack", "questions", "--json")
    await second.stop()

    assert "网络费" not in asked
    assert "网络费" in answer
    assert f">{ODD} …</textarea>" in listed
    assert "<textarea" not in after
    assert "您想" not in at_once
    assert "1 written (zh/topics/fees.txt 1)" in gathered
    assert (checkout / "zh/topics/fees.txt").read_text(encoding="utf-8").endswith(f"# voice: customers\n{ODD} …\n")
    assert json.loads(exported.splitlines()[0]) == {"text": f"{ODD} …", "label": "fees"}
    assert WALLET not in listed + exported


async def test_no_secret_is_among_the_questions(thin: Desks, tmp_path: Path) -> None:
    """S-01, S-11: typed whole or in pieces, of none is a part on the page, in the table, in what is exported."""
    desk = await thin.start()
    await desk.ready()
    sought, pieces = list(canaries()), phrase("english", 300)
    for one in sought:
        async with customer(desk) as li:
            await li.visitor.write(one.typed)
    sought.append(of_words("in pieces", pieces, pieces))
    async with customer(desk) as li:
        for at in range(0, 12, 4):
            await li.writes(" ".join(pieces.split()[at : at + 4]))
        await li.reads("已移除")
    async with customer(desk) as li:
        await li.writes(ODD)
    async with agent(thin, "小美") as mei:
        async with asyncio.timeout(PATIENCE):
            while ODD not in unescape(await mei.page(LISTS[0])):  # noqa: ASYNC110 - a page is all there is
                await asyncio.sleep(0.1)
        pages = [await mei.page(path) for path in (*LISTS, "/api/v1/questions", "/api/v1/questions?kind=corrected")]
    exported = await thin.told("pack", "questions", "--json")
    await desk.stop()
    checkout = Path(shutil.copytree(tmp_path / "pack", tmp_path / "checkout"))
    await thin.told("pack", "gather", str(checkout))

    assert ODD in exported
    assert found_in("\n".join([*pages, exported]).encode(), sought) == []
    assert found_under(tmp_path, sought) == {}
