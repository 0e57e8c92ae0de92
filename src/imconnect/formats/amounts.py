"""Amounts as people type them: `1,250.5 USDT`, `3万u`, `两千个U`, `$500`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_NAMES = {
    "泰达币": "USDT", "泰达": "USDT", "tether": "USDT", "u": "USDT", "刀": "USD", "美金": "USD", "美元": "USD",
    "以太坊": "ETH", "以太币": "ETH", "以太": "ETH", "姨太": "ETH", "二饼": "ETH", "ether": "ETH", "ethereum": "ETH",
    "比特币": "BTC", "比特": "BTC", "大饼": "BTC", "bitcoin": "BTC", "莱特币": "LTC", "狗狗币": "DOGE", "狗币": "DOGE",
    "波场币": "TRX", "波币": "TRX", "柚子": "EOS", "瑞波": "XRP", "瑞波币": "XRP",
}  # fmt: skip
_TICKERS = [
    "BTC", "ETH", "USDT", "USDC", "BNB", "TRX", "SOL", "LTC", "DOGE", "XRP", "ADA", "DOT", "AVAX", "MATIC",
    "POL", "ARB", "OP", "ATOM", "TON", "DAI", "FDUSD", "TUSD", "USDD", "SUI", "APT", "SHIB", "PEPE", "LINK",
    "UNI", "FIL", "ETC", "BCH", "EOS", "WBTC", "WETH", "STETH", "XLM", "NEAR", "AAVE", "CAKE", "BUSD", "USDE",
]  # fmt: skip
UNIT = "|".join(sorted([*_TICKERS, *_NAMES], key=len, reverse=True))
"""The names of tokens, as the inside of a regular expression: longest first."""

_NUMBER = r"\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,18})?|\d{1,15}(?:\.\d{1,18})?"
_COUNTED = r"(?:个|枚|颗|块|只)?"
_AMOUNT = re.compile(
    rf"(?<![0-9A-Za-z.,])({_NUMBER})[ \t]?(亿|千万|百万|万|千|k|w|m)?[ \t]?{_COUNTED}[ \t]?({UNIT})(?![0-9A-Za-z盘盾])",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?<![零一二两三四五六七八九十百千万亿])(半|[零一二两三四五六七八九十百千万亿]{{1,9}}){_COUNTED}(半)?[ ]?({UNIT})"
    r"(?![0-9A-Za-z盘盾])",
    re.IGNORECASE,
)
_DOLLARS = re.compile(rf"(?<![0-9A-Za-z.,])(?:us)?\$[ ]?({_NUMBER})[ ]?(k|m)?(?![0-9A-Za-z])", re.IGNORECASE)
_BARE = re.compile(rf"(?<![0-9A-Za-z.,])({_NUMBER})[ \t]?(亿|千万|百万|万|千|k|w)?(?![0-9A-Za-z.,])", re.IGNORECASE)
_TOKEN = re.compile(rf"(?<![0-9A-Za-z])({UNIT})(?![0-9A-Za-z])", re.IGNORECASE)
_TIMES = {"亿": 10**8, "千万": 10**7, "百万": 10**6, "万": 10**4, "w": 10**4, "千": 1000, "k": 1000, "m": 10**6}
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_THOUSANDS = {"万": 10**4, "亿": 10**8}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number without separators and the token it counts (None where none was named), with its place in the text."""

    number: str
    token: str | None
    start: int
    end: int


def amounts(text: str) -> list[Amount]:
    """The amounts with their tokens in *text* (in `plain` form), in order."""
    found = [
        Amount(_scaled(match[1], match[2]), token_of(match[3]), match.start(), match.end())
        for match in _AMOUNT.finditer(text)
    ]
    found += [
        Amount(_plain(number), token_of(match[3]), match.start(), match.end())
        for match in _SPOKEN.finditer(text)
        if (number := _spoken(match[1], half=bool(match[2]))) is not None
    ]
    found += [
        Amount(_scaled(match[1], match[2]), "USD", match.start(), match.end()) for match in _DOLLARS.finditer(text)
    ]
    return sorted(found, key=lambda amount: amount.start)


def bare_amount(text: str) -> str | None:
    """The first number of *text*, for whoever was asked for an amount."""
    found = _BARE.search(text)
    return _scaled(found[1], found[2]) if found else None


def tokens(text: str) -> Iterator[str]:
    """The tokens named in *text*; single letters count only after a number."""
    return (token_of(match[1]) for match in _TOKEN.finditer(text) if len(match[1]) > 1)


def token_of(name: str) -> str:
    """The ticker of a token by any of its names."""
    return _NAMES.get(name.lower(), name.upper())


def _scaled(digits: str, unit: str | None) -> str:
    return _plain(Decimal(digits.replace(",", "")) * _TIMES.get((unit or "").lower(), 1))


def _plain(value: Decimal) -> str:
    if value == value.to_integral_value():
        return f"{value.to_integral_value():f}"
    return f"{value:f}".rstrip("0").rstrip(".")


def _spoken(words: str, *, half: bool) -> Decimal | None:
    """`三百`, `一万二`, `两千五`, `半`; None where the characters make no number."""
    if words == "半":
        return Decimal("0.5")
    total = section = 0
    digit: int | None = None
    unit = 1
    for word in words:
        if word in _DIGITS:
            if digit:
                return None
            digit, unit = _DIGITS[word], (unit if word != "零" else 1)
        elif word in _TENS:
            unit = _TENS[word]
            section += (1 if digit is None else digit) * unit
            digit = None
        else:
            if digit is None and not section:
                return None
            total += (section + (digit or 0)) * _THOUSANDS[word]
            section, digit, unit = 0, None, _THOUSANDS[word]
    if digit is not None:
        after_zero = len(words) > 1 and words[-2] == "零"
        section += digit * (1 if after_zero or unit in (1, 10) else unit // 10)  # "一万二" leaves out its thousand
    return Decimal(total + section) + (Decimal("0.5") if half else 0)
