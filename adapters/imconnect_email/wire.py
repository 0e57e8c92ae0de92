"""One IMAP connection. What aioimaplib waits for without end, or stumbles over, ends here within its time.

Seen in aioimaplib 2.0.3 and contained below: a lost connection fails no command and no IDLE (its issue 110); lines are
read by recursion, so that a thousand at once break it (118); a refused XOAUTH2 is never answered; it has no STARTTLS;
names are sent as they are, unquoted and in UTF-8.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from aioimaplib.aioimaplib import (  # type: ignore[import-untyped]  # it has no types; what is used of it is typed here
    Command,
    FetchCommand,
    IMAP4ClientProtocol,
)

from imconnect.ports import TryLater
from imconnect_email.answers import quoted

T = TypeVar("T")

PIECE = 1024
"""Bytes the library reads at once: with the shortest of lines that is 512 calls deep, half of what Python allows."""

ORDINARY_ANSWER = 64 * 1024 * 1024
"""Bytes a server may say to one command that fetches no mail."""

SETTINGS_PAUSE = 60.0
"""Seconds before a server is asked again that refused what the settings say."""

LAST_WORD_SECONDS = 1.0

_COMMAND: Any = Command
_FETCH: Any = FetchCommand
"""The library has no types."""

_CODE = re.compile(r"\[([A-Z][A-Z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: until a connection stands, of silence while an answer is due, and for all of an ordinary answer."""

    connect: float = 15.0
    silence: float = 30.0
    answer: float = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to one command: lines as `bytes`, literals as `bytearray`, in order, its verdict last."""

    result: str
    lines: tuple[bytes | bytearray, ...]

    @property
    def ok(self) -> bool:
        return self.result == "OK"

    @property
    def says(self) -> str:
        """The server's own words with its verdict, fit for a log; none with BAD, where some repeat what we said."""
        words = bytes(self.lines[-1]).decode("utf-8", "replace") if self.lines and self.result != "BAD" else ""
        return "".join(letter if letter.isprintable() else " " for letter in words)[:200]

    @property
    def code(self) -> str:
        """The response code, such as `AUTHENTICATIONFAILED` (RFC 5530), or nothing."""
        found = _CODE.search(self.says)
        return found[1] if found else ""


def silence_library() -> None:
    """Keep the library from logging: its lines hold whole mails."""
    library = logging.getLogger("aioimaplib")
    library.setLevel(logging.CRITICAL + 1)
    library.propagate = False
    if not library.handlers:
        library.addHandler(logging.NullHandler())


class _Dialogue(IMAP4ClientProtocol):  # type: ignore[misc]  # the library has no types
    """The library's half of a connection, fed in small pieces, and dropped when it fails."""

    def __init__(self, loop: asyncio.AbstractEventLoop, lost: "asyncio.Future[str]") -> None:
        super().__init__(loop, self._tell)
        self.heard_at = loop.time()
        self.allowance = ORDINARY_ANSWER
        self.news = False
        self._clock = loop.time
        self._lost = lost

    def data_received(self, d: bytes) -> None:
        self.heard_at = self._clock()
        self.allowance -= len(d)
        if self.allowance < 0:
            self.drop("the mail server says more than was asked for")
            return
        try:
            for start in range(0, len(d), PIECE):
                super().data_received(d[start : start + PIECE])
        except Exception as error:  # a server may say anything
            self.drop(f"what the mail server says could not be read ({type(error).__name__})")

    async def welcome(self, command: bytes) -> None:  # pyright: ignore[reportIncompatibleVariableOverride] - theirs is wrapped
        greeted: Any = super()  # the library has no types
        try:
            await greeted.welcome(command)
        except Exception:  # a farewell for a greeting, or no IMAP4rev1
            self.drop("the mail server does not welcome us")

    def drop(self, reason: str) -> None:
        """Give the connection up."""
        if not self._lost.done():
            self._lost.set_result(reason)
        own: Any = self  # the library has no types
        for task in own.tasks:
            task.cancel()
        if own.transport is not None:
            own.transport.abort()

    def _untagged_response(self, line: bytes) -> Any:
        if line.upper().endswith(b" EXISTS"):
            self.news = True
        return super()._untagged_response(line)

    def _continuation(self, line: bytes) -> None:
        pending: Any = self.pending_sync_command
        if pending is not None and pending.name == "AUTHENTICATE":
            self.send("")  # the refusal comes once its explanation is acknowledged
        else:
            super()._continuation(line)

    def _tell(self, _: Exception | None) -> None:
        self.drop("the connection to the mail server broke")


