"""Members come in by the panel: a button, a menu, a form; one conversation each, however they press."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import discord
import pytest
from tests.adapters.discord.front import Hall, in_front, line_to
from tests.worlds.discord import Asked, Limits, Member, Post, World, discord_world

from imconnect.domain.drafting import LANGUAGE_CHOICE, START, STATUS, VERIFY
from imconnect.domain.messages import Address, Language, Remark
from imconnect.ports import TryLater
from imconnect.testing.kit import MemoryKit
from imconnect.testing.makers import detail, topic
from imconnect_discord.asked import custom_id
from imconnect_discord.commands import offer_commands
from imconnect_discord.panel import Panel, asked_in_a_form, offered
from imconnect_discord.safety import Gate
from imconnect_discord.wire import Line

ACCOUNT = "42"
HASH = "0x" + "ab" * 32
BROKEN_HASH = "0x" + "cd" * 31


@pytest.fixture
async def world() -> AsyncGenerator[World]:
    async with discord_world(limits=Limits.none()) as opened:
        opened.channel("support")
        yield opened


@pytest.fixture
async def line(world: World) -> AsyncGenerator[Line]:
    opened = line_to(world)
    yield opened
    await opened.close()


@pytest.fixture
def kit() -> MemoryKit:
    return MemoryKit(moment=datetime.now(UTC))


@pytest.fixture
def hall(world: World, line: Line) -> Hall:
    return Hall(world, line, world.channel("support").id)


@dataclass(slots=True)
class Entrance:
    """The panel as members find it, and what came of them."""

    world: World
    kit: MemoryKit
    hall: Hall
    panel: Panel

    @property
    def post(self) -> Post:
        """The one panel there is."""
        [standing] = [post for post in self.world.channel("support").from_bot if not post.ephemeral]
        return standing

    def label(self, slug: str, language: Language = Language.ENGLISH, **values: object) -> str:
        return self.kit.playbook.label(slug, language, **values)

    async def menu(self, member: Member, language: Language = Language.ENGLISH) -> Post:
        """What the member is shown after the button."""
        asked = member.press(self.post, f"panel:help:{language.value}")
        return await asked.says(self.label("discord_choose_topic", language))

    async def form(self, member: Member, slug: str = "tx-not-received") -> Asked:
        """The form that the choice of a topic brings."""
        asked = member.select(await self.menu(member), slug)
        await asked.shows_form()
        return asked

    def threads(self) -> list[int]:
        return [thread.id for thread in self.world.channel("support").threads]


def a_panel(line: Line, kit: MemoryKit, hall: Hall, gate: Gate = Gate()) -> Panel:  # noqa: B008 - it is frozen
    return Panel(line.client, kit, ACCOUNT, hall.support, gate, hall)


@pytest.fixture
async def entrance(world: World, line: Line, kit: MemoryKit, hall: Hall) -> AsyncGenerator[Entrance]:
    there = Entrance(world, kit, hall, a_panel(line, kit, hall))

    async def asked(interaction: discord.Interaction) -> None:
        if there.panel.minds(interaction):
            await there.panel.take(interaction)
        elif interaction.type is discord.InteractionType.component:
            if custom_id(interaction) == "k:private":
                await there.panel.lead_private(interaction)
            else:
                await there.panel.offer_again(interaction)

    await there.panel.put_up()
    await offer_commands(await line.client(), kit, None)
    async with in_front(world, asked):
        yield there


# ---- the panel itself


async def test_the_panel_speaks_every_language_and_has_a_button_for_each(entrance: Entrance) -> None:
    for language in Language:
        assert entrance.label("discord_panel", language) in entrance.post.text
        assert entrance.label("discord_get_help", language) in entrance.post.buttons


async def test_a_restart_puts_up_no_second_panel(entrance: Entrance, line: Line, kit: MemoryKit, hall: Hall) -> None:
    before = entrance.post.id
    await a_panel(line, kit, hall).put_up()
    kit.kept.clear()  # as after a crash between putting it up and noting that
    await a_panel(line, kit, hall).put_up()
    await a_panel(line, kit, hall).put_up()

    assert entrance.post.id == before


async def test_another_wording_changes_the_panel_in_place(
    entrance: Entrance, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    before = entrance.post.id
    labels = {language: {**texts, "discord_panel": "new words"} for language, texts in kit.playbook.labels.items()}
    kit.playbook = replace(kit.playbook, labels=labels)
    await a_panel(line, kit, hall).put_up()

    assert (entrance.post.id, entrance.post.text) == (before, "new words")


async def test_a_panel_that_was_deleted_is_put_up_again_once(
    entrance: Entrance, line: Line, kit: MemoryKit, hall: Hall, world: World
) -> None:
    moderator = world.member("Moderator", roles=[world.role("Moderators", "manage_messages")])
    moderator.delete(entrance.post)
    await a_panel(line, kit, hall).put_up()
    again = entrance.post.id
    await a_panel(line, kit, hall).put_up()

    assert entrance.post.id == again


# ---- menu and form


async def test_the_menu_offers_the_packs_topics_to_its_maker_alone(entrance: Entrance, world: World) -> None:
    menu = await entrance.menu(world.member("Ann"))
    [values] = menu.selects.values()

    assert menu.ephemeral
    assert values == offered(entrance.kit.playbook)
    assert (values[0], values[-1]) == ("tx-not-received", "human")
    assert not {"secret-leaked", "queue-status"} & set(values)


def test_a_large_pack_offers_what_a_menu_holds_and_a_person_at_the_end(kit: MemoryKit) -> None:
    many = {f"t{number}": topic(f"t{number}") for number in range(40)}
    pack = replace(kit.playbook, topics={**many, **kit.playbook.topics})
    slugs = offered(pack)

    assert len(slugs) == len(set(slugs)) == 25
    assert slugs[-1] == "human"


async def test_the_form_asks_for_the_details_of_the_topic(entrance: Entrance, world: World) -> None:
    asked = await entrance.form(world.member("Ann"))
    form = asked.form or {}
    labels = [field["label"] for field in asked.fields.values()]

    assert list(asked.fields) == ["transaction_hash", "chain", "wallet_address"]
    assert len(form["title"]) <= 45
    assert all(len(label) <= 45 for label in labels)
    assert len(form["components"]) <= 5


def test_a_form_has_at_most_five_fields_and_none_for_pictures(kit: MemoryKit) -> None:
    names = [f"d{number}" for number in range(7)]
    details = {**kit.playbook.details, **{name: detail(name) for name in names}}
    pack = replace(kit.playbook, details=details)

    assert asked_in_a_form(["screenshot", *names], pack) == tuple(names[:5])


async def test_the_form_asks_for_nothing_that_is_known_of_the_open_case(
    entrance: Entrance, world: World, kit: MemoryKit
) -> None:
    ann, ben = world.member("Ann"), world.member("Ben")
    kit.known = {f"u{ann.id}": frozenset({"chain", "transaction_hash"})}
    anns, bens = await entrance.form(ann), await entrance.form(ben)

    assert list(anns.fields) == ["wallet_address"]
    assert list(bens.fields) == ["transaction_hash", "chain", "wallet_address"]


async def test_where_everything_is_known_no_form_is_shown(entrance: Entrance, world: World, kit: MemoryKit) -> None:
    ann = world.member("Ann")
    kit.known = {f"u{ann.id}": frozenset({"chain", "transaction_hash", "wallet_address"})}
    asked = ann.select(await entrance.menu(ann), "tx-not-received")
    [said] = await entrance.hall.has(1)
    await asked.says("<#")

    assert asked.form is None
    assert said.choice == "t:tx-not-received"


@pytest.mark.parametrize("trouble", [TryLater("the disk is full"), None], ids=["refused", "slow"])
async def test_where_it_cannot_be_seen_what_is_known_everything_is_asked_in_time(
    entrance: Entrance, world: World, kit: MemoryKit, monkeypatch: pytest.MonkeyPatch, trouble: TryLater | None
) -> None:
    """A form cannot be shown later than three seconds after it was asked for."""

    async def missing(_kit: MemoryKit, _address: Address, _topic: str) -> tuple[str, ...]:
        if trouble is not None:
            raise trouble
        await asyncio.sleep(60)
        return ()

    monkeypatch.setattr(MemoryKit, "missing", missing)
    monkeypatch.setattr("imconnect_discord.panel.LOOKED_UP_WITHIN", 0.05)
    asked = await entrance.form(world.member("Ann"))

    assert list(asked.fields) == ["transaction_hash", "chain", "wallet_address"]


async def test_a_form_becomes_one_message_of_the_member(entrance: Entrance, world: World) -> None:
    ann = world.member("Ann", locale="zh-CN")
    entrance.hall.remarks = (Remark.LOOKALIKE_SENDER,)
    sent = ann.submit(await entrance.form(ann), {"transaction_hash": HASH, "chain": "ethereum"})
    [said] = await entrance.hall.has(1)
    told = await sent.says("<#")
    [thread] = entrance.threads()
    titles = entrance.kit.playbook.details

    assert said.address == Address("discord", ACCOUNT, f"u{ann.id}")
    assert said.choice == "t:tx-not-received"
    assert said.text.splitlines() == [
        f"{titles['transaction_hash'].titles[Language.ENGLISH]}: {HASH}",
        f"{titles['chain'].titles[Language.ENGLISH]}: ethereum",
    ]
    assert (said.author.id, said.language_hint) == (str(ann.id), Language.ENGLISH)
    assert said.remarks == (Remark.LOOKALIKE_SENDER,)
    assert HASH not in repr(said)
    assert told.ephemeral
    assert told.text == entrance.label("discord_received", place=f"<#{thread}>")


async def test_a_topic_without_details_needs_no_form(entrance: Entrance, world: World) -> None:
    ann = world.member("Ann")
    ann.select(await entrance.menu(ann, Language.CHINESE), "human")
    [said] = await entrance.hall.has(1)

    assert (said.choice, said.language_hint) == ("t:human", Language.CHINESE)
    assert said.text == entrance.kit.playbook.article("human", Language.CHINESE).title


async def test_a_wrong_value_is_told_and_only_that_is_asked_again(entrance: Entrance, world: World) -> None:
    ann = world.member("Ann")
    sent = ann.submit(await entrance.form(ann), {"transaction_hash": BROKEN_HASH, "chain": "ethereum"})
    told = await sent.says(entrance.kit.playbook.details["transaction_hash"].titles[Language.ENGLISH])
    before = list(entrance.hall.taken)
    again = ann.press(told, entrance.label("retry"))
    await again.shows_form()
    ann.submit(again, {"transaction_hash": HASH})
    [said] = await entrance.hall.has(1)

    assert told.ephemeral
    assert BROKEN_HASH not in told.text
    assert before == []
    assert list(again.fields) == ["transaction_hash"]
    assert HASH in said.text
    assert "ethereum" in said.text
    assert BROKEN_HASH not in said.text


async def test_what_a_value_lacks_is_said_in_the_packs_words(entrance: Entrance, world: World, kit: MemoryKit) -> None:
    [spotted] = [one for one in kit.spot(BROKEN_HASH) if one.name == "transaction_hash"]
    problems = {language: {spotted.problem or "": f"sixty-four digits, {language}"} for language in Language}
    better = replace(kit.playbook.details["transaction_hash"], problems=problems)
    kit.playbook = replace(kit.playbook, details={**kit.playbook.details, "transaction_hash": better})
    ann = world.member("Ann")
    sent = ann.submit(await entrance.form(ann), {"transaction_hash": BROKEN_HASH})

    await sent.says("sixty-four digits, en")


async def test_a_form_asked_again_outlives_a_restart(
    entrance: Entrance, world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    """What was good is lost with the process, and then the whole form is asked again."""
    ann = world.member("Ann")
    sent = ann.submit(await entrance.form(ann), {"transaction_hash": BROKEN_HASH, "chain": "ethereum"})
    told = await sent.says()
    entrance.panel = a_panel(line, kit, hall)
    again = ann.press(told, entrance.label("retry"))
    await again.shows_form()

    assert list(again.fields) == ["transaction_hash", "chain", "wallet_address"]


async def test_a_form_filled_in_across_a_restart_arrives(
    entrance: Entrance, world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    ann = world.member("Ann")
    form = await entrance.form(ann)
    entrance.panel = a_panel(line, kit, hall)
    ann.submit(form, {"transaction_hash": HASH})
    [said] = await entrance.hall.has(1)

    assert HASH in said.text


async def test_what_was_filled_in_survives_a_store_that_is_away_for_a_moment(
    entrance: Entrance, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imconnect_discord.panel.PAUSES", (0.01, 0.01, 0.01))
    entrance.hall.away = 3
    ann = world.member("Ann")
    ann.submit(await entrance.form(ann), {"transaction_hash": HASH})
    [said] = await entrance.hall.has(1)

    assert HASH in said.text


async def test_who_could_not_be_stored_is_told_and_may_send_again_at_once(
    entrance: Entrance, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imconnect_discord.panel.PAUSES", (0.01,))
    entrance.hall.away = 2
    ann = world.member("Ann")
    form = await entrance.form(ann)
    sent = ann.submit(form, {"transaction_hash": HASH})
    await sent.says(entrance.kit.playbook.notice("busy", Language.ENGLISH))
    ann.submit(form, {"transaction_hash": HASH})
    said = await entrance.hall.has(1)

    assert len(said) == 1


async def test_a_response_that_discord_never_got_loses_nothing(entrance: Entrance, world: World) -> None:
    """The sign may be lost, what was filled in may not."""
    ann = world.member("Ann")
    form = await entrance.form(ann)
    world.faults.fail("POST /interactions/*/*/callback", 500, times=10)
    ann.submit(form, {"transaction_hash": HASH})
    [said] = await entrance.hall.has(1)

    assert HASH in said.text


async def test_what_takes_longer_than_a_follow_up_is_allowed_is_answered_by_the_bot_itself(
    entrance: Entrance, world: World, line: Line
) -> None:
    """An interaction can be followed up for fifteen minutes; the case, the thread and the answer need none of it."""
    ann = world.member("Ann")
    form = await entrance.form(ann)
    world.faults.slow("POST /channels/*/threads", 0.3)
    sent = ann.submit(form, {"transaction_hash": HASH})
    await entrance.hall.has(1)
    await sent.answered()
    world.later(timedelta(minutes=16))
    late = await world.until(lambda: world.asked("POST /webhooks/*/*"))
    [thread] = entrance.threads()
    client = await line.client()
    await client.get_partial_messageable(thread).send("the answer")

    assert [one.status for one in late] == [401]
    assert sent.posts == []
    assert (await ann.sees("the answer")).channel_id == thread


# ---- once each


async def test_two_presses_at_once_lead_to_one_conversation(entrance: Entrance, world: World) -> None:
    """D-07: within 50 ms, or from two devices; the second is shown where the first one is."""
    ann = world.member("Ann")
    first, second = await asyncio.gather(entrance.form(ann), entrance.form(ann))
    one = ann.submit(first, {"transaction_hash": HASH})
    two = ann.submit(second, {"transaction_hash": HASH})
    await asyncio.gather(one.says("<#"), two.says("<#"))
    [thread] = entrance.threads()

    assert len(entrance.hall.taken) == 1
    assert f"<#{thread}>" in (await two.says()).text
    assert f"<#{thread}>" in (await entrance.menu(ann)).text


async def test_ten_members_at_once_get_a_thread_each(entrance: Entrance, world: World) -> None:
    """D-07, for a crowd"""
    crowd = [world.member(f"Member {number}") for number in range(10)]
    sent = [member.submit(await entrance.form(member), {"transaction_hash": HASH}) for member in crowd]
    await asyncio.gather(*(one.says("<#") for one in sent))

    assert {said.address.peer for said in entrance.hall.taken} == {f"u{member.id}" for member in crowd}
    assert len(entrance.threads()) == 10


async def test_a_form_opened_twice_is_taken_once(entrance: Entrance, world: World) -> None:
    """D-08: limits are looked at when it is sent, not only when it is shown."""
    ann = world.member("Ann")
    first, second = await entrance.form(ann), await entrance.form(ann)
    await ann.submit(first, {"transaction_hash": HASH}).says("<#")
    told = await ann.submit(second, {"chain": "ethereum"}).says()
    thread = entrance.threads()[0]

    assert told.text == entrance.label("discord_already", place=f"<#{thread}>")
    assert len(entrance.hall.taken) == 1


async def test_a_later_form_is_taken_again(entrance: Entrance, world: World, kit: MemoryKit) -> None:
    """D-08, the other side: the limit is against doubles, not against members."""
    ann = world.member("Ann")
    await ann.submit(await entrance.form(ann), {"transaction_hash": HASH}).says("<#")
    kit.later(61)
    await ann.submit(await entrance.form(ann), {"chain": "ethereum"}).says("<#")

    assert len(entrance.hall.taken) == 2
    assert len(entrance.threads()) == 1


async def test_who_was_blocked_while_filling_in_is_refused(
    entrance: Entrance, world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    """D-08, for blocks"""
    eve = world.member("Eve")
    form = await entrance.form(eve)
    entrance.panel = a_panel(line, kit, hall, Gate(frozenset({eve.id})))
    told = await eve.submit(form, {"transaction_hash": HASH}).says()

    assert told.text == entrance.label("discord_refused")
    assert hall.taken == []


async def test_when_no_thread_can_be_opened_the_case_is_there_all_the_same(entrance: Entrance, world: World) -> None:
    """D-19, the member's half"""
    entrance.hall.full = True
    ann = world.member("Ann")
    told = await ann.submit(await entrance.form(ann), {"transaction_hash": HASH}).says()

    assert told.text == entrance.label("discord_received_later")
    assert len(entrance.hall.taken) == 1


