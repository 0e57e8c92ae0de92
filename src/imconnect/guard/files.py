"""Files: text in them is read in whatever encoding it comes; of images and archives only the name is judged."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import EmailMessage
from html import unescape
from itertools import chain
from types import MappingProxyType

from imconnect.domain.readings import Certainty, Secret, SecretKind
from imconnect.formats import media
from imconnect.formats.written import plain
from imconnect.guard.words import Words

MOST_TEXT = 1_048_576
"""Bytes of text that are read of a file, and characters of it once decoded. A larger one is withheld unread."""
MOST_VALUES = 20_000
_BLOCK, _OVERLAP = 131_072, 2_048
_MOST_PARTS, _MOST_BOUNDARIES = 200, 1_000

Judge = Callable[[str, SecretKind | None, bool], Secret | None]
"""What a text holds, given what the file's name promises and whether the text is about transactions."""


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a file is by its content (RFC 6838) and what it holds. `unread`: text that was too long or not decodable."""

    media_type: str
    secret: Secret | None
    unread: bool = False

    @property
    def withheld(self) -> bool:
        """Whether nobody may see the file."""
        return self.secret is not None or self.unread


ANNOUNCED: Mapping[SecretKind | None, str] = MappingProxyType(
    {
        SecretKind.PRIVATE_KEY: "private key:",
        SecretKind.KEYSTORE: "keystore:",
        SecretKind.PASSWORD: "password:",
        SecretKind.ONE_TIME_CODE: "verification code:",
    }
)
"""What the message before would have said, had it said what the name says."""

_GETH = re.compile(r"utc--\d{4}-\d\d-\d\dt[\d.:-]{5,24}z?--[0-9a-f]{6,40}", re.IGNORECASE)
_KEYSTORE_NAME = re.compile(r"key ?store|wallet ?dat|钱包备份|錢包備份|seed\.seco|wallet\.aes", re.IGNORECASE)
_NAMES = (
    (
        SecretKind.RECOVERY_PHRASE,
        Words(
            (
                "|seed|", "|seeds|", "seed phrase", "seedphrase", "mnemonic", "recovery phrase", "recovery words",
                "secret phrase", "backup phrase", "wallet phrase", "12 words", "24 words", "助记", "助記", "恢复词",
                "恢復詞", "恢复短语", "种子短语", "備份詞", "备份词", "注记词", "註記詞",
            )
        ),
    ),
    (
        SecretKind.PRIVATE_KEY,
        Words(("私钥", "私鑰", "秘钥", "密钥", "密鑰", "private key", "privatekey", "priv key", "privkey")),
    ),
    (SecretKind.PASSWORD, Words(("密码", "密碼", "|password|", "|passwords|", "|pwd|"))),
    (SecretKind.ONE_TIME_CODE, Words(("backup codes", "recovery codes", "备用码", "備用碼"))),
)  # fmt: skip
_IN_NAMES = re.compile(r"[_\-.+()\[\]]+")
_TEXT_TYPES = ("text/", "message/", "application/json", "image/svg")
_TEXT_ENDINGS = re.compile(
    r"\.(?:txt|json|csv|tsv|md|log|html?|xml|eml|pem|key|asc|ya?ml|ini|conf|env)$", re.IGNORECASE
)
_TAG = re.compile(r"<!--|-->|</?[a-zA-Z!][^<>]{0,4000}>")
_TRANSACTIONS = Words(("txhash", "tx hash", "txid", "transaction", "交易", "|hash|", "哈希", "区块", "blockno"))
_KEYS = Words(("私钥", "私鑰", "private key", "privatekey", "private_key", "privkey", "secret", "助记", "mnemonic"))
_PASSWORD_COLUMNS = frozenset(
    {"password", "passwd", "pwd", "login_password", "密码", "密碼", "passwort", "mot de passe"}
)


def verdict(judge: Judge, name: str, claimed: str, content: bytes, deepest: int = 4) -> FileVerdict:
    """The verdict on a file called *name*, which its sender *claimed* to be of some media type.

    Mails are read with what is attached to them, *deepest* mails deep; one with more inside is withheld unread.
    """
    kind = media.media_type(content)
    named = promised_by(name)
    texts = media.texts_of(content) if len(content) <= MOST_TEXT else ()
    if not texts:
        said_to_be_text = claimed.lower().startswith(_TEXT_TYPES) or _TEXT_ENDINGS.search(name) is not None
        return FileVerdict(kind, _by_name(name, named), unread=said_to_be_text or kind.startswith(_TEXT_TYPES))
    secret, unread = _by_name(name, None), False
    for shown in chain.from_iterable(map(_as_shown, texts)):
        if secret is None or secret.certainty is not Certainty.CERTAIN:
            secret = _in_text(judge, shown, named) or secret
    if secret is None and media.is_mail(texts[0]):
        secret, unread = _in_mail(judge, texts[0], deepest)
    return FileVerdict(kind, secret, unread)


def promised_by(name: str) -> SecretKind | None:
    """What the *name* of a file says it holds, if nobody may send that: `助记词.txt`, `seed-phrase.jpg`."""
    spoken = " ".join(_IN_NAMES.sub(" ", plain(name).lower()).split())
    if _GETH.search(name) or _KEYSTORE_NAME.search(spoken) or _KEYSTORE_NAME.search(name):
        return SecretKind.KEYSTORE
    return next((kind for kind, words in _NAMES if words.within(spoken)), None)


def _by_name(name: str, named: SecretKind | None) -> Secret | None:
    """What the name alone settles: always a name that geth gives to keystores; another where nothing could be read.

    Pictures of an error are often named after passwords, so that word settles nothing.
    """
    if _GETH.search(name):
        return Secret(SecretKind.KEYSTORE, Certainty.LIKELY)
    return Secret(named, Certainty.LIKELY) if named and named is not SecretKind.PASSWORD else None


def _in_text(judge: Judge, text: str, named: SecretKind | None) -> Secret | None:
    head = text[:2_000].lower()
    about_transactions = _TRANSACTIONS.within(head) and not _KEYS.within(head)
    likely: Secret | None = None
    for start in range(0, max(1, len(text)), _BLOCK):
        found = judge(text[max(0, start - _OVERLAP) : start + _BLOCK], named, about_transactions)
        if found and found.certainty is Certainty.CERTAIN:
            return found
        likely = likely or found
    return likely or (Secret(SecretKind.PASSWORD, Certainty.LIKELY) if _lists_passwords(text) else None)


def _as_shown(text: str) -> Iterator[str]:
    """The text as it stands, and where it has tags, what a browser shows of it."""
    yield text
    if "<" in text and ("</" in text or "/>" in text or media.is_html(text)):
        shown = unescape(_TAG.sub(" ", text))
        if shown != text:
            yield shown


def _in_mail(judge: Judge, text: str, deepest: int) -> tuple[Secret | None, bool]:
    """What the parts of a mail hold, decoded, and whether one was left unread."""
    parts = _parts(text) if deepest else None
    if parts is None:
        return None, True
    unread = False
    for name, claimed, content in parts:
        inside = verdict(judge, name, claimed, content, deepest - 1)
        if inside.secret is not None:
            return inside.secret, False
        unread = unread or inside.unread
    return None, unread


def _parts(text: str) -> list[tuple[str, str, bytes]] | None:
    """The subject and the parts of a mail: name, type and content; None where it has too many or cannot be read."""
    if text.count("\n--") > _MOST_BOUNDARIES:
        return None
    try:
        message = message_from_string(text, _class=EmailMessage, policy=policy.default)
        parts = [("", "", str(message.get("subject", "")).encode("utf-8", "replace"))]
        for part in message.walk():
            content: object = part.get_payload(decode=True)
            if isinstance(content, bytes):
                parts.append((str(part.get_filename("")), part.get_content_type(), content))
    except Exception:  # the standard library raises what it likes at mails that were made to break it
        return None
    return parts if len(parts) <= _MOST_PARTS else None


def _lists_passwords(text: str) -> bool:
    """Whether the text is a table with a column of passwords, as browsers and password managers export them."""
    lines = text.lstrip("\ufeff")[:20_000].splitlines()[:20]
    if len(lines) < 2 or not any(mark in lines[0] for mark in ",;\t"):
        return False
    mark = max(",;\t", key=lines[0].count)
    rows = list(csv.reader(lines, delimiter=mark))
    columns = [place for place, title in enumerate(rows[0]) if title.strip().lower() in _PASSWORD_COLUMNS]
    return any(place < len(row) and row[place].strip() for place in columns for row in rows[1:])
