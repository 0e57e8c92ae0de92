"""What a pack becomes once read: topics, answers, required details and notices, in every language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from imconnect.domain.messages import Language, Script

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Priority(IntEnum):
    """In which order people are served; the smaller goes first."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Handoff(StrEnum):
    """When a case of this topic goes to a person."""

    AT_ONCE = "at_once"  # answered, then prepared for a person in the same breath
    IF_UNSOLVED = "if_unsolved"  # answered first; prepared when the customer says it did not help
    NEVER = "never"  # the answer is all there is, unless a person is asked for


@dataclass(frozen=True, slots=True)
class Article:
    """The answer to one topic in one language, and the phrasings it is recognised by."""

    title: str
    answer: str
    examples: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a customer may mean. `details` are asked for only when the case goes to a person."""

    slug: str
    category: str
    priority: Priority
    handoff: Handoff
    articles: Mapping[Language, Article]
    details: tuple[str, ...] = ()
    guides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing a case may need. `free` details take any words; the others are checked by their form.

    `problems` maps the code of what is wrong with a value (see `imconnect.nlu.details`) to the sentence that says so.
    `names` is what customers call it, beside its title. A `story` is told in sentences that may sound like a matter of
    their own, as the words of an error message do.
    """

    name: str
    free: bool
    titles: Mapping[Language, str]
    questions: Mapping[Language, str]
    problems: Mapping[Language, Mapping[str, str]]
    names: Mapping[Language, tuple[str, ...]] = field(default_factory=dict[Language, tuple[str, ...]])
    story: bool = False

    def called(self) -> tuple[str, ...]:
        """Everything it is called, in every language."""
        return (*self.titles.values(), *(name for names in self.names.values() for name in names))


SOLVED, PERSON = "solved", "person"
"""Where a guided answer ends: it helped, or a person is called."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a guided answer. `leads` says where "yes" and "no" lead: to a step, `SOLVED` or `PERSON`.

    A step that asks nothing leads on to `then` by itself.
    """

    name: str
    texts: Mapping[Language, str]
    leads: Mapping[str, str] = field(default_factory=dict[str, str])
    then: str | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(self.leads.values()) if self.then is None else (self.then,)


@dataclass(frozen=True, slots=True)
class Flow:
    """The answer to a topic with branches, given step by step from `first` on."""

    topic: str
    first: str
    steps: Mapping[str, Step]


@dataclass(frozen=True, slots=True)
class Hours:
    """When people are there: days 0 (Monday) to 6, from `opens` to `closes` in `zone`; no days means always."""

    zone: ZoneInfo
    days: frozenset[int] = frozenset()
    opens: time = time(0)
    closes: time = time(0)

    def open_at(self, now: datetime) -> bool:
        if not self.days:
            return True
        local = now.astimezone(self.zone)
        return local.weekday() in self.days and self.opens <= local.time() < self.closes


@dataclass(frozen=True, slots=True)
class Pace:
    """How the desk keeps people informed, in seconds and counts."""

    remind_after: int = 900
    notice_gap: int = 30
    acknowledge_gap: int = 300
    give_up_collecting_after: int = 900
    reopen_within: int = 259_200


@dataclass(frozen=True, slots=True)
class Playbook:
    """Everything the desk may say, and what it needs to know before a person is called."""

    name: str
    reference_prefix: str
    topics: Mapping[str, Topic]
    details: Mapping[str, Detail]
    notices: Mapping[Language, Mapping[str, str]]
    labels: Mapping[Language, Mapping[str, str]]
    menu: tuple[str, ...]
    smalltalk: Mapping[str, frozenset[str]]
    hours: Hours
    pace: Pace = Pace()
    paces: Mapping[str, Pace] = field(default_factory=dict[str, Pace])
    snippets: Mapping[Language, Mapping[str, str]] = field(default_factory=dict[Language, Mapping[str, str]])
    official_hosts: frozenset[str] = frozenset()
    reminding: frozenset[str] = frozenset()
    """Channels on which the first answer says that nobody of ours writes first or asks for a phrase."""

    second_opinion: bool = False
    """Whether another reader can be asked what a doubtful message is about."""

    off_topic: tuple[str, ...] = field(default=(), repr=False)
    default_language: Language = Language.CHINESE
    flows: Mapping[str, Flow] = field(default_factory=dict[str, Flow])
    traditional: "Playbook | None" = field(default=None, repr=False)
    """The same for those who write traditional characters."""

    def written_in(self, script: Script | None) -> "Playbook":
        """The playbook in the characters of *script*."""
        return self.traditional if self.traditional is not None and script is Script.TRADITIONAL else self

    def pace_on(self, channel: str) -> Pace:
        """How people are kept informed on *channel*."""
        return self.paces.get(channel, self.pace)

    def snippet(self, slug: str, language: Language) -> str | None:
        """What an agent says by naming *slug*: a snippet of the pack, else the answer of the topic of that slug."""
        said = self.snippets.get(language, {}).get(slug)
        if said is None and slug in self.topics:
            said = self.topics[slug].articles[language].answer
        return said

    def article(self, slug: str, language: Language) -> Article:
        return self.topics[slug].articles[language]

    def notice(self, slug: str, language: Language, **values: object) -> str:
        """The notice *slug* with its placeholders filled in."""
        return fill(self.notices[language][slug], values)

    def label(self, slug: str, language: Language, **values: object) -> str:
        return fill(self.labels[language][slug], values)


def fill(text: str, values: Mapping[str, object]) -> str:
    """Replace each `{name}` that *values* knows; a brace of any other kind is left as it is."""
    return PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), text)


def placeholders(text: str) -> frozenset[str]:
    """The names of the placeholders in *text*."""
    return frozenset(PLACEHOLDER.findall(text))
