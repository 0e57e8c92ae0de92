"""The support mailbox: what is new in a folder, in order, and nothing twice by its own cursor.

Flags play no part: a mail that was read elsewhere is as new to the desk as any other. Only `purge` changes a mailbox.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version

from imconnect.ports import TryLater, Undeliverable
from imconnect_email.answers import (
    Entry,
    Folder,
    Place,
    Quota,
    body_of,
    entries_of,
    folders_of,
    modified_utf7,
    moved_to,
    place_of,
    quota_of,
    quoted,
)
from imconnect_email.settings import EmailSettings
from imconnect_email.tokens import Tokens
from imconnect_email.wire import SETTINGS_PAUSE, Patience, Wire

LARGEST_BATCH, HEAVIEST_BATCH = 50, 4 * 1024 * 1024
"""Mails, and bytes of them, that are handed over at once; a single mail may be heavier."""

LISTED_AT_ONCE, WIDEST_SPAN = 1000, 100_000
"""UIDs asked about in one command while there is much to catch up with, and where most of them are of no mail."""

MOST_TRIES = 10
"""How often one mail is fetched in vain before it is told of as unreadable and the others are fetched."""

PURGED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a folder was read: all up to *uid* is stored, while the folder's UIDVALIDITY is *validity*."""

    folder: str
    validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as it lies on the server. Where it could not be had whole, `raw` is empty and `problem` says why.

    `size` is in bytes, as the server gave it; `received_at` is when the server got it.
    """

    folder: str
    validity: int
    uid: int
    size: int
    received_at: datetime | None
    raw: bytes = field(repr=False, default=b"")
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """New mails in order, and the cursor to keep once they are stored; without mails, only the cursor has changed.

    `rescan`: the folder's UIDs began anew, so that these mails may be known already, under other UIDs.
    """

    letters: tuple[Letter, ...]
    cursor: Cursor
    rescan: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What a mailbox is like, for `imconnect doctor`."""

    idles: bool
    purges: bool
    folders: tuple[str, ...]
    missing: tuple[str, ...]
    quota: Quota | None


