"""Delivery: in order for each address, each message once, and never a guess about what arrived."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import pytest
from tests.desk.rigs import Rig

from imconnect.desk.delivery import LONGEST_BACKOFF, MOST_ATTEMPTS, Delivery, backoff
from imconnect.desk.loops import Stopping
from imconnect.domain.messages import Outgoing
from imconnect.ports import Adapter, MaybeSent, Sent, TryLater, Undeliverable
from imconnect.testing.fakes import NullMeter, ScriptedAdapter
from imconnect.testing.makers import NOON, address

ANN, BEN = address("ann"), address("ben")


@asynccontextmanager
async def delivering(rig: Rig, adapter: Adapter) -> AsyncGenerator[Stopping]:
    """Delivery at work; it has ended when the block does."""
    stopping = Stopping()
    delivery = Delivery(rig.store, adapter, rig.clock, NullMeter(), lambda: 0.0)
    running = asyncio.create_task(delivery.run(stopping))
    try:
        yield stopping
    finally:
        stopping.ask()
        await asyncio.wait_for(running, 5)


async def _states(rig: Rig, at: object = ANN) -> list[str]:
    lines = await rig.lines(ANN if at is ANN else BEN)
    return [line.delivery.value for line in lines if line.delivery is not None]


async def _until(rig: Rig, states: list[str], at: object = ANN) -> None:
    """Wait for sends to have come so far; each change rings the bell."""
    async with asyncio.timeout(5), rig.store.changes("send") as bell:
        while await _states(rig, at) != states:
            await bell.wait(0.05)


async def _say(rig: Rig, *texts: str, to: object = ANN) -> None:
    for text in texts:
        await rig.hear(text, ANN if to is ANN else BEN)
    await rig.settle()


async def test_what_is_said_at_an_address_arrives_in_order() -> None:
    rig, adapter = Rig(), ScriptedAdapter()
    await _say(rig, "hello", "thanks", "fees")
    async with delivering(rig, adapter):
        await _until(rig, ["sent"] * 3)

    assert [one.text.split("]")[0] for one in adapter.seen] == ["[welcome", "[thanks", "[answer fees"]


async def test_retry_after_stops_its_own_address_only_and_keeps_the_order_there() -> None:
    rig, adapter = Rig(), ScriptedAdapter(outcomes=[TryLater("slow down", 35)])
    await _say(rig, "hello", "thanks")
    await _say(rig, "hello", "thanks", to=BEN)
    async with delivering(rig, adapter):
        await _until(rig, ["sent", "sent"], BEN)
        meanwhile = await _states(rig, ANN)
        rig.clock.later(34.9)
        await rig.hear("nudge", BEN)
        await rig.settle()
        await _until(rig, ["sent"] * 3, BEN)
        just_before = await _states(rig, ANN)
        rig.clock.later(0.1)
        await _until(rig, ["sent", "sent"], ANN)
    to_ann = [one.text.split("]")[0] for one in adapter.tried if one.address == ANN]

    assert meanwhile == just_before == ["ready", "ready"]
    assert to_ann == ["[welcome", "[welcome", "[thanks"]


async def test_without_a_time_of_its_own_a_retry_waits_ever_longer_up_to_a_quarter_of_an_hour() -> None:
    waits = [backoff(attempts, 0.0) for attempts in range(MOST_ATTEMPTS)]

    assert waits[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_BACKOFF / 2
    assert backoff(3, 0.999) < 2 * backoff(3, 0.0)


async def test_a_send_that_never_succeeds_is_given_up_and_the_next_goes_out() -> None:
    rig = Rig()
    adapter = ScriptedAdapter(outcomes=[TryLater("busy", 1)] * MOST_ATTEMPTS, keyed=False)
    await _say(rig, "hello", "thanks")
    async with delivering(rig, adapter):
        for _ in range(MOST_ATTEMPTS):
            before = len(adapter.tried)
            async with asyncio.timeout(5), rig.store.changes("send") as bell:
                while len(adapter.tried) == before:
                    await bell.wait(0.02)
            rig.clock.later(1)
            await rig.hear("nudge", BEN)
        await _until(rig, ["failed", "sent"])

    assert len([one for one in adapter.tried if one.text.startswith("[welcome")]) == MOST_ATTEMPTS


async def tries_in(days: float, pause: float, *, keyed: bool) -> tuple[int, list[str]]:
    """How often a send is tried in so many days if the channel asks to come again after *pause* seconds each time."""
    rig = Rig()
    adapter = ScriptedAdapter(outcomes=[TryLater("greylisted", pause)] * 10_000, keyed=keyed)
    await _say(rig, "hello")
    delivery = Delivery(rig.store, adapter, rig.clock, NullMeter(), lambda: 0.0)
    for _ in range(round(days * 86_400 / pause) + 1):
        await delivery.step()
        rig.clock.later(pause)
    return len(adapter.tried), await _states(rig)


async def test_a_mail_that_is_put_off_is_tried_for_five_days_and_no_longer() -> None:
    """E-13: 4.x is no bounce; RFC 5321, 4.5.4.1."""
    tries, states = await tries_in(4.9, 3600, keyed=True)
    after, given_up = await tries_in(6, 3600, keyed=True)

    assert (tries, states) == (round(4.9 * 24) + 1, ["ready"])
    assert (after, given_up) == (5 * 24, ["failed"])


async def test_a_channel_without_keys_is_tried_no_oftener_than_before() -> None:
    tries, states = await tries_in(4, 3600, keyed=False)

    assert (tries, states) == (MOST_ATTEMPTS, ["failed"])


@pytest.mark.parametrize("keyed", [True, False])
async def test_a_send_that_may_have_arrived_is_unknown_and_not_repeated(keyed: bool) -> None:
    rig, adapter = Rig(), ScriptedAdapter(keyed=keyed, outcomes=[MaybeSent("the line broke")])
    await _say(rig, "hello", "thanks")
    async with delivering(rig, adapter):
        await _until(rig, ["unknown", "sent"])
    await rig.settle()

    assert len(adapter.tried) == 2
    assert "delivery unknown" in await rig.outcomes()


async def test_a_customer_who_shut_the_door_is_marked_and_what_else_waits_is_not_tried() -> None:
    rig, adapter = Rig(), ScriptedAdapter(outcomes=[Undeliverable("blocked the bot", blocked=True)])
    await _say(rig, "hello", "thanks")
    async with delivering(rig, adapter):
        await _until(rig, ["failed", "failed"])
    dossier = await rig.store.dossier((await rig.conversation()).reference)

    assert len(adapter.tried) == 1
    assert dossier is not None
    assert dossier.unreachable == "blocked the bot"


class Buggy(ScriptedAdapter):
    """Breaks at the first thing it is to say to ann."""

    broke = False

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        if message.address == ANN and not self.broke:
            self.broke = True
            self.tried.append(message)
            return self.fail()
        return await super().send(message)

    def fail(self) -> Sent:
        raise KeyError("a bug")


class Speechless(Buggy):
    """Forgets to return anything."""

    def fail(self) -> Sent:
        return cast("Sent", None)


@pytest.mark.parametrize("bug", [Buggy, Speechless])
async def test_a_bug_of_an_adapter_without_keys_leaves_its_send_unknown_and_stops_nobody(bug: type[Buggy]) -> None:
    rig, adapter = Rig(), bug(keyed=False)
    await _say(rig, "hello", "thanks")
    await _say(rig, "hello", to=BEN)
    async with delivering(rig, adapter):
        await _until(rig, ["unknown", "sent"])
        await _until(rig, ["sent"], BEN)

    assert len(adapter.tried) == 3


@pytest.mark.parametrize("bug", [Buggy, Speechless])
async def test_a_bug_of_an_adapter_with_keys_is_tried_again(bug: type[Buggy]) -> None:
    rig, adapter = Rig(), bug()
    await _say(rig, "hello")
    async with delivering(rig, adapter):
        await _until(rig, ["ready"])
        async with asyncio.timeout(5):
            while not adapter.tried:  # noqa: ASYNC110 - it is the delivery's loop that turns
                await asyncio.sleep(0)
        rig.clock.later(60)
        await rig.hear("nudge", BEN)
        await rig.settle()
        await _until(rig, ["sent"])

    assert [one.text for one in adapter.seen if one.address == ANN] == ["[welcome]"]


class Slow(ScriptedAdapter):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        self.begun.set()
        await self.let.wait()
        return await super().send(message)


async def test_asked_to_stop_while_sending_it_waits_for_the_answer_writes_it_down_and_begins_nothing_new() -> None:
    rig, adapter = Rig(), Slow()
    await _say(rig, "hello", "thanks")
    async with delivering(rig, adapter) as stopping:
        await adapter.begun.wait()
        stopping.ask()
        await asyncio.sleep(0)
        adapter.let.set()

    assert await _states(rig) == ["sent", "ready"]


@pytest.mark.parametrize(("keyed", "shown"), [(True, 1), (False, 0)])
async def test_what_a_crash_cut_off_is_repeated_with_keys_and_unknown_without(keyed: bool, shown: int) -> None:
    rig = Rig()
    await _say(rig, "hello")
    await rig.due()
    adapter = ScriptedAdapter(keyed=keyed)
    async with delivering(rig, adapter):
        await _until(rig, ["sent"] if keyed else ["unknown"])

    assert len(adapter.seen) == shown


async def test_what_was_sent_while_the_store_was_down_is_written_down_once_it_is_back() -> None:
    rig, adapter = Rig(), Slow()
    await _say(rig, "hello")
    async with delivering(rig, adapter):
        await adapter.begun.wait()
        rig.store.down = "no server answers there"
        adapter.let.set()
        async with asyncio.timeout(5):
            while not adapter.seen:  # noqa: ASYNC110 - it is the delivery's loop that turns
                await asyncio.sleep(0)
        rig.store.down = None
        await _until(rig, ["sent"])

    assert len(adapter.tried) == 1


async def test_a_retry_is_due_when_the_channel_said() -> None:
    rig, adapter = Rig(), ScriptedAdapter(outcomes=[TryLater("slow down", 35)])
    await _say(rig, "hello")
    async with delivering(rig, adapter):
        async with asyncio.timeout(5):
            while not adapter.tried:  # noqa: ASYNC110 - it is the delivery's loop that turns
                await asyncio.sleep(0)
    early = await rig.store.claim_sends("web", "site", 1, NOON + timedelta(seconds=34.9))
    due = await rig.store.claim_sends("web", "site", 1, NOON + timedelta(seconds=35))

    assert (len(early), len(due)) == (0, 1)
