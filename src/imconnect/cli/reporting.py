"""How well a pack would be understood by strangers, as tables for whoever grows it."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from imconnect.content import Lesson
from imconnect.nlu.matching import Phrasebook
from imconnect.nlu.neighbours import neighbours
from imconnect.nlu.rehearsal import Outcome, Rehearsal, Share

FEW_ROWS = 30  # a topic with fewer is shown: its figures are guesses, and so are its answers
SURELY = 0.8  # a row taken for another topic with this chance or more is shown as a conflict
NEARLY_THE_SAME = 0.8  # of two rows' words and letter groups
SHOWN = 12  # of each list; a lead mends the worst first and measures again


def report(lesson: Lesson, rehearsal: Rehearsal) -> None:
    """Print everything a lead should know: voices, topics, mix-ups, rows to look at, chances and cut-offs."""
    console = Console()
    _table(
        console,
        "Each voice asked of a matcher that never heard it",
        ("voice", "rows", "top-1", "top-3"),
        map(_share, [*rehearsal.by_voice(), rehearsal.overall()]),
    )
    _table(
        console,
        "The topics recognised worst",
        ("topic", "rows", "top-1", "top-3"),
        map(_share, rehearsal.by_topic()[:SHOWN]),
    )
    _table(
        console,
        "Taken for one another",
        ("topic", "taken for", "rows", "for example"),
        ((one.topic, one.taken_for, f"{one.count} of {one.rows}", one.example) for one in rehearsal.mistaken()[:SHOWN]),
    )
    _table(
        console,
        "Rows that surely sound like another topic: move them, or tell the topics apart",
        ("row", "stands under", "sounds like", "chance"),
        (
            (one.text, one.topic or "", one.taken_for or "", _percent(chance))
            for chance, one in rehearsal.conflicting(SURELY)[:SHOWN]
        ),
    )
    _alike(console, lesson)
    _few(console, lesson)
    _table(
        console,
        "What becomes of rows at the cut-offs in force",
        ("rows", "answered rightly", "answered wrongly", "offered as a choice", "turned away"),
        (
            _outcome("in scope", rehearsal.outcome(off_topic=False)),
            _outcome("off topic", rehearsal.outcome(off_topic=True)),
        ),
    )
    _table(
        console,
        "Precision and coverage, as the cut rises from bottom to top",
        ("from chance", "answered", "of these right"),
        ((f"{one.cut:.2f}", _percent(one.coverage), _percent(one.precision)) for one in rehearsal.curve()),
    )
    calibration = rehearsal.calibration
    console.print(
        f"cut {calibration.cut:.2f}, for topics where a mistake costs money {calibration.cautious_cut:.2f}; "
        f"stated chances are off by {_percent(rehearsal.calibration_error())} on average"
    )


def _alike(console: Console, lesson: Lesson) -> None:
    known = Phrasebook(lesson.rows, lesson.off_topic)
    said = [*((row.text, row.topic) for row in known.rows), *((text, "off topic") for text in known.off_topic)]
    pairs = sorted(neighbours([text for text, _ in said], NEARLY_THE_SAME), reverse=True)
    conflicts = [pair for pair in pairs if said[pair[1]][1] != said[pair[2]][1]]
    repeats = [pair for pair in pairs if said[pair[1]][1] == said[pair[2]][1]]
    for title, found in (
        (f"Nearly the same under two topics ({len(conflicts)})", conflicts),
        (f"Nearly the same under one topic ({len(repeats)}): one of the two would do", repeats),
    ):
        rows = ((said[a][0], said[a][1], said[b][0], said[b][1]) for _, a, b in found[:SHOWN])
        _table(console, title, ("row", "topic", "row", "topic"), rows)


def _few(console: Console, lesson: Lesson) -> None:
    sizes: dict[tuple[str, str], int] = {}
    for row in lesson.rows:
        language = row.language.value if row.language else ""
        sizes[row.topic, language] = sizes.get((row.topic, language), 0) + 1
    few = sorted((size, topic, language) for (topic, language), size in sizes.items() if size < FEW_ROWS)
    _table(
        console,
        f"Topics with fewer than {FEW_ROWS} rows in a language",
        ("topic", "language", "rows"),
        ((topic, language, str(size)) for size, topic, language in few),
    )


def _table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(table)
    else:
        console.print(f"{title}: none")


def _share(share: Share) -> tuple[str, str, str, str]:
    return share.name or "(no voice)", str(share.rows), _percent(share.first), _percent(share.within_three)


def _outcome(name: str, outcome: Outcome) -> tuple[str, str, str, str, str]:
    shares = (outcome.right, outcome.wrong, outcome.offered, outcome.refused)
    right, wrong, offered, refused = map(_percent, shares)
    return f"{name} ({outcome.rows})", right, wrong, offered, refused


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
