"""Recovery phrases in Chinese, where almost every character of ordinary text is on the list: what gives them away is
that no character fits the one before it."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from imconnect.guard import tables
from imconnect.guard.lexicon import LENGTHS, Lexicon, checksum_fits, last_word_fits
from imconnect.guard.phrases import Phrase

_RUN = re.compile(r"[㐀-鿿]+")
_LETTERS = re.compile(r"[a-z]{3}")
_KANA = re.compile(r"[ぁ-ヿ]+")  # between Han characters they make Japanese, where no list says what follows what
_COUNTED = re.compile(r"\d{3}")
_WIDEST_GAP = 12

# How many characters make a phrase, where each stands alone or where they run together.
_SEPARATED, _SEPARATED_IN_CONTEXT = 8, 6
_GLUED, _GLUED_IN_CONTEXT = 11, 7
# Tenths of a bit a character, tuned on public chat and random phrases; docs/security.md has the figures.
_OFF_LIST, _UNSEEN, _ZERO = -15, 40, 100
_SEPARATED_SURPRISE = 6
_LIKELY_SURPRISE, _LIKELY_SURPRISE_ALONE, _LIKELY_SURPRISE_IN_CONTEXT = 28, 22, 15
_PROVEN_SURPRISE, _PROVEN_SURPRISE_ALONE, _PROVEN_SURPRISE_IN_CONTEXT = 17, 12, 10
_SLACK = 6
_BLOCK = 1_024
_MONERO = (13, 25)  # a word more than the key takes: the last one is the checksum
_ALONE = frozenset({*LENGTHS, *_MONERO})
_MOST_CHECKS = 200


class HanModel:
    """How surprising one Chinese character is after another, in tenths of a bit above a random phrase."""

    def __init__(self, lexicon: Lexicon) -> None:
        table = tables.read("han.json.gz")
        fold: dict[str, str] = table["fold"]
        single: dict[str, int] = table["single"]
        plain = sorted({fold.get(letter, letter) for letter in lexicon.han})
        places = {letter: place for place, letter in enumerate(plain, 1)}  # 0 stands for what is on no list
        self._places = {letter: places[fold.get(letter, letter)] for letter in lexicon.han} | places
        self._width = len(plain) + 1
        row = bytes([_OFF_LIST + _ZERO, *(single.get(letter, _UNSEEN) + _ZERO for letter in plain)])
        # One byte for every pair, row by row: seven megabytes that are searched faster than a dict of the pairs seen.
        self._pairs = bytearray(row * self._width)
        for first, (seconds, weights) in table["pairs"].items():
            start = places.get(first, 0) * self._width
            if start:
                for second, weight in zip(seconds, weights, strict=True):
                    if second in places:
                        self._pairs[start + places[second]] = weight + _ZERO

    def surprise(self, letters: str) -> list[int]:
        """What each character of *letters* but the first adds. One that is on no list speaks against a phrase."""
        place, pairs, width = self._places.get, self._pairs, self._width
        places = [place(letter, 0) for letter in letters]
        return [pairs[first * width + second] - _ZERO for first, second in pairwise(places)]


def find(text: str, lexicon: Lexicon, model: HanModel, *, context: bool) -> Phrase | None:
    """The Chinese recovery phrase in *text* (in `lower` form, without labels), if there is one."""
    text = _KANA.sub(" " * (_WIDEST_GAP + 1), text)
    runs = [(match.start(), match[0]) for match in _RUN.finditer(text)]
    if sum(len(run) for _, run in runs) < _SEPARATED_IN_CONTEXT:
        return None
    likely: Phrase | None = None
    for found in _candidates(text, runs, lexicon, model, context=context):
        if found and found.proven:
            return found
        likely = likely or found
    return likely


def _candidates(
    text: str, runs: list[tuple[int, str]], lexicon: Lexicon, model: HanModel, *, context: bool
) -> Iterator[Phrase | None]:
    least = _GLUED_IN_CONTEXT if context else _GLUED
    for _, run in runs:
        if len(run) >= least:
            yield _glued(run, lexicon, model, context=context, alone=len(runs) == 1)
    for chain in _chains(text, runs):
        yield _apart(chain, lexicon, model, context=context)
    for lines, broken in _even_lines(text, runs):
        columns = broken and len(lines) > 2 and sum(map(len, lines)) in LENGTHS
        yield _in_lines(lines, lexicon, model, context=context or columns)


def _even_lines(text: str, runs: list[tuple[int, str]]) -> Iterator[tuple[list[str], bool]]:
    """Neighbouring runs of two to twelve characters, of one length but the last; and whether each has its own line."""
    lines: list[str] = []
    width = last = before = 0
    broken = True
    for start, run in [*runs, (len(text) + _WIDEST_GAP + 1, "")]:
        length = len(run)
        if width and not (length <= width == last and start - before <= _WIDEST_GAP):
            if len(lines) > 1 and len(lines) * width >= LENGTHS[-1] - 1:
                yield lines, broken
            lines, broken, width = [], True, 0
        if width or 2 <= length <= 12:
            broken = broken and (not width or "\n" in text[before:start])
            lines.append(run)
            width, last = width or length, length
        before = start + length


def _chains(text: str, runs: list[tuple[int, str]]) -> Iterator[list[str]]:
    """Neighbouring runs of up to three characters; an empty one stands for a gap with letters in it."""
    chain: list[str] = []
    before = -_WIDEST_GAP
    for start, run in runs:
        gap = text[before:start] if chain else ""
        if len(run) > 3 or len(gap) > _WIDEST_GAP or len(chain) > _BLOCK or _COUNTED.search(gap):
            if len(chain) >= _SEPARATED_IN_CONTEXT:
                yield chain
            chain = []
        if len(run) <= 3:
            chain += ["", run] if _LETTERS.search(gap) else [run]
        before = start + len(run)
    if len(chain) >= _SEPARATED_IN_CONTEXT:
        yield chain


def _apart(chain: list[str], lexicon: Lexicon, model: HanModel, *, context: bool) -> Phrase | None:
    """Characters that stand alone, with a filler word now and then. Only neighbours are weighed against each other."""
    singles = [run for run in chain if len(run) == 1]
    least = _SEPARATED_IN_CONTEXT if context else _SEPARATED
    listed = [letter for letter in singles if letter in lexicon.han]
    pieces = sum(1 for run in chain if run)
    if len(listed) < least or len(listed) < len(singles) * 0.8 or len(singles) < pieces * 0.6:
        return None
    if len(set(singles)) < len(singles) * 0.7:
        return None
    line = "".join(run if len(run) == 1 else " " for run in chain)
    weights = zip(model.surprise(line), pairwise(line), strict=True)
    surprise = [weight for weight, both in weights if " " not in both]
    if len(surprise) < least // 2 or sum(surprise) < _SEPARATED_SURPRISE * len(surprise):
        return None
    return Phrase(len(listed), proven=_checked("".join(singles), lexicon, range(len(singles))))


def _in_lines(lines: list[str], lexicon: Lexicon, model: HanModel, *, context: bool) -> Phrase | None:
    """A phrase in columns. What stands at the end of a line says nothing about what begins the next."""
    letters = "".join(lines)
    if len(set(letters)) < len(letters) * 0.8:
        return None
    surprise = [weight for line in lines for weight in model.surprise(line)]
    mean = sum(surprise) / len(surprise)
    proven = _PROVEN_SURPRISE_IN_CONTEXT if context else _PROVEN_SURPRISE
    likely = _LIKELY_SURPRISE_IN_CONTEXT if context else _LIKELY_SURPRISE
    if mean >= proven and _checked(letters, lexicon, range(len(letters))):
        return Phrase(len(letters), proven=True)
    if mean >= likely and len(letters) >= LENGTHS[-1] - 1:
        return Phrase(len(letters), proven=False)
    return None


def _glued(letters: str, lexicon: Lexicon, model: HanModel, *, context: bool, alone: bool) -> Phrase | None:
    """Characters that run together, read a block at a time."""
    likely: Phrase | None = None
    for start in range(0, len(letters), _BLOCK):
        block = letters[start : start + _BLOCK + 2 * LENGTHS[0]]
        found = _in_block(block, lexicon, model, context=context, alone=alone and len(letters) in _ALONE)
        if found and found.proven:
            return found
        likely = likely or found
        if likely and start:
            break
    return likely


def _in_block(letters: str, lexicon: Lexicon, model: HanModel, *, context: bool, alone: bool) -> Phrase | None:
    least = _GLUED_IN_CONTEXT if context else _GLUED
    if len(letters) < least:
        return None
    proven = _PROVEN_SURPRISE_IN_CONTEXT if context else _PROVEN_SURPRISE_ALONE if alone else _PROVEN_SURPRISE
    likely = _LIKELY_SURPRISE_IN_CONTEXT if context else _LIKELY_SURPRISE_ALONE if alone else _LIKELY_SURPRISE
    surprise = model.surprise(letters)
    if alone and len(letters) in _MONERO and last_word_fits(letters) and sum(surprise) >= proven * len(surprise):
        return Phrase(len(letters), proven=True)
    sums = [0, *accumulate(surprise)]
    span = LENGTHS[-1] - 1
    scores = [*map(int.__sub__, sums[span:], sums)]
    if scores and max(scores) >= proven * span:
        starts = [start for start, score in enumerate(scores) if score >= proven * span]
        if _checked(letters, lexicon, starts):
            return Phrase(LENGTHS[-1], proven=True)
    span = least - 1
    if max(map(int.__sub__, sums[span:], sums)) < likely * span:
        return None
    return _densest(letters, surprise, likely, least)


def _densest(letters: str, surprise: list[int], threshold: int, least: int) -> Phrase | None:
    """The stretch that lies above the threshold on average, by Kadane's rule with the threshold as offset."""
    offset = threshold - _SLACK
    total = best = start = 0
    first, last = 0, -1
    for place, weight in enumerate(surprise):
        total += weight - offset
        if total <= 0:
            total, start = 0, place + 1
        elif total > best:
            best, first, last = total, start, place
    stretch = letters[first : last + 2]
    inside = surprise[first : last + 1]
    if len(stretch) < least or sum(inside) < threshold * len(inside) or len(set(stretch)) < len(stretch) * 0.8:
        return None
    return Phrase(len(stretch), proven=False)


def _checked(letters: str, lexicon: Lexicon, starts: Sequence[int]) -> bool:
    """Whether 12 to 24 characters from one of *starts* on carry their own checksum."""
    for start in starts[:_MOST_CHECKS]:
        for length in LENGTHS:
            window = letters[start : start + length]
            if len(window) == length and len(set(window)) >= length * 0.8:
                for places in lexicon.han_places:
                    found = [places.get(letter, -1) for letter in window]
                    if -1 not in found and checksum_fits(found):
                        return True
    return False
