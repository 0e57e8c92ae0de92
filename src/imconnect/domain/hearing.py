"""What customers say."""

import re
from dataclasses import replace
from datetime import timedelta

from imconnect.domain.actions import FollowUp, RunErrand
from imconnect.domain.commands import fix_language, obey, standing_of_case, typed_command
from imconnect.domain.conversations import GUIDED, Conversation, Given, Stage
from imconnect.domain.doubting import go_on, in_doubt
from imconnect.domain.drafting import LANGUAGE_CHOICE, NO, PRIVATE, SKIP, START, TOPIC_CHOICE, YES, Draft
from imconnect.domain.events import ErrandKind, MessageReceived, PlaceDue, PlaceReason
from imconnect.domain.guiding import flow_now, go_to
from imconnect.domain.manner import asks, meant
from imconnect.domain.messages import LARGEST_FILE, Choice, Language, Purpose
from imconnect.domain.playbook import SOLVED, Flow, Handoff, Playbook
from imconnect.domain.readings import Reading, Secret
from imconnect.domain.serving import (
    UNCLEAR_BEFORE_A_PERSON,
    about,
    answer,
    answered_lately,
    ask,
    case_is_open,
    choices_among,
    clarify,
    keep,
    offer_kept,
    prepare,
    put_right,
    raise_priority,
    remember,
    serve,
)
from imconnect.domain.standing import pace, tell_place, to_a_person
from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED, gives_the_funds_away, triage

COME_IN = "come-in-private"
"""What is said in public to whoever needs more than an answer."""

MOST_TRIES = 3
"""Messages we wait for the missing details; then a person sees the case as it is."""

CHAIN_OF = {
    "BTC": "bitcoin",
    "ETH": "ethereum",
    "BNB": "bsc",
    "POL": "polygon",
    "MATIC": "polygon",
    "SOL": "solana",
    "TRX": "tron",
}
"""The chain a coin belongs to, as people name one for the other."""


def hear(draft: Draft, event: MessageReceived) -> str:
    """What becomes of a customer's message."""
    if event.automatic:
        return _automatic(draft, event)
    draft.answering = event.message_id
    draft.now_is = replace(draft.now_is, undelivered=False)
    _hear_language(draft, event)
    if event.public:
        return _public(draft, event)
    if event.secret is not None and (ended := withhold(draft, event.message_id, event.secret)):
        return ended
    _fetch(draft, event)
    return obey(draft, event) or _converse(draft, event)


def _converse(draft: Draft, event: MessageReceived) -> str:
    if draft.now_is.stage is Stage.WITH_AGENT:
        return "for the agent"  # A person is talking. Bots do not interrupt.
    if draft.now_is.stage is Stage.RESOLVED:
        _reopen(draft)
    _keep_details(draft, event)
    keep(draft, event.reading.others)
    key = _choice(draft, event)
    go_on(draft, event, chose=key is not None)
    outcome = _follow(draft, key) if key is not None else _answer(draft, event)
    if draft.now_is.doubt is None:
        offer_kept(draft)
    return outcome


def _answer(draft: Draft, event: MessageReceived) -> str:
    """What becomes of words that choose nothing offered."""
    steps = (_small_talk, _not_helped_in_words, _waiting, _collecting, _guided, _topic, _candidates)
    return next((outcome for step in steps if (outcome := step(draft, event))), None) or _unclear(draft, event)


def _automatic(draft: Draft, event: MessageReceived) -> str:
    """Two machines that answer each other never end: what one wrote is kept, shown and left unanswered."""
    if event.secret is not None:
        draft.actions.append(RunErrand(ErrandKind.DELETE_UPSTREAM, event.message_id))
    return "automatic: kept"


