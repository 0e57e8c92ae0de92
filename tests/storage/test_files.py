"""Files that came with messages: named first, then kept or not, and gone with the words they came with."""

import asyncio
from sqlite3 import connect

import pytest
from tests.storage.acts import claim_files, dossier, events, lines, take_turn
from tests.storage.conftest import SqlGround

from imconnect.domain.actions import RunErrand
from imconnect.domain.events import ErrandDone, ErrandKind
from imconnect.domain.readings import SecretKind
from imconnect.ports import ErrandResult, FileOfMessage, FileResult, FileState, Store
from imconnect.testing.makers import NOON, picture, received, secret

FETCH = RunErrand(ErrandKind.FETCH_FILES, "1")
CONTENT = bytes(range(256)) * 5


async def with_pictures(store: Store, *names: str) -> tuple[FileOfMessage, ...]:
    """A message with pictures, and the errand to fetch them claimed."""
    await store.record([received("look", attachments=[picture(name, f"{name}.png") for name in names])], NOON)
    await take_turn(store, FETCH)
    return await claim_files(store)


async def keep(store: Store, file: FileOfMessage, media_type: str = "image/webp") -> None:
    await store.keep_files([FileResult(file.id, FileState.KEPT, media_type, CONTENT)], NOON)


async def states(store: Store) -> list[FileState]:
    return [file.state for line in await lines(store) for file in line.files]


async def test_an_errand_brings_the_files_of_its_message(store: Store) -> None:
    await store.record([received("before", id="0", attachments=[picture("other")])], NOON)
    files = await with_pictures(store, "one", "two")

    assert [(file.file, file.state, file.media_type) for file in files] == [
        (picture("one", "one.png"), FileState.NAMED, "image/png"),
        (picture("two", "two.png"), FileState.NAMED, "image/png"),
    ]


async def test_an_errand_that_is_not_about_files_brings_none(store: Store) -> None:
    await store.record([received("look", attachments=[picture()])], NOON)
    await take_turn(store, RunErrand(ErrandKind.DELETE_UPSTREAM, "1"), RunErrand(ErrandKind.FETCH_FILES, "unheard of"))
    errands = await store.claim_errands("web", "site", 10, NOON)

    assert [errand.files for errand in errands] == [(), ()]


async def test_a_kept_file_comes_back_byte_for_byte_with_its_real_type(store: Store) -> None:
    (file,) = await with_pictures(store, "one")
    await keep(store, file)
    found = await store.file(file.id)

    assert found is not None
    assert found == ((await lines(store))[0].files[0], CONTENT)
    assert (found[0].state, found[0].media_type) == (FileState.KEPT, "image/webp")
    assert found[0].file == picture("one", "one.png")


async def test_what_was_not_kept_has_no_content(store: Store) -> None:
    too_large, lost, named = await with_pictures(store, "large", "lost", "named")
    await store.keep_files([FileResult(too_large.id, FileState.TOO_LARGE), FileResult(lost.id, FileState.LOST)], NOON)

    assert await states(store) == [FileState.TOO_LARGE, FileState.LOST, FileState.NAMED]
    assert [await store.file(file.id) for file in (too_large, lost, named)] == [None, None, None]
    assert await store.file(999) is None


async def test_a_file_with_a_secret_in_it_is_withheld_and_its_content_stored_nowhere(store: Store) -> None:
    """S-09: a keystore comes as a file. Its content stays out, even where whoever fetched it says it may be kept."""
    (file,) = await with_pictures(store, "keystore")
    result = FileResult(file.id, FileState.KEPT, "application/json", CONTENT, SecretKind.KEYSTORE)
    await store.keep_files([result], NOON)
    (shown,) = (await lines(store))[0].files

    assert (shown.state, shown.secret) == (FileState.WITHHELD, SecretKind.KEYSTORE)
    assert await store.file(file.id) is None


async def test_what_was_found_in_a_file_becomes_known_with_the_end_of_the_errand(store: Store) -> None:
    await with_pictures(store, "keystore")
    await store.settle_errands([ErrandResult(1, done=True, secret=secret(SecretKind.KEYSTORE))], NOON)

    assert await events(store) == [
        ErrandDone(ErrandKind.FETCH_FILES, done=True, subject="1", secret=secret(SecretKind.KEYSTORE))
    ]


