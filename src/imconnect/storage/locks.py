"""One desk on one SQLite file."""

import fcntl
import os
from pathlib import Path
from typing import Self

from imconnect.ports import StoreUnavailable


class FileLock:
    """A lock beside the database that the system gives back when its process is gone, however it went."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, database: Path) -> Self:
        """Raises `StoreUnavailable` when another desk runs on *database*."""
        beside = database.with_name(database.name + ".lock")
        try:
            descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"database {database}: cannot lock it: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreUnavailable(
                f"database {database}: another desk (process {holder}) runs on it; stop that one, or name another "
                "file with database.url"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        os.close(self._descriptor)
