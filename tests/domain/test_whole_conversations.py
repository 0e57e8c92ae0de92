"""Whole conversations, played at random: what must hold after every step of each."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from imconnect.domain.actions import ClearTimer, Decision, FollowUp, RunErrand, Say, SetTimer, WithdrawNotices
from imconnect.domain.conversations import GUIDED, MOVES, Conversation, PlaceInLine, Stage
from imconnect.domain.events import (
    AgentHandedBack,
    AgentNoted,
    AgentReplied,
    AgentResolved,
    AgentsAct,
    AgentTook,
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
from imconnect.domain.messages import Language, Purpose
from imconnect.domain.playbook import Playbook, Priority
from imconnect.domain.readings import Secret, SecretKind, Spotted
from imconnect.domain.responder import decide
from imconnect.domain.waiting import notice_due
from imconnect.storage.codec import to_conversation, to_memory
from imconnect.testing.makers import NOON, PLAYBOOK, conversation, message, picture, secret, spotted

WORDS = ["", "hello", "thanks", "yes", "no", "skip", "1", "2", "9" * 30, "my phone", "0xabc", "谢谢", "[title fees]"]
SLUGS = sorted(PLAYBOOK.topics)
KEYS = [*(f"t:{slug}" for slug in SLUGS), "t:gone", "l:zh", "l:en", "l:xx", "yes", "no", "skip", "start", "?"]
WARNINGS = {Purpose.WARNING}

values: st.SearchStrategy[Spotted] = st.builds(
    spotted,
    st.sampled_from(["transaction_hash", "wallet_address", "chain"]),
    st.sampled_from(["one", "two"]),
    st.sampled_from([None, None, "wrong_format"]),
    st.sampled_from([None, "tron"]),
)
secrets: st.SearchStrategy[Secret | None] = st.one_of(
    st.none(), st.none(), st.none(), st.builds(secret, st.sampled_from(SecretKind), perhaps_a_hash=st.booleans())
)
messages: st.SearchStrategy[MessageReceived] = st.builds(
    message,
    text=st.sampled_from(WORDS),
    topic=st.one_of(st.none(), st.sampled_from(SLUGS)),
    candidates=st.lists(st.sampled_from([*SLUGS, "gone"]), max_size=3, unique=True),
    details=st.lists(values, max_size=3),
    language=st.one_of(st.none(), st.sampled_from(Language)),
    choice=st.one_of(st.none(), st.none(), st.sampled_from(KEYS)),
    secret=secrets,
    attachments=st.sampled_from([(), (picture(),)]),
    others=st.lists(st.sampled_from([*SLUGS, "gone"]), max_size=2, unique=True),
    declined=st.lists(st.sampled_from(["transaction_hash", "device", "when"]), max_size=2, unique=True),
    corrects=st.sampled_from([False, False, True]),
    declines=st.sampled_from([False, False, True]),
    unhelped=st.sampled_from([False, False, True]),
)
doubtful: st.SearchStrategy[MessageReceived] = st.builds(
    message,
    text=st.just("my phone"),
    candidates=st.lists(st.sampled_from([*SLUGS, "gone"]), min_size=1, max_size=3, unique=True),
    others=st.lists(st.sampled_from(SLUGS), max_size=1),
    corrects=st.sampled_from([False, False, True]),
)
acts: st.SearchStrategy[AgentsAct] = st.one_of(
    *(st.builds(act, st.sampled_from(["Mei", "Li"])) for act in (AgentTook, AgentResolved, AgentHandedBack)),
    *(st.builds(act, st.sampled_from(["Mei", "Li"]), st.just("words")) for act in (AgentReplied, AgentNoted)),
)


def to_conversation_again(state: Conversation) -> Conversation:
    """*state* as it comes back after a restart."""
    row = SimpleNamespace(
        memory=json.loads(json.dumps(to_memory(state))),
        id=state.id,
        reference=state.reference,
        channel=state.address.channel,
        account=state.address.account,
        peer=state.address.peer,
        stage=state.stage.value,
        language=state.language.value,
        topic=state.topic,
        priority=int(state.priority),
        waiting_since=state.waiting_since,
        agent=state.agent,
    )
    return to_conversation(row, dict(state.details), state.line)


def reachable(before: Stage, after: Stage) -> bool:
    """Whether one decision may lead there: an agent takes by way of the line, and what ended begins anew."""
    return after is before or after in MOVES[before] or any(after in MOVES[middle] for middle in MOVES[before])


class Story(RuleBasedStateMachine):
    """One customer, two agents, the timers and the line of which the customer is part."""

    def __init__(self) -> None:
        super().__init__()
        self.state: Conversation = conversation()
        self.now: datetime = NOON
        self.to_come: list[Event] = []
        self.timers: dict[TimerKind, datetime] = {}
        self.ahead = 0
        self.pack: Playbook = PLAYBOOK
        self.written = 0
        self.last: tuple[Conversation, Event, Decision] | None = None

    @initialize(
        language=st.sampled_from(Language), ahead=st.integers(0, 12), second=st.sampled_from([True, True, False])
    )
    def begins(self, language: Language, ahead: int, second: bool) -> None:
        self.state, self.ahead = conversation(language=language), ahead
        self.pack = replace(PLAYBOOK, second_opinion=second)

    # ---- what happens

    @rule(event=messages)
    def the_customer_writes(self, event: MessageReceived) -> None:
        self.written += 1
        self.happens(replace(event, message_id=f"m{self.written}"))

    @rule(event=doubtful)
    def the_customer_is_hard_to_understand(self, event: MessageReceived) -> None:
        self.the_customer_writes(event)

    @rule(leaked=secrets)
    def the_customer_edits(self, leaked: Secret | None) -> None:
        self.happens(MessageEdited("m1", leaked))

    @rule(act=acts)
    def an_agent_acts(self, act: AgentsAct) -> None:
        self.happens(act)

    @rule(done=st.booleans())
    def an_errand_ends(self, done: bool) -> None:
        self.happens(ErrandDone(ErrandKind.DELETE_UPSTREAM, done))

    @rule(place=st.integers(0, 3), other=st.sampled_from([None, *SLUGS, "gone"]), ago=st.sampled_from([0, 0, 0, 1]))
    def an_opinion_comes(self, place: int, other: str | None, ago: int) -> None:
        doubted = self.state.doubt.topics if self.state.doubt is not None else ()
        topic, message_id = doubted[place] if place < len(doubted) else other, f"m{self.written - ago}"
        self.happens(ErrandDone(ErrandKind.SECOND_OPINION, topic is not None, "", message_id, topic=topic))

    @rule(unknown=st.booleans())
    def a_delivery_ends(self, unknown: bool) -> None:
        self.happens(DeliveryEnded("1.0", unknown))

    @rule(seconds=st.integers(1, 1_200))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        for timer in [timer for timer, due in self.timers.items() if due <= self.now]:
            del self.timers[timer]
            self.happens(TimerFell(timer))

    @rule(served=st.integers(0, 6), urgent=st.integers(0, 2))
    def the_line_moves(self, served: int, urgent: int) -> None:
        self.ahead = max(0, self.ahead - served) + urgent
        place, gap = self.ahead + 1, PLAYBOOK.pace.notice_gap
        if self.state.stage is Stage.WAITING and notice_due(
            self.state.told_place, place, self.state.told_at, self.now, gap
        ):
            self.happens(PlaceDue(PlaceReason.MOVED_UP))

    @rule()
    def what_follows_comes(self) -> None:
        while self.to_come:
            self.happens(self.to_come.pop(0))

    def happens(self, event: Event) -> None:
        waits = self.state.stage is Stage.WAITING
        before = replace(self.state, line=PlaceInLine(self.ahead + 1, self.ahead + 3, None) if waits else None)
        decision = decide(before, event, self.pack, self.now)
        for action in decision.actions:
            match action:
                case SetTimer():
                    self.timers[action.timer] = action.due
                case ClearTimer():
                    self.timers.pop(action.timer, None)
                case FollowUp():
                    self.to_come.append(action.event)
                case _:
                    pass
        self.state, self.last = decision.conversation, (before, event, decision)
        self.holds_for_this_step()

    # ---- what must hold

    def holds_for_this_step(self) -> None:
        assert self.last is not None
        before, event, decision = self.last
        after, says = decision.conversation, [one for one in decision.actions if isinstance(one, Say)]

        assert decision.outcome
        assert decide(before, event, self.pack, self.now) == decision
        assert reachable(before.stage, after.stage)
        assert (after.id, after.reference, after.address) == (before.id, before.reference, before.address)
        assert all(one.text.strip() for one in says)
        self.bots_do_not_interrupt(before, event, says)
        self.what_is_known_is_not_asked_for(says)
        self.no_concern_is_lost(before, event, decision)
        assert to_conversation_again(after) == after
        self.a_leaked_secret_is_warned_of_and_removed(event, decision)
        self.a_doubt_ends_in_words_or_with_a_person(before, event, decision, says)
        if after.stage is Stage.WITH_AGENT and before.stage is not Stage.WITH_AGENT:
            assert WithdrawNotices() in decision.actions
        if isinstance(event, PlaceDue) and before.stage is not Stage.WAITING:
            assert says == []

    def bots_do_not_interrupt(self, before: Conversation, event: Event, says: list[Say]) -> None:
        if before.stage is Stage.WITH_AGENT and not isinstance(event, AgentResolved):
            if isinstance(event, MessageReceived) and (event.choice or "").startswith(("l:", "t:human")):
                return  # asked of the desk itself, which answers
            allowed = {Purpose.REPLY} if isinstance(event, AgentReplied) else WARNINGS
            assert {one.purpose for one in says} <= allowed

    def what_is_known_is_not_asked_for(self, says: list[Say]) -> None:
        for one in says:
            if one.source == "ask-details":
                for name in (*self.state.details, *self.state.refused):
                    question = PLAYBOOK.details[name].questions[self.state.language]
                    assert question not in one.text

    def no_concern_is_lost(self, before: Conversation, event: Event, decision: Decision) -> None:
        """What else was asked is kept until it is offered, answered, or written down for whoever takes the case."""
        after = decision.conversation
        if not isinstance(event, MessageReceived) or after.stage in (Stage.WITH_AGENT, Stage.RESOLVED):
            return
        served = {after.topic, *after.told, *after.kept} | {key.removeprefix("t:") for key in after.offered}
        if self.heard(before, event):
            assert set(event.reading.others) & set(SLUGS) <= served | {"human", "queue-status"}

    def heard(self, before: Conversation, event: MessageReceived) -> bool:
        """Whether the message was read at all: not a secret, and not a command."""
        return event.secret is None and event.choice not in ("l:zh", "l:en") and before.stage is not Stage.WITH_AGENT

    def a_leaked_secret_is_warned_of_and_removed(self, event: Event, decision: Decision) -> None:
        if isinstance(event, MessageReceived | MessageEdited) and event.secret is not None:
            assert any(isinstance(one, Say) and one.purpose is Purpose.WARNING for one in decision.actions)
            assert RunErrand(ErrandKind.DELETE_UPSTREAM, event.message_id) in decision.actions
            if event.secret.kind is SecretKind.RECOVERY_PHRASE and not event.secret.perhaps_a_hash:
                assert decision.conversation.priority is Priority.URGENT
                assert decision.conversation.stage in (Stage.WAITING, Stage.WITH_AGENT)

    def a_doubt_ends_in_words_or_with_a_person(
        self, before: Conversation, event: Event, decision: Decision, says: list[Say]
    ) -> None:
        """Nothing is lost and nothing answered twice, whatever the second reader says and whenever."""
        after = decision.conversation
        if before.doubt is not None and after.doubt != before.doubt:
            assert says or after.stage in (Stage.WAITING, Stage.WITH_AGENT, Stage.RESOLVED)
        asked = [one for one in decision.actions if isinstance(one, RunErrand)]
        wanted = RunErrand(ErrandKind.SECOND_OPINION, after.doubt.message_id) if after.doubt is not None else None
        assert (wanted in asked) == (after.doubt is not None and after.doubt != before.doubt)
        if isinstance(event, ErrandDone) and event.errand is ErrandKind.SECOND_OPINION:
            doubted = before.doubt.topics if before.doubt is not None else ()
            assert {one.source for one in says if one.purpose is Purpose.ANSWER} <= {*doubted}
            if before.doubt is None or before.doubt.message_id != event.subject:
                assert (decision.actions, after) == ((), before)

    @invariant()
    def an_opinion_is_not_waited_for_for_ever(self) -> None:
        assert (self.state.doubt is not None) == (TimerKind.OPINION in self.timers)
        if self.state.doubt is not None:
            assert self.pack.second_opinion
            assert self.state.stage in (*GUIDED, Stage.COLLECTING)

    @invariant()
    def an_agent_has_it_or_has_not(self) -> None:
        assert (self.state.agent is not None) == (self.state.stage is Stage.WITH_AGENT)

    @invariant()
    def a_guided_answer_goes_on_only_with_the_bot(self) -> None:
        if self.state.flow is not None:
            assert self.state.stage in GUIDED
            assert self.state.step in PLAYBOOK.flows[self.state.flow].steps

    @invariant()
    def what_is_kept_is_to_be_offered(self) -> None:
        if self.state.doubt is not None:
            return  # nothing is offered beside what is still in doubt
        assert self.state.topic not in self.state.kept or self.state.stage in (Stage.COLLECTING, Stage.WAITING)
        if self.state.stage in GUIDED:
            assert self.state.kept == ()

    @invariant()
    def who_waits_has_a_place_by_age_and_will_be_told(self) -> None:
        if self.state.stage is Stage.WAITING:
            assert self.state.waiting_since is not None
            assert self.state.told_place is not None or any(isinstance(one, PlaceDue) for one in self.to_come)

    @invariant()
    def who_was_told_will_be_told_again(self) -> None:
        if self.state.stage is Stage.WAITING and self.state.told_place is not None:
            assert TimerKind.REMIND in self.timers

    @invariant()
    def who_is_asked_is_not_waited_for_for_ever(self) -> None:
        if self.state.stage is Stage.COLLECTING:
            assert self.state.asked_for
            assert TimerKind.GIVE_UP_COLLECTING in self.timers


TestWholeConversations = Story.TestCase
TestWholeConversations.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