# ---- old buttons, shut doors


async def test_a_press_works_three_months_and_three_restarts_later(
    entrance: Entrance, world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    """D-24: nothing needs to be remembered for it."""
    ann = world.member("Ann")
    menu = await entrance.menu(ann)
    for _ in range(3):
        world.later(timedelta(days=30))
        kit.later(30 * 86_400)
        entrance.panel = a_panel(line, kit, hall)
    asked = ann.select(menu, "tx-not-received")
    await asked.shows_form()
    pressed = await entrance.menu(ann)

    assert list(asked.fields) == ["transaction_hash", "chain", "wallet_address"]
    assert pressed.selects


@pytest.mark.parametrize("custom_id", ["panel:gone:en", "panel:help:xx", "panel:", "panel:a:b:c:d:e", "somebody:else"])
async def test_a_button_nobody_knows_any_more_brings_the_menu_as_it_is_now(
    entrance: Entrance, world: World, line: Line, custom_id: str
) -> None:
    """D-24: a menu that expired is no failed interaction."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="old", custom_id=custom_id))
    client = await line.client()
    sent = await client.get_partial_messageable(world.channel("support").id).send("an old message", view=view)
    ann = world.member("Ann")
    asked = ann.press(world.post(sent.channel.id, sent.id), "old")
    told = await asked.says(entrance.label("discord_expired"))

    assert told.selects
    assert told.ephemeral


async def test_a_topic_the_pack_has_lost_brings_the_menu_as_it_is_now(
    entrance: Entrance, world: World, kit: MemoryKit
) -> None:
    """D-24, for what was chosen"""
    ann = world.member("Ann")
    form, menu = await entrance.form(ann), await entrance.menu(ann)
    kit.playbook = replace(kit.playbook, topics={"human": kit.playbook.topics["human"]}, menu=("human",))
    chosen, sent = ann.select(menu, "tx-not-received"), ann.submit(form, {"transaction_hash": HASH})

    for asked in (chosen, sent):
        told = await asked.says(entrance.label("discord_expired"))
        assert list(told.selects.values()) == [["human"]]


async def test_who_is_blocked_is_refused_alike_whatever_they_use(
    entrance: Entrance, world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    """D-25: button, menu, form, command, the button into private; private messages are the adapter's."""
    eve, public = world.member("Eve"), world.channel("general")
    menu, form = await entrance.menu(eve), await entrance.form(eve)
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="in private", custom_id="k:private"))
    sent = await (await line.client()).get_partial_messageable(public.id).send("ask me in private", view=view)
    entrance.panel = a_panel(line, kit, hall, Gate(frozenset({eve.id})))
    tried = [
        eve.press(entrance.post, entrance.label("discord_get_help")),
        eve.select(menu, "human"),
        eve.submit(form, {"transaction_hash": HASH}),
        eve.slash("help", public),
        eve.slash("status"),
        eve.press(world.post(public.id, sent.id), "in private"),
    ]
    told = [(await asked.says()).text for asked in tried]

    assert told == [entrance.label("discord_refused")] * 6
    assert hall.taken == []
    assert entrance.threads() == []


