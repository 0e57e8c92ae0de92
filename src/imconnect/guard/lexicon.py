"""The word lists recovery phrases are written with, and how rare each word is elsewhere."""

import hashlib
import zlib
from dataclasses import dataclass, field

from mnemonic import Mnemonic

from imconnect.formats.written import lower
from imconnect.guard import tables

ALPHABETIC = (
    "english",
    "french",
    "italian",
    "spanish",
    "portuguese",
    "czech",
    "turkish",
    "russian",
    "japanese",
    "korean",
)
HAN = ("chinese_simplified", "chinese_traditional")
FURTHER_HAN = "monero_chinese_simplified"
_ENGLISH = ("slip39", "monero_english", "electrum_1")
_EVERYDAY = "electrum_1"  # taken from poems, and written by wallets of 2011 to 2014
LENGTHS = (24, 21, 18, 15, 12)
_SPOILT = {"сно\ufffd\ufffdа": "снова"}  # two bytes of mnemonic 0.21's Russian list are broken
_COMMON, _RARE = -40, 60
_FOREIGN = 35  # a word of a list that is not English, in tenths of a bit: measured, not counted
_PREFIX = 4
_BITS = {1024: 100, 1626: 107, 2048: 110}


@dataclass(slots=True)
class WordList:
    """One list: its bit in `Lexicon.lists`, and what each of its words weighs in tenths of a bit."""

    name: str
    bit: int
    weights: dict[str, int] = field(repr=False)
    counted: bool  # the weights were counted in ordinary text, not taken alike for every word
    everyday: bool  # most of its words are so common that ordinary sentences come near a phrase
    places: dict[str, int] = field(repr=False)  # for BIP-39's checksum; empty where the list has another


class Lexicon:
    """Every list in one look-up. Reading it takes a fifth of a second, once."""

    def __init__(self) -> None:
        rarity: dict[str, int] = tables.read("english.json.gz")
        further: dict[str, list[str]] = tables.read("lists.json.gz")
        self.words: dict[str, int] = {}
        self.deletes: dict[str, int] = {}
        self.prefixes: dict[str, int] = {}
        self.lists: list[WordList] = []
        self.cut_short: dict[str, int] = {}  # the first four letters of each English word, and what they weigh
        for name in ALPHABETIC:
            self._add(name, word_list(name), rarity if name == "english" else {}, checked=True)
        for name, words in further.items():
            if name != FURTHER_HAN:
                self._add(name, words, rarity if name in _ENGLISH else {}, checked=False)
        self.han_places = [{letter: place for place, letter in enumerate(word_list(name))} for name in HAN]
        self.han = frozenset(letter for places in self.han_places for letter in places) | set(further[FURTHER_HAN])

    def _add(self, name: str, words: list[str], rarity: dict[str, int], *, checked: bool) -> None:
        bit = 1 << len(self.lists)
        plain = lower("\n".join(words)).replace("'", "").split("\n")
        size = _BITS[len(words)]
        weights = {
            word: max(_COMMON, min(_RARE, rarity[word] - size)) if word in rarity else _FOREIGN for word in plain
        }
        places = {word: place for place, word in enumerate(plain)} if checked else {}
        self.lists.append(WordList(name, bit, weights, bool(rarity), name == _EVERYDAY, places))
        if name == "english":
            cut = {word[:_PREFIX] for word in plain}
            self.cut_short = {word: max(_COMMON, min(_RARE, rarity.get(word, 0) - size)) for word in cut}
        known, deletes = self.words, self.deletes
        for word in plain:
            known[word] = known.get(word, 0) | bit
            if len(word) > _PREFIX:
                self.prefixes[word[:_PREFIX]] = self.prefixes.get(word[:_PREFIX], 0) | bit
            if len(word) >= _PREFIX:
                for place in range(len(word)):
                    shorter = word[:place] + word[place + 1 :]
                    deletes[shorter] = deletes.get(shorter, 0) | bit

    def one_slip_away(self, word: str) -> int:
        """The lists (as bits) that hold a word one letter off: left out, added, exchanged or replaced."""
        if len(word) < 3:
            return 0
        found = self.deletes.get(word, 0)
        for place in range(len(word)):
            shorter = word[:place] + word[place + 1 :]
            found |= self.words.get(shorter, 0)
            if len(word) >= _PREFIX:
                found |= self.deletes.get(shorter, 0)
        return found


def word_list(name: str) -> list[str]:
    """The words of BIP-39's list of that name, in order."""
    return [_SPOILT.get(word, word) for word in Mnemonic(name).wordlist]


def checksum_fits(places: list[int]) -> bool:
    """Whether the last bits of the phrase are the digest of the others (BIP-39)."""
    bits = 0
    for place in places:
        bits = bits << 11 | place
    length = len(places) * 11 // 33
    entropy = (bits >> length).to_bytes((len(places) * 11 - length) // 8, "big")
    digest = int.from_bytes(hashlib.sha256(entropy).digest(), "big") >> (256 - length)
    return bits & ((1 << length) - 1) == digest


def last_word_fits(letters: str) -> bool:
    """Whether the last of Monero's Chinese words is the one that the checksum of the others says."""
    others = letters[:-1]
    return letters[-1] == others[zlib.crc32(others.encode()) % len(others)]