class Mailbox:
    """A mailbox and how to get into it. Each `follow`, `purge` and `look` has a connection of its own."""

    def __init__(self, settings: EmailSettings, tokens: Tokens | None, patience: Patience | None = None) -> None:
        """*tokens* are needed where `email.auth` is `xoauth2`."""
        self._settings = settings
        self._tokens = tokens
        self._patience = patience or Patience(
            silence=settings.answer_seconds, answer=max(90.0, 2 * settings.answer_seconds)
        )
        self._context = settings.imap.context()
        self._tries: dict[tuple[str, int, int], int] = {}

    # ---------------------------------------------------------------------------------------------------- following

    async def follow(self, folder: str, cursor: Cursor | None) -> AsyncGenerator[Batch]:
        """What lies after *cursor* (all, if there is none), then what comes, until the generator is closed.

        Asking for the next batch means that the last one is stored. Raises `TryLater` when the connection is lost,
        refused or silent: follow again from the last cursor that was kept.
        """
        async with self._entered() as wire:
            known = cursor
            while True:
                place = await _selected(wire, folder)
                anew = known is None or known.validity != place.validity
                rescan = anew and known is not None
                if known is None or anew:
                    known = Cursor(folder, place.validity, 0)
                    yield Batch((), known, rescan)
                while True:
                    async with aclosing(self._news(wire, known, place)) as news:
                        async for letters in news:
                            known = Cursor(folder, place.validity, letters[-1].uid)
                            yield Batch(tuple(letters), known, rescan)
                    rescan = False
                    if not await self._told(wire):
                        break  # quiet for long: select anew, which shows what a server forgot to tell

    async def end_of(self, folder: str) -> Cursor:
        """The cursor after all that lies in *folder* now. Raises `TryLater`."""
        async with self._entered() as wire:
            place = await _selected(wire, folder)
            if place.next_uid is not None:
                return Cursor(folder, place.validity, place.next_uid - 1)
            entries = await _span(wire, 1, None)
            return Cursor(folder, place.validity, max((entry.uid for entry in entries), default=0))

    async def _told(self, wire: Wire) -> bool:
        """Wait for the server to tell of new mail, or for the time to look by ourselves: whether it told."""
        if wire.news:
            return True  # told while something else was asked: it will not be told again
        if "IDLE" in wire.capabilities and (told := await wire.idle(self._settings.idle_seconds)) is not None:
            return told
        await wire.wait(self._settings.poll_seconds)
        return False

    async def _news(self, wire: Wire, cursor: Cursor, place: Place) -> AsyncGenerator[list[Letter]]:
        letters: list[Letter] = []
        weight = 0
        wire.heed()
        async for entries in _listed(wire, cursor.uid + 1, place.next_uid):
            for entry in entries:
                letter = await self._letter(wire, cursor, entry)
                if letter is None:
                    continue
                letters.append(letter)
                weight += len(letter.raw)
                if len(letters) >= LARGEST_BATCH or weight >= HEAVIEST_BATCH:
                    yield letters
                    letters, weight = [], 0
        if letters:
            yield letters

    async def _letter(self, wire: Wire, cursor: Cursor, entry: Entry) -> Letter | None:
        """The mail of that entry; None if it is gone by now. Raises `TryLater` where it may come the next time."""
        place = (cursor.folder, cursor.validity, entry.uid)
        told = (*place, entry.size, entry.received_at)
        if entry.size > self._settings.largest_mail:
            return Letter(*told, problem="larger than email.largest_mail")
        tries = self._tries.get(place, 0)
        if tries >= MOST_TRIES:
            self._tries.pop(place, None)
            return Letter(*told, problem=f"the mail server failed {MOST_TRIES} times to give it")
        self._tries[place] = tries + 1
        answer = await wire.fetch(entry.uid, "(UID BODY.PEEK[])", self._settings.largest_mail)
        if not answer.ok:
            raise TryLater(f"the mail server does not give mail {entry.uid} of {cursor.folder}: {answer.code or 'NO'}")
        self._tries.pop(place, None)
        try:
            raw = body_of(answer.lines)
        except ValueError:
            return Letter(*told, problem="the mail server gave it without its content")
        return None if raw is None else Letter(*told, raw=raw)

    async def bring(self, folder: str, validity: int, uid: int) -> bytes | None:
        """The mail of that UID; None if it is gone, or the folder's UIDs began anew. Raises `TryLater`."""
        async with self._entered() as wire:
            place = await _selected(wire, folder)
            if place.validity != validity:
                return None
            answer = await wire.fetch(uid, "(UID BODY.PEEK[])", self._settings.largest_mail)
            if not answer.ok:
                raise TryLater(f"the mail server does not give mail {uid} of {folder}: {answer.code or 'NO'}")
            try:
                return body_of(answer.lines)
            except ValueError:
                raise TryLater("the mail server gave a mail without its content") from None

    # ------------------------------------------------------------------------------------------------------ purging

    async def purge(self, folder: str, validity: int, uids: Sequence[int]) -> None:
        """Remove those mails from the server, and no other.

        Where it cannot remove single mails at once (RFC 4315), they go to its trash. Raises `TryLater`, or
        `Undeliverable` where it can do neither or the UIDs are those of another time.
        """
        async with self._entered() as wire:
            place = await _selected(wire, folder)
            if place.validity != validity:
                raise Undeliverable("the folder's UIDs have changed: remove the mail by hand")
            for start in range(0, len(uids), PURGED_AT_ONCE):
                await self._purge(wire, folder, ",".join(str(uid) for uid in uids[start : start + PURGED_AT_ONCE]))

    async def _purge(self, wire: Wire, folder: str, uids: str) -> None:
        labels = "X-GM-EXT-1" in wire.capabilities
        if not labels and "UIDPLUS" in wire.capabilities:
            await _expunge(wire, uids)
            return
        # Where folders are labels, a mail that is expunged from one stays in the others: only from the trash it is gone
        # (developers.google.com/gmail/imap/imap-extensions).
        if "MOVE" not in wire.capabilities:
            raise Undeliverable("the mail server can neither remove single mails nor move them: remove it by hand")
        trash = await self._trash(wire)
        moved = await wire.ask("MOVE", uids, quoted(trash.wire_name), uid=True)
        if not moved.ok:
            raise TryLater(f"the mail server does not move mail to its trash: {moved.code or 'NO'}")
        there = moved_to(moved.lines)
        if labels and there is not None:
            await _selected(wire, trash.name)
            await _expunge(wire, there)
            await _selected(wire, folder)

    async def _trash(self, wire: Wire) -> Folder:
        folders = await _folders(wire)
        named = next((one for one in folders if one.name == self._settings.trash), None)
        found = named or next((one for one in folders if r"\trash" in one.attributes), None)
        if found is None:
            raise Undeliverable("the mail server names no trash: set email.trash")
        return found

    # ------------------------------------------------------------------------------------------------------ looking

    async def look(self) -> Look:
        """What the mailbox is like. Raises `TryLater` where nobody gets in."""
        async with self._entered() as wire:
            able = wire.capabilities
            names = tuple(folder.name for folder in await _folders(wire))
            known = {_folded(name) for name in names} | {"INBOX"}
            missing = tuple(name for name in self._settings.folders if _folded(name) not in known)
            quota = await _quota(wire) if "QUOTA" in able else None
            return Look("IDLE" in able, "UIDPLUS" in able or "MOVE" in able, names, missing, quota)

    # -------------------------------------------------------------------------------------------------- getting in

    @asynccontextmanager
    async def _entered(self) -> AsyncGenerator[Wire]:
        chosen = self._settings.imap
        wire = await Wire.open(chosen.at, self._context, self._patience, starttls=chosen.tls == "starttls")
        try:
            await self._log_in(wire)
            if "ID" in wire.capabilities:
                # 163 and 126 let nobody select a folder who has not said who they are (RFC 2971).
                await wire.ask("ID", f'("name" "imconnect" "version" {quoted(version("imconnect"))})')
            yield wire
        finally:
            await wire.close()

    async def _log_in(self, wire: Wire) -> None:
        chosen = self._settings.imap
        if self._tokens is not None:
            answer = await wire.xoauth2(chosen.user, await self._tokens.token())
        elif "LOGINDISABLED" in wire.capabilities:
            raise TryLater("the mail server wants no password without TLS: correct email.imap.tls", SETTINGS_PAUSE)
        else:
            answer = await wire.login(chosen.user, chosen.password.get_secret_value() if chosen.password else "")
        if answer.ok:
            return
        if answer.code == "UNAVAILABLE":
            raise TryLater(f"the mail server cannot let us in now: {answer.says}")
        if self._tokens is not None:
            self._tokens.refused()
            raise TryLater(f"the mail server refuses the access token: {answer.says}", SETTINGS_PAUSE / 4)
        raise TryLater(
            f"the mail server refuses the login: correct email.imap.user and password; it says: {answer.says}",
            SETTINGS_PAUSE,
        )


