"""What servers and wires do wrong is found in time, and costs no mail."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from itertools import cycle

import pytest
from tests.adapters.email.transport_world import (
    QUICK,
    STEADY,
    Given,
    a_mail,
    at_script,
    at_servers,
    number_of,
    reading,
    settings,
)
from tests.worlds.mail import (
    BASIC,
    Authority,
    FaultProxy,
    Instead,
    MailServers,
    ScriptedImap,
    proxied,
    serving_imap,
)
from tests.worlds.needs import needs_mail_servers

from imconnect.ports import TryLater, Undeliverable
from imconnect.testing.conformance import until
from imconnect_email.mailbox import MOST_TRIES, Cursor, Mailbox
from imconnect_email.settings import EmailSettings
from imconnect_email.tokens import Tokens
from imconnect_email.wire import Patience

NO_IDLE = tuple(name for name in BASIC if name != "IDLE")
NO_UIDPLUS = tuple(name for name in BASIC if name != "UIDPLUS")


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedImap]:
    async with serving_imap(ScriptedImap()) as started:
        yield started


async def looked(mailbox: Mailbox) -> TryLater:
    """What comes of getting in where one cannot."""
    with pytest.raises(TryLater) as refused:
        async with asyncio.timeout(10):
            await mailbox.look()
    return refused.value


# --------------------------------------------------------------------------------------------------- dead and silent


async def test_new_mail_is_seen_within_half_a_second_of_being_told(server: ScriptedImap) -> None:
    taken: list[float] = []
    async with reading(at_script(server)) as reader:
        await asyncio.sleep(0.2)
        for number in range(5):
            started = asyncio.get_running_loop().time()
            server.receive(a_mail(number))
            await reader.has(number + 1)
            taken.append(asyncio.get_running_loop().time() - started)

    assert sorted(taken)[2] < 0.5


@pytest.mark.parametrize("deed", [Instead.CLOSE, Instead.SILENCE, b"* BYE good night\r\n", b"{tag} NO not now\r\n"])
@pytest.mark.parametrize("command", ["greeting", "CAPABILITY", "LOGIN", "ID", "SELECT", "UID FETCH"])
async def test_a_server_that_fails_once_loses_nothing(
    server: ScriptedImap, command: str, deed: Instead | bytes
) -> None:
    """E-17 and E-18 for everything that is said before a mail is there."""
    server.receive(a_mail(0))
    server.once(command, deed)
    async with reading(at_script(server), QUICK) as reader:
        await reader.has(1)
        server.receive(a_mail(1))
        await reader.has(2)

    assert reader.numbers == [0, 1]


async def test_a_server_that_closes_before_it_lets_us_idle_is_called_again(server: ScriptedImap) -> None:
    """E-17."""
    server.once("IDLE", Instead.CLOSE, Instead.CLOSE)
    async with reading(at_script(server), STEADY) as reader:
        await until(lambda: len(reader.failures) == 2, "the second close")
        server.receive(a_mail(0))
        await reader.has(1)

    assert reader.failures == ["the connection to the mail server broke"] * 2


async def test_mail_that_came_while_the_connection_was_gone_is_read(server: ScriptedImap) -> None:
    """E-17: the gap between two connections."""
    async with proxied(server.port) as proxy:
        chosen = settings({"port": proxy.port, "user": server.user, "password": server.password})
        async with reading(chosen, QUICK) as reader:
            server.receive(a_mail(0))
            await reader.has(1)
            proxy.refusing = True
            proxy.cut()
            server.receive(a_mail(1), a_mail(2))
            await asyncio.sleep(0.2)
            proxy.heal()
            await reader.has(3)

    assert reader.numbers == [0, 1, 2]


async def test_a_half_open_connection_is_found_by_the_watchdog(server: ScriptedImap) -> None:
    """E-18: the wire swallows everything, and nobody says so."""
    async with proxied(server.port) as proxy:
        chosen = settings({"port": proxy.port, "user": server.user, "password": server.password}, idle_seconds=1)
        async with reading(chosen, QUICK) as reader:
            server.receive(a_mail(0))
            await reader.has(1)
            proxy.hanging = True
            server.receive(a_mail(1))
            started = asyncio.get_running_loop().time()
            await until(lambda: reader.failures, "the watchdog")
            found_after = asyncio.get_running_loop().time() - started
            proxy.heal()
            await reader.has(2)

    assert reader.numbers == [0, 1]
    assert reader.failures[0] == "the mail server did not answer in time"
    assert found_after < 1 + QUICK.silence + 2  # the wait in IDLE, the silence after DONE, and some room


async def test_waiting_is_renewed_on_the_same_connection_before_a_server_ends_it(server: ScriptedImap) -> None:
    server.receive(a_mail(0))
    async with reading(at_script(server, idle_seconds=1), STEADY) as reader:
        await until(lambda: server.verbs().count("IDLE") >= 3, "two renewals")

    assert (reader.failures, server.connections, reader.numbers) == ([], 1, [0])


async def test_a_server_whose_pushes_are_lost_is_looked_at_all_the_same(server: ScriptedImap) -> None:
    """Some say they can IDLE and never tell: the slow look finds what they keep to themselves."""
    server.repeat("IDLE", b"+ idling\r\n")  # and then takes DONE for an unknown command
    server.repeat("DONE", b"* OK\r\n")
    async with reading(at_script(server, idle_seconds=1), QUICK) as reader:
        await asyncio.sleep(0.3)
        server.receive(a_mail(0))
        await reader.has(1)

    assert reader.numbers == [0]


async def test_a_server_that_cannot_idle_is_asked_again_and_again() -> None:
    async with serving_imap(ScriptedImap(NO_IDLE)) as server, reading(at_script(server, poll_seconds=1)) as reader:
        server.receive(a_mail(0))
        await reader.has(1)
        server.receive(a_mail(1))
        await reader.has(2)

    assert reader.numbers == [0, 1]
    assert "IDLE" not in server.verbs()


@pytest.mark.parametrize("capabilities", [BASIC, NO_IDLE])
async def test_mail_that_is_told_of_in_between_is_not_left_until_the_next_look(capabilities: tuple[str, ...]) -> None:
    """A server tells once, in answer to whatever is asked: what it told during a FETCH it does not tell in IDLE."""
    body = b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%b)\r\n" % (len(a_mail(0)), a_mail(0))
    listing = b"* 1 FETCH (UID 1 RFC822.SIZE 100)\r\n{tag} OK done\r\n"
    async with serving_imap(ScriptedImap(capabilities)) as server:
        server.receive(a_mail(0), a_mail(1))
        server.once("SELECT", b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 2]\r\n{tag} OK done\r\n")
        server.once("UID FETCH", listing, body + b"* 2 EXISTS\r\n{tag} OK\r\n")
        server.repeat("IDLE", b"+ idling\r\n")
        async with reading(at_script(server), STEADY) as reader:
            await reader.has(2, 5)

    assert reader.numbers == [0, 1]


async def test_a_connection_that_breaks_is_noticed_at_once(server: ScriptedImap) -> None:
    server.receive(a_mail(0))
    server.once("UID FETCH", Instead.CLOSE)
    async with reading(at_script(server), STEADY) as reader:
        await reader.has(1, STEADY.silence / 3)

    assert reader.failures == ["the connection to the mail server broke"]


async def test_a_slow_login_is_waited_for_and_an_endless_one_is_not(server: ScriptedImap) -> None:
    async with proxied(server.port) as proxy:
        proxy.seconds = 0.1
        chosen = settings({"port": proxy.port, "user": server.user, "password": server.password})
        look = await Mailbox(chosen, None, Patience(5.0, 1.0, 5.0)).look()
        proxy.hanging = True
        started = asyncio.get_running_loop().time()
        refused = await looked(Mailbox(chosen, None, Patience(5.0, 0.5, 5.0)))

    assert look.idles
    assert "did not answer in time" in refused.reason
    assert asyncio.get_running_loop().time() - started < 2


async def test_a_server_that_trickles_without_end_is_given_up() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK hello\r\n")
        tag = (await reader.readline()).split()[0]
        writer.write(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
        while not reader.at_eof():  # the login is never answered, but the server is never silent
            writer.write(b"* OK still here\r\n")
            with contextlib.suppress(TimeoutError, OSError):
                await asyncio.wait_for(reader.read(100), 0.1)
        writer.close()

    trickling = await asyncio.start_server(trickle, "127.0.0.1", 0)
    chosen = settings({"port": trickling.sockets[0].getsockname()[1], "user": "u", "password": "p"})
    started = asyncio.get_running_loop().time()
    refused = await looked(Mailbox(chosen, None, Patience(1.0, 5.0, 1.0)))
    trickling.close()

    assert "did not answer in time" in refused.reason
    assert asyncio.get_running_loop().time() - started < 4


async def test_nobody_there_is_said_so() -> None:
    async with proxied(1) as proxy:
        proxy.refusing = True
        refused = await looked(Mailbox(settings({"port": proxy.port, "user": "u", "password": "p"}), None, QUICK))

    assert "cannot be reached" in refused.reason or "broke" in refused.reason


async def test_listening_ends_at_once_and_leaves_no_connection(server: ScriptedImap) -> None:
    async with proxied(server.port) as proxy:
        chosen = settings({"port": proxy.port, "user": server.user, "password": server.password})
        async with reading(chosen) as reader:
            server.receive(a_mail(0))
            await reader.has(1)
            before = proxy.standing
            started = asyncio.get_running_loop().time()
        ended_after = asyncio.get_running_loop().time() - started
        await asyncio.sleep(0.1)

        assert (before, proxy.standing) == (1, 0)
        assert ended_after < 1


# ---------------------------------------------------------------------------------------------------- hostile answers


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE)\r\n" * 3 + b"{tag} OK done\r\n",
        b"\r\n" * 5000 + b"{tag} OK done\r\n",
        b"* " + b"x" * 300_000 + b"\r\n{tag} OK done\r\n",
        b"\xff\xfe\x00 nonsense {3\r\n{tag} OK done\r\n",
        b"A000 OK of another command\r\n",
        b"* 1 FETCH (UID 99999999999999999999 RFC822.SIZE 1)\r\n{tag} OK done\r\n",
        b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\nabc",
        b"+ go on\r\n{tag} OK done\r\n",
        b"{tag} PERHAPS\r\n",
    ],
)
async def test_whatever_a_listing_says_only_try_later_comes_of_it(server: ScriptedImap, answer: bytes) -> None:
    server.receive(a_mail(0))
    server.once("UID FETCH", answer)
    async with reading(at_script(server, idle_seconds=1), QUICK) as reader:
        await until(lambda: [letter for letter in reader.letters if letter.raw == a_mail(0)], "the mail")

    assert set(reader.failures) <= {
        "what the mail server says could not be read (Abort)",
        "the mail server did not answer in time",
        "the mail server says more than was asked for",
        "the mail server does not list its mail: NO",
    }


async def test_thousands_of_lines_at_once_are_read(server: ScriptedImap) -> None:
    """The library reads lines by recursion, which Python ends at a thousand."""
    server.receive(*(a_mail(number) for number in range(3000)))
    mailbox = Mailbox(at_script(server), None, STEADY)
    server.once("SELECT", b"* OK [UIDVALIDITY 7] no UIDNEXT\r\n{tag} OK done\r\n")
    end = await mailbox.end_of("INBOX")

    assert end == Cursor("INBOX", 7, 3000)


async def test_a_literal_without_end_is_not_kept_in_memory(server: ScriptedImap) -> None:
    server.receive(a_mail(0))
    flood = b"* 1 FETCH (UID 1 BODY[] {4000000000}\r\n" + b"x" * (66 * 1024 * 1024)
    server.once("body 1", flood)
    async with reading(at_script(server, largest_mail=65536), Patience(3.0, 10.0, 30.0)) as reader:
        await reader.has(1)

    assert reader.numbers == [0]
    assert reader.failures == ["the mail server says more than was asked for"]


async def test_a_mail_the_server_never_gives_is_told_of_and_the_next_is_read(server: ScriptedImap) -> None:
    server.receive(a_mail(0), a_mail(1), a_mail(2))
    server.repeat("body 2", Instead.CLOSE)
    async with reading(at_script(server), QUICK) as reader:
        first, never, last = await reader.has(3)

    assert (number_of(first.raw), number_of(last.raw)) == (0, 2)
    assert (never.uid, never.raw, never.problem) == (2, b"", f"the mail server failed {MOST_TRIES} times to give it")


async def test_a_mail_without_its_content_is_told_of(server: ScriptedImap) -> None:
    server.receive(a_mail(0))
    server.once("body 1", b"* 1 FETCH (UID 1 BODY[] NIL)\r\n")
    async with reading(at_script(server), QUICK) as reader:
        (letter,) = await reader.has(1)

    assert letter.problem == "the mail server gave it without its content"


async def test_what_people_wrote_is_in_no_log_and_no_repr(
    server: ScriptedImap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.receive(a_mail(0, "heliotrope-rhubarb"))
    server.once("body 1", b"* 1 FETCH (UID 1 BODY[] {20}\r\nheliotrope-rhubarb)\r\nheliotrope-rhubarb OK\r\n")
    async with reading(at_script(server), QUICK) as reader:
        letters = await reader.has(1)

    assert "heliotrope-rhubarb" not in caplog.text + repr(letters) + repr(reader.failures)
    assert server.password not in caplog.text


# ------------------------------------------------------------------------------------------------ peculiar providers


async def test_a_server_that_wants_to_know_who_we_are_is_told() -> None:
    """As 163 and 126: without ID they refuse SELECT."""
    async with serving_imap(ScriptedImap(wants_id=True)) as server:
        server.receive(a_mail(0))
        async with reading(at_script(server)) as reader:
            await reader.has(1)

    assert server.verbs().index("ID") < server.verbs().index("SELECT")
    assert not reader.failures


async def test_nothing_is_searched_for(server: ScriptedImap) -> None:
    """Some servers refuse every charset of SEARCH."""
    server.receive(a_mail(0))
    async with reading(at_script(server)) as reader:
        await reader.has(1)

    assert not any("SEARCH" in line for line in server.said)
    assert all("PEEK" in line for line in server.said if "BODY" in line)


async def test_uids_that_lie_far_apart_are_found(server: ScriptedImap) -> None:
    for number, uid in enumerate((5, 400_000, 1_900_000)):
        server.next_uid = uid
        server.receive(a_mail(number))
    async with reading(at_script(server)) as reader:
        await reader.has(3)

    assert reader.numbers == [0, 1, 2]
    assert server.verbs().count("UID FETCH") < 60


async def test_only_what_lay_there_when_uids_began_anew_may_be_known_already(server: ScriptedImap) -> None:
    """E-15"""
    server.receive(a_mail(1))
    mailbox = Mailbox(at_script(server), None, STEADY)
    seen: list[tuple[int, bool]] = []
    async with asyncio.timeout(10), contextlib.aclosing(mailbox.follow("INBOX", Cursor("INBOX", 1, 9))) as batches:
        async for batch in batches:
            seen += [(number_of(letter.raw), batch.rescan) for letter in batch.letters]
            if len(seen) == 2:
                break
            if seen:
                server.receive(a_mail(2))

    assert seen == [(1, True), (2, False)]


async def test_other_uids_are_noticed_on_a_connection_that_stands(server: ScriptedImap) -> None:
    """E-15, at a server that says nothing of it: a quiet folder is selected anew now and then."""
    server.receive(a_mail(0))
    async with reading(at_script(server, idle_seconds=1), STEADY) as reader:
        await reader.has(1)
        server.validity += 1
        await reader.has(2)

    assert (reader.numbers, reader.rescans, reader.failures) == ([0, 0], 1, [])


async def test_a_wrong_password_names_the_setting(server: ScriptedImap) -> None:
    chosen = settings({"port": server.port, "user": server.user, "password": "not it"})
    refused = await looked(Mailbox(chosen, None, STEADY))

    assert "correct email.imap.user and password" in refused.reason
    assert "not it" not in refused.reason
    assert refused.after == 60


async def test_a_server_that_repeats_what_it_was_told_gives_no_password_away(server: ScriptedImap) -> None:
    server.once("LOGIN", f'{{tag}} BAD unknown: LOGIN "{server.user}" "{server.password}"\r\n'.encode())
    refused = await looked(Mailbox(at_script(server), None, STEADY))

    assert "refuses the login" in refused.reason
    assert server.password not in refused.reason


async def test_an_access_token_opens_the_mailbox_and_a_stale_one_is_replaced(server: ScriptedImap) -> None:
    tokens: Tokens = Given("stale", "good-token")
    chosen = settings({"port": server.port, "user": server.user}, auth="xoauth2", oauth={"token_command": "true"})
    mailbox = Mailbox(chosen, tokens, QUICK)
    refused = await looked(mailbox)
    look = await mailbox.look()

    assert "refuses the access token" in refused.reason
    assert look.idles
    assert not any("LOGIN" in line.split() for line in server.said)


async def test_without_uidplus_a_purged_mail_goes_to_the_trash() -> None:
    async with serving_imap(ScriptedImap(NO_UIDPLUS)) as server:
        server.receive(a_mail(0), a_mail(1))
        await Mailbox(at_script(server), None).purge("INBOX", 7, [1])

        assert (list(server.mails), list(server.trash)) == ([2], [1001])
        assert not any(line.startswith("EXPUNGE") for line in server.said)


async def test_where_folders_are_labels_a_purged_mail_is_gone_from_the_trash_too() -> None:
    """As Gmail: what is expunged from the INBOX would stay in "All Mail"."""
    async with serving_imap(ScriptedImap(labels=True)) as server:
        server.receive(a_mail(0), a_mail(1))
        await Mailbox(at_script(server), None).purge("INBOX", 7, [1])

        assert (list(server.mails), server.trash, server.archive) == ([2], {}, {})


async def test_a_server_that_can_neither_expunge_one_nor_move_is_left_as_it_is() -> None:
    async with serving_imap(ScriptedImap(("IMAP4rev1",))) as server:
        server.receive(a_mail(0))
        with pytest.raises(Undeliverable, match="remove it by hand"):
            await Mailbox(at_script(server), None).purge("INBOX", 7, [1])

        assert list(server.mails) == [1]


# -------------------------------------------------------------------------------------------------------- STARTTLS


@pytest.fixture
def secured(server: ScriptedImap, authority: Authority) -> EmailSettings:
    """Settings for a server that offers STARTTLS."""
    server.authority = authority
    tls = {"tls": "starttls", "ca_file": authority.trusted}
    return settings({"port": server.port, "user": server.user, "password": server.password, **tls})


async def test_a_line_that_is_slipped_in_before_tls_is_not_believed(
    server: ScriptedImap, secured: EmailSettings
) -> None:
    """RFC 9051, section 11.1: what can be done is asked anew."""
    server.slipped_in = b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"
    look = await Mailbox(secured, None, STEADY).look()

    assert look.idles


async def test_half_a_line_that_is_slipped_in_before_tls_ends_the_connection(
    server: ScriptedImap, secured: EmailSettings
) -> None:
    """Joined to what comes later, it would speak from within TLS."""
    server.slipped_in = b"* BYE "
    refused = await looked(Mailbox(secured, None, STEADY))

    assert "this connection is not safe" in refused.reason
    assert not any(line.startswith("LOGIN") for line in server.said)


@pytest.mark.parametrize("greeting", [b"* OK hello\r\n", b"* PREAUTH you are in\r\n"])
async def test_without_starttls_no_password_is_said(
    server: ScriptedImap, authority: Authority, greeting: bytes
) -> None:
    server.once("greeting", greeting)
    tls = {"tls": "starttls", "ca_file": authority.trusted}
    chosen = settings({"port": server.port, "user": server.user, "password": server.password, **tls})
    refused = await looked(Mailbox(chosen, None, QUICK))

    assert "offers no STARTTLS: correct email.imap.tls" in refused.reason
    assert not any(line.startswith("LOGIN") for line in server.said)


# --------------------------------------------------------------------------------------------------- many breakages


@needs_mail_servers
async def test_thirty_breakages_while_idling_and_fetching_lose_and_double_nothing(mail_servers: MailServers) -> None:
    """E-16, E-17, E-18: FIN, RST, cut in the midst of a mail, hung, and refused, at Dovecot."""
    user = mail_servers.somebody()
    async with proxied(mail_servers.imap) as proxy:
        chosen = at_servers(mail_servers, user, port=proxy.port, idle_seconds=1)
        async with reading(chosen, QUICK) as reader:
            written = 0
            breaks = cycle([cut, reset, cut_in_a_mail, hang, refuse])
            for breakage in range(30):
                mails = [a_mail(number, size=20_000) for number in range(written, written + 4)]
                bringing = asyncio.create_task(asyncio.to_thread(mail_servers.bring, user, *mails))
                if breakage % 2:
                    await bringing  # while it idles; else while it fetches
                    await asyncio.sleep(0.05)
                await next(breaks)(proxy)
                await bringing
                proxy.heal()
                written += 4
                await reader.has(written)

    uids = [letter.uid for letter in reader.letters]
    assert sorted(reader.numbers) == list(range(written))
    assert uids == sorted(set(uids))
    assert len(reader.failures) >= 25


async def cut(proxy: FaultProxy) -> None:
    proxy.cut()


async def reset(proxy: FaultProxy) -> None:
    proxy.reset()


async def cut_in_a_mail(proxy: FaultProxy) -> None:
    proxy.cut_after = 6000
    await asyncio.sleep(0.05)
    proxy.reset()
    await asyncio.sleep(0.05)


async def hang(proxy: FaultProxy) -> None:
    proxy.hanging = True
    await asyncio.sleep(0.1)
    proxy.cut()


async def refuse(proxy: FaultProxy) -> None:
    proxy.refusing = True
    proxy.cut()
    await asyncio.sleep(0.05)
