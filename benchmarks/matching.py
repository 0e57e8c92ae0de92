"""How well questions are understood: accuracy, out of scope, calibration, speed and memory, for both matchers.

    IMCONNECT_BENCH_DATA=/path/to/data uv run python benchmarks/matching.py [--matcher ngrams|encoder|accurate] [--full]
    uv run python benchmarks/matching.py --strangers
    uv run python benchmarks/matching.py --cold CACHE

The folder holds `banking77/{train,test}.csv` (PolyAI-LDN/task-specific-datasets, CC BY 4.0) and
`clinc150/data_full.json` (clinc/oos-eval, CC BY 3.0). Few-shot rows are drawn with seeds 0, 1 and 2 and the mean is
reported. Where the folder also holds `few-shot/{BANKING77,CLINC150}/{train_5,train_10}/{seq.in,label}` (the folder
`Datasets` of jianguoz/Few-Shot-Intent-Detection), those rows are learnt too: the peers' published figures are on them.
Off-topic rows are never trained on, so out-of-scope figures are those of a pack that has none.
`--strangers` asks the shipped pack the questions of tests/nlu/strangers.jsonl, and those in Chinese in both scripts;
`--cold` measures a start (the second time, with what CACHE kept), speed and memory; `accurate` encodes each text once
elsewhere, so that its times are told here alone. How each voice of a pack fares when the others alone are known is told
by `imconnect pack check --report`.
"""

import argparse
import csv
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from imconnect.content import MatcherName, bundled_pack, lesson_of, matcher_of, read_with_phrasings
from imconnect.nlu.evaluate import Labelled, Report, evaluate, examine, peak_rss_mb
from imconnect.nlu.lexical import NgramMatcher
from imconnect.nlu.matching import Matcher
from imconnect.nlu.normalise import table as characters

if TYPE_CHECKING:
    from imconnect.nlu.sentences import Encoder, Floats

STRANGERS = Path(__file__).parents[1] / "tests" / "nlu" / "strangers.jsonl"
SEEDS = (0, 1, 2)
COLUMNS: tuple[tuple[str, str, float], ...] = (
    ("accuracy", "top-1 %", 100),
    ("top_3", "top-3 %", 100),
    ("kept", "kept %", 100),
    ("answered", "answered %", 100),
    ("precision", "precision %", 100),
    ("calibration_error", "ECE %", 100),
    ("out_of_scope_auroc", "AUROC %", 100),
    ("out_of_scope_recall", "OOS recall %", 100),
    ("out_of_scope_gated", "OOS turned away %", 100),
    ("out_of_scope_answered", "OOS answered %", 100),
    ("build_seconds", "build s", 1),
    ("p50_ms", "p50 ms", 1),
    ("p99_ms", "p99 ms", 1),
)


class Remembering:
    """An encoder that encodes each text once, so that draws which share their questions take minutes and not hours."""

    def __init__(self, encoder: "Encoder") -> None:
        self.name, self.steepness = encoder.name, encoder.steepness
        self._encoder = encoder
        self._vectors: dict[str, Floats] = {}

    def encode(self, texts: Sequence[str]) -> "Floats":
        import numpy as np  # noqa: PLC0415 - may be absent

        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


def fits(name: MatcherName) -> Callable[..., Matcher]:
    """How the matcher *name* is learnt; the encoder is loaded once."""
    if name == "ngrams":
        return NgramMatcher.train
    from imconnect.nlu.encoder import EncoderMatcher  # noqa: PLC0415 - may be absent
    from imconnect.nlu.sentences import encoder_of  # noqa: PLC0415 - as above

    if name == "accurate":
        return partial(EncoderMatcher.fit, encoder=Remembering(encoder_of(name)))
    return partial(EncoderMatcher.fit, encoder=encoder_of("encoder"))


