"""Bytes of any mail, real or hostile, as a value. Pure: no network, no clock, and nothing raises."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from imconnect_email.automatic import automatic_kind, may_acknowledge
from imconnect_email.body import WINMAIL, Body, read_body
from imconnect_email.bounces import bounce_of
from imconnect_email.headers import all_of, date_of, fields_of, first_of, mailboxes, message_ids, parameters, words
from imconnect_email.identity import remarks_on, senders_of
from imconnect_email.mail import AutomaticKind, Field, House, Limits, Mail, Mailbox, Remark
from imconnect_email.mime import Part, TooMuch, head_end, parts_of
from imconnect_email.quotes import cut

LIMITS = Limits()
NOBODY = House()

_RECIPIENT_FIELDS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")
_RECIPIENTS = 200
_REFERENCES = 100
_ANSWERS = re.compile(r"\s*(?:re|aw|sv|antw|回复|回覆|答复|答覆|回信)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE)

_NOBODY_SAID: tuple[Mailbox | None, frozenset[Remark]] = (None, frozenset())
_NO_MAILBOXES: tuple[Mailbox, ...] = ()
_NO_IDS: tuple[str, ...] = ()

T = TypeVar("T")


def read_mail(raw: bytes, *, limits: Limits = LIMITS, house: House = NOBODY) -> Mail:
    """*raw* read. What passes a limit or cannot be answered has a `problem`, and as much as could be read."""
    digest = hashlib.sha256(raw).hexdigest()
    mail = Mail(id=digest[:32], raw_hash=digest, size=len(raw))
    try:
        return _read(_with_newlines(raw[: limits.raw_bytes]), mail, limits, house)
    except Exception as error:
        return replace(mail, problem=f"not understood: {type(error).__name__}")


def _with_newlines(raw: bytes) -> bytes:
    """Some files have carriage returns alone."""
    return raw if b"\n" in raw[:65_536] else raw.replace(b"\r", b"\n")


def _read(raw: bytes, mail: Mail, limits: Limits, house: House) -> Mail:
    stop, begin = head_end(raw, 0, min(len(raw), limits.header_bytes))
    fields = tuple(fields_of(raw[:stop]))
    mail = replace(mail, fields=fields[: limits.headers])
    problem = None
    if mail.size > limits.raw_bytes:
        problem = f"larger than {limits.raw_bytes} bytes"
    elif stop >= limits.header_bytes:
        problem = f"a header of more than {limits.header_bytes} bytes"
    elif len(fields) > limits.headers:
        problem = f"more than {limits.headers} header fields"
    if problem is not None:
        return _with_headers(replace(mail, problem=problem), _charset_of(mail.fields), house)
    try:
        root = parts_of(raw, fields, (begin, len(raw)), limits)
    except TooMuch as limit:
        return _with_headers(replace(mail, problem=str(limit)), _charset_of(fields), house)
    mail = _with_headers(mail, _charset_in(root), house)
    mail = replace(mail, id=_id_of(raw, begin, mail))
    try:
        mail = _with_body(mail, read_body(raw, root, limits))
    except TooMuch as limit:
        return replace(mail, problem=str(limit))
    except Exception as error:
        return replace(mail, problem=f"not understood: {type(error).__name__}")
    if mail.sender is None:
        mail = replace(mail, problem="no sender: From is missing or holds no address")
    return _with_bounce(raw, mail, root)


def _attempt(read: Callable[[], T], otherwise: T) -> T:
    """One field that cannot be read takes no other with it."""
    try:
        return read()
    except Exception:
        return otherwise


def _charset_of(fields: tuple[Field, ...]) -> str:
    return parameters(first_of(fields, "content-type"))[1].get("charset", "")


def _charset_in(root: Part) -> str:
    """The charset the mail names first: the likeliest for what names none."""
    return next((part.params["charset"] for part in root.walk() if part.params.get("charset")), "")


def _with_headers(mail: Mail, hint: str, house: House) -> Mail:
    fields = mail.fields
    sender, remarks = _attempt(lambda: senders_of(fields, hint), _NOBODY_SAID)
    reply_to = _attempt(lambda: _mailboxes(fields, ("reply-to",), hint), _NO_MAILBOXES)
    subject = _attempt(lambda: words(first_of(fields, "subject"), hint), "")
    ids = _attempt(lambda: message_ids(first_of(fields, "message-id")), _NO_IDS)
    automatic = _attempt(lambda: automatic_kind(fields, sender, subject, house), None)
    if not ids:
        remarks |= {Remark.ODD_MESSAGE_ID}
    return replace(
        mail,
        sender=sender,
        message_id=ids[0] if ids else None,
        in_reply_to=_attempt(lambda: message_ids(first_of(fields, "in-reply-to")), ()),
        references=_attempt(lambda: message_ids(b" ".join(all_of(fields, "references")))[-_REFERENCES:], ()),
        recipients=_attempt(lambda: _mailboxes(fields, _RECIPIENT_FIELDS, hint), ()),
        reply_to=reply_to,
        date=_attempt(lambda: date_of(first_of(fields, "date")), None),
        subject=subject,
        automatic=automatic,
        acknowledge=automatic is None and _attempt(lambda: may_acknowledge(fields, sender), False),
        remarks=remarks | _attempt(lambda: remarks_on(sender, reply_to, house), frozenset[Remark]()),
    )


def _mailboxes(fields: tuple[Field, ...], names: tuple[str, ...], hint: str) -> tuple[Mailbox, ...]:
    written = (one.mailbox for raw in all_of(fields, *names)[:50] for one in mailboxes(raw, hint))
    return tuple({box.address: box for box in written}.values())[:_RECIPIENTS]


def _id_of(raw: bytes, begin: int, mail: Mail) -> str:
    """Names a mail by what its writer made of it: the fields on the way differ from copy to copy, and a Message-ID
    may be missing or serve twice."""
    digest = hashlib.sha256()
    for name in ("message-id", "from", "date", "subject"):
        digest.update(name.encode() + b":" + first_of(mail.fields, name)[:1_000] + b"\n")
    digest.update(hashlib.sha256(raw[begin:].replace(b"\r\n", b"\n").rstrip()).digest())
    return digest.hexdigest()[:32]


def _with_body(mail: Mail, body: Body) -> Mail:
    answers = bool(mail.in_reply_to or mail.references or _ANSWERS.match(mail.subject))
    text = body.text.strip("\n")
    remarks: set[Remark] = set(mail.remarks)
    if any(link.misleading for link in body.links):
        remarks.add(Remark.MISLEADING_LINK)
    if body.encrypted or text.lstrip().startswith("-----BEGIN PGP MESSAGE-----"):
        remarks.add(Remark.ENCRYPTED)
    if any(one.media_type in WINMAIL or one.name.lower() == "winmail.dat" for one in body.attachments):
        remarks.add(Remark.WINMAIL)
    return replace(
        mail,
        text=text,
        new_text=_attempt(lambda: cut(text, reply=answers, subject=mail.subject).new, text),
        attachments=tuple(body.attachments),
        links=tuple(body.links),
        remarks=frozenset(remarks),
    )


def _with_bounce(raw: bytes, mail: Mail, root: Part) -> Mail:
    bounce = _attempt(lambda: bounce_of(raw, mail.fields, root, mail.sender, mail.subject, mail.text), None)
    if bounce is None or mail.automatic is AutomaticKind.LOOP:
        return mail
    return replace(mail, bounce=bounce, automatic=AutomaticKind.BOUNCE, acknowledge=False)
