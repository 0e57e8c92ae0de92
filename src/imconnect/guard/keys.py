"""Private keys, by their form where it decides and by what was said around them where it does not."""

import re
from dataclasses import dataclass
from enum import Enum

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats import base58, ed25519, explorers

_TOKEN = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{25,140}(?![0-9A-Za-z])")
_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")
_BROKEN_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?[0-9a-fA-F]{2,64}(?:[ \t\r\n:,_>-]{1,4}[0-9a-fA-F]{2,64}){1,70}")
_SEPARATORS = re.compile(r"[ \t\r\n:,_>-]+")
_NUMBERS = re.compile(r"\d{1,3}(?:[ \t\r\n]{0,2},[ \t\r\n]{0,2}\d{1,3}){31,}")
_SCHEMES = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY|otpauth(?:-migration)?://|\bwc:[0-9a-f-]{16,}@\d\?\S*symkey="
    r"|\bsuiprivkey1[02-9ac-hj-np-z]{20}|\bnsec1[02-9ac-hj-np-z]{20}|\bage-secret-key-1[02-9ac-hj-np-z]{20}",
    re.IGNORECASE,
)
_EXTENDED = re.compile(r"[xyztuvXYZUV]prv[1-9A-HJ-NP-Za-km-z]{90,110}")
_WIF = re.compile(r"[5KL9cTQ6][1-9A-HJ-NP-Za-km-z]{50,51}")
_BIP38 = re.compile(r"6P[1-9A-HJ-NP-Za-km-z]{56}")
_KEYSTORE = ("ciphertext", "kdfparams", "cipherparams")

_KEY_WORD = re.compile(
    r"私[钥鑰匙鍵]|秘[钥鑰]|密[钥鑰]|私 ?key|priv(?:ate)?[ _-]?key|prv ?key|secret[ _-]?key|\bsk\b|\bpk\b"
    r"|export(?:ed)? key"
    r"|\bwif\b|keystore|\bimport(?:ed|ing)?\b|导入|導入|導出|导出|master key|my key|wallet key|signing key"
    r"|\bkeys?\b(?=[ \t]*(?::|=|is\b))"
    r"|clave privada|cl[eé] priv[eé]e|chiave privata|秘密鍵|개인 ?키|приватн|закрыт\w+ ключ",
    re.IGNORECASE,
)
_TRANSACTION_WORD = re.compile(
    r"\btx\b|tx ?id|tx ?hash|\bhash|哈希|哈西|交易|转[账帐]|轉[賬帳]|transact|transfer|txn|提[币幣现現]"
    r"|充[值币幣]|到[账帐賬帳]"
    r"|deposit|withdraw|\bsent\b|\bsend\b|pending|confirm|打包|确认|確認|区块|區塊|block|explorer|浏览器|瀏覽器"
    r"|nonce|\bgas\b"
    r"|arriv|receiv|swap|bridge|跨链|跨鏈|流水号",
    re.IGNORECASE,
)
_DENIED = re.compile(r"(?:\bnot|\bno|isn.?t|不是|并非|非|别|不要|没有|沒有)[^,.;，。；]{0,8}$", re.IGNORECASE)
_NEAR = 60


class Standing(Enum):
    """What a value of unclear form was said to be."""

    KEY = "key"
    HASH = "hash"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Found:
    """A key, and whether knowing that a hash was asked for would have made it one."""

    secret: Secret
    needs_context: bool = False


def find(text: str, *, hash_asked_for: bool, previous: str) -> Found | None:
    """The private key or keystore in *text* (in `plain` form), if there is one.

    *previous* is the message before; a 64-digit value without any context counts as a key that may be a hash.
    """
    if "{" in text or "ipher" in text:
        folded = text.lower()
        if sum(word in folded for word in _KEYSTORE) >= 2 or ("ciphertext" in folded and '"crypto"' in folded):
            return _certain(SecretKind.KEYSTORE)
    if _SCHEMES.search(text) or _byte_array(text):
        return _certain(SecretKind.PRIVATE_KEY)
    values = [(match.start(), match.end(), match[0]) for match in _TOKEN.finditer(text)]
    values += _joined(text)
    if not values:
        return None
    links = [(match.start(), match.end(), match) for match in explorers.LINK.finditer(text)] if "/" in text else []
    unclear: Found | None = None
    for start, end, value in values:
        if _structural(value):
            return _certain(SecretKind.PRIVATE_KEY)
        link = next((match for begin, stop, match in links if begin <= start and end <= stop), None)
        if link is not None and _shown_by_explorer(link, value):
            continue
        if not _as_long_as_a_key(value):
            continue
        standing = _standing(text, start, end, previous)
        if standing is Standing.KEY:
            return Found(Secret(SecretKind.PRIVATE_KEY, Certainty.CERTAIN))
        if standing is Standing.UNCLEAR and not hash_asked_for and _sixty_four(value):
            unclear = Found(Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY, perhaps_a_hash=True), needs_context=True)
    return unclear


