"""Private keys, by their form where it decides and by what was said around them where it does not."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats import base58, ed25519, explorers
from imconnect.guard.words import Words

_TOKEN = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{25,140}(?![0-9A-Za-z])")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[a-fA-F]")
_SHORTEST = 25
_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")
_BROKEN_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?[0-9a-fA-F]{2,64}(?:[ \t\r\n:,_>-]{1,4}[0-9a-fA-F]{2,64}){1,70}")
_SEPARATORS = re.compile(r"[ \t\r\n:,_>-]+")
_BROKEN_BASE58 = re.compile(
    r"(?<![0-9A-Za-z])[1-9A-HJ-NP-Za-km-z]{6,120}"
    r"(?:[ \t]{0,3}(?:\r\n|\r|\n)[ \t>]{0,4}[1-9A-HJ-NP-Za-km-z]{1,120}){1,5}(?![0-9A-Za-z])"
)
_LINE_ENDS = re.compile(r"[ \t\r\n>]+")
_NUMBERS = re.compile(r"\d{1,3}(?:[ \t\r\n]{0,2},[ \t\r\n]{0,2}\d{1,3}){31,}")
_EXTENDED = re.compile(r"[xyztuvXYZUV]prv[1-9A-HJ-NP-Za-km-z]{90,110}")
_PUBLIC = re.compile(r"(?<![0-9A-Za-z])[xyztuvXYZTUV]pub[1-9A-HJ-NP-Za-km-z]{90,110}(?![0-9A-Za-z])")
_WIF = re.compile(r"[5KL9cTQ6][1-9A-HJ-NP-Za-km-z]{50,51}")
_BASE58_LENGTHS = frozenset({51, 52, 58, 86, 87, 88, 107, 108, 109, 110, 111, 112})
_BIP38 = re.compile(r"6P[1-9A-HJ-NP-Za-km-z]{56}")
_KEYSTORE = ("ciphertext", "kdfparams", "cipherparams")
_VAULTS = (
    ('"data"', '"iv"', '"salt"'),  # what browser wallets keep (MetaMask's vault and those made after it)
    ('"encoded"', '"encoding"', '"scrypt"'),  # Polkadot's accounts
    ('"seed_version"', '"wallet_type"', '"keystore"'),  # Electrum's wallet file
)
_SCHEMES = Words(
    (
        "otpauth://",
        "otpauth-migration://",
        "|suiprivkey1",
        "|nsec1",
        "|age-secret-key-1",
        "private key-----",
        "private key block-----",
    )
)
_PAIRING = ("wc:", "symkey=")

_KEY_WORDS = Words(
    (
        "私钥", "私鑰", "私匙", "私鍵", "私key", "私 key", "秘钥", "秘鑰", "密钥", "密鑰", "private key",
        "private_key",
        "private-key", "privatekey", "privkey", "priv key", "priv_key", "prvkey", "prv key", "secret key",
        "secret_key",
        "secret-key", "secretkey", "exported key", "export key", "|wif|", "master key", "my key", "wallet key",
        "signing key", "|key:", "|key :", "|key=", "|key =", "|key is|", "|keys:", "|keys are|", "clave privada",
        "clé privée", "cle privee", "chiave privata", "privater schlüssel", "秘密鍵", "개인키", "개인 키", "приватн",
        "закрытый ключ", "özel anahtar", "chave privada",
    )
)  # fmt: skip
_SPOKEN_OF_KEYS = Words(
    (
        *_KEY_WORDS.written,
        "导入",
        "導入",
        "导出",
        "導出",
        "|sk|",
        "|pk|",
        "keystore",
        "|import|",
        "|imported|",
        "|importing|",
    )
)
_TRANSACTION_WORDS = Words(
    (
        "|tx|", "txid", "tx id", "txhash", "tx hash", "|txn", "|hash", "哈希", "哈西", "交易", "转账", "转帐",
        "轉賬", "轉帳", "transact",
        "transfer", "提币", "提幣", "提现", "提現", "充值", "充币", "充幣", "到账", "到帐", "到賬", "到帳",
        "deposit", "withdraw",
        "|sent|", "|send|", "pending", "confirm", "打包", "确认", "確認", "区块", "區塊", "block", "explorer",
        "浏览器",
        "瀏覽器", "nonce", "|gas|", "arriv", "receiv", "swap", "bridge", "跨链", "跨鏈", "流水号",
    )
)  # fmt: skip
_DENIED = re.compile(r"(?:\bnot|\bno|isn.?t|不是|并非|非|别|不要|没有|沒有)[^,.;，。；]{0,8}$")
_NEAR = 60
MOST_VALUES = 64
"""A text with more values of a key's length than these is withheld: nobody writes so many to a support desk by hand."""


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


