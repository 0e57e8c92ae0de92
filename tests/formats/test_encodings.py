"""Encodings against the vectors of their standards, and against themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from imconnect.formats import base58, bech32, ed25519, evm

# BIP-173 and BIP-350, the lists of valid strings.
BECH32 = (
    "A12UEL5L",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
)
BECH32M = (
    "A1LQFN3A",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
)
# EIP-55, the examples of mixed case.
EIP55 = (
    "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "D1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)


@given(st.binary(max_size=80))
def test_base58_gives_back_what_it_was_given(raw: bytes) -> None:
    assert base58.decode(base58.encode(raw)) == raw


@given(st.binary(min_size=1, max_size=80))
def test_base58check_gives_back_what_it_was_given(raw: bytes) -> None:
    assert base58.decode_check(base58.encode_check(raw)) == raw


@given(st.binary(min_size=21, max_size=33), st.data())
def test_one_wrong_character_breaks_base58check(raw: bytes, data: st.DataObject) -> None:
    text = base58.encode_check(raw)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(base58.ALPHABET.replace(text[place], "")))

    assert base58.decode_check(text[:place] + other + text[place + 1 :]) is None


def test_letters_base58_does_not_have_are_named_once() -> None:
    assert base58.foreign_letters("1O0lIO9") == "O0lI"


@pytest.mark.parametrize("text", BECH32)
def test_bech32_of_the_standard_is_read(text: str) -> None:
    assert bech32.decode(text).encoding is bech32.Encoding.BECH32


@pytest.mark.parametrize("text", BECH32M)
def test_bech32m_of_the_standard_is_read(text: str) -> None:
    assert bech32.decode(text).encoding is bech32.Encoding.BECH32M


@given(st.binary(min_size=2, max_size=40), st.sampled_from(bech32.Encoding), st.data())
def test_one_wrong_character_breaks_bech32(raw: bytes, encoding: bech32.Encoding, data: st.DataObject) -> None:
    text = bech32.encode("bc", bech32.from_bytes(raw), encoding)
    place = data.draw(st.integers(3, len(text) - 1))
    other = data.draw(st.sampled_from(bech32.CHARSET.replace(text[place], "")))

    assert bech32.decode(text[:place] + other + text[place + 1 :]).encoding is None


@given(st.binary(min_size=1, max_size=40))
def test_bech32_values_become_the_same_bytes_again(raw: bytes) -> None:
    assert bech32.to_bytes(bech32.from_bytes(raw)) == raw


@pytest.mark.parametrize(
    ("text", "problem"), [("Ab1qqqqqqq", "mixed_case"), ("1qqqqqqq", "wrong_format"), ("ab1bqqqqqq", "bad_character")]
)
def test_what_is_not_bech32_is_told_why(text: str, problem: str) -> None:
    with pytest.raises(bech32.Malformed) as told:
        bech32.decode(text)

    assert told.value.problem == problem


@pytest.mark.parametrize("digits", EIP55)
def test_addresses_of_the_standard_keep_their_letter_case(digits: str) -> None:
    assert evm.checksummed(digits.lower()) == digits


@given(st.binary(min_size=32, max_size=32))
def test_a_seed_and_its_public_key_are_a_pair(seed: bytes) -> None:
    assert ed25519.is_key_pair(seed + bytes(SigningKey(seed).verify_key))


@given(st.binary(min_size=64, max_size=64))
def test_64_random_bytes_are_no_pair(raw: bytes) -> None:
    assert not ed25519.is_key_pair(raw)
