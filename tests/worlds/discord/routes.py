"""The API's routes where simcord's model is too kind: archived and locked threads, paging, nonces, closed DMs."""

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import discord
from simcord import intents as rules
from simcord.backend import serializers
from simcord.backend.errors import BackendError
from simcord.backend.models import Channel as ChannelRow
from simcord.backend.models import Message as MessageRow
from simcord.enums import ChannelType
from simcord.http import router
from tests.worlds.discord.gateway import Gateway
from tests.worlds.discord.model import Json, Model
from tests.worlds.discord.refusals import refusal, wrong_field

NONCE_LENGTH = 25
BULK_DELETE_AGE = timedelta(days=14)


@dataclass(slots=True)
class Upload:
    """A file of a request, in the shape simcord reads."""

    filename: str
    fp: Any
    description: str | None = None


def fields_of(body: Any) -> Json:
    """The fields of a request's body; none if it is no object."""
    return cast("Json", body) if isinstance(body, dict) else {}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of the bot, read."""

    method: str
    path: str
    body: Any = field(repr=False)
    query: Mapping[str, str]
    files: list[Upload]
    reason: str | None = None

    @property
    def fields(self) -> Json:
        return fields_of(self.body)


Answer = Callable[["Api", Ask, tuple[str, ...]], Any]
_OWN: list[tuple[str, re.Pattern[str], Answer]] = []


def answers(method: str, path: str) -> Callable[[Answer], Answer]:
    """Have a function answer *path*; `{}` is a part that may be anything."""
    pattern = re.compile(re.escape(path).replace(r"\{\}", "([^/]+)"))

    def register(answer: Answer) -> Answer:
        _OWN.append((method, pattern, answer))
        return answer

    return register


class Api:
    """Answers the API's requests. Raises `BackendError` for everything Discord refuses."""

    def __init__(self, model: Model, gateway: Gateway) -> None:
        self.model = model
        self.gateway = gateway

    def answer(self, ask: Ask) -> Any:
        for method, pattern, own in _OWN:
            if method == ask.method and (found := pattern.fullmatch(ask.path)):
                return own(self, ask, found.groups())
        return self.by_simcord(ask)

    def by_simcord(self, ask: Ask) -> Any:
        return router.dispatch(
            self.model,
            ask.method,
            ask.path,
            json=ask.body,
            params=dict(ask.query),
            files=list(ask.files),
            reason=ask.reason,
            message_content_access="message_content" in self.gateway.approved,
        )

    # ---- what several routes need

    @property
    def bot_id(self) -> int:
        return self.model.bot_user.id

    def channel(self, channel_id: str, *permissions: str) -> ChannelRow:
        """A channel the bot may see and has *permissions* in."""
        row = self.model.get_channel(int(channel_id))
        self.model.require_permissions(row.guild_id, self.bot_id, row.id, *permissions)
        return row

    def open_thread(self, channel_id: str) -> None:
        """Refuse to change what is in an archived thread."""
        row = self.model.channels.get(int(channel_id))
        if row is not None and row.thread_metadata is not None and row.thread_metadata.archived:
            raise refusal(50083)

    def shown(self, message: MessageRow) -> Json:
        """A message as the API gives it to the bot."""
        payload: Json = {**serializers.message_payload(self.model, message, for_user=self.bot_id)}
        if "message_content" not in self.gateway.approved:
            rules.censor_message(payload, self.bot_id, backend=self.model)
        if message.id in self.model.nonce_of:
            payload["nonce"] = self.model.nonce_of[message.id]
        return payload


# ---- who and where we are


@answers("GET", "/gateway")
def _gateway(api: Api, _ask: Ask, _parts: tuple[str, ...]) -> Json:
    return {"url": api.gateway.url}


@answers("GET", "/gateway/bot")
def _gateway_bot(api: Api, _ask: Ask, _parts: tuple[str, ...]) -> Json:
    left = 1000 - len(api.gateway.identifies)
    limit = {"total": 1000, "remaining": left, "reset_after": 86_400_000, "max_concurrency": 1}
    return {"url": api.gateway.url, "shards": 1, "session_start_limit": limit}


