"""From a pack's phrasings to something that recognises questions, and to how well it does."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imconnect.content.reading import Phrasing
from imconnect.domain.playbook import Playbook
from imconnect.nlu.calibration import Stakes
from imconnect.nlu.kept import Kept
from imconnect.nlu.learnt import AtFirstQuestion, EncoderName, encoder_is_installed, learnt, weights_file, weights_in
from imconnect.nlu.lexical import Lexical, NgramMatcher, ngrams_file
from imconnect.nlu.matching import Matcher, Row
from imconnect.nlu.reader import Reader, cautious_topics, urgent_topics
from imconnect.nlu.rehearsal import Rehearsal

MatcherName = Literal["auto", "ngrams", "encoder", "accurate"]
"""`auto`: the encoder where its packages are installed, else n-grams; `Reader.matcher` says which it came to be.

`encoder` and `accurate` are also the extras that bring their packages.
"""


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

    Raises `EncoderMissing` where an encoder is asked for by name and not installed.
    """
    return Reader(playbook, matcher_of(lesson_of(playbook, phrasings), matcher, cache))


class EncoderMissing(ImportError):
    """The packages of an encoder are not installed; the message says how to get them."""

    def __init__(self, kind: EncoderName) -> None:
        super().__init__(f"matcher = {kind} needs its packages: pip install 'imconnect[{kind}]'")


def matcher_of(lesson: Lesson, matcher: MatcherName, cache: Path | None) -> Matcher:
    """The matcher *lesson* makes. With a folder *cache*, what it needs is made sure of now, and loaded by the first
    question. Raises as `reader_for`."""
    kind = _encoder(matcher)
    if kind is None:
        return _with_ngrams(lesson, cache)
    try:
        return _with_encoder(kind, lesson, cache)
    except ImportError:
        raise EncoderMissing(kind) from None


def _with_ngrams(lesson: Lesson, cache: Path | None) -> Matcher:
    known, stakes = (lesson.rows, lesson.off_topic), Stakes(lesson.cautious, lesson.urgent)
    if cache is not None:
        with suppress(OSError, ValueError):  # none there, or spoilt
            kept = Kept.open(ngrams_file(cache, *known, stakes))
            return AtFirstQuestion(NgramMatcher.name, lambda: NgramMatcher(Lexical.revive(kept), stakes))
    return NgramMatcher.train(*known, lesson.cautious, lesson.urgent, cache=cache)


def _with_encoder(kind: EncoderName, lesson: Lesson, cache: Path | None) -> Matcher:
    known = (lesson.rows, lesson.off_topic)
    stakes = Stakes(lesson.cautious, lesson.urgent)
    if cache is not None and (found := learnt(kind, *known, stakes, cache)):
        return found
    from imconnect.nlu.encoder import EncoderMatcher  # noqa: PLC0415 - its packages may be absent
    from imconnect.nlu.sentences import encoder_of  # noqa: PLC0415 - as above

    weights = weights_in(cache) if cache is not None else None
    encoder = encoder_of(kind, weights)
    fitted = EncoderMatcher.fit(*known, stakes.cautious, stakes.urgent, encoder=encoder, cache=cache)
    if cache is None:
        return fitted
    with suppress(OSError):  # a folder that cannot be written costs memory now and time at the next start, no more
        if weights is None:
            encoder.keep(weights_file(cache))
    return learnt(kind, *known, stakes, cache) or fitted


def rehearse(lesson: Lesson, matcher: MatcherName) -> Rehearsal:
    """How each row would fare were it a stranger's question. Raises as `reader_for`."""
    kind = _encoder(matcher)
    known = (lesson.rows, lesson.off_topic, lesson.cautious, lesson.urgent)
    if kind is None:
        return NgramMatcher.rehearse(*known)
    try:
        from imconnect.nlu.encoder import EncoderMatcher  # noqa: PLC0415 - as above
        from imconnect.nlu.sentences import encoder_of  # noqa: PLC0415 - as above

        return EncoderMatcher.rehearse(*known, encoder=encoder_of(kind))
    except ImportError:
        raise EncoderMissing(kind) from None


def _encoder(matcher: MatcherName) -> EncoderName | None:
    """Which encoder a matcher has; None for n-grams alone."""
    if matcher == "auto":
        return "encoder" if encoder_is_installed() else None
    return None if matcher == "ngrams" else matcher
