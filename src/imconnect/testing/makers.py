"""Values for tests, each made from what the test is about; all else is usual.

The playbook's texts name their slug and their placeholders (`[queued] {reference} {place} {wait}`), so that a test
reads off what was said.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from imconnect.domain.conversations import Conversation, Given, PlaceInLine, Stage
from imconnect.domain.events import MessageReceived
from imconnect.domain.messages import (
    Address,
    Attachment,
    Choice,
    Handle,
    Incoming,
    Language,
    Outgoing,
    Purpose,
    Remark,
    Script,
)
from imconnect.domain.playbook import Article, Detail, Flow, Handoff, Hours, Pace, Playbook, Priority, Step, Topic
from imconnect.domain.readings import Candidate, Certainty, Reading, Secret, SecretKind, Spotted
from imconnect.ports import Received

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday, at noon."""

ALWAYS = Hours(ZoneInfo("UTC"))

# ----------------------------------------------------------------------------------------------------------- a pack

_IN_LINE = "{reference} {place} {wait}"

NOTICES: Mapping[str, str] = {
    "welcome": "",
    "thanks": "",
    "help": "",
    "unclear": "",
    "unclear-again": "",
    "did-you-mean": "",
    "did-it-help": "",
    "ask-details": "{details}",
    "still-missing": "{received} | {details}",
    "ask-again": "again: {details}",
    "without-it": "{titles} | {details}",
    "also-asked": "{titles}",
    "which-of-the-two": "",
    "detail-problem": "{title}: {problem}",
    "queued": _IN_LINE,
    "place": _IN_LINE,
    "place-later": _IN_LINE,
    "moved-up": _IN_LINE,
    "next-in-line": _IN_LINE,
    "still-waiting": _IN_LINE,
    "handed-back": _IN_LINE,
    "not-in-line": "",
    "with-agent-already": "",
    "agent-joined": "{agent}",
    "resolved": "{reference}",
    "reopened": "{reference}",
    "message-added": "{reference}",
    "secret-removed-recovery-phrase": "",
    "secret-removed-private-key": "",
    "secret-removed-keystore": "",
    "secret-removed-password": "",
    "secret-removed-one-time-code": "",
    "hash-or-key": "",
    "delete-it-yourself": "",
    "outside-hours": "{hours}",
    "could-not-read": "",
    "too-large": "{limit}",
    "safety-reminder": "",
    "language-set": "",
    "busy": "",
    "file-kept": "",
    "while-waiting": "{titles}",
    "file-lost": "",
    "come-in-private": "",
    "choose-language": "",
    "status-with-agent": "{reference} {agent}",
    "status-collecting": "{reference} {details}",
    "verify": "{case}",
    "verify-yes": "",
    "verify-no": "",
}
"""Each notice and the placeholders it fills."""

