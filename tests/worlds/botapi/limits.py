"""Telegram's flood limits (core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this)."""

import math
from collections import deque
from dataclasses import dataclass

from tests.worlds.botapi.chats import Chat
from tests.worlds.botapi.refusals import too_many_requests


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a bot may send; None switches a limit off."""

    group_a_minute: int | None = 20
    chat_a_second: int | None = None
    all_a_second: int | None = 30

    @classmethod
    def none(cls) -> "Limits":
        """No limit at all, for tests of throughput."""
        return cls(group_a_minute=None, chat_a_second=None, all_a_second=None)


class Meter:
    """Counts what was sent in sliding windows and refuses what is too much."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._sent: dict[str, deque[float]] = {}

    def count(self, chat: Chat, now: float, messages: int = 1) -> None:
        """Count *messages* more to *chat*, or refuse with the seconds to wait."""
        windows = [("all", 1.0, self.limits.all_a_second), (f"chat {chat.id}", 1.0, self.limits.chat_a_second)]
        if chat.is_group:
            windows.append((f"group {chat.id}", 60.0, self.limits.group_a_minute))
        counted: list[deque[float]] = []
        for name, seconds, limit in windows:
            if limit is None:
                continue
            sent = self._sent.setdefault(name, deque())
            while sent and sent[0] <= now - seconds:
                sent.popleft()
            if len(sent) + messages > limit:
                raise too_many_requests(max(1, math.ceil(sent[0] + seconds - now)) if sent else math.ceil(seconds))
            counted.append(sent)
        for sent in counted:
            sent.extend([now] * messages)