def _public(draft: Draft, event: MessageReceived) -> str:
    """Where others read along, a question of everybody's is answered, once; a case is never discussed."""
    if draft.now_is.stage is Stage.RESOLVED:
        _reopen(draft)
    if event.secret is not None:
        _warn(draft, event.message_id, event.secret)
    topic = draft.playbook.topics.get(event.reading.topic or "")
    invitation = draft.playbook.notice(COME_IN, draft.language)
    elsewhere = [draft.label_choice(PRIVATE)]
    if topic is None or topic.handoff is Handoff.AT_ONCE or topic.slug == QUEUE_STATUS:
        matter = topic.slug if topic is not None else COME_IN
        if answered_lately(draft, matter) and event.secret is None:
            return "public: asked already"
        draft.say(Purpose.ANSWER, COME_IN, invitation, elsewhere)
        remember(draft, matter)
        return "public: asked to come in private"
    if answered_lately(draft, topic.slug):
        return "public: answered already"
    text = topic.articles[draft.language].answer + "\n\n" + invitation
    draft.say(Purpose.ANSWER, topic.slug, text, elsewhere)
    remember(draft, topic.slug)
    return f"public: answered: {topic.slug}"


def _fetch(draft: Draft, event: MessageReceived) -> None:
    """Have the files brought in; of those that are too large, say so."""
    sizes = [file.size for file in event.attachments]
    if any(size <= LARGEST_FILE for size in sizes):
        draft.actions.append(RunErrand(ErrandKind.FETCH_FILES, event.message_id))
    if any(size > LARGEST_FILE for size in sizes):
        draft.notice("too-large", limit=f"{LARGEST_FILE // (1024 * 1024)} MB")


def _hear_language(draft: Draft, event: MessageReceived) -> None:
    """Answer in the language of the last message that had one, unless the customer fixed it; a command has none."""
    if typed_command(event.text):
        return
    now_is = draft.now_is
    draft.now_is = now_is = replace(now_is, script=event.reading.script or now_is.script)
    spoken = event.reading.language
    if spoken is not None and not now_is.language_fixed:
        draft.now_is = replace(now_is, language=spoken)


def withhold(draft: Draft, message_id: str, secret: Secret) -> str | None:
    """Warn at once. Returns the outcome when nothing of the message is left to answer."""
    _warn(draft, message_id, secret)
    if secret.perhaps_a_hash:
        return "withheld: a hash or a key"
    if not gives_the_funds_away(secret):
        return None  # only the value was masked: the rest of the message is still to be answered
    if draft.now_is.stage is Stage.RESOLVED:
        _reopen(draft)
    priority, why = triage(SECRET_LEAKED, secret, draft.playbook)
    draft.now_is = replace(draft.now_is, topic=SECRET_LEAKED, priority=priority, why=why)
    if draft.now_is.stage not in (Stage.WITH_AGENT, Stage.WAITING):
        to_a_person(draft)
    return f"withheld: {secret.kind.value}"


def _warn(draft: Draft, message_id: str, secret: Secret) -> None:
    """Have it removed where it was said, and say what to do now."""
    draft.actions.append(RunErrand(ErrandKind.DELETE_UPSTREAM, message_id))
    slug = "hash-or-key" if secret.perhaps_a_hash else "secret-removed-" + secret.kind.value.replace("_", "-")
    draft.say(Purpose.WARNING, slug, draft.playbook.notice(slug, draft.language))


def _reopen(draft: Draft) -> None:
    kept = draft.now_is
    draft.now_is = replace(
        Conversation(kept.id, kept.reference, kept.address),
        stage=Stage.SELF_SERVICE,
        language=kept.language,
        language_fixed=kept.language_fixed,
        script=kept.script,
        details=kept.details,
    )


