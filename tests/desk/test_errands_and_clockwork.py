"""Errands end with a report; the passing of time becomes events."""

import asyncio
from datetime import timedelta

import pytest
from tests.desk.rigs import Rig

from imconnect.desk.clockwork import Clockwork
from imconnect.desk.errands import MOST_ATTEMPTS, Errands
from imconnect.desk.loops import Stopping, go_round
from imconnect.ports import Adapter, Erases, StoreUnavailable, TryLater, Undeliverable
from imconnect.testing.fakes import NullAdapter, NullMeter, ScriptedAdapter
from imconnect.testing.makers import PLAYBOOK, address, received, secret


async def _leak(rig: Rig) -> None:
    await rig.store.record([received("[recovery_phrase removed]", id="leak", secret=secret())], rig.clock())
    await rig.settle()


def _errands(rig: Rig, adapter: Adapter) -> Errands:
    return Errands(rig.store, adapter, rig.clock, NullMeter(), lambda: 0.0)


async def test_a_leaked_message_is_removed_from_the_channel_and_the_conversation_is_told() -> None:
    rig, adapter = Rig(), ScriptedAdapter()
    await _leak(rig)
    await _errands(rig, adapter).step()
    await rig.settle()

    assert adapter.erased == [(address(), "leak")]
    assert "removed upstream" in await rig.outcomes()


async def test_where_it_cannot_be_removed_the_customer_is_asked_to_do_so() -> None:
    rig, adapter = Rig(), ScriptedAdapter()
    adapter.refuses_to_erase = Undeliverable("too old")
    await _leak(rig)
    await _errands(rig, adapter).step()
    await rig.settle()

    assert "told: delete-it-yourself" in await rig.outcomes()


async def test_a_channel_that_cannot_remove_anything_says_so_through_the_desk() -> None:
    rig, adapter = Rig(), NullAdapter()
    await _leak(rig)
    await _errands(rig, adapter).step()
    await rig.settle()

    assert not isinstance(adapter, Erases)
    assert "told: delete-it-yourself" in await rig.outcomes()


async def test_an_errand_is_tried_again_when_the_channel_said_and_not_for_ever() -> None:
    rig, adapter = Rig(), ScriptedAdapter()
    adapter.refuses_to_erase = TryLater("slow down", 35)
    await _leak(rig)
    errands = _errands(rig, adapter)
    first = await errands.step()
    rig.clock.later(34.9)
    too_early = await errands.step()
    tries = 1
    while tries < MOST_ATTEMPTS + 3:
        rig.clock.later(35)
        if not await errands.step():
            break
        tries += 1
    await rig.settle()

    assert (first, too_early, tries) == (1, 0, MOST_ATTEMPTS)
    assert "told: delete-it-yourself" in await rig.outcomes()


class BuggyEraser(ScriptedAdapter):
    async def erase(self, address: object, message_id: str) -> None:
        raise KeyError(message_id)


async def test_a_bug_in_an_errand_ends_that_errand_with_its_reason_and_no_more() -> None:
    rig = Rig()
    await _leak(rig)
    done = await _errands(rig, BuggyEraser()).step()
    await rig.settle()

    assert done == 1
    assert "told: delete-it-yourself" in await rig.outcomes()


# ---------------------------------------------------------------------------------------------------------- clockwork


async def test_somebody_who_waits_is_reminded_when_the_timer_falls_and_once() -> None:
    rig = Rig()
    pace = PLAYBOOK.pace
    await rig.hear("human")
    await rig.settle()
    clockwork = Clockwork(rig.store, PLAYBOOK, rig.clock)
    rig.clock.later(pace.remind_after - 1)
    early = await clockwork.step()
    rig.clock.later(1)
    fallen = [await clockwork.step(), await clockwork.step()]
    await rig.settle()

    assert early == 0
    assert fallen == [1, 0]
    assert (await rig.outcomes()).count("told: still-waiting") == 1


async def test_those_behind_are_told_when_the_first_is_served_and_only_then() -> None:
    rig = Rig()
    for name in ("ann", "ben"):
        await rig.hear("human", address(name))
        await rig.settle()
        rig.clock.later(1)
    clockwork = Clockwork(rig.store, PLAYBOOK, rig.clock)
    await clockwork.step()
    await rig.settle()
    before = [line.text for line in await rig.lines(address("ben"))]
    ann = await rig.conversation(address("ann"))
    await _take(rig, ann.reference)
    await clockwork.step()
    await rig.settle()
    after = [line.text for line in await rig.lines(address("ben"))]

    assert not [text for text in before if "next-in-line" in text]
    assert [text.split("]")[0] for text in after[len(before) :]] == ["[next-in-line"]


async def _take(rig: Rig, reference: str) -> None:
    from imconnect.domain.events import AgentTook

    await rig.store.act(reference, AgentTook("Mei"), "take", rig.clock())
    await rig.settle()


# -------------------------------------------------------------------------------------------------------------- loops


@pytest.mark.parametrize("fault", [StoreUnavailable("the disk is full"), KeyError("a bug")])
async def test_a_loop_outlives_a_step_that_failed(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    rig, stopping = Rig(), Stopping()
    steps: list[str] = []

    async def step() -> int:
        steps.append("tried")
        if len(steps) == 1:
            raise fault
        stopping.ask()
        return 0

    async def at_once(self: Stopping, seconds: float) -> bool:
        return self.asked

    monkeypatch.setattr(Stopping, "within", at_once)
    async with rig.store.changes("turn") as bell, asyncio.timeout(5):
        await go_round("test", step, bell, stopping, timedelta(seconds=1).total_seconds())

    assert steps == ["tried", "tried"]
