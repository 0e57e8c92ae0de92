"""Machines are told from people; whom it could harm gets no automatic answer, and every mail is kept."""

import pytest
from tests.adapters.email.samples import HOUSE, mail, written

from imconnect_email.mail import AutomaticKind
from imconnect_email.reading import read_mail


@pytest.mark.parametrize("name", ["auto_out_of_office_en", "auto_out_of_office_zh", "auto_vacation"])
def test_an_out_of_office_answer_is_automatic_and_gets_no_answer(name: str) -> None:
    """E-08: and its text is read like any other, so that it can be stored."""
    found = mail(name)

    assert found.automatic in {AutomaticKind.REPLIED, AutomaticKind.GENERATED}
    assert not found.acknowledge
    assert found.new_text


def test_auto_submitted_no_is_a_person() -> None:
    """E-09: any value counts for some; RFC 3834 says that `no` is a person's."""
    found = mail("human_auto_submitted_no")

    assert found.automatic is None
    assert found.acknowledge


@pytest.mark.parametrize("name", ["human_suppress_oof", "human_precedence_bulk"])
def test_a_person_whose_mail_wants_no_automatic_answer_gets_none_and_stays_a_person(name: str) -> None:
    """E-09: Exchange puts `X-Auto-Response-Suppress` on people's mail, and `Precedence` is no proof."""
    found = mail(name)

    assert found.automatic is None
    assert not found.acknowledge


def test_to_speak_of_automatic_answers_is_not_to_be_one() -> None:
    assert mail("human_on_auto_replies").automatic is None


@pytest.mark.parametrize("name", ["loop_own_header", "loop_own_address"])
def test_our_own_mail_coming_back_is_a_loop(name: str) -> None:
    """E-11: from an address of ours, however it is written, or with the field that all our automatic mail carries."""
    found = mail(name)

    assert found.automatic is AutomaticKind.LOOP
    assert not found.acknowledge


def test_a_list_is_told_by_its_fields() -> None:
    assert mail("list_mail").automatic is AutomaticKind.LIST


@pytest.mark.parametrize(
    "field", [b"List-Id: <l.x.example>", b"List-Unsubscribe: <https://x.example>", b"List-Post: NO"]
)
def test_one_field_of_a_list_is_enough(field: bytes) -> None:
    assert read_mail(written(fields=field + b"\r\n")).automatic is AutomaticKind.LIST


@pytest.mark.parametrize(
    "sender", [b"no-reply@shop.example", b"mailer-daemon@x.example", b"bounce+abc@x.example", b"donotreply@x.example"]
)
def test_nobody_answers_an_address_that_is_never_read(sender: bytes) -> None:
    assert not read_mail(written(sender=sender)).acknowledge


def test_a_null_envelope_sender_gets_no_answer() -> None:
    assert not read_mail(written(fields=b"Return-Path: <>\r\n")).acknowledge


@pytest.mark.parametrize(
    ("subject", "automatic"),
    [
        ("Out of Office: question", True),
        ("Automatic reply: question", True),
        ("AutoReply: question", True),
        ("自动回复", True),
        ("自動回覆：您的問題", True),
        ("【自动回复】", True),
        ("out of office hours, who answers?", False),
        ("Automatic payment failed", False),
        ("auto", False),
        ("怎么设置自动回复", False),
    ],
)
def test_a_subject_alone_tells_only_where_it_begins_like_an_automatic_one(subject: str, automatic: bool) -> None:
    raw = b"From: a@b.example\r\nSubject: " + subject.encode() + b"\r\n\r\nHi"

    assert (read_mail(raw, house=HOUSE).automatic is not None) is automatic
