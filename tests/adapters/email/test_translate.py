"""A mail becomes what a customer said; what we say becomes a mail that harms nobody and is known when it comes back."""

import base64
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from Crypto.PublicKey import RSA
from tests.adapters.email.samples import HOUSE, mail, written

from imconnect.domain.messages import Address, Choice, Incoming, Outgoing, Purpose, Unreadable
from imconnect_email.mail import AutomaticKind, Remark
from imconnect_email.reading import read_mail
from imconnect_email.signatures import Signing
from imconnect_email.threading import Joined, Peer, joined
from imconnect_email.translate import (
    Letterhead,
    compose,
    envelope_sender,
    incoming_id,
    message_id,
    message_id_of,
    to_incoming,
)
from imconnect_email.trust import Trust, Verdict, judge

NOW = datetime(2026, 1, 8, 9, 10, tzinfo=UTC)
HEAD = Letterhead("support@im.example", "IM Support 客服", b"a secret of the tests")
PEER = Peer("alice@example.com")
UNTRUSTED = Verdict(Trust.UNTRUSTED, "")


def incoming(name: str) -> Incoming:
    found = to_incoming(mail(name), Joined(PEER, "token"), "support@im.example", NOW)
    assert isinstance(found, Incoming)
    return found


def outgoing(text: str = "Your transfer is on its way.", **changes: object) -> Outgoing:
    values = {
        "key": "turn-7/1",
        "address": Address("email", "support@im.example", str(PEER)),
        "text": text,
        "purpose": Purpose.ANSWER,
        **changes,
    }
    return Outgoing(**values)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the tests' own fields


def sent(message: Outgoing, subject: str = "IM Support", references: tuple[str, ...] = ()) -> EmailMessage:
    raw = compose(message, HEAD, subject=subject, date=NOW, references=references)
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def body(found: EmailMessage, kind: str) -> str:
    part = found.get_body((kind,))
    assert part is not None
    text = part.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


# ------------------------------------------------------------------------------------------------------------- reading


def test_a_reply_says_its_new_text_alone_and_hands_over_what_it_quotes_apart() -> None:
    """E-24, E-25: what is quoted is for the guard and for agents."""
    found = incoming("reply_qq_zh")

    assert found.text == "还是没有收到。"
    assert "交易哈希" in found.quoted
    assert "还是没有收到" not in found.quoted


def test_a_first_mail_says_its_subject_too() -> None:
    assert incoming("subject_raw_gbk").text == "忘记密码怎么办\n\n收不到邮件。"


def test_the_author_is_the_address_and_the_time_is_ours() -> None:
    found = incoming("reply_gmail_zh")

    assert mail("reply_gmail_zh").date not in (None, NOW)
    assert (found.author.id, found.author.name) == ("alice@example.com", "Alice")
    assert found.sent_at == NOW


def test_the_files_of_a_mail_are_those_of_the_message() -> None:
    found = incoming("file_names").attachments

    assert [(one.id, one.name, one.size) for one in found][:2] == [("0", "转账记录.pdf", 8), ("1", "截图.png", 66)]


def test_the_id_of_a_message_tells_the_message_id_an_answer_needs() -> None:
    assert message_id_of(incoming_id(mail("human_auto_submitted_no"))) == "<m1@example.com>"
    assert message_id_of(incoming_id(mail("message_id_missing"))) is None


def test_what_has_a_problem_is_told_without_its_words() -> None:
    """E-20: the raw item goes before an operator by its size and the reason."""
    found = to_incoming(mail("from_missing"), Joined(PEER, None), "support@im.example", NOW)

    assert isinstance(found, Unreadable)
    assert "Hi" not in repr(found)
    assert found.reason == "no sender: From is missing or holds no address"


# ------------------------------------------------------------------------------------------------------------- writing


def test_a_mail_says_the_same_in_plain_text_and_in_html() -> None:
    found = sent(outgoing("转账在路上。\n\n<b>see</b> https://im.example/help?a=1&b=2."))

    assert found.get_content_type() == "multipart/alternative"
    assert "转账在路上。\n\n<b>see</b> https://im.example/help?a=1&b=2." in body(found, "plain")
    assert "&lt;b&gt;see&lt;/b&gt;" in body(found, "html")
    assert '<a href="https://im.example/help?a=1&amp;b=2">https://im.example/help?a=1&amp;b=2</a>.' in body(
        found, "html"
    )