@answers("GET", "/oauth2/applications/@me")
@answers("GET", "/applications/@me")
def _application(api: Api, ask: Ask, _parts: tuple[str, ...]) -> Json:
    info = api.by_simcord(Ask("GET", "/oauth2/applications/@me", None, ask.query, []))
    return {**info, "flags": api.gateway.application_flags, "approximate_guild_count": len(api.model.guilds)}


# ---- messages


@answers("GET", "/channels/{}/messages")
def _history(api: Api, ask: Ask, parts: tuple[str, ...]) -> list[Json]:
    """The newest first. *after* gives the oldest ones after it, so that paging forward misses nothing."""
    row = api.channel(parts[0])
    limit = int(ask.query.get("limit", 50))
    if not 1 <= limit <= 100:
        raise wrong_field("limit", "NUMBER_TYPE_MAX", "int value should be less than or equal to 100.")
    if not api.model.may(api.bot_id, row, "read_message_history"):
        return []
    posts = [post for post in api.model.posts_in(row.id) if not post.is_ephemeral]
    if "around" in ask.query:
        return [*api.by_simcord(ask)]
    if "after" in ask.query:
        posts = [post for post in posts if post.id > int(ask.query["after"])][:limit]
    elif "before" in ask.query:
        posts = [post for post in posts if post.id < int(ask.query["before"])]
    return [api.shown(post) for post in reversed(posts[-limit:])]


