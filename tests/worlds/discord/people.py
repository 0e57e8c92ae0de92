"""Customers and agents: all that a Discord client lets a person do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simcord.backend import serializers
from simcord.backend.access import channel_accessible
from simcord.backend.command_access import command_access
from simcord.backend.errors import SetupError
from simcord.backend.models import Guild as GuildRow
from simcord.backend.models import MessageSticker
from simcord.enums import ComponentType, InteractionType, OptionType
from simcord.interactions import base_payload, walk_to_subcommand
from tests.worlds.discord.asked import Asked, Value, filled_in
from tests.worlds.discord.channels import Channel, Post
from tests.worlds.discord.model import Json

if TYPE_CHECKING:
    from tests.worlds.discord.world import World

NITRO_LENGTH = 4000  # characters; without Nitro a client stops at 2000

ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class Member:
    """A person. Raises `SetupError` for what no client would let them do."""

    world: "World"
    id: int
    name: str
    locale: str

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def roles_in(self, guild: GuildRow) -> list[int]:
        row = guild.members.get(self.id)
        return row.role_ids if row is not None else []

    @property
    def direct(self) -> Channel:
        """Their private conversation with the bot."""
        return Channel(self.world, self.world.model.get_dm_channel(self.id).id)

    # ---- writing

    def say(
        self,
        text: str,
        channel: Channel,
        *,
        files: Mapping[str, bytes] | None = None,
        stickers: Sequence[str] = (),
        reply_to: Post | None = None,
    ) -> Post:
        """Write in *channel*; an archived thread opens again."""
        if len(text) > NITRO_LENGTH:
            raise SetupError("no Discord client sends a text like this")
        self._enter(channel)
        model = self.world.model
        row = channel.row
        if row.thread_metadata is not None:
            if row.thread_metadata.locked and not model.may(self.id, row, "manage_threads"):
                raise SetupError("the thread is locked")
            model.set_archived(row, False)
            if self.id not in row.thread_members:
                model.add_thread_member(row.id, self.id)
        right = "send_messages_in_threads" if row.is_thread else "send_messages"
        if not model.may(self.id, row, right):
            raise SetupError(f"{self.name} may not write here")
        # simcord refuses more than 2,000 characters of anybody; those of Nitro users are put in afterwards.
        message = model.prepare_message(
            channel.id,
            self.id,
            text[:2000],
            attachments=model.store_attachments(channel.id, list((files or {}).items())),
            stickers=[MessageSticker(model.snowflake(), name, 1, self.world.guild.id) for name in stickers],
            reference={"channel_id": str(channel.id), "message_id": str(reply_to.id)} if reply_to is not None else None,
        )
        message.content = text
        return Post(self.world, model.commit_message(message))

    def dm(self, text: str, *, files: Mapping[str, bytes] | None = None) -> Post:
        """Write to the bot in private."""
        return self.say(text, self.direct, files=files)

    def edit(self, post: Post, text: str) -> None:
        """Change the text of one's own message."""
        self._own(post)
        self.world.model.edit_message(post.channel_id, post.id, {"content": text})

    def delete(self, post: Post) -> None:
        """Take one's own message back, or as a moderator anybody's."""
        if not self.world.model.may(self.id, self.world.model.get_channel(post.channel_id), "manage_messages"):
            self._own(post)
        self.world.model.delete_message(post.channel_id, post.id)

    def forward(self, post: Post, channel: Channel | None = None) -> Post:
        """Forward a message to *channel*, or to the bot in private: its words are in a snapshot, the text is empty."""
        target = channel or self.direct
        self._enter(target)
        reference = {"type": 1, "channel_id": str(post.channel_id), "message_id": str(post.id)}
        return Post(self.world, self.world.model.create_message(target.id, self.id, reference=reference))

    def _own(self, post: Post) -> None:
        if post.row.author_id != self.id:
            raise SetupError(f"that message is not {self.name}'s")

    def _enter(self, channel: Channel) -> None:
        if not channel_accessible(self.world.model, channel.id, self.id):
            raise SetupError(f"{self.name} does not see this channel")

    # ---- interactions

    def press(self, post: Post, label: str) -> Asked:
        """Press the button with that label, or that custom id."""
        for button in post.components():
            if button.get("type") == ComponentType.BUTTON and label in (button.get("label"), button.get("custom_id")):
                return self._use(post, button, {})
        raise SetupError(f"no button {label!r} on it; there are {list(post.buttons)}")

    def select(self, post: Post, *values: str, custom_id: str | None = None) -> Asked:
        """Choose *values* in the only select menu, or in that of *custom_id*."""
        for menu in post.components():
            if menu.get("type") == ComponentType.STRING_SELECT and custom_id in (None, menu["custom_id"]):
                offered = [option["value"] for option in menu["options"]]
                least, most = menu.get("min_values", 1), menu.get("max_values", 1)
                if not set(values) <= set(offered) or not least <= len(values) <= most:
                    raise SetupError(f"cannot choose {values} out of {offered}")
                return self._use(post, menu, {"values": list(values)})
        raise SetupError("no such select menu on it")

    def _use(self, post: Post, component: Mapping[str, Any], chosen: Json) -> Asked:
        self._look_at(post)
        if component.get("disabled") or not component.get("custom_id"):
            raise SetupError("that cannot be pressed")
        about: Json = {"custom_id": component["custom_id"], "component_type": int(component["type"])} | chosen
        return self._act(InteractionType.MESSAGE_COMPONENT, post.channel_id, about, source=post)

    def slash(self, name: str, channel: Channel | None = None, options: Mapping[str, Value] | None = None) -> Asked:
        """Use a registered slash command, its subcommands after a blank, in *channel* or in private."""
        where = channel or self.direct
        self._enter(where)
        model = self.world.model
        names = name.split()
        guild_id = where.row.guild_id
        root = model.find_command(names[0], guild_id)
        if root is None:
            raise SetupError(f"the bot registered no /{names[0]}; there are {list(self.world.commands)}")
        if not command_access(model, root, user_id=self.id, channel_id=where.id).allowed:
            raise SetupError(f"{self.name} is not offered /{names[0]} here")
        leaf, path = walk_to_subcommand(root, names[1:])
        given, resolved = self._options(leaf, options or {})
        for at in range(len(path), 0, -1):
            node, _ = walk_to_subcommand(root, path[:at])
            given = [{"name": path[at - 1], "type": int(node["type"]), "options": given}]
        about: Json = {"id": root["id"], "name": root["name"], "type": 1, "options": given}
        if resolved:
            about["resolved"] = resolved
        if root.get("guild_id"):
            about["guild_id"] = root["guild_id"]
        return self._act(InteractionType.APPLICATION_COMMAND, where.id, about)

    def _options(self, leaf: Json, values: Mapping[str, Value]) -> tuple[list[Json], Json]:
        options: list[Json] = leaf.get("options") or []
        declared = {str(one["name"]): one for one in options}
        missing = [name for name, one in declared.items() if one.get("required") and name not in values]
        if missing or not values.keys() <= declared.keys():
            raise SetupError(f"options are {list(declared)}, missing {missing}")
        given: list[Json] = []
        resolved: Json = {}
        for name, value in values.items():
            option, sent = declared[name], value
            offered: list[Json] = option.get("choices") or []
            choices = [choice["value"] for choice in offered]
            if choices and value not in choices:
                raise SetupError(f"{name} is one of {choices}")
            if option["type"] == OptionType.USER:
                sent = str(value)
                user, guild = self.world.model.get_user(int(sent)), self.world.guild.row
                resolved.setdefault("users", {})[sent] = serializers.user_payload(user)
                if user.id in guild.members:
                    row = serializers.member_payload(self.world.model, guild, guild.members[user.id], with_user=False)
                    resolved.setdefault("members", {})[sent] = {**row, "permissions": "0"}
            given.append({"name": name, "type": int(option["type"]), "value": sent})
        return given, resolved

    def submit(self, asked: Asked, values: Mapping[str, Value]) -> Asked:
        """Fill in the form *asked* was answered with, by custom ids, and send it off."""
        form = asked.form
        if form is None:
            raise SetupError("no form was shown")
        model, record = self.world.model, asked.record
        components, resolved = filled_in(model, record.channel_id, form, values)
        about: Json = {"custom_id": form["custom_id"], "components": components}
        if resolved:
            about["resolved"] = resolved
        source = record.source_message_id
        known = source is not None and source in model.messages.get(record.channel_id, {})
        post = self.world.post(record.channel_id, source) if known and source is not None else None
        return self._act(InteractionType.MODAL_SUBMIT, record.channel_id, about, source=post)

    def _act(self, kind: InteractionType, channel_id: int, about: Json, source: Post | None = None) -> Asked:
        model = self.world.model
        record, payload = base_payload(
            model,
            type=int(kind),
            channel_id=channel_id,
            guild_id=model.get_channel(channel_id).guild_id,
            user_id=self.id,
            data=about,
        )
        payload |= {"locale": self.locale}
        if source is not None:
            record.source_message_id = source.id
            payload["message"] = serializers.message_payload(model, source.row)
        model.emit("INTERACTION_CREATE", payload)
        return Asked(self.world, record)

    # ---- coming and going

    def closes_dms(self) -> None:
        """Take no private messages from members of this server any more: 50007."""
        self.world.model.closed_dms.add(self.id)

    def opens_dms(self) -> None:
        self.world.model.closed_dms.discard(self.id)

    def leaves(self) -> None:
        """Leave the server, and with it every way the bot has to write: 50278."""
        self.world.model.remove_member(self.world.guild.id, self.id)

    def comes_back(self) -> None:
        """Join the server again, without the roles of before."""
        self.world.model.add_member(self.world.guild.id, self.id, announce=True)

    def leaves_thread(self, thread: Channel) -> None:
        self.world.model.remove_thread_member(thread.id, self.id)

    def takes_name(self, name: str) -> None:
        """Be called *name* on this server from now on."""
        self.world.model.edit_member(self.world.guild.id, self.id, {"nick": name})

    def gets_role(self, role: int) -> None:
        self.world.model.add_member_role(self.world.guild.id, self.id, role)

    def loses_role(self, role: int) -> None:
        self.world.model.remove_member_role(self.world.guild.id, self.id, role)

    # ---- looking

    def visible(self, channel: Channel) -> bool:
        """Whether they see *channel* at all."""
        return channel_accessible(self.world.model, channel.id, self.id, history=True)

    def shown(self, channel: Channel | None = None) -> list[Post]:
        """What they can read now: in *channel*, or in private. Nothing where they cannot look."""
        where = channel or self.direct
        return [post for post in where.posts if post.row.visible_to(self.id)] if self.visible(where) else []

    async def sees(self, words: str, channel: Channel | None = None, *, within: float = 5.0) -> Post:
        """Wait for a message of the bot with *words* on it: in *channel*, or in private and in their threads."""
        return await self.world.until(lambda: self._found(words, channel), within)

    def _found(self, words: str, channel: Channel | None) -> Post | None:
        where = [channel] if channel is not None else [self.direct, *self.threads]
        posts = [post for one in where for post in self.shown(one) if post.from_bot and words in post.everything]
        return max(posts, key=lambda post: post.id, default=None)

    @property
    def threads(self) -> list[Channel]:
        """The threads they are in."""
        return [one for one in self.world.guild.threads if self.id in one.members]

    def _look_at(self, post: Post) -> None:
        self._enter(Channel(self.world, post.channel_id))
        if post.gone or not post.row.visible_to(self.id):
            raise SetupError(f"{self.name} does not see that message")
