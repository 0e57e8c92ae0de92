"""Long texts in parts, as channels need them: parted where a reader would pause, never inside what belongs together."""

import re
from collections.abc import Callable

_UNCUTTABLE = re.compile(r"https?://[^\s　-〿＀-￯一-鿿]+|[!-~]{2,}")
"""Links, hashes, addresses, words: runs of ASCII without a space. Chinese letters and punctuation end a link."""

_JOINERS = "\u200d\ufe0e\ufe0f\u20e3"
_PLACES = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[。！？!?；;.](?=\s|[^!-~])|\s"))
"""Where a text may be parted, the best first: between paragraphs, lines, sentences or words."""


def code_points(character: str) -> int:
    """How Discord counts a character."""
    return 1


def utf16_units(text: str) -> int:
    """The length of *text* as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int, units: Callable[[str], int] = code_points) -> list[str]:
    """*text* in parts of at most *limit* units (*units* counts those of a character).

    Nothing is cut that fits: no link, hash or character that is shown as one.
    """
    parts: list[str] = []
    rest = text.strip()
    while (longest := _fitting(rest, limit, units)) < len(rest):
        end = _cut(rest, longest)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest] if rest else parts


def _cut(text: str, longest: int) -> int:
    """Where the first part of *text*, of at most *longest* characters, ends."""
    whole = [(run.start(), run.end()) for run in _UNCUTTABLE.finditer(text, 0, 2 * longest)]
    for place in _PLACES:
        for found in reversed(list(place.finditer(text, longest // 2, longest))):
            if not any(start < found.end() < end for start, end in whole):
                return found.end()
    end = longest
    for start, stop in whole:
        if start < longest < stop and start > 0:
            end = start
    while end > 1 and _joined(text, end):
        end -= 1
    return end


def _fitting(text: str, limit: int, units: Callable[[str], int]) -> int:
    """How many characters of *text* fit into *limit*."""
    taken = 0
    for index, character in enumerate(text):
        taken += units(character)
        if taken > limit:
            return index
    return len(text)


def _joined(text: str, index: int) -> bool:
    """Whether a cut at *index* would part what is shown as one character."""
    after, before = text[index : index + 1], text[index - 1]
    return after in _JOINERS or before == "\u200d" or "\U0001f3fb" <= after <= "\U0001f3ff" or _accent(after)


def _accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f"
