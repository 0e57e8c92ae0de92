"""From scores to honest numbers: how likely each candidate is right, whether the text is in scope, where to cut.

Everything is fitted on trials: rows of the pack scored by a matcher that has not seen them (left out).
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

KEPT = 0.95  # the share of in-scope questions the gate lets through
PRECISION = 0.90  # of the answers given, the share that is right
CAUTIOUS_PRECISION = 0.95  # the same where a wrong answer costs money
STRANGERS_ANSWERED = 0.04  # the largest share of off-topic messages that may get an answer
ALARM = 1 / 3  # a message whose topic is unsure is heard as a call for help from this chance on: better two too many
ENOUGH = 30  # fewer trials than this say nothing; the prior stands in
PLACES = 3  # candidates kept


@dataclass(frozen=True, slots=True)
class Scored:
    """What a matcher makes of a text: the best topics with raw scores, best first, and the best off-topic score."""

    topics: tuple[str, ...]
    scores: tuple[float, ...]
    stranger: float = 0.0

    def inputs(self, place: int) -> tuple[float, float, float]:
        """What tells whether the candidate at *place* is right: its score, how far off the first and the next are."""
        score = self.scores[place]
        beside = self.scores[place + 1] if place + 1 < len(self.scores) else 0.0
        return score, (self.scores[0] - score) if place else 0.0, score - beside


@dataclass(frozen=True, slots=True)
class Trial:
    """A row scored by a matcher that never saw it. `topic` is None for an off-topic row."""

    scored: Scored
    topic: str | None


@dataclass(frozen=True, slots=True)
class Logistic:
    """A chance between 0 and 1 from a few inputs."""

    bias: float
    weights: tuple[float, ...]

    def logit(self, inputs: Sequence[float]) -> float:
        return self.bias + sum(weight * value for weight, value in zip(self.weights, inputs, strict=True))

    def __call__(self, inputs: Sequence[float]) -> float:
        return sigmoid(self.logit(inputs))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Read by every matcher alike. Cut-offs come from trials for the stated precision, never from taste."""

    right: tuple[Logistic, ...]
    gate: Logistic
    gate_cut: float
    gate_width: float
    taught: bool  # by off-topic rows: then the gate's own chance is one, too
    cut: float
    cautious_cut: float
    alarm_cut: float
    trials: int

    @classmethod
    def revive(cls, facts: Mapping[str, Any]) -> Self:
        """The calibration whose `dataclasses.asdict` went through JSON. Raises `KeyError` on anything else."""
        gate, *right = (Logistic(one["bias"], tuple(one["weights"])) for one in (facts["gate"], *facts["right"]))
        plain = {name: facts[name] for name in cls.__slots__ if name not in {"right", "gate"}}
        return cls(right=tuple(right), gate=gate, **plain)

    def chances(self, scored: Scored) -> tuple[float, ...]:
        """How likely each candidate is the right one; falling, and never more than 1 together."""
        chances: list[float] = []
        for place in range(min(len(scored.topics), len(self.right))):
            ceiling = min(chances[-1], 1 - sum(chances)) if chances else 1.0
            chances.append(max(0.0, min(ceiling, self.right[place](scored.inputs(place)))))
        return tuple(chances)

    def sureness(self, scored: Scored) -> float:
        """How likely the first candidate is right, given that the text may be about nothing in the pack at all."""
        sure = self.chances(scored)[0] if scored.topics else 0.0
        return sure * self.gate(gate_inputs(scored)) if self.taught and scored.topics else sure

    def alarm(self, scored: Scored, urgent: frozenset[str]) -> float:
        """How likely the text is a call for help, whichever of the *urgent* topics it is."""
        pairs = zip(scored.topics, self.chances(scored), strict=False)
        return sum(chance for topic, chance in pairs if topic in urgent)

    def in_scope(self, scored: Scored) -> float:
        """0 to 1, one half at the gate: below it, nothing in the pack is close enough to speak of."""
        if not scored.topics:
            return 0.0
        return sigmoid((self.gate.logit(gate_inputs(scored)) - self.gate_cut) / self.gate_width)


