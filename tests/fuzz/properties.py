"""What must hold of any text and any file: asked by hypothesis on every run, and by coverage-guided fuzzing."""

from contextlib import suppress
from datetime import datetime

from imconnect.domain.readings import SecretKind
from imconnect.guard import Guard, Tail
from imconnect.guard.links import BlockList, BlockListUnreadable, inspect_links, skeleton
from imconnect.guard.outgoing import OBJECTIONS, objection
from imconnect.nlu.details import PROBLEMS, spot

GUARD = Guard()
HOSTS = frozenset({"imwallet.example"})
BLOCKED = BlockList(frozenset({"blocked.io"}), frozenset({"good.blocked.io"}), frozenset({"opensea.io"}))
DETAILS = (
    "amount",
    "chain",
    "account_email",
    "app_version",
    "order_number",
    "transaction_hash",
    "wallet_address",
    "when",
)
CONTROLS = frozenset(map(chr, (*range(32), 0x7F))) - frozenset("\b\t\n\v\f\r\x1a\x1b")
CLAIMED = ("", "text/plain", "image/png", "message/rfc822", "application/json")
ENCODINGS = ("utf-8", "utf-16", "gb18030", "big5", "cp1251", "utf-16-le")
PIECES = (
    "abandon", "zoo", "cactus", "shallow", "academic", "abbey", "ábaco", "абзац", "あいこくしん", "가격", "的",
    "一", "敲", "抱", " ", "\n", "\r\n> ", "1. ", "word 3:", "第3个词：", "助记词是", "seed phrase:", "私钥",
    "private key ", "my key: ", "交易哈希", "tx hash ", "0x", "ab12" * 16, "ab12" * 8, "5J" + "x7" * 24,
    "KxyZ1" * 10, "xprv", "xpub", "[1,2,", "255,", "]", "密码是", "password: ", "hunter2!", "code 123456",
    "验证码", "482913", "otpauth://", "wc:", "symkey=", "ciphertext", '"crypto"',
    "-----BEGIN PRIVATE KEY-----", "nsec1", "\u200b", "\u0301", "а", "０ｘ", "ＡＢ", "ß", "ı", "'", "\ufdfa",
    "https://", "hxxp://", "www.", "etherscan.io/tx/", "etherscan.io/address/", "imwallet.example", "@",
    "evil.tld", ".", "。com", "xn--", "blocked.io", "rn", "127.0.0.1", "[::1]", "%40", "\\", "/", "#", "?",
    ":8080", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "昨天", "下午", "三点", "半", "3 hours ago", "last friday",
    "at 3 pm", "2026-11-20", "13月40日", "29/2", "utc+5:30", "纽约时间", "三百", "万", "亿", "个", "U", "usdt",
    "$", "1,250.5", "trc20", "erc 20", "订单号", "order #", "A-20931", "li@", "版本 5.3.1", "iphone 15 pro",
    "ios 18.1", "wifi", "From: a\nSubject: b\n", "MIME-Version: 1.0\n",
    "Content-Type: multipart/mixed; boundary=x\n\n--x\n", "Content-Transfer-Encoding: base64\n\n", "<html>",
    "<td>", "</td>", "&#97;", "<!--", "-->", "name,password\n", '{"data":"x","iv":"y","salt":"z"}', "请",
    "发给我", "send me your ", "never ", "anydesk",
)  # fmt: skip


def guard_holds(text: str) -> None:
    """The text is read without a fault, and what is left of it holds nothing more."""
    inspected = GUARD.examine(text)  # `inspect` would hide the fault: it fails closed
    whole = inspected.secret is not None and inspected.secret.kind in (
        SecretKind.RECOVERY_PHRASE,
        SecretKind.PRIVATE_KEY,
        SecretKind.KEYSTORE,
    )
    assert not whole or inspected.text.startswith("["), "a message was not withheld whole"
    left = GUARD.examine(inspected.text)
    assert left.secret is None, "a secret was left"
    tail = Tail(GUARD)
    for place, part in enumerate(text.split("|")):
        known = {str(number) for number in range(place)}
        assert known.issuperset(tail.inspect("fuzz", str(place), part, float(place)).earlier)
    assert objection(text, GUARD) in (None, *OBJECTIONS)


def details_hold(text: str, asked_for: frozenset[str], now: datetime) -> None:
    """Each detail is told once, with a value, and with no problem the pack has no sentence for."""
    spotted = spot(text, asked_for, now)
    names = [each.name for each in spotted]
    assert len(names) == len(set(names)), "a detail was told twice"
    for each in spotted:
        assert each.value.strip(), "a detail without a value"
        assert each.problem is None or each.problem in PROBLEMS.get(each.name, ()), "a problem nobody was told of"
    assert {each.name for each in spot(text, asked_for)} == set(names), "the time changes what is found"


def links_hold(text: str) -> None:
    """Every link has a host in the form DNS knows, told once; any text may be given for a block list."""
    links = inspect_links(text, HOSTS, BLOCKED)
    hosts = [link.host for link in links]
    assert len(hosts) == len(set(hosts)), "a host was told twice"
    assert all(host and host.isascii() and not set(host) & set("@/\\ ") for host in hosts), "no host"
    skeleton(text[:80])
    with suppress(BlockListUnreadable):
        BlockList.parse(text)


def files_hold(name: str, claimed: str, content: bytes) -> None:
    """The file is judged without a fault, and text that would be withheld is withheld in a file too."""
    verdict = GUARD.examine_file(name, claimed, content)
    assert verdict.media_type.count("/") == 1, "no media type"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return
    controls = sum(letter in CONTROLS for letter in text)
    secret = GUARD.examine(text).secret if controls == 0 and not text.startswith("\ufeff") else None
    # In a file that begins with talk of transactions, 64 digits without a word beside them are hashes.
    assert secret is None or secret.perhaps_a_hash or verdict.withheld, "a secret passed in a file"
