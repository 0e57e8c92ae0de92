"""An IMAP server for what real ones do not do on demand. It keeps mails in memory and has one folder, and a trash."""

import asyncio
import re
from base64 import b64decode
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

from tests.worlds.mail.authority import Authority
from tests.worlds.mail.script import Closed, Script, on_a_port

BASIC = ("IMAP4rev1", "ID", "IDLE", "UIDPLUS", "MOVE", "QUOTA", "SASL-IR", "AUTH=PLAIN", "AUTH=XOAUTH2", "SPECIAL-USE")


class ScriptedImap(Script):
    """Knows one user, one password and one access token."""

    def __init__(self, capabilities: tuple[str, ...] = BASIC, *, wants_id: bool = False, labels: bool = False) -> None:
        """*wants_id*: as 163 and 126 do; *labels*: folders are labels, as at Gmail."""
        super().__init__()
        self.capabilities = (*capabilities, *(("X-GM-EXT-1",) if labels else ()))
        self.user, self.password, self.token = "bot@test.example", "secret", "good-token"
        self.validity = 7
        self.mails: dict[int, bytes] = {}
        self.trash: dict[int, bytes] = {}
        self.archive: dict[int, bytes] = {}
        """Where expunged mails go if folders are labels."""
        self.trash_name = "Trash"
        self.authority: Authority | None = None
        """With one, STARTTLS is offered."""
        self.slipped_in = b""
        """What somebody on the wire adds to the answer to STARTTLS."""
        self.wants_id = wants_id
        self.labels = labels
        self.next_uid = 1
        self._changed = asyncio.Event()

    def receive(self, *mails: bytes) -> None:
        """Have new mail; whoever is idling is told."""
        for mail in mails:
            self.mails[self.next_uid] = mail
            self.next_uid += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def verbs(self) -> list[str]:
        """The commands that were said, without what they were about."""
        return [" ".join(line.split()[: 2 if line.startswith("UID ") else 1]) for line in self.said]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self.deed("greeting", "*", writer):
            writer.write(b"* OK hello\r\n")
        session = _Session(self, reader, writer)
        while line := await reader.readline():
            await session.answer(line.decode().rstrip("\r\n"))
            await writer.drain()

    @property
    def changed(self) -> asyncio.Event:
        """Is set with the next change."""
        return self._changed


