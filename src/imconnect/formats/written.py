"""What people type, brought into one form: widths, letter case, accents, invisible and look-alike characters."""

import re
import unicodedata

LOOKALIKES = {
    **dict(zip("аеорсухіјѕһԁԛԝвнмтккьг", "aeopcyxijshdqwbhmtkkbr", strict=True)),
    **dict(zip("αβεηικνορτυχωγ", "abenikvoptuxwy", strict=True)),
    **dict(zip("ɑɡӏօսոցհᴏɩ", "aglounghoi", strict=True)),
}
"""Lower-case letters of other alphabets by the Latin letter they look like."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ff]+"
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_IN_PARTS = re.compile("[\u3099\u309a\u1100-\u11ff]")  # kana and Hangul are compared whole
# Single characters that stand for whole words: a text of them would grow to many times its length.
_WORDS_IN_ONE = re.compile("[\u3300-\u3357\u33ae\u33af\ufdfa\ufdfb]")
# Marks are put into order one by one, so a long run of them (UAX #15 allows 30) would take its length squared.
_PILED_UP = re.compile(r"[^\w\s]{31,}")


def plain(text: str) -> str:
    """*text* in compatibility form (NFKC) without invisible characters; letter case stays, as keys need it."""
    if text.isascii():
        return text
    level = _PILED_UP.sub(_unpiled, _WORDS_IN_ONE.sub(" ", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFKC", level)


def lower(text: str) -> str:
    """*text* as word lists are compared: compatible, lower case and without accents.

    The voicing marks of kana stay, for they tell words apart.
    """
    return bare(plain(text))


def bare(compatible: str) -> str:
    """A `plain` text in lower case and without accents."""
    if compatible.isascii():
        return compatible.lower()
    letters = _ACCENTS.sub("", unicodedata.normalize("NFKD", compatible.lower())).replace("ı", "i").replace("ß", "ss")
    return unicodedata.normalize("NFC", letters) if _IN_PARTS.search(letters) else letters


def _unpiled(run: re.Match[str]) -> str:
    return "".join(letter for letter in run[0] if not unicodedata.combining(letter))
