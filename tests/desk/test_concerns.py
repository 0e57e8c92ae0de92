"""Clauses read one by one, corrections read for what they mean, refusals for what they name."""

from collections.abc import Callable

import pytest

from imconnect.desk.understanding import answered, understanding
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Language
from imconnect.domain.readings import Reading
from imconnect.nlu.details import spot
from imconnect.testing.makers import NOON, PLAYBOOK, conversation

WORDS = {
    "stolen-funds": ("gone", "转走"),
    "password-reset": ("password", "密码"),
    "fees": ("fee", "手续费"),
    "human": ("person",),
    "tx-not-received": ("arrived", "tron", "以太坊"),
}


def by_word(text: str) -> Reading:
    """A topic by its word; the first named where there are several; of nothing for sure where there are three."""
    said = text.lower()
    found = sorted(
        (min(said.find(word) for word in words if word in said), slug)
        for slug, words in WORDS.items()
        if any(word in said for word in words)
    )
    spoken = None if text in ("TRON", "ETH") else Language.ENGLISH
    return Reading(spoken, details=spot(text), topic=found[0][1] if 0 < len(found) < 3 else None)


@pytest.fixture
def read() -> Callable[[str], Reading]:
    return understanding(by_word, PLAYBOOK)


@pytest.mark.parametrize(
    ("text", "topic", "others"),
    [
        ("how do I reset my password and my USDT is gone", "stolen-funds", ("password-reset",)),
        ("怎么改密码，还有我的币被转走了", "stolen-funds", ("password-reset",)),
        ("what is the network fee? I forgot my password too", "password-reset", ("fees",)),
        ("I forgot my password. I would like a person", "human", ("password-reset",)),
        ("my money has not arrived. what is the network fee?", "tx-not-received", ()),  # a guide, shown in line anyway
        ("my password does not work. I tried everything twice", "password-reset", ()),
        ("the password fee person is nice", None, ()),
    ],
)
def test_the_most_urgent_concern_is_served_and_no_other_lost(
    read: Callable[[str], Reading], text: str, topic: str | None, others: tuple[str, ...]
) -> None:
    reading = read(text)

    assert (reading.topic, reading.others) == (topic, others)


def test_a_correction_is_read_for_what_it_means(read: Callable[[str], Reading]) -> None:
    reading = read("no, I mean the fee, not the password")

    assert (reading.corrects, reading.topic) == (True, "fees")


def test_a_correction_of_a_value_is_about_nothing_else(read: Callable[[str], Reading]) -> None:
    reading = answered(
        read("I meant TRON not ETH"), "I meant TRON not ETH", conversation(Stage.COLLECTING), NOON, PLAYBOOK
    )

    assert (reading.corrects, reading.topic) == (True, None)
    assert [one.value for one in reading.details if one.name in ("chain", "token")] == ["tron"]


def test_a_refusal_names_details_as_the_pack_does(read: Callable[[str], Reading]) -> None:
    assert read("I don't have the transaction hash").declined == ("transaction_hash",)
    assert read("still not working").unhelped


def test_a_short_value_in_words_is_one_too(read: Callable[[str], Reading]) -> None:
    assert read("不是，我说的是以太坊").topic is None
    assert read("不是，我说的是以太坊那笔转账").topic == "tx-not-received"
