"""A mail that did not arrive is told by its send, whoever's server says so, and for good or for now."""

import pytest
from tests.adapters.email.samples import mail, written

from imconnect_email.mail import AutomaticKind, Bounce
from imconnect_email.reading import read_mail

OURS = "<im.abcdefghijklmnop.qrstuvwxyz234567@im.example>"
ALICE = "alice@example.com"

BOUNCES = {
    "bounce_postfix_unknown": Bounce(OURS, ALICE, "5.1.1", final=True, sent_to=ALICE),
    "bounce_postfix_delayed": Bounce(OURS, ALICE, "4.4.1", final=False, sent_to=ALICE),
    "bounce_given_up": Bounce(OURS, ALICE, "4.4.7", final=False, sent_to=ALICE),
    "bounce_exchange": Bounce(OURS, ALICE, "5.1.10", final=True),
    "bounce_qmail": Bounce(OURS, ALICE, "5.1.1", final=True),
    "bounce_qq": Bounce(OURS, "10001@qq.com", None, final=True),
    "bounce_163_full": Bounce(None, "xiaoming@163.com", None, final=False),
}


@pytest.mark.parametrize("name", BOUNCES)
def test_a_bounce_names_its_send_and_whether_it_is_final(name: str) -> None:
    """E-13: 5.x.x stops sending, 4.x.x does not; by RFC 3464, by qmail, by Exchange, by QQ and 163."""
    found = mail(name)

    assert found.bounce == BOUNCES[name]
    assert found.automatic is AutomaticKind.BOUNCE
    assert not found.acknowledge


def test_a_report_of_success_is_no_bounce() -> None:
    found = mail("receipt_delivered")

    assert found.bounce is None
    assert found.automatic is AutomaticKind.REPLIED


def test_a_person_who_writes_of_a_bounce_is_no_bounce() -> None:
    found = mail("human_about_a_bounce")

    assert found.bounce is None
    assert found.automatic is None


def test_of_many_recipients_the_one_who_failed_is_told() -> None:
    body = (
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; a@x.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n"
        b"Final-Recipient: rfc822; b@x.example\r\nAction: failed\r\nStatus: 5.2.1\r\n\r\n--b--\r\n"
    )
    found = read_mail(
        written(
            body,
            fields=b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
            sender=b"mailer-daemon@x.example",
        )
    )

    assert found.bounce is not None
    assert (found.bounce.recipient, found.bounce.status) == ("b@x.example", "5.2.1")


def report(group: bytes, sender: bytes = b"mailer-daemon@x.example", fields: bytes = b"") -> bytes:
    """A report of RFC 3464 about one recipient."""
    body = (
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n" + group + b"\r\n--b--\r\n"
    )
    return written(body, fields=fields + b"Content-Type: multipart/mixed; boundary=b\r\n", sender=sender)


def test_a_report_without_its_status_has_that_of_the_server_it_quotes() -> None:
    group = (
        b"Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nDiagnostic-Code: smtp; 452 4.2.2 mailbox full\r\n"
    )
    bounce = read_mail(report(group)).bounce

    assert bounce is not None
    assert (bounce.status, bounce.final) == ("4.2.2", False)


def test_whom_we_wrote_to_is_told_where_mail_was_forwarded() -> None:
    group = (
        b"Original-Recipient: rfc822; alice@x.example\r\nFinal-Recipient: rfc822; a7@inner.example\r\n"
        b"Action: failed\r\nStatus: 5.1.1\r\n"
    )
    bounce = read_mail(report(group)).bounce

    assert bounce is not None
    assert bounce.recipient == "alice@x.example"


@pytest.mark.parametrize("proof", [b"Return-Path: <>\r\n", b"X-Failed-Recipients: a@x.example\r\n"])
def test_a_server_under_any_name_is_one_by_its_envelope_or_its_fields(proof: bytes) -> None:
    group = b"Final-Recipient: rfc822; a@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"

    assert read_mail(report(group, sender=b"helpdesk@x.example", fields=proof)).bounce is not None
    assert read_mail(report(group, sender=b"helpdesk@x.example")).bounce is None


@pytest.mark.parametrize(
    ("prose", "final"),
    [
        ("550 No such user here", True),
        ("452 4.2.2 The mailbox is over quota", False),
        ("The address does not exist", True),
        ("We will keep trying for two days", False),
        ("收件人邮箱不存在", True),
        ("稍后再试", False),
        ("The mailbox is unavailable now; we will keep trying", False),
        ("收件人邮箱暂时无效", False),
        ("It went wrong\n\n--- Below this line is a copy of the message.\n\n550 5.1.1 is what I was told", False),
        ("It went wrong at 550 Main Street 5.1", False),
    ],
)
def test_prose_is_final_only_where_it_leaves_no_hope(prose: str, final: bool) -> None:
    raw = b"From: postmaster@x.example\r\nSubject: Delivery failure\r\n\r\n" + prose.encode()
    bounce = read_mail(raw).bounce

    assert bounce is not None
    assert bounce.final is final
