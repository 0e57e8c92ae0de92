"""The whole desk with its staff forum: what members bring by the panel, what colleagues see, and what goes back."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import pytest_asyncio
from tests.adapters.discord.door import settings_for
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.discord import Channel, Limits, Member, World, discord_world

from imconnect.app import ALL_ROLES, Started, run_desk
from imconnect.desk.loops import Stopping
from imconnect.registry import GROUP
from imconnect.settings import CoreSettings, Settings
from imconnect.storage import SqlStore

pytestmark = pytest.mark.asyncio(loop_scope="module")

HASH = "0x" + "ab" * 32


@dataclass(slots=True)
class House:
    """A desk, its server, and one agent who is linked by her id."""

    world: World
    store: SqlStore
    forum: Channel
    agents: int
    mei: Member

    async def comes_in(self, member: Member) -> Channel:
        """Have *member* send the panel's form; their private thread, once something is said there."""
        [panel] = [post for post in self.world.channel("support").from_bot if not post.ephemeral]
        menu = await member.press(panel, "panel:help:en").says()
        asked = member.select(menu, "tx-not-received")
        await asked.shows_form()
        member.submit(asked, {"transaction_hash": HASH})
        return await self.world.until(lambda: next((one for one in member.threads if one.from_bot), None), within=20)

    async def waits(self, member: Member) -> tuple[Channel, Channel]:
        """The same until a person is waited for: the private thread and the post in the forum."""
        thread = await self.comes_in(member)
        member.say("/human", thread)
        member.say("/skip", thread)
        post = await self.world.until(lambda: self.post_of(member), within=20)
        return thread, post

    def post_of(self, member: Member) -> Channel | None:
        """The newest post in which the member's name stands."""
        posts = [post for post in self.forum.threads if any(f"{member.name}" in text for text in post.texts)]
        return posts[-1] if posts else None

    async def shows(self, post: Channel, words: str) -> None:
        await self.world.until(lambda: words in "\n".join(post.texts), within=20)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[House]:
    folder = tmp_path_factory.mktemp("desk")
    async with discord_world(limits=Limits.none()) as world:
        forum, agents = world.forum("desk"), world.role("Agents", "manage_threads")
        mei = world.member("Mei", roles=[agents])
        with pytest.MonkeyPatch.context() as patch:
            # Whether or not the installed package offers the channel.
            offer = {"discord": EntryPoint("discord", "imconnect_discord:DiscordAdapter", GROUP)}
            patch.setattr("imconnect.app.installed", lambda: offer)
            async for store in _running(world, folder, forum, agents):
                agent = await store.add_agent("Mei", "hash-of-mei", _now(), _now())
                await store.link_agent(agent.id, "discord", str(mei.id), _now())
                await world.until(lambda: world.channel("support").from_bot, within=20)
                yield House(world, store, forum, agents, mei)


