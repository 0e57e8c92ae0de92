"""Details are found by their form, checked, and told what is wrong with them."""

import random
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.domain.readings import Spotted
from imconnect.formats import base58, evm
from imconnect.nlu.details import PROBLEMS, spot

HASH = "ab12" * 16
ADDRESS = "0x" + evm.checksummed("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
SEGWIT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
SIGNATURE = base58.encode(random.Random(2).randbytes(64))


def wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def given_in(text: str, *asked_for: str) -> dict[str, Spotted]:
    return {spotted.name: spotted for spotted in spot(text, frozenset(asked_for))}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("提币２００Ｕ", "amount", "200 USDT"),
        ("I sent 1,250.5 USDT", "amount", "1250.5 USDT"),
        ("3万u", "amount", "30000 USDT"),
        ("1.2w usdt", "amount", "12000 USDT"),
        ("5k USDC", "amount", "5000 USDC"),
        ("转了0.5个以太坊", "amount", "0.5 ETH"),
        ("两个大饼 2个大饼", "token", "BTC"),
        ("走的 TRC20", "chain", "tron"),
        ("erc 20", "chain", "ethereum"),
        ("BEP20 网络", "chain", "bsc"),
        ("base 链上", "chain", "base"),
        ("on Arbitrum", "chain", "arbitrum"),
        ("sol链", "chain", "solana"),
        ("版本 ５.３.１", "app_version", "5.3.1"),
        ("app v5.4.0", "app_version", "5.4.0"),
        ("iPhone 15 Pro iOS 18.1", "device", "iPhone 15 Pro, iOS 18.1"),
        ("安卓14 小米13", "device", "小米13, 安卓14"),
        ("用的 4G，也试过 wifi", "network_environment", "4G, wifi"),
        ("mail me at li.wei+1@example.com please", "account_email", "li.wei+1@example.com"),
        ("订单号：88231234", "order_number", "88231234"),
        ("order #A-20931", "order_number", "A-20931"),
        ("昨天下午三点转的", "when", "昨天下午三点"),
        ("it was 3 hours ago", "when", "3 hours ago"),
        ("at 2026-11-20 09:15", "when", "2026-11-20 09:15"),
        ("11月20日晚上9点半", "when", "11月20日晚上9点半"),
        ("https://imwallet-support.com/restore", "suspect_link", "https://imwallet-support.com/restore"),
        (f"0x{HASH}", "transaction_hash", f"0x{HASH}"),
        (f"交易 0x{HASH[:40]}\n{HASH[40:]}", "transaction_hash", f"0x{HASH}"),
        (f"０ｘ{HASH}", "transaction_hash", f"0x{HASH}"),
        (SIGNATURE, "transaction_hash", SIGNATURE),
        (f"收款地址{TRON}。", "wallet_address", TRON),
        (f"地址 {TRON[:20]}\n{TRON[20:]}", "wallet_address", TRON),
        (f"> {TRON[:12]}\r\n> {TRON[12:25]}\r\n> {TRON[25:]}", "wallet_address", TRON),
        (f"{ADDRESS[:30]} \n{ADDRESS[30:]}", "wallet_address", ADDRESS),
        (f"{SEGWIT[:40]}\n{SEGWIT[40:]}", "wallet_address", SEGWIT),
        (f"{SIGNATURE[:60]}\n{SIGNATURE[60:]}", "transaction_hash", SIGNATURE),
        (f"{HASH[:20]}\n{HASH[20:40]}\n{HASH[40:]}", "transaction_hash", HASH),
        (wide(TRON), "wallet_address", TRON),
        (wide(ADDRESS), "wallet_address", ADDRESS),
        (wide("昨天１４：３０"), "when", "昨天14:30"),
        (wide("li@mail.example"), "account_email", "li@mail.example"),
        (wide("订单号 88231234"), "order_number", "88231234"),
        ("三百个U", "amount", "300 USDT"),
        ("一万二 USDT", "amount", "12000 USDT"),
        ("转了两千零五十U", "amount", "2050 USDT"),
        ("一千零五U", "amount", "1005 USDT"),
        ("两个半比特币", "amount", "2.5 BTC"),
        ("半个大饼", "amount", "0.5 BTC"),
        ("$1,200 gone", "amount", "1200 USD"),
        ("0.5个以太坊 erc 20", "chain", "ethereum"),
        ("订单号 2026112222001400001234567890", "order_number", "2026112222001400001234567890"),
        ("https://etherscan.io/token/" + ADDRESS, "token", ADDRESS),
        ("hxxps://imwallet-support.com/x", "suspect_link", "hxxps://imwallet-support.com/x"),
        (base58.decode(TRON)[:21].hex(), "wallet_address", TRON),
    ],
)
def test_a_detail_is_found_with_its_value(text: str, name: str, value: str) -> None:
    spotted = given_in(text)[name]

    assert (spotted.value, spotted.problem) == (value, None)


