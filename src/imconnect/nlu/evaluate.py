"""Measures a matcher on real questions, so that an operator can see what a pack is worth."""

import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field

from imconnect.nlu.calibration import KEPT, area_under_curve, calibration_error, quantile
from imconnect.nlu.lexical import NgramMatcher
from imconnect.nlu.matching import Matcher, Row


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and the topic it is about; None: out of scope."""

    text: str = field(repr=False)
    label: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Shares are 0 to 1, times milliseconds, memory megabytes. None where the questions cannot tell.

    `accuracy` and `top_3` are over in-scope questions before any cut; `kept` is the share of them the gate lets
    through; `answered` the share answered without asking, and `precision` how often rightly. Of the out-of-scope
    questions, `out_of_scope_answered` is the share that got an answer all the same, `out_of_scope_gated` what the gate
    turned away, and `out_of_scope_recall` what a gate that keeps exactly 95 % of these in-scope questions would.
    """

    matcher: str
    rows: int
    questions: int
    out_of_scope: int
    accuracy: float | None
    top_3: float | None
    kept: float | None
    answered: float | None
    precision: float | None
    calibration_error: float | None
    out_of_scope_auroc: float | None
    out_of_scope_recall: float | None
    out_of_scope_gated: float | None
    out_of_scope_answered: float | None
    build_seconds: float
    p50_ms: float
    p99_ms: float
    peak_rss_mb: float

    def as_json(self) -> dict[str, str | float | int | None]:
        return asdict(self)


Fit = Callable[[Sequence[Row], Sequence[str]], Matcher]


def evaluate(
    train: Iterable[Labelled],
    test: Iterable[Labelled],
    fit: Fit = NgramMatcher.fit,
    clock: Callable[[], float] = time.perf_counter,
) -> Report:
    """Learn *train* with *fit*, answer *test*, and say how well that went. Off-topic rows of *train* have no label."""
    known = tuple(train)
    started = clock()
    rows = [Row(one.text, one.label) for one in known if one.label is not None]
    matcher = fit(rows, [one.text for one in known if one.label is None])
    built = clock() - started
    return examine(matcher, tuple(test), clock, rows=len(known), built=built)


def examine(
    matcher: Matcher, test: Sequence[Labelled], clock: Callable[[], float], *, rows: int = 0, built: float = 0.0
) -> Report:
    """How well *matcher* answers *test*."""
    took: list[float] = []
    first: list[bool] = []
    third: list[bool] = []
    chances: list[float] = []
    scopes: dict[bool, list[float]] = {True: [], False: []}
    gated = dict.fromkeys((True, False), 0)
    given: dict[bool, list[bool]] = {True: [], False: []}
    for one in test:
        started = clock()
        match = matcher.match(one.text)
        took.append(clock() - started)
        ranked = matcher.rank(one.text)
        inside = one.label is not None
        scopes[inside].append(ranked.in_scope)
        gated[inside] += not match.topic and not match.candidates
        if match.topic is not None:
            given[inside].append(match.topic == one.label)
        if inside:
            topics = [candidate.topic for candidate in ranked.candidates]
            first.append(topics[:1] == [one.label])
            third.append(one.label in topics)
            chances.append(ranked.candidates[0].probability if topics else 0.0)
    took.sort()
    inside_count, outside_count = len(first), len(scopes[False])
    answers = len(given[True]) + len(given[False])
    return Report(
        matcher=matcher.name,
        rows=rows,
        questions=len(test),
        out_of_scope=outside_count,
        accuracy=_share(sum(first), inside_count),
        top_3=_share(sum(third), inside_count),
        kept=_share(inside_count - gated[True], inside_count),
        answered=_share(len(given[True]), inside_count),
        precision=_share(sum(given[True]), answers),
        calibration_error=calibration_error(chances, first) if first else None,
        out_of_scope_auroc=area_under_curve(scopes[True], scopes[False]) if first and outside_count else None,
        out_of_scope_recall=turned_away(scopes[True], scopes[False]) if first and outside_count else None,
        out_of_scope_gated=_share(gated[False], outside_count),
        out_of_scope_answered=_share(len(given[False]), outside_count),
        build_seconds=built,
        p50_ms=1000 * quantile(took, 0.5) if took else 0.0,
        p99_ms=1000 * quantile(took, 0.99) if took else 0.0,
        peak_rss_mb=peak_rss_mb(),
    )


def turned_away(inside: Sequence[float], outside: Sequence[float]) -> float:
    """The share of *outside* below the score that keeps 95 % of *inside*."""
    cut = quantile(sorted(inside), 1 - KEPT)
    return sum(score < cut for score in outside) / len(outside)


def peak_rss_mb() -> float:
    """The most memory this process ever held, in megabytes (Linux counts kibibytes, macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
