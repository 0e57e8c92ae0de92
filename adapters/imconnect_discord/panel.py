"""The ways in that are pressed: the panel in the support channel, its forms, slash commands, the way into private."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import discord
import structlog

from imconnect.domain.drafting import COMMANDS, LANGUAGE_CHOICE, START, TOPIC_CHOICE
from imconnect.domain.messages import Address, Incoming, Language, Remark
from imconnect.domain.playbook import Detail, Playbook, Topic
from imconnect.domain.triage import HUMAN, QUEUE_STATUS, SECRET_LEAKED
from imconnect.ports import Kit, TryLater, Undeliverable
from imconnect_discord.asked import (
    about,
    acknowledge,
    author,
    chosen,
    custom_id,
    filled_in,
    language_of,
    lasting,
    option,
    tell,
)
from imconnect_discord.commands import CUSTOMER_COMMANDS
from imconnect_discord.refusals import UNKNOWN_MESSAGE, Refused, done
from imconnect_discord.safety import Gate, NotAdmitted
from imconnect_discord.translate import CHANNEL, direct_peer, threads_peer

PREFIX = "panel:"
"""Begins the custom ids of everything here: `panel:WHAT:LANGUAGE[:TOPIC[:FORM]]`."""

STANDING = "panel:"
"""The mark that says which message the panel is, and what it said last."""

MOST_FIELDS, TITLE_LIMIT, HINT_LIMIT, OPTION_LIMIT, MOST_OPTIONS = 5, 45, 100, 100, 25
FIELD_LIMIT = 700  # characters; five of them and their titles stay below the 4,000 of a message
HISTORY = 100
"""Messages of the channel in which a panel is looked for that was put up and not noted."""

FORM_GAP = timedelta(minutes=1)
"""A second form of the same member within this is one too many: it was opened twice."""

HELD_FOR, MOST_HELD = timedelta(minutes=15), 1_000
"""How long the good values of a form with wrong ones are held, in memory alone, and of how many forms."""

LOOKED_UP_WITHIN = 1.0
"""Seconds it may take to see what is known of a case: a form has to be shown within three."""

PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between tries at storing what was filled in: nobody delivers it a second time."""

NOT_ASKED = frozenset({"screenshot"})
"""Details no field can take."""

log = structlog.get_logger("imconnect.discord")


