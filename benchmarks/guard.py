"""How much the guard finds, how seldom it errs and how long it takes: `python benchmarks/guard.py --help`.

Phrases and keys are made at random from the seed. Ordinary text is read from files of JSON strings, one a line, that
whoever runs this brings along: no corpus is shipped.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import random
import re
import resource
import statistics
import string
import subprocess
import sys
import time
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mnemonic import Mnemonic
from nacl.signing import SigningKey

from imconnect.domain.readings import SecretKind
from imconnect.formats import addresses, base58, bech32, evm
from imconnect.guard import Guard, Tail, tables
from imconnect.guard.lexicon import ALPHABETIC, HAN, word_list

LANGUAGES = (*ALPHABETIC, *HAN)
FURTHER: dict[str, list[str]] = tables.read("lists.json.gz")
"""Lists beyond BIP-39's, by name."""
PREFIX = {"english": 3, "chinese_simplified": 1}
"""How many letters of a word Monero's checksum reads, where not four."""
EMOJI = "🔥😀🚀💎🙏👍🎉❤"
FILLERS = {
    "english": ("then", "and", "after", "that", "comes"),
    "french": ("puis", "et", "ensuite"),
    "italian": ("poi", "e", "dopo"),
    "spanish": ("luego", "y", "después"),
    "portuguese": ("depois", "e", "então"),
    "czech": ("pak", "a", "potom"),
    "turkish": ("sonra", "ve"),
    "russian": ("потом", "и", "затем"),
    "japanese": ("それから", "つぎは"),
    "korean": ("그리고", "다음은"),
    "chinese_simplified": ("然后", "还有"),
    "chinese_traditional": ("然後", "還有"),
}
ALIKE = dict(zip("aeopcyxi", "аеорсухі", strict=True))


WALLETS = ("electrum", "ton")
"""Wallets that write BIP-39's English words and check them otherwise."""
RARE = {"electrum_1": 98.5}
"""What is asked of a list of 2011 that is made of the commonest words of poems."""
SLOWLY_MADE = 250
"""How many of TON's phrases are tried: to make one takes a tenth of a second."""


