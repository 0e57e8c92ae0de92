"""The moment that words like "昨天下午三点" or "3 hours ago" speak of."""

import re
from datetime import datetime, timedelta, timezone, tzinfo
from types import MappingProxyType

from imconnect.formats.written import plain

_DIGITS = {digit: place for place, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_NUMBER = r"\d{1,4}|[零一二两三四五六七八九十]{1,3}"
_DAYS_BACK = MappingProxyType(
    {
        "大前天": 3, "前天": 2, "前晚": 2, "昨": 1, "yesterday": 1, "last night": 1, "今": 0, "today": 0, "tonight": 0,
        "this morning": 0, "this afternoon": 0, "this evening": 0, "刚才": 0, "刚刚": 0, "just now": 0,
    }
)  # fmt: skip
_NOW = ("刚才", "刚刚", "just now")
_SPAN = re.compile(
    rf"({_NUMBER}|半|an?|one|two|three|four|five|six|half an)[ ]?(?:个)?(?:a )?"
    r"(天|小时|钟头|分钟|周|星期|days?|hours?|hrs?|minutes?|mins?|weeks?)(?:多)?[ ]?(?:以)?(?:前|ago)"
)
_SPANS = {"天": 1440, "小": 60, "钟": 60, "分": 1, "周": 10_080, "星": 10_080, "d": 1440, "h": 60, "m": 1, "w": 10_080}
_ENGLISH_NUMBERS = {"a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0}
_HALVES = ("半", "half an")
_DATE = re.compile(r"(20\d\d)[ ]?[-/.年][ ]?(\d{1,2})[ ]?[-/.月][ ]?(\d{1,2})")
_MONTH_DAY = re.compile(r"(?<!\d)(\d{1,2})[ ]?月[ ]?(\d{1,2})")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ENGLISH_DATE = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\.? (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (20\d\d))?")
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_O_CLOCK = re.compile(rf"({_NUMBER})点(?:(半)|(一刻)|({_NUMBER})分?)?")
_ENGLISH_HOUR = re.compile(r"(?<![\d:])(\d{1,2})[ ]?(am|pm)\b")
_AFTERNOON = re.compile(r"下午|傍晚|晚|夜里|\bpm\b|\d[ ]?pm\b|\bafternoon|\bevening|\bnight|\btonight")
_OFFSET = re.compile(r"(?:utc|gmt)[ ]?(?:([+-])(\d{1,2}))?")


def moment(words: str, now: datetime) -> datetime | None:
    """The moment *words* name, seen from *now* and in its zone unless they name another; None where they name none.

    To the minute where a time of day is given, else midnight of the day. A date without a year is the last such.
    """
    said = plain(words).lower()
    seen_from = now.astimezone(_zone(said, now))
    try:
        span = _SPAN.search(said)
        if span:
            return seen_from - timedelta(minutes=_count(span[1]) * _SPANS[span[2][0]])
        if any(word in said for word in _NOW):
            return seen_from
        day, time_of_day = _day(said, seen_from), _time_of_day(said)
        if day is None and time_of_day is None:
            return None
        hour, minute = time_of_day or (0, 0)
        return (day or seen_from).replace(hour=hour, minute=minute, second=0, microsecond=0)
    except (ValueError, OverflowError):
        return None  # "13月40日" names no day


def _zone(said: str, now: datetime) -> tzinfo | None:
    offset = _OFFSET.search(said)
    if offset:
        hours = int(offset[2] or 0)
        return timezone(timedelta(hours=-hours if offset[1] == "-" else hours)) if hours <= 14 else None
    return timezone(timedelta(hours=8)) if "北京时间" in said else now.tzinfo


def _count(written: str) -> float:
    if written in _HALVES:
        return 0.5
    return _ENGLISH_NUMBERS.get(written) or _number(written)


def _number(written: str) -> int:
    """`12`, `十二`, `二十` and their like."""
    if written.isdigit():
        return int(written)
    tens, ten, units = written.rpartition("十")
    if not ten:
        return _DIGITS[units]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[units] if units else 0)


def _day(said: str, now: datetime) -> datetime | None:
    date = _DATE.search(said)
    if date:
        return now.replace(year=int(date[1]), month=int(date[2]), day=int(date[3]))
    month_day, english = _MONTH_DAY.search(said), _ENGLISH_DATE.search(said)
    if month_day:
        return _last(now, int(month_day[1]), int(month_day[2]))
    if english:
        month = _MONTHS.index(english[1]) + 1
        day = int(english[2])
        return now.replace(year=int(english[3]), month=month, day=day) if english[3] else _last(now, month, day)
    back = next((days for word, days in _DAYS_BACK.items() if word in said), None)
    return None if back is None else now - timedelta(days=back)


def _last(now: datetime, month: int, day: int) -> datetime:
    this_year = now.replace(month=month, day=day)
    return this_year if this_year.date() <= now.date() else this_year.replace(year=now.year - 1)


def _time_of_day(said: str) -> tuple[int, int] | None:
    clock, o_clock, english = _CLOCK.search(said), _O_CLOCK.search(said), _ENGLISH_HOUR.search(said)
    if clock:
        hour, minute = int(clock[1]), int(clock[2])
    elif o_clock:
        hour = _number(o_clock[1])
        minute = 30 if o_clock[2] else 15 if o_clock[3] else _number(o_clock[4]) if o_clock[4] else 0
    elif english:
        hour, minute = int(english[1]), 0
    else:
        return None
    if hour < 12 and _AFTERNOON.search(said):
        hour += 12
    elif hour == 12 and re.search(r"\d[ ]?am\b", said):
        hour = 0
    return hour, minute
