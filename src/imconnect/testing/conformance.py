"""What every channel must keep, as a suite its author runs: subclass, give the two fixtures, and pytest does the rest.

    class TestCarrierPigeon(AdapterConformance, ErasureConformance):
        @pytest_asyncio.fixture
        async def channel(self, loft): ...    # the adapter under test, pointed at a counterpart; the suite closes it
        @pytest_asyncio.fixture
        async def customer(self, loft): ...   # somebody at the other end, by the channel's own means

Needs pytest and pytest-asyncio. `adapters/README.md` tells the order in which to go about a new channel.
"""
# ruff: noqa: S101 - a suite is made of asserts

import asyncio
import contextlib
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
import pytest_asyncio

from imconnect.domain.conversations import Stage
from imconnect.domain.messages import Address, Choice, Incoming, Outgoing, Purpose
from imconnect.domain.playbook import Priority
from imconnect.ports import (
    Adapter,
    Erases,
    Fetches,
    HasStaffRoom,
    Header,
    Item,
    Mark,
    MaybeSent,
    Sent,
    StaffRoom,
    TopicGone,
    TryLater,
    Undeliverable,
)

T = TypeVar("T")

PROMPTLY = 2.0
"""Seconds within which `listen` must end once it is cancelled."""

PATIENCE = 15.0
"""Seconds a message may take from one end of the channel to the other."""

PROBE = "heliotrope-rhubarb"
"""Stands in texts of which no trace may be found in a log."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing the desk said, as the customer's own client shows it: its words, and the labels of its buttons."""

    text: str
    choices: tuple[str, ...] = ()


class Customer(Protocol):
    """Somebody at the other end, by the channel's own means: its API, its protocol, its page."""

    @property
    def address(self) -> Address:
        """The address their messages must come from."""
        ...

    async def say(self, text: str) -> None:
        """Write *text*. Where the channel refuses it for now, do what a client does: send it again."""
        ...

    async def choose(self, label: str) -> None:
        """Press the button *label* of the newest message that has it; without buttons, type what stands for it."""
        ...

    async def sees(self) -> Sequence[Seen]:
        """All the desk has said to them, oldest first."""
        ...


class Editor(Customer, Protocol):
    """A customer of a channel where what was said can be changed."""

    async def edit(self, before: str, after: str) -> None:
        """Change what was said as *before*."""
        ...


class Witness(Customer, Protocol):
    """A customer of a channel from which the desk can remove what was said."""

    async def said(self) -> Sequence[str]:
        """Their own messages as they still stand on the channel, oldest first."""
        ...


class Sender(Customer, Protocol):
    """A customer of a channel that carries files."""

    async def send_file(self, name: str, content: bytes) -> None:
        """Send a file, with no words of their own."""
        ...


class Colleague(Protocol):
    """Somebody in the staff room, by the channel's own means."""

    async def reads(self, topic: str) -> str:
        """Everything that stands in the topic as its readers see it, the header included; raises if it is gone."""
        ...

    async def reads_room(self) -> str:
        """What was said to the room as a whole."""
        ...

    async def removes(self, topic: str) -> None:
        """Delete the topic by hand."""
        ...

    async def sees_open(self, topic: str) -> bool:
        """Whether the topic stands open, as the channel shows it."""
        ...


class Faults(Protocol):
    """What can go wrong at the vendor's. Each holds until the test ends."""

    async def busy(self) -> None:
        """The vendor refuses sends for now: too many, or out of order for a moment."""
        ...

    async def shut(self) -> None:
        """The customer cannot be reached any more: they blocked us, or their mailbox is gone."""
        ...

    async def cut(self) -> None:
        """Connections break in the middle of a send, before the answer comes."""
        ...

    async def unreachable(self) -> None:
        """Nobody answers at the vendor's at all."""
        ...


# ------------------------------------------------------------------------------------------------ the desk's end of it


