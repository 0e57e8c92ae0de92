"""The composition root: the only place that knows everybody, and the only clock."""

import asyncio
import contextlib
import hashlib
import random
import secrets
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from imconnect.content import PackError, bundled_pack, read_pack, read_with_phrasings, reader_for, with_examples
from imconnect.desk.agents import AgentDesk
from imconnect.desk.clockwork import Clockwork
from imconnect.desk.delivery import Delivery
from imconnect.desk.errands import Errands
from imconnect.desk.intake import Intake
from imconnect.desk.kit import InboxKit
from imconnect.desk.loops import Stopping, where
from imconnect.desk.opinions import Opinions
from imconnect.desk.questions import QuestionDesk
from imconnect.desk.staffdesk import StaffDesk
from imconnect.desk.staffroom import Mirroring
from imconnect.desk.turns import Turns
from imconnect.desk.understanding import Read, understanding
from imconnect.domain.playbook import Playbook
from imconnect.guard import Guard
from imconnect.guard.links import BlockList, BlockListUnreadable
from imconnect.guard.outgoing import objection
from imconnect.metrics import PrometheusMeter
from imconnect.nlu.learnt import encoder_is_installed
from imconnect.ports import (
    Adapter,
    Agent,
    Equipped,
    HasStaffRoom,
    Hook,
    IsBrought,
    SettledQuestion,
    StaffRoom,
    StoreUnavailable,
    TryLater,
    Undeliverable,
)
from imconnect.registry import installed, load
from imconnect.settings import Settings, SettingsError
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.web.app import end_streams, web_app
from imconnect.web.chat import WebChat
from imconnect.web.health import Readiness

if TYPE_CHECKING:
    from imconnect.opinion import CompletionsReader

SIGN_IN_LASTS = timedelta(hours=24)
BACKLOG_SECONDS = 5.0
STANDBY_SECONDS = 2.0
"""How often a process asks whether an inbox that another one owns, or a store that does not answer, can be had."""

REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, no 1, I and L, no U: references are read aloud and typed by hand."""

Loop = Coroutine[Any, Any, None]

log = structlog.get_logger("imconnect")


def clock() -> datetime:
    """Now. The rest of the house is told the time."""
    return datetime.now(UTC)


class Role(StrEnum):
    """What one process does."""

    CONNECTORS = "connectors"
    WORKERS = "workers"
    WEB = "web"


ALL_ROLES = frozenset(Role)


@dataclass(frozen=True, slots=True)
class Started:
    """What a desk that is ready tells whoever started it."""

    web_url: str | None
    channels: tuple[str, ...]
    database: str


# -------------------------------------------------------------------------------------------------- putting together


def database_url(settings: Settings) -> DatabaseUrl:
    """Raises `SettingsError`."""
    try:
        return DatabaseUrl.parse(settings.core.database.url)
    except ValueError as error:
        raise SettingsError(f"database.url {error}") from None


def playbook_of(settings: Settings) -> Playbook:
    """The pack, read and sound. Raises `SettingsError` with the first fault."""
    try:
        playbook = read_pack(settings.core.pack or bundled_pack())
    except PackError as error:
        raise SettingsError(f"pack: {error}") from None
    return replace(playbook, second_opinion=settings.core.opinion.on)


def reference_maker(prefix: str) -> Callable[[], str]:
    """Makes references such as `IM-7K3F-92QX`: too many to guess, none twice (the store sees to that)."""

    def new_reference() -> str:
        letters = "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(8))
        return f"{prefix}-{letters[:4]}-{letters[4:]}"

    return new_reference


@asynccontextmanager
async def opened_store(settings: Settings, playbook: Playbook, *, migrate: bool = True) -> AsyncGenerator[SqlStore]:
    """The store these settings name, closed at the end. Raises `StoreUnavailable`, `SettingsError`."""
    store = await SqlStore.open(
        database_url(settings),
        new_reference=reference_maker(playbook.reference_prefix),
        language=playbook.default_language,
        reopen_within=playbook.pace.reopen_within,
        migrate=migrate,
    )
    try:
        yield store
    finally:
        await store.close()


def adapters_of(settings: Settings) -> list[Adapter]:
    """An adapter for each channel that is on."""
    points = installed()
    return [load(name, points)(section) for name, section in settings.channels.items()]


def hooks_of(adapters: Sequence[Adapter], intake: Intake) -> dict[str, Hook]:
    """Where vendors bring messages, by path."""
    return {
        adapter.brought_to: adapter.hook(intake.deliver)
        for adapter in adapters
        if isinstance(adapter, IsBrought) and adapter.brought_to is not None
    }


def rooms_of(adapters: Sequence[Adapter]) -> list[tuple[str, StaffRoom]]:
    """The staff rooms of channels that have one, with the channel's name."""
    return [
        (adapter.name, room)
        for adapter in adapters
        if isinstance(adapter, HasStaffRoom) and (room := adapter.staff_room) is not None
    ]


