"""One text, inspected: what it holds that nobody may send, and what may be kept of it."""

from dataclasses import dataclass, field

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats import media
from imconnect.formats.written import bare, plain
from imconnect.guard import codes, files, han, keys, phrases
from imconnect.guard.files import FileVerdict
from imconnect.guard.lexicon import Lexicon
from imconnect.guard.text import unmask

LONGEST = 262_144
"""Characters that are read of one text; what comes after them is dropped, never kept unread."""

_OVERLAP = 1_024
_MASKED = (SecretKind.PASSWORD, SecretKind.ONE_TIME_CODE)


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
        inspected = self._read(text, hash_asked_for, previous)
        if inspected.secret is not None and inspected.secret.kind in _MASKED:
            # What was masked may have held the word that spoke for the rest: what is left is judged by itself too.
            left = self._read(inspected.text, hash_asked_for, previous)
            return left if left.secret is not None else inspected
        return inspected

    def _read(self, text: str, hash_asked_for: bool, previous: str) -> Inspected:
        kept = text[:LONGEST]
        read = kept if kept == text else text[: LONGEST + _OVERLAP]
        compatible = plain(read)
        found = self.phrase(compatible)
        if found:
            secret = _phrase(found)
            return Inspected(removed(secret), secret)
        key = keys.find(compatible, hash_asked_for=hash_asked_for, previous=plain(previous))
        if key:
            return Inspected(removed(key.secret), key.secret, needs_context=key.needs_context)
        shown = compatible if read is kept else plain(kept)
        masked = codes.mask(kept, shown, plain(previous), keys.public(shown))
        return Inspected(masked.text, Secret(masked.kinds[0], Certainty.LIKELY) if masked.kinds else None)

    def inspect_file(self, name: str, media_type: str, content: bytes) -> FileVerdict:
        """What a file is, and what it holds that nobody may send. Never raises: a fault inside withholds it.

        Text is read in whatever encoding it comes (see `imconnect.guard.files`); images and archives are not, and count
        by their *name*. The *media_type* its sender claims decides nothing, except that what claims to be text and
        cannot be read is withheld.
        """
        try:
            return self.examine_file(name, media_type, content)
        except Exception:  # whatever went wrong, the file has not been judged and must not pass
            return FileVerdict(media.UNKNOWN, Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY))

    def examine_file(self, name: str, media_type: str, content: bytes) -> FileVerdict:
        """As `inspect_file`, but a fault inside is raised: for those who look for faults."""
        return files.verdict(self._in_part_of_file, name, media_type, content)

    def _in_part_of_file(self, text: str, named: SecretKind | None, hash_asked_for: bool) -> Secret | None:
        """What a part of a file holds, in the light of what its name promises."""
        compatible = plain(text)
        found = self.phrase(compatible, context=True if named is SecretKind.RECOVERY_PHRASE else None)
        if found:
            return _phrase(found)
        before = files.ANNOUNCED.get(named, "")
        key = keys.find(compatible, hash_asked_for=hash_asked_for, previous=before, most=files.MOST_VALUES)
        if key:
            return key.secret
        masked = codes.mask(text, compatible, before)
        return Secret(masked.kinds[0], Certainty.LIKELY) if masked.kinds else None


def _phrase(found: phrases.Phrase) -> Secret:
    certainty = Certainty.CERTAIN if found.proven else Certainty.LIKELY
    return Secret(SecretKind.RECOVERY_PHRASE, certainty, words=found.words)
