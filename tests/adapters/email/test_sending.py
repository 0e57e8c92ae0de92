"""A mail is handed over once, or it is said what to do next; where that is in doubt, it goes out again as it was."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from tests.adapters.email.transport_world import Given, a_mail, at_servers, number_of, settings
from tests.worlds.mail import (
    DOMAIN,
    PASSWORD,
    Authority,
    Instead,
    MailServers,
    ScriptedSmtp,
    proxied,
    serving_smtp,
)
from tests.worlds.needs import needs_mail_servers

from imconnect.ports import TryLater, Undeliverable
from imconnect.testing.conformance import until
from imconnect_email.sending import AT_ONCE, Mail, Refused, Relay, SmtpPatience
from imconnect_email.settings import EmailSettings, Tls

QUICK = SmtpPatience(connect=1.0, answer=0.5, taking=0.5)
DESK, CUSTOMER = "desk@test.example", "customer@test.example"


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedSmtp]:
    async with serving_smtp(ScriptedSmtp()) as started:
        yield started


def towards(port: int, **smtp: Any) -> EmailSettings:
    return settings({"user": "u", "password": "p"}, {"port": port, **smtp})


def mail(number: int = 0, to: tuple[str, ...] = (CUSTOMER,), sender: str = DESK) -> Mail:
    return Mail(sender, to, a_mail(number))


async def refused(server: ScriptedSmtp, what: Mail | None = None) -> TryLater | Undeliverable:
    """What comes of a send that does not succeed."""
    with pytest.raises((TryLater, Undeliverable)) as error:
        async with asyncio.timeout(10):
            await Relay(towards(server.port), None, QUICK).send(what or mail())
    assert isinstance(error.value, TryLater | Undeliverable)
    return error.value


# ------------------------------------------------------------------------------------------------------ real servers


@needs_mail_servers
@pytest.mark.parametrize("tls", ["off", "starttls", "implicit"])
async def test_a_mail_arrives_as_it_was_written(mail_servers: MailServers, tls: Tls) -> None:
    user = mail_servers.somebody()
    raw = a_mail(0, "a line\r\n.\r\n..two dots\r\n.\r\nthe end")
    await Relay(at_servers(mail_servers, user, tls), None).send(Mail(DESK, (user,), raw))
    (arrived,) = await asyncio.to_thread(mail_servers.wait_for, user, 1)

    assert arrived.replace(b"\r\n", b"\n").endswith(raw.replace(b"\r\n", b"\n"))


@needs_mail_servers
async def test_a_server_that_knows_us_by_password_lets_us_in(mail_servers: MailServers) -> None:
    user = mail_servers.somebody()
    chosen = at_servers(mail_servers, user, "starttls")
    knowing = {"user": user, "password": PASSWORD}
    smtp = {**chosen.smtp.model_dump(), **knowing}
    await Relay(settings(chosen.imap.model_dump(), smtp), None).send(mail(to=(user,)))

    assert len(await asyncio.to_thread(mail_servers.wait_for, user, 1)) == 1


@needs_mail_servers
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_server_whose_authority_is_unknown_gets_no_mail(mail_servers: MailServers, tls: Tls) -> None:
    user = mail_servers.somebody()
    chosen = at_servers(mail_servers, user, tls)
    distrusting = chosen.model_copy(update={"smtp": chosen.smtp.model_copy(update={"ca_file": None})})
    with pytest.raises(TryLater, match="certificate is not trusted"):
        await Relay(distrusting, None).send(mail(to=(user,)))

    assert mail_servers.mails(user) == []


@needs_mail_servers
async def test_postfix_refuses_for_good_and_for_now(mail_servers: MailServers) -> None:
    relay = Relay(at_servers(mail_servers, mail_servers.somebody()), None)
    with pytest.raises(Undeliverable) as never:
        await relay.send(mail(to=(f"nobody@{DOMAIN}",)))
    with pytest.raises(TryLater) as later:
        await relay.send(mail(to=(f"later@{DOMAIN}",)))
    with pytest.raises(Undeliverable) as elsewhere:
        await relay.send(mail(to=("somebody@elsewhere.example",)))

    assert (never.value.blocked, never.value.reason) == (True, "the sending server refuses the recipient: 550 5.1.1")
    assert later.value.after == 2
    assert "outside" not in elsewhere.value.reason


@needs_mail_servers
async def test_a_bounce_comes_back_to_the_sender_and_none_to_nobody(mail_servers: MailServers) -> None:
    """The world's own promise too: a true delivery status notification."""
    desk = mail_servers.somebody()
    relay = Relay(at_servers(mail_servers, desk), None)
    await relay.send(Mail("", (f"ghost@{DOMAIN}",), a_mail(0)))
    await relay.send(Mail(desk, (f"ghost@{DOMAIN}",), a_mail(1)))
    (bounce,) = await asyncio.to_thread(mail_servers.wait_for, desk, 1)

    assert b"report-type=delivery-status" in bounce
    assert b"<1@test.example>" in bounce
    assert bounce.startswith(b"Return-Path: <>")


