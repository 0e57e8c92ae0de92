"""What agents do, from the inbox, a terminal or a staff room: events like any other, refused with a reason where they
must be."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from imconnect.desk.loops import Clock
from imconnect.domain.events import (
    AgentAdmitted,
    AgentNoted,
    AgentReplied,
    AgentsAct,
    AgentSentSnippet,
    AgentTransferred,
)
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Link, LinkVerdict
from imconnect.domain.responder import Refusal
from imconnect.guard.links import BlockList, inspect_links
from imconnect.ports import Store

PATIENCE_SECONDS = 5.0
"""How long an act's turn is waited for. It is recorded all the same, and happens when the desk gets to it."""


class Objection(StrEnum):
    """Why an act is not recorded: the guard stops an agent's words, or it names somebody or something there is not.

    Only `LINK_UNKNOWN` can be confirmed: the link is neither ours nor an explorer's.
    """

    ASKS_FOR_PHRASE = "asks_for_phrase"
    ASKS_FOR_KEY = "asks_for_key"
    ASKS_FOR_PASSWORD = "asks_for_password"  # noqa: S105 - the name of an objection
    ASKS_FOR_CODE = "asks_for_code"
    ASKS_FOR_REMOTE_CONTROL = "asks_for_remote_control"
    CONTAINS_SECRET = "contains_secret"  # noqa: S105 - as above
    LINK_REFUSED = "link_refused"
    LINK_UNKNOWN = "link_unknown"
    UNKNOWN_AGENT = "unknown_agent"
    EMPTY = "empty"


class UnknownConversation(LookupError):
    """There is no conversation of that reference."""


@dataclass(frozen=True, slots=True)
class Objected:
    """An objection, and the hosts of the links it is about."""

    why: Objection
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of an act: `outcome` as `decide()` recorded it ("" while its turn has not come), or why it was
    refused. `hosts` are those of the links an objection is about."""

    outcome: str
    refused: Refusal | Objection | None = None
    hosts: tuple[str, ...] = ()

    @property
    def may_be_confirmed(self) -> bool:
        """Whether it would be done if the agent says so a second time."""
        return self.refused is Objection.LINK_UNKNOWN


class AgentDesk:
    """Where agents act. *objection* is the guard's word on text that is to go out, *blocked* hosts nobody links to."""

    def __init__(
        self,
        store: Store,
        objection: Callable[[str], str | None],
        clock: Clock,
        playbook: Playbook,
        blocked: BlockList | None = None,
    ) -> None:
        self._store = store
        self._objection = objection
        self._clock = clock
        self._playbook = playbook
        self._blocked = blocked

    async def act(self, reference: str, act: AgentsAct, key: str, confirmed: Collection[str] = ()) -> Acted:
        """Record *act*, once per *key*, and wait for its turn. Raises `UnknownConversation`.

        *confirmed* are hosts that are not ours, of which the agent was told: links to them go out all the same.
        """
        objected = await self.objection_to(act, confirmed)
        if objected is not None:
            return Acted("", objected.why, objected.hosts)
        return await self.outcome(await self.record(reference, act, key))

    async def objection_to(self, act: AgentsAct, confirmed: Collection[str] = ()) -> Objected | None:
        """Why *act* would not even be recorded."""
        match act:
            case AgentReplied() | AgentNoted():
                return self._objection_to_words(act, confirmed)
            case AgentTransferred():
                if not act.to.strip():
                    return Objected(Objection.EMPTY)
                return Objected(Objection.UNKNOWN_AGENT) if await self._store.agent_named(act.to) is None else None
            case AgentSentSnippet():
                return None if act.slug.strip() else Objected(Objection.EMPTY)
            case AgentAdmitted():
                return None if act.peer.strip() else Objected(Objection.EMPTY)
            case _:
                return None

    def _objection_to_words(self, act: AgentReplied | AgentNoted, confirmed: Collection[str]) -> Objected | None:
        if not act.text.strip():
            return Objected(Objection.EMPTY)
        if (objected := self._objection(act.text)) is not None:
            return Objected(Objection(objected))
        if isinstance(act, AgentNoted):  # colleagues may show each other what a customer was sent
            return None
        links = inspect_links(act.text, self._playbook.official_hosts, self._blocked)
        if refused := _hosts(links, LinkVerdict.LOOKALIKE, LinkVerdict.BLOCKED):
            return Objected(Objection.LINK_REFUSED, refused)
        unknown = tuple(host for host in _hosts(links, LinkVerdict.UNKNOWN) if host not in confirmed)
        return Objected(Objection.LINK_UNKNOWN, unknown) if unknown else None

    async def record(self, reference: str, act: AgentsAct, key: str) -> int:
        """Put *act*, to which nothing was objected, into the conversation; its event. Raises `UnknownConversation`."""
        event = await self._store.act(reference, act, key, self._clock())
        if event is None:
            raise UnknownConversation(reference)
        return event

    async def outcome(self, event: int) -> Acted:
        """What became of an act that was recorded, once its turn has come; patience has an end."""
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


def _hosts(links: tuple[Link, ...], *verdicts: LinkVerdict) -> tuple[str, ...]:
    return tuple(link.host for link in links if link.verdict in verdicts)
