"""The copy in a staff room: one topic a conversation, whole, and true to what the desk knows."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from tests.desk.rigs import Rig
from tests.desk.rooms import ScriptedRoom, Topic

from imconnect.desk.staffroom import MOST_ATTEMPTS, Mirroring
from imconnect.domain.events import AgentNoted, AgentReplied, AgentResolved, AgentsAct, AgentTook
from imconnect.domain.messages import Attachment, Remark
from imconnect.domain.readings import SecretKind
from imconnect.ports import FileResult, FileState, SendResult, SendState, TopicGone, TryLater, Undeliverable
from imconnect.testing.fakes import NullMeter
from imconnect.testing.makers import PLAYBOOK, address, received, secret

ANN, BEN = address("ann"), address("ben")


@dataclass(slots=True)
class Mirrored:
    """A desk whose conversations are copied to one room."""

    rig: Rig = field(default_factory=Rig)
    room: ScriptedRoom = field(default_factory=ScriptedRoom)

    async def begun(self) -> "Mirrored":
        await self.rig.store.mirror_to([("web", "room")])
        return self

    def mirroring(self) -> Mirroring:
        return Mirroring(self.rig.store, "web", self.room, PLAYBOOK, self.rig.clock, NullMeter(), lambda: 0.0)

    async def hears(self, *texts: str, at: object = ANN) -> None:
        for text in texts:
            await self.rig.hear(text, ANN if at is ANN else BEN)
        await self.rig.settle()

    async def acts(self, *acts: AgentsAct) -> None:
        reference = (await self.rig.conversation()).reference
        for act in acts:
            await self.rig.store.act(reference, act, f"{act}", self.rig.clock())
        await self.rig.settle()

    async def copied(self, mirroring: Mirroring | None = None) -> Mirroring:
        """Everything due has been copied, as far as it can be now."""
        mirroring = mirroring or self.mirroring()
        while await mirroring.step():
            pass
        return mirroring

    @property
    def topic(self) -> Topic:
        (only,) = self.room.topics.values()
        return only


async def mirrored() -> Mirrored:
    return await Mirrored().begun()


async def test_who_waits_stands_in_the_room_with_what_a_colleague_needs() -> None:
    desk = await mirrored()
    await desk.hears("human")
    await desk.copied()
    reference = (await desk.rig.conversation()).reference

    assert reference in desk.topic.head
    assert all(part in desk.topic.head for part in ("title human", "1 1", "Ann", "priority_normal"))
    assert "human" in desk.topic.text
    assert "room_customer" in desk.topic.text


async def test_who_is_served_by_the_bot_takes_no_room() -> None:
    desk = await mirrored()
    await desk.hears("hello")
    await desk.copied()

    assert desk.room.topics == {}


async def test_many_short_lines_are_one_post() -> None:
    """T-20: somebody in distress writes line after line; colleagues see one grouped update."""
    desk = await mirrored()
    await desk.hears("human")
    mirroring = await desk.copied()
    posts = len(desk.topic.posts)
    await desk.hears(*(f"line {number}" for number in range(30)))
    await desk.copied(mirroring)

    assert len(desk.topic.posts) == posts + 1
    assert all(f"line {number}" in desk.topic.text for number in range(30))


async def test_two_first_messages_open_one_topic() -> None:
    """T-08: the first two messages of somebody new arrive together."""
    desk = await mirrored()
    await desk.rig.hear("human")
    await desk.rig.hear("and quickly")
    await desk.rig.settle()
    await desk.copied()

    assert len(desk.room.topics) == 1
    assert desk.topic.text.index("human") < desk.topic.text.index("and quickly")


async def test_a_topic_whose_room_broke_off_afterwards_is_not_opened_again() -> None:
    desk = await mirrored()
    await desk.hears("human")
    desk.room.faults["head"] = [TryLater("away", 5)]
    await desk.copied()
    desk.rig.clock.later(5)
    await desk.copied()

    assert desk.room.calls.count("open") == 1
    assert "human" in desk.topic.text


async def test_a_stop_right_after_opening_leaves_the_topic_known() -> None:
    desk = await mirrored()
    await desk.hears("human")
    desk.room.faults["head"] = [asyncio.CancelledError()]
    with pytest.raises(asyncio.CancelledError):
        await desk.mirroring().step()
    (topic,) = desk.room.topics

    assert await desk.rig.store.conversation_in("web", "room", topic) == (await desk.rig.conversation()).reference


async def test_a_message_that_turned_into_a_secret_is_replaced_in_the_room() -> None:
    """T-17: the staff copy follows an edit, and holds nothing of what was withheld."""
    desk = await mirrored()
    await desk.hears("human", "these are the words I wrote")
    mirroring = await desk.copied()
    edit = received("[private_key removed]", id="e1", secret=secret(SecretKind.PRIVATE_KEY), revises="m2")
    await desk.rig.store.record([edit], desk.rig.clock())
    await desk.rig.settle()
    await desk.copied(mirroring)

    assert "these are the words" not in desk.topic.text
    assert "room_secret_private_key" in desk.topic.text
    assert "edited" in desk.topic.text


async def test_an_edit_stands_in_the_room_with_what_was_said_before() -> None:
    """D-09, D-10: colleagues see both versions, however long they are."""
    desk = await mirrored()
    await desk.hears("human", "the first wording " * 200)
    mirroring = await desk.copied()
    edit = received("the second wording " * 200, id="e1", revises="m2")
    await desk.rig.store.record([edit], desk.rig.clock())
    await desk.rig.settle()
    await desk.copied(mirroring)

    assert desk.topic.text.count("the first wording") == desk.topic.text.count("the second wording") == 200


async def test_words_withdrawn_later_are_withdrawn_in_the_room() -> None:
    """S-02: the first half of a phrase was copied before the second half showed what it was."""
    desk = await mirrored()
    await desk.hears("human", "legal winner thank year wave sausage")
    mirroring = await desk.copied()
    rest = received("[recovery_phrase removed]", id="rest", secret=secret(), withdrawn=["m2"])
    await desk.rig.store.record([rest], desk.rig.clock())
    await desk.rig.settle()
    await desk.copied(mirroring)

    assert "sausage" not in desk.topic.text


async def test_a_post_too_old_to_be_changed_is_said_again_as_it_is_now() -> None:
    desk = await mirrored()
    await desk.hears("human", "before")
    mirroring = await desk.copied()
    desk.room.faults["revise"] = [Undeliverable("too old")]
    await desk.rig.store.record([received("after", id="e1", revises="m2")], desk.rig.clock())
    await desk.rig.settle()
    await desk.copied(mirroring)

    assert "after" in desk.topic.text
    assert await mirroring.step() == 0


async def test_what_did_not_arrive_is_told_and_what_did_is_not_told_again() -> None:
    """D-16: colleagues see "not delivered", once."""
    desk = await mirrored()
    await desk.hears("human")
    mirroring = await desk.copied()
    sends = await desk.rig.due()
    await desk.rig.store.settle_sends(
        [SendResult(sends[0].id, SendState.FAILED, reason="the door is shut")], desk.rig.clock()
    )
    await desk.rig.settle()
    await desk.copied(mirroring)

    assert desk.topic.text.count("the door is shut") == 1
    assert desk.topic.text.count("room_delivery_failed") == 1


async def test_files_are_told_by_name_and_by_what_became_of_them() -> None:
    desk = await mirrored()
    await desk.hears("human")
    mirroring = await desk.copied()
    with_file = received("see here", id="f", attachments=[Attachment("x", "log.txt", "text/plain", 9)])
    await desk.rig.store.record([with_file], desk.rig.clock())
    await desk.rig.settle()
    await desk.copied(mirroring)
    before = desk.topic.text
    (due,) = [one for one in await desk.rig.store.claim_errands("web", "site", 9, desk.rig.clock()) if one.files]
    lost = FileResult(due.files[0].id, FileState.LOST)
    await desk.rig.store.keep_files([lost], desk.rig.clock())
    await desk.hears("did you get it")
    await desk.copied(mirroring)

    assert "room_file_named" in before
    assert "log.txt" in before
    assert "room_file_lost" in desk.topic.text


async def test_a_remark_on_the_sender_stands_in_the_header() -> None:
    desk = await mirrored()
    doubtful = received("human", id="m1", remarks=[Remark.UNVERIFIED_SENDER])
    await desk.rig.store.record([doubtful], desk.rig.clock())
    await desk.rig.settle()
    await desk.copied()

    assert "room_remark_unverified_sender" in desk.topic.head


async def test_a_topic_deleted_by_hand_is_opened_anew_with_the_whole_case() -> None:
    """T-09, D-17: staff deletes the topic; the customer writes: a new topic, the same conversation, nothing missing."""
    desk = await mirrored()
    await desk.hears("human", "the first words")
    mirroring = await desk.copied()
    (old,) = desk.room.topics
    desk.room.remove(old)
    await desk.hears("the second words")
    await desk.copied(mirroring)
    (new,) = desk.room.topics

    assert "the first words" in desk.topic.text
    assert "the second words" in desk.topic.text
    assert await desk.rig.store.conversation_in("web", "room", new) == (await desk.rig.conversation()).reference
    assert await desk.rig.store.conversation_in("web", "room", old) is None


async def test_a_room_in_which_topics_keep_vanishing_is_left_in_peace_for_a_while() -> None:
    desk = await mirrored()
    await desk.hears("human")
    desk.room.faults["head"] = [TopicGone("t1"), TopicGone("t2"), TopicGone("t3")]
    steps = 0
    mirroring = desk.mirroring()
    while await mirroring.step():
        steps += 1

    assert steps == 1
    assert desk.room.calls.count("open") == 2


async def test_a_new_topic_begins_with_the_case_that_is_open() -> None:
    desk = await mirrored()
    await desk.hears("human", "about the old matter")
    mirroring = await desk.copied()
    await desk.acts(AgentTook("Mei"), AgentReplied("Mei", "done"), AgentResolved("Mei"))
    await desk.copied(mirroring)
    desk.rig.clock.later(3600)
    (old,) = desk.room.topics
    desk.room.remove(old)
    await desk.hears("human", "a new matter")
    await desk.copied(mirroring)

    assert "a new matter" in desk.topic.text
    assert "old matter" not in desk.topic.text


async def test_what_is_resolved_is_shut_and_opened_again_in_the_same_topic() -> None:
    desk = await mirrored()
    await desk.hears("human")
    mirroring = await desk.copied()
    await desk.acts(AgentTook("Mei"), AgentResolved("Mei"))
    await desk.copied(mirroring)
    shut = desk.topic.shut
    await desk.hears("human")
    await desk.copied(mirroring)

    assert shut
    assert not desk.topic.shut
    assert len(desk.room.topics) == 1


async def test_a_header_that_has_not_changed_is_not_written_again() -> None:
    """T-11: colleagues' limit of 20 messages a minute is shared by every topic of the group."""
    desk = await mirrored()
    await desk.hears("human")
    mirroring = await desk.copied()
    heads = desk.room.calls.count("head")
    await desk.hears("one more thing")
    await desk.copied(mirroring)

    assert desk.room.calls.count("head") == heads


