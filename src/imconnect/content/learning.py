"""From a pack's phrasings to something that recognises questions, and to how well it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imconnect.content.reading import Phrasing
from imconnect.domain.playbook import Playbook
from imconnect.nlu.lexical import NgramMatcher
from imconnect.nlu.matching import Matcher, Row
from imconnect.nlu.reader import Reader, cautious_topics, encoder_is_installed, urgent_topics
from imconnect.nlu.rehearsal import Rehearsal

MatcherName = Literal["auto", "ngrams", "encoder"]
"""`auto`: the encoder where its packages are installed, else n-grams; `Reader.matcher` says which it came to be."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a matcher learns of a pack."""

    rows: tuple[Row, ...]
    off_topic: tuple[str, ...]
    cautious: frozenset[str]
    urgent: frozenset[str]


def lesson_of(playbook: Playbook, phrasings: Sequence[Phrasing]) -> Lesson:
    """The phrasings with their voices; each title is a phrasing, too."""
    titles = [
        Row(article.title, slug, language)
        for slug, topic in playbook.topics.items()
        for language, article in topic.articles.items()
    ]
    said = [Row(one.text, one.topic, one.language, one.voice) for one in phrasings if one.topic is not None]
    return Lesson((*titles, *said), playbook.off_topic, cautious_topics(playbook), urgent_topics(playbook))


def reader_for(playbook: Playbook, phrasings: Sequence[Phrasing], matcher: MatcherName, cache: Path) -> Reader:
    """A reader that has learnt *phrasings*; what was learnt is kept in *cache* for the next start.

    Raises `ImportError` where the encoder is asked for by name and not installed.
    """
    return Reader(playbook, matcher_of(lesson_of(playbook, phrasings), matcher, cache))


def matcher_of(lesson: Lesson, matcher: MatcherName, cache: Path | None) -> Matcher:
    """The matcher *lesson* makes. Raises as `reader_for`."""
    learnt = (lesson.rows, lesson.off_topic, lesson.cautious, lesson.urgent)
    if not _wants_encoder(matcher):
        return NgramMatcher.train(*learnt, cache=cache)
    from imconnect.nlu.encoder import EncoderMatcher  # noqa: PLC0415 - its packages may be absent

    return EncoderMatcher.fit(*learnt, cache=cache)


def rehearse(lesson: Lesson, matcher: MatcherName) -> Rehearsal:
    """How each row would fare were it a stranger's question. Raises as `reader_for`."""
    learnt = (lesson.rows, lesson.off_topic, lesson.cautious, lesson.urgent)
    if not _wants_encoder(matcher):
        return NgramMatcher.rehearse(*learnt)
    from imconnect.nlu.encoder import EncoderMatcher  # noqa: PLC0415 - as above

    return EncoderMatcher.rehearse(*learnt)


def _wants_encoder(matcher: MatcherName) -> bool:
    return matcher == "encoder" or (matcher == "auto" and encoder_is_installed())
