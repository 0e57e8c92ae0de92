"""Secrets of every kind through every field: of none, three words or twelve characters are kept or told.

Searched are the log at debug level, the database with its write-ahead log, the outbox in it, the metrics, the pages of
customers and agents, the API and the exports of the command line, while the desk runs and after it stopped.
"""

import asyncio
from pathlib import Path

import pytest
from tests.faults.desks import Desk, Desks
from tests.journeys.secrets import Canary, canaries, of_words, phrase
from tests.journeys.stories import PATIENCE, agent, customer
from tests.web.visits import Visitor
from tests.worlds.botapi import Group, Person, Server

ALL = canaries()


def found_in(content: bytes, sought: list[Canary]) -> list[str]:
    """Which secrets *content* holds a part of."""
    return [one.name for one in sought if any(mark in content for mark in one.marks)]


def found_under(folder: Path, sought: list[Canary]) -> dict[str, list[str]]:
    """Which files hold a part of which secret."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {file.name: held for file in files if (held := found_in(file.read_bytes(), sought))}


async def everything_told(desks: Desks, desk: Desk, visitor: Visitor) -> bytes:
    """All that anybody can read of the desk: pages, API, metrics, the command line."""
    listed = (await visitor.http.get("/api/v1/conversations")).json()
    paths = ["/inbox", "/metrics", "/readyz", "/api/v1/conversations"]
    for one in listed:
        paths += [f"/inbox/{one['reference']}", f"/api/v1/conversations/{one['reference']}"]
    pages = [await visitor.page(path) for path in paths]
    # Each start of the command takes a second: what it shows of one conversation it shows of all.
    exports = [await desks.told("conversation", "list", "--json")]
    exports += [await desks.told("conversation", "show", one["reference"], "--json") for one in listed[-2:]]
    return "\n".join([*pages, *exports, desk.says()]).encode()


@pytest.fixture
def staff(telegram: Server) -> Group:
    return telegram.world.forum()


async def test_nothing_of_a_secret_typed_on_telegram_is_kept_or_told(
    desks: Desks, telegram: Server, staff: Group, tmp_path: Path
) -> None:
    """S-01, S-02, S-05, S-06, S-08, S-09, S-11, S-12"""
    desks.settings |= {"telegram.staff_chat": str(staff.id)}
    desk = await desks.start()
    await desk.ready()
    world = telegram.world
    people: list[Person] = []

    def person(name: str = "Ann") -> Person:
        people.append(world.person(name))
        return people[-1]

    for one in ALL:
        person().says(one.typed)
    sought = list(ALL)

    def fresh(number: int) -> str:
        """A phrase of its own for each field, so that a find names the field."""
        words = phrase("english", number)
        sought.append(of_words(f"field {number}", words, words))
        return words

    edited = person()
    said = edited.says("my wallet is empty")
    await edited.hears(within=PATIENCE)
    edited.edits(said, f"the words are {fresh(100)}")
    person().sends_photo(caption=fresh(101))
    person().sends_document(f"{fresh(102)}.txt", b"nothing in it")
    person().sends_document("backup.txt", f"my wallet\n{fresh(103)}\n".encode())
    person().sends_document("backup16.txt", fresh(104).encode("utf-16"))
    person().sends_document("UTC--2026.json", next(one.typed for one in ALL if one.name == "keystore").encode())
    person(fresh(105)).says("hello")
    person().sends_contact("+4912345", fresh(106))
    person().says(f"/verify {fresh(107)}")
    person().says(fresh(108), forwarded_from="Somebody")
    pieces = person()
    for at in range(0, 12, 4):
        pieces.says(" ".join(fresh(109).split()[at : at + 4]))
    sought = list({one.name: one for one in sought}.values())
    group = world.supergroup(bot_rights=("can_delete_messages",))
    group.member("Ida").says(f"@im_wallet_support_bot {fresh(110)}")
    stranger = staff.member("Stranger")
    stranger.says(fresh(111), chat=staff)
    for who in people:
        await who.hears(within=PATIENCE)
    async with agent(desks, "Mei") as mei:
        person("Kim").says("/human")
        await people[-1].hears("IM-", within=PATIENCE)
        reference = next(
            one["reference"] for one in (await mei.http.get("/api/v1/conversations")).json() if one["contact"] == "Kim"
        )
        for number, act in enumerate(("take", "reply", "note"), 1):
            answer = await mei.http.post(
                f"/api/v1/conversations/{reference}/acts",
                json={"act": act, "text": fresh(120 + number), "key": f"canary-{number:04}"},
            )
            assert answer.status_code in (200, 409, 422)
        await asyncio.sleep(2)  # whatever is still on its way to a table or a log
        told = await everything_told(desks, desk, mei)
    running = found_under(tmp_path, sought)
    chats = [*(who.chat for who in people), group, staff]
    heard = "\n".join(text for chat in chats for text in chat.bot_texts).encode()
    await desk.stop()

    assert found_in(told, sought) == []
    assert running == {}
    assert found_in(heard, sought) == []
    assert found_under(tmp_path, sought) == {}


async def test_nothing_of_a_secret_typed_at_the_page_is_kept_or_told(desks: Desks, tmp_path: Path) -> None:
    """S-01, S-05, S-06, S-11"""
    desk = await desks.start()
    await desk.ready()
    pages: list[str] = []
    for one in ALL:
        async with customer(desk) as li:
            await li.visitor.write(one.typed)
            async with asyncio.timeout(PATIENCE):
                while "removed" not in (page := await li.visitor.page("/chat")) and "移除" not in page:  # noqa: ASYNC110 - a page is all there is
                    await asyncio.sleep(0.1)
            pages.append(page)
    async with agent(desks, "Mei") as mei:
        told = await everything_told(desks, desk, mei)
    running = found_under(tmp_path, ALL)
    await desk.stop()

    assert found_in("\n".join(pages).encode(), ALL) == []
    assert found_in(told, ALL) == []
    assert (running, found_under(tmp_path, ALL)) == ({}, {})
