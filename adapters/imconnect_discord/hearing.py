"""What people say and do on Discord, each at the address where it belongs."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

import discord
import structlog

from imconnect.domain.drafting import PRIVATE
from imconnect.domain.messages import Address, Handle, Incoming, Remark
from imconnect.ports import Deliver, Item, Kit, Mark, StaffWord, TryLater, Undeliverable
from imconnect_discord.asked import acknowledge, author, chosen, custom_id, language_of
from imconnect_discord.commands import offer_commands
from imconnect_discord.directs import DIRECT, Directs
from imconnect_discord.gateway import Gateway
from imconnect_discord.history import ChannelHistory, PostHistory, begins_at, readable
from imconnect_discord.lanes import LAST, Lane, Lanes, Live
from imconnect_discord.panel import Panel
from imconnect_discord.refusals import done
from imconnect_discord.safety import Gate, LinkWatch, NotAdmitted, looks_like_ours, remarks_on
from imconnect_discord.settings import DiscordSettings
from imconnect_discord.staff import DiscordStaffRoom, Staff, StaffDoor
from imconnect_discord.threads import Full, Threads
from imconnect_discord.translate import (
    CHANNEL,
    Said,
    addressed,
    direct_peer,
    edit,
    incoming,
    is_ours,
    key_of,
    place_of,
    public_peer,
    read,
    removed,
    threads_peer,
    unreadable,
    without_mention,
    words_on,
)
from imconnect_discord.wire import Line

PRESSED_WITHIN = 2.0
"""Seconds a press may take to be stored; after three the client says that it failed, and it is pressed again."""

UNHEARD_FOR = timedelta(hours=1)
"""How far back somebody is read who is met the first time: a first message may have been told just before a crash."""

TURNED_AWAY_EVERY = timedelta(hours=1)
MOST_REMEMBERED = 5_000

Raw = Mapping[str, Any]

log = structlog.get_logger("imconnect.discord")


class Hearing:
    """Reads every event of the gateway and every history. What is for the desk is delivered in each channel's order."""

    def __init__(
        self,
        settings: DiscordSettings,
        line: Line,
        kit: Kit,
        threads: Threads,
        directs: Directs,
        staff_room: DiscordStaffRoom | None,
    ) -> None:
        self._settings = settings
        self._line = line
        self._kit = kit
        self._threads = threads
        self._directs = directs
        self._staff_room = staff_room
        self._account = settings.bot_id
        self._gate = Gate(frozenset(settings.blocked_users), settings.min_account_days)
        self._panel = Panel(line.client, kit, self._account, settings.support_channel, self._gate, self)
        self._lanes = Lanes(CHANNEL, self._account, kit.now)
        self._marks: dict[int, tuple[int, Any]] = {}
        self._bot = 0
        self._ours: tuple[str, ...] = settings.staff_names
        self._gateway: Gateway | None = None
        self._deliver: Deliver | None = None
        self._links: LinkWatch | None = None
        self._staff: Staff | None = None
        self._staff_door: StaffDoor | None = None
        self._authors: OrderedDict[int, Handle] = OrderedDict()
        self._erased: OrderedDict[int, None] = OrderedDict()
        self._turned_away: OrderedDict[int, Any] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        if settings.staff_channel is not None:
            self._staff = Staff(self._account, settings.staff_channel, settings.agent_role, settings.replies)
            self._staff_door = StaffDoor(self._staff, kit.playbook, self._hear)

    async def recall(self) -> None:
        """Remember up to where each channel was heard. Raises `TryLater`."""
        for name, kept in (await self._kit.recall(LAST)).items():
            self._marks[int(name.removeprefix(LAST))] = int(kept.value), kept.at
        support = self._settings.support_channel
        if support is not None and support not in self._marks:
            now = self._kit.now()
            begin = discord.utils.time_snowflake(now)
            await self._kit.remember(f"{LAST}{support}", str(begin))
            self._marks[support] = begin, now

    async def begin(self, gateway: Gateway, deliver: Deliver) -> None:
        """Hear through *gateway* from now on, which is logged in. Raises `TryLater`."""
        self._gateway, self._deliver = gateway, deliver
        self._bot = await self._line.bot_id()
        if gateway.user is not None:
            self._ours = (*self._settings.staff_names, gateway.user.display_name)
        self._lanes.open(deliver)
        for thread in self._threads.known:
            self._kept(thread, thread)
        for channel, person in self._directs.known.items():
            self._direct_lane(channel, person)
        if self._settings.support_channel is not None:
            self._public_lane(self._settings.support_channel)
        if self._staff is not None:
            for channel in self._marks:
                self._post_lane(channel)  # those that are something else have a lane already

    async def end(self) -> None:
        """Hear nothing more."""
        self._deliver = self._gateway = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lanes.close()

    # -------------------------------------------------------------------------------------------------------- events

    def told(self, event: str, raw: Raw) -> None:
        """One event, as the gateway sent it."""
        match event:
            case "READY":
                self._lanes.fall_behind()  # a new session tells nothing of what was before it
            case "MESSAGE_CREATE":
                self._created(raw)
            case "MESSAGE_UPDATE":
                self._changed(raw)
            case "MESSAGE_DELETE":
                self._deleted(int(raw["channel_id"]), int(raw["id"]))
            case "MESSAGE_DELETE_BULK":
                for message in raw["ids"]:
                    self._deleted(int(raw["channel_id"]), int(message))
            case "THREAD_DELETE" | "CHANNEL_DELETE":
                self._gone(int(raw["id"]))
            case _:
                pass

    def _created(self, raw: Raw) -> None:
        try:
            said = read(raw)
        except Exception as error:  # one strange message must not stop the others
            self._aside(self._set_aside(unreadable(raw, self._account, type(error).__name__)))
            return
        if said is None or said.by_machine:
            return
        lane = self._lane_of(said, private=raw.get("guild_id") is None)
        if lane is not None and (items := self._bring(said, lane.channel)):
            self._lanes.tell(lane, Live(items, said.id))

    def _changed(self, raw: Raw) -> None:
        """An edit; an update that says nothing of the words, or of when they were changed, is none."""
        if "content" not in raw or not raw.get("edited_timestamp"):
            return
        if self._links is not None:
            self._aside(self._look_again(self._links, raw))
        said = readable(raw)
        if said is None or said.by_machine:
            return
        lane = self._lane_of(said, private=raw.get("guild_id") is None)
        if lane is not None and (items := self._change(said, lane.channel)):
            self._lanes.tell(lane, Live(items))

    def _deleted(self, channel: int, message: int) -> None:
        """Somebody took a message back. Who is not told: only of customers' own messages it matters to the desk."""
        person = self._threads.owner(channel) or self._directs.known.get(channel)
        if person is None or message in self._erased or not self._lanes.has_heard(channel, message):
            return
        lane = self._lane(channel)
        handle = self._authors.get(person)
        if lane is None or handle is None:
            return
        private = channel in self._directs.known
        address = self._address(direct_peer(person) if private else threads_peer(person))
        self._lanes.tell(lane, Live([removed(channel, message, address, handle, self._kit.now())]))

    def _gone(self, channel: int) -> None:
        if self._threads.owner(channel) is not None:
            self._aside(self._threads.forget(channel))
        if self._lanes.knows(channel):
            self._lanes.drop(channel)
            self._aside(self._kit.remember(f"{LAST}{channel}", None))

    def erasing(self, message: int) -> None:
        """We remove that message ourselves: that it is gone will be no news."""
        _keep(self._erased, message, None)

    async def _look_again(self, links: LinkWatch, raw: Raw) -> None:
        await links.look_again(raw)

    async def said(self, message: discord.Message) -> None:
        """A message as discord.py reads it: colleagues are heard, after what was missed of them; links are watched."""
        word = self._word_of(message)
        if word is not None:
            self._lanes.tell(self._post_lane(message.channel.id), Live([word], message.id))
        elif self._links is not None:
            await self._links.look(message)

    async def arrived(self) -> None:
        """The server is in sight: watch over it, and put everything in order there as long as we listen."""
        gateway = self._gateway
        if gateway is None:
            return
        self._links = LinkWatch(self._line.client, self._kit, self._is_watched, self._alert)
        forum = gateway.get_channel(self._settings.staff_channel or 0)
        if self._staff is not None and isinstance(forum, discord.ForumChannel):
            for post in forum.threads:
                self._post_lane(post.id)
        self._aside(self._put_in_order(forum.guild.id if isinstance(forum, discord.ForumChannel) else None))

    async def _put_in_order(self, guild: int | None) -> None:
        """The threads, the panel, the commands. What cannot be done is told, and hinders nothing."""

        async def offer() -> None:
            await offer_commands(await self._line.client(), self._kit, guild)

        for what, work in (("sweep", self._sweep), ("panel", self._panel.put_up), ("commands", offer)):
            try:
                await work()
            except (TryLater, Undeliverable) as error:
                log.warning("not put in order", what=what, says=error.reason)

    async def _sweep(self) -> None:
        """Threads whose opening was cut off: what was written there meanwhile is heard now."""
        for thread in await self._threads.sweep():
            self._lanes.catch_up(self._kept(thread, thread))

    # --------------------------------------------------------------------------------------------------------- lanes

    def _lane_of(self, said: Said, *, private: bool) -> Lane | None:
        """The lane of the channel it was said in; None where nothing of it is the desk's."""
        owner = self._threads.owner(said.channel)
        if owner is not None:
            return self._kept(said.channel, said.channel)
        if private:
            return self._direct_lane(said.channel, said.member, said.id)
        if self._is_staffs(said.channel) or not self._is_for_us(said):
            return None
        return self._public_lane(said.channel)

    def _lane(self, channel: int) -> Lane | None:
        if self._threads.owner(channel) is not None:
            return self._kept(channel, channel)
        if (person := self._directs.known.get(channel)) is not None:
            return self._direct_lane(channel, person)
        return None

    def _direct_lane(self, channel: int, person: int, said: int | None = None) -> Lane:
        """The lane of somebody's private messages; of one who is new, with what came just before the message *said*."""
        if said is None or channel in self._directs.known:
            return self._kept(channel, channel)
        self._directs.hold(person, channel)
        lately = discord.utils.time_snowflake(self._kit.now() - UNHEARD_FOR)
        lane = self._kept(channel, min(said - 1, max(channel, lately)))
        self._lanes.catch_up(lane)
        return lane

    def _public_lane(self, channel: int) -> Lane:
        """Only the support channel is caught up with: elsewhere a question that waited is no longer for us."""
        if channel == self._settings.support_channel:
            return self._kept(channel, channel)
        return self._lanes.keep(channel, None, 0, self._kit.now())

    def _kept(self, channel: int, begin: int) -> Lane:
        """A lane with a history, which begins where it was last heard, else after the message *begin*."""
        mark, marked = self._marks.get(channel, (begin, begins_at(begin)))

        def bring(said: Said) -> Sequence[Item]:
            return self._bring(said, channel)

        def change(said: Said) -> Sequence[Item]:
            return self._change(said, channel)

        history = ChannelHistory(self._line, self._account, channel, bring, change)
        return self._lanes.keep(channel, history, mark, marked)

    def _post_lane(self, post: int) -> Lane:
        """The lane of a post; one that is met the first time is read from its beginning."""
        known = self._lanes.knows(post)
        mark, marked = self._marks.get(post, (post, begins_at(post)))
        history = PostHistory(self._line, post, self._word_of)
        lane = self._lanes.keep(post, history, mark, marked)
        if not known:
            self._lanes.catch_up(lane)
        return lane

    def _word_of(self, message: discord.Message) -> StaffWord | None:
        return self._staff.word_of(message) if self._staff is not None else None

    def _is_watched(self, channel: int) -> bool:
        """Whether links to fake sites go from there: from the support channel and, where it is set, from every other
        in which members read along; never from where a case is told of, or from colleagues' posts."""
        found = self._gateway.get_channel(channel) if self._gateway is not None else None
        if isinstance(found, discord.Thread) and (found.is_private() or self._is_staffs(channel)):
            return False
        if not isinstance(found, discord.abc.GuildChannel | discord.Thread):
            return False
        at = found.parent_id if isinstance(found, discord.Thread) else found.id
        return self._settings.remove_links or at == self._settings.support_channel

    def _is_staffs(self, channel: int) -> bool:
        found = self._gateway.get_channel(channel) if self._gateway is not None else None
        return self._staff is not None and self._staff.is_post(found)

    # --------------------------------------------------------------------------------------------------------- items

    def _bring(self, said: Said, channel: int) -> Sequence[Item]:
        """What a message brings to the desk: nothing, if it is not a customer's or they are kept out."""
        found = self._place(said, channel)
        if found is None:
            return ()
        address, text = found
        message = incoming(said, address, self._remarks(said), text=text)
        if place_of(address.peer).direct:
            return (message, Mark(CHANNEL, self._account, f"{DIRECT}{said.member}", str(channel)))
        return (message,)

    def _change(self, said: Said, channel: int) -> Sequence[Item]:
        found = self._place(said, channel)
        if found is None:
            return ()
        return (edit(said, found[0], self._remarks(said), text=found[1]),)

    def _place(self, said: Said, channel: int) -> tuple[Address, str] | None:
        """At which address it was said, and its words without the bot's name; None where it is not for the desk."""
        if said.by_machine:
            return None
        owner = self._threads.owner(channel)
        if owner is not None:
            found = (self._address(threads_peer(owner)), said.text) if said.member == owner else None
        elif channel in self._directs.known:
            found = (self._address(direct_peer(said.member)), said.text)
        elif self._is_for_us(said):
            words = without_mention(said.text, self._bot)
            found = (self._address(public_peer(channel, said.member)), words)
        else:
            found = None
        if found is None:
            return None
        kept_out = self._gate.keeps_out(said.member, self._kit.now())
        if kept_out is not None:
            self._turn_away(said.member, channel, kept_out)
            return None
        if owner is not None:
            self._threads.seen(channel)
        _keep(self._authors, said.member, said.author)
        return found

    def _is_for_us(self, said: Said) -> bool:
        """Whether what is said where others read along is for the desk: what is addressed to it; in the support channel
        what a member says to nobody else; and anywhere what gives a secret away, so that it can be removed."""
        if addressed(said, self._bot):
            return True
        to_nobody = said.channel == self._settings.support_channel and not said.mentions and said.answers is None
        if to_nobody and self._settings.agent_role not in said.roles:
            return True
        return self._kit.leaks(said.text)  # last: the guard's look is the dearest

    def _remarks(self, said: Said) -> tuple[Remark, ...]:
        doubtful = any(looks_like_ours(name, self._ours) for name in said.names)
        return (Remark.LOOKALIKE_SENDER,) if doubtful else ()

    def _address(self, peer: str) -> Address:
        return Address(CHANNEL, self._account, peer)

    def _turn_away(self, member: int, channel: int, why: NotAdmitted) -> None:
        """Tell them now and then that they are not served."""
        now, told = self._kit.now(), self._turned_away.get(member)
        if told is None or now - told > TURNED_AWAY_EVERY:
            _keep(self._turned_away, member, now)
            self._aside(self._refuse(channel, why))

    async def _refuse(self, channel: int, why: NotAdmitted) -> None:
        label, days = self._kit.playbook.label, self._gate.min_account_days
        words = [
            label("discord_too_new", language, days=days)
            if why is NotAdmitted.TOO_NEW
            else label("discord_refused", language)
            for language in self._kit.playbook.labels
        ]
        where = (await self._line.client()).get_partial_messageable(channel)
        await done(where.send("\n".join(words)))

    # -------------------------------------------------------------------------------------------------- interactions

    async def asked(self, asked: discord.Interaction) -> None:
        """A press, a form or a command: to whose it is."""
        if self._deliver is None:
            return
        if self._staff_door is not None and self._staff_door.minds(asked):
            await self._staff_door.take(asked)
        elif self._panel.minds(asked):
            await self._panel.take(asked)
        elif asked.type is discord.InteractionType.component and is_ours(custom_id(asked)):
            await self._pressed(asked)
        elif asked.type is not discord.InteractionType.autocomplete and await self._panel.admits(asked):
            await self._panel.offer_again(asked)

    async def _pressed(self, asked: discord.Interaction) -> None:
        """A choice under something we said. It is acknowledged once it is stored; else it is pressed again."""
        carried = chosen(asked) or custom_id(asked)
        key = key_of(carried)
        if key == PRIVATE:
            await self._panel.lead_private(asked)
            return
        if not await self._panel.admits(asked):
            return
        owner = self._threads.owner(asked.channel_id or 0)
        if asked.guild_id is not None and owner != asked.user.id:
            if owner is None:
                await self._panel.offer_again(asked)
            else:
                await acknowledge(asked, thinking=False)  # a colleague pressed: customers choose for themselves
            return
        shown = {"components": [one.to_dict() for one in asked.message.components]} if asked.message else {}
        message = Incoming(
            id=f"i{asked.id}",
            address=self._address(direct_peer(asked.user.id) if owner is None else threads_peer(owner)),
            author=author(asked.user),
            text=words_on(shown, carried),
            sent_at=asked.created_at,
            choice=key,
            language_hint=language_of(asked),
            remarks=self.remarks_on(asked.user),
        )
        try:
            async with asyncio.timeout(PRESSED_WITHIN):
                await self.say(message)
        except (TimeoutError, TryLater):
            return
        await acknowledge(asked, thinking=False)

    # The panel's `Reception`.

    async def say(self, incoming: Incoming) -> None:
        """Store what a customer said by pressing or filling in, after all they wrote before. Raises `TryLater`."""
        place = place_of(incoming.address.peer)
        channel = await self._directs.open_for(place.member) if place.direct else self._threads.of(place.member)
        lane = self._lane(channel) if channel is not None else None
        if lane is None:
            await self._now()([incoming])
            return
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes.tell(lane, Live([incoming], stored=stored))
        try:
            await asyncio.shield(stored)
        except asyncio.CancelledError:
            if stored.cancelled():
                raise TryLater("the desk stops") from None
            raise

    async def open_thread(self, member_id: int) -> int:
        """The member's private thread, made if there is none. Raises `TryLater`, `Undeliverable`."""
        try:
            return await self._threads.open_for(member_id)
        except Full:
            raise TryLater("Discord allows no more threads") from None

    def thread_of(self, member_id: int) -> int | None:
        return self._threads.of(member_id)

    def remarks_on(self, user: discord.User | discord.Member) -> tuple[Remark, ...]:
        return remarks_on(user, self._ours)

    # --------------------------------------------------------------------------------------------------------- aside

    def _now(self) -> Deliver:
        if self._deliver is None:
            raise TryLater("the desk does not listen")
        return self._deliver

    async def _hear(self, word: StaffWord) -> None:
        await self._now()([word])

    async def _set_aside(self, item: Item) -> None:
        await self._now()([item])

    async def _alert(self, text: str) -> None:
        """Tell colleagues where they work."""
        if self._staff_room is not None:
            await self._staff_room.answer(None, text)

    def _aside(self, work: Coroutine[None, None, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except (TryLater, Undeliverable) as error:
                log.warning("not done", says=error.reason)

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _keep(kept: OrderedDict[int, Any], name: int, value: Any) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)
