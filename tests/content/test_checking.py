from pathlib import Path

import pytest

from imconnect.content import check_pack
from imconnect.content.checking import asks_for_a_secret, promises


def told(pack: Path) -> list[str]:
    return [str(fault) for fault in check_pack(pack)]


def test_a_sound_pack_has_no_fault(pack: Path) -> None:
    assert told(pack) == []


def test_every_fault_is_told_at_once_in_the_order_of_the_files(pack: Path) -> None:
    (pack / "en/topics/fees.md").write_text("---\ntitle: Fees\n---\n\nSee {x}.\n", encoding="utf-8")
    (pack / "zh/notices/busy.md").unlink()
    (pack / "en/topics/human.txt").write_text("", encoding="utf-8")

    assert [fault.partition(": ")[0] for fault in told(pack)] == [
        "en/topics/fees.md:5",
        "en/topics/human.txt",
        "zh/notices/busy.md",
    ]


@pytest.mark.parametrize("phrasing", ["找真人", "找 真人！", "找真人。"])
def test_a_phrasing_in_two_topics_is_told_with_both_places(pack: Path, phrasing: str) -> None:
    append(pack, "zh/topics/fees.txt", phrasing)
    what = "zh/topics/human.txt:2: the phrasing is also at zh/topics/fees.txt:3"

    assert told(pack) == [f"{what}; keep it where it belongs, or make the two differ in what they say"]


def test_traditional_and_simplified_are_the_same_phrasing(pack: Path) -> None:
    append(pack, "zh/topics/fees.txt", "轉賬要多少錢")

    assert "zh/topics/fees.txt:3: the phrasing is also at zh/topics/fees.txt:2" in told(pack)[0]


def test_a_phrasing_that_is_also_off_topic_is_told(pack: Path) -> None:
    append(pack, "en/topics/fees.txt", "Who won the game?")

    assert "off-topic.txt:3: the phrasing is also at en/topics/fees.txt:3" in told(pack)[0]


def test_a_phrasing_without_words_is_told(pack: Path) -> None:
    append(pack, "en/topics/fees.txt", "???")

    assert "en/topics/fees.txt:3: the phrasing has no words" in told(pack)[0]


def test_a_phrasing_that_small_talk_would_catch_is_told(pack: Path) -> None:
    append(pack, "en/topics/human.txt", "Thanks")

    assert "en/topics/human.txt:3: this is small talk" in told(pack)[0]


def test_a_topic_with_no_phrasing_cannot_be_reached(pack: Path) -> None:
    (pack / "en/topics/fees.txt").write_text("# voice: plain\n", encoding="utf-8")

    assert "en/topics/fees.txt: nobody can reach this topic" in told(pack)[0]


def test_two_topics_with_one_title_are_told(pack: Path) -> None:
    (pack / "en/topics/fees.md").write_text("---\ntitle: Human EN\n---\n\nFees.\n", encoding="utf-8")

    assert "en/topics/human.md:1: the title is also that of fees" in told(pack)[0]


def test_a_title_that_is_a_phrasing_of_another_topic_is_told(pack: Path) -> None:
    (pack / "en/topics/fees.md").write_text("---\ntitle: How long?\n---\n\nFees.\n", encoding="utf-8")

    assert "en/topics/fees.md:1: the title is also the phrasing at en/topics/queue-status.txt:2" in told(pack)[0]


def test_a_file_nothing_uses_is_told(pack: Path) -> None:
    append(pack, "en/topics/fee.md", "A name that was mistyped.")

    assert "en/topics/fee.md: nothing in the pack uses this file" in told(pack)[0]


@pytest.mark.parametrize(
    ("file", "answer", "what"),
    [
        ("en/topics/fees.md", "word " * 121, "the answer has 121 words; shorten it to 120"),
        ("zh/topics/fees.md", "字" * 241, "the answer has 241 characters; shorten it to 240"),
    ],
)
def test_an_answer_nobody_reads_to_the_end_is_told(pack: Path, file: str, answer: str, what: str) -> None:
    (pack / file).write_text(f"---\ntitle: Long\n---\n\n{answer}\n", encoding="utf-8")

    assert told(pack) == [f"{file}:5: {what}"]


@pytest.mark.parametrize(
    "text",
    [
        "Please send us your recovery phrase.",
        "To restore the wallet, share your seed words with the agent",
        "If no mail came, reply with the verification code you got.",
        "Enter your private key here to continue.",
        "请提供您的助记词，我们帮您找回。",
        "如果没有收到，请把密码发给我们。",
        "把驗證碼告訴客服",
        "请在这里输入私钥",
    ],
)
def test_a_sentence_that_asks_for_a_secret_is_told(pack: Path, text: str) -> None:
    append(pack, "en/notices/busy.md", "\n" + text)

    assert "en/notices/busy.md:2: this sentence asks for a secret" in told(pack)[0]


def test_a_list_that_asks_for_a_secret_is_told(pack: Path) -> None:
    append(pack, "en/notices/busy.md", "\n\nPlease send us:\n- your address\n- your seed phrase\n")

    assert "en/notices/busy.md:5: this sentence asks for a secret" in told(pack)[0]


def test_a_label_that_asks_for_a_secret_is_told(pack: Path) -> None:
    labels = (pack / "en/labels.toml").read_text(encoding="utf-8")
    asking = labels.replace('"placeholder "', '"Send your password"')
    (pack / "en/labels.toml").write_text(asking, encoding="utf-8")

    assert "en/labels.toml: the label placeholder asks for a secret" in told(pack)[0]


@pytest.mark.parametrize(
    "text",
    [
        "Never send a recovery phrase, private key, password or code.",
        "Whoever asks you to send the seed is a thief.",
        "Choose a new password with letters and digits.",
        "不要把助记词发给任何人。",
        "在登录页点“忘记密码”，填注册时的邮箱。",
        "助记词怎么发现泄露",
        "Send the explorer link.",
    ],
)
def test_a_warning_or_an_honest_step_asks_for_nothing(text: str) -> None:
    assert not asks_for_a_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "我们一定能追回您的币。",
        "一定能追回",
        "客服会帮您撤回这笔转账。",
        "同事可以凍結對方的地址。",
        "保证赔付。",
        "We will recover your funds.",
        "Our team can freeze the address.",
        "Your transfer will be reversed.",
        "Support guarantees a refund.",
    ],
)
def test_a_promise_nobody_can_keep_is_told(pack: Path, text: str) -> None:
    append(pack, "en/notices/busy.md", "\n" + text)
    what = "en/notices/busy.md:2: this sentence promises what nobody can keep"

    assert told(pack) == [f"{what}; say what can be done, and that nobody can undo a transfer"]


@pytest.mark.parametrize(
    "text",
    [
        "链上转账无法撤回，我们不能保证追回。",
        "私聊说能追回的人都是骗子。",
        "Transfers cannot be reversed and nobody can promise recovery.",
        "We can show you how to revoke an approval.",
        "我们会核实您的身份。",
    ],
)
def test_saying_what_cannot_be_done_is_no_promise(text: str) -> None:
    assert not promises(text)


def append(pack: Path, file: str, line: str) -> None:
    with (pack / file).open("a", encoding="utf-8") as out:
        out.write(line + ("" if line.startswith("\n") else "\n"))