def gate_inputs(scored: Scored) -> tuple[float, float]:
    return scored.scores[0], scored.stranger


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a mix-up costs: `cautious` topics need the higher precision; `urgent` ones must not be missed."""

    cautious: frozenset[str] = frozenset()
    urgent: frozenset[str] = frozenset()


def calibrate(trials: Sequence[Trial], stakes: Stakes, prior: Calibration) -> Calibration:
    """The calibration these trials support; *prior* where they are too few."""
    inside = [trial for trial in trials if trial.topic is not None and trial.scored.topics]
    outside = [trial for trial in trials if trial.topic is None and trial.scored.topics]
    if len(inside) < ENOUGH:
        return prior
    right = tuple(_chance_of_place(place, inside, prior) for place in range(PLACES))
    gate = Logistic(0.0, (1.0, 0.0))
    if len(outside) >= ENOUGH:
        gate = fit(
            [gate_inputs(trial.scored) for trial in (*inside, *outside)], [True] * len(inside) + [False] * len(outside)
        )
    levels = sorted(gate.logit(gate_inputs(trial.scored)) for trial in inside)
    gate_cut = quantile(levels, 1 - KEPT)
    width = max(1e-6, quantile(levels, 0.75) - gate_cut)
    draft = Calibration(right, gate, gate_cut, width / 2, len(outside) >= ENOUGH, 1.0, 1.0, 1.0, len(trials))
    through = [trial for trial in (*inside, *outside) if draft.in_scope(trial.scored) >= 0.5]
    sure = [(draft.sureness(trial.scored), trial) for trial in through]
    cut = max(
        _stranger_floor([sureness for sureness, trial in sure if trial.topic is None], len(outside)),
        _cut(
            [(s, t.scored.topics[0] == t.topic) for s, t in sure if t.scored.topics[0] not in stakes.cautious],
            PRECISION,
        ),
    )
    careful = [(s, t.scored.topics[0] == t.topic) for s, t in sure if t.scored.topics[0] in stakes.cautious]
    cautious_cut = max(cut, _cut(careful, CAUTIOUS_PRECISION))
    alarms = [
        (draft.alarm(trial.scored, stakes.urgent), trial.topic in stakes.urgent)
        for sureness, trial in sure
        if sureness < (cautious_cut if trial.scored.topics[0] in stakes.cautious else cut)
    ]
    return replace(
        draft,
        cut=cut,
        cautious_cut=cautious_cut,
        alarm_cut=_alarm_cut(alarms) if stakes.urgent else 1.0,
    )


def _alarm_cut(alarms: Sequence[tuple[float, bool]]) -> float:
    """The alarm at which a call for help has become likely enough; the stated chance itself where trials are few."""
    outcomes = [urgent for _, urgent in alarms]
    if len(alarms) < ENOUGH or all(outcomes) or not any(outcomes):
        return ALARM
    curve = fit([[alarm] for alarm, _ in alarms], outcomes)
    (slope,) = curve.weights
    return min(1.0, max(0.0, (math.log(ALARM / (1 - ALARM)) - curve.bias) / slope)) if slope > 0 else 1.0


def _chance_of_place(place: int, inside: Sequence[Trial], prior: Calibration) -> Logistic:
    there = [trial for trial in inside if len(trial.scored.topics) > place]
    outcomes = [trial.scored.topics[place] == trial.topic for trial in there]
    if len(there) < ENOUGH or all(outcomes) or not any(outcomes):
        return prior.right[place]
    return fit([trial.scored.inputs(place) for trial in there], outcomes)


def _stranger_floor(strangers: Sequence[float], outside: int) -> float:
    """The least chance at which few enough off-topic messages would still be answered."""
    allowed = int(outside * STRANGERS_ANSWERED)
    ranked = sorted(strangers, reverse=True)
    return math.nextafter(ranked[allowed], 2.0) if len(ranked) > allowed else 0.0


def _cut(judged: Sequence[tuple[float, bool]], precision: float) -> float:
    """The least figure from which on the stated share is right; that share itself where trials are few."""
    ranked = sorted(judged, reverse=True)
    right, cut = 0, precision
    for given, (figure, is_right) in enumerate(ranked, start=1):
        right += is_right
        if given >= ENOUGH and right >= precision * given and (given == len(ranked) or ranked[given][0] < figure):
            cut = figure
    return cut


def fit(
    inputs: Sequence[Sequence[float]], outcomes: Sequence[bool], *, steps: int = 25, ridge: float = 0.01
) -> Logistic:
    """The logistic curve through *outcomes*, by Newton's method on standardised inputs. Deterministic."""
    size = len(inputs[0])
    means = [sum(row[column] for row in inputs) / len(inputs) for column in range(size)]
    spreads = [
        math.sqrt(sum((row[column] - means[column]) ** 2 for row in inputs) / len(inputs)) or 1.0
        for column in range(size)
    ]
    rows = [(1.0, *((row[c] - means[c]) / spreads[c] for c in range(size))) for row in inputs]
    weights = [0.0] * (size + 1)
    for _ in range(steps):
        slope = [ridge * weight for weight in weights]
        curve = [[ridge * (a == b) for b in range(size + 1)] for a in range(size + 1)]
        for row, outcome in zip(rows, outcomes, strict=True):
            chance = sigmoid(sum(map(float.__mul__, weights, row)))
            miss, spread = chance - outcome, chance * (1 - chance)
            for a, value in enumerate(row):
                slope[a] += miss * value
                steep, line = spread * value, curve[a]
                for b in range(a + 1):
                    line[b] += steep * row[b]
        for a in range(size + 1):
            for b in range(a):
                curve[b][a] = curve[a][b]
        step = solve(curve, slope)
        weights = [weight - change for weight, change in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-4:
            break
    plain = tuple(weight / spread for weight, spread in zip(weights[1:], spreads, strict=True))
    return Logistic(weights[0] - sum(map(float.__mul__, plain, means)), plain)


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """The solution of a small, well-conditioned linear system (Gauss with pivots)."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(column + 1, size):
            share = rows[row][column] / rows[column][column]
            for at in range(column, size + 1):
                rows[row][at] -= share * rows[column][at]
    solution = [0.0] * size
    for row in reversed(range(size)):
        known = sum(rows[row][at] * solution[at] for at in range(row + 1, size))
        solution[row] = (rows[row][size] - known) / rows[row][row]
    return solution


def sigmoid(value: float) -> float:
    """1 / (1 + exp(-value)), for any value."""
    if value >= 0:
        return 1 / (1 + math.exp(-min(value, 700)))
    grown = math.exp(max(value, -700))
    return grown / (1 + grown)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which *share* of the ascending *ordered* lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def calibration_error(chances: Sequence[float], outcomes: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error, 0 to 1: how far stated chances lie from what came true, over equal-width bins."""
    edges = [(edge + 1) / bins for edge in range(bins)]
    total, hits, counts = [0.0] * bins, [0] * bins, [0] * bins
    for chance, outcome in zip(chances, outcomes, strict=True):
        place = min(bins - 1, bisect_left(edges, chance))
        total[place] += chance
        hits[place] += outcome
        counts[place] += 1
    return sum(abs(t - h) for t, h, n in zip(total, hits, counts, strict=True) if n) / max(1, len(chances))


def area_under_curve(inside: Sequence[float], outside: Sequence[float]) -> float:
    """AUROC, 0 to 1: the chance that an in-scope score exceeds an out-of-scope one; ties count half."""
    ranked = sorted([(score, True) for score in inside] + [(score, False) for score in outside])
    ranks, start = 0.0, 0
    while start < len(ranked):
        end = start
        while end < len(ranked) and ranked[end][0] == ranked[start][0]:
            end += 1
        ranks += sum(is_inside for _, is_inside in ranked[start:end]) * (start + end + 1) / 2
        start = end
    pairs = len(inside) * len(outside)
    return (ranks - len(inside) * (len(inside) + 1) / 2) / pairs if pairs else math.nan