async def _running(world: World, folder: Path, forum: Channel, agents: int) -> AsyncGenerator[SqlStore]:
    core = {
        "database": {"url": f"sqlite:///{folder}/desk.db"},
        "pack": light_pack(folder),
        "cache": folder / "cache",
        "web": {"port": 0},
    }
    chosen = settings_for(world, staff_channel=forum.id, agent_role=agents, staff_names=["Mei of Support"])
    stopping, ready, stores = Stopping(), asyncio.Event(), list[SqlStore]()

    def started(_: Started, store: SqlStore) -> None:
        stores.append(store)
        ready.set()

    settings = Settings(CoreSettings.model_validate(core), {"discord": chosen})
    running = asyncio.create_task(run_desk(settings, ALL_ROLES, stopping, started))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([running, waiting], timeout=60, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield stores[0]
    finally:
        stopping.ask()
        await asyncio.wait_for(running, 20)


def _now() -> datetime:
    return datetime.now(UTC)


async def test_a_form_is_answered_in_the_members_thread_and_stands_in_the_forum(house: House) -> None:
    ann = house.world.member("Ann")
    thread, post = await house.waits(ann)
    await house.shows(post, HASH)

    assert thread.is_private
    assert ann.visible(thread)
    assert not ann.visible(house.forum) or post.id not in [one.id for one in ann.threads]


async def test_only_what_an_agent_says_on_purpose_reaches_the_member(house: House) -> None:
    """D-23, with the desk"""
    bob = house.world.member("Bob")
    thread, post = await house.waits(bob)
    house.mei.say("he seems to be confused", post)
    house.mei.say("!reply we are looking into it", post)
    await bob.sees("we are looking into it", thread, within=20)

    assert not [text for text in thread.texts if "confused" in text]


async def test_who_has_the_role_but_is_linked_to_no_agent_is_told_and_not_relayed(house: House) -> None:
    """D-22, with the desk: the role opens the door, the link says who it is."""
    cem, temp = house.world.member("Cem"), house.world.namesake("Mei", roles=[house.agents])
    thread, post = await house.waits(cem)
    temp.say("!reply send me your details", post)
    await house.shows(post, str(temp.id))

    assert not [text for text in thread.texts if "send me your details" in text]


async def test_a_member_who_is_named_like_staff_is_shown_as_what_they_are(house: House) -> None:
    """D-22, the member: told in the header, whatever decorates the name."""
    eve = house.world.member("Mеi of Support ✪")  # with a Cyrillic letter
    thread = await house.comes_in(eve)
    eve.say("/human", thread)
    eve.say("/skip", thread)
    remark = "⚠"
    post = await house.world.until(
        lambda: next((one for one in house.forum.threads if "of Support" in "\n".join(one.texts[:1])), None), within=20
    )

    await house.shows(post, remark)


async def test_a_post_deleted_by_hand_is_opened_again_with_everything_in_it(house: House) -> None:
    """D-17, with the desk"""
    dora = house.world.member("Dora")
    thread, post = await house.waits(dora)
    post.delete()
    dora.say("are you still there, please?", thread)
    again = await house.world.until(
        lambda: ((found := house.post_of(dora)) is not None and found.id != post.id and found) or None, within=20
    )

    await house.shows(again, "are you still there, please?")
    await house.shows(again, HASH)


async def test_an_archived_post_takes_what_comes_and_an_agents_reply_goes_out(house: House) -> None:
    """D-18, with the desk"""
    finn = house.world.member("Finn")
    thread, post = await house.waits(finn)
    post.archive()
    finn.say("one more thing before I forget", thread)
    await house.shows(post, "one more thing before I forget")
    post.archive()
    house.mei.say("!reply noted", post)

    await finn.sees("noted", thread, within=20)


async def test_a_long_edit_reaches_the_copy_whole(house: House) -> None:
    """D-10, with the desk: a message of 3,900 characters, and both versions of it once it was edited."""
    gia = house.world.member("Gia")
    thread, post = await house.waits(gia)
    said = gia.say("my transfer is late " * 195, thread)
    await house.world.until(lambda: "\n".join(post.texts).count("late") >= 195, within=20)
    gia.edit(said, "it has arrived now! " * 95)
    await house.world.until(lambda: "\n".join(post.texts).count("arrived") >= 95, within=20)
    await house.world.until(lambda: "\n".join(post.texts).count("late") >= 195, within=20)

    assert all(len(text) <= 2000 for text in post.texts)


async def test_a_resolved_case_is_locked_and_opens_again_when_the_member_writes(house: House) -> None:
    hana = house.world.member("Hana")
    thread, post = await house.waits(hana)
    house.mei.say("!take", post)
    house.mei.say("!resolve", post)
    await house.world.until(lambda: post.archived and post.locked, within=20)
    hana.say("it is broken again, I need a person", thread)
    hana.say("/human", thread)
    await house.world.until(lambda: not post.archived and not post.locked, within=20)

    await house.shows(post, "it is broken again")
