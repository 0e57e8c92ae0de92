"""Every path of `decide()`, as a table of cases."""

import dataclasses
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from imconnect.domain.actions import ClearTimer, Decision, FollowUp, Note, RunErrand, Say, SetTimer, WithdrawNotices
from imconnect.domain.acts import Refusal, refusal
from imconnect.domain.conversations import MOVES, Conversation, PlaceInLine, Stage
from imconnect.domain.events import (
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentTook,
    DeliveryEnded,
    ErrandDone,
    ErrandKind,
    Event,
    MessageEdited,
    PlaceDue,
    PlaceReason,
    TimerFell,
    TimerKind,
)
from imconnect.domain.hearing import MOST_TRIES
from imconnect.domain.messages import Language, Purpose, Script
from imconnect.domain.playbook import Hours, Priority
from imconnect.domain.readings import SecretKind
from imconnect.domain.responder import decide
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message, picture, playbook, secret, spotted

S = Stage
HASH, ADDRESS = spotted("transaction_hash", "0xabc", chain="ethereum"), spotted("wallet_address", "0xdef")


def after(before: Conversation, event: Event, now: datetime = NOON) -> Decision:
    return decide(before, event, PLAYBOOK, now)


def said(decision: Decision) -> list[str]:
    return [action.source for action in decision.actions if isinstance(action, Say)]


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# ------------------------------------------------------------------------------------------------- from the customer

C = conversation

