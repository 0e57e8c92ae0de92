"""What may be a part of a secret whose other parts are still to come: it may be kept, and is handed on to nobody."""

import re
from functools import cache

from imconnect.formats.written import lower, plain
from imconnect.guard.lexicon import ALPHABETIC, word_list
from imconnect.guard.phrases import TOKEN

WORDS = 3
"""Words of one list in a row: one question in sixteen has as many (31 of the 509 of `tests/nlu/strangers.jsonl`)."""

_VALUE = re.compile(r"(?=[A-Za-z]*\d)[0-9A-Za-z]{12,}|\d{1,3}(?:\s?,\s?\d{1,3}){7,}")
"""A long run with a digit in it (a key or a half of one, a hash, an address), or a key as a list of bytes."""

_APART = re.compile(r"(?:(?<![\u3400-\u9fff])[\u3400-\u9fff](?![\u3400-\u9fff])[\s\d.,，、:：]*){3}")
"""Chinese characters one by one, as the words of a phrase are written and sentences are not."""


def may_be_a_part(text: str) -> bool:
    """Whether *text* holds what may be a part of a key or of a recovery phrase."""
    shown = plain(text)
    return bool(_VALUE.search(shown) or _APART.search(shown)) or _words_in_a_row(shown) >= WORDS


def _words_in_a_row(shown: str) -> int:
    """The longest run of words that stand in one and the same list; numbers between them do not part them."""
    tokens = [token for token in TOKEN.findall(lower(shown)) if not token.isdigit()]
    longest, run = 0, dict[str, int]()
    for token in tokens:
        run = {name: run.get(name, 0) + 1 for name, words in _lists().items() if token in words}
        longest = max(longest, *run.values()) if run else longest
    return longest


@cache
def _lists() -> dict[str, frozenset[str]]:
    """Each alphabetic list of BIP-39, spelled as `lower` spells what was typed."""
    return {name: frozenset(lower("\n".join(word_list(name))).replace("'", "").split("\n")) for name in ALPHABETIC}
