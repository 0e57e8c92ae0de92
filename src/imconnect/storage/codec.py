"""Events and states to JSON and back. Typed text is never in it: that stands in `messages`."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from imconnect.domain.conversations import Conversation, Doubt, Given, PlaceInLine, Stage
from imconnect.domain.events import (
    AgentAdmitted,
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentSentSnippet,
    AgentTook,
    AgentTransferred,
    DeliveryEnded,
    ErrandDone,
    ErrandKind,
    Event,
    MessageEdited,
    MessageReceived,
    PlaceDue,
    PlaceReason,
    TimerFell,
    TimerKind,
)
from imconnect.domain.messages import Address, Attachment, Language, Script
from imconnect.domain.playbook import Priority
from imconnect.domain.readings import Certainty, Secret, SecretKind

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """The message an event is about: its own words are kept beside the event, not in it."""

    external_id: str
    text: str = field(repr=False)
    attachments: tuple[Attachment, ...] = ()


def secret_to_json(secret: Secret | None) -> JSON | None:
    if secret is None:
        return None
    return {
        "kind": secret.kind.value,
        "certainty": secret.certainty.value,
        "words": secret.words,
        "perhaps_a_hash": secret.perhaps_a_hash,
    }


def secret_from_json(data: JSON | None) -> Secret | None:
    if data is None:
        return None
    kind, certainty = SecretKind(data["kind"]), Certainty(data["certainty"])
    return Secret(kind, certainty, data["words"], data["perhaps_a_hash"])


def to_payload(event: Event) -> tuple[str, JSON | None]:  # noqa: C901, PLR0911, PLR0912 - a table, one row a kind
    """An event's kind and what is stored of it beside the message it is about."""
    match event:
        case MessageReceived():
            payload: JSON = {}
            if event.choice is not None:
                payload["choice"] = event.choice
            if event.secret is not None:
                payload["secret"] = secret_to_json(event.secret)
            if event.language_hint is not None:
                payload["hint"] = event.language_hint.value
            if event.public:
                payload["public"] = True
            if event.automatic:
                payload["automatic"] = True
            return "message", payload or None
        case MessageEdited():
            return "edit", {"id": event.message_id, "secret": secret_to_json(event.secret)}
        case AgentTook():
            return "took", {"agent": event.agent}
        case AgentReplied():
            return "replied", {"agent": event.agent, "text": event.text}
        case AgentNoted():
            return "noted", {"agent": event.agent, "text": event.text}
        case AgentResolved():
            return "resolved", {"agent": event.agent}
        case AgentHandedBack():
            return "handed_back", {"agent": event.agent}
        case AgentTransferred():
            return "transferred", {"agent": event.agent, "to": event.to}
        case AgentSentSnippet():
            return "snippet", {"agent": event.agent, "slug": event.slug}
        case AgentAdmitted():
            return "admitted", {"agent": event.agent, "peer": event.peer}
        case TimerFell():
            return "timer", {"timer": event.timer.value}
        case PlaceDue():
            return "place", {"reason": event.reason.value}
        case ErrandDone():
            told: JSON = {"errand": event.errand.value, "done": event.done, "reason": event.reason}
            if event.subject:
                told["subject"] = event.subject
            if event.secret is not None:
                told["secret"] = secret_to_json(event.secret)
            if event.topic is not None:
                told["topic"] = event.topic
            return "errand", told
        case DeliveryEnded():
            return "delivery", {"key": event.key, "unknown": event.unknown, "reason": event.reason}