async def test_a_room_that_asks_to_wait_is_not_asked_for_another_topic_meanwhile() -> None:
    """T-12: 429 with retry_after=35 for the staff group."""
    desk = await mirrored()
    await desk.hears("human")
    await desk.hears("human", at=BEN)
    desk.room.faults["open"] = [TryLater("slow down", 35)]
    mirroring = await desk.copied()
    calls_meanwhile = len(desk.room.calls)
    desk.rig.clock.later(34)
    still = await mirroring.step()
    desk.rig.clock.later(1)
    await desk.copied(mirroring)

    assert (calls_meanwhile, still) == (1, 0)
    assert len(desk.room.topics) == 2


async def test_a_right_that_was_removed_ends_in_one_alarm_and_a_figure_not_in_a_loop() -> None:
    """T-10, D-19: no topic can be opened any more."""
    desk = await mirrored()
    await desk.hears("human")
    await desk.hears("human", at=BEN)
    desk.room.faults["open"] = [Undeliverable("not enough rights")] * 100
    mirroring = desk.mirroring()
    for _ in range(200):
        await desk.copied(mirroring)
        desk.rig.clock.later(60)
    backlog = await desk.rig.store.backlog(desk.rig.clock())
    tries = desk.room.calls.count("open")

    assert MOST_ATTEMPTS <= tries <= 2 * MOST_ATTEMPTS
    assert [topic for topic, _, _ in desk.room.answers] == [None]
    assert "not enough rights" in desk.room.answers[0][1]
    assert backlog.rooms_failed == 2


