"""Rows of a pack that say nearly the same: needless under one topic, a conflict under two."""

from collections import Counter
from collections.abc import Iterator, Sequence

from imconnect.nlu.ngrams import Vector, Weights, features

COMMON = 50  # features of more rows than this bring nobody together; two rows that share no rarer one differ enough


def neighbours(texts: Sequence[str], least: float) -> Iterator[tuple[float, int, int]]:
    """Pairs of *texts* (by their places) that share at least *least*, 0 to 1, of their words and letter groups."""
    documents = [features(text) for text in texts]
    weights = Weights.of(documents)
    vectors = [weights.vector(document) for document in documents]
    spread = Counter(feature for vector in vectors for feature in vector)
    holders: dict[int, list[int]] = {}
    for later, vector in enumerate(vectors):
        telling = [feature for feature in vector if spread[feature] <= COMMON]
        for earlier in sorted({row for feature in telling for row in holders.get(feature, ())}):
            shared = overlap(vector, vectors[earlier])
            if shared >= least:
                yield shared, earlier, later
        for feature in telling:
            holders.setdefault(feature, []).append(later)


def overlap(one: Vector, other: Vector) -> float:
    """The cosine of two vectors of length 1."""
    shorter, longer = sorted((one, other), key=len)
    return sum(weight * longer[feature] for feature, weight in shorter.items() if feature in longer)
