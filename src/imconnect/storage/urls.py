"""Which database: `sqlite:///PATH` or `postgresql://…`, and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A database by its URL. Never shows a password."""

    url: URL

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError` with one line that says what a URL must look like."""
        try:
            url = make_url(text)
        except ArgumentError:
            url = None
        if url is None or url.drivername not in ("sqlite", "postgresql", "postgres"):
            raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME")
        if url.drivername == "sqlite" and not url.database:
            raise ValueError("sqlite needs a file: sqlite:///imconnect.db")
        return cls(url)

    @property
    def sqlite(self) -> bool:
        return self.url.drivername == "sqlite"

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.database or "")

    @property
    def driver_url(self) -> URL:
        return self.url if self.sqlite else self.url.set(drivername="postgresql+asyncpg")

    def __str__(self) -> str:
        return self.url.render_as_string(hide_password=True)
