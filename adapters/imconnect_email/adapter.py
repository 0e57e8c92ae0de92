"""The e-mail channel: one support address, the folders its mail lies in, and the server its answers leave by.

The peer is the correspondent's address once something proves it theirs, else the address and a mark of that one mail's
own conversation. A mail's id is made of its content and Message-ID, so that a copy in another folder, or under another
UID, is the same mail. What moves only with the commit is the cursor of its folder: UIDVALIDITY and UID.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from pydantic import BaseModel

from imconnect.domain.messages import Address, Attachment, Incoming, Outgoing, Purpose, Unreadable
from imconnect.ports import Bounced, Deliver, Finding, Kit, Mark, Sent, TryLater, Undeliverable
from imconnect_email import names
from imconnect_email.courtesy import Caps, Courtesy
from imconnect_email.mail import House, Limits, Mail
from imconnect_email.mailbox import Cursor, Letter, Look, Mailbox
from imconnect_email.reading import read_mail
from imconnect_email.sending import Mail as Envelope
from imconnect_email.sending import Relay
from imconnect_email.settings import EmailSettings
from imconnect_email.signatures import TxtLookup
from imconnect_email.threading import Joined, Peer, bounced_token, joined, message_id_for
from imconnect_email.tokens import tokens_of
from imconnect_email.translate import (
    CHANNEL,
    Letterhead,
    compose,
    envelope_sender,
    is_automatic,
    message_id,
    message_id_of,
    to_incoming,
    to_unreadable,
)
from imconnect_email.trial import Occasion, Tried, this_occasion, tried
from imconnect_email.trust import Trust, Verdict, judge

CURSOR, SINCE, AT = "uid:", "since:", "at:"
"""Marks: how far a folder was read, from when on it is, and where the mail of an id lies."""

T = TypeVar("T")

CLOCKS_APART = timedelta(hours=1)
"""How far the mail server's clock may be from ours: mail of the hour before the first start is read, not lost."""

LONGEST_PAUSE = 30.0
LONGEST_PUT_OFF = 900.0
"""Seconds between two tries of a mail that the sending server puts off, at most."""

JUDGED_WITHIN = 10.0
"""Seconds DNS may take over one mail; then it is unproven."""

DNS_FAILURES, DNS_REST = 3, 60.0
"""After how many mails in a row that DNS did not answer for it is left alone, and for how many seconds."""

JUDGED_AT_ONCE = 4
AT_SERVER_AT_ONCE = 2
"""Connections to fetch or purge with, beside those that listen: providers allow some ten in all."""

ROBOTS_WORDS = 40
"""Characters from which the same text sent twice in a row is a machine's. Below that people repeat themselves."""

MOST_PUT_OFF = 10_000
MOST_CORRESPONDENTS = 2_000
"""Of how many it is known what they wrote last: some 0.6 kB each."""

NEARLY_FULL = 0.9

NOT_JUDGED = Verdict(Trust.UNKNOWN, "not judged")

log = structlog.get_logger("imconnect.email")


