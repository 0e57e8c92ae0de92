"""`decide()`: the desk, as a pure function of a conversation and what just happened to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from imconnect.domain.actions import (
    Action,
    ClearTimer,
    Decision,
    FollowUp,
    Note,
    RunErrand,
    Say,
    SetTimer,
    WithdrawNotices,
)
from imconnect.domain.conversations import Conversation, Given, PlaceInLine, Stage
from imconnect.domain.events import (
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentTook,
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
from imconnect.domain.messages import Attachment, Choice, Language, Purpose
from imconnect.domain.playbook import Handoff, Playbook, Priority, Topic
from imconnect.domain.readings import Secret, Spotted
from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED, gives_the_funds_away, missing, triage
from imconnect.domain.waiting import notice_due

TOPIC_CHOICE, LANGUAGE_CHOICE = "t:", "l:"
YES, NO, SKIP, START = "yes", "no", "skip", "start"
MOST_TRIES = 3
"""Messages we wait for the missing details; then a person sees the case as it is."""

UNCLEAR_BEFORE_A_PERSON = 3
"""After this many messages we could not place, a person is called rather than asking again."""

SAME_ANSWER_AFTER = 600
"""Seconds within which the same answer is not given twice."""


class Refusal(StrEnum):
    """Why an agent's act is not done."""

    WITH_ANOTHER = "with_another"
    NOT_TAKEN = "not_taken"
    RESOLVED = "resolved"


def refusal(conversation: Conversation, act: AgentsAct) -> Refusal | None:
    """Why *act* would be refused now, or None. Notes are always welcome."""
    if isinstance(act, AgentNoted):
        return None
    if conversation.stage is Stage.RESOLVED:
        return Refusal.RESOLVED
    if conversation.agent is not None and conversation.agent != act.agent:
        return Refusal.WITH_ANOTHER
    if conversation.agent is None and isinstance(act, AgentReplied | AgentHandedBack):
        return Refusal.NOT_TAKEN
    return None


def decide(conversation: Conversation, event: Event, playbook: Playbook, now: datetime) -> Decision:
    """Choose what to do about *event*. The same arguments always give the same answer."""
    draft = _Draft(conversation, playbook, now)
    match event:
        case MessageReceived():
            outcome = _message(draft, event)
        case MessageEdited():
            outcome = _edited(draft, event)
        case AgentTook() | AgentReplied() | AgentNoted() | AgentResolved() | AgentHandedBack():
            outcome = _agent(draft, event)
        case TimerFell():
            outcome = _timer(draft, event)
        case PlaceDue():
            outcome = _place(draft, event)
        case ErrandDone():
            outcome = _errand(draft, event)
        case DeliveryEnded():
            outcome = "delivery unknown" if event.unknown else "delivery failed"
    return Decision(draft.now_is, tuple(draft.actions), outcome)


@dataclass(slots=True)
class _Draft:
    """A decision in the making."""

    now_is: Conversation
    playbook: Playbook
    now: datetime
    actions: list[Action] = field(default_factory=list[Action])

    @property
    def language(self) -> Language:
        return self.now_is.language

    def become(self, stage: Stage) -> None:
        self.now_is = self.now_is.moved_to(stage)

    def notice(self, slug: str, **values: object) -> None:
        self.say(Purpose.NOTICE, slug, self.playbook.notice(slug, self.language, **values))

    def say(self, purpose: Purpose, source: str, text: str, choices: Iterable[Choice] = ()) -> None:
        offered = tuple(choices)
        self.actions.append(Say(purpose, source, text, offered))
        if offered:
            self.now_is = replace(self.now_is, offered=tuple(choice.key for choice in offered))

    def choice(self, slug: str) -> Choice:
        return Choice(TOPIC_CHOICE + slug, self.playbook.article(slug, self.language).title)

    def label_choice(self, key: str) -> Choice:
        return Choice(key, self.playbook.label(key, self.language))


# ------------------------------------------------------------------------------------------------ what customers say


