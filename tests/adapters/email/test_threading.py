"""A mail joins a conversation by a token of ours from whom it was sent to, or by who its sender provably is."""

import pytest
from tests.adapters.email.samples import mail, written

from imconnect_email.mail import Mail
from imconnect_email.reading import read_mail
from imconnect_email.threading import (
    Joined,
    Peer,
    bounced_token,
    joined,
    message_id_for,
    proves,
    reply_address,
    token_for,
    tokens_in,
)
from imconnect_email.trust import Trust, Verdict

SECRET = b"a secret of the tests"
ALICE = "alice@example.com"
TRUSTED = Verdict(Trust.TRUSTED, "DMARC passed")
UNTRUSTED = Verdict(Trust.UNTRUSTED, "DMARC failed")


def reply(fields: str, *, sender: str = f"Alice <{ALICE}>", subject: str = "Re: Question") -> Mail:
    return read_mail(f"From: {sender}\r\nSubject: {subject}\r\n{fields}\r\nHi".encode())


def our_id(peer: Peer, send: str = "send-1") -> str:
    return message_id_for(token_for(send, peer, SECRET), "im.example")


def peer_of(one: Mail, verdict: Verdict = UNTRUSTED) -> Joined:
    found = joined(one, verdict, SECRET)
    assert found is not None
    return found


def test_a_number_in_the_subject_opens_nothing() -> None:
    """E-01: a stranger who writes `Re: Ticket#1234` is a stranger."""
    found = peer_of(reply("", sender="eve@evil.example", subject="Re: Ticket#1234 IM-7K3F-92QX"))

    assert found.proof is None
    assert found.peer.address == "eve@evil.example"
    assert found.peer.mark


def test_a_forged_from_opens_a_conversation_of_its_own() -> None:
    """E-02: From is the customer's, nothing authenticates it; the customer's own conversation stays apart."""
    found = peer_of(reply(""))

    assert found.proof is None
    assert str(found.peer) != ALICE
    assert str(found.peer).startswith(f"{ALICE}#")


def test_an_authenticated_sender_is_the_customer() -> None:
    assert peer_of(reply(""), TRUSTED) == Joined(Peer(ALICE), "authenticated")


@pytest.mark.parametrize("field", ["In-Reply-To", "References"])
def test_a_token_in_what_is_answered_joins(field: str) -> None:
    found = peer_of(reply(f"{field}: <other@x.example> {our_id(Peer(ALICE))}\r\n"))

    assert found == Joined(Peer(ALICE), "token")


def test_a_token_with_a_wrong_mac_opens_a_conversation_of_its_own() -> None:
    """E-06: and so does one of another secret."""
    right = token_for("send-1", Peer(ALICE), SECRET)
    wrong = message_id_for(token_for("send-1", Peer(ALICE), b"guessed"), "im.example")
    swapped = f"<im.{right.key}.{right.mac[::-1]}@im.example>"

    assert peer_of(reply(f"References: {wrong} {swapped}\r\n")).proof is None


def test_a_token_of_another_send_does_not_fit() -> None:
    one, other = (token_for(send, Peer(ALICE), SECRET) for send in ("send-1", "send-2"))

    assert peer_of(reply(f"References: <im.{one.key}.{other.mac}@im.example>\r\n")).proof is None


