"""What a mail's parts say: its text, its files, its links."""

import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from imconnect_email.charsets import decode
from imconnect_email.flowed import unflow
from imconnect_email.headers import fields_of, first_of, message_ids, one_line, words
from imconnect_email.html import render
from imconnect_email.mail import Attached, Limits, Link
from imconnect_email.mime import Part, TooMuch, content_of, head_end

WINMAIL = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
ENCRYPTED = frozenset({"multipart/encrypted", "application/pgp-encrypted"})

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_NAME_LIMIT = 200
_BYTES_A_CHARACTER = 4
_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status", "text/rfc822-headers"})
_NAMES = {
    "text/calendar": "calendar.ics",
    "application/ms-tnef": "winmail.dat",
    "application/vnd.ms-tnef": "winmail.dat",
}


@dataclass(slots=True)
class Body:
    """What has been read so far, in the order of the parts."""

    plain: list[str] = field(default_factory=list[str])
    html: list[str] = field(default_factory=list[str])
    attachments: list[Attached] = field(default_factory=list[Attached])
    links: list[Link] = field(default_factory=list[Link])
    encrypted: bool = False
    characters: int = 0

    @property
    def text(self) -> str:
        """The plain text, or the HTML as text where there is none."""
        return "\n\n".join(piece for piece in self.plain if piece.strip()) or "\n\n".join(
            piece for piece in self.html if piece.strip()
        )


def read_body(raw: bytes, root: Part, limits: Limits) -> Body:
    """Everything the parts hold. Raises `TooMuch`."""
    reader = _Reader(raw, limits)
    reader.read(root, reader.body)
    return reader.body


class _Reader:
    def __init__(self, raw: bytes, limits: Limits) -> None:
        self.raw = raw
        self.limits = limits
        self.body = Body()

    def read(self, part: Part, into: Body) -> None:
        if part.media_type in ENCRYPTED or (
            part.media_type.endswith("pkcs7-mime") and part.params.get("smime-type", "") != "signed-data"
        ):
            self.body.encrypted = True
        if part.media_type == "multipart/alternative":
            self._read_alternatives(part, into)
        elif part.children:
            for child in part.children:
                self.read(child, into)
        elif self._is_text(part):
            self._read_text(part, into)
        elif part.media_type not in _REPORTS:
            self.body.attachments.append(self._attached(part))

    def _read_alternatives(self, part: Part, into: Body) -> None:
        """The same said in several ways: in plain text if any of them is, else in HTML."""
        said = Body()
        for child in part.children:
            one = Body()
            self.read(child, one)
            said.plain += one.plain
            said.html += one.html
        if any(piece.strip() for piece in said.plain):
            into.plain += said.plain
        else:
            into.plain += said.html  # in its place among the other parts
        into.html += said.html

    def _is_text(self, part: Part) -> bool:
        if part.media_type not in {"text/plain", "text/html"} or part.disposition == "attachment":
            return False
        return not part.filename or not (self.body.plain or self.body.html)

    def _read_text(self, part: Part, into: Body) -> None:
        start, end = part.content
        if end - start > self.limits.text_characters * _BYTES_A_CHARACTER:
            raise TooMuch(f"a text of more than {self.limits.text_characters} characters")
        text = decode(content_of(self.raw, part), part.params.get("charset", ""))
        if part.media_type == "text/html":
            rendered = render(text)
            self.body.links += rendered.links
            text = clean(rendered.text)
            into.html.append(text)
        else:
            if part.params.get("format", "").lower() == "flowed":
                text = unflow(text, delete_space=part.params.get("delsp", "").lower() == "yes")
            text = clean(text)
            into.plain.append(text)
        self.body.characters += len(text)
        if self.body.characters > self.limits.text_characters:
            raise TooMuch(f"a text of more than {self.limits.text_characters} characters")

    def _attached(self, part: Part) -> Attached:
        content = content_of(self.raw, part)
        content_id = message_ids(first_of(part.fields, "content-id"))
        return Attached(
            name=_file_name(part.filename) or self._name_for(part, content),
            media_type=part.media_type,
            content=content,
            inline=part.disposition == "inline" or (bool(content_id) and part.disposition != "attachment"),
            content_id=content_id[0].strip("<>") if content_id else None,
        )

    def _name_for(self, part: Part, content: bytes) -> str:
        """A name for a part that has none: a mail goes by its subject."""
        if part.media_type == "message/rfc822":
            stop, _ = head_end(content, 0, min(len(content), self.limits.header_bytes))
            subject = words(first_of(tuple(fields_of(content[:stop])), "subject"))
            return (_file_name(subject.replace("/", " ")) or "message") + ".eml"
        number = len(self.body.attachments) + 1
        return (
            _NAMES.get(part.media_type)
            or f"{number}{mimetypes.guess_extension(part.media_type, strict=False) or '.bin'}"
        )


def clean(text: str) -> str:
    """*text* with one kind of line end and without control characters."""
    return (
        _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).replace("\u2028", "\n").replace("\xa0", " ")
    )


def _file_name(typed: str) -> str:
    """The last part of a path somebody typed, on one line: nothing a file system would read as a way out."""
    name = PurePosixPath(one_line(typed).replace("\\", "/")).name.strip(". ")
    stem, dot, ending = name.rpartition(".")
    if len(name) > _NAME_LIMIT and dot and len(ending) < 20:
        return stem[: _NAME_LIMIT - len(ending) - 1] + "." + ending
    return name[:_NAME_LIMIT]