@dataclass(slots=True)
class Inbox:
    """The desk's end of `listen`: takes what is delivered, or refuses it, as a test wants."""

    taken: list[Item] = field(default_factory=list[Item])
    refused: int = 0
    begun: int = 0
    _refusing: bool = False
    _held: asyncio.Event | None = None

    async def deliver(self, items: Sequence[Item]) -> None:
        self.begun += 1
        if self._held is not None:
            await self._held.wait()
            raise TryLater("the desk stopped before it stored this", 0.01)
        if self._refusing:
            self.refused += 1
            raise TryLater("the store is away", 0.01)
        known = {_source(item) for item in self.taken}
        self.taken += [item for item in items if _source(item) not in known]

    def refuse(self) -> None:
        """From now on the store is away."""
        self._refusing = True

    def accept(self) -> None:
        """From now on everything is stored. What was being held has not been."""
        self._refusing = False
        if self._held is not None:
            self._held.set()
            self._held = None

    def hold(self) -> None:
        """From now on `deliver` begins and does not come back."""
        self._held = asyncio.Event()

    async def messages(self, count: int) -> list[Incoming]:
        """The first *count* messages, once they are there."""
        return await until(lambda: self._messages(count), f"{count} messages from the channel")

    def _messages(self, count: int) -> list[Incoming] | None:
        found = [item for item in self.taken if isinstance(item, Incoming)]
        return found[:count] if len(found) >= count else None


def _source(item: Item) -> tuple[str, str]:
    """What tells that an item comes again: its id; of a mark its name and value."""
    return (item.name, item.value) if isinstance(item, Mark) else ("", item.id)


async def until(look: Callable[[], T | None], what: str) -> T:
    """What *look* finds, as soon as it is neither None nor false."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not (found := look()):  # noqa: ASYNC110 - a counterpart has no bell to wait at
                await asyncio.sleep(0.01)
            return found
    raise AssertionError(f"waited {PATIENCE:g} seconds for {what}, in vain")


@asynccontextmanager
async def listening(channel: Adapter, inbox: Inbox) -> AsyncGenerator[asyncio.Task[None]]:
    """Have *channel* listen as the desk does: again after `TryLater`, and until it is cancelled."""
    task = asyncio.create_task(_listen(channel, inbox))
    try:
        yield task
    finally:
        task.cancel()
        _, late = await asyncio.wait([task], timeout=PROMPTLY)
        if late:
            raise AssertionError(f"listen went on for more than {PROMPTLY:g} seconds after it was cancelled")
        if not task.cancelled() and (error := task.exception()) is not None:
            raise AssertionError(f"listen ended with {type(error).__name__}, not with TryLater") from error


async def _listen(channel: Adapter, inbox: Inbox) -> None:
    while True:
        try:
            await channel.listen(inbox.deliver)
        except TryLater as later:
            await asyncio.sleep(min(later.after or 0.05, 0.5))
        else:
            raise AssertionError("listen returned without being cancelled")


def saying(
    text: str, key: str, at: Address, choices: Sequence[Choice] = (), purpose: Purpose = Purpose.ANSWER
) -> Outgoing:
    return Outgoing(key, at, text, purpose, tuple(choices))


def squeezed(text: str) -> str:
    """*text* without white space: a channel may wrap lines and split where it must."""
    return "".join(text.split())


def chosen(message: Incoming, choices: Sequence[Choice]) -> str | None:
    """The key of the choice *message* makes, by button or, on a channel without, by its number or label."""
    if message.choice is not None:
        return message.choice
    said = message.text.strip()
    return next(
        (choice.key for number, choice in enumerate(choices, 1) if said in (str(number), choice.label)),
        None,
    )


# ------------------------------------------------------------------------------------------------------- the suites


class _Suite:
    """What the suites share: the two fixtures a channel's author gives, and a clean end to every test."""

    pytestmark = pytest.mark.asyncio

    counterpart_loggers: tuple[str, ...] = ()
    """Loggers of the counterpart, which runs in the same process but is no part of what is tested."""

    @pytest.fixture
    def channel(self) -> Adapter:
        """The adapter under test, ready to listen and to send. The suite closes it."""
        raise NotImplementedError("give the adapter under test: override the fixture `channel`")

    @pytest.fixture
    def customer(self) -> Customer:
        """Somebody at the other end of that adapter."""
        raise NotImplementedError("give a customer on the counterpart: override the fixture `customer`")

    @pytest_asyncio.fixture(autouse=True)
    async def closes_cleanly(self, channel: Adapter) -> AsyncGenerator[None]:
        """After every test the adapter is closed, and nothing of it may still be running then."""
        yield
        await self.close(channel)

    async def close(self, channel: Adapter) -> None:
        await channel.close()
        await asyncio.sleep(0)
        running = [task.get_name() for task in asyncio.all_tasks() if _belongs_to(task, channel)]

        assert running == [], "close left tasks of the adapter running"

    async def send(self, channel: Adapter, message: Outgoing) -> Sent | MaybeSent:
        """Have *channel* say *message*. A channel whose customers read from the store puts it there first."""
        return await channel.send(message)


