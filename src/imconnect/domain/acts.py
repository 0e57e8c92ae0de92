"""What agents do, and when it is refused."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from imconnect.domain.actions import Admit, FollowUp, Note
from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.drafting import Draft
from imconnect.domain.events import (
    AgentAdmitted,
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentSentSnippet,
    AgentTook,
    AgentTransferred,
    PlaceDue,
    PlaceReason,
)
from imconnect.domain.messages import Purpose
from imconnect.domain.standing import forget_what_is_due


class Refusal(StrEnum):
    """Why an agent's act is not done."""

    WITH_ANOTHER = "with_another"
    NOT_TAKEN = "not_taken"
    RESOLVED = "resolved"
    UNKNOWN_SNIPPET = "unknown_snippet"


def refusal(conversation: Conversation, act: AgentsAct) -> Refusal | None:
    """Why *act* would be refused now, or None. Notes are always welcome."""
    if isinstance(act, AgentNoted | AgentAdmitted):
        return None
    if conversation.stage is Stage.RESOLVED:
        return Refusal.RESOLVED
    if conversation.agent is not None and conversation.agent != act.agent:
        return Refusal.WITH_ANOTHER
    if conversation.agent is None and not isinstance(act, AgentTook | AgentResolved):
        return Refusal.NOT_TAKEN
    return None


def act_of(draft: Draft, act: AgentsAct) -> str:
    if refused := refusal(draft.now_is, act):
        return f"refused: {refused.value}"
    doing: dict[type[AgentsAct], Callable[[Draft, AgentsAct], str]] = {
        AgentTook: _took,
        AgentReplied: _replied,
        AgentNoted: _noted,
        AgentResolved: _resolved,
        AgentHandedBack: _handed_back,
        AgentTransferred: _transferred,
        AgentSentSnippet: _sent_snippet,
        AgentAdmitted: _admitted,
    }
    return doing[type(act)](draft, act)


def _took(draft: Draft, act: AgentsAct) -> str:
    if draft.now_is.agent == act.agent:
        return "taken"
    if draft.now_is.stage is not Stage.WAITING:
        draft.become(Stage.WAITING)
    draft.become(Stage.WITH_AGENT)
    draft.now_is = replace(
        draft.now_is, agent=act.agent, asked_for=(), offered=(), kept=(), told_place=None, told_at=None, line=None
    )
    forget_what_is_due(draft)
    draft.notice("agent-joined", agent=act.agent)
    return "taken"


def _replied(draft: Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentReplied)  # noqa: S101 - the table above sends nothing else here
    draft.say(Purpose.REPLY, act.agent, act.text)
    return "replied"


def _noted(draft: Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentNoted)  # noqa: S101 - the table above sends nothing else here
    draft.actions.append(Note(act.agent, act.text))
    return "noted"


def _transferred(draft: Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentTransferred)  # noqa: S101 - as above
    if act.to != draft.now_is.agent:
        draft.now_is = replace(draft.now_is, agent=act.to)
        draft.notice("agent-joined", agent=act.to)
    return "transferred"


def _sent_snippet(draft: Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentSentSnippet)  # noqa: S101 - as above
    text = draft.playbook.snippet(act.slug, draft.language)
    if text is None:
        return f"refused: {Refusal.UNKNOWN_SNIPPET.value}"
    draft.say(Purpose.REPLY, act.agent, text)
    return f"replied: {act.slug}"


def _admitted(draft: Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentAdmitted)  # noqa: S101 - as above
    told = draft.playbook.label("note_admitted", draft.playbook.default_language)
    draft.actions += [Admit(act.peer), Note(act.agent, told)]
    return "admitted"


def _resolved(draft: Draft, act: AgentsAct) -> str:
    draft.become(Stage.RESOLVED)
    draft.now_is = replace(draft.now_is, agent=None, waiting_since=None, asked_for=(), offered=(), kept=())
    forget_what_is_due(draft)
    draft.notice("resolved", reference=draft.now_is.reference)
    return "resolved"


def _handed_back(draft: Draft, act: AgentsAct) -> str:
    """Back into the line, at the place its age gives it."""
    draft.become(Stage.WAITING)
    since = draft.now_is.waiting_since or draft.now
    draft.now_is = replace(draft.now_is, agent=None, waiting_since=since, told_place=None, told_at=None)
    draft.actions.append(FollowUp(PlaceDue(PlaceReason.HANDED_BACK)))
    return "handed back"
