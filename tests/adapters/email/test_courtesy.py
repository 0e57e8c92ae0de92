"""How much is said by machine, counted over days and restarts."""

from datetime import timedelta

import pytest

from imconnect.domain.messages import Purpose
from imconnect.testing.kit import MemoryKit
from imconnect_email.courtesy import Caps, Courtesy
from imconnect_email.threading import Peer

CAPS = Caps(address=3, unproven_address=2, unproven_domain=4, unproven=6)
DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def kit() -> MemoryKit:
    return MemoryKit()


async def open_for(kit: MemoryKit) -> Courtesy:
    """As after a start."""
    courtesy = Courtesy(CAPS, kit)
    await courtesy.recall()
    return courtesy


async def said(courtesy: Courtesy, *peers: Peer, key: str = "k", purpose: Purpose = Purpose.ANSWER) -> int:
    """How many of these mails, each another, may go out."""
    answers = [await courtesy.objection(f"{key}{number}", peer, purpose) for number, peer in enumerate(peers)]
    return answers.count(None)


def strangers(count: int, domain: str = "example.com") -> list[Peer]:
    return [Peer(f"s{number}@{domain}", f"mark{number}") for number in range(count)]


async def test_an_address_gets_so_many_a_day(kit: MemoryKit) -> None:
    courtesy = await open_for(kit)

    assert await said(courtesy, *[Peer("a@example.com")] * 10) == 3


async def test_an_address_that_nothing_proves_gets_fewer_whatever_conversations_it_opens(kit: MemoryKit) -> None:
    """E-10"""
    courtesy = await open_for(kit)

    assert await said(courtesy, *[Peer("a@example.com", f"mark{number}") for number in range(10)]) == 2


async def test_a_domain_of_strangers_gets_so_many(kit: MemoryKit) -> None:
    """E-12"""
    courtesy = await open_for(kit)

    assert await said(courtesy, *strangers(50)) == 4


async def test_all_strangers_together_get_so_many(kit: MemoryKit) -> None:
    """E-12"""
    courtesy = await open_for(kit)

    assert await said(courtesy, *[Peer(f"a@d{number}.example", "m") for number in range(50)]) == 6


async def test_strangers_take_nothing_from_who_is_proven(kit: MemoryKit) -> None:
    courtesy = await open_for(kit)
    await said(courtesy, *strangers(50))

    assert await said(courtesy, Peer("known@example.com"), key="other") == 1


async def test_who_answered_a_mail_of_ours_counts_as_proven(kit: MemoryKit) -> None:
    courtesy = await open_for(kit)
    stranger = Peer("a@example.com", "mark")
    courtesy.kept(courtesy.heard(stranger, quiet=False, proven=True))

    assert await said(courtesy, *[stranger] * 10) == 3
    assert courtesy.heard(stranger, quiet=False, proven=True) == ()
    assert courtesy.heard(Peer("known@example.com"), quiet=False, proven=True) == ()  # authenticated: nothing to keep


async def test_the_counts_outlive_a_restart(kit: MemoryKit) -> None:
    await said(await open_for(kit), *[Peer("a@example.com")] * 2)

    assert await said(await open_for(kit), *[Peer("a@example.com")] * 10, key="after") == 1


async def test_the_next_day_begins_anew_and_forgets_who_was_written_to(kit: MemoryKit) -> None:
    before = await open_for(kit)
    await said(before, *[Peer("a@example.com")] * 10)
    kit.later(DAY)
    running = await said(before, *[Peer("a@example.com")] * 10, key="next")
    kit.later(DAY)
    await open_for(kit)

    assert running == 3
    assert await kit.recall("said:") == {}


async def test_a_mail_that_is_tried_again_counts_once(kit: MemoryKit) -> None:
    courtesy = await open_for(kit)
    tries = [await courtesy.objection("one key", Peer("a@example.com"), Purpose.ANSWER) for _ in range(10)]

    assert tries == [None] * 10
    assert await said(courtesy, *[Peer("a@example.com")] * 10) == 2


async def test_who_wants_no_automatic_mail_gets_none_but_a_warning_after_a_restart_too(kit: MemoryKit) -> None:
    quiet = Peer("a@example.com")
    for name in (await open_for(kit)).heard(quiet, quiet=True, proven=False):
        await kit.remember(name, "")
    courtesy = await open_for(kit)

    assert await said(courtesy, quiet) == 0
    assert await said(courtesy, quiet, purpose=Purpose.WARNING) == 1


async def test_no_address_stands_in_what_is_kept(kit: MemoryKit) -> None:
    courtesy = await open_for(kit)
    await said(courtesy, Peer("somebody@example.com"), *strangers(2))

    assert "example.com" not in f"{list(kit.kept)}"
