"""What the desk would make of messages: the code that answers customers, with nothing stored and nothing sent."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from imconnect.desk.opinions import options_of, shown
from imconnect.desk.understanding import answered, language_around, withheld_whole
from imconnect.domain.actions import FollowUp, RunErrand, Say
from imconnect.domain.conversations import Conversation, PlaceInLine, Stage
from imconnect.domain.events import ErrandKind, Event, MessageReceived, TimerFell, TimerKind
from imconnect.domain.messages import Address, Purpose
from imconnect.domain.playbook import Playbook
from imconnect.domain.readings import Candidate, Link, Reading, Secret, Spotted
from imconnect.domain.responder import decide
from imconnect.domain.waiting import Waiting, places
from imconnect.guard import Guard, Inspected, Tail
from imconnect.nlu.language import language_of
from imconnect.ports import Option


@dataclass(frozen=True, slots=True)
class Asked:
    """What a second reader would be asked."""

    text: str = field(repr=False)
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One message, explained. `secret_earlier` counts earlier messages now known to be parts of the secret.

    `asked` is what a second reader would be asked about it; the rest is what comes without an opinion.
    """

    conversation: Conversation
    text: str = field(repr=False)
    secret: Secret | None
    secret_earlier: int
    reading: Reading
    said: tuple[Say, ...]
    outcomes: tuple[str, ...]
    asked: Asked | None = None

    @property
    def details(self) -> tuple[Spotted, ...]:
        return self.reading.details

    @property
    def links(self) -> tuple[Link, ...]:
        return self.reading.links

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.reading.candidates

    @property
    def answer(self) -> str | None:
        """The topic whose answer was given."""
        return next((say.source for say in self.said if say.purpose is Purpose.ANSWER), None)

    @property
    def reply(self) -> str:
        """What the customer would read, choices as numbered lines."""
        return "\n\n".join(_as_text(say) for say in self.said)


def _as_text(say: Say) -> str:
    choices = [f"{number}. {choice.label}" for number, choice in enumerate(say.choices, start=1)]
    return "\n".join([say.text, *choices])


class Explainer:
    """A desk in memory. Messages of one conversation share their state, so that a dialogue can be played."""

    def __init__(self, playbook: Playbook, guard: Guard, read: Callable[[str], Reading]) -> None:
        self._playbook = playbook
        self._guard = guard
        self._tail = Tail(guard)
        self._read = read
        self._conversations: dict[str, Conversation] = {}
        self._messages = 0

    def explain(self, conversation: str, channel: str, text: str, at: datetime) -> Explained:
        """Let *text* be said in *conversation* at *at*."""
        begun = self._conversations.get(conversation)
        state = begun or self._begin(conversation, channel)
        self._messages += 1
        inspected = self._inspect(conversation, text, state, at)
        reading, hint = Reading(), None
        if inspected.secret is not None and withheld_whole(inspected.text, inspected.secret):
            # A channel would tell the language of somebody new.
            hint = language_around(text, inspected.secret, None if begun else language_of(text)[0])
        elif inspected.text:
            reading = self._read(inspected.text)
            if state.asked_for:
                reading = answered(reading, inspected.text, state, at, self._playbook)
        event = MessageReceived(
            str(self._messages), inspected.text, secret=inspected.secret, language_hint=hint, reading=reading
        )
        said: list[Say] = []
        outcomes: list[str] = []
        asked: Asked | None = None
        waiting: deque[Event] = deque([event])
        while waiting:
            decision = decide(self._placed(state), waiting.popleft(), self._playbook, at)
            state = self._conversations[conversation] = replace(decision.conversation, line=None)
            outcomes.append(decision.outcome)
            said += [action for action in decision.actions if isinstance(action, Say)]
            waiting += [action.event for action in decision.actions if isinstance(action, FollowUp)]
            if state.doubt is not None and RunErrand(ErrandKind.SECOND_OPINION, event.message_id) in decision.actions:
                options = options_of(state.doubt.topics, state.language, self._playbook)
                asked = Asked(shown(inspected.text), options)
                waiting.append(TimerFell(TimerKind.OPINION))  # nobody is asked here, so no opinion comes
        return Explained(
            state,
            inspected.text,
            inspected.secret,
            len(inspected.earlier),
            reading,
            tuple(said),
            tuple(outcomes),
            asked,
        )

    def _begin(self, conversation: str, channel: str) -> Conversation:
        number = len(self._conversations) + 1
        reference = f"{self._playbook.reference_prefix}-{number:04d}"
        address = Address(channel, "explain", conversation)
        return Conversation(number, reference, address, language=self._playbook.default_language)

    def _inspect(self, conversation: str, text: str, state: Conversation, at: datetime) -> Inspected:
        hash_asked_for = "transaction_hash" in state.asked_for
        moment = at.timestamp()
        return self._tail.inspect(conversation, str(self._messages), text, moment, hash_asked_for=hash_asked_for)

    def _placed(self, state: Conversation) -> Conversation:
        if state.stage is not Stage.WAITING or state.waiting_since is None:
            return state
        line = [
            Waiting(one.priority, one.waiting_since, one.id)
            for one in self._conversations.values()
            if one.stage is Stage.WAITING and one.waiting_since is not None
        ]
        return replace(state, line=PlaceInLine(places(line)[state.id], len(line), None))