class AdapterConformance(_Suite):
    """What every channel keeps."""

    # ---- what customers say

    async def test_a_message_arrives_with_its_words_its_author_and_its_address(
        self, channel: Adapter, customer: Customer
    ) -> None:
        inbox = Inbox()
        async with listening(channel, inbox):
            await customer.say("where is my transfer")
            (message,) = await inbox.messages(1)

        assert "where is my transfer" in message.text
        assert message.address == customer.address
        assert (message.address.channel, message.address.account) == (channel.name, channel.account)
        assert message.id
        assert message.author.id
        assert message.sent_at.tzinfo is not None

    async def test_messages_arrive_in_the_order_they_were_said(self, channel: Adapter, customer: Customer) -> None:
        inbox = Inbox()
        words = [f"line number {number}" for number in range(1, 6)]
        async with listening(channel, inbox):
            for text in words:
                await customer.say(text)
            messages = await inbox.messages(len(words))

        assert [text for message, text in zip(messages, words, strict=True) if text in message.text] == words

    async def test_the_same_words_said_twice_are_two_messages(self, channel: Adapter, customer: Customer) -> None:
        inbox = Inbox()
        async with listening(channel, inbox):
            await customer.say("hello?")
            await customer.say("hello?")
            first, second = await inbox.messages(2)

        assert first.id != second.id

    async def test_a_message_the_store_could_not_take_comes_again(self, channel: Adapter, customer: Customer) -> None:
        inbox = Inbox()
        inbox.refuse()
        async with listening(channel, inbox):
            saying_it = asyncio.create_task(customer.say("please keep this"))
            await until(lambda: inbox.refused, "the message to be delivered a first time")
            inbox.accept()
            (message,) = await inbox.messages(1)
            await saying_it

        assert "please keep this" in message.text

    async def test_nothing_is_acknowledged_before_it_is_stored(self, channel: Adapter, customer: Customer) -> None:
        inbox = Inbox()
        inbox.hold()
        async with listening(channel, inbox):
            saying_it = asyncio.create_task(customer.say("the desk falls over now"))
            await until(lambda: inbox.begun, "the message to be delivered a first time")
        inbox.accept()
        async with listening(channel, inbox):
            (message,) = await inbox.messages(1)
            await saying_it

        assert "the desk falls over now" in message.text

    async def test_what_waits_while_nobody_listens_arrives_later(self, channel: Adapter, customer: Customer) -> None:
        inbox = Inbox()
        saying_it = asyncio.create_task(customer.say("anybody there"))
        await asyncio.sleep(0.05)
        async with listening(channel, inbox):
            (message,) = await inbox.messages(1)
            await saying_it

        assert "anybody there" in message.text

    async def test_what_was_typed_shows_in_no_repr_and_no_log(
        self,
        channel: Adapter,
        customer: Customer,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        inbox = Inbox()
        with caplog.at_level(logging.DEBUG):
            inbox.refuse()
            async with listening(channel, inbox):
                saying_it = asyncio.create_task(customer.say(f"typed {PROBE}"))
                await until(lambda: inbox.refused, "the message to be delivered a first time")
                inbox.accept()
                (message,) = await inbox.messages(1)
                await saying_it
            await self.send(channel, saying(f"said {PROBE}", "conformance.log", customer.address))
        shown = [record for record in caplog.records if not record.name.startswith(self.counterpart_loggers or "\0")]
        logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in shown)
        printed = capfd.readouterr()

        assert PROBE in message.text
        assert PROBE not in repr(message)
        assert PROBE not in logged
        assert PROBE not in printed.out + printed.err

    async def test_listening_ends_promptly_when_it_is_cancelled(self, channel: Adapter) -> None:
        async with listening(channel, Inbox()) as task:
            await asyncio.sleep(0.2)
            was_listening = not task.done()

        assert was_listening
        assert task.cancelled()

    # ---- what we say

    async def test_what_is_said_reaches_the_customer(self, channel: Adapter, customer: Customer) -> None:
        sent = await self.send(channel, saying("good day to you", "conformance.1", customer.address))

        assert isinstance(sent, Sent)
        assert sent.id
        assert [seen.text.strip() for seen in await customer.sees()] == ["good day to you"]

    async def test_what_is_said_appears_in_its_order(self, channel: Adapter, customer: Customer) -> None:
        words = [f"sentence {number}" for number in range(1, 5)]
        for number, text in enumerate(words):
            await self.send(channel, saying(text, f"conformance.{number}", customer.address))

        assert [seen.text.strip() for seen in await customer.sees()] == words

    async def test_a_choice_reaches_the_customer_and_comes_back_as_its_key(
        self, channel: Adapter, customer: Customer
    ) -> None:
        choices = (Choice("t:fees", "What it costs"), Choice("t:human", "转人工"))
        inbox = Inbox()
        async with listening(channel, inbox):
            await self.send(channel, saying("what is it about", "conformance.1", customer.address, choices))
            (seen,) = await customer.sees()
            assert seen.choices == ("What it costs", "转人工")
            await customer.choose("转人工")
            (message,) = await inbox.messages(1)

        assert chosen(message, choices) == "t:human"
        assert message.address == customer.address

    async def test_a_long_text_arrives_whole_and_in_order(self, channel: Adapter, customer: Customer) -> None:
        text = "\n".join(f"第{number}步：打开钱包，核对网络与地址，再发送；写下哈希。🙂" for number in range(1, 301))
        sent = await self.send(channel, saying(text, "conformance.1", customer.address))
        seen = "".join(one.text for one in await customer.sees())

        assert isinstance(sent, Sent)
        assert squeezed(seen) == squeezed(text)

    async def test_a_key_that_is_sent_again_shows_once_where_the_channel_says_it_has_keys(
        self, channel: Adapter, customer: Customer
    ) -> None:
        message = saying("said once", "conformance.1", customer.address)
        await self.send(channel, message)
        again = await self.send(channel, message)
        seen = [one.text.strip() for one in await customer.sees()]

        assert isinstance(again, Sent)
        assert seen == ["said once"] * (1 if channel.keyed else 2), "keyed tells the desk whether it may repeat a send"

    async def test_its_settings_check_out(self, channel: Adapter) -> None:
        findings = await channel.check()

        assert findings
        assert [finding.says for finding in findings if not finding.well] == []


