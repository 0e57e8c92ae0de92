"""What a case is about and how soon it must be seen: decided by evidence, never by adjectives."""

from collections.abc import Mapping

from imconnect.domain.conversations import Given
from imconnect.domain.playbook import Playbook, Priority
from imconnect.domain.readings import Secret, SecretKind

GIVES_THE_FUNDS_AWAY = frozenset({SecretKind.RECOVERY_PHRASE, SecretKind.PRIVATE_KEY, SecretKind.KEYSTORE})
"""Whoever has one of these has the money."""

SECRET_LEAKED = "secret-leaked"  # noqa: S105 - the slug of a topic
HUMAN = "human"
QUEUE_STATUS = "queue-status"


def gives_the_funds_away(secret: Secret | None) -> bool:
    """Whether *secret* is known to be one with which the funds can be taken."""
    return secret is not None and secret.kind in GIVES_THE_FUNDS_AWAY and not secret.perhaps_a_hash


def triage(topic: str | None, secret: Secret | None, playbook: Playbook) -> tuple[Priority, str]:
    """The priority of a case and why."""
    if gives_the_funds_away(secret):
        return Priority.URGENT, "a secret was shared"
    if topic is None or topic not in playbook.topics:
        return Priority.NORMAL, "no topic yet"
    return playbook.topics[topic].priority, f"topic {topic}"


def missing(topic: str | None, given: Mapping[str, Given], refused: tuple[str, ...], playbook: Playbook) -> list[str]:
    """The details a case of *topic* still lacks, in the order the pack lists them."""
    if topic is None or topic not in playbook.topics:
        return []
    return [name for name in playbook.topics[topic].details if name not in given and name not in refused]
