"""Bells: who waits for something is woken when it changes, in this process or another."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress

EVERYTHING = "*"


class Bell:
    """A bell to wait at. Rings that came while nobody waited are remembered, as one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
                self._rung.clear()
                return True
        return False


class Belfry:
    """The bells of one process, by topic."""

    def __init__(self) -> None:
        self._bells: defaultdict[str, set[Bell]] = defaultdict(set)

    def ring(self, topics: Iterable[str]) -> None:
        for topic in topics:
            if topic == EVERYTHING:
                for bells in self._bells.values():
                    for bell in bells:
                        bell.ring()
            else:
                for bell in self._bells.get(topic, ()):
                    bell.ring()

    @asynccontextmanager
    async def bell(self, topic: str) -> AsyncGenerator[Bell]:
        bell = Bell()
        self._bells[topic].add(bell)
        try:
            yield bell
        finally:
            self._bells[topic].discard(bell)
            if not self._bells[topic]:
                del self._bells[topic]
