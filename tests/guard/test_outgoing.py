"""Agents may warn of secrets and may not ask for them."""

import pytest

from imconnect.guard import Guard
from imconnect.guard.outgoing import OBJECTIONS, links_to_confirm, objection, refused_links

REQUESTS = (
    ("请把助记词发给我", "asks_for_phrase"),
    ("麻烦提供一下您的私钥", "asks_for_key"),
    ("请告诉我短信验证码", "asks_for_code"),
    ("您的登录密码是多少？", "asks_for_password"),
    ("Please send me your recovery phrase so I can check.", "asks_for_phrase"),
    ("What is your private key?", "asks_for_key"),
    ("We need your 12 words to restore the wallet", "asks_for_phrase"),
    ("Could you share the 2FA code you received?", "asks_for_code"),
    ("请下载AnyDesk，我来远程协助您", "asks_for_remote_control"),
    ("install TeamViewer and give me the ID", "asks_for_remote_control"),
    ("别担心，把助记词发过来我帮您恢复", "asks_for_phrase"),
    ("Don't worry, just tell me your password", "asks_for_password"),
    ("为了核实身份，需要您提供私钥", "asks_for_key"),
    ("方便截图一下助记词吗", "asks_for_phrase"),
    ("请问验证码是多少", "asks_for_code"),
    ("can you paste your keystore here", "asks_for_key"),
    ("Your seed phrase, please send it to us", "asks_for_phrase"),
    ("把收到的验证码告诉我一下", "asks_for_code"),
    ("Let me know the verification code", "asks_for_code"),
    ("please share your screen with me", "asks_for_remote_control"),
    ("请把您的12个单词发到这里", "asks_for_phrase"),
    ("请提供密码", "asks_for_password"),
    ("不能转账的话请提供私钥", "asks_for_key"),
    ("我需要您的助记词", "asks_for_phrase"),
    ("May I have your wallet password?", "asks_for_password"),
    ("reply with the code you received", "asks_for_code"),
    ("我們需要您的驗證碼", "asks_for_code"),
    ("请导出私钥发我", "asks_for_key"),
)
INNOCENT = (
    "请不要把助记词告诉任何人",
    "我们不会向您索要助记词、私钥或验证码。",
    "We will never ask for your recovery phrase.",
    "Never share your private key with anyone.",
    "Did you share your recovery phrase with anyone?",
    "请问您是否曾把助记词发给别人？",
    "在登录页点“忘记密码”，输入注册邮箱，我们会发送验证码到您的邮箱。",
    "请提供交易哈希和收款地址",
    "Tell me your email and I will send a password reset link",
    "请提供您的设备和版本号",
    "Please send the transaction hash and the wallet address.",
    "Restore the wallet in the app with your recovery phrase.",
    "请在新设备的应用内用助记词恢复钱包",
    "If anyone asks for your seed phrase, it is a scam.",
    "任何索要助记词的都是骗子",
    "What does the error code say?",
    "Please send a screenshot of the error (no keys or phrases in it).",
    "请发一张截图，不要包含助记词",
    "Do not install AnyDesk or give anyone remote control",
    "切勿安装远程控制软件",
    "The verification code was sent to your mail; enter it in the app.",
    "验证码已发送到您的邮箱，请查收",
    "您可以在设置里修改密码",
    "Your password reset mail may be in spam. Please check.",
    "我们已收到，请把您的公钥地址发给我",
    "Please tell us when it happened and on which device.",
    "请告诉我们密码重置邮件是否收到",
    "Anyone who has your private key can take the funds. Move them to a new wallet.",
    "如果助记词泄露，请立即把资产转到新钱包",
    "请设置包含字母、数字和符号的新密码",
    "骗子会让您共享屏幕",
    "Thank you! The transfer is confirmed.",
    "We do not need your password",
    "您好，请问有什么可以帮您？",
    "Change your password now and turn on two-factor authentication.",
    "请勿将密码告诉任何人，包括客服",
    "没有人需要你的助记词",
    """It is fake if they
• want a recovery phrase, private key, password or code;
• want to see or control your screen.""",
)


@pytest.mark.parametrize(("text", "reason"), REQUESTS)
def test_a_request_for_a_secret_is_stopped_with_its_reason(guard: Guard, text: str, reason: str) -> None:
    """S-13"""
    assert objection(text, guard) == reason


@pytest.mark.parametrize("text", INNOCENT)
def test_warnings_and_guides_may_go_out(guard: Guard, text: str) -> None:
    assert objection(text, guard) is None


@pytest.mark.parametrize("text", ["abandon " * 11 + "about", "私钥 " + "ab12" * 16, "your password is: hunter2!x"])
def test_a_secret_may_not_be_pasted_back(guard: Guard, text: str) -> None:
    assert objection(text, guard) == "contains_secret"


def test_every_reason_is_one_of_those_told() -> None:
    assert {reason for _, reason in REQUESTS} | {"contains_secret"} == set(OBJECTIONS)


OURS = frozenset({"imwallet.example"})


@pytest.mark.parametrize(
    "link",
    [
        "https://imwa11et.example",
        "https://imwallet.example@evil.tld",
        "http://10.0.0.1/x",
        "https://bit.ly/3x",
        "t.cn/x",
    ],
)
def test_a_link_that_is_not_what_it_seems_may_not_go_out(link: str) -> None:
    """S-14, S-15: look-alikes, a host before the @, numbers and shortened links."""
    assert (len(refused_links(f"see {link} please", OURS)), links_to_confirm(link, OURS)) == (1, ())


def test_a_link_to_others_is_confirmed_and_ours_just_goes() -> None:
    """S-14"""
    text = "https://imwallet.example/help https://etherscan.io/tx/0x1 https://docs.python.org"

    assert (refused_links(text, OURS), [link.host for link in links_to_confirm(text, OURS)]) == (
        (),
        ["docs.python.org"],
    )
