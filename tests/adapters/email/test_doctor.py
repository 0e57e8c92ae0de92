"""`imconnect doctor` tries a support address end to end, says what is missing, and leaves nothing behind."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.email.desk import running_desk
from tests.adapters.email.test_listening import Zone
from tests.adapters.email.test_signing import published, rsa_key
from tests.adapters.email.transport_world import at_script, at_servers
from tests.worlds.mail import BASIC, Instead, MailServers, ScriptedImap, ScriptedSmtp, serving_imap, serving_smtp
from tests.worlds.needs import needs_mail_servers

from imconnect.domain.conversations import Stage
from imconnect.ports import Finding, Speaker
from imconnect_email import EmailAdapter, trial
from imconnect_email.headers import first_of
from imconnect_email.mail import AutomaticKind
from imconnect_email.reading import read_mail
from imconnect_email.sending import Mail, Relay
from imconnect_email.signatures import TxtLookup
from imconnect_email.trial import Occasion, trial_mail
from imconnect_email.trust import Trust, judge

QUIET = Zone({}, silent=True)
OCCASION = Occasion("0123456789abcdef0123", "Sun, 22 Nov 2026 10:00:00 +0000")


@pytest.fixture
async def smtp() -> AsyncGenerator[ScriptedSmtp]:
    async with serving_smtp(ScriptedSmtp()) as started:
        yield started


async def found(chosen: Any, lookup: TxtLookup = QUIET) -> list[Finding]:
    """What doctor says."""
    adapter = EmailAdapter(chosen, lookup)
    try:
        return list(await adapter.check())
    finally:
        await adapter.close()


async def found_at(imap: ScriptedImap, smtp: ScriptedSmtp, lookup: TxtLookup = QUIET, **others: Any) -> list[Finding]:
    """The same with scripted servers, the one of which leads to the other."""
    async with serving_imap(imap):
        chosen = at_script(imap, **others)
        return await found(
            chosen.model_copy(update={"smtp": chosen.smtp.model_copy(update={"port": smtp.port})}), lookup
        )


def says(findings: Sequence[Finding], subject: str, *, well: bool = True) -> str:
    """All that is said of *subject*, and is well or is not."""
    return "\n".join(one.says for one in findings if one.subject == subject and one.well is well)


def lacking(*names: str) -> ScriptedImap:
    return ScriptedImap(tuple(name for name in BASIC if name not in names))


# ------------------------------------------------------------------------------------------------------ real servers


@needs_mail_servers
@pytest.mark.parametrize("tls", ["off", "implicit", "starttls"])
async def test_a_mail_to_ourselves_arrives_and_is_removed(mail_servers: MailServers, tls: Any) -> None:
    address = mail_servers.somebody()
    port = mail_servers.imap if tls == "starttls" else None
    findings = await found(at_servers(mail_servers, address, tls, port, address=address))

    assert [one.says for one in findings if not one.well] == []
    assert "a mail to ourselves arrived in INBOX after" in says(findings, "email.address")
    assert "was removed" in says(findings, "email.address")
    assert "tells of new mail (IDLE)" in says(findings, "email.imap")
    assert "0% of 1024 MB are used" in says(findings, "email.quota")
    assert mail_servers.mails(address) == []


@needs_mail_servers
async def test_a_mailbox_that_is_nearly_full_is_told_of(mail_servers: MailServers) -> None:
    full = "full@test.example"
    await asyncio.to_thread(mail_servers.lay, full, [b"From: a@test.example\r\n\r\n" + b"x" * 62_000])
    findings = await found(at_servers(mail_servers, full, address=full))

    assert "make room" in says(findings, "email.quota", well=False)


@needs_mail_servers
async def test_a_desk_that_runs_keeps_the_trial_as_automatic_and_answers_nothing(
    mail_servers: MailServers, tmp_path: Path
) -> None:
    """E-11"""
    address = mail_servers.somebody()
    chosen = at_servers(mail_servers, address, address=address)
    left = trial_mail(address, OCCASION, None)
    async with running_desk(mail_servers, tmp_path, address) as desk:
        await Relay(chosen, None).send(Mail("", (address,), left))
        async with asyncio.timeout(20):
            while not (seen := await desk.store.summaries(frozenset(Stage), 10)):  # noqa: ASYNC110 - the store has no bell
                await asyncio.sleep(0.05)
        findings = await found(chosen)
        await desk.settles()
        kept = await desk.store.dossier(seen[0].reference)
        backlog = await desk.store.backlog(desk.clock())
        waiting = [one for one in await desk.store.summaries(frozenset(Stage), 10) if one.place is not None]

    assert [one.says for one in findings if not one.well] == []
    assert kept is not None
    assert [line.speaker for line in kept.lines] == [Speaker.CUSTOMER]
    assert (backlog.failed_sends, waiting) == (0, [])
    assert [read_mail(raw).subject for raw in mail_servers.mails(address)] == [trial.SUBJECT]  # the one laid there


# -------------------------------------------------------------------------------------------------- servers that lack


async def test_without_idle_it_is_said_and_the_mail_is_found_by_looking(smtp: ScriptedSmtp) -> None:
    imap = lacking("IDLE")
    smtp.brings = lambda raw: asyncio.get_running_loop().call_later(0.5, imap.receive, raw)
    async with asyncio.timeout(10):
        findings = await found_at(imap, smtp)

    assert "cannot IDLE: looked at every 30 s" in says(findings, "email.imap")
    assert "a mail to ourselves arrived" in says(findings, "email.address")
    assert imap.mails == {}


async def test_a_server_without_quotas_says_nothing_of_room(smtp: ScriptedSmtp) -> None:
    imap = lacking("QUOTA")
    smtp.brings = imap.receive
    findings = await found_at(imap, smtp)

    assert "email.quota" not in {one.subject for one in findings}
    assert [one.says for one in findings if not one.well] == []


async def test_where_single_mails_cannot_be_removed_it_is_said_and_the_trial_stays(smtp: ScriptedSmtp) -> None:
    imap = lacking("UIDPLUS", "MOVE")
    smtp.brings = imap.receive
    findings = await found_at(imap, smtp)

    assert "set it to false" in says(findings, "email.purge_secrets", well=False)
    assert "lies there still" in says(findings, "email.address")
    assert len(imap.mails) == 1


async def test_a_mail_that_does_not_arrive_is_told_of_in_time(
    smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "ARRIVES_WITHIN", 0.5)
    async with asyncio.timeout(10):
        findings = await found_at(ScriptedImap(), smtp)

    assert len(smtp.taken) == 1
    assert "leads to this mailbox" in says(findings, "email.address", well=False)


async def test_a_mailbox_that_breaks_while_the_mail_is_awaited_is_looked_into_again(smtp: ScriptedSmtp) -> None:
    imap = ScriptedImap()
    smtp.brings = imap.receive
    imap.once("IDLE", Instead.CLOSE)
    imap.once("body 1", Instead.CLOSE)
    findings = await found_at(imap, smtp)

    assert "a mail to ourselves arrived" in says(findings, "email.address")


async def test_a_sending_server_that_refuses_us_is_told_of_and_nothing_is_awaited(smtp: ScriptedSmtp) -> None:
    smtp.repeat("RCPT", b"550 5.7.1 no relaying\r\n")
    findings = await found_at(ScriptedImap(), smtp)

    assert "550 5.7.1" in says(findings, "email.address", well=False)


async def test_a_sending_server_that_hangs_is_not_waited_for_without_end(
    smtp: ScriptedSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SENT_WITHIN", 0.3)
    smtp.repeat("DATA", Instead.SILENCE)
    async with asyncio.timeout(10):
        findings = await found_at(ScriptedImap(), smtp)

    assert "within 0.3 s" in says(findings, "email.address", well=False)


async def test_nothing_is_sent_where_nobody_could_look_for_it(smtp: ScriptedSmtp) -> None:
    imap = ScriptedImap()
    imap.repeat("LOGIN", b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n")
    findings = await found_at(imap, smtp)

    assert "correct email.imap.user and password" in says(findings, "email.imap", well=False)
    assert smtp.taken == []


async def test_a_trial_is_marked_so_that_nobody_answers_it_and_is_like_no_other(smtp: ScriptedSmtp) -> None:
    """RFC 3834: sent as automatic mail is, with an empty envelope sender."""
    imap = ScriptedImap()
    smtp.brings = imap.receive
    await found_at(imap, smtp)
    await found_at(imap, smtp)
    one, other = (read_mail(taken.raw) for taken in smtp.taken)

    assert [taken.sender for taken in smtp.taken] == ["", ""]
    assert one.automatic is AutomaticKind.LOOP
    assert (first_of(one.fields, "auto-submitted"), one.acknowledge) == (b"auto-generated", False)
    assert one.message_id != other.message_id


async def test_it_is_said_where_the_server_takes_no_empty_sender(smtp: ScriptedSmtp) -> None:
    imap = ScriptedImap()
    smtp.brings = imap.receive
    smtp.once("MAIL", b"501 Invalid MAIL FROM address provided\r\n")
    smtp.repeat("RSET", b"250 ok\r\n")
    findings = await found_at(imap, smtp)

    assert "takes no empty envelope sender" in says(findings, "email.address")


# ----------------------------------------------------------------------------------------------------- what DNS says


async def test_our_own_signature_is_tried_against_the_key_in_dns(smtp: ScriptedSmtp, tmp_path: Path) -> None:
    imap, key = ScriptedImap(), rsa_key(tmp_path, 2048)
    smtp.brings = imap.receive
    chosen = {"dkim": {"selector": "desk", "key_file": str(key)}}
    place = "desk._domainkey.test.example"
    right = await found_at(imap, smtp, Zone({place: published(key)}), **chosen)
    absent = await found_at(imap, smtp, Zone({}), **chosen)
    silent = await found_at(imap, smtp, QUIET, **chosen)

    assert place in says(right, "email.dkim")
    assert place in says(absent, "email.dkim", well=False)
    assert "DNS does not answer" in says(silent, "email.dkim")


async def test_whether_the_sending_server_signs_is_seen_in_the_mail_to_ourselves(smtp: ScriptedSmtp) -> None:
    imap = ScriptedImap()
    signature = b"DKIM-Signature: v=1; a=rsa-sha256; d=test.example; s=x; h=from; bh=a; b=b\r\n"
    smtp.brings = lambda raw: imap.receive(signature + raw)
    signed = await found_at(imap, smtp)
    smtp.brings = lambda raw: imap.receive(signature.replace(b"d=test.", b"d=other.") + raw)
    by_another = await found_at(imap, smtp)

    assert "DKIM: the sending server signs as test.example" in says(signed, "email.address")
    assert "came unsigned" in says(by_another, "email.address")


def test_a_trial_proves_nothing_of_its_sender() -> None:
    """E-11: whoever sends a copy of it is nobody."""
    raw = trial_mail("desk@test.example", OCCASION, None)

    assert judge(read_mail(raw), raw, authserv_id="mx.test.example").trust is Trust.UNTRUSTED