# --------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("verb", "answer", "kind", "after", "blocked"),
    [
        ("RCPT", b"550 5.1.1 no such user", Undeliverable, None, True),
        ("RCPT", b"550 5.1.10 null mx", Undeliverable, None, True),
        ("RCPT", b"550 5.7.1 policy", Undeliverable, None, False),
        ("RCPT", b"451 4.7.1 greylisted, come back in 300 seconds", TryLater, 300, False),
        ("RCPT", b"452 4.2.2 mailbox full", TryLater, None, False),
        ("RCPT", b"530 5.7.0 authentication required", TryLater, 60, False),
        ("MAIL", b"552 5.3.4 too large", Undeliverable, None, False),
        ("MAIL", b"553 5.7.1 not your address", TryLater, 60, False),
        ("MAIL", b"451 4.3.0 busy", TryLater, None, False),
        ("MAIL", b"550 5.4.5 daily limit", TryLater, 3600, False),
        ("DATA", b"451 4.3.0 busy", TryLater, None, False),
        ("DATA", b"554 5.5.1 no valid recipients", Undeliverable, None, False),
        ("END", b"554 5.7.1 looks like spam", Undeliverable, None, False),
        ("END", b"450 4.2.0 later", TryLater, None, False),
        ("END", b"550 5.4.5 daily limit", TryLater, 3600, False),
        ("RCPT", b"421 4.3.2 shutting down", TryLater, None, False),
        ("END", b"nonsense", TryLater, None, False),
        ("EHLO", b"421 4.3.2 too many connections", TryLater, None, False),
        ("greeting", b"554 no", TryLater, None, False),
        ("greeting", b"* OK this is IMAP", TryLater, None, False),
    ],
)
async def test_each_refusal_says_what_to_do_next(
    server: ScriptedSmtp, verb: str, answer: bytes, kind: type, after: float | None, blocked: bool
) -> None:
    server.repeat(verb, answer + b"\r\n")
    error = await refused(server)

    assert type(error) is kind
    assert getattr(error, "after", None) == after
    assert getattr(error, "blocked", False) is blocked
    assert server.taken == []


async def test_of_a_refusal_only_its_codes_are_kept(server: ScriptedSmtp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.once("END", b"554 5.7.1 your text heliotrope-rhubarb is not liked\r\n")
    error = await refused(server)

    assert error.reason == "the sending server refuses the mail: 554 5.7.1"
    assert "heliotrope" not in caplog.text


async def test_who_was_refused_among_several_is_told(server: ScriptedSmtp) -> None:
    server.once("RCPT", Instead.USUAL, b"550 5.1.1 gone\r\n", b"451 4.7.1 later\r\n")
    accepted = await Relay(towards(server.port), None, QUICK).send(
        mail(to=("a@x.example", "b@x.example", "c@x.example"))
    )

    assert accepted.refused == (
        Refused("b@x.example", "the sending server refuses the recipient: 550 5.1.1", again=False, gone=True),
        Refused("c@x.example", "the sending server does not take the recipient now: 451 4.7.1", again=True, gone=False),
    )
    assert [taken.recipients for taken in server.taken] == [("a@x.example",)]


async def test_if_all_are_refused_and_one_only_for_now_it_is_tried_later(server: ScriptedSmtp) -> None:
    server.once("RCPT", b"550 5.1.1 gone\r\n", b"451 4.7.1 later\r\n")
    error = await refused(server, mail(to=("a@x.example", "b@x.example")))

    assert isinstance(error, TryLater)


@pytest.mark.parametrize(
    "address",
    ["a b@x.example", "a@x.example> SIZE=1", "a@x.example\r\nRCPT TO:<b@x.example>", "no address", "<a@x.example>", ""],
)
async def test_an_address_cannot_smuggle_anything_in(server: ScriptedSmtp, address: str) -> None:
    """E-28, in the envelope."""
    error = await refused(server, mail(to=(address,)))

    assert isinstance(error, Undeliverable)
    assert server.said == []


# ------------------------------------------------------------------------------------------------ broken connections


@pytest.mark.parametrize("deed", [Instead.CLOSE, Instead.SILENCE])
@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "END"])
async def test_a_server_that_hangs_up_or_hangs_is_tried_again(server: ScriptedSmtp, verb: str, deed: Instead) -> None:
    server.once(verb, deed)
    started = asyncio.get_running_loop().time()
    error = await refused(server)
    waited = asyncio.get_running_loop().time() - started
    await Relay(towards(server.port), None, QUICK).send(mail())

    assert isinstance(error, TryLater)
    assert waited < 4
    assert len(server.taken) == 1