def _message(draft: _Draft, event: MessageReceived) -> str:
    _hear_language(draft, event)
    if event.secret is not None and (ended := _secret(draft, event.message_id, event.secret)):
        return ended
    if draft.now_is.stage is Stage.WITH_AGENT:
        return "for the agent"  # A person is talking. Bots do not interrupt.
    if draft.now_is.stage is Stage.RESOLVED:
        _reopen(draft)
    _keep_details(draft, event.reading.details, event.attachments)
    for step in (_choice, _small_talk, _waiting, _collecting, _topic, _candidates):
        if outcome := step(draft, event):
            return outcome
    return _unclear(draft, event)


def _hear_language(draft: _Draft, event: MessageReceived) -> None:
    """Answer in the language of the last message that had one, unless the customer fixed it."""
    now_is = draft.now_is
    if now_is.language_fixed:
        return
    spoken = event.reading.language
    if spoken is not None:
        draft.now_is = replace(now_is, language=spoken, script=event.reading.script or now_is.script)


def _secret(draft: _Draft, message_id: str, secret: Secret) -> str | None:
    """Warn at once. Returns the outcome when nothing of the message is left to answer."""
    draft.actions.append(RunErrand(ErrandKind.DELETE_UPSTREAM, message_id))
    if secret.perhaps_a_hash:
        draft.say(Purpose.WARNING, "hash-or-key", draft.playbook.notice("hash-or-key", draft.language))
        return "withheld: a hash or a key"
    slug = "secret-removed-" + secret.kind.value.replace("_", "-")
    draft.say(Purpose.WARNING, slug, draft.playbook.notice(slug, draft.language))
    if not gives_the_funds_away(secret):
        return None  # only the value was masked: the rest of the message is still to be answered
    if draft.now_is.stage is Stage.RESOLVED:
        _reopen(draft)
    priority, why = triage(SECRET_LEAKED, secret, draft.playbook)
    draft.now_is = replace(draft.now_is, topic=SECRET_LEAKED, priority=priority, why=why)
    if draft.now_is.stage not in (Stage.WITH_AGENT, Stage.WAITING):
        _to_a_person(draft)
    return f"withheld: {secret.kind.value}"


def _reopen(draft: _Draft) -> None:
    kept = draft.now_is
    draft.now_is = replace(
        Conversation(kept.id, kept.reference, kept.address),
        stage=Stage.SELF_SERVICE,
        language=kept.language,
        language_fixed=kept.language_fixed,
        script=kept.script,
        details=kept.details,
    )


def _keep_details(draft: _Draft, spotted: tuple[Spotted, ...], attachments: tuple[Attachment, ...]) -> None:
    """Keep every valid detail, whenever it is given; what an explorer link tells of the chain counts too."""
    found = {detail.name: Given(detail.value, detail.chain) for detail in spotted if detail.problem is None}
    if "chain" not in found:
        chain = next((detail.chain for detail in spotted if detail.chain and detail.problem is None), None)
        if chain is not None and "chain" not in draft.now_is.details:
            found["chain"] = Given(chain, chain)
    if any(attachment.media_type.startswith("image/") for attachment in attachments):
        found["screenshot"] = Given("attached")
    if found:
        draft.now_is = replace(draft.now_is, details={**draft.now_is.details, **found})


def _choice(draft: _Draft, event: MessageReceived) -> str | None:
    """A pressed button, or a number or a title typed in its place."""
    key = event.choice or _typed_choice(draft, event.text)
    if key is None:
        return None
    topic = key.removeprefix(TOPIC_CHOICE)
    if key.startswith(TOPIC_CHOICE) and topic in draft.playbook.topics:
        if draft.now_is.stage is Stage.WAITING and topic == HUMAN:
            return _added(draft)
        return _serve(draft, topic)
    if key.startswith(LANGUAGE_CHOICE) and key.removeprefix(LANGUAGE_CHOICE) in list(Language):
        return _fix_language(draft, Language(key.removeprefix(LANGUAGE_CHOICE)))
    return {YES: _helped, NO: _not_helped, SKIP: _skipped, START: _greet}.get(key, _menu)(draft)


def _fix_language(draft: _Draft, language: Language) -> str:
    draft.now_is = replace(draft.now_is, language=language, language_fixed=True)
    draft.notice("language-set")
    return f"language fixed: {language.value}"


