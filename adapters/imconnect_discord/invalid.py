"""Requests Discord refuses are counted: who makes too many is shut out, with everybody at the same address."""

from collections import deque

MOST, SECONDS = 1_000, 600.0
"""How many we allow ourselves in so many seconds. Discord bans at 10,000
(docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans)."""


class InvalidRequests:
    """The refusals of the last ten minutes; moments are in seconds of any clock that only goes forward."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._at: deque[float] = deque()

    def note(self, status: int, scope: str | None, now: float) -> None:
        """A request was answered: with 401, 403, or a 429 that is ours alone (scope not `shared`), it counts."""
        if status in (401, 403) or (status == 429 and scope != "shared"):
            self._at.append(now)

    def wait(self, now: float) -> float:
        """Seconds until the next request may go out; 0 where it may now."""
        while self._at and self._at[0] <= now - SECONDS:
            self._at.popleft()
        return self._at[0] + SECONDS - now if len(self._at) >= self._most else 0.0
