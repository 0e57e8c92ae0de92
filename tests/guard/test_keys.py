"""Keys by their form, hashes by what was said of them, and nothing looked up or shown in doubt."""

import random

import pytest
from nacl.signing import SigningKey

from imconnect.domain.readings import Certainty, SecretKind
from imconnect.formats import base58, bech32
from imconnect.guard import Guard

RAW = random.Random(5).randbytes(32)
HEX = RAW.hex()
PAIR = RAW + bytes(SigningKey(RAW).verify_key)
WIF = base58.encode_check(b"\x80" + RAW)
BASE58_PAIR = base58.encode(PAIR)
PUBLIC = {
    name: base58.encode_check(bytes.fromhex(version) + bytes(9) + RAW + b"\2" + RAW)
    for name, version in {"xpub": "0488b21e", "ypub": "049d7cb2", "zpub": "04b24746", "tpub": "043587cf"}.items()
}
KEYS = {
    "WIF": base58.encode_check(b"\x80" + RAW),
    "WIF, compressed": base58.encode_check(b"\x80" + RAW + b"\1"),
    "WIF with a slip": base58.encode_check(b"\x80" + RAW)[:-1] + "z",
    "BIP38": base58.encode_check(bytes.fromhex("0142c0") + RAW + b"1234"),
    "xprv": base58.encode_check(bytes.fromhex("0488ade4") + bytes(9) + RAW + b"\0" + RAW),
    "Solana pair": base58.encode(PAIR),
    "Solana pair in hexadecimal": PAIR.hex(),
    "Solana pair in numbers": ", ".join(map(str, PAIR)),
    "byte array": str(list(RAW)),
    "PEM": "-----BEGIN PRIVATE KEY-----\nMC4CAQ",
    "otpauth": "otpauth://totp/a?secret=JBSWY3DPEHPK3PXP",
    "WalletConnect": f"wc:{HEX}@2?relay-protocol=irn&symKey={HEX}",
    "suiprivkey": bech32.encode("suiprivkey", bech32.from_bytes(b"\0" + RAW), bech32.Encoding.BECH32),
    "nsec": bech32.encode("nsec", bech32.from_bytes(RAW), bech32.Encoding.BECH32),
    "age": bech32.encode("age-secret-key-", bech32.from_bytes(RAW), bech32.Encoding.BECH32).upper(),
    "a key in groups": "private key: " + " ".join(HEX[n : n + 8] for n in range(0, 64, 8)),
    "a key over two lines": f"私钥 {HEX[:40]}\n{HEX[40:]}",
    "WIF over two lines": "\n".join((WIF[:30], WIF[30:])),
    "a Solana pair over three lines": "\r\n> ".join((BASE58_PAIR[:30], BASE58_PAIR[30:60], BASE58_PAIR[60:])),
    "PGP": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ",
    "a key with a digit missing": f"my private key is {HEX[:-1]}",
}
SAID_TO_BE_A_KEY = (
    "私钥：{}",
    "I sent coins but lost them; private key {}",
    "{} 这是我的私钥",
    "导入 {} 失败",
    "my key: {}",
    "转账没到账，私钥给你 {}",
)
SAID_TO_BE_A_HASH = (
    "交易哈希：{}",
    "我的私钥导入后交易没到账，交易哈希 {}",
    "this is not my private key, it is the hash {}",
    "没有私钥，只有这个 {}，转账用的",
    "https://etherscan.io/tx/{}",
    "https://tronscan.org/#/transaction/{}",
    "my deposit {} has not arrived",
)


@pytest.mark.parametrize("name", KEYS)
def test_a_key_is_withheld_whole(guard: Guard, name: str) -> None:
    """S-06"""
    inspected = guard.inspect(f"看一下 {KEYS[name]} 谢谢")

    assert (inspected.text, inspected.secret is not None) == ("[private_key removed]", True)


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("sentence", ["{}", "my key: {}", "导入 {} 失败，请看看", "wpkh([d34db33f/84h/0h/0h]{}/0/*)"])
def test_an_extended_public_key_is_masked_without_an_alarm(guard: Guard, name: str, sentence: str) -> None:
    """It shows every payment of its owner, so nobody keeps it; it spends nothing, so nobody is alarmed."""
    inspected = guard.inspect(sentence.format(PUBLIC[name]))

    assert (inspected.text, inspected.secret) == (sentence.format("[extended_public_key removed]"), None)


@pytest.mark.parametrize(
    "text",
    [
        '{"data":"aGVsbG8","iv":"eA","salt":"eQ","keyMetadata":{"algorithm":"PBKDF2"}}',
        '{"encoded":"aGVsbG8","encoding":{"content":["pkcs8"],"type":["scrypt","xsalsa20-poly1305"]}}',
        '{"seed_version": 17, "wallet_type": "standard", "keystore": {"type": "bip32"}}',
    ],
)
def test_vaults_of_other_wallets_are_keystores(guard: Guard, text: str) -> None:
    """S-09"""
    assert guard.inspect(text).text == "[keystore removed]"


