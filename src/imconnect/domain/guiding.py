"""Answers given step by step: what is said at each, and where it leads."""

from dataclasses import replace

from imconnect.domain.conversations import GUIDED
from imconnect.domain.drafting import NO, YES, Draft
from imconnect.domain.messages import Purpose
from imconnect.domain.playbook import Flow, Step


def flow_now(draft: Draft) -> Flow | None:
    """The guided answer that is being given. None too where the pack has lost it or its step since."""
    now_is = draft.now_is
    flow = draft.playbook.flows.get(now_is.flow or "") if now_is.stage in GUIDED else None
    return flow if flow is not None and now_is.step in flow.steps else None


def leave(draft: Draft) -> None:
    draft.now_is = replace(draft.now_is, flow=None, step=None)


def go_to(draft: Draft, flow: Flow, place: str) -> str | None:
    """Say the step at *place* and those that follow by themselves. Returns the end they lead to, if they do."""
    while place in flow.steps:
        step = flow.steps[place]
        if step.then is None:
            _say(draft, flow, step)
            return None
        draft.say(Purpose.ANSWER, f"{flow.topic}/{step.name}", step.texts[draft.language])
        place = step.then
    leave(draft)
    return place


def _say(draft: Draft, flow: Flow, step: Step) -> None:
    draft.now_is = replace(draft.now_is, flow=flow.topic, step=step.name)
    first = step.name == flow.first
    purpose, source = (Purpose.ANSWER, flow.topic) if first else (Purpose.QUESTION, f"{flow.topic}/{step.name}")
    text = draft.first_answer(step.texts[draft.language]) if first else step.texts[draft.language]
    draft.say(purpose, source, text, [draft.label_choice(YES), draft.label_choice(NO)])