@pytest.mark.parametrize("field", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_where_a_relay_rewrote_our_message_id_the_address_still_joins(field: str) -> None:
    """E-07: the token in Reply-To comes back as the recipient."""
    address = reply_address(token_for("send-1", Peer(ALICE), SECRET), "support@im.example")
    found = peer_of(reply(f"{field}: IM <{address}>\r\nIn-Reply-To: <0100abc@email.relay.example>\r\n"))

    assert found == Joined(Peer(ALICE), "token")


@pytest.mark.parametrize("field", ["To", "In-Reply-To"])
def test_a_token_survives_a_relay_that_changes_its_case(field: str) -> None:
    """E-07: local parts are lowered or raised on the way."""
    token = token_for("send-1", Peer(ALICE, "abcdefgh"), SECRET)
    address = reply_address(token, "support@im.example")
    brought = {"To": address, "In-Reply-To": message_id_for(token, "im.example")}[field].upper()

    assert peer_of(reply(f"{field}: {brought}\r\n")).proof == "token"


def test_two_mails_of_one_unverified_address_are_two_conversations() -> None:
    """E-02: whoever forges an address again finds nothing of what was said to the first who did."""
    one, other = peer_of(reply("Message-ID: <1@x.example>\r\n")), peer_of(reply("Message-ID: <2@x.example>\r\n"))

    assert one.peer.address == other.peer.address == ALICE
    assert one.peer != other.peer


def test_of_several_tokens_the_newest_tells() -> None:
    older, newer = Peer(ALICE, "aaaaaaaa"), Peer(ALICE, "bbbbbbbb")
    thread = f"References: {our_id(older)} {our_id(newer)}\r\n"

    assert peer_of(reply(thread)).peer == newer
    assert peer_of(reply(f"{thread}In-Reply-To: {our_id(older)}\r\n")).peer == older


def test_an_answer_in_an_unverified_conversation_joins_it_and_not_the_customers() -> None:
    first = peer_of(reply(""))
    answer = peer_of(reply(f"In-Reply-To: {our_id(first.peer)}\r\n"))

    assert answer == Joined(first.peer, "token")


def test_somebody_else_with_the_customers_token_is_somebody_else() -> None:
    """E-30: who was in copy, or was forwarded our mail, answers for themselves."""
    found = peer_of(reply(f"In-Reply-To: {our_id(Peer(ALICE))}\r\n", sender="carol@example.com"), TRUSTED)

    assert found == Joined(Peer("carol@example.com"), "authenticated")


def test_the_mark_of_a_conversation_cannot_be_taken_off_or_put_on_a_token() -> None:
    marked = token_for("send-1", Peer(ALICE, "abcdefgh"), SECRET)
    bare = next(tokens_in([f"im.{marked.key}.{marked.mac}"]))

    assert proves(marked, ALICE, SECRET) == Peer(ALICE, "abcdefgh")
    assert proves(bare, ALICE, SECRET) is None


def test_reply_to_proves_nothing() -> None:
    address = reply_address(token_for("send-1", Peer(ALICE), SECRET), "support@im.example")

    assert peer_of(reply(f"Reply-To: {address}\r\n")).proof is None


def test_a_token_is_the_same_however_often_it_is_made() -> None:
    """E-27: so a send that is repeated keeps its Message-ID."""
    assert our_id(Peer(ALICE)) == our_id(Peer(ALICE))
    assert our_id(Peer(ALICE)) != our_id(Peer(ALICE), "send-2")


def test_a_token_fits_where_an_address_may_be() -> None:
    token = token_for("send-1", Peer(ALICE, "abcdefgh"), SECRET)
    local, _, _ = reply_address(token, "support@im.example").partition("@")

    assert len(local) <= 64
    assert reply_address(token, f"{'s' * 40}@im.example") == f"{'s' * 40}@im.example"


def test_a_peer_is_read_back_as_it_was_written() -> None:
    for peer in (Peer(ALICE), Peer(ALICE, "abcdefgh")):
        assert Peer.parse(str(peer)) == peer


def test_a_bounce_finds_its_send_only_by_a_token_of_ours() -> None:
    """E-13: whoever makes a bounce up has no token."""
    token = token_for("send-1", Peer(ALICE), SECRET)
    report = (
        "From: mailer-daemon@mx.example.com\r\nSubject: failure notice\r\n\r\n"
        "<alice@example.com>: 550 5.1.1 unknown\r\nMessage-ID: {}\r\n"
    )
    ours = read_mail(report.format(message_id_for(token, "im.example")).encode())
    forged = read_mail(report.format(message_id_for(token_for("x", Peer(ALICE), b"?"), "im.example")).encode())

    assert bounced_token(ours, SECRET) == (token, Peer(ALICE))
    assert bounced_token(forged, SECRET) is None


def test_a_bounce_from_where_mail_is_forwarded_to_finds_its_send() -> None:
    """E-13: the recipient who failed is not the one we wrote to."""
    token = token_for("send-1", Peer(ALICE), SECRET)
    ours = message_id_for(token, "im.example")
    report = (
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; alice@elsewhere.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nTo: {ALICE}\r\nMessage-ID: {ours}\r\n\r\nx\r\n--b--\r\n"
    )
    found = read_mail(
        written(
            report.encode(), fields=b"Content-Type: multipart/report; boundary=b\r\n", sender=b"postmaster@x.example"
        )
    )

    assert bounced_token(found, SECRET) == (token, Peer(ALICE))


# ------------------------------------------------------------------------------------------------------------ one mail


def test_a_mail_to_two_of_our_mailboxes_is_one_mail() -> None:
    """E-29: the copies differ in what servers added and in their line ends, not in what was written."""
    one, other = mail("two_mailboxes_support"), mail("two_mailboxes_help")

    assert one.raw_hash != other.raw_hash
    assert one.id == other.id
    assert peer_of(one) == peer_of(other)


def test_a_message_id_that_serves_twice_names_two_mails() -> None:
    """E-19: reused by a different mail."""
    one, other = mail("message_id_reused_one"), mail("message_id_reused_two")

    assert one.message_id == other.message_id
    assert one.id != other.id


def test_the_same_words_of_somebody_else_are_another_mail() -> None:
    """E-19: one Message-ID and one text, two senders or two subjects."""
    fields = "Message-ID: <same@example.com>\r\n"
    ids = {reply(fields).id, reply(fields, sender="bob@example.com").id, reply(fields, subject="Other").id}

    assert len(ids) == 3


def test_a_message_id_without_its_angle_brackets_is_one_all_the_same() -> None:
    assert reply("Message-ID: abc@example.com\r\n").message_id == "<abc@example.com>"


@pytest.mark.parametrize("name", ["message_id_missing", "message_id_empty", "message_id_odd", "message_id_huge"])
def test_a_mail_without_a_usable_message_id_has_an_id_all_the_same(name: str) -> None:
    """E-19: missing, empty, `<@x>`, 10 kB long."""
    found = mail(name)

    assert found.message_id is None
    assert found.problem is None
    assert found.id == mail(name).id
    assert found.id != mail("human_auto_submitted_no").id