def _greet(draft: _Draft) -> str:
    draft.say(Purpose.ANSWER, "welcome", draft.playbook.notice("welcome", draft.language), _menu_choices(draft))
    return "greeted"


def _typed_choice(draft: _Draft, text: str) -> str | None:
    offered = draft.now_is.offered
    said = text.strip().lower().rstrip(".。!！")
    # Only a short number is one of ours: Python refuses to read those of thousands of digits.
    if said.isdecimal() and len(said) <= 2 and 1 <= int(said) <= len(offered):
        return offered[int(said) - 1]
    for key in offered:
        topic = key.removeprefix(TOPIC_CHOICE)
        # A pack that was changed since may have lost the topic.
        if key != topic and topic in draft.playbook.topics and said == draft.choice(topic).label.lower():
            return key
    for key in (YES, NO, SKIP):
        wanted = key in offered or (key == SKIP and draft.now_is.stage is Stage.COLLECTING)
        if wanted and said in draft.playbook.smalltalk.get(key, frozenset()):
            return key
    return None


def _helped(draft: _Draft) -> str:
    draft.notice("thanks")
    if not _case_is_open(draft):
        draft.now_is = replace(draft.now_is, topic=None, offered=())
    return "helped"


def _not_helped(draft: _Draft) -> str:
    topic = draft.now_is.answered or draft.now_is.topic
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)
    if topic is None or topic not in draft.playbook.topics:
        return _serve(draft, HUMAN)
    _about(draft, topic)
    return _prepare(draft, draft.playbook.topics[topic])


def _skipped(draft: _Draft) -> str:
    if draft.now_is.stage is not Stage.COLLECTING:
        return _menu(draft)
    draft.now_is = replace(draft.now_is, refused=tuple(dict.fromkeys((*draft.now_is.refused, *draft.now_is.asked_for))))
    _to_a_person(draft)
    return "queued without details"


def _small_talk(draft: _Draft, event: MessageReceived) -> str | None:
    said = event.text.strip().lower().rstrip(".。!！~～ ")
    if said in draft.playbook.smalltalk.get("greeting", frozenset()) and draft.now_is.stage is not Stage.WAITING:
        if draft.now_is.stage is Stage.COLLECTING:
            return None
        return _greet(draft)
    if said in draft.playbook.smalltalk.get("thanks", frozenset()):
        draft.notice("thanks")
        return "thanked"
    return None


def _waiting(draft: _Draft, event: MessageReceived) -> str | None:
    """Somebody in the line says more: kept for the agent, answered where the pack can help meanwhile."""
    if draft.now_is.stage is not Stage.WAITING:
        return None
    topic = event.reading.topic
    if topic == QUEUE_STATUS:
        return _tell_place(draft)
    if topic is not None and topic != HUMAN:
        before = draft.now_is.priority
        _raise_priority(draft, topic)
        if draft.now_is.priority < before:
            article = draft.playbook.article(topic, draft.language)
            draft.say(Purpose.ANSWER, topic, article.answer)
            draft.actions.append(FollowUp(PlaceDue(PlaceReason.RAISED)))
            return f"raised: {topic}"
        if draft.playbook.topics[topic].handoff is not Handoff.AT_ONCE and not _answered_lately(draft, topic):
            return _answer(draft, draft.playbook.topics[topic])
    return _added(draft)


def _added(draft: _Draft) -> str:
    """Say, now and then, that what they write reaches the case."""
    last = draft.now_is.acknowledged_at
    if last is not None and draft.now - last < timedelta(seconds=draft.playbook.pace.acknowledge_gap):
        return "added"
    draft.now_is = replace(draft.now_is, acknowledged_at=draft.now)
    draft.notice("message-added", reference=draft.now_is.reference)
    return "added, acknowledged"


def _collecting(draft: _Draft, event: MessageReceived) -> str | None:
    """Something said while we wait for details: an answer to our question, unless it plainly is not."""
    if draft.now_is.stage is not Stage.COLLECTING:
        return None
    if event.reading.topic == QUEUE_STATUS:
        return _tell_place(draft)
    if event.reading.topic == HUMAN:
        return _skipped(draft)
    if not event.text.strip():
        return _wordless(draft, event)
    return None if _is_another_matter(draft, event) else _take_details(draft, event)


