from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from imconnect.content import PackError, phrasings, read_pack
from imconnect.domain.messages import Language
from imconnect.domain.playbook import Handoff, Priority


def test_a_pack_becomes_a_playbook_in_every_language(pack: Path) -> None:
    playbook = read_pack(pack)
    fees = playbook.topics["fees"]

    assert (playbook.name, playbook.reference_prefix, playbook.menu) == ("Purse", "PU", ("fees", "human"))
    assert (fees.category, fees.priority, fees.handoff) == ("transactions", Priority.LOW, Handoff.NEVER)
    assert (fees.details, fees.guides) == (("chain",), ("human",))
    assert playbook.article("fees", Language.CHINESE).title == "fees zh"
    assert playbook.article("fees", Language.ENGLISH).answer == "Answer fees."
    assert playbook.article("fees", Language.ENGLISH).examples == ("what does it cost",)
    assert playbook.details["chain"].problems[Language.ENGLISH] == {"chain_mismatch": "The two differ."}
    assert playbook.notice("resolved", Language.ENGLISH, reference="PU-1") == "resolved PU-1"
    assert playbook.label("wait_minutes", Language.CHINESE, minutes=3) == "wait_minutes 3"
    assert playbook.smalltalk["greeting"] == {"你好", "hi"}
    assert playbook.off_topic == ("今天天气怎么样", "who won the game")
    assert playbook.official_hosts == {"purse.example"}


def test_hours_and_pace_come_from_the_pack(pack: Path) -> None:
    playbook = read_pack(pack)

    assert (playbook.hours.days, playbook.hours.opens, playbook.hours.closes) == (frozenset({0, 4}), time(9), time(18))
    assert playbook.hours.open_at(datetime(2026, 1, 2, 2, tzinfo=UTC))  # a Friday, ten o'clock in Shanghai
    assert not playbook.hours.open_at(datetime(2026, 1, 3, 2, tzinfo=UTC))
    assert (playbook.pace.remind_after, playbook.pace.notice_gap) == (600, 30)


def test_a_language_the_pack_does_not_speak_is_answered_in_its_default(pack: Path) -> None:
    spoil(pack, "pack.toml", 'languages = ["zh", "en"]', 'languages = ["zh"]')

    playbook = read_pack(pack)

    assert playbook.article("fees", Language.ENGLISH).title == "fees zh"
    assert playbook.notices[Language.ENGLISH] == playbook.notices[Language.CHINESE]


