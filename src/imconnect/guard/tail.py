"""What a customer wrote just before, kept in memory only: a phrase may come one word a message, a key in halves."""

import re
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats import addresses
from imconnect.formats.written import lower, plain
from imconnect.guard import keys, phrases
from imconnect.guard.inspection import Guard, Inspected, removed
from imconnect.guard.text import unmask

_LONGEST_FRAGMENT = 400
_LISTED, _UNSAID = 0.7, 0.6
_MOST_PIECES, _LONGEST_KEY = 8, 400
_ALONE = re.compile(r"[\s\"'`]*(?P<value>(?:0[xX])?[0-9A-Za-z]{2,139}|\[?[\d\s,]{3,390}\]?)[\s\"'`.。]*")
_PIECE = re.compile(
    r"(?<![0-9A-Za-z])(?P<value>(?=[A-Za-z]*\d)(?=\d*[A-Za-z])(?:0[xX])?[0-9A-Za-z]{8,139}"
    r"|\[?\d{1,3}(?:[ ]?,[ ]?\d{1,3}){7,90})(?![0-9A-Za-z])"
)
_BODY = re.compile(r"\s*(?:[A-Za-z0-9+/]{40,80}={0,2}\s+){0,60}[A-Za-z0-9+/]{16,80}={0,2}\s*(?:-----END[A-Z -]{0,40})?")
_REST_OF_A_KEY = 12
_LONG = re.compile(r"[0-9A-Za-z]{25,}")
_AFTERWARDS = 120.0
"""Seconds for which further words are taken to belong to the phrase that was just found."""

_WHOLE, _MORE_OF_IT = 12, 3
"""Words of the shortest phrase that is whole, and of what may be more of it: "help" after a whole one is a cry."""


@dataclass(frozen=True, slots=True)
class _Fragment:
    """What may be a part of a phrase. `spoken`: it may as well be ordinary Chinese."""

    message_id: str
    text: str = field(repr=False)
    at: float
    spoken: bool

    @property
    def chinese(self) -> bool:
        return all(map(_is_han, self.text.split()))

    @property
    def words(self) -> int:
        """Of a phrase; in Chinese each character is one."""
        return sum(len(token) if _is_han(token) else 1 for token in self.text.split())


@dataclass(frozen=True, slots=True)
class _Piece:
    """What may be a part of a key, and the words before it."""

    message_id: str
    before: str = field(repr=False)
    value: str = field(repr=False)
    at: float


