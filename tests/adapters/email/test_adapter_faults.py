"""Connections that break or hang while mail is read and sent: nothing is lost, and nothing doubled."""

import asyncio
import email
from pathlib import Path

from tests.adapters.email.desk import Desk, running_desk
from tests.adapters.email.mail_programs import MailProgram, arrived, settled
from tests.worlds.mail import FaultProxy, MailServers, proxied
from tests.worlds.needs import needs_mail_servers

from imconnect.domain.events import AgentReplied, AgentTook
from imconnect.ports import SendState, Speaker
from imconnect.testing.conformance import until

pytestmark = needs_mail_servers

EACH = 10


async def test_thirty_broken_connections_lose_nothing_and_double_nothing(
    mail_servers: MailServers, tmp_path: Path
) -> None:
    """E-17, E-18, E-27: ten cut or hung while IDLE waits, ten cut in the middle of FETCH, ten around DATA."""
    address = mail_servers.somebody()
    async with (
        proxied(mail_servers.imap) as imap,
        proxied(mail_servers.smtp) as smtp,
        running_desk(
            mail_servers, tmp_path, address, imap=imap.port, smtp=smtp.port, answer_seconds=1, idle_seconds=1
        ) as desk,
    ):
        ann = desk.person()
        await desk.hears(ann, "/human number 0")
        await asyncio.gather(heard(desk, ann, imap), answered(desk, ann.address, smtp))
        await desk.settles()
        said = [line.text for line in await desk.said_by(ann.address)]
        replies = [line for line in (await desk.of(ann.address)).lines if line.speaker is Speaker.AGENT]
        ids = [message_id(raw) for raw in arrived(mail_servers, ann.address) if b"reply number" in raw]

    numbers = sorted(int(text.partition("number ")[2].partition(".")[0]) for text in said)
    assert imap.connections > 2 * EACH
    assert smtp.connections > EACH
    assert numbers == list(range(2 * EACH + 1))
    assert [line.delivery for line in replies] == [SendState.SENT] * EACH
    assert len(set(ids)) == EACH  # one that was taken before the line broke goes out again under the same Message-ID


async def heard(desk: Desk, ann: MailProgram, imap: FaultProxy) -> None:
    """Have her write twenty times while the way in breaks at another place each time."""
    for number in range(1, 2 * EACH + 1):
        before = imap.connections
        await until(lambda: imap.standing, "somebody to listen")
        if number <= EACH:
            break_while_it_waits(imap, number)
        else:
            imap.cut_after = 250 + 150 * (number - EACH)  # from the greeting to the end of the mail
            imap.reset()
        await ann.writes(f"number {number}. " + "x" * 500, subject=f"{number}")
        if imap.hanging:
            await until(lambda: not imap.standing, "the dead connection to be given up")
        else:
            await another(imap, before)
            await asyncio.sleep(0.1)
        imap.heal()
        await desk.takes_in(ann.address, number + 1)


async def another(proxy: FaultProxy, before: int) -> None:
    """Return once there were more connections than *before*."""
    await until(lambda: proxy.connections > before, "another connection")


def break_while_it_waits(imap: FaultProxy, number: int) -> None:
    if number % 2:
        imap.reset()
    else:
        imap.hanging = True


async def answered(desk: Desk, address: str, smtp: FaultProxy) -> None:
    """Have an agent reply ten times while the way out breaks at another place each time."""
    reference = (await desk.of(address)).summary.reference
    await desk.act(reference, AgentTook("Mei"))
    for number in range(EACH):
        before = smtp.connections
        if number % 2:
            smtp.cut_after = 200 + 40 * number  # before the sending server's last word, or soon after
        else:
            smtp.cut_after_sent = 100 + 150 * number  # in the middle of the mail
        await desk.act(reference, AgentReplied("Mei", f"reply number {number}"))
        await another(smtp, before)
        await asyncio.sleep(0.1)
        smtp.heal()
        async with asyncio.timeout(60):
            while (await desk.store.backlog(desk.clock())).sends:  # noqa: ASYNC110 - the store has no bell for it
                await asyncio.sleep(0.05)
    await settled(desk.servers)


def message_id(raw: bytes) -> str:
    return str(email.message_from_bytes(raw)["Message-ID"])
