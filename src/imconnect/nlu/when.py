"""The moment that words like "昨天下午三点" or "3 hours ago" speak of."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

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
_SLASHED = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?![\d/])")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ENGLISH_DATE = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (20\d\d))?")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({'|'.join(_MONTHS)})[a-z]*\.?(?:,? (20\d\d))?")
_WEEKDAY = re.compile(r"(上个?|这|本)?(?:周|星期|礼拜)([一二三四五六日天])")
_ENGLISH_WEEKDAY = re.compile(r"\b(last )?(mon|tues|wednes|thurs|fri|satur|sun)day")
_WEEK = {day: place for place, day in enumerate("一二三四五六日")} | {"天": 6}
_ENGLISH_WEEK = ["mon", "tues", "wednes", "thurs", "fri", "satur", "sun"]
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_O_CLOCK = re.compile(rf"({_NUMBER})点(?:(半)|(一刻)|({_NUMBER})分?)?")
_ENGLISH_HOUR = re.compile(r"(?<![\d:])(\d{1,2})[ ]?(am|pm)\b")
_AFTERNOON = re.compile(r"下午|傍晚|\d[ ]?pm\b|\bafternoon|\bevening")
_NIGHT = re.compile(r"晚|夜里|\bnight|\btonight")
_NOON = re.compile(r"中午")
_BEFORE_DAWN = re.compile(r"凌晨|半夜|\d[ ]?am\b")
_OFFSET = re.compile(r"(?:utc|gmt)(?:[ ]?([+-])[ ]?(\d{1,2})(?::?([03]0|45))?)?(?![a-z])")
_SHORT = r"(?<=[\dm点分半])[ ]?"  # short names count after an hour only: "est" and "ist" are words elsewhere
_PLACES = (
    (re.compile(r"(?:北京|上海|中国)时间|东八区|china (?:standard )?time|beijing time"), "Asia/Shanghai"),
    (re.compile(rf"香港时间|hong ?kong time|{_SHORT}hkt\b"), "Asia/Hong_Kong"),
    (re.compile(r"(?:台北|台湾)时间|taipei time"), "Asia/Taipei"),
    (re.compile(rf"新加坡时间|singapore time|{_SHORT}sgt\b"), "Asia/Singapore"),
    (re.compile(rf"(?:东京|日本)时间|(?:tokyo|japan) time|{_SHORT}jst\b"), "Asia/Tokyo"),
    (re.compile(rf"(?:首尔|韩国)时间|(?:seoul|korea) time|{_SHORT}kst\b"), "Asia/Seoul"),
    (re.compile(rf"印度时间|india time|{_SHORT}ist\b"), "Asia/Kolkata"),
    (re.compile(r"迪拜时间|dubai time"), "Asia/Dubai"),
    (re.compile(rf"(?:伦敦|英国)时间|(?:london|uk) time|{_SHORT}bst\b"), "Europe/London"),
    (re.compile(rf"{_SHORT}ces?t\b|(?:berlin|paris|central european) time"), "Europe/Paris"),
    (re.compile(rf"(?:纽约|美东|美国东部)时间|(?:new york|eastern) time|{_SHORT}e[sd]t\b"), "America/New_York"),
    (re.compile(rf"(?:洛杉矶|美西|美国西部)时间|(?:los angeles|pacific) time|{_SHORT}p[sd]t\b"), "America/Los_Angeles"),
    (re.compile(rf"悉尼时间|sydney time|{_SHORT}ae[sd]t\b"), "Australia/Sydney"),
)
"""Names of zones, by what one city in each keeps (summer time as the place has it)."""


@dataclass(frozen=True, slots=True)
class _Hour:
    hour: int
    minute: int
    days_on: int = 0


def moment(words: str, now: datetime) -> datetime | None:
    """The moment *words* name, seen from *now* and in its zone unless they name another; None where they name none.

    To the minute where a time of day is given, else midnight of the day. A date without a year is the last such.
    """
    said = plain(words).lower()
    named = _named(said, now)
    return named[0] if named else None


def written(words: str, now: datetime) -> str | None:
    """That moment in the form of ISO 8601, `2026-11-21 15:00+08:00`; the day alone where no hour was named."""
    named = _named(plain(words).lower(), now)
    if named is None:
        return None
    at, to_the_minute = named
    return at.isoformat(" ", "minutes") if to_the_minute else at.date().isoformat()


def zone_words(text: str) -> str:
    """The words of *text* that name a zone; empty where there are none."""
    said = plain(text).lower()
    found = next((match for rule, _ in _PLACES if (match := rule.search(said))), None) or _OFFSET.search(said)
    return found[0].strip() if found else ""


def _named(said: str, now: datetime) -> tuple[datetime, bool] | None:
    """The moment, and whether a time of day was named."""
    seen_from = now.astimezone(_zone(said, now))
    try:
        span = _SPAN.search(said)
        if span:
            minutes = _count(span[1]) * _SPANS[span[2][0]]
            return seen_from - timedelta(minutes=minutes), minutes < 1440
        if any(word in said for word in _NOW):
            return seen_from, True
        day, hour = _day(said, seen_from), _time_of_day(said)
        if day is None and hour is None:
            return None
        at = hour or _Hour(0, 0)
        midnight = (day or seen_from).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + timedelta(days=at.days_on)).replace(hour=at.hour, minute=at.minute), hour is not None
    except (ValueError, OverflowError):
        return None  # "13月40日" names no day


def _zone(said: str, now: datetime) -> tzinfo | None:
    place = next((zone for rule, zone in _PLACES if rule.search(said)), None)
    if place:
        return ZoneInfo(place)
    offset = _OFFSET.search(said)
    if offset is None:
        return now.tzinfo
    hours = timedelta(hours=int(offset[2] or 0), minutes=int(offset[3] or 0))
    return timezone(-hours if offset[1] == "-" else hours) if hours <= timedelta(hours=14) else None


def _count(number: str) -> float:
    if number in _HALVES:
        return 0.5
    return _ENGLISH_NUMBERS.get(number) or _number(number)


def _number(digits: str) -> int:
    """`12`, `十二`, `二十` and their like. Raises ValueError where the characters make no number, as `一三` do."""
    if digits.isdigit():
        return int(digits)
    tens, ten, units = digits.rpartition("十")
    try:
        if not ten:
            return _DIGITS[units]
        return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[units] if units else 0)
    except KeyError:
        raise ValueError("no number") from None


def _day(said: str, now: datetime) -> datetime | None:
    date = _DATE.search(said)
    if date:
        return now.replace(year=int(date[1]), month=int(date[2]), day=int(date[3]))
    month_day = _MONTH_DAY.search(said)
    if month_day:
        return _last(now, int(month_day[1]), int(month_day[2]))
    english, day_first = _ENGLISH_DATE.search(said), _DAY_FIRST.search(said)
    if english:
        return _in_year(now, _MONTHS.index(english[1]) + 1, int(english[2]), english[3])
    if day_first:
        return _in_year(now, _MONTHS.index(day_first[2]) + 1, int(day_first[1]), day_first[3])
    back = next((days for word, days in _DAYS_BACK.items() if word in said), None)
    if back is not None:
        return now - timedelta(days=back)
    return _slashed(said, now) or _weekday(said, now)


def _slashed(said: str, now: datetime) -> datetime | None:
    """`11/20` and `20/11`; where either could be the month, nobody can say which day is meant."""
    found = _SLASHED.search(said)
    if found is None:
        return None
    first, second = int(found[1]), int(found[2])
    if first > 12 or first == second:
        return _last(now, second, first)
    return _last(now, first, second) if second > 12 else None


def _weekday(said: str, now: datetime) -> datetime | None:
    """The last such day; "上周三" is the one of the week before, whose weeks begin on Monday."""
    chinese, english = _WEEKDAY.search(said), _ENGLISH_WEEKDAY.search(said)
    if chinese:
        day = _WEEK[chinese[2]]
        if (chinese[1] or "").startswith("上"):
            return now - timedelta(days=now.weekday() + 7 - day)
        return now - timedelta(days=(now.weekday() - day) % 7)
    if english:
        back = (now.weekday() - _ENGLISH_WEEK.index(english[2])) % 7
        return now - timedelta(days=back or (7 if english[1] else 0))
    return None


def _in_year(now: datetime, month: int, day: int, year: str | None) -> datetime:
    return now.replace(year=int(year), month=month, day=day) if year else _last(now, month, day)


def _last(now: datetime, month: int, day: int) -> datetime:
    """The last such day that is not in the future: of 29 February that may be years ago."""
    for year in range(now.year, now.year - 9, -1):
        try:
            then = now.replace(year=year, month=month, day=day)
        except ValueError:
            continue
        if then.date() <= now.date():
            return then
    raise ValueError("no such day")


def _time_of_day(said: str) -> _Hour | None:
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
    if hour == 12 and _BEFORE_DAWN.search(said):
        return _Hour(0, minute)
    if _NIGHT.search(said) and not _BEFORE_DAWN.search(said) and (hour == 12 or hour <= 4):
        return _Hour(hour % 12, minute, days_on=1)  # "昨晚一点" was an hour past midnight
    if hour < 12 and (_AFTERNOON.search(said) or _NIGHT.search(said) or (_NOON.search(said) and hour <= 3)):
        hour += 0 if _BEFORE_DAWN.search(said) else 12
    return _Hour(hour, minute)
