"""The adapter between a mailbox and the desk's door: what it hands over, together with what, and from when on."""

import asyncio
import base64
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from nacl.signing import SigningKey
from structlog.testing import capture_logs
from tests.adapters.email.mail_programs import AUTHSERV_ID
from tests.adapters.email.marked import WithItsDesk
from tests.adapters.email.transport_world import a_mail, at_servers
from tests.worlds.mail import MailServers, proxied
from tests.worlds.needs import needs_mail_servers

from imconnect.domain.messages import Address, Incoming, Remark, Unreadable
from imconnect.ports import Item, Mark, TryLater, Undeliverable
from imconnect.testing.conformance import Inbox, listening, saying, until
from imconnect.testing.kit import MemoryKit
from imconnect_email import adapter as adapter_module
from imconnect_email.adapter import DNS_FAILURES
from imconnect_email.mail import Mail
from imconnect_email.signatures import LookupFailed, Signing, TxtLookup, signed
from imconnect_email.threading import Peer, message_id_for, token_for
from imconnect_email.trust import Verdict, judge

pytestmark = needs_mail_servers


class Zone:
    """A DNS that knows some TXT records, or does not answer."""

    def __init__(self, records: Mapping[str, str], *, silent: bool = False) -> None:
        self.records = records
        self.silent = silent
        self.asked = 0

    def __call__(self, name: bytes, timeout: int = 5) -> bytes | None:
        self.asked += 1
        if self.silent:
            raise LookupFailed("silent")
        found = self.records.get(name.decode().rstrip("."))
        return found.encode() if found is not None else None


NOWHERE = Zone({})


@pytest.fixture
def address(mail_servers: MailServers) -> str:
    return mail_servers.somebody()


@pytest.fixture
async def made() -> AsyncGenerator[list[WithItsDesk]]:
    """The adapters of a test, closed at its end."""
    adapters: list[WithItsDesk] = []
    yield adapters
    for one in adapters:
        await one.close()


async def adapter(
    made: list[WithItsDesk], servers: MailServers, address: str, zone: Zone = NOWHERE, **others: Any
) -> WithItsDesk:
    """An adapter at that mailbox, with its kit; the kit of the one before, as after a restart."""
    kit = made[-1].kit if made else MemoryKit()
    one = WithItsDesk(at_servers(servers, address, address=address, **others), zone)
    await one.equip(kit)
    made.append(one)
    return one


def of(inbox: Inbox) -> list[Incoming]:
    return [item for item in inbox.taken if isinstance(item, Incoming)]


