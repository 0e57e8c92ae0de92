"""Turns: every event gets an outcome, and one that cannot be decided or written holds up no other."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
from tests.desk.rigs import Rig

from imconnect.desk.loops import Stopping
from imconnect.desk.turns import Turns
from imconnect.domain.messages import Language
from imconnect.domain.readings import Reading
from imconnect.ports import Case, Settled, StoreUnavailable, Turn
from imconnect.testing.fakes import MemoryStore, NullMeter
from imconnect.testing.makers import PLAYBOOK, address, reader, received, secret

POISON = "a message nothing can make sense of"


def _reads_all_but_poison(text: str) -> Reading:
    if text == POISON:
        raise ValueError(text)
    return reader()(text)


async def test_an_event_that_cannot_be_decided_gets_an_outcome_and_those_around_it_are_answered(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = Rig()
    for text in ("hello", POISON, "thanks"):
        await rig.hear(text)
    turns = Turns(rig.store, _reads_all_but_poison, PLAYBOOK, rig.clock, rig.counts)
    settled = await turns.step()
    logged = caplog.text + "".join(capsys.readouterr())

    assert settled == 3
    assert await rig.outcomes() == ["greeted", "failed: ValueError", "thanked"]
    assert rig.counts.of["events_failed"] == 1
    assert POISON not in logged


@dataclass
class _Unwilling:
    """A turn that cannot be applied when it holds the conversation at *peer*."""

    turn: Turn
    peer: str

    @property
    def cases(self) -> Sequence[Case]:
        return self.turn.cases

    async def apply(self, settled: Sequence[Settled], now: datetime) -> None:
        effects = [one for one in settled if any(actions for _, _, actions in one.outcomes)]
        if any(one.conversation.address.peer == self.peer for one in effects):
            raise ValueError("a constraint of the database's")
        await self.turn.apply(settled, now)


class PickyStore(MemoryStore):
    """Applies nothing that is said to ben."""

    @asynccontextmanager
    async def turn(self, limit: int, now: datetime) -> AsyncGenerator[Turn]:  # type: ignore[override]  # wraps it
        async with super().turn(limit, now) as turn:
            yield _Unwilling(turn, "ben")


async def test_a_batch_that_cannot_be_applied_is_tried_one_by_one_and_only_the_bad_one_is_without_effect() -> None:
    rig = Rig(store=PickyStore())
    people = [address(name) for name in ("ann", "ben", "cy")]
    for at in people:
        await rig.hear("hello", at)
    turns = Turns(rig.store, reader(), PLAYBOOK, rig.clock, rig.counts)
    while await turns.step():
        pass

    assert [await rig.outcomes(at) for at in people] == [["greeted"], ["failed: not applied"], ["greeted"]]
    assert [len(await rig.lines(at)) for at in people] == [2, 1, 2]


async def test_after_the_bad_one_the_others_go_in_one_batch_again() -> None:
    rig = Rig(store=PickyStore())
    await rig.hear("hello", address("ben"))
    turns = Turns(rig.store, reader(), PLAYBOOK, rig.clock, rig.counts)
    while await turns.step():
        pass
    for name in ("ann", "cy", "dee"):
        await rig.hear("hello", address(name))
    settled = await turns.step()

    assert settled == 3


async def test_while_the_store_is_down_a_turn_says_so_and_settles_nothing() -> None:
    rig = Rig()
    await rig.hear("hello")
    turns = rig.turns()
    rig.store.down = "no server answers there"
    with pytest.raises(StoreUnavailable):
        await turns.step()
    rig.store.down = None
    await rig.settle()

    assert await rig.outcomes() == ["greeted"]


async def test_messages_of_one_conversation_are_answered_in_their_order() -> None:
    rig = Rig()
    for text in ("hello", "thanks", "fees"):
        await rig.hear(text)
    await rig.settle()
    said = [line.text.split("]")[0] for line in await rig.lines() if line.speaker == "bot"]

    assert said == ["[welcome", "[thanks", "[answer fees"]


async def test_the_mark_of_a_withheld_phrase_is_not_taken_for_the_customers_words() -> None:
    rig = Rig()
    withheld = received("[recovery_phrase removed]", secret=secret(), language_hint=Language.CHINESE)
    await rig.store.record([withheld], rig.clock())
    await rig.settle()
    said = [line.text for line in await rig.lines() if line.speaker == "bot"]

    assert said[0] == "【secret-removed-recovery-phrase】"


async def test_a_new_event_rings_the_loop_awake_and_a_stop_ends_it() -> None:
    rig = Rig()
    stopping = Stopping()
    running = asyncio.create_task(Turns(rig.store, reader(), PLAYBOOK, rig.clock, NullMeter()).run(stopping))
    await asyncio.sleep(0)
    async with rig.store.changes("send") as bell:
        await rig.hear("hello")
        rung = await bell.wait(5)
    stopping.ask()
    await asyncio.wait_for(running, 5)

    assert rung
    assert await rig.outcomes() == ["greeted"]


@pytest.mark.parametrize(
    ("text", "choice", "outcome"),
    [
        ("Mei", "verify", "told: verify-yes"),
        ("@mei", "verify", "told: verify-yes"),
        ("/verify Mei", None, "told: verify-yes"),
        ("Mei Support", "verify", "told: verify-no"),
        ("", "verify", "told: verify"),
    ],
)
async def test_whether_somebody_is_one_of_us_is_looked_up(text: str, choice: str | None, outcome: str) -> None:
    """S-19: "is this agent real?"."""
    rig = Rig()
    await rig.store.add_agent("Mei", "hash", rig.clock(), rig.clock())
    await rig.store.record([received(text, choice=choice)], rig.clock())
    await rig.settle()

    assert await rig.outcomes() == [outcome]


async def test_what_a_machine_wrote_is_kept_and_never_read() -> None:
    """E-08: an out-of-office answer has no topic, whatever words are in it."""
    rig, read = Rig(), list[str]()

    def reads(text: str) -> Reading:
        read.append(text)
        return Reading()

    turns = Turns(rig.store, reads, PLAYBOOK, rig.clock, rig.counts)
    await rig.store.record([received("fees", automatic=True)], rig.clock())
    await turns.step()

    assert read == []
    assert [line.text for line in await rig.lines()] == ["fees"]
