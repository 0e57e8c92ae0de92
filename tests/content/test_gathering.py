"""What leads added joins the pack: at the start, and in its files."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imconnect.content import PackError, bundled_pack, check_pack, gather, phrasings, read_with_phrasings, with_examples
from imconnect.domain.messages import Language
from imconnect.domain.questions import Became
from imconnect.ports import SettledQuestion
from imconnect.testing.makers import NOON

ODD = "blorp the quux my frobnicator"


def added(text: str = ODD, topic: str | None = "fees", language: Language = Language.ENGLISH) -> SettledQuestion:
    became = Became.ADDED if topic is not None else Became.OFF_TOPIC
    return SettledQuestion(f"key of {text}", became, "Mei", NOON, text, f"letters of {text}", topic, language)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The shipped pack, to write into."""
    return Path(shutil.copytree(bundled_pack(), tmp_path / "pack"))


def texts(found: Sequence[object]) -> list[str]:
    return [str(getattr(one, "text", "")) for one in found]


# ------------------------------------------------------------------------------------------------------ at the start


def test_what_was_added_is_a_phrasing_of_its_topic() -> None:
    before = read_with_phrasings(bundled_pack())
    _, after = with_examples(*before, [added()])
    new = after[len(before[1]) :]

    assert [(one.text, one.topic, one.language, one.voice) for one in new] == [
        (ODD, "fees", Language.ENGLISH, "customers")
    ]


def test_what_is_nothing_of_ours_is_off_topic() -> None:
    playbook, _ = with_examples(*read_with_phrasings(bundled_pack()), [added(topic=None)])

    assert playbook.off_topic[-1] == ODD


def test_where_pack_and_example_disagree_the_pack_stands() -> None:
    before = read_with_phrasings(bundled_pack())
    taken = before[0].topics["fees"].articles[Language.ENGLISH].examples[0]
    after = with_examples(*before, [added(taken.upper(), "is-it-safe"), added(taken, None)])

    assert after == before


def test_of_two_examples_of_one_wording_the_first_stands() -> None:
    before = read_with_phrasings(bundled_pack())
    _, after = with_examples(*before, [added(), replace(added(f"{ODD}!"), topic="is-it-safe")])

    assert [one.topic for one in after[len(before[1]) :]] == ["fees"]


def test_an_example_of_a_topic_the_pack_has_lost_is_left_out() -> None:
    before = read_with_phrasings(bundled_pack())

    assert with_examples(*before, [added(topic="gone")]) == before


# ------------------------------------------------------------------------------------------------------ in its files


def test_examples_are_written_where_they_belong_and_the_pack_stays_sound(pack: Path) -> None:
    done = gather(pack, [added(), added("那个啥玩意儿咋整", "fees", Language.CHINESE), added("wibble wobble", None)])
    read = {one.text: one for one in phrasings(pack)}

    assert done.written == {"en/topics/fees.txt": 1, "zh/topics/fees.txt": 1, "off-topic.txt": 1}
    assert [read[text].file for text in (ODD, "那个啥玩意儿咋整", "wibble wobble")] == list(done.written)
    assert {read[text].voice for text in (ODD, "那个啥玩意儿咋整", "wibble wobble")} == {"customers"}
    assert check_pack(pack) == []


def test_what_stands_in_a_file_is_left_as_it_is(pack: Path) -> None:
    file = pack / "en/topics/fees.txt"
    before = file.read_bytes()
    gather(pack, [added()])

    assert file.read_bytes() == before + f"\n# voice: customers\n{ODD}\n".encode()


def test_later_examples_go_on_under_the_same_voice(pack: Path) -> None:
    gather(pack, [added()])
    gather(pack, [added("quux again")])

    assert (
        (pack / "en/topics/fees.txt").read_text(encoding="utf-8").endswith(f"# voice: customers\n{ODD}\nquux again\n")
    )


def test_gathering_again_changes_nothing(pack: Path) -> None:
    gather(pack, [added()])
    before = (pack / "en/topics/fees.txt").read_bytes()
    done = gather(pack, [added()])

    assert (done.written, done.known, done.keys) == ({}, 1, [added().key])
    assert (pack / "en/topics/fees.txt").read_bytes() == before


def test_line_ends_and_marks_of_an_editor_are_kept(pack: Path) -> None:
    file = pack / "en/topics/fees.txt"
    before = b"\xef\xbb\xbf# voice: everyday\r\nhow much is it\r\nwhat fee"
    file.write_bytes(before)
    gather(pack, [added()])

    assert file.read_bytes() == before + f"\r\n\r\n# voice: customers\r\n{ODD}\r\n".encode()


def test_a_topic_the_pack_does_not_have_is_named_and_the_others_are_written(pack: Path) -> None:
    done = gather(pack, [added("one thing", "gone"), added()])

    assert (done.unknown_topics, done.keys) == (["gone"], [added().key])


def test_a_pack_with_a_fault_is_not_touched(pack: Path) -> None:
    (pack / "en/topics/fees.md").unlink()
    before = (pack / "en/topics/fees.txt").read_bytes()
    with pytest.raises(PackError, match=r"fees\.md"):
        gather(pack, [added()])

    assert (pack / "en/topics/fees.txt").read_bytes() == before


def test_a_file_that_cannot_be_written_stays_whole(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(path))

    before = (pack / "en/topics/fees.txt").read_bytes()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        gather(pack, [added()])

    assert (pack / "en/topics/fees.txt").read_bytes() == before


def test_examples_are_written_in_the_order_of_adding(pack: Path) -> None:
    later = replace(added("second thing"), at=NOON + timedelta(hours=1))
    gather(pack, [added("first thing"), later])
    read = texts([one for one in phrasings(pack) if one.voice == "customers"])

    assert read == ["first thing", "second thing"]
