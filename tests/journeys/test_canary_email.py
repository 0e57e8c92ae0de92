"""Secrets through every field of a mail: of none three words or twelve characters are kept or told."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio
from tests.adapters.email.mail_programs import AUTHSERV_ID, MailProgram
from tests.faults.desks import Desks, desks_in
from tests.journeys.secrets import canaries, of_words, phrase
from tests.journeys.stories import agent
from tests.journeys.test_canary import everything_told, found_in, found_under
from tests.worlds.mail import PASSWORD, MailServers, running_mail
from tests.worlds.needs import needs_mail_servers

pytestmark = needs_mail_servers

ALL = canaries()


@pytest.fixture
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
    server = {"host": "127.0.0.1", "tls": "implicit", "ca_file": str(servers.authority.trusted)}
    imap = {**server, "port": str(servers.imaps), "user": address, "password": PASSWORD}
    settings = {
        "web.port": str(port),
        "cache": str(learnt),
        "log.level": "debug",
        "email.address": address,
        "email.trusted_authserv_id": AUTHSERV_ID,
        "email.first_read": "all",
        "email.check_signatures": "false",
        **{f"email.imap.{key}": value for key, value in imap.items()},
        **{f"email.smtp.{key}": value for key, value in {**server, "port": str(servers.smtps)}.items()},
    }
    folder = tmp_path / "desk"
    folder.mkdir()
    async with desks_in(folder, settings) as desks:
        yield desks


async def test_nothing_of_a_secret_in_a_mail_is_kept_or_told(
    desks: Desks, servers: MailServers, address: str, tmp_path: Path
) -> None:
    """S-01, S-05, S-06, S-09, S-12; E-25"""
    sought = list(ALL)
    count = 0

    def fresh(number: int) -> str:
        """A phrase of its own for each field, so that a find names the field."""
        words = phrase("english", number)
        sought.append(of_words(f"field {number}", words, words))
        return words

    def person(name: str = "") -> MailProgram:
        nonlocal count
        count += 1
        return MailProgram(servers, servers.somebody(), address, name)

    desk = await desks.start()
    await desk.ready()
    for one in ALL:
        await person().writes(one.typed)
    await person().writes("hello", subject=fresh(400))
    await person(fresh(401)).writes("hello")
    await person().writes(f"hello\n\nOn Sun, 22 Nov 2026 at 10:00, Support wrote:\n> {fresh(402)}\n")
    ann = person()
    for number, (name, content) in enumerate(
        (("backup.txt", fresh(403).encode()), (f"{fresh(404)}.txt", b"nothing"), ("mail.eml", fresh(405).encode()))
    ):
        mail: EmailMessage = ann.written(f"see the file {number}")
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        await ann.sends(mail)
        count += 1
    html = person()
    mail = html.written("plain words")
    mail.add_alternative(f"<p>my words: <b>{fresh(406)}</b></p>", subtype="html")
    await html.sends(mail)
    async with agent(desks, "Mei") as mei:
        async with asyncio.timeout(60):
            while len((await mei.http.get("/api/v1/conversations")).json()) < len(ALL) + 4:  # noqa: ASYNC110 - a list is all there is
                await asyncio.sleep(0.2)
        await asyncio.sleep(3)  # whatever is still on its way to a table or a log
        told = await everything_told(desks, desk, mei)
    running = found_under(desks.folder, sought)
    await desk.stop()

    assert found_in(told, sought) == []
    assert (running, found_under(desks.folder, sought)) == ({}, {})
