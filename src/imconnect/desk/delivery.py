"""Delivery: empties one inbox's share of the outbox, in order for each address, each message once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from imconnect.desk.loops import LONGEST_PAUSE, Clock, Stopping, where
from imconnect.ports import (
    Adapter,
    Changes,
    DueSend,
    MaybeSent,
    Meter,
    SendResult,
    SendState,
    Sent,
    Store,
    StoreUnavailable,
    TryLater,
    Undeliverable,
)

AT_ONCE = 128
"""Sends under way at a time."""

SWEEP_SECONDS = 1.0
LAST_WORDS_SECONDS = 10.0
"""How long a stopping desk waits for answers to what it has sent."""

MOST_ATTEMPTS = 60
LONGEST_BACKOFF = 900.0
LONGEST_TRYING = 5 * 86_400.0
"""Seconds for which a channel with keys may put us off, saying when to come again (RFC 5321, 4.5.4.1: 4 to 5 days)."""

log = structlog.get_logger("imconnect.desk")


def backoff(attempts: int, chance: float) -> float:
    """Seconds before the next try after *attempts* that failed; *chance* in [0, 1) spreads them by half."""
    return min(LONGEST_BACKOFF, 0.5 * float(1 << min(attempts, 12))) * (0.5 + chance / 2)


class Delivery:
    """Sends for one adapter. One process at a time does this for an inbox, so order needs no more than the claim."""

    def __init__(self, store: Store, adapter: Adapter, clock: Clock, meter: Meter, chance: Callable[[], float]) -> None:
        self._store = store
        self._adapter = adapter
        self._clock = clock
        self._meter = meter
        self._chance = chance
        self._under_way: set[asyncio.Task[SendResult]] = set()
        self._results: list[SendResult] = []
        self._begun: set[int] = set()

    async def run(self, stopping: Stopping) -> None:
        """Send until asked to stop; then wait a little for answers and write them down."""
        await self._recover(stopping)
        async with self._store.changes("send") as bell:
            failures = 0
            while not stopping.asked:
                try:
                    moved = await self._settle() + await self._claim()
                    failures = 0
                except StoreUnavailable as error:
                    failures += 1
                    log.warning("store unavailable", loop="delivery", says=str(error))
                    await stopping.within(min(LONGEST_PAUSE, 0.1 * 2**failures))
                    continue
                if not moved:
                    await self._wait(bell, stopping)
        await self._finish()

    async def step(self) -> int:
        """Send what is due now and write down what came of it. Returns how many were sent."""
        begun = await self._claim()
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._settle()
        return begun

    async def _recover(self, stopping: Stopping) -> None:
        adapter = self._adapter
        while not stopping.asked:
            try:
                found = await self._store.recover_sends(adapter.name, adapter.account, adapter.keyed, self._clock())
            except StoreUnavailable as error:
                log.warning("store unavailable", loop="delivery", says=str(error))
                await stopping.within(1.0)
                continue
            if found:
                log.warning("sends recovered", channel=adapter.name, count=found, repeated=adapter.keyed)
            return

    async def _claim(self) -> int:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        adapter, now = self._adapter, self._clock()
        if adapter.keyed:
            # What is under way is still due in the store: it is told from the rest by being remembered here.
            found = await self._store.due_sends(adapter.name, adapter.account, room + len(self._begun), now)
            due = [send for send in found if send.id not in self._begun][:room]
        else:
            due = list(await self._store.claim_sends(adapter.name, adapter.account, room, now))
        for send in due:
            self._begun.add(send.id)
            self._under_way.add(asyncio.create_task(self._send(send)))
        return len(due)

    async def _settle(self) -> int:
        """Write down what has been answered; what cannot be written now is kept for the next time."""
        finished = {task for task in self._under_way if task.done()}
        self._under_way -= finished
        self._results += [task.result() for task in finished]
        if not self._results:
            return 0
        await self._store.settle_sends(self._results, self._clock())
        settled, self._results = self._results, []
        self._begun -= {result.id for result in settled}
        return len(settled)

    async def _wait(self, bell: Changes, stopping: Stopping) -> None:
        if not self._under_way:
            await stopping.woken(bell, SWEEP_SECONDS)
            return
        # What is due for other addresses may go out meanwhile: whichever comes first.
        rung = asyncio.ensure_future(stopping.woken(bell, SWEEP_SECONDS))
        try:
            await asyncio.wait([*self._under_way, rung], return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
            await asyncio.gather(rung, return_exceptions=True)

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_WORDS_SECONDS)
        late = [task for task in self._under_way if not task.done()]
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        # What was cut off stays marked as being sent: the next start knows it for what it is.
        self._under_way -= set(late)
        try:
            await self._settle()
        except StoreUnavailable as error:
            log.warning("store unavailable", loop="delivery", says=str(error))

    async def _send(self, due: DueSend) -> SendResult:
        started = asyncio.get_running_loop().time()
        result = await self._try(due)
        self._meter.observe("send_seconds", asyncio.get_running_loop().time() - started, channel=self._adapter.name)
        self._meter.count("sends", channel=self._adapter.name, state=result.state.value)
        return result

    async def _try(self, due: DueSend) -> SendResult:
        try:
            answer = await self._adapter.send(due.message)
        except TryLater as later:
            return self._later(due, later)
        except Undeliverable as never:
            return SendResult(due.id, SendState.FAILED, reason=never.reason, blocked=never.blocked)
        except Exception as error:  # an adapter's bug must not stop the others
            return self._failed(due, type(error).__name__, where(error))
        match answer:
            case Sent():
                return SendResult(due.id, SendState.SENT, external_id=answer.id)
            case MaybeSent():
                return SendResult(due.id, SendState.UNKNOWN, reason=answer.reason)
            case _:  # pyright: ignore[reportUnnecessaryComparison] - types do not bind an adapter of anybody's
                return self._failed(due, "no answer", type(self._adapter).__module__)

    def _failed(self, due: DueSend, fault: str, place: str) -> SendResult:
        """A bug of the adapter's: what it sent is not known."""
        log.error("send failed", channel=self._adapter.name, error=fault, where=place)
        reason = f"the adapter failed: {fault}"
        if self._adapter.keyed:
            return self._later(due, TryLater(reason))
        return SendResult(due.id, SendState.UNKNOWN, reason=reason)

    def _later(self, due: DueSend, later: TryLater) -> SendResult:
        tries = due.attempts + 1
        if tries >= MOST_ATTEMPTS and not (self._adapter.keyed and _may_go_on(tries, later)):
            return SendResult(due.id, SendState.FAILED, reason=f"given up after {tries} tries: {later.reason}")
        seconds = later.after if later.after is not None else backoff(due.attempts, self._chance())
        retry_at = self._clock() + timedelta(seconds=seconds)
        return SendResult(due.id, SendState.READY, reason=later.reason, retry_at=retry_at)


def _may_go_on(tries: int, later: TryLater) -> bool:
    """Whether pauses that long, that often, have not yet made up the longest time a send is tried."""
    return later.after is not None and tries * max(1.0, later.after) < LONGEST_TRYING
