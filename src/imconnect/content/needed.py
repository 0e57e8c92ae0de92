"""The texts a pack must have, and the placeholders each may use."""

from collections.abc import Mapping

from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED

NOTICES: Mapping[str, frozenset[str]] = {
    slug: frozenset(placeholders.split())
    for slug, placeholders in {
        "welcome": "",
        "thanks": "",
        "unclear": "",
        "unclear-again": "",
        "did-you-mean": "",
        "did-it-help": "",
        "ask-details": "details",
        "still-missing": "received details",
        "detail-problem": "title problem",
        "queued": "reference place wait",
        "place": "reference place wait",
        "place-later": "reference place wait",
        "moved-up": "reference place wait",
        "next-in-line": "reference place wait",
        "still-waiting": "reference place wait",
        "not-in-line": "",
        "with-agent-already": "",
        "agent-joined": "agent",
        "handed-back": "reference place wait",
        "resolved": "reference",
        "reopened": "reference",
        "message-added": "reference",
        "secret-removed-recovery-phrase": "",
        "secret-removed-private-key": "",
        "secret-removed-keystore": "",
        "secret-removed-password": "",
        "secret-removed-one-time-code": "",
        "hash-or-key": "",
        "delete-it-yourself": "",
        "outside-hours": "hours",
        "could-not-read": "",
        "too-large": "limit",
        "safety-reminder": "",
        "help": "",
        "language-set": "",
        "busy": "",
        "file-kept": "",
        "while-waiting": "titles",
    }.items()
}

LABELS: Mapping[str, frozenset[str]] = {
    name: frozenset(placeholders.split())
    for name, placeholders in {
        "wait_soon": "",
        "wait_minutes": "minutes",
        "wait_hours": "hours",
        "wait_unknown": "",
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
        "language_switch": "",
        "theme": "",
        "error_offline": "",
        "not_sent_retry": "",
        "error_too_long": "limit",
        "reference": "reference",
        "mail_subject": "reference",
    }.items()
}

# Topics the desk itself turns to.
TOPICS = (HUMAN, QUEUE_STATUS, SECRET_LEAKED)

SMALLTALK = ("greeting", "thanks", "yes", "no", "skip")
