"""What the desk says reaches the customer: whole, once, and with every trouble sorted by what to do next."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from tests.adapters.telegram.door import connected, outgoing
from tests.worlds.botapi import Limits, Moment, Person, Server, World

from imconnect.domain.messages import Address, Choice
from imconnect.ports import MaybeSent, Sent, TryLater, Undeliverable
from imconnect_telegram import TelegramAdapter
from imconnect_telegram.pace import Pace


@pytest.fixture
def ann(world: World) -> Person:
    person = world.person("Ann")
    person.says("hi")
    return person


@pytest.fixture
async def impatient(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[TelegramAdapter]:
    """An adapter that waits a third of a second for an answer."""
    monkeypatch.setattr("imconnect_telegram.wire.ANSWER_WITHIN", 0.3)
    async with connected(server) as made:
        yield made


async def test_what_is_said_is_seen_and_has_the_channels_own_id(
    adapter: TelegramAdapter, world: World, ann: Person
) -> None:
    sent = await adapter.send(outgoing(adapter, ann.id, "你好 <b>*Ann*</b>"))

    [message] = ann.chat.from_bot
    assert message.text == "你好 <b>*Ann*</b>"
    assert sent == Sent(f"{ann.id}:{message.id}")


async def test_choices_are_buttons_under_the_last_part(adapter: TelegramAdapter, ann: Person) -> None:
    choices = (Choice("t:human", "找人工"), Choice("no", "No"))
    await adapter.send(outgoing(adapter, ann.id, "x" * 5000, choices=choices))

    assert [list(message.buttons) for message in ann.chat.from_bot] == [[], ["找人工", "No"]]


async def test_an_answer_quotes_what_it_answers_even_if_that_is_gone(adapter: TelegramAdapter, ann: Person) -> None:
    asked = ann.says("how?")
    ref = f"{ann.id}:{asked.id}"
    await adapter.send(outgoing(adapter, ann.id, "so", reply_to=ref, key="k1"))
    ann.deletes(asked)
    await adapter.send(outgoing(adapter, ann.id, "or so", reply_to=ref, key="k2"))
    await adapter.send(outgoing(adapter, ann.id, "or so", reply_to="press:123", key="k3"))

    assert [message.reply_to for message in ann.chat.from_bot] == [asked.id, None, None]


async def test_only_the_first_part_of_a_long_answer_quotes(adapter: TelegramAdapter, ann: Person) -> None:
    asked = ann.says("how?")
    await adapter.send(outgoing(adapter, ann.id, "x" * 5000, reply_to=f"{ann.id}:{asked.id}"))

    assert [message.reply_to for message in ann.chat.from_bot] == [asked.id, None]


async def test_no_preview_of_a_link_is_shown(adapter: TelegramAdapter, world: World, ann: Person) -> None:
    await adapter.send(outgoing(adapter, ann.id, "see https://imwallet.example/"))

    assert world.called("sendMessage")[0].parameters["link_preview_options"] == {"is_disabled": True}


async def test_a_gone_topic_is_answered_in_the_chat(adapter: TelegramAdapter, world: World, ann: Person) -> None:
    """T-22, second half"""
    ann.says("in the topic", thread=77)
    await adapter.send(outgoing(adapter, f"{ann.id}/77", "there", key="k1"))
    ann.deletes_topic(ann.chat, 77)
    await adapter.send(outgoing(adapter, f"{ann.id}/77", "still there", key="k2"))

    assert [(m.text, m.thread) for m in ann.chat.from_bot] == [("still there", None)]
    assert world.called("sendMessage")[0].parameters["message_thread_id"] in (77, "77")


# ---- what cannot be done


async def test_who_blocked_the_bot_is_not_reachable(adapter: TelegramAdapter, world: World, ann: Person) -> None:
    """T-14"""
    ann.blocks()

    with pytest.raises(Undeliverable) as refused:
        await adapter.send(outgoing(adapter, ann.id, "hello?"))

    assert refused.value.blocked
    assert len(world.called("sendMessage")) == 1
    ann.unblocks()
    assert isinstance(await adapter.send(outgoing(adapter, ann.id, "hello")), Sent)


async def test_a_deleted_account_is_undeliverable_and_blocked_nobody(adapter: TelegramAdapter, ann: Person) -> None:
    ann.deletes_account()

    with pytest.raises(Undeliverable) as refused:
        await adapter.send(outgoing(adapter, ann.id, "hello?"))

    assert not refused.value.blocked


@pytest.mark.parametrize("peer", ["4711", "nobody", "-100/x"])
async def test_a_chat_that_is_none_is_undeliverable(adapter: TelegramAdapter, peer: str) -> None:
    with pytest.raises(Undeliverable):
        await adapter.send(outgoing(adapter, peer, "hello?"))


async def test_nothing_cannot_be_said(adapter: TelegramAdapter, ann: Person) -> None:
    with pytest.raises(Undeliverable):
        await adapter.send(outgoing(adapter, ann.id, " \n"))


# ---- what can be done later


async def test_429_says_when(adapter: TelegramAdapter, world: World, ann: Person) -> None:
    """T-12: others go on meanwhile."""
    bob = world.person("Bob")
    bob.says("hi")
    world.fail("sendMessage", status=429, retry_after=35, chat_id=ann.id)

    with pytest.raises(TryLater) as refused:
        await adapter.send(outgoing(adapter, ann.id, "hello"))

    assert refused.value.after == 35
    assert isinstance(await adapter.send(outgoing(adapter, bob.id, "hello")), Sent)


async def test_where_nobody_listens_nothing_was_sent(server: Server, ann: Person) -> None:
    async with connected(server, api_root="http://127.0.0.1:9") as adapter:
        with pytest.raises(TryLater, match="ConnectError"):
            await adapter.send(outgoing(adapter, ann.id, "hello"))


@pytest.mark.parametrize(("status", "description"), [(500, "Internal Server Error"), (503, None)])
async def test_telegrams_own_no_is_tried_again(
    adapter: TelegramAdapter, world: World, ann: Person, status: int, description: str | None
) -> None:
    world.fail("sendMessage", status=status, description=description)

    with pytest.raises(TryLater):
        await adapter.send(outgoing(adapter, ann.id, "hello"))

    assert isinstance(await adapter.send(outgoing(adapter, ann.id, "hello")), Sent)


async def test_a_long_message_goes_on_where_it_was_stopped(adapter: TelegramAdapter, world: World, ann: Person) -> None:
    text = "\n".join(f"{number:04} " + "x" * 90 for number in range(100))
    await adapter.send(outgoing(adapter, ann.id, "first", key="k0"))
    message = outgoing(adapter, ann.id, text)
    world.meter.limits = Limits(all_a_second=2)
    with pytest.raises(TryLater):
        await adapter.send(message)
    assert len(ann.chat.bot_texts) == 2
    world.meter.limits = Limits.none()
    await adapter.send(message)

    assert "\n".join(ann.chat.bot_texts[1:]) == text


# ---- what may have been done


@pytest.mark.parametrize(("moment", "seen"), [(Moment.BEFORE_THE_EFFECT, 0), (Moment.AFTER_THE_EFFECT, 1)])
async def test_a_time_out_may_have_sent_it(
    impatient: TelegramAdapter, world: World, ann: Person, moment: Moment, seen: int
) -> None:
    """T-13"""
    world.hang("sendMessage", moment)

    answer = await impatient.send(outgoing(impatient, ann.id, "hello"))

    assert isinstance(answer, MaybeSent)
    assert len(ann.chat.bot_texts) == seen
    assert len(world.called("sendMessage")) == 1


@pytest.mark.parametrize("moment", list(Moment))
async def test_a_cut_connection_may_have_sent_it(
    adapter: TelegramAdapter, world: World, ann: Person, moment: Moment
) -> None:
    world.cut("sendMessage", moment)

    assert isinstance(await adapter.send(outgoing(adapter, ann.id, "hello")), MaybeSent)


async def test_an_answer_that_cannot_be_read_may_have_sent_it(
    adapter: TelegramAdapter, world: World, ann: Person
) -> None:
    world.garble("sendMessage")

    assert isinstance(await adapter.send(outgoing(adapter, ann.id, "hello")), MaybeSent)


async def test_a_gateways_502_may_have_sent_it(adapter: TelegramAdapter, world: World, ann: Person) -> None:
    world.fail("sendMessage", status=502)

    assert isinstance(await adapter.send(outgoing(adapter, ann.id, "hello")), MaybeSent)


# ---- taking back


async def test_a_leaked_secret_is_deleted_in_the_chat(adapter: TelegramAdapter, ann: Person) -> None:
    leaked = ann.says("twelve words")
    address = Address(adapter.name, adapter.account, str(ann.id))

    await adapter.erase(address, f"{ann.id}:{leaked.id}")
    await adapter.erase(address, f"{ann.id}:{leaked.id}")

    assert ann.chat.deleted == [leaked.id]


async def test_an_edit_names_the_message_it_changed(adapter: TelegramAdapter, ann: Person) -> None:
    leaked = ann.says("twelve words")

    await adapter.erase(Address(adapter.name, adapter.account, str(ann.id)), f"{ann.id}:{leaked.id}:edit:1:2")

    assert ann.chat.deleted == [leaked.id]


async def test_after_48_hours_only_the_customer_can_delete_it(
    adapter: TelegramAdapter, world: World, ann: Person
) -> None:
    leaked = ann.says("twelve words")
    world.later(timedelta(hours=49))

    with pytest.raises(Undeliverable, match="can't be deleted"):
        await adapter.erase(Address(adapter.name, adapter.account, str(ann.id)), f"{ann.id}:{leaked.id}")


@pytest.mark.parametrize("ref", ["press:77", "update:3", ""])
async def test_what_is_no_message_is_not_deleted(adapter: TelegramAdapter, ann: Person, ref: str) -> None:
    with pytest.raises(Undeliverable):
        await adapter.erase(Address(adapter.name, adapter.account, str(ann.id)), ref)


async def test_a_chat_that_is_none_has_nothing_to_delete(adapter: TelegramAdapter) -> None:
    with pytest.raises(Undeliverable, match="Chat not found"):
        await adapter.erase(Address(adapter.name, adapter.account, "4711"), "4711:1")


async def test_a_deletion_that_may_have_happened_is_tried_again(
    adapter: TelegramAdapter, world: World, ann: Person
) -> None:
    leaked = ann.says("twelve words")
    address, ref = Address(adapter.name, adapter.account, str(ann.id)), f"{ann.id}:{leaked.id}"
    world.cut("deleteMessage", Moment.AFTER_THE_EFFECT)

    with pytest.raises(TryLater):
        await adapter.erase(address, ref)
    await adapter.erase(address, ref)

    assert ann.chat.deleted == [leaked.id]


# ---- pace


async def test_no_more_pass_in_a_second_than_telegram_takes() -> None:
    pace = Pace(20)
    passed: list[float] = []

    async def pass_by(chat_id: int) -> None:
        await pace.turn(chat_id)
        passed.append(asyncio.get_running_loop().time())

    await asyncio.gather(*(pass_by(chat_id) for chat_id in range(45)))

    assert all(later - earlier > 0.99 for earlier, later in zip(passed, passed[20:], strict=False))
    assert passed[-1] - passed[0] < 4


async def test_messages_go_out_at_that_pace(server: Server, world: World) -> None:
    people = [world.person() for _ in range(7)]
    for person in people:
        person.says("hi")
    async with connected(server, messages_per_second=3) as adapter:
        begun = asyncio.get_running_loop().time()
        sends = [adapter.send(outgoing(adapter, person.id, "hello", key=str(person.id))) for person in people]
        answers = await asyncio.gather(*sends)

    assert all(isinstance(answer, Sent) for answer in answers)
    assert asyncio.get_running_loop().time() - begun > 1.99
