"""Server-sent events (WHATWG HTML, section 9.2): how pages hear of changes, and how every stream ends in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager

from fastapi.responses import StreamingResponse

from imconnect.desk.bells import Bell
from imconnect.ports import Changes

HEARTBEAT = 15.0
"""Seconds between signs of life; proxies close what stays silent for a minute. What was missed is found then, too."""

MOST_STREAMS = 4
"""Streams one session may hold. A browser opens six connections to a host, whatever the number of its tabs, and pages
need some of them; the tab that was longest open rests until it is looked at again."""

RECONNECT = "retry: 2000\n\n"
COMMENT = ": still here\n\n"
REST = "event: rest\ndata: \n\n"


def event(name: str, data: object, number: int | None = None) -> str:
    """One event, its data as JSON on one line."""
    head = f"event: {name}\n" if number is None else f"id: {number}\nevent: {name}\n"
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n"


class Ringing:
    """Several bells listened to at once."""

    def __init__(self, bells: Mapping[str, Changes]) -> None:
        self._bells = bells
        self._waits: dict[asyncio.Task[bool], str] = {}

    async def first(self, seconds: float) -> frozenset[str]:
        """The names of those that rang; empty when *seconds* passed first."""
        for name in self._bells.keys() - set(self._waits.values()):
            self._waits[asyncio.ensure_future(self._bells[name].wait(seconds))] = name
        done, _ = await asyncio.wait(self._waits, return_when=asyncio.FIRST_COMPLETED)
        return frozenset(name for task in done if (name := self._waits.pop(task)) and task.result())

    async def stop(self) -> None:
        for task in self._waits:
            task.cancel()
        await asyncio.gather(*self._waits, return_exceptions=True)


class Seat:
    """One open stream's place. `resting`: a younger stream of the session took it; `ended`: so did the shutdown."""

    def __init__(self) -> None:
        self.bell = Bell()
        self.resting = False
        self.ended = False

    @property
    def over(self) -> bool:
        return self.resting or self.ended


class Streams:
    """The open streams of this process."""

    def __init__(self) -> None:
        self._seats: dict[str, list[Seat]] = {}
        self._closed = False

    @contextmanager
    def admit(self, session: str) -> Generator[Seat]:
        """A seat for one more stream of *session*; the eldest of too many is told to rest."""
        seat = Seat()
        seat.ended = self._closed
        seats = self._seats.setdefault(session, [])
        seats.append(seat)
        for eldest in seats[:-MOST_STREAMS]:
            eldest.resting = True
            eldest.bell.ring()
        try:
            yield seat
        finally:
            seats.remove(seat)
            if not seats and self._seats.get(session) is seats:
                del self._seats[session]

    def close(self) -> None:
        """End every stream, and each that is still to come. A server waits for open responses before it stops."""
        self._closed = True
        for seat in [seat for seats in self._seats.values() for seat in seats]:
            seat.ended = True
            seat.bell.ring()


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """*events* as a response no cache keeps and no proxy holds back."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
