"""How well questions are understood: accuracy, out of scope, calibration, speed and memory, for both matchers.

    IMCONNECT_BENCH_DATA=/path/to/data uv run python benchmarks/matching.py [--matcher ngrams|encoder] [--full]
    uv run python benchmarks/matching.py --pack
    uv run python benchmarks/matching.py --cold CACHE

The folder holds `banking77/{train,test}.csv` (PolyAI-LDN/task-specific-datasets, CC BY 4.0) and
`clinc150/data_full.json` (clinc/oos-eval, CC BY 3.0). Few-shot rows are drawn with seeds 0, 1 and 2 and the mean is
reported. Off-topic rows are never trained on, so out-of-scope figures are those of a pack that has none.
`--pack` measures the shipped pack instead, each voice left out in turn; `--cold` a start (the second time, with what
CACHE kept), speed and memory.
"""

import argparse
import csv
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

from imconnect.content import bundled_pack, phrasings, read_pack
from imconnect.nlu.evaluate import Fit, Labelled, Report, evaluate, examine, peak_rss_mb
from imconnect.nlu.matching import Matcher, NgramMatcher, Row
from imconnect.nlu.reader import cautious_topics, matcher_for, urgent_topics

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
    ("out_of_scope_answered", "OOS answered %", 100),
    ("build_seconds", "build s", 1),
    ("p50_ms", "p50 ms", 1),
    ("p99_ms", "p99 ms", 1),
)


def fits(name: str) -> Fit:
    """How the matcher *name* is learnt; the encoder is loaded once."""
    if name == "ngrams":
        return NgramMatcher.train
    from imconnect.nlu.encoder import EncoderMatcher, UniversalEncoder  # noqa: PLC0415 - may be absent

    return partial(EncoderMatcher.fit, encoder=UniversalEncoder())


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


def corpora(folder: Path, *, full: bool) -> Iterator[tuple[str, list[list[Labelled]], list[Labelled]]]:
    """Name, the draws to learn, the questions to answer."""
    for name, train, test in (
        ("BANKING77", banking(folder, "train"), banking(folder, "test")),
        ("CLINC150", clinc(folder, "train"), clinc(folder, "test", "oos_test")),
    ):
        yield f"{name} 5", [few(train, 5, seed) for seed in SEEDS], test
        yield f"{name} 10", [few(train, 10, seed) for seed in SEEDS], test
        if full:
            yield f"{name} full", [train], test


def voices(fit: Callable[..., Matcher]) -> Iterator[tuple[str, Report]]:
    """The shipped pack: each voice in turn asked of a matcher that never heard it, off-topic rows half and half."""
    folder = bundled_pack()
    playbook, said = read_pack(folder), phrasings(folder)
    stakes = cautious_topics(playbook), urgent_topics(playbook)
    titles = [
        Row(article.title, slug, language)
        for slug, topic in playbook.topics.items()
        for language, article in topic.articles.items()
    ]
    rows = [*titles, *(Row(one.text, one.topic, one.language, one.voice) for one in said if one.topic)]
    for voice in sorted({row.voice for row in rows} - {""}):
        started = time.perf_counter()
        matcher = fit([row for row in rows if row.voice != voice], playbook.off_topic[::2], *stakes)
        built = time.perf_counter() - started
        asked = [Labelled(row.text, row.topic) for row in rows if row.voice == voice]
        strangers = [Labelled(text, None) for text in playbook.off_topic[1::2]]
        yield voice, examine(matcher, [*asked, *strangers], time.perf_counter, rows=len(rows), built=built)


def cold_start(name: str, cache: Path) -> None:
    """Print how soon the shipped pack gives its first answer, how fast it goes on, and the memory that takes."""
    folder = bundled_pack()
    playbook, said = read_pack(folder), phrasings(folder)
    rows = [Row(one.text, one.topic, one.language, one.voice) for one in said if one.topic]
    stakes = cautious_topics(playbook), urgent_topics(playbook)
    before, started = peak_rss_mb(), time.perf_counter()
    learn = matcher_for if name == "encoder" else ngrams_for
    matcher = learn(rows, playbook.off_topic, *stakes, cache)
    matcher.match("where is my transfer")
    built = time.perf_counter() - started
    took: list[float] = []
    for row in rows[:: max(1, len(rows) // 500)]:
        started = time.perf_counter()
        matcher.match(row.text + " please 谢谢")
        took.append(1000 * (time.perf_counter() - started))
    took.sort()
    figures = (len(rows), built, took[len(took) // 2], took[int(len(took) * 0.99)], peak_rss_mb() - before)
    print("{} rows: first answer after {:.2f} s, p50 {:.2f} ms, p99 {:.2f} ms, {:.0f} MB added".format(*figures))


def ngrams_for(
    rows: Sequence[Row], off_topic: Sequence[str], cautious: frozenset[str], urgent: frozenset[str], cache: Path
) -> Matcher:
    return NgramMatcher.train(rows, off_topic, cautious, urgent, cache=cache)


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
    arguments.add_argument("--matcher", choices=("ngrams", "encoder"), default="encoder")
    arguments.add_argument("--full", action="store_true", help="also learn the whole training parts (minutes)")
    arguments.add_argument("--pack", action="store_true", help="measure the shipped pack, voice by voice")
    arguments.add_argument("--cold", type=Path, metavar="CACHE", help="measure a start with what CACHE keeps")
    chosen = arguments.parse_args()
    if chosen.cold:
        cold_start(chosen.matcher, chosen.cold)
    elif chosen.pack:
        table((voice, [report]) for voice, report in voices(fits(chosen.matcher)))
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