def find(text: str, *, hash_asked_for: bool, previous: str, most: int = MOST_VALUES) -> Found | None:
    """The private key or keystore in *text* (in `plain` form), if there is one.

    *previous* is the message before; a 64-digit value without any context counts as a key that may be a hash. A text
    with more than *most* values of a key's length is withheld unread.
    """
    folded = text.lower()
    if _keystore(folded):
        return _certain(SecretKind.KEYSTORE)
    if _SCHEMES.within(folded) or all(part in folded for part in _PAIRING):
        return _certain(SecretKind.PRIVATE_KEY)
    if len(text) < _SHORTEST or not _DIGIT.search(text):
        return None
    if _byte_array(text) or _broken_over_lines(text):
        return _certain(SecretKind.PRIVATE_KEY)
    values = [(match.start(), match.end(), match[0]) for match in _TOKEN.finditer(text)]
    values += _joined(text)
    values = [each for each in values if len(each[2]) >= _SHORTEST]
    if not values:
        return None
    return _judged(text, values, _Around(folded, previous.lower(), hash_asked_for=hash_asked_for), most)


def _broken_over_lines(text: str) -> bool:
    """Whether a key in base58 runs over line ends; there its checksum is asked for."""
    if "\n" not in text and "\r" not in text:
        return False
    for match in _BROKEN_BASE58.finditer(text):
        lines = _LINE_ENDS.split(match[0])
        for first in range(len(lines) - 1):
            for last in range(first + 2, len(lines) + 1):
                value = "".join(lines[first:last])
                if len(value) in _BASE58_LENGTHS and _mixed(value) and (_checked(value) or _key_pair(value)):
                    return True
    return False


def _checked(value: str) -> bool:
    shaped = any(form.fullmatch(value) for form in (_WIF, _BIP38, _EXTENDED))
    return shaped and base58.decode_check(value) is not None


def in_pieces(before: str, value: str, after: str, *, hash_asked_for: bool, previous: str) -> Found | None:
    """Whether *value*, put together from several messages, is a key, in the light of what stood around its pieces.

    By chance two values often have a key's length together, so its checksum or exactly 64 digits are asked for here.
    """
    if _byte_array(value):
        return _certain(SecretKind.PRIVATE_KEY)
    if not _worth_a_look(value):
        return None
    checked = (
        any(form.fullmatch(value) for form in (_WIF, _BIP38, _EXTENDED)) and base58.decode_check(value) is not None
    )
    if checked or _key_pair(value):
        return _certain(SecretKind.PRIVATE_KEY)
    start, end = len(before) + 1, len(before) + 1 + len(value)
    around = _Around(f"{before} {value} {after}".lower(), previous.lower(), hash_asked_for=hash_asked_for)
    digits = len(_digits(value))
    standing = around.standing(start, end, hexadecimal=bool(digits))
    if standing is Standing.KEY and (not digits or 60 <= digits <= 68):
        return _certain(SecretKind.PRIVATE_KEY)
    if standing is Standing.UNCLEAR and digits == 64:
        return Found(Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY, perhaps_a_hash=True), not around.key_before)
    return None


def public(text: str) -> list[tuple[int, int, str]]:
    """Where extended public keys stand in *text*. Whoever sees one sees every address and payment of the account, yet
    nobody can spend with it: it is masked without an alarm.
    """
    return (
        [(found.start(), found.end(), "extended_public_key") for found in _PUBLIC.finditer(text)]
        if "pub" in text
        else []
    )


def _keystore(folded: str) -> bool:
    if sum(word in folded for word in _KEYSTORE) >= 2 or ("ciphertext" in folded and '"crypto"' in folded):
        return True
    return "{" in folded and any(all(word in folded for word in words) for words in _VAULTS)


def _judged(text: str, values: list[tuple[int, int, str]], around: "_Around", most: int) -> Found | None:
    unclear: Found | None = None
    judged = 0
    for start, end, value in values:
        if not _worth_a_look(value) or _PUBLIC.fullmatch(value) or _shown_by_explorer(text, start, end):
            continue
        judged += 1
        if judged > most:
            return Found(Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY))
        if _structural(value):
            return _certain(SecretKind.PRIVATE_KEY)
        digits = len(_digits(value))
        standing = around.standing(start, end, hexadecimal=bool(digits))
        if standing is Standing.KEY:
            return _certain(SecretKind.PRIVATE_KEY)
        if standing is Standing.UNCLEAR and 60 <= digits <= 68:
            secret = Secret(SecretKind.PRIVATE_KEY, Certainty.LIKELY, perhaps_a_hash=True)
            unclear = Found(secret, needs_context=not around.key_before)
    return unclear


