import time

import pytest

from imconnect.nlu.normalise import normalise, simplified, spoken, squeezed, table


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ＵＳＤＴ　沒收到", "usdt 没收到"),
        ("錢包裡的錢不見了", "钱包里的钱不见了"),
        ("点解冇到账嘅", "为什么没有到账的"),
        ("I can’t log\u200bin", "i cant login"),
        ("helppppp", "helpp"),
        ("pass\u00adword", "password"),
        ("帳號 / 賬號", "账号 / 账号"),
    ],
)
def test_what_people_spell_differently_reads_the_same(written: str, read: str) -> None:
    assert normalise(written) == read


@pytest.mark.parametrize("text", ["", "   ", "\ufeff", "?!", "钱" * 5000, "\ud800", "a\u0301" * 900])
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once


def test_hashes_addresses_links_and_amounts_carry_no_topic() -> None:
    text = "sent 12.5 usdt from 0x52908400098527886E0F7030069857D2E4169EE7 see https://example.org/tx/1, mail me@a.io"

    assert spoken(text) == "sent usdt from see mail"


def test_spaces_punctuation_and_numbers_do_not_make_another_question() -> None:
    assert squeezed("钱被转走了！！") == squeezed(" 錢 被轉走了。3") == "钱被转走了"


def test_the_table_pairs_every_traditional_character_with_another() -> None:
    folded, only_simplified, only_traditional = table()

    assert len(folded) > 2900
    assert all(chr(key) != value for key, value in folded.items())
    assert not only_simplified & only_traditional
    assert simplified("後裡發錢") == "后里发钱"


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "1.1" * 70_000, "a.b+" * 50_000 + "@", "http://" * 30_000, "钱" * 200_000]
)
def test_hostile_text_is_read_in_time(text: str) -> None:
    started = time.process_time()
    spoken(text)

    assert time.process_time() - started < 2
