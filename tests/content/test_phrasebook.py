"""Breadth of real phrasings is what the matcher lives on: these are the amounts it was measured with."""

from collections import Counter

import pytest

from imconnect.content import Phrasing, bundled_pack, phrasings
from imconnect.domain.messages import Language, Script
from imconnect.nlu.language import script_of

TRADITIONAL = 25
MIXED = 20
VOICES = 8
STRANGE = 400


@pytest.fixture(scope="module")
def book() -> tuple[Phrasing, ...]:
    return phrasings(bundled_pack())


def test_every_topic_is_known_by_enough_phrasings_in_each_language(book: tuple[Phrasing, ...]) -> None:
    count = Counter((one.topic, one.language) for one in book if one.topic)
    wanted = [(topic, language) for topic in topics(book) for language in Language]

    assert {one: count[one] for one in wanted if count[one] < least(one[1])} == {}


def test_every_chinese_topic_is_known_in_traditional_characters(book: tuple[Phrasing, ...]) -> None:
    count = Counter(one.topic for one in book if one.topic and script_of(one.text) is Script.TRADITIONAL)

    assert {topic: count[topic] for topic in topics(book) if count[topic] < TRADITIONAL} == {}


def test_every_topic_is_known_by_mixed_phrasings(book: tuple[Phrasing, ...]) -> None:
    count = Counter(one.topic for one in book if one.topic and one.voice == "mixed")

    assert {topic: count[topic] for topic in topics(book) if count[topic] < MIXED} == {}


def test_at_least_eight_voices_speak_of_every_topic(book: tuple[Phrasing, ...]) -> None:
    voices: dict[str, set[str]] = {}
    for one in book:
        if one.topic:
            voices.setdefault(one.topic, set()).add(one.voice)

    assert {topic: names for topic, names in voices.items() if "" in names or len(names) < VOICES} == {}


def test_what_is_not_ours_is_known_by_four_hundred_messages(book: tuple[Phrasing, ...]) -> None:
    assert sum(one.topic is None for one in book) >= STRANGE


def topics(book: tuple[Phrasing, ...]) -> list[str]:
    return sorted({one.topic for one in book if one.topic})


def least(language: Language) -> int:
    return 110 if language is Language.CHINESE else 50