def banking(folder: Path, part: str) -> list[Labelled]:
    with (folder / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as lines:
        return [Labelled(row["text"], row["category"]) for row in csv.DictReader(lines)]


def clinc(folder: Path, *parts: str) -> list[Labelled]:
    rows = json.loads((folder / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    return [Labelled(text, None if label == "oos" else label) for part in parts for text, label in rows[part]]


def few(rows: Iterable[Labelled], count: int, seed: int) -> list[Labelled]:
    """*count* rows of each label, drawn with *seed*."""
    dice = random.Random(seed)
    by_label: defaultdict[str, list[Labelled]] = defaultdict(list)
    for row in rows:
        by_label[str(row.label)].append(row)
    return [row for label in sorted(by_label) for row in dice.sample(by_label[label], count)]


def published(folder: Path, name: str, count: int) -> list[Labelled]:
    """The rows the peers learnt, or none where they are not at hand."""
    part = folder / "few-shot" / name / f"train_{count}"
    if not part.is_dir():
        return []
    texts, labels = ((part / file).read_text(encoding="utf-8").splitlines() for file in ("seq.in", "label"))
    return [Labelled(text, label.strip()) for text, label in zip(texts, labels, strict=True)]


def corpora(folder: Path, *, full: bool) -> Iterator[tuple[str, list[list[Labelled]], list[Labelled]]]:
    """Name, the draws to learn, the questions to answer."""
    for name, train, test in (
        ("BANKING77", banking(folder, "train"), banking(folder, "test")),
        ("CLINC150", clinc(folder, "train"), clinc(folder, "test", "oos_test")),
    ):
        for count in (5, 10):
            yield f"{name} {count}", [few(train, count, seed) for seed in SEEDS], test
            if rows := published(folder, name, count):
                yield f"{name} {count}, published rows", [rows], test
        if full:
            yield f"{name} full", [train], test


def strangers(fit: Callable[..., Matcher]) -> Iterator[tuple[str, Report]]:
    """The shipped pack asked what no pack has learnt; the questions in Chinese also in the one script and the other."""
    lesson = lesson_of(*read_with_phrasings(bundled_pack()))
    started = time.perf_counter()
    matcher = fit(lesson.rows, lesson.off_topic, lesson.cautious, lesson.urgent)
    built = time.perf_counter() - started
    rows = [json.loads(line) for line in STRANGERS.read_text(encoding="utf-8").splitlines()]
    asked = [Labelled(row["text"], row["label"]) for row in rows]
    to_simplified, *_ = characters()
    to_traditional = {ord(simple): chr(traditional) for traditional, simple in to_simplified.items()}
    chinese = [one for one in asked if any(ord(character) in to_traditional for character in one.text)]
    for name, questions in (
        ("strangers", asked),
        ("in simplified characters", [replace(one, text=one.text.translate(to_simplified)) for one in chinese]),
        ("in traditional characters", [replace(one, text=one.text.translate(to_traditional)) for one in chinese]),
    ):
        yield name, examine(matcher, questions, time.perf_counter, rows=len(lesson.rows), built=built)


def cold_start(name: MatcherName, cache: Path) -> None:
    """Print how soon the shipped pack gives its first answer, how fast it goes on, and the memory that takes."""
    lesson = lesson_of(*read_with_phrasings(bundled_pack()))
    rows = lesson.rows
    before, started, worked = peak_rss_mb(), time.perf_counter(), time.process_time()
    matcher = matcher_of(lesson, name, cache)
    matcher.match("where is my transfer")
    built, worked = time.perf_counter() - started, time.process_time() - worked
    took: list[float] = []
    for row in rows[:: max(1, len(rows) // 500)]:
        started = time.perf_counter()
        matcher.match(row.text + " please 谢谢")
        took.append(1000 * (time.perf_counter() - started))
    took.sort()
    figures = (len(rows), built, worked, took[len(took) // 2], took[int(len(took) * 0.99)], peak_rss_mb() - before)
    print(
        "{} rows: first answer after {:.2f} s ({:.2f} s of the processor), p50 {:.2f} ms, p99 {:.2f} ms, "
        "{:.0f} MB added".format(*figures)
    )


def table(lines: Iterable[tuple[str, Sequence[Report]]]) -> None:
    """A line a corpus, the mean over its draws."""
    print("| | " + " | ".join(title for _, title, _ in COLUMNS) + " |")
    print("|---" * (1 + len(COLUMNS)) + "|")
    for name, reports in lines:
        cells: list[str] = []
        for figure, _, scale in COLUMNS:
            values = [getattr(report, figure) for report in reports]
            cells.append("–" if None in values else f"{scale * fmean(values):.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=os.environ.get("IMCONNECT_BENCH_DATA"))
    arguments.add_argument("--matcher", choices=("ngrams", "encoder", "accurate"), default="encoder")
    arguments.add_argument("--full", action="store_true", help="also learn the whole training parts (minutes)")
    arguments.add_argument("--strangers", action="store_true", help="ask the shipped pack what it has never heard")
    arguments.add_argument("--cold", type=Path, metavar="CACHE", help="measure a start with what CACHE keeps")
    chosen = arguments.parse_args()
    if chosen.cold:
        cold_start(chosen.matcher, chosen.cold)
    elif chosen.strangers:
        table((name, [report]) for name, report in strangers(fits(chosen.matcher)))
    elif chosen.data:
        fit = fits(chosen.matcher)
        table(
            (name, [evaluate(draw, test, fit) for draw in draws])
            for name, draws, test in corpora(chosen.data, full=chosen.full)
        )
    else:
        arguments.error("name the data: --data or IMCONNECT_BENCH_DATA")


if __name__ == "__main__":
    main()