def _take_details(draft: _Draft, event: MessageReceived) -> str:
    """What is still missing is asked for again only together with what was received, and not for ever."""
    asked = [name for name in draft.now_is.asked_for if name in draft.playbook.details]
    spotted = event.reading.details
    faulty = [detail for detail in spotted if detail.problem is not None and detail.name in asked]
    if not faulty and (free := _free_detail(draft, event)):
        draft.now_is = replace(draft.now_is, details={**draft.now_is.details, free: Given(event.text.strip())})
    draft.now_is = replace(draft.now_is, tries=draft.now_is.tries + 1)
    lacking = [name for name in asked if name not in draft.now_is.details]
    if not lacking:
        _to_a_person(draft)
        return "queued"
    if draft.now_is.tries >= MOST_TRIES:
        _to_a_person(draft)
        return "queued with what there is"
    _ask(draft, lacking, [name for name in asked if name in draft.now_is.details], faulty)
    return "asked again: " + ", ".join(lacking)


def _is_another_matter(draft: _Draft, event: MessageReceived) -> bool:
    """A new question: the matcher is sure of a different topic, and nothing we asked for is in the message."""
    topic = event.reading.topic
    if topic is None or topic == draft.now_is.topic:
        return False
    return not {detail.name for detail in event.reading.details} & set(draft.now_is.asked_for)


def _free_detail(draft: _Draft, event: MessageReceived) -> str | None:
    """The free-worded detail these words answer: the first still lacking, unless they only hold values of others."""
    details = draft.playbook.details
    lacking = [name for name in draft.now_is.asked_for if name not in draft.now_is.details]
    only_values = bool(event.reading.details) and event.reading.language is None
    if only_values:
        return None
    return next((name for name in lacking if name in details and details[name].free), None)


def _topic(draft: _Draft, event: MessageReceived) -> str | None:
    topic = event.reading.topic
    return _serve(draft, topic) if topic is not None and topic in draft.playbook.topics else None


def _candidates(draft: _Draft, event: MessageReceived) -> str | None:
    known = [one.topic for one in event.reading.candidates if one.topic in draft.playbook.topics][:3]
    if not known:
        return None
    _clarify(draft)
    choices = [draft.choice(slug) for slug in dict.fromkeys([*known, HUMAN])]
    draft.say(Purpose.QUESTION, "did-you-mean", draft.playbook.notice("did-you-mean", draft.language), choices)
    return "offered: " + ", ".join(known)


def _unclear(draft: _Draft, event: MessageReceived) -> str:
    """Nothing in the pack is close: one focused question, then a person; never a guess."""
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)
    if not event.text.strip():
        return _wordless(draft, event)
    draft.now_is = replace(draft.now_is, unclear=draft.now_is.unclear + 1)
    if draft.now_is.unclear >= UNCLEAR_BEFORE_A_PERSON:
        return _serve(draft, HUMAN)
    _clarify(draft)
    slug = "unclear" if draft.now_is.unclear == 1 else "unclear-again"
    draft.say(Purpose.QUESTION, slug, draft.playbook.notice(slug, draft.language), _menu_choices(draft))
    return "asked what it is about"


def _wordless(draft: _Draft, event: MessageReceived) -> str:
    draft.notice("file-kept" if event.attachments else "could-not-read")
    return "file kept" if event.attachments else "could not read"


def _menu(draft: _Draft) -> str:
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)  # an old button; who waits needs no menu
    draft.say(Purpose.QUESTION, "unclear", draft.playbook.notice("unclear", draft.language), _menu_choices(draft))
    return "menu shown"


def _menu_choices(draft: _Draft) -> list[Choice]:
    return [draft.choice(slug) for slug in draft.playbook.menu]


def _clarify(draft: _Draft) -> None:
    if not _case_is_open(draft):
        draft.become(Stage.CLARIFYING)


# --------------------------------------------------------------------------------------------------- serving a topic


