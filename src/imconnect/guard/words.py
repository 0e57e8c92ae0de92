"""Where words stand in a text: found by plain search, which is many times faster than one long alternation."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Words:
    """Words to look for, in lower case. A word with a `|` at either end must not go on in a letter or digit there."""

    written: tuple[str, ...]
    _parts: tuple[tuple[str, bool, bool], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = ((word.strip("|"), word.startswith("|"), word.endswith("|")) for word in self.written)
        object.__setattr__(self, "_parts", tuple(parts))

    def within(self, text: str) -> bool:
        """Whether any of the words stands in *text*."""
        return any(word in text and next(_places(text, word, left, right), None) for word, left, right in self._parts)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where they stand, in order."""
        return sorted(
            place for word, left, right in self._parts if word in text for place in _places(text, word, left, right)
        )


def _places(text: str, word: str, left: bool, right: bool) -> Iterator[tuple[int, int]]:
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (left and at and text[at - 1].isalnum()) and not (right and text[end : end + 1].isalnum()):
            yield at, end
        at = text.find(word, end)
