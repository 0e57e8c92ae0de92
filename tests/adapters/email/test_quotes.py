"""What a reply adds is told from what it quotes, as each client marks it; in doubt nothing is cut."""

import pytest
from tests.adapters.email.samples import mail, names

from imconnect_email.quotes import MARKER, cut

NEW_TEXT = {
    "reply_gmail_en": "The hash is 0xabc. It is still pending.",
    "reply_gmail_en_html_only": "The hash is 0xabc. It is still pending.",
    "reply_gmail_zh": "哈希是 0xabc，还在等待确认。",
    "reply_gmail_zh_old": "谢谢，已经到账了。",
    "reply_gmail_inline": "ERC-20.\n\n0xabc, sent yesterday.",
    "reply_outlook_en": "I used the TRON network.",
    "reply_outlook_en_classic": "I used the TRON network.",
    "reply_outlook_zh": "我用的是波场网络。",
    "reply_outlook_zh_html_only": "我用的是波场网络。",
    "reply_outlook_mobile": "Still nothing.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>",
    "reply_apple_en": "It arrived, thank you.\n\nSent from my iPhone",
    "reply_apple_mac_en": "It arrived, thank you.",
    "reply_apple_zh": "已经到账，谢谢。\n\n发自我的 iPhone",
    "reply_apple_zh_html_only": "已经到账，谢谢。",
    "reply_qq_zh": "还是没有收到。",
    "reply_qq_html_only": "还是没有收到。",
    "reply_qq_en": "Not yet.",
    "reply_qq_app": "没有。",
    "reply_163_zh": "手机号已经换了，收不到验证码。",
    "reply_163_app": "好的，我试试。",
    "reply_163_html_only": "手机号已经换了。",
    "reply_126_en": "I changed my phone.",
    "reply_foxmail_zh": "已按说明操作，仍然失败。\n\nlaowang@corp.example",
    "reply_foxmail_html_only": "已按说明操作，仍然失败。\n\n--------------------\nlaowang@corp.example",
    "reply_thunderbird_en": "The hash is long, so I put it on the next line and it goes on here.\n0xabc",
    "reply_thunderbird_zh": "好的，哈希是 0xabc。",
    "reply_yahoo": "Nothing arrived so far.",
    "reply_protonmail": "Done.\n\nSent with Proton Mail secure email.",
    "reply_zoho_en": "It is the newest version.\n\nSent using Zoho Mail",
    "reply_zoho_zh": "已经是最新版本。",
    "reply_without_colon": "Since yesterday.",
    "reply_unknown_client_above_marker": "My app version is 5.2.\n\nIM Support schreef in een bericht:",
}


def test_every_reply_there_is_has_its_new_text_here() -> None:
    assert set(names(starting="reply_")) - {"reply_to_elsewhere"} == set(NEW_TEXT)


@pytest.mark.parametrize("name", NEW_TEXT)
def test_only_the_new_text_of_a_reply_is_new(name: str) -> None:
    """E-23: Gmail, Outlook, Apple Mail, QQ, 163 and 126, Foxmail, Thunderbird, Zoho, in Chinese and English."""
    found = mail(name)

    assert found.new_text == NEW_TEXT[name]
    assert len(found.text) > len(found.new_text), "the full text is kept"


@pytest.mark.parametrize("name", ["reply_163_zh", "reply_qq_html_only", "reply_foxmail_html_only", "reply_outlook_zh"])
def test_words_of_our_old_answer_are_not_new(name: str) -> None:
    """E-24: what is matched with questions is the new text, so our own keywords must not be in it."""
    found = mail(name)

    assert "交易哈希" in found.text
    assert "交易哈希" not in found.new_text


def test_a_phrase_the_customer_once_sent_is_in_the_full_text_only() -> None:
    """E-25: the guard still sees the quoted phrase in `text`; what is new does not hold it."""
    found = mail("quote_with_recovery_phrase")

    assert "legal winner thank year" in found.text
    assert found.new_text == "Is it done?"


@pytest.mark.parametrize("name", ["forward_gmail", "pasted_headers", "angle_signs_of_ones_own"])
def test_what_a_customer_shows_us_is_not_cut(name: str) -> None:
    found = mail(name)

    assert found.new_text == found.text


def test_below_our_marker_all_is_ours_whatever_the_client_writes_above_it() -> None:
    found = cut(f"Neu: ja\n\nUnbekannter Kopf\n{MARKER}\n\nold words", reply=False)

    assert found.new == "Neu: ja\n\nUnbekannter Kopf"


def test_our_marker_proves_that_angle_signs_are_a_quote() -> None:
    found = cut(f"> {MARKER}\n>\n> Which network?\n\nTRON\n\n> And the hash?\n\n0xabc", reply=False)

    assert found.new == "TRON\n\n0xabc"


def test_an_answer_below_what_carries_no_signs_is_not_lost() -> None:
    text = f"{MARKER}\n\nWhich network did you use?\n\nTRON"

    assert cut(text, reply=True).new == text


def test_a_reply_of_nothing_but_quoted_lines_adds_nothing() -> None:
    assert cut("On 5 Jan 2026, at 10:00, IM wrote:\n> Hello\n> there", reply=True).new == ""


def test_a_word_that_ends_with_a_colon_is_no_attribution() -> None:
    text = "On 5 Jan 2026 I sent 5 TRX to:\n\n> TXYZ\n\nwhere is it?"

    assert cut(text, reply=True).new == "On 5 Jan 2026 I sent 5 TRX to:\n\nwhere is it?"
    assert cut(text, reply=False).new == text


def test_header_fields_prove_a_quote_only_in_a_reply() -> None:
    text = "fraud?\n\nFrom: A <a@b.example>\nSent: Monday, January 5, 2026\nTo: me\nSubject: x\n\nwords"

    assert cut(text, reply=False).new == text
    assert cut(text, reply=True).new == "fraud?"


@pytest.mark.parametrize(
    "head",
    [
        "Den 24. nov. 2025 kl. 10.00 skrev IM <support@im.example>:",
        "Thu, 26 Jun 2014 14:00:51 +0400 от IM <support@im.example>:",
        "2022年1月1日(金) 9:00 IM <support@im.example>:",
        "On 5 Jan 2026, at 10:00, IM<support@im.example> wrote:",
        "在2026-01-05 10:00:00,IM<support@im.example>写道:",
        "IM <support@im.example> 於 2026年1月5日 週一 上午10:00寫道：",
    ],
)
def test_an_attribution_goes_with_what_it_announces(head: str) -> None:
    assert cut(f"Yes.\n\n{head}\n\n> Is it?", reply=False).new == "Yes."


@pytest.mark.parametrize(
    "block",
    [
        "Date: Thu, 26 Jun 2014 13:53:45 +0400\nSubject: Question\nFrom: support@im.example\nTo: alice@example.com",
        "From: IM\nTo: alice@example.com\nSent: Friday, July 22, 2011 6:20:01 PM\nSubject: Question",
        "寄件者: IM\n寄件日期: 2026年1月5日 上午 10:00\n收件者: Alice\n主旨: Question",
        "*From:* IM\n*Sent:* Monday, January 5, 2026\n*To:* alice@example.com\n*Subject:* Question",
    ],
)
def test_header_fields_part_a_reply_in_whatever_order_they_come(block: str) -> None:
    assert cut(f"Yes.\n\n{block}\n\nIs it?", reply=True).new == "Yes."
