"""`MemoryStore`: the store without a database. It passes the suite the databases pass (`tests/storage`)."""

import itertools
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from imconnect.desk.bells import Belfry
from imconnect.domain.actions import (
    Action,
    Admit,
    ClearTimer,
    FollowUp,
    MarkUnreachable,
    Note,
    RunErrand,
    Say,
    SetTimer,
    WithdrawNotices,
)
from imconnect.domain.conversations import Conversation, Given, PlaceInLine, Stage
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
    DeliveryEnded,
    ErrandDone,
    ErrandKind,
    Event,
    MessageEdited,
    MessageReceived,
    PlaceDue,
    PlaceReason,
    TimerFell,
    TimerKind,
)
from imconnect.domain.messages import Address, Attachment, Incoming, Language, Outgoing, Purpose, Remark, Unreadable
from imconnect.domain.playbook import Pace
from imconnect.domain.questions import Happened, QuestionKind
from imconnect.domain.readings import SecretKind
from imconnect.domain.waiting import Waiting, expected_wait, notice_due, pace, places
from imconnect.ports import (
    Agent,
    AgentHandle,
    Backlog,
    Bounced,
    Case,
    Changes,
    Dossier,
    Doubted,
    DueErrand,
    DueSend,
    ErrandResult,
    FileOfMessage,
    FileResult,
    FileState,
    Kept,
    Line,
    Mark,
    Pending,
    Received,
    RoomCopy,
    RoomResult,
    SendResult,
    SendState,
    Settled,
    SettledQuestion,
    Speaker,
    StoreUnavailable,
    Stories,
    Story,
    Summary,
)
from imconnect.testing.memory_questions import Questions, may_hold
from imconnect.testing.memory_rooms import Rooms, Urgency

EVENTS_A_TURN = 400
DEPARTURES = 20
ERRAND_LEASE = timedelta(minutes=1)
MOST_RELATED = 5
FOR_PEOPLE = (Stage.WAITING, Stage.WITH_AGENT)
SETTLED = (SendState.SENT, SendState.UNKNOWN, SendState.FAILED, SendState.WITHDRAWN)

KINDS: dict[type[Event], str] = {
    MessageReceived: "message",
    MessageEdited: "edit",
    AgentTook: "took",
    AgentReplied: "replied",
    AgentNoted: "noted",
    AgentResolved: "resolved",
    AgentHandedBack: "handed_back",
    AgentTransferred: "transferred",
    AgentSentSnippet: "snippet",
    AgentAdmitted: "admitted",
    TimerFell: "timer",
    PlaceDue: "place",
    ErrandDone: "errand",
    DeliveryEnded: "delivery",
}

Source = tuple[str, str, str]


@dataclass(slots=True)
class _Held:
    """A conversation as it stands, without its place in line."""

    state: Conversation
    updated_at: datetime


@dataclass(slots=True)
class _Peer:
    """Who is at an address, and the conversation now held there."""

    handle: str
    name: str
    conversation: int | None = None
    unreachable: str | None = None


@dataclass(slots=True)
class _Said:
    id: int
    conversation: int
    speaker: Speaker
    author: str
    text: str = field(repr=False)
    at: datetime
    secret: SecretKind | None = None
    earlier: list[str] = field(default_factory=list[str], repr=False)
    files: tuple[int, ...] = ()
    quoted: str = field(default="", repr=False)
    remarks: tuple[Remark, ...] = ()


@dataclass(slots=True)
class _Happened:
    id: int
    conversation: int
    event: Event
    at: datetime
    message: int | None = None
    outcome: str | None = None


@dataclass(slots=True)
class _ToSend:
    id: int
    conversation: int
    message: Outgoing
    created_at: datetime
    state: SendState = SendState.READY
    attempts: int = 0
    not_before: datetime | None = None
    external_id: str | None = None
    reason: str = ""


@dataclass(slots=True)
class _ToDo:
    due: DueErrand
    key: str
    attempts: int = 0
    not_before: datetime | None = None
    ended: bool = False


@dataclass(slots=True)
class _Token:
    agent: Agent
    expires: datetime


