"""The desk, measured on this machine: floor, ceiling, and what it does between them; order, loss and doubling."""

import asyncio
import logging
import multiprocessing
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import structlog

from imconnect.app import clock, reader_of, reference_maker
from imconnect.content import bundled_pack, read_pack
from imconnect.desk.delivery import Delivery
from imconnect.desk.intake import Intake
from imconnect.desk.loops import Stopping
from imconnect.desk.turns import Decide, Turns
from imconnect.domain.actions import Decision, Say
from imconnect.domain.conversations import Conversation
from imconnect.domain.events import Event, MessageReceived
from imconnect.domain.messages import Address, Handle, Incoming, Language, Outgoing, Purpose
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Reading
from imconnect.domain.responder import decide
from imconnect.guard import Guard, Tail
from imconnect.metrics import PrometheusMeter
from imconnect.ports import Deliver, Finding, Sent
from imconnect.settings import Settings
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.storage.scratch import commits_a_second, scratch_database

IN_FLIGHT = 512
"""Deliveries waiting for their commit at a time: so many chats at once, each saying one thing after another."""

FLOOR_COMMITS = 300
NUMBERED = re.compile(r"\[(\d+)\]$")
"""What each message ends with; what the guard withheld has no number any more."""

PATIENCE_SECONDS = 120.0
STEADY_RATE = 100
STEADY_MESSAGES = 1_000

Read = Callable[[str], Reading]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. Rates are messages a second from the first delivery to the last reply sent; times are from
    a message's arrival to its reply being sent, at 100 messages a second; memory is of this process.

    `messages_per_second` and `ceiling_messages_per_second` are with the full responder; the `trivial_` ones with one
    that understands nothing and always says the same. A ceiling is the same guard and decisions in memory, on one core.
    """

    database: str
    messages: int
    conversations: int
    workers: int
    floor_commits_per_second: float
    trivial_ceiling_messages_per_second: float
    trivial_messages_per_second: float
    ceiling_messages_per_second: float
    messages_per_second: float
    p50_ms: float
    p99_ms: float
    order_errors: int
    lost: int
    doubled: int
    rss_mb: float
    peak_rss_mb: float

    def as_json(self) -> dict[str, object]:
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure."""

    url: str | None
    conversations: int
    messages: int
    workers: int
    say: Callable[[str], None]


# ------------------------------------------------------------------------------------------------------ the measured


def understand_nothing(_text: str) -> Reading:
    return Reading()


def always_the_same(conversation: Conversation, event: Event, _playbook: Playbook, _now: datetime) -> Decision:
    """The trivial responder."""
    if not isinstance(event, MessageReceived):
        return Decision(conversation, (), "ignored")
    return Decision(conversation, (Say(Purpose.ANSWER, "trivial", "Thank you for your message."),), "answered")


class Counterparty:
    """The channel at the far end: notes what arrives, when, and whether it came before."""

    name, account, keyed = "bench", "bench", True

    def __init__(self) -> None:
        self.arrived: dict[Address, list[tuple[str, float]]] = defaultdict(list)
        self.keys: set[str] = set()
        self.repeated = 0
        self.replied = asyncio.Event()

    async def listen(self, deliver: Deliver) -> None:
        await asyncio.Event().wait()

    async def send(self, message: Outgoing) -> Sent:
        if message.key in self.keys:
            self.repeated += 1
        self.keys.add(message.key)
        self.arrived[message.address].append((message.key, time.perf_counter()))
        self.replied.set()
        return Sent(message.key)

    async def check(self) -> Sequence[Finding]:
        return ()

    async def close(self) -> None: ...


# --------------------------------------------------------------------------------------------------------- workloads


def workload(playbook: Playbook, messages: int, conversations: int) -> list[tuple[int, Incoming]]:
    """Messages as customers write them, each numbered within its conversation, in a random but fixed order."""
    chance = random.Random(7)  # noqa: S311 - a workload, not a secret
    phrasings = sorted(
        text for topic in playbook.topics.values() for article in topic.articles.values() for text in article.examples
    )
    counts: dict[int, int] = defaultdict(int)
    said: list[tuple[int, Incoming]] = []
    now = clock()
    for _ in range(messages):
        who = chance.randrange(conversations)
        counts[who] += 1
        address = Address("bench", "bench", f"{who}")
        text = f"{chance.choice(phrasings)} [{counts[who]}]"
        said.append((who, Incoming(f"{who}-{counts[who]}", address, Handle(f"{who}", "Customer"), text, now)))
    return said


# ------------------------------------------------------------------------------------------------- floor and ceiling


