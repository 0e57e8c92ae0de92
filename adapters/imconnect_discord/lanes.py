"""Each channel's messages in order: what was missed, then what comes. Nothing is lost that is not stored."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from imconnect.ports import Deliver, Item, Mark, TryLater, Undeliverable

LAST = "last:"
"""The mark that says up to which message a channel was heard."""

REMEMBERED = 1_000
"""Messages of a channel that are known to have been heard, should they be told again."""

AT_ONCE = 8
"""Channels whose history is read at a time."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0

Found = tuple[int, Sequence[Item]]
"""A message's id and what it brings; nothing, where it is not for the desk."""

log = structlog.get_logger("imconnect.discord")


class History(Protocol):
    """What of a channel can be read again."""

    async def after(self, message: int) -> Sequence[Found]:
        """The oldest messages after that one, in order; none where there are no more."""
        ...

    async def changed(self, message: int, since: datetime) -> Sequence[Found]:
        """The last messages up to that one, in order, and the edits of them that are newer than *since*."""
        ...


@dataclass(frozen=True, slots=True)
class Live:
    """Something that comes while we listen. `id` is that of a new message; None for an edit, a deletion, a press."""

    items: Sequence[Item]
    id: int | None = None
    stored: asyncio.Future[None] | None = None


@dataclass(slots=True)
class Lane:
    """One channel; without a history it is not kept up with. `mark`: the last message heard; `marked`: when."""

    channel: int
    history: History | None
    mark: int
    marked: datetime
    behind: bool = False
    waiting: deque[Live] = field(default_factory=deque[Live])
    heard: OrderedDict[int, None] = field(default_factory=OrderedDict[int, None])
    work: asyncio.Task[None] | None = None


class Lanes:
    """Every channel that is listened to. A channel waits for nothing but its own history."""

    def __init__(self, channel: str, account: str, now: Callable[[], datetime]) -> None:
        self._channel = channel
        self._account = account
        self._now = now
        self._lanes: dict[int, Lane] = {}
        self._deliver: Deliver | None = None
        self._reading = asyncio.Semaphore(AT_ONCE)

    def open(self, deliver: Deliver) -> None:
        """From now on what is told goes to *deliver*."""
        self._deliver = deliver

    def keep(self, channel: int, history: History | None, mark: int, marked: datetime) -> Lane:
        """The lane of a channel, begun after the message *mark* if there is none."""
        return self._lanes.setdefault(channel, Lane(channel, history, mark, marked))

    def drop(self, channel: int) -> None:
        """The channel is gone."""
        lane = self._lanes.pop(channel, None)
        if lane is not None and lane.work is not None:
            lane.work.cancel()

    def knows(self, channel: int) -> bool:
        return channel in self._lanes

    def has_heard(self, channel: int, message: int) -> bool:
        """Whether *message* is known to have been the customer's, and not long ago."""
        lane = self._lanes.get(channel)
        return lane is not None and message in lane.heard

    def fall_behind(self) -> None:
        """Something may have been missed everywhere: read every history from its mark, and only then what comes."""
        for lane in self._lanes.values():
            self.catch_up(lane)

    def catch_up(self, lane: Lane) -> None:
        """Read the history of this channel from its mark before anything else of it."""
        if lane.history is not None:
            lane.behind = True
            self._start(lane)

    def tell(self, lane: Lane, live: Live) -> None:
        """Something came. It is delivered after all that came before it in its channel."""
        lane.waiting.append(live)
        self._start(lane)

    @property
    def behind(self) -> int:
        """How many channels have not been caught up with."""
        return sum(lane.behind for lane in self._lanes.values())

    async def close(self) -> None:
        """Deliver nothing more. What waits is heard again from the history, next time."""
        self._deliver = None
        working = [lane.work for lane in self._lanes.values() if lane.work is not None]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for lane in self._lanes.values():
            for live in lane.waiting:
                if live.stored is not None:
                    live.stored.cancel()
            lane.waiting.clear()
            lane.work = None

    # ------------------------------------------------------------------------------------------------------- working

    def _start(self, lane: Lane) -> None:
        if (lane.work is None or lane.work.done()) and self._deliver is not None:
            lane.work = asyncio.create_task(self._work(lane, self._deliver))

    async def _work(self, lane: Lane, deliver: Deliver) -> None:
        failures = 0
        while lane.behind or lane.waiting:
            try:
                if lane.behind:
                    await self._read_history(lane, deliver)
                else:
                    await self._hand_over(lane, deliver)
                failures = 0
            except TryLater as later:
                failures += 1
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10))
                await asyncio.sleep(later.after if later.after is not None else pause)
            except Undeliverable as never:  # the channel is gone or closed to us: nothing of it can be read any more
                log.info("history not read", says=never.reason)
                lane.behind = False
            except Exception as error:  # whoever cannot take it now may take it later; order is kept meanwhile
                failures += 1
                log.error("not delivered", error=type(error).__name__)
                await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10)))

    async def _read_history(self, lane: Lane, deliver: Deliver) -> None:
        if lane.history is None:
            lane.behind = False
            return
        async with self._reading:
            changed = await lane.history.changed(lane.mark, lane.marked)
            if edits := [item for _, items in changed for item in items]:
                await deliver(edits)
            for number, _ in changed:
                self._remember(lane, number)
            while page := await lane.history.after(lane.mark):
                await self._take(lane, deliver, [item for _, items in page for item in items], page[-1][0])
                for number, items in page:
                    if items:
                        self._remember(lane, number)
        lane.behind = False

    async def _hand_over(self, lane: Lane, deliver: Deliver) -> None:
        live = lane.waiting[0]
        if live.id is None:
            await deliver(live.items)
        elif live.id not in lane.heard:
            await self._take(lane, deliver, live.items, live.id)
            self._remember(lane, live.id)
        lane.waiting.popleft()
        if live.stored is not None and not live.stored.done():
            live.stored.set_result(None)

    async def _take(self, lane: Lane, deliver: Deliver, items: Sequence[Item], last: int) -> None:
        """Deliver, and in the same commit that the channel was heard up to *last*."""
        mark = max(lane.mark, last)
        kept = [Mark(self._channel, self._account, f"{LAST}{lane.channel}", str(mark))]
        await deliver([*items, *kept] if lane.history is not None else items)
        lane.mark, lane.marked = mark, self._now()

    def _remember(self, lane: Lane, message: int) -> None:
        lane.heard[message] = None
        if len(lane.heard) > REMEMBERED:
            lane.heard.popitem(last=False)
