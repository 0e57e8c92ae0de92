"""What tests of the store do: bring messages in, take turns, look at what stands there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from imconnect.domain.actions import Action, Say
from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.events import Event, MessageReceived
from imconnect.domain.messages import Choice, Purpose
from imconnect.domain.playbook import Priority
from imconnect.domain.responder import decide
from imconnect.ports import Case, Dossier, DueSend, FileOfMessage, Line, SendResult, SendState, Settled, Store
from imconnect.testing.makers import NOON, PLAYBOOK, address, reader, received

READ = reader()


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def write_in(store: Store, *texts: str, peer: str = "ann", now: datetime = NOON) -> None:
    """Messages from *peer*, each once."""
    items = [received(text, id=f"{peer}:{text}", at=address(peer)) for text in texts]
    await store.record(items, now)


async def state(store: Store, peer: str = "ann") -> Conversation:
    found = await store.state_at(address(peer))
    assert found is not None
    return found


async def lines(store: Store, peer: str = "ann") -> Sequence[Line]:
    """What the customer may see."""
    return await store.transcript(address(peer), 0, 1_000)


async def events(store: Store, now: datetime = NOON) -> list[Event]:
    """What waits for its turn; it goes on waiting."""
    async with store.turn(1_000, now) as turn:
        return [pending.event for case in turn.cases for pending in case.events]


async def take_turn(
    store: Store,
    *actions: Action,
    become: Callable[[Conversation], Conversation] = lambda conversation: conversation,
    limit: int = 1_000,
    now: datetime = NOON,
) -> Sequence[Case]:
    """One turn, in which the first event of each conversation leads to *actions* and the state *become* makes."""
    async with store.turn(limit, now) as turn:
        await turn.apply([_settle(case, actions, become) for case in turn.cases], now)
        return turn.cases


def _settle(case: Case, actions: Sequence[Action], become: Callable[[Conversation], Conversation]) -> Settled:
    first, *others = case.events
    outcomes: list[tuple[int, str, tuple[Action, ...]]] = [(first.id, "done", tuple(actions))]
    return Settled(become(case.conversation), (*outcomes, *((one.id, "done", ()) for one in others)))


async def decide_all(store: Store, now: datetime = NOON) -> None:
    """Turns as the desk takes them, until nothing waits."""
    while True:
        async with store.turn(100, now) as turn:
            if not turn.cases:
                return
            await turn.apply([_decide(case, now) for case in turn.cases], now)


def _decide(case: Case, now: datetime) -> Settled:
    conversation, outcomes = case.conversation, list[tuple[int, str, tuple[Action, ...]]]()
    for pending in case.events:
        event = pending.event
        if isinstance(event, MessageReceived):
            event = replace(event, reading=READ(event.text))
        decision = decide(conversation, event, PLAYBOOK, now)
        conversation = decision.conversation
        outcomes.append((pending.id, decision.outcome, decision.actions))
    return Settled(conversation, tuple(outcomes))


def answer(text: str = "an answer", purpose: Purpose = Purpose.ANSWER, choices: Sequence[Choice] = ()) -> Say:
    return Say(purpose, "source", text, tuple(choices))


async def say(store: Store, *texts: str, peer: str = "ann", purpose: Purpose = Purpose.ANSWER) -> None:
    """Have the desk say *texts* to *peer*, in this order."""
    await write_in(store, f"before {texts[0]}", peer=peer)
    await take_turn(store, *(answer(text, purpose) for text in texts))


async def claim(store: Store, now: datetime = NOON, limit: int = 100) -> Sequence[DueSend]:
    return await store.claim_sends("web", "site", limit, now)


async def settle(
    store: Store,
    sends: Sequence[DueSend],
    to: SendState = SendState.SENT,
    retry_at: datetime | None = None,
    now: datetime = NOON,
    reason: str = "",
    blocked: bool = False,
) -> None:
    results = [
        SendResult(send.id, to, f"their-{send.id}" if to is SendState.SENT else None, reason, retry_at, blocked)
        for send in sends
    ]
    await store.settle_sends(results, now)


async def deliver_all(store: Store, now: datetime = NOON) -> list[str]:
    """Send everything there is; the texts, in the order of sending."""
    said: list[str] = []
    while due := await claim(store, now):
        said += [send.message.text for send in due]
        await settle(store, due, now=now)
    return said


async def join_line(
    store: Store, peer: str, priority: Priority = Priority.NORMAL, since: datetime = NOON, told: int | None = None
) -> Conversation:
    """Put *peer* into the waiting line, told the place *told* when they joined."""

    def waiting(conversation: Conversation) -> Conversation:
        return replace(
            conversation,
            stage=Stage.WAITING,
            priority=priority,
            waiting_since=since,
            told_place=told,
            told_at=since if told is not None else None,
        )

    await write_in(store, f"joins at {since.isoformat()}", peer=peer, now=since)
    await take_turn(store, become=waiting, now=since)
    return await state(store, peer)


async def leave_line(store: Store, peer: str, now: datetime = NOON) -> None:
    """Have *peer*'s turn come."""
    await write_in(store, f"served at {now.isoformat()}", peer=peer, now=now)
    await take_turn(store, become=lambda conversation: conversation.moved_to(Stage.RESOLVED), now=now)


async def places(store: Store, peers: Sequence[str]) -> dict[str, int | None]:
    found = {peer: (await state(store, peer)).line for peer in peers}
    return {peer: line.place if line is not None else None for peer, line in found.items()}


def strings_in(thing: object, seen: set[int] | None = None) -> Iterator[str]:
    """Every string that *thing* holds, however deep, also where its `repr` is silent."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, Mapping):
        for key, value in thing.items():  # pyright: ignore[reportUnknownVariableType] - a mapping of anything
            yield from strings_in(key, seen)  # pyright: ignore[reportUnknownArgumentType] - as above
            yield from strings_in(value, seen)  # pyright: ignore[reportUnknownArgumentType] - as above
    elif isinstance(thing, (list, tuple, set, frozenset)):
        for value in thing:  # pyright: ignore[reportUnknownVariableType] - as above
            yield from strings_in(value, seen)  # pyright: ignore[reportUnknownArgumentType] - as above
    else:
        names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
        for name in names:
            yield from strings_in(getattr(thing, name, None), seen)


async def dossier(store: Store, peer: str = "ann") -> Dossier:
    found = await store.dossier((await state(store, peer)).reference)
    assert found is not None
    return found


async def claim_files(store: Store, now: datetime = NOON) -> tuple[FileOfMessage, ...]:
    """The files of the one errand that is due."""
    (errand,) = await store.claim_errands("web", "site", 10, now)
    return errand.files
