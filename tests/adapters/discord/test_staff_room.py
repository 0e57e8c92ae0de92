"""Colleagues work in a forum: a post for each conversation, which stands whatever happens to it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from tests.adapters.discord.front import line_to
from tests.worlds.discord import Channel, Limits, World, discord_world

from imconnect.domain.conversations import Stage
from imconnect.domain.playbook import Priority
from imconnect.ports import Header, StaffRoom, TopicGone, TryLater, Undeliverable
from imconnect.testing.conformance import StaffRoomConformance, header
from imconnect.testing.kit import MemoryKit
from imconnect_discord.archive import Archive
from imconnect_discord.staff import DiscordStaffRoom
from imconnect_discord.wire import Line


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        opened.forum("desk")
        yield opened


@pytest.fixture
def forum(world: World) -> Channel:
    return world.forum("desk")


@pytest.fixture
async def line(world: World) -> AsyncGenerator[Line]:
    opened = line_to(world)
    yield opened
    await opened.close()


@pytest.fixture
def kit() -> MemoryKit:
    return MemoryKit()


def a_room(line: Line, forum: Channel, kit: MemoryKit) -> DiscordStaffRoom:
    archive = Archive(line, None, forum.id)
    archive.equip(kit)
    made = DiscordStaffRoom(line.client, forum.id, archive)
    made.equip(kit)
    return made


@pytest.fixture
def room(line: Line, forum: Channel, kit: MemoryKit) -> DiscordStaffRoom:
    return a_room(line, forum, kit)


@dataclass(frozen=True, slots=True)
class InTheForum:
    """Somebody who reads the forum."""

    world: World
    forum: Channel

    def post(self, topic: str) -> Channel:
        return self.world.channel_by_id(int(topic))

    async def reads(self, topic: str) -> str:
        if not self.post(topic).exists:
            raise LookupError("the post is gone")
        return "\n".join(self.post(topic).texts)

    async def reads_room(self) -> str:
        return "\n".join(text for post in self.forum.threads for text in post.texts)

    async def removes(self, topic: str) -> None:
        self.post(topic).delete()

    async def sees_open(self, topic: str) -> bool:
        return not self.post(topic).archived and not self.post(topic).locked


class TestTheForum(StaffRoomConformance):
    """The suite of every staff room."""

    @pytest_asyncio.fixture(autouse=True)
    async def closes_cleanly(  # type: ignore[override]  # here is no adapter to close, only its room
        self,
    ) -> AsyncGenerator[None]:  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        yield

    @pytest.fixture
    def colleague(self, world: World, forum: Channel) -> InTheForum:
        return InTheForum(world, forum)

    @pytest.fixture
    def room(self, line: Line, forum: Channel, kit: MemoryKit) -> StaffRoom:
        return a_room(line, forum, kit)


def about(stage: Stage = Stage.WAITING, priority: Priority = Priority.HIGH, text: str = "what it is about") -> Header:
    return Header("TW-1001", "A title", text, stage, priority, "tx-not-received")


def post_of(forum: Channel, topic: str) -> Channel:
    return next(post for post in forum.threads if str(post.id) == topic)


# ---- tags


async def test_a_post_has_the_tags_of_its_case_and_they_follow_it(
    world: World, forum: Channel, room: DiscordStaffRoom, kit: MemoryKit
) -> None:
    world.guild.allow_bot("administrator")
    label = kit.playbook.labels[kit.playbook.default_language]
    category = label["category_transactions"][:20]
    sorted_so = replace(kit.playbook.topics["tx-not-received"], category="transactions")
    kit.playbook = replace(kit.playbook, topics={**kit.playbook.topics, "tx-not-received": sorted_so})
    topic = await room.open(about())
    first = post_of(forum, topic).applied_tags
    await room.head(topic, None, about(Stage.WITH_AGENT, Priority.URGENT))

    assert first == [category, label["priority_high"][:20], label["stage_waiting"][:20]]
    assert post_of(forum, topic).applied_tags == [
        category,
        label["priority_urgent"][:20],
        label["stage_with_agent"][:20],
    ]


async def test_tags_are_made_once_and_reused(world: World, forum: Channel, room: DiscordStaffRoom) -> None:
    world.guild.allow_bot("administrator")
    for stage in Stage:
        await asyncio.gather(*(room.open(about(stage, priority)) for priority in Priority))

    assert len(forum.tags) == len(forum.row.available_tags) <= 20
    assert len(world.asked(f"PATCH /channels/{forum.id}")) == 1


async def test_a_forum_with_nearly_all_its_tags_gets_no_more_than_it_may_have(
    world: World, room: DiscordStaffRoom, line: Line, kit: MemoryKit
) -> None:
    world.guild.allow_bot("administrator")
    crowded = world.forum("crowded", tags=[f"own {number}" for number in range(19)])
    made = a_room(line, crowded, kit)
    topic = await made.open(about())

    assert len(crowded.tags) == 20
    assert len(post_of(crowded, topic).applied_tags) == 1


async def test_without_the_right_there_are_posts_without_tags_and_no_loop_of_refusals(
    world: World, forum: Channel, room: DiscordStaffRoom
) -> None:
    topics = [await room.open(about()) for _ in range(3)]

    assert [post_of(forum, topic).applied_tags for topic in topics] == [[], [], []]
    assert world.invalid_requests == 1


# ---- what happens to posts


async def test_a_post_that_was_deleted_by_hand_is_told_as_gone_and_another_takes_its_place(
    forum: Channel, room: DiscordStaffRoom
) -> None:
    """D-17, the staff's half: nothing is lost, the desk opens another."""
    topic = await room.open(about())
    post_of(forum, topic).delete()
    with pytest.raises(TopicGone):
        await room.post(topic, "the customer wrote again")
    again = await room.open(about())
    await room.post(again, "the customer wrote again")

    assert [post.texts for post in forum.threads] == [["what it is about", "the customer wrote again"]]


