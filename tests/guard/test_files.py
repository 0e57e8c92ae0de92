"""Files are judged by what they are and hold, whatever their sender calls them."""

import io
import json
import random
import time
import unicodedata
import zipfile
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from imconnect.domain.readings import Certainty, SecretKind
from imconnect.guard import FileVerdict, Guard, inspection, keys
from imconnect.guard.files import MOST_TEXT

PHRASE = "shallow verb kid cactus object tiger lunar canvas fossil rhythm vivid prize"
CHINESE = Mnemonic("chinese_simplified").to_mnemonic(random.Random(4).randbytes(16))
RAW = random.Random(5).randbytes(64)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + RAW
PNG = b"\x89PNG\r\n\x1a\n" + RAW
KEYSTORE = b'{"version":3,"crypto":{"ciphertext":"aa","kdf":"scrypt","kdfparams":{},"mac":"bb"}}'
GETH = "UTC--2016-03-22T12-57-55.920751759Z--7ef5a6135f1fd6a02593eedc869c6d41d934aef8"


def zipped(name: str, content: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, content)
    return held.getvalue()


def mail(text: str, encoding: str = "base64", attached: tuple[str, bytes] | None = None) -> bytes:
    message = EmailMessage()
    message["From"] = "li@mail.example"
    message["Subject"] = "wallet"
    message.set_content(text, cte=encoding)
    if attached:
        message.add_attachment(attached[1], "application", "octet-stream", filename=attached[0])
    return message.as_bytes()


def forwarded(inner: bytes, times: int) -> bytes:
    for _ in range(times):
        inner = mail("see the mail attached", attached=("mail.eml", inner))
    return inner


HELD = {
    "a phrase": ("notes.txt", "text/plain", PHRASE.encode(), SecretKind.RECOVERY_PHRASE),
    "a phrase called a picture": ("cat.png", "image/png", PHRASE.encode(), SecretKind.RECOVERY_PHRASE),
    "a phrase in UTF-16": ("a.txt", "text/plain", PHRASE.encode("utf-16"), SecretKind.RECOVERY_PHRASE),
    "a phrase in UTF-16 without a mark": (
        "a.txt",
        "text/plain",
        PHRASE.encode("utf-16-be"),
        SecretKind.RECOVERY_PHRASE,
    ),
    "a Chinese phrase in GBK": ("a.txt", "text/plain", CHINESE.encode("gbk"), SecretKind.RECOVERY_PHRASE),
    "a phrase in a table of HTML": (
        "page.html",
        "text/html",
        f"<table>{''.join(f'<tr><td class=w>{word}</td></tr>' for word in PHRASE.split())}</table>".encode(),
        SecretKind.RECOVERY_PHRASE,
    ),
    "a phrase in JSON": ("b.json", "application/json", json.dumps({"m": PHRASE}).encode(), SecretKind.RECOVERY_PHRASE),
    "a phrase in CSV": ("c.csv", "text/csv", "\n".join(PHRASE.split()).encode(), SecretKind.RECOVERY_PHRASE),
    "a phrase in a mail": ("m.eml", "message/rfc822", mail(PHRASE), SecretKind.RECOVERY_PHRASE),
    "a phrase attached to a mail": (
        "m.eml",
        "",
        mail("see", attached=("x.bin", PHRASE.encode("utf-16"))),
        SecretKind.RECOVERY_PHRASE,
    ),
    "a phrase in a forwarded mail": ("m.eml", "", forwarded(mail(PHRASE), 2), SecretKind.RECOVERY_PHRASE),
    "a picture of a phrase in a mail": (
        "m.eml",
        "",
        mail("see", attached=("助记词.jpg", JPEG)),
        SecretKind.RECOVERY_PHRASE,
    ),
    "a few words in a file named for them": (
        "seed.txt",
        "",
        b"cactus tiger lunar object rhythm",
        SecretKind.RECOVERY_PHRASE,
    ),
    "a keystore": ("backup.json", "application/json", KEYSTORE, SecretKind.KEYSTORE),
    "a browser wallet's vault": ("v.json", "", b'{"data":"aGVs","iv":"eA","salt":"eQ"}', SecretKind.KEYSTORE),
    "PEM": ("k.pem", "", b"-----BEGIN PRIVATE KEY-----\nMC4CAQ\n", SecretKind.PRIVATE_KEY),
    "64 digits in a file named for a key": ("私钥.txt", "text/plain", RAW[:32].hex().encode(), SecretKind.PRIVATE_KEY),
    "64 digits": ("a.txt", "text/plain", RAW[:32].hex().encode(), SecretKind.PRIVATE_KEY),
    "exported passwords": (
        "p.csv",
        "text/csv",
        b"name,url,username,password\nx,https://x.io,li,hunter\n",
        SecretKind.PASSWORD,
    ),
    "a password in a file named for it": ("密码.txt", "text/plain", b"abc12345\n", SecretKind.PASSWORD),
    "a keystore by its name": (GETH, "", b"\0\1\2" + RAW, SecretKind.KEYSTORE),
    "a keystore by its name, with other content": (f"{GETH}.json", "", b"{}", SecretKind.KEYSTORE),
    "a picture named for a phrase": ("助记词.jpg", "image/jpeg", JPEG, SecretKind.RECOVERY_PHRASE),
    "a picture named mnemonic-1": ("mnemonic-1.png", "image/png", PNG, SecretKind.RECOVERY_PHRASE),
    "a wallet file": ("wallet.dat", "", b"\0\1\2" + RAW, SecretKind.KEYSTORE),
    "an archive named for a phrase": ("seed.zip", "application/zip", zipped("a", "b"), SecretKind.RECOVERY_PHRASE),
}