def _serve(draft: _Draft, slug: str) -> str:
    """Answer a topic the customer is known to mean, and prepare the case where a person must see it."""
    topic = draft.playbook.topics[slug]
    if slug == QUEUE_STATUS:
        return _tell_place(draft)
    if _case_is_open(draft) and not (draft.now_is.stage is Stage.COLLECTING and topic.handoff is Handoff.AT_ONCE):
        return _answer(draft, topic)
    _about(draft, slug)
    if slug == HUMAN:
        _to_a_person(draft)
        return "queued: a person was asked for"
    if topic.handoff is Handoff.AT_ONCE:
        draft.say(Purpose.ANSWER, slug, topic.articles[draft.language].answer)
        draft.now_is = replace(draft.now_is, answered=slug, answered_at=draft.now)
        return _prepare(draft, topic)
    if _answered_lately(draft, slug):
        _clarify(draft)
        text = draft.playbook.notice("unclear-again", draft.language)
        draft.say(Purpose.QUESTION, "unclear-again", text, [draft.choice(HUMAN)])
        return f"already answered: {slug}"
    return _answer(draft, topic)


def _case_is_open(draft: _Draft) -> bool:
    """Whether a case is being prepared or waits: a passing question is answered without letting go of it."""
    return draft.now_is.stage in (Stage.COLLECTING, Stage.WAITING)


def _answer(draft: _Draft, topic: Topic) -> str:
    passing = _case_is_open(draft)
    if not passing:
        draft.become(Stage.SELF_SERVICE)
    text = topic.articles[draft.language].answer
    choices: list[Choice] = []
    if topic.handoff is Handoff.IF_UNSOLVED and not passing:
        text += "\n\n" + draft.playbook.notice("did-it-help", draft.language)
        choices = [draft.label_choice(YES), draft.label_choice(NO)]
    draft.say(Purpose.ANSWER, topic.slug, text, choices)
    draft.now_is = replace(draft.now_is, answered=topic.slug, answered_at=draft.now)
    return f"answered: {topic.slug}"


def _answered_lately(draft: _Draft, slug: str) -> bool:
    at = draft.now_is.answered_at
    within = timedelta(seconds=SAME_ANSWER_AFTER)
    return draft.now_is.answered == slug and at is not None and draft.now - at < within


def _about(draft: _Draft, slug: str) -> None:
    """From here on the conversation is about *slug*."""
    before = draft.now_is
    if slug == HUMAN and before.topic not in (None, HUMAN):
        return  # asking for a person does not change what it is about
    draft.now_is = replace(before, topic=slug, unclear=0, asked_for=(), tries=0)
    if before.topic != SECRET_LEAKED or before.priority is not Priority.URGENT:
        priority, why = triage(slug, None, draft.playbook)
        draft.now_is = replace(draft.now_is, priority=priority, why=why)


def _raise_priority(draft: _Draft, slug: str) -> None:
    priority, why = triage(slug, None, draft.playbook)
    if priority < draft.now_is.priority:
        draft.now_is = replace(draft.now_is, topic=slug, priority=priority, why=why)


def _prepare(draft: _Draft, topic: Topic) -> str:
    """Ask for what the case lacks, all of it together; with nothing lacking it goes straight into the line."""
    lacking = missing(topic.slug, draft.now_is.details, draft.now_is.refused, draft.playbook)
    if not lacking:
        _to_a_person(draft)
        return f"answered: {topic.slug}; queued"
    draft.become(Stage.COLLECTING)
    draft.now_is = replace(draft.now_is, tries=0)
    _ask(draft, lacking, [], [])
    due = draft.now + timedelta(seconds=draft.playbook.pace.give_up_collecting_after)
    draft.actions.append(SetTimer(TimerKind.GIVE_UP_COLLECTING, due))
    return f"answered: {topic.slug}; asked: " + ", ".join(lacking)


