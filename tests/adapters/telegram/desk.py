"""The whole desk, in this process, with Telegram as its channel."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.adapters.telegram.door import settings_for
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.botapi import Person, Server, World

from imconnect.app import ALL_ROLES, Started, run_desk
from imconnect.desk.loops import Stopping
from imconnect.domain.conversations import Stage
from imconnect.domain.events import AgentsAct
from imconnect.ports import Dossier
from imconnect.settings import CoreSettings, Settings
from imconnect.storage import SqlStore


@asynccontextmanager
async def running_desk(server: Server, folder: Path, port: int = 0, **telegram: object) -> AsyncGenerator[SqlStore]:
    """A desk on a database under *folder*, until the end of the block; its store, to look into."""
    settings = Settings(
        CoreSettings.model_validate(
            {
                "database": {"url": f"sqlite:///{folder}/desk.db"},
                "pack": light_pack(folder),
                "cache": folder / "cache",
                "matcher": "ngrams",
                "web": {"port": port},
            }
        ),
        {"telegram": settings_for(server, **telegram)},
    )
    stopping, ready = Stopping(), asyncio.Event()
    stores: list[SqlStore] = []

    def started(_: Started, store: SqlStore) -> None:
        stores.append(store)
        ready.set()

    running = asyncio.create_task(run_desk(settings, ALL_ROLES, stopping, started))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([running, waiting], timeout=60, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield stores[0]
    finally:
        stopping.ask()
        await asyncio.wait_for(running, 20)


STAGES = frozenset(Stage)


@dataclass(slots=True)
class Desk:
    """A desk that runs in this process, on a database of its own."""

    store: SqlStore
    world: World
    acts: int = 0

    async def of(self, person: Person) -> Dossier:
        """The conversation with *person*, as an agent sees it."""
        [summary] = [one for one in await self.store.summaries(STAGES, 1000) if one.contact == person.name]
        found = await self.store.dossier(summary.reference)
        assert found is not None
        return found

    async def reference_of(self, person: Person) -> str:
        """The reference of the conversation with *person*, once there is one."""
        async with asyncio.timeout(30):
            while True:
                for one in await self.store.summaries(STAGES, 1000):
                    if one.contact == person.name:
                        return one.reference
                await asyncio.sleep(0.02)

    async def reaches(self, person: Person, stage: Stage) -> None:
        """Wait until the conversation with *person* is at *stage*."""
        async with asyncio.timeout(30):
            while (await self.of(person)).summary.stage is not stage:  # noqa: ASYNC110 - the store has no bell for it
                await asyncio.sleep(0.02)

    async def act(self, person: Person, act: AgentsAct) -> None:
        """Have an agent do something in the conversation with *person*, and wait until its turn has come."""
        reference = (await self.of(person)).summary.reference
        self.acts += 1
        event = await self.store.act(reference, act, f"act-{self.acts}", self.clock())
        assert event is not None
        async with asyncio.timeout(30):
            while await self.store.outcome(event) is None:  # noqa: ASYNC110 - the store has no bell for one event
                await asyncio.sleep(0.02)

    @staticmethod
    def clock() -> datetime:
        return datetime.now(UTC)

    async def settles(self) -> None:
        """Wait until nothing is left to be done."""
        async with asyncio.timeout(30):
            quiet = 0
            while quiet < 3:
                backlog = await self.store.backlog(self.clock())
                idle = not (backlog.events or backlog.sends or backlog.errands or self.world.updates.waiting)
                quiet = quiet + 1 if idle else 0
                await asyncio.sleep(0.05)


def kept_in(folder: Path) -> str:
    """Everything in the desk's database and what lies beside it."""
    return "".join(path.read_bytes().decode(errors="replace") for path in folder.glob("desk.db*"))