@answers("POST", "/channels/{}/messages")
def _send(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    model, row = api.model, api.channel(parts[0])
    if row.type == ChannelType.DM:
        _reachable(model, row.recipient_ids[0])
    content = str(ask.fields.get("content") or "")
    if len(content) > 2000:
        raise wrong_field("content", "BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length.")
    anything = ("embeds", "components", "sticker_ids", "poll", "message_reference")
    if not content.strip() and not ask.files and not any(ask.fields.get(name) for name in anything):
        raise refusal(50006)
    if row.type == ChannelType.FORUM:
        raise refusal(50024)
    nonce = str(ask.fields["nonce"]) if ask.fields.get("nonce") is not None else None
    if nonce is not None and len(nonce) > NONCE_LENGTH:
        raise wrong_field("nonce", "NONCE_TYPE_STR_TOO_LONG", "Must be 25 or fewer in length.")
    if nonce is not None and ask.fields.get("enforce_nonce"):
        earlier = model.nonces.get((api.bot_id, nonce))
        if earlier is not None and model.now() - earlier[2] < model.limits.nonce_window:
            return api.shown(model.get_message(earlier[0], earlier[1]))
    _wake(api, row)
    model.nonce_in_hand = nonce
    try:
        payload = api.by_simcord(ask)
    finally:
        model.nonce_in_hand = None
    if nonce is not None:
        model.nonces[api.bot_id, nonce] = (row.id, int(payload["id"]), model.now())
        model.nonce_of[int(payload["id"])] = nonce
    return {**payload, "nonce": nonce}


def _reachable(model: Model, user_id: int) -> None:
    if user_id in model.closed_dms:
        raise refusal(50007)
    if not any(user_id in guild.members for guild in model.guilds.values()):
        raise refusal(50278)


def _wake(api: Api, row: ChannelRow) -> None:
    """Writing in an archived thread opens it again, unless it is locked."""
    about = row.thread_metadata
    if about is None:
        return
    if about.locked and not api.model.may(api.bot_id, row, "manage_threads"):
        raise refusal(50083 if about.archived else 160005)
    api.channel(str(row.id), "send_messages_in_threads")
    api.model.set_archived(row, False)


@answers("PATCH", "/channels/{}/messages/{}")
def _edit(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    api.open_thread(parts[0])
    if len(str(ask.fields.get("content") or "")) > 2000:
        raise wrong_field("content", "BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length.")
    payload: Json = api.by_simcord(ask)
    return payload


@answers("DELETE", "/channels/{}/messages/{}")
def _delete(api: Api, ask: Ask, parts: tuple[str, ...]) -> None:
    row = api.channel(parts[0])
    message = api.model.get_message(row.id, int(parts[1]))
    if row.type == ChannelType.DM and message.author_id != api.bot_id:
        raise refusal(50003)
    api.by_simcord(ask)


@answers("POST", "/channels/{}/messages/bulk-delete")
def _delete_many(api: Api, ask: Ask, _parts: tuple[str, ...]) -> None:
    oldest = api.model.clock.now() - BULK_DELETE_AGE
    if any(discord.utils.snowflake_time(int(one)) < oldest for one in ask.fields.get("messages", [])):
        raise refusal(50034)
    api.by_simcord(ask)


# ---- threads


@answers("POST", "/channels/{}/threads")
def _open(api: Api, ask: Ask, _parts: tuple[str, ...]) -> Json:
    if not 1 <= len(str(ask.fields.get("name", ""))) <= 100:
        raise wrong_field("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    made: Json = api.by_simcord(ask)
    row = api.model.get_channel(int(made["id"]))
    if row.thread_metadata is not None and "invitable" in ask.fields:
        row.thread_metadata.invitable = bool(ask.fields["invitable"])
    return {**made, "member": serializers.thread_member_payload(row, api.bot_id)}


@answers("POST", "/channels/{}/messages/{}/threads")
def _open_from(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    if int(parts[1]) in api.model.channels:
        raise refusal(160004)
    made: Json = api.by_simcord(ask)
    return made


@answers("PATCH", "/channels/{}")
def _change(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    row = api.model.get_channel(int(parts[0]))
    if row.thread_metadata is None:
        payload: Json = api.by_simcord(ask)
        return payload
    api.channel(parts[0])
    about, wish = row.thread_metadata, dict(ask.fields)
    moderates = api.model.may(api.bot_id, row, "manage_threads")
    if about.archived and wish.get("archived", True):
        raise refusal(50083)  # an archived thread can only be changed together with opening it
    opens = about.archived and not about.locked and wish.keys() <= {"archived"}
    by_its_maker = row.owner_id == api.bot_id and not wish.keys() & {"locked", "rate_limit_per_user"}
    if not (moderates or opens or (by_its_maker and not about.locked)):
        raise refusal(50013)
    metadata: Json = {
        key: wish[key] for key in ("archived", "locked", "auto_archive_duration", "invitable") if key in wish
    }
    if "archived" in metadata and metadata["archived"] != about.archived:
        if not metadata["archived"]:
            api.model.has_room_for_a_thread(row.guild_id)
        metadata["archive_timestamp"] = api.model.now_iso()
    changes: Json = {key: wish[key] for key in ("name", "rate_limit_per_user") if key in wish}
    if "applied_tags" in wish:
        changes["applied_tags"] = [int(tag) for tag in wish["applied_tags"]]
    changed = api.model.edit_channel(row.id, changes, thread_metadata=metadata)
    return {**serializers.channel_payload(api.model, changed)}


@answers("DELETE", "/channels/{}")
def _remove(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    row = api.model.get_channel(int(parts[0]))
    if row.thread_metadata is None:
        payload: Json = api.by_simcord(ask)
        return payload
    api.channel(parts[0], "manage_threads")
    gone: Json = {**serializers.channel_payload(api.model, row)}
    api.model.delete_channel(row.id)
    return gone


@answers("PUT", "/channels/{}/thread-members/{}")
def _add(api: Api, _ask: Ask, parts: tuple[str, ...]) -> None:
    api.open_thread(parts[0])
    row = api.channel(parts[0], "send_messages_in_threads")
    user_id = api.bot_id if parts[1] == "@me" else int(parts[1])
    if row.guild_id is None or user_id not in api.model.get_guild(row.guild_id).members:
        raise refusal(10007)
    parent = api.model.get_channel(row.parent_id or row.id)
    if not api.model.may(user_id, parent, "view_channel"):
        raise refusal(50001)
    api.model.put_in_thread(row.id, user_id, api.bot_id)


@answers("DELETE", "/channels/{}/thread-members/{}")
def _take_out(api: Api, _ask: Ask, parts: tuple[str, ...]) -> None:
    api.open_thread(parts[0])
    row = api.channel(parts[0])
    user_id = api.bot_id if parts[1] == "@me" else int(parts[1])
    own_private = row.type == ChannelType.PRIVATE_THREAD and row.owner_id == api.bot_id
    if not (user_id == api.bot_id or own_private or api.model.may(api.bot_id, row, "manage_threads")):
        raise refusal(50013)
    api.model.remove_thread_member(row.id, user_id)


@answers("GET", "/guilds/{}/threads/active")
def _active(api: Api, _ask: Ask, parts: tuple[str, ...]) -> Json:
    return serializers.thread_list_payload(api.model, api.model.visible_threads(api.model.get_guild(int(parts[0]))))


@answers("GET", "/channels/{}/threads/archived/{}")
@answers("GET", "/channels/{}/users/@me/threads/archived/{}")
def _archived(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    """The last archived first; the `@me` list is ordered and paged by id (docs: resources/channel)."""
    row, private, joined = api.channel(parts[0], "read_message_history"), parts[1] == "private", "/@me/" in ask.path
    if private and not joined and not api.model.may(api.bot_id, row, "manage_threads"):
        raise refusal(50013)
    threads = [one for one in api.model.archived_threads(row.id, private=private) if api.model.bot_sees(one.id)]
    before = ask.query.get("before")
    if joined:
        threads = [one for one in threads if api.bot_id in one.thread_members]
        threads = sorted((one for one in threads if before is None or one.id < int(before)), key=_made, reverse=True)
    else:
        limit = datetime.fromisoformat(before) if before else None
        threads = sorted((one for one in threads if limit is None or _ended(one) < limit), key=_ended, reverse=True)
    count = int(ask.query.get("limit", 50))
    return serializers.thread_list_payload(api.model, threads[:count], has_more=len(threads) > count)


def _made(thread: ChannelRow) -> int:
    return thread.id


def _ended(thread: ChannelRow) -> datetime:
    return datetime.fromisoformat(thread.thread_metadata.archive_timestamp if thread.thread_metadata else "")


# ---- guilds


@answers("GET", "/guilds/{}")
def _guild(api: Api, _ask: Ask, parts: tuple[str, ...]) -> Json:
    return api.model.guild_payload(api.model.get_guild(int(parts[0])))


@answers("POST", "/guilds/{}/channels")
def _new_channel(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json:
    if len(api.model.get_guild(int(parts[0])).channel_ids) >= api.model.limits.guild_channels:
        raise refusal(30013)
    made: Json = api.by_simcord(ask)
    return made


# ---- interactions


@answers("POST", "/interactions/{}/{}/callback")
def _respond(api: Api, ask: Ask, parts: tuple[str, ...]) -> Json | None:
    """The first response: within three seconds, once. What it made is told only to those who ask for it."""
    record = api.model.interactions.get(int(parts[0]))
    if record is not None:
        row = api.model.channels.get(record.channel_id)
        if row is not None and ask.fields.get("type") in (4, 5):
            _wake_for_interaction(api, row)
    told: Json = api.by_simcord(ask)
    return told if ask.query.get("with_response") in ("1", "true", "True") else None


def _wake_for_interaction(api: Api, row: ChannelRow) -> None:
    """A response is shown where the user acted, whatever the bot may do there; it opens a thread as a message does."""
    if row.thread_metadata is not None and row.thread_metadata.archived and not row.thread_metadata.locked:
        with contextlib.suppress(BackendError):  # the response is shown, whether or not the thread can be active
            api.model.set_archived(row, False)


@answers("POST", "/webhooks/{}/{}")
@answers("GET", "/webhooks/{}/{}/messages/{}")
@answers("PATCH", "/webhooks/{}/{}/messages/{}")
@answers("DELETE", "/webhooks/{}/{}/messages/{}")
def _follow_up(api: Api, ask: Ask, parts: tuple[str, ...]) -> Any:
    """Follow-ups: for fifteen minutes, and only after a first response."""
    model = api.model
    interaction = model.interactions.get(model.interaction_tokens.get(parts[1], 0))
    if interaction is not None and model.now_iso() >= (interaction.expires_at or ""):
        raise refusal(50027)
    return api.by_simcord(ask)


def as_json(error: BackendError) -> Json:
    """The body of a refusal."""
    return {**error.to_json()}
