"""Which topic a message is about: the right one, a few to choose from, or an honest "not sure"."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from imconnect.domain.messages import Language
from imconnect.domain.readings import Candidate
from imconnect.nlu.calibration import Calibration, Logistic, Scored, Stakes
from imconnect.nlu.normalise import squeezed

WORTH_OFFERING = 0.05
"""A choice that is right less often than one time in twenty costs more reading than it saves asking."""

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


def key_of(shape: int, model: str, rows: Sequence[Row], off_topic: Sequence[str], stakes: Stakes) -> str:
    """Names what a matcher was fitted on and with, and the shape it is kept in."""
    said = [[row.text, row.topic, row.voice] for row in rows]
    facts = [shape, model, said, list(off_topic), sorted(stakes.cautious), sorted(stakes.urgent)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
