"""Addresses: told apart, and one wrong character caught wherever there is a checksum."""

import random

import pytest
from benchmarks.guard import MISTAKES, addresses_of
from hypothesis import given
from hypothesis import strategies as st

from imconnect.formats import addresses, base58, bech32, evm
from imconnect.formats.addresses import Checked

VERSIONS = {0x00: "bitcoin", 0x05: "bitcoin", 0x30: "litecoin", 0x1E: "dogecoin", 0x41: "tron"}


def with_eip55(raw: bytes) -> str:
    return "0x" + evm.checksummed(raw.hex())


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bitcoin"),  # BIP-173
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "bitcoin"),  # BIP-350
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "bitcoin"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "bitcoin"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron"),
        ("EQBvW8Z5huBkMJYdnfAEM5JqTNkuWX3diqYENkWsIL0XggGG", "ton"),
        ("So11111111111111111111111111111111111111112", "solana"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", None),
        ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", None),
    ],
)
def test_a_right_address_has_no_problem(text: str, chain: str | None) -> None:
    assert addresses.check(text) == Checked(chain, None, evm=chain is None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "bad_checksum"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", "wrong_length"),
        ("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "missing_prefix"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6", "wrong_length"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6v", "bad_checksum"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj60", "bad_character"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "bad_checksum"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVNO", "bad_character"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bad_checksum"),
        ("bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "mixed_case"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3tb", "bad_character"),
        ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "bad_character"),  # BIP-350, invalid
        ("bc1qrp33g0q5b5698ahp5jnf0z5t", "bad_character"),
    ],
)
def test_a_wrong_address_is_told_what_is_wrong(text: str, problem: str) -> None:
    checked = addresses.check(text)

    assert checked is not None
    assert checked.problem == problem


@pytest.mark.parametrize(
    "text", ["hello", "0x12", "abcdefghijklmnopqrstuvwxyz", "2026-11-20", "d41d8cd98f00b204e9800998ecf8427e"]
)
def test_other_words_are_no_address(text: str) -> None:
    assert addresses.check(text) is None


@given(st.sampled_from(sorted(VERSIONS)), st.binary(min_size=20, max_size=20), st.randoms())
def test_a_typo_in_base58check_is_caught(version: int, raw: bytes, dice: random.Random) -> None:
    text = base58.encode_check(bytes([version]) + raw)
    place = dice.randrange(len(text))
    spoilt = text[:place] + dice.choice(base58.ALPHABET.replace(text[place], "")) + text[place + 1 :]
    checked = addresses.check(spoilt)

    assert checked is None or checked.chain == "solana" or checked.problem is not None


@given(st.binary(min_size=20, max_size=20), st.randoms())
def test_a_typo_in_bech32_is_caught(raw: bytes, dice: random.Random) -> None:
    text = bech32.encode("bc", (0, *bech32.from_bytes(raw)), bech32.Encoding.BECH32)
    place = dice.randrange(4, len(text))
    spoilt = text[:place] + dice.choice(bech32.CHARSET.replace(text[place], "")) + text[place + 1 :]

    assert addresses.check(spoilt) == Checked("bitcoin", "bad_checksum")


def test_bech32m_where_bech32_belongs_is_the_wrong_format() -> None:
    text = bech32.encode("bc", (0, *bech32.from_bytes(bytes(20))), bech32.Encoding.BECH32M)

    assert addresses.check(text) == Checked("bitcoin", "wrong_format")


@given(st.text(max_size=120))
def test_any_text_can_be_asked_about(text: str) -> None:
    checked = addresses.check(text)

    assert checked is None or isinstance(checked, Checked)


@pytest.mark.parametrize("kind", dict(addresses_of(random.Random(1))))
def test_no_mistyped_address_passes_for_a_right_one(kind: str) -> None:
    dice = random.Random(f"typos {kind}")
    right = [dict(addresses_of(dice))[kind] for _ in range(30)]
    passed = [
        wrong
        for text in right
        for spoil in MISTAKES.values()
        if (wrong := spoil(text, dice.randrange(3, len(text)), dice)).lower() != text.lower()
        and (checked := addresses.check(wrong)) is not None
        and checked.problem is None
    ]

    assert passed == []


def test_bech32_with_another_first_letter_is_no_address_of_solanas() -> None:
    dice = random.Random(7)
    texts = (dict(addresses_of(dice))["LTC ltc1q"] for _ in range(400))
    mistyped = [f"k{text[1:]}" for text in texts if not base58.foreign_letters(text[1:])]

    assert {len(base58.decode(text)) for text in mistyped} >= {32}
    assert not [text for text in mistyped if addresses.check(text)]
