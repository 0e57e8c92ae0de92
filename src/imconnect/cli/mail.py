"""`mail parse`: what the desk reads in a mail, without storing or sending anything."""

import json
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from imconnect.cli.speech import Complaint, put, settings_of

GROUP = "imconnect.mail_readers"
"""Where packages that can read mail say so: a name, and a `Reader`."""

CHANNEL = "email"
AUTHSERV_ID = "IMCONNECT_EMAIL__TRUSTED_AUTHSERV_ID"


class FoundBounce(Protocol):
    """What a mail server says became of a mail of ours."""

    @property
    def message_id(self) -> str | None: ...
    @property
    def recipient(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def final(self) -> bool: ...


class FoundFile(Protocol):
    """A file of a mail; its size in bytes."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size(self) -> int: ...


class ReadMail(Protocol):
    """A mail as a reader gives it. With a `problem` it could not be read to its end."""

    @property
    def sender(self) -> str | None: ...
    @property
    def trusted(self) -> bool: ...
    @property
    def trust_reason(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def new_text(self) -> str: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def references(self) -> Sequence[str]: ...
    @property
    def automatic(self) -> str | None: ...
    @property
    def bounce(self) -> FoundBounce | None: ...
    @property
    def attachments(self) -> Sequence[FoundFile]: ...
    @property
    def remarks(self) -> Sequence[str]: ...
    @property
    def problem(self) -> str | None: ...


Reader = Callable[[bytes, str | None], ReadMail]
"""Reads the bytes of a mail, believing one authserv-id or none. Never raises."""

MOST_BYTES = 64 * 1024 * 1024
"""As much of a file as is read: no mail server takes a longer mail, and readers call it too large."""


def parse(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of .eml files.")],
    trusted_authserv_id: Annotated[
        str | None,
        typer.Option(
            envvar=AUTHSERV_ID, help="The server whose Authentication-Results are believed; none if not given."
        ),
    ] = None,
) -> None:
    """Show what is read in mails, one JSON line each."""
    read = _reader()
    pinned = trusted_authserv_id or _pinned(context)
    for path in _files(paths):
        try:
            with path.open("rb") as file:
                raw = file.read(MOST_BYTES)
        except OSError as error:
            put(json.dumps(_unread(path, f"cannot be read ({error.strerror})"), ensure_ascii=False))
            continue
        put(json.dumps(as_json(path, read(raw, pinned)), ensure_ascii=False))


def _reader() -> Reader:
    points = list(entry_points(group=GROUP))
    if not points:
        raise Complaint("no installed package reads mail: reinstall imconnect")
    try:
        reader: Reader = points[0].load()
    except (ImportError, AttributeError) as error:
        raise Complaint(f"{points[0].value} cannot be imported ({error}): reinstall its package") from None
    return reader


def _pinned(context: typer.Context) -> str | None:
    """The authserv-id that the settings name, where the mail channel is on."""
    section = settings_of(context).channels.get(CHANNEL)
    pinned: str | None = getattr(section, "trusted_authserv_id", None)
    return pinned


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.suffix.lower() == ".eml" and found.is_file())
        elif path.exists():
            yield path
        else:
            raise Complaint(f"{path}: there is no such file or folder; correct the path")


def _unread(path: Path, problem: str) -> dict[str, Any]:
    return {
        "file": str(path),
        "ok": False,
        **dict.fromkeys(("from", "message_id", "auto_kind", "bounce")),
        **dict.fromkeys(("from_trusted", "auto"), False),
        **dict.fromkeys(("trust_reason", "subject", "text", "new_text"), ""),
        **{name: list[str]() for name in ("references", "attachments", "remarks")},
        "problem": problem,
    }


def as_json(path: Path, mail: ReadMail) -> dict[str, Any]:
    """The shape outside programs rely on."""
    bounce = mail.bounce
    return {
        "file": str(path),
        "ok": mail.problem is None,
        "from": mail.sender,
        "from_trusted": mail.trusted,
        "trust_reason": mail.trust_reason,
        "subject": mail.subject,
        "text": mail.text,
        "new_text": mail.new_text,
        "message_id": mail.message_id,
        "references": list(mail.references),
        "auto": mail.automatic is not None,
        "auto_kind": mail.automatic,
        "bounce": {
            "message_id": bounce.message_id,
            "recipient": bounce.recipient,
            "status": bounce.status,
            "final": bounce.final,
        }
        if bounce is not None
        else None,
        "attachments": [{"name": one.name, "type": one.media_type, "bytes": one.size} for one in mail.attachments],
        "remarks": list(mail.remarks),
        "problem": mail.problem,
    }
