"""Small things that make a customer feel heard."""

from dataclasses import replace

import pytest

from imconnect.domain.actions import Decision, FollowUp, Say
from imconnect.domain.conversations import Given, Stage
from imconnect.domain.events import PlaceDue, PlaceReason
from imconnect.domain.manner import corrects, meant
from imconnect.domain.messages import Language
from imconnect.domain.responder import decide
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message, spotted


def said(decision: Decision) -> list[str]:
    return [action.text for action in decision.actions if isinstance(action, Say)]


def test_a_command_in_a_chinese_talk_is_answered_in_chinese() -> None:
    talk = conversation(language=Language.CHINESE)

    decision = decide(talk, message("/status", language=Language.ENGLISH), PLAYBOOK, NOON)

    assert decision.conversation.language is Language.CHINESE


def test_that_it_still_does_not_work_is_no_device() -> None:
    asked = conversation(Stage.COLLECTING, "app-bug", asked_for=["device"])
    told = message("still doesn't work")

    decision = decide(asked, replace(told, reading=replace(told.reading, unhelped=True)), PLAYBOOK, NOON)

    assert "device" not in decision.conversation.details
    assert "device" in decide(asked, message("the one from my sister"), PLAYBOOK, NOON).conversation.details


def test_what_a_form_fills_in_by_title_is_not_asked_again() -> None:
    title = PLAYBOOK.details["device"].titles[Language.ENGLISH]
    asked = conversation(Stage.COLLECTING, "app-bug", asked_for=["device", "when"])

    decision = decide(asked, message(f"It crashes\n{title}: a phone of my sister's"), PLAYBOOK, NOON)

    assert decision.conversation.details["device"] == Given("a phone of my sister's")


def test_who_gives_nothing_that_was_asked_for_is_not_told_the_same_words_again() -> None:
    asked = conversation(Stage.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"])

    decision = decide(asked, message("I do not understand this at all"), PLAYBOOK, NOON)

    assert [text.split(":")[0] for text in said(decision)] == ["[ask-again] again"]


def test_a_theft_waits_in_line_while_its_details_come() -> None:
    first = decide(conversation(), message(topic="stolen-funds"), PLAYBOOK, NOON)
    wrong = decide(
        first.conversation, message(details=[spotted("transaction_hash", "0x1", "wrong_length")]), PLAYBOOK, NOON
    )
    right = decide(wrong.conversation, message(details=[spotted("transaction_hash", "0x2")]), PLAYBOOK, NOON)

    assert first.conversation.stage is Stage.WAITING
    assert FollowUp(PlaceDue(PlaceReason.QUEUED)) in first.actions
    assert first.conversation.asked_for == ("transaction_hash", "when")
    assert wrong.outcome == "asked again: transaction_hash"
    assert right.conversation.details["transaction_hash"] == Given("0x2")
    assert right.conversation.asked_for == ("when",)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("not that, I meant the fees", "the fees"),
        ("that's not what I meant, I was asking about fees", "fees"),
        ("不是这个，我问的是手续费", "手续费"),
        ("唔係呢個，我講的是手續費", "手續費"),
    ],
)
def test_what_is_waved_off_is_a_correction(text: str, rest: str) -> None:
    assert corrects(text)
    assert meant(text) == rest
