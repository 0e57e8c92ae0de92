"""How fast we speak: Telegram answers 429 to who sends more than about 30 messages in a second."""

import asyncio
from collections import deque


class Pace:
    """Lets *most* messages pass in any second; who comes too soon waits."""

    def __init__(self, most: float) -> None:
        self._most = max(1, int(most))
        self._window = max(1.0, 1.0 / most)
        self._passed: deque[float] = deque(maxlen=self._most)
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        """Return when one more message may be sent."""
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if len(self._passed) == self._most and (early := self._passed[0] + self._window - now) > 0:
                await asyncio.sleep(early)
            self._passed.append(asyncio.get_running_loop().time())