MESSAGES: list[tuple[str, Conversation, Event, Stage, list[str], str]] = [
    ("a greeting", C(), message("hello"), S.SELF_SERVICE, ["welcome"], "greeted"),
    ("thanks", C(), message("Thanks!"), S.SELF_SERVICE, ["thanks"], "thanked"),
    ("a guide", C(), message(topic="fees"), S.SELF_SERVICE, ["fees"], "answered: fees"),
    (
        "a guide for somebody unclear before",
        C(S.CLARIFYING),
        message(topic="fees"),
        S.SELF_SERVICE,
        ["fees"],
        "answered: fees",
    ),
    (
        "an answer that may not help",
        C(),
        message(topic="account-sign-in"),
        S.SELF_SERVICE,
        ["account-sign-in"],
        "answered: account-sign-in",
    ),
    (
        "a case for a person",
        C(),
        message(topic="tx-not-received"),
        S.COLLECTING,
        ["tx-not-received", "ask-details"],
        "answered: tx-not-received; asked: transaction_hash, chain, wallet_address",
    ),
    (
        "a case with all it needs",
        C(details={"transaction_hash": "0x", "wallet_address": "0x"}),
        message(topic="tx-wrong-address"),
        S.WAITING,
        ["tx-wrong-address"],
        "answered: tx-wrong-address; queued",
    ),
    ("a person is wanted", C(), message(topic="human"), S.WAITING, [], "queued: a person was asked for"),
    ("a place nobody has", C(), message(topic="queue-status"), S.SELF_SERVICE, ["not-in-line"], "not in line"),
    (
        "candidates",
        C(),
        message(candidates=["fees", "is-it-safe"]),
        S.CLARIFYING,
        ["did-you-mean"],
        "offered: fees, is-it-safe",
    ),
    ("nothing understood", C(), message("blah"), S.CLARIFYING, ["unclear"], "asked what it is about"),
    ("an emoji", C(), message(""), S.SELF_SERVICE, ["could-not-read"], "could not read"),
    ("a picture", C(), message("", attachments=[picture()]), S.SELF_SERVICE, ["file-kept"], "file kept"),
    ("a button", C(), message("", choice="t:fees"), S.SELF_SERVICE, ["fees"], "answered: fees"),
    ("a button nobody knows any more", C(), message("", choice="t:gone"), S.SELF_SERVICE, ["unclear"], "menu shown"),
    ("start", C(), message("", choice="start"), S.SELF_SERVICE, ["welcome"], "greeted"),
    ("the language", C(), message("", choice="l:zh"), S.SELF_SERVICE, ["language-set"], "language fixed: zh"),
    (
        "a number typed for a button",
        C(offered=["t:fees", "t:human"]),
        message("1."),
        S.SELF_SERVICE,
        ["fees"],
        "answered: fees",
    ),
    (
        "a title typed for a button",
        C(offered=["t:fees"]),
        message("[title FEES]"),
        S.SELF_SERVICE,
        ["fees"],
        "answered: fees",
    ),
    ("it helped", C(topic="fees", offered=["yes", "no"]), message("yes"), S.SELF_SERVICE, ["thanks"], "helped"),
    (
        "it did not help",
        C(topic="account-sign-in", offered=["yes", "no"]),
        message("no"),
        S.COLLECTING,
        ["ask-details"],
        "answered: account-sign-in; asked: device, app_version",
    ),
    (
        "it did not help and nothing is known",
        C(),
        message("", choice="no"),
        S.WAITING,
        [],
        "queued: a person was asked for",
    ),
    (
        "skipping",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message("skip"),
        S.WAITING,
        [],
        "queued without details",
    ),
    ("skipping nothing", C(), message("", choice="skip"), S.SELF_SERVICE, ["unclear"], "menu shown"),
    (
        "a person instead of details",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message(topic="human"),
        S.WAITING,
        [],
        "queued without details",
    ),
    (
        "half of the details",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["transaction_hash", "wallet_address"]),
        message(details=[HASH]),
        S.COLLECTING,
        ["ask-details"],
        "asked again: wallet_address",
    ),
    (
        "the rest of the details",
        C(
            S.COLLECTING,
            "tx-wrong-address",
            details={"transaction_hash": "0x"},
            asked_for=["transaction_hash", "wallet_address"],
        ),
        message(details=[ADDRESS]),
        S.WAITING,
        [],
        "queued",
    ),
    (
        "a detail in words",
        C(S.COLLECTING, "secret-leaked", asked_for=["when"]),
        message("yesterday evening"),
        S.WAITING,
        [],
        "queued",
    ),
    (
        "a faulty detail",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message(details=[spotted("wallet_address", "0x", "wrong_format")]),
        S.COLLECTING,
        ["ask-details"],
        "asked again: wallet_address",
    ),
    (
        "a file while details are missing",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message("", attachments=[picture()]),
        S.COLLECTING,
        ["file-kept"],
        "file kept",
    ),
    (
        "a question in passing",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message(topic="fees"),
        S.COLLECTING,
        ["fees"],
        "answered: fees",
    ),
    (
        "another case meanwhile",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message(topic="stolen-funds"),
        S.WAITING,
        ["stolen-funds", "ask-details"],
        "answered: stolen-funds; queued; asked: transaction_hash, when",
    ),
    (
        "the place while details are missing",
        C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]),
        message(topic="queue-status"),
        S.COLLECTING,
        ["status-collecting"],
        "told: status-collecting",
    ),
    (
        "more to a case that waits",
        C(S.WAITING, "fees"),
        message("and another thing"),
        S.WAITING,
        ["message-added"],
        "added, acknowledged",
    ),
    (
        "a guide while waiting",
        C(S.WAITING, "tx-not-received"),
        message(topic="fees"),
        S.WAITING,
        ["fees"],
        "answered: fees",
    ),
    (
        "something worse while waiting",
        C(S.WAITING, "fees"),
        message(topic="stolen-funds"),
        S.WAITING,
        ["stolen-funds"],
        "raised: stolen-funds",
    ),
    ("the place", C(S.WAITING, "fees"), message(topic="queue-status"), S.WAITING, ["place"], "told: place"),
    (
        "the place right after joining",
        dataclasses.replace(C(S.WAITING, "fees"), line=None),
        message(topic="queue-status"),
        S.WAITING,
        [],
        "told next",
    ),
    (
        "a person for one who waits for one",
        C(S.WAITING),
        message("", choice="t:human"),
        S.WAITING,
        ["message-added"],
        "added, acknowledged",
    ),
    (
        "an old button while waiting",
        C(S.WAITING),
        message("", choice="skip"),
        S.WAITING,
        ["message-added"],
        "added, acknowledged",
    ),
    ("no, while waiting", C(S.WAITING), message("", choice="no"), S.WAITING, ["message-added"], "added, acknowledged"),
    ("anything, to an agent", C(S.WITH_AGENT), message("hello"), S.WITH_AGENT, [], "for the agent"),
    ("a button, to an agent", C(S.WITH_AGENT), message("", choice="t:fees"), S.WITH_AGENT, [], "for the agent"),
    ("a question after the end", C(S.RESOLVED), message(topic="fees"), S.SELF_SERVICE, ["fees"], "answered: fees"),
    ("a case after the end", C(S.RESOLVED), message(topic="human"), S.WAITING, [], "queued: a person was asked for"),
    (
        "a phrase",
        C(),
        message("", secret=secret()),
        S.WAITING,
        ["secret-removed-recovery-phrase"],
        "withheld: recovery_phrase",
    ),
    (
        "a key to an agent",
        C(S.WITH_AGENT),
        message("", secret=secret(SecretKind.PRIVATE_KEY)),
        S.WITH_AGENT,
        ["secret-removed-private-key"],
        "withheld: private_key",
    ),
    (
        "a keystore after the end",
        C(S.RESOLVED),
        message("", secret=secret(SecretKind.KEYSTORE)),
        S.WAITING,
        ["secret-removed-keystore"],
        "withheld: keystore",
    ),
    (
        "a password in a question",
        C(),
        message("…", topic="fees", secret=secret(SecretKind.PASSWORD)),
        S.SELF_SERVICE,
        ["secret-removed-password", "fees"],
        "answered: fees",
    ),
    (
        "a code, to an agent",
        C(S.WITH_AGENT),
        message("…", secret=secret(SecretKind.ONE_TIME_CODE)),
        S.WITH_AGENT,
        ["secret-removed-one-time-code"],
        "for the agent",
    ),
    (
        "a hash or a key",
        C(),
        message("", secret=secret(SecretKind.PRIVATE_KEY, perhaps_a_hash=True)),
        S.SELF_SERVICE,
        ["hash-or-key"],
        "withheld: a hash or a key",
    ),
    ("an edit", C(S.COLLECTING), MessageEdited("m1"), S.COLLECTING, [], "revised"),
    (
        "an edit into a phrase",
        C(S.COLLECTING),
        MessageEdited("m1", secret()),
        S.WAITING,
        ["secret-removed-recovery-phrase"],
        "withheld: recovery_phrase",
    ),
    (
        "an edit into a password",
        C(),
        MessageEdited("m1", secret(SecretKind.PASSWORD)),
        S.SELF_SERVICE,
        ["secret-removed-password"],
        "withheld: password",
    ),
]