def test_a_keystore_is_withheld_whole(guard: Guard) -> None:
    """S-09"""
    text = '{"version":3,"crypto":{"ciphertext":"aa","kdf":"scrypt","kdfparams":{},"mac":"bb"}}'

    assert guard.inspect(text).text == "[keystore removed]"


def test_a_signature_is_no_key(guard: Guard) -> None:
    """S-08"""
    signature = base58.encode(random.Random(1).randbytes(64))

    assert guard.inspect(signature).secret is None


@pytest.mark.parametrize("prefix", ["", "0x"])
@pytest.mark.parametrize("sentence", SAID_TO_BE_A_KEY)
def test_64_digits_said_to_be_a_key_are_one(guard: Guard, sentence: str, prefix: str) -> None:
    """S-06"""
    secret = guard.inspect(sentence.format(prefix + HEX)).secret

    assert secret is not None
    assert (secret.certainty, secret.perhaps_a_hash) == (Certainty.CERTAIN, False)


@pytest.mark.parametrize("prefix", ["", "0x"])
@pytest.mark.parametrize("sentence", SAID_TO_BE_A_HASH)
def test_64_digits_said_to_be_a_hash_pass(guard: Guard, sentence: str, prefix: str) -> None:
    text = sentence.format(prefix + HEX)

    assert guard.inspect(text).text == text


@pytest.mark.parametrize("text", [HEX, f"0x{HEX}", f"https://etherscan.io.evil.xyz/x/0x{HEX}"])
def test_64_digits_without_a_word_are_withheld_as_perhaps_a_hash(guard: Guard, text: str) -> None:
    """S-07: kept, looked up and shown nowhere until the customer says what it is."""
    inspected = guard.inspect(text)

    assert inspected.secret is not None
    assert (HEX in inspected.text, inspected.secret.perhaps_a_hash, inspected.needs_context) == (False, True, True)


def test_64_digits_pass_where_a_hash_was_asked_for(guard: Guard) -> None:
    """S-07"""
    assert guard.inspect(HEX, hash_asked_for=True).secret is None


@pytest.mark.parametrize("previous", ["here comes my private key", "我把私钥发给你"])
def test_what_was_said_before_outweighs_our_question(guard: Guard, previous: str) -> None:
    assert guard.inspect(HEX, hash_asked_for=True, previous=previous).secret is not None


@pytest.mark.parametrize(
    "text",
    [
        "收款地址 TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "导入钱包后地址 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV 没有余额",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 和 0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        " ".join(f"{number:02}" for number in range(40)),
        "how do I export my private key?",
        "md5 d41d8cd98f00b204e9800998ecf8427e",
    ],
)
def test_what_is_public_passes(guard: Guard, text: str) -> None:
    assert guard.inspect(text).text == text


def test_our_own_marks_are_no_password(guard: Guard) -> None:
    text = "密码是[extended_public_key removed] 密码是[one_time_code removed]"

    assert guard.inspect(text).text == text


def test_a_word_inside_a_password_does_not_speak_for_a_key(guard: Guard) -> None:
    assert guard.inspect(f"{HEX} 密码是my-transfer-1").text == "[private_key removed]"


@pytest.mark.parametrize(
    ("text", "left", "kind"),
    [
        ("密码是 abc12345，打不开", "密码是 [password removed]，打不开", SecretKind.PASSWORD),
        ("my password: hunter2!", "my password: [password removed]!", SecretKind.PASSWORD),
        ("ｐａｓｓｗｏｒｄ：ｈｕｎｔｅｒ２２", "ｐａｓｓｗｏｒｄ：[password removed]", SecretKind.PASSWORD),
        ("密码是" + "ab12" * 40, "密码是[password removed]", SecretKind.PASSWORD),
        ("验证码 123456", "验证码 [one_time_code removed]", SecretKind.ONE_TIME_CODE),
        ("the code is 482913", "the code is [one_time_code removed]", SecretKind.ONE_TIME_CODE),
        ("123456 是验证码", "[one_time_code removed] 是验证码", SecretKind.ONE_TIME_CODE),
        ("my 2fa is 123 456", "my 2fa is [one_time_code removed]", SecretKind.ONE_TIME_CODE),
    ],
)
def test_of_a_password_or_code_only_the_value_goes(guard: Guard, text: str, left: str, kind: SecretKind) -> None:
    inspected = guard.inspect(text)

    assert (inspected.text, inspected.secret and inspected.secret.kind) == (left, kind)


@pytest.mark.parametrize(
    "text",
    [
        "我忘记密码了",
        "订单号 12345678 验证码收不到",
        "password is wrong",
        "密码是三位数的",
        "error code 404213",
        "the password reset mail did not come",
        "密码错误 3 次",
        "version 5.3.1 code page",
    ],
)
def test_talk_about_passwords_and_codes_stays(guard: Guard, text: str) -> None:
    assert guard.inspect(text).text == text
