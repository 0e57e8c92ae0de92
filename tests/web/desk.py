"""A whole desk on SQLite, its pages served by a real server: what the tests of the pages run against."""

import asyncio
import hashlib
import itertools
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from imconnect.content import bundled_pack, read_pack
from imconnect.desk.agents import AgentDesk
from imconnect.desk.clockwork import Clockwork
from imconnect.desk.delivery import Delivery
from imconnect.desk.errands import Errands
from imconnect.desk.intake import Intake
from imconnect.desk.loops import Stopping
from imconnect.desk.questions import QuestionDesk
from imconnect.desk.turns import Turns
from imconnect.domain.playbook import Playbook
from imconnect.guard import Guard
from imconnect.guard.outgoing import objection
from imconnect.nlu.reader import Reader
from imconnect.ports import Agent
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.web.app import end_streams, web_app
from imconnect.web.chat import WebChat
from imconnect.web.health import Readiness

SECRET = "what the tests sign cookies with"
METRICS = b"# HELP messages_received_total Messages.\nmessages_received_total 3.0\n"


class Unmetered:
    """Counts nothing."""

    def count(self, name: str, value: int = 1, **labels: str) -> None: ...

    def observe(self, name: str, seconds: float, **labels: str) -> None: ...


@dataclass(slots=True)
class PassingTime:
    """The real clock, and what was added to it by hand."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class RunningDesk:
    """The desk at work. `listening` is the task in which the web chat takes messages."""

    store: SqlStore
    playbook: Playbook
    chat: WebChat
    make_app: Callable[[], FastAPI]
    app: FastAPI
    time: PassingTime
    intake: Intake
    listening: asyncio.Task[None]
    readiness: Readiness = field(default_factory=lambda: Readiness("ok", {"web": "ok"}))
    url: str = ""

    async def agent(self, name: str, token: str) -> Agent:
        """An agent who may sign in once with *token*."""
        hashed = hashlib.sha256(token.encode()).hexdigest()
        now = self.time()
        return await self.store.add_agent(name, hashed, now + timedelta(hours=1), now)

    async def stop_listening(self) -> None:
        self.listening.cancel()
        await asyncio.gather(self.listening, return_exceptions=True)

    async def listen_again(self) -> None:
        self.listening = asyncio.create_task(self.chat.listen(self.intake.deliver))
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Brains:
    """What takes a moment to make and never changes: made once for all tests. `blank` is a database with its tables."""

    playbook: Playbook
    guard: Guard
    reader: Reader
    blank: Path

    @classmethod
    def made(cls, folder: Path) -> "Brains":
        playbook, blank = read_pack(bundled_pack()), folder / "blank.db"
        asyncio.run(_open_and_close(blank))
        return cls(playbook, Guard(), Reader(playbook), blank)


async def _open_and_close(database: Path) -> None:
    store = await SqlStore.open(DatabaseUrl.parse(f"sqlite:///{database}"), new_reference=lambda: "never used")
    await store.close()


async def open_store(folder: Path, brains: Brains) -> SqlStore:
    """A store of its own in *folder*, counting its references from IM-1001."""
    numbers = itertools.count(1001)
    shutil.copy(brains.blank, folder / "desk.db")
    return await SqlStore.open(
        DatabaseUrl.parse(f"sqlite:///{folder}/desk.db"),
        new_reference=lambda: f"IM-{next(numbers)}",
        migrate=False,
    )


@asynccontextmanager
async def running_desk(folder: Path, brains: Brains) -> AsyncGenerator[RunningDesk]:
    """A desk whose database is in *folder*, taking turns and delivering until the block ends."""
    time, meter, stopping, chat = PassingTime(), Unmetered(), Stopping(), WebChat()
    store = await open_store(folder, brains)
    intake = Intake(store, brains.guard, time, meter)
    holder: list[RunningDesk] = []

    async def ready() -> Readiness:
        return holder[0].readiness

    def make_app() -> FastAPI:
        return web_app(
            store=store,
            agents=AgentDesk(store, lambda text: objection(text, brains.guard), time, brains.playbook),
            questions=QuestionDesk(store, brains.playbook, brains.guard, time),
            chat=chat,
            playbook=brains.playbook,
            clock=time,
            secret=SECRET,
            render_metrics=lambda: METRICS,
            ready=ready,
        )

    loops = [
        Turns(store, brains.reader.read, brains.playbook, time, meter).run(stopping),
        Delivery(store, chat, time, meter, lambda: 0.5).run(stopping),
        Errands(store, chat, time, meter, lambda: 0.5).run(stopping),
        Clockwork(store, brains.playbook, time).run(stopping),
    ]
    working = [asyncio.create_task(loop) for loop in loops]
    desk = RunningDesk(
        store,
        brains.playbook,
        chat,
        make_app,
        make_app(),
        time,
        intake,
        asyncio.create_task(chat.listen(intake.deliver)),
    )
    holder.append(desk)
    await asyncio.sleep(0)
    try:
        yield desk
    finally:
        await desk.stop_listening()
        await intake.flush()
        stopping.ask()
        await asyncio.gather(*working)
        await store.close()


@asynccontextmanager
async def served(desk: RunningDesk, port: int = 0) -> AsyncGenerator[str]:
    """The desk's pages on a loopback port, as after a start; the address."""
    desk.app = desk.make_app()
    server = uvicorn.Server(
        uvicorn.Config(desk.app, host="127.0.0.1", port=port, log_level="error", ws="none", timeout_graceful_shutdown=5)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server has no event to wait for
        await asyncio.sleep(0.01)
    bound = server.servers[0].sockets[0].getsockname()[1]
    desk.url = f"http://127.0.0.1:{bound}"
    try:
        yield desk.url
    finally:
        end_streams(desk.app)
        server.should_exit = True
        await serving