class Reception(Protocol):
    """What the panel needs of the channel it stands in."""

    async def say(self, incoming: Incoming) -> None:
        """Store what a customer said. Raises `TryLater`."""
        ...

    async def open_thread(self, member_id: int) -> int:
        """The member's private thread, made if there is none, however many ask at once. Raises `TryLater`,
        `Undeliverable`."""
        ...

    def thread_of(self, member_id: int) -> int | None:
        """The member's private thread, if one is known."""
        ...

    def remarks_on(self, user: discord.User | discord.Member) -> tuple[Remark, ...]:
        """What agents should know of who writes."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """A form that came back with wrong values: what was good in it, and what is asked again."""

    at: datetime
    good: Mapping[str, str] = field(repr=False)
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """What a custom id of ours says."""

    what: str
    language: Language
    topic: str = ""
    held: str = ""

    @property
    def custom_id(self) -> str:
        return PREFIX + ":".join(filter(None, (self.what, self.language.value, self.topic, self.held)))


def _form_of(name: str) -> _Form | None:
    parts = name.removeprefix(PREFIX).split(":")
    if not 2 <= len(parts) <= 4 or parts[1] not in list(Language):
        return None
    return _Form(parts[0], Language(parts[1]), *parts[2:])


class Panel:
    """Everything a member can press, fill in or type after a slash on their way to the desk.

    It keeps no state that matters: custom ids say all, so that what is old or came before a restart still works.
    """

    def __init__(
        self,
        connected: Callable[[], Awaitable[discord.Client]],
        kit: Kit,
        account: str,
        support_channel: int | None,
        gate: Gate,
        reception: Reception,
    ) -> None:
        self._connected = connected
        self._kit = kit
        self._account = account
        self._support_channel = support_channel
        self._gate = gate
        self._reception = reception
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._sent_at: OrderedDict[int, datetime] = OrderedDict()
        self._putting_up = asyncio.Lock()

    # ------------------------------------------------------------------------------------------- the panel itself

    async def put_up(self) -> None:
        """Have one panel stand in the support channel, as the pack has it now. Raises `TryLater`, `Undeliverable`."""
        if self._support_channel is None:
            return
        async with self._putting_up:
            mark, state = f"{STANDING}{self._support_channel}", self._state()
            kept = (await self._kit.recall(mark)).get(mark)
            noted, _, said = kept.value.partition(" ") if kept is not None else ("", "", "")
            if noted and await self._stands(noted, changed=said != state):
                standing = noted
            elif (found := await self._found()) and await self._stands(found, changed=True):
                standing = found
            else:
                standing = await self._post()
            if (standing, state) != (noted, said):
                await self._kit.remember(mark, f"{standing} {state}")

    async def _post(self) -> str:
        where = (await self._connected()).get_partial_messageable(self._support_channel or 0)
        plain = discord.AllowedMentions.none()
        return str((await done(where.send(self._says(), view=self._buttons(), allowed_mentions=plain))).id)

    async def _stands(self, message: str, *, changed: bool) -> bool:
        """Whether that message is there; brought up to date if it is not what it should be."""
        where = (await self._connected()).get_partial_messageable(self._support_channel or 0)
        there = where.get_partial_message(int(message))
        try:
            if changed:
                await done(there.edit(content=self._says(), view=self._buttons()))
            else:
                await done(there.fetch())
        except Refused as refused:
            if refused.code != UNKNOWN_MESSAGE:
                raise
            return False
        return True

    async def _found(self) -> str:
        """A panel of ours that nothing is noted of: put up right before a crash, or by a desk with another database."""
        client = await self._connected()
        where = client.get_partial_messageable(self._support_channel or 0)

        async def look() -> str:
            async for message in where.history(limit=HISTORY):
                mine = client.user is not None and message.author.id == client.user.id
                if mine and any(name.startswith(f"{PREFIX}help:") for name in _custom_ids(message)):
                    return str(message.id)
            return ""

        return await done(look())

    def _says(self) -> str:
        return "\n\n".join(dict.fromkeys(labels["discord_panel"] for labels in self._kit.playbook.labels.values()))

    def _state(self) -> str:
        labels = self._kit.playbook.labels.values()
        said = "\0".join([self._says(), *(one["discord_get_help"] for one in labels)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def _buttons(self) -> discord.ui.View:
        """One for each language of the pack."""
        view = discord.ui.View(timeout=None)
        for language, labels in self._kit.playbook.labels.items():
            view.add_item(
                discord.ui.Button(
                    label=labels["discord_get_help"],
                    custom_id=_Form("help", language).custom_id,
                    style=discord.ButtonStyle.primary,
                )
            )
        return lasting(view)

    # ------------------------------------------------------------------------------------------------ what is pressed

    def minds(self, asked: discord.Interaction) -> bool:
        """Whether *asked* is for this panel: to be given to `take`, and to nobody else."""
        if asked.type is discord.InteractionType.application_command:
            return str(about(asked).get("name", "")) in CUSTOMER_COMMANDS
        return custom_id(asked).startswith(PREFIX)

    async def take(self, asked: discord.Interaction) -> None:
        """Do what *asked* says. Who is kept out is told so, whatever way they try."""
        if not await self.admits(asked):
            return
        if asked.type is discord.InteractionType.application_command:
            await self._command(asked)
            return
        form = _form_of(custom_id(asked))
        steps = {"help": self._show_menu, "topic": self._show_form, "again": self._show_form, "form": self._submitted}
        if form is None or form.what not in steps:
            await self.offer_again(asked)
        else:
            await steps[form.what](asked, form)

    async def admits(self, asked: discord.Interaction) -> bool:
        """Whether who asks is served; if not they are told why, alone."""
        kept_out = self._gate.keeps_out(asked.user.id, self._kit.now())
        if kept_out is None:
            return True
        language = self._language(asked)
        if kept_out is NotAdmitted.TOO_NEW:
            await tell(asked, self._label("discord_too_new", language, days=self._gate.min_account_days))
        else:
            await tell(asked, self._label("discord_refused", language))
        return False

    async def offer_again(self, asked: discord.Interaction) -> None:
        """What was pressed is of no use any more: say so, and show the menu as it is now."""
        language = self._language(asked)
        await tell(asked, self._label("discord_expired", language), self._menu(language))

    async def lead_private(self, asked: discord.Interaction) -> None:
        """From where others read along into the private thread of who pressed; a new one begins with a welcome."""
        if not await self.admits(asked):
            return
        await acknowledge(asked, thinking=True)
        if self._reception.thread_of(asked.user.id) is None:
            await self._say(asked, "", START, self._language(asked))
        else:
            await self._tell_place(asked, "discord_open_case", self._language(asked))

    async def _show_menu(self, asked: discord.Interaction, form: _Form) -> None:
        thread = self._reception.thread_of(asked.user.id)
        text = self._label("discord_choose_topic", form.language)
        if thread is not None:
            text += "\n" + self._label("discord_open_case", form.language, place=f"<#{thread}>")
        await tell(asked, text, self._menu(form.language))

    def _menu(self, language: Language) -> discord.ui.View:
        """What it may be about: first what the pack's menu has."""
        playbook = self._kit.playbook
        view = discord.ui.View(timeout=None)
        menu = discord.ui.Select[Any](
            custom_id=_Form("topic", language).custom_id,
            placeholder=self._label("discord_choose_topic", language)[:OPTION_LIMIT],
        )
        for slug in offered(playbook):
            category = playbook.labels[language].get(f"category_{playbook.topics[slug].category}")
            title = playbook.article(slug, language).title[:OPTION_LIMIT]
            menu.add_option(label=title, value=slug, description=category)
        view.add_item(menu)
        return lasting(view)

    # ------------------------------------------------------------------------------------------------------- forms

    async def _show_form(self, asked: discord.Interaction, form: _Form) -> None:
        """Fields for what the topic that was chosen still lacks; of a form that came back, for what was wrong."""
        topic = self._kit.playbook.topics.get(form.topic or chosen(asked))
        if topic is None:
            await self.offer_again(asked)
            return
        held = self._held.get(form.held)
        names = held.wrong if held is not None else await self._lacking(asked, topic)
        if not names:
            await self._submit(asked, topic, {}, form.language)
            return
        known = form.held if held is not None else ""
        shown = discord.ui.Modal(
            title=self._kit.playbook.article(topic.slug, form.language).title[:TITLE_LIMIT],
            custom_id=_Form("form", form.language, topic.slug, known).custom_id,
        )
        for name in names:
            shown.add_item(_field(self._kit.playbook.details[name], form.language))
        if len(names) < MOST_FIELDS:
            shown.add_item(discord.ui.TextDisplay[Any](self._label("never_ask", form.language)))
        shown.stop()  # what is filled in is read by custom id, after any restart
        try:
            await done(asked.response.send_modal(shown))
        except (TryLater, Refused) as error:
            log.info("form not shown", says=error.reason)

    async def _lacking(self, asked: discord.Interaction, topic: Topic) -> tuple[str, ...]:
        """What a form asks for; everything, where it cannot be seen in time what is known already."""
        try:
            async with asyncio.timeout(LOOKED_UP_WITHIN):
                lacking = await self._kit.missing(self._address(asked), topic.slug)
        except (TryLater, TimeoutError):
            lacking = topic.details
        return asked_in_a_form(lacking, self._kit.playbook)

    async def _submitted(self, asked: discord.Interaction, form: _Form) -> None:
        """Check what was filled in; what is wrong is asked again, and what was good is not."""
        topic = self._kit.playbook.topics.get(form.topic)
        if topic is None:
            await self.offer_again(asked)
            return
        self._forget_old_forms()
        held = self._held.get(form.held)
        values = {name: value for name, value in filled_in(asked).items() if value}
        wrong = {name: told for name, value in values.items() if (told := self._problem(name, value, form.language))}
        good = {**(held.good if held is not None else {}), **{n: v for n, v in values.items() if n not in wrong}}
        if wrong:
            name = str(asked.id)
            self._held[name] = _Held(self._kit.now(), good, tuple(wrong))
            again = discord.ui.View(timeout=None)
            button = _Form("again", form.language, topic.slug, name)
            again.add_item(discord.ui.Button(label=self._label("retry", form.language), custom_id=button.custom_id))
            await tell(asked, "\n".join(wrong.values()), lasting(again))
            return
        if await self._submit(asked, topic, good, form.language):
            self._held.pop(form.held, None)

    def _problem(self, name: str, value: str, language: Language) -> str | None:
        """What is wrong with *value*, in the pack's words; None where nothing is, or any words will do."""
        detail = self._kit.playbook.details.get(name)
        if detail is None or detail.free:
            return None
        found = [spotted for spotted in self._kit.spot(value) if spotted.name == name]
        if any(spotted.problem is None for spotted in found):
            return None
        problems = [detail.problems[language].get(spotted.problem or "") for spotted in found]
        told = next((problem for problem in problems if problem), self._label("discord_unrecognised", language))
        return self._label("discord_wrong", language, title=detail.titles[language], problem=told)

    async def _submit(
        self, asked: discord.Interaction, topic: Topic, values: Mapping[str, str], language: Language
    ) -> bool:
        """Hand the form over as one message, once: a second one that was opened beside it is told so."""
        await acknowledge(asked, thinking=True)
        member, now = asked.user.id, self._kit.now()
        sent = self._sent_at.get(member)
        if sent is not None and now - sent < FORM_GAP:
            await self._tell_place(asked, "discord_already", language)
            return False
        self._sent_at[member] = now  # before it is stored: a second one may come meanwhile
        self._sent_at.move_to_end(member)
        titles = self._kit.playbook.details
        lines = [f"{titles[name].titles[language]}: {value}" for name, value in values.items() if name in titles]
        title = self._kit.playbook.article(topic.slug, language).title
        stored = await self._say(asked, "\n".join(lines) or title, TOPIC_CHOICE + topic.slug, language)
        if not stored:
            self._sent_at.pop(member, None)
        return stored

    def _forget_old_forms(self) -> None:
        now = self._kit.now()
        for name in [name for name, held in self._held.items() if now - held.at > HELD_FOR]:
            del self._held[name]
        while len(self._held) >= MOST_HELD:
            self._held.popitem(last=False)
        while self._sent_at and now - next(iter(self._sent_at.values())) > FORM_GAP:
            self._sent_at.popitem(last=False)

    # ---------------------------------------------------------------------------------------------------- commands

    async def _command(self, asked: discord.Interaction) -> None:
        """A slash command is what would be typed in its place, its arguments too."""
        name = str(about(asked)["name"])
        await acknowledge(asked, thinking=True)
        choice, words = COMMANDS[f"/{name}"], option(asked, "name")
        wanted = option(asked, "language")
        if wanted in list(Language):
            choice = LANGUAGE_CHOICE + wanted
        await self._say(asked, f"/{name} {wanted or words}".strip(), choice, self._language(asked))

    # --------------------------------------------------------------------------------------------------- the desk

    async def _say(self, asked: discord.Interaction, text: str, choice: str, language: Language) -> bool:
        """Store it, then tell where the answer comes; whether it was stored."""
        incoming = Incoming(
            id=f"i{asked.id}",
            address=self._address(asked),
            author=author(asked.user),
            text=text,
            sent_at=asked.created_at,
            choice=choice,
            language_hint=language,
            remarks=self._reception.remarks_on(asked.user),
        )
        for pause in (*PAUSES, None):
            try:
                await self._reception.say(incoming)
            except TryLater as later:
                if pause is None:
                    log.warning("interaction not stored", says=later.reason)
                    await tell(asked, self._kit.playbook.notice("busy", language))
                    return False
                await asyncio.sleep(pause)
            else:
                break
        if asked.guild_id is None:
            await self._conclude(asked)
        else:
            await self._tell_place(asked, "discord_received", language)
        return True

    def _address(self, asked: discord.Interaction) -> Address:
        """Where they are answered: in private what they do in private, else in their thread."""
        peer_of = direct_peer if asked.guild_id is None else threads_peer
        return Address(CHANNEL, self._account, peer_of(asked.user.id))

    async def _conclude(self, asked: discord.Interaction) -> None:
        """In private the answer comes right below: the sign that one is coming is taken away."""
        try:
            await done(asked.delete_original_response())
        except (TryLater, Refused) as error:
            log.debug("sign not removed", says=error.reason)

    async def _tell_place(self, asked: discord.Interaction, slug: str, language: Language) -> None:
        """Tell where the private thread is; if none can be opened now, that the answer comes all the same."""
        try:
            thread = await self._reception.open_thread(asked.user.id)
        except (TryLater, Undeliverable) as error:
            log.info("thread not open yet", says=error.reason)
            later = "discord_already_later" if slug == "discord_already" else "discord_received_later"
            await tell(asked, self._label(later, language))
        else:
            await tell(asked, self._label(slug, language, place=f"<#{thread}>"))

    # ------------------------------------------------------------------------------------------------------- words

    def _language(self, asked: discord.Interaction) -> Language:
        """That of what was pressed, else of their Discord, else the pack's."""
        form = _form_of(custom_id(asked)) if custom_id(asked).startswith(PREFIX) else None
        spoken = form.language if form is not None else language_of(asked)
        known = self._kit.playbook.labels
        return spoken if spoken is not None and spoken in known else self._kit.playbook.default_language

    def _label(self, slug: str, language: Language, **values: object) -> str:
        return self._kit.playbook.label(slug, language, **values)


