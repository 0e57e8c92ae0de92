"""Each channel's messages in their order: first what was missed, then what comes. Nothing is lost that is not stored."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

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

Page = Callable[[int], Awaitable[Sequence[Found]]]
"""The oldest messages after an id, in order; none where there are no more."""

log = structlog.get_logger("imconnect.discord")


@dataclass(frozen=True, slots=True)
class Live:
    """Something that comes while we listen. `id` is that of a new message; None for an edit, a deletion, a press."""

    items: Sequence[Item]
    id: int | None = None
    stored: asyncio.Future[None] | None = None


@dataclass(slots=True)
class Lane:
    """One channel. `page` reads its history; without it nothing of it is kept up with. `mark`: the last message heard."""

    channel: int
    page: Page | None
    mark: int
    behind: bool = False
    waiting: deque[Live] = field(default_factory=deque[Live])
    heard: OrderedDict[int, None] = field(default_factory=OrderedDict[int, None])
    work: asyncio.Task[None] | None = None


class Lanes:
    """Every channel that is listened to. A channel waits for nothing but its own history."""

    def __init__(self, account: str, channel_name: str) -> None:
        self._account = account
        self._name = channel_name
        self._lanes: dict[int, Lane] = {}
        self._deliver: Deliver | None = None
        self._reading = asyncio.Semaphore(AT_ONCE)

    def open(self, deliver: Deliver) -> None:
        """From now on what is told goes to *deliver*."""
        self._deliver = deliver

    def keep(self, channel: int, page: Page | None, mark: int) -> Lane:
        """The lane of a channel, begun after the message *mark* if there is none."""
        return self._lanes.setdefault(channel, Lane(channel, page, mark))

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
        if lane.page is not None:
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

    async def _read_history(self, lane: Lane, deliver: Deliver) -> None:
        if lane.page is None:
            lane.behind = False
            return
        async with self._reading:
            while page := await lane.page(lane.mark):
                await deliver([*(item for _, items in page for item in items), self._mark(lane, page[-1][0])])
                for number, items in page:
                    self._heard(lane, number, items)
        lane.behind = False

    async def _hand_over(self, lane: Lane, deliver: Deliver) -> None:
        live = lane.waiting[0]
        if live.id is None:
            await deliver(live.items)
        elif live.id not in lane.heard:
            kept = [self._mark(lane, live.id)] if lane.page is not None else []
            await deliver([*live.items, *kept])
            self._heard(lane, live.id, live.items)
        lane.waiting.popleft()
        if live.stored is not None and not live.stored.done():
            live.stored.set_result(None)

    def _mark(self, lane: Lane, message: int) -> Mark:
        return Mark(self._name, self._account, f"{LAST}{lane.channel}", str(max(lane.mark, message)))

    def _heard(self, lane: Lane, message: int, items: Sequence[Item]) -> None:
        lane.mark = max(lane.mark, message)
        if items:
            lane.heard[message] = None
            if len(lane.heard) > REMEMBERED:
                lane.heard.popitem(last=False)
