"""The staff room: a forum in which each conversation has a post, and what colleagues do there."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import discord
import structlog

from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Handle
from imconnect.domain.playbook import Playbook, Priority
from imconnect.domain.splitting import split
from imconnect.ports import (
    Header,
    Kit,
    StaffAct,
    StaffWord,
    TopicGone,
    TryLater,
    Undeliverable,
)
from imconnect_discord.archive import Archive
from imconnect_discord.asked import about, acknowledge, author, custom_id, filled_in, lasting, option, tell
from imconnect_discord.refusals import (
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    THREAD_ARCHIVED,
    THREAD_LOCKED,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    Refused,
    done,
)
from imconnect_discord.translate import CHANNEL, TEXT_LIMIT

Connected = Callable[[], Awaitable[discord.Client]]
"""The client, once it is logged in. Raises `TryLater`."""

NAME_LIMIT = 100  # characters of a post's name; docs.discord.com/developers/resources/channel#channel-object
MOST_TAGS, TAG_LIMIT = 20, 20  # tags a forum has, characters of one's name; the same page, #forum-tag-object
LOOKED_AT_EVERY = 60.0
"""Seconds between two looks at which tags the forum has."""

NOTICES = "staff:notices"
"""The mark that says in which post the room as a whole is told."""

PREFIX = "staff:"
"""Begins the custom ids of what colleagues press in the forum."""

PLAIN = discord.AllowedMentions.none()

STAFF_COMMANDS: Mapping[str, StaffAct] = {
    "reply": StaffAct.REPLY,
    "take": StaffAct.TAKE,
    "handback": StaffAct.HAND_BACK,
    "resolve": StaffAct.RESOLVE,
    "note": StaffAct.NOTE,
    "snippet": StaffAct.SNIPPET,
    "transfer": StaffAct.TRANSFER,
}
"""What colleagues do by a command, typed after `!` or as a slash command."""

WORDED = (StaffAct.REPLY, StaffAct.NOTE, StaffAct.SNIPPET, StaffAct.TRANSFER)
"""Acts that need words."""

BUTTONS = (StaffAct.TAKE, StaffAct.REPLY, StaffAct.HAND_BACK, StaffAct.RESOLVE)
"""What stands under the header."""

_TYPED = re.compile(r"!([A-Za-z]{1,16})(?:\s+|$)")

log = structlog.get_logger("imconnect.discord")


class DiscordStaffRoom:
    """One forum. Every post is a conversation's, but for the one in which the room as a whole is told."""

    def __init__(self, connected: Connected, forum: int, archive: Archive) -> None:
        self._connected = connected
        self._forum = forum
        self._archive = archive
        self._kit: Kit | None = None
        self._seen: tuple[float, discord.ForumChannel] | None = None
        self._begun: dict[str, str] = {}
        self._tagging = asyncio.Lock()
        self._may_make_tags = True

    @property
    def room(self) -> str:
        """The forum by its id."""
        return str(self._forum)

    def equip(self, kit: Kit) -> None:
        """Have the pack's words and a memory. Called before anything is opened."""
        self._kit = kit

    async def open(self, header: Header) -> str:
        """Make a post, with the header as what it starts with. After an answer that went unheard a second one may be
        made; the first is never used then."""
        forum = await self._the_forum()
        tags = await self._tags_for(forum, header)
        made = await self._archive.with_room(
            lambda: done(
                forum.create_thread(
                    name=f"{header.reference} · {header.title}"[:NAME_LIMIT],
                    content=_short(header.text),
                    applied_tags=tags,
                    view=self._buttons(header),
                    allowed_mentions=PLAIN,
                )
            )
        )
        self._begun[str(made.thread.id)] = str(made.message.id)
        return str(made.thread.id)

    async def head(self, topic: str, head: str | None, header: Header) -> str:
        """The header as the message the post starts with, rewritten in place, and the tags that go with it."""
        thread = await self._thread(topic)
        await self._put_in_order(thread, header)
        # A post starts with the message of its own id (docs.discord.com/developers/topics/threads#forums).
        standing = head or self._begun.pop(topic, topic)
        try:
            await self._edit(topic, standing, _short(header.text), self._buttons(header))
        except MessageGone:
            return await self._say(topic, _short(header.text), self._buttons(header))
        return standing

    async def post(self, topic: str, text: str) -> tuple[str, ...]:
        return tuple([await self._say(topic, part) for part in split(text, TEXT_LIMIT)])

    async def revise(self, topic: str, posted: tuple[str, ...], text: str) -> tuple[str, ...]:
        """Rewrite what was posted; parts that are no longer needed are removed."""
        parts = split(text, TEXT_LIMIT)
        kept: list[str] = []
        for number, part in enumerate(parts):
            if number >= len(posted):
                kept.append(await self._say(topic, part))
                continue
            try:
                await self._edit(topic, posted[number], part)
            except MessageGone:
                kept.append(await self._say(topic, part))
            else:
                kept.append(posted[number])
        for old in posted[len(parts) :]:
            await self._remove(topic, old)
        return tuple(kept)

    async def answer(self, topic: str | None, text: str, to: str | None = None) -> None:
        """Answer a colleague under their message; without a topic, in the post of the room's notices."""
        if topic is None:
            await self._tell_all(text)
            return
        answered = to if to is not None and to.isdecimal() else None
        for part in split(text, TEXT_LIMIT):
            await self._say(topic, part, answering=answered)

    async def shut(self, topic: str) -> None:
        """Lock the post and put it into the archive."""
        thread = await self._thread(topic)
        if not (thread.archived and thread.locked):
            await self._change(thread, locked=True, archived=True)

    # ------------------------------------------------------------------------------------------------------- posts

    async def _the_forum(self) -> discord.ForumChannel:
        """The forum as it was a moment ago."""
        now = asyncio.get_running_loop().time()
        if self._seen is None or now - self._seen[0] > LOOKED_AT_EVERY:
            client = await self._connected()
            found = await done(client.fetch_channel(self._forum))
            if not isinstance(found, discord.ForumChannel):
                raise Undeliverable("discord.staff_channel is not a forum channel")
            self._seen = (now, found)
        return self._seen[1]

    async def _thread(self, topic: str) -> discord.Thread:
        """The post as Discord has it now. Raises `TopicGone`."""
        client = await self._connected()
        try:
            found = await done(client.fetch_channel(int(topic)))
        except Refused as refused:
            raise _gone(refused) from None
        if not isinstance(found, discord.Thread):
            raise TopicGone("the post was deleted")
        return found

    async def _change(self, thread: discord.Thread, **changes: Any) -> None:
        """Change the post itself; what needs the right to moderate is left out where the bot lacks it."""
        try:
            await self._archive.with_room(lambda: done(thread.edit(**changes)))
        except Refused as refused:
            if refused.code != MISSING_PERMISSIONS or "locked" not in changes:
                raise _gone(refused) from None
            await done(thread.edit(**{key: value for key, value in changes.items() if key != "locked"}))

    async def _put_in_order(self, thread: discord.Thread, header: Header) -> None:
        """Open the post if the conversation goes on, and give it the tags that fit; without need nothing is sent."""
        if thread.archived and header.stage is Stage.RESOLVED:
            return  # it stays in the archive; the header is not rewritten there for tags alone
        forum = await self._the_forum()
        tags = await self._tags_for(forum, header)
        changes: dict[str, Any] = {}
        if thread.archived:
            changes["archived"] = False
        if thread.locked:
            changes["locked"] = False
        if {tag.id for tag in thread.applied_tags} != {tag.id for tag in tags}:
            changes["applied_tags"] = tags
        if changes:
            await self._change(thread, **changes)

    async def _tell_all(self, text: str) -> None:
        """In one post for all such notices, which is found again after a restart and made where there is none."""
        kept = (await self._kit.recall(NOTICES)).get(NOTICES) if self._kit is not None else None
        if kept is not None:
            try:
                await self._say(kept.value, text)
            except TopicGone:
                log.info("post of the notices is gone")
            else:
                return
        forum = await self._the_forum()
        name = self._label("discord_notices")[:NAME_LIMIT]
        made = await self._archive.with_room(
            lambda: done(forum.create_thread(name=name, content=_short(text), allowed_mentions=PLAIN))
        )
        if self._kit is not None:
            await self._kit.remember(NOTICES, str(made.thread.id))

    # -------------------------------------------------------------------------------------------------------- tags

    async def _tags_for(self, forum: discord.ForumChannel, header: Header) -> list[discord.ForumTag]:
        """Category, priority and stage, as tags of the forum; those that cannot be made are left out."""
        if self._kit is None:
            return []
        topic = self._kit.playbook.topics.get(header.topic or "")
        slugs = [f"category_{topic.category}"] if topic is not None else []
        wanted = self._tag_names([*slugs, f"priority_{header.priority.word}", f"stage_{header.stage.value}"])
        there = {tag.name: tag for tag in forum.available_tags}
        if not there.keys() >= set(wanted) and self._may_make_tags and len(there) < MOST_TAGS:
            there = await self._make_tags(wanted)
        return [there[name] for name in wanted if name in there]

    def _tag_names(self, slugs: Iterable[str]) -> list[str]:
        if self._kit is None:
            return []
        labels = self._kit.playbook.labels[self._kit.playbook.default_language]
        return [labels[slug][:TAG_LIMIT] for slug in slugs if slug in labels]

    async def _make_tags(self, first: Sequence[str]) -> dict[str, discord.ForumTag]:
        """All tags there can be, *first* those needed now: a forum's tags are written as one list."""
        async with self._tagging:
            self._seen = None  # as it is now, not as it was
            forum = await self._the_forum()
            if self._kit is None:
                return {}
            there = list(forum.available_tags)
            categories = sorted({f"category_{topic.category}" for topic in self._kit.playbook.topics.values()})
            every = [
                *(f"priority_{one.word}" for one in Priority),
                *(f"stage_{one.value}" for one in Stage),
                *categories,
            ]
            known = {tag.name for tag in there}
            new = [name for name in dict.fromkeys([*first, *self._tag_names(every)]) if name not in known]
            there += [discord.ForumTag(name=name) for name in new[: MOST_TAGS - len(there)]]
            try:
                changed = await done(forum.edit(available_tags=there)) if new else forum
            except Refused as refused:
                # Without the right to manage the forum there are the tags somebody made by hand.
                self._may_make_tags = refused.code not in (MISSING_PERMISSIONS, MISSING_ACCESS)
                log.info("tags not made", says=refused.reason)
                changed = forum
            self._seen = (asyncio.get_running_loop().time(), changed or forum)
            return {tag.name: tag for tag in self._seen[1].available_tags}

    # ---------------------------------------------------------------------------------------------------- messages

    def _label(self, slug: str) -> str:
        if self._kit is None:
            raise TryLater("the desk is not ready yet")
        return self._kit.playbook.label(slug, self._kit.playbook.default_language)

    def _buttons(self, header: Header) -> discord.ui.View:
        """What can be done by a press, while the conversation goes on."""
        view = discord.ui.View(timeout=None)
        for act in BUTTONS if self._kit is not None and header.stage is not Stage.RESOLVED else ():
            view.add_item(discord.ui.Button(label=self._label(f"discord_{act.value}"), custom_id=PREFIX + act.value))
        return lasting(view)

    async def _say(
        self, topic: str, text: str, view: discord.ui.View | None = None, answering: str | None = None
    ) -> str:
        """Write into the post: Discord takes it out of the archive for that, unless it is locked."""
        where = (await self._connected()).get_partial_messageable(int(topic))
        # Without previews: nobody who works here should fetch a page that a customer was sent to.
        extras: dict[str, Any] = {"allowed_mentions": PLAIN, "suppress_embeds": True}
        if view is not None:
            extras["view"] = view
        if answering is not None:
            extras["reference"] = discord.MessageReference(
                message_id=int(answering), channel_id=int(topic), fail_if_not_exists=False
            )

        async def say() -> str:
            return str((await done(where.send(text, **extras))).id)

        return await self._opened_if_need_be(topic, say)

    async def _edit(self, topic: str, message: str, text: str, view: discord.ui.View | None = None) -> None:
        where = (await self._connected()).get_partial_messageable(int(topic)).get_partial_message(int(message))
        shown = view if view is not None else discord.utils.MISSING

        async def edit() -> str:
            await done(where.edit(content=text, view=shown, allowed_mentions=PLAIN))
            return message

        await self._opened_if_need_be(topic, edit)

    async def _remove(self, topic: str, message: str) -> None:
        where = (await self._connected()).get_partial_messageable(int(topic)).get_partial_message(int(message))

        async def remove() -> str:
            await done(where.delete())
            return message

        try:
            await self._opened_if_need_be(topic, remove)
        except MessageGone:
            return

    async def _opened_if_need_be(self, topic: str, act: Callable[[], Awaitable[str]]) -> str:
        """*act*, once more after the post was taken out of the archive (50083). Raises `TopicGone`, `MessageGone`."""
        try:
            return await self._archive.with_room(act)
        except Refused as refused:
            if refused.code not in (THREAD_ARCHIVED, THREAD_LOCKED):
                raise _gone(refused) from None
        await self._change(await self._thread(topic), archived=False, locked=False)
        try:
            return await act()
        except Refused as refused:
            raise _gone(refused) from None