@pytest.mark.parametrize("case", HELD)
def test_a_file_that_holds_a_secret_is_withheld(guard: Guard, case: str) -> None:
    """S-09: keystores and phrases in attachments of every kind; S-12: file names."""
    name, claimed, content, kind = HELD[case]
    verdict = guard.inspect_file(name, claimed, content)

    assert (verdict.secret and verdict.secret.kind, verdict.withheld) == (kind, True)


PASSED = {
    "a screenshot": ("screen.jpg", "image/jpeg", JPEG, "image/jpeg"),
    "a screenshot of an error": ("密码错误.png", "image/png", PNG, "image/png"),
    "a picture that claims to be text": ("a", "image/png", PNG, "image/png"),
    "an archive": ("logs.zip", "application/zip", zipped("seed.txt", PHRASE), "application/zip"),
    "a letter": ("note.txt", "text/plain", "我的钱包打不开了，请帮我看看。".encode("gbk"), "text/plain"),
    "Russian of old": ("note.txt", "text/plain", "Здравствуйте, у меня пропал кошелек".encode("cp1251"), "text/plain"),
    "Korean of old": (
        "note.txt",
        "",
        "안녕하세요 지갑이 열리지 않습니다 도와주세요 감사합니다".encode("cp949"),
        "text/plain",
    ),
    "Japanese of old": ("note.txt", "", "送金がまだ届いていません。確認をお願いします。".encode("cp932"), "text/plain"),
    "French of old": (
        "note.txt",
        "",
        "Le transfert n'est pas arrivé, où est-il passé ?".encode("cp1252"),
        "text/plain",
    ),
    "traditional of old": ("note.txt", "", "請問我的錢包打不開了怎麼辦，謝謝您的幫忙".encode("big5"), "text/plain"),
    "a log": ("app.log", "text/plain", b"2026-11-20 10:00:00 INFO swap failed code 4001\n" * 999, "text/plain"),
    "a page": ("p.html", "text/plain", b"<html><body><p>swap failed</p></body></html>", "text/html"),
    "a mail": ("m.eml", "text/plain", mail("my wallet does not start"), "message/rfc822"),
    "a hash": ("hash.txt", "text/plain", b"tx hash " + RAW[:32].hex().encode(), "text/plain"),
    "a history of transactions": (
        "export.csv",
        "text/csv",
        b"Txhash,Blockno,Value\n" + b"".join(b"0x%064x,%d,1\n" % (n * 7**70 % 2**255, n) for n in range(1, 300)),
        "text/plain",
    ),
    "nothing": ("empty.txt", "text/plain", b"", "text/plain"),
}