class Maker:
    """Makes phrases of one language and disguises them; the same seed makes the same ones."""

    def __init__(self, language: str, seed: int) -> None:
        self.language = language
        self.dice = random.Random(f"{language} {seed}")
        self.mnemonic = Mnemonic(language if language in LANGUAGES else "english")
        if language in LANGUAGES:
            self.mnemonic.wordlist = word_list(language)
        self.words = FURTHER.get(language, self.mnemonic.wordlist)

    @property
    def han(self) -> bool:
        return "chinese" in self.language

    def phrase(self) -> list[str]:
        match self.language:
            case "slip39":
                return self._drawn(self.dice.choice((20, 33)))
            case "electrum_1":
                return self._drawn(self.dice.choice((12, 24)))
            case "electrum":
                return self._until(12, lambda phrase: hmac.digest(b"Seed version", phrase, "sha512")[0] == 1)
            case "ton":
                return self._until(24, ton_takes)
            case name if name.startswith("monero"):
                return self._monero(self.dice.choice((12, 24)))
            case _:
                strength = self.dice.choice((128, 128, 128, 160, 192, 224, 256, 256))
                return self.mnemonic.to_mnemonic(self.dice.randbytes(strength // 8)).replace("\u3000", " ").split(" ")

    def _drawn(self, length: int) -> list[str]:
        return self.dice.choices(self.words, k=length)

    def _until(self, length: int, accepted: Callable[[bytes], bool]) -> list[str]:
        while not accepted(" ".join(words := self._drawn(length)).encode()):
            pass
        return words

    def _monero(self, length: int) -> list[str]:
        """The words of a key, and the one of them that their checksum repeats at the end."""
        words = self._drawn(length)
        cut = PREFIX.get(self.language.removeprefix("monero_"), 4)
        place = zlib.crc32("".join(word[:cut] for word in words).encode()) % length
        return [*words, words[place]]


def ton_takes(phrase: bytes) -> bool:
    """Whether TON's wallets call the words a seed without a password."""
    entropy = hmac.digest(phrase, b"", "sha512")
    return hashlib.pbkdf2_hmac("sha512", entropy, b"TON seed version", 100_000 // 256)[0] == 0


Noise = Callable[[Maker, list[str]], list[str]]
"""From the words of a phrase to the messages that carry it."""


def spaced(_: Maker, words: list[str]) -> list[str]:
    return [" ".join(words)]


def numbered(maker: Maker, words: list[str]) -> list[str]:
    styles = ("{n}. {w} ", "{n}) {w}\n", "{n}:{w}, ", "({n}) {w} ", "{n}-{w} ", "[{n}] {w}\n", "{w} {n} ")
    style = maker.dice.choice(styles)
    return ["".join(style.format(n=n, w=w) for n, w in enumerate(words, 1))]


def one_a_line(_: Maker, words: list[str]) -> list[str]:
    return ["\n".join(words)]


def commas(maker: Maker, words: list[str]) -> list[str]:
    return [maker.dice.choice((",", ", ", "、", "，", "; ")).join(words)]


def dashes(maker: Maker, words: list[str]) -> list[str]:
    return [json.dumps(words, ensure_ascii=False) if maker.dice.random() < 0.5 else " - ".join(words)]


def emoji(maker: Maker, words: list[str]) -> list[str]:
    return ["".join(f"{word} {maker.dice.choice(EMOJI)} " for word in words)]


def mixed_case(maker: Maker, words: list[str]) -> list[str]:
    return [" ".join(maker.dice.choice((str.upper, str.title, str.lower))(word) for word in words)]


def full_width(_: Maker, words: list[str]) -> list[str]:
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in "\u3000".join(words))
    return [wide]


def zero_width(maker: Maker, words: list[str]) -> list[str]:
    inside = maker.dice.choice("\u200b\u200c\u200d\u2060\ufeff\u00ad")
    return [" ".join(inside.join(word) for word in words)]


def slip(maker: Maker, word: str) -> str:
    """One letter left out, doubled, exchanged with its neighbour or replaced."""
    dice = maker.dice
    if len(word) < 2:
        return dice.choice(maker.words)
    place = dice.randrange(len(word) - 1)
    other = dice.choice("".join(maker.words[:50]).replace(" ", ""))
    return dice.choice(
        (
            word[:place] + word[place + 1 :],
            word[:place] + word[place] + word[place:],
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
            word[:place] + other + word[place + 1 :],
        )
    )


def slips(count: int) -> Noise:
    def made(maker: Maker, words: list[str]) -> list[str]:
        spoilt = list(words)
        for place in maker.dice.sample(range(len(words)), count):
            spoilt[place] = slip(maker, words[place])
        return [" ".join(spoilt)]

    return made


def missing_word(maker: Maker, words: list[str]) -> list[str]:
    left_out = maker.dice.randrange(len(words))
    return [" ".join(word for place, word in enumerate(words) if place != left_out)]


def bad_checksum(maker: Maker, words: list[str]) -> list[str]:
    return [" ".join(maker.dice.choice(maker.words) for _ in words)]


def labels(maker: Maker, words: list[str]) -> list[str]:
    styles = ("Word {n}: {w}\n", "word #{n} = {w}, ", "#{n} {w} ", "第{n}个词：{w}\n", "第{n}个：{w} ", "word{n}={w}\n")
    style = maker.dice.choice(styles)
    return ["".join(style.format(n=n, w=w) for n, w in enumerate(words, 1))]


def over_messages(count: int) -> Noise:
    def made(_: Maker, words: list[str]) -> list[str]:
        size = -(-len(words) // count)
        return [" ".join(words[start : start + size]) for start in range(0, len(words), size)]

    return made


def look_alikes(maker: Maker, words: list[str]) -> list[str]:
    rate = maker.dice.choice((0.2, 0.5))
    return ["".join(ALIKE.get(letter, letter) if maker.dice.random() < rate else letter for letter in " ".join(words))]


def no_accents(_: Maker, words: list[str]) -> list[str]:
    parts = unicodedata.normalize("NFKD", " ".join(words))
    return ["".join(part for part in parts if not "\u0300" <= part <= "\u036f")]


def glued(_: Maker, words: list[str]) -> list[str]:
    return ["".join(words)]


def camel(_: Maker, words: list[str]) -> list[str]:
    return ["".join(word.title() for word in words)]


def filler(maker: Maker, words: list[str]) -> list[str]:
    said: list[str] = []
    for place, word in enumerate(words):
        said.append(word)
        if place % 4 == 3:
            language = maker.language.removeprefix("monero_")
            said.append(maker.dice.choice(FILLERS.get(language, FILLERS["english"])))
    return [" ".join(said)]


def prefixes(_: Maker, words: list[str]) -> list[str]:
    return [" ".join(unicodedata.normalize("NFC", word)[:4] for word in words)]


def first_eight(_: Maker, words: list[str]) -> list[str]:
    return [" ".join(words[:8])]


def in_a_sentence(maker: Maker, words: list[str]) -> list[str]:
    before, after = maker.dice.choice((("我的钱包打不开了 ", " 帮我看看"), ("please help me restore: ", " thank you")))
    return [before + " ".join(words) + after]


def quoted(_: Maker, words: list[str]) -> list[str]:
    lines = [" ".join(words[start : start + 4]) for start in range(0, len(words), 4)]
    return ["On Mon, 2 Nov 2026 somebody wrote:\n" + "\n".join(f"> > {line}" for line in lines)]


NOISES: dict[str, Noise] = {
    "plain": spaced,
    "numbered": numbered,
    "one a line": one_a_line,
    "commas": commas,
    "dashes, JSON": dashes,
    "emoji between": emoji,
    "mixed case": mixed_case,
    "full-width": full_width,
    "zero-width": zero_width,
    "look-alike letters": look_alikes,
    "no accents": no_accents,
    "labels": labels,
    "in a sentence": in_a_sentence,
    "quoted mail": quoted,
    "bad checksum": bad_checksum,
    "one missing word": missing_word,
    "one typo": slips(1),
    "two typos": slips(2),
    "glued": glued,
    "CamelCase": camel,
    "filler every four": filler,
    "four letters a word": prefixes,
    "over two messages": over_messages(2),
    "over three messages": over_messages(3),
    "first eight words": first_eight,
}
NOT_FOR_HAN = frozenset({"four letters a word", "CamelCase", "mixed case", "look-alike letters", "no accents"})


def applies(noise: str, language: str) -> bool:
    if noise == "four letters a word":
        return language in ("english", "french", "italian", "spanish", "portuguese", "czech", *WALLETS)
    return "chinese" not in language or noise not in NOT_FOR_HAN


def found(guard: Guard, messages: list[str], words: list[str]) -> tuple[bool, int]:
    """Whether the phrase was seen, and how many of its words stay readable once everything named is withdrawn."""
    tail = Tail(guard)
    kept: dict[str, str] = {}
    seen = False
    for place, message in enumerate(messages):
        inspected = tail.inspect("customer", str(place), message, float(place))
        kept[str(place)] = inspected.text
        if inspected.secret and inspected.secret.kind is SecretKind.RECOVERY_PHRASE:
            seen = True
            for earlier in inspected.earlier:
                kept[earlier] = ""
            kept[str(place)] = re.sub(r"\[\w+ removed\]", "", inspected.text)
    left = " ".join(kept.values()).lower()
    return seen, sum(word in left.split() for word in set(words)) if seen else 0


def recall(guard: Guard, count: int, seed: int) -> bool:
    by_noise: dict[str, Counter[str]] = defaultdict(Counter)
    by_language: dict[str, Counter[str]] = defaultdict(Counter)
    worst: dict[tuple[str, str], int] = {}
    readable = 0
    for language in (*LANGUAGES, *FURTHER, *WALLETS):
        maker = Maker(language, seed)
        names = [name for name in NOISES if applies(name, language)]
        for turn in range(min(count, SLOWLY_MADE) if language == "ton" else count):
            name = names[turn % len(names)]
            words = maker.phrase()
            seen, left = found(guard, NOISES[name](maker, words), words)
            readable += left
            for tally in (by_noise[name], by_language[language]):
                tally["made"] += 1
                tally["found"] += seen
            if not seen:
                worst[name, language] = worst.get((name, language), 0) + 1
    print(f"\nRecovery phrases: {count} from each of {len(by_language)} lists and wallets, seed {seed}")
    table("noise", by_noise)
    table("language", by_language)
    for (name, language), missed in sorted(worst.items(), key=lambda each: -each[1])[:12]:
        print(f"  missed {missed:4}  {name}, {language}")
    print(f"words left readable after withholding: {readable}")
    floors = {"two typos": 99, "filler every four": 99, "four letters a word": 99, "first eight words": 92}
    noises = all(share(tally) >= floors.get(name, 99.5) for name, tally in by_noise.items())
    lists = all(share(tally) >= RARE.get(name, 99.4) for name, tally in by_language.items())
    return noises and lists and not readable


def share(tally: Counter[str]) -> float:
    return 100 * tally["found"] / tally["made"]


def table(title: str, tallies: dict[str, Counter[str]]) -> None:
    for name, tally in tallies.items():
        print(f"  {title:9} {name:26} {tally['found']:6} of {tally['made']:6}  {share(tally):7.2f} %")


# ---------------------------------------------------------------------------------------------------------------- keys


def keys(dice: random.Random) -> Iterator[tuple[str, str]]:
    """One of every key whose form decides."""
    raw = dice.randbytes(32)
    pair = raw + bytes(SigningKey(raw).verify_key)
    yield "WIF", base58.encode_check(bytes([dice.choice((0x80, 0xB0, 0x9E, 0xEF))]) + raw)
    yield "WIF, compressed", base58.encode_check(bytes([dice.choice((0x80, 0xB0, 0x9E, 0xEF))]) + raw + b"\1")
    yield (
        "BIP38",
        base58.encode_check(bytes.fromhex(dice.choice(("0142c0", "0142e0", "014300", "014320"))) + dice.randbytes(36)),
    )
    version = bytes.fromhex(dice.choice(("0488ade4", "049d7878", "04b2430c", "04358394", "044a4e28", "045f18bc")))
    extended = base58.encode_check(version + dice.randbytes(41) + b"\0" + raw)
    yield "extended key", extended
    yield "extended key, one slip", extended[:60] + dice.choice(base58.ALPHABET) + extended[61:]
    yield "Solana pair", base58.encode(pair)
    yield "Solana pair, hexadecimal", pair.hex()
    yield "Solana pair, numbers", json.dumps(list(pair))
    yield "byte array", json.dumps(list(raw))
    yield (
        "keystore",
        json.dumps(
            {"version": 3, "crypto": {"ciphertext": raw.hex(), "kdf": "scrypt", "kdfparams": {}, "mac": raw.hex()}}
        ),
    )
    yield "PEM", "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"
    yield "otpauth", "otpauth://totp/desk:li?secret=JBSWY3DPEHPK3PXP&issuer=desk"
    yield "WalletConnect", f"wc:{raw.hex()}@2?relay-protocol=irn&symKey={raw.hex()}"
    yield "suiprivkey", bech32.encode("suiprivkey", bech32.from_bytes(b"\0" + raw), bech32.Encoding.BECH32)
    yield "nsec", bech32.encode("nsec", bech32.from_bytes(raw), bech32.Encoding.BECH32)
    yield "age", bech32.encode("age-secret-key-", bech32.from_bytes(raw), bech32.Encoding.BECH32).upper()


WRAPPERS = ("{}", "help, is this right? {}", "这个怎么用：{}", "{} 谢谢", "> {}\n", "`{}`", "({})", "看一下 {} 可以吗")
SAID_TO_BE_A_KEY = (
    "私钥：{}", "私钥是{}", "我的私钥 {}", "這是我的私鑰 {}", "密钥: {}", "秘钥={}", "private key: {}",
    "my private key is {}",
    "here is my pk {}", "Private Key\n{}", "secret key {}", "privkey={}", "{} 这是私钥", "{} is my private key",
    "导入 {} 失败",
    "I imported {} but the balance is 0", "转账没到账，私钥给你 {}", "I sent coins but lost them; private key {}",
    "the transaction failed. my key: {}", "keystore 导出的是 {}",
)  # fmt: skip
SAID_TO_BE_A_HASH = (
    "交易哈希：{}", "哈希是 {}", "txid {}", "tx hash: {}", "transaction hash {}", "这笔转账 {} 没到账", "提币记录 {}",
    "my deposit {} has not arrived", "withdrawal {} pending", "充值 {} 还没到", "这个交易 {}",
    "我的私钥导入后交易没到账，交易哈希 {}",
    "this is not my private key, it is the hash {}", "没有私钥，只有这个 {}，转账用的", "hash {} stuck",
    "区块浏览器显示 {}",
    "https://etherscan.io/tx/{}", "https://tronscan.org/#/transaction/{}", "https://mempool.space/tx/{}",
    "{} 这笔交易没确认",
)  # fmt: skip


def key_recall(guard: Guard, count: int, seed: int) -> bool:
    dice = random.Random(seed)
    tallies: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(count):
        for name, key in keys(dice):
            inspected = guard.inspect(dice.choice(WRAPPERS).format(key))
            tallies[name]["made"] += 1
            tallies[name]["found"] += inspected.secret is not None and key not in inspected.text
    print(f"\nKeys whose form decides: {count} of each, seed {seed}")
    table("key", tallies)
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(count):
        for prefix in ("", "0x"):
            value = prefix + dice.randbytes(32).hex()
            for said, sentences in (("key", SAID_TO_BE_A_KEY), ("hash", SAID_TO_BE_A_HASH)):
                for sentence in sentences:
                    secret = guard.inspect(sentence.format(value)).secret
                    verdicts[said]["hash" if secret is None else "unclear" if secret.perhaps_a_hash else "key"] += 1
            signature = base58.encode(dice.randbytes(64))
            verdicts["signature"]["hash" if guard.inspect(signature).secret is None else "key"] += 1
            verdicts["alone"]["withheld" if guard.inspect(value).secret else "kept"] += 1
    print("64 digits and signatures, by what was said of them:")
    for said, tally in verdicts.items():
        print(f"  {said:9} taken for {dict(tally)}")
    right = all(share(tally) == 100 for tally in tallies.values())
    return right and not verdicts["key"]["hash"] and not verdicts["alone"]["kept"]


# ------------------------------------------------------------------------------------------ conversations and files


def pieces(guard: Guard, count: int, seed: int) -> bool:
    """A word a message, and a key in two to four: found, and every message before it named."""
    dice = random.Random(seed)
    maker = Maker("english", seed)
    tallies: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(count):
        raw = dice.randbytes(32)
        said = {
            "12 words, one a message": maker.mnemonic.to_mnemonic(dice.randbytes(16)).split(" "),
            "64 digits": cut(raw.hex(), dice),
            "WIF": cut(base58.encode_check(b"\x80" + raw + b"\1"), dice),
            "Solana pair": cut(base58.encode(raw + bytes(SigningKey(raw).verify_key)), dice),
        }
        for name, messages in said.items():
            tail = Tail(guard)
            gone: set[str] = set()
            for place, message in enumerate(messages):
                inspected = tail.inspect("customer", str(place), message, float(place))
                gone |= {*inspected.earlier, *([str(place)] if inspected.secret else [])}
            tallies[name]["made"] += 1
            tallies[name]["found"] += len(gone) == len(messages)
    print(f"\nSecrets in pieces: {count} of each, seed {seed}; found means that every message of it is withdrawn")
    table("pieces", tallies)
    return all(share(tally) == 100 for tally in tallies.values())


def cut(value: str, dice: random.Random) -> list[str]:
    places = sorted(dice.sample(range(8, len(value) - 8, 9), dice.randrange(1, 4)))
    return [value[start:end] for start, end in zip((0, *places), (*places, len(value)), strict=True)]


ENCODINGS = {
    "english": ("utf-8", "utf-16", "utf-16-le", "utf-32"),
    "chinese_simplified": ("utf-8", "gb18030", "utf-16"),
    "chinese_traditional": ("utf-8", "big5", "gb18030"),
    "russian": ("utf-8", "cp1251", "koi8-r"),
    "japanese": ("utf-8", "cp932"),
    "korean": ("utf-8", "cp949"),
    "spanish": ("utf-8", "cp1252"),
    "czech": ("utf-8", "cp1250"),
}


def files(guard: Guard, count: int, seed: int) -> bool:
    """Phrases in text files, alone and in a letter, in the encodings of each language."""
    tallies: dict[str, Counter[str]] = defaultdict(Counter)
    for language, encodings in ENCODINGS.items():
        maker = Maker(language, seed)
        for encoding in encodings:
            for _ in range(count):
                text = unicodedata.normalize("NFC", " ".join(maker.phrase()))
                try:
                    content = text.encode(encoding)
                except UnicodeEncodeError:
                    continue  # some words of the list cannot be written in it
                tallies[f"{language} {encoding}"]["made"] += 1
                tallies[f"{language} {encoding}"]["found"] += guard.inspect_file("a", "", content).withheld
    print(f"\nPhrases in files: {count} of each, seed {seed}")
    table("file", tallies)
    worst = max(adversarial(1_000_000, random.Random(seed)), key=lambda each: file_seconds(guard, each[1]))
    print(f"  a file of one million characters: at most {file_seconds(guard, worst[1]):.2f} s ({worst[0]})")
    return all(share(tally) >= (100 if "utf" in name else 90) for name, tally in tallies.items())


def file_seconds(guard: Guard, text: str) -> float:
    begun = time.thread_time()
    guard.inspect_file("a.txt", "text/plain", text.encode()[:1_048_576])
    return time.thread_time() - begun


# ------------------------------------------------------------------------------------------------------------- details


def addresses_of(dice: random.Random) -> Iterator[tuple[str, str]]:
    """One right address of every kind that has a checksum."""
    raw = dice.randbytes(20)
    yield "EVM (EIP-55)", "0x" + evm.checksummed(raw.hex())
    for name, version in (("BTC 1", 0x00), ("BTC 3", 0x05), ("LTC L", 0x30), ("DOGE D", 0x1E), ("TRON T", 0x41)):
        yield name, base58.encode_check(bytes([version]) + raw)
    for name, prefix in (("BTC bc1q", "bc"), ("LTC ltc1q", "ltc")):
        yield name, bech32.encode(prefix, (0, *bech32.from_bytes(raw)), bech32.Encoding.BECH32)
    yield "BTC bc1q, script", bech32.encode("bc", (0, *bech32.from_bytes(raw + raw[:12])), bech32.Encoding.BECH32)
    yield "BTC bc1p", bech32.encode("bc", (1, *bech32.from_bytes(raw + raw[:12])), bech32.Encoding.BECH32M)
    yield "Cosmos", bech32.encode("cosmos", bech32.from_bytes(raw), bech32.Encoding.BECH32)
    body = b"\x11\0" + raw + raw[:12]
    yield "TON", base64.urlsafe_b64encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "big")).decode()


LETTERS = string.ascii_letters + string.digits
MISTAKES: dict[str, Callable[[str, int, random.Random], str]] = {
    "another": lambda text, at, dice: text[:at] + dice.choice(LETTERS.replace(text[at], "")) + text[at + 1 :],
    "left out": lambda text, at, _: text[:at] + text[at + 1 :],
    "added": lambda text, at, dice: text[:at] + dice.choice(LETTERS) + text[at:],
    "exchanged": lambda text, at, _: text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :],
    "other case": lambda text, at, _: text[:at] + text[at].swapcase() + text[at + 1 :],
}


