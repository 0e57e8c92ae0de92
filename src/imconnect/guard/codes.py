"""Passwords and one-time codes: the value is withheld, the sentence around it stays."""

import re
from dataclasses import dataclass

from imconnect.domain.readings import SecretKind

_PASSWORD = re.compile(
    r"(?:密码|密碼|口令|pass ?word|passwd|\bpwd\b|\bpass(?=[:=])|passcode|passphrase|パスワード|비밀번호"
    r"|contraseña|mot de passe|пароль|\bpin(?: code)?\b)"
    r"(?P<link>[ \t]{0,3}(?:(?:是|为|為|:|：|=|\bis\b|->|叫)[ \t]{0,3}){1,3}|[ \t]{1,3})[\"'“「]?"
    r"(?P<value>[\x21-\x7e]{4,64})",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:验证码|驗證碼|校验码|动态[码口令]{1,3}|動態[碼口令]{1,3}|谷歌验证|\b2fa\b|\botp\b|\bmfa\b|\bcode\b"
    r"|authenticator|确认码|確認碼|認証コード|인증 ?번호|код)"
    r"(?P<between>[^\d\n]{0,16}?)(?<![\d.,-])(?P<value>\d{3}[ -]\d{3}|\d{4}|\d{6}|\d{8})(?![\d.,]*\d)",
    re.IGNORECASE,
)
_CODE_BEHIND = re.compile(
    r"(?<![\d.,-])(?P<value>\d{3}[ -]\d{3}|\d{6}|\d{8})(?!\d)[^\d\n]{0,4}?"
    r"(?:是|is)[^\d\n]{0,12}?(?:验证码|驗證碼|动态码|\b2fa\b|\botp\b|\bcode\b)",
    re.IGNORECASE,
)
_NO_CODE = re.compile(
    r"error|错误|錯誤|postal|zip|country|状态|area|promo|invite|邀请|邀請|推荐|qr|二维|status|order|订单|收不到"
    r"|没收到",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?)]}\"'，。；"


@dataclass(frozen=True, slots=True)
class Masked:
    """What is left of a text, and which kinds were taken out of it."""

    text: str
    kinds: tuple[SecretKind, ...]


def mask(text: str, plain: str) -> Masked:
    """*text* without the passwords and codes that *plain* (the same in compatible form) shows."""
    spans = [*_passwords(plain), *_codes(plain)]
    if not spans:
        return Masked(text, ())
    shown = text if len(text) == len(plain) else plain
    kinds: list[SecretKind] = []
    for start, end, kind in sorted(spans, reverse=True):
        shown = f"{shown[:start]}[{kind} removed]{shown[end:]}"
        kinds.insert(0, kind)
    return Masked(shown, tuple(kinds))


def _passwords(plain: str) -> list[tuple[int, int, SecretKind]]:
    found: list[tuple[int, int, SecretKind]] = []
    for match in _PASSWORD.finditer(plain):
        value = match["value"].rstrip(_TRAILING) or match["value"]
        said = match["link"].strip() != ""
        has_digit = any(letter.isdigit() for letter in value)
        has_other = any(not letter.isdigit() for letter in value)
        symbol = any(not letter.isalnum() for letter in value[1:-1])
        if (has_digit and (said or (has_other and len(value) >= 6))) or (said and symbol and "/" not in value):
            start = match.start("value")
            found.append((start, start + len(value), SecretKind.PASSWORD))
    return found


def _codes(plain: str) -> list[tuple[int, int, SecretKind]]:
    found: list[tuple[int, int, SecretKind]] = []
    for rule in (_CODE, _CODE_BEHIND):
        for match in rule.finditer(plain):
            around = plain[max(0, match.start() - 12) : match.end()]
            if not _NO_CODE.search(around):
                span = (match.start("value"), match.end("value"), SecretKind.ONE_TIME_CODE)
                if span not in found:
                    found.append(span)
    return found
