"""The whole desk with its staff forum, in this process, and one agent who works there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.adapters.discord.door import settings_for
from tests.adapters.telegram.light_pack import light_pack
from tests.worlds.discord import Asked, Channel, Limits, Member, World, discord_world

from imconnect.app import ALL_ROLES, Started, run_desk
from imconnect.desk.loops import Stopping
from imconnect.registry import GROUP
from imconnect.settings import CoreSettings, Settings
from imconnect.storage import SqlStore

HASH = "0x" + "ab" * 32


@dataclass(slots=True)
class House:
    """A desk, its server, and one agent who is linked by her id."""

    world: World
    store: SqlStore
    forum: Channel
    agents: int
    mei: Member

    async def form(self, member: Member, topic: str = "tx-not-received") -> Asked:
        """Have *member* choose that topic from the panel's menu; the form it brings."""
        [panel] = [post for post in self.world.channel("support").from_bot if not post.ephemeral]
        menu = await member.press(panel, "panel:help:en").says()
        asked = member.select(menu, topic)
        await asked.shows_form()
        return asked

    async def comes_in(self, member: Member) -> Channel:
        """Have *member* send the panel's form; their private thread, once something is said there."""
        member.submit(await self.form(member), {"transaction_hash": HASH})
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


@asynccontextmanager
async def open_house(folder: Path) -> AsyncGenerator[House]:
    """A desk at work in *folder*, with its panel up."""
    async with discord_world(limits=Limits.none()) as world:
        forum, agents = world.forum("desk"), world.role("Agents", "manage_threads")
        mei = world.member("Mei", roles=[agents])
        with pytest.MonkeyPatch.context() as patch:
            # Whether or not the installed package offers the channel.
            offer = {"discord": EntryPoint("discord", "imconnect_discord:DiscordAdapter", GROUP)}
            patch.setattr("imconnect.app.installed", lambda: offer)
            async with _running(world, folder, forum, agents) as store:
                agent = await store.add_agent("Mei", "hash-of-mei", _now(), _now())
                await store.link_agent(agent.id, "discord", str(mei.id), _now())
                await world.until(lambda: world.channel("support").from_bot, within=20)
                yield House(world, store, forum, agents, mei)


@asynccontextmanager
async def _running(world: World, folder: Path, forum: Channel, agents: int) -> AsyncGenerator[SqlStore]:
    core = {
        "database": {"url": f"sqlite:///{folder}/desk.db"},
        "pack": light_pack(folder),
        "cache": folder / "cache",
        "matcher": "ngrams",
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
