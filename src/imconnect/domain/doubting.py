"""A message that may be about one of a few topics: a second opinion is awaited, or the customer is asked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from imconnect.domain.actions import ClearTimer, Note, RunErrand, SetTimer
from imconnect.domain.conversations import Doubt, Stage
from imconnect.domain.drafting import Draft
from imconnect.domain.events import ErrandDone, ErrandKind, MessageReceived, TimerKind
from imconnect.domain.messages import Purpose
from imconnect.domain.playbook import Handoff, Priority, Topic
from imconnect.domain.serving import clarify, offer_kept, put_right, serve
from imconnect.domain.triage import HUMAN

OPINION_WITHIN = 9
"""Seconds after which the customer is asked without it. Timers fall a second late at most: they wait ten in all."""


def in_doubt(draft: Draft, event: MessageReceived, topics: Sequence[str]) -> str:
    """Have another reader choose among *topics*, where there is one and it may see the message; else offer them."""
    if not _may_ask(draft, event, topics):
        return _offer(draft, topics)
    doubt = Doubt(event.message_id, tuple(topics), event.reading.corrects)
    draft.now_is = replace(draft.now_is, doubt=doubt)
    overdue = draft.now + timedelta(seconds=OPINION_WITHIN)
    draft.actions += [
        RunErrand(ErrandKind.SECOND_OPINION, event.message_id),
        SetTimer(TimerKind.OPINION, overdue),
    ]
    return "second opinion wanted: " + ", ".join(topics)


def _may_ask(draft: Draft, event: MessageReceived, topics: Sequence[str]) -> bool:
    if not draft.pack.second_opinion or not event.text.strip():
        return False
    # What may be a part of a secret is kept until the rest comes, and shown to nobody else meanwhile.
    if event.secret is not None or event.reading.delicate:
        return False
    return not all(_is_costly(draft.playbook.topics[slug]) for slug in topics)


def _is_costly(topic: Topic) -> bool:
    """Whether a mistake costs more than a tap: an alarm, or a case about money prepared for a person.

    What pulls the answer one way may stand in the message itself, so of these the customer has the last word.
    """
    if topic.priority <= Priority.HIGH:
        return True
    return topic.handoff is Handoff.AT_ONCE and "transaction_hash" in topic.details


def _offer(draft: Draft, topics: Sequence[str]) -> str:
    clarify(draft)
    choices = [draft.choice(slug) for slug in dict.fromkeys([*topics, HUMAN])]
    draft.say(Purpose.QUESTION, "did-you-mean", draft.playbook.notice("did-you-mean", draft.language), choices)
    return "offered: " + ", ".join(topics)


def go_on(draft: Draft, event: MessageReceived, *, chose: bool) -> None:
    """The customer does not wait for the opinion: they are asked now, unless they *chose* or say themselves what it
    is about."""
    doubt = draft.now_is.doubt
    if doubt is None:
        return
    topics = _end(draft, doubt)
    if not chose and event.reading.topic not in topics:
        draft.answering = doubt.message_id
        _offer(draft, topics)
        draft.answering = event.message_id


def opinion_came(draft: Draft, event: ErrandDone) -> str:
    """The topic chosen is served as if the matcher had been sure of it; without one the customer is asked."""
    doubt = draft.now_is.doubt
    if doubt is None or doubt.message_id != event.subject:
        return "overtaken"
    topics = _end(draft, doubt)
    draft.answering = doubt.message_id
    outcome = _chosen(draft, doubt, event.topic, topics) if event.topic in topics else _offer(draft, topics)
    offer_kept(draft)
    return outcome


def opinion_overdue(draft: Draft) -> str:
    """Nobody came back with an opinion."""
    doubt = draft.now_is.doubt
    if doubt is None:
        return "overtaken"
    topics = _end(draft, doubt)
    draft.answering = doubt.message_id
    outcome = _offer(draft, topics)
    offer_kept(draft)
    return outcome


def _end(draft: Draft, doubt: Doubt) -> list[str]:
    """Wait no longer. Returns the topics that were in doubt and that the pack still has."""
    draft.now_is = replace(draft.now_is, doubt=None)
    draft.actions.append(ClearTimer(TimerKind.OPINION))
    return [slug for slug in doubt.topics if slug in draft.playbook.topics]


def _chosen(draft: Draft, doubt: Doubt, topic: str, topics: Sequence[str]) -> str:
    others = [slug for slug in topics if slug != topic]
    if _is_costly(draft.playbook.topics[topic]):
        return "second opinion: " + _offer(draft, [topic, *others])
    language = draft.pack.default_language
    title = draft.pack.article(topic, language).title
    draft.actions.append(Note("", draft.pack.label("note_second_opinion", language, topic=title)))
    outcome = put_right(draft, topic) if doubt.corrects else serve(draft, topic)
    if draft.now_is.stage is Stage.SELF_SERVICE and draft.now_is.topic == topic:
        draft.now_is = replace(draft.now_is, next_best=tuple(slug for slug in others if slug != HUMAN))
    return f"second opinion: {outcome}"
