"""Bytes to text, whatever charset a mail claims. Nothing is lost and nothing raises: at worst a letter is replaced."""

import codecs
import re

from charset_normalizer import from_bytes

ALIASES = {
    # What calls itself GB2312 is GBK or GB18030 in practice, and the last holds the other two.
    **dict.fromkeys(
        ("gb2312", "gb_2312-80", "gb231280", "gb_2312", "euc-cn", "csgb2312", "chinese", "x-euc-cn"), "gb18030"
    ),
    **dict.fromkeys(("gbk", "x-gbk", "cp936", "ms936", "windows-936", "x-windows-936", "gb18030-2022"), "gb18030"),
    **dict.fromkeys(("big5", "x-x-big5", "big5-eten", "csbig5", "cn-big5", "cp950", "windows-950"), "big5hkscs"),
    # The same of Korean and Japanese: the vendors' supersets.
    **dict.fromkeys(
        ("ks_c_5601-1987", "ks_c_5601", "ks_c_5601-1989", "ksc5601", "ksc_5601", "euc-kr", "euckr", "windows-949"),
        "cp949",
    ),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms_kanji", "cswindows31j"), "cp932"),
    **dict.fromkeys(("iso-2022-jp", "csiso2022jp", "iso-2022-jp-ms", "cp50220", "cp50221"), "iso-2022-jp"),
    # HTML's reading of Latin-1 and ASCII (encoding.spec.whatwg.org): what is sent under these names is Windows'.
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "iso8859-1", "x-ansi", "ansi"), "cp1252"),
    **dict.fromkeys(("iso-8859-8-i", "iso-8859-8-e"), "iso-8859-8"),
    **dict.fromkeys(("iso-8859-6-i", "iso-8859-6-e"), "iso-8859-6"),
    **dict.fromkeys(("utf8mb4", "utf8mb3", "x-utf-8", "utf_8", "unicode-1-1-utf-8", "cp65001"), "utf-8"),
}

# None of these says which: the bytes do.
UNSAID = frozenset(
    {"", "default", "default_charset", "unknown", "unknown-8bit", "x-unknown", "us-ascii", "ascii", "ansi_x3.4-1968"}
)

# Python's codecs that are no charsets, or that expand a few bytes to very many.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem"})

_MARKED = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_SAMPLE_BYTES = 16_384
_JIS_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\(J)")


def decode(data: bytes, charset: str, hint: str = "") -> str:
    """*data* as text. A charset that is unknown or not said is found out; *hint* is one that the same mail named."""
    name = charset.strip(" \t\"'").lower()
    if name not in UNSAID:
        known = codec_of(name)
        if known is not None:
            return _decode_named(data, known)
    return detect(data, hint)


def codec_of(charset: str) -> str | None:
    """The Python codec for a charset's name, or None where there is none."""
    name = ALIASES.get(charset.lower(), charset.lower())
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):  # a name with a NUL is a ValueError
        return None
    # Python marks those of its codecs that turn bytes into bytes (hex, zip) only in an underscored attribute;
    # they and the odd ones refuse to decode this.
    if found.name.replace("-", "_") in _NO_CHARSETS:
        return None
    try:
        (b"\0" * 4).decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return name


def detect(data: bytes, hint: str = "") -> str:
    """*data* as text in the charset it looks like."""
    if data.isascii() and not _JIS_ESCAPE.search(data):
        return data.decode("ascii")
    for bom, codec in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(bom):
            return data.decode(codec, "replace")
    if _JIS_ESCAPE.search(data):
        return _decode_named(data, "iso-2022-jp")
    hinted = codec_of(hint) if hint.lower() not in UNSAID else None
    for codec in ("utf-8", *([hinted] if hinted else [])):
        try:
            return data.decode(codec)
        except ValueError:
            continue
    return data.decode(_guess(data[:_SAMPLE_BYTES]), "replace")


