"""`pack`: check its texts, see how well it would be understood, try a question, compare two packs, learn one."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imconnect.cli.speech import Complaint, put, say, settings_of, within
from imconnect.content import MatcherName

if TYPE_CHECKING:
    from imconnect.domain.readings import Reading
    from imconnect.nlu.reader import Reader

By = Annotated[
    MatcherName, typer.Option("--matcher", help="What recognises the questions; auto: the best that is installed.")
]


def check(
    folder: Annotated[Path | None, typer.Argument(help="The pack; the shipped one if not given.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Also how well strangers would be understood: a minute or two.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(help="Write the precision and coverage curve there; means --report.")
    ] = None,
    matcher: By = "auto",
) -> None:
    """Check a pack; exit code 1 if it has a fault."""
    from imconnect.content import bundled_pack, check_pack, read_with_phrasings  # noqa: PLC0415 - needed here only

    pack = folder or bundled_pack()
    faults = check_pack(pack)
    for fault in faults:
        put(str(fault))
    if faults:
        raise typer.Exit(1)
    playbook, phrasings = read_with_phrasings(pack)
    said = sum(len(article.examples) for topic in playbook.topics.values() for article in topic.articles.values())
    put(f"{pack}: no fault; {len(playbook.topics)} topics, {said} phrasings, {len(playbook.off_topic)} off topic")
    if not report and svg is None:
        return
    from imconnect.cli.curves import svg as drawn  # noqa: PLC0415 - as above
    from imconnect.cli.reporting import report as tell  # noqa: PLC0415 - as above
    from imconnect.content import lesson_of, rehearse  # noqa: PLC0415 - as above

    lesson = lesson_of(playbook, phrasings)
    try:
        rehearsal = rehearse(lesson, matcher)
    except ImportError as missing:
        raise Complaint(str(missing)) from None
    tell(lesson, rehearsal)
    if svg is not None:
        try:
            svg.write_text(drawn(rehearsal.curve(), f"{playbook.name}: precision and coverage"), encoding="utf-8")
        except OSError as error:
            raise Complaint(f"{svg}: cannot be written ({type(error).__name__}); name another file") from None


def learn(context: typer.Context) -> None:
    """Learn the pack's phrasings now, so that no start has to; what was learnt is kept in the folder `cache`."""
    settings = settings_of(context)

    async def work() -> None:
        from imconnect.app import examples_of, reader_of  # noqa: PLC0415 - needed here only
        from imconnect.ports import SettledQuestion, StoreUnavailable  # noqa: PLC0415 - as above

        examples: Sequence[SettledQuestion] = ()
        try:
            examples = await examples_of(settings)
        except StoreUnavailable as error:  # the pack can be learnt before there is a database
            say(f"without what was added in the inbox: {error}")
        reader_of(settings, examples)

    within(work)
    put(f"learnt; kept in {settings.core.cache.expanduser()}")


def attempt(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="A question, as a customer would put it.")],
    pack: Annotated[Path | None, typer.Option(help="The pack; that of the settings if not given.")] = None,
    matcher: By = "auto",
) -> None:
    """Try a question on a pack: the topic it would be answered as, and what else it might be."""
    settings = settings_of(context)
    reading = _reader(pack or settings.core.pack, matcher, settings.core.cache.expanduser()).read(text)
    put(_said(reading))
    for candidate in reading.candidates:
        put(f"  {candidate.probability:.2f}  {candidate.topic}")


def diff(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="The pack as it was.")],
    new: Annotated[Path, typer.Argument(help="The pack as it would be.")],
    questions: Annotated[
        Path | None,
        typer.Option(
            help='JSON lines {"text"}, with "label" or without; - for standard input. If not given, what only one of '
            "the packs says."
        ),
    ] = None,
    matcher: By = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Which questions are answered differently by another pack."""
    cache = settings_of(context).core.cache.expanduser()
    readers = [_reader(pack, matcher, cache) for pack in (old, new)]
    asked = list(_asked(questions)) if questions is not None else _changed_phrasings(old, new)
    changed = 0
    right = [0, 0]
    for text, label in asked:
        before, after = (reader.read(text) for reader in readers)
        right[0] += label is not None and before.topic == label
        right[1] += label is not None and after.topic == label
        if before.topic == after.topic and _offered(before) == _offered(after):
            continue
        changed += 1
        if as_json:
            line = {"text": text, "label": label, "old": before.topic, "new": after.topic}
            offers = {"old_candidates": _offered(before), "new_candidates": _offered(after)}
            put(json.dumps(line | offers, ensure_ascii=False))
        else:
            put(f"{text}\n  - {_said(before)}\n  + {_said(after)}")
    say(f"{changed} of {len(asked)} questions change their answer")
    labelled = sum(label is not None for _, label in asked)
    if labelled:
        say(f"answered rightly: {right[0]} before, {right[1]} after, of {labelled} with a label")


def _reader(pack: Path | None, matcher: MatcherName, cache: Path) -> "Reader":
    from imconnect.content import PackError, bundled_pack, read_with_phrasings, reader_for  # noqa: PLC0415 - as above

    try:
        playbook, phrasings = read_with_phrasings(pack or bundled_pack())
        return reader_for(playbook, phrasings, matcher, cache)
    except PackError as error:
        raise Complaint(f"pack: {error}") from None
    except ImportError as missing:
        raise Complaint(str(missing)) from None


def _asked(path: Path) -> Iterator[tuple[str, str | None]]:
    try:
        lines = (sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Complaint(f"{path}: cannot be read ({type(error).__name__}); it must be JSON lines in UTF-8") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, label = row["text"], row.get("label")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Complaint(f'{path}, line {number}: must be {{"text": "…"}}') from None
        if not isinstance(text, str) or not (label is None or isinstance(label, str)):
            raise Complaint(f"{path}, line {number}: text must be a string, label a string or null")
        yield text, label


def _changed_phrasings(old: Path, new: Path) -> list[tuple[str, str | None]]:
    from imconnect.content import phrasings  # noqa: PLC0415 - as above

    before, after = ({one.text for one in phrasings(pack)} for pack in (old, new))
    return [(text, None) for text in sorted(before ^ after)]


def _offered(reading: "Reading") -> list[str]:
    """The choices a customer would see: none where there is an answer."""
    return [] if reading.topic else [candidate.topic for candidate in reading.candidates]


def _said(reading: "Reading") -> str:
    if reading.topic:
        return f"answers {reading.topic}"
    offered = _offered(reading)
    return f"offers {', '.join(offered)}" if offered else "asks what it is about"
