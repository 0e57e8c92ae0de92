"""`match eval` and `bench`: figures an operator can take on their own machine and questions."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imconnect.cli.speech import Complaint, put, say
from imconnect.content import MatcherName

if TYPE_CHECKING:
    from imconnect.nlu.evaluate import Labelled
    from imconnect.nlu.matching import Matcher, Row

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def evaluate(
    train: Annotated[Path, typer.Option(help='JSON lines {"text", "label"}.')],
    test: Annotated[Path, typer.Option(help="The same; a label of null is out of scope.")],
    matcher: Annotated[
        MatcherName, typer.Option(help="What recognises the questions; auto: the best that is installed.")
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure how well questions are recognised."""
    from imconnect.nlu.evaluate import evaluate as measured  # noqa: PLC0415 - needed here only

    try:
        report = measured(_labelled(train), _labelled(test), partial(_learnt, matcher)).as_json()
    except ImportError as missing:
        raise Complaint(str(missing)) from None
    if as_json:
        put(json.dumps(report))
    else:
        _table(report.items())


def _learnt(name: MatcherName, rows: Sequence["Row"], off_topic: Sequence[str]) -> "Matcher":
    from imconnect.content import Lesson, matcher_of  # noqa: PLC0415 - as above

    return matcher_of(Lesson(tuple(rows), tuple(off_topic), frozenset(), frozenset()), name, None)


def _labelled(path: Path) -> "Iterator[Labelled]":
    from imconnect.nlu.evaluate import Labelled  # noqa: PLC0415 - as above

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Complaint(f"{path}: cannot be read ({type(error).__name__}); it must be JSON lines in UTF-8") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, label = row["text"], row["label"]
        except (ValueError, KeyError, TypeError):
            raise Complaint(f'{path}, line {number}: must be {{"text": "…", "label": "…" or null}}') from None
        if not isinstance(text, str) or not (label is None or isinstance(label, str)):
            raise Complaint(f"{path}, line {number}: text must be a string, label a string or null")
        yield Labelled(text, label)


def bench(
    database: Annotated[
        str | None, typer.Option(help="sqlite:///PATH or postgresql://…; a scratch SQLite file if not given.")
    ] = None,
    conversations: Annotated[int, typer.Option(min=1, help="How many customers write.")] = 1_000,
    messages: Annotated[int, typer.Option(min=100, help="How many messages in all.")] = 10_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes, on PostgreSQL.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Measure the desk on this machine: floor, ceiling, rate, latency; order errors, lost and doubled must be 0."""
    from imconnect.cli.bench import Plan, measure, quiet  # noqa: PLC0415 - needed here only
    from imconnect.ports import StoreUnavailable  # noqa: PLC0415 - as above
    from imconnect.storage import DatabaseUrl  # noqa: PLC0415 - as above

    quiet()
    if database is not None:
        try:
            DatabaseUrl.parse(database)
        except ValueError as error:
            raise Complaint(f"--database {error}") from None
    try:
        figures = measure(Plan(database, conversations, messages, workers, say))
    except StoreUnavailable as error:
        raise Complaint(str(error)) from None
    shown = figures.as_json()
    if as_json:
        put(json.dumps(shown))
    else:
        _table(shown.items())
    if figures.order_errors or figures.lost or figures.doubled:
        raise typer.Exit(1)


def _table(rows: Iterable[tuple[str, object]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table("figure", "value")
    for name, value in rows:
        table.add_row(name, f"{value:,.3f}" if isinstance(value, float) else str(value))
    Console().print(table)
