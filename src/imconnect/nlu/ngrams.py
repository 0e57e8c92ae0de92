"""Words and fragments of words, weighed by how telling they are, in an inverted index. Standard library only."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

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

    def __init__(self, documents: Sequence[Mapping[str, int]]) -> None:
        frequency = Counter(feature for document in documents for feature in document)
        total = 1 + len(documents)
        self.number = {feature: position for position, feature in enumerate(frequency)}
        self.rarity = [1 + math.log(total / (1 + count)) for count in frequency.values()]
        self.unseen = 1 + math.log(total)

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


class Index:
    """Vectors by feature: which rows hold a feature, and with what weight."""

    def __init__(self, vectors: Iterable[Vector], size: int) -> None:
        self.postings: list[list[tuple[int, float]]] = [[] for _ in range(size)]
        self.rows = 0
        for row, vector in enumerate(vectors):
            self.rows += 1
            for feature, weight in vector.items():
                self.postings[feature].append((row, weight))

    def products(self, vector: Vector) -> list[float]:
        """The inner product of *vector* with every row."""
        scores = [0.0] * self.rows
        for feature, weight in vector.items():
            for row, other in self.postings[feature]:
                scores[row] += weight * other
        return scores
