"""Handing mail over to the server that sends it: each on a connection of its own, a few at a time.

A mail is keyed by its Message-ID: where it is in doubt whether it was taken, it is `TryLater`, and goes out again as it
is, so that a receiver who has it already can tell (RFC 5322, section 3.6.4).
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass, field, replace

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from imconnect.ports import TryLater, Undeliverable
from imconnect_email.settings import EmailSettings
from imconnect_email.tokens import Tokens
from imconnect_email.wire import SETTINGS_PAUSE, unreachable

AT_ONCE = 4
"""Connections at a time: providers allow few."""

QUOTA_PAUSE = 3600.0
"""Seconds before a server is asked again that has sent enough for us."""

LONGEST_ASKED_PAUSE = 3600.0

OURSELVES = "[127.0.0.1]"
"""What we greet with: an address literal (RFC 5321, section 4.1.3) tells nothing of the machine the desk runs on."""

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_SECONDS = re.compile(r"\b(\d{1,5}) ?(?:s|sec|secs|seconds?)\b", re.IGNORECASE)
_UNSAFE = re.compile(r"[\s<>\x00-\x1f\x7f]")

_NOBODY_THERE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463 and RFC 7505: no such mailbox or domain, moved away, takes no mail, switched off."""

_ENOUGH_FOR_NOW = frozenset({"5.4.5", "5.7.24"})
"""A daily limit of ours, told with a code that sounds final (support.google.com/a/answer/3726730)."""


@dataclass(frozen=True, slots=True)
class SmtpPatience:
    """Seconds: until a connection stands, for one answer, and for the answer that means a mail was taken.

    The last is long: who leaves too early has a mail sent twice (RFC 5321, section 4.5.3.2.6 and RFC 1047).
    """

    connect: float = 15.0
    answer: float = 30.0
    taking: float = 180.0


@dataclass(frozen=True, slots=True)
class Mail:
    """What is handed over: an envelope and the mail in it. An empty *sender* asks that nothing be answered."""

    sender: str
    recipients: tuple[str, ...] = field(repr=False)
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A recipient that was not taken while others were; `again`: only for now."""

    recipient: str = field(repr=False)
    reason: str
    again: bool
    gone: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has it, for all recipients but those refused. `named`: it would take no empty envelope sender."""

    refused: tuple[Refused, ...] = ()
    named: bool = False


class Relay:
    """The server that mail is handed over to."""

    def __init__(self, settings: EmailSettings, tokens: Tokens | None, patience: SmtpPatience | None = None) -> None:
        """*tokens* are needed where `email.auth` is `xoauth2`."""
        self._settings = settings.smtp
        self._address = settings.address
        self._wants_a_name = False
        self._tokens = tokens
        self._patience = patience or SmtpPatience(answer=settings.answer_seconds)
        self._context = settings.smtp.context()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def send(self, mail: Mail) -> Accepted:
        """Hand *mail* over. Raises `TryLater`, also where it may have been taken, or `Undeliverable`."""
        _check(mail)
        async with self._room:
            server = await self._connected()
            try:
                return await self._handed_over(server, mail)
            finally:
                await self._leave(server)

    async def greet(self) -> None:
        """Connect and log in, and no more. Raises `TryLater`."""
        async with self._room:
            await self._leave(await self._connected())

    # ------------------------------------------------------------------------------------------------------- within

    async def _connected(self) -> SMTP:
        chosen, patience = self._settings, self._patience
        host, port = chosen.at
        server = SMTP(
            hostname=host,
            port=port,
            local_hostname=OURSELVES,
            timeout=patience.answer,
            use_tls=chosen.tls == "implicit",
            start_tls=chosen.tls == "starttls",
            tls_context=self._context,
        )
        try:
            async with asyncio.timeout(2 * patience.connect):
                await server.connect(timeout=patience.connect)
            async with asyncio.timeout(3 * patience.answer):
                await self._log_in(server)
        except (SMTPException, OSError) as error:
            server.close()
            raise self._not_let_in(error) from None
        except BaseException:
            server.close()
            raise
        return server

    async def _log_in(self, server: SMTP) -> None:
        chosen = self._settings
        if chosen.user is None:
            await server.ehlo()
        elif self._tokens is not None:
            await server.auth_xoauth2(chosen.user, await self._tokens.token())
        elif chosen.password is not None:
            await server.login(chosen.user, chosen.password.get_secret_value())

    def _not_let_in(self, error: Exception) -> TryLater:
        if not isinstance(error, SMTPAuthenticationError):
            return _cut_off(error)
        said = _code(error.code, error.message)
        if error.code < 500:
            return TryLater(f"the sending server cannot let us in now: {said}")
        if self._tokens is not None:
            self._tokens.refused()
            return TryLater(f"the sending server refuses the access token: {said}", SETTINGS_PAUSE / 4)
        return TryLater(
            f"the sending server refuses the login: correct email.smtp.user and password; it says {said}",
            SETTINGS_PAUSE,
        )

    async def _handed_over(self, server: SMTP, mail: Mail) -> Accepted:
        patience = self._patience
        try:
            async with asyncio.timeout(patience.answer * (2 + len(mail.recipients))):
                named = await self._mail_from(server, mail)
                refused = await _recipients(server, mail)
            async with asyncio.timeout(2 * patience.taking):
                await server.data(mail.raw, timeout=patience.taking)
        except SMTPSenderRefused as error:
            raise _sender_refused(error) from None
        except SMTPResponseException as error:
            raise _refused(error.code, error.message, "the mail") from None
        except (SMTPException, OSError):
            raise TryLater("the connection broke before the sending server confirmed; it goes out again") from None
        except ValueError:
            raise Undeliverable("an address cannot be written to") from None
        return Accepted(refused, named)

    async def _mail_from(self, server: SMTP, mail: Mail) -> bool:
        """Begin. Whether our address had to stand where the envelope should name nobody.

        Amazon SES, Coremail (163) and others refuse an empty sender. Ours does as well: what comes back there is known
        by its token, and answered by nobody (RFC 3834, 3.3).
        """
        ours = replace(mail, sender=mail.sender or self._address)
        if not mail.sender and not self._wants_a_name:
            try:
                await _mail_from(server, mail)
            except SMTPSenderRefused as error:
                if error.code < 500:
                    raise
                await server.rset()
            else:
                return False
        await _mail_from(server, ours)
        self._wants_a_name = not mail.sender or self._wants_a_name
        return not mail.sender

    async def _leave(self, server: SMTP) -> None:
        """Take leave. What was confirmed stays confirmed, whatever the server makes of this."""
        if server.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await server.quit(timeout=1.0)
        server.close()