@dataclass(slots=True)
class _Recent:
    fragments: deque[_Fragment]
    pieces: deque[_Piece]
    context_since: float = float("inf")
    context_until: float = float("-inf")
    alarmed_until: float = float("-inf")
    whole: bool = False
    width: int = 0
    key_until: float = float("-inf")
    last: str = field(default="", repr=False)
    before: str = field(default="", repr=False)
    looked_at: str = ""


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
        if recent.looked_at != message_id:  # a second look at a message has what came before it as context, not itself
            recent.before, recent.looked_at = recent.last, message_id
        previous = recent.before
        inspected = self._guard.inspect(text, hash_asked_for=hash_asked_for, previous=previous)
        recent.last = inspected.text[-_LONGEST_FRAGMENT:]
        try:
            key = _key_in_pieces(recent, message_id, text, now, inspected, previous, hash_asked_for=hash_asked_for)
            return key or self._joined(recent, message_id, text, now, inspected)
        except Exception:  # whatever went wrong, the text has not been judged and must not pass
            secret = Secret(SecretKind.RECOVERY_PHRASE, Certainty.LIKELY)
            return Inspected(removed(secret), secret)

    def _of(self, customer: Hashable, now: float) -> _Recent:
        recent = self._recent.get(customer)
        if recent is None:
            recent = self._recent[customer] = _Recent(deque(maxlen=self._keep), deque(maxlen=_MOST_PIECES))
            while len(self._recent) > self._customers:
                self._recent.popitem(last=False)
        self._recent.move_to_end(customer)
        while recent.fragments and now - recent.fragments[0].at > self._ttl:
            recent.fragments.popleft()
        while recent.pieces and now - recent.pieces[0].at > self._ttl:
            recent.pieces.popleft()
        return recent

    def _joined(self, recent: _Recent, message_id: str, text: str, now: float, inspected: Inspected) -> Inspected:
        if inspected.secret and inspected.secret.kind is SecretKind.RECOVERY_PHRASE:
            recent.whole = inspected.secret.words >= _WHOLE
            proven = recent.whole and inspected.secret.certainty is Certainty.CERTAIN
            words = frozenset(phrases.TOKEN.findall(lower(text)))
            before = [
                each
                for each in recent.fragments
                if words.issuperset(each.text.split()) or not (each.spoken or (proven and each.words < _MORE_OF_IT))
            ]
            withdrawn = _withdrawn(recent, message_id, inspected.secret, before)
            recent.alarmed_until = float("-inf") if proven else now + _AFTERWARDS
            return withdrawn
        folded = unmask(lower(text[:_LONGEST_FRAGMENT]), self._guard.lexicon.words)
        if phrases.in_context(folded):
            recent.context_since = recent.context_since if now <= recent.context_until else now
            recent.context_until = now + self._ttl
        fragment = self._fragment(message_id, folded, now) if len(text) <= _LONGEST_FRAGMENT else None
        if fragment is None:
            return inspected
        if recent.fragments and recent.fragments[-1].message_id == message_id:
            recent.fragments.pop()
        recent.fragments.append(fragment)
        if now <= recent.alarmed_until and self._is_more_of_it(fragment, recent):
            secret = Secret(SecretKind.RECOVERY_PHRASE, Certainty.LIKELY, words=fragment.words)
            rest = [each for each in recent.fragments if self._is_more_of_it(each, recent)]
            return _withdrawn(recent, message_id, secret, rest)
        for pieces in _readings(list(recent.fragments)):
            found = self._phrase(pieces, recent, now)
            if found is not None:
                recent.whole, recent.width = False, _width(pieces)
                recent.alarmed_until = now + _AFTERWARDS  # it came in pieces: there may be more
                certainty = Certainty.CERTAIN if found.proven else Certainty.LIKELY
                secret = Secret(SecretKind.RECOVERY_PHRASE, certainty, words=found.words)
                return _withdrawn(recent, message_id, secret, pieces)
        return inspected

    def _phrase(self, pieces: Sequence[_Fragment], recent: _Recent, now: float) -> phrases.Phrase | None:
        """The phrase that *pieces* make. What was said before phrases were spoken of was not announced by that."""
        announced = [each for each in pieces if each.at >= recent.context_since] if now <= recent.context_until else []
        found = self._guard.phrase(_together(announced), context=True) if announced else None
        if found is not None or len(announced) == len(pieces):
            return found
        return self._guard.phrase(_together(pieces), context=False)

    def _fragment(self, message_id: str, folded: str, now: float) -> _Fragment | None:
        """What of a message may be part of a phrase: nothing, where most of its words are on no list."""
        bare = phrases.without_labels(folded).replace("'", "")
        said = [token for token in phrases.TOKEN.findall(bare) if not token.isdigit()]
        tokens = [token for token in said if token not in phrases.FILLERS] or said  # "second" is a word of a list too
        if not tokens:
            return None
        listed = sum(self._might_be_listed(token) for token in tokens)
        if listed < len(tokens) * _LISTED:
            return None
        return _Fragment(message_id, " ".join(tokens), now, any(map(self._is_spoken, tokens)))

    def _might_be_listed(self, token: str) -> bool:
        lexicon = self._guard.lexicon
        if _is_han(token):
            return len(token) <= 12 and all(letter in lexicon.han for letter in token)
        return token in lexicon.words or bool(lexicon.one_slip_away(token))

    def _is_spoken(self, token: str) -> bool:
        """Whether its characters follow each other as in ordinary Chinese, as those of 96 % of short questions do, and
        those of 1 % (five characters) to 4 % (two) of the pieces of a phrase."""
        return len(token) > 1 and _is_han(token) and sum(self._guard.model.surprise(token)) < 0

    def _is_more_of_it(self, fragment: _Fragment, recent: _Recent) -> bool:
        """Whether *fragment*, soon after a phrase was found, is taken for the rest of it; the *whole* of a phrase needs
        none, unless its words were miscounted."""
        if recent.whole:
            listed = all(_is_han(token) or token in self._guard.lexicon.words for token in fragment.text.split())
            return fragment.words >= _MORE_OF_IT and listed and not fragment.spoken
        return not fragment.spoken or fragment.words == recent.width


def _is_han(token: str) -> bool:
    return "㐀" <= token[0] <= "鿿"


