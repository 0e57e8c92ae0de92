"""How much Discord takes: rate-limit buckets, the global limit, invalid requests, and the sizes of things."""

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many requests in so many seconds."""

    requests: int
    seconds: float


# Discord documents none of these figures and tells clients to follow its headers (docs: topics/rate-limits). The shape
# is the real one, per route and top-level resource; the figures are what clients commonly report for these routes.
COMMON_BUCKETS: Mapping[str, Bucket] = MappingProxyType(
    {
        "POST /channels/*/messages": Bucket(5, 5.0),
        "PATCH /channels/*/messages/*": Bucket(5, 5.0),
        "DELETE /channels/*/messages/*": Bucket(5, 1.0),
        "POST /webhooks/*/*": Bucket(5, 2.0),
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Discord's own limits; seconds and bytes. Make a figure smaller to meet it in a test."""

    buckets: Mapping[str, Bucket] = field(default_factory=lambda: COMMON_BUCKETS)
    requests_a_second: int = 50  # docs: topics/rate-limits#global-rate-limit
    invalid_requests: int = 10_000  # docs: topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
    invalid_window: float = 600.0
    nonce_window: float = 300.0  # docs say "the past few minutes"
    active_threads: int = 1_000
    thread_members: int = 1_000
    guild_channels: int = 500
    upload: int = 10 * 1024 * 1024
    link_lifetime: float = 24 * 3600.0  # signed attachment links; docs: reference#signed-attachment-cdn-urls
    heartbeat_interval: float = 41.25
    gateway_events_a_minute: int = 120  # docs: events/gateway#rate-limiting

    @classmethod
    def none(cls) -> "Limits":
        """Send as much as you like."""
        return cls(buckets={}, requests_a_second=1_000_000)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands: its bucket's headers, and how long to wait if it may not pass."""

    headers: dict[str, str]
    wait: float = 0.0
    scope: str = "user"

    @property
    def passes(self) -> bool:
        return self.wait == 0.0


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


class Meter:
    """Counts requests as Discord does."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._windows: dict[tuple[str, str], _Window] = {}
        self._last_second: deque[float] = deque()
        self._invalid: deque[float] = deque()

    def take(self, route: str | None, resource: str, now: float, *, counts_globally: bool) -> Standing:
        """Let a request through or make it wait. *route* names a bucket, *resource* its top-level resource."""
        if counts_globally:
            while self._last_second and self._last_second[0] <= now - 1.0:
                self._last_second.popleft()
            if len(self._last_second) >= self.limits.requests_a_second:
                return Standing({}, self._last_second[0] + 1.0 - now, "global")
            self._last_second.append(now)
        if route is None:
            return Standing({})
        bucket = self.limits.buckets[route]
        window = self._windows.get((route, resource))
        if window is None or window.ends <= now:
            window = self._windows[route, resource] = _Window(now + bucket.seconds)
        passes = window.used < bucket.requests
        window.used += passes
        left = window.ends - now
        headers = {
            "X-RateLimit-Limit": str(bucket.requests),
            "X-RateLimit-Remaining": str(bucket.requests - window.used),
            "X-RateLimit-Reset": f"{window.ends:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": hashlib.md5(route.encode(), usedforsecurity=False).hexdigest(),
        }
        return Standing(headers, 0.0 if passes else left)

    def note_invalid(self, now: float) -> None:
        """A 401, a 403, or a 429 that is not of the shared scope."""
        self._invalid.append(now)

    def invalid(self, now: float) -> int:
        """How many invalid requests came within the window."""
        while self._invalid and self._invalid[0] <= now - self.limits.invalid_window:
            self._invalid.popleft()
        return len(self._invalid)

    def banned(self, now: float) -> bool:
        """Whether the address is shut out for its invalid requests."""
        return self.invalid(now) >= self.limits.invalid_requests