async def test_an_account_that_is_too_new_is_told_so(
    entrance: Entrance, world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    entrance.panel = a_panel(line, kit, hall, Gate(min_account_days=7))
    new = world.member("New", account_age=timedelta(days=6))
    old = world.member("Old", account_age=timedelta(days=8))
    told = await new.slash("help", world.channel("general")).says()
    await old.slash("help", world.channel("general")).says()

    assert told.text == entrance.label("discord_too_new", days=7)
    assert [said.author.id for said in hall.taken] == [str(old.id)]


# ---- slash commands, and the way into private


@pytest.mark.parametrize(
    ("name", "options", "choice", "text"),
    [
        ("help", {}, "help", "/help"),
        ("status", {}, STATUS, "/status"),
        ("human", {}, "t:human", "/human"),
        ("language", {}, "language", "/language"),
        ("language", {"language": "zh"}, LANGUAGE_CHOICE + "zh", "/language zh"),
        ("verify", {"name": "Support ✪"}, VERIFY, "/verify Support ✪"),
    ],
)
async def test_a_slash_command_is_what_would_be_typed(
    entrance: Entrance, world: World, name: str, options: dict[str, str], choice: str, text: str
) -> None:
    """Its arguments are typed text like any other, for the guard to see."""
    ann = world.member("Ann")
    asked = ann.slash(name, world.channel("support"), options)
    [said] = await entrance.hall.has(1)
    told = await asked.says("<#")

    assert (said.choice, said.text) == (choice, text)
    assert said.address.peer == f"u{ann.id}"
    assert told.ephemeral


async def test_in_private_a_command_is_answered_in_private(entrance: Entrance, world: World) -> None:
    ann = world.member("Ann", locale="zh-TW")
    asked = ann.slash("status")
    [said] = await entrance.hall.has(1)
    await world.until(lambda: world.asked("DELETE /webhooks/*/*/messages/*"))

    assert (said.address.peer, said.language_hint) == (f"d{ann.id}", Language.CHINESE)
    assert entrance.threads() == []
    assert asked.responded


async def test_a_command_is_acknowledged_before_the_desk_has_stored_it(
    entrance: Entrance, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord waits three seconds, whatever the store does."""
    monkeypatch.setattr("imconnect_discord.panel.PAUSES", (0.3,) * 20)
    entrance.hall.away = 20
    asked = world.member("Ann").slash("help", world.channel("support"))
    await asked.answered()

    assert asked.thinking
    assert entrance.hall.taken == []


async def test_commands_are_described_in_each_language(entrance: Entrance, world: World, kit: MemoryKit) -> None:
    for name in ("help", "status", "human", "language", "verify"):
        command = world.commands[name]

        assert command["description"] == entrance.label(f"command_{name}", kit.playbook.default_language)
        assert command["description_localizations"]["zh-CN"] == entrance.label(f"command_{name}", Language.CHINESE)
        assert command["description_localizations"]["en-US"] == entrance.label(f"command_{name}", Language.ENGLISH)


async def test_the_way_into_private_opens_a_thread_and_greets_once(
    entrance: Entrance, world: World, line: Line
) -> None:
    """Whoever reads along may press it, each for themselves."""
    public = world.channel("general")
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="in private", custom_id="k:private"))
    sent = await (await line.client()).get_partial_messageable(public.id).send("ask me in private", view=view)
    post = world.post(public.id, sent.id)
    ann, ben = world.member("Ann"), world.member("Ben")
    first = await ann.press(post, "in private").says("<#")
    again = await ann.press(post, "in private").says("<#")
    await ben.press(post, "in private").says("<#")

    assert [(said.author.id, said.choice) for said in entrance.hall.taken] == [
        (str(ann.id), START),
        (str(ben.id), START),
    ]
    assert first.ephemeral
    assert again.text == entrance.label("discord_open_case", place=f"<#{entrance.hall.threads[ann.id]}>")
    assert len(entrance.threads()) == 2


async def test_a_panel_that_cannot_be_put_up_now_is_to_be_tried_later(
    world: World, line: Line, kit: MemoryKit, hall: Hall
) -> None:
    world.faults.fail("POST /channels/*/messages", 503, times=1)
    with pytest.raises(TryLater):
        await a_panel(line, kit, hall).put_up()
    await a_panel(line, kit, hall).put_up()

    assert len(world.channel("support").from_bot) == 1