async def test_kept_files_go_with_the_words_that_are_withdrawn(store: Store) -> None:
    kept, named = await with_pictures(store, "kept", "named")
    await keep(store, kept)
    await store.record([received("[withheld]", id="2", secret=secret(), withdrawn=("1",))], NOON)

    assert await states(store) == [FileState.WITHHELD, FileState.WITHHELD]
    assert (await store.file(kept.id), await store.file(named.id)) == (None, None)


async def test_kept_files_go_when_an_edit_turns_their_message_into_a_secret(store: Store) -> None:
    """T-17: the caption is edited into a private key."""
    (file,) = await with_pictures(store, "one")
    await keep(store, file)
    await store.record([received("[withheld]", id="1:1", revises="1", secret=secret())], NOON)

    assert await states(store) == [FileState.WITHHELD]
    assert await store.file(file.id) is None


async def test_an_edit_without_a_secret_leaves_files_alone(store: Store) -> None:
    (file,) = await with_pictures(store, "one")
    await keep(store, file)
    await store.record([received("look here", id="1:1", revises="1")], NOON)

    assert await states(store) == [FileState.KEPT]
    assert await store.file(file.id) is not None


async def test_nothing_is_kept_of_a_message_that_was_withheld_meanwhile(store: Store) -> None:
    (file,) = await with_pictures(store, "one")
    await store.record([received("[withheld]", id="2", secret=secret(), withdrawn=("1",))], NOON)
    await keep(store, file)

    assert await states(store) == [FileState.WITHHELD]
    assert await store.file(file.id) is None


async def test_files_that_come_with_a_secret_are_withheld_from_the_first(store: Store) -> None:
    await store.record([received("[withheld]", secret=secret(), attachments=[picture()])], NOON)

    assert await states(store) == [FileState.WITHHELD]


@pytest.mark.parametrize("keeping_first", [True, False])
async def test_keeping_and_withdrawing_at_once_leave_nothing(ground: SqlGround, keeping_first: bool) -> None:
    stores = [await ground.open(), await ground.open()]
    (file,) = await with_pictures(stores[0], "one")
    withdrawal = received("[withheld]", id="2", secret=secret(), withdrawn=("1",))
    both = [keep(stores[0], file), stores[1].record([withdrawal], NOON)]
    await asyncio.gather(*(both if keeping_first else reversed(both)))

    assert await stores[0].file(file.id) is None
    assert await states(stores[0]) == [FileState.WITHHELD]


async def test_a_withdrawn_file_is_in_no_byte_of_the_database(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    (file,) = await with_pictures(store, "one")
    await keep(store, file)
    before = [path.read_bytes() for path in sqlite.url.path.parent.glob("desk.db*")]
    await store.record([received("[withheld]", id="1:1", revises="1", secret=secret())], NOON)
    after = [path.read_bytes() for path in sqlite.url.path.parent.glob("desk.db*")]

    assert any(CONTENT[:200] in data for data in before)
    assert not any(CONTENT[:200] in data for data in after)


async def test_fetching_again_replaces_what_was_kept(store: Store) -> None:
    (file,) = await with_pictures(store, "one")
    await keep(store, file)
    await store.keep_files([FileResult(file.id, FileState.KEPT, "image/png", b"second")], NOON)
    found = await store.file(file.id)

    assert found is not None
    assert (found[0].media_type, found[1]) == ("image/png", b"second")


async def test_who_looks_at_a_conversation_is_told_when_its_file_is_there(store: Store) -> None:
    (file,) = await with_pictures(store, "one")
    conversation = (await dossier(store)).summary.id
    async with store.changes(f"conversation:{conversation}") as bell:
        await keep(store, file)

        assert await bell.wait(5)


async def test_the_content_of_a_file_is_in_the_file_table_only(sqlite: SqlGround) -> None:
    store = await sqlite.open()
    (file,) = await with_pictures(store, "one")
    await keep(store, file)
    with connect(sqlite.url.path) as data:
        found = data.execute("SELECT attachment_id, content FROM files").fetchall()
    data.close()

    assert found == [(file.id, CONTENT)]