async def _rooms_named(settings: Settings) -> list[tuple[str, str]]:
    """The staff rooms these settings name, whichever process listens to them."""
    adapters = adapters_of(settings)
    named = _names(adapters)
    for adapter in adapters:
        await adapter.close()
    return named


def _names(adapters: Sequence[Adapter]) -> list[tuple[str, str]]:
    return [(channel, room.room) for channel, room in rooms_of(adapters)]


async def sign_in_link(store: SqlStore, name: str, web_url: str) -> tuple[Agent, str]:
    """Make the agent *name*, if new, and a link that signs them in once within a day."""
    token = secrets.token_urlsafe(24)
    now = clock()
    agent = await store.add_agent(name, hashlib.sha256(token.encode()).hexdigest(), now + SIGN_IN_LASTS, now)
    return agent, f"{web_url}/inbox/sign-in?token={token}"


def web_url(settings: Settings, port: int | None = None) -> str:
    """Where browsers find the pages."""
    web = settings.core.web
    if web.public_url:
        return web.public_url.rstrip("/")
    host = "127.0.0.1" if web.host in ("0.0.0.0", "::") else web.host  # noqa: S104 - compared, not bound
    return f"http://{host}:{port or web.port}"


@asynccontextmanager
async def second_reader_of(settings: Settings) -> AsyncGenerator["CompletionsReader | None"]:
    """Whoever is asked where the matcher is not sure, if anybody is set."""
    opinion = settings.core.opinion
    if opinion.url is None or opinion.model is None:
        yield None
        return
    from imconnect.opinion import CompletionsReader  # noqa: PLC0415 - off by default, and httpx is not small

    key = opinion.key.get_secret_value() if opinion.key is not None else None
    reader = CompletionsReader(opinion.url, opinion.model, key, opinion.timeout)
    try:
        yield reader
    finally:
        await reader.close()


def blocked_of(settings: Settings) -> BlockList | None:
    """The hosts that others found to steal, if a list of them is set. Raises `SettingsError`."""
    path = settings.core.block_list
    if path is None:
        return None
    try:
        return BlockList.read(path.expanduser())
    except BlockListUnreadable as error:
        raise SettingsError(f"block_list {path}: {error}; take a config.json of eth-phishing-detect") from None


def objection_of(guard: Guard) -> Callable[[str], str | None]:
    """The guard's word on what an agent is about to write."""
    return partial(objection, guard=guard)


async def examples_of(settings: Settings) -> Sequence[SettledQuestion]:
    """What leads added to the pack; nothing where there is no database yet. Raises `StoreUnavailable`."""
    url = database_url(settings)
    if url.sqlite and not url.path.exists():
        return ()
    async with opened_store(settings, playbook_of(settings), migrate=False) as store:
        return await store.examples()


