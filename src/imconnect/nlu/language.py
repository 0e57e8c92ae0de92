"""Which language a message is in, by its function words, and in which characters its Chinese is written."""

import re
from functools import cache
from importlib.resources import files

from imconnect.domain.messages import Language, Script
from imconnect.nlu.normalise import HAN, UNSPOKEN, simplified, table, visible

_HAN = re.compile(f"[{HAN}]")
_KANA_HANGUL = re.compile("[\u3040-\u30ff\u1100-\u11ff\uac00-\ud7af]")
_LATIN = re.compile(r"[a-z]+(?:'[a-z]+)?")
_OTHER_LETTER = re.compile(f"[^\\W\\d_a-z{HAN}]")

# What holds a sentence together, whatever it is about.
CHINESE_WORDS = re.compile(
    "怎么|什么|为什么|如何|可以|没有|请问|帮|想|要|能|会|把|被|给|让|和|跟|但|还|就|都|也|又|再|很|太|这|那|哪|谁|几|多少|"
    "我|你|您|他|她|它|们|的|了|吗|呢|吧|啊|嘛|着|过|得|地|不|没|是|有|在|到|从|对|用|上|下|里|个|说|看|去|来|做|一直|怎样|咋"
)
CANTONESE = frozenset("嘅咗唔冇嘢啲喺佢哋嚟畀咁乜嗰")


@cache
def word_list(name: str) -> frozenset[str]:
    """The words of one of this package's tables."""
    lines = (files("imconnect.nlu") / "tables" / name).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def language_of(text: str) -> tuple[Language | None, Script | None]:
    """The language of *text* and, for Chinese, its script.

    Both None where the text has no language of its own (a hash, a number, an emoji, a bare ticker); the script is also
    None where every character is written alike in both. Mixed text has the language of its function words. Letters of
    any language the desk does not speak count as English, which more strangers can read.
    """
    seen = visible(text)
    plain = UNSPOKEN.sub(" ", seen.lower())
    words = [word.replace("'", "") for word in _LATIN.findall(plain.replace("’", "'"))]
    loans = word_list("loan-words.txt")
    own_words = [word for word in words if len(word) > 1 and word not in loans]
    han = len(_HAN.findall(plain))
    if _KANA_HANGUL.search(plain) or (not han and (own_words or _OTHER_LETTER.search(plain))):
        return Language.ENGLISH, None
    if not han:
        return None, None
    chinese = len(CHINESE_WORDS.findall(simplified(plain)))
    functional = word_list("english.txt")
    english = sum(word in functional and word not in loans for word in words)
    if english > chinese or (english == chinese and len(own_words) > han):
        return Language.ENGLISH, None
    return Language.CHINESE, script_of(seen)


def script_of(text: str) -> Script | None:
    """The script most of the telling characters of *text* belong to; None where none tells."""
    _, only_simplified, only_traditional = table()
    simple = sum(character in only_simplified for character in text)
    traditional = sum(character in only_traditional for character in text)
    if simple == traditional:
        return Script.TRADITIONAL if any(c in CANTONESE for c in text) else None
    return Script.SIMPLIFIED if simple > traditional else Script.TRADITIONAL