def _keep_details(draft: Draft, event: MessageReceived) -> None:
    """Keep every valid detail, whenever it is given; what an explorer link tells of the chain counts too."""
    reading, spotted = event.reading, event.reading.details
    found = {detail.name: Given(detail.value, detail.chain) for detail in spotted if detail.problem is None}
    if "chain" not in found and (chain := _chain_by_its_coin(draft, reading)):
        found["chain"] = Given(chain, chain)
    if "chain" not in found:
        chain = next((detail.chain for detail in spotted if detail.chain and detail.problem is None), None)
        if chain is not None and "chain" not in draft.now_is.details:
            found["chain"] = Given(chain, chain)
    if any(attachment.media_type.startswith("image/") for attachment in event.attachments):
        found["screenshot"] = Given("attached")
    found |= _written_out(event.text, draft.playbook)
    if found:
        draft.now_is = replace(draft.now_is, details={**draft.now_is.details, **found})


def _choice(draft: Draft, event: MessageReceived) -> str | None:
    """The key of a pressed button, or of a number, a title or a command typed in its place."""
    return event.choice or typed_command(event.text) or _typed_choice(draft, event.text)


def _follow(draft: Draft, key: str) -> str:
    """Do what the choice of that key leads to."""
    topic = key.removeprefix(TOPIC_CHOICE)
    if key.startswith(TOPIC_CHOICE) and topic in draft.playbook.topics:
        return _person_wanted(draft) if topic == HUMAN else serve(draft, topic)
    if key.startswith(LANGUAGE_CHOICE) and key.removeprefix(LANGUAGE_CHOICE) in list(Language):
        return fix_language(draft, Language(key.removeprefix(LANGUAGE_CHOICE)))
    if key in (YES, NO) and (flow := flow_now(draft)):
        return _stepped(draft, flow, key)
    return {YES: _helped, NO: _not_helped, SKIP: _skipped, START: _greet}.get(key, _menu)(draft)


def _person_wanted(draft: Draft) -> str:
    """By a button or a command: from whatever the customer is at."""
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)
    return _skipped(draft) if draft.now_is.stage is Stage.COLLECTING else serve(draft, HUMAN)


def _stepped(draft: Draft, flow: Flow, said: str) -> str:
    """The answer to a step leads to the next, or to the end."""
    step = flow.steps[draft.now_is.step or flow.first]
    draft.now_is = replace(draft.now_is, unclear=0)
    end = go_to(draft, flow, step.leads[said])
    if end is None:
        return f"guided: {flow.topic}/{draft.now_is.step}"
    return _helped(draft) if end == SOLVED else prepare(draft, draft.playbook.topics[flow.topic])


def _guided(draft: Draft, event: MessageReceived) -> str | None:
    """Words in the middle of a guided answer that are neither its yes or no nor another matter."""
    flow = flow_now(draft)
    if flow is None or not event.text.strip() or event.reading.topic not in (None, flow.topic):
        return None
    named = [one.topic for one in event.reading.candidates]
    if event.reading.topic is None and named and flow.topic not in named:
        return None
    draft.now_is = replace(draft.now_is, unclear=draft.now_is.unclear + 1)
    if draft.now_is.unclear >= UNCLEAR_BEFORE_A_PERSON:
        return prepare(draft, draft.playbook.topics[flow.topic])
    slug = "which-of-the-two" if draft.now_is.unclear == 1 else "unclear-again"
    choices = [draft.label_choice(YES), draft.label_choice(NO), draft.choice(HUMAN)]
    draft.say(Purpose.QUESTION, slug, draft.playbook.notice(slug, draft.language), choices)
    return "asked which of the two"


def _greet(draft: Draft) -> str:
    draft.say(Purpose.ANSWER, "welcome", draft.playbook.notice("welcome", draft.language), _menu_choices(draft))
    return "greeted"


def _typed_choice(draft: Draft, text: str) -> str | None:
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


def _helped(draft: Draft) -> str:
    draft.notice("thanks")
    if not case_is_open(draft):
        draft.now_is = replace(draft.now_is, topic=None, offered=())
    return "helped"


