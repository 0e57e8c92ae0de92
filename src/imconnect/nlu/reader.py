"""Reads a message once: language, details, topic. The rest of the desk works with what was understood."""

from imconnect.domain.playbook import Playbook, Priority
from imconnect.domain.readings import Reading
from imconnect.nlu.details import spot
from imconnect.nlu.language import language_of
from imconnect.nlu.matching import Matcher, NgramMatcher, Row


class Reader:
    """Understands messages in the light of one pack. Built once; after that a pure function of the text."""

    def __init__(self, playbook: Playbook, matcher: Matcher | None = None) -> None:
        self._matcher = matcher or NgramMatcher.fit(rows_of(playbook), playbook.off_topic, cautious_topics(playbook))

    def read(self, text: str) -> Reading:
        """What *text*, which the guard has seen, was understood to be. Links are the guard's to judge."""
        language, script = language_of(text)
        match = self._matcher.match(text)
        return Reading(
            language=language, script=script, details=spot(text), topic=match.topic, candidates=match.candidates
        )


def rows_of(playbook: Playbook) -> tuple[Row, ...]:
    """Every phrasing of the pack; a title is one too."""
    return tuple(
        Row(text, slug, language)
        for slug, topic in playbook.topics.items()
        for language, article in topic.articles.items()
        for text in (article.title, *article.examples)
    )


def cautious_topics(playbook: Playbook) -> frozenset[str]:
    """Topics where a wrong answer costs money: they need the higher precision."""
    return frozenset(slug for slug, topic in playbook.topics.items() if topic.priority <= Priority.HIGH)
