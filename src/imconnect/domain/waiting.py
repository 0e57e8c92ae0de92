"""The waiting line: who is next, where everybody stands, how long it may take, and when to say so again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from imconnect.domain.playbook import Priority

ENOUGH_GAPS = 3
"""With fewer turns served than this, nobody can say how long it takes."""

LONGEST_GAP = 1_800
"""Seconds; a longer pause between two customers is a night or a lunch, not the pace of the desk."""


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """Somebody in the line. Sorts in the order of service: priority, then arrival, then number."""

    priority: Priority
    since: datetime
    conversation: int


def places(line: Iterable[Waiting]) -> dict[int, int]:
    """Each conversation's place, counted from 1."""
    return {waiting.conversation: place for place, waiting in enumerate(sorted(line), start=1)}


def place_of(waiting: Waiting, line: Iterable[Waiting]) -> int:
    """The place of *waiting* in *line*: one more than the number of those served before."""
    return 1 + sum(other < waiting for other in line)


def serve_first(line: Sequence[Waiting]) -> list[Waiting]:
    """The line once the first has been served."""
    return sorted(line)[1:]


def pace(departures: Sequence[datetime]) -> float | None:
    """Seconds from one customer's turn to the next: the median over recent *departures*, or None while unknown."""
    ordered = sorted(departures)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(ordered)]
    usual = [gap for gap in gaps if gap <= LONGEST_GAP]
    return median(usual) if len(usual) >= ENOUGH_GAPS else None


def expected_wait(place: int, seconds_a_turn: float | None) -> int | None:
    """Seconds until *place* is reached, rounded up as a person would say it; None when nobody can say."""
    if seconds_a_turn is None:
        return None
    seconds = place * seconds_a_turn
    step = 60 if seconds <= 600 else 300 if seconds <= 3_600 else 1_800
    return max(60, step * -(-int(seconds) // step))


def notice_due(told_place: int | None, place: int, told_at: datetime | None, now: datetime, gap: int) -> bool:
    """Whether a change of place matters enough to be told.

    Moving up matters when it makes somebody next, halves what is before them, or is five places; never more than once
    in *gap* seconds, but being next is told at once. Moving down is never announced: it is explained when asked.
    """
    if told_place is None or place >= told_place:
        return False
    if place == 1:
        return True
    if told_at is not None and (now - told_at).total_seconds() < gap:
        return False
    return place <= told_place // 2 or told_place - place >= 5