def _readings(fragments: list[_Fragment]) -> Iterator[list[_Fragment]]:
    """Which fragments may make one phrase: the Chinese ones that nobody says, with what is just as long; all; those."""
    sure = [each for each in fragments if each.chinese and not each.spoken]
    width = _width(sure) if sure else 0
    alike = [each for each in fragments if each.chinese and (not each.spoken or each.words == width)]
    if sure and len(alike) < len(fragments) and len(sure) >= len(alike) * _UNSAID:
        yield alike
    yield fragments
    if 0 < len(sure) < len(alike):
        yield sure


def _together(pieces: Iterable[_Fragment]) -> str:
    return "\n".join(each.text for each in pieces)


def _width(fragments: Sequence[_Fragment]) -> int:
    """How many words most of the fragments have."""
    return Counter(each.words for each in fragments).most_common(1)[0][0]


def _key_in_pieces(
    recent: _Recent,
    message_id: str,
    text: str,
    now: float,
    inspected: Inspected,
    previous: str,
    *,
    hash_asked_for: bool,
) -> Inspected | None:
    """The key that this message ends, if it and the pieces just before it make one; else its own piece is kept."""
    if inspected.secret is not None and inspected.secret.kind is SecretKind.PRIVATE_KEY:
        begun = [
            each for each in recent.pieces if now - each.at <= _AFTERWARDS and _goes_on(each.value, _REST_OF_A_KEY)
        ]
        recent.pieces.clear()
        if inspected.secret.certainty is not Certainty.CERTAIN:
            return None
        recent.key_until = now + _AFTERWARDS
        ids = tuple(each.message_id for each in begun if each.message_id != message_id)
        return Inspected(inspected.text, inspected.secret, inspected.needs_context, ids) if ids else None
    if now <= recent.key_until and _goes_on(text, _REST_OF_A_KEY):
        secret = Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY)
        return Inspected(removed(secret), secret)
    shown = plain(text) if len(text) <= _LONGEST_FRAGMENT else ""
    piece = _ALONE.fullmatch(shown) or _PIECE.search(shown)
    if piece is None or _is_an_address(piece["value"]):
        return None
    before, value, after = shown[: piece.start("value")], piece["value"], _LONG.sub(" ", shown[piece.end("value") :])
    for count in range(1, len(recent.pieces) + 1):
        earlier = list(recent.pieces)[-count:]
        words = _LONG.sub(" ", " ".join([*(each.before for each in earlier), before]))
        whole = _put_together([*(each.value for each in earlier), value])
        if len(whole) > _LONGEST_KEY:
            break
        found = keys.in_pieces(words, whole, after, hash_asked_for=hash_asked_for, previous=plain(previous))
        if found:
            recent.pieces.clear()
            ids = tuple(each.message_id for each in earlier if each.message_id != message_id)
            return Inspected(removed(found.secret), found.secret, found.needs_context, ids)
    if not inspected.needs_context:
        recent.pieces.append(_Piece(message_id, before, value, now))
    return None


def _goes_on(text: str, least: int) -> bool:
    """Whether the text is the middle or end of a key whose beginning came just before: PEM's lines, or base58."""
    if text in (text.lower(), text.upper()) or not any(letter.isdigit() for letter in text):
        return False
    alone = _ALONE.fullmatch(text)
    if alone and len(alone["value"]) >= least:
        return not _is_an_address(alone["value"])
    return _BODY.fullmatch(text) is not None and len(text) > 60


def _put_together(values: list[str]) -> str:
    """One value of several; numbers of a list are parted by commas, whether the cut left one or not."""
    if any("," in value for value in values):
        return ",".join(value.strip(", \t\r\n") for value in values)
    return "".join(values)


def _is_an_address(value: str) -> bool:
    """Whether a checksum says that *value* is whole: then it is no piece of anything."""
    checked = addresses.check(value)
    by_case = value not in (value.lower(), value.upper())
    return checked is not None and checked.problem is None and checked.chain != "solana" and by_case


def _withdrawn(recent: _Recent, message_id: str, secret: Secret, pieces: Iterable[_Fragment]) -> Inspected:
    """The message and the *pieces* before it are withheld."""
    earlier = tuple(each.message_id for each in pieces if each.message_id != message_id)
    recent.fragments.clear()
    return Inspected(removed(secret), secret, earlier=earlier)