@pytest.mark.parametrize(
    ("before", "event", "stage", "answers", "outcome"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES]
)
def test_what_a_customer_does_is_answered(
    before: Conversation, event: Event, stage: Stage, answers: list[str], outcome: str
) -> None:
    decision = after(before, event)

    assert (decision.outcome, decision.conversation.stage, said(decision)) == (outcome, stage, answers)


# ----------------------------------------------------------------------------------------------------- what is in it


def test_the_answer_is_in_the_language_of_the_question_and_stays_there() -> None:
    first = after(
        C(language=Language.ENGLISH),
        message("手续费", topic="fees", language=Language.CHINESE, script=Script.TRADITIONAL),
    )
    then = after(
        first.conversation, message("0xabc", topic="is-it-safe", language=None, language_hint=Language.ENGLISH)
    )

    assert [action.text for action in (*first.actions, *then.actions) if isinstance(action, Say)] == [
        "【answer fees】",
        "【answer is-it-safe】",
    ]
    assert then.conversation.script is Script.TRADITIONAL


def test_a_language_that_was_chosen_stays() -> None:
    chosen = after(C(), message("", choice="l:zh")).conversation

    assert after(chosen, message("hello there", language=Language.ENGLISH)).conversation.language is Language.CHINESE


def test_the_same_answer_is_not_given_twice_in_a_row() -> None:
    first = after(C(), message(topic="fees"))
    soon = after(first.conversation, message(topic="fees"), later(599))
    late = after(first.conversation, message(topic="fees"), later(600))

    assert said(soon) == ["unclear-again"]
    assert said(late) == ["fees"]