def _not_helped(draft: Draft) -> str:
    topic = draft.now_is.answered or draft.now_is.topic
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)
    if topic is None or topic not in draft.playbook.topics:
        return serve(draft, HUMAN)
    choices = choices_among(draft, draft.now_is.next_best)
    about(draft, topic)
    if len(choices) > 1 and not case_is_open(draft):
        clarify(draft)
        draft.say(Purpose.QUESTION, "did-you-mean", draft.playbook.notice("did-you-mean", draft.language), choices)
        return "offered next: " + choices[0].key.removeprefix(TOPIC_CHOICE)
    return prepare(draft, draft.playbook.topics[topic])


def _not_helped_in_words(draft: Draft, event: MessageReceived) -> str | None:
    """ "Still not working" after an answer is a no, unless it is about something else."""
    reading, now_is = event.reading, draft.now_is
    if now_is.stage not in GUIDED or now_is.answered is None:
        return None
    same = reading.topic in (None, now_is.answered)
    named = {one.topic for one in reading.candidates}
    if not same or (reading.topic is None and named and now_is.answered not in named):
        return None
    if reading.unhelped or (reading.corrects and reading.topic is not None):
        flow = flow_now(draft)
        return _stepped(draft, flow, NO) if flow is not None else _not_helped(draft)
    return None


def _skipped(draft: Draft) -> str:
    if draft.now_is.stage is not Stage.COLLECTING:
        return _menu(draft)
    draft.now_is = replace(draft.now_is, refused=tuple(dict.fromkeys((*draft.now_is.refused, *draft.now_is.asked_for))))
    to_a_person(draft)
    return "queued without details"


def _small_talk(draft: Draft, event: MessageReceived) -> str | None:
    said = event.text.strip().lower().rstrip(".。!！~～ ")
    if said in draft.playbook.smalltalk.get("greeting", frozenset()) and draft.now_is.stage is not Stage.WAITING:
        if draft.now_is.stage is Stage.COLLECTING:
            return None
        return _greet(draft)
    if said in draft.playbook.smalltalk.get("thanks", frozenset()):
        draft.notice("thanks")
        return "thanked"
    return None


def _waiting(draft: Draft, event: MessageReceived) -> str | None:
    """Somebody in the line says more: kept for the agent, answered where the pack can help meanwhile."""
    if draft.now_is.stage is not Stage.WAITING:
        return None
    if wrong := _details_meanwhile(draft, event):
        return wrong
    topic = event.reading.topic
    if topic == QUEUE_STATUS:
        return tell_place(draft)
    if topic is not None and topic != HUMAN:
        before = draft.now_is.priority
        raise_priority(draft, topic)
        if event.reading.corrects:
            draft.now_is = replace(draft.now_is, topic=topic)  # a place once given is not taken away
        if draft.now_is.priority < before:
            article = draft.playbook.article(topic, draft.language)
            draft.say(Purpose.ANSWER, topic, article.answer)
            remember(draft, topic)
            draft.actions.append(FollowUp(PlaceDue(PlaceReason.RAISED)))
            return f"raised: {topic}"
        if draft.playbook.topics[topic].handoff is not Handoff.AT_ONCE and not answered_lately(draft, topic):
            return answer(draft, draft.playbook.topics[topic])
    return _added(draft)


def _details_meanwhile(draft: Draft, event: MessageReceived) -> str | None:
    """What an urgent case lacks comes while it waits already: what is wrong with a value is said."""
    now_is = draft.now_is
    lacking = [name for name in now_is.asked_for if name not in now_is.details and name in draft.playbook.details]
    draft.now_is = replace(now_is, asked_for=tuple(lacking))
    faulty = [detail for detail in event.reading.details if detail.problem is not None and detail.name in lacking]
    if not faulty:
        return None
    ask(draft, lacking, (), faulty)
    return "asked again: " + ", ".join(detail.name for detail in faulty)


