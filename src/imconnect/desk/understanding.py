"""What a message is understood to be: its words by `nlu`, its links by the guard, its manner by the domain."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from imconnect.domain.conversations import Conversation
from imconnect.domain.manner import concerns, corrects, declined, declines, meant, unhelped
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Handoff, Playbook
from imconnect.domain.readings import Reading, Secret
from imconnect.domain.triage import HUMAN, QUEUE_STATUS
from imconnect.guard.inspection import removed
from imconnect.guard.links import BlockList, inspect_links
from imconnect.guard.parts import may_be_a_part
from imconnect.nlu.details import spot
from imconnect.nlu.language import language_of

Read = Callable[[str], Reading]

A_VALUE = 6
"""Characters; a correction as short that holds a detail's value is of the value, not of what the case is about."""


def understanding(read: Read, playbook: Playbook, blocked: BlockList | None = None) -> Read:
    """*read*, with every link's real host and what it is to us, every concern, how it is meant, and in doubt whether it
    is delicate."""
    names = {name: detail.called() for name, detail in playbook.details.items()}

    def understood(text: str) -> Reading:
        takes_back = corrects(text)
        said = (meant(text) or text) if takes_back else text
        reading = read(said)
        if not _is_a_phrasing(reading):
            reading = _with_every_concern(reading, [read(one) for one in concerns(said)], playbook)
        if takes_back and reading.details and (reading.language is None or len(said) <= A_VALUE):
            reading = replace(reading, topic=None, candidates=(), others=())
        return replace(
            reading,
            links=inspect_links(text, playbook.official_hosts, blocked),
            corrects=takes_back,
            declined=declined(text, names),
            declines=declines(text),
            unhelped=unhelped(text),
            delicate=reading.topic is None and bool(reading.candidates) and may_be_a_part(text),
        )

    return understood


def _is_a_phrasing(reading: Reading) -> bool:
    """Whether the message is one that the pack knows word for word."""
    return reading.topic is not None and bool(reading.candidates) and reading.candidates[0].probability == 1.0


def _with_every_concern(whole: Reading, parts: list[Reading], playbook: Playbook) -> Reading:
    """The reading of the most urgent of several concerns, which keeps the others.

    Only where the whole is about one of them, or of nothing for sure: sentences of one story are no concerns.
    """
    sure = {one.topic: one for one in reversed(parts) if one.topic is not None and one.topic in playbook.topics}
    order = [one.topic for one in parts if one.topic is not None and one.topic in sure]
    if not order or whole.topic not in (None, *order):
        return whole
    topics = playbook.topics
    first = min(order, key=lambda slug: (topics[slug].priority, slug != HUMAN, slug != whole.topic))
    shown_anyway = topics[first].guides if topics[first].handoff is Handoff.AT_ONCE else ()
    others = (slug for slug in dict.fromkeys(order) if slug not in {first, HUMAN, QUEUE_STATUS, *shown_anyway})
    if first == whole.topic:
        return replace(whole, others=tuple(others))
    return replace(whole, topic=first, candidates=sure[first].candidates, others=tuple(others))


def answered(reading: Reading, text: str, state: Conversation, at: datetime, playbook: Playbook) -> Reading:
    """*reading*, with the details of *text* read as an answer to what was asked for: short answers count, and times
    of day are those of the desk's own zone at the moment it was said."""
    said = (meant(text) or text) if reading.corrects else text
    return replace(reading, details=spot(said, frozenset(state.asked_for), at.astimezone(playbook.hours.zone)))


def withheld_whole(text: str, secret: Secret | None) -> bool:
    """Whether *text* is only the mark of what was withheld: our words, from which nothing is to be understood."""
    return secret is not None and text == removed(secret)


def language_around(typed: str, secret: Secret, hint: Language | None) -> Language | None:
    """The language of whoever typed a secret. English words may be all there is of a phrase, and tell nothing."""
    spoken = language_of(typed)[0]
    if spoken is Language.CHINESE or (hint is None and len(typed.split()) > max(1, secret.words)):
        return spoken
    return hint
