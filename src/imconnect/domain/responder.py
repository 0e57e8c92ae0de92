"""`decide()`: the desk, as a pure function of a conversation and what just happened to it."""

from dataclasses import replace
from datetime import datetime

from imconnect.domain.actions import Decision, Note
from imconnect.domain.acts import Refusal, act_of, refusal
from imconnect.domain.conversations import Conversation
from imconnect.domain.doubting import opinion_came, opinion_overdue
from imconnect.domain.drafting import Draft
from imconnect.domain.events import (
    DeliveryEnded,
    ErrandDone,
    ErrandKind,
    Event,
    MessageEdited,
    MessageReceived,
    PlaceDue,
    TimerFell,
    TimerKind,
)
from imconnect.domain.hearing import hear, withhold
from imconnect.domain.messages import Purpose
from imconnect.domain.playbook import Playbook
from imconnect.domain.serving import offer_kept
from imconnect.domain.standing import give_up_collecting, remind, tell_place_due

__all__ = ["Refusal", "decide", "refusal"]


def decide(conversation: Conversation, event: Event, playbook: Playbook, now: datetime) -> Decision:
    """Choose what to do about *event*. The same arguments always give the same answer."""
    draft = Draft(conversation, playbook, now)
    match event:
        case MessageReceived():
            outcome = hear(draft, event)
        case MessageEdited():
            outcome = _edited(draft, event)
        case TimerFell():
            outcome = _timer(draft, event)
        case PlaceDue():
            outcome = tell_place_due(draft, event)
            offer_kept(draft)
        case ErrandDone():
            outcome = _errand(draft, event)
        case DeliveryEnded():
            outcome = _delivery(draft, event)
        case _:
            outcome = act_of(draft, event)
    return Decision(draft.now_is, tuple(draft.actions), outcome)


def _edited(draft: Draft, event: MessageEdited) -> str:
    """An edit is kept and shown. Only a secret in it is answered."""
    if event.secret is None:
        return "revised"
    return withhold(draft, event.message_id, event.secret) or f"withheld: {event.secret.kind.value}"


def _delivery(draft: Draft, event: DeliveryEnded) -> str:
    """What did not arrive is told to agents, once until the customer is heard of again."""
    if event.unknown:
        return "delivery unknown"
    if not draft.now_is.undelivered:
        draft.now_is = replace(draft.now_is, undelivered=True)
        language = draft.playbook.default_language
        draft.actions.append(Note("", draft.playbook.label("note_undelivered", language, reason=event.reason)))
    return "delivery failed"


def _timer(draft: Draft, event: TimerFell) -> str:
    match event.timer:
        case TimerKind.REMIND:
            return remind(draft)
        case TimerKind.GIVE_UP_COLLECTING:
            return give_up_collecting(draft)
        case TimerKind.OPINION:
            return opinion_overdue(draft)


def _errand(draft: Draft, event: ErrandDone) -> str:
    match event.errand:
        case ErrandKind.FETCH_FILES:
            return _fetched(draft, event)
        case ErrandKind.SECOND_OPINION:
            return opinion_came(draft, event)
        case ErrandKind.DELETE_UPSTREAM:
            return _removed(draft, event)


def _removed(draft: Draft, event: ErrandDone) -> str:
    if event.done:
        return "removed upstream"
    draft.say(Purpose.WARNING, "delete-it-yourself", draft.playbook.notice("delete-it-yourself", draft.language))
    return "told: delete-it-yourself"


def _fetched(draft: Draft, event: ErrandDone) -> str:
    """Files were brought in; what the guard found in them is treated as if it had been typed."""
    if event.secret is not None:
        return withhold(draft, event.subject, event.secret) or f"withheld: {event.secret.kind.value}"
    if event.done:
        return "files kept"
    draft.notice("file-lost")
    return "told: file-lost"
