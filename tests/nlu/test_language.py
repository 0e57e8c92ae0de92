import pytest

from imconnect.domain.messages import Language, Script
from imconnect.nlu.language import language_of

ZH, EN = Language.CHINESE, Language.ENGLISH


@pytest.mark.parametrize(
    ("text", "language", "script"),
    [
        ("我的钱没到账", ZH, Script.SIMPLIFIED),
        ("我的錢沒到帳", ZH, Script.TRADITIONAL),
        ("點解我嘅USDT冇到", ZH, Script.TRADITIONAL),
        ("我啲USDT俾人轉走晒", ZH, Script.TRADITIONAL),
        ("唔該", ZH, Script.TRADITIONAL),
        ("你好", ZH, None),
        ("my coins did not arrive", EN, None),
        ("withdraw", EN, None),
        ("我的 withdraw 一直 pending 怎么办", ZH, Script.SIMPLIFIED),
        ("USDT 转错链了 help", ZH, Script.SIMPLIFIED),
        ("how do I get to 设置 in the app", EN, None),
        ("IM钱包", ZH, Script.SIMPLIFIED),
        ("no recibí mi dinero", EN, None),
        ("где мои деньги", EN, None),
        ("送金できません", EN, None),
    ],
)
def test_a_message_has_the_language_of_its_function_words(text: str, language: Language, script: Script | None) -> None:
    assert language_of(text) == (language, script)


@pytest.mark.parametrize(
    "text",
    ["", "0x" + "ab" * 32, "😭😭", "123.45", "USDT", "https://etherscan.io/tx/0xabc", "me@example.org", "?", "TRC20"],
)
def test_what_is_no_sentence_has_no_language(text: str) -> None:
    assert language_of(text) == (None, None)