async def _selected(wire: Wire, folder: str) -> Place:
    answer = await wire.select(quoted(modified_utf7(folder)))
    if not answer.ok:
        raise TryLater(f"the mail server does not open the folder {folder}: {answer.says}", SETTINGS_PAUSE)
    place = place_of(answer.lines)
    if place is None:
        raise TryLater(f"the mail server gives the folder {folder} no UIDVALIDITY", SETTINGS_PAUSE)
    return place


async def _listed(wire: Wire, first: int, next_uid: int | None) -> AsyncGenerator[list[Entry]]:
    """What lies there from UID *first* on, in the order of UIDs, a span of UIDs at a time.

    UIDs may lie far apart: where a span is empty, the next is wider. The last one is open, for what came since.
    """
    width = LISTED_AT_ONCE
    while next_uid is not None and first + width < next_uid:
        entries = await _span(wire, first, first + width - 1)
        yield entries
        first += width
        width = LISTED_AT_ONCE if entries else min(2 * width, WIDEST_SPAN)
    yield await _span(wire, first, None)


async def _span(wire: Wire, first: int, last: int | None) -> list[Entry]:
    """A listing without SEARCH: some servers refuse its charset."""
    span = f"{first}:{'*' if last is None else last}"
    answer = await wire.ask("FETCH", span, "(UID RFC822.SIZE INTERNALDATE)", uid=True)
    if not answer.ok:
        raise TryLater(f"the mail server does not list its mail: {answer.code or 'NO'}")
    return entries_of(answer.lines, first)


async def _expunge(wire: Wire, uids: str) -> None:
    marked = await wire.ask("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)", told_as="FETCH", uid=True)
    gone = await wire.ask("EXPUNGE", uids, uid=True) if marked.ok else marked
    if not gone.ok:
        raise TryLater(f"the mail server does not remove mail: {gone.code or 'NO'}")


async def _quota(wire: Wire) -> Quota | None:
    answer = await wire.ask("GETQUOTAROOT", '"INBOX"', told_as="QUOTA")
    return quota_of(answer.lines) if answer.ok else None


async def _folders(wire: Wire) -> list[Folder]:
    answer = await wire.ask("LIST", '""', '"*"')
    if not answer.ok:
        raise TryLater(f"the mail server does not list its folders: {answer.code or 'NO'}")
    return list(folders_of(answer.lines))


def _folded(name: str) -> str:
    return "INBOX" if name.upper() == "INBOX" else name
