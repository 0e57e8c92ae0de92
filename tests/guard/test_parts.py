"""What may be a part of a secret: told without the other parts, and rarely of what people ask."""

import json
from pathlib import Path

import pytest
from mnemonic import Mnemonic

from imconnect.guard.lexicon import ALPHABETIC, HAN, word_list
from imconnect.guard.parts import may_be_a_part

STRANGERS = Path(__file__).parents[1] / "nlu/strangers.jsonl"
HEX = "5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
SOLANA = "4wBqpZM9xaSheZzJSMawUKKwhdpChKbZ5eu5ky4Vigw3"

PARTS = (
    "legal winner thank",
    "the next ones are Legal WINNER ｔｈａｎｋ",
    "1. legal 2. winner 3. thank",
    "legal\nwinner\nthank",
    "的 一 是",
    "1.的 2.一 3.是",
    HEX[:16],
    f"the first half: {HEX[:32]}",
    f"第一半是{HEX[32:48]}谢谢",
    SOLANA[:22],
    "0x5c504ed432cb",
    "[174, 47, 154, 16, 202, 193, 206, 113",
)


@pytest.mark.parametrize("text", PARTS)
def test_a_part_of_a_phrase_or_of_a_key_is_told_by_itself(text: str) -> None:
    """S-02: words 1 to 6 in one message, 7 to 12 in the next."""
    assert may_be_a_part(text)


@pytest.mark.parametrize("language", [*ALPHABETIC, *HAN])
def test_half_a_phrase_of_any_list_is_told(language: str) -> None:
    words = word_list(language)
    halves = [words[at : at + 6] for at in range(0, 2_040, 170)]
    joined = ["　".join(half) if language == "japanese" else " ".join(half) for half in halves]

    assert Mnemonic(language).wordlist  # the lists are those that wallets make phrases of
    assert [half for half in joined if not may_be_a_part(half)] == []


NO_PARTS = (
    "",
    "is it dear or safe",
    "转账太贵了吧？有没有便宜一点的",
    "我的币在哪 里",
    "please write to ann@example.com or call +49 170 1234567",
    "I sent 1,250.75 USDT on 2026-01-05 at 12:30",
    "订单号 20260105",
)


@pytest.mark.parametrize("text", NO_PARTS)
def test_what_is_plainly_none_is_not_taken_for_one(text: str) -> None:
    assert not may_be_a_part(text)


def test_few_of_the_questions_people_ask_are_taken_for_one() -> None:
    asked = [json.loads(line)["text"] for line in STRANGERS.read_text(encoding="utf-8").splitlines()]
    taken = [text for text in asked if may_be_a_part(text)]

    assert len(taken) <= len(asked) * 0.08