async def test_once_the_right_is_back_the_next_message_brings_the_copy() -> None:
    desk = await mirrored()
    await desk.hears("human")
    desk.room.faults["open"] = [Undeliverable("not enough rights")] * MOST_ATTEMPTS
    mirroring = desk.mirroring()
    for _ in range(20):
        await desk.copied(mirroring)
        desk.rig.clock.later(60)
    await desk.hears("anybody there")
    await desk.copied(mirroring)

    assert "human" in desk.topic.text
    assert "anybody there" in desk.topic.text
    assert (await desk.rig.store.backlog(desk.rig.clock())).rooms_failed == 0


async def test_a_bug_of_the_channels_in_one_topic_does_not_keep_others_from_theirs() -> None:
    desk = await mirrored()
    await desk.hears("human")
    await desk.hears("human", at=BEN)
    desk.room.faults["open"] = [RuntimeError("a bug")]
    await desk.copied()

    assert len(desk.room.topics) == 1


async def test_notes_and_replies_of_agents_are_copied_with_their_names() -> None:
    desk = await mirrored()
    await desk.hears("human")
    mirroring = await desk.copied()
    desk.rig.clock.now += timedelta(seconds=1)
    await desk.acts(AgentTook("Mei"), AgentReplied("Mei", "looking into it"), AgentNoted("Mei", "seen before"))
    await desk.copied(mirroring)

    assert all(words in desk.topic.text for words in ("looking into it", "seen before", "room_note", "room_agent"))
    assert "Mei" in desk.topic.head
