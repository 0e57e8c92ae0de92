"""Which questions the desk could not answer, or answered wrongly: read off what was recorded of each message."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from imconnect.domain.drafting import NO, TOPIC_CHOICE
from imconnect.domain.manner import corrects, meant, unhelped
from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED

UNCLEAR = "asked what it is about"
OFFERED = "offered: "
ASKED_AROUND = "second opinion wanted: "
ANSWERED = "answered: "
GUIDED = "guided: "
OFFERED_NEXT = "offered next: "
PERSON = "queued: a person was asked for"
REPLIED = "replied: "
RESOLVED = "resolved"
"""How outcomes begin. `tests/domain/test_questions.py` holds them to what `decide()` says."""

_ALREADY = "already answered: "
_NO_TOPIC_OF_ANYBODYS = frozenset({HUMAN, QUEUE_STATUS, SECRET_LEAKED})
"""Topics that a case comes to have without anybody saying what the question is about."""

_SOON = 4
"""Messages within which a customer says what was meant."""


class QuestionKind(StrEnum):
    """Why a question is worth a lead's look."""

    UNANSWERED = "unanswered"  # the desk could not say what it is about
    CORRECTED = "corrected"  # the customer took the topic back, or said that the answer did not help


class NamedBy(StrEnum):
    """Who said what a question is about."""

    CUSTOMER = "customer"
    AGENT = "agent"


class Became(StrEnum):
    """What a lead made of a question."""

    ADDED = "added"
    OFF_TOPIC = "off_topic"  # nothing of ours: the desk learns to leave it
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of a conversation's record. `text` is what a customer said in words of their own; of anything else
    (a button, a command, a machine's mail, what was withheld or removed, an agent's words) it is empty."""

    event: int
    at: datetime
    outcome: str
    text: str = field(default="", repr=False)
    choice: str | None = None
    by_agent: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of one customer. `thought` is what the desk took it for; `named` what it was then said to be about."""

    event: int
    kind: QuestionKind
    at: datetime
    text: str = field(repr=False)
    thought: tuple[str, ...] = ()
    named: str | None = None
    by: NamedBy | None = None


def questions_in(record: Sequence[Happened], topic: str | None) -> Iterator[Asked]:
    """The questions of a conversation that were not answered, or not rightly. *topic* is what it came to be about."""
    said = [one for one in record if not one.by_agent]
    for place, one in enumerate(said):
        before, after = said[place - 1] if place else None, said[place + 1 :]
        kind = _kind(before, one, after[0] if after else None)
        if kind is None or not one.text.strip():
            continue
        thought = _thought(one.outcome)
        named = _named_by_customer(kind, thought, after)
        by = NamedBy.CUSTOMER if named else None
        if named is None and (named := _named_by_agent(record, one.event, topic)):
            by = NamedBy.AGENT
        text = meant(one.text) if corrects(one.text) else one.text
        yield Asked(one.event, kind, one.at, text, thought, named, by)


def topic_of(outcome: str) -> str | None:
    """The topic a message was answered as."""
    for sign in (ANSWERED, GUIDED, _ALREADY):
        if outcome.startswith(sign):
            topic = outcome.removeprefix(sign).partition(";")[0]
            return topic if "/" not in topic else None  # a step further on is no new answer
    return None


def _kind(before: Happened | None, one: Happened, after: Happened | None) -> QuestionKind | None:
    if one.outcome == UNCLEAR or one.outcome.startswith((OFFERED, ASKED_AROUND)):
        return QuestionKind.UNANSWERED
    if one.outcome == PERSON and before is not None and before.outcome == UNCLEAR:
        return QuestionKind.UNANSWERED  # unclear once more, so a person was called
    topic = topic_of(one.outcome)
    if topic is not None and after is not None and _takes_back(one, after, topic):
        return QuestionKind.CORRECTED
    return None


def _takes_back(answered: Happened, after: Happened, topic: str) -> bool:
    """Whether *after* says that the answer was not what *answered* asked for."""
    if corrects(after.text):
        return after.outcome.startswith((OFFERED, ASKED_AROUND)) or topic_of(after.outcome) not in (None, topic)
    if after.outcome.startswith(OFFERED_NEXT):
        return True
    # In the middle of a guided answer a no is an answer, and says nothing against it.
    if answered.outcome != ANSWERED + topic:
        return False
    return after.choice == NO or unhelped(after.text) or after.outcome.startswith(f"{ANSWERED}{topic};")


def _thought(outcome: str) -> tuple[str, ...]:
    for sign in (OFFERED, ASKED_AROUND):
        if outcome.startswith(sign):
            return tuple(outcome.removeprefix(sign).split(", "))
    topic = topic_of(outcome)
    return (topic,) if topic is not None else ()


def _named_by_customer(kind: QuestionKind, thought: Sequence[str], after: Sequence[Happened]) -> str | None:
    """The topic a customer chose soon afterwards, by a button or, among those offered, in words."""
    for one in after[:_SOON]:
        if one.choice is not None and one.choice.startswith(TOPIC_CHOICE):
            return _of_somebodys(one.choice.removeprefix(TOPIC_CHOICE))
        topic = topic_of(one.outcome)
        if kind is QuestionKind.UNANSWERED and topic in thought:
            return topic
        if kind is QuestionKind.CORRECTED and topic not in (None, *thought) and corrects(one.text):
            return topic
        if topic not in (None, *thought):
            return None  # another matter
    return None


def _named_by_agent(record: Sequence[Happened], event: int, topic: str | None) -> str | None:
    """The topic whose answer an agent gave, or under which one resolved it."""
    for one in record:
        if one.event <= event or not one.by_agent:
            continue
        if one.outcome.startswith(REPLIED):
            return _of_somebodys(one.outcome.removeprefix(REPLIED))
        if one.outcome == RESOLVED:
            return _of_somebodys(topic)
    return None


def _of_somebodys(topic: str | None) -> str | None:
    return topic if topic not in _NO_TOPIC_OF_ANYBODYS else None
