"""Arrays kept in a file, to be mapped into memory: read when they are touched, and shared by all who map them."""

import json
import os
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Self

CHECKED = 8  # hexadecimal digits of the CRC-32 of all that follows, then a line end
ALIGNED = 64  # bytes: an array begins where a line of the processor's cache does
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """An open file of arrays. It stays readable when the file is replaced or deleted meanwhile."""

    facts: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]
    views: Mapping[str, memoryview]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map what `keep` wrote. Raises `OSError` where there is none, `ValueError` where it is spoilt.

        Every byte is read once to be sure of it, but none stays in this process.
        """
        with path.open("rb") as file:
            stated = file.read(CHECKED + 1)
            found = 0
            while chunk := file.read(CHUNK):
                found = zlib.crc32(chunk, found)
            if stated != b"%08x\n" % found:
                raise ValueError(f"{path.name} is not what was written")
            file.seek(len(stated))
            line = file.readline()
            whole = memoryview(mmap(file.fileno(), 0, access=ACCESS_READ))
        head = json.loads(line)
        if head["order"] != sys.byteorder:
            raise ValueError(f"{path.name} was written on another kind of processor")
        views: dict[str, memoryview] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        at = CHECKED + 1 + len(line)
        for name, kind, shape, size in head["arrays"]:
            at = _aligned(at)
            views[name] = whole[at : at + size].cast(kind) if size else whole[at:at]  # nothing is of any kind
            shapes[name] = tuple(shape)
            at += size
        return cls(head["facts"], shapes, views)


def keep(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, memoryview]) -> None:
    """Write *arrays* (contiguous) and *facts* (for JSON) to *path*, whole or not at all. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    told = [[name, view.format, view.shape, view.nbytes] for name, view in arrays.items()]
    line = json.dumps({"order": sys.byteorder, "facts": facts, "arrays": told}).encode() + b"\n"
    try:
        with draft.open("wb") as file:
            file.write(b"0" * CHECKED + b"\n" + line)
            found, at = zlib.crc32(line), CHECKED + 1 + len(line)
            for view in arrays.values():
                for part in (bytes(_aligned(at) - at), view):
                    file.write(part)
                    found = zlib.crc32(part, found)
                at = _aligned(at) + view.nbytes
            file.seek(0)
            file.write(b"%08x" % found)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _aligned(at: int) -> int:
    return -(-at // ALIGNED) * ALIGNED
