"""What can go wrong between a bot and Discord's API, asked for by route and count."""

from dataclasses import dataclass
from enum import Enum, auto

from tests.worlds.discord.refusals import STATUS_AND_WORDS


class Moment(Enum):
    """When a connection fails: with the request ignored, or with its work already done."""

    BEFORE_THE_EFFECT = auto()
    AFTER_THE_EFFECT = auto()


@dataclass(frozen=True, slots=True)
class Refused:
    """Discord itself says no, in JSON."""

    status: int
    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Limited:
    """429. Without `via` it is Cloudflare's page, not Discord's answer."""

    retry_after: float
    scope: str = "user"
    via: bool = True


@dataclass(frozen=True, slots=True)
class Broken:
    """A proxy's HTML page with an error status; the request went nowhere."""

    status: int


@dataclass(frozen=True, slots=True)
class BrokenAfter:
    """A proxy's HTML page with an error status, although the work was done."""

    status: int


@dataclass(frozen=True, slots=True)
class Hangs:
    """The server never answers."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is dropped without an answer."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Slow:
    """The work is done, and the answer takes its time."""

    seconds: float


Fault = Refused | Limited | Broken | BrokenAfter | Hangs | Cut | Slow


def fits(pattern: str, method: str, path: str) -> bool:
    """Whether *pattern*, such as `POST /channels/*/messages`, means this request; a star is one part of a path.

    The method may be a star as well, and a last part `**` is any rest.
    """
    wanted_method, _, wanted_path = pattern.partition(" ")
    if wanted_method not in ("*", method):
        return False
    wanted, parts = wanted_path.strip("/").split("/"), path.strip("/").split("/")
    if wanted[-1] == "**":
        wanted.pop()
        parts = parts[: len(wanted)]
    return len(wanted) == len(parts) and all(a in ("*", b) for a, b in zip(wanted, parts, strict=True))


@dataclass(slots=True)
class _Ordered:
    pattern: str
    fault: Fault
    times: int


class Faults:
    """The faults asked for; the first that fits a request is used up first."""

    def __init__(self) -> None:
        self._ordered: list[_Ordered] = []

    def order(self, route: str, fault: Fault, times: int = 1) -> None:
        self._ordered.append(_Ordered(route, fault, times))

    def refuse(self, route: str, code: int, times: int = 1) -> None:
        """Answer with Discord's JSON error *code* and the status that belongs to it."""
        status, words = STATUS_AND_WORDS[code]
        self.order(route, Refused(status, code, words), times)

    def limit(self, route: str, retry_after: float, times: int = 1, *, scope: str = "user") -> None:
        """429 with `Via` and *retry_after* seconds; scope `user`, `shared` or `global`."""
        self.order(route, Limited(retry_after, scope), times)

    def shut_out(self, route: str, times: int = 1) -> None:
        """429 from Cloudflare: an HTML page without `Via`."""
        self.order(route, Limited(60.0, via=False), times)

    def fail(self, route: str, status: int, times: int = 1) -> None:
        """502, 503, 504 and the like, with nothing done."""
        self.order(route, Broken(status), times)

    def fail_after(self, route: str, status: int, times: int = 1) -> None:
        """502, 503, 504 and the like, although the work was done."""
        self.order(route, BrokenAfter(status), times)

    def cut(self, route: str, moment: Moment, times: int = 1) -> None:
        self.order(route, Cut(moment), times)

    def hang(self, route: str, moment: Moment, times: int = 1) -> None:
        self.order(route, Hangs(moment), times)

    def slow(self, route: str, seconds: float, times: int = 1) -> None:
        self.order(route, Slow(seconds), times)

    def next_for(self, method: str, path: str) -> Fault | None:
        """The fault this request meets, if any."""
        for ordered in self._ordered:
            if ordered.times > 0 and fits(ordered.pattern, method, path):
                ordered.times -= 1
                return ordered.fault
        return None

    def clear(self) -> None:
        """From now on nothing goes wrong any more."""
        self._ordered.clear()