def reader_of(settings: Settings, examples: Sequence[SettledQuestion] = ()) -> Read:
    """What understands messages in the light of the pack and what was added to it.

    The first start with a pack takes seconds to learn it.

    Raises `SettingsError`.
    """
    core = settings.core
    try:
        playbook, phrasings = with_examples(*read_with_phrasings(core.pack or bundled_pack()), examples)
        reader = reader_for(playbook, phrasings, core.matcher, core.cache.expanduser())
    except PackError as error:
        raise SettingsError(f"pack: {error}") from None
    except ImportError as missing:
        raise SettingsError(str(missing)) from None
    log.info("questions are recognised", by=reader.matcher)
    if core.matcher == "auto" and not encoder_is_installed():
        log.info("questions are recognised better with the encoder: pip install 'imconnect[encoder]'")
    return understanding(reader.read, playbook, blocked_of(settings))


# ----------------------------------------------------------------------------------------------------------- running


@dataclass(slots=True)
class _Running:
    """What the loops of one process share."""

    store: SqlStore
    meter: PrometheusMeter
    stopping: Stopping
    playbook: Playbook
    guard: Guard
    opinions: Opinions | None = None
    blocked: BlockList | None = None
    health: dict[str, str] = field(default_factory=dict[str, str])


async def run_desk(
    settings: Settings, roles: frozenset[Role], stopping: Stopping, on_start: Callable[[Started, SqlStore], object]
) -> None:
    """Run until asked to stop: everything, or the *roles* this process has among several.

    Raises `SettingsError`, `StoreUnavailable` or `PackError` before anything is acknowledged to anybody, each with one
    line; whatever is taken afterwards is kept.
    """
    url = database_url(settings)
    if url.sqlite and roles != ALL_ROLES:
        raise SettingsError("--only needs PostgreSQL: SQLite belongs to one process; set database.url")
    playbook, blocked = playbook_of(settings), blocked_of(settings)
    async with AsyncExitStack() as stack:
        listening = _listening_socket(settings, stack) if Role.WEB in roles else None
        store = await stack.enter_async_context(opened_store(settings, playbook))
        await store.reserve()
        # A first write, so that a database that is locked is told of before anything is promised.
        secret = await store.keep("cookie-secret", secrets.token_urlsafe(32))
        guard = Guard()
        second, meter = await stack.enter_async_context(second_reader_of(settings)), PrometheusMeter()
        opinions = Opinions(second, playbook, meter) if second is not None else None
        running = _Running(store, meter, stopping, playbook, guard, opinions, blocked)
        agents = AgentDesk(store, objection_of(guard), clock, playbook, blocked)
        staff = StaffDesk(store, agents, playbook, clock)
        intake = Intake(store, guard, clock, running.meter, staff.hear)
        adapters = adapters_of(settings) if Role.CONNECTORS in roles else []
        for channel, room in rooms_of(adapters):
            staff.minds(channel, room)
        hooks = hooks_of(adapters, intake)
        if hooks and listening is None:
            raise SettingsError("a webhook needs the pages in the same process: run without --only, or set mode = poll")
        read = reader_of(settings, await store.examples()) if Role.WORKERS in roles else None
        tasks = [
            asyncio.create_task(_keep_channel(running, adapter, intake), name=adapter.name) for adapter in adapters
        ]
        if read is not None:
            await store.mirror_to(_names(adapters) if Role.CONNECTORS in roles else await _rooms_named(settings))
            turns = Turns(store, read, playbook, clock, running.meter)
            tasks.append(asyncio.create_task(turns.run(stopping), name="turns"))
            tasks.append(asyncio.create_task(Clockwork(store, playbook, clock).run(stopping), name="clockwork"))
        if listening is not None:
            growing = QuestionDesk(store, playbook, guard, clock)
            serving = _keep_web(running, agents, growing, intake, listening, hooks, secret)
            tasks.append(asyncio.create_task(serving, name="web"))
        tasks.append(asyncio.create_task(_keep_gauges(running), name="gauges"))
        port = listening.getsockname()[1] if listening is not None else None
        address = web_url(settings, port) if listening is not None else None
        announced = on_start(Started(address, tuple(adapter.name for adapter in adapters), str(url)), store)
        if asyncio.iscoroutine(announced):
            await announced
        await _until_stopped(tasks, stopping)
        await intake.flush()
        await staff.close()