def typos(count: int, seed: int) -> bool:
    """How many mistyped addresses pass for right ones."""
    dice = random.Random(seed)
    passed: dict[str, Counter[str]] = defaultdict(Counter)
    made: Counter[str] = Counter()
    for _ in range(count):
        for name, right in addresses_of(dice):
            known = addresses.check(right)
            if known is None or known.problem is not None:
                raise AssertionError(f"{name} is refused")
            for mistake, spoil in MISTAKES.items():
                wrong = spoil(right, dice.randrange(2 * right.startswith("0x"), len(right)), dice)
                if wrong == right or (
                    wrong.lower() == right.lower() and right.lower().startswith(("bc1", "ltc", "cos"))
                ):
                    continue  # bech32 may be written in capitals throughout, never in both: that is told elsewhere
                made[name] += 1
                checked = addresses.check(wrong)
                passed[name][mistake] += checked is not None and checked.problem is None
    print(f"\nMistyped addresses: {made.total()} of {len(passed)} kinds, seed {seed}; how many passed for right ones")
    for name, tally in passed.items():
        print(f"  {name:18} {made[name]:6} made: " + ", ".join(f"{mistake} {tally[mistake]}" for mistake in MISTAKES))
    others = sum(tally.total() for name, tally in passed.items() if name != "EVM (EIP-55)")
    return not others and passed["EVM (EIP-55)"].total() <= count * len(MISTAKES) // 1000