def test_phrasings_know_their_topic_language_and_voice(pack: Path) -> None:
    (pack / "en/topics/fees.txt").write_text("cheap?\n# a remark\n\n# voice: terse\nfee\n", encoding="utf-8")

    found = [(one.text, one.topic, one.language, one.voice, one.line) for one in phrasings(pack)]

    assert ("cheap?", "fees", Language.ENGLISH, "", 1) in found
    assert ("fee", "fees", Language.ENGLISH, "terse", 5) in found
    assert ("今天天气怎么样", None, Language.CHINESE, "plain", 2) in found
    assert len(found) == 11


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(pack: Path) -> None:
    answer = "---\r\ntitle: Fees\r\n---\r\n\r\nFirst.\r\nSecond.\r\n"
    (pack / "en/topics/fees.md").write_bytes(b"\xef\xbb\xbf" + answer.encode())

    assert read_pack(pack).article("fees", Language.ENGLISH).answer == "First.\nSecond."


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("pack.toml", 'name = "Purse"', "name = Purse", "pack.toml:1: this is not TOML"),
        ("pack.toml", 'name = "Purse"', 'nmae = "Purse"', 'pack.toml:1: the key "nmae" is unknown'),
        ("pack.toml", '"PU"', '"pu 1"', 'pack.toml:2: "pu 1" cannot begin a reference'),
        ("pack.toml", '["zh", "en"]', '["zh", "fr"]', 'pack.toml:4: "fr" is not a language we know; use en, zh'),
        ("pack.toml", 'default_language = "zh"', 'default_language = "ja"', 'pack.toml:3: "ja" is not among languages'),
        ("pack.toml", 'menu = ["fees"', 'menu = ["fee"', 'pack.toml:5: there is no topic "fee"'),
        ("pack.toml", "purse.example", "https://purse.example/", "pack.toml:6: "),
        ("pack.toml", 'priority = "low"', 'priority = "lowest"', "pack.toml:10: priority is missing or unknown"),
        ("pack.toml", 'handoff = "never"', 'handoff = "sometimes"', "pack.toml:11: handoff is missing or unknown"),
        ("pack.toml", '["chain"]', '["chian"]', 'pack.toml:12: there is no detail "chian"'),
        ("pack.toml", 'guides = ["human"]', 'guides = ["fee"]', 'pack.toml:13: there is no topic "fee"'),
        ("pack.toml", "[topics.secret-leaked]", "[topics.leak]", 'there is no topic "secret-leaked"'),
        ("pack.toml", "free = false", 'free = "no"', "pack.toml:31: free is neither true nor false"),
        ("pack.toml", '["是", "yes"]', '["是", "Yes"]', 'pack.toml:36: "Yes" would never match'),
        ("pack.toml", '["不", "no"]', '["不", "yes"]', 'pack.toml:37: "yes" is also in yes'),
        ("pack.toml", "Asia/Shanghai", "Asia/Atlantis", 'pack.toml:41: "Asia/Atlantis" is not a time zone'),
        ("pack.toml", '["mon", "fri"]', '["monday"]', 'pack.toml:42: "monday" is not a day'),
        ("pack.toml", '"18:00"', '"08:00"', "pack.toml:44: closes is not after opens"),
        ("pack.toml", '"09:00"', '"nine"', 'pack.toml:43: "nine" is not a time of day'),
        ("pack.toml", "remind_after = 600", "remind_after = -1", "pack.toml:47: this is not a number of seconds"),
        (
            "zh/topics/fees.md",
            "title: fees zh",
            "titel: fees zh",
            "zh/topics/fees.md:1: the front matter has an unknown",
        ),
        ("zh/topics/fees.md", "title: fees zh", "title: fees: zh", "zh/topics/fees.md:2: the front matter is not YAML"),
        ("zh/topics/fees.md", "zh\n---\n", "zh\n", "zh/topics/fees.md:1: the front matter does not end"),
        ("zh/topics/fees.md", "Answer fees.", "", "zh/topics/fees.md: there is no text"),
        (
            "zh/topics/fees.md",
            "Answer",
            "\nAnswer {amount}",
            "zh/topics/fees.md:6: the placeholder {amount} is unknown",
        ),
        (
            "en/notices/resolved.md",
            "{reference}",
            "{place}",
            "en/notices/resolved.md:1: the placeholder {place} is unknown",
        ),
        ("en/labels.toml", "{minutes}", "{hours}", "the placeholder {hours} is unknown; use minutes"),
        ("en/labels.toml", "wait_soon =", "wait_son =", "en/labels.toml:1: the label wait_son is unknown"),
        ("en/labels.toml", "send = ", "# send = ", "en/labels.toml: the label send is missing"),
        ("en/labels.toml", 'send = "send "', "send = 1", "the label send is no text"),
        ("en/details/chain.md", "chain_mismatch", "mismatch", 'the problem "chain_mismatch" has no sentence'),
    ],
)
def test_what_would_leave_the_desk_without_words_stops_the_reading(
    pack: Path, file: str, old: str, new: str, told: str
) -> None:
    spoil(pack, file, old, new)

    with pytest.raises(PackError) as stopped:
        read_pack(pack)

    assert told in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert "; " in str(stopped.value)


@pytest.mark.parametrize(
    "file",
    ["pack.toml", "off-topic.txt", "en/labels.toml", "en/topics/fees.md", "en/notices/busy.md", "en/details/chain.md"],
)
def test_a_missing_an_empty_and_a_wrongly_encoded_file_are_told_apart(pack: Path, file: str) -> None:
    told: list[str] = []
    for spoiled in (b"", b"name\n\xc4\xe3\xba\xc3", None):
        if spoiled is None:
            (pack / file).unlink()
        else:
            (pack / file).write_bytes(spoiled)
        with pytest.raises(PackError) as stopped:
            read_pack(pack)
        told.append(str(stopped.value).partition("; ")[0])

    assert told == [f"{file}: the file is empty", f"{file}:2: this is not UTF-8 text", f"{file}: the file is missing"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="there is no such folder"):
        read_pack(tmp_path / "nowhere")


def spoil(pack: Path, file: str, old: str, new: str) -> None:
    text = (pack / file).read_text(encoding="utf-8")
    assert old in text
    (pack / file).write_text(text.replace(old, new, 1), encoding="utf-8")
