"""What Discord knows: simcord's in-memory model, with the rules it leaves out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
from simcord._clock import Clock  # its Backend takes one, and nothing public makes one
from simcord.backend import Backend, serializers
from simcord.backend.access import channel_accessible
from simcord.backend.models import Channel as ChannelRow
from simcord.backend.models import Guild as GuildRow
from simcord.backend.models import Message as MessageRow
from simcord.backend.models import SystemMessageMetadata, User
from simcord.enums import ChannelType, MessageType
from tests.worlds.discord.limits import Limits
from tests.worlds.discord.refusals import refusal

Json = dict[str, Any]

DISCORD_EPOCH_MS = 1_420_070_400_000


class RunningClock(Clock):
    """Real time, and whatever a test let pass on top of it."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.elapsed)


class Model(Backend):
    """The one store behind both the API and the gateway. Every change tells `subscribers`."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(clock=RunningClock())
        self.limits = limits
        self.nonces: dict[tuple[int, str], tuple[int, int, float]] = {}  # (author, nonce) -> channel, message, when
        self.nonce_of: dict[int, str] = {}  # message -> nonce
        self.nonce_in_hand: str | None = None  # of the message being made
        self.closed_dms: set[int] = set()
        self.bot_user.name = "im-wallet-support"

    def now(self) -> float:
        """Seconds since 1970, as this world has them."""
        return self.clock.now().timestamp()

    def emit(self, event: str, payload: Mapping[str, Any]) -> None:
        if event == "MESSAGE_CREATE" and self.nonce_in_hand is not None:
            payload = {**payload, "nonce": self.nonce_in_hand}
        for listener in self.subscribers:
            listener(event, payload)

    # ---- people

    def new_user(self, name: str, account_age: timedelta, *, bot: bool = False) -> User:
        """Somebody whose account is *account_age* old, which their id says."""
        made = int((self.clock.now() - account_age).timestamp() * 1000) - DISCORD_EPOCH_MS
        user = User(id=self._allocate_at(made), name=name.lower().replace(" ", "_"), global_name=name, bot=bot)
        self.users[user.id] = user
        return user

    def bot_sees(self, channel_id: int) -> bool:
        return channel_accessible(self, channel_id, self.bot_user.id)

    def may(self, user_id: int, channel: ChannelRow, permission: str) -> bool:
        if channel.guild_id is None:
            return True
        allowed = discord.Permissions(self.compute_permissions(channel.guild_id, user_id, channel.id))
        return bool(allowed.administrator or getattr(allowed, permission))

    # ---- threads

    def create_thread(
        self,
        parent_id: int,
        name: str,
        owner_id: int,
        *,
        type: int = ChannelType.PUBLIC_THREAD,  # noqa: A002 - its name in the method this overrides
        auto_archive_duration: int = 1440,
        message_id: int | None = None,
        applied_tags: Iterable[int] = (),
        broadcast: bool = True,
    ) -> ChannelRow:
        """Open a thread. Of a private one the parent channel is told nothing."""
        guild_id = self.get_channel(parent_id).guild_id
        self.has_room_for_a_thread(guild_id)
        thread = super().create_thread(
            parent_id,
            name,
            owner_id,
            type=type,
            auto_archive_duration=auto_archive_duration,
            message_id=message_id,
            applied_tags=applied_tags,
            broadcast=False,
        )
        if broadcast:
            self.announce_thread_create(thread)
            if type != ChannelType.PRIVATE_THREAD and message_id is None:
                self.create_system_message(parent_id, MessageType.THREAD_CREATED, owner_id, target_channel_id=thread.id)
        return thread

    def has_room_for_a_thread(self, guild_id: int | None) -> None:
        """Refuse where one more active thread is too many."""
        if guild_id is not None and len(self.active_threads(guild_id)) >= self.limits.active_threads:
            raise refusal(160006)

    def put_in_thread(self, thread_id: int, user_id: int, by: int) -> None:
        """Add somebody, and say so in the thread."""
        thread = self.get_thread(thread_id)
        if user_id in thread.thread_members:
            return
        if len(thread.thread_members) >= self.limits.thread_members:
            raise refusal(30033)
        self.add_thread_member(thread_id, user_id)
        if user_id == self.bot_user.id:
            member = serializers.thread_member_payload(thread, user_id)
            self.emit("THREAD_CREATE", {**serializers.thread_payload(self, thread), "member": member})
        if user_id != by:
            note = self.prepare_message(
                thread_id,
                by,
                "added",  # simcord refuses a message without words; Discord's note has none
                message_type=MessageType.RECIPIENT_ADD,
                system_metadata=SystemMessageMetadata(recipient_id=user_id),
            )
            note.content = ""
            self.commit_message(note)

    def set_archived(self, thread: ChannelRow, archived: bool) -> None:
        about = thread.thread_metadata
        if about is not None and about.archived != archived:
            if not archived:
                self.has_room_for_a_thread(thread.guild_id)
            about.archived, about.archive_timestamp = archived, self.now_iso()
            self.announce_channel_update(thread.id)

    def archive_the_idle(self) -> None:
        """Archive every thread in which nothing happened for as long as its setting says."""
        for thread in [row for row in self.channels.values() if row.thread_metadata is not None]:
            about = thread.thread_metadata
            if about is None or about.archived:
                continue
            last = thread.last_message_id or 0
            quiet_since = max(
                discord.utils.snowflake_time(last or thread.id), datetime.fromisoformat(about.archive_timestamp)
            )
            if self.clock.now() - quiet_since >= timedelta(minutes=about.auto_archive_duration):
                self.set_archived(thread, True)

    # ---- what a client is shown

    def guild_payload(self, guild: GuildRow) -> Json:
        """GUILD_CREATE as the bot gets it: only channels it may see, only active threads."""
        payload: Json = {**serializers.guild_create_payload(self, guild)}
        payload["channels"] = [c for c in payload["channels"] if self.bot_sees(int(c["id"]))]
        threads: list[Json] = []
        for thread in self.visible_threads(guild):
            shown: Json = {**serializers.thread_payload(self, thread)}
            if self.bot_user.id in thread.thread_members:
                shown["member"] = serializers.thread_member_payload(thread, self.bot_user.id)
            threads.append(shown)
        payload["threads"] = threads
        return payload

    def visible_threads(self, guild: GuildRow) -> list[ChannelRow]:
        """The active threads the bot may see, the newest first."""
        seen = [row for row in self.active_threads(guild.id) if self.bot_sees(row.id)]
        return sorted(seen, key=lambda row: row.id, reverse=True)

    def posts_in(self, channel_id: int) -> list[MessageRow]:
        """Every message of a channel as it stands, in order."""
        return [self.messages[channel_id][key] for key in sorted(self.messages.get(channel_id, {}))]
