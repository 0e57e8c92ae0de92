"""What of each conversation stands in the staff rooms, for `MemoryStore`."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from imconnect.ports import Posted, RoomResult

Room = tuple[str, str]
Urgency = tuple[int, int]


@dataclass(slots=True)
class Copy:
    """A conversation in a room, and how far its copy has come."""

    conversation: int
    version: int = 1
    copied_version: int = 0
    topic: str | None = None
    head: str | None = None
    posts: tuple[Posted, ...] = ()
    shut: bool = False
    attempts: int = 0
    not_before: datetime | None = None
    failed: str = ""


class Rooms:
    """The rooms, and the copies in each."""

    def __init__(self) -> None:
        self._mirrored: tuple[Room, ...] = ()
        self._copies: dict[Room, dict[int, Copy]] = {}

    def mirror_to(self, rooms: Sequence[Room], conversations: Collection[int]) -> bool:
        """Copy to *rooms* from now on; whether any of *conversations* is new there."""
        self._mirrored = tuple(rooms)
        added = False
        for room in self._mirrored:
            copies = self._copies.setdefault(room, {})
            for conversation in conversations:
                added |= conversation not in copies
                copies.setdefault(conversation, Copy(conversation))
        return added

    def bump(self, touched: Collection[int], for_people: Collection[int]) -> bool:
        """There is something to copy of those of *touched* that are *for_people*, or stand in a room already."""
        bumped = False
        for room in self._mirrored:
            copies = self._copies.setdefault(room, {})
            for conversation in touched:
                if conversation in copies:
                    copies[conversation].version += 1
                elif conversation in for_people:
                    copies[conversation] = Copy(conversation)
                bumped |= conversation in copies
        return bumped

    def behind(self, room: Room, now: datetime, urgency: Callable[[int], Urgency]) -> Copy | None:
        due = [
            copy
            for copy in self._copies.get(room, {}).values()
            if copy.version > copy.copied_version and (copy.not_before is None or copy.not_before <= now)
        ]
        return min(due, key=lambda copy: (urgency(copy.conversation), copy.conversation), default=None)

    def settle(self, room: Room, result: RoomResult) -> None:
        copy = self._copies.get(room, {}).get(result.conversation)
        if copy is None:
            return
        if result.retry_at is None:
            copy.copied_version, copy.attempts = result.version, 0
        else:
            copy.attempts += 1
        copy.topic, copy.head, copy.posts, copy.shut = result.topic, result.head, result.posts, result.shut
        copy.not_before, copy.failed = result.retry_at, result.failed

    def conversation_in(self, room: Room, topic: str) -> int | None:
        copies = self._copies.get(room, {}).values()
        return next((copy.conversation for copy in copies if copy.topic == topic), None)

    def failed(self) -> int:
        return sum(bool(copy.failed) for copies in self._copies.values() for copy in copies.values())
