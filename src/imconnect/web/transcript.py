"""What of a conversation a customer's page has yet to show."""

from collections.abc import Sequence
from typing import Final

from imconnect.domain.messages import Address
from imconnect.ports import Line, Store

PAGE: Final = 200
REVISITED: Final = 50
"""Lines that are read again each time: one of them may have been withheld, or edited, since it was shown; and on a
database with several writers a line may appear below one that is already there."""


class Unshown:
    """The lines a page that shows everything up to *after* must add or change, in order."""

    def __init__(self, store: Store, address: Address, after: int = 0) -> None:
        self._store = store
        self._address = address
        self._after = after
        self._from = 0
        self._shown: dict[int, tuple[object, ...]] | None = None

    async def next(self) -> Sequence[Line]:
        """Everything that is new or different since the last time."""
        lines = await self._read(self._from)
        if self._shown is None:
            fresh = [line for line in lines if line.id > self._after or line.secret is not None or line.edited]
        else:
            fresh = [line for line in lines if self._shown.get(line.id) != _as_shown(line)]
        kept = lines[-REVISITED:]
        if len(lines) > REVISITED:
            self._from = lines[-REVISITED - 1].id
        self._shown = {line.id: _as_shown(line) for line in kept}
        return fresh

    async def _read(self, after: int) -> list[Line]:
        lines: list[Line] = []
        while True:
            page = await self._store.transcript(self._address, after, PAGE)
            lines += page
            if len(page) < PAGE:
                return lines
            after = page[-1].id


def _as_shown(line: Line) -> tuple[object, ...]:
    return (line.text, line.secret, line.edited, line.choices)
