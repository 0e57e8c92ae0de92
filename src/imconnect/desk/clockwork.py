"""The clockwork: timers that fall due, and the watch over the waiting line."""

from imconnect.desk.loops import Clock, Stopping, go_round
from imconnect.domain.playbook import Playbook
from imconnect.ports import Store

TICK_SECONDS = 1.0
TIMERS_A_TICK = 500


class Clockwork:
    """Turns the passing of time into events. Several may run: each timer and each notice still happens once."""

    def __init__(self, store: Store, playbook: Playbook, clock: Clock) -> None:
        self._store = store
        self._playbook = playbook
        self._clock = clock

    async def run(self, stopping: Stopping) -> None:
        async with self._store.changes("tick") as bell:  # nobody rings it: this loop keeps its own time
            await go_round("clockwork", self.step, bell, stopping, TICK_SECONDS)

    async def step(self) -> int:
        """One tick. Returns how many timers fell, so that a backlog is worked off without waiting."""
        now = self._clock()
        fired = await self._store.fire_timers(TIMERS_A_TICK, now)
        await self._store.watch_line(self._playbook.pace, now, self._playbook.paces)
        return fired
