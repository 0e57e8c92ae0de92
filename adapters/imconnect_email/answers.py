"""What IMAP servers say, read: entries of a listing, a mail, folders, a quota (RFC 9051, RFC 3501). Pure."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

Lines = Sequence[bytes | bytearray]
"""Lines as `bytes`, literals as `bytearray`, in the order they came in."""

_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
_UIDNEXT = re.compile(rb"\[UIDNEXT (\d+)\]", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_RECEIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"', re.IGNORECASE)
_BODY = re.compile(rb"\bBODY\[\] \{(\d+)\}$", re.IGNORECASE)
_COPYUID = re.compile(rb"\[COPYUID \d+ [\d,:]+ ([\d,:]+)\]", re.IGNORECASE)
_QUOTA = re.compile(rb"\bSTORAGE (\d+) (\d+)", re.IGNORECASE)
_FOLDER = re.compile(rb'(?:LIST )?\(([^)]*)\) (?:"(?:\\.|[^"\\])*"|NIL) (.+)', re.IGNORECASE | re.DOTALL)
_LITERAL = re.compile(rb"\{\d+\}")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that was opened: its UIDVALIDITY, and the next UID if the server gives it."""

    validity: int
    next_uid: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail of a listing; `size` is in bytes."""

    uid: int
    size: int
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's name as people read it and as the server writes it, and attributes such as `\\trash` (RFC 6154)."""

    name: str
    wire_name: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Quota:
    """How full the mailbox is, in KiB."""

    used: int
    limit: int


def place_of(lines: Lines) -> Place | None:
    """What SELECT answered, or None where it gives no UIDVALIDITY."""
    validity = _number(_UIDVALIDITY, lines)
    return Place(validity, _number(_UIDNEXT, lines)) if validity is not None else None


def entries_of(lines: Lines, first: int) -> list[Entry]:
    """The mails of a listing from UID *first* on, in the order of UIDs.

    An open range has the last mail in it, whatever its UID (RFC 9051, section 9, seq-range).
    """
    found: dict[int, Entry] = {}
    for line in lines:
        if (uid := _UID.search(line)) and (size := _SIZE.search(line)) and int(uid[1]) >= first:
            found[int(uid[1])] = Entry(int(uid[1]), int(size[1]), _received(_RECEIVED.search(line)))
    return [found[uid] for uid in sorted(found)]


def body_of(lines: Lines) -> bytes | None:
    """The mail that was fetched; None if there is none. Raises `ValueError` if it did not come whole."""
    for line, literal in pairwise(lines):
        if isinstance(line, bytearray) or b"BODY[]" not in line.upper():
            continue
        announced = _BODY.search(line)
        if announced is None or not isinstance(literal, bytearray) or len(literal) != int(announced[1]):
            raise ValueError("not whole")
        return bytes(literal)
    return None


def moved_to(lines: Lines) -> str | None:
    """The UIDs that moved mails have now (RFC 4315), as a set for the next command."""
    return next((found[1].decode("ascii") for line in lines if (found := _COPYUID.search(line))), None)


def quota_of(lines: Lines) -> Quota | None:
    """What GETQUOTAROOT tells of storage (RFC 9208)."""
    found = next((found for line in lines if (found := _QUOTA.search(line))), None)
    return Quota(int(found[1]), int(found[2])) if found else None


def folders_of(lines: Lines) -> Iterator[Folder]:
    """What LIST answered."""
    for line, after in pairwise([*lines, b""]):
        parts = _FOLDER.fullmatch(line) if not isinstance(line, bytearray) else None
        if parts is None:
            continue
        name = bytes(after) if _LITERAL.fullmatch(parts[2]) else parts[2]
        if name.startswith(b'"') and name.endswith(b'"'):
            name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
        wire_name = name.decode("utf-8", "replace")
        attributes = frozenset(parts[1].decode("ascii", "replace").lower().split())
        yield Folder(from_modified_utf7(wire_name), wire_name, attributes)


def quoted(text: str) -> str:
    """A quoted string (RFC 9051, section 4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def modified_utf7(name: str) -> str:
    """How a folder's name is written on the wire (RFC 3501, section 5.1.3)."""

    def encoded(found: "re.Match[str]") -> str:
        letters = b64encode(found[0].encode("utf-16-be")).rstrip(b"=").replace(b"/", b",").decode("ascii")
        return f"&{letters}-"

    return re.sub(r"[^\x20-\x7e]+", encoded, name.replace("&", "&-"))


def from_modified_utf7(name: str) -> str:
    """A folder's name as people read it; as it is, where it is not written so."""

    def decoded(found: "re.Match[str]") -> str:
        letters = found[1]
        return "&" if not letters else f"+{letters.replace(',', '/')}-".encode("ascii").decode("utf-7")

    try:
        return re.sub(r"&([A-Za-z0-9+,]*)-", decoded, name)
    except (UnicodeDecodeError, UnicodeEncodeError):
        return name


def _number(pattern: "re.Pattern[bytes]", lines: Lines) -> int | None:
    return next((int(found[1]) for line in lines if (found := pattern.search(line))), None)


def _received(found: "re.Match[bytes] | None") -> datetime | None:
    try:
        return datetime.strptime(found[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z") if found else None
    except ValueError:
        return None