def test_after_three_messages_nobody_understands_a_person_is_called() -> None:
    state, sources = C(), list[list[str]]()
    for _ in range(3):
        decision = after(state, message("blah"))
        state = decision.conversation
        sources.append(said(decision))

    assert sources == [["unclear"], ["unclear-again"], []]
    assert state.stage is Stage.WAITING


def test_details_that_do_not_come_are_not_asked_for_for_ever() -> None:
    state = after(C(), message(topic="tx-wrong-address")).conversation
    for _ in range(MOST_TRIES):
        assert state.stage is Stage.COLLECTING
        state = after(state, message("I do not know")).conversation

    assert state.stage is Stage.WAITING


def test_joining_the_line_is_followed_by_the_place_and_ends_the_asking() -> None:
    decision = after(C(S.COLLECTING, "fees", asked_for=["when"]), message("skip"))

    assert decision.actions == (ClearTimer(TimerKind.GIVE_UP_COLLECTING), FollowUp(PlaceDue(PlaceReason.QUEUED)))
    assert decision.conversation.waiting_since == NOON
    assert decision.conversation.refused == ("when",)


def test_what_was_skipped_keeps_the_order_it_was_asked_in() -> None:
    asked = ["transaction_hash", "chain", "wallet_address", "device", "when", "app_version"]

    assert after(C(S.COLLECTING, asked_for=asked), message("skip")).conversation.refused == tuple(asked)


def test_an_explorer_link_tells_the_chain_too() -> None:
    details = after(C(), message(details=[HASH])).conversation.details

    assert {name: given.value for name, given in details.items()} == {"transaction_hash": "0xabc", "chain": "ethereum"}


def test_a_faulty_value_is_explained_and_not_kept() -> None:
    fault = spotted("wallet_address", "0x", "wrong_format")
    decision = after(C(S.COLLECTING, "tx-wrong-address", asked_for=["wallet_address"]), message(details=[fault]))
    (say,) = [action for action in decision.actions if isinstance(action, Say)]

    assert say.text == "[detail-problem] [title wallet_address]: [wrong_format wallet_address]"
    assert dict(decision.conversation.details) == {}


def test_thanks_by_an_old_button_does_not_forget_what_a_case_is_about() -> None:
    assert after(C(S.WAITING, "stolen-funds"), message("", choice="yes")).conversation.topic == "stolen-funds"


def test_a_number_of_any_length_is_no_error() -> None:
    assert after(C(offered=["t:fees"]), message("9" * 5_000)).outcome == "asked what it is about"


def test_buttons_of_an_older_pack_are_no_error() -> None:
    assert after(C(offered=["t:gone"]), message("[title gone]")).outcome == "asked what it is about"


def test_details_of_an_older_pack_are_no_error() -> None:
    old = C(S.COLLECTING, "tx-wrong-address", asked_for=["shoe_size", "wallet_address"])

    assert after(old, message("what")).outcome == "asked again: wallet_address"


def test_more_to_a_case_that_waits_is_acknowledged_now_and_then() -> None:
    first = after(C(S.WAITING), message("one"))
    soon = after(first.conversation, message("two"), later(299))
    late = after(first.conversation, message("three"), later(300))

    assert [said(one) for one in (first, soon, late)] == [["message-added"], [], ["message-added"]]


def test_a_leaked_phrase_is_urgent_and_removed_upstream() -> None:
    decision = after(C(), message("", secret=secret(), message_id="m7"))

    assert decision.conversation.priority is Priority.URGENT
    assert decision.conversation.topic == "secret-leaked"
    assert decision.actions[0] == RunErrand(ErrandKind.DELETE_UPSTREAM, "m7")


def test_priority_comes_from_the_case_and_not_from_its_adjectives() -> None:
    calm = after(C(), message("stolen", topic="stolen-funds")).conversation
    loud = after(C(), message("URGENT!!! fees NOW", topic="fees")).conversation

    assert (calm.priority, loud.priority) == (Priority.URGENT, Priority.LOW)


# --------------------------------------------------------------------------------------------------------- the line