def _ask(draft: _Draft, lacking: list[str], received: list[str], faulty: list[Spotted]) -> None:
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
        titles = _listed(draft, (details[name].titles[language] for name in received))
        text = draft.playbook.notice("still-missing", language, received=titles, details=asked)
    else:
        text = draft.playbook.notice("ask-details", language, details=asked)
    if problems and not received:
        text = "\n".join(problems)
    elif problems:
        text = "\n".join([*problems, text])
    draft.say(Purpose.QUESTION, "ask-details", text, [draft.label_choice(SKIP)])


# ----------------------------------------------------------------------------------------------------------- the line


def _to_a_person(draft: _Draft) -> None:
    """Into the line, to be told the reference and the place at once."""
    if draft.now_is.stage in (Stage.WAITING, Stage.WITH_AGENT):
        return
    draft.become(Stage.WAITING)
    draft.now_is = replace(
        draft.now_is,
        waiting_since=draft.now,
        asked_for=(),
        tries=0,
        offered=(),
        unclear=0,
        told_place=None,
        told_at=None,
    )
    draft.actions.append(ClearTimer(TimerKind.GIVE_UP_COLLECTING))
    draft.actions.append(FollowUp(PlaceDue(PlaceReason.QUEUED)))


def _place(draft: _Draft, event: PlaceDue) -> str:
    """Tell somebody where they stand, if that still is so and still matters."""
    line = draft.now_is.line
    if draft.now_is.stage is not Stage.WAITING or line is None:
        return "overtaken"
    match event.reason:
        case PlaceReason.QUEUED:
            slug = "queued"
        case PlaceReason.HANDED_BACK:
            slug = "handed-back"
        case PlaceReason.RAISED:
            slug = "place"
        case PlaceReason.MOVED_UP:
            gap = draft.playbook.pace.notice_gap
            if not notice_due(draft.now_is.told_place, line.place, draft.now_is.told_at, draft.now, gap):
                return "overtaken"
            slug = "next-in-line" if line.place == 1 else "moved-up"
    _say_place(draft, slug, line)
    if event.reason is PlaceReason.QUEUED:
        _meanwhile(draft)
    return f"told: {slug}"


def _say_place(draft: _Draft, slug: str, line: PlaceInLine) -> None:
    now_is = draft.now_is
    wait = _wait(draft, line.wait)
    draft.notice(slug, reference=now_is.reference, place=line.place, wait=wait)
    draft.now_is = replace(now_is, told_place=line.place, told_at=draft.now)
    remind = draft.now + timedelta(seconds=draft.playbook.pace.remind_after)
    draft.actions.append(SetTimer(TimerKind.REMIND, remind))


def _meanwhile(draft: _Draft) -> None:
    """What may help while waiting: the guides that fit the case, and when people are there again."""
    playbook, language = draft.playbook, draft.language
    if not playbook.hours.open_at(draft.now):
        draft.notice("outside-hours", hours=_hours(draft))
    topic = playbook.topics.get(draft.now_is.topic or "")
    if topic is not None and topic.guides:
        choices = [draft.choice(slug) for slug in topic.guides]
        titles = _listed(draft, (choice.label for choice in choices))
        text = playbook.notice("while-waiting", language, titles=titles)
        draft.say(Purpose.NOTICE, "while-waiting", text, choices)


def _hours(draft: _Draft) -> str:
    """When people are there, in words."""
    playbook, hours = draft.playbook, draft.playbook.hours
    days = _listed(draft, (playbook.label(f"day_{day}", draft.language) for day in sorted(hours.days)))
    opens, closes = f"{hours.opens:%H:%M}", f"{hours.closes:%H:%M}"
    return playbook.label("hours_line", draft.language, days=days, opens=opens, closes=closes, zone=hours.zone.key)


def _listed(draft: _Draft, words: Iterable[str]) -> str:
    return draft.playbook.label("list_separator", draft.language).join(words)


