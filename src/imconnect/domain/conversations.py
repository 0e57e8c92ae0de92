"""A conversation and the stages it passes through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from imconnect.domain.messages import Address, Language, Script
from imconnect.domain.playbook import Priority


class Stage(StrEnum):
    """How far a conversation has come; the customer is served by the pack, then by a person."""

    SELF_SERVICE = "self_service"
    CLARIFYING = "clarifying"
    COLLECTING = "collecting"
    WAITING = "waiting"
    WITH_AGENT = "with_agent"
    RESOLVED = "resolved"


MOVES: Mapping[Stage, frozenset[Stage]] = MappingProxyType(
    {
        Stage.SELF_SERVICE: frozenset({Stage.CLARIFYING, Stage.COLLECTING, Stage.WAITING, Stage.RESOLVED}),
        Stage.CLARIFYING: frozenset({Stage.SELF_SERVICE, Stage.COLLECTING, Stage.WAITING, Stage.RESOLVED}),
        Stage.COLLECTING: frozenset({Stage.SELF_SERVICE, Stage.CLARIFYING, Stage.WAITING, Stage.RESOLVED}),
        Stage.WAITING: frozenset({Stage.WITH_AGENT, Stage.RESOLVED}),
        Stage.WITH_AGENT: frozenset({Stage.WAITING, Stage.RESOLVED}),
        Stage.RESOLVED: frozenset({Stage.SELF_SERVICE}),
    }
)
"""From each stage to those that may follow it. An agent may take a conversation that is still with the bot, by way
of the line."""


GUIDED = frozenset({Stage.SELF_SERVICE, Stage.CLARIFYING})
"""Where a guided answer may go on; anywhere else it has ended."""


@dataclass(frozen=True, slots=True)
class Given:
    """A detail the customer gave, in a form that passed its check."""

    value: str = field(repr=False)
    chain: str | None = None


@dataclass(frozen=True, slots=True)
class PlaceInLine:
    """Where somebody stands: `place` counts from 1 of `length` waiting; `wait` in seconds, None when nobody can say."""

    place: int
    length: int
    wait: int | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message that may be about any of `topics` (the likeliest first), while a second opinion on it is awaited.

    `corrects`: it takes back what the case was understood to be about.
    """

    message_id: str
    topics: tuple[str, ...]
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything `decide()` weighs about one conversation. `line` is where it stands at the moment of deciding.

    `told` are the topics answered lately, `next_best` what else the last question may have meant, `kept` what was also
    asked and is still to be offered; `flow` and `step` say how far a guided answer has come. `doubt` is what a second
    opinion is awaited on.
    """

    id: int
    reference: str
    address: Address
    stage: Stage = Stage.SELF_SERVICE
    language: Language = Language.CHINESE
    script: Script | None = None
    language_fixed: bool = False
    topic: str | None = None
    priority: Priority = Priority.NORMAL
    why: str = ""
    details: Mapping[str, Given] = field(default_factory=dict[str, Given])
    refused: tuple[str, ...] = ()
    asked_for: tuple[str, ...] = ()
    tries: int = 0
    offered: tuple[str, ...] = ()
    unclear: int = 0
    answered: str | None = None
    answered_at: datetime | None = None
    told: tuple[str, ...] = ()
    next_best: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    flow: str | None = None
    step: str | None = None
    acknowledged_at: datetime | None = None
    waiting_since: datetime | None = None
    told_place: int | None = None
    told_at: datetime | None = None
    reminded: bool = False
    undelivered: bool = False
    agent: str | None = None
    doubt: Doubt | None = None
    line: PlaceInLine | None = None

    def moved_to(self, stage: Stage) -> Self:
        """The same conversation at *stage*. A move that is no move of the desk's is a programming error."""
        if stage is not self.stage and stage not in MOVES[self.stage]:
            raise ValueError(f"no conversation moves from {self.stage} to {stage}")
        if stage not in GUIDED:
            return replace(self, stage=stage, flow=None, step=None, doubt=None)
        return replace(self, stage=stage)
