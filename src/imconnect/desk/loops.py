"""How every loop of the desk goes round: do what there is, wait to be woken, end when asked, survive a lost store."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from imconnect.ports import Changes, StoreUnavailable

Clock = Callable[[], datetime]

log = structlog.get_logger("imconnect.desk")

LONGEST_PAUSE = 5.0
"""Seconds between attempts while the store cannot be reached."""


@dataclass(slots=True)
class Stopping:
    """Asked once to stop; every loop finishes the step it is in."""

    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def until(self) -> None:
        """Return once it was asked."""
        await self._asked.wait()

    async def within(self, seconds: float) -> bool:
        """Whether it was asked before *seconds* were over."""
        try:
            await asyncio.wait_for(self._asked.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def woken(self, bell: Changes, seconds: float) -> None:
        """Return when *bell* rings, when asked to stop, or after *seconds*."""
        waits: list[asyncio.Future[bool]] = [
            asyncio.ensure_future(bell.wait(seconds)),
            asyncio.ensure_future(self.within(seconds)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


async def go_round(
    name: str, step: Callable[[], Awaitable[int]], bell: Changes, stopping: Stopping, idle_seconds: float
) -> None:
    """Repeat *step* while it finds work; else wait for *bell*, at most *idle_seconds* (a slow sweep: a lost ring is
    harmless). A store that cannot serve is asked again, ever more slowly; nothing is lost by waiting."""
    failures = 0
    while not stopping.asked:
        try:
            found = await step()
            failures = 0
        except StoreUnavailable as error:
            failures += 1
            log.warning("store unavailable", loop=name, says=str(error))
            await stopping.within(min(LONGEST_PAUSE, 0.1 * 2**failures))
            continue
        except Exception as error:  # a loop that dies is worse than a step that failed
            failures += 1
            log.error("step failed", loop=name, error=type(error).__name__, where=where(error))
            await stopping.within(min(LONGEST_PAUSE, 0.1 * 2**failures))
            continue
        if not found:
            await stopping.woken(bell, idle_seconds)


def where(error: BaseException) -> str:
    """The place an error came from, without its words: those may be a customer's."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
