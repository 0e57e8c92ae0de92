"""The copy of the desk in a staff room: one topic a conversation, never more than one of them in use."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from imconnect.desk.delivery import backoff
from imconnect.desk.loops import Clock, Stopping, go_round, where
from imconnect.desk.roomwords import RoomWords
from imconnect.domain.conversations import Stage
from imconnect.domain.playbook import Playbook
from imconnect.ports import (
    Dossier,
    Header,
    Line,
    Meter,
    Posted,
    RoomCopy,
    RoomResult,
    Speaker,
    StaffRoom,
    Store,
    StoreUnavailable,
    TopicGone,
    TryLater,
    Undeliverable,
)

SWEEP_SECONDS = 2.0
MOST_ATTEMPTS = 5
"""Tries at what the room refuses; then the copy is left until the conversation changes."""

MOST_TOPICS = 2
"""Topics opened for one conversation in one go, should they vanish under our hands."""

HEADERS_REMEMBERED = 5_000

RESOLVED = "resolved"
"""The kind of event that ends a case, and its outcome, as the record has them."""

log = structlog.get_logger("imconnect.desk")


@dataclass(slots=True)
class _Copy:
    """What stands in the room while it is being written."""

    topic: str | None
    head: str | None
    posts: list[Posted]
    shut: bool

    def result(self, copy: RoomCopy) -> RoomResult:
        return RoomResult(copy.conversation, copy.version, self.topic, self.head, tuple(self.posts), self.shut)

    def begin_again(self) -> None:
        """The topic is gone, and all that stood in it."""
        self.topic, self.head, self.posts, self.shut = None, None, [], False


class Mirroring:
    """Copies what is behind into one staff room, the most pressing conversation first, each in one burst."""

    def __init__(
        self,
        store: Store,
        channel: str,
        room: StaffRoom,
        playbook: Playbook,
        clock: Clock,
        meter: Meter,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._channel = channel
        self._room = room
        self._words = RoomWords(playbook)
        self._clock = clock
        self._meter = meter
        self._chance = chance
        self._alarmed = False
        self._rests_until: datetime | None = None
        self._headers: OrderedDict[tuple[int, str], str] = OrderedDict()

    async def run(self, stopping: Stopping) -> None:
        async with self._store.changes("room") as bell:
            await go_round("staff room", self.step, bell, stopping, SWEEP_SECONDS)

    async def step(self) -> int:
        """Bring the copy of one conversation up to date. Returns 1, or 0 where there is nothing to do now."""
        now = self._clock()
        if self._rests_until is not None and now < self._rests_until:
            return 0
        copy = await self._store.behind(self._channel, self._room.room, now)
        if copy is None:
            return 0
        started = asyncio.get_running_loop().time()
        result = await self._brought_up(copy)
        await self._store.settle_room(self._channel, self._room.room, result, self._clock())
        self._meter.observe("room_seconds", asyncio.get_running_loop().time() - started, channel=self._channel)
        return 1

    async def _brought_up(self, copy: RoomCopy) -> RoomResult:
        now_is = _Copy(copy.topic, copy.head, list(copy.posts), copy.shut)
        try:
            await self._write(copy, now_is)
        except TryLater as later:
            return self._later(copy, now_is, later.reason, later.after)
        except Undeliverable as never:
            return await self._refused(copy, now_is, never.reason)
        except StoreUnavailable:
            raise
        except TopicGone:
            return self._later(copy, now_is, "the topic vanished again", None)
        except Exception as error:  # an adapter's bug must not stop the other copies
            log.error("copy failed", channel=self._channel, error=type(error).__name__, where=where(error))
            return await self._refused(copy, now_is, f"the adapter failed: {type(error).__name__}")
        self._alarmed = False
        return now_is.result(copy)

    async def _write(self, copy: RoomCopy, now_is: _Copy) -> None:
        """All that is to be done in the room; *now_is* always tells what has been."""
        for attempt in range(1, MOST_TOPICS + 1):
            try:
                await self._write_once(copy, now_is)
            except TopicGone:
                now_is.begin_again()
                if attempt == MOST_TOPICS:
                    raise
            else:
                return

    async def _write_once(self, copy: RoomCopy, now_is: _Copy) -> None:
        dossier = copy.dossier
        resolved = dossier.summary.stage is Stage.RESOLVED
        header = self._words.header(dossier, await self._length(copy))
        if now_is.topic is None:
            if resolved:  # it ended before anybody here saw it: there is nothing to open
                now_is.shut = True
                return
            now_is.topic = await self._room.open(header)
            # Known to the store before anything is written there: whatever breaks now, no second one is opened.
            opened = _retried(now_is.result(copy), self._clock(), 0.0)
            await self._store.settle_room(self._channel, self._room.room, opened, self._clock())
        topic = now_is.topic
        await self._write_head(copy.conversation, topic, now_is, header)
        await self._revise(topic, now_is, dossier)
        for burst in _bursts(_new_lines(dossier, now_is.posts), now_is.posts):
            text = self._words.burst(burst)
            ids = await self._room.post(topic, text)
            now_is.posts.append(Posted(ids, burst[0].id, burst[-1].id, _state(text)))
        if resolved and not now_is.shut:
            await self._room.shut(topic)
        now_is.shut = resolved

    async def _length(self, copy: RoomCopy) -> int | None:
        """How many wait, where this conversation is one of them."""
        if copy.dossier.summary.place is None:
            return None
        place = await self._store.place(copy.conversation)
        return place.length if place is not None else None

    async def _write_head(self, conversation: int, topic: str, now_is: _Copy, header: Header) -> None:
        """A header that stands there already, word for word, costs the room nothing."""
        mark = (conversation, f"{topic}:{now_is.head}")
        if now_is.head is not None and self._headers.get(mark) == _state(f"{header.stage}\n{header.text}"):
            return
        now_is.head = await self._room.head(topic, now_is.head, header)
        self._headers[conversation, f"{topic}:{now_is.head}"] = _state(f"{header.stage}\n{header.text}")
        while len(self._headers) > HEADERS_REMEMBERED:
            self._headers.popitem(last=False)

    async def _revise(self, topic: str, now_is: _Copy, dossier: Dossier) -> None:
        """What was posted and is no longer so: edited, withheld, or not delivered after all."""
        for number, posted in enumerate(now_is.posts):
            lines = [line for line in dossier.lines if posted.first <= line.id <= posted.last]
            text = self._words.burst(lines)
            if not lines or _state(text) == posted.state:
                continue
            try:
                ids = await self._room.revise(topic, posted.ids, text)
            except Undeliverable as never:  # too old to be changed: said again, as it is now
                log.warning("copy not revised", channel=self._channel, why=never.reason)
                ids = (*posted.ids, *await self._room.post(topic, text))
            now_is.posts[number] = Posted(ids, posted.first, posted.last, _state(text))

    # ------------------------------------------------------------------------------------------------ when it fails

    def _later(self, copy: RoomCopy, now_is: _Copy, reason: str, after: float | None) -> RoomResult:
        self._meter.count("room_delays", channel=self._channel)
        log.info("staff room later", channel=self._channel, says=reason)
        if after is not None:  # all topics share the room's limits (one group, one rate)
            self._rests_until = self._clock() + timedelta(seconds=after)
        seconds = after if after is not None else backoff(copy.attempts, self._chance())
        return _retried(now_is.result(copy), self._clock(), seconds)

    async def _refused(self, copy: RoomCopy, now_is: _Copy, reason: str) -> RoomResult:
        """Tried a few times; while the room is known to refuse everything, once for each conversation."""
        if copy.attempts + 1 < MOST_ATTEMPTS and not self._alarmed:
            return _retried(now_is.result(copy), self._clock(), backoff(copy.attempts, self._chance()))
        self._meter.count("rooms_failed", channel=self._channel)
        if not self._alarmed:
            self._alarmed = True
            log.error("staff room refuses", channel=self._channel, room=self._room.room, why=reason)
            await self._alarm(reason)
        return _failed(now_is.result(copy), reason)

    async def _alarm(self, reason: str) -> None:
        """Tell the room as a whole, once; the log has it in any case."""
        try:
            await self._room.answer(None, self._words.say("room_alarm", reason=reason))
        except (TryLater, Undeliverable, TopicGone) as error:
            log.error("staff room not told", channel=self._channel, error=type(error).__name__)


def _retried(result: RoomResult, now: datetime, seconds: float) -> RoomResult:
    return replace(result, retry_at=now + timedelta(seconds=seconds))


def _failed(result: RoomResult, reason: str) -> RoomResult:
    return replace(result, failed=reason)


def _state(text: str) -> str:
    """Tells whether what was posted is still what there is to say."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _new_lines(dossier: Dossier, posts: Sequence[Posted]) -> list[Line]:
    """What is not in the room yet, from the start of the current case, or of the copy, on."""
    start = _start_of_case(dossier)
    if posts:
        start = min(start, *(posted.first for posted in posts))
    return [
        line
        for line in dossier.lines
        if line.id >= start and not any(posted.first <= line.id <= posted.last for posted in posts)
    ]


def _start_of_case(dossier: Dossier) -> int:
    """The first line after the conversation was last resolved and opened again.

    Lines are numbered in the order they came in; times are not compared with what customers' clocks said.
    """
    ended = [at for at, kind, outcome in dossier.outcomes if kind == RESOLVED and outcome == RESOLVED]
    if dossier.summary.stage is Stage.RESOLVED:
        ended = ended[:-1]
    if not ended:
        return 0
    ours = (line for line in dossier.lines if line.speaker is not Speaker.CUSTOMER and line.at >= ended[-1])
    last_words = next(ours, None)
    return last_words.id + 1 if last_words is not None else 0


def _bursts(lines: Sequence[Line], posts: Sequence[Posted]) -> Iterator[list[Line]]:
    """*lines* in runs with nothing posted in between: a line may become visible after ones that follow it."""
    burst: list[Line] = []
    for line in lines:
        if burst and any(burst[-1].id < posted.first < line.id for posted in posts):
            yield burst
            burst = []
        burst.append(line)
    if burst:
        yield burst
