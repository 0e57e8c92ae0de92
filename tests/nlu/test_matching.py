import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from imconnect.domain.messages import Language
from imconnect.nlu.calibration import Scored, Stakes
from imconnect.nlu.lexical import NgramMatcher
from imconnect.nlu.matching import PRIOR, Row, settle

FEES = [
    "how much is the fee",
    "why is the fee so high",
    "what does a transfer cost",
    "gas fee too expensive",
    "手续费多少",
    "转账要多少手续费",
]
STOLEN = [
    "my money is gone",
    "someone stole my coins",
    "my wallet was hacked",
    "钱被转走了",
    "我的币被盗了",
    "资产被人偷走",
]
RESET = [
    "forgot my password",
    "reset password please",
    "how to change my password",
    "忘记密码了",
    "怎么重置密码",
    "密码想改一下",
]
ROWS = [Row(t, topic) for topic, texts in (("fees", FEES), ("stolen", STOLEN), ("reset", RESET)) for t in texts]
OFF_TOPIC = ["what is the weather like", "tell me a joke", "今天天气怎么样", "推荐一部电影"]


@pytest.fixture(scope="module", params=[NgramMatcher.fit, NgramMatcher.train])
def matcher(request: pytest.FixtureRequest) -> NgramMatcher:
    learnt: NgramMatcher = request.param(ROWS, OFF_TOPIC, frozenset({"stolen"}))
    return learnt


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_a_phrasing_of_the_pack_finds_its_topic(matcher: NgramMatcher, row: Row) -> None:
    assert matcher.match(row.text).topic == row.topic


@pytest.mark.parametrize("text", ["錢被轉走了!!!", "My money is GONE", "钱 被 转走 了 500u"])
def test_a_phrasing_in_other_clothes_is_still_certain(matcher: NgramMatcher, text: str) -> None:
    match = matcher.match(text)

    assert match.topic == "stolen"
    assert match.candidates[0].probability == 1


def test_a_new_wording_ranks_its_topic_first(matcher: NgramMatcher) -> None:
    assert matcher.rank("the transfer fee costs how much").topic == "fees"
    assert matcher.rank("密码忘了怎么重置").topic == "reset"
    assert matcher.rank("我钱包里的币都被盗走").topic == "stolen"


@pytest.mark.parametrize("text", ["", "???", "0x" + "ab" * 32, "😭", "zzzz qqqq", "what is the weather like"])
def test_what_is_about_nothing_in_the_pack_offers_nothing(matcher: NgramMatcher, text: str) -> None:
    match = matcher.match(text)

    assert match.topic is None
    assert match.candidates == ()
    assert match.in_scope < 0.5


def test_a_text_given_for_two_topics_is_certain_of_neither() -> None:
    matcher = NgramMatcher.fit([*ROWS, Row("help with my coins", "fees"), Row("Help with my coins!", "stolen")])

    assert matcher.match("help with my coins").topic is None


def test_a_topic_with_one_phrasing_is_offered_but_never_answered() -> None:
    matcher = NgramMatcher.fit([*ROWS, Row("ledger nano does not connect", "hardware")])
    match = matcher.match("ledger nano does not connect now")

    assert match.topic is None
    assert match.candidates[0].topic == "hardware"


@pytest.mark.parametrize("learn", [NgramMatcher.fit, NgramMatcher.train])
def test_the_same_rows_in_another_order_give_the_same_match(learn: Callable[..., NgramMatcher]) -> None:
    matcher = learn(ROWS, OFF_TOPIC, frozenset({"stolen"}))
    again = learn(ROWS[::-1], OFF_TOPIC[::-1], frozenset({"stolen"}))

    for text in ("fee?", "coins gone from wallet", "password", "手续费贵"):
        here, there = matcher.match(text), again.match(text)

        assert here.topic == there.topic
        assert here.in_scope == pytest.approx(there.in_scope)


def test_traditional_and_simplified_questions_match_alike(matcher: NgramMatcher) -> None:
    for one, other in (
        ("币被盗了怎么办", "幣被盜了怎麼辦"),
        ("转账手续费太贵", "轉帳手續費太貴"),
        ("密码忘记了", "密碼忘記了"),
    ):
        assert matcher.match(one) == matcher.match(other)


def test_a_likely_call_for_help_is_answered_as_one_though_another_topic_leads() -> None:
    scored = Scored(("late", "stolen", "scam"), (0.6, 0.55, 0.54))
    listening = replace(PRIOR, alarm_cut=0.2)
    stakes = Stakes(urgent=frozenset({"stolen", "scam"}))

    assert settle(scored, listening, Stakes(), frozenset()).topic is None
    assert settle(scored, listening, stakes, frozenset()).topic == "stolen"
    assert settle(scored, listening, stakes, frozenset({"stolen", "scam"})).topic is None


def test_an_empty_pack_matches_nothing() -> None:
    assert NgramMatcher.fit([]).match("my money is gone").topic is None


def test_a_thousand_rows_are_learnt_in_an_instant() -> None:
    topics = [f"topic{number}" for number in range(34)]
    rows = [
        Row(f"{word} {topic} 第{word}个 {number * 7919 % 1009}x", topic, Language.ENGLISH)
        for number in range(30)
        for topic in topics
        for word in [f"w{number}"]
    ]
    started = time.process_time()
    NgramMatcher.fit(rows)

    assert time.process_time() - started < 1.5


def test_a_long_ramble_takes_no_longer_than_a_blink(matcher: NgramMatcher) -> None:
    started = time.process_time()
    matcher.match("my coins are gone and " * 2000)

    assert time.process_time() - started < 1


def test_training_separates_what_the_middle_of_a_topic_cannot() -> None:
    near = [Row(f"card {word} lost", "lost") for word in ("bank", "blue", "my", "old", "gold", "new")]
    far = [Row(f"card {word} late", "late") for word in ("bank", "blue", "my", "old", "gold", "new", "red", "post")]
    muddle = [Row(f"card lost lost late {word}", "late") for word in ("post", "mail", "week")]
    trained = NgramMatcher.train([*near, *far, *muddle])

    assert trained.rank("card lost lost late day").topic == "late"
    assert trained.rank("card lost").topic == "lost"


def test_what_was_trained_is_kept_and_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = NgramMatcher.train(ROWS, OFF_TOPIC, cache=tmp_path)
    monkeypatch.delattr("imconnect.nlu.lexical._Lesson")
    kept = NgramMatcher.train(ROWS, OFF_TOPIC, cache=tmp_path)

    for text in ("fee?", "coins gone from wallet", "忘了密码", "a joke", "钱被转走了"):
        assert kept.match(text) == fresh.match(text)
    with pytest.raises(NameError):
        NgramMatcher.train(ROWS[1:], OFF_TOPIC, cache=tmp_path)


@pytest.mark.parametrize("spoilt", [b"", b"{}\n", b'{"lengths": [9, 9, 9, 9, 9, 9, 9, 9]}\n1234'])
def test_a_spoilt_file_is_replaced_not_believed(tmp_path: Path, spoilt: bytes) -> None:
    NgramMatcher.train(ROWS, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(spoilt)

    assert NgramMatcher.train(ROWS, cache=tmp_path).match("钱被转走了").topic == "stolen"
    assert kept.read_bytes() == whole
