"""How something is said, heard in both languages and both scripts."""

import pytest

from imconnect.domain.manner import asks, concerns, corrects, declined, declines, meant, unhelped

NAMES = {
    "transaction_hash": ("交易哈希", "哈希", "雜湊", "hash", "transaction hash"),
    "wallet_address": ("地址", "address"),
    "when": ("时间", "時間", "when"),
}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("No, I mean the fees", "the fees"),
        ("i meant ETH not TRON", "ETH"),
        ("not ETH but TRON", "TRON"),
        ("no, it's BSC", "BSC"),
        ("不是，我说的是手续费", "手续费"),
        ("不對，我是說手續費", "手續費"),
        ("不是TRON，是ETH", "ETH"),
        ("我说的是以太坊不是波场", "以太坊"),
        ("说错了，应该是昨天", "昨天"),
    ],
)
def test_a_correction_says_what_was_meant_and_not_what_it_takes_back(text: str, what: str) -> None:
    assert corrects(text)
    assert meant(text) == what


@pytest.mark.parametrize(
    "text", ["no", "不是", "不是我操作的", "应该是昨天下午", "no it is still not working", "what do you mean", "是的"]
)
def test_an_answer_is_no_correction(text: str) -> None:
    assert not corrects(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("I don't have the hash", ("transaction_hash",)),
        ("no transaction hash, and I forgot when", ("transaction_hash", "when")),
        ("I'd rather not share my address", ("wallet_address",)),
        ("hash? no idea", ("transaction_hash",)),
        ("I lost the hash but my address is 0xabc", ("transaction_hash",)),
        ("没有哈希", ("transaction_hash",)),
        ("沒有雜湊，不記得時間了", ("transaction_hash", "when")),
        ("哈希找不到，地址是0xabc", ("transaction_hash",)),
        ("不想提供地址", ("wallet_address",)),
        ("地址没有错", ()),
        ("没有转到这个地址里", ()),
        ("the address has no USDT", ()),
        ("where do I find the hash?", ()),
        ("我没有收到", ()),
    ],
)
def test_a_refusal_is_of_what_it_names(text: str, names: tuple[str, ...]) -> None:
    assert declined(text, NAMES) == names


@pytest.mark.parametrize("text", ["I can't find it", "the rest I don't have", "找不到", "我不想提供", "其他的没有"])
def test_a_refusal_may_name_nothing(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize("text", ["没有", "I didn't receive it", "我没有收到", "thanks, found it", "不是"])
def test_a_negation_alone_refuses_nothing(text: str) -> None:
    assert not declines(text)


@pytest.mark.parametrize("text", ["still not working", "that didn't help", "试过了还是不行", "還是沒用", "没解决"])
def test_advice_that_did_not_help_is_heard(text: str) -> None:
    assert unhelped(text)


@pytest.mark.parametrize("text", ["it works now", "the money has not arrived", "好了", "钱还没到"])
def test_what_says_nothing_of_the_advice_is_no_complaint_about_it(text: str) -> None:
    assert not unhelped(text)


def test_clauses_long_enough_to_be_a_matter_each_are_told_apart() -> None:
    assert concerns("怎么改密码，还有我的币被转走了") == ["怎么改密码", "我的币被转走了"]
    assert concerns("How do I install the app? And my USDT is gone.") == ["How do I install the app", "my USDT is gone"]
    assert concerns("hi. my money is gone") == []
    assert concerns("我的币被转走了") == []


@pytest.mark.parametrize(("text", "is_one"), [("提示 gas 不足", False), ("gas 不足怎么办", True), ("Why is it", True)])
def test_a_question_is_told_from_a_statement(text: str, *, is_one: bool) -> None:
    assert asks(text) is is_one
