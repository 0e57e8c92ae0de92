"""Somebody with a mail program at the servers of the tests: writes, reads what came, answers it."""

import asyncio
import email
import email.policy
import itertools
import re
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from tests.worlds.mail import MailServers

from imconnect_email.quotes import MARKER
from imconnect_email.translate import SIGNATURE_LINE

AUTHSERV_ID = "mx.test.example"
"""Under which the border server of the tests says who sent a mail."""

_NUMBERS = itertools.count(1)
_CHOICE = re.compile(r"(\d+)\. (.+)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail of the desk's as a mail program shows it."""

    message: EmailMessage
    envelope_sender: str

    @property
    def body(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def said(self) -> str:
        """What it says, without our marker and what closes every mail."""
        return self.body.partition(MARKER)[2].partition(f"\n{SIGNATURE_LINE}\n")[0].strip()

    @property
    def choices(self) -> tuple[str, ...]:
        found = (_CHOICE.fullmatch(line) for line in self.said.splitlines())
        return tuple(one[2] for one in found if one is not None)

    @property
    def words(self) -> str:
        """What it says, without the numbered lines."""
        lines = self.said.splitlines()
        return "\n".join(lines[: len(lines) - len(self.choices)]).strip()

    def __getitem__(self, name: str) -> str:
        return str(self.message[name] or "")


@dataclass(slots=True)
class MailProgram:
    """A person at *address* who writes to *desk*. `vouched`: their own server signs, and the border server says so."""

    servers: MailServers
    address: str
    desk: str
    name: str = ""
    vouched: bool = True
    _sent: list[str] = field(default_factory=list[str])

    def written(self, text: str, *, subject: str = "a question", answers: Shown | None = None) -> EmailMessage:
        """A mail of theirs."""
        mail = EmailMessage(policy=email.policy.SMTP)
        if self.vouched:
            domain = self.address.rpartition("@")[2]
            mail["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass header.from={domain}"
        mail["From"] = f"{self.name} <{self.address}>" if self.name else self.address
        mail["To"] = self.desk
        mail["Message-ID"] = f"<{next(_NUMBERS)}.{self.address}>"
        mail["Date"] = "Sun, 22 Nov 2026 10:00:00 +0800"
        mail["Subject"] = subject
        if answers is not None:
            del mail["Subject"], mail["To"]
            mail["Subject"] = f"Re: {answers['Subject']}"
            mail["To"] = answers["Reply-To"]
            mail["In-Reply-To"] = answers["Message-ID"]
            mail["References"] = answers["Message-ID"]
            quoted = "\n".join(f"> {line}" for line in answers.body.splitlines())
            text = f"{text}\n\nOn Sun, 22 Nov 2026 at 10:00, Support wrote:\n{quoted}\n"
        mail.set_content(text, charset="utf-8")
        return mail

    async def writes(self, text: str, *, subject: str = "a question", answers: Shown | None = None) -> EmailMessage:
        mail = self.written(text, subject=subject, answers=answers)
        await self.sends(mail)
        return mail

    async def sends(self, mail: EmailMessage | bytes, sender: str | None = None) -> None:
        """Hand *mail* over to the desk's server, and return once it lies in the mailbox."""
        raw = mail if isinstance(mail, bytes) else bytes(mail)
        await asyncio.to_thread(self._hand_over, raw, self.address if sender is None else sender)
        await settled(self.servers)

    def _hand_over(self, raw: bytes, sender: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.servers.smtp, timeout=20) as client:
            client.sendmail(sender, [self.desk], raw)

    async def has(self) -> list[Shown]:
        """What the desk sent, oldest first, each Message-ID once, as receiving servers and programs show it."""
        await settled(self.servers)
        shown: dict[str, Shown] = {}
        for raw in arrived(self.servers, self.address):
            mail = email.message_from_bytes(raw, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            one = Shown(mail, str(mail["Return-Path"] or ""))
            shown.setdefault(one["Message-ID"], one)
        return list(shown.values())

    async def hears(self, words: str, within: float = 30.0) -> Shown:
        """The first mail of the desk's that says *words*, once it is there."""
        async with asyncio.timeout(within):
            while True:
                for one in await self.has():
                    if words in one.body:
                        return one
                await asyncio.sleep(0.05)


def arrived(servers: MailServers, address: str) -> Sequence[bytes]:
    """All that lies in the mailbox, in the order in which it was laid there."""
    maildir = servers.folder / "mail" / address.partition("@")[0]
    files = [path for part in ("new", "cur") for path in maildir.glob(f"{part}/*")]
    return [path.read_bytes() for path in sorted(files, key=_laid)]


def _laid(path: Path) -> tuple[int, int]:
    found = re.match(r"(\d+)\.M(\d+)", path.name)
    assert found is not None
    return int(found[1]), int(found[2])


async def settled(servers: MailServers) -> None:
    """Return once Postfix has delivered all it took: it says yes before that."""
    spool = servers.folder / "postfix/spool"
    async with asyncio.timeout(30):
        while any(  # noqa: ASYNC110 - a queue has no bell to wait at
            path.is_file() for part in ("maildrop", "incoming", "active") for path in (spool / part).rglob("*")
        ):
            await asyncio.sleep(0.01)
