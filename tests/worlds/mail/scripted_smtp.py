"""An SMTP server for what real ones do not do on demand. It keeps what it took."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.worlds.mail.script import Closed, Script, on_a_port


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail the server took, and its envelope."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes


class ScriptedSmtp(Script):
    """Scripts go by verb; `END` is the dot after the mail, and `taken` is what comes once a mail is kept."""

    def __init__(self, extensions: tuple[str, ...] = ("SIZE 1000000", "8BITMIME")) -> None:
        super().__init__()
        self.extensions = extensions
        self.token = "good-token"
        self.taken: list[Taken] = []
        self.parameters: list[str] = []
        """What came after the addresses of MAIL and RCPT."""
        self.brings: Callable[[bytes], object] | None = None
        """Who is given what is taken, such as a mailbox."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self.deed("greeting", "", writer):
            writer.write(b"220 scripted\r\n")
        envelope: list[str] = []
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.said.append(line)
            verb = line.split()[0].upper()
            if await self.deed(verb, "", writer):
                continue
            if verb in {"MAIL", "RCPT"}:
                address, _, parameters = line.partition(":")[2].partition("> ")
                self.parameters.append(parameters)
                envelope = [*(envelope if verb == "RCPT" else []), address.strip("<>")]
                writer.write(b"250 go on\r\n")
            elif verb == "DATA":
                await self._data(reader, writer, envelope)
            else:
                await self._other(verb, line, reader, writer)

    async def _data(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, envelope: list[str]) -> None:
        writer.write(b"354 go ahead\r\n")
        lines: list[bytes] = []
        while (line := await reader.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b".") else line)
        if not line:
            raise Closed
        if await self.deed("END", "", writer):
            return
        self.taken.append(Taken(envelope[0], tuple(envelope[1:]), b"".join(lines)))
        if self.brings is not None:
            self.brings(self.taken[-1].raw)
        if not await self.deed("taken", "", writer):
            writer.write(b"250 2.0.0 queued\r\n")

    async def _other(self, verb: str, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match verb:
            case "EHLO":
                lines = ["scripted", *self.extensions]
                said = "".join(
                    f"250{'-' if number < len(lines) else ' '}{word}\r\n" for number, word in enumerate(lines, 1)
                )
                writer.write(said.encode())
            case "AUTH":
                await self._auth(line, reader, writer)
            case "QUIT":
                writer.write(b"221 bye\r\n")
                raise Closed
            case _:
                writer.write(b"502 what is that?\r\n")

    async def _auth(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b64decode(line.split()[2]).decode() == f"user=bot@test.example\1auth=Bearer {self.token}\1\1":
            writer.write(b"235 2.7.0 welcome\r\n")
            return
        writer.write(b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n")
        if await reader.readline() != b"\r\n":
            raise Closed
        writer.write(b"535 5.7.8 invalid credentials\r\n")


@asynccontextmanager
async def serving_smtp(server: ScriptedSmtp) -> AsyncGenerator[ScriptedSmtp]:
    """*server* on a port of its own, until the block ends."""
    async with on_a_port(server):
        yield server
