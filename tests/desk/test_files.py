"""Files: fetched once, known by their content, seen by the guard before they are kept."""

from collections.abc import Sequence
from functools import cache

from tests.desk.rigs import Rig

from imconnect.desk.errands import MOST_FETCHES, Errands
from imconnect.domain.messages import LARGEST_FILE, Address, Attachment
from imconnect.domain.readings import SecretKind
from imconnect.guard import Guard
from imconnect.guard.files import FileVerdict
from imconnect.ports import FileOfMessage, FileState, TryLater, Undeliverable
from imconnect.testing.fakes import NullMeter, ScriptedAdapter
from imconnect.testing.makers import address, received

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"
"""A test vector of BIP-39."""


@cache
def the_guard() -> Guard:
    """Made once: it takes a moment."""
    return Guard()


class Fetching(ScriptedAdapter):
    """Has the content of files by their name; what is an error is raised, once."""

    def __init__(self, **contents: bytes | Exception) -> None:
        super().__init__()
        self.contents = contents
        self.fetched: list[str] = []

    async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
        self.fetched.append(file.name)
        content = self.contents[file.name]
        if isinstance(content, Exception):
            raise content
        return content


def errands(rig: Rig, adapter: ScriptedAdapter) -> Errands:
    return Errands(rig.store, adapter, rig.clock, NullMeter(), lambda: 0.0, the_guard().inspect_file)


async def bring(rig: Rig, adapter: ScriptedAdapter, *files: Attachment) -> Sequence[FileOfMessage]:
    """A message with *files* comes in and they are seen to; what became of them."""
    await rig.store.record([received("see files", attachments=files)], rig.clock())
    await rig.settle()
    await errands(rig, adapter).step()
    await rig.settle()
    return await became(rig)


async def became(rig: Rig) -> Sequence[FileOfMessage]:
    dossier = await rig.store.dossier((await rig.conversation()).reference)
    assert dossier is not None
    return [file for line in dossier.lines for file in line.files]


def named(name: str, size: int = 100, kind: str = "text/plain") -> Attachment:
    return Attachment(name, name, kind, size)


async def test_a_file_is_kept_whole_under_the_type_its_content_has() -> None:
    rig, adapter = Rig(), Fetching(picture=PNG)
    (file,) = await bring(rig, adapter, named("picture", kind="application/x-msdownload"))
    kept = await rig.store.file(file.id)

    assert (file.state, file.media_type) == (FileState.KEPT, "image/png")
    assert kept is not None
    assert kept[1] == PNG


async def test_a_file_with_a_secret_is_withheld_and_the_customer_is_warned() -> None:
    """S-09: a text file with a phrase never reaches an agent."""
    rig, adapter = Rig(), Fetching(wallet=f"my words: {PHRASE}".encode())
    (file,) = await bring(rig, adapter, named("wallet"))

    assert (file.state, file.secret) == (FileState.WITHHELD, SecretKind.RECOVERY_PHRASE)
    assert await rig.store.file(file.id) is None
    assert "secret-removed-recovery-phrase" in "".join(line.text for line in await rig.lines())
    assert adapter.erased or "withheld: recovery_phrase" in await rig.outcomes()


async def test_a_text_that_cannot_be_read_is_withheld_and_nobody_is_warned_of_it() -> None:
    rig, adapter = Rig(), Fetching(notes=bytes(range(256)))
    (file,) = await bring(rig, adapter, named("notes"))

    assert (file.state, file.secret) == (FileState.WITHHELD, None)
    assert "secret-removed" not in "".join(line.text for line in await rig.lines())


async def test_a_fault_of_the_guard_withholds_the_file() -> None:
    def breaks(name: str, kind: str, content: bytes) -> FileVerdict:
        raise RecursionError

    rig, adapter = Rig(), Fetching(wallet=b"harmless, perhaps")
    await rig.store.record([received("see file", attachments=[named("wallet")])], rig.clock())
    await rig.settle()
    await Errands(rig.store, adapter, rig.clock, NullMeter(), lambda: 0.0, breaks).step()
    (file,) = await became(rig)

    assert file.state is FileState.WITHHELD
    assert await rig.store.file(file.id) is None


async def test_a_file_that_is_too_large_is_not_even_asked_for() -> None:
    """T-26: its name and size are noted, and the rest is fetched."""
    rig, adapter = Rig(), Fetching(small=b"text", large=b"")
    large, small = await bring(rig, adapter, named("large", LARGEST_FILE + 1), named("small"))

    assert (large.state, small.state) == (FileState.TOO_LARGE, FileState.KEPT)
    assert adapter.fetched == ["small"]


async def test_a_file_that_turns_out_too_large_is_not_kept() -> None:
    rig, adapter = Rig(), Fetching(larger=bytes(LARGEST_FILE + 1))
    (file,) = await bring(rig, adapter, named("larger", size=5))

    assert file.state is FileState.TOO_LARGE


async def test_a_file_that_is_gone_is_lost_and_the_others_are_kept() -> None:
    rig, adapter = Rig(), Fetching(gone=Undeliverable("expired"), here=b"text")
    gone, here = await bring(rig, adapter, named("gone"), named("here"))

    assert (gone.state, here.state) == (FileState.LOST, FileState.KEPT)


async def test_what_was_brought_is_not_fetched_again_when_the_rest_is_tried_again() -> None:
    rig, adapter = Rig(), Fetching(first=b"text", second=TryLater("busy", 5))
    await bring(rig, adapter, named("first"), named("second"))
    adapter.contents["second"] = b"more text"
    rig.clock.later(5)
    await errands(rig, adapter).step()

    assert adapter.fetched == ["first", "second", "second"]
    assert [file.state for file in await became(rig)] == [FileState.KEPT, FileState.KEPT]


async def test_a_file_nobody_can_fetch_in_the_end_is_lost_and_not_waited_for() -> None:
    rig, adapter = Rig(), Fetching(slow=TryLater("busy", 5))
    await bring(rig, adapter, named("slow"))
    for _ in range(MOST_FETCHES + 3):
        rig.clock.later(5)
        await errands(rig, adapter).step()
    (file,) = await became(rig)

    assert file.state is FileState.LOST
    assert len(adapter.fetched) == MOST_FETCHES


async def test_files_of_a_channel_that_hands_out_none_are_lost() -> None:
    rig = Rig()
    (file,) = await bring(rig, ScriptedAdapter(), named("picture"))

    assert file.state is FileState.LOST


async def test_a_slow_file_does_not_keep_a_leaked_phrase_on_the_channel() -> None:
    import asyncio

    from imconnect.desk.loops import Stopping
    from imconnect.testing.makers import secret

    class Slow(Fetching):
        async def fetch(self, address: Address, message_id: str, file: Attachment, most: int) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

    rig, adapter, stopping = Rig(), Slow(), Stopping()
    await rig.store.record([received("see file", id="1", attachments=[named("slow")])], rig.clock())
    await rig.settle()
    running = asyncio.create_task(errands(rig, adapter).run(stopping))
    await asyncio.sleep(0)
    leak = received("[recovery_phrase removed]", id="leak", secret=secret())
    await rig.store.record([leak], rig.clock())
    await rig.settle()
    async with asyncio.timeout(5):
        while not adapter.erased:  # noqa: ASYNC110 - the adapter has no bell
            await asyncio.sleep(0.01)
    stopping.ask()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert adapter.erased == [(address(), "leak")]