@pytest.mark.parametrize("deed", [Instead.CLOSE, Instead.SILENCE])
async def test_a_mail_that_may_have_been_taken_goes_out_again_with_its_message_id(
    server: ScriptedSmtp, deed: Instead
) -> None:
    """E-27."""
    server.once("taken", deed)
    error = await refused(server, mail(7))
    await Relay(towards(server.port), None, QUICK).send(mail(7))

    assert isinstance(error, TryLater)
    assert "it goes out again" in error.reason
    assert len(server.taken) == 2
    assert len({taken.raw for taken in server.taken}) == 1


async def test_a_server_that_spoils_the_farewell_spoils_nothing(server: ScriptedSmtp) -> None:
    server.once("QUIT", Instead.CLOSE, b"500 what\r\n")
    relay = Relay(towards(server.port), None, QUICK)
    await relay.send(mail(0))
    await relay.send(mail(1))

    assert len(server.taken) == 2


async def test_nobody_there_is_said_so() -> None:
    async with proxied(1) as proxy:
        proxy.refusing = True
        with pytest.raises(TryLater, match="cannot be reached"):
            await Relay(towards(proxy.port), None, QUICK).send(mail())


@needs_mail_servers
async def test_thirty_breakages_while_sending_lose_nothing_and_double_no_message_id(mail_servers: MailServers) -> None:
    """E-27, at Postfix: cut in the midst of the envelope, of the mail and of the answer. A copy has the same id."""
    user = mail_servers.somebody()
    tries = 0
    async with proxied(mail_servers.smtp) as proxy:
        relay = Relay(towards(proxy.port), None, SmtpPatience(connect=0.5, answer=0.5, taking=0.5))
        for number in range(30):
            raw = a_mail(number, size=20_000)
            if number % 3 == 0:
                proxy.cut_after = 60 + 10 * number  # in what Postfix says
            elif number % 3 == 1:
                proxy.cut_after_sent = 50 + 600 * number  # in what we say
            elif number % 2:
                proxy.hanging = True
            else:
                proxy.refusing = True
            while True:
                tries += 1
                try:
                    await relay.send(Mail(DESK, (user,), raw))
                    break
                except TryLater:
                    proxy.heal()
            proxy.heal()
    await until(lambda: {number_of(one) for one in mail_servers.mails(user)} == set(range(30)), "all thirty")

    assert len({id_of(one) for one in mail_servers.mails(user)}) == 30
    assert tries >= 50


def id_of(raw: bytes) -> bytes:
    return next(line for line in raw.splitlines() if line.startswith(b"Message-ID"))


# -------------------------------------------------------------------------------------------------- handing over


async def test_an_empty_sender_asks_for_no_answer(server: ScriptedSmtp) -> None:
    """RFC 3834, section 3.3."""
    await Relay(towards(server.port), None, QUICK).send(mail(sender=""))

    assert "MAIL FROM:<> SIZE=" in " ".join(server.said)
    assert server.taken[0].sender == ""


@pytest.mark.parametrize(
    "refusal", [b"501 Invalid MAIL FROM address provided\r\n", b"553 NULL sender is not allowed\r\n"]
)
async def test_where_nobody_may_send_as_nobody_our_address_stands_in_the_envelope(
    server: ScriptedSmtp, refusal: bytes
) -> None:
    """RFC 3834, section 3.3: as Amazon SES and Coremail refuse it; the next mails do not ask again."""
    server.once("MAIL", refusal)
    server.repeat("RSET", b"250 ok\r\n")
    relay = Relay(towards(server.port), None, QUICK)
    first, second = await relay.send(mail(1, sender="")), await relay.send(mail(2, sender=""))
    asked = [line.partition(" SIZE")[0] for line in server.said if line.startswith("MAIL")]

    assert asked == ["MAIL FROM:<>", f"MAIL FROM:<{DESK}>", f"MAIL FROM:<{DESK}>"]
    assert [(one.sender, number_of(one.raw)) for one in server.taken] == [(DESK, 1), (DESK, 2)]
    assert first.named
    assert second.named


async def test_who_may_not_send_as_nobody_only_for_now_waits(server: ScriptedSmtp) -> None:
    server.once("MAIL", b"451 4.7.1 come back later\r\n")

    assert isinstance(await refused(server, mail(sender="")), TryLater)
    assert [line for line in server.said if line.startswith("MAIL")] == [f"MAIL FROM:<> SIZE={len(a_mail(0))}"]


