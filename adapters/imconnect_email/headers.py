"""Header fields, one by one, from raw bytes (RFC 5322, 2047, 2231). Nothing here raises, whatever was written."""

import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from imconnect_email.charsets import decode, detect
from imconnect_email.mail import Field, Mailbox

MESSAGE_ID_LIMIT = 250
"""The longest Message-ID that is taken for one, in characters. RFC 5322 has lines end at 998, real ones at 200."""

_EARLY_PADDINGS = 1_000
"""How often base64 may begin anew after its padding; beyond, padding is noise."""

_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]?")
_WORD = re.compile(rb"=\?([^?\s]{0,60})\?([bBqQ])\?([^?]{0,4000})\?=")
_ENCODED = re.compile(r"=\?[^?\s]{0,60}\?[bBqQ]\?[^?\s]{0,4000}\?=")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MESSAGE_ID = re.compile(r"<[^\s<>@]{1,200}@[^\s<>]{1,200}>")
_BARE_ID = re.compile(r"^\s*([^\s<>@]{1,200}@[^\s<>@]{1,200})\s*$")
_ADDRESS = re.compile(r"(?:[^\s<>()\[\]\\,;:@\"]{1,64}|\"[^\"\\\r\n]{1,62}\")@(\w(?:[\w.-]{0,250}\w)?)")
_COMMENTED = re.compile(r"\([^()]*\)|(?<=[.@])\s+|\s+(?=[.@])")
_SURROGATES = re.compile("[\ud800-\udfff]")


def fields_of(block: bytes) -> Iterator[Field]:
    """The fields of a header block, unfolded. Lines that are no field are passed over."""
    name, value = "", bytearray()
    for line in block.split(b"\n"):
        line = line.rstrip(b"\r")  # noqa: PLW2901 - the line's end is no part of it
        if line[:1] in {b" ", b"\t"}:
            value += b" " + line.strip()
            continue
        if name:
            yield Field(name, bytes(value))
            name = ""
        found = _FIELD.match(line)
        if found:
            name, value = found[1].decode("ascii").lower(), bytearray(line[found.end() :].strip())
    if name:
        yield Field(name, bytes(value))


def all_of(fields: Iterable[Field], *names: str) -> list[bytes]:
    """The values of these fields, in order."""
    return [one.raw for one in fields if one.name in names]


def first_of(fields: Iterable[Field], name: str) -> bytes:
    """The first field of that name, empty if there is none."""
    return next((one.raw for one in fields if one.name == name), b"")


# --------------------------------------------------------------------------------------------------------------- words


def one_line(text: str) -> str:
    """*text* without line ends, control characters and halves of characters: safe in any header, log or list."""
    return " ".join(_SURROGATES.sub("\ufffd", _CONTROLS.sub(" ", text)).split())


def words(raw: bytes, hint: str = "") -> str:
    """The text of a field: encoded words (RFC 2047) and raw 8-bit in whatever charset, as one clean line."""
    pieces: list[str] = []
    pending, charset = b"", ""
    at = 0
    for found in _WORD.finditer(raw):
        between = raw[at : found.start()]
        named = found[1].decode("ascii", "replace").partition("*")[0]
        adjacent = bool(pending) and not between.strip()
        if not adjacent or named.lower() != charset.lower():  # one character may be cut across two words of a charset
            pieces.append(decode(pending, charset, hint))
            pending = b""
        if not adjacent:
            pieces.append(detect(between, hint))
        pending += _word_bytes(found[2], found[3])
        charset = named
        at = found.end()
    pieces += [decode(pending, charset, hint), detect(raw[at:], hint)]
    return one_line("".join(pieces))


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    return from_base64(text) if encoding in b"bB" else binascii.a2b_qp(text, header=True)


