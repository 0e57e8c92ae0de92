"""The parts of a mail (RFC 2045, 2046) as places in its bytes: nothing is copied, nested calls are bounded."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from imconnect_email.headers import fields_of, first_of, from_base64, parameters
from imconnect_email.mail import Field, Limits

_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r?\n\Z")
_WORDS = re.compile(rb"\s*[A-Za-z]{1,30}(?: [A-Za-z]{1,30}){3}")
"""How text begins that only says it is base 64: in that no line has spaces."""

_FALSE_DELIMITERS = 10_000
"""How many lines may begin like a boundary and be none before a mail is given up."""


class TooMuch(Exception):
    """A limit is passed; the line says which."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part: its header fields, what it says it is, and where in the mail its content lies."""

    fields: tuple[Field, ...]
    media_type: str
    params: dict[str, str]
    disposition: str
    filename: str
    content: tuple[int, int]
    children: tuple["Part", ...] = ()

    def walk(self) -> Iterator["Part"]:
        """This part and all within it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def head_end(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the header block that begins at *start* ends, and where the content begins."""
    if raw.startswith((b"\n", b"\r\n"), start):
        return start, min(end, start + (1 if raw.startswith(b"\n", start) else 2))
    found = _BLANK_LINE.search(raw, start, end)
    return (found.start(), found.end()) if found else (end, end)


def parts_of(raw: bytes, fields: tuple[Field, ...], content: tuple[int, int], limits: Limits) -> Part:
    """The tree of parts. Raises `TooMuch`."""
    budget = _Budget(limits)
    return _part(raw, fields, content, "text/plain", 0, budget)


class _Budget:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.parts = 0
        self.false_delimiters = 0

    def take_part(self, depth: int) -> None:
        self.parts += 1
        if self.parts > self.limits.parts:
            raise TooMuch(f"more than {self.limits.parts} parts")
        if depth > self.limits.depth:
            raise TooMuch(f"parts nested more than {self.limits.depth} deep")

    def take_false_delimiter(self) -> None:
        self.false_delimiters += 1
        if self.false_delimiters > _FALSE_DELIMITERS:
            raise TooMuch("more than can be told apart of what looks like parts")


def _part(
    raw: bytes, fields: tuple[Field, ...], content: tuple[int, int], unsaid: str, depth: int, budget: _Budget
) -> Part:
    budget.take_part(depth)
    media_type, params = parameters(first_of(fields, "content-type"))
    if not re.fullmatch(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", media_type):
        media_type = unsaid
    disposition, disposed = parameters(first_of(fields, "content-disposition"))
    filename = disposed.get("filename") or params.get("name") or ""
    children: tuple[Part, ...] = ()
    if media_type.startswith("multipart/"):
        inner = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
        children = tuple(
            _child(raw, start, end, inner, depth + 1, budget)
            for start, end in _between(raw, content, params.get("boundary", ""), budget)
        )
        if not children:
            media_type = "text/plain"
    return Part(fields, media_type, params, disposition, filename, content, children)


def _child(raw: bytes, start: int, end: int, unsaid: str, depth: int, budget: _Budget) -> Part:
    stop, begin = head_end(raw, start, end)
    if stop - start > budget.limits.header_bytes:
        raise TooMuch(f"a part's header of more than {budget.limits.header_bytes} bytes")
    fields = tuple(fields_of(raw[start:stop]))
    if not fields and stop > start:
        begin = start  # the blank line before the content is missing, and so is the header
    return _part(raw, fields, (begin, end), unsaid, depth, budget)


def _between(raw: bytes, content: tuple[int, int], boundary: str, budget: _Budget) -> list[tuple[int, int]]:
    """What stands between the lines of *boundary*; to the end where the closing line is missing."""
    start, end = content
    mark = boundary.encode("utf-8", "surrogateescape").rstrip() or _first_delimiter(raw, start, end)
    if not mark:
        return []
    found: list[tuple[int, int]] = []
    begun: int | None = None
    for line_start, line_end, closing in _delimiters(raw, start, end, b"--" + mark, budget):
        if begun is not None:
            found.append((begun, max(begun, _before_line_end(raw, line_start))))
            if len(found) > budget.limits.parts:
                raise TooMuch(f"more than {budget.limits.parts} parts")
        begun = None if closing else line_end
        if closing:
            return found
    return found if begun is None else [*found, (begun, end)]


def _delimiters(raw: bytes, start: int, end: int, mark: bytes, budget: _Budget) -> Iterator[tuple[int, int, bool]]:
    """Each line that is *mark*: where it begins, where the next one begins, and whether it is the closing one."""
    at = start
    while (hit := raw.find(mark, at, end)) >= 0:
        at = hit + len(mark)
        newline = raw.find(b"\n", at, min(end, at + 200))
        stop = newline if newline >= 0 else min(end, at + 200)
        rest = raw[at:stop].strip()
        if (hit == start or raw[hit - 1 : hit] == b"\n") and rest in {b"", b"--"}:
            at = stop + 1 if newline >= 0 else end
            yield hit, at, rest == b"--"
        else:
            budget.take_false_delimiter()


def _before_line_end(raw: bytes, at: int) -> int:
    """The line end before a delimiter belongs to the delimiter."""
    if raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1 if raw[at - 1 : at] == b"\n" else at


def _first_delimiter(raw: bytes, start: int, end: int) -> bytes:
    """The boundary of a multipart that does not say it: that of the first line that looks like one."""
    found = re.compile(rb"(?m)^--([^\s-]\S{0,70})[ \t]*\r?$").search(raw, start, min(end, start + 10_000))
    return found[1] if found else b""


# ------------------------------------------------------------------------------------------------------------- content


def content_of(raw: bytes, part: Part) -> bytes:
    """The part's content, decoded by its Content-Transfer-Encoding. An unknown one is taken for none."""
    start, end = part.content
    encoding = first_of(part.fields, "content-transfer-encoding").decode("ascii", "replace").strip(" ;\"'").lower()
    view = memoryview(raw)[start:end]
    if encoding == "base64" and not _WORDS.match(raw, start, end):
        return from_base64(view)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(view)
    if encoding in {"x-uuencode", "uuencode", "x-uue"}:
        return _from_uuencode(bytes(view))
    return bytes(view)


def _from_uuencode(data: bytes) -> bytes:
    decoded = bytearray()
    begun = False
    for line in data.splitlines():
        if not begun:
            begun = line.startswith(b"begin ")
        elif line.strip() in {b"end", b"`", b""}:
            break
        else:
            try:
                decoded += binascii.a2b_uu(line)
            except binascii.Error:
                length = (((line[0] - 32) & 63) * 4 + 5) // 3  # some encoders write too many letters a line
                try:
                    decoded += binascii.a2b_uu(line[:length])
                except binascii.Error:
                    break
    return bytes(decoded) if begun else data