class MessageGone(Exception):
    """What was posted is not there any more."""


def _gone(refused: Refused) -> Exception:
    if refused.code == UNKNOWN_CHANNEL:
        return TopicGone("the post was deleted")
    if refused.code == UNKNOWN_MESSAGE:
        return MessageGone()
    return refused


def _short(text: str) -> str:
    return split(text, TEXT_LIMIT)[0] if text.strip() else "…"


# -------------------------------------------------------------------------------------------------- what colleagues do


@dataclass(frozen=True, slots=True)
class Staff:
    """Who acts where: the bot's *account*, the *forum*, the role of agents (None: everybody who sees the forum), and
    whether every message there is a reply or only what follows a command."""

    account: str
    forum: int
    agent_role: int | None = None
    replies: Literal["command", "any"] = "command"

    def is_agent(self, user: discord.User | discord.Member) -> bool:
        """By the role's id, never by a name. Whom the desk knows as an agent is settled by the desk, by id."""
        if user.bot or not isinstance(user, discord.Member):
            return False
        return self.agent_role is None or any(role.id == self.agent_role for role in user.roles)

    def is_post(self, channel: object) -> bool:
        return isinstance(channel, discord.Thread) and channel.parent_id == self.forum

    def word_of(self, message: discord.Message) -> StaffWord | None:
        """What a colleague does by writing in a post; None for talk among colleagues, for bots and for webhooks.

        Read from the history a message has no roles: its author must have been made a member first.
        """
        if message.webhook_id is not None or not self.is_post(message.channel) or not self.is_agent(message.author):
            return None
        if message.type not in (discord.MessageType.default, discord.MessageType.reply):
            return None
        text = message.content.strip()
        found = _TYPED.match(text)
        act = STAFF_COMMANDS.get(found[1].lower()) if found is not None else None
        if found is not None and act is not None:
            text = text[found.end() :]
        elif self.replies == "any" and found is None and text:
            act = StaffAct.REPLY
        if act is None:
            return None
        return self.word(str(message.id), message.channel.id, author(message.author), act, text)

    def word(self, name: str, topic: int, who: Handle, act: StaffAct, text: str) -> StaffWord:
        """What *who* did in the post *topic*."""
        return StaffWord(name, CHANNEL, self.account, str(self.forum), str(topic), who, act, text.strip())


