"""What leads added to the pack: phrasings at the next start, and lines of its files once they are gathered."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imconnect.content.reading import OFF_TOPIC, VOICE, Phrasing, read_with_phrasings
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.questions import Became
from imconnect.nlu.normalise import squeezed
from imconnect.ports import SettledQuestion

CUSTOMERS = "customers"
"""The voice of what was asked in earnest."""


@dataclass(slots=True)
class Gathered:
    """What came of gathering: lines written by file, keys of all examples that now stand in the pack, how many of them
    stood there before, and the topics the pack does not have."""

    written: dict[str, int] = field(default_factory=dict[str, int])
    keys: list[str] = field(default_factory=list[str])
    known: int = 0
    unknown_topics: list[str] = field(default_factory=list[str])


def with_examples(
    playbook: Playbook, phrasings: Sequence[Phrasing], examples: Sequence[SettledQuestion]
) -> tuple[Playbook, tuple[Phrasing, ...]]:
    """The pack with *examples* among its phrasings. Where both know a wording, the pack says what it means."""
    if not examples:
        return playbook, tuple(phrasings)
    known = _known(playbook, phrasings)
    added: list[Phrasing] = []
    for one in examples:
        letters = squeezed(one.text)
        if letters in known or not _has_place(one, playbook):
            continue
        known.add(letters)
        language = one.language or playbook.default_language
        added.append(Phrasing(one.text, one.topic, language, CUSTOMERS, "", 0))
    off_topic = (*playbook.off_topic, *(one.text for one in added if one.topic is None))
    return replace(playbook, off_topic=off_topic), (*phrasings, *added)


def gather(folder: Path, examples: Iterable[SettledQuestion]) -> Gathered:
    """Write *examples* at the ends of the files of the pack in *folder*. What stands in them is left as it is.

    Raises `PackError` where the pack has a fault, and `OSError` where a file cannot be written.
    """
    playbook, phrasings = read_with_phrasings(folder)
    languages = {one.language for one in phrasings}
    known, done = _known(playbook, phrasings), Gathered()
    lines: dict[str, list[str]] = {}
    for one in examples:
        if not _has_place(one, playbook):
            done.unknown_topics.append(one.topic or "")
            continue
        letters = squeezed(one.text)
        done.keys.append(one.key)
        if letters in known:
            done.known += 1
            continue
        known.add(letters)
        language = one.language or playbook.default_language
        if language not in languages:
            language = playbook.default_language
        lines.setdefault(_file_of(one, language), []).append(one.text)
    for file, texts in lines.items():
        _append(folder / file, texts)
        done.written[file] = len(texts)
    return done


def _known(playbook: Playbook, phrasings: Iterable[Phrasing]) -> set[str]:
    titles = (article.title for topic in playbook.topics.values() for article in topic.articles.values())
    small_talk = (said for phrases in playbook.smalltalk.values() for said in phrases)
    return {squeezed(text) for text in (*(one.text for one in phrasings), *titles, *small_talk)}


def _has_place(one: SettledQuestion, playbook: Playbook) -> bool:
    return one.became is Became.OFF_TOPIC or one.topic in playbook.topics


def _file_of(one: SettledQuestion, language: Language) -> str:
    return OFF_TOPIC if one.topic is None else f"{language.value}/topics/{one.topic}.txt"


def _append(path: Path, texts: Sequence[str]) -> None:
    """The whole file anew, in its place at once: who reads it meanwhile reads the old one."""
    path = path.resolve()
    content = path.read_bytes()
    newline = "\r\n" if b"\r\n" in content else "\n"
    lines = content.decode("utf-8-sig").splitlines()
    voices = [named[1] for line in lines if (named := VOICE.fullmatch(line.strip()))]
    heading = [] if voices and voices[-1] == CUSTOMERS else ["", f"# voice: {CUSTOMERS}"]
    ended = b"" if content.endswith(b"\n") or not content else newline.encode()
    added = newline.join([*heading, *texts, ""]).encode()
    fresh = path.with_name(f".{path.name}.new")  # hidden, so that it is no file of the pack should it be left behind
    fresh.write_bytes(content + ended + added)
    shutil.copymode(path, fresh)
    fresh.replace(path)
