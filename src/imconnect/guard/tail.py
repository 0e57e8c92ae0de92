"""What a customer wrote just before, kept in memory only: a phrase may come one word a message."""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NoReturn

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats.written import lower
from imconnect.guard import phrases
from imconnect.guard.inspection import Guard, Inspected, removed
from imconnect.guard.text import unmask

_LONGEST_FRAGMENT = 400
_LISTED = 0.7
_AFTERWARDS = 120.0
"""Seconds for which further words are taken to belong to the phrase that was just found."""


@dataclass(frozen=True, slots=True)
class _Fragment:
    message_id: str
    text: str = field(repr=False)
    at: float


@dataclass(slots=True)
class _Recent:
    fragments: deque[_Fragment]
    context_until: float = float("-inf")
    alarmed_until: float = float("-inf")
    last: str = field(default="", repr=False)


class Tail:
    """Inspects a message in the light of the ones just before. Bounded in customers and messages; never serialised."""

    def __init__(self, guard: Guard, *, keep: int = 30, ttl: float = 600.0, customers: int = 10_000) -> None:
        self._guard = guard
        self._keep = keep
        self._ttl = ttl
        self._customers = customers
        self._recent: OrderedDict[Hashable, _Recent] = OrderedDict()

    def __reduce__(self) -> NoReturn:
        raise TypeError("what customers wrote is kept in memory only")

    def __repr__(self) -> str:
        return f"Tail({len(self._recent)} customers)"

    def inspect(
        self, customer: Hashable, message_id: str, text: str, now: float, *, hash_asked_for: bool = False
    ) -> Inspected:
        """One message of *customer*, sent at *now* (seconds). `earlier` names the messages to withdraw with it."""
        recent = self._of(customer, now)
        inspected = self._guard.inspect(text, hash_asked_for=hash_asked_for, previous=recent.last)
        recent.last = inspected.text[-_LONGEST_FRAGMENT:]
        try:
            return self._joined(recent, message_id, text, now, inspected)
        except Exception:  # whatever went wrong, the text has not been judged and must not pass
            secret = Secret(SecretKind.RECOVERY_PHRASE, Certainty.LIKELY)
            return Inspected(removed(secret), secret)

    def _of(self, customer: Hashable, now: float) -> _Recent:
        recent = self._recent.get(customer)
        if recent is None:
            recent = self._recent[customer] = _Recent(deque(maxlen=self._keep))
            while len(self._recent) > self._customers:
                self._recent.popitem(last=False)
        self._recent.move_to_end(customer)
        while recent.fragments and now - recent.fragments[0].at > self._ttl:
            recent.fragments.popleft()
        return recent

    def _joined(self, recent: _Recent, message_id: str, text: str, now: float, inspected: Inspected) -> Inspected:
        if inspected.secret and inspected.secret.kind is SecretKind.RECOVERY_PHRASE:
            return _withdrawn(recent, message_id, now, inspected.secret)
        folded = unmask(lower(text[:_LONGEST_FRAGMENT]), self._guard.lexicon.words)
        if phrases.in_context(folded):
            recent.context_until = now + self._ttl
        fragment = self._fragment(folded) if len(text) <= _LONGEST_FRAGMENT else ""
        if not fragment:
            return inspected
        recent.fragments.append(_Fragment(message_id, fragment, now))
        if now <= recent.alarmed_until:
            secret = Secret(SecretKind.RECOVERY_PHRASE, Certainty.LIKELY, words=len(fragment.split()))
            return _withdrawn(recent, message_id, now, secret)
        together = "\n".join(each.text for each in recent.fragments)
        found = self._guard.phrase(together, context=now <= recent.context_until)
        if found is None:
            return inspected
        certainty = Certainty.CERTAIN if found.proven else Certainty.LIKELY
        return _withdrawn(recent, message_id, now, Secret(SecretKind.RECOVERY_PHRASE, certainty, words=found.words))

    def _fragment(self, folded: str) -> str:
        """What of a message may be part of a phrase: nothing, where it reads like ordinary words."""
        tokens = [
            token
            for token in phrases.TOKEN.findall(phrases.without_labels(folded))
            if not token.isdigit() and token not in phrases.FILLERS
        ]
        if not tokens:
            return ""
        listed = sum(self._might_be_listed(token) for token in tokens)
        return " ".join(tokens) if listed >= len(tokens) * _LISTED else ""

    def _might_be_listed(self, token: str) -> bool:
        lexicon = self._guard.lexicon
        if "㐀" <= token[0] <= "鿿":
            return len(token) <= 12 and all(letter in lexicon.han for letter in token)
        return token in lexicon.words or bool(lexicon.one_slip_away(token))


def _withdrawn(recent: _Recent, message_id: str, now: float, secret: Secret) -> Inspected:
    """The message and every fragment before it are withheld; what follows soon is taken for the rest of the phrase."""
    earlier = tuple(each.message_id for each in recent.fragments if each.message_id != message_id)
    recent.fragments.clear()
    recent.alarmed_until = now + _AFTERWARDS
    return Inspected(removed(secret), secret, earlier=earlier)