class _Session:
    def __init__(self, server: ScriptedImap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._known = False
        self._secure = False
        self._told = 0
        self._in_trash = False

    async def answer(self, line: str) -> None:
        tag, _, rest = line.partition(" ")
        words = rest.split(" ")
        command = " ".join(words[:2]).upper() if words[0].upper() == "UID" else words[0].upper()
        self._server.said.append(rest)
        if await self._server.deed(command, tag, self._writer):
            return
        if command == "STARTTLS":
            await self._starttls(tag)
            return
        method = getattr(self, "_" + command.lower().replace(" ", "_"), None)
        verdict = await method(rest) if method else "BAD what is that?"
        self._writer.write(f"{tag} {verdict}\r\n".encode())

    @property
    def _box(self) -> dict[int, bytes]:
        return self._server.trash if self._in_trash else self._server.mails

    def _say(self, line: str | bytes) -> None:
        self._writer.write(b"* " + (line if isinstance(line, bytes) else line.encode()) + b"\r\n")

    async def _capability(self, _: str) -> str:
        more = ("STARTTLS",) if self._server.authority is not None and not self._secure else ()
        self._say(" ".join(("CAPABILITY", *self._server.capabilities, *more)))
        return "OK done"

    async def _starttls(self, tag: str) -> None:
        if self._server.authority is None or self._secure:
            raise Closed
        self._writer.write(f"{tag} OK begin\r\n".encode() + self._server.slipped_in)
        await self._writer.start_tls(self._server.authority.serving())
        self._secure = True

    async def _login(self, rest: str) -> str:
        if rest == f'LOGIN "{self._server.user}" "{self._server.password}"':
            return "OK welcome"
        return "NO [AUTHENTICATIONFAILED] wrong password"

    async def _authenticate(self, rest: str) -> str:
        given = b64decode(rest.split()[2]).decode()
        if given == f"user={self._server.user}\1auth=Bearer {self._server.token}\1\1":
            return "OK welcome"
        self._writer.write(b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n")
        if await self._reader.readline() != b"\r\n":
            raise Closed
        return "NO [AUTHENTICATIONFAILED] invalid credentials"

    async def _id(self, _: str) -> str:
        self._known = True
        self._say("ID NIL")
        return "OK done"

    async def _select(self, rest: str) -> str:
        if self._server.wants_id and not self._known:
            return "NO SELECT Unsafe Login. Please contact kefu@188.com for help"
        self._in_trash = rest == f'SELECT "{self._server.trash_name}"'
        self._say(f"{len(self._box)} EXISTS")
        self._told = len(self._box)
        self._say(f"OK [UIDVALIDITY {self._server.validity}] valid")
        self._say(f"OK [UIDNEXT {self._server.next_uid}] next")
        return "OK [READ-WRITE] selected"

    async def _list(self, _: str) -> str:
        self._say('LIST (\\HasNoChildren) "/" "INBOX"')
        self._say(f'LIST (\\HasNoChildren \\Trash) "/" "{self._server.trash_name}"')
        return "OK done"

    async def _uid_fetch(self, rest: str) -> str:
        chosen = rest.split()[2]
        order = sorted(self._box)
        for uid in self._uids(chosen):
            mail = self._box[uid]
            head = f"{order.index(uid) + 1} FETCH (UID {uid}"
            if "BODY" in rest:
                if await self._server.deed(f"body {uid}", "*", self._writer):
                    continue
                self._say(f"{head} BODY[] {{{len(mail)}}}".encode() + b"\r\n" + mail + b")")
            else:
                self._say(f'{head} RFC822.SIZE {len(mail)} INTERNALDATE "22-Nov-2026 10:00:00 +0800")')
        self._tell()
        return "OK done"

    def _tell(self) -> None:
        """Speak of new mail once, with whatever is answered next."""
        if len(self._box) > self._told:
            self._told = len(self._box)
            self._say(f"{self._told} EXISTS")

    async def _idle(self, _: str) -> str:
        self._writer.write(b"+ idling\r\n")
        done = asyncio.create_task(self._reader.readline())
        try:
            while not done.done():
                changed = asyncio.create_task(self._server.changed.wait())
                self._tell()
                await self._writer.drain()
                await asyncio.wait({done, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            done.cancel()
        if done.cancelled() or done.result().strip() != b"DONE":
            raise Closed
        return "OK done"

    async def _noop(self, _: str) -> str:
        self._tell()
        return "OK done"

    async def _uid_store(self, _: str) -> str:
        return "OK done"

    async def _uid_expunge(self, rest: str) -> str:
        for uid in list(self._uids(rest.split()[2])):
            mail = self._box.pop(uid)
            if self._server.labels and not self._in_trash:
                self._server.archive[uid] = mail
            self._told -= 1
        return "OK done"

    async def _uid_move(self, rest: str) -> str:
        moved = list(self._uids(rest.split()[2]))
        for uid in moved:
            self._server.trash[uid + 1000] = self._box.pop(uid)
            self._told -= 1
        numbers = ",".join(str(uid) for uid in moved), ",".join(str(uid + 1000) for uid in moved)
        self._say(f"OK [COPYUID {self._server.validity} {numbers[0]} {numbers[1]}] moved")
        return "OK done"

    async def _getquotaroot(self, _: str) -> str:
        self._say('QUOTAROOT INBOX ""')
        self._say('QUOTA "" (STORAGE 10 512)')
        return "OK done"

    async def _logout(self, _: str) -> str:
        self._say("BYE")
        return "OK bye"

    def _uids(self, chosen: str) -> Iterator[int]:
        highest = max(self._box, default=0)
        for part in chosen.split(","):
            first, _, last = re.sub(r"\*", str(highest), part).partition(":")
            low, high = sorted((int(first), int(last or first)))  # 9:* is *:9 where the last mail is 3
            yield from sorted(uid for uid in self._box if low <= uid <= high)


@asynccontextmanager
async def serving_imap(server: ScriptedImap) -> AsyncGenerator[ScriptedImap]:
    """*server* on a port of its own, until the block ends."""
    async with on_a_port(server):
        yield server