# -------------------------------------------------------------------------------------------------------- false alarms


def alarms(guard: Guard, files: Iterable[Path]) -> bool:
    total: Counter[str] = Counter()
    print("\nAlarms on ordinary text")
    for file in files:
        tally: Counter[str] = Counter()
        for line in file.read_text().splitlines():
            tally["messages"] += 1
            secret = guard.inspect(json.loads(line)).secret
            if secret:
                tally[secret.kind] += 1
        total.update(tally)
        raised = {str(kind): tally[kind] for kind in SecretKind if tally[kind]}
        print(f"  {file.stem:16} {tally['messages']:8} messages  {raised or 'none'}")
    if not total["messages"]:
        return True
    rates = {kind: 1e6 * total[kind] / total["messages"] for kind in SecretKind}
    print("  a million messages:", {str(kind): round(rate, 1) for kind, rate in rates.items()})
    masks = rates[SecretKind.PASSWORD] + rates[SecretKind.ONE_TIME_CODE]
    return rates[SecretKind.RECOVERY_PHRASE] <= 20 and not rates[SecretKind.PRIVATE_KEY] and masks <= 50


# ---------------------------------------------------------------------------------------------------------------- time

TYPICAL = (
    """Hello, I sent 250 USDT from the exchange to my wallet yesterday at 14:30 over TRC20 and it has still not arrived.
The exchange says completed. Could you please check what happened? Thank you very much.""",
    """你好，我昨天下午三点从交易所提了250个USDT到钱包，走的是TRC20网络，交易所那边显示已经完成，但是钱包里一直没有到账，
我已经等了十几个小时了，请帮我看看是怎么回事，是不是网络选错了，需要我提供什么信息，谢谢。版本5.3.1，安卓14，用的是公司的
无线网络，昨天晚上换成流量也试过了，还是一样，重启也没有用，收款地址我核对过，没有问题。""",
    """My app crashes each time I open the swap page, iPhone 15 Pro iOS 18.1, version 5.4.0, I reinstalled it and the
problem is still there, on wifi and on mobile data. What else can I try before the price moves?""",
)