LABELS: Mapping[str, str] = {
    "wait_soon": "",
    "wait_minutes": "{minutes}",
    "wait_hours": "{hours}",
    "wait_unknown": "",
    "detail_line": "{title}{question}",
    "list_separator": "",
    "private": "",
    "language_zh": "",
    "language_en": "",
    "language_hans": "",
    "language_hant": "",
    "verify_with_agent": "{reference} {agent}",
    "verify_waiting": "{reference}",
    "verify_none": "",
    "note_undelivered": "{reason}",
    "note_admitted": "",
    "note_also": "{titles}",
    "note_second_opinion": "{topic}",
    "always_open": "",
    "yes": "",
    "no": "",
    "skip": "",
    "human": "",
    "more_choices": "",
    "chat_title": "",
    "privacy": "",
    "placeholder": "",
    "send": "",
    "you": "",
    "bot": "",
    "agent": "",
    "removed": "",
    "reconnecting": "",
    "new_conversation": "",
    "theme": "",
    "error_offline": "",
    "not_sent_retry": "",
    "error_too_long": "{limit}",
    "reference": "{reference}",
    "mail_subject": "{reference}",
    "none_of_these": "",
    "solved": "",
    "not_solved": "",
    "other_topic": "",
    "chat_intro": "",
    "never_ask": "",
    "sending": "",
    "sent": "",
    "attach": "",
    "attach_remove": "",
    "staff_typing": "",
    "edited": "",
    "today": "",
    "yesterday": "",
    "new_messages": "",
    "scroll_down": "",
    "load_earlier": "",
    "new_conversation_confirm": "",
    "copy": "",
    "copied": "",
    "choose": "",
    "chosen": "{choice}",
    "quick_help": "",
    "place_in_line": "{place} {wait}",
    "language": "",
    "theme_light": "",
    "theme_dark": "",
    "theme_system": "",
    "skip_to_content": "",
    "conversation_log": "",
    "close": "",
    "cancel": "",
    "retry": "",
    "reconnected": "",
    "error_too_fast": "",
    "error_empty": "",
    "error_session": "",
    "error_file_too_large": "{limit}",
    "error_file_type": "",
    "error_unknown": "",
    "page_not_found": "",
    "stage_self_service": "",
    "stage_clarifying": "",
    "stage_collecting": "",
    "stage_waiting": "",
    "stage_with_agent": "",
    "stage_resolved": "",
    "category_account": "",
    "category_transactions": "",
    "category_security": "",
    "category_features": "",
    "category_feedback": "",
    "category_service": "",
    "priority_urgent": "",
    "priority_high": "",
    "priority_normal": "",
    "priority_low": "",
    "day_0": "",
    "day_1": "",
    "day_2": "",
    "day_3": "",
    "day_4": "",
    "day_5": "",
    "day_6": "",
    "hours_line": "{closes} {days} {opens} {zone}",
    "mail_greeting": "",
    "mail_signature": "",
    "mail_footer": "",
    "mail_copies": "",
    "command_start": "",
    "command_help": "",
    "command_human": "",
    "command_status": "",
    "command_language": "",
    "command_verify": "",
    "staff_take": "",
    "staff_resolve": "",
    "staff_handback": "",
    "staff_note": "",
    "staff_snippet": "",
    "staff_transfer": "",
    "room_no_topic": "",
    "room_priority": "{priority} {why}",
    "room_why_a_secret_was_shared": "",
    "room_why_no_topic_yet": "",
    "room_place": "{stage} {place} {length}",
    "room_with": "{stage} {agent}",
    "room_contact": "{contact} {channel}",
    "room_channel_web": "",
    "room_channel_telegram": "",
    "room_channel_discord": "",
    "room_channel_email": "",
    "room_language": "{name}",
    "room_detail": "{title} {value}",
    "room_remark": "{remark}",
    "room_remark_unverified_sender": "",
    "room_remark_reply_to_differs": "",
    "room_remark_lookalike_sender": "",
    "room_remark_name_hides_address": "",
    "room_remark_link_hides_target": "",
    "room_remark_forwarded": "",
    "room_remark_removed_by_sender": "",
    "room_unreachable": "{reason}",
    "room_customer": "{name}",
    "room_bot": "",
    "room_agent": "{name}",
    "room_note": "{name}",
    "room_delivery_unknown": "",
    "room_delivery_failed": "",
    "room_delivery_withdrawn": "",
    "room_earlier": "{text}",
    "room_removed": "{kind}",
    "room_secret_recovery_phrase": "",
    "room_secret_private_key": "",
    "room_secret_keystore": "",
    "room_secret_password": "",
    "room_secret_one_time_code": "",
    "room_file_named": "{name}",
    "room_file_kept": "{name}",
    "room_file_withheld": "{name}",
    "room_file_too_large": "{name}",
    "room_file_lost": "{name}",
    "room_alarm": "{reason}",
    "room_no_conversation": "",
    "room_not_linked": "{channel} {handle}",
    "room_with_another": "",
    "room_not_taken": "",
    "room_resolved": "",
    "room_unknown_snippet": "",
    "room_asks_for_phrase": "",
    "room_asks_for_key": "",
    "room_asks_for_password": "",
    "room_asks_for_code": "",
    "room_asks_for_remote_control": "",
    "room_contains_secret": "",
    "room_link_refused": "{hosts}",
    "room_link_unknown": "{hosts}",
    "room_unknown_agent": "",
    "room_empty": "",
    "discord_panel": "",
    "discord_get_help": "",
    "discord_choose_topic": "",
    "discord_received": "{place}",
    "discord_received_later": "",
    "discord_already": "{place}",
    "discord_already_later": "",
    "discord_open_case": "{place}",
    "discord_wrong": "{title} {problem}",
    "discord_unrecognised": "",
    "discord_expired": "",
    "discord_refused": "",
    "discord_too_new": "{days}",
    "discord_threads_full": "",
    "discord_link_removed": "",
    "discord_link_stays": "{place}",
    "discord_notices": "",
    "discord_recorded": "",
    "discord_not_staff": "",
    "discord_not_here": "",
    "discord_take": "",
    "discord_hand_back": "",
    "discord_resolve": "",
    "discord_reply": "",
    "discord_staff_reply": "",
    "discord_option_text": "",
    "discord_option_name": "",
}

