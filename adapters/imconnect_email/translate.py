"""Mail as messages, and messages as mail. Pure, both ways."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from imconnect.domain.drafting import TOPIC_CHOICE
from imconnect.domain.messages import (
    Address,
    Attachment,
    Handle,
    Incoming,
    Language,
    Outgoing,
    Purpose,
    Remark,
    Unreadable,
)
from imconnect.domain.triage import HUMAN
from imconnect_email import mail as reading
from imconnect_email.automatic import LOOP_FIELD
from imconnect_email.headers import address_of, message_ids, one_line
from imconnect_email.mail import Mail
from imconnect_email.quotes import MARKER
from imconnect_email.signatures import Signing, signed
from imconnect_email.threading import Joined, Peer, message_id_for, reply_address, token_for

CHANNEL = "email"
SIGNATURE_LINE = "-- "

_ID_SEPARATOR = " "
_REFERENCES = 20
_ANSWERS = re.compile(r"\s*(?:re|aw|sv|fwd?|回复|回覆|答复|转发)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE)


# ------------------------------------------------------------------------------------------------------------ reading


def to_incoming(
    mail: Mail, joined: Joined, account: str, received_at: datetime, *, repeats: bool = False
) -> Incoming | Unreadable:
    """What *mail* says, at the peer it belongs to. What was quoted is left out; a first mail begins with its subject.

    The time is that of our server: a Date is whatever its writer typed. `automatic`: a machine wrote it, or the same
    words came again and again. Whoever wants no automatic mail is led to a person, for nobody else may answer.
    """
    if mail.problem is not None or mail.sender is None:
        return to_unreadable(mail, account)
    automatic = repeats or mail.automatic is not None
    return Incoming(
        id=incoming_id(mail),
        address=Address(CHANNEL, account, str(joined.peer)),
        author=Handle(mail.sender.address, mail.sender.name),
        text=_said(mail),
        sent_at=received_at,
        attachments=tuple(
            Attachment(str(number), one.name, one.media_type, one.size) for number, one in enumerate(mail.attachments)
        ),
        choice=None if automatic or mail.acknowledge else TOPIC_CHOICE + HUMAN,
        language_hint=_language_of(f"{mail.subject} {mail.new_text}"),
        automatic=automatic,
        quoted=_quoted(mail),
        remarks=_remarks(mail, joined),
    )


def to_unreadable(mail: Mail, account: str) -> Unreadable:
    """A mail that is left to an operator, told by its size and the reason alone."""
    return Unreadable(mail.raw_hash[:32], CHANNEL, account, mail.problem or "no sender", mail.size)


def _said(mail: Mail) -> str:
    answers = bool(mail.in_reply_to or mail.references or _ANSWERS.match(mail.subject))
    subject = "" if answers and mail.new_text else mail.subject
    return "\n\n".join(filter(None, (subject, mail.new_text)))


def _quoted(mail: Mail) -> str:
    """What the mail repeats of earlier ones: what follows the new text, or all where the two are interwoven."""
    if not mail.new_text or mail.text.strip() == mail.new_text.strip():
        return ""
    return mail.text.removeprefix(mail.new_text).strip("\n")


_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[a-z]{2,}", re.IGNORECASE)


def _language_of(text: str) -> Language | None:
    """The language a mail seems to be in; None where it has no words."""
    if _HAN.search(text):
        return Language.CHINESE
    return Language.ENGLISH if _LATIN_WORD.search(text) else None


_AGENTS_SHOULD_KNOW = {
    reading.Remark.NAME_SHOWS_AN_ADDRESS: Remark.NAME_HIDES_ADDRESS,
    reading.Remark.NAME_IS_DISGUISED: Remark.NAME_HIDES_ADDRESS,
    reading.Remark.LOOKALIKE_DOMAIN: Remark.LOOKALIKE_SENDER,
    reading.Remark.REPLY_ELSEWHERE: Remark.REPLY_TO_DIFFERS,
    reading.Remark.MISLEADING_LINK: Remark.LINK_HIDES_TARGET,
}


def _remarks(mail: Mail, joined: Joined) -> tuple[Remark, ...]:
    found = {one for remark, one in _AGENTS_SHOULD_KNOW.items() if remark in mail.remarks}
    if joined.proof is None:
        found.add(Remark.UNVERIFIED_SENDER)
    return tuple(one for one in Remark if one in found)


def incoming_id(mail: Mail) -> str:
    """The message's id: the mail's own, and its Message-ID where it has one, so that an answer can name it."""
    return mail.id if mail.message_id is None else f"{mail.id}{_ID_SEPARATOR}{mail.message_id}"


def message_id_of(incoming: str) -> str | None:
    """The Message-ID of the mail that `incoming_id` named."""
    return incoming.partition(_ID_SEPARATOR)[2] or None


# ------------------------------------------------------------------------------------------------------------ writing


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What all our mails have in common: who we are, and the secret our tokens are made with."""

    address: str
    name: str
    secret: bytes = field(repr=False)
    signing: Signing | None = None