async def _until_stopped(tasks: Sequence[asyncio.Task[None]], stopping: Stopping) -> None:
    """Wait for the end; if one part of the desk dies, stop the others in good order and raise what it died of."""
    _, working = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stopping.ask()
    if working:
        await asyncio.wait(working)
    for task in tasks:
        task.result()


async def _keep_channel(running: _Running, adapter: Adapter, intake: Intake) -> None:
    """One inbox, for as long as this process owns it; a second process stands by."""
    try:
        await _keep_owning(running, adapter, lambda stopping: [_listen(running, adapter, intake, stopping)])
    finally:
        await adapter.close()


async def _keep_owning(running: _Running, adapter: Adapter, also: Callable[[Stopping], list[Loop]]) -> None:
    """Send for *adapter*, and do what *also* says, whenever this process owns its inbox."""
    inbox = f"{adapter.name}:{adapter.account}"
    while not running.stopping.asked:
        stopping = Stopping()
        try:
            async with _relayed(running.stopping, stopping), running.store.owning(inbox) as lost:
                if lost is not None and await _equipped(running, adapter, lost):
                    running.health[adapter.name] = "ok"
                    await _own(lost, [*also(stopping), *_sending(running, adapter, stopping)], stopping)
                    continue
            if lost is None:
                running.health[adapter.name] = "standing by"
        except StoreUnavailable as error:
            running.health[adapter.name] = "waiting for the store"
            log.warning("store unavailable", loop=inbox, says=str(error))
        await running.stopping.within(STANDBY_SECONDS)


async def _equipped(running: _Running, adapter: Adapter, lost: asyncio.Event) -> bool:
    """Lend the channel its kit. Where that fails this process stands by, and the reason is told."""
    if not isinstance(adapter, Equipped):
        return True
    equipping = asyncio.create_task(_equip(running, adapter, adapter))
    ends = [asyncio.create_task(lost.wait()), asyncio.create_task(running.stopping.until())]
    await asyncio.wait([equipping, *ends], return_when=asyncio.FIRST_COMPLETED)
    for task in (*ends, equipping):
        task.cancel()
    await asyncio.gather(equipping, *ends, return_exceptions=True)
    if equipping.cancelled():
        return False
    says = equipping.result()
    if says is None:
        return True
    running.health[adapter.name] = says
    log.warning("channel not equipped", channel=adapter.name, says=says)
    return False


async def _equip(running: _Running, adapter: Adapter, equipped: Equipped) -> str | None:
    """None once it is done, or why it cannot be now."""
    try:
        kit = await InboxKit.of(
            running.store,
            adapter.name,
            adapter.account,
            running.playbook,
            clock,
            lambda: secrets.token_hex(32),
            running.guard,
            running.blocked,
        )
        await equipped.equip(kit)
    except (TryLater, Undeliverable) as error:
        return error.reason
    except Exception as error:  # an adapter's bug must not end the desk
        return f"failed: {type(error).__name__} at {where(error)}"
    return None