LINE = PlaceInLine(3, 7, 300)


@pytest.mark.parametrize(
    ("before", "event", "answers", "outcome"),
    [
        (C(S.WAITING, line=LINE), PlaceDue(PlaceReason.QUEUED), ["queued"], "told: queued"),
        (
            C(S.WAITING, "stolen-funds", line=LINE),
            PlaceDue(PlaceReason.QUEUED),
            ["queued", "while-waiting"],
            "told: queued",
        ),
        (C(S.WAITING, line=LINE), PlaceDue(PlaceReason.HANDED_BACK), ["handed-back"], "told: handed-back"),
        (C(S.WAITING, line=LINE), PlaceDue(PlaceReason.RAISED), ["place"], "told: place"),
        (C(S.WAITING, line=LINE, told_place=6), PlaceDue(PlaceReason.MOVED_UP), ["moved-up"], "told: moved-up"),
        (C(S.WAITING, line=LINE, told_place=3), PlaceDue(PlaceReason.MOVED_UP), [], "overtaken"),
        (C(S.WAITING, told_place=2), PlaceDue(PlaceReason.MOVED_UP), ["next-in-line"], "told: next-in-line"),
        (C(S.WITH_AGENT), PlaceDue(PlaceReason.QUEUED), [], "overtaken"),
        (C(S.RESOLVED), PlaceDue(PlaceReason.MOVED_UP), [], "overtaken"),
        (C(S.WAITING, line=LINE), TimerFell(TimerKind.REMIND), ["still-waiting"], "told: still-waiting"),
        (C(S.WITH_AGENT), TimerFell(TimerKind.REMIND), [], "overtaken"),
        (C(S.COLLECTING), TimerFell(TimerKind.GIVE_UP_COLLECTING), [], "queued with what there is"),
        (C(S.WAITING), TimerFell(TimerKind.GIVE_UP_COLLECTING), [], "overtaken"),
        (C(S.WAITING, line=LINE, told_place=2), message(topic="queue-status"), ["place-later"], "told: place"),
        (C(), ErrandDone(ErrandKind.DELETE_UPSTREAM, True), [], "removed upstream"),
        (C(), ErrandDone(ErrandKind.DELETE_UPSTREAM, False, "old"), ["delete-it-yourself"], "told: delete-it-yourself"),
        (C(), DeliveryEnded("1.0", True), [], "delivery unknown"),
        (C(), DeliveryEnded("1.0", False), [], "delivery failed"),
    ],
)
def test_what_happens_by_itself_is_told_where_it_matters(
    before: Conversation, event: Event, answers: list[str], outcome: str
) -> None:
    decision = after(before, event, later(60))

    assert (decision.outcome, said(decision)) == (outcome, answers)


def test_being_told_the_place_is_remembered_and_told_again_after_a_while() -> None:
    decision = after(C(S.WAITING, line=LINE), PlaceDue(PlaceReason.QUEUED))

    assert (decision.conversation.told_place, decision.conversation.told_at) == (3, NOON)
    assert SetTimer(TimerKind.REMIND, later(900)) in decision.actions


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "[wait_unknown]"), (60, "[wait_soon]"), (300, "[wait_minutes] 5"), (7_200, "[wait_hours] 2")],
)
def test_the_expected_wait_is_said_in_words(seconds: int | None, words: str) -> None:
    decision = after(C(S.WAITING, line=PlaceInLine(3, 7, seconds)), PlaceDue(PlaceReason.QUEUED))
    (say,) = [action for action in decision.actions if isinstance(action, Say)]

    assert say.text == f"[queued] TW-1001 3 {words}"


def test_outside_hours_the_customer_is_told_when_people_are_there() -> None:
    closed = playbook(hours=Hours(ZoneInfo("Asia/Shanghai"), frozenset({0}), time(9), time(18)))
    late = decide(C(S.WAITING), PlaceDue(PlaceReason.QUEUED), closed, NOON)
    early = decide(C(S.WAITING), PlaceDue(PlaceReason.QUEUED), closed, later(-3 * 3_600))

    assert (said(late), said(early)) == (["queued", "outside-hours"], ["queued"])


