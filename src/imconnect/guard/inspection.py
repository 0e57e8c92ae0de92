"""One text, inspected: what it holds that nobody may send, and what may be kept of it."""

from dataclasses import dataclass, field

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats.written import bare, plain
from imconnect.guard import codes, han, keys, phrases
from imconnect.guard.lexicon import Lexicon
from imconnect.guard.text import unmask

LONGEST = 262_144
"""Characters that are read of one text; what comes after them is dropped, never kept unread."""

_OVERLAP = 1_024


class GuardUnavailable(RuntimeError):
    """The guard could not be loaded. A desk without its guard must not start."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A text after inspection. `text` may be stored, logged and shown: it is what was typed, or what was left of it.

    `needs_context`: the verdict would change if we knew that a transaction hash was asked for.
    `earlier`: ids of earlier messages of the same customer that are now known to be parts of the secret.
    """

    text: str = field(repr=False)
    secret: Secret | None
    needs_context: bool = False
    earlier: tuple[str, ...] = ()


def removed(secret: Secret) -> str:
    """What stands in place of a message that was withheld whole."""
    return f"[{secret.kind} removed]"


class Guard:
    """Finds what must not be kept. Loading takes a few tenths of a second; inspecting keeps no state."""

    def __init__(self) -> None:
        try:
            self.lexicon = Lexicon()
            self.model = han.HanModel(self.lexicon)
        except Exception as fault:
            raise GuardUnavailable("the guard's lists cannot be read") from fault

    def inspect(self, text: str, *, hash_asked_for: bool = False, previous: str = "") -> Inspected:
        """Look for every kind of secret. Never raises: a fault inside withholds the text whole."""
        try:
            return self.examine(text, hash_asked_for=hash_asked_for, previous=previous)
        except Exception:  # whatever went wrong, the text has not been judged and must not pass
            secret = Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY)
            return Inspected(removed(secret), secret)

    def phrase(self, compatible: str, *, context: bool | None = None) -> phrases.Phrase | None:
        """The recovery phrase in a text (in `plain` form), in whatever disguise. *context*: was it announced?"""
        folded = unmask(bare(compatible), self.lexicon.words)
        if context is None:
            context = phrases.in_context(folded)
        found = phrases.find(folded, self.lexicon, context=context)
        if found is None and not folded.isascii():
            found = han.find(phrases.without_labels(folded), self.lexicon, self.model, context=context)
        apart = phrases.words_apart(compatible) if found is None else None
        if apart:
            found = phrases.find(unmask(bare(apart), self.lexicon.words), self.lexicon, context=context)
        return found

    def examine(self, text: str, *, hash_asked_for: bool = False, previous: str = "") -> Inspected:
        """As `inspect`, but a fault inside is raised: for those who look for faults."""
        kept = text[:LONGEST]
        read = kept if kept == text else text[: LONGEST + _OVERLAP]
        compatible = plain(read)
        found = self.phrase(compatible)
        if found:
            certainty = Certainty.CERTAIN if found.proven else Certainty.LIKELY
            secret = Secret(SecretKind.RECOVERY_PHRASE, certainty, words=found.words)
            return Inspected(removed(secret), secret)
        key = keys.find(compatible, hash_asked_for=hash_asked_for, previous=plain(previous))
        if key:
            return Inspected(removed(key.secret), key.secret, needs_context=key.needs_context)
        masked = codes.mask(kept, compatible if read is kept else plain(kept))
        if masked.kinds:
            return Inspected(masked.text, Secret(masked.kinds[0], Certainty.LIKELY))
        return Inspected(kept, None)
