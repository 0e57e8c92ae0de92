"""The line: a permutation, served from the front, and told of only where it matters."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.domain.playbook import Priority
from imconnect.domain.waiting import (
    LONGEST_GAP,
    Waiting,
    expected_wait,
    notice_due,
    pace,
    place_of,
    places,
    serve_first,
)
from imconnect.testing.makers import NOON

GAP = 30


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


lines = st.lists(
    st.builds(
        Waiting,
        st.sampled_from(Priority),
        st.integers(0, 1_000).map(later),
        st.integers(1, 100_000),
    ),
    max_size=40,
    unique_by=lambda waiting: waiting.conversation,
)


@given(lines)
def test_places_are_one_to_the_length_of_the_line(line: list[Waiting]) -> None:
    assert sorted(places(line).values()) == list(range(1, len(line) + 1))


@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_service_depends_on_nothing_else(line: list[Waiting], chance: Random) -> None:
    shuffled = list(line)
    chance.shuffle(shuffled)

    assert places(shuffled) == places(line)


@given(lines)
def test_both_ways_to_count_a_place_agree(line: list[Waiting]) -> None:
    assert {waiting.conversation: place_of(waiting, line) for waiting in line} == places(line)


@given(lines.filter(bool))
def test_serving_the_first_moves_everyone_up_by_one(line: list[Waiting]) -> None:
    before, served = places(line), places(serve_first(line))

    assert served == {who: place - 1 for who, place in before.items() if place > 1}


@given(lines, st.integers(1, 100_000), st.integers(0, 1_000))
def test_the_urgent_go_before_all_others_and_the_early_before_the_late(
    line: list[Waiting], number: int, since: int
) -> None:
    line = [waiting for waiting in line if waiting.conversation != number]
    newcomer = Waiting(Priority.URGENT, later(since), number)
    ahead = [
        waiting for waiting in line if place_of(waiting, [*line, newcomer]) < place_of(newcomer, [*line, newcomer])
    ]

    assert all(waiting.priority is Priority.URGENT and waiting.since <= newcomer.since for waiting in ahead)


# ------------------------------------------------------------------------------------------------------ expected wait


@pytest.mark.parametrize(
    ("place", "a_turn", "seconds"),
    [
        (1, None, None),
        (1, 1.0, 60),
        (1, 61.0, 120),
        (10, 60.0, 600),
        (11, 60.0, 900),
        (60, 60.0, 3_600),
        (61, 60.0, 5_400),
    ],
)
def test_a_wait_is_rounded_up_as_a_person_would(place: int, a_turn: float | None, seconds: int | None) -> None:
    assert expected_wait(place, a_turn) == seconds


@given(st.integers(1, 500), st.floats(0.1, 3_600))
def test_a_wait_never_promises_too_little(place: int, a_turn: float) -> None:
    wait = expected_wait(place, a_turn)

    assert wait is not None
    assert wait >= int(place * a_turn)
    assert (expected_wait(place + 1, a_turn) or 0) >= wait


@pytest.mark.parametrize(
    ("gaps", "seconds"),
    [
        ([], None),
        ([60, 60], None),
        ([60, 60, 60], 60.0),
        ([10, 60, 200], 60.0),
        ([60, 60, LONGEST_GAP + 1], None),
        ([60, LONGEST_GAP + 1, 60, 90], 60.0),
    ],
)
def test_the_pace_is_the_median_of_enough_gaps_without_the_nights(gaps: Sequence[int], seconds: float | None) -> None:
    departures = [NOON]
    for gap in gaps:
        departures.append(departures[-1] + timedelta(seconds=gap))

    assert pace(departures) == seconds
    assert pace(departures[::-1]) == seconds


# ------------------------------------------------------------------------------------------------------------ notices


@pytest.mark.parametrize(
    ("told", "place", "ago", "due"),
    [
        (None, 3, 999, False),
        (3, 3, 999, False),
        (3, 4, 999, False),
        (2, 1, 0, True),
        (9, 1, 0, True),
        (4, 2, 30, True),
        (4, 2, 29, False),
        (5, 3, 30, False),
        (20, 15, 30, True),
        (20, 16, 30, False),
    ],
)
def test_a_change_is_told_when_it_matters(told: int | None, place: int, ago: int, due: bool) -> None:
    assert notice_due(told, place, NOON, later(ago), GAP) is due


@given(st.integers(1, 200), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), max_size=200))
def test_somebody_who_only_moves_up_hears_few_notices(first: int, steps: list[tuple[int, int]]) -> None:
    """One for every five people up to the tenth place, three from there, none within the gap but "next"."""
    told, told_at, place, now, notices = first, NOON, first, NOON, list[tuple[int, datetime]]()
    for served, seconds in steps:
        place, now = max(1, place - served), now + timedelta(seconds=seconds)
        if notice_due(told, place, told_at, now, GAP):
            notices.append((place, now))
            told, told_at = place, now

    assert len(notices) <= max(0, -(-(first - 10) // 5)) + 3
    assert all(later_place < earlier_place for (earlier_place, _), (later_place, _) in pairwise(notices))
    pauses = [(after - before).total_seconds() for (_, before), (place, after) in pairwise(notices) if place > 1]
    assert all(pause >= GAP for pause in pauses)
    assert sum(place == 1 for place, _ in notices) <= 1