def _certain(kind: SecretKind) -> Found:
    return Found(Secret(kind, Certainty.CERTAIN))


def _joined(text: str) -> list[tuple[int, int, str]]:
    """Hexadecimal values that were broken over lines or written in groups, put together."""
    found: list[tuple[int, int, str]] = []
    for match in _BROKEN_HEX.finditer(text):
        if match.end() - match.start() < 60:
            continue
        value = _SEPARATORS.sub("", match[0])
        if 60 <= len(_digits(value)) <= 68 or len(_digits(value)) == 2 * ed25519.PAIR:
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
    return _key_pair(value)


def _key_pair(value: str) -> bool:
    """Whether *value*, in hexadecimal or base58, is a Solana key pair and no signature."""
    digits = _digits(value)
    if len(digits) == 2 * ed25519.PAIR:
        return ed25519.is_key_pair(bytes.fromhex(digits))
    pair = 80 <= len(value) <= 90 and not base58.foreign_letters(value)
    return pair and ed25519.is_key_pair(base58.decode(value))


def _digits(value: str) -> str:
    """The hexadecimal digits of *value* without `0x`; nothing where it is not hexadecimal, or a number in tens."""
    found = _HEX.fullmatch(value)
    return found[1] if found and len(_LETTER.findall(found[1])) >= 3 else ""


def _mixed(value: str) -> bool:
    return value not in (value.lower(), value.upper()) and bool(_DIGIT.search(value))


def _worth_a_look(value: str) -> bool:
    """Long enough to be a key, whole or with a few characters missing; addresses are shorter or have their own form."""
    digits = len(_digits(value))
    if digits:
        return 56 <= digits <= 72 or 120 <= digits <= 136
    return 43 <= len(value) <= 120 and _mixed(value)


def _shown_by_explorer(text: str, start: int, end: int) -> bool:
    """Whether the value is what an explorer's link shows: then it is public."""
    written = text[max(0, start - 400) : end].rsplit(maxsplit=1)[-1]
    link = explorers.LINK.search(written) if "/" in written else None
    shown = explorers.shown(link[1], link[2]) if link else None
    return shown is not None and text[start:end] in (shown.transaction, shown.address, shown.token)


class _Around:
    """What is said around the values of one message."""

    def __init__(self, folded: str, previous: str, *, hash_asked_for: bool) -> None:
        self._text = folded
        self._key = _KEY_WORDS.places(folded)
        self._spoken_of_keys = _SPOKEN_OF_KEYS.places(folded)
        self._transaction = _TRANSACTION_WORDS.places(folded)
        self.key_before = bool(previous) and _SPOKEN_OF_KEYS.within(previous)
        self._hash_before = bool(previous) and _TRANSACTION_WORDS.within(previous)
        self._hash_asked_for = hash_asked_for

    def standing(self, start: int, end: int, *, hexadecimal: bool) -> Standing:
        """Key or hash, by the nearer word; a label before the value counts more than one behind it."""
        key = self._distance(self._spoken_of_keys if hexadecimal else self._key, start, end)
        transaction = self._distance(self._transaction, start, end)
        if key is not None and (transaction is None or key <= transaction):
            return Standing.KEY
        if transaction is not None:
            return Standing.HASH
        if self.key_before:
            return Standing.UNCLEAR if self._hash_before or not hexadecimal else Standing.KEY
        return Standing.HASH if self._hash_asked_for or self._hash_before else Standing.UNCLEAR

    def _distance(self, places: list[tuple[int, int]], start: int, end: int) -> int | None:
        """How far the nearest of *places* is from the value, in characters; None beyond sixty or where denied."""
        at = bisect_left(places, (start, start))
        nearest: int | None = None
        for begin, stop in reversed(places[max(0, at - _NEAR) : at]):
            if start - stop > _NEAR:
                break
            if not self._denied(begin):
                nearest = max(0, start - stop)
                break
        for begin, _ in places[at : at + _NEAR]:
            if begin - end > _NEAR:
                break
            if begin >= end and not self._denied(begin):
                behind = 2 * (begin - end) + 10
                return behind if nearest is None else min(nearest, behind)
        return nearest

    def _denied(self, begin: int) -> bool:
        return bool(_DENIED.search(self._text, max(0, begin - 14), begin))
