"""What is asked of the desk itself, on any channel and at any stage."""

from dataclasses import replace

import pytest

from imconnect.domain.actions import Decision, Say
from imconnect.domain.conversations import PlaceInLine, Stage
from imconnect.domain.events import Event
from imconnect.domain.messages import Language
from imconnect.domain.readings import Reading
from imconnect.domain.responder import decide
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message


def said(decision: Decision) -> list[str]:
    return [action.source for action in decision.actions if isinstance(action, Say)]


def test_the_status_is_told_wherever_a_case_stands() -> None:
    collecting = conversation(Stage.COLLECTING, "tx-not-received", asked_for=["transaction_hash"])
    waiting = conversation(Stage.WAITING, line=PlaceInLine(2, 5, 300))
    stages = [conversation(), collecting, waiting, conversation(Stage.WITH_AGENT), conversation(Stage.RESOLVED)]

    told = [said(decide(one, message("/status"), PLAYBOOK, NOON)) for one in stages]

    assert told == [["not-in-line"], ["status-collecting"], ["place"], ["status-with-agent"], ["not-in-line"]]


def test_the_status_of_a_case_that_lacks_something_names_what() -> None:
    collecting = conversation(Stage.COLLECTING, "tx-not-received", asked_for=["transaction_hash"])

    (say,) = decide(collecting, message("/status"), PLAYBOOK, NOON).actions

    assert isinstance(say, Say)
    title = PLAYBOOK.details["transaction_hash"].titles[Language.ENGLISH]
    assert title in say.text


@pytest.mark.parametrize("stage", [Stage.WITH_AGENT, Stage.RESOLVED, Stage.COLLECTING])
def test_a_command_changes_nothing_of_the_case(stage: Stage) -> None:
    before = conversation(stage, "tx-not-received", asked_for=["chain"] if stage is Stage.COLLECTING else ())

    for command in ("/status", "/help", "/verify"):
        after = decide(before, message(command), PLAYBOOK, NOON).conversation

        assert replace(after, offered=()) == before


def test_a_button_and_the_words_typed_for_it_do_the_same() -> None:
    for command, key in (("/status", "status"), ("/help", "help"), ("/verify", "verify"), ("/human", "t:human")):
        typed = decide(conversation(), message(command), PLAYBOOK, NOON)
        pressed = decide(conversation(), message("", choice=key), PLAYBOOK, NOON)

        assert (typed.outcome, said(typed)) == (pressed.outcome, said(pressed))


def test_the_language_is_asked_for_or_set_at_once() -> None:
    asked = decide(conversation(), message("/language"), PLAYBOOK, NOON)
    chosen = decide(conversation(Stage.WITH_AGENT), message("", choice="l:zh"), PLAYBOOK, NOON)
    named = decide(conversation(), message("/language zh"), PLAYBOOK, NOON)

    assert (said(asked), asked.conversation.offered) == (["choose-language"], ("l:zh", "l:en"))
    for decision in (chosen, named):
        assert decision.conversation.language_fixed
        assert decision.conversation.language is Language.CHINESE


def test_a_person_is_not_called_twice_for_somebody_who_has_one() -> None:
    decision = decide(conversation(Stage.WITH_AGENT), message("/human"), PLAYBOOK, NOON)

    assert said(decision) == ["with-agent-already"]


def about(name: str, *, vouched: bool | None) -> Event:
    return replace(message(name, choice="verify"), reading=Reading(vouched=vouched))


def test_who_claims_to_be_of_ours_is_checked() -> None:
    """S-19: is this agent real?"""
    told = {
        word: said(decide(conversation(), about("Mei", vouched=word), PLAYBOOK, NOON)) for word in (True, False, None)
    }

    assert told == {True: ["verify-yes"], False: ["verify-no"], None: ["verify"]}


def test_whoever_asks_is_told_who_has_their_own_case() -> None:
    """S-19: the official channel names the open case and its agent."""
    (say,) = decide(conversation(Stage.WITH_AGENT, agent="Mei"), message("/verify"), PLAYBOOK, NOON).actions

    assert isinstance(say, Say)
    assert "TW-1001 Mei" in say.text


def test_an_answer_names_the_message_it_answers() -> None:
    (say,) = decide(conversation(), message(topic="fees"), PLAYBOOK, NOON).actions

    assert isinstance(say, Say)
    assert say.reply_to == "m1"


def test_the_newest_word_on_the_place_stands_in_for_the_one_before() -> None:
    waiting = conversation(Stage.WAITING, line=PlaceInLine(2, 5, 300))

    (say, *_) = decide(waiting, message("/status"), PLAYBOOK, NOON).actions

    assert isinstance(say, Say)
    assert say.slot == "place"


def test_who_asks_for_a_person_while_details_are_missing_gets_one_however_they_ask() -> None:
    collecting = conversation(Stage.COLLECTING, "stolen-funds", asked_for=["transaction_hash"])

    asked = [message("/human"), message("", choice="t:human"), message("a person please", topic="human")]
    stages = [decide(collecting, one, PLAYBOOK, NOON).conversation.stage for one in asked]

    assert stages == [Stage.WAITING] * 3
