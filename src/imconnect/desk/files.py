"""The files of a message: fetched, known by their content, seen by the guard, and only then kept."""

import asyncio
import codecs
import re
from collections.abc import Callable

import puremagic

from imconnect.desk.loops import Clock
from imconnect.domain.messages import LARGEST_FILE
from imconnect.domain.readings import Certainty, Secret
from imconnect.guard import Guard
from imconnect.ports import DueErrand, Fetches, FileOfMessage, FileResult, FileState, Store, Undeliverable

Inspect = Callable[[str, str, bytes], Secret | None]
"""What the guard finds in a file of that name, type and content; what it raises withholds the file."""

UNKNOWN_TYPE = "application/octet-stream"

TEXTS = ("text/plain", "application/json", "text/html", "image/svg+xml")
STRETCH, OVERLAP = 200_000, 2_000
"""Characters of a file the guard is shown at a time, and how many it is shown twice."""

_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


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
        return await asyncio.to_thread(self._looked_at, file, content)

    def _looked_at(self, file: FileOfMessage, content: bytes) -> FileResult:
        kind = media_type(content)
        try:
            secret = self._inspect(file.file.name, kind, content)
        except Exception:  # it has not been judged, and must not pass
            return FileResult(file.id, FileState.WITHHELD, kind)
        if secret is not None:
            return FileResult(file.id, FileState.WITHHELD, kind, secret=secret.kind)
        return FileResult(file.id, FileState.KEPT, kind, content)


def inspect_file(guard: Guard, name: str, kind: str, content: bytes) -> Secret | None:
    """What the guard finds in the text of a file: all of it, a stretch at a time."""
    text = text_of(content) if kind in TEXTS else None
    for start in range(0, len(text or ""), STRETCH):
        found = guard.inspect((text or "")[start : start + STRETCH + OVERLAP])
        if found.secret is not None:
            return found.secret
    return guard.inspect(name).secret


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF-", 0, "application/pdf"),
)
"""What agents are shown or hear of most, by what these formats begin with (their own specifications)."""


def media_type(content: bytes) -> str:
    """The type of *content* by what it is, whatever its sender or its name claims."""
    for mark, at, kind in _SIGNATURES:
        if content.startswith(mark, at):
            return kind
    if content.startswith(b"PK\x03\x04"):
        return _packed(content)
    if text_of(content) is not None:
        return "text/plain"
    try:
        # Its signature names a generic type without its argument.
        found: str = puremagic.from_string(content[:65_536], mime=True)  # pyright: ignore[reportUnknownMemberType]
    except (puremagic.PureError, ValueError):
        return UNKNOWN_TYPE
    return found or UNKNOWN_TYPE


def _packed(content: bytes) -> str:
    """Office documents are archives that name their kind in an early entry (ECMA-376 part 2)."""
    head = content[:4_096]
    office = {
        b"word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        b"xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        b"ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    }
    if b"[Content_Types].xml" in head:
        return next((kind for entry, kind in office.items() if entry in content), "application/zip")
    return "application/zip"


def text_of(content: bytes) -> str | None:
    """*content* as text, where it reads as such: UTF-8 or GB 18030 without control characters, or marked UTF-16."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(content, "utf-16")
    if _CONTROLS.search(content):
        return None
    text = _decoded(content, "utf-8-sig")
    return text if text is not None else _decoded(content, "gb18030")


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None
