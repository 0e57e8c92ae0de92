"""Which questions are collected: each story is played through `decide()`, so that what is read is what it says."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from imconnect.domain.events import AgentResolved, AgentSentSnippet, AgentTook, Event, MessageReceived
from imconnect.domain.questions import Asked, Happened, NamedBy, QuestionKind, questions_in
from imconnect.domain.responder import decide
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message

UNANSWERED, CORRECTED = QuestionKind.UNANSWERED, QuestionKind.CORRECTED
ODD = "where did the thingy go"


def asked(*events: Event) -> list[Asked]:
    """What is collected of a conversation in which *events* happened."""
    state, record = conversation(), list[Happened]()
    for number, event in enumerate(events, 1):
        decision = decide(state, event, PLAYBOOK, NOON)
        state = decision.conversation
        if isinstance(event, MessageReceived):
            text = event.text if event.choice is None else ""
            record.append(Happened(number, NOON, decision.outcome, text, event.choice))
        else:
            record.append(Happened(number, NOON, decision.outcome, by_agent=True))
    return list(questions_in(record, state.topic))


def told(found: Sequence[Asked]) -> list[tuple[str, QuestionKind, tuple[str, ...], str | None, NamedBy | None]]:
    return [(one.text, one.kind, one.thought, one.named, one.by) for one in found]


def odd(text: str = ODD, *candidates: str) -> MessageReceived:
    return message(text, candidates=candidates)


def pressed(choice: str) -> MessageReceived:
    return message("", choice=choice)


def test_what_nobody_could_place_is_a_question() -> None:
    assert told(asked(odd())) == [(ODD, UNANSWERED, (), None, None)]


def test_what_was_offered_is_what_the_desk_thought() -> None:
    found = asked(odd(ODD, "fees", "is-it-safe"))

    assert told(found) == [(ODD, UNANSWERED, ("fees", "is-it-safe"), None, None)]


def test_what_a_second_opinion_was_wanted_on_was_not_answered_either() -> None:
    state = conversation()
    wanted = decide(state, odd(ODD, "fees", "is-it-safe"), replace(PLAYBOOK, second_opinion=True), NOON).outcome
    found = list(questions_in([Happened(1, NOON, wanted, ODD)], None))

    assert told(found) == [(ODD, UNANSWERED, ("fees", "is-it-safe"), None, None)]


@pytest.mark.parametrize("chosen", [pressed("t:is-it-safe"), message("2"), message("is it safe", topic="is-it-safe")])
def test_a_choice_names_the_topic(chosen: MessageReceived) -> None:
    found = asked(odd(ODD, "fees", "is-it-safe"), chosen)

    assert told(found)[0] == (ODD, UNANSWERED, ("fees", "is-it-safe"), "is-it-safe", NamedBy.CUSTOMER)


def test_a_choice_from_the_menu_names_everything_that_was_unclear_before_it() -> None:
    found = asked(odd("first try"), odd("second try"), pressed("t:account-sign-in"))

    assert [(one.text, one.named) for one in found] == [
        ("first try", "account-sign-in"),
        ("second try", "account-sign-in"),
    ]


def test_calling_a_person_names_nothing() -> None:
    assert [one.named for one in asked(odd(), pressed("t:human"))] == [None]


def test_a_question_of_its_own_names_nothing_before_it() -> None:
    found = asked(odd(ODD, "is-it-safe"), message("fees", topic="fees"))

    assert told(found) == [(ODD, UNANSWERED, ("is-it-safe",), None, None)]


def test_what_stays_unclear_until_a_person_is_called_is_collected_to_the_end() -> None:
    found = asked(odd("one"), odd("two"), odd("three"))

    assert [one.text for one in found] == ["one", "two", "three"]


def test_who_asks_for_a_person_asks_no_question() -> None:
    assert asked(message("human", topic="human")) == []


def test_an_answer_that_stands_is_no_question() -> None:
    assert asked(message("fees", topic="fees"), message("thanks")) == []


def test_an_answer_that_did_not_help_is_corrected() -> None:
    found = asked(message(ODD, topic="account-sign-in"), pressed("no"))

    assert told(found) == [(ODD, CORRECTED, ("account-sign-in",), None, None)]


def test_what_it_may_mean_instead_is_named_by_the_next_choice() -> None:
    found = asked(
        message(ODD, topic="password-reset", candidates=("password-reset", "account-sign-in")),
        pressed("no"),
        pressed("t:account-sign-in"),
    )

    assert told(found)[0] == (ODD, CORRECTED, ("password-reset",), "account-sign-in", NamedBy.CUSTOMER)


def test_an_answer_that_did_not_help_in_words_is_corrected() -> None:
    found = asked(message(ODD, topic="account-sign-in"), message("still not working", unhelped=True))

    assert [(one.text, one.kind) for one in found] == [(ODD, CORRECTED)]


def test_a_topic_that_is_taken_back_is_corrected_and_named() -> None:
    found = asked(message(ODD, topic="fees"), message("no, I mean is it safe", topic="is-it-safe", corrects=True))

    assert told(found) == [(ODD, CORRECTED, ("fees",), "is-it-safe", NamedBy.CUSTOMER)]


def test_of_a_correction_only_what_was_meant_is_kept() -> None:
    found = asked(
        message(ODD, topic="fees"), message("no, I mean the blue one", candidates=("is-it-safe",), corrects=True)
    )

    assert [one.text for one in found] == [ODD, "the blue one"]


def test_a_value_that_is_put_right_takes_no_topic_back() -> None:
    found = asked(
        message("not received", topic="tx-not-received"), message("sorry, it is 0x52908400098527", corrects=True)
    )

    assert found == []


def test_no_in_the_middle_of_a_guided_answer_is_an_answer() -> None:
    assert asked(message(ODD, topic="reset-mail-missing"), pressed("no"), pressed("yes")) == []


def test_a_button_a_command_and_small_talk_ask_nothing() -> None:
    assert asked(pressed("t:fees"), message("hello"), message("/start"), pressed("menu")) == []


def test_the_answer_an_agent_gives_names_the_topic() -> None:
    took, gave = AgentTook("Mei"), AgentSentSnippet("Mei", "is-it-safe")
    found = asked(odd(), pressed("t:human"), took, gave)

    assert told(found) == [(ODD, UNANSWERED, (), "is-it-safe", NamedBy.AGENT)]


def test_the_topic_an_agent_resolves_it_under_names_it() -> None:
    found = asked(
        message(ODD, topic="account-sign-in"), pressed("no"), pressed("skip"), AgentTook("Mei"), AgentResolved("Mei")
    )

    assert told(found) == [(ODD, CORRECTED, ("account-sign-in",), "account-sign-in", NamedBy.AGENT)]


def test_resolving_what_only_asked_for_a_person_names_nothing() -> None:
    found = asked(odd(), pressed("t:human"), AgentTook("Mei"), AgentResolved("Mei"))

    assert [one.named for one in found] == [None]


def test_what_holds_no_words_is_never_collected() -> None:
    record = [Happened(1, NOON, "asked what it is about", ""), Happened(2, NOON, "offered: fees", "  ")]

    assert list(questions_in(record, None)) == []


def test_a_question_does_not_show_in_a_log() -> None:
    (found,) = asked(odd())

    assert ODD not in repr(found)