def _wait(draft: _Draft, seconds: int | None) -> str:
    """The expected wait in words."""
    if seconds is None:
        return draft.playbook.label("wait_unknown", draft.language)
    if seconds <= 120:
        return draft.playbook.label("wait_soon", draft.language)
    if seconds <= 5_400:
        return draft.playbook.label("wait_minutes", draft.language, minutes=seconds // 60)
    return draft.playbook.label("wait_hours", draft.language, hours=-(-seconds // 3_600))


def _tell_place(draft: _Draft) -> str:
    """Answer "how long still?"; if more urgent cases went first, say so."""
    line = draft.now_is.line
    if draft.now_is.stage is not Stage.WAITING:
        draft.notice("not-in-line")
        return "not in line"
    if line is None:
        return "told next"  # just joined: the notice with the place is on its way
    told = draft.now_is.told_place
    _say_place(draft, "place-later" if told is not None and line.place > told else "place", line)
    return "told: place"


def _timer(draft: _Draft, event: TimerFell) -> str:
    match event.timer:
        case TimerKind.REMIND:
            if draft.now_is.stage is not Stage.WAITING or draft.now_is.line is None:
                return "overtaken"
            _say_place(draft, "still-waiting", draft.now_is.line)
            return "told: still-waiting"
        case TimerKind.GIVE_UP_COLLECTING:
            if draft.now_is.stage is not Stage.COLLECTING:
                return "overtaken"
            _to_a_person(draft)
            return "queued with what there is"


# --------------------------------------------------------------------------------------------------- what agents do


def _agent(draft: _Draft, act: AgentsAct) -> str:
    if refused := refusal(draft.now_is, act):
        return f"refused: {refused.value}"
    doing: dict[type[AgentsAct], Callable[[_Draft, AgentsAct], str]] = {
        AgentTook: _took,
        AgentReplied: _replied,
        AgentNoted: _noted,
        AgentResolved: _resolved,
        AgentHandedBack: _handed_back,
    }
    return doing[type(act)](draft, act)


def _took(draft: _Draft, act: AgentsAct) -> str:
    if draft.now_is.agent == act.agent:
        return "taken"
    if draft.now_is.stage is not Stage.WAITING:
        draft.become(Stage.WAITING)
    draft.become(Stage.WITH_AGENT)
    draft.now_is = replace(
        draft.now_is, agent=act.agent, asked_for=(), offered=(), told_place=None, told_at=None, line=None
    )
    _forget_what_is_due(draft)
    draft.notice("agent-joined", agent=act.agent)
    return "taken"


def _replied(draft: _Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentReplied)  # noqa: S101 - the table above sends nothing else here
    draft.say(Purpose.REPLY, act.agent, act.text)
    return "replied"


def _noted(draft: _Draft, act: AgentsAct) -> str:
    assert isinstance(act, AgentNoted)  # noqa: S101 - the table above sends nothing else here
    draft.actions.append(Note(act.agent, act.text))
    return "noted"


def _resolved(draft: _Draft, act: AgentsAct) -> str:
    draft.become(Stage.RESOLVED)
    draft.now_is = replace(draft.now_is, agent=None, waiting_since=None, asked_for=(), offered=())
    _forget_what_is_due(draft)
    draft.notice("resolved", reference=draft.now_is.reference)
    return "resolved"


def _handed_back(draft: _Draft, act: AgentsAct) -> str:
    """Back into the line, at the place its age gives it."""
    draft.become(Stage.WAITING)
    since = draft.now_is.waiting_since or draft.now
    draft.now_is = replace(draft.now_is, agent=None, waiting_since=since, told_place=None, told_at=None)
    draft.actions.append(FollowUp(PlaceDue(PlaceReason.HANDED_BACK)))
    return "handed back"


def _forget_what_is_due(draft: _Draft) -> None:
    draft.actions += [
        WithdrawNotices(),
        ClearTimer(TimerKind.REMIND),
        ClearTimer(TimerKind.GIVE_UP_COLLECTING),
    ]


# ------------------------------------------------------------------------------------------------- what else happens


def _edited(draft: _Draft, event: MessageEdited) -> str:
    """An edit is kept and shown. Only a secret in it is answered."""
    if event.secret is None:
        return "revised"
    return _secret(draft, event.message_id, event.secret) or f"withheld: {event.secret.kind.value}"


def _errand(draft: _Draft, event: ErrandDone) -> str:
    if event.done:
        return "removed upstream"
    draft.say(Purpose.WARNING, "delete-it-yourself", draft.playbook.notice("delete-it-yourself", draft.language))
    return "told: delete-it-yourself"