class StaffDoor:
    """What colleagues press, fill in or type after a slash. *hear* stores a word; raises `TryLater`."""

    def __init__(self, staff: Staff, playbook: Playbook, hear: Callable[[StaffWord], Awaitable[None]]) -> None:
        self._staff = staff
        self._playbook = playbook
        self._hear = hear

    def minds(self, asked: discord.Interaction) -> bool:
        """Whether *asked* is the staff's: to be given to `take`, and to nobody else."""
        if asked.type is discord.InteractionType.application_command:
            return str(about(asked).get("name", "")) in STAFF_COMMANDS
        return custom_id(asked).startswith(PREFIX)

    async def take(self, asked: discord.Interaction) -> None:
        """Do what *asked* says, once; whoever may not is told so, alone."""
        if not self._staff.is_agent(asked.user):
            await tell(asked, self._label("discord_not_staff"))
            return
        if not self._staff.is_post(asked.channel) or asked.channel_id is None:
            await tell(asked, self._label("discord_not_here"))
            return
        act, text = self._meant(asked)
        if asked.type is discord.InteractionType.component and act in WORDED:
            await self._ask_words(asked, act)
            return
        quietly = asked.type is discord.InteractionType.component
        await acknowledge(asked, thinking=not quietly)
        word = self._staff.word(f"i{asked.id}", asked.channel_id, author(asked.user), act, text)
        try:
            await self._hear(word)
        except TryLater:
            await tell(asked, self._playbook.notice("busy", self._playbook.default_language))
            return
        if not quietly:
            await tell(asked, self._label("discord_recorded"))

    def _meant(self, asked: discord.Interaction) -> tuple[StaffAct, str]:
        if asked.type is discord.InteractionType.application_command:
            return STAFF_COMMANDS[str(about(asked)["name"])], option(asked, "text")
        return StaffAct(custom_id(asked).removeprefix(PREFIX)), filled_in(asked).get("text", "")

    async def _ask_words(self, asked: discord.Interaction, act: StaffAct) -> None:
        form = discord.ui.Modal(title=self._label(f"discord_{act.value}")[:45], custom_id=PREFIX + act.value)
        field = discord.ui.TextInput[Any](custom_id="text", style=discord.TextStyle.paragraph, max_length=4000)
        form.add_item(discord.ui.Label[Any](text=self._label("discord_option_text")[:45], component=field))
        form.stop()  # what is filled in is read by custom id, after any restart
        try:
            await done(asked.response.send_modal(form))
        except (TryLater, Refused):
            log.info("form not shown")

    def _label(self, slug: str) -> str:
        return self._playbook.label(slug, self._playbook.default_language)