@pytest.mark.parametrize("case", PASSED)
def test_a_file_without_a_secret_passes_under_its_real_type(guard: Guard, case: str) -> None:
    """S-10: a picture is known by its content and not read; only its name counts."""
    name, claimed, content, kind = PASSED[case]

    assert guard.inspect_file(name, claimed, content) == FileVerdict(kind, None)


@pytest.mark.parametrize(
    ("name", "claimed", "content"),
    [
        ("big.txt", "application/octet-stream", b"hello " * (MOST_TEXT // 6 + 1)),
        ("noise.txt", "", RAW * 40),
        ("noise", "text/plain", RAW * 40),
        ("deep.eml", "", forwarded(mail("hello"), 6)),
    ],
    ids=["too long", "called a text", "said to be a text", "too many mails in mails"],
)
def test_text_that_is_not_read_is_withheld(guard: Guard, name: str, claimed: str, content: bytes) -> None:
    verdict = guard.inspect_file(name, claimed, content)

    assert (verdict.unread, verdict.withheld) == (True, True)


def test_all_of_a_long_text_is_read(guard: Guard) -> None:
    filling = "the transfer has not arrived yet. " * 30_000

    assert all(
        guard.inspect_file("a.txt", "", f"{filling[:at]}\n{PHRASE}\n{filling[at:]}".encode()).secret
        for at in (0, 131_072 - 37, 131_072, 262_144 - 37, 600_000, len(filling))
    )


def test_a_fault_inside_withholds_the_file(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a private word")

    monkeypatch.setattr(keys, "find", broken)
    verdict = guard.inspect_file("a.txt", "text/plain", b"a private word")

    assert (verdict.withheld, verdict.secret and verdict.secret.certainty) == (True, Certainty.LIKELY)


@pytest.mark.parametrize("language", ["russian", "japanese", "korean", "spanish", "czech", "chinese_traditional"])
def test_phrases_in_the_encodings_of_old_are_found(guard: Guard, language: str) -> None:
    encoding = {
        "russian": "koi8-r", "japanese": "cp932", "korean": "cp949", "spanish": "cp1252", "czech": "cp1250",
        "chinese_traditional": "big5",
    }[language]  # fmt: skip
    dice = random.Random(12)
    phrases = [Mnemonic(language).to_mnemonic(dice.randbytes(16)) for _ in range(40)]
    written = [unicodedata.normalize("NFC", phrase).replace("\u3000", " ") for phrase in phrases]
    read = [guard.inspect_file("a.txt", "", text.encode(encoding, "ignore")).secret for text in written]

    assert sum(secret is not None for secret in read) >= 38


@given(
    st.binary(max_size=400), st.text(max_size=20), st.sampled_from(["", "text/plain", "image/png", "message/rfc822"])
)
def test_any_file_may_be_judged(content: bytes, name: str, claimed: str) -> None:
    verdict = GUARD.examine_file(name, claimed, content)

    assert verdict.media_type.count("/") == 1


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_a_file_is_withheld_wherever_its_text_would_be(text: str, encoding: str) -> None:
    withheld = GUARD.inspect(text).secret is not None

    assert GUARD.inspect_file("a", "", text.encode(encoding, "replace")).withheld or not withheld


@pytest.mark.parametrize(
    "content",
    [
        b"<" * MOST_TEXT,
        b"<a " * (MOST_TEXT // 3),
        b"&amp;" * (MOST_TEXT // 5),
        b"From: a\nTo: b\n" * (MOST_TEXT // 14),
        b"MIME-Version: 1.0\nFrom: a\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * (MOST_TEXT // 6),
        b"a,b;" * (MOST_TEXT // 4),
        RAW.hex().encode() * (MOST_TEXT // 128),
        b"\xb0\xa1" * (MOST_TEXT // 2),
        b"MIME-Version: 1.0\nFrom: a\n\n" + b"A" * (MOST_TEXT - 40),
    ],
    ids=range(9),
)
def test_files_made_to_be_slow_are_judged_in_seconds(guard: Guard, content: bytes) -> None:
    begun = time.thread_time()
    guard.inspect_file("a", "", content)

    assert time.thread_time() - begun < 5


GUARD = inspection.Guard()
