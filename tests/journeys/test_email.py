"""A customer who writes mails, from the first word to the end; the desk is a process of its own."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.adapters.email.mail_programs import AUTHSERV_ID, MailProgram, arrived
from tests.faults.desks import Desks, desks_in
from tests.journeys.stories import PATIENCE, files_with, logged, shown, three_words_of
from tests.worlds.mail import PASSWORD, MailServers, running_mail
from tests.worlds.needs import needs_mail_servers

pytestmark = needs_mail_servers

LINK = "https://etherscan.io/tx/0x" + "5d3f" * 16
WALLET = "0x52908400098527886e0f7030069857d2e4169ee7"
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A test vector of BIP-39."""


@pytest.fixture(scope="module")
def servers() -> Generator[MailServers]:
    with running_mail() as servers:
        yield servers


@pytest.fixture
def address(servers: MailServers) -> str:
    """The support address."""
    return servers.somebody()


@pytest_asyncio.fixture
async def desks(tmp_path: Path, learnt: Path, servers: MailServers, address: str) -> AsyncGenerator[Desks]:
    """The shipped pack and a support address, on SQLite, with everything logged."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    trusted = str(servers.authority.trusted)
    settings = {
        "web.port": str(port),
        "cache": str(learnt),
        "log.level": "debug",
        "email.address": address,
        "email.trusted_authserv_id": AUTHSERV_ID,
        "email.first_read": "all",
        "email.check_signatures": "false",
        **{f"email.imap.{key}": value for key, value in _login(servers.imaps, trusted, address).items()},
        **{f"email.smtp.{key}": value for key, value in _login(servers.smtps, trusted).items()},
    }
    async with desks_in(tmp_path, settings) as desks:
        yield desks


def _login(port: int, trusted: str, user: str = "") -> dict[str, str]:
    server = {"host": "127.0.0.1", "port": str(port), "tls": "implicit", "ca_file": trusted}
    return {**server, "user": user, "password": PASSWORD} if user else server


async def reference_of(desks: Desks) -> str:
    """The reference of the only conversation."""
    [one] = json.loads((await desks.told("conversation", "list", "--json")).splitlines()[-1])
    return str(one["reference"])


async def test_a_transfer_that_did_not_arrive_is_prepared_queued_and_answered_by_an_agent(
    desks: Desks, servers: MailServers, address: str
) -> None:
    li = MailProgram(servers, servers.somebody(), address, "李")
    mallory = MailProgram(servers, servers.somebody(), address, vouched=False)
    desk = await desks.start()
    await desk.ready()
    await li.writes("转账三个小时了还没到账", subject="转账")
    asked = await li.hears("请补充下面几项", within=PATIENCE)
    await li.writes(f"{LINK}\n{WALLET}", answers=asked)
    queued = await li.hears("已经为您排队", within=PATIENCE)
    reference = await reference_of(desks)
    await mallory.writes("what is new?", subject=f"Re: [{reference}]")
    await desks.told("agent", "add", "小美")
    await desks.told("conversation", "take", reference, "--agent", "小美")
    await desks.told("conversation", "reply", reference, "链上已经确认，请刷新资产页。", "--agent", "小美")
    reply = await li.hears("链上已经确认", within=PATIENCE)
    await li.writes("谢谢，看到了", answers=reply)
    case = await until_shown(desks, reference, "看到了")
    to_mallory = "\n".join(f"{one['Subject']}\n{one.body}" for one in await mallory.has())
    code = await desk.stop()

    assert reference in queued["Subject"]
    assert reference in queued.said
    assert "第 1 位" in queued.said
    assert (reply["Auto-Submitted"], reply.envelope_sender.strip("<>")) == ("", address)
    assert all(words in case for words in ("转账三个小时了", WALLET, "链上已经确认"))
    assert reference not in to_mallory
    assert "链上" not in to_mallory
    assert code == 0
    assert logged(desk, [LINK, WALLET, "三个小时了", "链上已经确认", "看到了"]) == []


async def until_shown(desks: Desks, reference: str, words: str) -> str:
    """The conversation as it is shown, once it holds *words*."""
    for _ in range(20):
        case = await desks.told("conversation", "show", reference)
        if words in case:
            return case
    raise AssertionError(f"{words} is not shown")


async def test_a_phrase_sent_by_mail_is_warned_of_purged_on_the_server_and_kept_nowhere(
    desks: Desks, servers: MailServers, address: str, tmp_path: Path
) -> None:
    li = MailProgram(servers, servers.somebody(), address, "李")
    desk = await desks.start()
    await desk.ready()
    await li.writes(f"我的助记词是 {PHRASE} 帮我看看", subject="帮我看看")
    warning = await li.hears("请当作泄露处理", within=PATIENCE)
    await until_gone(servers, address)
    told = await shown(desks)
    running = files_with(tmp_path, three_words_of(PHRASE))
    await desk.stop()

    assert "已发送" in warning.body
    assert not [words for words in three_words_of(PHRASE) if words in told or words in warning.body]
    assert (running, files_with(tmp_path, three_words_of(PHRASE))) == ({}, {})


async def until_gone(servers: MailServers, address: str) -> None:
    """Return once nothing lies in the support mailbox any more."""
    async with asyncio.timeout(PATIENCE):
        while arrived(servers, address):  # noqa: ASYNC110 - a mailbox has no bell to wait at
            await asyncio.sleep(0.05)


async def test_a_desk_that_is_killed_again_and_again_loses_no_mail_and_takes_none_twice(
    desks: Desks, servers: MailServers, address: str
) -> None:
    """E-16"""
    li = MailProgram(servers, servers.somebody(), address, "李")
    for number in range(3):
        desk = await desks.start()
        await desk.ready()
        await li.writes(f"/human number-{number}", subject="again")
        await asyncio.sleep(0.2 * number)
        await desk.kill()
    desk = await desks.start()
    await desk.ready()
    case = await until_shown(desks, await until_listed(desks), "number-2")

    assert [case.count(f"number-{number}") for number in range(3)] == [1, 1, 1]
    ids = [one["Message-ID"] for one in await li.has()]
    assert len(ids) == len(set(ids))


async def until_listed(desks: Desks) -> str:
    """The reference of the only conversation, once there is one."""
    for _ in range(20):
        listed = json.loads((await desks.told("conversation", "list", "--json")).splitlines()[-1])
        if listed:
            return str(listed[0]["reference"])
    raise AssertionError("there is no conversation")
