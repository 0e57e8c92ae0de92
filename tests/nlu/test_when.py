"""Words for a moment become that moment, in the zone of whoever asks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.nlu.when import moment, written

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("昨天下午三点", "2026-11-21T15:00:00+08:00"),
        ("昨天下午三点半", "2026-11-21T15:30:00+08:00"),
        ("前天晚上10点20分", "2026-11-20T22:20:00+08:00"),
        ("今天上午9:05", "2026-11-22T09:05:00+08:00"),
        ("十二点", "2026-11-22T12:00:00+08:00"),
        ("3小时前", "2026-11-22T07:30:00+08:00"),
        ("半小时前", "2026-11-22T10:00:00+08:00"),
        ("两天前", "2026-11-20T10:30:00+08:00"),
        ("an hour ago", "2026-11-22T09:30:00+08:00"),
        ("3 hours ago", "2026-11-22T07:30:00+08:00"),
        ("yesterday at 3 pm", "2026-11-21T15:00:00+08:00"),
        ("2026-11-20 09:15", "2026-11-20T09:15:00+08:00"),
        ("２０２６年１１月２０日", "2026-11-20T00:00:00+08:00"),
        ("12月1日", "2025-12-01T00:00:00+08:00"),
        ("Nov 20th", "2026-11-20T00:00:00+08:00"),
        ("2026-11-20 09:15 UTC", "2026-11-20T09:15:00+00:00"),
        ("2026-11-20 09:15 utc-5", "2026-11-20T09:15:00-05:00"),
        ("昨天 09:15 北京时间", "2026-11-21T09:15:00+08:00"),
        ("刚才", "2026-11-22T10:30:00+08:00"),
        ("昨晚一点", "2026-11-22T01:00:00+08:00"),
        ("昨天晚上12点", "2026-11-22T00:00:00+08:00"),
        ("今天凌晨12点半", "2026-11-22T00:30:00+08:00"),
        ("中午一点", "2026-11-22T13:00:00+08:00"),
        ("半夜两点", "2026-11-22T02:00:00+08:00"),
        ("上周三", "2026-11-11T00:00:00+08:00"),
        ("星期五下午4点", "2026-11-20T16:00:00+08:00"),
        ("last Friday", "2026-11-20T00:00:00+08:00"),
        ("on Sunday at 9 am", "2026-11-22T09:00:00+08:00"),
        ("20th of November", "2026-11-20T00:00:00+08:00"),
        ("11/20", "2026-11-20T00:00:00+08:00"),
        ("20/11", "2026-11-20T00:00:00+08:00"),
        ("昨天 09:15 纽约时间", "2026-11-20T09:15:00-05:00"),
        ("yesterday 3 pm est", "2026-11-20T15:00:00-05:00"),
        ("2026-07-01 09:15 London time", "2026-07-01T09:15:00+01:00"),
        ("2026-11-20 09:15 UTC+5:30", "2026-11-20T09:15:00+05:30"),
        ("昨天 09:15 东八区", "2026-11-21T09:15:00+08:00"),
    ],
)
def test_words_become_the_moment_they_mean(words: str, meant: str) -> None:
    assert moment(words, NOW) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("words", ["", "soon", "13月40日", "25:00", "上次", "5/6", "2月30日", "一三点", "十十点"])
def test_words_that_name_no_moment_give_none(words: str) -> None:
    assert moment(words, NOW) is None


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("昨天下午三点", "2026-11-21 15:00+08:00"),
        ("前天", "2026-11-20"),
        ("3小时前", "2026-11-22 07:30+08:00"),
        ("两天前", "2026-11-20"),
        ("上次", None),
    ],
)
def test_a_moment_is_written_as_exactly_as_it_was_said(words: str, read: str | None) -> None:
    assert written(words, NOW) == read


@given(st.text(max_size=60))
def test_any_words_may_be_asked_about(words: str) -> None:
    assert moment(words, NOW.astimezone(UTC)) is None or words
