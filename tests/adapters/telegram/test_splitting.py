"""A long answer is parted where a reader would part it, and nothing in it is broken. (T-19)"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.domain import splitting
from imconnect.domain.splitting import utf16_units
from imconnect_telegram.translate import TEXT_LIMIT

HASH = "0x" + "5c50" * 16
LINK = "https://etherscan.io/tx/" + HASH
SENTENCE = "请在区块浏览器中查看这笔转账的状态，"


def split(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    return splitting.split(text, limit, utf16_units)


def test_a_short_text_stays_whole() -> None:
    assert split(" hello\nworld ") == ["hello\nworld"]


def test_nothing_has_no_parts() -> None:
    assert split(" \n ") == []


@pytest.mark.parametrize("shift", range(0, 120, 7))
def test_a_link_in_chinese_text_is_never_cut(shift: int) -> None:
    text = "字" * (4000 + shift) + LINK + "，" + SENTENCE * 20

    parts = split(text)

    assert any(LINK in part for part in parts)
    assert "".join(parts) == text


@pytest.mark.parametrize("shift", range(0, 66, 5))
def test_a_hash_is_never_cut(shift: int) -> None:
    text = "字" * (4040 + shift) + HASH + "字" * 300

    assert any(HASH in part for part in split(text))


@pytest.mark.parametrize("character", ["😀", "👨‍👩‍👧", "👍🏽", "❤️", "1️⃣", "e\u0301"])
def test_a_character_is_never_cut(character: str) -> None:
    for shift in range(8):
        parts = split("字" * (4090 + shift - 4) + character * 10)

        assert all(
            part.replace("字", "") == character * (len(part.replace("字", "")) // len(character)) for part in parts
        )


@pytest.mark.parametrize("shift", range(0, 40, 3))
def test_a_link_in_any_script_is_never_cut(shift: int) -> None:
    link = "https://кошелёк.пример/путь.по.которому?идём.домой"
    parts = split("x " * 10 + "字" * shift + link + " " + "字" * 60, 100)

    assert any(link in part for part in parts)


def test_paragraphs_go_before_lines_and_lines_before_sentences() -> None:
    assert split("a" * 60 + "\n\n" + "b" * 20 + "\n" + "c" * 60, 100) == ["a" * 60, "b" * 20 + "\n" + "c" * 60]
    assert split("a " * 30 + "\n" + "b " * 30, 100) == [("a " * 30).strip(), ("b " * 30).strip()]
    assert split("字" * 60 + "。" + "词" * 60, 100) == ["字" * 60 + "。", "词" * 60]


def test_what_fits_nowhere_is_cut_all_the_same() -> None:
    parts = split("x" * 10_000)

    assert [len(part) for part in parts] == [4096, 4096, 1808]


@given(
    st.text(alphabet=st.sampled_from("字词 \n。.a0😀👍🏽é/:"), max_size=400), st.integers(min_value=12, max_value=60)
)
def test_every_part_fits_and_nothing_but_space_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)

    assert all(0 < utf16_units(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