async def test_a_first_start_begins_with_what_comes_from_then_on(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    mail_servers.lay(address, [a_mail(1), a_mail(2)])
    one, inbox = await adapter(made, mail_servers, address), Inbox()
    async with listening(one, inbox):
        await until(lambda: any(name.startswith("uid:") for name in one_kept(one)), "the cursor to be kept")
        mail_servers.bring(address, a_mail(3))
        await inbox.messages(1)

    assert [message.text.splitlines()[0] for message in of(inbox)] == ["number 3"]


def one_kept(one: WithItsDesk) -> list[str]:
    assert isinstance(one.kit, MemoryKit)
    return list(one.kit.kept)


async def test_what_lay_there_before_stays_out_when_uids_begin_anew(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-15: the mail of years is not answered because a server lost its index."""
    mail_servers.lay(address, [a_mail(1), a_mail(2)])
    one, inbox = await adapter(made, mail_servers, address), Inbox()
    assert isinstance(one.kit, MemoryKit)
    one.kit.moment = datetime.now(UTC)
    for path in (mail_servers.folder / "mail" / address.partition("@")[0]).glob("new/*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))  # when Dovecot got it
    async with listening(one, inbox):
        await until(lambda: any(name.startswith("uid:") for name in one_kept(one)), "the cursor to be kept")
    mail_servers.renumber(address, 77_000)
    mail_servers.bring(address, a_mail(3))
    async with listening(one, inbox):
        await inbox.messages(1)

    assert [message.text.splitlines()[0] for message in of(inbox)] == ["number 3"]
    assert (await one.kit.recall("uid:"))["uid:INBOX"].value.startswith("77000:")


async def test_the_cursor_comes_with_its_mail_and_never_before(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-16"""
    one = await adapter(made, mail_servers, address, first_read="all")
    mail_servers.lay(address, [a_mail(number) for number in range(1, 4)])
    batches: list[list[Item]] = []

    async def deliver(items: Sequence[Item]) -> None:

        batches.append(list(items))
        if len(batches) == 2:
            raise TryLater("the desk fell over", 0.01)

    with pytest.raises(TryLater, match="fell over"):
        await one.listen(deliver)
    again = asyncio.create_task(one.listen(deliver))
    await until(lambda: len(batches) == 3, "the mail to be delivered again")
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)
    with_mail = [batch for batch in batches if any(isinstance(item, Incoming) for item in batch)]

    assert len(with_mail) == 2
    for batch in with_mail:
        assert [item.name for item in batch if isinstance(item, Mark)][-1] == "uid:INBOX"
        assert len([item for item in batch if isinstance(item, Incoming)]) == 3
    assert [item.id for item in with_mail[0] if isinstance(item, Incoming)] == [
        item.id for item in with_mail[1] if isinstance(item, Incoming)
    ]


async def test_a_restart_goes_on_where_it_stopped(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-16: the cursor holds how far the folder was read, not only which folder it is."""
    mail_servers.lay(address, [a_mail(1), a_mail(2)])
    first, before = await adapter(made, mail_servers, address, first_read="all"), Inbox()
    async with listening(first, before):
        await before.messages(2)
        await until(lambda: any(name.startswith("uid:") for name in one_kept(first)), "the cursor to be kept")
    again, after = await adapter(made, mail_servers, address, first_read="all"), Inbox()
    async with listening(again, after):
        mail_servers.bring(address, a_mail(3))
        await after.messages(1)

    assert [message.text.splitlines()[0] for message in of(after)] == ["number 3"]


LONG = "please look at my transfer, it does not arrive and I wait since yesterday"


async def heard(made: list[WithItsDesk], servers: MailServers, address: str, *mails: bytes) -> list[Incoming]:
    """What is made of mails that lie there."""
    servers.lay(address, mails)
    one, inbox = await adapter(made, servers, address, first_read="all", trusted_authserv_id=AUTHSERV_ID), Inbox()
    async with listening(one, inbox):
        await inbox.messages(len(mails))
    return of(inbox)


def vouched(raw: bytes) -> bytes:
    return f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from=test.example\r\n".encode() + raw


async def test_the_same_long_words_again_are_a_machines_and_the_same_short_ones_a_persons(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-10"""
    mails = [vouched(a_mail(number, text)) for number, text in enumerate((LONG, LONG, "yes", "yes"))]
    messages = await heard(made, mail_servers, address, *mails)

    assert [message.automatic for message in messages] == [False, True, False, False]


async def test_a_mail_that_is_handed_over_again_after_a_failed_commit_is_no_machines(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-16"""
    mail_servers.lay(address, [vouched(a_mail(1, LONG))])
    one = await adapter(made, mail_servers, address, first_read="all", trusted_authserv_id=AUTHSERV_ID)
    seen: list[Incoming] = []

    async def deliver(items: Sequence[Item]) -> None:
        seen.extend(item for item in items if isinstance(item, Incoming))
        if len(seen) == 1:
            raise TryLater("the desk fell over", 0.01)

    with pytest.raises(TryLater):
        await one.listen(deliver)
    again = asyncio.create_task(one.listen(deliver))
    await until(lambda: len(seen) == 2, "the mail to be handed over again")
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)

    assert [message.automatic for message in seen] == [False, False]


async def test_the_mailbox_behind_the_address_is_ourselves_too(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-11: what a rule of the mailbox sends comes from its own name."""
    mail_servers.lay(address, [a_mail(1).replace(b"somebody@test.example", address.encode())])
    chosen = at_servers(mail_servers, address, address="support@test.example", first_read="all", check_signatures=False)
    one, inbox = WithItsDesk(chosen, NOWHERE), Inbox()
    made.append(one)
    await one.equip(MemoryKit())
    async with listening(one, inbox):
        (message,) = await inbox.messages(1)

    assert (message.author.id, message.automatic) == (address, True)


async def test_an_out_of_office_answer_does_not_silence_the_desk_for_its_sender(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-08: only a person's mail that asks for no automatic answer does."""
    away = b"Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n" + a_mail(1)
    await heard(made, mail_servers, address, vouched(away))

    assert [name for name in one_kept(made[0]) if name.startswith("quiet:")] == []


async def test_who_answers_a_mail_of_ours_is_kept_as_one_who_gets_our_mail(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-12: the caps for strangers are not for those who hold a mail of ours."""
    one, inbox = await adapter(made, mail_servers, address, first_read="all"), Inbox()
    stranger = Peer("somebody@test.example", "abcdefgh")
    token = message_id_for(token_for("k1", stranger, one.kit.secret), "test.example")
    mail_servers.lay(address, [a_mail(1), f"In-Reply-To: {token}\r\n".encode() + a_mail(2)])
    async with listening(one, inbox):
        await inbox.messages(2)
        await until(lambda: any(name.startswith("uid:") for name in one_kept(one)), "the cursor to be kept")

    assert str(stranger) in {message.address.peer for message in of(inbox)}
    assert len([name for name in one_kept(one) if name.startswith("proven:")]) == 1


async def test_an_old_mail_that_is_put_into_the_folder_now_is_read(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-14: somebody finds it in the spam folder, years later by the server's clock."""
    one, inbox = await adapter(made, mail_servers, address), Inbox()
    assert isinstance(one.kit, MemoryKit)
    one.kit.moment = datetime.now(UTC)
    async with listening(one, inbox):
        await until(lambda: any(name.startswith("uid:") for name in one_kept(one)), "the cursor to be kept")
        mail_servers.lay(address, [a_mail(1)])
        for path in (mail_servers.folder / "mail" / address.partition("@")[0]).glob("new/*"):
            os.utime(path, (1_700_000_000, 1_700_000_000))
        await inbox.messages(1)

    assert [message.text.splitlines()[0] for message in of(inbox)] == ["number 1"]


async def test_a_mail_in_two_folders_has_one_id(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-29"""
    mail_servers.create(address, "Second")
    mail_servers.bring(address, a_mail(1))
    mail_servers.wait_for(address, 1)
    mail_servers.move(address, "Second")
    mail_servers.bring(address, a_mail(1))
    one, inbox = await adapter(made, mail_servers, address, first_read="all", folders=("INBOX", "Second")), Inbox()
    async with listening(one, inbox):
        await until(lambda: len([name for name in one_kept(one) if name.startswith("at:")]) == 2, "both copies")

    assert len(of(inbox)) == 1


async def test_a_folder_that_is_not_there_does_not_stop_the_others(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    mail_servers.bring(address, a_mail(1))
    one, inbox = await adapter(made, mail_servers, address, first_read="all", folders=("Nowhere", "INBOX")), Inbox()
    async with listening(one, inbox):
        await inbox.messages(1)
        mail_servers.bring(address, a_mail(2))
        messages = await inbox.messages(2)

    assert len(messages) == 2


async def test_a_connection_that_breaks_once_a_day_is_made_anew_as_soon_as_the_first_time(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-17: failures count while nothing is read between them."""
    pauses: list[float | None] = []
    async with proxied(mail_servers.imap) as wire:
        one = WithItsDesk(at_servers(mail_servers, address, port=wire.port, address=address, first_read="all"), NOWHERE)
        made.append(one)
        await one.equip(MemoryKit())
        for number in range(3):
            mail_servers.bring(address, a_mail(number))
            inbox = Inbox()
            reading = asyncio.create_task(one.listen(inbox.deliver))
            await inbox.messages(1)
            wire.reset()
            with pytest.raises(TryLater) as broken:
                await reading
            pauses.append(broken.value.after)

    assert pauses == [0.5, 0.5, 0.5]


async def test_a_hostile_mail_is_set_aside_and_the_next_is_read(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    """E-20"""
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000))
    large = a_mail(2, size=100_000)
    mail_servers.lay(address, [b"From: e@test.example\r\nMIME-Version: 1.0\r\n" + nested, large, a_mail(3)])
    one, inbox = await adapter(made, mail_servers, address, first_read="all", largest_mail=64 * 1024), Inbox()
    async with listening(one, inbox):
        await inbox.messages(1)
    reasons = [item.reason for item in inbox.taken if isinstance(item, Unreadable)]

    assert [message.text.splitlines()[0] for message in of(inbox)] == ["number 3"]
    assert len(reasons) == 2


async def test_a_mail_that_breaks_its_reader_is_set_aside_without_its_words(
    mail_servers: MailServers, address: str, made: list[WithItsDesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-20: nobody knows today what will; what an error says may be what was typed."""

    def judging(mail: Mail, raw: bytes, *, authserv_id: str | None, lookup: TxtLookup | None) -> Verdict:
        if mail.subject == "number 1":
            raise ValueError("words that were typed")
        return judge(mail, raw, authserv_id=authserv_id, lookup=lookup)

    monkeypatch.setattr(adapter_module, "judge", judging)
    mail_servers.lay(address, [a_mail(1), a_mail(2)])
    one, inbox = await adapter(made, mail_servers, address, first_read="all"), Inbox()
    with capture_logs() as told:
        async with listening(one, inbox):
            await inbox.messages(1)

    assert [message.text.splitlines()[0] for message in of(inbox)] == ["number 2"]
    assert [item.reason for item in inbox.taken if isinstance(item, Unreadable)] == ["not understood: ValueError"]
    assert [line["error"] for line in told if line["event"] == "mail not read"] == ["ValueError"]
    assert "typed" not in str(told)


async def test_a_sender_whose_domain_imitates_ours_is_remarked_on(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    forged = a_mail(1).replace(b"somebody@test.example", b"help@test-support.example")
    [message] = await heard(made, mail_servers, address, forged)

    assert Remark.LOOKALIKE_SENDER in message.remarks


# ---------------------------------------------------------------------------------------------------------- signatures


def signed_mail() -> tuple[bytes, Zone]:
    key = SigningKey.generate()
    public = base64.b64encode(bytes(key.verify_key)).decode()
    signing = Signing("test.example", "e1", base64.b64encode(bytes(key)), "ed25519-sha256")
    return signed(a_mail(1), signing), Zone({"e1._domainkey.test.example": f"v=DKIM1; k=ed25519; p={public}"})


async def test_a_good_signature_makes_the_address_the_peer(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    raw, zone = signed_mail()
    mail_servers.lay(address, [raw])
    one, inbox = await adapter(made, mail_servers, address, zone, first_read="all"), Inbox()
    async with listening(one, inbox):
        (message,) = await inbox.messages(1)

    assert message.address.peer == "somebody@test.example"


async def test_signatures_are_not_asked_about_where_that_is_switched_off(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    raw, zone = signed_mail()
    mail_servers.lay(address, [raw])
    chosen = {"first_read": "all", "check_signatures": False}
    one, inbox = await adapter(made, mail_servers, address, zone, **chosen), Inbox()
    async with listening(one, inbox):
        (message,) = await inbox.messages(1)

    assert message.address.peer.startswith("somebody@test.example#")
    assert zone.asked == 0


async def test_a_dns_that_does_not_answer_is_left_alone_and_mail_goes_on_unproven(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    raw, _ = signed_mail()
    zone = Zone({}, silent=True)
    one, inbox = await adapter(made, mail_servers, address, zone, first_read="all"), Inbox()
    async with listening(one, inbox):
        for number in range(2 * DNS_FAILURES):
            mail_servers.bring(address, raw + b"%d\r\n" % number)
            await inbox.messages(number + 1)

    assert all("#" in message.address.peer for message in of(inbox))
    assert zone.asked == DNS_FAILURES


async def test_a_dns_that_fails_now_and_then_is_asked_on(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    raw, zone = signed_mail()
    one, inbox = await adapter(made, mail_servers, address, zone, first_read="all"), Inbox()
    async with listening(one, inbox):
        for number in range(3 * DNS_FAILURES):
            zone.silent = number % DNS_FAILURES > 0  # never so many in a row
            mail_servers.bring(address, f"X-Number: {number}\r\n".encode() + raw if number else raw)
            await until(lambda: len(places(one)) > number, "the mail to be read")  # noqa: B023 - waited for at once

    assert zone.asked >= 3 * DNS_FAILURES


def places(one: WithItsDesk) -> list[str]:
    return [name for name in one_kept(one) if name.startswith("at:")]


# ------------------------------------------------------------------------------------------------------------ speaking


async def test_a_server_that_is_away_is_tried_ever_more_slowly(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    chosen = at_servers(mail_servers, address, address=address)
    away = WithItsDesk(chosen.model_copy(update={"smtp": chosen.smtp.model_copy(update={"port": 9})}))
    made.append(away)
    await away.equip(MemoryKit())
    message = saying("hello", "k1", Address(away.name, away.account, "ann@test.example"))
    pauses: list[float | None] = []
    for _ in range(4):
        with pytest.raises(TryLater) as raised:
            await away.send(message)
        pauses.append(raised.value.after)

    assert pauses == [1.0, 2.0, 4.0, 8.0]


async def test_nothing_is_removed_where_purging_is_off(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    mail_servers.bring(address, a_mail(1))
    one, inbox = await adapter(made, mail_servers, address, first_read="all", purge_secrets=False), Inbox()
    async with listening(one, inbox):
        (message,) = await inbox.messages(1)

    with pytest.raises(Undeliverable, match="purge_secrets"):
        await one.erase(message.address, message.id)
    assert len(mail_servers.mails(address)) == 1


# ------------------------------------------------------------------------------------------------------------- looking


async def test_the_check_tells_of_each_side_and_hints_at_what_dns_lacks(
    mail_servers: MailServers, address: str, made: list[WithItsDesk]
) -> None:
    zone = Zone({"_dmarc.test.example": "v=DMARC1; p=reject"})
    one = await adapter(made, mail_servers, address, zone, trusted_authserv_id=AUTHSERV_ID)
    findings = await one.check()
    said = "\n".join(f"{one.subject} {one.says}" for one in findings)

    assert all(one.well for one in findings)
    assert "IDLE" in said
    assert "DMARC: test.example has a policy" in said
    assert "SPF: no record found" in said
    assert AUTHSERV_ID in said
    assert mail_servers.mails(address) == []


async def test_the_check_names_what_is_wrong(mail_servers: MailServers, address: str, made: list[WithItsDesk]) -> None:
    zone = Zone({}, silent=True)
    one = await adapter(made, mail_servers, address, zone, folders=("INBOX", "Nowhere"))
    findings = {finding.subject: finding for finding in await one.check()}

    assert not findings["email.folders"].well
    assert "Nowhere" in findings["email.folders"].says
    assert "DNS does not answer" in findings["email.address"].says
    assert findings["email.address"].well
