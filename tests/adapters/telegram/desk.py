"""The whole desk, in this process, with Telegram as its channel."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.adapters.telegram.door import settings_for
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.botapi import Server

from imconnect.app import ALL_ROLES, Started, run_desk
from imconnect.desk.loops import Stopping
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
