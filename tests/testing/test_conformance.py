"""The suite every channel passes, held against a channel that keeps every promise and against some that break one."""

import asyncio
import inspect
import itertools
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

import pytest

from imconnect.domain.messages import Address, Incoming, Outgoing
from imconnect.ports import Deliver, Finding, MaybeSent, Sent, TryLater, Undeliverable
from imconnect.testing import conformance
from imconnect.testing.conformance import (
    AdapterConformance,
    EditConformance,
    ErasureConformance,
    RefusalConformance,
    Seen,
)
from imconnect.testing.fakes import ScriptedAdapter
from imconnect.testing.makers import address, incoming


class Loopback(ScriptedAdapter):
    """A scripted channel whose vendor may also be away."""

    away = False

    async def check(self) -> Sequence[Finding]:
        return [Finding("loopback", well=not self.away, says="away" if self.away else "ready")]


class Ann:
    """A customer of the loopback."""

    def __init__(self, channel: Loopback) -> None:
        self._channel = channel
        self._numbers = itertools.count(1)
        self._said: list[Incoming] = []

    @property
    def address(self) -> Address:
        return address("ann", self._channel.name, self._channel.account)

    async def say(self, text: str) -> None:
        self._says(incoming(text, id=str(next(self._numbers)), at=self.address))

    async def choose(self, label: str) -> None:
        newest = next(message for message in reversed(self._channel.seen) if message.choices)
        key = next(choice.key for choice in newest.choices if choice.label == label)
        self._says(incoming(label, id=str(next(self._numbers)), at=self.address, choice=key))

    async def edit(self, before: str, after: str) -> None:
        original = next(message for message in self._said if message.text == before)
        self._says(incoming(after, id=f"{original.id}:edit", at=self.address, revises=original.id))

    async def sees(self) -> Sequence[Seen]:
        return [Seen(one.text, tuple(choice.label for choice in one.choices)) for one in self._channel.seen]

    async def said(self) -> Sequence[str]:
        erased = {message_id for _, message_id in self._channel.erased}
        return [message.text for message in self._said if message.id not in erased]

    def _says(self, message: Incoming) -> None:
        self._said.append(message)
        self._channel.say(message)


class Trouble:
    """What can go wrong on the loopback."""

    def __init__(self, channel: Loopback) -> None:
        self._channel = channel

    async def busy(self) -> None:
        self._channel.outcomes.append(TryLater("too many", 1))

    async def shut(self) -> None:
        self._channel.outcomes.append(Undeliverable("blocked", blocked=True))

    async def cut(self) -> None:
        self._channel.outcomes.append(TryLater("cut") if self._channel.keyed else MaybeSent("cut"))

    async def unreachable(self) -> None:
        self._channel.away = True
        self._channel.outcomes.append(TryLater("away"))


class LoopbackSuite(AdapterConformance, EditConformance, ErasureConformance, RefusalConformance):
    @pytest.fixture
    def customer(self, channel: Loopback) -> Ann:
        return Ann(channel)

    @pytest.fixture
    def faults(self, channel: Loopback) -> Trouble:
        return Trouble(channel)


class TestKeyedLoopback(LoopbackSuite):
    @pytest.fixture
    def channel(self) -> Loopback:
        return Loopback()


class TestKeylessLoopback(LoopbackSuite):
    @pytest.fixture
    def channel(self) -> Loopback:
        return Loopback(keyed=False)


# ---------------------------------------------------------------------------------- channels that break one promise


class AcknowledgesFirst(Loopback):
    async def listen(self, deliver: Deliver) -> None:
        while True:
            while self._said:
                await deliver([self._said.popleft()])
            self._spoken.clear()
            await self._spoken.wait()


class TakesTheNewestFirst(Loopback):
    async def listen(self, deliver: Deliver) -> None:
        await self._spoken.wait()
        await asyncio.sleep(0.05)
        for item in reversed(self._said):
            await deliver([item])
        await asyncio.Event().wait()


class Retells(Loopback):
    """Delivers, but something else than what was said."""

    def say(self, item: object) -> None:
        assert isinstance(item, Incoming)
        super().say(self.retold(item))

    def retold(self, item: Incoming) -> Incoming:
        raise NotImplementedError


class ForgetsWhereItCameFrom(Retells):
    def retold(self, item: Incoming) -> Incoming:
        return replace(item, address=address("somebody-else"))


class NumbersEveryMessageOne(Retells):
    def retold(self, item: Incoming) -> Incoming:
        return replace(item, id="1")


class LosesTheChoice(Retells):
    def retold(self, item: Incoming) -> Incoming:
        return replace(item, choice=None, text="")


class TakesEditsForNews(Retells):
    def retold(self, item: Incoming) -> Incoming:
        return replace(item, revises=None)


class LogsWhatIsTyped(Loopback):
    def say(self, item: object) -> None:
        assert isinstance(item, Incoming)
        logging.getLogger("chatty").debug("got %s", item.text)
        super().say(item)


