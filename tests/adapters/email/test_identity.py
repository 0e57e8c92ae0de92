"""The sender is the one address of the one From; everything that looks like another is remarked on."""

import pytest
from tests.adapters.email.samples import mail, written

from imconnect_email.headers import mailboxes
from imconnect_email.identity import imitated
from imconnect_email.mail import Remark
from imconnect_email.reading import read_mail


def test_an_address_in_the_name_is_not_the_senders() -> None:
    """E-28 and the address confusion of `help@im.example <evil@…>`: identity is what stands in the angle brackets."""
    found = mail("from_name_is_an_address")

    assert found.sender is not None
    assert found.sender.address == "evil@evil.example"
    assert Remark.NAME_SHOWS_AN_ADDRESS in found.remarks


def test_a_second_from_is_remarked_on() -> None:
    assert Remark.SEVERAL_SENDERS in mail("from_two_fields").remarks


def test_quotes_that_do_not_match_make_the_sender_ambiguous() -> None:
    assert Remark.AMBIGUOUS_SENDER in mail("from_unbalanced_quotes").remarks


def test_a_mail_without_a_sender_is_left_to_an_operator() -> None:
    found = mail("from_missing")

    assert found.problem == "no sender: From is missing or holds no address"
    assert found.text == "Hi"


def test_reply_to_is_a_remark_and_changes_nothing() -> None:
    """E-05: the answer goes to From."""
    found = mail("reply_to_elsewhere")

    assert found.sender is not None
    assert found.sender.address == "alice@example.com"
    assert Remark.REPLY_ELSEWHERE in found.remarks


def test_a_domain_that_looks_like_ours_is_remarked_on() -> None:
    assert Remark.LOOKALIKE_DOMAIN in mail("from_lookalike").remarks


def test_line_ends_and_control_characters_in_fields_are_gone() -> None:
    """E-28: encoded words can hold what a header must not."""
    found = mail("control_characters")

    assert found.subject == "Hi Bcc: victim@example.com [2J"
    assert found.sender is not None
    assert found.sender.name == "Eve Bcc: victim@example.com"
    assert found.sender.address == "eve@example.com"


def test_letters_nobody_sees_in_a_name_are_remarked_on() -> None:
    found = read_mail(written(sender="I\u200bM Support <eve@evil.example>".encode()))

    assert Remark.NAME_IS_DISGUISED in found.remarks


@pytest.mark.parametrize(
    ("field", "address", "name", "clear"),
    [
        (b"alice@example.com", "alice@example.com", "", True),
        (b"<Alice@Example.COM>", "alice@example.com", "", True),
        (b'"Doe, Jane" <jane@example.com>', "jane@example.com", "Doe, Jane", True),
        (b'"A \\"B\\" C" <a@example.com>', "a@example.com", 'A "B" C', True),
        (b"alice@example.com (Alice)", "alice@example.com", "", True),
        (b"=?utf-8?B?5bCP57qi?= <red@qq.com>", "red@qq.com", "小红", True),
        ("王小明 <w@163.com>".encode("gbk"), "w@163.com", "王小明", True),
        (b"Pete(x) <pete(his account)@silly.test(his host)>", "pete@silly.test", "Pete", False),
        (b"a@x.example <b@y.example> <c@z.example>", "c@z.example", "a@x.example", False),
        (b"<a@x.example> b@y.example", "a@x.example", "b@y.example", False),
        (b"Big Bug bug@example.com", "bug@example.com", "Big Bug", False),
        (b'"quoted local"@example.com', '"quoted local"@example.com', "", True),
        ("用户@例子.中国".encode(), "用户@例子.中国", "", True),
    ],
)
def test_a_mailbox_is_read_as_it_was_written(field: bytes, address: str, name: str, clear: bool) -> None:
    (found,) = mailboxes(field)

    assert (found.mailbox.address, found.mailbox.name, found.clear) == (address, name, clear)


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"<>",
        b"@",
        b"alice",
        b"a@b@c",
        b"<a@b..example>",
        b"a@x.example b@example.com",
        b"x" * 300 + b"@example.com",
    ],
)
def test_what_is_no_address_is_none(field: bytes) -> None:
    assert mailboxes(field) == []


def test_a_group_is_its_members() -> None:
    found = mailboxes(b"Friends: a@x.example, B <b@y.example>;, c@z.example")

    assert [one.mailbox.address for one in found] == ["a@x.example", "b@y.example", "c@z.example"]


@pytest.mark.parametrize(
    "domain",
    [
        "lmwallet.example",
        "imwa11et.example",
        "imwalIet.example",
        "іmwallet.example",
        "xn--mwallet-qog.example",
        "imwalet.example",
        "imwlalet.example",
        "imwallet-support.com",
        "imwallet.example.evil.com",
        "support.imwallet.com",
        "irnwallet.example",
    ],
)
def test_a_domain_that_imitates_ours_is_known(domain: str) -> None:
    assert imitated(domain, ["imwallet.example"]) == "imwallet.example"


@pytest.mark.parametrize(
    "domain", ["imwallet.example", "mail.imwallet.example", "example.com", "qq.com", "wallet.example", "example"]
)
def test_our_own_domains_and_strangers_imitate_nobody(domain: str) -> None:
    assert imitated(domain, ["imwallet.example"]) is None
