"""What was said before counts: answers, refusals, corrections, second concerns, and what did not help."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from imconnect.domain.actions import ClearTimer, Decision, Note, Say
from imconnect.domain.conversations import Conversation, PlaceInLine, Stage
from imconnect.domain.events import AgentTook, Event, PlaceDue, PlaceReason, TimerKind
from imconnect.domain.messages import Language, Script
from imconnect.domain.playbook import Priority
from imconnect.domain.responder import decide
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message, playbook, spotted

S = Stage
C = conversation
ASKED = ("transaction_hash", "chain", "wallet_address")


def after(before: Conversation, *events: Event, now: datetime = NOON) -> Decision:
    """What the last of *events* leads to."""
    decision = Decision(before, (), "")
    for event in events:
        decision = decide(decision.conversation, event, PLAYBOOK, now)
    return decision


def said(decision: Decision) -> list[str]:
    return [action.source for action in decision.actions if isinstance(action, Say)]


def text_of(decision: Decision) -> str:
    return "\n".join(action.text for action in decision.actions if isinstance(action, Say))


def keys(decision: Decision) -> list[str]:
    return [choice.key for action in decision.actions if isinstance(action, Say) for choice in action.choices]


# ----------------------------------------------------------------------------------------------------------- refusals


def test_a_refusal_is_heard_for_what_it_names_and_the_rest_is_still_asked_for() -> None:
    decision = after(C(), message(topic="tx-not-received"), message("no hash", declined=["transaction_hash"]))

    assert decision.conversation.refused == ("transaction_hash",)
    assert decision.conversation.asked_for == ("chain", "wallet_address")
    assert text_of(decision).startswith("[without-it] [title transaction_hash] | ")
    assert "[question transaction_hash]" not in text_of(decision)


def test_what_was_refused_is_not_asked_for_in_another_case_either() -> None:
    decision = after(
        C(),
        message(topic="tx-not-received"),
        message("no hash", declined=["transaction_hash"]),
        message(topic="tx-wrong-address"),
    )

    assert decision.conversation.asked_for == ("wallet_address",)


def test_a_refusal_that_names_nothing_is_of_the_only_detail_asked_for() -> None:
    before = C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"])
    decision = after(before, message("cannot find it", declines=True))

    assert (decision.outcome, decision.conversation.refused) == ("queued without details", ("wallet_address",))


def test_a_refusal_of_the_rest_keeps_what_came_with_it() -> None:
    before = C(S.COLLECTING, "tx-not-received", asked_for=ASKED)
    decision = after(
        before, message("0xdef, the rest I don't have", details=[spotted("wallet_address")], declines=True)
    )

    assert decision.conversation.refused == ("transaction_hash", "chain")
    assert set(decision.conversation.details) == {"wallet_address"}


def test_a_plain_no_refuses_a_value_and_answers_a_free_question() -> None:
    checked = after(C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]), message("no"))
    free = after(C(S.COLLECTING, "account-sign-in", asked_for=["device"]), message("no"))

    assert checked.conversation.refused == ("wallet_address",)
    assert (free.conversation.refused, free.conversation.details["device"].value) == ((), "no")


def test_refusing_is_no_vain_try() -> None:
    before = C(S.COLLECTING, "tx-not-received", asked_for=ASKED)
    decision = after(before, message("no hash", declined=["transaction_hash"]), message("?"), message("what"))

    assert decision.conversation.stage is S.COLLECTING


# ----------------------------------------------------------------------------------- answers that sound like questions


def test_a_story_that_sounds_like_a_matter_of_its_own_is_an_answer() -> None:
    before = C(S.COLLECTING, "account-sign-in", asked_for=["tried"])
    decision = after(before, message("reset the password", topic="password-reset"))

    assert decision.conversation.details["tried"].value == "reset the password"


@pytest.mark.parametrize(
    "event",
    [
        message("how do I reset the password?", topic="password-reset"),
        message("my funds were stolen", topic="stolen-funds"),
        message("no, I mean the password", topic="password-reset", corrects=True),
    ],
)
def test_a_question_something_urgent_and_a_correction_are_no_story(event: Event) -> None:
    before = C(S.COLLECTING, "account-sign-in", asked_for=["tried"])

    assert "tried" not in after(before, event).conversation.details


@pytest.mark.parametrize("asked_for", [("device",), ("transaction_hash",)])
def test_where_no_story_is_asked_for_another_matter_is_one(asked_for: tuple[str, ...]) -> None:
    before = C(S.COLLECTING, "account-sign-in", asked_for=asked_for)

    assert said(after(before, message("forgot my password", topic="password-reset"))) == ["password-reset"]


# -------------------------------------------------------------------------------------------------------- corrections


def test_a_correction_replaces_what_the_case_is_about() -> None:
    before = after(C(), message(topic="tx-not-received")).conversation
    decision = after(before, message("no, I mean fees", topic="fees", corrects=True))

    assert (decision.conversation.topic, decision.conversation.stage) == ("fees", S.SELF_SERVICE)
    assert decision.conversation.kept == ()
    assert said(decision) == ["fees"]
    assert ClearTimer(TimerKind.GIVE_UP_COLLECTING) in decision.actions


def test_a_correction_in_line_changes_the_case_and_never_the_place_for_the_worse() -> None:
    before = C(S.WAITING, "tx-wrong-address", priority=Priority.HIGH)
    decision = after(before, message("no, the password", topic="password-reset", corrects=True))

    assert (decision.conversation.topic, decision.conversation.priority) == ("password-reset", Priority.HIGH)


def test_a_correction_replaces_the_value_of_a_detail() -> None:
    before = C(S.COLLECTING, "tx-not-received", details={"chain": "tron"}, asked_for=["wallet_address"])
    named = after(before, message("I meant BSC", details=[spotted("chain", "bsc")], corrects=True))
    by_coin = after(before, message("I meant ETH not TRON", details=[spotted("token", "ETH")], corrects=True))

    assert named.conversation.details["chain"].value == "bsc"
    assert by_coin.conversation.details["chain"].value == "ethereum"
    assert (by_coin.conversation.tries, by_coin.conversation.asked_for) == (0, ("wallet_address",))


def test_a_correction_of_free_words_replaces_those_given_last() -> None:
    before = C(S.COLLECTING, "account-sign-in", details={"device": "Nokia"}, asked_for=["app_version"])
    decision = after(before, message("no, I meant Pixel 8", corrects=True))

    assert decision.conversation.details["device"].value == "Pixel 8"
    assert decision.conversation.asked_for == ("app_version",)


def test_a_correction_nobody_is_sure_of_offers_anything_but_what_was_wrong() -> None:
    before = after(C(), message(topic="fees")).conversation
    decision = after(before, message("no, I mean …", candidates=["fees", "is-it-safe"], corrects=True))

    assert keys(decision) == ["t:is-it-safe", "t:human"]


def test_what_is_less_urgent_is_answered_in_passing_and_what_is_more_takes_over() -> None:
    before = after(C(), message(topic="tx-wrong-address")).conversation
    less = after(before, message(topic="tx-not-received")).conversation
    more = after(before, message(topic="stolen-funds")).conversation

    assert (less.topic, less.kept) == ("tx-wrong-address", ("tx-not-received",))
    assert (more.topic, more.kept) == ("stolen-funds", ("tx-wrong-address",))


# ------------------------------------------------------------------------------------------------------- two concerns


def test_of_two_concerns_the_other_is_offered_with_the_answer() -> None:
    decision = after(C(), message(topic="account-sign-in", others=["fees"]))

    assert keys(decision) == ["yes", "no", "t:fees"]
    assert decision.conversation.offered == ("yes", "no", "t:fees")
    assert text_of(decision).endswith("[also-asked] [title fees]")
    assert after(decision.conversation, message("3")).outcome == "answered: fees"


def test_an_urgent_case_comes_first_and_the_other_concern_is_offered_in_line() -> None:
    first = after(C(), message(topic="stolen-funds", others=["password-reset"]))
    waiting = replace(first.conversation, line=PlaceInLine(1, 1, None))
    told = after(waiting, PlaceDue(PlaceReason.QUEUED))

    assert (first.conversation.topic, first.conversation.kept) == ("stolen-funds", ("password-reset",))
    assert "t:password-reset" not in keys(first)
    assert Note("", "【note_also】 【title password-reset】") in first.actions
    assert said(told)[-1] == "also-asked"
    assert after(told.conversation, message("", choice="t:password-reset")).outcome == "answered: password-reset"


def test_what_was_answered_meanwhile_is_not_offered_again() -> None:
    decision = after(C(), message(topic="fees"), message(topic="is-it-safe", others=["fees"]))

    assert (keys(decision), decision.conversation.kept) == ([], ())


# ---------------------------------------------------------------------------------------------------------- follow-up


def test_when_an_answer_did_not_help_the_next_best_is_offered_then_a_person() -> None:
    first = after(C(), message(topic="account-sign-in", candidates=["account-sign-in", "password-reset"]))
    no = after(first.conversation, message("no"))
    again = after(no.conversation, message("", choice="no"))

    assert (said(no), keys(no)) == (["did-you-mean"], ["t:password-reset", "t:human"])
    assert said(again) == ["ask-details"]


@pytest.mark.parametrize("topic", [None, "account-sign-in"])
def test_still_not_working_is_a_no(topic: str | None) -> None:
    decision = after(C(), message(topic="account-sign-in"), message("still not working", topic=topic, unhelped=True))

    assert decision.outcome == "answered: account-sign-in; asked: device, app_version"


def test_still_not_working_about_something_else_is_a_question_of_its_own() -> None:
    other = message("the swap still fails", candidates=["fees", "is-it-safe"], unhelped=True)

    assert said(after(C(), message(topic="account-sign-in"), other)) == ["did-you-mean"]


@pytest.mark.parametrize("between", [[], [message(topic="is-it-safe")]])
def test_a_question_asked_again_never_gets_the_same_text(between: list[Event]) -> None:
    ask = message(topic="fees", candidates=["fees", "password-reset"])
    second = after(C(), ask, *between, ask)
    third = after(second.conversation, ask)

    assert said(second) == ["unclear-again"]
    assert (third.outcome, third.conversation.stage) == ("already answered: fees; queued", S.WAITING)


def test_a_case_taken_up_again_is_not_answered_with_the_same_text() -> None:
    first, other = message(topic="tx-not-received"), message(topic="tx-wrong-address")

    assert said(after(C(), first, other, first)) == ["status-collecting"]
    assert said(after(C(), first, other, message(topic="fees"), message(topic="fees"))) == ["status-collecting"]


# -------------------------------------------------------------------------------------------------------- guided flows

FLOW = "reset-mail-missing"


def test_a_topic_with_branches_is_answered_step_by_step_to_a_person() -> None:
    first = after(C(), message(topic=FLOW))
    second = after(first.conversation, message("no"))
    last = after(second.conversation, message("", choice="no"))

    assert (said(first), keys(first)) == ([FLOW], ["yes", "no"])
    assert text_of(first) == f"[step {FLOW}/spam]"
    assert (second.conversation.flow, second.conversation.step) == (FLOW, "again")
    assert said(last) == [f"{FLOW}/identity", "ask-details"]
    assert (last.conversation.stage, last.conversation.flow) == (S.COLLECTING, None)


def test_a_step_that_helped_ends_it() -> None:
    decision = after(C(), message(topic=FLOW), message("yes"))

    assert (said(decision), decision.conversation.flow) == (["thanks"], None)


def test_still_not_working_goes_on_with_the_next_step() -> None:
    decision = after(C(), message(topic=FLOW), message("still nothing", unhelped=True))

    assert decision.conversation.step == "again"


@pytest.mark.parametrize("event", [message(topic="fees"), message(topic="human"), AgentTook("Mei")])
def test_a_flow_is_left_by_anything_else(event: Event) -> None:
    left = after(C(), message(topic=FLOW), event).conversation

    assert (left.flow, left.step) == (None, None)


def test_words_that_answer_no_step_are_asked_about_and_then_shown_to_a_person() -> None:
    state, sources = after(C(), message(topic=FLOW)).conversation, list[list[str]]()
    for _ in range(3):
        decision = after(state, message("hm"))
        state = decision.conversation
        sources.append(said(decision))

    assert sources == [["which-of-the-two"], ["unclear-again"], ["ask-details"]]


def test_a_step_the_pack_has_lost_is_no_error() -> None:
    lost = replace(C(topic=FLOW, offered=["yes", "no"]), flow=FLOW, step="gone", answered=FLOW)

    assert said(after(lost, message("no"))) == ["ask-details"]


# --------------------------------------------------------------------------------------------------------- characters


def test_who_writes_traditional_characters_is_answered_in_them() -> None:
    other = replace(playbook(), name="traditional", notices={one: {"welcome": "歡迎"} for one in Language})
    both = replace(PLAYBOOK, traditional=other)
    hello = message("你好", language=Language.CHINESE, script=Script.TRADITIONAL)
    first = decide(C(language=Language.CHINESE), hello, both, NOON)
    plain = decide(C(language=Language.CHINESE), replace(hello, reading=message("你好").reading), both, NOON)

    assert text_of(first) == "歡迎"
    assert text_of(decide(first.conversation, message("hello", language=None), both, NOON)) == "歡迎"
    assert text_of(plain) == "[welcome]"


def test_the_characters_are_heard_where_the_language_is_fixed() -> None:
    fixed = after(C(), message("", choice="l:zh")).conversation
    decision = after(fixed, message("謝謝您的說明", language=Language.CHINESE, script=Script.TRADITIONAL))

    assert decision.conversation.script is Script.TRADITIONAL


def test_an_answer_of_long_ago_may_be_given_again() -> None:
    first = after(C(), message(topic="fees"), message(topic="is-it-safe"))

    assert said(after(first.conversation, message(topic="fees"), now=NOON + timedelta(seconds=600))) == ["fees"]