class PrintsWhatIsSaid(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        print(message.text)  # noqa: T201 - it is this one's vice
        return await super().send(message)


class ListensDeafly(Loopback):
    async def listen(self, deliver: Deliver) -> None:
        """Does not end when it is cancelled."""
        for _ in range(4):
            try:
                await asyncio.sleep(0.3)
            except asyncio.CancelledError:
                continue


class GivesUp(Loopback):
    async def listen(self, deliver: Deliver) -> None:
        raise ConnectionResetError


class Cuts(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        return await super().send(replace(message, text=message.text[:4096]))


class LosesButtons(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        return await super().send(replace(message, choices=()))


class SaysTwice(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        self._ids.clear()
        return await super().send(message)


class HidesItsKeys(Loopback):
    """Has keys and does not say so."""

    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        self.keyed = True
        try:
            return await super().send(message)
        finally:
            self.keyed = False


class SaysTheLastFirst(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        sent = await super().send(message)
        self.seen.reverse()
        return sent


class LetsTheVendorSpeak(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        try:
            return await super().send(message)
        except (TryLater, Undeliverable):
            raise OSError("429") from None


class ClaimsItArrived(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        try:
            return await super().send(message)
        except (TryLater, Undeliverable):
            return Sent("never")


class Quotes(Loopback):
    async def send(self, message: Outgoing) -> Sent | MaybeSent:
        try:
            return await super().send(message)
        except TryLater:
            raise TryLater(f"could not send: {message.text}") from None
        except Undeliverable:
            raise Undeliverable(f"could not send: {message.text}") from None


class ErasesNothing(Loopback):
    async def erase(self, address: Address, message_id: str) -> None: ...


class ErasesOnce(Loopback):
    async def erase(self, address: Address, message_id: str) -> None:
        if (address, message_id) in self.erased:
            raise Undeliverable("not found")
        await super().erase(address, message_id)


class FindsNothing(Loopback):
    async def check(self) -> Sequence[Finding]:
        return []


A, R, E = AdapterConformance, RefusalConformance, ErasureConformance

BROKEN: list[tuple[type[Loopback], Callable[..., Coroutine[object, object, None]]]] = [
    (ForgetsWhereItCameFrom, A.test_a_message_arrives_with_its_words_its_author_and_its_address),
    (TakesTheNewestFirst, A.test_messages_arrive_in_the_order_they_were_said),
    (NumbersEveryMessageOne, A.test_the_same_words_said_twice_are_two_messages),
    (AcknowledgesFirst, A.test_a_message_the_store_could_not_take_comes_again),
    (AcknowledgesFirst, A.test_nothing_is_acknowledged_before_it_is_stored),
    (ListensDeafly, A.test_what_waits_while_nobody_listens_arrives_later),
    (ListensDeafly, A.test_listening_ends_promptly_when_it_is_cancelled),
    (GivesUp, A.test_listening_ends_promptly_when_it_is_cancelled),
    (Cuts, A.test_a_long_text_arrives_whole_and_in_order),
    (LosesButtons, A.test_a_choice_reaches_the_customer_and_comes_back_as_its_key),
    (LosesTheChoice, A.test_a_choice_reaches_the_customer_and_comes_back_as_its_key),
    (SaysTwice, A.test_a_key_that_is_sent_again_shows_once_where_the_channel_says_it_has_keys),
    (HidesItsKeys, A.test_a_key_that_is_sent_again_shows_once_where_the_channel_says_it_has_keys),
    (SaysTheLastFirst, A.test_what_is_said_appears_in_its_order),
    (FindsNothing, A.test_its_settings_check_out),
    (TakesEditsForNews, EditConformance.test_an_edit_names_the_message_it_revises),
    (ErasesNothing, E.test_what_is_erased_is_gone_for_the_customer_too),
    (ErasesOnce, E.test_erasing_what_is_gone_already_is_no_failure),
    (LetsTheVendorSpeak, R.test_a_refusal_for_now_is_try_later),
    (LetsTheVendorSpeak, R.test_a_refusal_for_good_is_undeliverable),
    (Quotes, R.test_a_refusal_for_now_is_try_later),
    (Quotes, R.test_a_refusal_for_good_is_undeliverable),
    (ClaimsItArrived, R.test_an_answer_that_never_came_is_told_as_what_it_is),
    (ClaimsItArrived, R.test_a_vendor_that_is_away_is_try_later),
    (FindsNothing, R.test_a_vendor_that_is_away_is_found_by_the_check),
]


@pytest.mark.parametrize(("broken", "test"), BROKEN, ids=lambda one: getattr(one, "__name__", ""))
async def test_a_channel_that_breaks_a_promise_fails_the_suite(
    broken: type[Loopback], test: Callable[..., Coroutine[object, object, None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "PATIENCE", 0.5)
    monkeypatch.setattr(conformance, "PROMPTLY", 0.2)
    channel = broken()
    known = {"channel": channel, "customer": Ann(channel), "faults": Trouble(channel)}
    wanted = {name: known[name] for name in inspect.signature(test).parameters if name in known}

    with pytest.raises((AssertionError, OSError, Undeliverable, pytest.fail.Exception)):
        await test(LoopbackSuite(), **wanted)


@pytest.mark.parametrize("broken", [LogsWhatIsTyped, PrintsWhatIsSaid])
async def test_a_channel_that_shows_what_was_typed_fails_the_suite(
    broken: type[Loopback], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    channel = broken()

    with pytest.raises(AssertionError):
        await LoopbackSuite().test_what_was_typed_shows_in_no_repr_and_no_log(channel, Ann(channel), caplog, capfd)


class LeavesATaskBehind(Loopback):
    async def close(self) -> None:
        self.left = asyncio.create_task(self._hum())

    async def _hum(self) -> None:
        await asyncio.sleep(60)


async def test_a_channel_that_leaves_a_task_behind_fails_the_suite() -> None:
    channel = LeavesATaskBehind()

    with pytest.raises(AssertionError):
        await LoopbackSuite().close(channel)
    channel.left.cancel()