def from_payload(kind: str, stored: JSON | None, about: About) -> Event:  # noqa: C901, PLR0911, PLR0912 - a table
    """The event that *kind* and *stored* were made of."""
    payload = stored or {}
    match kind:
        case "message":
            hint = payload.get("hint")
            return MessageReceived(
                about.external_id,
                about.text,
                payload.get("choice"),
                about.attachments,
                secret_from_json(payload.get("secret")),
                Language(hint) if hint else None,
                public=payload.get("public", False),
                automatic=payload.get("automatic", False),
            )
        case "edit":
            return MessageEdited(payload["id"], secret_from_json(payload["secret"]))
        case "took":
            return AgentTook(payload["agent"])
        case "replied":
            return AgentReplied(payload["agent"], payload["text"])
        case "noted":
            return AgentNoted(payload["agent"], payload["text"])
        case "resolved":
            return AgentResolved(payload["agent"])
        case "handed_back":
            return AgentHandedBack(payload["agent"])
        case "transferred":
            return AgentTransferred(payload["agent"], payload["to"])
        case "snippet":
            return AgentSentSnippet(payload["agent"], payload["slug"])
        case "admitted":
            return AgentAdmitted(payload["agent"], payload["peer"])
        case "timer":
            return TimerFell(TimerKind(payload["timer"]))
        case "place":
            return PlaceDue(PlaceReason(payload["reason"]))
        case "errand":
            return ErrandDone(
                ErrandKind(payload["errand"]),
                payload["done"],
                payload["reason"],
                payload.get("subject", ""),
                secret_from_json(payload.get("secret")),
                payload.get("topic"),
            )
        case "delivery":
            return DeliveryEnded(payload["key"], payload["unknown"], payload["reason"])
        case _:
            raise ValueError(f"an event of unknown kind {kind!r}: the database is newer than this program")


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value is not None else None


def _from_moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value is not None else None


def _doubt_to_json(doubt: Doubt | None) -> JSON | None:
    if doubt is None:
        return None
    return {"message": doubt.message_id, "topics": list(doubt.topics), "corrects": doubt.corrects}


def doubt_of(memory: JSON | None) -> Doubt | None:
    """The message of a conversation on which a second opinion is awaited."""
    told = (memory or {}).get("doubt")
    return Doubt(told["message"], tuple(told["topics"]), told["corrects"]) if told is not None else None


def to_memory(conversation: Conversation) -> JSON | None:
    """What only `decide()` reads of a state; empty values are left out."""
    memory: JSON = {
        "script": conversation.script.value if conversation.script else None,
        "language_fixed": conversation.language_fixed,
        "why": conversation.why,
        "refused": list(conversation.refused),
        "asked_for": list(conversation.asked_for),
        "tries": conversation.tries,
        "offered": list(conversation.offered),
        "unclear": conversation.unclear,
        "answered": conversation.answered,
        "answered_at": _moment(conversation.answered_at),
        "told": list(conversation.told),
        "next_best": list(conversation.next_best),
        "kept": list(conversation.kept),
        "flow": conversation.flow,
        "step": conversation.step,
        "acknowledged_at": _moment(conversation.acknowledged_at),
        "told_place": conversation.told_place,
        "told_at": _moment(conversation.told_at),
        "reminded": conversation.reminded,
        "undelivered": conversation.undelivered,
        "doubt": _doubt_to_json(conversation.doubt),
    }
    return {name: value for name, value in memory.items() if value} or None


def to_conversation(row: Any, details: dict[str, Given], line: PlaceInLine | None) -> Conversation:
    """The state that a row of `conversations`, its details and its place make up."""
    memory: JSON = row.memory or {}
    return Conversation(
        id=row.id,
        reference=row.reference,
        address=Address(row.channel, row.account, row.peer),
        stage=Stage(row.stage),
        language=Language(row.language),
        script=Script(memory["script"]) if "script" in memory else None,
        language_fixed=memory.get("language_fixed", False),
        topic=row.topic,
        priority=Priority(row.priority),
        why=memory.get("why", ""),
        details=details,
        refused=tuple(memory.get("refused", ())),
        asked_for=tuple(memory.get("asked_for", ())),
        tries=memory.get("tries", 0),
        offered=tuple(memory.get("offered", ())),
        unclear=memory.get("unclear", 0),
        answered=memory.get("answered"),
        answered_at=_from_moment(memory.get("answered_at")),
        told=tuple(memory.get("told", ())),
        next_best=tuple(memory.get("next_best", ())),
        kept=tuple(memory.get("kept", ())),
        flow=memory.get("flow"),
        step=memory.get("step"),
        acknowledged_at=_from_moment(memory.get("acknowledged_at")),
        waiting_since=row.waiting_since,
        told_place=memory.get("told_place"),
        told_at=_from_moment(memory.get("told_at")),
        reminded=memory.get("reminded", False),
        undelivered=memory.get("undelivered", False),
        agent=row.agent,
        doubt=doubt_of(memory),
        line=line,
    )
