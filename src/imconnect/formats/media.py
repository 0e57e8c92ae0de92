"""What a file is by its content, and the text in it, whatever its sender and its name claim."""

import codecs
import re
import unicodedata

import puremagic

UNKNOWN = "application/octet-stream"

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftyp", 4, "video/mp4"),
    (b"%PDF-", 0, "application/pdf"),
    (b"PK\x03\x04", 0, "application/zip"),
    (b"SQLite format 3\0", 0, "application/vnd.sqlite3"),
)
"""What people send most, by what these formats begin with; puremagic knows the rest, and guesses at some of these."""
_MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = bytes({*range(32), 0x7F} - {*b"\b\t\n\v\f\r\x1a\x1b"})
_MOST_CONTROL = 0.002
_LOOKED_AT = 65_536
_CLOSE = 0.25
_HEADER = re.compile(
    r"(?:from |(?:received|return-path|delivered-to|message-id|mime-version|from|date|subject|x-[\w-]{1,40}): ?\S)",
    re.IGNORECASE,
)
_HTML = re.compile(
    r"\s{0,80}(?:<!--[^>]{0,400}-->\s{0,80})?<(?:!doctype html|html|head|body|table|div|p)\b", re.IGNORECASE
)
_SVG = re.compile(r"\s{0,80}(?:<\?xml[^>]{0,200}>\s{0,80})?(?:<!doctype svg[^>]{0,400}>\s{0,80})?<svg\b", re.IGNORECASE)
_JSON = re.compile(r"\s{0,80}(?:\{\s{0,80}[\"}]|\[\s{0,80}[\[{\"\d\]-])")

