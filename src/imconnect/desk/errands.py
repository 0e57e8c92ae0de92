"""Errands: what the desk does in the world and reports back on."""

from collections.abc import Callable
from datetime import timedelta

import structlog

from imconnect.desk.delivery import backoff
from imconnect.desk.loops import Clock, Stopping, go_round, where
from imconnect.domain.events import ErrandKind
from imconnect.ports import Adapter, DueErrand, Erases, ErrandResult, Meter, Store, TryLater, Undeliverable

AT_ONCE = 20
SWEEP_SECONDS = 2.0
MOST_ATTEMPTS = 6

log = structlog.get_logger("imconnect.desk")


class Errands:
    """Runs the errands of one inbox, oldest first."""

    def __init__(self, store: Store, adapter: Adapter, clock: Clock, meter: Meter, chance: Callable[[], float]) -> None:
        self._store = store
        self._adapter = adapter
        self._clock = clock
        self._meter = meter
        self._chance = chance

    async def run(self, stopping: Stopping) -> None:
        async with self._store.changes("errand") as bell:
            await go_round("errands", self.step, bell, stopping, SWEEP_SECONDS)

    async def step(self) -> int:
        """Run those due now. Returns how many."""
        due = await self._store.claim_errands(self._adapter.name, self._adapter.account, AT_ONCE, self._clock())
        results = [await self._run(errand) for errand in due]
        await self._store.settle_errands(results, self._clock())
        return len(due)

    async def _run(self, due: DueErrand) -> ErrandResult:
        try:
            await self._do(due)
        except TryLater as later:
            if due.attempts + 1 >= MOST_ATTEMPTS:
                return ErrandResult(due.id, done=False, reason=later.reason)
            seconds = later.after if later.after is not None else backoff(due.attempts, self._chance())
            return ErrandResult(due.id, False, later.reason, self._clock() + timedelta(seconds=seconds))
        except Undeliverable as never:
            return ErrandResult(due.id, done=False, reason=never.reason)
        except Exception as error:  # an adapter's bug ends this errand, not the others
            log.error("errand failed", channel=self._adapter.name, error=type(error).__name__, where=where(error))
            return ErrandResult(due.id, done=False, reason=f"the adapter failed: {type(error).__name__}")
        self._meter.count("errands_done", kind=due.errand.value)
        return ErrandResult(due.id, done=True)

    async def _do(self, due: DueErrand) -> None:
        match due.errand:
            case ErrandKind.DELETE_UPSTREAM:
                if not isinstance(self._adapter, Erases):
                    raise Undeliverable("this channel does not let us remove messages")
                await self._adapter.erase(due.address, due.subject)
