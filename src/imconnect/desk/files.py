"""The files of a message: fetched, seen by the guard, and only then kept."""

import asyncio
from collections.abc import Callable

from imconnect.desk.loops import Clock
from imconnect.domain.messages import LARGEST_FILE
from imconnect.domain.readings import Certainty, Secret
from imconnect.guard.files import FileVerdict
from imconnect.ports import DueErrand, Fetches, FileOfMessage, FileResult, FileState, Store, Undeliverable

Inspect = Callable[[str, str, bytes], FileVerdict]
"""The guard's verdict on a file of that name, claimed type and content."""


class Files:
    """Brings the files of one inbox into the store, two at a time: each may have 20 MB."""

    def __init__(self, store: Store, adapter: Fetches, inspect: Inspect, clock: Clock) -> None:
        self._store = store
        self._adapter = adapter
        self._inspect = inspect
        self._clock = clock
        self._hands = asyncio.Semaphore(2)

    async def fetch(self, due: DueErrand) -> tuple[int, Secret | None]:
        """Bring what is still to be had of the message's files; how many cannot, and what the guard found in them.

        What has been brought is kept at once, so that a second try begins where the first ended. Raises `TryLater`.
        """
        lost, found = 0, None
        for file in due.files:
            became = file if file.state is not FileState.NAMED else await self._seen_to(due, file)
            lost += became.state in (FileState.TOO_LARGE, FileState.LOST)
            if became.secret is not None and found is None:
                found = Secret(became.secret, Certainty.LIKELY)
        return lost, found

    async def _seen_to(self, due: DueErrand, file: FileOfMessage) -> FileResult:
        async with self._hands:
            result = await self._brought(due, file)
            await self._store.keep_files([result], self._clock())
        return result

    async def _brought(self, due: DueErrand, file: FileOfMessage) -> FileResult:
        if file.file.size > LARGEST_FILE:
            return FileResult(file.id, FileState.TOO_LARGE)
        try:
            content = await self._adapter.fetch(due.address, due.subject, file.file, LARGEST_FILE)
        except Undeliverable:
            return FileResult(file.id, FileState.LOST)
        if len(content) > LARGEST_FILE:
            return FileResult(file.id, FileState.TOO_LARGE)
        return await asyncio.to_thread(self._judged, file, content)

    def _judged(self, file: FileOfMessage, content: bytes) -> FileResult:
        try:
            verdict = self._inspect(file.file.name, file.file.media_type, content)
        except Exception:  # it has not been judged, and must not pass
            return FileResult(file.id, FileState.WITHHELD)
        if verdict.withheld:
            secret = verdict.secret.kind if verdict.secret is not None else None
            return FileResult(file.id, FileState.WITHHELD, verdict.media_type, secret=secret)
        return FileResult(file.id, FileState.KEPT, verdict.media_type, content)
