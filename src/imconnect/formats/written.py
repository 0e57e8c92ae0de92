"""What people type, brought into one form: widths, letter case, accents, invisible and look-alike characters."""

import unicodedata

LOOKALIKES = {
    **dict(zip("аеорсухіјѕһԁԛԝвнмтккьг", "aeopcyxijshdqwbhmtkkbr", strict=True)),
    **dict(zip("αβεηικνορτυχωγ", "abenikvoptuxwy", strict=True)),
    **dict(zip("ɑɡӏօսոցհᴏɩ", "aglounghoi", strict=True)),
}
"""Lower-case letters of other alphabets by the Latin letter they look like."""

_INVISIBLE = frozenset(
    {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)}
    | {*range(0xE0000, 0xE0200), 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E}
    | {0x180F, 0x3164, 0xFEFF, 0xFFA0}
)
_LONGEST = 4  # one character may stand for four; those that stand for whole phrases (U+FDFA) become a blank
_REMEMBERED = 20_000


class _Folded(dict[int, str]):
    """A table for `str.translate` that works out each character once. Bounded, for it lives as long as the process."""

    def __missing__(self, code: int) -> str:
        value = "" if code in _INVISIBLE else self.form(chr(code))
        if len(value) > _LONGEST:
            value = " "
        if len(self) < _REMEMBERED:
            self[code] = value
        return value

    def form(self, letter: str) -> str:
        return unicodedata.normalize("NFKC", letter)


class _Lower(_Folded):
    def form(self, letter: str) -> str:
        lowered = unicodedata.normalize("NFKC", letter).lower()
        letters = (part for part in unicodedata.normalize("NFKD", lowered) if not "\u0300" <= part <= "\u036f")
        return "".join(letters).replace("ı", "i")


_plain = _Folded()
_lower = _Lower()


def plain(text: str) -> str:
    """*text* in compatibility form (NFKC) without invisible characters; letter case stays, as keys need it."""
    return text if text.isascii() else text.translate(_plain)


def lower(text: str) -> str:
    """*text* as word lists are compared: compatible, lower case, decomposed (NFKD) and without accents.

    The voicing marks of kana and the letters of Hangul stay, for they tell words apart.
    """
    return text.lower() if text.isascii() else text.translate(_lower)
