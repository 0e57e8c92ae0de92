"""Recovery phrases in an alphabetic script: how unlikely is it that ordinary words follow each other so?"""

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import pairwise

from imconnect.guard.lexicon import LENGTHS, Lexicon, WordList, checksum_fits

TOKEN = re.compile(r"[a-z]+|[а-яё]+|[\u3041-\u3096\u3099\u309a\u309d\u309e]+|[가-힣]+|[\u3400-\u9fff]+|\d+")
_LABEL = re.compile(
    r"(?:\b(?:words?|nos?|num(?:ber)?|nr|palabra|mot|parola|palavra|slovo|kelime|слово|номер)\b\.?|#|№|단어"
    r"|단어|単語|第)"
    r"[ \t]{0,3}#?[ \t]{0,3}\d{1,2}[ \t]{0,3}(?:st\b|nd\b|rd\b|th\b|个|個|番)?[ \t]{0,3}(?:单?词|單?詞|单词|單詞|字)?"
    r"[ \t]{0,3}(?:\bis\b|\bes\b|\best\b|是|为|為)?[ \t]{0,3}[=:.)、-]?"
)
_CAMEL = re.compile(r"(?:[A-ZÀ-Þ][a-zß-ÿ]{1,12}){6}")
_HUMP = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])")
_CONTEXT = (
    "seed phrase", "seedphrase", "seed word", "my seed", "seed:", "seed :", "mnemonic", "recovery phrase",
    "recovery word", "secret phrase", "secret recovery", "secret word", "backup phrase", "backup word",
    "wallet phrase", "wallet word", "wallet seed", "recovery seed", "12 word", "12-word", "24 word", "24-word",
    "twelve word", "助记", "助記", "助忆", "恢复词", "恢復詞", "恢复短语", "恢復短語", "备份词", "備份詞",
    "注记词", "註記詞", "种子短语", "種子短語", "种子词", "ニーモニック", "復元フレーズ", "시드", "니모닉",
    "복구 문구", "복구 구문", "сид-фраз", "сид фраз", "сидфраз", "мнемо", "semilla", "frase de recupera",
    "phrase de recup", "frase semilla",
)  # fmt: skip
FILLERS = frozenset(
    [
        "word",
        "words",
        "no",
        "number",
        "num",
        "nr",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "st",
        "nd",
        "rd",
        "th",
    ]
)
# Tenths of a bit, tuned on public chat and random phrases; docs/security.md has the figures.
_UNKNOWN, _SLIP, _PREFIX = -40, 10, 5
_ENOUGH, _ENOUGH_ALONE, _ENOUGH_IN_CONTEXT, _ENOUGH_UNCOUNTED = 190, 130, 130, 270
_WORDS, _WORDS_IN_CONTEXT = 7, 5
_STARTED, _BROKEN_OFF = 40, 90
_THIN = 80
_WORDS_EVERYDAY, _THIN_EVERYDAY = 8, 150
_CHECKED_SCORE = _LEAST_SCORE = 80
_MOST_CHECKS = 400
_DIFFERENT = 4  # repeated words are worth so little that fewer different ones never make a phrase
_VECTOR = "abandon"
_SHORTEST_GLUED, _SHORTEST_GLUED_ALPHABETIC, _LONGEST_GLUED, _LONGEST_WORD = 16, 36, 600, 16
_CLOSE, _MARGIN = 3, 12
_PREFIXES, _PREFIXES_IN_CONTEXT = 11, 8


@dataclass(frozen=True, slots=True)
class Phrase:
    """A recovery phrase was seen: how many of its words, and whether its checksum proves it."""

    words: int
    proven: bool


@dataclass(slots=True)
class _Stretch:
    """Neighbouring tokens that look like a phrase; `listed` are those that stand on the list."""

    tokens: list[str]
    listed: list[str]
    around: list[str]
    score: int
    whole: bool


def in_context(text: str) -> bool:
    """Whether *text* (in `lower` form) speaks of recovery phrases."""
    return any(word in text for word in _CONTEXT)


def words_apart(text: str) -> str | None:
    """*text* with a blank between the words of `CamelCase`, or None where there is none."""
    return _HUMP.sub(" ", text) if _CAMEL.search(text) else None


def without_labels(text: str) -> str:
    """*text* without `word 3:`, `第3个词：`, `#3` and their like: "word" is itself on the list."""
    return _LABEL.sub(" ", text) if _LABEL.search(text) else text