class EmailAdapter:
    """One support address."""

    Settings: type[BaseModel] = EmailSettings

    name = CHANNEL
    keyed = True  # a mail that is sent again has the same Message-ID, by which receivers tell

    def __init__(
        self, settings: BaseModel, lookup: TxtLookup = names.txt, occasion: Callable[[], Occasion] = this_occasion
    ) -> None:
        """*lookup* asks DNS for TXT records; *occasion* tells one trial of `check` from another."""
        chosen = EmailSettings.model_validate(settings)
        tokens = tokens_of(chosen.oauth) if chosen.auth == "xoauth2" else None
        self._settings = chosen
        self._account = chosen.address.lower()
        self._tokens = tokens
        self._occasion = occasion
        self._mailbox = Mailbox(chosen, tokens)
        self._relay = Relay(chosen, tokens)
        self._signing = chosen.signing()
        self._lookup = lookup
        self._judges = ThreadPoolExecutor(JUDGED_AT_ONCE, "mail")
        self._at_server = asyncio.Semaphore(AT_SERVER_AT_ONCE)
        self._dns_failures = 0
        self._dns_rests_until = 0.0
        self._desk: _Desk | None = None
        self._failing: dict[str, int] = {}
        self._put_off: OrderedDict[str, int] = OrderedDict()  # key -> tries
        self._last: OrderedDict[str, _Last] = OrderedDict()  # peer -> what came last

    @property
    def account(self) -> str:
        return self._account

    async def equip(self, kit: Kit) -> None:
        """Take up what was counted; our own addresses and hosts are those of the settings and the pack."""
        chosen = self._settings
        caps = Caps(
            chosen.automatic_per_address,
            chosen.unproven_per_address,
            chosen.unproven_per_domain,
            chosen.unproven_in_all,
        )
        courtesy = Courtesy(caps, kit)
        await courtesy.recall()
        ours = {self._account, *({chosen.imap.user.lower()} if "@" in chosen.imap.user else ())}
        domains = {self._account.rpartition("@")[2], *kit.playbook.official_hosts}
        self._desk = _Desk(kit, courtesy, House(frozenset(ours), frozenset(domains)))

    @property
    def _equipped(self) -> "_Desk":
        if self._desk is None:
            raise TryLater("the channel has not been given its kit yet")
        return self._desk

    # ---------------------------------------------------------------------------------------------------- listening

    async def listen(self, deliver: Deliver) -> None:
        """Hand over what comes until cancelled. Raises `TryLater` when no folder can be read; one of several that
        cannot is told of in the log, and the others go on."""
        tasks = [asyncio.create_task(self._keep_following(folder, deliver)) for folder in self._settings.folders]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_following(self, folder: str, deliver: Deliver) -> None:
        while True:
            try:
                await self._follow(folder, deliver)
            except TryLater as later:
                tries = self._failing[folder] = self._failing.get(folder, 0) + 1
                pause = later.after if later.after is not None else min(LONGEST_PAUSE, 0.25 * 2 ** min(tries, 7))
                if len(self._failing) == len(self._settings.folders):
                    raise TryLater(later.reason, pause) from None
                log.warning("folder not read", folder=folder, says=later.reason)
                await asyncio.sleep(pause)

    async def _follow(self, folder: str, deliver: Deliver) -> None:
        cursor, since = await self._begin(folder)
        async with aclosing(self._mailbox.follow(folder, cursor)) as batches:
            async for batch in batches:
                known = batch.rescan and since is not None
                letters = [one for one in batch.letters if not (known and _before(one, since))]
                opened = await asyncio.gather(*(self._opened(letter) for letter in letters))
                read = [self._handed_over(one) for one in opened]
                mark = self._mark(CURSOR + folder, f"{batch.cursor.validity}:{batch.cursor.uid}")
                await deliver([*(item for one in read for item in one.items), mark])
                for one in read:
                    self._equipped.courtesy.kept(one.told)
                self._failing.pop(folder, None)

    async def _begin(self, folder: str) -> tuple[Cursor | None, datetime | None]:
        """Where to go on, and from when on mail is for us: what lay there before the first start is not, even where
        the folder's UIDs begin anew."""
        kit = self._equipped.kit
        kept = await kit.recall(CURSOR)
        since = (await kit.recall(SINCE)).get(SINCE + folder)
        begun = datetime.fromisoformat(since.value) if since is not None else None
        if (mark := kept.get(CURSOR + folder)) is not None:
            validity, _, uid = mark.value.partition(":")
            return Cursor(folder, int(validity), int(uid)), begun
        if self._settings.first_read == "all":
            return None, None
        if begun is None:
            begun = kit.now()
            await kit.remember(SINCE + folder, begun.isoformat())
        cursor = await self._mailbox.end_of(folder)
        await kit.remember(CURSOR + folder, f"{cursor.validity}:{cursor.uid}")
        return cursor, begun

    def _mark(self, name: str, value: str = "") -> Mark:
        return Mark(CHANNEL, self._account, name, value)

    async def _opened(self, letter: Letter) -> "_Opened":
        """One mail read and judged. Nothing that is in it stops the others."""
        if letter.problem:
            return _Opened(letter)
        try:
            mail = await self._read(letter.raw)
            return _Opened(letter, mail, await self._judged(mail, letter.raw))
        except Exception as error:
            # What was written may stand in the error: its kind is all that is told.
            log.error("mail not read", folder=letter.folder, uid=letter.uid, error=type(error).__name__)
            return _Opened(replace(letter, problem=f"not understood: {type(error).__name__}"))

    async def _read(self, raw: bytes) -> Mail:
        limits = replace(Limits(), raw_bytes=self._settings.largest_mail)
        return await asyncio.to_thread(read_mail, raw, limits=limits, house=self._equipped.house)

    def _handed_over(self, opened: "_Opened") -> "_Read":
        """What is handed over for one mail."""
        letter, mail, desk = opened.letter, opened.mail, self._equipped
        place = f"{letter.folder}:{letter.validity}:{letter.uid}"
        if mail is None:
            return _Read((Unreadable(place, CHANNEL, self._account, letter.problem, letter.size),))
        found = joined(mail, opened.verdict, desk.kit.secret)
        if mail.problem is not None or found is None:
            return _Read((to_unreadable(mail, self._account),))
        if (bounced := self._bounced(mail)) is not None:
            return _Read((bounced,))
        repeats = self._repeats(mail, found)
        item = to_incoming(mail, found, self._account, letter.received_at or desk.kit.now(), repeats=repeats)
        quiet = mail.automatic is None and not mail.acknowledge
        told = desk.courtesy.heard(found.peer, quiet=quiet, proven=found.proof == "token")
        return _Read((item, *(self._mark(name) for name in (f"{AT}{mail.id}:{place}", *told))), told)

    def _bounced(self, mail: Mail) -> Bounced | None:
        """What a mail server says of a mail of ours; None where it is of none that we can tell."""
        found = bounced_token(mail, self._equipped.kit.secret)
        if mail.bounce is None or found is None:
            return None
        sent = message_id_for(found[0], self._account.rpartition("@")[2])
        reason = f"the mail server of the recipient says {mail.bounce.status or 'that it cannot be delivered'}"
        return Bounced(mail.id, CHANNEL, self._account, sent, mail.bounce.final, reason)

    async def _judged(self, mail: Mail, raw: bytes) -> Verdict:
        """How far From is believed; DNS is asked only where no trusted server has said it, and not for long."""
        loop = asyncio.get_running_loop()
        pinned = self._settings.trusted_authserv_id
        rests = not self._settings.check_signatures or loop.time() < self._dns_rests_until
        lookup = None if rests else self._lookup
        judging = self._in_thread(partial(judge, mail, raw, authserv_id=pinned, lookup=lookup))
        try:
            verdict = await asyncio.wait_for(judging, JUDGED_WITHIN)
        except TimeoutError:
            verdict = Verdict(Trust.UNKNOWN, "the signature could not be checked in time")
        if lookup is not None:
            self._dns_failures = self._dns_failures + 1 if verdict.trust is Trust.UNKNOWN else 0
            if self._dns_failures >= DNS_FAILURES:
                self._dns_rests_until = loop.time() + DNS_REST
        return verdict

    async def _in_thread(self, work: "partial[T]") -> T:
        return await asyncio.get_running_loop().run_in_executor(self._judges, work)

    def _repeats(self, mail: Mail, found: Joined) -> bool:
        """Whether the same words came from there before, as from a machine that does not say it is one."""
        before = self._last.pop(str(found.peer), None)
        words = hashlib.sha256(mail.new_text.encode("utf-8", "replace")).digest()
        self._last[str(found.peer)] = _Last(mail.id, mail.message_id, words)
        if len(self._last) > MOST_CORRESPONDENTS:
            self._last.popitem(last=False)
        same = before is not None and before.id != mail.id and before.words == words
        return same and len(mail.new_text) >= ROBOTS_WORDS

    # ----------------------------------------------------------------------------------------------------- speaking

    async def send(self, message: Outgoing) -> Sent:
        """Hand it over as a mail. Raises `TryLater`, also where it may have been taken, or `Undeliverable`."""
        desk = self._equipped
        peer = Peer.parse(message.address.peer)
        if is_automatic(message):
            objection = await desk.courtesy.objection(message.key, peer, message.purpose)
            if objection is not None:
                raise Undeliverable(objection)
        letterhead, raw = self._written(desk, message, peer)
        tries = self._put_off.pop(message.key, 0)
        try:
            await self._relay.send(Envelope(envelope_sender(message, letterhead), (peer.address,), raw))
        except TryLater as later:
            self._put_off[message.key] = tries + 1
            if len(self._put_off) > MOST_PUT_OFF:
                self._put_off.popitem(last=False)
            # A pause that is named lets the desk go on for days, as a mail server would.
            pause = later.after if later.after is not None else min(LONGEST_PUT_OFF, float(1 << min(tries, 10)))
            raise TryLater(later.reason, pause) from None
        return Sent(message_id(message, letterhead))

    def _written(self, desk: "_Desk", message: Outgoing, peer: Peer) -> tuple[Letterhead, bytes]:
        playbook, language = desk.kit.playbook, message.language
        name = playbook.label("mail_signature", language)
        subject = playbook.label("mail_subject", language, reference=message.reference) if message.reference else name
        closing = [name, playbook.label("mail_footer", language)]
        if message.purpose is Purpose.WARNING:
            closing.insert(0, playbook.label("mail_copies", language))
        letterhead = Letterhead(self._account, name, desk.kit.secret, self._signing)
        last = self._last.get(str(peer))
        answered = message_id_of(message.reply_to or "") or (last.message_id if last is not None else None)
        try:
            raw = compose(
                message,
                letterhead,
                subject=subject,
                date=desk.kit.now(),
                references=(answered,) if answered else (),
                closing="\n".join(closing),
            )
        except ValueError:
            raise Undeliverable("the address cannot be written to") from None
        return letterhead, raw

    # -------------------------------------------------------------------------------------------- files and removing

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        """The content of a file, read from the mail anew, if it has at most *most* bytes.

        Raises `TryLater`, or `Undeliverable` where the file is larger or the mail gone.
        """
        if file.size > most:
            raise Undeliverable(f"the file has more than {most} bytes")
        mail = await self._brought(message_id)
        number = int(file.id) if file.id.isdecimal() and len(file.id) < 9 else -1
        if not 0 <= number < len(mail.attachments):
            raise Undeliverable("the mail has no such file")
        content = mail.attachments[number].content
        if len(content) > most:
            raise Undeliverable(f"the file has more than {most} bytes")
        return content

    async def _brought(self, message_id: str) -> Mail:
        known = message_id.partition(" ")[0]
        for folder, validity, uid in await self._places(message_id):
            async with self._at_server:
                raw = await self._mailbox.bring(folder, validity, uid)
            if raw is None:
                continue
            mail = await self._read(raw)
            if mail.id == known:
                return mail
        raise Undeliverable("the mail is not on the server any more")

    async def erase(self, address: Address, message_id: str) -> None:
        """Remove every copy of the mail from the server. One that is gone counts as removed.

        Raises `TryLater`, or `Undeliverable` where `email.purge_secrets` is off or the server cannot.
        """
        if not self._settings.purge_secrets:
            raise Undeliverable("email.purge_secrets is off")
        refusals: list[Undeliverable] = []
        places = await self._places(message_id)
        for folder, validity, uid in places:
            async with self._at_server:
                try:
                    await self._mailbox.purge(folder, validity, [uid])
                except Undeliverable as never:
                    refusals.append(never)
        if len(refusals) == len(places):
            raise refusals[0] if refusals else Undeliverable("nobody knows where the mail lies")

    async def _places(self, message_id: str) -> list[tuple[str, int, int]]:
        """Where copies of the mail lie or lay: folder, UIDVALIDITY and UID of each, the newest first."""
        prefix = f"{AT}{message_id.partition(' ')[0]}:"
        marks = await self._equipped.kit.recall(prefix)
        newest = sorted(marks, key=lambda name: marks[name].at, reverse=True)
        told = (name.removeprefix(prefix).rsplit(":", 2) for name in newest)
        return [(folder, int(validity), int(uid)) for folder, validity, uid in told]

    # ------------------------------------------------------------------------------------------------------ looking

    async def check(self) -> Sequence[Finding]:
        """Getting in on both sides, what the mailbox can do, a mail to ourselves, and what DNS says of our domain."""
        mailbox, relay = await self._check_mailbox(), await self._check_relay()
        findings = [*mailbox, relay]
        trial = Tried()
        if all(one.well for one in findings if one.subject in {"email.imap", "email.folders", "email.smtp"}):
            trial = await tried(self._settings, self._tokens, self._relay, self._occasion())
        findings += [*trial.findings, self._check_trust()]
        hints = self._in_thread(partial(names.hints, self._account, self._signing, trial, self._lookup))
        try:
            return [*findings, *await asyncio.wait_for(hints, JUDGED_WITHIN)]
        except TimeoutError:
            says = "SPF, DKIM and DMARC: not looked up, DNS does not answer here"
            return [*findings, Finding("email.address", True, says)]

    async def _check_mailbox(self) -> list[Finding]:
        chosen = self._settings
        try:
            look = await self._mailbox.look()
        except (TryLater, Undeliverable) as error:
            return [Finding("email.imap", False, error.reason)]
        way = "tells of new mail (IDLE)" if look.idles else f"cannot IDLE: looked at every {chosen.poll_seconds:g} s"
        return [
            Finding("email.imap", True, f"logged in as {chosen.imap.user}; the server {way}"),
            _folders(look, chosen),
            *_purging(look, chosen),
            *_quota(look),
        ]

    async def _check_relay(self) -> Finding:
        try:
            await self._relay.greet()
        except (TryLater, Undeliverable) as error:
            return Finding("email.smtp", False, error.reason)
        return Finding("email.smtp", True, "the sending server lets us in")

    def _check_trust(self) -> Finding:
        pinned = self._settings.trusted_authserv_id
        if pinned:
            return Finding("email.trusted_authserv_id", True, f"what {pinned} says of senders is believed")
        how = (
            "senders are believed by their DKIM signatures"
            if self._settings.check_signatures
            else "no sender is believed"
        )
        return Finding(
            "email.trusted_authserv_id", True, f"not set: {how}, and each other mail opens its own conversation"
        )

    async def close(self) -> None:
        self._judges.shutdown(wait=False, cancel_futures=True)


