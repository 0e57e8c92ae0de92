"""How the pack grows: questions that were not answered rightly are shown to a lead, who makes examples of them."""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice

from imconnect.desk.loops import Clock
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Playbook
from imconnect.domain.questions import Asked, Became, NamedBy, QuestionKind, questions_in
from imconnect.guard import Guard
from imconnect.nlu.language import language_of
from imconnect.nlu.normalise import squeezed
from imconnect.nlu.redaction import redacted
from imconnect.ports import SettledQuestion, Store, Stories

LOOKED_AT = 600
"""Messages that are looked at for one page of questions; older ones are a page further."""

MOST_SHOWN = 50

LONGEST = 300
"""Characters. A mail that tells a whole story is no example of how a question is put."""

MOST_READ = 4 * LONGEST
"""Characters. Of what is longer, too much would have to be left out to make an example of it."""

KEY = re.compile(r"[0-9a-f]{32}")

Thought = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question, however often it was asked. `text` is redacted; `key` is the same for all who put it alike.

    `thought` is what the desk took it for, `proposed` what customers or agents said it is about.
    """

    key: str
    kind: QuestionKind
    text: str = field(repr=False)
    language: Language
    times: int
    last_at: datetime
    thought: Thought = ()
    proposed: str | None = None
    named_by: NamedBy | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """A page of questions, the most frequent first; `older` is where the next page begins, if there is one."""

    questions: tuple[Question, ...]
    older: int | None = None


class NotAdded(StrEnum):
    """Why a question is not settled as was asked."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTAINS_SECRET = "contains_secret"  # noqa: S105 - the name of a reason
    HOLDS_VALUE = "holds_value"
    UNKNOWN_TOPIC = "unknown_topic"
    KNOWN = "known"
    SETTLED = "settled"


