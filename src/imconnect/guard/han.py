"""Recovery phrases in Chinese, where almost every character of ordinary text is on the list: what gives them away is
that no character fits the one before it."""

import re
from itertools import accumulate

from imconnect.guard import tables
from imconnect.guard.lexicon import LENGTHS, Lexicon, checksum_fits
from imconnect.guard.phrases import Phrase

_RUN = re.compile(r"[㐀-鿿]+")
_LETTERS = re.compile(r"[a-z]{3,}")
_COUNTED = re.compile(r"\d{3,}")
_WIDEST_GAP = 12

# Tenths of a bit a character, tuned on public chat and random phrases; docs/security.md has the figures.
_OFF_LIST = -15
_UNSEEN = 40
_SEPARATED, _SEPARATED_ALONE = 6, 0
_GLUED, _GLUED_ALONE, _GLUED_IN_CONTEXT = 28, 22, 15
_PROVEN, _PROVEN_ALONE, _PROVEN_IN_CONTEXT = 17, 12, 10
_LETTERS_SEPARATED, _LETTERS_SEPARATED_IN_CONTEXT = 8, 6
_LETTERS_GLUED, _LETTERS_GLUED_IN_CONTEXT = 11, 7
_SLACK = 6
_MOST_CHECKS = 600


class HanModel:
    """How surprising one Chinese character is after another, in tenths of a bit above a random phrase."""

    def __init__(self) -> None:
        table = tables.read("han.json.gz")
        self._fold: dict[int, str] = {ord(letter): simple for letter, simple in table["fold"].items()}
        self._pairs: dict[str, int] = {
            first + second: weight
            for first, (seconds, weights) in table["pairs"].items()
            for second, weight in zip(seconds, weights, strict=True)
        }
        self._single: dict[str, int] = table["single"]

    def surprise(self, letters: str) -> list[int]:
        """What each character of *letters* but the first adds."""
        plain = letters.translate(self._fold)
        pair, single = self._pairs.get, self._single.get
        return [
            weight if (weight := pair(both)) is not None else single(both[1], _UNSEEN)
            for both in map(str.__add__, plain, plain[1:])
        ]


def find(text: str, lexicon: Lexicon, model: HanModel, *, context: bool) -> Phrase | None:
    """The Chinese recovery phrase in *text* (in `lower` form, without labels), if there is one."""
    runs = [(match.start(), match.end()) for match in _RUN.finditer(text)]
    if sum(end - start for start, end in runs) < _LETTERS_SEPARATED_IN_CONTEXT:
        return None
    likely: Phrase | None = None
    alone = len(runs) == 1
    for start, end in runs:
        if end - start >= _LETTERS_GLUED_IN_CONTEXT:
            found = _glued(text[start:end], lexicon, model, context=context, alone=alone)
            if found and found.proven:
                return found
            likely = likely or found
    for letters, even in _separated(text, runs):
        found = _apart(letters, lexicon, model, context=context, alone=False) if not even else None
        if found is None and even:
            found = _glued(letters, lexicon, model, context=context, alone=True)
        if found and found.proven:
            return found
        likely = likely or found
    return likely


def _separated(text: str, runs: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Stretches of short runs with little between them: single characters (False), or lines of even length (True)."""
    found: list[tuple[str, bool]] = []
    chain: list[str] = []
    before = -_WIDEST_GAP

    def close() -> None:
        singles = sum(len(piece) == 1 for piece in chain)
        if len(chain) >= _LETTERS_SEPARATED_IN_CONTEXT and singles >= len(chain) * 0.75:
            found.append(("".join(chain), False))
        elif len(chain) > 1 and len({len(piece) for piece in chain}) <= 2 and min(map(len, chain)) >= 2:
            found.append(("".join(chain), True))

    for start, end in runs:
        gap = text[before:start] if before >= 0 else ""
        if chain and (len(gap) > _WIDEST_GAP or _LETTERS.search(gap) or _COUNTED.search(gap) or end - start > 12):
            close()
            chain = []
        if end - start <= 12:
            if chain and (len(chain[-1]) <= 2) != (end - start <= 2):
                close()
                chain = []
            chain.append(text[start:end])
        before = end
    close()
    return found


def _apart(letters: str, lexicon: Lexicon, model: HanModel, *, context: bool, alone: bool) -> Phrase | None:
    count = len(letters)
    listed = sum(letter in lexicon.han for letter in letters)
    if listed < (_LETTERS_SEPARATED_IN_CONTEXT if context else _LETTERS_SEPARATED) or listed < count * 0.8:
        return None
    if len(set(letters)) < count * 0.7:
        return None
    surprise = model.surprise(letters)
    mean = sum(surprise) / len(surprise)
    if mean < (_SEPARATED_ALONE if alone else _SEPARATED):
        return None
    return Phrase(listed, proven=_checked(letters, lexicon, [0, *accumulate(surprise)], -100))


def _glued(letters: str, lexicon: Lexicon, model: HanModel, *, context: bool, alone: bool) -> Phrase | None:
    surprise = model.surprise(letters)
    sums = [0, *accumulate(surprise)]
    alone = alone and len(letters) in LENGTHS
    threshold = _PROVEN_IN_CONTEXT if context else _PROVEN_ALONE if alone else _PROVEN
    if _checked(letters, lexicon, sums, threshold):
        return Phrase(12, proven=True)
    least = _LETTERS_GLUED_IN_CONTEXT if context else _LETTERS_GLUED
    threshold = _GLUED_IN_CONTEXT if context else _GLUED_ALONE if alone else _GLUED
    span = least - 1
    if len(surprise) < span or max(map(int.__sub__, sums[span:], sums)) < threshold * span:
        return None
    return _densest(letters, lexicon, surprise, threshold, least)


def _densest(letters: str, lexicon: Lexicon, surprise: list[int], threshold: int, least: int) -> Phrase | None:
    """The stretch that lies above the threshold on average, by Kadane's rule with the threshold as offset."""
    offset = threshold - _SLACK
    weights = [
        weight if letter in lexicon.han else _OFF_LIST for letter, weight in zip(letters[1:], surprise, strict=True)
    ]
    total = best = start = 0
    found = (0, -1)
    for place, weight in enumerate(weights):
        total += weight - offset
        if total <= 0:
            total, start = 0, place + 1
        elif total > best:
            best, found = total, (start, place)
    stretch = letters[found[0] : found[1] + 2]
    inside = weights[found[0] : found[1] + 1]
    if len(stretch) < least or sum(inside) < threshold * len(inside) or len(set(stretch)) < len(stretch) * 0.8:
        return None
    return Phrase(len(stretch), proven=False)


def _checked(letters: str, lexicon: Lexicon, sums: list[int], threshold: int) -> bool:
    """Whether some 12 to 24 neighbouring characters are surprising enough and carry their own checksum."""
    checks = 0
    for length in LENGTHS:
        span = length - 1
        least = threshold * span
        for start, score in enumerate(map(int.__sub__, sums[span:], sums)):
            if score < least:
                continue
            window = letters[start : start + length]
            if len(set(window)) < length * 0.8:
                continue
            checks += 1
            if checks > _MOST_CHECKS:
                return False
            for places in lexicon.han_places:
                found = [places.get(letter, -1) for letter in window]
                if -1 not in found and checksum_fits(found):
                    return True
    return False