def from_base64(data: bytes | memoryview) -> bytes:
    """Base64 as it comes: stray letters, missing or early padding."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        pass
    decoded = bytearray()
    for run in bytes(data).split(b"=", _EARLY_PADDINGS):
        letters = re.sub(rb"[^A-Za-z0-9+/]+", b"", run)
        usable = letters[:-1] if len(letters) % 4 == 1 else letters
        decoded += binascii.a2b_base64(usable + b"=" * (-len(usable) % 4))
    return bytes(decoded)


# ----------------------------------------------------------------------------------------------------------- addresses


@dataclass(frozen=True, slots=True)
class Written:
    """A mailbox as somebody wrote it. `clear`: it can be read in one way only."""

    mailbox: Mailbox
    clear: bool


def address_of(text: str) -> str | None:
    """*text* as an address in lower case, or None if it is none."""
    plain = unicodedata.normalize("NFC", text.strip().strip("\u200b\ufeff"))
    found = _ADDRESS.fullmatch(plain)
    if found is None or len(plain) > 254 or ".." in found[1]:
        return None
    return plain.lower()


def mailboxes(raw: bytes, hint: str = "") -> list[Written]:
    """The mailboxes of an address field, in order. Names are names: no address is ever taken from within one."""
    text = _CONTROLS.sub(" ", detect(raw, hint))[:20_000]
    found: list[Written] = []
    for entry, clear in _entries(text):
        angles = [part for part, kind in entry if kind == "<"]
        bare = "".join(part for part, kind in entry if kind == " ").strip()
        if angles:
            plain = _COMMENTED.sub("", angles[-1])
            address, name = address_of(plain), "".join(part for part, kind in entry if kind != "<").strip()
            clear = clear and len(angles) == 1 and plain == angles[-1] and not _after_angle(entry)  # noqa: PLW2901 - as read
        else:
            quoted = "".join(f'"{part}"' if kind == '"' else part for part, kind in entry)
            address, name = address_of(quoted.strip()) or address_of(bare), ""
            if address is None:
                address, name, clear = _among_words(bare)  # noqa: PLW2901 - as read
        if address is not None:
            found.append(Written(Mailbox(address, words(name.encode("utf-8", "replace"), hint)), clear))
    return found


def _among_words(text: str) -> tuple[str | None, str, bool]:
    """The one address among the words of somebody who left the angle brackets out: readable, but never clear."""
    words_there = text.split()
    addresses = [one for one in words_there if address_of(one) is not None]
    if len(addresses) != 1:
        return None, "", False
    return address_of(addresses[0]), " ".join(one for one in words_there if one != addresses[0]), False


_Entry = list[tuple[str, str]]


def _after_angle(entry: _Entry) -> bool:
    last = max(at for at, (_, kind) in enumerate(entry) if kind == "<")
    return any(part.strip() for part, _ in entry[last + 1 :])


def _entries(text: str) -> list[tuple[_Entry, bool]]:
    """An address list in entries of pieces, each plain (`" "`), quoted (`'"'`) or in angles (`"<"`)."""
    entries: list[tuple[_Entry, bool]] = []
    entry: _Entry = []
    clear = True
    for piece, kind, whole in _pieces(text):
        if kind in ",:":
            if kind == ",":
                entries.append((entry, clear))
            entry, clear = [], True  # what stands before a colon is a group's name (RFC 5322, 3.4)
        else:
            entry.append((piece, kind))
            clear = clear and whole
    entries.append((entry, clear))
    return [(entry, clear) for entry, clear in entries if entry]


def _pieces(text: str) -> Iterator[tuple[str, str, bool]]:
    """The pieces of an address list; the last of each tells whether its closing sign is there."""
    at, plain = 0, ""
    while at < len(text):
        sign = text[at]
        if sign == "=" and (word := _ENCODED.match(text, at)):
            plain += word[0]  # whatever signs stand in it
            at = word.end()
            continue
        if sign not in '"<(,;:':
            plain += sign
            at += 1
            continue
        if plain:
            yield plain, " ", True
            plain = ""
        if sign in ",;":
            yield "", ",", True
            at += 1
        elif sign == ":":
            yield "", ":", True
            at += 1
        else:
            content, at, whole = _enclosed(text, at)
            if sign != "(":
                yield content, sign, whole
    if plain:
        yield plain, " ", True


def _enclosed(text: str, start: int) -> tuple[str, int, bool]:
    """What stands between the sign at *start* and its counterpart, where that ends, and whether it does."""
    sign = text[start]
    close = {'"': '"', "<": ">", "(": ")"}[sign]
    content: list[str] = []
    depth, at = 1, start + 1
    while at < len(text):
        letter = text[at]
        if letter == "\\" and sign != "<" and at + 1 < len(text):
            content.append(text[at + 1])
            at += 2
            continue
        if letter == close:
            depth -= 1
            if depth == 0:
                return "".join(content), at + 1, True
        elif sign == "(" and letter == "(":
            depth += 1
        content.append(letter)
        at += 1
    return "".join(content), at, False


# ------------------------------------------------------------------------------------------------------ ids and dates


def message_ids(raw: bytes) -> tuple[str, ...]:
    """The msg-ids of a field, each once, in order, in angle brackets. What is no msg-id is passed over."""
    text = detect(raw)[:100_000]
    found = _MESSAGE_ID.findall(text) or [f"<{one}>" for one in _BARE_ID.findall(text)]
    return tuple(dict.fromkeys(one for one in found if len(one) <= MESSAGE_ID_LIMIT))


def date_of(raw: bytes) -> datetime | None:
    """When the mail says it was written, in UTC."""
    try:
        said = parsedate_to_datetime(one_line(detect(raw))[:200])
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def plausible(date: datetime | None, now: datetime) -> datetime:
    """*date* where it can be true, else *now*: dates are typed by whoever sends."""
    return date if date is not None and timedelta(0) <= now - date <= timedelta(days=30) else now


# ---------------------------------------------------------------------------------------------------------- parameters


def parameters(raw: bytes, hint: str = "") -> tuple[str, dict[str, str]]:
    """The value of a Content-Type or Content-Disposition, in lower case, and its parameters (RFC 2045, 2231)."""
    value, *rest = _semicolons(raw)
    plain: dict[str, str] = {}
    numbered: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for item in rest[:100]:
        name, _, content = item.partition(b"=")
        key = name.decode("ascii", "replace").strip().lower()
        content = _unquoted(content.strip())
        found = re.fullmatch(r"([^*]+)(?:\*(\d{1,3}))?(\*)?", key)
        if found is None:
            continue
        if found[2] is None and found[3] is None:
            plain.setdefault(key, words(content, hint))
        else:
            numbered.setdefault(found[1], {})[int(found[2] or 0)] = (content, found[3] is not None)
    for key, sections in numbered.items():
        plain[key] = _joined_sections(sections, hint)
    return one_line(detect(value)).lower(), plain


def _joined_sections(sections: dict[int, tuple[bytes, bool]], hint: str) -> str:
    charset, joined = "", b""
    for number in sorted(sections):
        content, extended = sections[number]
        if extended:
            if number == 0 and content.count(b"'") >= 2:
                said, _, content = content.split(b"'", 2)
                charset = said.decode("ascii", "replace")
            content = unquote_to_bytes(content)
        joined += content
    return one_line(decode(joined, charset, hint)) if charset else words(joined, hint)


def _semicolons(raw: bytes) -> Sequence[bytes]:
    """*raw* parted at semicolons outside quotes."""
    parts: list[bytes] = []
    start, quoted = 0, False
    for found in re.finditer(rb'\\.|["; ]', raw):
        if found[0] == b'"':
            quoted = not quoted
        elif found[0] == b";" and not quoted:
            parts.append(raw[start : found.start()])
            start = found.end()
    return [*parts, raw[start:]]


def _unquoted(value: bytes) -> bytes:
    if value[:1] == b'"':
        inner = re.match(rb'"((?:[^"\\]|\\.)*)', value, re.DOTALL)
        return re.sub(rb"\\(.)", rb"\1", inner[1]) if inner else value
    return value
