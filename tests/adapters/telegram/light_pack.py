"""The shipped pack with fewer phrasings: the same answers, and a desk that is ready in a moment."""

import shutil
from pathlib import Path

from imconnect.content import bundled_pack

PHRASINGS = 12


def light_pack(folder: Path) -> Path:
    """Write it under *folder*."""
    pack = folder / "pack"
    shutil.copytree(bundled_pack(), pack)
    for path in pack.rglob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(lines[: PHRASINGS + 1]) + "\n", encoding="utf-8")
    return pack