_BRACKETS = {Language.CHINESE: "【{slug}】", Language.ENGLISH: "[{slug}]"}


def marked(slug: str, language: Language, rest: str = "") -> str:
    """The text of the test playbook for *slug*: its name in brackets of the language, then *rest*."""
    return f"{_BRACKETS[language].replace('{slug}', slug)} {rest}".strip()


def _in_every_language(texts: Mapping[str, str]) -> dict[Language, dict[str, str]]:
    return {language: {slug: marked(slug, language, rest) for slug, rest in texts.items()} for language in Language}


def topic(
    slug: str,
    handoff: Handoff = Handoff.NEVER,
    priority: Priority = Priority.NORMAL,
    details: Sequence[str] = (),
    guides: Sequence[str] = (),
    examples: Sequence[str] = (),
) -> Topic:
    """A topic whose title is `title SLUG` and whose answer is `answer SLUG`, in the brackets of each language."""
    articles = {
        language: Article(
            marked(f"title {slug}", language), marked(f"answer {slug}", language), (slug.replace("-", " "), *examples)
        )
        for language in Language
    }
    return Topic(slug, "category", priority, handoff, articles, tuple(details), tuple(guides))


def detail(
    name: str, *, free: bool = False, problems: Sequence[str] = ("wrong_format",), story: bool = False
) -> Detail:
    """A detail that customers call by its own name, in words."""
    return Detail(
        name,
        free,
        {language: marked(f"title {name}", language) for language in Language},
        {language: marked(f"question {name}", language) for language in Language},
        {language: {code: marked(f"{code} {name}", language) for code in problems} for language in Language},
        dict.fromkeys(Language, (name.replace("_", " "),)),
        story,
    )


def flow(topic: str, **steps: str) -> Flow:
    """A guided answer: each step by its name and "yes no", where these lead, or the one place it leads on to."""
    made = {name: _step(f"{topic}/{name}", name, ways.split()) for name, ways in steps.items()}
    return Flow(topic, next(iter(steps)), made)


def _step(slug: str, name: str, ways: Sequence[str]) -> Step:
    texts = {language: marked(f"step {slug}", language) for language in Language}
    if len(ways) == 1:
        return Step(name, texts, then=ways[0])
    return Step(name, texts, {"yes": ways[0], "no": ways[1]})


TOPICS = (
    topic("fees", priority=Priority.LOW, guides=("is-it-safe",)),
    topic("is-it-safe", priority=Priority.LOW),
    topic("password-reset", Handoff.IF_UNSOLVED, guides=("is-it-safe",)),
    topic("account-sign-in", Handoff.IF_UNSOLVED, details=("device", "app_version")),
    topic(
        "tx-not-received",
        Handoff.AT_ONCE,
        details=("transaction_hash", "chain", "wallet_address"),
        guides=("fees", "is-it-safe"),
    ),
    topic("tx-wrong-address", Handoff.AT_ONCE, Priority.HIGH, details=("transaction_hash", "wallet_address")),
    topic("reset-mail-missing", Handoff.IF_UNSOLVED, details=("when",)),
    topic("stolen-funds", Handoff.AT_ONCE, Priority.URGENT, details=("transaction_hash", "when"), guides=("fees",)),
    topic("secret-leaked", Handoff.AT_ONCE, Priority.URGENT, details=("when",)),
    topic("human", Handoff.AT_ONCE),
    topic("queue-status", priority=Priority.LOW),
)

