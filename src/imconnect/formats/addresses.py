"""Wallet addresses, told apart and checked chain by chain."""

import base64
import re
from dataclasses import dataclass

from imconnect.formats import base58, bech32

EVM_CHAINS = frozenset({"ethereum", "bsc", "polygon", "arbitrum", "optimism", "base", "avalanche"})

_VERSIONS = {
    0x00: "bitcoin",
    0x05: "bitcoin",
    0x30: "litecoin",
    0x32: "litecoin",
    0x1E: "dogecoin",
    0x16: "dogecoin",
    0x41: "tron",
}
_FIRST_LETTERS = {"T": "tron", "1": "bitcoin", "3": "bitcoin", "L": "litecoin", "M": "litecoin", "D": "dogecoin"}
_SEGWIT = {"bc": "bitcoin", "ltc": "litecoin"}
_PREFIXED = re.compile(r"(?:bc|ltc|cosmos)1[0-9a-z]{6,90}", re.IGNORECASE)
_LETTERS = re.compile(r"[0-9A-Za-z]{26,48}")
_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")
_TON = re.compile(r"(?:EQ|UQ|kQ|0Q)[A-Za-z0-9_-]{46}")
_COSMOS_LENGTHS = (20, 32)
_PAYLOAD = 21


@dataclass(frozen=True, slots=True)
class Checked:
    """An address as read: the chain it belongs to (None: any EVM chain) and what is wrong with it, or None.

    `evm` says that every chain of `EVM_CHAINS` writes its addresses so.
    """

    chain: str | None
    problem: str | None = None
    evm: bool = False


def check(text: str) -> Checked | None:
    """What *text* is as an address, or None where it is not meant to be one.

    A wrong character, length or checksum is told by `problem`; Solana's have no checksum and cannot be checked.
    """
    if _HEX.fullmatch(text):
        return _hexadecimal(text)
    if _PREFIXED.fullmatch(text) and base58.decode_check(text) is None:
        return _bech32(text)
    if _TON.fullmatch(text):
        return Checked("ton", None if _ton_checksum(text) else "bad_checksum")
    return _base58(text) if _LETTERS.fullmatch(text) else None


def _hexadecimal(text: str) -> Checked | None:
    prefixed = text[:2] in ("0x", "0X")
    digits = text[2:] if prefixed else text
    if len(digits) == 40:
        if not prefixed:
            return Checked(None, "missing_prefix", evm=True)
        return Checked(None, "bad_checksum" if _breaks_eip55(digits) else None, evm=True)
    if len(digits) == 42 and not prefixed and digits[:2] == "41":
        return Checked("tron", "hex_form")
    if prefixed and 36 <= len(digits) <= 44:
        return Checked(None, "wrong_length", evm=True)
    return None


def _breaks_eip55(digits: str) -> bool:
    if digits in (digits.lower(), digits.upper()):
        return False
    from imconnect.formats import evm  # noqa: PLC0415  keccak costs most of this module's start, and few messages need it

    return evm.checksummed(digits) != digits


def _bech32(text: str) -> Checked:
    prefix = text[: text.index("1")].lower()
    chain = _SEGWIT.get(prefix, "cosmos")
    try:
        decoded = bech32.decode(text)
    except bech32.Malformed as malformed:
        return Checked(chain, malformed.problem)
    if decoded.prefix != prefix:
        return Checked(chain, "bad_character")  # a 1 in the data: the separator is the last one, so the prefix changed
    if decoded.encoding is None:
        return Checked(chain, "bad_checksum")
    if chain == "cosmos":
        raw = bech32.to_bytes(decoded.values)
        right = decoded.encoding is bech32.Encoding.BECH32 and raw is not None and len(raw) in _COSMOS_LENGTHS
        return Checked(chain, None if right else "wrong_format")
    return Checked(chain, _segwit_problem(decoded))


def _segwit_problem(decoded: bech32.Decoded) -> str | None:
    """BIP-141 and BIP-350: version 0 is bech32 with 20 or 32 bytes, later versions are bech32m with 2 to 40."""
    if not decoded.values:
        return "wrong_length"
    version = decoded.values[0]
    program = bech32.to_bytes(decoded.values[1:])
    expected = bech32.Encoding.BECH32M if version else bech32.Encoding.BECH32
    if version > 16 or program is None or decoded.encoding is not expected:
        return "wrong_format"
    if not 2 <= len(program) <= 40 or (version == 0 and len(program) not in (20, 32)):
        return "wrong_length"
    return None


def _ton_checksum(text: str) -> bool:
    raw = base64.urlsafe_b64decode(text)
    checksum = 0
    for byte in raw[:34]:
        checksum ^= byte << 8
        for _ in range(8):
            checksum = (checksum << 1 ^ 0x1021 if checksum & 0x8000 else checksum << 1) & 0xFFFF
    return checksum == int.from_bytes(raw[34:], "big")


def _base58(text: str) -> Checked | None:
    payload = base58.decode_check(text)
    if payload is not None and len(payload) == _PAYLOAD and payload[0] in _VERSIONS:
        return Checked(_VERSIONS[payload[0]])
    chain = _FIRST_LETTERS.get(text[0])
    if base58.foreign_letters(text):
        meant = chain is not None and 30 <= len(text) <= 36 and any(letter.isdigit() for letter in text)
        return Checked(chain, "bad_character") if meant else None
    if chain == "tron" and 32 <= len(text) <= 36:
        return Checked(chain, "bad_checksum" if len(text) == 34 else "wrong_length")
    if 32 <= len(text) <= 44 and _may_be_solana(text) and len(base58.decode(text)) == 32:
        return Checked("solana")
    return Checked(chain, "bad_checksum") if chain and 26 <= len(text) <= 35 else None


def _may_be_solana(text: str) -> bool:
    """Solana's have no checksum, but a mistyped bech32 has hardly a capital, and those of 32 random bytes have many;
    the addresses of Solana's own programs are mostly 1.
    """
    return sum(map(str.isupper, text)) >= 4 or text.count("1") >= 20