def find(text: str, lexicon: Lexicon, *, context: bool) -> Phrase | None:
    """The recovery phrase in *text* (in `lower` form), if there is one. *context*: it was announced, here or before."""
    tokens = TOKEN.findall(without_labels(text))
    known = lexicon.words
    masks = [known.get(token, 0) for token in tokens]
    listed = len(masks) - masks.count(0)
    found: Phrase | None = None
    if listed >= (_WORDS_IN_CONTEXT if context else _WORDS):
        found = _spelled_out(tokens, masks, lexicon, context=context)
    if found is None and tokens and len(max(tokens, key=len)) >= _SHORTEST_GLUED:
        found = _glued(TOKEN.findall(text.replace("'", "")) if "'" in text else tokens, lexicon)
    if found is None and len(tokens) >= _PREFIXES_IN_CONTEXT:
        found = _prefixes(tokens, masks, lexicon, context=context)
    return found


def _spelled_out(tokens: list[str], masks: list[int], lexicon: Lexicon, *, context: bool) -> Phrase | None:
    labels: frozenset[str] | None = None
    least = _WORDS_IN_CONTEXT if context else _WORDS
    counts = Counter(masks)
    slips: dict[str, int] = {}
    likely: Phrase | None = None
    for words in lexicon.lists:
        bit = words.bit
        if sum(count for mask, count in counts.items() if mask & bit) < least:
            continue
        places = [place for place, mask in enumerate(masks) if mask & bit]
        if len({tokens[place] for place in places}) < _DIFFERENT and _VECTOR not in tokens:
            continue
        for begin, end in _clusters(places, least):
            labels = _labels(tokens) if labels is None else labels
            part = slice(max(0, begin - _MARGIN), end + _MARGIN)
            sequence = _sequence(tokens[part], masks[part], words, labels)
            for stretch in _stretches(sequence, words, lexicon, slips):
                if _proven(stretch, words):
                    return Phrase(len(stretch.listed), proven=True)
                if likely is None and _likely(stretch, words, context=context):
                    likely = Phrase(len(stretch.listed), proven=False)
    return likely


def _clusters(places: list[int], least: int) -> Iterator[tuple[int, int]]:
    """From where to where listed words lie close enough together to be a phrase."""
    begin = end = -1
    for first, last in zip(places, places[least - 1 :], strict=False):
        if last - first > _CLOSE * least:
            continue
        if begin >= 0 and first <= end + 2 * _MARGIN:
            end = last
            continue
        if begin >= 0:
            yield begin, end
        begin, end = first, last
    if begin >= 0:
        yield begin, end


def _labels(tokens: list[str]) -> frozenset[str]:
    """Words that stand before one small number after another, in whatever language: they count the others."""
    counting = {(word, number) for word, number in pairwise(tokens) if len(number) <= 2 and number.isdigit()}
    times = Counter(word for word, _ in counting)
    return frozenset(word for word, count in times.items() if count >= 4 and not word.isdigit())


def _sequence(
    tokens: list[str], masks: list[int], words: WordList, labels: frozenset[str]
) -> list[tuple[str, int | None]]:
    """Each token with what it weighs on this list; None where not on it. Numbers up to 33 only count."""
    weights, bit = words.weights, words.bit
    sequence: list[tuple[str, int | None]] = []
    for token, mask in zip(tokens, masks, strict=True):
        if token in labels:
            continue
        if mask & bit:
            sequence.append((token, weights[token]))
        elif token[0].isdigit():
            if len(token) > 2 or int(token) > 33:
                sequence.append((token, _UNKNOWN))
        elif token not in FILLERS:
            sequence.append((token, None))
    return sequence


def _stretches(
    sequence: list[tuple[str, int | None]], words: WordList, lexicon: Lexicon, slips: dict[str, int]
) -> Iterator[_Stretch]:
    """The stretches of highest score, by Kadane's rule."""
    weights, bit = words.weights, words.bit
    start = score = best = 0
    end = -1
    for place, (token, listed) in enumerate(sequence):
        if listed is not None:
            score += listed
        elif score > _STARTED:
            if token not in slips:
                slips[token] = lexicon.one_slip_away(token)
            cut = lexicon.prefixes.get(token, 0) & bit
            score += _SLIP if slips[token] & bit else _PREFIX if cut else _UNKNOWN
        else:
            score += _UNKNOWN
        if score > best:
            best, end = score, place
        elif score <= 0 or score < best - _BROKEN_OFF:
            if best >= _LEAST_SCORE:
                yield _stretch(sequence, start, end, best, weights)
            start, score, best, end = place + 1, 0, 0, -1
    if best >= _LEAST_SCORE:
        yield _stretch(sequence, start, end, best, weights)


def _stretch(
    sequence: list[tuple[str, int | None]], start: int, end: int, score: int, weights: dict[str, int]
) -> _Stretch:
    tokens = [token for token, _ in sequence[start : end + 1]]
    listed = [token for token in tokens if token in weights]
    while start > 0 and sequence[start - 1][0] in weights and end - start < LENGTHS[0]:
        start -= 1  # common words at either end lower the score, yet the checksum needs them
    while end + 1 < len(sequence) and sequence[end + 1][0] in weights and end - start < 2 * LENGTHS[0]:
        end += 1
    around = [token for token, _ in sequence[start : end + 1]]
    return _Stretch(tokens, listed, around, score, whole=len(tokens) == len(sequence))


