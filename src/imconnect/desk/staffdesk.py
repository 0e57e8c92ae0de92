"""The staff desk: what colleagues write in a staff room becomes agents' acts."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from imconnect.desk.agents import AgentDesk, Objected, Objection
from imconnect.desk.loops import Clock, where
from imconnect.domain.events import (
    AgentAdmitted,
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentSentSnippet,
    AgentTook,
    AgentTransferred,
)
from imconnect.domain.playbook import Playbook
from imconnect.domain.responder import Refusal
from imconnect.ports import StaffAct, StaffRoom, StaffWord, Store, StoreUnavailable, TopicGone, TryLater, Undeliverable

TOLD_AGAIN_AFTER = timedelta(hours=1)
CONFIRMED_WITHIN = timedelta(minutes=10)
"""Who was told of a link that is not ours, and writes the same again, means it."""

MOST_REMEMBERED = 1_000
MOST_ANSWERS = 5
LONGEST_PAUSE = 60.0
LAST_WORDS_SECONDS = 5.0

ACTS: dict[StaffAct, Callable[[str, str], AgentsAct]] = {
    StaffAct.REPLY: AgentReplied,
    StaffAct.NOTE: AgentNoted,
    StaffAct.SNIPPET: AgentSentSnippet,
    StaffAct.TAKE: lambda agent, text: AgentTook(agent),
    StaffAct.HAND_BACK: lambda agent, text: AgentHandedBack(agent),
    StaffAct.RESOLVE: lambda agent, text: AgentResolved(agent),
    StaffAct.TRANSFER: AgentTransferred,
    StaffAct.ADMIT: AgentAdmitted,
}

SPOKEN = (StaffAct.REPLY, StaffAct.SNIPPET)
"""Acts that need the conversation: who does one in a conversation that nobody has, takes it."""

log = structlog.get_logger("imconnect.desk")


class StaffDesk:
    """Who may act is settled by the handle that an operator linked to an agent, never by a name."""

    def __init__(self, store: Store, agents: AgentDesk, playbook: Playbook, clock: Clock) -> None:
        self._store = store
        self._agents = agents
        self._playbook = playbook
        self._clock = clock
        self._rooms: dict[tuple[str, str], StaffRoom] = {}
        self._told: dict[tuple[str, str], datetime] = {}
        self._shown: dict[str, datetime] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    def minds(self, channel: str, room: StaffRoom) -> None:
        """From now on colleagues are answered in *room*."""
        self._rooms[channel, room.room] = room

    async def hear(self, word: StaffWord) -> None:
        """Record what *word* asks for, once; colleagues are answered later. Raises `StoreUnavailable`."""
        agent = await self._store.agent_behind(word.channel, word.author.id)
        if agent is None:
            self._tell_stranger(word)
            return
        reference = await self._store.conversation_in(word.channel, word.room, word.topic)
        if reference is None:
            self._answer(word, "room_no_conversation")
            return
        text = word.text.strip()
        act = ACTS[word.act](agent.name, text)
        objected = await self._agents.objection_to(act, self._confirmed(word))
        if objected is not None:
            self._tell_objection(word, objected)
            return
        key = f"room:{word.channel}:{word.account}:{word.id}"
        if word.act in SPOKEN and await self._is_free(reference):
            await self._agents.record(reference, AgentTook(agent.name), f"{key}:take")
        event = await self._agents.record(reference, act, key)
        self._begin(self._tell_outcome(word, event))

    async def close(self) -> None:
        """Let answers that are under way be given, within a few seconds."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=LAST_WORDS_SECONDS)
        late = list(self._answering)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _is_free(self, reference: str) -> bool:
        dossier = await self._store.dossier(reference)
        return dossier is not None and dossier.summary.agent is None

    # ---------------------------------------------------------------------------------------------- what is answered

    def _tell_stranger(self, word: StaffWord) -> None:
        """Once an hour for each: whoever it is must not fill the room with our answers."""
        now, who = self._clock(), (word.channel, word.author.id)
        told = self._told.get(who)
        if told is not None and now - told < TOLD_AGAIN_AFTER:
            return
        _remember(self._told, who, now)
        log.warning("staff word not relayed", channel=word.channel, author=word.author.id, why="not an agent's handle")
        self._answer(word, "room_not_linked", channel=word.channel, handle=word.author.id)

    def _confirmed(self, word: StaffWord) -> tuple[str, ...]:
        """The hosts its author was told of when they wrote the same a while ago."""
        mark = _mark(word)
        shown = self._shown.get(mark)
        recently = shown is not None and self._clock() - shown < CONFIRMED_WITHIN
        return self._hosts[mark] if recently else ()

    def _tell_objection(self, word: StaffWord, objected: Objected) -> None:
        log.warning("staff word stopped", channel=word.channel, author=word.author.id, why=objected.why.value)
        if objected.why is Objection.LINK_UNKNOWN:
            _remember(self._shown, _mark(word), self._clock())
            self._hosts = {mark: hosts for mark, hosts in self._hosts.items() if mark in self._shown}
            self._hosts[_mark(word)] = objected.hosts
        self._answer(word, f"room_{objected.why.value}", hosts=" ".join(objected.hosts))

    async def _tell_outcome(self, word: StaffWord, event: int) -> None:
        acted = await self._agents.outcome(event)
        if isinstance(acted.refused, Refusal):
            await self._say(word, self._label(f"room_{acted.refused.value}"))

    def _answer(self, word: StaffWord, slug: str, **values: object) -> None:
        self._begin(self._say(word, self._label(slug, **values)))

    def _label(self, slug: str, **values: object) -> str:
        return self._playbook.label(slug, self._playbook.default_language, **values)

    async def _say(self, word: StaffWord, text: str) -> None:
        """Answer in the topic; where that cannot be done, the log has it."""
        room = self._rooms.get((word.channel, word.room))
        if room is None:
            return
        for attempt in range(MOST_ANSWERS):
            try:
                await room.answer(word.topic, text, word.id)
            except TryLater as later:
                pause = later.after if later.after is not None else float(1 << attempt)
                await asyncio.sleep(min(pause, LONGEST_PAUSE))
            except TopicGone:
                return
            except Undeliverable as never:
                log.warning("staff room not answered", channel=word.channel, why=never.reason)
                return
            else:
                return

    def _begin(self, answering: Coroutine[Any, Any, None]) -> None:
        """Nobody waits for it: what comes in next must not stand behind an answer."""
        task = asyncio.create_task(self._safely(answering))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _safely(self, answering: Coroutine[Any, Any, None]) -> None:
        try:
            await answering
        except StoreUnavailable as error:
            log.warning("store unavailable", loop="staff desk", says=str(error))
        except Exception as error:  # an adapter's bug must not end the desk
            log.error("staff room not answered", error=type(error).__name__, where=where(error))


K = TypeVar("K")


def _remember(shelf: dict[K, datetime], what: K, now: datetime) -> None:
    if len(shelf) >= MOST_REMEMBERED:
        del shelf[min(shelf, key=lambda one: shelf[one])]
    shelf[what] = now


def _mark(word: StaffWord) -> str:
    """Stands for these words by this author in this topic, without holding them."""
    said = "\0".join((word.channel, word.room, word.topic, word.author.id, word.text.strip()))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
