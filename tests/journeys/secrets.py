"""Secrets that nobody ever had, one of each kind, made from fixed bytes; and what must not be found of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mnemonic import Mnemonic

LANGUAGES = ("english", "spanish", "japanese", "chinese_simplified", "chinese_traditional", "korean")
KEY_CHARACTERS = 12


def phrase(language: str, number: int, strength: int = 128) -> str:
    """A recovery phrase (BIP-39) of its own for each *number*."""
    return Mnemonic(language).to_mnemonic(bytes((number * 37 + at * 101 + 11) % 256 for at in range(strength // 8)))


def hexadecimal(number: int) -> str:
    return bytes((number * 53 + at * 97 + 7) % 256 for at in range(32)).hex()


KEYSTORE = json.dumps(
    {
        "version": 3,
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "address": "008aeeda4d805471df9b2a5b0f38a0c3bcba786b",
        "crypto": {
            "cipher": "aes-128-ctr",
            "ciphertext": hexadecimal(3),
            "cipherparams": {"iv": hexadecimal(4)[:32]},
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": 262144, "p": 1, "r": 8, "salt": hexadecimal(5)},
            "mac": hexadecimal(6),
        },
    }
)


@dataclass(frozen=True, slots=True)
class Canary:
    """A secret as it is typed, and the least of it that must be found nowhere."""

    name: str
    typed: str
    marks: frozenset[bytes]


def of_words(name: str, typed: str, words: str) -> Canary:
    """No three consecutive words may be found, in whatever way they are parted."""
    parts = words.split()
    marks = {gap.join(three) for three in _windows(parts, 3) for gap in (" ", "　", "\\n", "")}
    return Canary(name, typed, frozenset(mark.encode() for mark in marks))


def of_characters(name: str, typed: str, *keys: str) -> Canary:
    """No twelve consecutive characters may be found."""
    marks = {"".join(window) for key in keys for window in _windows(list(key), KEY_CHARACTERS)}
    return Canary(name, typed, frozenset(mark.encode() for mark in marks))


def _windows(items: list[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(islice(items, start, None) for start in range(size)), strict=False)


def canaries() -> list[Canary]:
    """One of each kind."""
    chinese = phrase("chinese_simplified", 40)
    found = [of_words(f"phrase {one}", words := phrase(one, n), words) for n, one in enumerate(LANGUAGES)]
    found += [
        of_words("phrase glued", "我的助记词是" + chinese.replace(" ", ""), chinese),
        of_words("phrase numbered", _numbered(phrase("english", 50)), phrase("english", 50)),
        of_words("phrase of 24", phrase("english", 60, 256), phrase("english", 60, 256)),
        of_characters("hex key", f"my private key is {hexadecimal(10)}", hexadecimal(10)),
        of_characters("bare hex", hexadecimal(11), hexadecimal(11)),
        of_characters("keystore", KEYSTORE, hexadecimal(3), hexadecimal(5), hexadecimal(6)),
        of_characters(
            "wif",
            "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
            "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
        ),
        of_characters(
            "extended key",
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
        ),
    ]
    return found


def _numbered(words: str) -> str:
    return "\n".join(f"{number}. {word}" for number, word in enumerate(words.split(), 1))