DETAILS = (
    detail("transaction_hash"),
    detail("wallet_address"),
    detail("chain", problems=("chain_mismatch",)),
    detail("device", free=True),
    detail("app_version", free=True),
    detail("when", free=True),
    detail("screenshot", free=True),
    detail("tried", free=True, story=True),
)

FLOWS = (flow("reset-mail-missing", spam="solved again", again="solved identity", identity="person"),)


def playbook(pace: Pace = Pace(), hours: Hours = ALWAYS, topics: Sequence[Topic] = TOPICS) -> Playbook:  # noqa: B008 - both are frozen
    """A small pack that is complete: every notice and label, topics of each kind of handoff, both languages."""
    return Playbook(
        name="Test Wallet",
        reference_prefix="TW",
        topics={one.slug: one for one in topics},
        details={one.name: one for one in DETAILS},
        notices=_in_every_language(NOTICES),
        labels=_in_every_language(LABELS),
        menu=("tx-not-received", "account-sign-in", "human"),
        smalltalk={
            "greeting": frozenset({"hello", "你好", "/start"}),
            "thanks": frozenset({"thanks", "谢谢"}),
            "yes": frozenset({"yes", "是的"}),
            "no": frozenset({"no", "没用"}),
            "skip": frozenset({"skip", "跳过"}),
        },
        hours=hours,
        pace=pace,
        official_hosts=frozenset({"wallet.example"}),
        flows={one.topic: one for one in FLOWS if one.topic in {topic.slug for topic in topics}},
    )


PLAYBOOK = playbook()


def reader(pack: Playbook = PLAYBOOK) -> Callable[[str], Reading]:
    """Reads a message as the topic whose example it is, word for word; anything else is not understood."""
    known = {
        example: slug
        for slug, one in pack.topics.items()
        for article in one.articles.values()
        for example in article.examples
    }

    def read(text: str) -> Reading:
        said = text.strip().lower()
        language = Language.CHINESE if any("\u4e00" <= letter <= "\u9fff" for letter in said) else Language.ENGLISH
        return Reading(language if said else None, topic=known.get(said))

    return read


# ---------------------------------------------------------------------------------------------------------- messages


def address(peer: str = "ann", channel: str = "web", account: str = "site") -> Address:
    return Address(channel, account, peer)


def incoming(
    text: str = "good day",
    id: str = "1",  # noqa: A002 - it is the field's name
    at: Address | None = None,
    name: str = "Ann",
    sent_at: datetime = NOON,
    attachments: Sequence[Attachment] = (),
    revises: str | None = None,
    choice: str | None = None,
    language_hint: Language | None = None,
    public: bool = False,
    automatic: bool = False,
    quoted: str = "",
    remarks: Sequence[Remark] = (),
) -> Incoming:
    """Something a customer said at *at* (a chat on the web, unless told)."""
    where = at if at is not None else address()
    return Incoming(
        id,
        where,
        Handle(where.peer, name),
        text,
        sent_at,
        tuple(attachments),
        revises,
        choice,
        language_hint,
        public,
        automatic,
        quoted,
        tuple(remarks),
    )