def test_nothing_in_a_mail_is_fetched_from_elsewhere() -> None:
    html = body(sent(outgoing()), "html")

    assert not re.search(r"<(?:img|link|script|iframe|object)|url\(|src=", html)


@pytest.mark.parametrize(
    "text", ["转账" * 5_000, "مرحبا، التحويل في الطريق", "a" * 5_000, "😀" * 2_000, "héllo " * 900]
)
def test_any_letters_arrive_whole_on_lines_servers_take(text: str) -> None:
    raw = compose(outgoing(text), HEAD, subject=text[:200], date=NOW)
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)

    assert text.strip() in body(found, "plain")
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "RFC 5322, 2.1.1"
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_each_paragraph_takes_its_direction_from_its_own_letters() -> None:
    html = body(sent(outgoing("مرحبا\n\nHello")), "html")

    assert html.count('<p dir="auto"') == 3, "our marker and two paragraphs"


def test_choices_are_numbered_lines() -> None:
    found = sent(outgoing("Which?", choices=(Choice("a", "Not received"), Choice("b", "Wrong amount"))))

    assert "Which?\n\n1. Not received\n2. Wrong amount\n" in body(found, "plain")


def test_the_same_send_is_the_same_mail() -> None:
    """E-27: after a connection lost in DATA it goes out again with the Message-ID it had, and with all else."""
    once, again = (compose(outgoing(), HEAD, subject="s", date=NOW) for _ in range(2))
    other = compose(outgoing(key="turn-7/2"), HEAD, subject="s", date=NOW)

    assert once == again
    assert message_id(outgoing(), HEAD).encode() in once
    assert message_id(outgoing(), HEAD).encode() not in other


def test_an_answer_names_what_it_answers() -> None:
    found = sent(outgoing(), references=("<a@example.com>", "<b@example.com>"))

    assert found["In-Reply-To"] == "<b@example.com>"
    assert found["References"] == "<a@example.com> <b@example.com>"


def test_a_long_thread_is_named_by_its_first_and_its_last_mails() -> None:
    thread = tuple(f"<{number}@example.com>" for number in range(100))
    found = str(sent(outgoing(), references=thread)["References"]).split()

    assert (found[0], found[-1], len(found)) == (thread[0], thread[-1], 20)


@pytest.mark.parametrize("purpose", [Purpose.ANSWER, Purpose.QUESTION, Purpose.NOTICE, Purpose.WARNING])
def test_what_no_person_says_is_marked_so_that_nothing_answers_it(purpose: Purpose) -> None:
    """E-11: RFC 3834, Exchange's field, our own; and an empty envelope sender."""
    found = sent(outgoing(purpose=purpose))

    assert found["Auto-Submitted"] == "auto-replied"
    assert found["X-Auto-Response-Suppress"] == "All"
    assert found["X-IMConnect-Loop"]
    assert envelope_sender(outgoing(purpose=purpose), HEAD) == ""


def test_what_an_agent_says_is_not_automatic() -> None:
    found = sent(outgoing(purpose=Purpose.REPLY))

    assert found["Auto-Submitted"] is None
    assert found["X-IMConnect-Loop"] is None
    assert envelope_sender(outgoing(purpose=Purpose.REPLY), HEAD) == "support@im.example"


def test_our_automatic_mail_is_a_loop_when_it_comes_back() -> None:
    """E-11: as it is, and from whomever."""
    raw = compose(outgoing(), HEAD, subject="s", date=NOW).replace(b"<support@im.example>", b"<other@im.example>")

    assert read_mail(raw, house=HOUSE).automatic is AutomaticKind.LOOP


def test_an_answer_to_our_mail_joins_the_conversation_it_came_from() -> None:
    """E-07: by the Message-ID, and by the Reply-To alone."""
    peer = Peer("alice@example.com", "abcdefgh")
    ours = sent(outgoing(address=Address("email", "support@im.example", str(peer))))
    by_id = read_mail(written(fields=f"In-Reply-To: {ours['Message-ID']}\r\n".encode()))
    by_address = read_mail(written(fields=f"To: {ours['Reply-To']}\r\n".encode()))

    assert joined(by_id, UNTRUSTED, HEAD.secret) == Joined(peer, "token")
    assert joined(by_address, UNTRUSTED, HEAD.secret) == Joined(peer, "token")