class EditConformance(_Suite):
    """For a channel where a customer can change what was said. The customer is an `Editor`."""

    async def test_an_edit_names_the_message_it_revises(self, channel: Adapter, customer: Editor) -> None:
        inbox = Inbox()
        async with listening(channel, inbox):
            await customer.say("sent 10 USDT")
            (original,) = await inbox.messages(1)
            await customer.edit("sent 10 USDT", "sent 100 USDT")
            edit = (await inbox.messages(2))[1]

        assert edit.revises == original.id
        assert edit.id != original.id
        assert "sent 100 USDT" in edit.text


class ErasureConformance(_Suite):
    """For a channel that is an `Erases`. The customer is a `Witness`."""

    async def test_what_is_erased_is_gone_for_the_customer_too(self, channel: Adapter, customer: Witness) -> None:
        assert isinstance(channel, Erases)
        inbox = Inbox()
        async with listening(channel, inbox):
            await customer.say("keep this one")
            await customer.say("remove this one")
            message = (await inbox.messages(2))[1]
        before = await customer.said()
        await channel.erase(message.address, message.id)

        assert len(before) == 2
        assert [text.strip() for text in await customer.said()] == ["keep this one"]

    async def test_erasing_what_is_gone_already_is_no_failure(self, channel: Adapter, customer: Witness) -> None:
        assert isinstance(channel, Erases)
        inbox = Inbox()
        async with listening(channel, inbox):
            await customer.say("remove this one")
            (message,) = await inbox.messages(1)
        await channel.erase(message.address, message.id)
        await channel.erase(message.address, message.id)

        assert await customer.said() == []


