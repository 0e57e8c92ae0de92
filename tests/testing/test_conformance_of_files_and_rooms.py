"""The suites for channels with files and with a staff room, held against one that keeps them and some that do not."""

import inspect
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import replace

import pytest
from tests.desk.rooms import ScriptedRoom

from imconnect.domain.messages import Address, Attachment
from imconnect.ports import Header, StaffRoom, TopicGone, Undeliverable
from imconnect.testing import conformance
from imconnect.testing.conformance import Colleague, FileConformance, StaffRoomConformance
from imconnect.testing.fakes import ScriptedAdapter
from imconnect.testing.makers import address, incoming


class Carrier(ScriptedAdapter):
    """A scripted channel that carries files and has a staff room."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.staff_room: StaffRoom | None = ScriptedRoom()

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        if file.id not in self.files:
            raise Undeliverable("gone")
        if len(self.files[file.id]) > most:
            raise Undeliverable("too large")
        return self.files[file.id]


class Ann:
    """A customer of the carrier."""

    def __init__(self, channel: Carrier) -> None:
        self._channel = channel
        self._numbers = itertools.count(1)

    @property
    def address(self) -> Address:
        return address("ann", self._channel.name, self._channel.account)

    async def say(self, text: str) -> None:
        raise NotImplementedError

    async def choose(self, label: str) -> None:
        raise NotImplementedError

    async def sees(self) -> list[conformance.Seen]:
        return []

    async def send_file(self, name: str, content: bytes) -> None:
        number = f"f{next(self._numbers)}"
        self._channel.files[number] = content
        file = Attachment(number, name, "text/plain", len(content))
        self._channel.say(incoming("", id=number, at=self.address, attachments=[file]))


class Mei:
    """A colleague in a scripted room."""

    def __init__(self, room: ScriptedRoom) -> None:
        self._room = room

    async def reads(self, topic: str) -> str:
        answers = [text for where, text, _ in self._room.answers if where == topic]
        seen = self._room.topics[topic]
        return "\n".join([seen.head, *seen.posts.values(), *answers])

    async def reads_room(self) -> str:
        return "\n".join(text for where, text, _ in self._room.answers if where is None)

    async def removes(self, topic: str) -> None:
        self._room.remove(topic)

    async def sees_open(self, topic: str) -> bool:
        return not self._room.topics[topic].shut


def _mei(channel: Carrier) -> Mei:
    assert isinstance(channel.staff_room, ScriptedRoom)
    return Mei(channel.staff_room)


class TestCarrier(FileConformance, StaffRoomConformance):
    @pytest.fixture
    def channel(self) -> Carrier:
        return Carrier()

    @pytest.fixture
    def customer(self, channel: Carrier) -> Ann:
        return Ann(channel)

    @pytest.fixture
    def colleague(self, channel: Carrier) -> Colleague:
        return _mei(channel)


# ---------------------------------------------------------------------------------- channels that break one promise


class ReadsAsText(Carrier):
    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        return (await super().fetch(address, message_id, file, most)).replace(b"\r\n", b"\n").replace(b"\x00", b"")


class FetchesOnce(Carrier):
    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        content = await super().fetch(address, message_id, file, most)
        del self.files[file.id]
        return content


class CutsFiles(Carrier):
    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        return self.files[file.id][:most] if file.id in self.files else b""


class ForgetsNames(Carrier):
    def say(self, item: object) -> None:
        from imconnect.domain.messages import Incoming

        assert isinstance(item, Incoming)
        super().say(replace(item, attachments=tuple(replace(one, name="file") for one in item.attachments)))


class OneTopicForAll(ScriptedRoom):
    async def open(self, header: Header) -> str:
        return next(iter(self.topics), "") or await super().open(header)


class HeadsAsPosts(ScriptedRoom):
    async def head(self, topic: str, head: str | None, header: Header) -> str:
        return (await self.post(topic, header.text))[0]


class NeverRevises(ScriptedRoom):
    async def revise(self, topic: str, posted: tuple[str, ...], text: str) -> tuple[str, ...]:
        return posted


class RevisesBelow(ScriptedRoom):
    async def revise(self, topic: str, posted: tuple[str, ...], text: str) -> tuple[str, ...]:
        del self._at(topic).posts[posted[0]]
        return await self.post(topic, text)


class CutsPosts(ScriptedRoom):
    async def post(self, topic: str, text: str) -> tuple[str, ...]:
        return await super().post(topic, text[:4096])


class AnswersEverybody(ScriptedRoom):
    async def answer(self, topic: str | None, text: str, to: str | None = None) -> None:
        for one in [*self.topics, None]:
            await super().answer(one, text, to)


class NeverShuts(ScriptedRoom):
    async def shut(self, topic: str) -> None: ...


class StaysShut(ScriptedRoom):
    async def head(self, topic: str, head: str | None, header: Header) -> str:
        shut = self._at(topic).shut
        written = await super().head(topic, head, header)
        self._at(topic).shut = shut
        return written


class LetsGoneTopicsFail(ScriptedRoom):
    async def post(self, topic: str, text: str) -> tuple[str, ...]:
        try:
            return await super().post(topic, text)
        except TopicGone:
            raise Undeliverable("not found") from None


F, S = FileConformance, StaffRoomConformance

BROKEN: list[tuple[type[Carrier | ScriptedRoom], Callable[..., Coroutine[object, object, None]]]] = [
    (ForgetsNames, F.test_a_file_is_announced_by_its_name_and_its_size),
    (ReadsAsText, F.test_a_file_comes_back_whole),
    (FetchesOnce, F.test_a_file_can_be_fetched_again),
    (CutsFiles, F.test_a_file_larger_than_is_wanted_is_undeliverable),
    (CutsFiles, F.test_a_file_there_is_not_is_undeliverable),
    (OneTopicForAll, S.test_each_topic_is_one_of_its_own),
    (HeadsAsPosts, S.test_the_header_stands_in_the_topic_and_is_rewritten_in_its_place),
    (HeadsAsPosts, S.test_the_same_header_again_changes_nothing),
    (CutsPosts, S.test_a_long_post_is_there_to_its_end),
    (NeverRevises, S.test_what_was_posted_is_replaced),
    (RevisesBelow, S.test_what_was_posted_is_replaced),
    (NeverRevises, S.test_a_long_post_may_become_short_and_nothing_of_it_stays),
    (AnswersEverybody, S.test_a_colleague_is_answered_in_the_topic),
    (NeverShuts, S.test_a_topic_is_shut_and_open_again_once_its_header_says_so),
    (StaysShut, S.test_a_topic_is_shut_and_open_again_once_its_header_says_so),
    (NeverShuts, S.test_shutting_what_is_shut_does_no_harm),
    (LetsGoneTopicsFail, S.test_a_topic_that_was_removed_is_told_as_gone),
]


@pytest.mark.parametrize(("broken", "test"), BROKEN, ids=lambda one: getattr(one, "__name__", ""))
async def test_a_channel_that_breaks_a_promise_fails_the_suite(
    broken: type[Carrier | ScriptedRoom], test: Callable[..., Coroutine[object, object, None]]
) -> None:
    channel = Carrier()
    made = broken()
    if isinstance(made, Carrier):
        channel = made
    else:
        channel.staff_room = made
    known = {
        "channel": channel,
        "customer": Ann(channel),
        "room": channel.staff_room,
        "colleague": _mei(channel),
        "which": -1,
    }
    wanted = {name: known[name] for name in inspect.signature(test).parameters if name in known}

    with pytest.raises((AssertionError, Undeliverable, pytest.fail.Exception)):
        await test(TestCarrier(), **wanted)