async def _own(lost: asyncio.Event, loops: list[Loop], stopping: Stopping) -> None:
    """Run *loops* until ownership is lost, one of them ends, or the desk stops."""
    working = [asyncio.create_task(loop) for loop in loops]
    ends = [asyncio.create_task(lost.wait()), asyncio.create_task(stopping.until())]
    try:
        await asyncio.wait([*ends, *working], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.ask()
        for end in ends:
            end.cancel()
        await asyncio.gather(*working)


@asynccontextmanager
async def _relayed(outer: Stopping, inner: Stopping) -> AsyncGenerator[None]:
    """Ask *inner* to stop when *outer* is asked."""

    async def relay() -> None:
        await outer.until()
        inner.ask()

    task = asyncio.create_task(relay())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _sending(running: _Running, adapter: Adapter, stopping: Stopping) -> list[Loop]:
    parts = (running.store, adapter, clock, running.meter, random.random)
    copying = [
        Mirroring(running.store, channel, room, running.playbook, clock, running.meter, random.random).run(stopping)
        for channel, room in rooms_of([adapter])
    ]
    return [
        Delivery(*parts).run(stopping),
        Errands(*parts, running.guard.inspect_file, running.opinions).run(stopping),
        *copying,
    ]


async def _listen(running: _Running, adapter: Adapter, intake: Intake, stopping: Stopping) -> None:
    """Keep the adapter listening; one that fails is asked again, ever more slowly."""
    failures = 0
    while not stopping.asked:
        listening = asyncio.create_task(adapter.listen(intake.deliver))
        end = asyncio.create_task(stopping.until())
        await asyncio.wait([listening, end], return_when=asyncio.FIRST_COMPLETED)
        for task in (end, listening):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await end
        try:
            await listening
        except asyncio.CancelledError:
            return
        except TryLater as later:
            says, pause = later.reason, later.after
        except Exception as error:  # an adapter's bug must not end the desk
            says, pause = f"failed: {type(error).__name__} at {where(error)}", None
        else:
            says, pause = "stopped listening", None
        failures += 1
        running.health[adapter.name] = says
        log.warning("channel not listening", channel=adapter.name, says=says)
        await stopping.within(pause if pause is not None else min(30.0, 0.5 * 2 ** min(failures, 6)))
        running.health[adapter.name] = "ok"


async def _keep_web(
    running: _Running,
    agents: AgentDesk,
    questions: QuestionDesk,
    intake: Intake,
    listening: socket.socket,
    hooks: Mapping[str, Hook],
    secret: str,
) -> None:
    """The pages, and the web chat as the channel it is. Every web process takes posts; one of them delivers."""
    chat, store = WebChat(), running.store

    async def ready() -> Readiness:
        # Every web process serves the pages; that another one delivers for it is no fault of this one.
        channels = {name: says for name, says in running.health.items() if name != chat.name}
        try:
            backlog = await store.backlog(clock())
        except StoreUnavailable as error:
            return Readiness(str(error), channels)
        return Readiness("ok", channels, backlog)

    pages = web_app(
        store=store,
        agents=agents,
        questions=questions,
        chat=chat,
        playbook=running.playbook,
        clock=clock,
        secret=secret,
        render_metrics=running.meter.render,
        ready=ready,
        hooks=hooks,
    )
    server = _Server(
        uvicorn.Config(
            pages, log_config=None, lifespan="off", access_log=False, timeout_graceful_shutdown=5, server_header=False
        )
    )
    taking = asyncio.create_task(chat.listen(intake.deliver))
    serving = asyncio.create_task(server.serve([listening]))
    delivering = asyncio.create_task(_keep_owning(running, chat, lambda _: []))
    end = asyncio.create_task(running.stopping.until())
    await asyncio.wait([end, serving], return_when=asyncio.FIRST_COMPLETED)
    end.cancel()
    taking.cancel()
    end_streams(pages)
    server.should_exit = True
    await serving
    running.stopping.ask()
    await delivering
    await asyncio.gather(taking, end, return_exceptions=True)
    await chat.close()


class _Server(uvicorn.Server):
    """Leaves signals to the desk, which ends everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def _keep_gauges(running: _Running) -> None:
    while not running.stopping.asked:
        with contextlib.suppress(StoreUnavailable):
            running.meter.show(await running.store.backlog(clock()))
        await running.stopping.within(BACKLOG_SECONDS)


def _listening_socket(settings: Settings, stack: AsyncExitStack) -> socket.socket:
    """Bind first, so that a taken port stops the start before anything else happens."""
    web = settings.core.web
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    listening = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((web.host, web.port))
        listening.listen(256)
    except OSError as error:
        raise SettingsError(
            f"web.port {web.port} on {web.host} cannot be used ({error.strerror}); "
            "stop the program that has it, or set another"
        ) from None
    return listening
