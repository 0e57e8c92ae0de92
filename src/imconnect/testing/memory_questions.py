"""What became of questions, for `MemoryStore`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from imconnect.domain.questions import ANSWERED, ASKED_AROUND, GUIDED, OFFERED, UNCLEAR, Became, QuestionKind
from imconnect.ports import SettledQuestion


def may_hold(kind: QuestionKind, outcome: str) -> bool:
    """Whether a message of that outcome may be a question of *kind*."""
    if kind is QuestionKind.UNANSWERED:
        return outcome == UNCLEAR or outcome.startswith((OFFERED, ASKED_AROUND))
    return outcome.startswith((ANSWERED, GUIDED))


@dataclass(slots=True)
class Questions:
    """Settled questions by their keys."""

    _settled: dict[str, SettledQuestion] = field(default_factory=dict[str, SettledQuestion])

    def settle(self, settled: SettledQuestion) -> bool:
        return self._settled.setdefault(settled.key, settled) is settled

    def reopen(self, key: str) -> bool:
        return self._settled.pop(key, None) is not None

    def keys(self, keys: Sequence[str]) -> frozenset[str]:
        known = {key for one in self._settled.values() for key in (one.key, one.text_key) if key}
        return frozenset(keys) & known

    def examples(self) -> list[SettledQuestion]:
        added = [one for one in self._settled.values() if one.became is not Became.DISMISSED]
        return sorted(added, key=lambda one: (one.at, one.key))

    def mark_written(self, keys: Sequence[str], now: datetime) -> None:
        for key in keys:
            if key in self._settled and self._settled[key].written_at is None:
                self._settled[key] = replace(self._settled[key], written_at=now)
