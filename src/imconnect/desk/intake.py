"""Intake: the guard first, then the store, then the acknowledgement."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from imconnect.desk.loops import Clock
from imconnect.desk.understanding import language_around, withheld_whole
from imconnect.domain.messages import Attachment, Incoming, Language, Unreadable
from imconnect.domain.readings import Secret
from imconnect.guard import Guard, Inspected, Tail
from imconnect.ports import (
    Bounced,
    Item,
    Mark,
    Meter,
    Received,
    StaffWord,
    Store,
    StoreUnavailable,
    TryLater,
)

LARGEST_GROUP = 400
"""Items in one commit."""

NAMES_REMEMBERED = 10_000

LONG_TEXT = 16_384
"""Characters from which a text is inspected in a thread, so that nobody else waits for it."""

LONGEST_REASON = 200
"""Characters kept of what a vendor says of a bounce."""

TRANSACTION_HASH = "transaction_hash"

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,63}/[\w.+-]{1,63}", re.IGNORECASE | re.ASCII)

Guarded = Received | Unreadable | Bounced | Mark
Hear = Callable[[StaffWord], Awaitable[None]]


class Intake:
    """What adapters deliver to. Many deliveries share one commit; each returns once its own items are durable.

    *hear* records what colleagues write in a staff room.
    """

    def __init__(self, store: Store, guard: Guard, clock: Clock, meter: Meter, hear: Hear | None = None) -> None:
        self._store = store
        self._guard = guard
        self._tail = Tail(guard)
        self._clock = clock
        self._meter = meter
        self._hear = hear
        self._harmless: set[str] = set()
        self._queue: deque[tuple[list[Guarded], asyncio.Future[None]]] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def deliver(self, items: Sequence[Item]) -> None:
        """Store *items* in order; on return they are committed. Raises `TryLater` when the store cannot take them.

        What colleagues said is recorded after the customers' words, and marks that stand behind it after that: a
        channel that is cut off in between begins before what was not recorded.
        """
        first, words, last = _in_order(items)
        await self._store_all([await self._guarded(item) for item in first])
        for word in words:
            await self._heard(word)
        await self._store_all(last)

    async def _heard(self, word: StaffWord) -> None:
        if self._hear is None:
            nobody = Unreadable(word.id, word.channel, word.account, "nobody minds a staff room here", len(word.text))
            await self._store_all([nobody])
            return
        try:
            await self._hear(word)
        except StoreUnavailable as error:
            raise TryLater(str(error)) from None

    async def _store_all(self, safe: Iterable[Guarded]) -> None:
        items = list(safe)
        if not items:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((items, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit())
        await asyncio.shield(done)

    async def flush(self) -> None:
        """Wait until everything delivered so far is committed or refused."""
        while self._committing is not None:
            await asyncio.wait([self._committing])

    async def _commit(self) -> None:
        try:
            while self._queue:
                group, waiting = self._next_group()
                try:
                    new = await self._store.record(group, self._clock())
                except Exception as error:  # whoever delivered it must know that it is not stored
                    self._refuse(waiting, error)
                    continue
                self._meter.count("messages_received", new)
                self._meter.count("messages_repeated", len(group) - new)
                for done in waiting:
                    if not done.done():
                        done.set_result(None)
        finally:
            self._committing = None

    def _next_group(self) -> tuple[list[Guarded], list[asyncio.Future[None]]]:
        group: list[Guarded] = []
        waiting: list[asyncio.Future[None]] = []
        while self._queue and (not group or len(group) + len(self._queue[0][0]) <= LARGEST_GROUP):
            items, done = self._queue.popleft()
            group += items
            waiting.append(done)
        return group, waiting

    def _refuse(self, waiting: Sequence[asyncio.Future[None]], error: Exception) -> None:
        later = TryLater(str(error)) if isinstance(error, StoreUnavailable) else error
        for done in waiting:
            if not done.done():
                done.set_exception(later)

    # -------------------------------------------------------------------------------------------------------- guard

    async def _guarded(self, item: Incoming | Unreadable | Bounced | Mark) -> Guarded:
        match item:
            case Incoming():
                return await self._inspect(item)
            case Bounced():
                # Other servers quote what they refuse: the whole is looked at before most of it is left out.
                reason = (await self._inspect_at_rest(item.reason)).text
                return replace(item, reason=" ".join(reason.split())[:LONGEST_REASON])
            case _:
                return item

    async def _inspect(self, incoming: Incoming) -> Received:
        """Every typed field, seen by the guard before anything else sees it."""
        started = asyncio.get_running_loop().time()
        inspected = await self._inspect_text(incoming)
        quoted = await self._inspect_at_rest(incoming.quoted)
        name = self._inspect_name(incoming.author.name)
        files = [self._guard.inspect(file.name) for file in incoming.attachments]
        pressed = self._inspect_name(incoming.choice or "")  # a client of somebody's own may press anything
        secret = next((one.secret for one in (inspected, quoted, pressed, *files) if one.secret is not None), None)
        safe = replace(
            incoming,
            text=inspected.text,
            author=replace(incoming.author, name=name.text),
            attachments=_renamed(incoming.attachments, files),
            language_hint=_hint(incoming, inspected),
            quoted=quoted.text,
            choice=incoming.choice if pressed.secret is None else None,
        )
        self._meter.observe("guard_seconds", asyncio.get_running_loop().time() - started)
        if secret is not None:
            self._meter.count("secrets_withheld", kind=secret.kind.value, channel=incoming.address.channel)
        return Received(safe, secret, _withdrawn(inspected, secret))

    def _inspect_name(self, name: str) -> Inspected:
        """A name comes with every message of its owner: one that was found harmless is not looked at each time."""
        if name in self._harmless:
            return Inspected(name, None)
        inspected = self._guard.inspect(name)
        if inspected.secret is None:
            if len(self._harmless) >= NAMES_REMEMBERED:
                self._harmless.clear()
            self._harmless.add(name)
        return inspected

    async def _inspect_at_rest(self, text: str) -> Inspected:
        """A text that belongs to no sequence of messages."""
        if not text:
            return Inspected("", None)
        if len(text) <= LONG_TEXT:
            return self._guard.inspect(text)
        return await asyncio.to_thread(self._guard.inspect, text)

    async def _inspect_text(self, incoming: Incoming) -> Inspected:
        if not incoming.text:
            return Inspected("", None)
        inspected = await self._look(incoming, hash_asked_for=False)
        if inspected.needs_context:
            expected = await self._expected(incoming)
            if TRANSACTION_HASH in expected:
                inspected = await self._look(incoming, hash_asked_for=True)
        return inspected

    async def _look(self, incoming: Incoming, *, hash_asked_for: bool) -> Inspected:
        moment = self._clock().timestamp()
        arguments = (incoming.address, incoming.id, incoming.text, moment)
        if len(incoming.text) <= LONG_TEXT:
            return self._tail.inspect(*arguments, hash_asked_for=hash_asked_for)
        return await asyncio.to_thread(self._tail.inspect, *arguments, hash_asked_for=hash_asked_for)

    async def _expected(self, incoming: Incoming) -> frozenset[str]:
        try:
            return await self._store.expects(incoming.address)
        except StoreUnavailable as error:
            raise TryLater(str(error)) from None


def _hint(incoming: Incoming, inspected: Inspected) -> Language | None:
    """The channel's word on the language; where the text is withheld, what it was written in counts for more."""
    if inspected.secret is None or not withheld_whole(inspected.text, inspected.secret):
        return incoming.language_hint
    return language_around(incoming.text, inspected.secret, incoming.language_hint)


def _in_order(
    items: Sequence[Item],
) -> tuple[list[Incoming | Unreadable | Bounced | Mark], list[StaffWord], list[Mark]]:
    """*items* by when they are stored: what comes first, what colleagues said, and the marks behind that."""
    first: list[Incoming | Unreadable | Bounced | Mark] = []
    words: list[StaffWord] = []
    last: list[Mark] = []
    for item in items:
        if isinstance(item, StaffWord):
            words.append(item)
        elif isinstance(item, Mark) and words:
            last.append(item)
        else:
            first.append(item)
    return first, words, last


def _renamed(attachments: Sequence[Attachment], inspected: Sequence[Inspected]) -> tuple[Attachment, ...]:
    return tuple(
        replace(file, name=one.text, media_type=_media_type(file.media_type))
        for file, one in zip(attachments, inspected, strict=True)
    )


def _media_type(claimed: str) -> str:
    """The type a sender claims, where it has the form of one: it was typed like everything else."""
    return claimed.lower() if _MEDIA_TYPE.fullmatch(claimed) else "application/octet-stream"


def _withdrawn(inspected: Inspected, secret: Secret | None) -> tuple[str, ...]:
    return inspected.earlier if secret is not None else ()
