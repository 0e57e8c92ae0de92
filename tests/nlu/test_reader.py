from zoneinfo import ZoneInfo

import pytest

from imconnect.domain.messages import Language, Script
from imconnect.domain.playbook import Article, Handoff, Hours, Playbook, Priority, Topic
from imconnect.domain.readings import Candidate
from imconnect.nlu.matching import Match
from imconnect.nlu.reader import Reader, cautious_topics, rows_of, urgent_topics

ZH, EN = Language.CHINESE, Language.ENGLISH


def topic(slug: str, priority: Priority, zh: tuple[str, ...], en: tuple[str, ...]) -> Topic:
    articles = {ZH: Article(zh[0], "…", zh[1:]), EN: Article(en[0], "…", en[1:])}
    return Topic(slug, "general", priority, Handoff.IF_UNSOLVED, articles)


def playbook() -> Playbook:
    topics = (
        topic(
            "fees",
            Priority.LOW,
            ("手续费", "转账要多少手续费", "矿工费太贵了"),
            ("Fees", "how much is the fee", "gas is high"),
        ),
        topic(
            "stolen-funds",
            Priority.URGENT,
            ("资产被盗", "钱被转走了", "币没了"),
            ("Stolen", "my money is gone", "hacked"),
        ),
    )
    return Playbook(
        name="test",
        reference_prefix="T",
        topics={one.slug: one for one in topics},
        details={},
        notices={},
        labels={},
        menu=(),
        smalltalk={},
        hours=Hours(ZoneInfo("UTC")),
        off_topic=("what is the weather",),
    )


class OneTopic:
    """A matcher that always finds the same."""

    name = "always fees"

    def match(self, text: str) -> Match:
        return Match("fees", (Candidate("fees", 0.9),), 1.0)

    rank = match


def test_a_reading_says_language_script_and_topic() -> None:
    reading = Reader(playbook()).read("錢被轉走了")

    assert (reading.language, reading.script) == (ZH, Script.TRADITIONAL)
    assert reading.topic == "stolen-funds"
    assert reading.candidates == (Candidate("stolen-funds", 1.0),)


def test_a_reading_holds_the_details_of_the_message() -> None:
    reading = Reader(playbook()).read("fee of 0x" + "5a" * 32)

    assert "transaction_hash" in {spotted.name for spotted in reading.details}


def test_small_talk_about_something_else_has_no_topic() -> None:
    reading = Reader(playbook()).read("what is the weather")

    assert reading.topic is None
    assert reading.candidates == ()


def test_another_matcher_may_be_given() -> None:
    reader = Reader(playbook(), OneTopic())

    assert reader.read("anything").topic == "fees"
    assert reader.matcher == "always fees"


def test_titles_count_as_phrasings_in_every_language() -> None:
    rows = rows_of(playbook())

    assert {(row.text, row.topic, row.language) for row in rows} >= {("Fees", "fees", EN), ("手续费", "fees", ZH)}
    assert len(rows) == 12


def test_urgent_and_high_topics_are_answered_with_more_caution() -> None:
    assert cautious_topics(playbook()) == urgent_topics(playbook()) == {"stolen-funds"}


@pytest.mark.parametrize(
    "text", ["how much is the fee? my money is gone", "手续费多少，另外我的钱被转走了", "矿工费太贵了。币没了"]
)
def test_of_two_concerns_the_urgent_one_is_served_and_the_other_kept(text: str) -> None:
    reading = Reader(playbook()).read(text)

    assert reading.topic == "stolen-funds"
    assert "fees" in {candidate.topic for candidate in reading.candidates}
