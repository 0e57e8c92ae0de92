"""The kit: a channel's own secret and memory, which outlive the process."""

import itertools

import pytest
from tests.desk.rigs import Rig

from imconnect.desk.kit import InboxKit
from imconnect.domain.readings import Link, LinkVerdict
from imconnect.ports import Kit, TryLater
from imconnect.testing.makers import PLAYBOOK

SECRETS = [bytes([number] * 32).hex() for number in range(9)]


async def kit(rig: Rig, account: str = "site", secrets: "itertools.count[int] | None" = None) -> InboxKit:
    numbers = secrets or itertools.count()
    return await InboxKit.of(rig.store, "email", account, PLAYBOOK, rig.clock, lambda: SECRETS[next(numbers)])


async def test_the_secret_is_the_inboxs_own_and_the_same_at_every_start() -> None:
    rig, numbers = Rig(), itertools.count()
    first, again = await kit(rig, secrets=numbers), await kit(rig, secrets=numbers)
    other = await kit(rig, "other", numbers)

    assert len(first.secret) == 32
    assert first.secret == again.secret
    assert first.secret != other.secret


async def test_what_was_remembered_is_recalled_by_the_beginning_of_its_name_until_it_is_forgotten() -> None:
    rig = Rig()
    mine: Kit = await kit(rig)
    await mine.remember("thread:1", "a")
    await mine.remember("thread:2", "b")
    await mine.remember("cursor", "9")
    await mine.remember("thread:1", None)
    again = await kit(rig)
    theirs = await kit(rig, "other")

    assert {name: kept.value for name, kept in (await again.recall("thread:")).items()} == {"thread:2": "b"}
    assert set(await again.recall()) == {"thread:2", "cursor"}
    assert dict(await theirs.recall()) == {}


async def test_while_the_store_is_away_nothing_is_promised() -> None:
    rig = Rig()
    mine = await kit(rig)
    rig.store.down = "the disk is full"
    for asked in (mine.recall(), mine.remember("a", "b"), mine.remember("a", None), kit(rig)):
        with pytest.raises(TryLater, match="the disk is full"):
            await asked


async def test_links_and_details_are_judged_as_the_desk_judges_them() -> None:
    mine = await kit(Rig())

    assert mine.links("https://wallet.example/x") == (Link("wallet.example", LinkVerdict.OFFICIAL),)
    assert [one.name for one in mine.spot("0x" + "5d" * 32)] == ["transaction_hash"]