async def ceiling(
    playbook: Playbook, guard: Guard, read: Read, responder: Decide, said: Sequence[tuple[int, Incoming]]
) -> float:
    """The same guard, reading and decisions through queues in memory, with nothing kept: one core's worth."""
    tail, now = Tail(guard), clock()
    states: dict[int, Conversation] = {}
    inbox: asyncio.Queue[tuple[int, MessageReceived]] = asyncio.Queue(IN_FLIGHT)
    sent: deque[Say] = deque()

    async def take() -> None:
        for who, incoming in said:
            safe = tail.inspect(incoming.address, incoming.id, incoming.text, now.timestamp())
            guard.inspect(incoming.author.name)
            await inbox.put((who, MessageReceived(incoming.id, safe.text, secret=safe.secret)))

    async def turn() -> None:
        for _ in range(len(said)):
            who, event = await inbox.get()
            state = states.get(who) or Conversation(who, f"B-{who}", Address("bench", "bench", f"{who}"))
            understood = MessageReceived(event.message_id, event.text, secret=event.secret, reading=read(event.text))
            decision = responder(state, understood, playbook, now)
            states[who] = decision.conversation
            sent.extend(action for action in decision.actions if isinstance(action, Say))

    started = time.perf_counter()
    await asyncio.gather(take(), turn())
    return len(said) / (time.perf_counter() - started)


# ---------------------------------------------------------------------------------------------------------- the desk


@dataclass(slots=True)
class Run:
    """One desk at work on a fresh database."""

    store: SqlStore
    intake: Intake
    counterparty: Counterparty


@asynccontextmanager
async def desk(guard: Guard, turns: Turns | None, store: SqlStore) -> AsyncGenerator[Run]:
    """Intake and delivery in this process, and the turns too unless workers have them."""
    stopping, meter, counterparty = Stopping(), PrometheusMeter(), Counterparty()
    delivery = Delivery(store, counterparty, clock, meter, random.random)
    loops = [asyncio.create_task(delivery.run(stopping))]
    if turns is not None:
        loops.append(asyncio.create_task(turns.run(stopping)))
    try:
        yield Run(store, Intake(store, guard, clock, meter), counterparty)
    finally:
        stopping.ask()
        await asyncio.gather(*loops)


async def flood(run: Run, said: Sequence[tuple[int, Incoming]]) -> float:
    """Deliver everything, as many chats at once as IN_FLIGHT; messages a second until all has been settled and sent."""
    shards: list[list[Incoming]] = [[] for _ in range(IN_FLIGHT)]
    for who, incoming in said:
        shards[who % IN_FLIGHT].append(incoming)

    async def chat(messages: Sequence[Incoming]) -> None:
        for incoming in messages:
            await run.intake.deliver([incoming])

    started = time.perf_counter()
    await asyncio.gather(*[chat(shard) for shard in shards])
    await settled(run)
    return len(said) / (time.perf_counter() - started)


async def settled(run: Run) -> None:
    """Wait until nothing is pending."""
    limit = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < limit:
        backlog = await run.store.backlog(clock())
        if backlog.events == 0 and backlog.sends == 0:
            return
        await asyncio.sleep(0.02)


async def steady(run: Run, said: Sequence[tuple[int, Incoming]]) -> tuple[float, float]:
    """p50 and p99 in milliseconds from arrival to the first reply being sent, at STEADY_RATE messages a second."""
    began: list[tuple[Address, float]] = []
    deliveries: list[asyncio.Task[None]] = []
    started = time.perf_counter()
    for number, (_, incoming) in enumerate(said):
        await asyncio.sleep(max(0.0, started + number / STEADY_RATE - time.perf_counter()))
        began.append((incoming.address, time.perf_counter()))
        deliveries.append(asyncio.create_task(run.intake.deliver([incoming])))
    await asyncio.gather(*deliveries)
    await settled(run)
    waits = [
        (arrivals[0][1] - moment) * 1_000
        for address, moment in began
        if (arrivals := [one for one in run.counterparty.arrived[address] if one[1] >= moment])
    ]
    ordered = statistics.quantiles(waits, n=100)
    return ordered[49], ordered[98]


async def faults(run: Run, said: Sequence[tuple[int, Incoming]]) -> tuple[int, int, int]:
    """Order errors, lost and doubled, counted in what is stored and at the far end."""
    expected: dict[Address, int] = defaultdict(int)
    for _, incoming in said:
        expected[incoming.address] += 1
    disorder = lost = doubled = 0
    for address, count in expected.items():
        lines = await run.store.transcript(address, 0, 100_000)
        numbers = [int(found[1]) for line in lines if (found := NUMBERED.search(line.text))]
        disorder += sum(later <= earlier for earlier, later in pairwise(numbers))
        stored = [line for line in lines if line.speaker.value == "customer"]
        lost += max(0, count - len(stored))
        doubled += max(0, len(stored) - count)
        events = [int(key.split(".")[0]) for key, _ in run.counterparty.arrived[address]]
        disorder += sum(later < earlier for earlier, later in pairwise(events))
    backlog = await run.store.backlog(clock())
    return disorder, lost + backlog.events + backlog.sends, doubled + run.counterparty.repeated


# ----------------------------------------------------------------------------------------------------------- workers


