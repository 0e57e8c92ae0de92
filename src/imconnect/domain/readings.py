"""What was understood of a message: filled in by the guard and by `nlu`, weighed by `decide()`."""

from dataclasses import dataclass, field
from enum import StrEnum

from imconnect.domain.messages import Language, Script


class SecretKind(StrEnum):
    """What nobody may ever send to support."""

    RECOVERY_PHRASE = "recovery_phrase"
    PRIVATE_KEY = "private_key"
    KEYSTORE = "keystore"
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    ONE_TIME_CODE = "one_time_code"


class Certainty(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Secret:
    """What the guard withheld. Says of which kind and how long, never what it was.

    `perhaps_a_hash`: 64 hexadecimal digits without context, which may as well be a transaction hash.
    """

    kind: SecretKind
    certainty: Certainty
    words: int = 0
    perhaps_a_hash: bool = False


class LinkVerdict(StrEnum):
    OFFICIAL = "official"
    EXPLORER = "explorer"
    UNKNOWN = "unknown"
    LOOKALIKE = "lookalike"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its real host, whatever its text claims."""

    host: str
    verdict: LinkVerdict


@dataclass(frozen=True, slots=True)
class Spotted:
    """A detail found in a message. `problem` is None, or the code of what is wrong with the value."""

    name: str
    value: str = field(repr=False)
    chain: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A topic the message may be about. `probability` is calibrated, 0 to 1."""

    topic: str
    probability: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message was understood to be.

    `topic` is set only when the matcher is sure enough to answer; otherwise `candidates` (best first) holds what may be
    offered as choices, and is empty when nothing in the pack is close. `language` is None where the text has none of
    its own (a bare hash, an emoji). `vouched`: whether the name it asks about is one of our agents'.

    `others` are topics that single clauses are surely about, beside `topic`. `corrects`: it takes back what was said or
    understood before. `declined` names the details it says do not come; `declines`: it says so and names none.
    `unhelped`: it says that an answer did not help. `delicate`: it holds what may be a part of a secret.
    """

    language: Language | None = None
    script: Script | None = None
    details: tuple[Spotted, ...] = ()
    links: tuple[Link, ...] = ()
    topic: str | None = None
    candidates: tuple[Candidate, ...] = ()
    vouched: bool | None = None
    others: tuple[str, ...] = ()
    corrects: bool = False
    declined: tuple[str, ...] = ()
    declines: bool = False
    unhelped: bool = False
    delicate: bool = False