def offered(playbook: Playbook) -> list[str]:
    """The topics a member can choose: the pack's menu, then the others by their urgency, a person at the end."""
    inner = {HUMAN, QUEUE_STATUS, SECRET_LEAKED}
    others = sorted(playbook.topics.values(), key=lambda topic: topic.priority)
    slugs = [*playbook.menu, *(topic.slug for topic in others)]
    listed = [slug for slug in dict.fromkeys(slugs) if slug in playbook.topics and slug not in inner]
    return [*listed[: MOST_OPTIONS - 1], HUMAN]


def asked_in_a_form(lacking: Iterable[str], playbook: Playbook) -> tuple[str, ...]:
    """Which of the *lacking* details a form asks for: the first of those that a field can take."""
    known = [name for name in lacking if name in playbook.details and name not in NOT_ASKED]
    return tuple(known[:MOST_FIELDS])


def _field(detail: Detail, language: Language) -> discord.ui.Label[Any]:
    """Nothing has to be filled in: what is not known now is asked for in the thread."""
    style = discord.TextStyle.paragraph if detail.free else discord.TextStyle.short
    entry = discord.ui.TextInput[Any](
        custom_id=detail.name, style=style, required=False, max_length=FIELD_LIMIT, placeholder=None
    )
    hint = detail.questions[language][:HINT_LIMIT]
    return discord.ui.Label[Any](text=detail.titles[language][:TITLE_LIMIT], description=hint, component=entry)


def _custom_ids(message: discord.Message) -> Iterable[str]:
    for row in message.components:
        for one in getattr(row, "children", ()):
            yield str(getattr(one, "custom_id", None) or "")