def quiet() -> None:
    """Log only what is wrong, and not to standard output: that is for the figures."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def work(url: str, trivial: bool, stop: Flag, ready: Flag) -> None:
    """A worker process: turns and nothing else."""
    quiet()

    async def turn() -> None:
        playbook = read_pack(bundled_pack())
        stopping = Stopping()
        store = await SqlStore.open(
            DatabaseUrl.parse(url), new_reference=reference_maker("B"), language=Language.CHINESE, migrate=False
        )
        parts = (understand_nothing, always_the_same) if trivial else (reader_of(Settings()), decide)
        turns = asyncio.create_task(Turns(store, parts[0], playbook, clock, PrometheusMeter(), parts[1]).run(stopping))
        ready.set()
        while not stop.is_set():  # noqa: ASYNC110 - it is another process's flag
            await asyncio.sleep(0.05)
        stopping.ask()
        await turns
        await store.close()

    asyncio.run(turn())


@asynccontextmanager
async def workers(count: int, url: str, *, trivial: bool) -> AsyncGenerator[None]:
    """*count* worker processes, ready."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    flags = [context.Event() for _ in range(count)]
    processes = [context.Process(target=work, args=(url, trivial, stop, flag)) for flag in flags]
    for process in processes:
        process.start()
    try:
        for flag in flags:
            await asyncio.to_thread(flag.wait, 30)
        yield
    finally:
        stop.set()
        for process in processes:
            await asyncio.to_thread(process.join, 15)


# ---------------------------------------------------------------------------------------------------------- together


def measure(plan: Plan) -> Figures:
    """All figures, in one run. On PostgreSQL everything happens in databases of its own, dropped at the end."""
    with tempfile.TemporaryDirectory(prefix="imconnect-bench-") as folder:
        url = plan.url or f"sqlite:///{folder}/bench.db"
        return asyncio.run(_measure(plan, DatabaseUrl.parse(url), Path(folder)))


async def _measure(plan: Plan, url: DatabaseUrl, folder: Path) -> Figures:
    playbook, guard = read_pack(bundled_pack()), Guard()
    read = reader_of(Settings())
    said = workload(playbook, plan.messages, plan.conversations)
    idle = _rss_mb()
    plan.say("floor: single durable commits")
    commits = await commits_a_second(url, folder, FLOOR_COMMITS)
    plan.say("ceiling: the same decisions in memory")
    trivial_ceiling = await ceiling(playbook, guard, understand_nothing, always_the_same, said)
    full_ceiling = await ceiling(playbook, guard, read, decide, said[: max(500, len(said) // 4)])
    rates: dict[bool, float] = {}
    wrong = [0, 0, 0]
    latency = (0.0, 0.0)
    for trivial in (True, False):
        plan.say(f"the desk with {'a trivial' if trivial else 'the full'} responder")
        async with _fresh(url, folder, trivial) as (name, store):
            parts = (understand_nothing, always_the_same) if trivial else (read, decide)
            turns = Turns(store, parts[0], playbook, clock, PrometheusMeter(), parts[1])
            elsewhere = plan.workers if not url.sqlite else 0
            async with (
                workers(elsewhere, name, trivial=trivial),
                desk(guard, None if elsewhere else turns, store) as run,
            ):
                rates[trivial] = await flood(run, said)
                wrong = [sum(pair) for pair in zip(wrong, await faults(run, said), strict=True)]
                if not trivial:
                    plan.say(f"latency at {STEADY_RATE} messages a second")
                    calm = [(who, _of_others(one)) for who, one in workload(playbook, STEADY_MESSAGES, 500)]
                    latency = await steady(run, calm)
    return Figures(
        database=str(url) if plan.url else "sqlite, synchronous=FULL",
        messages=plan.messages,
        conversations=plan.conversations,
        workers=1 if url.sqlite else plan.workers,
        floor_commits_per_second=commits,
        trivial_ceiling_messages_per_second=trivial_ceiling,
        trivial_messages_per_second=rates[True],
        ceiling_messages_per_second=full_ceiling,
        messages_per_second=rates[False],
        p50_ms=latency[0],
        p99_ms=latency[1],
        order_errors=wrong[0],
        lost=wrong[1],
        doubled=wrong[2],
        rss_mb=idle,
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _of_others(incoming: Incoming) -> Incoming:
    """The same from somebody else."""
    address = Address("bench", "bench", f"calm-{incoming.address.peer}")
    return Incoming(f"calm-{incoming.id}", address, incoming.author, incoming.text, incoming.sent_at)


@asynccontextmanager
async def _fresh(url: DatabaseUrl, folder: Path, trivial: bool) -> AsyncGenerator[tuple[str, SqlStore]]:
    """An empty store: a file of its own, or a database of its own beside the one that was named."""
    label = "trivial" if trivial else "full"
    opened = partial(SqlStore.open, new_reference=reference_maker("B"), language=Language.CHINESE)
    if url.sqlite:
        name = f"sqlite:///{folder}/{label}.db"
        store = await opened(DatabaseUrl.parse(name))
        try:
            yield name, store
        finally:
            await store.close()
        return
    async with scratch_database(url, label) as scratch:
        store = await opened(scratch)
        try:
            yield scratch.url.render_as_string(hide_password=False), store
        finally:
            await store.close()


def _rss_mb() -> float:
    """Resident memory of this process now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20
