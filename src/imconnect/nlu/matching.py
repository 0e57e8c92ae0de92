"""Which topic a message is about: the right one, a few to choose from, or an honest "not sure"."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from imconnect.domain.messages import Language
from imconnect.domain.readings import Candidate
from imconnect.nlu.calibration import PLACES, Calibration, Logistic, Scored, Stakes, Trial, calibrate
from imconnect.nlu.ngrams import Index, Vector, Weights, features
from imconnect.nlu.normalise import squeezed


@dataclass(frozen=True, slots=True)
class Row:
    """One phrasing a topic is recognised by; `voice` names the kind of customer it was written as."""

    text: str = field(repr=False)
    topic: str
    language: Language | None = None
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """`topic` only when sure enough to answer; `candidates` (three at most, best first) are worth offering; both empty
    when nothing is close. `in_scope`, 0 to 1, is one half at the gate."""

    topic: str | None = None
    candidates: tuple[Candidate, ...] = ()
    in_scope: float = 0.0


class Matcher(Protocol):
    """Finds the topic of a message. Built once from a pack, the same text always gives the same match."""

    @property
    def name(self) -> str:
        """What an operator is told at the start: how questions are understood here."""
        ...

    def match(self, text: str) -> Match:
        """What to do about *text*: answer, offer, or neither."""
        ...

    def rank(self, text: str) -> Match:
        """The three best topics whatever their chances, for measuring and explaining; `topic` is the best."""
        ...


class Phrasebook:
    """The rows a matcher is built from, each text once. A text given for two topics belongs to neither."""

    def __init__(self, rows: Iterable[Row], off_topic: Iterable[str]) -> None:
        topics: dict[str, set[str | None]] = {}
        first: dict[str, Row] = {}
        for row in rows:
            key = squeezed(row.text)
            topics.setdefault(key, set()).add(row.topic)
            first.setdefault(key, row)
        strangers: dict[str, str] = {}
        for text in off_topic:
            key = squeezed(text)
            topics.setdefault(key, set()).add(None)
            strangers.setdefault(key, text)
        self.exact: dict[str, str | None] = {key: next(iter(of)) for key, of in topics.items() if key and len(of) == 1}
        self.rows = tuple(row for key, row in first.items() if key in self.exact)
        self.off_topic = tuple(text for key, text in strangers.items() if key in self.exact)
        self.topics = tuple(sorted({row.topic for row in self.rows}))
        sizes = Counter(row.topic for row in self.rows)
        self.lonely = frozenset(topic for topic, size in sizes.items() if size < 2)

    def topic_of(self, row: int) -> str | None:
        """The topic of a row, counting the off-topic ones on behind the others."""
        return self.rows[row].topic if row < len(self.rows) else None


def settle(scored: Scored, calibration: Calibration, stakes: Stakes, lonely: frozenset[str]) -> Match:
    """Weigh the scores: answer above the cut, offer above the gate, say nothing below it.

    A likely call for help is answered as the likeliest of the urgent topics, though it may be another of them.
    A topic with a single phrasing was never put to the test and is only ever offered.
    """
    in_scope = calibration.in_scope(scored)
    if in_scope < 0.5:
        return Match(in_scope=in_scope)
    chances = calibration.chances(scored)
    candidates = tuple(
        Candidate(topic, round(chance, 4))
        for topic, chance in zip(scored.topics, chances, strict=False)
        if chance >= WORTH_OFFERING
    )
    best = scored.topics[0]
    cut = calibration.cautious_cut if best in stakes.cautious else calibration.cut
    if calibration.sureness(scored) >= cut and best not in lonely:
        return Match(best, candidates, in_scope)
    urgent = [one for one in candidates if one.topic in stakes.urgent and one.topic not in lonely]
    if urgent and calibration.alarm(scored, stakes.urgent) >= calibration.alarm_cut:
        others = [one for one in candidates if one.topic != urgent[0].topic]
        return Match(urgent[0].topic, (urgent[0], *others), in_scope)
    return Match(None, candidates, in_scope)


def ranking(scored: Scored, calibration: Calibration) -> Match:
    """The scores as chances, without any cut."""
    chances = calibration.chances(scored)
    candidates = tuple(Candidate(topic, chance) for topic, chance in zip(scored.topics, chances, strict=False))
    return Match(scored.topics[0] if scored.topics else None, candidates, calibration.in_scope(scored))


def certain(topic: str | None) -> Match:
    """The match of a text that stands in the pack word for word; None for an off-topic one."""
    return Match(topic, (Candidate(topic, 1.0),), 1.0) if topic else Match()


WORTH_OFFERING = 0.05
"""A choice that is right less often than one time in twenty costs more reading than it saves asking."""

BEST_EXAMPLE = 0.3
"""Weight of the nearest example beside the topic as a whole (chosen on CLINC150's validation part)."""

COMMON = 50
"""Features in more rows than this say little about a single example and are left out of that comparison."""

TRIALS = 600
"""About as many rows, evenly spread, are left out in turn to calibrate: enough for a 5 % quantile, and quick."""

PRIOR = Calibration(
    right=(
        Logistic(-1.46, (1.89, 0.0, 13.17)),
        Logistic(-1.67, (1.90, -11.05, 2.02)),
        Logistic(-2.69, (2.05, -9.66, 2.05)),
    ),
    gate=Logistic(0.0, (1.0, 0.0)),
    gate_cut=0.24,
    gate_width=0.19,
    taught=False,
    cut=0.9,
    cautious_cut=0.95,
    alarm_cut=0.5,
    trials=0,
)
"""For packs too small to try: fitted on 5 and 10 rows a topic of BANKING77 (CC BY 4.0) and CLINC150 (CC BY 3.0)."""


class NgramMatcher:
    """Words and letter groups against each topic as a whole and its nearest example. Standard library, no training."""

    name = "n-grams"

    def __init__(
        self,
        phrasebook: Phrasebook,
        weights: Weights,
        vectors: Sequence[Vector],
        strangers: Sequence[Vector],
        stakes: Stakes,
    ) -> None:
        self._phrasebook = phrasebook
        self._weights = weights
        self._stakes = stakes
        size = len(weights.number)
        place = {topic: position for position, topic in enumerate(phrasebook.topics)}
        self._topic_of = [place[row.topic] for row in phrasebook.rows]
        sums: list[dict[int, float]] = [{} for _ in place]
        for topic, vector in zip(self._topic_of, vectors, strict=True):
            total = sums[topic]
            for feature, weight in vector.items():
                total[feature] = total.get(feature, 0.0) + weight
        self._lengths = [math.sqrt(sum(weight * weight for weight in total.values())) for total in sums]
        self._topics = Index(sums, size)
        spread = Counter(feature for vector in (*vectors, *strangers) for feature in vector)
        self._examples = Index(
            (
                {feature: weight for feature, weight in vector.items() if spread[feature] <= COMMON}
                for vector in (*vectors, *strangers)
            ),
            size,
        )
        everything = (*vectors, *strangers)
        tried = [row for row in range(len(everything)) if phrasebook.topic_of(row) not in phrasebook.lonely]
        step = max(1, len(tried) // TRIALS)
        trials = [Trial(self._scored(everything[row], left_out=row), phrasebook.topic_of(row)) for row in tried[::step]]
        self.calibration = calibrate(trials, stakes, PRIOR)

    @classmethod
    def fit(
        cls,
        rows: Sequence[Row],
        off_topic: Sequence[str] = (),
        cautious: frozenset[str] = frozenset(),
        urgent: frozenset[str] = frozenset(),
    ) -> Self:
        """Learn *rows*; *off_topic* belongs to no topic.

        *cautious* topics are answered only with the higher precision; likely calls for *urgent* ones are never missed.
        """
        phrasebook = Phrasebook(rows, off_topic)
        documents = [features(row.text) for row in phrasebook.rows]
        strangers = [features(text) for text in phrasebook.off_topic]
        weights = Weights([*documents, *strangers])
        return cls(
            phrasebook,
            weights,
            [weights.vector(document) for document in documents],
            [weights.vector(document) for document in strangers],
            Stakes(cautious, urgent),
        )

    def match(self, text: str) -> Match:
        key = squeezed(text)
        if key in self._phrasebook.exact:
            return certain(self._phrasebook.exact[key])
        scored = self._scored(self._weights.vector(features(text)))
        return settle(scored, self.calibration, self._stakes, self._phrasebook.lonely)

    def rank(self, text: str) -> Match:
        key = squeezed(text)
        if self._phrasebook.exact.get(key):
            return certain(self._phrasebook.exact[key])
        return ranking(self._scored(self._weights.vector(features(text))), self.calibration)

    def _scored(self, vector: Vector, left_out: int | None = None) -> Scored:
        """The best topics for *vector*; with *left_out*, as if the pack had never had that row."""
        products = self._topics.products(vector)
        nearest = self._examples.products(vector)
        lengths: Sequence[float] = self._lengths
        if left_out is not None:
            nearest[left_out] = 0.0
            if left_out < len(self._topic_of):
                products, lengths = self._without(left_out, vector, products)
        best = [0.0] * len(products)
        for topic, score in zip(self._topic_of, nearest, strict=False):
            best[topic] = max(best[topic], score)
        scores = [
            product / length + BEST_EXAMPLE * example if length > 1e-9 else 0.0
            for product, length, example in zip(products, lengths, best, strict=True)
        ]
        order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)[:PLACES]
        return Scored(
            tuple(self._phrasebook.topics[topic] for topic in order if scores[topic] > 0),
            tuple(scores[topic] for topic in order if scores[topic] > 0),
            max(nearest[len(self._topic_of) :], default=0.0),
        )

    def _without(self, row: int, vector: Vector, products: list[float]) -> tuple[list[float], list[float]]:
        """Products and lengths of the topics once *row* is taken out of its own."""
        topic = self._topic_of[row]
        own = sum(weight * weight for weight in vector.values())
        lengths = list(self._lengths)
        lengths[topic] = math.sqrt(max(0.0, lengths[topic] ** 2 - 2 * products[topic] + own))
        products[topic] -= own
        return products, lengths
