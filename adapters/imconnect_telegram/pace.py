"""How fast we speak. Telegram answers 429 to who sends more than about 30 messages in a second, one in a second to a
chat (short bursts aside), or 20 in a minute to a group (core.telegram.org/bots/faq, "My bot is hitting limits")."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

CHATS_REMEMBERED = 5_000
BURST, BURST_SECONDS = 5, 5.0
"""Messages to one private chat in any so many seconds: one a second, with a short burst."""

GROUP, GROUP_SECONDS = 20, 60.0
KEPT_FOR_ANSWERS = 5
"""Of a group's messages in a minute, those that answer somebody; what is only copied waits for the others."""


@dataclass(slots=True)
class _Window:
    """When the last messages passed."""

    passed: deque[float] = field(default_factory=deque[float])
    held_until: float = 0.0

    def early(self, now: float, most: int, seconds: float) -> float:
        """Seconds to wait before one more may pass."""
        while self.passed and self.passed[0] <= now - seconds:
            self.passed.popleft()
        wait = self.passed[len(self.passed) - most] + seconds - now if len(self.passed) >= most else 0.0
        return max(wait, self.held_until - now, 0.0)


class Pace:
    """Lets messages pass no faster than Telegram takes them: overall, to a chat, to a group. Who comes too soon waits;
    nobody waits for another chat."""

    def __init__(self, most: float) -> None:
        self._most = max(1, int(most))
        self._seconds = max(1.0, 1.0 / most)
        self._all = _Window()
        self._chats: OrderedDict[int, _Window] = OrderedDict()

    async def turn(self, chat_id: int, *, copied: bool = False) -> None:
        """Return when one more message may be sent to *chat_id*; *copied*: nobody waits for it."""
        while (early := self._early(chat_id, copied)) > 0:  # noqa: ASYNC110 - time is all that is waited for
            await asyncio.sleep(early)
        now = asyncio.get_running_loop().time()
        self._all.passed.append(now)
        self._window(chat_id).passed.append(now)

    def early(self, chat_id: int, *, copied: bool = False) -> float:
        """Seconds until one more message may be sent to *chat_id*; 0 where it may be now."""
        return self._early(chat_id, copied)

    def hold(self, chat_id: int, seconds: float) -> None:
        """Telegram named a time before which it takes nothing more for *chat_id*; others go on."""
        self._window(chat_id).held_until = asyncio.get_running_loop().time() + seconds

    def _early(self, chat_id: int, copied: bool) -> float:
        now = asyncio.get_running_loop().time()
        if chat_id < 0:
            most, seconds = GROUP - (KEPT_FOR_ANSWERS if copied else 0), GROUP_SECONDS
        else:
            most, seconds = BURST, BURST_SECONDS
        return max(self._all.early(now, self._most, self._seconds), self._window(chat_id).early(now, most, seconds))

    def _window(self, chat_id: int) -> _Window:
        window = self._chats.setdefault(chat_id, _Window())
        self._chats.move_to_end(chat_id)
        if len(self._chats) > CHATS_REMEMBERED:
            self._chats.popitem(last=False)
        return window
