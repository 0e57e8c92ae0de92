"""From a pack's phrasings to something that recognises questions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from imconnect.content.reading import Phrasing
from imconnect.domain.playbook import Playbook
from imconnect.nlu.matching import Matcher, NgramMatcher, Row
from imconnect.nlu.reader import Reader, cautious_topics, urgent_topics

MatcherName = Literal["ngrams", "encoder"]


def reader_for(playbook: Playbook, phrasings: Sequence[Phrasing], matcher: MatcherName, cache: Path) -> Reader:
    """A reader that has learnt *phrasings*; what was learnt is kept in *cache* for the next start.

    Raises `ImportError` where the encoder is asked for and not installed.
    """
    rows = [
        Row(article.title, slug, language)
        for slug, topic in playbook.topics.items()
        for language, article in topic.articles.items()
    ]
    rows += [Row(one.text, one.topic, one.language, one.voice) for one in phrasings if one.topic is not None]
    return Reader(playbook, _learnt(rows, playbook, matcher, cache))


def _learnt(rows: Sequence[Row], playbook: Playbook, matcher: MatcherName, cache: Path) -> Matcher:
    lesson = (rows, playbook.off_topic, cautious_topics(playbook), urgent_topics(playbook))
    if matcher == "ngrams":
        return NgramMatcher.train(*lesson, cache=cache)
    from imconnect.nlu.encoder import EncoderMatcher  # noqa: PLC0415 - its packages may be absent

    return EncoderMatcher.fit(*lesson, cache=cache)
