"""Turns: claim a batch of conversations, read, decide, apply; one transaction."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from imconnect.desk.loops import Clock, Stopping, go_round, where
from imconnect.desk.understanding import Read, answered, withheld_whole
from imconnect.domain.actions import Action, Decision, Say
from imconnect.domain.commands import typed_command
from imconnect.domain.conversations import Conversation
from imconnect.domain.drafting import VERIFY
from imconnect.domain.events import ErrandDone, Event, MessageReceived
from imconnect.domain.messages import Purpose
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Reading
from imconnect.domain.responder import decide
from imconnect.ports import Case, Meter, Pending, Settled, Store, StoreUnavailable

CONVERSATIONS_A_TURN = 100
SWEEP_SECONDS = 1.0
BREATH_SECONDS = 0.005
"""After so much deciding in one go, others on the same loop get theirs."""

Decide = Callable[[Conversation, Event, Playbook, datetime], Decision]

log = structlog.get_logger("imconnect.desk")


class Turns:
    """Gives every event its turn. Any number of these may work on one PostgreSQL database."""

    def __init__(
        self, store: Store, read: Read, playbook: Playbook, clock: Clock, meter: Meter, decide: Decide = decide
    ) -> None:
        self._store = store
        self._read = read
        self._playbook = playbook
        self._clock = clock
        self._meter = meter
        self._decide = decide
        self._alone = False

    async def run(self, stopping: Stopping) -> None:
        """Work until asked to stop."""
        async with self._store.changes("turn") as bell:
            await go_round("turns", self.step, bell, stopping, SWEEP_SECONDS)

    async def step(self) -> int:
        """One turn. Returns how many events it settled.

        A batch that cannot be applied is tried again one conversation at a time, so that one does not hold up all; a
        conversation that cannot be applied even alone is settled without effect, and the failure is its outcome.
        """
        limit = 1 if self._alone else CONVERSATIONS_A_TURN
        try:
            settled = await self._turn(limit, in_effect=True)
        except StoreUnavailable:
            raise
        except Exception as error:
            log.error("turn failed", error=type(error).__name__, where=where(error), alone=self._alone)
            self._meter.count("turns_failed")
            if not self._alone:
                self._alone = True
                return 1
            settled = await self._turn(1, in_effect=False)
        self._alone = self._alone and settled > 0
        return settled

    async def _turn(self, limit: int, *, in_effect: bool) -> int:
        started = asyncio.get_running_loop().time()
        async with self._store.turn(limit, self._clock()) as turn:
            if not turn.cases:
                return 0
            settled: list[Settled] = []
            breath = started
            for case in turn.cases:
                settled.append(self._settle(case, await self._vouched(case)) if in_effect else _without_effect(case))
                if asyncio.get_running_loop().time() - breath > BREATH_SECONDS:
                    await asyncio.sleep(0)
                    breath = asyncio.get_running_loop().time()
            now = self._clock()
            await turn.apply(settled, now)
            for case in turn.cases:
                for pending in case.events:
                    self._meter.observe("event_seconds", max(0.0, (now - pending.at).total_seconds()))
            for case, one in zip(turn.cases, settled, strict=True):
                self._count_answers(case, one)
        count = sum(len(case.events) for case in turn.cases)
        self._meter.count("events_settled", count)
        self._meter.observe("turn_seconds", asyncio.get_running_loop().time() - started)
        return count

    def _count_answers(self, case: Case, settled: Settled) -> None:
        """Tell apart by whose word a topic was answered: the customer's choice, the matcher's or a second opinion."""
        for pending, (_, _, actions) in zip(case.events, settled.outcomes, strict=True):
            said = [one for one in actions if isinstance(one, Say) and one.purpose is Purpose.ANSWER]
            if answers := sum(one.source in self._playbook.topics for one in said):
                self._meter.count("answers", answers, by=_word_of(pending.event))

    async def _vouched(self, case: Case) -> Mapping[int, bool]:
        """For each event that asks whether a name is one of our agents': whether it is."""
        channel = case.conversation.address.channel
        return {
            pending.id: await self._store.vouched(channel, name)
            for pending in case.events
            if isinstance(pending.event, MessageReceived) and (name := _name_asked_about(pending.event))
        }

    def _settle(self, case: Case, vouched: Mapping[int, bool]) -> Settled:
        state = case.conversation
        outcomes: list[tuple[int, str, tuple[Action, ...]]] = []
        for pending in case.events:
            try:
                event = self._understood(pending, vouched.get(pending.id), state)
                decision = self._decide(state, event, self._playbook, self._clock())
            except Exception as error:  # one event that cannot be decided must not hold up those after it
                log.error("event failed", number=pending.id, error=type(error).__name__, where=where(error))
                self._meter.count("events_failed")
                outcomes.append((pending.id, f"failed: {type(error).__name__}", ()))
                continue
            state = decision.conversation
            outcomes.append((pending.id, decision.outcome, decision.actions))
            log.info("settled", reference=state.reference, what=type(pending.event).__name__, outcome=decision.outcome)
        return Settled(state, tuple(outcomes))

    def _understood(self, pending: Pending, vouched: bool | None, state: Conversation) -> Event:
        event = pending.event
        if not isinstance(event, MessageReceived) or event.automatic or not event.text:
            return event
        if vouched is not None:  # a name, not a question
            return replace(event, reading=Reading(vouched=vouched))
        if withheld_whole(event.text, event.secret):
            return event
        reading = self._read(event.text)
        if state.asked_for:
            reading = answered(reading, event.text, state, pending.at, self._playbook)
        return replace(event, reading=reading)


def _name_asked_about(event: MessageReceived) -> str:
    """The name of somebody who says they are one of us, where that is what is asked."""
    if event.choice != VERIFY and typed_command(event.text) != VERIFY:
        return ""
    first, _, rest = event.text.strip().partition(" ")
    return (rest if typed_command(first) == VERIFY else event.text).strip().removeprefix("@")


def _word_of(event: Event) -> str:
    """By whose word a topic is answered after *event*."""
    if isinstance(event, ErrandDone):
        return "opinion"
    return "choice" if isinstance(event, MessageReceived) and event.choice is not None else "matcher"


def _without_effect(case: Case) -> Settled:
    return Settled(case.conversation, tuple((pending.id, "failed: not applied", ()) for pending in case.events))
