"""The mail servers of the tests are the real ones: they start in seconds, and do what mail servers do."""

import imaplib
import smtplib
import ssl
import time
from collections.abc import Generator

import pytest
from tests.worlds.mail import DOMAIN, PASSWORD, MailServers, running_mail
from tests.worlds.needs import needs_mail_servers

pytestmark = needs_mail_servers

MAIL = b"From: somebody@test.example\r\nSubject: hello\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def servers() -> Generator[MailServers]:
    with running_mail() as started:
        yield started


def opened(servers: MailServers, user: str, folder: str = "INBOX") -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", servers.imap, timeout=10)
    client.login(user, PASSWORD)
    client.select(folder)
    return client


def validity(client: imaplib.IMAP4) -> bytes:
    told = client.untagged_responses["UIDVALIDITY"][0]
    assert isinstance(told, bytes)
    return told


def test_they_are_ready_and_gone_again_within_seconds() -> None:
    started = time.monotonic()
    with running_mail() as servers:
        ready_after = time.monotonic() - started
        folder = servers.folder
    ended_after = time.monotonic() - started

    assert ready_after < 15
    assert ended_after < 30
    assert not folder.exists()


def test_mail_goes_in_by_smtp_and_comes_out_by_imap(servers: MailServers) -> None:
    user = servers.somebody()
    servers.bring(user, MAIL)
    servers.wait_for(user, 1)
    with opened(servers, user) as client:
        _, found = client.uid("FETCH", "1", "(BODY.PEEK[])")

    assert b"Subject: hello\r\n" in b"".join(found[0])


def test_both_speak_tls_with_the_authority_of_the_tests(servers: MailServers) -> None:
    context = ssl.create_default_context(cafile=str(servers.authority.trusted))
    user = servers.somebody()
    with imaplib.IMAP4_SSL("localhost", servers.imaps, ssl_context=context, timeout=10) as implicit:
        implicit.login(user, PASSWORD)
    with imaplib.IMAP4("localhost", servers.imap, timeout=10) as upgraded:
        upgraded.starttls(context)
        upgraded.login(user, PASSWORD)
    with smtplib.SMTP_SSL("localhost", servers.smtps, context=context, timeout=10) as sending:
        sending.login(user, PASSWORD)
    with smtplib.SMTP("localhost", servers.smtp, timeout=10) as sending:
        sending.starttls(context=context)
        assert sending.login(user, PASSWORD)[0] == 235


@pytest.mark.parametrize(("name", "code"), [("nobody", 550), ("later", 450)])
def test_some_are_refused_and_some_put_off(servers: MailServers, name: str, code: int) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        servers.bring(f"{name}@{DOMAIN}", MAIL)

    assert [told[0] for told in refused.value.recipients.values()] == [code]


def test_a_mailbox_that_is_full_takes_no_more(servers: MailServers) -> None:
    servers.bring(f"full@{DOMAIN}", MAIL + b"x" * 80_000)
    (bounce,) = servers.wait_for(f"somebody@{DOMAIN}", 1)

    assert b"5.2.2" in bounce
    assert servers.mails(f"full@{DOMAIN}") == []


def test_a_folder_gets_another_uidvalidity(servers: MailServers) -> None:
    user = servers.somebody()
    with opened(servers, user) as client:
        before = int(validity(client))
    servers.renumber(user, before + 5)
    with opened(servers, user) as client:
        after = int(validity(client))

    assert after == before + 5


@pytest.mark.parametrize("how", ["stop_imap", "kill_imap"])
def test_dovecot_comes_back_with_what_it_had(servers: MailServers, how: str) -> None:
    user = servers.somebody()
    servers.bring(user, MAIL)
    servers.wait_for(user, 1)
    client = opened(servers, user)
    getattr(servers, how)()
    with pytest.raises((OSError, imaplib.IMAP4.error)):
        client.noop()
    client.shutdown()
    servers.start_imap()
    with opened(servers, user) as again:
        _, found = again.uid("FETCH", "1:*", "(UID)")

    assert len(found) == 1


def test_postfix_is_gone_while_it_is_stopped(servers: MailServers) -> None:
    servers.stop_smtp()
    try:
        with pytest.raises(OSError, match="refused"):
            servers.bring(servers.somebody(), MAIL)
    finally:
        servers.start_smtp()
    user = servers.somebody()
    servers.bring(user, MAIL)

    assert servers.wait_for(user, 1)
