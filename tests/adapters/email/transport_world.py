"""A desk's end of the mail: settings that lead to the servers of the tests, and somebody who never stops reading."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.worlds.mail import PASSWORD, MailServers, ScriptedImap

from imconnect.ports import TryLater
from imconnect_email.mailbox import Cursor, Letter, Mailbox
from imconnect_email.settings import EmailSettings, Tls
from imconnect_email.wire import Patience

PATIENCE = 20.0
"""Seconds a test waits for what must come."""

QUICK = Patience(connect=3.0, silence=0.4, answer=3.0)
"""Of a client in a test about silence."""

STEADY = Patience(connect=10.0, silence=10.0, answer=30.0)


def a_mail(number: int, text: str = "hello", size: int = 0) -> bytes:
    """A mail that is known again by its number."""
    padding = "".join(f"{'x' * 70}\r\n" for _ in range(size // 72))
    return (
        f"From: somebody@test.example\r\nTo: desk@test.example\r\nSubject: number {number}\r\n"
        "Date: Sun, 22 Nov 2026 10:00:00 +0800\r\n"
        f"Message-ID: <{number}@test.example>\r\n\r\n{text}\r\n{padding}"
    ).encode()


def number_of(raw: bytes) -> int:
    """Which mail that is."""
    line = next(line for line in raw.splitlines() if line.startswith(b"Subject: number "))
    return int(line.rpartition(b" ")[2])


def settings(imap: Mapping[str, Any], smtp: Mapping[str, Any] | None = None, **others: Any) -> EmailSettings:
    """Settings that lead to 127.0.0.1."""
    return EmailSettings.model_validate(
        {
            "address": "desk@test.example",
            "imap": {"host": "127.0.0.1", "tls": "off", **imap},
            "smtp": {"host": "127.0.0.1", "tls": "off", **(smtp or {})},
            **others,
        }
    )


def at_servers(
    servers: MailServers, user: str, tls: Tls = "off", port: int | None = None, **others: Any
) -> EmailSettings:
    """The mailbox of *user* at the real servers; *port*, if something stands before them."""
    trusted: dict[str, Path] = {} if tls == "off" else {"ca_file": servers.authority.trusted}
    return settings(
        {
            "port": port or (servers.imaps if tls == "implicit" else servers.imap),
            "user": user,
            "password": PASSWORD,
            "tls": tls,
            **trusted,
        },
        {"port": servers.smtps if tls == "implicit" else servers.smtp, "tls": tls, **trusted},
        **others,
    )


def at_script(server: ScriptedImap, **others: Any) -> EmailSettings:
    """The one mailbox of a scripted server."""
    return settings({"port": server.port, "user": server.user, "password": server.password}, **others)


class Given:
    """Access tokens, one after the other."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)

    async def token(self) -> str:
        return self._tokens[0]

    def refused(self) -> None:
        self._tokens.pop(0)


@dataclass(slots=True)
class Reader:
    """Reads a folder as the desk does: keeps the cursor with the mails, and goes on from it whatever breaks."""

    mailbox: Mailbox
    folder: str = "INBOX"
    cursor: Cursor | None = None
    letters: list[Letter] = field(default_factory=list[Letter])
    rescans: int = 0
    failures: list[str] = field(default_factory=list[str])

    async def read(self) -> None:
        while True:
            try:
                async with aclosing(self.mailbox.follow(self.folder, self.cursor)) as batches:
                    async for batch in batches:
                        self.letters += batch.letters
                        self.cursor = batch.cursor
                        self.rescans += batch.rescan and not batch.letters
            except TryLater as later:
                self.failures.append(later.reason)
                await asyncio.sleep(0.02)

    @property
    def numbers(self) -> list[int]:
        return [number_of(letter.raw) for letter in self.letters]

    async def has(self, count: int, within: float = PATIENCE) -> list[Letter]:
        """The first *count* mails, once they are there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while len(self.letters) < count:  # noqa: ASYNC110 - a list has no bell to wait at
                    await asyncio.sleep(0.005)
                return self.letters[:count]
        raise AssertionError(f"{len(self.letters)} of {count} mails after {within:g} seconds; {self.failures[-3:]}")


@asynccontextmanager
async def reading(
    chosen: EmailSettings, patience: Patience = STEADY, cursor: Cursor | None = None, folder: str = "INBOX"
) -> AsyncGenerator[Reader]:
    """Somebody reads, until the block ends."""
    reader = Reader(Mailbox(chosen, None, patience), folder, cursor)
    task = asyncio.create_task(reader.read())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
