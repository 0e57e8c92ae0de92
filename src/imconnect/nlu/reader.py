"""Reads a message once: language, details, topic. The rest of the desk works with what was understood."""

import re

from imconnect.domain.playbook import Playbook, Priority
from imconnect.domain.readings import Reading
from imconnect.nlu.details import spot
from imconnect.nlu.language import language_of
from imconnect.nlu.lexical import NgramMatcher
from imconnect.nlu.matching import Match, Matcher, Row

CLAUSE = re.compile(
    r"[。！？!?;；\n]+|\.(?=\s)|\b(?:and also|also|but|and|besides)\b|另外|还有|還有|而且|顺便|順便|但是|可是"
)
CLAUSES = 6  # of a message are looked at one by one; who writes more than that is read as a whole


class Reader:
    """Understands messages in the light of one pack. Built once; after that a pure function of the text."""

    def __init__(self, playbook: Playbook, matcher: Matcher | None = None) -> None:
        self._priority = {slug: topic.priority for slug, topic in playbook.topics.items()}
        self._matcher = matcher or NgramMatcher.fit(
            rows_of(playbook), playbook.off_topic, cautious_topics(playbook), urgent_topics(playbook)
        )

    @property
    def matcher(self) -> str:
        """What recognises questions here, to be told once at the start: which matcher, and of which version."""
        return self._matcher.name

    def read(self, text: str) -> Reading:
        """What *text*, which the guard has seen, was understood to be. Links are the guard's to judge."""
        language, script = language_of(text)
        match = self._match(text)
        return Reading(
            language=language, script=script, details=spot(text), topic=match.topic, candidates=match.candidates
        )

    def _match(self, text: str) -> Match:
        """The match of the whole, unless one clause is surely about something that cannot wait as long."""
        whole = self._matcher.match(text)
        if whole.topic is not None and whole.candidates[0].probability == 1.0:
            return whole  # word for word a phrasing of the pack, whatever clauses it has
        clauses = [clause for clause in CLAUSE.split(text) if clause and clause.strip()]
        if not 1 < len(clauses) <= CLAUSES:
            return whole
        parts = [part for part in map(self._matcher.match, clauses) if part.topic is not None]
        first = min(parts, key=lambda part: self._patience(part.topic), default=whole)
        alone = len({part.topic for part in parts}) == 1
        if self._patience(first.topic) < self._patience(whole.topic) and (
            alone or self._patience(first.topic) <= Priority.HIGH
        ):
            kept = [one for one in (*first.candidates, *whole.candidates) if one.topic != first.topic]
            best = next(one for one in first.candidates if one.topic == first.topic)
            others = {one.topic: one for one in kept}
            return Match(first.topic, (best, *list(others.values())[:2]), first.in_scope)
        return whole

    def _patience(self, topic: str | None) -> int:
        """How long a topic can wait: the longer, the greater; no topic at all waits longest."""
        return int(self._priority.get(topic, Priority.LOW)) if topic is not None else len(Priority)


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


def urgent_topics(playbook: Playbook) -> frozenset[str]:
    """Topics nobody may wait with: a likely call for help is heard as one."""
    return frozenset(slug for slug, topic in playbook.topics.items() if topic.priority is Priority.URGENT)