class RefusalConformance(_Suite):
    """For a channel whose vendor can refuse, break off or be away: all but those we serve ourselves."""

    @pytest.fixture
    def faults(self) -> Faults:
        """What can go wrong at the counterpart."""
        raise NotImplementedError("give what can go wrong: override the fixture `faults`")

    async def test_a_refusal_for_now_is_try_later(self, channel: Adapter, customer: Customer, faults: Faults) -> None:
        await faults.busy()

        with pytest.raises(TryLater) as raised:
            await self.send(channel, saying(f"said {PROBE}", "conformance.1", customer.address))
        assert PROBE not in f"{raised.value!r} {raised.value.reason}"

    async def test_a_refusal_for_good_is_undeliverable(
        self, channel: Adapter, customer: Customer, faults: Faults
    ) -> None:
        await faults.shut()

        with pytest.raises(Undeliverable) as raised:
            await self.send(channel, saying(f"said {PROBE}", "conformance.1", customer.address))
        assert PROBE not in f"{raised.value!r} {raised.value.reason}"

    async def test_an_answer_that_never_came_is_told_as_what_it_is(
        self, channel: Adapter, customer: Customer, faults: Faults
    ) -> None:
        await faults.cut()
        outcome = await _outcome(self.send(channel, saying("in doubt", "conformance.1", customer.address)))

        if channel.keyed:
            assert isinstance(outcome, TryLater), "with a key the send may be repeated"
        else:
            assert isinstance(outcome, MaybeSent), "without a key nobody may repeat it"

    async def test_a_vendor_that_is_away_is_try_later(
        self, channel: Adapter, customer: Customer, faults: Faults
    ) -> None:
        await faults.unreachable()
        outcome = await _outcome(self.send(channel, saying("hello", "conformance.1", customer.address)))

        assert isinstance(outcome, TryLater)

    async def test_a_vendor_that_is_away_is_found_by_the_check(self, channel: Adapter, faults: Faults) -> None:
        await faults.unreachable()
        findings = await channel.check()

        assert [finding for finding in findings if not finding.well]


class FileConformance(_Suite):
    """What a channel keeps whose messages bring files (`imconnect.ports.Fetches`)."""

    contents: tuple[bytes, ...] = (b"one line\n", bytes(range(256)) * 300)
    """Files that must come back byte for byte; a channel that carries only some kinds gives some of those."""

    @pytest.fixture
    def customer(self) -> Sender:
        """Somebody at the other end who can send files."""
        raise NotImplementedError("give a customer who can send files: override the fixture `customer`")

    async def received(self, channel: Adapter, customer: Sender, content: bytes) -> tuple[Fetches, Incoming]:
        """The message that brought *content*, and the channel that has it."""
        inbox = Inbox()
        async with listening(channel, inbox):
            await customer.send_file("notes.txt", content)
            (message,) = await inbox.messages(1)
        assert isinstance(channel, Fetches), "this suite is for channels that fetch files"
        assert len(message.attachments) == 1
        return channel, message

    async def test_a_file_is_announced_by_its_name_and_its_size(self, channel: Adapter, customer: Sender) -> None:
        _, message = await self.received(channel, customer, self.contents[0])
        (file,) = message.attachments

        assert file.id
        assert file.name == "notes.txt"
        assert file.size in (0, len(self.contents[0])), "bytes, or 0 where the channel does not tell"
        assert "/" in file.media_type

    @pytest.mark.parametrize("which", [0, -1])
    async def test_a_file_comes_back_whole(self, channel: Adapter, customer: Sender, which: int) -> None:
        content = self.contents[which]
        fetches, message = await self.received(channel, customer, content)
        fetched = await fetches.fetch(message.address, message.id, message.attachments[0], len(content))

        assert fetched == content

    async def test_a_file_can_be_fetched_again(self, channel: Adapter, customer: Sender) -> None:
        """A desk that fell over after fetching and before keeping it asks a second time."""
        fetches, message = await self.received(channel, customer, self.contents[0])
        arguments = (message.address, message.id, message.attachments[0], len(self.contents[0]))
        twice = [await fetches.fetch(*arguments), await fetches.fetch(*arguments)]

        assert twice == [self.contents[0]] * 2

    async def test_a_file_larger_than_is_wanted_is_undeliverable(self, channel: Adapter, customer: Sender) -> None:
        fetches, message = await self.received(channel, customer, self.contents[-1])
        most = len(self.contents[-1]) - 1

        with pytest.raises(Undeliverable) as raised:
            await fetches.fetch(message.address, message.id, message.attachments[0], most)
        assert "notes.txt" not in f"{raised.value!r} {raised.value.reason}"

    async def test_a_file_there_is_not_is_undeliverable(self, channel: Adapter, customer: Sender) -> None:
        fetches, message = await self.received(channel, customer, self.contents[0])
        nothing = replace(message.attachments[0], id=self.no_file)

        with pytest.raises(Undeliverable):
            await fetches.fetch(message.address, message.id, nothing, len(self.contents[0]))

    no_file: str = "9999"
    """An id, in the channel's own form, under which there is no file."""


