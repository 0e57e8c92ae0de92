"""Words that were disguised with letters of another alphabet."""

import re
from collections.abc import Container

from imconnect.formats.written import LOOKALIKES

_WORD = re.compile(r"(?<![^\W\d_])[A-Za-z]*+[^\W\d_A-Za-z][^\W\d_]*")  # a word that is not ASCII throughout
_LATIN = re.compile(r"[a-z]")
_ALIKE = re.compile(f"[{''.join(LOOKALIKES)}]")
_TO_LATIN = str.maketrans(LOOKALIKES)
_TO_CYRILLIC = {ord(latin): letter for letter, latin in reversed(LOOKALIKES.items()) if "а" <= letter <= "я"}


def unmask(text: str, known: Container[str]) -> str:
    """*text* with look-alike letters replaced where they hide a word of *known* or stand inside a Latin word."""
    if text.isascii() or not _ALIKE.search(text):
        return text

    def shown(found: re.Match[str]) -> str:
        word = found[0]
        if not _ALIKE.search(word) or word in known:
            return word
        latin = word.translate(_TO_LATIN)
        if not _LATIN.search(word):
            return latin if latin.isascii() and latin in known else word
        return latin if latin.isascii() else word.translate(_TO_CYRILLIC)

    return _WORD.sub(shown, text)
