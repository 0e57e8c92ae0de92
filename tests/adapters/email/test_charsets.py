"""Letters arrive as they were written, whatever charset a mail claims."""

import pytest
from tests.adapters.email.samples import mail

from imconnect_email.charsets import codec_of, decode, detect
from imconnect_email.headers import words

TEXTS = {
    "charset_gb2312_beyond": "朱镕基，啰嗦，5㎜，繁體字。",
    "charset_x_gbk": "转账没有到账。",
    "charset_unknown": "转账没有到账，请帮忙看看。",
    "charset_default": "转账没有到账，请帮忙看看。",
    "charset_empty": "转账没有到账，请帮忙看看。",
    "charset_utf8_labelled_gbk": "转账没有到账，请帮忙看看。",
    "charset_gbk_labelled_utf8": "转账没有到账，请帮忙看看。",
    "charset_iso_2022_jp_nec": "①送金が届きません。 TRC20",
    "charset_ks_c_5601": "송금이 도착하지 않았습니다. 똠방각하",
    "charset_big5_hk": "我喺香港轉帳，仲未收到。",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_readable_in_whatever_charset_it_comes(name: str) -> None:
    """E-21: names that are wrong, unknown, empty or too small for what was written."""
    assert mail(name).text == TEXTS[name]


def test_a_subject_in_gb2312_may_hold_what_gb2312_does_not() -> None:
    """E-21: as for texts, so for encoded words."""
    assert mail("charset_gb2312_beyond").subject == "朱镕基的啰嗦"


def test_a_subject_in_raw_gbk_is_readable() -> None:
    """E-22: no encoded word and no charset, eight bits as they are."""
    found = mail("subject_raw_gbk")

    assert found.subject == "忘记密码怎么办"
    assert found.sender is not None
    assert found.sender.name == "王小明"


def test_a_character_cut_across_two_encoded_words_is_whole_again() -> None:
    assert mail("subject_split_character").subject == "收不到验证码怎么办"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("你好", "gb18030"),
        ("转账还没有到账", "gb18030"),
        ("轉帳還沒有到帳，請幫我看看", "big5"),
        ("안녕하세요 송금이 도착하지 않았습니다", "cp949"),
        ("お世話になっております。送金が届きません", "euc_jp"),
        ("お世話になっております。送金が届きません", "shift_jis"),
        ("Ça va déjà très bien, merci", "cp1252"),
        ("转账还没有到账", "utf-8"),
        ("转账还没有到账", "utf-16"),
    ],
)
def test_a_charset_nobody_names_is_found_out(text: str, codec: str) -> None:
    assert detect(text.encode(codec)) == text


def test_the_charset_the_mail_names_elsewhere_is_tried_first() -> None:
    assert detect("Перевод не пришёл".encode("koi8-r"), hint="koi8-r") == "Перевод не пришёл"


def test_what_no_charset_explains_is_replaced_and_not_lost() -> None:
    found = decode(b"before \xff\xff\xff after", "utf-8")

    assert found.startswith("before ")
    assert found.endswith(" after")


@pytest.mark.parametrize("name", ["rot13", "hex", "zip", "idna", "unicode_escape", "undefined", "\0", "a" * 500])
def test_what_is_no_charset_has_no_codec(name: str) -> None:
    assert codec_of(name) is None


@pytest.mark.parametrize(
    "name", ["gb2312", "GB_2312-80", "x-gbk", "windows-936", "utf8mb4", "KS_C_5601-1987", "iso-8859-8-i"]
)
def test_names_python_does_not_know_have_a_codec(name: str) -> None:
    assert codec_of(name) is not None


def test_an_encoded_word_of_a_charset_that_does_not_exist_is_read_all_the_same() -> None:
    assert words(b"=?x-none?B?5L2g5aW9?= =?utf-8*en?Q?a_b?=") == "你好a b"