# ------------------------------------------------------------------------------------------------------------ agents

MEI, LI = "Mei", "Li"


@pytest.mark.parametrize(
    ("before", "act", "stage", "answers", "outcome"),
    [
        (C(S.WAITING), AgentTook(MEI), S.WITH_AGENT, ["agent-joined"], "taken"),
        (C(S.SELF_SERVICE), AgentTook(MEI), S.WITH_AGENT, ["agent-joined"], "taken"),
        (C(S.COLLECTING), AgentTook(MEI), S.WITH_AGENT, ["agent-joined"], "taken"),
        (C(S.WITH_AGENT), AgentTook(MEI), S.WITH_AGENT, [], "taken"),
        (C(S.WITH_AGENT), AgentTook(LI), S.WITH_AGENT, [], "refused: with_another"),
        (C(S.WITH_AGENT), AgentReplied(MEI, "hello"), S.WITH_AGENT, [MEI], "replied"),
        (C(S.WITH_AGENT), AgentReplied(LI, "hello"), S.WITH_AGENT, [], "refused: with_another"),
        (C(S.WAITING), AgentReplied(MEI, "hello"), S.WAITING, [], "refused: not_taken"),
        (C(S.WAITING), AgentHandedBack(MEI), S.WAITING, [], "refused: not_taken"),
        (C(S.WITH_AGENT), AgentHandedBack(MEI), S.WAITING, [], "handed back"),
        (C(S.WITH_AGENT), AgentResolved(MEI), S.RESOLVED, ["resolved"], "resolved"),
        (C(S.WITH_AGENT), AgentResolved(LI), S.WITH_AGENT, [], "refused: with_another"),
        (C(S.WAITING), AgentResolved(MEI), S.RESOLVED, ["resolved"], "resolved"),
        (C(S.RESOLVED), AgentTook(MEI), S.RESOLVED, [], "refused: resolved"),
        (C(S.RESOLVED), AgentNoted(LI, "see also"), S.RESOLVED, [], "noted"),
        (C(S.WITH_AGENT), AgentNoted(LI, "see also"), S.WITH_AGENT, [], "noted"),
    ],
)
def test_what_an_agent_does_is_done_or_refused(
    before: Conversation, act: AgentsAct, stage: Stage, answers: list[str], outcome: str
) -> None:
    decision = after(before, act)
    refused = refusal(before, act)

    assert (decision.outcome, decision.conversation.stage, said(decision)) == (outcome, stage, answers)
    assert refused == (Refusal(outcome.removeprefix("refused: ")) if outcome.startswith("refused") else None)
    assert (decision.conversation.agent is not None) == (stage is Stage.WITH_AGENT)


def test_a_reply_is_the_agents_own_words_and_a_note_is_not_sent() -> None:
    reply = after(C(S.WITH_AGENT), AgentReplied(MEI, "my words"))
    note = after(C(S.WITH_AGENT), AgentNoted(MEI, "my thoughts"))

    assert reply.actions == (Say(Purpose.REPLY, MEI, "my words"),)
    assert note.actions == (Note(MEI, "my thoughts"),)


def test_an_agent_who_takes_a_case_has_what_is_no_longer_true_taken_back() -> None:
    actions = after(C(S.WAITING, told_place=3), AgentTook(MEI)).actions

    assert actions[:3] == (WithdrawNotices(), ClearTimer(TimerKind.REMIND), ClearTimer(TimerKind.GIVE_UP_COLLECTING))


def test_who_is_handed_back_keeps_the_place_their_age_gives() -> None:
    back = after(C(S.WITH_AGENT), AgentHandedBack(MEI), later(3_600))

    assert back.conversation.waiting_since == NOON
    assert back.actions == (FollowUp(PlaceDue(PlaceReason.HANDED_BACK)),)


@pytest.mark.parametrize(("before", "to"), [(a, b) for a in Stage for b in Stage if b not in MOVES[a] and a is not b])
def test_a_move_that_is_none_is_a_programming_error(before: Stage, to: Stage) -> None:
    with pytest.raises(ValueError, match="no conversation moves"):
        conversation(before).moved_to(to)
