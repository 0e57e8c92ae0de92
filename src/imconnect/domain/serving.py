"""Answering a topic, and preparing the case where a person must see it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from imconnect.domain.actions import ClearTimer, SetTimer
from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.drafting import NO, SKIP, YES, Draft, listed
from imconnect.domain.events import TimerKind
from imconnect.domain.guiding import go_to
from imconnect.domain.messages import Choice, Purpose
from imconnect.domain.playbook import Handoff, Priority, Topic
from imconnect.domain.readings import Spotted
from imconnect.domain.standing import pace, tell_place, to_a_person
from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED, missing, triage

UNCLEAR_BEFORE_A_PERSON = 3
"""After this many messages we could not place, a person is called rather than asking again."""

SAME_ANSWER_AFTER = 600
"""Seconds within which the same answer is not given twice."""


def serve(draft: Draft, slug: str) -> str:
    """Answer a topic the customer is known to mean, and prepare the case where a person must see it."""
    topic = draft.playbook.topics[slug]
    if slug == QUEUE_STATUS:
        return tell_place(draft)
    if case_is_open(draft):
        if not _takes_over(draft, topic):
            return _in_passing(draft, topic)
        keep(draft, [draft.now_is.topic or ""])
    again, before = answered_lately(draft, slug), draft.now_is
    about(draft, slug)
    if slug == HUMAN:
        to_a_person(draft)
        return "queued: a person was asked for"
    if topic.handoff is Handoff.AT_ONCE:
        if not again:
            draft.say(Purpose.ANSWER, slug, draft.first_answer(topic.articles[draft.language].answer))
            remember(draft, slug)
        return prepare(draft, topic)
    return _asked_again(draft, slug, before) if again else answer(draft, topic)


def _asked_again(draft: Draft, slug: str, before: Conversation) -> str:
    """The same question once more: the same text would not help. What else it may mean is offered, then a person."""
    unclear = max(before.unclear, 1) + 1
    if unclear >= UNCLEAR_BEFORE_A_PERSON:
        to_a_person(draft)
        return f"already answered: {slug}; queued"
    draft.now_is = replace(draft.now_is, unclear=unclear)
    clarify(draft)
    text = draft.playbook.notice("unclear-again", draft.language)
    draft.say(Purpose.QUESTION, "unclear-again", text, choices_among(draft, before.next_best))
    return f"already answered: {slug}"


def choices_among(draft: Draft, slugs: Iterable[str]) -> list[Choice]:
    """Those of *slugs* that were not answered lately, two at most, and a person."""
    worth = [slug for slug in slugs if slug in draft.playbook.topics and not answered_lately(draft, slug)]
    return [draft.choice(slug) for slug in dict.fromkeys([*worth[:2], HUMAN])]


def put_right(draft: Draft, slug: str) -> str:
    """The customer takes back what the case was understood to be about: it is let go of, not kept."""
    if draft.now_is.stage is Stage.COLLECTING:
        draft.become(Stage.SELF_SERVICE)
        draft.now_is = replace(draft.now_is, asked_for=(), tries=0, offered=())
        draft.actions.append(ClearTimer(TimerKind.GIVE_UP_COLLECTING))
    return serve(draft, slug)


def keep(draft: Draft, slugs: Iterable[str]) -> None:
    """Remember what was also asked, to be offered when what is more urgent has been seen to."""
    now_is = draft.now_is
    worth = (slug for slug in (*now_is.kept, *slugs) if slug in draft.playbook.topics)
    kept = tuple(dict.fromkeys(slug for slug in worth if slug not in (HUMAN, QUEUE_STATUS)))
    draft.now_is = replace(now_is, kept=kept)


def offer_kept(draft: Draft) -> None:
    """Offer what else was asked, together with the last answer where there is one."""
    now_is = draft.now_is
    if now_is.stage in (Stage.COLLECTING, Stage.WITH_AGENT) or draft.just_joined:
        return
    worth = [slug for slug in now_is.kept if slug in draft.playbook.topics and slug != now_is.topic]
    worth = [slug for slug in worth if not answered_lately(draft, slug)]
    draft.now_is = replace(now_is, kept=())
    if worth:
        choices = [draft.choice(slug) for slug in worth]
        titles = listed(draft, (choice.label for choice in choices))
        draft.add(draft.playbook.notice("also-asked", draft.language, titles=titles), "also-asked", choices)


def _takes_over(draft: Draft, topic: Topic) -> bool:
    """Whether a case of *topic* is prepared in place of the one that still lacks details."""
    now_is = draft.now_is
    if now_is.stage is not Stage.COLLECTING or topic.handoff is not Handoff.AT_ONCE:
        return False
    return topic.priority <= now_is.priority or now_is.topic not in draft.playbook.topics


def _in_passing(draft: Draft, topic: Topic) -> str:
    """Answer without letting go of the case; what was answered lately is not said again."""
    if topic.handoff is Handoff.AT_ONCE:
        keep(draft, [topic.slug])  # whoever takes the case sees it
    if not answered_lately(draft, topic.slug):
        return answer(draft, topic)
    if draft.now_is.stage is Stage.COLLECTING:
        lacking = [name for name in draft.now_is.asked_for if name in draft.playbook.details]
        titles = listed(draft, (draft.playbook.details[name].titles[draft.language] for name in lacking))
        draft.notice("status-collecting", reference=draft.now_is.reference, details=titles)
    return f"already answered: {topic.slug}"


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
    remember(draft, topic.slug)
    flow = draft.playbook.flows.get(topic.slug)
    if flow is not None and not passing:
        go_to(draft, flow, flow.first)
        return f"guided: {topic.slug}"
    text = draft.first_answer(topic.articles[draft.language].answer)
    choices: list[Choice] = []
    if topic.handoff is Handoff.IF_UNSOLVED and not passing:
        text += "\n\n" + draft.playbook.notice("did-it-help", draft.language)
        choices = [draft.label_choice(YES), draft.label_choice(NO)]
    draft.say(Purpose.ANSWER, topic.slug, text, choices)
    return f"answered: {topic.slug}"


def remember(draft: Draft, slug: str) -> None:
    """That *slug* was answered just now."""
    told = tuple(dict.fromkeys((*(draft.now_is.told if _lately(draft) else ()), slug)))
    draft.now_is = replace(draft.now_is, answered=slug, answered_at=draft.now, told=told)


def answered_lately(draft: Draft, slug: str) -> bool:
    return _lately(draft) and slug in (draft.now_is.answered, *draft.now_is.told)


def _lately(draft: Draft) -> bool:
    """Whether the last answer is of late, and with it all that were given since such a pause."""
    at = draft.now_is.answered_at
    return at is not None and draft.now - at < timedelta(seconds=SAME_ANSWER_AFTER)


def about(draft: Draft, slug: str) -> None:
    """From here on the conversation is about *slug*."""
    before = draft.now_is
    if slug == HUMAN and before.topic not in (None, HUMAN):
        return  # asking for a person does not change what it is about
    draft.now_is = replace(before, topic=slug, unclear=0, asked_for=(), tries=0, next_best=(), flow=None, step=None)
    if before.topic != SECRET_LEAKED or before.priority is not Priority.URGENT:
        priority, why = triage(slug, None, draft.playbook)
        draft.now_is = replace(draft.now_is, priority=priority, why=why)


def raise_priority(draft: Draft, slug: str) -> None:
    priority, why = triage(slug, None, draft.playbook)
    if priority < draft.now_is.priority:
        draft.now_is = replace(draft.now_is, topic=slug, priority=priority, why=why)


def prepare(draft: Draft, topic: Topic) -> str:
    """Ask for what the case lacks, all of it together; with nothing lacking it goes straight into the line.

    What is urgent waits for nothing: it is in the line while its details come.
    """
    lacking = missing(topic.slug, draft.now_is.details, draft.now_is.refused, draft.playbook)
    if not lacking:
        to_a_person(draft)
        return f"answered: {topic.slug}; queued"
    if draft.now_is.priority is Priority.URGENT:
        to_a_person(draft)
        ask(draft, lacking)
        return f"answered: {topic.slug}; queued; asked: " + ", ".join(lacking)
    draft.become(Stage.COLLECTING)
    draft.now_is = replace(draft.now_is, tries=0)
    ask(draft, lacking)
    due = draft.now + timedelta(seconds=pace(draft).give_up_collecting_after)
    draft.actions.append(SetTimer(TimerKind.GIVE_UP_COLLECTING, due))
    return f"answered: {topic.slug}; asked: " + ", ".join(lacking)


def ask(
    draft: Draft,
    lacking: list[str],
    received: Sequence[str] = (),
    faulty: Sequence[Spotted] = (),
    without: Sequence[str] = (),
) -> None:
    """Ask for what is *lacking*, saying what was just received, what was wrong and what will be done without."""
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
    elif without:
        titles = listed(draft, (details[name].titles[language] for name in without))
        text = draft.playbook.notice("without-it", language, titles=titles, details=asked)
    else:
        slug = "ask-again" if draft.now_is.tries else "ask-details"  # the same words a second time help nobody
        text = draft.playbook.notice(slug, language, details=asked)
    if problems and not received and not without:
        text = "\n".join(problems)
    elif problems:
        text = "\n".join([*problems, text])
    choices = [draft.label_choice(SKIP)] if draft.now_is.stage is Stage.COLLECTING else []
    draft.say(Purpose.QUESTION, "ask-details", text, choices)
