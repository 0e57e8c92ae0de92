"""E-mail keeps what every channel keeps, with real servers at the other end."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import pytest
from tests.adapters.email.mail_programs import AUTHSERV_ID, MailProgram, arrived, settled
from tests.adapters.email.marked import WithItsDesk
from tests.adapters.email.transport_world import settings
from tests.worlds.mail import PASSWORD, FaultProxy, MailServers, proxied
from tests.worlds.needs import needs_mail_servers

from imconnect.domain.messages import Address, Outgoing
from imconnect.ports import Adapter, MaybeSent, Sent
from imconnect.testing.conformance import (
    AdapterConformance,
    ErasureConformance,
    FileConformance,
    RefusalConformance,
    Seen,
)
from imconnect.testing.kit import MemoryKit
from imconnect_email import EmailAdapter


@dataclass(frozen=True, slots=True)
class ByMail:
    """A person with a mail program, as the suite knows customers."""

    program: MailProgram
    account: str

    @property
    def address(self) -> Address:
        return Address("email", self.account, self.program.address)

    async def say(self, text: str) -> None:
        await self.program.writes(text)

    async def choose(self, label: str) -> None:
        newest = next(one for one in reversed(await self.program.has()) if label in one.choices)
        await self.program.writes(str(newest.choices.index(label) + 1), answers=newest)

    async def sees(self) -> Sequence[Seen]:
        return [Seen(one.words, one.choices) for one in await self.program.has()]

    async def send_file(self, name: str, content: bytes) -> None:
        mail = self.program.written("")
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        await self.program.sends(mail)

    async def said(self) -> Sequence[str]:
        """What of theirs lies in the support mailbox still; what lies in their own Sent folder is theirs."""
        return [
            raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2].decode()
            for raw in arrived(self.program.servers, self.program.desk)
        ]


@dataclass(frozen=True, slots=True)
class MailsFaults:
    """What goes wrong at the servers, until the test ends."""

    smtp: FaultProxy
    imap: FaultProxy
    customer: ByMail

    async def busy(self) -> None:
        self.customer.program.address = "later@test.example"

    async def shut(self) -> None:
        self.customer.program.address = "nobody@test.example"

    async def cut(self) -> None:
        self.smtp.cut_after_sent = 400  # in the middle of the mail

    async def unreachable(self) -> None:
        self.smtp.refusing = self.imap.refusing = True


@needs_mail_servers
class TestByMail(AdapterConformance, ErasureConformance, RefusalConformance, FileConformance):
    @pytest.fixture
    async def smtp(self, mail_servers: MailServers) -> AsyncGenerator[FaultProxy]:
        async with proxied(mail_servers.smtp) as proxy:
            yield proxy

    @pytest.fixture
    async def imap(self, mail_servers: MailServers) -> AsyncGenerator[FaultProxy]:
        async with proxied(mail_servers.imap) as proxy:
            yield proxy

    @pytest.fixture
    async def channel(self, mail_servers: MailServers, smtp: FaultProxy, imap: FaultProxy) -> EmailAdapter:
        desk = mail_servers.somebody()
        chosen = settings(
            {"port": imap.port, "user": desk, "password": PASSWORD},
            {"port": smtp.port},
            address=desk,
            trusted_authserv_id=AUTHSERV_ID,
            check_signatures=False,
            first_read="all",
        )
        adapter = WithItsDesk(chosen)
        await adapter.equip(MemoryKit())
        return adapter

    @pytest.fixture
    def customer(self, mail_servers: MailServers, channel: EmailAdapter) -> ByMail:
        return ByMail(MailProgram(mail_servers, mail_servers.somebody(), channel.account), channel.account)

    @pytest.fixture
    def faults(self, smtp: FaultProxy, imap: FaultProxy, customer: ByMail) -> MailsFaults:
        return MailsFaults(smtp, imap, customer)

    async def send(self, channel: Adapter, message: Outgoing) -> Sent | MaybeSent:
        """Two mails that are on their way at once may arrive in any order: each is let arrive."""
        sent = await channel.send(message)
        await settled(self.servers)
        return sent

    @pytest.fixture(autouse=True)
    def at(self, mail_servers: MailServers) -> None:
        self.servers = mail_servers