@pytest.mark.parametrize(
    ("text", "asked_for", "name", "problem"),
    [
        (f"0x{HASH[:-2]}", "", "transaction_hash", "wrong_length"),
        (f"0x{HASH[:-1]}o", "", "transaction_hash", "bad_character"),
        (ADDRESS[:-1], "", "wallet_address", "wrong_length"),
        (ADDRESS[:-1] + ADDRESS[-1].upper(), "", "wallet_address", "bad_checksum"),
        (ADDRESS[2:].lower(), "", "wallet_address", "missing_prefix"),
        (TRON[:-1] + "O", "", "wallet_address", "bad_character"),
        (TRON[:-1], "", "wallet_address", "wrong_length"),
        ("bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "", "wallet_address", "mixed_case"),
        ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow5", "", "wallet_address", "bad_character"),
        (ADDRESS, "transaction_hash", "transaction_hash", "hash_is_an_address"),
        (f"0x{HASH}", "wallet_address", "wallet_address", "address_is_a_hash"),
        (f"https://etherscan.io/tx/0x{HASH}", "wallet_address", "wallet_address", "address_is_a_hash"),
        (f"https://tronscan.org/#/transaction/{HASH} 走的以太坊网络", "", "chain", "chain_mismatch"),
        (f"{TRON} on BSC", "", "chain", "chain_mismatch"),
        (f"{ADDRESS} 走的 TRC20", "", "chain", "chain_mismatch"),
        (f"https://etherscan.io/address/{ADDRESS[:-1]}", "", "wallet_address", "wrong_length"),
        (f"0x{HASH[:20]}", "transaction_hash", "transaction_hash", "wrong_length"),
        (f"0x{HASH[:40]}\n{HASH[40:60]}", "", "transaction_hash", "wrong_length"),
        ("li.wei@", "account_email", "account_email", "wrong_format"),
    ],
)
def test_a_wrong_value_is_told_what_is_wrong(text: str, asked_for: str, name: str, problem: str) -> None:
    spotted = given_in(text, *filter(None, [asked_for]))[name]

    assert spotted.problem == problem


def test_an_explorer_link_gives_hash_and_chain() -> None:
    found = given_in(f"https://www.bscscan.com/tx/0x{HASH}")

    assert (found["transaction_hash"].value, found["chain"].value) == (f"0x{HASH}", "bsc")


def test_a_link_is_no_suspect_where_it_is_an_explorers() -> None:
    assert "suspect_link" not in given_in(f"https://etherscan.io/tx/0x{HASH}")


def test_an_address_given_where_both_were_asked_for_is_just_the_address() -> None:
    assert set(given_in(ADDRESS, "transaction_hash", "wallet_address")) == {"wallet_address"}


@pytest.mark.parametrize(
    ("text", "asked_for", "value"),
    [
        ("5.3.1", "app_version", "5.3.1"),
        ("eth", "chain", "ethereum"),
        ("波场", "chain", "tron"),
        ("1,000", "amount", "1000"),
        ("88231234", "order_number", "88231234"),
        ("A-20931", "order_number", "A-20931"),
    ],
)
def test_a_short_answer_counts_where_it_was_asked_for(text: str, asked_for: str, value: str) -> None:
    assert given_in(text, asked_for)[asked_for].value == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://li@evil.example/x", "account_email"),
        ("看 https://imwallet.example@evil.tld 是你们的吗", "account_email"),
        ("order 1000 USDT", "order_number"),
        ("一个U盘", "amount"),
        ("https://etherscan.io/token/" + ADDRESS, "wallet_address"),
        (f"{ADDRESS} on Arbitrum", "transaction_hash"),
        ("hello\nworld1 thanks", "wallet_address"),
    ],
)
def test_what_only_looks_like_a_detail_is_none(text: str, name: str) -> None:
    """S-15: who writes before the @ of a link is nobody's mail address."""
    assert name not in given_in(text)


def test_words_for_a_moment_are_told_as_that_moment_where_the_time_is_known() -> None:
    now = datetime(2026, 11, 22, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    told = {text: next(each.value for each in spot(text, now=now) if each.name == "when") for text in MOMENTS}

    assert told == MOMENTS


MOMENTS = {
    "我昨天下午三点转的币": "2026-11-21 15:00+08:00 (昨天下午三点)",
    "前天转的": "2026-11-20 (前天)",
    "it was 3 hours ago": "2026-11-22 07:30+08:00 (3 hours ago)",
    "昨天下午三点（新加坡时间）": "2026-11-21 15:00+08:00 (昨天下午三点 新加坡时间)",
    "yesterday 9 pm, London time": "2026-11-21 21:00+00:00 (yesterday 9 pm london time)",
    "上个月转的": "上个月",
}


@pytest.mark.parametrize("text", ["5.3 ETH", "我转了5.3.1", "0x12", "版本太旧了", "fees are high", "thank you", ""])
def test_what_was_not_given_is_not_found(text: str) -> None:
    assert {"app_version", "transaction_hash", "wallet_address", "when", "chain"}.isdisjoint(given_in(text))


def test_every_problem_is_one_the_pack_was_told_of() -> None:
    texts = (
        f"0x{HASH[:-2]}",
        ADDRESS[2:],
        TRON[:-1] + "O",
        "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        f"{TRON} on BSC",
    )
    told = [each for text in texts for each in spot(text) if each.problem]

    assert all(each.problem in PROBLEMS[each.name] for each in told)


@given(
    st.text(max_size=200),
    st.sets(st.sampled_from(["amount", "chain", "account_email", "app_version", "transaction_hash"])),
)
def test_any_text_may_be_read(text: str, asked_for: set[str]) -> None:
    names = [each.name for each in spot(text, frozenset(asked_for))]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "text",
    [
        "1," * 15_000,
        "a@" * 15_000,
        "10点" * 10_000,
        "https://a.b/" * 2_600,
        "0x" * 15_000,
        "1 " * 15_000,
        "v1." * 10_000,
        "的" * 30_000,
    ],
    ids=range(8),
)
def test_texts_made_to_be_slow_are_read_in_a_fraction_of_a_second(text: str) -> None:
    begun = time.thread_time()
    spot(text)

    assert time.thread_time() - begun < 0.5