def header(text: str = "what it is about", stage: Stage = Stage.WAITING, reference: str = "TW-1001") -> Header:
    """What stands at the head of a topic."""
    return Header(reference, "A title", f"{reference}\n{text}", stage, Priority.NORMAL, None)


class StaffRoomConformance(_Suite):
    """What a channel keeps on which agents work too (`imconnect.ports.HasStaffRoom`)."""

    @pytest.fixture
    def colleague(self) -> Colleague:
        """Somebody in the room."""
        raise NotImplementedError("give somebody in the staff room: override the fixture `colleague`")

    @pytest.fixture
    def room(self, channel: Adapter) -> StaffRoom:
        """The room of the channel under test."""
        assert isinstance(channel, HasStaffRoom), "this suite is for channels with a staff room"
        assert channel.staff_room is not None, "give a channel whose settings name a room"
        return channel.staff_room

    async def test_the_room_has_a_name_before_anything_is_asked_of_it(self, room: StaffRoom) -> None:
        assert room.room

    async def test_each_topic_is_one_of_its_own(self, room: StaffRoom) -> None:
        first, second = await room.open(header()), await room.open(header(reference="TW-1002"))

        assert first
        assert first != second

    async def test_the_header_stands_in_the_topic_and_is_rewritten_in_its_place(
        self, room: StaffRoom, colleague: Colleague
    ) -> None:
        topic = await room.open(header())
        head = await room.head(topic, None, header("as it was"))
        before = await colleague.reads(topic)
        again = await room.head(topic, head, header("as it is"))
        after = await colleague.reads(topic)

        assert head
        assert again
        assert "as it was" in before
        assert "as it is" in after
        assert "as it was" not in after

    async def test_the_same_header_again_changes_nothing(self, room: StaffRoom, colleague: Colleague) -> None:
        topic = await room.open(header())
        head = await room.head(topic, None, header())
        await room.head(topic, head, header())

        assert (await colleague.reads(topic)).count("what it is about") == 1

    async def test_what_is_posted_stands_in_the_topic_in_its_order(self, room: StaffRoom, colleague: Colleague) -> None:
        topic = await room.open(header())
        await room.head(topic, None, header())
        posted = [await room.post(topic, text) for text in ("the first words", "the second words")]
        read = await colleague.reads(topic)

        assert all(posted)
        assert read.index("the first words") < read.index("the second words")

    async def test_a_long_post_is_there_to_its_end(self, room: StaffRoom, colleague: Colleague) -> None:
        topic = await room.open(header())
        text = "\n\n".join(f"转账还没有到账，这是第 {number} 段。" * 8 for number in range(60))
        posted = await room.post(topic, text)

        assert posted
        assert squeezed(text) in squeezed(await colleague.reads(topic))

    async def test_what_was_posted_is_replaced(self, room: StaffRoom, colleague: Colleague) -> None:
        topic = await room.open(header())
        posted = await room.post(topic, "words to be taken back")
        await room.post(topic, "what came after")
        await room.revise(topic, posted, "what stands in their place")
        read = await colleague.reads(topic)

        assert "taken back" not in read
        assert read.index("in their place") < read.index("came after")

    async def test_a_long_post_may_become_short_and_nothing_of_it_stays(
        self, room: StaffRoom, colleague: Colleague
    ) -> None:
        topic = await room.open(header())
        posted = await room.post(
            topic, "\n\n".join(f"part {number} " + "to be taken back " * 30 for number in range(30))
        )
        await room.revise(topic, posted, "what stands in their place")
        read = await colleague.reads(topic)

        assert "taken back" not in read
        assert "in their place" in read

    async def test_a_colleague_is_answered_in_the_topic(self, room: StaffRoom, colleague: Colleague) -> None:
        topic, other = await room.open(header()), await room.open(header(reference="TW-1002"))
        await room.answer(topic, "that cannot be sent")

        assert "that cannot be sent" in await colleague.reads(topic)
        assert "that cannot be sent" not in await colleague.reads(other)

    async def test_the_room_is_told_as_a_whole(self, room: StaffRoom, colleague: Colleague) -> None:
        await room.answer(None, "topics cannot be opened here")

        assert "topics cannot be opened here" in await colleague.reads_room()

    async def test_a_topic_is_shut_and_open_again_once_its_header_says_so(
        self, room: StaffRoom, colleague: Colleague
    ) -> None:
        topic = await room.open(header())
        head = await room.head(topic, None, header())
        opened = await colleague.sees_open(topic)
        await room.head(topic, head, header(stage=Stage.RESOLVED))
        await room.shut(topic)
        shut = not await colleague.sees_open(topic)
        await room.head(topic, head, header("it goes on"))
        await room.post(topic, "the customer came back")

        assert opened
        assert shut
        assert await colleague.sees_open(topic)
        assert "the customer came back" in await colleague.reads(topic)

    async def test_shutting_what_is_shut_does_no_harm(self, room: StaffRoom, colleague: Colleague) -> None:
        topic = await room.open(header())
        await room.shut(topic)
        await room.shut(topic)

        assert not await colleague.sees_open(topic)

    async def test_a_topic_that_was_removed_is_told_as_gone(self, room: StaffRoom, colleague: Colleague) -> None:
        topic = await room.open(header())
        head = await room.head(topic, None, header())
        posted = await room.post(topic, "words")
        await colleague.removes(topic)

        with pytest.raises(TopicGone):
            await room.post(topic, "more")
        with pytest.raises(TopicGone):
            await room.revise(topic, posted, "other words")
        with pytest.raises(TopicGone):
            await room.head(topic, head, header("another header"))

    async def test_what_is_copied_shows_in_no_log(
        self, room: StaffRoom, colleague: Colleague, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            topic = await room.open(header(f"header {PROBE}"))
            await room.head(topic, None, header(f"header {PROBE}"))
            posted = await room.post(topic, f"posted {PROBE}")
            await room.revise(topic, posted, f"revised {PROBE}")
        shown = [record for record in caplog.records if not record.name.startswith(self.counterpart_loggers or "\0")]

        assert PROBE in await colleague.reads(topic)
        assert PROBE not in "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in shown)


async def _outcome(sending: Awaitable[Sent | MaybeSent]) -> Sent | MaybeSent | TryLater | Undeliverable:
    """What came of a send, an error of ours among it; anything else is the vendor's and escapes."""
    try:
        return await sending
    except (TryLater, Undeliverable) as error:
        return error


def _belongs_to(task: asyncio.Task[object], channel: Adapter) -> bool:
    """Whether *task* runs code of the package that *channel* is of."""
    code = getattr(task.get_coro(), "cr_code", None)
    home = Path(inspect.getfile(type(channel))).parent
    return code is not None and not task.done() and Path(code.co_filename).is_relative_to(home)
