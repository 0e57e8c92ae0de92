"""Errands: what the desk does in the world and reports back on."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from imconnect.desk.delivery import backoff
from imconnect.desk.files import Files, Inspect
from imconnect.desk.loops import Clock, Stopping, go_round, where
from imconnect.desk.opinions import Opinions
from imconnect.domain.events import ErrandKind
from imconnect.ports import (
    Adapter,
    DueErrand,
    Erases,
    ErrandResult,
    Fetches,
    FileResult,
    FileState,
    Meter,
    Store,
    StoreUnavailable,
    TryLater,
    Undeliverable,
)

AT_ONCE = 50
"""Errands under way at a time: a large file must not keep a leaked phrase on the channel."""

SWEEP_SECONDS = 2.0
LAST_WORDS_SECONDS = 5.0
MOST_ATTEMPTS = 6

MOST_FETCHES = 12
"""Tries to fetch files: with the pauses between them about an hour."""

log = structlog.get_logger("imconnect.desk")


class Errands:
    """Runs the errands of one inbox, the oldest first, many side by side.

    *inspect* is the guard's word on files; *opinions* are had from a second reader, where there is one.
    """

    def __init__(
        self,
        store: Store,
        adapter: Adapter,
        clock: Clock,
        meter: Meter,
        chance: Callable[[], float],
        inspect: Inspect | None = None,
        opinions: Opinions | None = None,
    ) -> None:
        self._store = store
        self._adapter = adapter
        self._clock = clock
        self._meter = meter
        self._chance = chance
        self._opinions = opinions
        self._files: Files | None = None
        if isinstance(adapter, Fetches) and inspect is not None:
            self._files = Files(store, adapter, inspect, clock)
        self._under_way: dict[int, asyncio.Task[None]] = {}

    async def run(self, stopping: Stopping) -> None:
        """Run errands until asked to stop; what is cut off then is due again at the next start."""
        async with self._store.changes("errand") as bell:
            await go_round("errands", self._begin, bell, stopping, SWEEP_SECONDS)
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=LAST_WORDS_SECONDS)
        late = list(self._under_way.values())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def step(self) -> int:
        """Run those due now to their end. Returns how many."""
        begun = await self._begin()
        await asyncio.gather(*self._under_way.values())
        return begun

    async def _begin(self) -> int:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        found = await self._store.claim_errands(self._adapter.name, self._adapter.account, room, self._clock())
        # A claim runs out after a while: what is still under way may then be claimed a second time.
        due = [errand for errand in found if errand.id not in self._under_way]
        for errand in due:
            self._under_way[errand.id] = asyncio.create_task(self._see_to(errand))
        return len(due)

    async def _see_to(self, due: DueErrand) -> None:
        try:
            await self._store.settle_errands([await self._run(due)], self._clock())
        except StoreUnavailable as error:  # it is due again once its claim has run out
            log.warning("store unavailable", loop="errands", says=str(error))
        finally:
            del self._under_way[due.id]

    async def _run(self, due: DueErrand) -> ErrandResult:
        try:
            result = await self._do(due)
        except TryLater as later:
            return await self._later(due, later)
        except Undeliverable as never:
            return await self._ended(due, never.reason)
        except StoreUnavailable:
            raise
        except Exception as error:  # an adapter's bug ends this errand, not the others
            log.error("errand failed", channel=self._adapter.name, error=type(error).__name__, where=where(error))
            return await self._ended(due, f"the adapter failed: {type(error).__name__}")
        self._meter.count("errands_done", kind=due.errand.value)
        return result

    async def _later(self, due: DueErrand, later: TryLater) -> ErrandResult:
        most = MOST_FETCHES if due.errand is ErrandKind.FETCH_FILES else MOST_ATTEMPTS
        if due.attempts + 1 >= most:
            return await self._ended(due, later.reason)
        seconds = later.after if later.after is not None else backoff(due.attempts, self._chance())
        return ErrandResult(due.id, False, later.reason, self._clock() + timedelta(seconds=seconds))

    async def _ended(self, due: DueErrand, reason: str) -> ErrandResult:
        """Nothing more will come of it: what has not been brought by now never will be."""
        left = [file for file in due.files if file.state is FileState.NAMED]
        if left:
            await self._store.keep_files([FileResult(file.id, FileState.LOST) for file in left], self._clock())
        return ErrandResult(due.id, done=False, reason=reason)

    async def _do(self, due: DueErrand) -> ErrandResult:
        match due.errand:
            case ErrandKind.DELETE_UPSTREAM:
                if not isinstance(self._adapter, Erases):
                    raise Undeliverable("this channel does not let us remove messages")
                await self._adapter.erase(due.address, due.subject)
                return ErrandResult(due.id, done=True)
            case ErrandKind.FETCH_FILES:
                if self._files is None:
                    raise Undeliverable("this channel does not let us fetch files")
                lost, secret = await self._files.fetch(due)
                reason = f"{lost} of {len(due.files)} files are lost" if lost else ""
                return ErrandResult(due.id, done=not lost, reason=reason, secret=secret)
            case ErrandKind.SECOND_OPINION:
                return await self._ask(due)

    async def _ask(self, due: DueErrand) -> ErrandResult:
        """Asked once: whoever waits for the answer is a customer."""
        if self._opinions is None:
            raise Undeliverable("this process has no second reader")
        if due.doubted is None:
            raise Undeliverable("no longer wanted")
        opinion = await self._opinions.on(due.doubted)
        reason = f"{opinion.outcome.value}: {opinion.why}" if opinion.why else opinion.outcome.value
        return ErrandResult(due.id, done=opinion.topic is not None, reason=reason, topic=opinion.topic)