def adversarial(size: int, dice: random.Random) -> Iterator[tuple[str, str]]:
    """Texts of *size* characters that were made to be slow."""
    english = Mnemonic("english").wordlist
    han = Mnemonic("chinese_simplified").wordlist
    everything = [word for language in ALPHABETIC for word in Mnemonic(language).wordlist]
    common = [word for word in english if len(word) <= 4]

    def fill(piece: Callable[[], str]) -> str:
        parts: list[str] = []
        length = 0
        while length < size:
            parts.append(piece())
            length += len(parts[-1])
        return "".join(parts)[:size]

    yield "ordinary English", fill(lambda: TYPICAL[0] + " ")
    yield "ordinary Chinese", fill(lambda: TYPICAL[1])
    yield "random Han", fill(lambda: chr(dice.randrange(0x4E00, 0x9FA0)))
    yield "listed Han", fill(lambda: dice.choice(han))
    yield "listed Han, spaced", fill(lambda: dice.choice(han) + " ")
    yield "one Han character", "的" * size
    yield "Han, lines of four", fill(lambda: "".join(dice.choices(han, k=4)) + "\n")
    yield "abandon", fill(lambda: "abandon ")
    yield "listed, every other", fill(lambda: dice.choice(english) + " the ")
    yield "six listed, then not", fill(lambda: " ".join(dice.choices(english, k=6)) + " the of it was and for ")
    yield "all languages", fill(lambda: dice.choice(everything) + " ")
    yield "near misses", fill(lambda: dice.choice(english)[:-1] + "qz " + dice.choice(english) + " ")
    yield "short words", fill(lambda: dice.choice(common) + " ")
    yield "one letter", "a" * size
    yield "glued words", fill(lambda: dice.choice(english))
    yield "glued, then broken", fill(lambda: "".join(dice.choices(english, k=8)) + "qq")
    yield "aA", "aA" * (size // 2)
    yield "hexadecimal", fill(lambda: dice.randbytes(32).hex() + " ")
    yield "hexadecimal pairs", fill(lambda: f"{dice.randrange(256):02x} ")
    yield "signatures", fill(lambda: base58.encode(dice.randbytes(64)) + " ")
    yield "base58 of 52", fill(lambda: "x" + base58.encode(dice.randbytes(37))[:51] + " ")
    yield "small numbers", fill(lambda: f"{dice.randrange(256)}, ")
    yield "digits", "7" * size
    yield "labels", fill(lambda: f"word {dice.randrange(99)}: ")
    yield "links", fill(lambda: f"https://etherscan.io/tx/0x{dice.randbytes(32).hex()} ")
    yield "dots", "a." * (size // 2)
    yield "password is", fill(lambda: "password is : = ")
    yield "密码是", fill(lambda: "密码是")
    yield "code code", fill(lambda: "code 验证码 ")
    yield "long expansion", "\ufdfa" * size
    yield "combining marks", "a" + "\u0301" * (size - 1)
    yield "look-alikes", fill(lambda: dice.choice("аеорсухі") + dice.choice("abc"))
    yield "spaces", " " * size
    yield "open brackets", "[" * size
    yield "random Unicode", fill(lambda: chr(dice.randrange(0x20, 0x3000)))
    yield "transfer words", fill(lambda: f"交易 {dice.randbytes(32).hex()} 不是私钥 ")


def timed(guard: Guard, text: str, times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        begun = time.thread_time()
        guard.inspect(text)
        taken.append((time.thread_time() - begun) * 1000)
    return sorted(taken)


def times(guard: Guard, seed: int, *, every: bool) -> bool:
    dice = random.Random(seed)
    print("\nTime of one inspection, in milliseconds of one core")
    typical = [timed(guard, (text * 3)[:200], 300) for text in TYPICAL]
    medians = [statistics.median(taken) for taken in typical]
    print("  200 characters, p50:", ", ".join(f"{median:.3f}" for median in medians))
    right = max(medians) <= 0.3
    for size, limit in ((10_000, 20.0), (65_536, 50.0)):
        worst: list[tuple[float, str]] = []
        for name, text in adversarial(size, dice):
            taken = timed(guard, text, 100 if size == 10_000 else 7)
            worst.append((taken[-2] if size == 10_000 else statistics.median(taken), name))
        worst.sort(reverse=True)
        right = right and worst[0][0] <= limit
        said = "p99 of 100" if size == 10_000 else "median of 7"
        print(f"  {size} characters, {said}, slowest first:")
        for taken_by, name in worst if every else worst[:6]:
            print(f"    {taken_by:8.2f}  {name}")
    return right


def load() -> bool:
    """Start-up of a fresh process, over what Python and the imported libraries take."""
    program = (
        "import resource, time\n"
        "def held():\n"
        "    return int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize() / 1e6\n"
        "from imconnect.guard import Guard\n"
        "before = held(); begun = time.process_time(); guard = Guard()\n"
        "print(time.process_time() - begun, held() - before)\n"
    )
    runs: list[tuple[float, ...]] = []
    for _ in range(5):
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        runs.append(tuple(map(float, run.stdout.split())))
    seconds, megabytes = min(run[0] for run in runs), max(run[1] for run in runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nLoad: {seconds:.3f} s of one core, {megabytes:.1f} MB; peak of this run {peak:.0f} MB")
    return seconds <= 0.3 and megabytes <= 50


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--phrases", type=int, default=2_000, help="phrases a language (default 2000)")
    options.add_argument("--keys", type=int, default=200, help="keys of each form (default 200)")
    options.add_argument("--texts", type=Path, nargs="*", default=[], help="files of JSON strings, one message a line")
    options.add_argument("--only", choices=("recall", "keys", "pieces", "files", "typos", "alarms", "time", "load"))
    options.add_argument("--every-time", action="store_true", help="show every adversarial text, not the slowest six")
    chosen = options.parse_args()
    guard = Guard()
    parts: dict[str, Callable[[], bool]] = {
        "load": load,
        "recall": lambda: recall(guard, chosen.phrases, chosen.seed),
        "keys": lambda: key_recall(guard, chosen.keys, chosen.seed),
        "pieces": lambda: pieces(guard, chosen.keys, chosen.seed),
        "files": lambda: files(guard, chosen.keys, chosen.seed),
        "typos": lambda: typos(10 * chosen.keys, chosen.seed),
        "alarms": lambda: alarms(guard, chosen.texts),
        "time": lambda: times(guard, chosen.seed, every=chosen.every_time),
    }
    met = {name: part() for name, part in parts.items() if chosen.only in (None, name)}
    print("\nBars met:", ", ".join(f"{name} {'yes' if right else 'NO'}" for name, right in met.items()))
    return 0 if all(met.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
