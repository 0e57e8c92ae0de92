"""The matcher of the standard library: words and letter groups, a topic as a whole and its nearest example."""

import json
import math
import random
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

from imconnect.nlu.calibration import PLACES, Calibration, Scored, Stakes, Trial, calibrate
from imconnect.nlu.kept import Kept, keep
from imconnect.nlu.matching import PRIOR, Match, Phrasebook, Row, certain, key_of, ranking, settle
from imconnect.nlu.ngrams import Postings, Vector, Weights, by_feature, features
from imconnect.nlu.normalise import squeezed
from imconnect.nlu.rehearsal import Heard, Rehearsal

FORMAT = 3  # of the kept matcher; raised whenever what is kept or how it is computed changes

BEST_EXAMPLE = 0.25
"""Weight of the nearest example beside the topic as a whole (chosen on CLINC150's validation part)."""

COMMON = 50
"""Features in more rows than this say little about a single example and are left out of that comparison."""

TRIALS = 600
"""About as many rows, evenly spread, are left out in turn to calibrate: enough for a 5 % quantile, and quick."""

FOLDS = 4
"""Into so many parts the rows fall where leaving out one at a time would mean to train as often."""

ROUNDS, STEP, MARGIN = 3, 0.1, 0.2
"""Of training: passes over the rows, first step, and the lead the right topic shall have (CLINC150, validation)."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """Everything fitted to one pack, ready to be kept in a file. Off-topic rows come behind the others."""

    topics: tuple[str, ...]
    lonely: frozenset[str]
    exact: Mapping[str, str | None]
    calibration: Calibration
    weights: Weights
    towards: Postings
    examples: Postings
    topic_of: "array[int]"
    rows: int

    def scored(self, vector: Vector, without: Collection[int] = ()) -> Scored:
        """The best topics for *vector*; the rows in *without* are no examples."""
        products = self.towards.products(vector, len(self.topics))
        return self.joined(products, self.examples.products(vector, self.rows), without)

    def joined(self, products: Sequence[float], nearest: list[float], without: Collection[int]) -> Scored:
        """The topics as wholes and their nearest examples as one ranking."""
        for row in without:
            nearest[row] = 0.0
        best = [0.0] * len(products)
        for topic, score in zip(self.topic_of, nearest, strict=False):
            if score > best[topic]:  # noqa: PLR1730 - max() would take this innermost loop twice the time
                best[topic] = score
        scores = [product + BEST_EXAMPLE * example for product, example in zip(products, best, strict=True)]
        order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)[:PLACES]
        known = [place for place in order if scores[place] > 0]
        return Scored(
            tuple(self.topics[place] for place in known),
            tuple(scores[place] for place in known),
            max(nearest[len(self.topic_of) :], default=0.0),
        )

    def save(self, path: Path) -> None:
        """Write to *path*, whole or not at all. Raises `OSError`."""
        parts = (self.towards, self.examples)
        arrays: list[array[Any]] = [array("f", self.weights.rarity), self.topic_of]
        arrays += [one for part in parts for one in (part.starts, part.holders, part.weights)]
        facts = {
            "topics": self.topics,
            "lonely": sorted(self.lonely),
            "exact": self.exact,
            "calibration": asdict(self.calibration),
            "features": list(self.weights.number),
            "unseen": self.weights.unseen,
            "rows": self.rows,
        }
        # As bytes, not as the file's own facts: those are read when it is opened, these when there is a question.
        told = json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass")
        keep(path, {}, {"facts": memoryview(told)} | {str(place): memoryview(one) for place, one in enumerate(arrays)})

    @classmethod
    def revive(cls, kept: Kept) -> Self:
        """What `save` wrote."""
        facts = json.loads(bytes(kept.views["facts"]).decode("utf-8", "surrogatepass"))
        arrays: list[array[Any]] = []
        for place, kind in enumerate(KINDS):
            one: array[Any] = array(kind)
            one.frombytes(kept.views[str(place)].tobytes())
            arrays.append(one)
        rarity, topic_of, *postings = arrays
        number = {feature: position for position, feature in enumerate(facts["features"])}
        return cls(
            topics=tuple(facts["topics"]),
            lonely=frozenset(facts["lonely"]),
            exact=facts["exact"],
            calibration=Calibration.revive(facts["calibration"]),
            weights=Weights(number, rarity, facts["unseen"]),
            towards=Postings(*postings[:3]),
            examples=Postings(*postings[3:]),
            topic_of=topic_of,
            rows=facts["rows"],
        )


KINDS: tuple[Literal["f", "H", "I"], ...] = ("f", "H", "I", "I", "f", "I", "I", "f")
"""Of the kept arrays, in their order: rarity, topics of rows, then starts, holders and weights, twice."""


class NgramMatcher:
    """Words and letter groups against each topic as a whole and its nearest example. Standard library alone."""

    name = "n-grams"

    def __init__(self, lexical: Lexical, stakes: Stakes) -> None:
        self._lexical = lexical
        self._stakes = stakes
        self.calibration = lexical.calibration

    @classmethod
    def fit(
        cls,
        rows: Sequence[Row],
        off_topic: Sequence[str] = (),
        cautious: frozenset[str] = frozenset(),
        urgent: frozenset[str] = frozenset(),
    ) -> Self:
        """Learn *rows* in an instant, without training; *off_topic* belongs to no topic.

        *cautious* topics are answered only with the higher precision; likely calls for *urgent* ones are never missed.
        """
        stakes = Stakes(cautious, urgent)
        return cls(_Lesson(rows, off_topic).at_once(stakes), stakes)

    @classmethod
    def train(
        cls,
        rows: Sequence[Row],
        off_topic: Sequence[str] = (),
        cautious: frozenset[str] = frozenset(),
        urgent: frozenset[str] = frozenset(),
        *,
        cache: Path | None = None,
    ) -> Self:
        """Learn *rows* by going over them until the right topics lead: some 3 points better than `fit`, and seconds
        long, so the result is kept in the folder *cache* and only learnt again when the rows change."""
        stakes = Stakes(cautious, urgent)
        if cache is None:
            return cls(_Lesson(rows, off_topic).by_training(stakes), stakes)
        file = ngrams_file(cache, rows, off_topic, stakes)
        try:
            lexical = Lexical.revive(Kept.open(file))
        except (OSError, ValueError):  # none there, or spoilt
            lexical = _Lesson(rows, off_topic).by_training(stakes)
            with suppress(OSError):  # a cache that cannot be written costs the next start its time, no more
                lexical.save(file)
        return cls(lexical, stakes)

    @classmethod
    def rehearse(
        cls,
        rows: Sequence[Row],
        off_topic: Sequence[str] = (),
        cautious: frozenset[str] = frozenset(),
        urgent: frozenset[str] = frozenset(),
    ) -> Rehearsal:
        """What a trained matcher says of each row of a voice it never heard; it trains anew for every voice."""
        return _Lesson(rows, off_topic).rehearsed(Stakes(cautious, urgent))

    def match(self, text: str) -> Match:
        key = squeezed(text)
        if key in self._lexical.exact:
            return certain(self._lexical.exact[key])
        scored = self._lexical.scored(self._lexical.weights.vector(features(text)))
        return settle(scored, self.calibration, self._stakes, self._lexical.lonely)

    def rank(self, text: str) -> Match:
        topic = self._lexical.exact.get(squeezed(text))
        if topic is not None:
            return certain(topic)
        return ranking(self._lexical.scored(self._lexical.weights.vector(features(text))), self.calibration)


def ngrams_file(cache: Path, rows: Sequence[Row], off_topic: Sequence[str], stakes: Stakes) -> Path:
    """Where what training made of these rows is kept."""
    return cache / f"{key_of(FORMAT, NgramMatcher.name, rows, off_topic, stakes)}.ngrams"


class _Lesson:
    """What is to be learnt, as vectors."""

    def __init__(self, rows: Sequence[Row], off_topic: Sequence[str]) -> None:
        self._phrasebook = Phrasebook(rows, off_topic)
        ordered = sorted(self._phrasebook.rows, key=lambda row: (row.topic, row.text))
        strangers = sorted(self._phrasebook.off_topic)
        self._texts = [*(row.text for row in ordered), *strangers]
        documents = [features(text) for text in self._texts]
        self._weights = Weights.of(documents)
        self._vectors = [self._weights.vector(document) for document in documents]
        self._voices = [row.voice for row in ordered]
        place = {topic: number for number, topic in enumerate(self._phrasebook.topics)}
        self._topic_of = array("H", (place[row.topic] for row in ordered))
        spread = Counter(feature for vector in self._vectors for feature in vector)
        rare = ({f: weight for f, weight in vector.items() if spread[f] <= COMMON} for vector in self._vectors)
        self._examples = Postings.gather(by_feature(rare, len(self._weights.number)))

    def at_once(self, stakes: Stakes) -> Lexical:
        """Each topic as the middle of its rows; calibrated on rows taken out of their topic one at a time."""
        towards, lengths = self._middles(range(len(self._topic_of)))
        draft = self._lexical(Postings.gather(towards))
        tried = self._testable(range(len(self._vectors)))
        trials: list[Trial] = []
        for row in tried[:: max(1, len(tried) // TRIALS)]:
            vector = self._vectors[row]
            products = draft.towards.products(vector, len(draft.topics))
            if row < len(self._topic_of):
                topic = self._topic_of[row]
                own, length = sum(weight * weight for weight in vector.values()), lengths[topic]
                rest = math.sqrt(max(0.0, length**2 - 2 * products[topic] * length + own))
                products[topic] = (products[topic] * length - own) / rest if rest > 1e-6 else 0.0
            nearest = draft.examples.products(vector, draft.rows)
            trials.append(Trial(draft.joined(products, nearest, (row,)), self._name(row)))
        return replace(draft, calibration=calibrate(trials, stakes, PRIOR))

    def by_training(self, stakes: Stakes) -> Lexical:
        """Each topic as what tells it from its neighbours; calibrated on parts of the rows that training never saw."""
        trials: list[Trial] = []
        for part in range(FOLDS):
            if len(trials) < TRIALS:
                trials += [Trial(scored, self._name(row)) for row, scored in self._tried(part, FOLDS)]
        whole = self._lexical(Postings.gather(self._trained(range(len(self._topic_of)))))
        return replace(whole, calibration=calibrate(trials, stakes, PRIOR))

    def rehearsed(self, stakes: Stakes) -> Rehearsal:
        """Every row as seen by training that left out its whole voice, or a part of the rows where voices are few."""
        parts = max(FOLDS, len(self._spoken()))
        heard = [
            Heard(self._texts[row], self._name(row), self._voices[row] if row < len(self._voices) else "", scored)
            for part in range(parts)
            for row, scored in self._tried(part, parts)
        ]
        trials = [Trial(one.scored, one.topic) for one in heard]
        return Rehearsal(tuple(heard), calibrate(trials, stakes, PRIOR), stakes, self._phrasebook.lonely)

    def _tried(self, part: int, parts: int) -> list[tuple[int, Scored]]:
        """The rows of one part of *parts*, scored by training on the others."""
        out = {row for row in range(len(self._vectors)) if self._part(row, parts) == part}
        rest = [row for row in range(len(self._topic_of)) if row not in out]
        if not out or not rest:
            return []
        draft = self._lexical(Postings.gather(self._trained(rest)))
        return [(row, draft.scored(self._vectors[row], out)) for row in self._testable(sorted(out))]

    def _part(self, row: int, parts: int) -> int:
        """Which part a row falls into: that of its voice where there are enough voices, else its turn."""
        voices = self._spoken()
        if row < len(self._voices) and len(voices) >= FOLDS and self._voices[row]:
            return voices.index(self._voices[row]) % parts
        return row % parts

    def _spoken(self) -> list[str]:
        return sorted({*self._voices} - {""})

    def _name(self, row: int) -> str | None:
        return self._phrasebook.topics[self._topic_of[row]] if row < len(self._topic_of) else None

    def _testable(self, rows: Iterable[int]) -> list[int]:
        return [row for row in rows if self._name(row) not in self._phrasebook.lonely]

    def _lexical(self, towards: Postings) -> Lexical:
        book = self._phrasebook
        return Lexical(
            topics=book.topics,
            lonely=book.lonely,
            exact=book.exact,
            calibration=PRIOR,
            weights=self._weights,
            towards=towards,
            examples=self._examples,
            topic_of=self._topic_of,
            rows=len(self._vectors),
        )

    def _middles(self, rows: Iterable[int]) -> tuple[list[dict[int, float]], list[float]]:
        """For each feature its weight in the middle of each topic, and how long each sum of rows was."""
        sums: list[dict[int, float]] = [{} for _ in self._weights.number]
        for row in rows:
            topic = self._topic_of[row]
            for feature, weight in self._vectors[row].items():
                held = sums[feature]
                held[topic] = held.get(topic, 0.0) + weight
        lengths = [0.0] * len(self._phrasebook.topics)
        for held in sums:
            for topic, weight in held.items():
                lengths[topic] += weight * weight
        lengths = [math.sqrt(length) for length in lengths]
        return [{topic: weight / lengths[topic] for topic, weight in held.items()} for held in sums], lengths

    def _trained(self, rows: Sequence[int]) -> list[dict[int, float]]:
        """From the middles on, pull the right topic up and the nearest wrong ones down wherever it does not lead."""
        towards, _ = self._middles(rows)
        order = list(rows)
        dice = random.Random(0)  # noqa: S311 - an order of practice, the same every time, no secret
        for lap in range(ROUNDS):
            dice.shuffle(order)
            step = STEP / (1 + lap / 2)
            for row in order:
                self._practise(towards, row, step)
        return towards

    def _practise(self, towards: Sequence[dict[int, float]], row: int, step: float) -> None:
        vector, right = self._vectors[row], self._topic_of[row]
        scores = [0.0] * len(self._phrasebook.topics)
        for feature, weight in vector.items():
            for topic, other in towards[feature].items():
                scores[topic] += weight * other
        bar = scores[right] - MARGIN
        rivals = sorted(((score, topic) for topic, score in enumerate(scores) if score > bar and topic != right))[
            -PLACES:
        ]
        if not rivals:
            return
        for feature, weight in vector.items():
            held = towards[feature]
            held[right] = held.get(right, 0.0) + step * weight
            for _, topic in rivals:
                held[topic] = held.get(topic, 0.0) - step * weight / len(rivals)
