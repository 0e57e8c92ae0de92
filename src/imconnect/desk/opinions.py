"""Second opinions: what another reader is shown of a doubtful message, and what of its answer counts."""

import asyncio
from collections.abc import Sequence

import structlog

from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.ports import Doubted, Meter, Opinion, Option, Outcome, SecondReader

LONGEST = 2_000
"""Characters of a message that are shown to the reader."""

AT_ONCE = 8
"""Opinions under way at a time in one inbox. Whoever comes then is not kept waiting: they are asked themselves."""

LINE = 160

log = structlog.get_logger("imconnect.desk")


def shown(text: str) -> str:
    """What the reader sees of a message: the text as it is stored, up to `LONGEST`."""
    return text[:LONGEST]


def options_of(topics: Sequence[str], language: Language, playbook: Playbook) -> tuple[Option, ...]:
    """Those of *topics* that the pack has, in the words of its *language*."""
    articles = [(slug, playbook.article(slug, language)) for slug in topics if slug in playbook.topics]
    return tuple(Option(slug, article.title, _in_a_line(article.answer)) for slug, article in articles)


def _in_a_line(answer: str) -> str:
    """How an answer begins: enough to tell what it is about."""
    line = " ".join(answer.split())
    return line if len(line) <= LINE else line[: LINE - 1] + "…"


class Opinions:
    """Asks the second reader, and takes nothing from it but one of the topics it was given."""

    def __init__(self, reader: SecondReader, playbook: Playbook, meter: Meter) -> None:
        self._reader = reader
        self._playbook = playbook
        self._meter = meter
        self._under_way = 0

    async def on(self, doubted: Doubted) -> Opinion:
        """An opinion on *doubted*, counted by what came of it."""
        options = options_of(doubted.topics, doubted.language, self._playbook)
        if not options:
            opinion = Opinion(Outcome.NONE, why="the pack has lost its topics")
        elif self._under_way >= AT_ONCE:
            opinion = Opinion(Outcome.LATE, why="too many at once")
        else:
            opinion = await self._choice(shown(doubted.text), options)
        self._meter.count("opinions", outcome=opinion.outcome.value)
        level = log.info if opinion.outcome in (Outcome.CHOSEN, Outcome.NONE) else log.warning
        level("second opinion", outcome=opinion.outcome.value, why=opinion.why)
        return opinion

    async def _choice(self, text: str, options: Sequence[Option]) -> Opinion:
        self._under_way += 1
        began = asyncio.get_running_loop().time()
        try:
            opinion = await self._reader.choose(text, options)
        finally:
            self._under_way -= 1
            self._meter.observe("opinion_seconds", asyncio.get_running_loop().time() - began)
        if opinion.topic is not None and opinion.topic not in {option.topic for option in options}:
            return Opinion(Outcome.REFUSED, why="not one of the topics given")
        return opinion
