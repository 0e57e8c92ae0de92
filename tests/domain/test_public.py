"""What is said where others read along, and what machines write."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from imconnect.domain.actions import Decision, RunErrand, Say
from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.events import DeliveryEnded, ErrandDone, ErrandKind, Event, MessageReceived
from imconnect.domain.messages import LARGEST_FILE, Attachment
from imconnect.domain.readings import SecretKind
from imconnect.domain.responder import decide
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message, picture, playbook, secret


def said(decision: Decision) -> list[str]:
    return [action.source for action in decision.actions if isinstance(action, Say)]


def errands(decision: Decision) -> list[ErrandKind]:
    return [action.errand for action in decision.actions if isinstance(action, RunErrand)]


def in_public(event: MessageReceived) -> Event:
    return replace(event, public=True)


# ------------------------------------------------------------------------------------------------------------- public


def test_a_question_of_everybodys_is_answered_in_public_once() -> None:
    first = decide(conversation(), in_public(message(topic="fees")), PLAYBOOK, NOON)
    again = decide(first.conversation, in_public(message(topic="fees")), PLAYBOOK, NOON)

    assert (said(first), said(again)) == (["fees"], [])


def test_a_case_is_never_discussed_in_public() -> None:
    for topic in ("tx-not-received", "human", "queue-status", None):
        decision = decide(conversation(), in_public(message(topic=topic)), PLAYBOOK, NOON)

        assert said(decision) == ["come-in-private"]
        assert decision.conversation.stage is Stage.SELF_SERVICE
        assert decision.conversation.details == {}


def test_who_goes_on_talking_in_public_is_not_asked_to_come_in_private_at_every_word() -> None:
    first = decide(conversation(), in_public(message(topic=None)), PLAYBOOK, NOON)
    again = decide(first.conversation, in_public(message(topic=None)), PLAYBOOK, NOON)
    graver = decide(again.conversation, in_public(message(topic="tx-not-received")), PLAYBOOK, NOON)
    later = decide(graver.conversation, in_public(message(topic=None)), PLAYBOOK, NOON + timedelta(minutes=11))

    assert [said(one) for one in (first, again, graver, later)] == [
        ["come-in-private"],
        [],
        ["come-in-private"],
        ["come-in-private"],
    ]


def test_a_secret_in_public_is_removed_and_its_owner_warned_without_a_case_in_public() -> None:
    """S-12: also where others read along."""
    leaked = in_public(message("[removed]", secret=secret()))

    decision = decide(conversation(), leaked, PLAYBOOK, NOON)

    assert said(decision) == ["secret-removed-recovery-phrase", "come-in-private"]
    assert errands(decision) == [ErrandKind.DELETE_UPSTREAM]
    assert decision.conversation.stage is Stage.SELF_SERVICE


def test_where_impostors_lurk_the_first_answer_warns_of_them_and_only_the_first() -> None:
    wary = replace(playbook(), reminding=frozenset({"web"}))

    first = decide(conversation(), message(topic="fees"), wary, NOON)
    second = decide(first.conversation, message(topic="account-sign-in"), wary, NOON)
    texts = [action.text for one in (first, second) for action in one.actions if isinstance(action, Say)]

    assert ["[safety-reminder" in text for text in texts] == [True, False]


# ---------------------------------------------------------------------------------------------------------- machines


def test_what_a_machine_wrote_is_kept_and_changes_nothing() -> None:
    """E-08: an out-of-office answer moves nobody in line and wakes nothing that was resolved."""
    stages: Sequence[Conversation] = [conversation(stage) for stage in Stage]

    for before in stages:
        decision = decide(before, replace(message(topic="human"), automatic=True), PLAYBOOK, NOON)

        assert (decision.conversation, decision.actions) == (before, ())


def test_a_secret_in_a_machines_mail_is_removed_without_an_answer() -> None:
    decision = decide(conversation(), replace(message(secret=secret()), automatic=True), PLAYBOOK, NOON)

    assert (said(decision), errands(decision)) == ([], [ErrandKind.DELETE_UPSTREAM])


# ------------------------------------------------------------------------------------------------------------- files


def test_files_are_fetched_also_while_a_person_is_talking() -> None:
    for stage in (Stage.SELF_SERVICE, Stage.WITH_AGENT, Stage.WAITING):
        decision = decide(conversation(stage), message("see", attachments=[picture()]), PLAYBOOK, NOON)

        assert errands(decision) == [ErrandKind.FETCH_FILES]


def test_a_file_that_is_too_large_is_not_fetched_and_the_customer_told() -> None:
    """T-26: a smaller one is asked for; name and size stay known."""
    video = Attachment("v", "screen.mp4", "video/mp4", LARGEST_FILE + 1)

    decision = decide(conversation(Stage.WITH_AGENT), message("see", attachments=[video]), PLAYBOOK, NOON)

    assert (said(decision), errands(decision)) == (["too-large"], [])


def test_files_of_a_message_that_was_withheld_are_not_fetched() -> None:
    leaked = message("[removed]", attachments=[picture()], secret=secret())

    assert errands(decide(conversation(), leaked, PLAYBOOK, NOON)) == [ErrandKind.DELETE_UPSTREAM]


def test_a_secret_in_a_file_is_treated_as_if_it_had_been_typed() -> None:
    """S-09: a keystore or a text file with a phrase in it."""
    found = ErrandDone(ErrandKind.FETCH_FILES, done=True, subject="1", secret=secret(SecretKind.KEYSTORE))

    decision = decide(conversation(), found, PLAYBOOK, NOON)

    assert RunErrand(ErrandKind.DELETE_UPSTREAM, "1") in decision.actions
    assert said(decision)[0] == "secret-removed-keystore"
    assert (decision.conversation.topic, decision.conversation.stage) == ("secret-leaked", Stage.WAITING)


def test_a_file_that_cannot_be_fetched_is_asked_for_again() -> None:
    lost = ErrandDone(ErrandKind.FETCH_FILES, done=False, subject="1", reason="gone")

    assert said(decide(conversation(), lost, PLAYBOOK, NOON)) == ["file-lost"]


# ---------------------------------------------------------------------------------------------------------- delivery


def test_agents_read_once_that_nothing_arrives_until_the_customer_is_heard_of_again() -> None:
    """T-14, D-16: one note, however many sends fail."""
    failed = DeliveryEnded("1.0", unknown=False, reason="blocked")

    first = decide(conversation(Stage.WITH_AGENT), failed, PLAYBOOK, NOON)
    second = decide(first.conversation, failed, PLAYBOOK, NOON)
    heard = decide(second.conversation, message("here again"), PLAYBOOK, NOON)
    third = decide(heard.conversation, failed, PLAYBOOK, NOON)

    assert [len(one.actions) for one in (first, second, third)] == [1, 0, 1]