def is_automatic(message: Outgoing) -> bool:
    """Whether no person says it: all but an agent's reply. Such a mail goes out with an empty envelope sender."""
    return message.purpose is not Purpose.REPLY


def envelope_sender(message: Outgoing, letterhead: Letterhead) -> str:
    """Whom servers tell of a failure: nobody for automatic mail (RFC 3834, 3.3), so that none can answer another.

    Failures of the others come to the address with the token, and so find their send.
    """
    return "" if is_automatic(message) else letterhead.address


def message_id(message: Outgoing, letterhead: Letterhead) -> str:
    """The Message-ID of *message*: the same however often it is sent."""
    token = token_for(message.key, Peer.parse(message.address.peer), letterhead.secret)
    return message_id_for(token, letterhead.address.rpartition("@")[2])


def compose(
    message: Outgoing,
    letterhead: Letterhead,
    *,
    subject: str,
    date: datetime,
    references: tuple[str, ...] = (),
    marker: str = MARKER,
    closing: str = "",
) -> bytes:
    """*message* as the bytes of a mail. *subject* and *closing*, what stands at the end of every mail, are the desk's
    own words; *references* are the thread's Message-IDs, the last of them the one that is answered.

    Nothing of the customer's is in it but their address. Raises `ValueError` where the peer holds no address.
    """
    peer = Peer.parse(message.address.peer)
    recipient = address_of(peer.address)
    if recipient is None:
        raise ValueError("the peer is no address")
    token = token_for(message.key, peer, letterhead.secret)
    mail = EmailMessage(policy=policy.SMTP.clone(utf8=not _wire(recipient).isascii(), max_line_length=78))
    mail["Date"] = format_datetime(date)
    mail["From"] = _mailbox(letterhead.name, letterhead.address)
    mail["Reply-To"] = _mailbox(letterhead.name, reply_address(token, letterhead.address))
    mail["To"] = _wire(recipient)
    mail["Subject"] = one_line(subject)
    mail["Message-ID"] = message_id_for(token, letterhead.address.rpartition("@")[2])
    thread = [one for one in references if message_ids(one.encode("utf-8", "replace")) == (one,)]
    if thread:
        mail["In-Reply-To"] = thread[-1]
        mail["References"] = " ".join([thread[0], *thread[1:][-(_REFERENCES - 1) :]])
    if is_automatic(message):
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
        mail[LOOP_FIELD] = token.key
    text = _plain(message, marker, closing)
    _add_bodies(mail, text, token.key)
    raw = mail.as_bytes()
    return raw if letterhead.signing is None else signed(raw, letterhead.signing)


def _mailbox(name: str, address: str) -> str:
    """A mailbox field's text. The name is quoted, so that nothing in it is taken for an address."""
    plain = one_line(name).replace("\\", "").replace('"', "")
    return f'"{plain}" <{_wire(address)}>' if plain else _wire(address)


def _wire(address: str) -> str:
    """An address as servers take it: the domain in IDNA. A local part beyond ASCII needs SMTPUTF8 (RFC 6531)."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except ValueError:
        return address


def _plain(message: Outgoing, marker: str, closing: str) -> str:
    """What is said, with the choices as numbered lines; our marker on top tells later what we wrote. What closes it
    stands below the line that mail programs know a signature by (RFC 3676, 4.3)."""
    choices = "\n".join(f"{number}. {choice.label}" for number, choice in enumerate(message.choices, 1))
    said = "\n\n".join(filter(None, (message.text.strip(), choices)))
    signature = f"{SIGNATURE_LINE}\n{closing.strip()}" if closing.strip() else ""
    return "\n\n".join(filter(None, (marker, _printable(said), _printable(signature)))) + "\n"


def _printable(text: str) -> str:
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", text.replace("\r\n", "\n").replace("\r", "\n"))


def _add_bodies(mail: EmailMessage, text: str, key: str) -> None:
    # Base 64 keeps CJK whole at any line length; what is mostly ASCII stays readable as it is.
    encoding = "quoted-printable" if sum(letter.isascii() for letter in text) * 2 > len(text) else "base64"
    mail.set_content(text, subtype="plain", charset="utf-8", cte=encoding)
    mail.add_alternative(as_html(text), subtype="html", charset="utf-8", cte=encoding)
    mail.set_boundary(f"=_{key}")


_URL = re.compile(r"https?://[!-;=?-~]+[!-+\-/-9=?-~]")


def as_html(text: str) -> str:
    """*text* as a small page: a paragraph each, its direction by its own letters, links shown whole, nothing remote."""
    paragraphs = "\n".join(
        f'<p dir="auto" style="unicode-bidi:plaintext">{_marked_up(one)}</p>'
        for one in re.split(r"\n{2,}", text.strip())
    )
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n'
        '<body style="font-family:sans-serif;line-height:1.5">\n'
        f"{paragraphs}\n</body></html>\n"
    )


def _marked_up(paragraph: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in _URL.finditer(paragraph):
        url = escape(found[0])
        pieces += [escape(paragraph[at : found.start()]), f'<a href="{url}">{url}</a>']
        at = found.end()
    return "".join([*pieces, escape(paragraph[at:])]).replace("\n", "<br>\n")
