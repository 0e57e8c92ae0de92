"""What can go wrong between a bot and Telegram, asked for by method and count."""

from dataclasses import dataclass
from enum import Enum, auto


class Moment(Enum):
    """When a connection fails: with the request ignored, or with its work already done."""

    BEFORE_THE_EFFECT = auto()
    AFTER_THE_EFFECT = auto()


@dataclass(frozen=True, slots=True)
class Refused:
    """The server answers with an error status. A 5xx answer is a proxy's HTML page, as Telegram's is."""

    status: int
    description: str | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Hangs:
    """The server never answers."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is dropped without an answer."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Garbled:
    """The server does its work and answers 200 with something that is not JSON."""


Fault = Refused | Hangs | Cut | Garbled


@dataclass(slots=True)
class Ordered:
    """A fault that was asked for, and how often it is still to happen."""

    fault: Fault
    times: int
    chat_id: int | None = None


class FaultQueue:
    """The faults asked for, by method; the first that fits is used up first."""

    def __init__(self) -> None:
        self._ordered: dict[str, list[Ordered]] = {}

    def order(self, method: str, fault: Fault, *, times: int, chat_id: int | None = None) -> None:
        self._ordered.setdefault(method.lower(), []).append(Ordered(fault, times, chat_id))

    def next_for(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault this call meets, if any. *method* is lower case."""
        for ordered in self._ordered.get(method, []):
            if ordered.times > 0 and ordered.chat_id in (None, chat_id):
                ordered.times -= 1
                return ordered.fault
        return None

    def clear(self) -> None:
        """From now on nothing goes wrong any more."""
        self._ordered.clear()
