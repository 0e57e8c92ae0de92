import math
import random
from dataclasses import replace

import pytest

from imconnect.nlu.calibration import (
    Calibration,
    Logistic,
    Scored,
    Stakes,
    Trial,
    area_under_curve,
    calibrate,
    calibration_error,
    fit,
    sigmoid,
    solve,
)
from imconnect.nlu.matching import PRIOR


def trials(count: int, seed: int = 0) -> list[Trial]:
    """Trials whose top candidate is right with a chance equal to its score."""
    dice = random.Random(seed)
    made: list[Trial] = []
    for _ in range(count):
        score = dice.random()
        right = dice.random() < score
        made.append(Trial(Scored(("a", "b", "c"), (score, score / 2, score / 4)), "a" if right else "b"))
    return made


def test_a_logistic_fit_finds_the_curve_the_outcomes_came_from() -> None:
    dice = random.Random(1)
    inputs = [(dice.uniform(-2, 2), dice.uniform(-2, 2)) for _ in range(4000)]
    outcomes = [dice.random() < sigmoid(0.5 + 2 * a - b) for a, b in inputs]

    found = fit(inputs, outcomes)

    assert found.bias == pytest.approx(0.5, abs=0.15)
    assert found.weights == pytest.approx((2, -1), abs=0.2)


def test_stated_chances_come_true() -> None:
    calibration = calibrate(trials(3000), Stakes(), PRIOR)
    fresh = trials(3000, seed=9)
    chances = [calibration.chances(trial.scored)[0] for trial in fresh]

    assert calibration_error(chances, [trial.topic == "a" for trial in fresh]) < 0.04


def test_chances_fall_and_never_exceed_one_together() -> None:
    calibration = calibrate(trials(500), Stakes(), PRIOR)

    for trial in trials(200, seed=3):
        chances = calibration.chances(trial.scored)

        assert list(chances) == sorted(chances, reverse=True)
        assert sum(chances) <= 1 + 1e-9


def test_answers_above_the_cut_are_as_precise_as_stated() -> None:
    calibration = calibrate(trials(3000), Stakes(), PRIOR)
    given = [t for t in trials(3000, seed=5) if calibration.sureness(t.scored) >= calibration.cut]

    assert len(given) > 100
    assert sum(t.topic == "a" for t in given) / len(given) > 0.87


def test_a_cautious_topic_needs_the_higher_cut() -> None:
    calm = [replace(t, scored=replace(t.scored, topics=("b", "a", "c"))) for t in trials(3000, seed=8)]
    calm = [replace(trial, topic="b" if trial.topic == "a" else "a") for trial in calm]
    calibration = calibrate([*trials(3000), *calm], Stakes(frozenset({"a"})), PRIOR)

    assert 0.7 < calibration.cut < calibration.cautious_cut - 0.03


def test_the_gate_keeps_the_stated_share_of_what_is_in_scope() -> None:
    calibration = calibrate(trials(3000), Stakes(), PRIOR)
    kept = [calibration.in_scope(trial.scored) >= 0.5 for trial in trials(3000, seed=7)]

    assert sum(kept) / len(kept) == pytest.approx(0.95, abs=0.02)


def test_off_topic_trials_teach_the_gate_and_raise_the_cut() -> None:
    strangers = [Trial(Scored(("a", "b"), (0.9, 0.1), stranger=0.8), None) for _ in range(100)]
    taught = calibrate([*trials(1000), *strangers], Stakes(), PRIOR)
    stranger, customer = Scored(("a", "b"), (0.9, 0.1), stranger=0.8), Scored(("a", "b"), (0.9, 0.1))

    assert taught.in_scope(stranger) < 0.5 <= taught.in_scope(customer)


def test_too_few_trials_leave_the_prior_in_place() -> None:
    assert calibrate(trials(5), Stakes(), PRIOR) is PRIOR


def test_nothing_scored_is_out_of_scope() -> None:
    calibration = Calibration((Logistic(0, (0, 0, 0)),), Logistic(0, (1, 0)), 0, 1, False, 0.5, 0.5, 0.5, 0)

    assert calibration.in_scope(Scored((), ())) == 0
    assert calibration.chances(Scored((), ())) == ()


def test_figures_agree_with_their_definitions() -> None:
    assert area_under_curve([3, 2, 2], [1, 2]) == pytest.approx((1 + 1 + 1 + 1 + 0.5 + 0.5 - 0) / 6 - 0)
    assert math.isnan(area_under_curve([], [1]))
    assert calibration_error([0.9, 0.9], [True, False]) == pytest.approx(0.4)
    assert calibration_error([1.0, 0.0], [True, False]) == 0
    assert solve([[0, 2], [1, 1]], [4, 5]) == pytest.approx([3, 2])


def test_a_likely_call_for_help_is_heard_whichever_urgent_topic_it_is() -> None:
    dice = random.Random(4)
    unsure = [
        Trial(Scored(("b", "a", "c"), (0.5, 0.49, 0.1)), "a" if dice.random() < 0.65 else "b") for _ in range(400)
    ]
    calm = [Trial(Scored(("b", "c", "a"), (0.5, 0.4, 0.01)), "b" if dice.random() < 0.8 else "c") for _ in range(400)]
    calibration = calibrate([*unsure, *calm], Stakes(urgent=frozenset({"a"})), PRIOR)

    assert calibration.alarm(unsure[0].scored, frozenset({"a"})) >= calibration.alarm_cut
    assert calibration.alarm(calm[0].scored, frozenset({"a"})) < calibration.alarm_cut


def test_what_is_seldom_a_call_for_help_is_not_heard_as_one_because_others_are() -> None:
    dice = random.Random(4)
    unsure = [
        Trial(Scored(("b", "a", "c"), (0.5, 0.49, 0.1)), "a" if dice.random() < 0.65 else "b") for _ in range(400)
    ]
    seldom = [
        Trial(Scored(("b", "c", "a"), (0.5, 0.45, 0.25)), "a" if dice.random() < 0.05 else dice.choice("bc"))
        for _ in range(100)
    ]
    calibration = calibrate([*unsure, *seldom], Stakes(urgent=frozenset({"a"})), PRIOR)

    assert calibration.alarm(unsure[0].scored, frozenset({"a"})) >= calibration.alarm_cut
    assert calibration.alarm(seldom[0].scored, frozenset({"a"})) < calibration.alarm_cut