async def test_a_post_in_the_archive_takes_words_and_changes(forum: Channel, room: DiscordStaffRoom) -> None:
    """D-18, the staff's half: no 50083 stops a copy, and the post is open again."""
    topic = await room.open(about())
    head = await room.head(topic, None, about())
    posted = await room.post(topic, "as it was")
    post = post_of(forum, topic)
    post.archive()
    await room.revise(topic, posted, "as it is")
    open_after_change = not post.archived
    post.archive()
    await room.post(topic, "something new")
    post.archive()
    await room.head(topic, head, about(text="another header"))

    assert open_after_change
    assert not post.archived
    assert post.texts == ["another header", "as it is", "something new"]


async def test_a_shut_post_is_locked_and_archived_and_opens_when_the_customer_comes_back(
    forum: Channel, room: DiscordStaffRoom
) -> None:
    topic = await room.open(about())
    head = await room.head(topic, None, about())
    await room.shut(topic)
    shut = (post_of(forum, topic).archived, post_of(forum, topic).locked)
    await room.head(topic, head, about())

    assert shut == (True, True)
    assert not post_of(forum, topic).archived
    assert not post_of(forum, topic).locked


async def test_a_forum_that_is_full_is_told_and_nothing_is_tried_in_a_loop(
    world: World, room: DiscordStaffRoom
) -> None:
    """D-19, the staff's half: the desk keeps the case and alerts; the reason names Discord's code."""
    world.faults.refuse("POST /channels/*/threads", 160006, times=100)
    with pytest.raises(Undeliverable, match="160006"):
        await room.open(about())

    assert len(world.asked("POST /channels/*/threads")) == 1


async def test_the_room_is_told_in_one_post_also_after_a_restart(
    forum: Channel, line: Line, kit: MemoryKit, room: DiscordStaffRoom
) -> None:
    await room.answer(None, "posts cannot be opened")
    restarted = a_room(line, forum, kit)
    await restarted.answer(None, "and still cannot")

    assert [post.texts for post in forum.threads] == [["posts cannot be opened", "and still cannot"]]


# ---- what is copied


async def test_a_long_revision_stands_in_parts_with_every_word(forum: Channel, room: DiscordStaffRoom) -> None:
    """D-10: both versions of a text of 3,900 characters, no part above Discord's limit, none lost."""
    before, after = ("b" * 9 + " ") * 390, ("a" * 9 + " ") * 390
    topic = await room.open(about())
    posted = await room.post(topic, f"Customer\n{before}")
    await room.revise(topic, posted, f"Customer · edited\n{after}\n\nbefore:\n{before}")
    texts = post_of(forum, topic).texts[1:]

    assert len(posted) == 2
    assert all(len(text) <= 2000 for text in texts)
    assert "".join(texts).count("aaaaaaaaa") == "".join(texts).count("bbbbbbbbb") == 390


async def test_what_a_customer_typed_pings_nobody(world: World, forum: Channel, room: DiscordStaffRoom) -> None:
    """D-15"""
    agents = world.role("Agents", "mention_everyone")
    mei = world.member("Mei", roles=[agents])
    loud = f"@everyone @here <@&{agents}> {mei.mention}"
    topic = await room.open(about(text=loud))
    await room.head(topic, None, about(text=f"{loud} again"))
    posted = await room.post(topic, loud)
    await room.revise(topic, posted, f"{loud} edited")
    await room.answer(topic, loud)
    await room.answer(None, loud)
    posts = [post for thread in forum.threads for post in thread.posts]

    assert len(posts) == 4
    assert not [post for post in posts if post.pings_anybody]


async def test_links_in_a_copy_unfold_nowhere(forum: Channel, room: DiscordStaffRoom) -> None:
    topic = await room.open(about())
    await room.post(topic, "look at https://example.org/")

    assert post_of(forum, topic).posts[-1].row.flags & 4  # SUPPRESS_EMBEDS; docs: resources/message#message-flags


@pytest.mark.parametrize("status", [500, 503])
async def test_an_outage_is_to_be_tried_later(world: World, room: DiscordStaffRoom, status: int) -> None:
    world.faults.fail("POST /channels/*/messages", status, times=20)
    topic = await room.open(about())
    world.faults.fail("PATCH /channels/*/messages/*", 503, times=20)

    with pytest.raises(TryLater):
        await room.head(topic, None, header("another"))
