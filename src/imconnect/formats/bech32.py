"""Bech32 (BIP-173) and Bech32m (BIP-350)."""

from dataclasses import dataclass
from enum import IntEnum

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(CHARSET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6


class Encoding(IntEnum):
    """Which of the two checksums fits, by the constant of its polynomial."""

    BECH32 = 1
    BECH32M = 0x2BC830A3


class Malformed(ValueError):
    """Not bech32 at all; `problem` is `mixed_case`, `wrong_format` or `bad_character`."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Decoded:
    """The prefix, the 5-bit values without the checksum, and the encoding whose checksum fits (None: neither)."""

    prefix: str
    values: tuple[int, ...]
    encoding: Encoding | None


def decode(text: str) -> Decoded:
    """Take *text* apart. Raises `Malformed` where it is not bech32; a wrong checksum is told by `encoding`."""
    if text != text.lower() and text != text.upper():
        raise Malformed("mixed_case")
    text = text.lower()
    prefix, separator, data = text.rpartition("1")
    if not separator or not prefix or len(data) < _CHECKSUM:
        raise Malformed("wrong_format")
    values = [_VALUES.get(letter, -1) for letter in data]
    if -1 in values:
        raise Malformed("bad_character")
    remainder = _polymod([*_expanded(prefix), *values])
    encoding = Encoding(remainder) if remainder in (Encoding.BECH32, Encoding.BECH32M) else None
    return Decoded(prefix, tuple(values[:-_CHECKSUM]), encoding)


def encode(prefix: str, values: tuple[int, ...], encoding: Encoding) -> str:
    """*values* (5 bits each) under *prefix*, with the checksum of *encoding*."""
    remainder = _polymod([*_expanded(prefix), *values, *[0] * _CHECKSUM]) ^ encoding
    checksum = [remainder >> 5 * (5 - place) & 31 for place in range(_CHECKSUM)]
    return prefix + "1" + "".join(CHARSET[value] for value in (*values, *checksum))


def from_bytes(raw: bytes) -> tuple[int, ...]:
    """*raw* regrouped into 5-bit values, padded with zero bits."""
    bits = len(raw) * 8
    padding = -bits % 5
    number = int.from_bytes(raw, "big") << padding
    return tuple(number >> shift & 31 for shift in range(bits + padding - 5, -1, -5))


def to_bytes(values: tuple[int, ...]) -> bytes | None:
    """5-bit *values* regrouped into bytes, or None where the padding is not what BIP-173 demands."""
    bits = len(values) * 5
    padding = bits % 8
    number = 0
    for value in values:
        number = number << 5 | value
    if padding >= 5 or number & (1 << padding) - 1:
        return None
    return (number >> padding).to_bytes(bits // 8, "big")


def _expanded(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                checksum ^= generator
    return checksum
