"""Values that a line end has broken in two: put together where their form says that they were one."""

import re

from imconnect.formats import addresses, base58

_SPACES = r"[ \t]{0,3}(?:\r\n|\r|\n)[ \t>]{0,4}"
_LINES = re.compile(rf"(?<![0-9A-Za-z])[0-9A-Za-z]{{6,130}}(?:{_SPACES}[0-9A-Za-z]{{1,130}}){{1,8}}(?![0-9A-Za-z])")
_BETWEEN = re.compile(r"[ \t\r\n>]+")
_HEXADECIMAL = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")
_HASH = re.compile(r"(?:0[xX])?[0-9a-fA-F]{64}")
_SHORTEST, _LONGEST = 26, 140


def mended(text: str) -> str:
    """*text* (in `plain` form) with addresses, hashes and signatures that run over several lines on one line each."""
    return _LINES.sub(_joined, text) if "\n" in text or "\r" in text else text


def _joined(found: re.Match[str]) -> str:
    """The lines as they stand, but for neighbours that are one value together."""
    pieces = _BETWEEN.split(found[0])
    lines: list[str] = []
    while pieces:
        count = next((count for count in range(len(pieces), 1, -1) if _one_value(pieces[:count])), 1)
        lines.append("".join(pieces[:count]))
        pieces = pieces[count:]
    return "\n".join(lines)


def _one_value(pieces: list[str]) -> bool:
    """Whether the pieces make a value together, by its checksum or its length, of which the first alone is none."""
    whole = "".join(pieces)
    if not _SHORTEST <= len(whole) <= _LONGEST or not any(letter.isdigit() for letter in whole):
        return False
    alone = addresses.check(pieces[0])
    if alone is not None and alone.problem is None and pieces[0] not in (pieces[0].lower(), pieces[0].upper()):
        return False
    if _HEXADECIMAL.fullmatch(whole) and 56 <= len(whole) <= 72:
        return not _HASH.fullmatch(pieces[0]) and any(letter.isalpha() for letter in pieces[-1])
    if 84 <= len(whole) <= 90 and not base58.foreign_letters(whole) and whole not in (whole.lower(), whole.upper()):
        return len(base58.decode(whole)) == 64
    checked = addresses.check(whole)
    # Without a checksum two words that follow each other could be an address of Solana's.
    return checked is not None and checked.problem is None and checked.chain != "solana"