class MemoryStore:
    """Everything in dictionaries, gone with the process; one process only.

    While `down` is a line of text, every method raises `StoreUnavailable` with it and changes nothing.
    """

    def __init__(
        self,
        new_reference: Callable[[], str] | None = None,
        language: Language = Language.CHINESE,
        reopen_within: int = Pace().reopen_within,
    ) -> None:
        self.down: str | None = None
        numbers = itertools.count(1_001)
        self._new_reference = new_reference if new_reference is not None else lambda: f"TW-{next(numbers)}"
        self._language = language
        self._reopen_within = timedelta(seconds=reopen_within)
        self._conversations: dict[int, _Held] = {}
        self._peers: dict[Address, _Peer] = {}
        self._messages: dict[int, _Said] = {}
        self._message_of: dict[Source, int] = {}
        self._events: dict[int, _Happened] = {}
        self._event_of: dict[Source, int] = {}
        self._outbox: dict[int, _ToSend] = {}
        self._errands: dict[int, _ToDo] = {}
        self._timers: dict[tuple[int, TimerKind], datetime] = {}
        self._departures: list[datetime] = []
        self._quarantine: dict[Source, Unreadable] = {}
        self._agents: dict[str, Agent] = {}
        self._tokens: dict[str, _Token] = {}
        self._handles: dict[tuple[str, str], Agent] = {}
        self._kept: dict[str, str] = {}
        self._marks: dict[Source, Kept] = {}
        self._files: dict[int, FileOfMessage] = {}
        self._contents: dict[int, bytes] = {}
        self._rooms = Rooms()
        self._questions = Questions()
        self._claimed: set[int] = set()
        self._belfry = Belfry()

    # ------------------------------------------------------------------------------------------------------- intake

    async def record(self, items: Sequence[Received | Unreadable | Bounced | Mark], now: datetime) -> int:
        self._serve()
        for item in items:
            if isinstance(item, Mark):
                self._marks[item.channel, item.account, item.name] = Kept(item.value, now)
        new = 0
        for bounced, group in itertools.groupby(items, key=lambda item: isinstance(item, Bounced)):
            if bounced:
                new += sum(self._bounce(item, now) for item in group if isinstance(item, Bounced))
            else:
                new += self._record([item for item in group if isinstance(item, Received | Unreadable)], now)
        return new

    def _record(self, items: Sequence[Received | Unreadable], now: datetime) -> int:
        new = 0
        fresh: dict[Source, Received] = {}
        for item in items:
            if isinstance(item, Unreadable):
                new += self._set_aside(item)
            elif _source(item) not in self._event_of:
                fresh.setdefault(_source(item), item)
        if not fresh:
            return new
        conversations = self._current([item.incoming for item in fresh.values()], now)
        for source, item in fresh.items():
            self._store(source, item, conversations[item.incoming.address], now)
        for item in fresh.values():
            self._withdraw(item)
        self._ring("turn", *(f"conversation:{conversation}" for conversation in set(conversations.values())))
        return new + len(fresh)

    def _set_aside(self, item: Unreadable) -> bool:
        source = (item.channel, item.account, item.id)
        new = source not in self._quarantine
        self._quarantine.setdefault(source, item)
        return new

    def _bounce(self, item: Bounced, now: datetime) -> bool:
        send = self._sent_as(item)
        if send is None:
            why = f"something came back that was not sent from here: {item.reason}"
            return self._set_aside(Unreadable(item.id, item.channel, item.account, why, 0))
        if send.state is SendState.FAILED:
            return False  # heard before; who wrote again since can be reached
        send.reason = item.reason
        if item.final:
            send.state = SendState.FAILED
            self._peers[send.message.address].unreachable = item.reason
            self._tell_of_delivery(send, now)
        self._ring("turn", f"conversation:{send.conversation}")
        return item.final

    def _sent_as(self, item: Bounced) -> _ToSend | None:
        named = [
            send
            for send in self._outbox.values()
            if (send.message.address.channel, send.message.address.account) == (item.channel, item.account)
            and send.external_id == item.send
        ]
        return named[-1] if named else None

    def _current(self, said: Sequence[Incoming], now: datetime) -> dict[Address, int]:
        """The conversation each address is in, begun where there is none or the last one ended too long ago."""
        current: dict[Address, int] = {}
        for address in sorted({one.address for one in said}, key=lambda one: (one.channel, one.account, one.peer)):
            theirs = [one for one in said if one.address == address]
            people = [one for one in theirs if not one.automatic]
            last = (people or theirs)[-1]
            peer = self._peers.setdefault(address, _Peer(last.author.id, last.author.name))
            if people:
                peer.handle, peer.name, peer.unreachable = last.author.id, last.author.name, None
            held = self._conversations[peer.conversation] if peer.conversation is not None else None
            if held is None or self._ended(held, now):
                peer.conversation = _next(self._conversations)
                language = last.language_hint or self._language
                state = Conversation(peer.conversation, self._new_reference(), address, language=language)
                self._conversations[state.id] = _Held(state, now)
            current[address] = peer.conversation or 0
        return current

    def _ended(self, held: _Held, now: datetime) -> bool:
        return held.state.stage is Stage.RESOLVED and held.updated_at < now - self._reopen_within

    def _store(self, source: Source, item: Received, conversation: int, now: datetime) -> None:
        incoming, kind = item.incoming, item.secret.kind if item.secret is not None else None
        original = self._message_of.get((source[0], source[1], incoming.revises)) if incoming.revises else None
        if original is not None:
            self._revise(self._messages[original], item)
            edited = MessageEdited(incoming.revises or "", item.secret)
            self._happen(source, conversation, edited, now, original)
            return
        said = self._say(conversation, Speaker.CUSTOMER, incoming.author.name, incoming.text, incoming.sent_at)
        said.secret, said.quoted, said.remarks = kind, incoming.quoted, incoming.remarks
        said.files = tuple(self._name(attachment) for attachment in incoming.attachments)
        if item.secret is not None:
            self._withhold_files(said)
        self._message_of[source] = said.id
        event = MessageReceived(
            incoming.id,
            "",
            incoming.choice,
            secret=item.secret,
            language_hint=incoming.language_hint,
            public=incoming.public,
            automatic=incoming.automatic,
        )
        self._happen(source, conversation, event, now, said.id)

    def _name(self, attachment: Attachment) -> int:
        file = FileOfMessage(_next(self._files), attachment, FileState.NAMED, attachment.media_type)
        self._files[file.id] = file
        return file.id

    def _revise(self, said: _Said, item: Received) -> None:
        edit = item.incoming
        said.earlier.append(said.text)
        if Remark.REMOVED_BY_SENDER in edit.remarks and not edit.text:
            said.remarks = tuple(dict.fromkeys((*said.remarks, *edit.remarks)))
        else:
            said.text, said.quoted, said.remarks = edit.text, edit.quoted, edit.remarks
        if item.secret is not None:
            said.secret = item.secret.kind
            self._withhold_files(said)

    def _withhold_files(self, said: _Said) -> None:
        for id_ in said.files:
            file = self._files[id_]
            self._contents.pop(id_, None)
            if file.state in (FileState.NAMED, FileState.KEPT):
                self._files[id_] = replace(file, state=FileState.WITHHELD)

    def _withdraw(self, item: Received) -> None:
        if item.secret is None:
            return
        channel, account, _ = _source(item)
        mark = f"[{item.secret.kind.value} removed]"
        for external_id in item.withdrawn:
            found = self._message_of.get((channel, account, external_id))
            if found is None:
                continue
            said = self._messages[found]
            words = (said.text, *said.earlier)
            said.text, said.secret, said.earlier = mark, item.secret.kind, [mark for _ in said.earlier]
            self._withhold_files(said)
            for later in self._messages.values():
                if later.conversation == said.conversation and later.id >= said.id:
                    later.quoted = ""  # it may quote what is withdrawn, in whatever form
            held = self._conversations[said.conversation]
            kept = {name: given for name, given in held.state.details.items() if not _stands_in(given, words)}
            held.state = replace(held.state, details=kept)

    async def marks(self, channel: str, account: str, prefix: str) -> Mapping[str, Kept]:
        self._serve()
        return {
            name: kept
            for (of_channel, of_account, name), kept in sorted(self._marks.items())
            if (of_channel, of_account) == (channel, account) and name.startswith(prefix)
        }

    async def unmark(self, channel: str, account: str, name: str) -> None:
        self._serve()
        self._marks.pop((channel, account, name), None)

    async def expects(self, address: Address) -> frozenset[str]:
        state = await self.state_at(address)
        return frozenset(state.asked_for) if state is not None else frozenset()

    async def act(self, reference: str, act: AgentsAct, key: str, now: datetime) -> int | None:
        self._serve()
        held = self._named(reference)
        if held is None:
            return None
        event = self._happen(("desk", "agents", key), held.state.id, act, now)
        self._ring("turn")
        return event

    async def outcome(self, event: int) -> str | None:
        self._serve()
        found = self._events.get(event)
        return found.outcome if found is not None else None

    # -------------------------------------------------------------------------------------------------------- turns

    @asynccontextmanager
    async def turn(self, limit: int, now: datetime) -> AsyncGenerator["_Turn"]:
        self._serve()
        turn = _Turn(self, self._claim(limit))
        claimed = {case.conversation.id for case in turn.cases}
        self._claimed |= claimed
        try:
            yield turn
        finally:
            self._claimed -= claimed

    def _claim(self, limit: int) -> list[Case]:
        waiting = [
            one for one in self._events.values() if one.outcome is None and one.conversation not in self._claimed
        ]
        chosen = list(dict.fromkeys(one.conversation for one in waiting))[:limit]
        cases: dict[int, list[Pending]] = {}
        for one in [one for one in waiting if one.conversation in chosen][:EVENTS_A_TURN]:
            cases.setdefault(one.conversation, []).append(Pending(one.id, self._in_words(one), one.at))
        line = self._line()
        return [Case(self._with_place(conversation, line), tuple(pending)) for conversation, pending in cases.items()]

    def _in_words(self, one: _Happened) -> Event:
        if isinstance(one.event, MessageReceived) and one.message is not None:
            said = self._messages[one.message]
            return replace(one.event, text=said.text, attachments=tuple(self._files[id_].file for id_ in said.files))
        return one.event

    def apply(self, cases: Sequence[Case], settled: Sequence[Settled], now: datetime) -> None:
        """Write down what was decided of *cases*."""
        self._serve()
        case_of = {case.conversation.id: case for case in cases}
        notes: list[tuple[int, Note]] = []
        follow_ups: list[tuple[Source, int, Event]] = []
        for one in settled:
            state, said = one.conversation, list[tuple[str, Say]]()
            for event, outcome, actions in one.outcomes:
                self._events[event].outcome = outcome
                for ordinal, action in enumerate(actions):
                    match action:
                        case Say():
                            said.append((f"{event}.{ordinal}", action))
                        case Note():
                            notes.append((state.id, action))
                        case FollowUp():
                            source = ("desk", "follow-up", f"{event}.{ordinal}")
                            follow_ups.append((source, state.id, action.event))
                        case WithdrawNotices():
                            self._withdraw_notices(state.id)
                            said = [pair for pair in said if pair[1].purpose is not Purpose.NOTICE]
                        case _:
                            self._do(state, f"{event}.{ordinal}", action)
            self._put(case_of[state.id], state, now)
            for key, say in said:
                self._send(state, key, say, now)
        for conversation, note in notes:
            self._say(conversation, Speaker.NOTE, note.author, note.text, now)
        for source, conversation, follow_up in follow_ups:
            self._happen(source, conversation, follow_up, now)
        if self._rooms.bump(list(case_of), self._for_people()):
            self._ring("room")
        self._ring("send", "errand", "turn", "line", *(f"conversation:{conversation}" for conversation in case_of))

    def _do(self, state: Conversation, key: str, action: Action) -> None:
        match action:
            case SetTimer():
                self._timers[state.id, action.timer] = action.due
            case ClearTimer():
                self._timers.pop((state.id, action.timer), None)
            case RunErrand():
                due = DueErrand(_next(self._errands), state.id, action.errand, state.address, action.subject, 0)
                self._errands[due.id] = _ToDo(due, key)
            case MarkUnreachable():
                self._peers[state.address].unreachable = action.reason
            case Admit():
                address = replace(state.address, peer=action.peer)
                self._peers.setdefault(address, _Peer("", "")).conversation = state.id
            case _:
                raise AssertionError(f"no way to do {type(action).__name__}")

    def _put(self, case: Case, state: Conversation, now: datetime) -> None:
        """Keep *state*, and of its details those that are new, unless their words were withdrawn meanwhile."""
        was, held = case.conversation, self._conversations[state.id]
        withdrawn = self._withdrawn_meanwhile(case)
        new = {
            name: given
            for name, given in state.details.items()
            if was.details.get(name) != given and not _stands_in(given, withdrawn)
        }
        self._conversations[state.id] = _Held(replace(state, details={**held.state.details, **new}, line=None), now)
        if was.stage is Stage.WAITING and state.stage is not Stage.WAITING:
            self._departures.append(now)

    def _withdrawn_meanwhile(self, case: Case) -> list[str]:
        words: list[str] = []
        for pending in case.events:
            said = self._messages.get(self._events[pending.id].message or 0)
            if isinstance(pending.event, MessageReceived) and pending.event.secret is None and said and said.secret:
                words.append(pending.event.text)
        return words

    def _withdraw_notices(self, conversation: int) -> None:
        for send in self._outbox.values():
            if (
                send.conversation == conversation
                and send.message.purpose is Purpose.NOTICE
                and send.state is SendState.READY
            ):
                send.state = SendState.WITHDRAWN

    def _send(self, state: Conversation, key: str, say: Say, now: datetime) -> None:
        reply = say.purpose is Purpose.REPLY
        speaker, author = (Speaker.AGENT, say.source) if reply else (Speaker.BOT, "")
        said = self._say(state.id, speaker, author, say.text, now)
        message = Outgoing(key, state.address, say.text, say.purpose, say.choices, say.reply_to, say.slot)
        self._outbox[said.id] = _ToSend(said.id, state.id, message, now)

    # -------------------------------------------------------------------------------------------------- what goes out

    async def claim_sends(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueSend]:
        claimed = await self.due_sends(channel, account, limit, now)
        for due in claimed:
            send = self._outbox[due.id]
            send.state, send.attempts = SendState.SENDING, send.attempts + 1
        return claimed

    async def due_sends(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueSend]:
        self._serve()
        heads: dict[Address, _ToSend] = {}
        for send in self._open_sends(channel, account):
            heads.setdefault(send.message.address, send)
        due = [send for send in heads.values() if send.state is SendState.READY and _is_due(send.not_before, now)]
        return [DueSend(send.id, send.conversation, self._complete(send), send.attempts) for send in due[:limit]]

    def _complete(self, send: _ToSend) -> Outgoing:
        """The message with what is known only when it is due."""
        state = self._conversations[send.conversation].state
        standing = [
            one.external_id
            for one in self._outbox.values()
            if send.message.slot is not None
            and (one.conversation, one.message.slot) == (send.conversation, send.message.slot)
            and one.state is SendState.SENT
        ]
        replaces = standing[-1] if standing else None
        return replace(send.message, replaces=replaces, language=state.language, reference=state.reference)

    def _open_sends(self, channel: str, account: str) -> list[_ToSend]:
        return [
            send
            for send in self._outbox.values()
            if send.state not in SETTLED
            and (send.message.address.channel, send.message.address.account) == (channel, account)
        ]

    async def settle_sends(self, results: Sequence[SendResult], now: datetime) -> None:
        self._serve()
        for result in results:
            self._settle(result, now)

    def _settle(self, result: SendResult, now: datetime) -> None:
        send = self._outbox[result.id]
        if send.state is SendState.WITHDRAWN and result.state not in SETTLED:
            return  # what was taken back while it was tried is not tried again
        send.attempts += send.state is SendState.READY  # not marked before, so counted now
        send.state, send.not_before = result.state, result.retry_at
        send.external_id, send.reason = result.external_id, result.reason
        if result.state in (SendState.UNKNOWN, SendState.FAILED):
            self._tell_of_delivery(send, now)
        self._ring("send", "turn", f"conversation:{send.conversation}")
        if result.blocked:
            self._peers[send.message.address].unreachable = result.reason
            for other in self._outbox.values():
                if other.message.address == send.message.address and other.state is SendState.READY:
                    self._settle(SendResult(other.id, SendState.FAILED, reason=result.reason), now)

    def _tell_of_delivery(self, send: _ToSend, now: datetime) -> None:
        source = ("desk", "delivery", f"{send.message.key}:{send.state.value}")
        ended = DeliveryEnded(send.message.key, send.state is SendState.UNKNOWN, send.reason)
        self._happen(source, send.conversation, ended, now)

    async def recover_sends(self, channel: str, account: str, keyed: bool, now: datetime) -> int:
        self._serve()
        begun = [send.id for send in self._open_sends(channel, account) if send.state is SendState.SENDING]
        state = SendState.READY if keyed else SendState.UNKNOWN
        reason = "" if keyed else "the desk stopped while this was being sent"
        for send in begun:
            self._settle(SendResult(send, state, reason=reason), now)
        return len(begun)

    async def claim_errands(self, channel: str, account: str, limit: int, now: datetime) -> Sequence[DueErrand]:
        self._serve()
        due = [
            one
            for one in self._errands.values()
            if not one.ended
            and (one.due.address.channel, one.due.address.account) == (channel, account)
            and _is_due(one.not_before, now)
        ][:limit]
        for one in due:
            one.not_before = now + ERRAND_LEASE
        return [
            replace(one.due, attempts=one.attempts, files=self._files_for(one.due), doubted=self._doubted_in(one.due))
            for one in due
        ]

    def _files_for(self, due: DueErrand) -> tuple[FileOfMessage, ...]:
        found = self._message_of.get((due.address.channel, due.address.account, due.subject))
        if due.errand is not ErrandKind.FETCH_FILES or found is None:
            return ()
        return tuple(self._files[id_] for id_ in self._messages[found].files)

    def _doubted_in(self, due: DueErrand) -> Doubted | None:
        found = self._message_of.get((due.address.channel, due.address.account, due.subject))
        state = self._conversations[due.conversation].state
        if due.errand is not ErrandKind.SECOND_OPINION or found is None:
            return None
        if state.doubt is None or state.doubt.message_id != due.subject:
            return None
        said = self._messages[found]
        if said.conversation != due.conversation or said.secret is not None or said.earlier:
            return None
        return Doubted(said.text, state.doubt.topics, state.language)

    async def settle_errands(self, results: Sequence[ErrandResult], now: datetime) -> None:
        self._serve()
        for result in results:
            one = self._errands[result.id]
            one.attempts += 1
            one.not_before = result.retry_at
            if result.retry_at is None:
                one.ended = True
                done = ErrandDone(
                    one.due.errand, result.done, result.reason, one.due.subject, result.secret, result.topic
                )
                self._happen(("desk", "errand", one.key), one.due.conversation, done, now)
        if results:
            self._ring("turn", "errand")

    async def keep_files(self, results: Sequence[FileResult], now: datetime) -> None:
        self._serve()
        for result in results:
            said = next(said for said in self._messages.values() if result.id in said.files)
            withheld = said.secret is not None or result.secret is not None
            state = FileState.WITHHELD if withheld else result.state
            file = self._files[result.id]
            media_type = result.media_type or file.file.media_type
            self._files[result.id] = replace(file, state=state, media_type=media_type, secret=result.secret)
            self._contents.pop(result.id, None)
            if state is FileState.KEPT:
                self._contents[result.id] = result.content
            self._ring(f"conversation:{said.conversation}")

    async def file(self, file: int) -> tuple[FileOfMessage, bytes] | None:
        self._serve()
        return (self._files[file], self._contents[file]) if file in self._contents else None

    async def fire_timers(self, limit: int, now: datetime) -> int:
        self._serve()
        due = sorted((moment, *timer) for timer, moment in self._timers.items() if moment <= now)[:limit]
        for moment, conversation, kind in due:
            del self._timers[conversation, kind]
            source = ("desk", "timer", f"{conversation}:{kind.value}:{moment.isoformat()}")
            self._happen(source, conversation, TimerFell(kind), now)
        if due:
            self._ring("turn")
        return len(due)

    async def watch_line(self, pace: Pace, now: datetime, paces: Mapping[str, Pace] | None = None) -> int:
        self._serve()
        before, half_minute = len(self._events), int(now.timestamp()) // 30
        for conversation, place in self._line().items():
            state = self._conversations[conversation].state
            gap = (paces or {}).get(state.address.channel, pace).notice_gap
            if notice_due(state.told_place, place, state.told_at, now, gap):
                source = ("desk", "line", f"{conversation}:{state.told_place}:{place}:{half_minute}")
                self._happen(source, conversation, PlaceDue(PlaceReason.MOVED_UP), now)
        if len(self._events) > before:
            self._ring("turn")
        return len(self._events) - before

    # ------------------------------------------------------------------------------------------------------- reading

    async def summaries(self, stages: frozenset[Stage], limit: int) -> Sequence[Summary]:
        self._serve()
        line = self._line()
        found = [held for held in self._conversations.values() if held.state.stage in stages]
        waiting = sorted((held for held in found if held.state.id in line), key=lambda held: line[held.state.id])
        others = [held for held in found if held.state.id not in line]
        others.sort(key=lambda held: (held.updated_at, held.state.id), reverse=True)
        return [self._summary(held, line) for held in (*waiting, *others)][:limit]

    async def dossier(self, reference: str) -> Dossier | None:
        self._serve()
        held = self._named(reference)
        return self._dossier(held) if held is not None else None

    def _dossier(self, held: _Held) -> Dossier:
        state = held.state
        happened = [one for one in self._events.values() if one.conversation == state.id]
        return Dossier(
            summary=self._summary(held, self._line()),
            details=state.details,
            lines=tuple(self._shown(said) for said in self._messages.values() if said.conversation == state.id),
            outcomes=tuple(
                (one.at, KINDS[type(one.event)], one.outcome) for one in happened if one.outcome is not None
            ),
            unreachable=self._peers[state.address].unreachable,
            asked_for=state.asked_for,
            related=tuple(self._related(state)[:MOST_RELATED]),
        )

    def _related(self, state: Conversation) -> list[str]:
        """References of other conversations under the same handle of the channel, newest first."""
        handle = self._peers[state.address].handle
        return [
            other.state.reference
            for other in reversed(self._conversations.values())
            if handle
            and other.state.id != state.id
            and other.state.address.channel == state.address.channel
            and self._peers[other.state.address].handle == handle
        ]

    async def transcript(self, address: Address, after: int, limit: int) -> Sequence[Line]:
        self._serve()
        lines = [
            self._shown(said)
            for said in self._messages.values()
            if self._conversations[said.conversation].state.address == address
            and said.id > after
            and said.speaker is not Speaker.NOTE
        ]
        shown = [line for line in lines if line.delivery is not SendState.WITHDRAWN][:limit]
        return [replace(line, earlier=(), quoted="", remarks=()) for line in shown]

    async def state_at(self, address: Address) -> Conversation | None:
        self._serve()
        peer = self._peers.get(address)
        if peer is None or peer.conversation is None:
            return None
        return self._with_place(peer.conversation, self._line())

    async def place(self, conversation: int) -> PlaceInLine | None:
        self._serve()
        return self._place(conversation, self._line())

    async def backlog(self, now: datetime) -> Backlog:
        self._serve()
        events = [one.at for one in self._events.values() if one.outcome is None]
        sends = [one.created_at for one in self._outbox.values() if one.state not in SETTLED]
        lately = [one.state for one in self._outbox.values() if one.created_at > now - timedelta(days=1)]
        return Backlog(
            events=len(events),
            oldest_event=_age(events, now),
            sends=len(sends),
            oldest_send=_age(sends, now),
            unknown_sends=lately.count(SendState.UNKNOWN),
            failed_sends=lately.count(SendState.FAILED),
            waiting=len(self._line()),
            errands=sum(not one.ended for one in self._errands.values()),
            quarantined=len(self._quarantine),
            rooms_failed=self._rooms.failed(),
        )

    # -------------------------------------------------------------------------------------------------------- agents

    async def add_agent(self, name: str, token_hash: str, expires: datetime, now: datetime) -> Agent:
        self._serve()
        agent = self._agents.setdefault(name, Agent(len(self._agents) + 1, name))
        self._tokens = {known: token for known, token in self._tokens.items() if token.agent != agent}
        self._tokens[token_hash] = _Token(agent, expires)
        return agent

    async def redeem(self, token_hash: str, now: datetime) -> Agent | None:
        self._serve()
        token = self._tokens.get(token_hash)
        if token is None or token.expires <= now:
            return None
        del self._tokens[token_hash]
        return token.agent

    async def agent(self, agent: int) -> Agent | None:
        self._serve()
        return next((one for one in self._agents.values() if one.id == agent), None)

    async def agent_named(self, name: str) -> Agent | None:
        self._serve()
        return self._agents.get(name)

    async def agents(self) -> Sequence[Agent]:
        self._serve()
        return list(self._agents.values())

    async def link_agent(self, agent: int, channel: str, handle: str, now: datetime) -> None:
        self._serve()
        self._handles[channel, handle] = next(one for one in self._agents.values() if one.id == agent)

    async def unlink_agent(self, channel: str, handle: str) -> bool:
        self._serve()
        return self._handles.pop((channel, handle), None) is not None

    async def agent_behind(self, channel: str, handle: str) -> Agent | None:
        self._serve()
        return self._handles.get((channel, handle))

    async def agent_handles(self) -> Sequence[AgentHandle]:
        self._serve()
        found = [AgentHandle(agent, channel, handle) for (channel, handle), agent in self._handles.items()]
        return sorted(found, key=lambda one: (one.agent.id, one.channel, one.handle))

    async def vouched(self, channel: str, name: str) -> bool:
        self._serve()
        handles = [handle for of_channel, handle in self._handles if of_channel == channel]
        return bool(_plain(name)) and _plain(name) in {_plain(one) for one in (*self._agents, *handles)}

    # --------------------------------------------------------------------------------------------------- staff rooms

    async def mirror_to(self, rooms: Sequence[tuple[str, str]]) -> None:
        self._serve()
        if self._rooms.mirror_to(rooms, self._for_people()):
            self._ring("room")

    def _for_people(self) -> list[int]:
        return [id_ for id_, held in self._conversations.items() if held.state.stage in FOR_PEOPLE]

    async def behind(self, channel: str, room: str, now: datetime) -> RoomCopy | None:
        self._serve()
        line = self._line()

        def urgency(conversation: int) -> Urgency:
            stage = self._conversations[conversation].state.stage
            rank = 0 if stage is Stage.WITH_AGENT else 1 if stage is Stage.WAITING else 2
            return rank, line.get(conversation, 0)

        copy = self._rooms.behind((channel, room), now, urgency)
        if copy is None:
            return None
        return RoomCopy(
            conversation=copy.conversation,
            dossier=self._dossier(self._conversations[copy.conversation]),
            version=copy.version,
            attempts=copy.attempts,
            topic=copy.topic,
            head=copy.head,
            posts=copy.posts,
            shut=copy.shut,
        )

    async def settle_room(self, channel: str, room: str, result: RoomResult, now: datetime) -> None:
        self._serve()
        self._rooms.settle((channel, room), result)
        if result.retry_at is not None:
            self._ring("room")

    async def conversation_in(self, channel: str, room: str, topic: str) -> str | None:
        self._serve()
        found = self._rooms.conversation_in((channel, room), topic)
        return self._conversations[found].state.reference if found is not None else None

    # ----------------------------------------------------------------------------------------------------- questions

    async def stories(self, kind: QuestionKind, before: int | None, limit: int) -> Stories:
        self._serve()
        telling = [
            one
            for one in reversed(self._events.values())
            if may_hold(kind, one.outcome or "") and (before is None or one.id < before)
        ][:limit]
        told = [self._story(conversation) for conversation in dict.fromkeys(one.conversation for one in telling)]
        return Stories(tuple(told), telling[-1].id if telling else 0, older=len(telling) == limit)

    def _story(self, conversation: int) -> Story:
        record = [self._remembered(one) for one in self._events.values() if one.conversation == conversation]
        return Story(tuple(one for one in record if one is not None), self._conversations[conversation].state.topic)

    def _remembered(self, one: _Happened) -> Happened | None:
        event = one.event
        if one.outcome is None or not isinstance(event, MessageReceived | AgentSentSnippet | AgentResolved):
            return None
        if not isinstance(event, MessageReceived):
            return Happened(one.id, one.at, one.outcome, by_agent=True)
        said = self._messages[one.message or 0]
        removed = Remark.REMOVED_BY_SENDER in said.remarks
        withheld = said.secret is not None or event.secret is not None
        unread = event.choice is not None or withheld or removed or event.automatic or said.text.startswith("/")
        return Happened(one.id, one.at, one.outcome, "" if unread else said.text, event.choice)

    async def settle_question(self, settled: SettledQuestion) -> bool:
        self._serve()
        return self._questions.settle(settled)

    async def reopen_question(self, key: str) -> bool:
        self._serve()
        return self._questions.reopen(key)

    async def settled_keys(self, keys: Sequence[str]) -> frozenset[str]:
        self._serve()
        return self._questions.keys(keys)

    async def examples(self) -> Sequence[SettledQuestion]:
        self._serve()
        return self._questions.examples()

    async def mark_written(self, keys: Sequence[str], now: datetime) -> None:
        self._serve()
        self._questions.mark_written(keys, now)

    # -------------------------------------------------------------------------------------------------- what is kept

    async def keep(self, name: str, value: str) -> str:
        self._serve()
        return self._kept.setdefault(name, value)

    # --------------------------------------------------------------------------------------------------------- bells

    def changes(self, topic: str) -> AbstractAsyncContextManager[Changes]:
        return self._belfry.bell(topic)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _ring(self, *topics: str) -> None:
        self._belfry.ring(topics)

    # ----------------------------------------------------------------------------------------------------- what all use

    def _serve(self) -> None:
        if self.down is not None:
            raise StoreUnavailable(self.down)

    def _named(self, reference: str) -> _Held | None:
        return next((held for held in self._conversations.values() if held.state.reference == reference), None)

    def _happen(
        self, source: Source, conversation: int, event: Event, now: datetime, message: int | None = None
    ) -> int:
        """Put *event* into the inbox once: its id, or that of the one of the same source."""
        if source not in self._event_of:
            happened = _Happened(_next(self._events), conversation, event, now, message)
            self._events[happened.id] = happened
            self._event_of[source] = happened.id
        return self._event_of[source]

    def _say(
        self,
        conversation: int,
        speaker: Speaker,
        author: str,
        text: str,
        at: datetime,
    ) -> _Said:
        said = _Said(_next(self._messages), conversation, speaker, author, text, at)
        self._messages[said.id] = said
        return said

    def _waiting(self) -> Iterator[Waiting]:
        for held in self._conversations.values():
            state = held.state
            if state.stage is Stage.WAITING:
                yield Waiting(state.priority, state.waiting_since or held.updated_at, state.id)

    def _line(self) -> dict[int, int]:
        return places(self._waiting())

    def _place(self, conversation: int, line: dict[int, int]) -> PlaceInLine | None:
        if conversation not in line:
            return None
        seconds = pace(sorted(self._departures)[-DEPARTURES:])
        return PlaceInLine(line[conversation], len(line), expected_wait(line[conversation], seconds))

    def _with_place(self, conversation: int, line: dict[int, int]) -> Conversation:
        return replace(self._conversations[conversation].state, line=self._place(conversation, line))

    def _summary(self, held: _Held, line: dict[int, int]) -> Summary:
        state = held.state
        return Summary(
            id=state.id,
            reference=state.reference,
            channel=state.address.channel,
            contact=self._peers[state.address].name,
            stage=state.stage,
            topic=state.topic,
            priority=state.priority,
            language=state.language,
            agent=state.agent,
            waiting_since=state.waiting_since,
            updated_at=held.updated_at,
            place=line.get(state.id),
            why=state.why,
        )

    def _shown(self, said: _Said) -> Line:
        send = self._outbox.get(said.id)
        line = Line(
            id=said.id,
            speaker=said.speaker,
            author=said.author,
            text=said.text,
            at=said.at,
            secret=said.secret,
            revision=len(said.earlier),
            earlier=tuple(said.earlier) if said.secret is None else (),
            files=tuple(self._files[id_] for id_ in said.files),
            quoted=said.quoted,
            remarks=said.remarks,
        )
        if send is None:
            return line
        return replace(
            line,
            choices=send.message.choices,
            delivery=send.state,
            delivery_reason=send.reason,
            purpose=send.message.purpose,
        )


class _Turn:
    """One claimed batch; see `imconnect.ports.Turn`."""

    def __init__(self, store: MemoryStore, cases: Sequence[Case]) -> None:
        self._store = store
        self.cases = cases

    async def apply(self, settled: Sequence[Settled], now: datetime) -> None:
        self._store.apply(self.cases, settled, now)


def _source(item: Received) -> Source:
    return item.incoming.address.channel, item.incoming.address.account, item.incoming.id


def _next(numbered: Sized) -> int:
    return len(numbered) + 1


def _stands_in(given: Given, words: Iterable[str]) -> bool:
    """Whether *given* was taken from *words*."""
    return any(given.value in text for text in words)


def _is_due(not_before: datetime | None, now: datetime) -> bool:
    return not_before is None or not_before <= now


def _age(moments: Sequence[datetime], now: datetime) -> float:
    return max(0.0, (now - min(moments)).total_seconds()) if moments else 0.0


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