def _cut_off(error: Exception) -> TryLater:
    """What to do about a connection that did not come about. Nothing was sent on it."""
    match error:
        case SMTPResponseException():
            return TryLater(f"the sending server turns us away: {_code(error.code, error.message)}")
        case SMTPTimeoutError() | TimeoutError():
            return TryLater("the sending server did not answer in time")
        case SMTPConnectError() | SMTPServerDisconnected():
            cause = error.__cause__
            return unreachable(cause if isinstance(cause, OSError) else error)
        case OSError():
            return unreachable(error)
        case _:  # no STARTTLS, or no way to log in that both know
            return TryLater("the sending server does not offer what email.smtp asks for", SETTINGS_PAUSE)


def _check(mail: Mail) -> None:
    if not mail.recipients:
        raise Undeliverable("there is nobody to write to")
    for address in (*mail.recipients, *((mail.sender,) if mail.sender else ())):
        if _UNSAFE.search(address) or "@" not in address:
            raise Undeliverable("an address cannot be written to")


async def _mail_from(server: SMTP, mail: Mail) -> None:
    """Begin, asking for no more than this mail needs."""
    eight_bit = not mail.raw.isascii()
    worldwide = not all(address.isascii() for address in (mail.sender, *mail.recipients))
    if worldwide and not server.supports_extension("smtputf8"):
        raise Undeliverable("the sending server cannot write to addresses beyond ASCII")
    if eight_bit and not server.supports_extension("8bitmime"):
        raise Undeliverable("the sending server takes no 8-bit mail")
    options = [
        *([f"SIZE={len(mail.raw)}"] if server.supports_extension("size") else []),
        *(["BODY=8BITMIME"] if eight_bit else []),
        *(["SMTPUTF8"] if worldwide else []),
    ]
    await server.mail(mail.sender, options=options, encoding="utf-8" if worldwide else "ascii")


async def _recipients(server: SMTP, mail: Mail) -> tuple[Refused, ...]:
    """Name them all. Raises what to do about it if none is taken."""
    worldwide = not all(address.isascii() for address in (mail.sender, *mail.recipients))
    found: list[tuple[Refused, TryLater | Undeliverable]] = []
    for recipient in mail.recipients:
        try:
            await server.rcpt(recipient, encoding="utf-8" if worldwide else "ascii")
        except SMTPRecipientRefused as error:
            fault = _refused(error.code, error.message, "the recipient")
            gone = isinstance(fault, Undeliverable) and fault.blocked
            found.append((Refused(recipient, fault.reason, isinstance(fault, TryLater), gone), fault))
    if len(found) == len(mail.recipients):
        raise next((fault for _, fault in found if isinstance(fault, TryLater)), found[0][1])
    return tuple(refused for refused, _ in found)


def _sender_refused(error: SMTPSenderRefused) -> TryLater | Undeliverable:
    """Who may not send as the support address is set up wrongly: no customer is to blame. A size is the mail's own."""
    if error.code in {500, 501, 503, 530, 535, 550, 553, 554} and _enhanced(error.message) not in _ENOUGH_FOR_NOW:
        return TryLater(
            f"the sending server does not let us send from this address: {_code(error.code, error.message)}; "
            "correct email.address or email.smtp",
            SETTINGS_PAUSE,
        )
    return _refused(error.code, error.message, "the mail")


def _refused(code: int, message: str, what: str) -> TryLater | Undeliverable:
    """What to do about a refusal. Of the server's words only the codes are kept: the others can be a customer's."""
    enhanced = _enhanced(message)
    if enhanced in _ENOUGH_FOR_NOW:
        return TryLater(f"the sending server has sent enough for us today: {_code(code, message)}", QUOTA_PAUSE)
    if code == 530:  # RFC 4954, section 6
        return TryLater("the sending server wants a login: set email.smtp.user and password", SETTINGS_PAUSE)
    if code < 500:
        return TryLater(f"the sending server does not take {what} now: {_code(code, message)}", _asked(message))
    return Undeliverable(
        f"the sending server refuses {what}: {_code(code, message)}",
        blocked=what == "the recipient" and enhanced in _NOBODY_THERE,
    )


def _asked(message: str) -> float | None:
    """Seconds the server asks us to wait, as those who greylist do; None if it asks nothing."""
    found = _SECONDS.search(message)
    return min(float(found[1]), LONGEST_ASKED_PAUSE) if found else None


def _enhanced(message: str) -> str:
    found = _ENHANCED.match(message.lstrip())
    return found[1] if found else ""


def _code(code: int, message: str) -> str:
    return f"{code} {_enhanced(message)}".rstrip()
