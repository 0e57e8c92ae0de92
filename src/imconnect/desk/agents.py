"""What agents do, from the inbox or a terminal: events like any other, refused with a reason where they must be."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from imconnect.desk.loops import Clock
from imconnect.domain.events import AgentNoted, AgentReplied, AgentsAct
from imconnect.domain.responder import Refusal
from imconnect.ports import Store

PATIENCE_SECONDS = 5.0
"""How long an act's turn is waited for. It is recorded all the same, and happens when the desk gets to it."""


class Objection(StrEnum):
    """Why the guard stops an agent's words."""

    ASKS_FOR_PHRASE = "asks_for_phrase"
    ASKS_FOR_KEY = "asks_for_key"
    ASKS_FOR_PASSWORD = "asks_for_password"  # noqa: S105 - the name of an objection
    ASKS_FOR_CODE = "asks_for_code"
    ASKS_FOR_REMOTE_CONTROL = "asks_for_remote_control"
    CONTAINS_SECRET = "contains_secret"  # noqa: S105 - as above
    EMPTY = "empty"


class UnknownConversation(LookupError):
    """There is no conversation of that reference."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of an act: `outcome` as `decide()` recorded it ("" while its turn has not come), or why it was
    refused."""

    outcome: str
    refused: Refusal | Objection | None = None


class AgentDesk:
    """Where agents act. *objection* is the guard's word on text that is to go out."""

    def __init__(self, store: Store, objection: Callable[[str], str | None], clock: Clock) -> None:
        self._store = store
        self._objection = objection
        self._clock = clock

    async def act(self, reference: str, act: AgentsAct, key: str) -> Acted:
        """Record *act*, once per *key*, and wait for its turn. Raises `UnknownConversation`."""
        if isinstance(act, AgentReplied | AgentNoted):
            if not act.text.strip():
                return Acted("", Objection.EMPTY)
            if (objected := self._objection(act.text)) is not None:
                return Acted("", Objection(objected))
        event = await self._store.act(reference, act, key, self._clock())
        if event is None:
            raise UnknownConversation(reference)
        return await self._outcome(event)

    async def _outcome(self, event: int) -> Acted:
        waited, pause = 0.0, 0.005
        while waited < PATIENCE_SECONDS:
            outcome = await self._store.outcome(event)
            if outcome is not None:
                refused = outcome.removeprefix("refused: ")
                return Acted(outcome, Refusal(refused) if refused != outcome else None)
            await asyncio.sleep(pause)
            waited += pause
            pause = min(0.1, pause * 1.5)
        return Acted("")
