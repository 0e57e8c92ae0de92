"""Base58 and Base58Check, as Bitcoin, TRON, Litecoin, Dogecoin and Solana write bytes."""

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {letter: digit for digit, letter in enumerate(ALPHABET)}
_LETTERS = frozenset(ALPHABET)
_CHECKSUM = 4
_CHUNK = 10  # letters whose number still fits a machine word


def foreign_letters(text: str) -> str:
    """The characters of *text* that base58 does not have (`0`, `O`, `I` and `l` among them), each once, in order."""
    return "".join(dict.fromkeys(letter for letter in text if letter not in _LETTERS))


def decode(text: str) -> bytes:
    """The bytes *text* stands for. Raises ValueError where a character is not base58."""
    number = 0
    try:
        for start in range(0, len(text), _CHUNK):
            chunk = text[start : start + _CHUNK]
            part = 0
            for letter in chunk:
                part = part * 58 + _DIGITS[letter]
            number = number * 58 ** len(chunk) + part
    except KeyError:
        raise ValueError("not base58") from None
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode(raw: bytes) -> str:
    """*raw* in base58, leading zero bytes as `1`."""
    number = int.from_bytes(raw, "big")
    letters: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(ALPHABET[digit])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(letters))


def decode_check(text: str) -> bytes | None:
    """The payload of a Base58Check text, or None where a character or the checksum is wrong."""
    try:
        raw = decode(text)
    except ValueError:
        return None
    payload, checksum = raw[:-_CHECKSUM], raw[-_CHECKSUM:]
    return payload if payload and _digest(payload) == checksum else None


def encode_check(payload: bytes) -> str:
    """*payload* with its four checksum bytes, in base58."""
    return encode(payload + _digest(payload))


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:_CHECKSUM]
