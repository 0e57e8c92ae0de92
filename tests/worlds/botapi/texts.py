"""Text as Telegram counts it: in UTF-16 code units, with the entities its servers find by themselves."""

import re
from typing import Any

from tests.worlds.botapi.refusals import bad_request

TEXT_LIMIT = 4096  # core.telegram.org/bots/api#sendmessage
CAPTION_LIMIT = 1024  # core.telegram.org/bots/api#sendphoto

FOUND_BY_THE_SERVER = (
    ("bot_command", re.compile(r"(?<![^\s])/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{5,32})?(?![A-Za-z0-9_/])")),
    ("url", re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")),
    ("mention", re.compile(r"(?<![A-Za-z0-9_@/])@[A-Za-z0-9_]{5,32}")),
)


def units(text: str) -> int:
    """The length of *text* in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def found_entities(text: str) -> list[dict[str, Any]]:
    """The commands, links and mentions in *text*, in order, none inside another."""
    found: list[dict[str, Any]] = []
    covered_to = 0
    spans = sorted(
        (match.start(), match.end(), kind) for kind, pattern in FOUND_BY_THE_SERVER for match in pattern.finditer(text)
    )
    for start, end, kind in spans:
        if start < covered_to:
            continue
        covered_to = end
        found.append({"type": kind, "offset": units(text[:start]), "length": units(text[start:end])})
    return found


def checked_entities(text: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """*entities* if every one begins and ends between two characters of *text*; refused otherwise."""
    starts = {0: 0}  # UTF-16 offset of each character, and its offset in UTF-8 bytes
    position = place = 0
    for character in text:
        position += units(character)
        place += len(character.encode())
        starts[position] = place
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if start < 0:
            raise bad_request(f"receive an entity with incorrect offset {start}")
        if end <= start:
            raise bad_request(f"receive an entity with incorrect length {entity['length']}")
        if start >= position:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {start}")
        if start not in starts:
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {starts[start + 1]}")
        if end > position:
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}"
            )
        if end not in starts:
            raise bad_request(
                f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol at byte offset "
                f"{starts[end + 1]}"
            )
    return entities
