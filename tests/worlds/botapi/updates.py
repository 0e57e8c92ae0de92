"""What Telegram keeps for the bot until it is confirmed, and where it is pushed to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.worlds.botapi.chats import Json

KEPT_FOR = 24 * 3600.0  # seconds; core.telegram.org/bots/api#getting-updates

LEFT_OUT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class Pending:
    """One update and how its delivery stands."""

    update: Json = field(repr=False)
    queue: int
    since: float
    in_flight: bool = False
    attempts: int = 0
    not_before: float = 0.0

    @property
    def id(self) -> int:
        return int(self.update["update_id"])


@dataclass(slots=True)
class Webhook:
    """Where updates are pushed, and how that went."""

    url: str
    secret: str = field(repr=False)
    max_connections: int
    last_error_date: int | None = None
    last_error_message: str | None = None


class UpdateQueue:
    """Updates in order of their ids; those not confirmed within a day are gone."""

    def __init__(self) -> None:
        self.allowed: frozenset[str] | None = None
        self._pending: dict[int, Pending] = {}
        self._told: dict[int, Pending] = {}
        self._last_id = 700_000_000

    @property
    def next_id(self) -> int:
        return self._last_id + 1

    @property
    def waiting(self) -> int:
        """How many updates are not confirmed yet."""
        return len(self._pending)

    def add(self, update: Json, kind: str, queue: int, now: float) -> int:
        """Keep *update* for the bot, unless it is of a *kind* the bot did not ask for. Returns its id."""
        self._last_id += 1
        update["update_id"] = self._last_id
        if self._is_wanted(kind):
            self._pending[self._last_id] = self._told[self._last_id] = Pending(update, queue or self._last_id, now)
        return self._last_id

    def _is_wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed is not None else kind not in LEFT_OUT_BY_DEFAULT

    def put_back(self, update_id: int, now: float) -> None:
        """Deliver once more what was delivered."""
        told = self._told[update_id]
        again = dict(self._pending)
        again[update_id] = Pending(told.update, told.queue, now)
        self._pending = dict(sorted(again.items()))

    def ask_for(self, kinds: Sequence[str] | None) -> None:
        """Change which kinds the bot wants from now on; None leaves it as it was, empty means the default."""
        if kinds is not None:
            self.allowed = frozenset(kinds) or None

    def take(self, offset: int, limit: int, now: float) -> list[Json]:
        """Confirm everything below *offset* and return what is next; a negative one counts from the end."""
        self._expire(now)
        if offset < 0:
            kept = list(self._pending)[offset:]
            offset = kept[0] if kept else 0
        if offset > 0:
            for update_id in [waiting for waiting in self._pending if waiting < offset]:
                del self._pending[update_id]
        return [pending.update for pending in list(self._pending.values())[:limit]]

    def ready(self, now: float) -> list[Pending]:
        """The first update of each queue that is neither on its way nor waiting to be tried again."""
        self._expire(now)
        heads: dict[int, Pending] = {}
        for pending in self._pending.values():
            heads.setdefault(pending.queue, pending)
        return [head for head in heads.values() if not head.in_flight and head.not_before <= now]

    def confirm(self, update_id: int) -> None:
        self._pending.pop(update_id, None)

    def drop_all(self) -> None:
        self._pending.clear()

    def _expire(self, now: float) -> None:
        for update_id in [p.id for p in self._pending.values() if p.since < now - KEPT_FOR]:
            del self._pending[update_id]