class QuestionDesk:
    """Where leads look through what was asked. *guard* reads what is to be added once more."""

    def __init__(self, store: Store, playbook: Playbook, guard: Guard, clock: Clock) -> None:
        self._store = store
        self._playbook = playbook
        self._guard = guard
        self._clock = clock
        self._known: frozenset[str] | None = None

    async def collected(self, kind: QuestionKind, before: int | None = None) -> Collected:
        """The open questions among the newest messages, or among those before the event *before*."""
        alike, older = await self._open(kind, before)
        questions = await asyncio.to_thread(lambda: tuple(islice(self._questions(alike), MOST_SHOWN)))
        return Collected(questions, older)

    async def everything(self, kind: QuestionKind) -> Sequence[Question]:
        """All open questions, however long ago they were asked."""
        found: dict[str, list[Asked]] = {}
        before: int | None = None
        while True:
            alike, before = await self._open(kind, before)
            for key, asked in alike.items():
                found[key] = [*asked, *found.get(key, ())]
            if before is None:
                return await asyncio.to_thread(lambda: list(self._questions(found)))

    async def _open(self, kind: QuestionKind, before: int | None) -> tuple[dict[str, list[Asked]], int | None]:
        """What is open of one page, by its key, and where the next page begins."""
        stories = await self._store.stories(kind, before, LOOKED_AT)
        alike = await asyncio.to_thread(self._alike, kind, before, stories)
        settled = await self._store.settled_keys(list(alike))
        open_ones = {key: asked for key, asked in alike.items() if key not in settled}
        return open_ones, stories.from_event if stories.older else None

    def _alike(self, kind: QuestionKind, before: int | None, stories: Stories) -> dict[str, list[Asked]]:
        """What was asked, by its key, in the order of asking; nothing that the pack knows already."""
        known = self._phrasings()
        alike: dict[str, list[Asked]] = {}
        for story in stories.told:
            for one in questions_in(story.record, story.topic):
                here = stories.from_event <= one.event and (before is None or one.event < before)
                letters = squeezed(one.text) if one.kind is kind and here and len(one.text) <= MOST_READ else ""
                if letters and letters not in known:
                    alike.setdefault(key_of(letters), []).append(one)
        return {key: sorted(asked, key=lambda one: one.event) for key, asked in alike.items()}

    def _questions(self, alike: Mapping[str, list[Asked]]) -> Iterator[Question]:
        """As a lead sees them: what was asked most often first, and of those the newest."""
        ranked = sorted(alike.items(), key=lambda one: (len(one[1]), one[1][-1].event), reverse=True)
        for key, asked in ranked:
            question = self._question(key, asked)
            if question is not None:
                yield question

    def _phrasings(self) -> frozenset[str]:
        """What the pack knows already, word for word."""
        if self._known is None:
            self._known = frozenset(squeezed(text) for text in _texts_of(self._playbook))
        return self._known

    def _question(self, key: str, asked: Sequence[Asked]) -> Question | None:
        newest = asked[-1]
        text = redacted(newest.text)
        if len(text) > LONGEST or not squeezed(text):
            return None
        topics = self._playbook.topics
        named = Counter((one.named, one.by) for one in asked if one.named in topics)
        # A customer knows best what they meant; so of as many words of each, theirs counts.
        proposed, by = max(named, key=lambda one: (named[one], one[1] is NamedBy.CUSTOMER), default=(None, None))
        return Question(
            key=key,
            kind=newest.kind,
            text=text,
            language=language_of(text)[0] or self._playbook.default_language,
            times=len(asked),
            last_at=newest.at,
            thought=tuple(slug for slug in newest.thought if slug in topics),
            proposed=proposed,
            named_by=by,
        )

    async def settle(self, key: str, became: Became, agent: str, text: str = "", topic: str = "") -> NotAdded | None:
        """Keep what *agent* made of a question; None when it is done. What is added is read by the guard once more."""
        settled = SettledQuestion(key, became, agent, self._clock())
        if became is not Became.DISMISSED:
            said = example_of(text)
            if refused := await asyncio.to_thread(self._refused, said, topic if became is Became.ADDED else None):
                return refused
            letters = squeezed(said)
            settled = replace(
                settled,
                text=said,
                text_key=key_of(letters),
                topic=topic if became is Became.ADDED else None,
                language=language_of(said)[0] or self._playbook.default_language,
            )
            if settled.text_key != key and await self._store.settled_keys([settled.text_key]):
                return NotAdded.SETTLED
        return None if await self._store.settle_question(settled) else NotAdded.SETTLED

    def _refused(self, said: str, topic: str | None) -> NotAdded | None:
        letters = squeezed(said)
        if not letters:
            return NotAdded.EMPTY
        if len(said) > LONGEST:
            return NotAdded.TOO_LONG
        if topic is not None and topic not in self._playbook.topics:
            return NotAdded.UNKNOWN_TOPIC
        if self._guard.inspect(said).secret is not None:
            return NotAdded.CONTAINS_SECRET
        if redacted(said) != said:
            return NotAdded.HOLDS_VALUE
        return NotAdded.KNOWN if letters in self._phrasings() else None

    async def reopen(self, key: str) -> bool:
        """Take back what became of a question. Whether anything had."""
        return await self._store.reopen_question(key)

    async def examples(self) -> Sequence[SettledQuestion]:
        """What was added, the newest first."""
        return list(reversed(await self._store.examples()))


def key_of(letters: str) -> str:
    """Names a question by its letters (see `squeezed`), so that of those that are dismissed no words are kept."""
    return hashlib.sha256(letters.encode()).hexdigest()[:32]


def example_of(text: str) -> str:
    """*text* as a line of a pack's file: one line, and no remark."""
    return " ".join(text.split()).lstrip("# ")


def _texts_of(playbook: Playbook) -> Iterable[str]:
    for topic in playbook.topics.values():
        for article in topic.articles.values():
            yield article.title
            yield from article.examples
    yield from playbook.off_topic
    for said in playbook.smalltalk.values():
        yield from said
