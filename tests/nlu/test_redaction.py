"""No value of a customer's gets into an example, and what teaches stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.nlu.normalise import squeezed
from imconnect.nlu.redaction import LEFT_OUT, redacted

HASH = "0x" + "5d3f" * 16
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"
TRON = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"


@pytest.mark.parametrize(
    "value",
    [
        HASH,
        HASH.removeprefix("0x"),
        WALLET,
        "0x5290...9EE7",
        "0x5290…9EE7",
        TRON,
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "UQ" + "aB1-xY_z" * 5 + "aB1-xY",
        "li.wei+im@example.co.uk",
        "+86 138 0013 8000",
        "13800138000",
        "(020) 7946-0958",
        "4111 1111 1111 1111",
        "11010519491231002X",
        "IM-7K3F-92QX",
        "88123456",
        "ORD-20260105",
        "12,345.67",
        "@john_99",
        "john_99#1234",
        "https://evil.example/?id=77&u=li",
        "wa1let-support.com/claim",
        "１３８００１３８０００",
        f"{HASH[:40]}\n{HASH[40:]}",
    ],
)
@pytest.mark.parametrize("sentence", ["my {} is gone", "我的{}不见了？", "{}"])
def test_a_value_is_left_out_and_the_words_around_it_stay(sentence: str, value: str) -> None:
    left = redacted(sentence.format(value))

    assert left == sentence.format(LEFT_OUT).replace("？", left[-1] if left[-1] in "?？" else "？")
    assert squeezed(left) == squeezed(sentence.format(""))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("微信号 abc_123456 加我", "微信号 … 加我"),
        ("加我VX：wang12345", "加我VX：…"),
        ("my telegram is li_wei88", "my telegram is …"),
        ("姓名：张三丰", "姓名：…"),
        ("my name is John Smith", "my name is …"),
        ("订单 4821 还没处理", "订单 … 还没处理"),
        (f"{HASH}, {HASH} and {WALLET}", "… and …"),
    ],
)
def test_accounts_and_names_that_are_given_as_such_are_left_out(said: str, left: str) -> None:
    assert redacted(said) == left


@pytest.mark.parametrize(
    "text",
    [
        "为什么我的钱还没到？",
        "转了3个U，手续费要1U，是不是太贵了！",
        "TRC20 和 ERC20 有什么区别",
        "iPhone 15 闪退，版本 2.3.1",
        "i sent 1000 usdt at 15:30 yesterday",
        "telegram group is fake, right?",
        "嚟咗三日都未到數",
    ],
)
def test_what_belongs_to_nobody_stays_as_it_was_typed(text: str) -> None:
    assert redacted(text) == text


def test_what_was_typed_on_many_lines_stands_on_one() -> None:
    assert redacted("  it does\nnot\twork ") == "it does not work"


@given(st.text(max_size=80))
def test_what_was_redacted_once_holds_nothing_more(text: str) -> None:
    once = redacted(text)

    assert redacted(once) == once
