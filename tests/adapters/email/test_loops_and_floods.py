"""Machines that write to the desk: they are read, and do not make it write without end."""

import asyncio
import re
from pathlib import Path

from tests.adapters.email.desk import STAGES, running_desk
from tests.adapters.email.mail_programs import arrived, settled
from tests.worlds.mail import MailServers
from tests.worlds.needs import needs_mail_servers

pytestmark = needs_mail_servers

PROBE = "heliotrope-rhubarb"


async def test_two_desks_that_face_each_other_end_after_one_answer(mail_servers: MailServers, tmp_path: Path) -> None:
    """E-10"""
    first, second = mail_servers.somebody(), mail_servers.somebody()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    async with (
        running_desk(mail_servers, tmp_path / "first", first) as one,
        running_desk(mail_servers, tmp_path / "second", second) as other,
    ):
        forged = one.person(address=second)
        await forged.writes("how do I reset my password?")
        await one.takes_in(second)
        await one.settles()
        async with asyncio.timeout(20):
            while not await other.store.summaries(STAGES, 10):  # noqa: ASYNC110 - the store has no bell for it
                await asyncio.sleep(0.05)
        await other.settles()
        await asyncio.sleep(1.0)
        answers, back = arrived(mail_servers, second), arrived(mail_servers, first)

    assert len(answers) == 1
    assert len(back) == 1  # the forged mail that began it


async def test_a_robot_that_does_not_say_so_is_answered_twice_at_most(
    mail_servers: MailServers, tmp_path: Path
) -> None:
    """E-10"""
    async with running_desk(mail_servers, tmp_path, mail_servers.somebody()) as desk:
        robot = desk.person()
        words = "Thank you for your message, we will answer within two working days."
        await desk.hears(robot, words)
        for _ in range(4):
            for heard in (await robot.has())[-1:]:
                await desk.hears(robot, words, answers=heard)
        said = [line.text for line in await desk.said_by(robot.address)]

    assert len(said) == 5
    assert len(await robot.has()) <= 2


async def test_a_flood_of_forged_senders_makes_few_mails_and_none_with_its_words(
    mail_servers: MailServers, tmp_path: Path
) -> None:
    """E-12: of what a forger wrote only the Message-ID comes back, where mail programs look for what is answered."""
    address = mail_servers.somebody()
    senders = [f"flood{number}@test.example" for number in range(200)]
    mails = [
        f"From: {PROBE} <{sender}>\r\nTo: {address}\r\nSubject: {PROBE}\r\nMessage-ID: <{PROBE}.{sender}>\r\n\r\n"
        f"how do I reset my password? {PROBE} http://spam.example/{PROBE}\r\n".encode()
        for sender in senders
    ]
    async with running_desk(mail_servers, tmp_path, address, unproven_in_all=10, unproven_per_domain=8) as desk:
        mail_servers.lay(address, mails)
        async with asyncio.timeout(60):
            while len(await desk.store.summaries(STAGES, 1000)) < len(mails):  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.1)
        await desk.settles()
        await settled(mail_servers)
        sent = [raw for sender in senders for raw in arrived(mail_servers, sender)]

    assert len(sent) == 8
    bodies = [re.sub(rb"(?im)^(in-reply-to|references):.*\r?\n(\s.*\r?\n)*", b"", raw) for raw in sent]
    assert not [body for body in bodies if PROBE.encode() in body]