def _certain(kind: SecretKind) -> Found:
    return Found(Secret(kind, Certainty.CERTAIN))


def _joined(text: str) -> list[tuple[int, int, str]]:
    """Hexadecimal values that were broken over lines or written in groups, put together."""
    found: list[tuple[int, int, str]] = []
    for match in _BROKEN_HEX.finditer(text):
        parts = _SEPARATORS.split(match[0])
        value = "".join(parts)
        digits = value[2:] if value[:2] in ("0x", "0X") else value
        if 60 <= len(digits) <= 68 or len(digits) == 128:
            found.append((match.start(), match.end(), value))
    return found


def _byte_array(text: str) -> bool:
    for match in _NUMBERS.finditer(text):
        numbers = [int(number) for number in match[0].split(",")]
        if max(numbers) > 255:
            continue
        bracketed = text[match.start() - 1 : match.start()] == "["
        if bracketed or (len(numbers) == ed25519.PAIR and ed25519.is_key_pair(bytes(numbers))):
            return True
    return False


def _structural(value: str) -> bool:
    """Whether the form alone says "private key", with a broken checksum too."""
    if any(form.fullmatch(value) for form in (_WIF, _BIP38, _EXTENDED)):
        return _mixed(value)
    digits = _digits(value)
    if len(digits) == 2 * ed25519.PAIR:
        return ed25519.is_key_pair(bytes.fromhex(digits))
    pair = 80 <= len(value) <= 90 and not base58.foreign_letters(value)
    return pair and ed25519.is_key_pair(base58.decode(value))


def _digits(value: str) -> str:
    """The hexadecimal digits of *value* without `0x`; nothing where it is not hexadecimal."""
    found = _HEX.fullmatch(value)
    return found[1] if found else ""


def _mixed(value: str) -> bool:
    return any(letter.isdigit() for letter in value) and value not in (value.lower(), value.upper())


def _shown_by_explorer(link: re.Match[str], value: str) -> bool:
    shown = explorers.shown(link[1], link[2])
    return shown is not None and (
        value in (shown.transaction, shown.address) or value == (shown.transaction or "")[:140]
    )


def _as_long_as_a_key(value: str) -> bool:
    """Long enough to be a key, whole or with a few characters missing; addresses are shorter or have their own form."""
    digits = len(_digits(value))
    if digits:
        return 56 <= digits <= 72 or 120 <= digits <= 136
    return 43 <= len(value) <= 120 and _mixed(value)


def _sixty_four(value: str) -> bool:
    return 60 <= len(_digits(value)) <= 68


def _standing(text: str, start: int, end: int, previous: str) -> Standing:
    """Key or hash, by the nearer word; a label before the value counts more than one behind it."""
    key = _distance(_KEY_WORD, text, start, end)
    transaction = _distance(_TRANSACTION_WORD, text, start, end)
    if key is not None and (transaction is None or key <= transaction):
        return Standing.KEY
    if transaction is not None:
        return Standing.HASH
    key_before = bool(_KEY_WORD.search(previous))
    if key_before:
        return Standing.UNCLEAR if _TRANSACTION_WORD.search(previous) else Standing.KEY
    return Standing.HASH if _TRANSACTION_WORD.search(previous) else Standing.UNCLEAR


def _distance(rule: re.Pattern[str], text: str, start: int, end: int) -> int | None:
    """How far the nearest word of *rule* is from the value, in characters; None beyond sixty or where denied."""
    nearest: int | None = None
    begin = max(0, start - _NEAR - 20)
    for match in rule.finditer(text, begin, start):
        if start - match.end() <= _NEAR and not _DENIED.search(text, max(0, match.start() - 14), match.start()):
            nearest = start - match.end()
    for match in rule.finditer(text, end, min(len(text), end + _NEAR + 20)):
        distance = 2 * (match.start() - end) + 10
        if match.start() - end <= _NEAR and not _DENIED.search(text, max(0, match.start() - 14), match.start()):
            return distance if nearest is None else min(nearest, distance)
    return nearest
