"""A customer's sentence without what belongs to them alone: what is left may teach the desk, and be read by anybody."""

import re

from imconnect.formats import broken
from imconnect.formats.written import plain
from imconnect.nlu.details import spot

LEFT_OUT = "…"
"""Stands for a value. It has no letters, so a matcher learns from the words around it as if nothing stood there."""

_TOPS = (
    "com|net|org|io|app|me|cc|co|ai|xyz|top|vip|pro|info|site|online|shop|club|live|link|click|cn|hk|tw|jp|kr|uk|eu|de|sg"
    "|dev|tech|finance|exchange|wallet|money|fun|one|art|tel|eth|ltd|win|im|ly|gg|fm|to"
)
_VALUES = re.compile(
    rf"""
      h(?:tt|xx)ps?:[/\\]+[^\s<>"'，。；！？、（）【】《》“”\u3040-\u9fff]+              # links
    | (?<![a-z0-9@])(?:[a-z0-9-]{{1,63}}\.){{1,6}}(?:{_TOPS})(?![a-z0-9-])(?:/[!-~]*)?
    | (?<![a-z0-9._%+-])[a-z0-9._%+-]{{1,64}}\s?@\s?(?:[a-z0-9-]{{1,63}}\.){{1,6}}[a-z0-9-]{{1,24}}  # e-mail addresses
    | <?[@＠][a-z0-9_!&.]{{2,}}>?(?:\#\d{{4}})?                                  # handles
    | (?<![a-z0-9])[a-z0-9_.]{{2,32}}\#\d{{4}}(?!\d)
    | (?<![a-z0-9])0x[0-9a-z]*(?:\s?(?:\.{{2,}}|…|\*{{2,}})\s?[0-9a-z]+|(?<=[0-9a-z]{{4}}))   # addresses, shortened too
    | (?<![a-z0-9_-])(?=[a-z_-]*\d)[a-z0-9_-]{{16,}}                             # hashes, keys of any alphabet
    | (?<![a-z0-9])[a-z0-9]{{24,}}(?![a-z0-9])
    | (?<![a-z0-9])[a-z]{{1,6}}-[0-9a-z]{{4}}-[0-9a-z]{{4}}(?![a-z0-9])          # references of conversations
    | (?<![a-z0-9])[a-z]{{1,6}}-?\d{{5,}}
    | (?<![0-9.])\+?\(?\d(?:[\s().,:/-]{{0,2}}\d){{4,}}x?                        # numbers of telephones, cards, orders
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"(?P<named>(?:微信|微 ?信|\bwechat|\bwx|\bvx|\bqq|电报|電報|\btelegram|\btg|飞机|whatsapp|\bline|\bskype)"
    r"[ ]?(?:号码?|號碼?|账号|帳號|\bid\b)?[ ]?(?:[:：]|是|为|is)?[ ]?)(?=[a-z0-9_-]*[\d_])[a-z0-9_-]{5,}",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?P<named>(?:姓名|名字|全名)[ ]?(?:[:：]|是|叫)[ ]?)[\u3400-\u9fff·]{2,6}"
    r"|(?P<called>\bmy (?:full |real )?name(?:'s| is) )[a-z'-]+(?: [a-z'-]+)?",
    re.IGNORECASE,
)
_PERSONAL = ("transaction_hash", "wallet_address", "account_email", "order_number", "suspect_link")
_TWICE = re.compile(rf"(?:{LEFT_OUT}[\s,，、]*)+{LEFT_OUT}")
_SPACES = re.compile(r"\s+")


def redacted(text: str) -> str:
    """*text* on one line, with hashes, addresses, links, accounts, names that are given as such and numbers of five
    digits or more left out. The same text comes back where it has none of them."""
    left = _left_of(text)
    if _left_of(plain(left)) != plain(left):  # written in other widths, or with characters that show nothing
        left = _left_of(plain(text))
    return left


def _left_of(text: str) -> str:
    left = _NAME.sub(_after_the_name, broken.mended(text))
    left = _VALUES.sub(LEFT_OUT, _ACCOUNT.sub(_after_the_name, left))
    for spotted in spot(left):
        if spotted.name in _PERSONAL:
            left = left.replace(spotted.value, LEFT_OUT)
    return _TWICE.sub(LEFT_OUT, _SPACES.sub(" ", left)).strip()


def _after_the_name(found: re.Match[str]) -> str:
    named = next(filter(None, found.groups()), "")
    return named + LEFT_OUT