class Wire:
    """A connection somebody may log in on. Once anything on it takes too long, fails or is cancelled, it is dropped."""

    def __init__(self, dialogue: _Dialogue, lost: "asyncio.Future[str]", patience: Patience) -> None:
        self._dialogue: Any = dialogue
        self._lost = lost
        self._patience = patience

    @classmethod
    async def open(
        cls, at: tuple[str, int], context: ssl.SSLContext | None, patience: Patience, *, starttls: bool
    ) -> "Wire":
        """Connect, and secure what can be listened to. Raises `TryLater`."""
        silence_library()
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[str] = loop.create_future()
        dialogue = _Dialogue(loop, lost)
        wire = cls(dialogue, lost, patience)
        direct = None if starttls else context
        try:
            async with asyncio.timeout(patience.connect):
                await loop.create_connection(lambda: dialogue, *at, ssl=direct)
                await wire._bounded(dialogue.wait("AUTH|NONAUTH"), patience.connect)
                if starttls and context is not None:
                    await wire._secure(context, at[0])
        except TimeoutError:
            wire.drop()
            raise TryLater("the mail server did not answer in time") from None
        except OSError as error:
            wire.drop()
            raise unreachable(error) from None
        except BaseException:
            wire.drop()
            raise
        return wire

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server said it can do, last it was asked."""
        return frozenset(str(name).upper() for name in self._dialogue.capabilities)

    @property
    def news(self) -> bool:
        """Whether the server spoke of mail since it was last heeded: it tells once, in answer to whatever is asked."""
        return bool(self._dialogue.news)

    def heed(self) -> None:
        """Hear anew whether the server speaks of mail."""
        self._dialogue.news = False

    @property
    def dropped(self) -> bool:
        return self._lost.done()

    async def ask(self, name: str, *arguments: str, told_as: str = "", uid: bool = False) -> Answer:
        """Say a command and wait for its verdict. *told_as* is the word its data comes with, where it is another."""
        command = _COMMAND(
            name,
            self._dialogue.new_tag(),
            *arguments,
            prefix="UID" if uid else None,
            untagged_resp_name=told_as or None,
            loop=self._dialogue.loop,
        )
        return await self._said(self._dialogue.execute(command))

    async def fetch(self, uid: int, items: str, largest: int) -> Answer:
        """Fetch *items* of one mail, of at most *largest* bytes."""
        command = _FETCH(self._dialogue.new_tag(), str(uid), items, prefix="UID", loop=self._dialogue.loop)
        return await self._said(self._dialogue.execute(command), largest)

    async def login(self, user: str, password: str) -> Answer:
        """Log in with a password (RFC 9051, section 6.2.3), and learn what can be done then."""
        return await self._entered(await self._said(self._dialogue.login(quoted(user), password)))

    async def xoauth2(self, user: str, token: str) -> Answer:
        """Log in with an access token (developers.google.com/gmail/imap/xoauth2-protocol)."""
        return await self._entered(await self._said(self._dialogue.xoauth2(user, token)))

    async def select(self, name: str) -> Answer:
        return await self._said(self._dialogue.select(name))

    async def idle(self, seconds: float) -> bool | None:
        """Wait until the server tells of mail, at most *seconds*. None: it will not have us wait (RFC 2177)."""
        dialogue = self._dialogue
        while not dialogue.idle_queue.empty():
            dialogue.idle_queue.get_nowait()
        idling = asyncio.ensure_future(dialogue.idle())
        try:
            if not await self._bounded(_first(idling, dialogue.wait_for_idle_response()), self._patience.answer):
                return None
            told = await self._told_of_mail(idling, seconds)
            if not idling.done():
                dialogue.idle_done()
            await self._bounded(asyncio.shield(idling), self._patience.answer)
            return told
        finally:
            if not idling.done():
                self.drop()
                idling.cancel()
            await asyncio.gather(idling, return_exceptions=True)

    async def wait(self, seconds: float) -> None:
        """Let *seconds* pass. Raises `TryLater` as soon as the connection breaks."""
        await asyncio.wait({self._lost}, timeout=seconds)
        self._standing()

    async def close(self) -> None:
        """Take leave, if that goes quickly."""
        if not self.dropped:
            with contextlib.suppress(TryLater):
                await self._bounded(self._dialogue.logout(), LAST_WORD_SECONDS)
        self.drop()
        await asyncio.sleep(0)  # the socket closes in the loop's next round

    def drop(self) -> None:
        """Give the connection up at once."""
        self._dialogue.drop("the connection was given up")

    # ------------------------------------------------------------------------------------------------------- within

    async def _secure(self, context: ssl.SSLContext, host: str) -> None:
        """STARTTLS. What was said before it counts for nothing afterwards (RFC 9051, section 11.1)."""
        dialogue = self._dialogue
        if dialogue.state != "NONAUTH" or "STARTTLS" not in self.capabilities:
            raise TryLater("the mail server offers no STARTTLS: correct email.imap.tls", SETTINGS_PAUSE)
        if not (await self.ask("STARTTLS")).ok:
            raise TryLater("the mail server refuses STARTTLS: correct email.imap.tls", SETTINGS_PAUSE)
        if dialogue.incomplete_line:
            raise TryLater("somebody spoke between STARTTLS and TLS: this connection is not safe", SETTINGS_PAUSE)
        secured = await dialogue.loop.start_tls(dialogue.transport, dialogue, context, server_hostname=host)
        if secured is None:
            raise TryLater("the connection to the mail server broke")
        dialogue.transport = secured
        dialogue.incomplete_line = b""
        dialogue.current_command = None
        await self._bounded(dialogue.capability(), self._patience.answer)

    async def _entered(self, answer: Answer) -> Answer:
        if answer.ok:
            await self._bounded(self._dialogue.capability(), self._patience.answer)
        return answer

    async def _told_of_mail(self, idling: "asyncio.Future[object]", seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self.news and not idling.done() and (left := end - loop.time()) > 0:
            pushed = asyncio.ensure_future(self._dialogue.idle_queue.get())
            await asyncio.wait({pushed, idling, self._lost}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            pushed.cancel()
            self._standing()
        return self.news

    async def _said(self, words: "Coroutine[Any, Any, Any]", largest: int = 0) -> Answer:
        self._dialogue.allowance = ORDINARY_ANSWER + largest
        response = await self._bounded(words, self._patience.answer + largest / 20_000)
        return Answer(response.result, tuple(response.lines))

    async def _bounded(self, work: Awaitable[T], most: float) -> T:
        """What comes of *work*, which ends when the server is silent, or not done after *most* seconds."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(work)
        self._dialogue.heard_at = loop.time()
        end = loop.time() + most
        waited: set[asyncio.Future[Any]] = {task, self._lost}
        try:
            while not task.done():
                await asyncio.wait(waited, timeout=self._left(end), return_when=asyncio.FIRST_COMPLETED)
            return task.result()
        except (TryLater, asyncio.CancelledError):
            self.drop()
            raise
        except OSError as error:
            self.drop()
            raise unreachable(error) from None
        except Exception as error:  # the library's own, and what it stumbles over
            self.drop()
            raise TryLater(f"what the mail server says could not be read ({type(error).__name__})") from None
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _left(self, end: float) -> float:
        """Seconds the server has left to say something. Raises `TryLater` when there are none."""
        self._standing()
        left: float = min(self._dialogue.heard_at + self._patience.silence, end) - asyncio.get_running_loop().time()
        if left <= 0:
            raise TryLater("the mail server did not answer in time")
        return left

    def _standing(self) -> None:
        if self._lost.done():
            raise TryLater(self._lost.result())


async def _first(either: "asyncio.Future[Any]", other: "Coroutine[Any, Any, Any]") -> bool:
    """Wait for the first to end; whether it was *other*, with *either* still under way."""
    waiting = asyncio.ensure_future(other)
    try:
        await asyncio.wait({either, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return not either.done()
    finally:
        waiting.cancel()


def unreachable(error: OSError) -> TryLater:
    """What to do about a connection that did not come about, or not safely."""
    match error:
        case ssl.SSLCertVerificationError():
            return TryLater(
                f"the mail server's certificate is not trusted ({error.verify_message}): "
                "correct the host, or name its authority in ca_file",
                SETTINGS_PAUSE,
            )
        case ssl.SSLError():
            return TryLater("TLS with the mail server fails: look whether tls fits the port", SETTINGS_PAUSE)
        case _:
            return TryLater(f"the mail server cannot be reached ({type(error).__name__})")