def test_an_answer_to_our_mail_holds_none_of_our_words() -> None:
    """E-24: our marker parts them, in text and in HTML, whatever the client writes above it."""
    ours = sent(outgoing("忘记密码请点击这里。"))
    answer = f"谢谢\n\nSomebody schrieb etwas\n\n{body(ours, 'plain')}"
    in_html = f"<p>谢谢</p>{body(ours, 'html')}"

    assert "忘记密码" not in read_mail(written(answer.encode())).new_text
    assert (
        "忘记密码"
        not in read_mail(written(in_html.encode(), fields=b"Content-Type: text/html; charset=utf-8\r\n")).new_text
    )


HOSTILE = "Hi\r\nBcc: victim@example.com\r\n\r\nbody\x00\x1b\u2028\ud800"


def test_nothing_can_be_put_into_a_header() -> None:
    """E-28: line ends, NUL, half a character, in all that a header is made of; the mail is still sent."""
    head = Letterhead("support@im.example", HOSTILE, b"x")
    raw = compose(outgoing(HOSTILE), head, subject=HOSTILE, date=NOW, references=(HOSTILE, "<a@b>\r\nBcc: <x@y>"))
    found = message_from_bytes(raw, policy=policy.default)

    assert found["Bcc"] is None
    assert found["References"] is None
    assert str(found["Subject"]).startswith("Hi Bcc: victim@example.com body")
    assert [one.addr_spec for one in found["From"].addresses] == ["support@im.example"]
    assert [one.addr_spec for one in found["To"].addresses] == ["alice@example.com"]


@pytest.mark.parametrize(
    "peer", ["", "nobody", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "<a@b.example>"]
)
def test_a_peer_that_is_no_address_is_not_written_to(peer: str) -> None:
    """E-28: not even where it is made to look like two."""
    with pytest.raises(ValueError, match="the peer is no address"):
        compose(outgoing(address=Address("email", "support@im.example", peer)), HEAD, subject="s", date=NOW)


def test_a_domain_beyond_ascii_is_written_as_dns_has_it() -> None:
    raw = compose(outgoing(address=Address("email", "a", "alice@例子.中国")), HEAD, subject="s", date=NOW)

    assert b"To: alice@xn--fsqu00a.xn--fiqs8s\r\n" in raw


def test_a_local_part_beyond_ascii_is_written_as_it_is() -> None:
    """RFC 6531: such a mail needs a server that takes SMTPUTF8."""
    raw = compose(outgoing(address=Address("email", "a", "用户@例子.中国")), HEAD, subject="转账", date=NOW)

    assert "To: 用户@xn--fsqu00a.xn--fiqs8s\r\n".encode() in raw


@pytest.mark.parametrize("name", ['IM "Support", Inc.', "IM @ Home <x@y.example>", "a" * 300, "客服😀" * 40, ""])
def test_our_own_name_may_hold_any_signs(name: str) -> None:
    raw = compose(outgoing(), Letterhead("support@im.example", name, b"x"), subject="s", date=NOW)
    found = read_mail(raw)

    assert found.sender is not None
    assert found.sender.address == "support@im.example"
    assert found.sender.name == name.replace('"', "")
    assert Remark.AMBIGUOUS_SENDER not in found.remarks


def test_nothing_of_the_customers_is_in_what_is_sent() -> None:
    """E-25 and the abuse of acknowledgements: neither words, nor name, nor subject; their address alone."""
    theirs = mail("quote_with_recovery_phrase")
    found = sent(outgoing(), references=theirs.references)
    said = "".join((body(found, "plain"), body(found, "html"), *map(str, found.values())))

    assert "winner" not in said
    assert "Alice" not in said
    assert "Your question" not in said


def test_a_mail_can_be_signed() -> None:
    key = RSA.generate(2048)
    head = Letterhead("support@im.example", "IM", b"x", Signing("im.example", "s1", key.export_key()))
    raw = compose(outgoing("转账在路上。"), head, subject="IM", date=NOW)

    def records(name: bytes, timeout: int = 5) -> bytes | None:
        public = base64.b64encode(key.public_key().export_key("DER"))
        return b"v=DKIM1; k=rsa; p=" + public if name == b"s1._domainkey.im.example." else None

    assert judge(read_mail(raw), raw, lookup=records).trust is Trust.TRUSTED