def _likely(stretch: _Stretch, words: WordList, *, context: bool) -> bool:
    """Whether the stretch is too unlikely to be ordinary words. Where words were not counted, it takes more of them."""
    count = len(stretch.listed)
    if count < (_WORDS_IN_CONTEXT if context else _WORDS_EVERYDAY if words.everyday else _WORDS):
        return False
    if words.everyday and count < len(stretch.tokens) * 0.75:
        return False
    score = stretch.score
    distinct = len(set(stretch.listed))
    if distinct < count * 0.7:
        score = score * distinct * 6 // (count * 10)
    if words.everyday and count < len(stretch.tokens) * 0.9:
        score -= _THIN_EVERYDAY
    elif count < len(stretch.tokens) * 0.75:
        score -= _THIN
    if context:
        return score >= _ENOUGH_IN_CONTEXT
    if not words.counted:
        return score >= _ENOUGH_UNCOUNTED
    return score >= (_ENOUGH_ALONE if count == len(stretch.tokens) and stretch.whole else _ENOUGH)


def _proven(stretch: _Stretch, words: WordList) -> bool:
    """Whether some 12 to 24 neighbouring words carry their own checksum."""
    places = words.places
    if len(stretch.around) < LENGTHS[-1] or not places:
        return False
    checks = 0
    run: list[str] = []
    for token in [*stretch.around, ""]:
        if token in places:
            run.append(token)
            continue
        for length in LENGTHS:
            for start in range(len(run) - length + 1):
                window = run[start : start + length]
                checks += 1
                if checks > _MOST_CHECKS:
                    return False
                if _plausible(window, words) and checksum_fits([places[word] for word in window]):
                    return True
        run = []
    return False


def _plausible(window: list[str], words: WordList) -> bool:
    if window[0] == _VECTOR and len(set(window)) <= 2:
        return True  # BIP-39's public test vector, which people paste to try us
    return len(set(window)) >= len(window) * 0.5 and sum(words.weights[word] for word in window) >= _CHECKED_SCORE


def _glued(tokens: list[str], lexicon: Lexicon) -> Phrase | None:
    """Words run together without a blank, that split into list words to the last letter."""
    for token in tokens:
        if len(token) >= (_SHORTEST_GLUED if token[0] > "ҿ" else _SHORTEST_GLUED_ALPHABETIC):
            words = _fewest_words(token[:_LONGEST_GLUED], lexicon.words)
            if words >= _WORDS:
                return Phrase(words, proven=False)
    return None


def _fewest_words(run: str, known: Container[str]) -> int:
    """Into how many words of *known* the whole of *run* splits; 0 where it does not."""
    fewest = [0] * (len(run) + 1)
    reached = 0
    for start in range(len(run)):
        if start > reached:
            return 0
        if start and not fewest[start]:
            continue
        for end in range(start + 2, min(start + _LONGEST_WORD, len(run)) + 1):
            if run[start:end] in known and (not fewest[end] or fewest[start] + 1 < fewest[end]):
                fewest[end] = fewest[start] + 1
                reached = max(reached, end)
    return fewest[-1]


def _prefixes(tokens: list[str], masks: list[int], lexicon: Lexicon, *, context: bool) -> Phrase | None:
    """Four letters a word, as they are punched into steel plates."""
    least = _PREFIXES_IN_CONTEXT if context else _PREFIXES
    cuts = [
        place
        for place, token in enumerate(tokens)
        if len(token) == 4 and not masks[place] and token in lexicon.prefixes
    ]
    if not any(last - first < 4 * least for first, last in pairwise(cuts)):
        return None
    run: list[str] = []
    cut, shared = 0, -1
    for token, mask in zip([*tokens, "."], [*masks, 0], strict=True):
        if token.isdigit() and len(token) <= 2:
            continue
        lists = mask | lexicon.prefixes.get(token, 0) if len(token) <= 4 else 0
        if shared & lists:
            run.append(token)
            shared &= lists
            cut += not mask & shared
            continue
        if len(run) >= least and len(set(run)) >= len(run) * 0.8 and (cut * 2 >= len(run) or _rare(run, cut, lexicon)):
            return Phrase(len(run), proven=False)
        run, cut, shared = ([token], int(not mask), lists) if lists else ([], 0, -1)
    return None


def _rare(run: list[str], cut: int, lexicon: Lexicon) -> bool:
    """Whether an English run is unlikely enough although most of its words are whole."""
    return cut >= 2 and sum(lexicon.cut_short.get(token, _UNKNOWN) for token in run) >= _ENOUGH
