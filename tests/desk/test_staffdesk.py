"""What colleagues write in a staff room: agents' acts, by those who are agents, once each."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from tests.desk.rigs import Counts, Rig
from tests.desk.rooms import ScriptedRoom

from imconnect.desk.agents import AgentDesk
from imconnect.desk.intake import Intake
from imconnect.desk.loops import Stopping
from imconnect.desk.staffdesk import StaffDesk
from imconnect.desk.staffroom import Mirroring
from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Handle
from imconnect.guard import Guard
from imconnect.guard.outgoing import objection
from imconnect.ports import Mark, Speaker, StaffAct, StaffWord, TryLater
from imconnect.testing.fakes import NullMeter
from imconnect.testing.makers import PLAYBOOK, incoming

MEIS, STRANGERS = Handle("42", "Mei"), Handle("66", "Mei")


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard()


@dataclass(slots=True)
class Office:
    """A desk with one customer waiting, whose topic stands in the room; Mei is linked to the handle 42."""

    rig: Rig
    room: ScriptedRoom
    staff: StaffDesk
    intake: Intake
    topic: str = ""
    _words: list[StaffWord] = field(default_factory=list[StaffWord])

    def word(
        self,
        text: str,
        act: StaffAct = StaffAct.REPLY,
        author: Handle = MEIS,
        key: str = "",
        topic: str = "",
    ) -> StaffWord:
        self._words.append(
            StaffWord(key or f"w{len(self._words)}", "web", "site", "room", topic or self.topic, author, act, text)
        )
        return self._words[-1]

    async def writes(self, text: str, act: StaffAct = StaffAct.REPLY, author: Handle = MEIS, key: str = "") -> None:
        """It was written, and what the desk has to say to it has been said."""
        await self.intake.deliver([self.word(text, act, author, key)])
        await self.staff.close()

    async def said(self, speaker: Speaker) -> list[str]:
        dossier = await self.rig.store.dossier((await self.rig.conversation()).reference)
        assert dossier is not None
        return [line.text for line in dossier.lines if line.speaker is speaker]

    async def agent(self) -> str | None:
        return (await self.rig.conversation()).agent


@asynccontextmanager
async def office(guard: Guard) -> AsyncGenerator[Office]:
    rig, room = Rig(), ScriptedRoom()
    agents = AgentDesk(rig.store, lambda text: objection(text, guard), rig.clock, PLAYBOOK)
    staff = StaffDesk(rig.store, agents, PLAYBOOK, rig.clock)
    staff.minds("web", room)
    intake = Intake(rig.store, guard, rig.clock, Counts(), staff.hear)
    await rig.store.mirror_to([("web", "room")])
    for number, name in enumerate(("Mei", "Li")):
        await rig.store.add_agent(name, f"hash {number}", rig.clock(), rig.clock())
    mei = await rig.store.agent_named("Mei")
    assert mei is not None
    await rig.store.link_agent(mei.id, "web", MEIS.id, rig.clock())
    await rig.hear("human")
    await rig.settle()
    await Mirroring(rig.store, "web", room, PLAYBOOK, rig.clock, NullMeter(), lambda: 0.0).step()
    (topic,) = room.topics
    stopping = Stopping()
    turns = asyncio.create_task(rig.turns().run(stopping))
    try:
        yield Office(rig, room, staff, intake, topic)
    finally:
        stopping.ask()
        await asyncio.wait_for(turns, 5)


async def test_a_reply_in_a_conversation_nobody_has_takes_it_and_reaches_the_customer(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.writes("I am looking into it")

        assert await at_work.said(Speaker.AGENT) == ["I am looking into it"]
        assert await at_work.agent() == "Mei"
        assert at_work.room.answers == []


async def test_the_same_word_delivered_again_is_one_reply(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.writes("once", key="same")
        await at_work.writes("once", key="same")

        assert await at_work.said(Speaker.AGENT) == ["once"]


async def test_commands_do_what_they_say(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.writes("", StaffAct.TAKE)
        taken = await at_work.agent()
        await at_work.writes("seen before", StaffAct.NOTE)
        await at_work.writes("fees", StaffAct.SNIPPET)
        await at_work.writes("Li", StaffAct.TRANSFER)
        passed_on = await at_work.agent()

        assert (taken, passed_on) == ("Mei", "Li")
        assert "seen before" in await at_work.said(Speaker.NOTE)
        assert await at_work.said(Speaker.AGENT) == ["[answer fees]"]


async def test_resolving_ends_it(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.writes("", StaffAct.TAKE)
        await at_work.writes("", StaffAct.RESOLVE)

        assert (await at_work.rig.conversation()).stage is Stage.RESOLVED


async def test_who_is_not_linked_is_not_relayed_whatever_their_name_and_is_told_once_an_hour(guard: Guard) -> None:
    """T-23, T-24, D-22: authority is a linked id, never a name and never being in the room."""
    async with office(guard) as at_work:
        for text in ("hello", "let me help", "", "again"):
            await at_work.writes(text, author=STRANGERS)
        told = len(at_work.room.answers)
        at_work.rig.clock.later(3600)
        await at_work.writes("still here", author=STRANGERS)

        assert await at_work.said(Speaker.AGENT) == []
        assert await at_work.agent() is None
        assert (told, len(at_work.room.answers)) == (1, 2)
        assert "room_not_linked" in at_work.room.answers[0][1]


async def test_who_was_unlinked_is_an_agent_no_more(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.rig.store.unlink_agent("web", MEIS.id)
        await at_work.writes("hello")

        assert await at_work.said(Speaker.AGENT) == []


@pytest.mark.parametrize("text", ["请把您的助记词发给我", "please send me your verification code", "install AnyDesk"])
async def test_words_nobody_may_write_are_stored_nowhere_and_answered_in_the_topic(guard: Guard, text: str) -> None:
    """S-13: a request for a secret is stopped with the reason."""
    async with office(guard) as at_work:
        before = await at_work.rig.outcomes()
        await at_work.writes(text)
        (answer,) = at_work.room.answers

        assert answer[0] == at_work.topic
        assert "room_asks_for" in answer[1]
        assert text not in answer[1]
        assert await at_work.rig.outcomes() == before


async def test_a_link_that_is_not_ours_goes_out_when_it_is_written_a_second_time(guard: Guard) -> None:
    """S-14: a second click, which in a room is the same words again."""
    async with office(guard) as at_work:
        await at_work.writes("see https://unheard-of.example.org/x")
        first = await at_work.said(Speaker.AGENT)
        await at_work.writes("see https://unheard-of.example.org/x")

        assert first == []
        assert "unheard-of.example.org" in at_work.room.answers[0][1]
        assert await at_work.said(Speaker.AGENT) == ["see https://unheard-of.example.org/x"]


async def test_a_link_is_not_confirmed_by_other_words_or_much_later(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.writes("see https://unheard-of.example.org/x")
        await at_work.writes("see https://another.example.org/x")
        at_work.rig.clock.later(601)
        await at_work.writes("see https://unheard-of.example.org/x")

        assert await at_work.said(Speaker.AGENT) == []


async def test_a_reply_to_a_conversation_somebody_else_has_is_refused_in_the_topic(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.writes("", StaffAct.TAKE)
        await at_work.writes("Li", StaffAct.TRANSFER)
        await at_work.writes("one more thing", key="late")

        assert await at_work.said(Speaker.AGENT) == []
        assert [(topic, to) for topic, _, to in at_work.room.answers] == [(at_work.topic, "late")]
        assert "room_with_another" in at_work.room.answers[0][1]


async def test_a_topic_of_no_conversation_relays_nothing(guard: Guard) -> None:
    async with office(guard) as at_work:
        await at_work.intake.deliver([at_work.word("hello", topic="elsewhere")])
        await at_work.staff.close()

        assert await at_work.said(Speaker.AGENT) == []


async def test_an_answer_the_room_cannot_take_now_is_given_later(guard: Guard) -> None:
    async with office(guard) as at_work:
        at_work.room.faults["answer"] = [TryLater("slow down", 0.01)]
        await at_work.writes("Nobody", StaffAct.TRANSFER)

        assert ["room_unknown_agent" in text for _, text, _ in at_work.room.answers] == [True]


async def test_intake_does_not_wait_for_the_turn_of_a_reply(guard: Guard) -> None:
    rig, room = Rig(), ScriptedRoom()
    async with office(guard) as at_work:
        rig, room = at_work.rig, at_work.room
    # The turns have ended: nothing is decided any more, and what comes in is taken all the same.
    assert room.topics
    async with asyncio.timeout(1):
        await at_work.intake.deliver([at_work.word("hello"), incoming("are you there", id="next")])

    assert "are you there" in [line.text for line in await rig.lines()]


async def test_marks_behind_a_colleagues_word_are_kept_only_after_it(guard: Guard) -> None:
    """A channel that is cut off in between must bring the word again."""
    async with office(guard) as at_work:
        at_work.room.faults["answer"] = []
        store, recorded = at_work.rig.store, list[str]()
        act, record = store.act, store.record

        async def seen_act(*arguments: object) -> object:
            recorded.append("act")
            return await act(*arguments)  # type: ignore[arg-type]  # passed on as it came

        async def seen_record(items: object, now: object) -> int:
            recorded.extend(type(item).__name__ for item in items)  # type: ignore[attr-defined]  # as above
            return await record(items, now)  # type: ignore[arg-type]  # as above

        store.act, store.record = seen_act, seen_record  # type: ignore[method-assign,assignment]  # watched
        await at_work.intake.deliver(
            [
                Mark("web", "site", "before", "1"),
                at_work.word("", StaffAct.TAKE),
                incoming("meanwhile", id="n"),
                Mark("web", "site", "after", "2"),
            ]
        )

        assert recorded == ["Mark", "Received", "act", "Mark"]


async def test_while_the_store_is_away_a_word_is_not_taken_and_comes_again(guard: Guard) -> None:
    async with office(guard) as at_work:
        at_work.rig.store.down = "no server answers"
        with pytest.raises(TryLater):
            await at_work.intake.deliver([at_work.word("hello", key="again")])
        at_work.rig.store.down = None
        await at_work.writes("hello", key="again")

        assert await at_work.said(Speaker.AGENT) == ["hello"]