async def test_who_may_send_neither_as_nobody_nor_as_our_address_is_told_what_to_correct(server: ScriptedSmtp) -> None:
    server.repeat("MAIL", b"553 5.7.1 not you\r\n")
    server.repeat("RSET", b"250 ok\r\n")

    assert "correct email.address or email.smtp" in (await refused(server, mail(sender=""))).reason


async def test_what_a_mail_needs_is_asked_for(server: ScriptedSmtp) -> None:
    raw = "Subject: x\r\n\r\n第一行\r\n".encode()
    await Relay(towards(server.port), None, QUICK).send(Mail(DESK, (CUSTOMER,), raw))

    assert server.parameters == [f"SIZE={len(raw)} BODY=8BITMIME", ""]
    assert server.taken[0].raw == raw


async def test_an_address_beyond_ascii_is_written_to_where_that_is_known() -> None:
    async with serving_smtp(ScriptedSmtp(("SMTPUTF8", "8BITMIME"))) as server:
        await Relay(towards(server.port), None, QUICK).send(mail(to=("用户@例子.example",)))

    assert server.taken[0].recipients == ("用户@例子.example",)
    assert server.parameters == ["SMTPUTF8", ""]


async def test_a_server_that_cannot_take_it_is_not_asked_to() -> None:
    async with serving_smtp(ScriptedSmtp(())) as server:
        bits = await refused(server, Mail(DESK, (CUSTOMER,), "第一行".encode()))
        worldwide = await refused(server, mail(to=("用户@例子.example",)))

    assert isinstance(bits, Undeliverable)
    assert isinstance(worldwide, Undeliverable)
    assert server.taken == []


async def test_only_a_few_connections_stand_at_a_time(server: ScriptedSmtp) -> None:
    async with proxied(server.port) as proxy:
        proxy.seconds = 0.02
        relay = Relay(towards(proxy.port), None, SmtpPatience())
        sends = [asyncio.create_task(relay.send(mail(number))) for number in range(12)]
        most = 0
        while not all(send.done() for send in sends):
            most = max(most, proxy.standing)
            await asyncio.sleep(0.005)
        await asyncio.gather(*sends)

    assert 1 < most <= AT_ONCE
    assert len(server.taken) == 12


async def test_an_access_token_lets_us_in_and_a_stale_one_is_replaced() -> None:
    chosen = settings({"user": "bot@test.example"}, auth="xoauth2", oauth={"token_command": "true"})
    async with serving_smtp(ScriptedSmtp(("AUTH XOAUTH2",))) as server:
        smtp = chosen.smtp.model_copy(update={"port": server.port, "user": "bot@test.example"})
        relay = Relay(chosen.model_copy(update={"smtp": smtp}), Given("stale", "good-token"), QUICK)
        with pytest.raises(TryLater, match="refuses the access token"):
            await relay.send(mail())
        await relay.send(mail())

    assert len(server.taken) == 1


async def test_a_wrong_password_names_the_setting() -> None:
    async with serving_smtp(ScriptedSmtp(("AUTH PLAIN",))) as server:
        server.repeat("AUTH", b"535 5.7.8 wrong: not it\r\n")
        with pytest.raises(TryLater) as error:
            await Relay(towards(server.port, user="u", password="not it"), None, QUICK).greet()

    assert "correct email.smtp.user and password" in error.value.reason
    assert "not it" not in error.value.reason
    assert error.value.after == 60


async def test_without_starttls_neither_password_nor_mail_is_said(authority: Authority) -> None:
    async with serving_smtp(ScriptedSmtp(("AUTH PLAIN",))) as server:
        chosen = towards(server.port, tls="starttls", ca_file=authority.trusted, user="u", password="p")
        with pytest.raises(TryLater, match="does not offer what"):
            await Relay(chosen, None, QUICK).send(mail())

    assert [line.split()[0] for line in server.said] == ["EHLO"]


@pytest.mark.parametrize("slipped", [b"220 go\r\n250 hello\r\n", b"220 go\r\n250-AUTH PLA", b"454 4.7.0 not now\r\n"])
async def test_what_is_slipped_in_before_tls_is_not_believed(authority: Authority, slipped: bytes) -> None:
    """RFC 3207, section 6, and the like: nothing said in the clear lives on after STARTTLS."""
    async with serving_smtp(ScriptedSmtp(("STARTTLS", "AUTH PLAIN"))) as server:
        server.once("STARTTLS", slipped)
        chosen = towards(server.port, tls="starttls", ca_file=authority.trusted, user="u", password="p")
        with pytest.raises(TryLater):
            await Relay(chosen, None, QUICK).send(mail())

    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.said)
