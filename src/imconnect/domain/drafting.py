"""A decision in the making: what every part of `decide()` writes on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from imconnect.domain.actions import Action, ClearTimer, FollowUp, Say
from imconnect.domain.conversations import Conversation, Stage
from imconnect.domain.events import TimerKind
from imconnect.domain.messages import Choice, Language, Purpose
from imconnect.domain.playbook import Playbook
from imconnect.domain.triage import HUMAN

TOPIC_CHOICE, LANGUAGE_CHOICE = "t:", "l:"
YES, NO, SKIP, START = "yes", "no", "skip", "start"
STATUS, LANGUAGE, VERIFY, HELP = "status", "language", "verify", "help"
PRIVATE = "private"
"""The key of the button that leads from where others read along to where nobody does; channels know the way."""

COMMANDS = {
    "/start": START,
    "/help": HELP,
    "/status": STATUS,
    "/human": TOPIC_CHOICE + HUMAN,
    "/language": LANGUAGE,
    "/verify": VERIFY,
    "/skip": SKIP,
}
"""What may be typed on any channel in place of a button."""

PLACE = "place"
"""The slot of what is said about the place in line."""


@dataclass(slots=True)
class Draft:
    """A decision in the making."""

    now_is: Conversation
    pack: Playbook
    now: datetime
    actions: list[Action] = field(default_factory=list[Action])
    answering: str | None = None

    @property
    def language(self) -> Language:
        return self.now_is.language

    @property
    def playbook(self) -> Playbook:
        """What may be said, in the characters the customer writes."""
        return self.pack.written_in(self.now_is.script)

    def become(self, stage: Stage) -> None:
        doubtful = self.now_is.doubt is not None
        self.now_is = self.now_is.moved_to(stage)
        if doubtful and self.now_is.doubt is None:
            self.actions.append(ClearTimer(TimerKind.OPINION))

    def notice(self, slug: str, *, slot: str | None = None, **values: object) -> None:
        self.say(Purpose.NOTICE, slug, self.playbook.notice(slug, self.language, **values), slot=slot)

    def say(
        self, purpose: Purpose, source: str, text: str, choices: Iterable[Choice] = (), *, slot: str | None = None
    ) -> None:
        offered = tuple(choices)
        answers = self.answering if purpose in (Purpose.ANSWER, Purpose.QUESTION) else None
        self.actions.append(Say(purpose, source, text, offered, answers, slot))
        if offered:
            self.now_is = replace(self.now_is, offered=tuple(choice.key for choice in offered))

    def first_answer(self, text: str) -> str:
        """The answer; where impostors lurk, the first in a conversation warns of them."""
        if self.now_is.reminded or self.now_is.address.channel not in self.playbook.reminding:
            return text
        self.now_is = replace(self.now_is, reminded=True)
        return text + "\n\n" + self.playbook.notice("safety-reminder", self.language)

    def add(self, text: str, source: str, choices: Sequence[Choice]) -> None:
        """Say *text* and offer *choices* at the end of the answer that is being given; by itself if there is none."""
        last = next((at for at in reversed(range(len(self.actions))) if isinstance(self.actions[at], Say)), None)
        said = self.actions[last] if last is not None else None
        if last is None or not isinstance(said, Say) or said.purpose is not Purpose.ANSWER:
            self.say(Purpose.QUESTION, source, text, choices)
            return
        offered = (*said.choices, *choices)
        self.actions[last] = replace(said, text=said.text + "\n\n" + text, choices=offered)
        self.now_is = replace(self.now_is, offered=tuple(choice.key for choice in offered))

    @property
    def just_joined(self) -> bool:
        """Whether the customer just joined the line: the notice with the place is on its way."""
        return any(isinstance(action, FollowUp) for action in self.actions)

    def choice(self, slug: str) -> Choice:
        return Choice(TOPIC_CHOICE + slug, self.playbook.article(slug, self.language).title)

    def label_choice(self, key: str) -> Choice:
        return Choice(key, self.playbook.label(key, self.language))


def listed(draft: Draft, words: Iterable[str]) -> str:
    return draft.playbook.label("list_separator", draft.language).join(words)
