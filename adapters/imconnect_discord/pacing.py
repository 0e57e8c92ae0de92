"""No more requests a second than Discord takes from one bot: those it refuses count towards a ban."""

import asyncio
from collections import deque

AT_ONCE, WITHIN = 2, 0.05
"""40 a second; Discord takes 50 (docs.discord.com/developers/topics/rate-limits#global-rate-limit). In small portions,
because what goes out apart may arrive together: a new connection takes its time, and so does a busy machine."""


class Pacing:
    """Requests in the order they come, at most *most* in any *within* seconds."""

    def __init__(self, most: int = AT_ONCE, within: float = WITHIN) -> None:
        self._most = most
        self._within = within
        self._at: deque[float] = deque()
        self._in_order = asyncio.Lock()

    async def turn(self) -> None:
        """Return when the next request may go out."""
        clock = asyncio.get_running_loop().time
        async with self._in_order:
            while len(self._at) >= self._most:
                await asyncio.sleep(max(0.0, self._at[0] + self._within - clock()))
                while self._at and self._at[0] <= clock() - self._within:
                    self._at.popleft()
            self._at.append(clock())


def is_counted(path: str) -> bool:
    """Whether a request to *path* of the API counts: responses to interactions and their follow-ups do not."""
    return not path.startswith(("/interactions/", "/webhooks/"))