def _added(draft: Draft) -> str:
    """Say, now and then, that what they write reaches the case."""
    last = draft.now_is.acknowledged_at
    if last is not None and draft.now - last < timedelta(seconds=pace(draft).acknowledge_gap):
        return "added"
    draft.now_is = replace(draft.now_is, acknowledged_at=draft.now)
    draft.notice("message-added", reference=draft.now_is.reference)
    return "added, acknowledged"


def _collecting(draft: Draft, event: MessageReceived) -> str | None:
    """Something said while we wait for details: an answer to our question, unless it plainly is not."""
    if draft.now_is.stage is not Stage.COLLECTING:
        return None
    if event.reading.topic == QUEUE_STATUS:
        return standing_of_case(draft)
    if event.reading.topic == HUMAN:
        return _skipped(draft)
    if not event.text.strip():
        return _wordless(draft, event)
    return None if _is_another_matter(draft, event) else _take_details(draft, event)


def _take_details(draft: Draft, event: MessageReceived) -> str:
    """What is still missing is asked for again only together with what was received, and not for ever."""
    asked = [name for name in draft.now_is.asked_for if name in draft.playbook.details]
    spotted = event.reading.details
    faulty = [detail for detail in spotted if detail.problem is not None and detail.name in asked]
    without = _declined(draft, event)
    draft.now_is = replace(draft.now_is, refused=tuple(dict.fromkeys((*draft.now_is.refused, *without))))
    free = None if faulty or without else _free_detail(draft, event)
    if free is not None:
        said = meant(event.text) if event.reading.corrects else event.text
        draft.now_is = replace(draft.now_is, details={**draft.now_is.details, free: Given(said.strip())})
    if not without and not event.reading.corrects:
        draft.now_is = replace(draft.now_is, tries=draft.now_is.tries + 1)
    lacking = [name for name in asked if name not in draft.now_is.details and name not in without]
    if not lacking:
        to_a_person(draft)
        return "queued without details" if without else "queued"
    if draft.now_is.tries >= MOST_TRIES:
        to_a_person(draft)
        return "queued with what there is"
    ask(draft, lacking, [name for name in asked if name in draft.now_is.details], faulty, without)
    return "asked again: " + ", ".join(lacking)


def _is_another_matter(draft: Draft, event: MessageReceived) -> bool:
    """A new question: the matcher is sure of a different topic, and nothing we asked for is in the message."""
    topic, reading, playbook = event.reading.topic, event.reading, draft.playbook
    if reading.corrects and topic is None:
        return bool(reading.candidates) and not reading.details
    if topic is None or topic == draft.now_is.topic or topic not in playbook.topics:
        return False
    if reading.corrects:
        return True
    if {detail.name for detail in reading.details} & set(draft.now_is.asked_for):
        return False
    return playbook.topics[topic].priority < draft.now_is.priority or asks(event.text) or not _tells(draft, event)


def _tells(draft: Draft, event: MessageReceived) -> bool:
    """Whether what the words answer is a story, which may well sound like a matter of its own."""
    free = _free_detail(draft, event)
    return free is not None and draft.playbook.details[free].story


def _declined(draft: Draft, event: MessageReceived) -> list[str]:
    """What is said not to come: the details the message names, else whatever it was asked for."""
    now_is, reading = draft.now_is, event.reading
    open_ones = [name for name in now_is.asked_for if name not in now_is.details and name in draft.playbook.details]
    if named := [name for name in open_ones if name in reading.declined]:
        return named
    no_more = event.text.strip().lower().rstrip(".。!！") in draft.playbook.smalltalk.get(NO, frozenset())
    any_words = any(draft.playbook.details[name].free for name in open_ones)
    return open_ones if reading.declines or (no_more and not any_words) else []


