"""A staff room in memory that does as it is told."""

import asyncio
import itertools
from dataclasses import dataclass, field

from imconnect.ports import Header, TopicGone, TryLater, Undeliverable

Fault = TryLater | Undeliverable | TopicGone | RuntimeError | asyncio.CancelledError


@dataclass(slots=True)
class Topic:
    """What colleagues see: the header, then posts by their id."""

    head: str = ""
    posts: dict[str, str] = field(default_factory=dict[str, str])
    shut: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.posts.values())


class ScriptedRoom:
    """Raises the next of *faults* of a method before it does anything. `calls` counts what it was asked for."""

    def __init__(self, room: str = "room") -> None:
        self.room = room
        self.topics: dict[str, Topic] = {}
        self.answers: list[tuple[str | None, str, str | None]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.calls: list[str] = []
        self._numbers = itertools.count(1)

    def remove(self, topic: str) -> None:
        """A colleague deletes the topic by hand."""
        del self.topics[topic]

    async def open(self, header: Header) -> str:
        self._asked("open")
        topic = f"t{next(self._numbers)}"
        self.topics[topic] = Topic()
        return topic

    async def head(self, topic: str, head: str | None, header: Header) -> str:
        self._asked("head")
        self._at(topic).head = header.text
        self._at(topic).shut = False
        return head or f"h{next(self._numbers)}"

    async def post(self, topic: str, text: str) -> tuple[str, ...]:
        self._asked("post")
        posted = f"p{next(self._numbers)}"
        self._at(topic).posts[posted] = text
        return (posted,)

    async def revise(self, topic: str, posted: tuple[str, ...], text: str) -> tuple[str, ...]:
        self._asked("revise")
        self._at(topic).posts[posted[0]] = text
        return posted

    async def answer(self, topic: str | None, text: str, to: str | None = None) -> None:
        self._asked("answer")
        if topic is not None:
            self._at(topic)
        self.answers.append((topic, text, to))

    async def shut(self, topic: str) -> None:
        self._asked("shut")
        self._at(topic).shut = True

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        if self.faults.get(what):
            raise self.faults[what].pop(0)

    def _at(self, topic: str) -> Topic:
        if topic not in self.topics:
            raise TopicGone(topic)
        return self.topics[topic]
