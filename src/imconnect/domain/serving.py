"""Answering a topic, and preparing the case where a person must see it."""

from dataclasses import replace
from datetime import timedelta

from imconnect.domain.actions import SetTimer
from imconnect.domain.conversations import Stage
from imconnect.domain.drafting import NO, SKIP, YES, Draft, listed
from imconnect.domain.events import TimerKind
from imconnect.domain.messages import Choice, Purpose
from imconnect.domain.playbook import Handoff, Priority, Topic
from imconnect.domain.readings import Spotted
from imconnect.domain.standing import pace, tell_place, to_a_person
from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED, missing, triage

SAME_ANSWER_AFTER = 600
"""Seconds within which the same answer is not given twice."""


def serve(draft: Draft, slug: str) -> str:
    """Answer a topic the customer is known to mean, and prepare the case where a person must see it."""
    topic = draft.playbook.topics[slug]
    if slug == QUEUE_STATUS:
        return tell_place(draft)
    if case_is_open(draft) and not (draft.now_is.stage is Stage.COLLECTING and topic.handoff is Handoff.AT_ONCE):
        return answer(draft, topic)
    about(draft, slug)
    if slug == HUMAN:
        to_a_person(draft)
        return "queued: a person was asked for"
    if topic.handoff is Handoff.AT_ONCE:
        draft.say(Purpose.ANSWER, slug, _first_answer(draft, topic.articles[draft.language].answer))
        draft.now_is = replace(draft.now_is, answered=slug, answered_at=draft.now)
        return prepare(draft, topic)
    if answered_lately(draft, slug):
        clarify(draft)
        text = draft.playbook.notice("unclear-again", draft.language)
        draft.say(Purpose.QUESTION, "unclear-again", text, [draft.choice(HUMAN)])
        return f"already answered: {slug}"
    return answer(draft, topic)


def case_is_open(draft: Draft) -> bool:
    """Whether a case is being prepared or waits: a passing question is answered without letting go of it."""
    return draft.now_is.stage in (Stage.COLLECTING, Stage.WAITING)


def clarify(draft: Draft) -> None:
    if not case_is_open(draft):
        draft.become(Stage.CLARIFYING)


def answer(draft: Draft, topic: Topic) -> str:
    passing = case_is_open(draft)
    if not passing:
        draft.become(Stage.SELF_SERVICE)
    text = _first_answer(draft, topic.articles[draft.language].answer)
    choices: list[Choice] = []
    if topic.handoff is Handoff.IF_UNSOLVED and not passing:
        text += "\n\n" + draft.playbook.notice("did-it-help", draft.language)
        choices = [draft.label_choice(YES), draft.label_choice(NO)]
    draft.say(Purpose.ANSWER, topic.slug, text, choices)
    draft.now_is = replace(draft.now_is, answered=topic.slug, answered_at=draft.now)
    return f"answered: {topic.slug}"


def _first_answer(draft: Draft, text: str) -> str:
    """The answer; where impostors lurk, the first in a conversation warns of them."""
    if draft.now_is.reminded or draft.now_is.address.channel not in draft.playbook.reminding:
        return text
    draft.now_is = replace(draft.now_is, reminded=True)
    return text + "\n\n" + draft.playbook.notice("safety-reminder", draft.language)


def answered_lately(draft: Draft, slug: str) -> bool:
    at = draft.now_is.answered_at
    within = timedelta(seconds=SAME_ANSWER_AFTER)
    return draft.now_is.answered == slug and at is not None and draft.now - at < within


def about(draft: Draft, slug: str) -> None:
    """From here on the conversation is about *slug*."""
    before = draft.now_is
    if slug == HUMAN and before.topic not in (None, HUMAN):
        return  # asking for a person does not change what it is about
    draft.now_is = replace(before, topic=slug, unclear=0, asked_for=(), tries=0)
    if before.topic != SECRET_LEAKED or before.priority is not Priority.URGENT:
        priority, why = triage(slug, None, draft.playbook)
        draft.now_is = replace(draft.now_is, priority=priority, why=why)


def raise_priority(draft: Draft, slug: str) -> None:
    priority, why = triage(slug, None, draft.playbook)
    if priority < draft.now_is.priority:
        draft.now_is = replace(draft.now_is, topic=slug, priority=priority, why=why)


def prepare(draft: Draft, topic: Topic) -> str:
    """Ask for what the case lacks, all of it together; with nothing lacking it goes straight into the line."""
    lacking = missing(topic.slug, draft.now_is.details, draft.now_is.refused, draft.playbook)
    if not lacking:
        to_a_person(draft)
        return f"answered: {topic.slug}; queued"
    draft.become(Stage.COLLECTING)
    draft.now_is = replace(draft.now_is, tries=0)
    ask(draft, lacking, [], [])
    due = draft.now + timedelta(seconds=pace(draft).give_up_collecting_after)
    draft.actions.append(SetTimer(TimerKind.GIVE_UP_COLLECTING, due))
    return f"answered: {topic.slug}; asked: " + ", ".join(lacking)


def ask(draft: Draft, lacking: list[str], received: list[str], faulty: list[Spotted]) -> None:
    language, details = draft.language, draft.playbook.details
    draft.now_is = replace(draft.now_is, asked_for=tuple(lacking))
    problems = [
        draft.playbook.notice(
            "detail-problem",
            language,
            title=details[fault.name].titles[language],
            problem=details[fault.name].problems[language].get(fault.problem or "", ""),
        )
        for fault in faulty
        if fault.name in lacking
    ]
    asked = "\n".join(
        draft.playbook.label(
            "detail_line", language, title=details[name].titles[language], question=details[name].questions[language]
        )
        for name in lacking
    )
    if received:
        titles = listed(draft, (details[name].titles[language] for name in received))
        text = draft.playbook.notice("still-missing", language, received=titles, details=asked)
    else:
        text = draft.playbook.notice("ask-details", language, details=asked)
    if problems and not received:
        text = "\n".join(problems)
    elif problems:
        text = "\n".join([*problems, text])
    draft.say(Purpose.QUESTION, "ask-details", text, [draft.label_choice(SKIP)])
