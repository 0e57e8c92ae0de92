"""Words and fragments of words, weighed by how telling they are, in an inverted index. Standard library only."""

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from imconnect.nlu.normalise import HAN, spoken

_RUN = re.compile(f"[{HAN}]+|[^\\W_{HAN}]+")
_HAN = re.compile(f"[{HAN}]")

Vector = Mapping[int, float]


def features(text: str) -> Counter[str]:
    """Words, pairs of words and 3- to 4-letter fragments of Latin text; 1- to 3-character runs of Chinese."""
    found: list[str] = []
    previous = ""
    for run in _RUN.findall(spoken(text)):
        if _HAN.match(run):
            for size in (1, 2, 3):
                found += [run[start : start + size] for start in range(len(run) - size + 1)]
            previous = ""
            continue
        found.append("w" + run)
        if previous:
            found.append(previous + " " + run)
        padded = f"_{run}_"
        for size in (3, 4):
            found += ["c" + padded[start : start + size] for start in range(len(padded) - size + 1)]
        previous = run
    return Counter(found)


class Weights:
    """How telling each feature of a set of texts is: term frequency times inverse document frequency, unit length."""

    def __init__(self, number: Mapping[str, int], rarity: Sequence[float], unseen: float) -> None:
        self.number = number
        self.rarity = rarity
        self.unseen = unseen

    @classmethod
    def of(cls, documents: Sequence[Mapping[str, int]]) -> Self:
        """The weights that *documents* call for."""
        frequency = Counter(feature for document in documents for feature in document)
        total = 1 + len(documents)
        number = {feature: position for position, feature in enumerate(frequency)}
        rarity = array("f", (1 + math.log(total / (1 + count)) for count in frequency.values()))
        return cls(number, rarity, 1 + math.log(total))

    def vector(self, document: Mapping[str, int]) -> dict[int, float]:
        """*document* as feature numbers and weights. What was never seen lengthens it, so strange text scores low."""
        weights: dict[int, float] = {}
        strange = 0
        for feature, count in document.items():
            number = self.number.get(feature)
            if number is None:
                strange += 1
            else:
                weights[number] = (1 + math.log(count)) * self.rarity[number] if count > 1 else self.rarity[number]
        length = math.sqrt(sum(weight * weight for weight in weights.values()) + strange * self.unseen**2)
        return {number: weight / length for number, weight in weights.items()} if length else weights


@dataclass(frozen=True, slots=True)
class Postings:
    """Vectors by feature: which rows hold a feature, with what weight. Three flat arrays, quick to keep and to load."""

    starts: "array[int]"
    holders: "array[int]"
    weights: "array[float]"

    @classmethod
    def gather(cls, by_feature: Iterable[Mapping[int, float]]) -> Self:
        """From the weight of every row that holds a feature, feature by feature."""
        starts, holders, weights = array("I", [0]), array("I"), array("f")
        for held in by_feature:
            holders.extend(held.keys())
            weights.extend(held.values())
            starts.append(len(holders))
        return cls(starts, holders, weights)

    def products(self, vector: Vector, rows: int) -> list[float]:
        """The inner product of *vector* with each of the *rows*."""
        scores = [0.0] * rows
        starts, holders, weights = self.starts, self.holders, self.weights
        for feature, weight in vector.items():
            begin, end = starts[feature], starts[feature + 1]
            for row, other in zip(holders[begin:end], weights[begin:end], strict=True):
                scores[row] += weight * other
        return scores


def by_feature(vectors: Iterable[Vector], size: int) -> list[dict[int, float]]:
    """For each feature, the rows that hold it with their weights."""
    held: list[dict[int, float]] = [{} for _ in range(size)]
    for row, vector in enumerate(vectors):
        for feature, weight in vector.items():
            held[feature][row] = weight
    return held
