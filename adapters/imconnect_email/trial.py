"""A mail from the support address to itself: whether what leaves arrives, as `imconnect doctor` tries it."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.utils import formatdate

from imconnect.ports import Finding, TryLater, Undeliverable
from imconnect_email.automatic import LOOP_FIELD
from imconnect_email.mailbox import Cursor, Letter, Mailbox
from imconnect_email.sending import Mail, Relay
from imconnect_email.settings import EmailSettings
from imconnect_email.signatures import Signing, signed
from imconnect_email.tokens import Tokens

SENT_WITHIN, ARRIVES_WITHIN, REMOVED_WITHIN = 30.0, 20.0, 15.0
"""Seconds for each step."""

LOOKED_EVERY = 1.0
"""Seconds between two looks, where the server does not tell of new mail or forgets to."""

SUBJECT = "imconnect doctor"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What tells one trial from another: a *key* that nothing else holds, and the date."""

    key: str
    date: str


def this_occasion() -> Occasion:
    return Occasion(secrets.token_hex(10), formatdate())


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it, and the mail as it was written and as it arrived; empty where it did not."""

    findings: tuple[Finding, ...] = ()
    written: bytes = field(repr=False, default=b"")
    arrived: bytes = field(repr=False, default=b"")


async def tried(settings: EmailSettings, tokens: Tokens | None, relay: Relay, occasion: Occasion) -> Tried:
    """Send a mail to ourselves as the desk sends what no person says, look for it in the folders that are read, and
    remove it. A desk that runs meanwhile knows it by its mark and answers nothing. Never raises."""
    mailbox = Mailbox(settings.model_copy(update={"idle_seconds": 2.0, "poll_seconds": LOOKED_EVERY}), tokens)
    written = trial_mail(settings.address, occasion, settings.signing())
    try:
        async with asyncio.timeout(SENT_WITHIN):
            cursors = [await mailbox.end_of(folder) for folder in settings.folders]
            accepted = await relay.send(Mail("", (settings.address,), written))
    except (TryLater, Undeliverable) as error:
        return Tried(_said(False, f"no mail could be sent to ourselves: {error.reason}"), written)
    except TimeoutError:
        return Tried(_said(False, f"no mail could be sent to ourselves within {SENT_WITHIN:g} s"), written)
    how = "; the server takes no empty envelope sender, so ours stands there" if accepted.named else ""
    begun = asyncio.get_running_loop().time()
    letter = await _arrival(mailbox, cursors, occasion.key.encode())
    if letter is None:
        says = (
            f"a mail to ourselves was taken and is not in {', '.join(settings.folders)} after {ARRIVES_WITHIN:g} s: "
            f"look whether {settings.address} leads to this mailbox, and in its spam folder"
        )
        return Tried(_said(False, says), written)
    seconds = asyncio.get_running_loop().time() - begun
    left = await _removal(mailbox, letter)
    says = f"a mail to ourselves arrived in {letter.folder} after {seconds:.1f} s and {left}{how}"
    return Tried(_said(True, says), written, letter.raw)


def trial_mail(address: str, occasion: Occasion, signing: Signing | None) -> bytes:
    """Marked as our automatic mail is (RFC 3834), so that nobody answers it."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["Date"] = occasion.date
    mail["From"] = address
    mail["To"] = address
    mail["Subject"] = SUBJECT
    mail["Message-ID"] = f"<trial.{occasion.key}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail[LOOP_FIELD] = occasion.key
    mail.set_content("A trial of the way from this address to itself. It may be deleted.\n")
    raw = mail.as_bytes()
    return raw if signing is None else signed(raw, signing)


def _said(well: bool, says: str) -> tuple[Finding, ...]:
    return (Finding("email.address", well, says),)


async def _arrival(mailbox: Mailbox, cursors: Sequence[Cursor], key: bytes) -> Letter | None:
    """The mail that holds *key*, from whichever folder it comes to first; None where it does not come in time."""
    looks = [asyncio.create_task(_look(mailbox, cursor, key)) for cursor in cursors]
    try:
        async with asyncio.timeout(ARRIVES_WITHIN):
            return await next(asyncio.as_completed(looks))
    except TimeoutError:
        return None
    finally:
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)


async def _look(mailbox: Mailbox, cursor: Cursor, key: bytes) -> Letter:
    """Look until it is there, whatever breaks."""
    while True:
        try:
            async with aclosing(mailbox.follow(cursor.folder, cursor)) as batches:
                async for batch in batches:
                    for letter in batch.letters:
                        if key in letter.raw:
                            return letter
                    cursor = batch.cursor
        except TryLater:
            await asyncio.sleep(LOOKED_EVERY)


async def _removal(mailbox: Mailbox, letter: Letter) -> str:
    try:
        async with asyncio.timeout(REMOVED_WITHIN):
            await mailbox.purge(letter.folder, letter.validity, [letter.uid])
    except (TryLater, Undeliverable) as error:
        return f"lies there still: {error.reason}"
    except TimeoutError:
        return "lies there still: the mail server does not remove it in time"
    return "was removed"