# Older encodings, each with the letters that ordinary text in it is made of.
_OLDER = (
    ("gb18030", re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e\u2010-\u2026]")),
    ("big5", re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e\u2010-\u2026]")),
    ("cp932", re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u3000-\u303f]")),
    ("cp949", re.compile(r"[\uac00-\ud7a3]")),
    ("cp1251", re.compile(r"(?<=[а-яёА-ЯЁ])[а-яё]|[а-яё](?=[а-яё])")),
    ("koi8-r", re.compile(r"(?<=[а-яёА-ЯЁ])[а-яё]|[а-яё](?=[а-яё])")),
    ("cp1252", re.compile(r"(?<=[A-Za-z])[à-ÿÀ-Ý]|[à-ÿÀ-Ý](?=[A-Za-z])")),
    ("cp1254", re.compile(r"(?<=[A-Za-z])[à-žÀ-Ž]|[à-žÀ-Ž](?=[A-Za-z])")),
    ("cp1250", re.compile(r"(?<=[A-Za-z])[à-žÀ-Ž]|[à-žÀ-Ž](?=[A-Za-z])")),
)
_COMMONEST = frozenset(
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天"
    "而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些"
    "这個來說們為時會過對裡後麼沒於還發當開種與給請問錢包币提现转账币怎什办钱请问"
)
"""The Han characters that stand in every ordinary text, in both scripts."""
_KANA = re.compile("[\u3040-\u30ff]")
_COMMON_SYLLABLES = frozenset("이가은는을를에의로다하고기지사자리인정도어나시대한요서아니라해수보그일게있")
_WIDE_TEXT = re.compile(r"[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7a3\u3000-\u303f\uff01-\uff5e\u0400-\u045f\x20-\x7e\s]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def media_type(content: bytes) -> str:
    """The type of *content* (RFC 6838): one of an exact signature first, then of text, then what it resembles."""
    for mark, at, kind in _SIGNATURES:
        if content.startswith(mark, at):
            return _office(content) if kind == "application/zip" else kind
    text = text_of(content[:_LOOKED_AT])
    if text is not None:
        return _kind_of_text(text)
    try:
        guess: str = puremagic.from_string(content[:_LOOKED_AT], mime=True)  # pyright: ignore[reportUnknownMemberType]  # puremagic leaves PathLike open
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    return guess or UNKNOWN


def is_mail(text: str) -> bool:
    """Whether *text* is a mail in the form of RFC 5322: two header fields to begin with."""
    lines = text.lstrip("\ufeff\r\n ")[:2_000].splitlines()
    fields = [line for line in lines if not line.startswith((" ", "\t"))][:2]
    return len(fields) == 2 and all(_HEADER.match(field) for field in fields)


def is_html(text: str) -> bool:
    return _HTML.match(text) is not None


def text_of(content: bytes) -> str | None:
    """The text *content* is, or None where it is no text: by its mark, as UTF-8, UTF-16 or an older encoding.

    A character that was cut in two at the end does not matter.
    """
    return next(iter(texts_of(content)), None)


def texts_of(content: bytes) -> tuple[str, ...]:
    """Every text that *content* may well be, the likeliest first: few letters do not tell the older encodings apart."""
    for mark, encoding in _MARKED:
        if content.startswith(mark):
            return _only(_readable(_decoded(content, encoding)))
    if len(content.translate(None, _CONTROL)) < len(content) * (1 - _MOST_CONTROL):
        return _only(_wide(content))
    text = _decoded(content, "utf-8")
    return _older(content) if text is None else (text,)


def _only(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


def _readable(text: str | None) -> str | None:
    """*text* unless it is mostly characters that no text has: then the mark was chance."""
    if text is None or not text:
        return text
    odd = sum(unicodedata.category(letter) in ("Cn", "Co", "Cs") for letter in text[:_LOOKED_AT])
    return None if odd > 0.05 * min(len(text), _LOOKED_AT) else text


def _wide(content: bytes) -> str | None:
    """UTF-16 without its mark: read the wrong way round, or where it is none, its letters are of no script we know."""
    read = [
        text
        for encoding in ("utf-16-le", "utf-16-be")
        if (text := _decoded(content, encoding))
        and len(_WIDE_TEXT.findall(text[:_LOOKED_AT])) >= 0.95 * len(text[:_LOOKED_AT])
    ]
    return max(read, key=_ordinary, default=None)


def _ordinary(text: str) -> tuple[int, int]:
    """How much of *text* is ASCII, and how many of its Han characters are the commonest."""
    part = text[:_LOOKED_AT]
    return len(part) - len(_NOT_ASCII.findall(part)), sum(letter in _COMMONEST for letter in part)


def _older(content: bytes) -> tuple[str, ...]:
    """The text in the older encodings whose letters it fits; Latin-1, which takes every byte, where it fits none."""
    read: list[tuple[float, str]] = []
    for encoding, ordinary in _OLDER:
        decoded = _decoded(content, encoding)
        if decoded is not None:
            part = decoded[:_LOOKED_AT]
            foreign = len(_NOT_ASCII.findall(part))
            fit = len(ordinary.findall(part)) / foreign if foreign else 1.0
            read.append((fit * _usual(part, encoding), decoded))
    best = max((fit for fit, _ in read), default=0.0)
    if best <= 0.3:
        return (content.decode("latin-1"),)
    near = sorted((each for each in read if each[0] >= best - _CLOSE), key=lambda each: -each[0])
    return tuple(dict.fromkeys(text for _, text in near))


def _usual(text: str, encoding: str) -> float:
    """How usual the letters are for the encoding: GB 2312 and Big5 put the common characters first."""
    if encoding == "cp949":
        syllables = [letter for letter in text if "\uac00" <= letter <= "\ud7a3"]
        usual = sum(letter in _COMMON_SYLLABLES for letter in syllables)
        return 0.5 + 0.4 * min(1.0, 8 * usual / max(1, len(syllables)))
    if encoding == "cp932":
        return 0.9 if _KANA.search(text) else 0.3
    if encoding not in ("gb18030", "big5"):
        return 0.9
    letters = [letter for letter in text if "\u4e00" <= letter <= "\u9fff"]
    if not letters:
        return 0.5
    raw = [letter.encode(encoding) for letter in letters]
    first = sum(b"\xb0\xa1" <= each <= b"\xd7\xfe" and each[1] > 0xA0 for each in raw)
    if encoding == "big5":
        first = sum(each <= b"\xc6\x7e" for each in raw)
    commonest = sum(letter in _COMMONEST for letter in letters)
    return 0.6 * max(0.5, first / len(letters)) + 0.4 * min(1.0, 3 * commonest / len(letters))


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError:
        return None


def _kind_of_text(text: str) -> str:
    if is_html(text):
        return "text/html"
    if _SVG.match(text):
        return "image/svg+xml"
    if is_mail(text):
        return "message/rfc822"
    return "application/json" if _JSON.match(text) else "text/plain"


def _office(content: bytes) -> str:
    """Office documents are archives that name their kind in an early entry (ECMA-376 part 2)."""
    if b"[Content_Types].xml" not in content[:4_096]:
        return "application/zip"
    for entry, kind in _ENTRIES.items():
        if entry in content:
            return f"application/vnd.openxmlformats-officedocument.{kind}"
    return "application/zip"


_ENTRIES = {
    b"word/": "wordprocessingml.document",
    b"xl/": "spreadsheetml.sheet",
    b"ppt/": "presentationml.presentation",
}