_CANNOT_PURGE = (
    "the server can neither remove nor move single mails: set email.purge_secrets = false and remove by hand"
)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the desk lends, and what follows from it."""

    kit: Kit
    courtesy: Courtesy
    house: House


@dataclass(frozen=True, slots=True)
class _Opened:
    """A mail as it lies on the server, read and judged; not read where the letter has a problem."""

    letter: Letter
    mail: Mail | None = None
    verdict: Verdict = NOT_JUDGED


@dataclass(frozen=True, slots=True)
class _Read:
    """What is handed over for one mail; *told* are the marks among it that tell of its writer."""

    items: tuple[Incoming | Unreadable | Bounced | Mark, ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Last:
    """What came last from a peer: which mail, and a hash of its words."""

    id: str
    message_id: str | None
    words: bytes


def _before(letter: Letter, since: datetime | None) -> bool:
    return since is not None and letter.received_at is not None and letter.received_at < since - CLOCKS_APART


def _folders(look: Look, chosen: EmailSettings) -> Finding:
    if look.missing:
        return Finding("email.folders", False, f"not on the server: {', '.join(look.missing)}; correct email.folders")
    return Finding("email.folders", True, f"read: {', '.join(chosen.folders)}")


def _purging(look: Look, chosen: EmailSettings) -> list[Finding]:
    if look.purges or not chosen.purge_secrets:
        return []
    says = "the server can neither remove nor move single mails: set it to false, and remove secrets by hand"
    return [Finding("email.purge_secrets", False, says)]


def _quota(look: Look) -> list[Finding]:
    if look.quota is None or look.quota.limit <= 0:
        return []
    share = look.quota.used / look.quota.limit
    says = f"{share:.0%} of {look.quota.limit // 1024} MB are used"
    if share >= NEARLY_FULL:
        return [Finding("email.quota", False, f"{says}: make room, or new mail will be refused")]
    return [Finding("email.quota", True, says)]
