"""Reads and checks a pack: the folder of texts that makes the desk speak for somebody."""

from pathlib import Path

import imconnect
from imconnect.content.checking import check_pack
from imconnect.content.faults import Fault, PackError
from imconnect.content.gathering import Gathered, gather, with_examples
from imconnect.content.learning import Lesson, MatcherName, lesson_of, matcher_of, reader_for, rehearse
from imconnect.content.reading import Phrasing, phrasings, read_pack, read_with_phrasings

__all__ = [
    "Fault",
    "Gathered",
    "Lesson",
    "MatcherName",
    "PackError",
    "Phrasing",
    "bundled_pack",
    "check_pack",
    "gather",
    "lesson_of",
    "matcher_of",
    "phrasings",
    "read_pack",
    "read_with_phrasings",
    "reader_for",
    "rehearse",
    "with_examples",
]


def bundled_pack() -> Path:
    """The pack that comes with the program: inside the installed package, or beside the sources in a checkout."""
    package = Path(imconnect.__file__).parent
    installed = package / "responses"
    return installed if installed.is_dir() else package.parents[1] / "responses"
