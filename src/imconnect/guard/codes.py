"""Passwords and one-time codes: the value is taken out, the sentence around it stays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imconnect.domain.readings import SecretKind
from imconnect.formats.written import plain
from imconnect.guard.words import Words

_PASSWORD_WORDS = Words(
    (
        "密码", "密碼", "口令", "password", "pass word", "passwd", "|pwd|", "|pass:", "|pass=", "passcode",
        "passphrase",
        "パスワード", "비밀번호", "contraseña", "mot de passe", "пароль", "|pin|", "|pin code|",
    )
)  # fmt: skip
_CODE_WORDS = Words(
    (
        "验证码", "驗證碼", "校验码", "动态码", "动态口令", "动态密码", "動態碼", "谷歌验证", "|2fa|", "|otp|",
        "|mfa|",
        "authenticator", "确认码", "確認碼", "認証コード", "인증번호", "인증 번호", "verification code",
        "security code", "sms code",
        "login code", "one-time code", "one time code", "код подтверждения", "код из смс",
    )
)  # fmt: skip
_BARE_CODE_WORDS = Words(("|code|", "|код|"))
_VALUE = re.compile(
    r"(?P<link>[ \t]{0,3}(?:(?:是|为|為|:|=|is\b|->|叫|was\b|就是)[ \t]{0,3}){1,3}|(?<=[:=])[ \t]{0,3}|[ \t]{1,3})"
    r"[\"'“「`]?(?P<value>[\x21-\x7e]{4,64})",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[[a-z_]{3,24} removed\]")  # ours, from a reading before
_REST = re.compile(r"[\x21-\x7e]+")
_CODE = re.compile(
    r"[^\d\n]{0,16}?(?<![0-9A-Za-z.,-])(?P<value>\d{3}[ -]\d{3}|\d{4}|\d{6}|\d{8})(?![0-9A-Za-z]|[.,]\d)"
)
_BARE_CODE = re.compile(
    r"(?:[ ](?:is|was)|[ ]?[:=])?[ \"']{0,3}(?P<value>\d{3}[ -]\d{3}|\d{6})"
    r"(?![0-9A-Za-z]|[.,-]\d)",
    re.IGNORECASE,
)
_CODE_BEFORE = re.compile(
    r"(?<![0-9A-Za-z.,-])(?P<value>\d{3}[ -]\d{3}|\d{6}|\d{8})[^\d\n]{0,4}?(?:是|\bis\b)[^\d\n]{0,12}?$", re.IGNORECASE
)
_NO_CODE = Words(
    (
        "error", "错误", "錯誤", "postal", "zip", "country", "状态", "area", "promo", "invit", "邀请", "邀請",
        "推荐", "|qr",
        "二维", "status", "|order", "订单", "收不到", "没收到", "沒收到", "source code", "bar code", "exit code",
        "swift",
    )
)  # fmt: skip
_DIGIT = re.compile(r"\d")
_PRINTED = re.compile(r"[\x21-\x7e]{4}")
_PIN = re.compile(r"\d{4,8}")
_UNSAID = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[0-9A-Za-z@!#$%^&*_+-]{6,32}")
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3})+|\d{1,3}")
_ALONE = re.compile(r"\s{0,8}(?P<value>\d{3}[ -]\d{3}|[\x21-\x7e]{4,64})\s{0,8}")
_ALONE_CODE = re.compile(r"\d{3}[ -]\d{3}|\d{4}|\d{6}|\d{8}")
_ANNOUNCED = 80
_CODE_SAID = re.compile(r"\bcode (?:is|was)[ :]{0,3}$|\bcode ?:\s*$")
_PASSWORD_SAID = re.compile(r"\S[^,.;!?，。；！？\n]{1,30}?(?:是|为|為|:|=|\bis)\s{0,4}$")
_TRAILING = ".,;:!?)]}\"'`>"


@dataclass(frozen=True, slots=True)
class Masked:
    """What is left of a text, and which kinds were taken out of it."""

    text: str
    kinds: tuple[SecretKind, ...]


def mask(text: str, compatible: str, previous: str = "", private: Sequence[tuple[int, int, str]] = ()) -> Masked:
    """*text* without what is *private* and without the passwords and codes that show in *compatible*, its `plain` form.

    *previous* is the message before: after "my password is" a single word is one. What is private (from, to, what it
    is) is no secret; it is masked and no kind is told of it.
    """
    folded = compatible.lower()
    if len(folded) != len(compatible):
        folded = compatible  # a letter whose small form is longer: places would shift
    spans: list[tuple[int, int, str]] = [
        *private,
        *_said_before(compatible, previous.lower()),
        *(_passwords(compatible, folded) if _PRINTED.search(compatible) else ()),
        *(_codes(compatible, folded) if _DIGIT.search(compatible) else ()),
    ]
    if not spans:
        return Masked(text, ())
    shown, offsets = _aligned(text, compatible)
    kinds: list[SecretKind] = []
    end_of_kept = len(compatible)
    for start, end, what in sorted(spans, reverse=True):
        if end > end_of_kept:
            continue
        shown = f"{shown[: offsets[start]]}[{what} removed]{shown[offsets[end] :]}"
        if isinstance(what, SecretKind):
            kinds.insert(0, what)
        end_of_kept = start
    return Masked(shown, tuple(kinds))


def _aligned(text: str, compatible: str) -> tuple[str, Sequence[int]]:
    """What is masked, and where each place of *compatible* lies in it: *text* itself where it can be followed."""
    if text.isascii():
        return text, range(len(text) + 1)
    parts = [plain(letter) for letter in text]
    if "".join(parts) != compatible:
        return compatible, range(len(compatible) + 1)
    offsets = [place for place, part in enumerate(parts) for _ in part]
    return text, [*offsets, len(text)]


def _said_before(text: str, previous: str) -> Iterator[tuple[int, int, SecretKind]]:
    """The whole of a short message that the one before announced."""
    alone = _ALONE.fullmatch(text) if previous else None
    if alone is None:
        return
    announced = previous[-_ANNOUNCED:]
    digits = _ALONE_CODE.fullmatch(alone["value"])
    if digits and not _NO_CODE.within(announced) and (_CODE_WORDS.within(announced) or _CODE_SAID.search(announced)):
        yield alone.start("value"), alone.end("value"), SecretKind.ONE_TIME_CODE
        return
    said = _PASSWORD_SAID.search(announced)
    if said and _PASSWORD_WORDS.places(announced[said.start() :]) and _is_a_password("", alone["value"], said=True):
        yield alone.start("value"), alone.end("value"), SecretKind.PASSWORD


def _passwords(text: str, folded: str) -> Iterator[tuple[int, int, SecretKind]]:
    masked_to = 0
    for begin, end in _PASSWORD_WORDS.places(folded):
        match = _VALUE.match(text, end) if begin >= masked_to else None
        if match is None or _MARK.match(text, match.start("value")):
            continue
        value = match["value"].rstrip(_TRAILING)
        if len(value) >= 4 and _is_a_password(folded[begin:end], value, said=bool(match["link"].strip())):
            start, masked_to = match.start("value"), match.end("value")
            rest = _REST.match(text, masked_to)
            masked_to = start + len(text[start : rest.end() if rest else masked_to].rstrip(_TRAILING))
            yield start, masked_to, SecretKind.PASSWORD


def _is_a_password(word: str, value: str, *, said: bool) -> bool:
    """Words are not: "password is wrong". A digit or a symbol is what tells a password from a sentence."""
    if word.startswith("pin"):
        return _PIN.fullmatch(value) is not None
    if not said:
        return _UNSAID.fullmatch(value) is not None
    if _DIGIT.search(value):
        return not _VERSION.fullmatch(value)
    return any(letter.isalpha() for letter in value) and not value[1:-1].isalpha() and not set("/'’<>") & set(value)


def _codes(text: str, folded: str) -> Iterator[tuple[int, int, SecretKind]]:
    for begin, end in _CODE_WORDS.places(folded):
        match = _CODE.match(text, end) or _CODE_BEFORE.search(text, max(0, begin - 40), begin)
        if match and not _NO_CODE.within(folded[max(0, min(begin, match.start()) - 12) : max(end, match.end())]):
            yield match.start("value"), match.end("value"), SecretKind.ONE_TIME_CODE
    for begin, end in _BARE_CODE_WORDS.places(folded):
        match = _BARE_CODE.match(text, end) or _CODE_BEFORE.search(text, max(0, begin - 40), begin)
        if match and not _NO_CODE.within(folded[max(0, min(begin, match.start()) - 12) : max(end, match.end())]):
            yield match.start("value"), match.end("value"), SecretKind.ONE_TIME_CODE
