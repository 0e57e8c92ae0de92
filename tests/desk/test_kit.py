"""The kit: a channel's own secret and memory, which outlive the process."""

import itertools

import pytest
from tests.desk.rigs import Rig

from imconnect.desk.kit import InboxKit
from imconnect.domain.events import AgentResolved, AgentTook
from imconnect.domain.readings import Link, LinkVerdict
from imconnect.guard import Guard
from imconnect.ports import Kit, TryLater
from imconnect.testing.makers import PLAYBOOK, address, received

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A test vector of BIP-39 that anybody may know."""

SECRETS = [bytes([number] * 32).hex() for number in range(9)]


GUARD = Guard()


async def kit(rig: Rig, account: str = "site", secrets: "itertools.count[int] | None" = None) -> InboxKit:
    numbers = secrets or itertools.count()
    return await InboxKit.of(rig.store, "email", account, PLAYBOOK, rig.clock, lambda: SECRETS[next(numbers)], GUARD)


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


async def test_what_an_open_case_still_lacks_is_told_at_its_own_address() -> None:
    rig = Rig()
    mine: Kit = await kit(rig)
    await rig.store.record([received("not here", id="m1", choice="t:tx-not-received")], rig.clock())
    await rig.store.record([received("0x" + "5d" * 32, id="m2")], rig.clock())
    await rig.settle()
    everything = PLAYBOOK.topics["tx-not-received"].details

    assert everything == ("transaction_hash", "chain", "wallet_address")
    assert await mine.missing(address(), "tx-not-received") == ("chain", "wallet_address")
    assert await mine.missing(address("nobody"), "tx-not-received") == everything
    assert await mine.missing(address(), "no-such-topic") == ()


async def test_what_was_refused_is_not_missing_and_after_a_resolved_case_everything_is() -> None:
    rig = Rig()
    mine: Kit = await kit(rig)
    topic = "tx-not-received"
    await rig.store.record([received("0x" + "5d" * 32, id="m1", choice=f"t:{topic}")], rig.clock())
    await rig.store.record([received("/skip", id="m2")], rig.clock())
    await rig.settle()
    refused = await mine.missing(address(), topic)
    await rig.store.act((await rig.conversation()).reference, AgentTook("Mei"), "k1", rig.clock())
    await rig.store.act((await rig.conversation()).reference, AgentResolved("Mei"), "k2", rig.clock())
    await rig.settle()

    assert refused == ()
    assert await mine.missing(address(), topic) == PLAYBOOK.topics[topic].details


async def test_while_the_store_is_away_nobody_knows_what_is_missing() -> None:
    rig = Rig()
    mine = await kit(rig)
    rig.store.down = "the disk is full"
    with pytest.raises(TryLater, match="the disk is full"):
        await mine.missing(address(), "tx-not-received")


async def test_what_gives_the_funds_away_leaks_and_what_only_might_does_not() -> None:
    mine = await kit(Rig())

    assert mine.leaks("here you are: " + PHRASE)
    assert not mine.leaks("0x" + "9f86d081884c7d65" * 4)
    assert not mine.leaks("is the recovery phrase twelve words long?")
