import itertools

import pytest

from imconnect.nlu.evaluate import Labelled, evaluate, turned_away

TRAIN = [
    Labelled(f"{start} {what}{end}", topic)
    for topic, what in (("fees", "the network fee"), ("reset", "my lost password"), ("swap", "a token swap"))
    for start, end in itertools.product(
        ("about", "tell me of", "explain", "help with", "i ask for"), ("", " now", " please")
    )
]


def test_a_report_counts_what_was_asked() -> None:
    ticks = itertools.count(step=0.001)
    test = [Labelled("the network fee?", "fees"), Labelled("swap tokens", "swap"), Labelled("weather in rome", None)]
    report = evaluate(TRAIN, test, clock=lambda: next(ticks))

    assert (report.rows, report.questions, report.out_of_scope) == (45, 3, 1)
    assert report.accuracy == 1
    assert report.out_of_scope_auroc == 1
    assert report.out_of_scope_answered == 0
    assert report.p50_ms == pytest.approx(1)
    assert report.peak_rss_mb > 5


def test_wrong_answers_lower_the_accuracy() -> None:
    report = evaluate(
        TRAIN, [Labelled("Explain the network fee!", "fees"), Labelled("explain my lost password", "swap")]
    )

    assert report.accuracy == 0.5
    assert report.precision == 0.5
    assert report.answered == 1
    assert report.out_of_scope_auroc is None


def test_what_a_gate_turns_away_is_measured_at_ninety_five_percent_kept() -> None:
    inside = [float(number) for number in range(100)]

    assert turned_away(inside, [4.5, 5.5]) == 0.5
