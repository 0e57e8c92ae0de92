"""Arrays in a file: whole or not at all, believed only when every byte is as it was written."""

from array import array
from pathlib import Path

import pytest

from imconnect.nlu.kept import ALIGNED, Kept, keep

ARRAYS = {
    "some": memoryview(array("f", [1.5, -2.0, 3.0])),
    "more": memoryview(array("Q", [1, 2**63])),
    "none": memoryview(array("I")),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "below" / "a.kept"
    keep(path, {"topics": ["费用", "fees"]}, ARRAYS)
    return path


def test_what_was_kept_is_found_again(file: Path) -> None:
    kept = Kept.open(file)

    assert kept.facts == {"topics": ["费用", "fees"]}
    assert kept.views["some"].tolist() == [1.5, -2.0, 3.0]
    assert kept.views["more"].tolist() == [1, 2**63]
    assert kept.views["none"].tolist() == []
    assert kept.shapes == {"some": (3,), "more": (2,), "none": (0,)}


def test_what_is_mapped_cannot_be_written_to(file: Path) -> None:
    view = Kept.open(file).views["some"]

    with pytest.raises(TypeError):
        view[0] = 9


def test_every_array_begins_where_a_cache_line_does(file: Path) -> None:
    keep(file, {"pad": "x"}, ARRAYS)
    whole = file.read_bytes()

    assert whole.index(ARRAYS["some"].tobytes()) % ALIGNED == 0
    assert whole.index(ARRAYS["more"].tobytes()) % ALIGNED == 0


def test_a_file_with_any_byte_changed_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for place in (0, 20, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="not what was written"):
            Kept.open(file)


@pytest.mark.parametrize("size", [0, 5, 9, 40, -1])
def test_a_file_cut_short_is_refused(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])

    with pytest.raises(ValueError, match="not what was written"):
        Kept.open(file)


def test_a_file_replaced_or_deleted_meanwhile_is_still_there_for_who_has_it_open(file: Path) -> None:
    kept = Kept.open(file)
    keep(file, {}, {})
    file.unlink()

    assert kept.views["some"].tolist() == [1.5, -2.0, 3.0]


def test_a_write_that_fails_leaves_what_was_there_and_no_draft(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(TypeError):
        keep(file, {"not": object()}, ARRAYS)
    scattered = memoryview(array("f", range(8)))[::2]
    with pytest.raises(BufferError):
        keep(file, {}, {"scattered": scattered})

    assert file.read_bytes() == before
    assert [one.name for one in file.parent.iterdir()] == [file.name]
