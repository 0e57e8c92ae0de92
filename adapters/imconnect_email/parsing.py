"""One mail as `imconnect mail parse` shows it."""

from dataclasses import dataclass, field

from imconnect_email.mail import Bounce
from imconnect_email.reading import read_mail
from imconnect_email.trust import Trust, judge


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file of a mail."""

    name: str = field(repr=False)
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read of a mail, in the words of the command's promise."""

    sender: str | None
    trusted: bool
    trust_reason: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    new_text: str = field(repr=False)
    message_id: str | None
    references: tuple[str, ...]
    automatic: str | None
    bounce: Bounce | None
    attachments: tuple[ParsedFile, ...]
    remarks: tuple[str, ...]
    problem: str | None


def parse(raw: bytes, trusted_authserv_id: str | None) -> Parsed:
    """*raw* read and judged by what our server says of it. Never raises, and asks no network."""
    mail = read_mail(raw)
    verdict = judge(mail, raw, authserv_id=trusted_authserv_id)
    return Parsed(
        sender=mail.sender.address if mail.sender is not None else None,
        trusted=verdict.trust is Trust.TRUSTED,
        trust_reason=verdict.reason,
        subject=mail.subject,
        text=mail.text,
        new_text=mail.new_text,
        message_id=mail.message_id,
        references=tuple(dict.fromkeys((*mail.references, *mail.in_reply_to))),
        automatic=mail.automatic.value if mail.automatic is not None else None,
        bounce=mail.bounce,
        attachments=tuple(ParsedFile(one.name, one.media_type, one.size) for one in mail.attachments),
        remarks=tuple(sorted(remark.value for remark in mail.remarks)),
        problem=mail.problem,
    )