def _written_out(text: str, playbook: Playbook) -> dict[str, Given]:
    """The free details of a text that names each, as a form does: "Title: value". No look at values finds those."""
    titles = {
        title.strip().lower(): name
        for name, detail in playbook.details.items()
        if detail.free
        for title in detail.titles.values()
    }
    parts = (re.split(r"[:：]", line, maxsplit=1) for line in text.splitlines())
    named = ((titles.get(part[0].strip().lower()), part[1].strip()) for part in parts if len(part) == 2)
    return {name: Given(value) for name, value in named if name is not None and value}


def _chain_by_its_coin(draft: Draft, reading: Reading) -> str | None:
    """The chain whose coin answers "which network?", or takes the place of the one named before."""
    coin = next((detail.value for detail in reading.details if detail.name == "token"), "")
    asked = "chain" in draft.now_is.asked_for or (reading.corrects and "chain" in draft.now_is.details)
    return CHAIN_OF.get(coin.upper()) if asked else None


def _free_detail(draft: Draft, event: MessageReceived) -> str | None:
    """The free-worded detail these words answer: the first still lacking, unless they only hold values of others.

    A correction is of the one given last.
    """
    details = draft.playbook.details
    if event.reading.corrects:
        topic = draft.playbook.topics.get(draft.now_is.topic or "")
        given = [name for name in (topic.details if topic else ()) if name in draft.now_is.details]
        free = [name for name in given if name in details and details[name].free]
        return free[-1] if free and not event.reading.details else None
    lacking = [name for name in draft.now_is.asked_for if name not in draft.now_is.details]
    only_values = bool(event.reading.details) and event.reading.language is None
    if only_values:
        return None
    first = next((name for name in lacking if name in details and details[name].free), None)
    # "Still not working" may be a part of a story; it is no device and no version.
    return None if first is not None and event.reading.unhelped and not details[first].story else first


def _topic(draft: Draft, event: MessageReceived) -> str | None:
    topic = event.reading.topic
    if topic is None or topic not in draft.playbook.topics:
        return None
    outcome = put_right(draft, topic) if event.reading.corrects else serve(draft, topic)
    if draft.now_is.stage is Stage.SELF_SERVICE and draft.now_is.topic == topic:
        best = tuple(one.topic for one in event.reading.candidates if one.topic not in (topic, HUMAN))
        draft.now_is = replace(draft.now_is, next_best=best)
    return outcome


def _candidates(draft: Draft, event: MessageReceived) -> str | None:
    wrong = (draft.now_is.topic, draft.now_is.answered) if event.reading.corrects else ()
    likely = [one.topic for one in event.reading.candidates if one.topic not in wrong]
    known = [slug for slug in likely if slug in draft.playbook.topics][:3]
    if not known:
        return None
    return in_doubt(draft, event, known)


def _unclear(draft: Draft, event: MessageReceived) -> str:
    """Nothing in the pack is close: one focused question, then a person; never a guess."""
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)
    if not event.text.strip():
        return _wordless(draft, event)
    draft.now_is = replace(draft.now_is, unclear=draft.now_is.unclear + 1)
    if draft.now_is.unclear >= UNCLEAR_BEFORE_A_PERSON:
        return serve(draft, HUMAN)
    clarify(draft)
    slug = "unclear" if draft.now_is.unclear == 1 else "unclear-again"
    draft.say(Purpose.QUESTION, slug, draft.playbook.notice(slug, draft.language), _menu_choices(draft))
    return "asked what it is about"


def _wordless(draft: Draft, event: MessageReceived) -> str:
    draft.notice("file-kept" if event.attachments else "could-not-read")
    return "file kept" if event.attachments else "could not read"


def _menu(draft: Draft) -> str:
    if draft.now_is.stage is Stage.WAITING:
        return _added(draft)  # an old button; who waits needs no menu
    draft.say(Purpose.QUESTION, "unclear", draft.playbook.notice("unclear", draft.language), _menu_choices(draft))
    return "menu shown"


def _menu_choices(draft: Draft) -> list[Choice]:
    return [draft.choice(slug) for slug in draft.playbook.menu]
