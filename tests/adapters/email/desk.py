"""The whole desk, in this process, with a support address at the mail servers of the tests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.adapters.email.mail_programs import AUTHSERV_ID, MailProgram, settled
from tests.adapters.email.transport_world import settings
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.mail import PASSWORD, MailServers

from imconnect.app import ALL_ROLES, Started, run_desk
from imconnect.desk.loops import Stopping
from imconnect.domain.conversations import Stage
from imconnect.domain.events import AgentReplied, AgentsAct, AgentTook
from imconnect.ports import Dossier, Line, Speaker
from imconnect.settings import CoreSettings, Settings
from imconnect.storage import SqlStore

STAGES = frozenset(Stage)
PATIENCE = 20.0


@dataclass(slots=True)
class Desk:
    """A desk that runs in this process, on a database of its own."""

    store: SqlStore
    servers: MailServers
    address: str
    acts: int = 0

    def person(self, *, vouched: bool = True, address: str = "") -> MailProgram:
        """Somebody who may write to the desk."""
        at = address or self.servers.somebody()
        return MailProgram(self.servers, at, self.address, name_of(at), vouched=vouched)

    async def all_of(self, address: str) -> list[Dossier]:
        """The conversations with *address*, the oldest first."""
        found = [
            await self.store.dossier(one.reference)
            for one in await self.store.summaries(STAGES, 2000)
            if one.contact == name_of(address)
        ]
        return sorted((one for one in found if one is not None), key=lambda one: one.summary.id)

    async def of(self, address: str) -> Dossier:
        """The only conversation with *address*."""
        [only] = await self.all_of(address)
        return only

    async def said_by(self, address: str) -> list[Line]:
        """What *address* said in its only conversation."""
        return [line for line in (await self.of(address)).lines if line.speaker is Speaker.CUSTOMER]

    async def act(self, reference: str, act: AgentsAct) -> None:
        """Have an agent do something, and wait until its turn has come."""
        self.acts += 1
        event = await self.store.act(reference, act, f"act-{self.acts}", self.clock())
        assert event is not None
        async with asyncio.timeout(PATIENCE):
            while await self.store.outcome(event) is None:  # noqa: ASYNC110 - the store has no bell for one event
                await asyncio.sleep(0.02)

    async def replies(self, address: str, text: str) -> None:
        """Have an agent take the conversation with *address* and say *text*."""
        reference = (await self.of(address)).summary.reference
        await self.act(reference, AgentTook("Mei"))
        await self.act(reference, AgentReplied("Mei", text))

    async def takes_in(self, address: str, count: int = 1) -> None:
        """Return once *count* messages of *address* are stored, in whatever conversations."""
        async with asyncio.timeout(PATIENCE):
            while True:
                lines = [line for one in await self.all_of(address) for line in one.lines]
                if len([line for line in lines if line.speaker is Speaker.CUSTOMER]) >= count:
                    return
                await asyncio.sleep(0.02)

    async def settles(self) -> None:
        """Wait until nothing is left to be done, and all that was sent has arrived."""
        async with asyncio.timeout(PATIENCE):
            quiet = 0
            while quiet < 3:
                backlog = await self.store.backlog(self.clock())
                quiet = 0 if backlog.events or backlog.sends or backlog.errands else quiet + 1
                await asyncio.sleep(0.03)
        await settled(self.servers)

    async def hears(self, person: MailProgram, text: str, **others: Any) -> None:
        """Have *person* write, and wait until all that follows from it is done."""
        before = sum(
            line.speaker is Speaker.CUSTOMER for one in await self.all_of(person.address) for line in one.lines
        )
        await person.writes(text, **others)
        await self.takes_in(person.address, before + 1)
        await self.settles()

    @staticmethod
    def clock() -> datetime:
        return datetime.now(UTC)


def name_of(address: str) -> str:
    """What somebody with that address is called: conversations are listed by names."""
    return f"Person {address.partition('@')[0]}"


@asynccontextmanager
async def running_desk(
    servers: MailServers, folder: Path, address: str, *, imap: int = 0, smtp: int = 0, **email: Any
) -> AsyncGenerator[Desk]:
    """A desk on a database under *folder*, until the end of the block; *imap* and *smtp*: ports before the servers."""
    chosen = {"trusted_authserv_id": AUTHSERV_ID, "check_signatures": False, "first_read": "all", **email}
    pack = folder / "pack" if (folder / "pack").exists() else light_pack(folder)
    desk_settings = Settings(
        CoreSettings.model_validate(
            {
                "database": {"url": f"sqlite:///{folder}/desk.db"},
                "pack": pack,
                "cache": folder / "cache",
                "matcher": "ngrams",
                "web": {"port": 0},
            }
        ),
        {
            "email": settings(
                {"port": imap or servers.imap, "user": address, "password": PASSWORD},
                {"port": smtp or servers.smtp},
                address=address,
                **chosen,
            )
        },
    )
    stopping, ready = Stopping(), asyncio.Event()
    stores: list[SqlStore] = []

    def started(_: Started, store: SqlStore) -> None:
        stores.append(store)
        ready.set()

    running = asyncio.create_task(run_desk(desk_settings, ALL_ROLES, stopping, started))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([running, waiting], timeout=90, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield Desk(stores[0], servers, address)
    finally:
        stopping.ask()
        await asyncio.wait_for(running, 30)


def kept_in(folder: Path) -> str:
    """Everything in the desk's database and what lies beside it."""
    return "".join(path.read_bytes().decode(errors="replace") for path in folder.glob("desk.db*"))