def _guess(sample: bytes) -> str:
    """The legacy charset *sample* is most likely in. In doubt it is Chinese, as customers are."""
    high = sum(byte >= 0x80 for byte in sample)
    leads = [sample[at] for at in _pairs(sample)]
    if high and len(leads) * 2 == high:
        if sum(lead in _KANA for lead in leads) * 4 >= len(leads):
            return "euc_jp"
        if all(lead in _GB2312 for lead in leads) and not (len(leads) >= 6 and all(lead in _HANGUL for lead in leads)):
            return "gb18030"
    elif _reads_as_big5(sample):
        return "big5hkscs"
    if high * 4 < len(sample) and not any(0x80 <= byte <= 0x9F for byte in sample) and not leads:
        return "cp1252"
    found = from_bytes(sample).best()
    return ALIASES.get(found.encoding.replace("_", "-"), found.encoding) if found is not None else "gb18030"


# Lead bytes: of the rows of GB2312, of those of EUC-KR that hold syllables, of those of EUC-JP that hold kana.
_GB2312 = frozenset({*range(0xA1, 0xAA), *range(0xB0, 0xF8)})
_HANGUL = frozenset(range(0xB0, 0xC9))
_KANA = frozenset({0xA4, 0xA5})


def _reads_as_big5(sample: bytes) -> bool:
    """Whether all of *sample* is in Big5, and mostly in its common half (lead bytes A1 to C6)."""
    try:
        codecs.getincrementaldecoder("big5")().decode(sample)  # the sample may end within a character
    except ValueError:
        return False
    leads: list[int] = []
    at = 0
    while at < len(sample) - 1:
        if sample[at] >= 0xA1:
            leads.append(sample[at])
            at += 1
        at += 1
    return len(leads) >= 3 and sum(lead <= 0xC6 for lead in leads) * 10 >= len(leads) * 9


def _pairs(sample: bytes) -> list[int]:
    """Where two bytes, both high, stand for one character, if they do."""
    places: list[int] = []
    at = 0
    while at < len(sample) - 1:
        if sample[at] >= 0xA1 and sample[at + 1] >= 0xA1:
            places.append(at)
            at += 2
        else:
            at += 1
    return places


def _decode_named(data: bytes, codec: str) -> str:
    if codec == "iso-2022-jp":
        return _decode_jis(data)
    try:
        return data.decode(codec)
    except ValueError:
        pass
    if codec != "utf-8":
        try:
            return data.decode("utf-8")  # mislabelled, and never so by chance
        except ValueError:
            pass
    elif _mostly_not_utf8(data):
        return data.decode(_guess(data[:_SAMPLE_BYTES]), "replace")
    return data.decode(codec, "replace")


def _mostly_not_utf8(data: bytes) -> bool:
    sample = data[:_SAMPLE_BYTES]
    return sample.decode("utf-8", "replace").count("\ufffd") * 4 > sum(byte >= 0x80 for byte in sample)


def _decode_jis(data: bytes) -> str:
    """ISO-2022-JP with NEC's and IBM's characters: every row of JIS X 0208 is read as Windows code page 932 has it."""
    pieces: list[str] = []
    double = False
    at = 0
    for escape in re.finditer(rb"\x1b(?:\$[@B]|\([BJI]|$)", data):
        pieces.append(_jis_run(data[at : escape.start()], double))
        double = escape[0].startswith(b"\x1b$")
        at = escape.end()
    pieces.append(_jis_run(data[at:], double))
    return "".join(pieces)


def _jis_run(run: bytes, double: bool) -> str:
    if not double:
        return run.decode("ascii", "replace") if run.isascii() else run.decode("cp932", "replace")
    shifted = bytearray()
    for lead, trail in zip(run[::2], run[1::2], strict=False):
        if not (0x21 <= lead <= 0x7E and 0x21 <= trail <= 0x7E):
            shifted += bytes((lead & 0x7F, trail & 0x7F)).replace(b"\x7f", b"?")
            continue
        # JIS X 0208 to Shift_JIS (JIS X 0208:1997, appendix 1).
        upper = (lead - 0x21) // 2 + (0x81 if lead < 0x5F else 0xC1)
        odd_row = trail + (0x1F if trail < 0x60 else 0x20)
        lower = odd_row if lead % 2 else trail + 0x7E
        shifted += bytes((upper, lower))
    return shifted.decode("cp932", "replace")
