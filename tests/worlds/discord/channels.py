"""Channels, threads and messages as a test looks at them, and what moderators do to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import discord
from simcord.backend.models import Channel as ChannelRow
from simcord.backend.models import Message as MessageRow
from simcord.backend.models import Overwrite
from simcord.components import walk_components
from simcord.enums import ChannelType, ComponentType, OverwriteType

if TYPE_CHECKING:
    from tests.worlds.discord.people import Member
    from tests.worlds.discord.world import World


@dataclass(frozen=True, slots=True)
class Post:
    """A message, always as it stands now."""

    world: "World"
    row: MessageRow

    @property
    def id(self) -> int:
        return self.row.id

    @property
    def channel_id(self) -> int:
        return self.row.channel_id

    @property
    def text(self) -> str:
        return self.row.content

    @property
    def everything(self) -> str:
        """All the words on it: its text, its embeds, and texts between its buttons."""
        words = [self.row.content]
        for embed in self.row.embeds:
            words += [str(embed.get(key, "")) for key in ("title", "description")]
            words += [f"{one.get('name', '')} {one.get('value', '')}" for one in embed.get("fields", [])]
        words += [str(one["content"]) for one in self._components(ComponentType.TEXT_DISPLAY)]
        return "\n".join(word for word in words if word)

    @property
    def from_bot(self) -> bool:
        return self.row.author_id == self.world.model.bot_user.id

    @property
    def ephemeral(self) -> bool:
        return self.row.is_ephemeral

    @property
    def gone(self) -> bool:
        return self.row.id not in self.world.model.messages.get(self.row.channel_id, {})

    @property
    def nonce(self) -> str | None:
        return self.world.model.nonce_of.get(self.row.id)

    @property
    def buttons(self) -> dict[str, str]:
        """Label to custom id; a button that is a link has an empty one."""
        return {str(one.get("label")): str(one.get("custom_id", "")) for one in self._components(ComponentType.BUTTON)}

    @property
    def selects(self) -> dict[str, list[str]]:
        """Custom id to the values that may be chosen."""
        menus = self._components(ComponentType.STRING_SELECT)
        return {str(one["custom_id"]): [str(option["value"]) for option in one["options"]] for one in menus}

    @property
    def files(self) -> dict[str, bytes]:
        """What is attached, by name."""
        stored = self.world.model.cdn
        return {str(one["filename"]): stored.get(one["url"]) or b"" for one in self.row.attachments}

    @property
    def links(self) -> list[str]:
        """Addresses of what is attached, as Discord would hand them out now."""
        return [self.world.cdn.signed(one["url"]) for one in self.row.attachments]

    def pings(self, member: "Member") -> bool:
        """Whether this message calls *member*, after its allowed_mentions and the rights to mention."""
        roles = {role for guild in self.world.model.guilds.values() for role in member.roles_in(guild)}
        return bool(
            self.row.mention_everyone or member.id in self.row.ping_user_ids or roles & set(self.row.ping_role_ids)
        )

    @property
    def pings_anybody(self) -> bool:
        return bool(self.row.mention_everyone or self.row.ping_user_ids or self.row.ping_role_ids)

    def components(self) -> list[dict[str, Any]]:
        """Everything on it that can be pressed or chosen, and what surrounds it."""
        return list(walk_components(self.row.components))

    def _components(self, kind: ComponentType) -> list[dict[str, Any]]:
        return [one for one in self.components() if one.get("type") == kind]


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, a thread, a forum or a private conversation."""

    world: "World"
    id: int

    @property
    def row(self) -> ChannelRow:
        return self.world.model.get_channel(self.id)

    @property
    def exists(self) -> bool:
        return self.id in self.world.model.channels

    @property
    def name(self) -> str:
        return self.row.name or ""

    @property
    def posts(self) -> list[Post]:
        """Every message as it stands, in order; ephemeral ones too."""
        return [Post(self.world, row) for row in self.world.model.posts_in(self.id)]

    @property
    def from_bot(self) -> list[Post]:
        return [post for post in self.posts if post.from_bot]

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    @property
    def threads(self) -> "list[Channel]":
        """Its threads or posts, archived ones too, in the order they were opened."""
        rows = [row for row in self.world.model.channels.values() if row.parent_id == self.id and row.is_thread]
        return [Channel(self.world, row.id) for row in sorted(rows, key=lambda row: row.id)]

    @property
    def is_private(self) -> bool:
        return self.row.type == ChannelType.PRIVATE_THREAD

    @property
    def archived(self) -> bool:
        about = self.row.thread_metadata
        return about is not None and about.archived

    @property
    def locked(self) -> bool:
        about = self.row.thread_metadata
        return about is not None and about.locked

    @property
    def members(self) -> list[int]:
        """Who is in the thread."""
        return list(self.row.thread_members)

    @property
    def tags(self) -> dict[str, int]:
        """Of a forum: the tags there are, by name."""
        return {str(tag["name"]): int(tag["id"]) for tag in self.row.available_tags}

    @property
    def applied_tags(self) -> list[str]:
        """Of a forum post: the names of its tags."""
        forum = self.world.model.get_channel(self.row.parent_id or self.id)
        named = {int(tag["id"]): str(tag["name"]) for tag in forum.available_tags}
        return [named[tag] for tag in self.row.applied_tags]

    # ---- what moderators do

    def deny_bot(self, *permissions: str) -> None:
        """Take rights in this channel and its threads from the bot."""
        self._overwrite(self.world.guild.bot_role, permissions, OverwriteType.ROLE, allowed=False)

    def deny_everyone(self, *permissions: str) -> None:
        """Take rights in this channel from everybody who has no overwrite of their own."""
        self._overwrite(self.world.guild.id, permissions, OverwriteType.ROLE, allowed=False)

    def allow(self, role: int, *permissions: str) -> None:
        self._overwrite(role, permissions, OverwriteType.ROLE, allowed=True)

    def _overwrite(self, target: int, permissions: Sequence[str], kind: OverwriteType, *, allowed: bool) -> None:
        bits = discord.Permissions(**dict.fromkeys(permissions, True)).value
        earlier = next((one for one in self.row.overwrites if one.target_id == target), Overwrite(target, kind))
        allow = earlier.allow | bits if allowed else earlier.allow & ~bits
        deny = earlier.deny & ~bits if allowed else earlier.deny | bits
        self.world.model.set_overwrite(self.id, Overwrite(target, kind, allow, deny))

    def archive(self) -> None:
        self.world.model.set_archived(self.row, True)

    def lock(self) -> None:
        """Archive it so that only moderators can open it again."""
        self.world.model.edit_channel(self.id, {}, thread_metadata={"locked": True})
        self.archive()

    def delete(self) -> None:
        """Remove it by hand, its threads with it."""
        for thread in self.threads:
            self.world.model.delete_channel(thread.id)
        self.world.model.delete_channel(self.id)
