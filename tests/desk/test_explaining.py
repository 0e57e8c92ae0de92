"""Explaining: what the desk would make of a message, by the code that answers customers."""

import pytest

from imconnect.desk.explaining import Explainer
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Purpose
from imconnect.guard import Guard
from imconnect.testing.makers import NOON, PLAYBOOK, reader

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard()


@pytest.fixture
def explainer(guard: Guard) -> Explainer:
    return Explainer(PLAYBOOK, guard, reader())


def test_a_question_is_answered_from_the_pack(explainer: Explainer) -> None:
    explained = explainer.explain("c1", "web", "fees", NOON)

    assert explained.answer == "fees"
    assert explained.reply == "[answer fees]"
    assert explained.conversation.stage is Stage.SELF_SERVICE


def test_messages_of_one_conversation_share_their_state_and_others_do_not(explainer: Explainer) -> None:
    explainer.explain("c1", "web", "human", NOON)
    same = explainer.explain("c1", "web", "queue status", NOON)
    other = explainer.explain("c2", "web", "queue status", NOON)

    assert same.outcomes == ("told: place",)
    assert other.outcomes == ("not in line",)


def test_whoever_comes_second_is_second_in_line(explainer: Explainer) -> None:
    first = explainer.explain("c1", "web", "human", NOON)
    second = explainer.explain("c2", "web", "human", NOON)

    assert [one.reply.split()[2] for one in (first, second)] == ["1", "2"]


def test_a_phrase_is_withheld_and_warned_of(explainer: Explainer) -> None:
    explained = explainer.explain("c1", "web", PHRASE, NOON)

    assert explained.text == "[recovery_phrase removed]"
    assert explained.said[0].purpose is Purpose.WARNING
    assert not any(word in explained.reply.split() for word in PHRASE.split())


def test_earlier_messages_that_turn_out_to_be_parts_of_a_phrase_are_counted(explainer: Explainer) -> None:
    words = PHRASE.split()
    explained = [explainer.explain("c1", "web", " ".join(words[at : at + 3]), NOON) for at in range(0, 12, 3)]

    assert max(one.secret_earlier for one in explained) > 0
