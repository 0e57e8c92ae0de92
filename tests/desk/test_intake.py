"""Intake: the guard first, then the store, then the acknowledgement."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from tests.desk.rigs import Counts, SetClock

from imconnect.desk.intake import LONG_TEXT, LONGEST_REASON, Intake
from imconnect.domain.messages import Attachment, Incoming, Language, Unreadable
from imconnect.domain.readings import SecretKind
from imconnect.guard import Guard
from imconnect.ports import Bounced, Mark, Received, TryLater
from imconnect.testing.fakes import MemoryStore
from imconnect.testing.makers import address, incoming, picture

PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A test vector of BIP-39."""

HASH = "0x" + "5d" * 32


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard()


class Records(MemoryStore):
    """Remembers what each commit held; while `open` is cleared, commits wait."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[list[Received | Unreadable | Bounced | Mark]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()

    async def record(self, items: Sequence[Received | Unreadable | Bounced | Mark], now: datetime) -> int:
        self.begun.set()
        await self.open.wait()
        new = await super().record(items, now)
        self.commits.append(list(items))
        return new

    @property
    def stored(self) -> list[Received]:
        return [item for commit in self.commits for item in commit if isinstance(item, Received)]


@pytest.fixture
def store() -> Records:
    return Records()


@pytest.fixture
def intake(store: Records, guard: Guard) -> Intake:
    return Intake(store, guard, SetClock(), Counts())


async def test_deliveries_that_come_while_one_is_committed_share_the_next_commit(
    store: Records, intake: Intake
) -> None:
    store.open.clear()
    first = asyncio.create_task(intake.deliver([incoming("one", id="1")]))
    await store.begun.wait()
    others = [asyncio.create_task(intake.deliver([incoming("more", id=str(number))])) for number in range(2, 12)]
    await asyncio.sleep(0)
    store.open.set()
    await asyncio.gather(first, *others)

    assert [len(commit) for commit in store.commits] == [1, 10]


async def test_a_delivery_returns_only_once_it_is_committed(store: Records, intake: Intake) -> None:
    store.open.clear()
    delivery = asyncio.create_task(intake.deliver([incoming()]))
    await store.begun.wait()
    done, _ = await asyncio.wait([delivery], timeout=0)
    store.open.set()
    await delivery

    assert not done
    assert len(store.stored) == 1


async def test_a_delivery_that_is_cut_off_is_committed_before_the_desk_ends(store: Records, intake: Intake) -> None:
    store.open.clear()
    delivery = asyncio.create_task(intake.deliver([incoming()]))
    await store.begun.wait()
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)
    store.open.set()
    await intake.flush()

    assert len(store.stored) == 1


async def test_while_the_store_is_down_nothing_is_taken_and_the_channel_is_told_to_come_again(
    store: Records, intake: Intake
) -> None:
    store.down = "the disk is full; free some space"
    with pytest.raises(TryLater, match="the disk is full"):
        await intake.deliver([incoming("hello", id="1")])
    store.down = None
    await intake.deliver([incoming("hello", id="1")])

    assert [one.incoming.text for one in store.stored] == ["hello"]


async def test_a_hash_that_needs_the_store_to_be_judged_is_not_taken_while_the_store_is_down(
    store: Records, intake: Intake
) -> None:
    store.down = "no server answers there"
    with pytest.raises(TryLater):
        await intake.deliver([incoming("5d" * 32)])

    assert store.stored == []


async def test_items_keep_their_order_across_deliveries(store: Records, intake: Intake) -> None:
    await asyncio.gather(*(intake.deliver([incoming("n", id=str(number))]) for number in range(50)))

    assert [one.incoming.id for one in store.stored] == [str(number) for number in range(50)]


async def test_a_phrase_in_the_text_is_withheld_whole(store: Records, intake: Intake) -> None:
    await intake.deliver([incoming(f"my words are {PHRASE} please help")])

    assert store.stored[0].incoming.text == "[recovery_phrase removed]"
    assert store.stored[0].secret is not None
    assert store.stored[0].secret.kind is SecretKind.RECOVERY_PHRASE


@pytest.mark.parametrize(
    ("typed", "hint", "told"),
    [
        (f"我的助记词是 {PHRASE}", Language.ENGLISH, Language.CHINESE),
        (f"我的助记词是 {PHRASE}", None, Language.CHINESE),
        (PHRASE, Language.CHINESE, Language.CHINESE),
        (PHRASE, None, None),
        (f"my words are {PHRASE}", None, Language.ENGLISH),
    ],
)
async def test_the_language_a_withheld_text_was_written_in_is_kept(
    store: Records, intake: Intake, typed: str, hint: Language | None, told: Language | None
) -> None:
    await intake.deliver([incoming(typed, language_hint=hint)])

    assert store.stored[0].incoming.language_hint is told


async def test_a_phrase_for_a_display_name_is_withheld(store: Records, intake: Intake) -> None:
    await intake.deliver([incoming("hello", name=PHRASE)])

    assert store.stored[0].incoming.author.name == "[recovery_phrase removed]"


async def test_a_phrase_for_a_file_name_is_withheld_and_warned_of(store: Records, intake: Intake) -> None:
    await intake.deliver([incoming("see file", attachments=[picture(), picture(name=f"{PHRASE}.txt")])])

    assert [file.name for file in store.stored[0].incoming.attachments] == ["screen.png", "[recovery_phrase removed]"]
    assert store.stored[0].secret is not None


async def test_a_phrase_in_what_a_mail_quotes_is_removed_there_and_warned_of(store: Records, intake: Intake) -> None:
    """E-25: the quoted part repeats what the customer should never have written."""
    await intake.deliver([incoming("any news?", quoted=f"On Monday Ann wrote: my words are {PHRASE}")])
    (stored,) = store.stored

    assert (stored.incoming.text, stored.incoming.quoted) == ("any news?", "[recovery_phrase removed]")
    assert stored.secret is not None
    assert stored.secret.kind is SecretKind.RECOVERY_PHRASE


async def test_what_is_quoted_without_a_secret_is_kept_as_it_is(store: Records, intake: Intake) -> None:
    await intake.deliver([incoming("any news?", quoted="On Monday Ann wrote: hello")])

    assert store.stored[0].incoming.quoted == "On Monday Ann wrote: hello"
    assert store.stored[0].secret is None


async def test_a_type_that_is_none_is_not_kept_in_its_senders_words(store: Records, intake: Intake) -> None:
    """S-12: a field of a form is typed text too."""
    files = [Attachment("1", "a", kind, 9) for kind in ("IMAGE/PNG", PHRASE, f"text/{PHRASE}")]
    await intake.deliver([incoming("see file", attachments=files)])

    assert [file.media_type for file in store.stored[0].incoming.attachments] == [
        "image/png",
        "application/octet-stream",
        "application/octet-stream",
    ]


async def test_what_a_server_says_of_a_bounce_is_kept_short_and_without_what_it_quotes(
    store: Records, intake: Intake
) -> None:
    quoting = Bounced("b1", "email", "desk", "s1", True, f"550 refused\n\n{'x' * 300} my words are {PHRASE}")
    plain = Bounced("b2", "email", "desk", "s2", True, "550 5.1.1\n  no such user " + "x" * 1_000)
    await intake.deliver([quoting, plain])
    kept = [item.reason for commit in store.commits for item in commit if isinstance(item, Bounced)]

    assert kept[0] == "[recovery_phrase removed]"
    assert kept[1].startswith("550 5.1.1 no such user")
    assert len(kept[1]) == LONGEST_REASON


async def test_a_mark_is_kept_in_the_same_commit_as_what_came_before_it(store: Records, intake: Intake) -> None:
    """E-16: a crash between the message and the cursor cannot happen, for there is nothing in between."""
    await intake.deliver([incoming("one", id="1"), Mark("web", "site", "uid", "7")])

    assert [[type(item).__name__ for item in commit] for commit in store.commits] == [["Received", "Mark"]]


async def test_a_long_text_is_guarded_like_a_short_one(store: Records, intake: Intake) -> None:
    await intake.deliver([incoming("lorem ipsum dolor " * (LONG_TEXT // 10) + PHRASE)])

    assert store.stored[0].incoming.text == "[recovery_phrase removed]"


async def test_words_of_a_phrase_sent_one_by_one_are_withdrawn_from_what_is_stored(
    store: Records, intake: Intake
) -> None:
    for number, word in enumerate(PHRASE.split(), start=1):
        await intake.deliver([incoming(word, id=str(number))])
    lines = await store.transcript(address(), 0, 100)

    assert not {word for line in lines for word in line.text.split()} & set(PHRASE.split())


async def test_a_fault_in_the_guard_withholds_every_field_and_loses_no_message(
    store: Records, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(text: str, **_context: object) -> None:
        raise RecursionError(text)

    monkeypatch.setattr("imconnect.guard.keys.find", breaks)
    await intake.deliver([incoming("hello", name="Ann", attachments=[picture(name="screen.png")])])
    stored = store.stored[0].incoming

    assert not {"hello", "Ann", "screen.png"} & {stored.text, stored.author.name, stored.attachments[0].name}
    assert store.stored[0].secret is not None


async def test_the_same_message_again_is_acknowledged_and_stored_once(store: Records, guard: Guard) -> None:
    counts = Counts()
    intake = Intake(store, guard, SetClock(), counts)
    message: Incoming = incoming("hello", id="7")
    await intake.deliver([message])
    await intake.deliver([message])
    lines = await store.transcript(address(), 0, 100)

    assert [line.text for line in lines] == ["hello"]
    assert (counts.of["messages_received"], counts.of["messages_repeated"]) == (1, 1)


async def test_a_secret_that_a_button_carries_is_kept_nowhere(intake: Intake, store: Records) -> None:
    """S-12: a client of somebody's own may press anything."""
    await intake.deliver([incoming("", choice=PHRASE), incoming("", id="2", choice="t:fees")])

    pressed, harmless = store.stored
    assert (pressed.incoming.choice, harmless.incoming.choice) == (None, "t:fees")
    assert pressed.secret is not None
    assert pressed.secret.kind is SecretKind.RECOVERY_PHRASE