def received(
    text: str = "good day",
    id: str = "1",  # noqa: A002 - it is the field's name
    at: Address | None = None,
    secret: Secret | None = None,
    withdrawn: Sequence[str] = (),
    revises: str | None = None,
    choice: str | None = None,
    attachments: Sequence[Attachment] = (),
    language_hint: Language | None = None,
    name: str = "Ann",
    public: bool = False,
    automatic: bool = False,
    quoted: str = "",
    remarks: Sequence[Remark] = (),
) -> Received:
    """A message that has passed the guard."""
    said = incoming(
        text,
        id,
        at,
        name,
        attachments=attachments,
        revises=revises,
        choice=choice,
        language_hint=language_hint,
        public=public,
        automatic=automatic,
        quoted=quoted,
        remarks=remarks,
    )
    return Received(said, secret, tuple(withdrawn))


def outgoing(
    text: str = "good day to you",
    key: str = "1.0",
    at: Address | None = None,
    purpose: Purpose = Purpose.ANSWER,
    choices: Sequence[Choice] = (),
    reply_to: str | None = None,
    slot: str | None = None,
    replaces: str | None = None,
    language: Language = Language.CHINESE,
    reference: str = "TW-1001",
) -> Outgoing:
    where = at if at is not None else address()
    return Outgoing(key, where, text, purpose, tuple(choices), reply_to, slot, replaces, language, reference)


def picture(id: str = "file-1", name: str = "screen.png") -> Attachment:  # noqa: A002 - it is the field's name
    return Attachment(id, name, "image/png", 2_048)


def secret(kind: SecretKind = SecretKind.RECOVERY_PHRASE, *, perhaps_a_hash: bool = False, words: int = 12) -> Secret:
    return Secret(kind, Certainty.LIKELY if perhaps_a_hash else Certainty.CERTAIN, words, perhaps_a_hash)


# ------------------------------------------------------------------------------------------------ what decide() weighs


def conversation(
    stage: Stage = Stage.SELF_SERVICE,
    topic: str | None = None,
    language: Language = Language.ENGLISH,
    priority: Priority = Priority.NORMAL,
    details: Mapping[str, str] | None = None,
    asked_for: Sequence[str] = (),
    offered: Sequence[str] = (),
    agent: str | None = None,
    line: PlaceInLine | None = None,
    told_place: int | None = None,
    told_at: datetime | None = None,
) -> Conversation:
    """A conversation at *stage*, with what goes with it: someone waiting has a place, an agent's has an agent."""
    waits = stage is Stage.WAITING
    if agent is None and stage is Stage.WITH_AGENT:
        agent = "Mei"
    return Conversation(
        id=1,
        reference="TW-1001",
        address=address(),
        stage=stage,
        language=language,
        topic=topic,
        priority=priority,
        details={name: Given(value) for name, value in (details or {}).items()},
        asked_for=tuple(asked_for),
        offered=tuple(offered),
        waiting_since=NOON if waits or stage is Stage.WITH_AGENT else None,
        told_place=told_place,
        told_at=told_at,
        agent=agent,
        line=line if line is not None or not waits else PlaceInLine(1, 1, None),
    )


def message(
    text: str = "good day",
    topic: str | None = None,
    candidates: Sequence[str] = (),
    details: Sequence[Spotted] = (),
    language: Language | None = Language.ENGLISH,
    script: Script | None = None,
    choice: str | None = None,
    secret: Secret | None = None,
    attachments: Sequence[Attachment] = (),
    message_id: str = "m1",
    language_hint: Language | None = None,
    others: Sequence[str] = (),
    declined: Sequence[str] = (),
    *,
    corrects: bool = False,
    declines: bool = False,
    unhelped: bool = False,
) -> MessageReceived:
    """A message as it comes to its turn: guarded and read."""
    likely = tuple(Candidate(slug, 0.5 - 0.1 * rank) for rank, slug in enumerate(candidates))
    reading = Reading(
        language,
        script,
        tuple(details),
        (),
        topic,
        likely,
        others=tuple(others),
        corrects=corrects,
        declined=tuple(declined),
        declines=declines,
        unhelped=unhelped,
    )
    return MessageReceived(message_id, text, choice, tuple(attachments), secret, language_hint, reading=reading)


def spotted(name: str, value: str = "value", problem: str | None = None, chain: str | None = None) -> Spotted:
    return Spotted(name, value, chain, problem)
