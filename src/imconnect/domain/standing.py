"""The waiting line as the customer meets it: joining, being told the place, being reminded."""

from dataclasses import replace
from datetime import timedelta

from imconnect.domain.actions import ClearTimer, FollowUp, Note, SetTimer, WithdrawNotices
from imconnect.domain.conversations import PlaceInLine, Stage
from imconnect.domain.drafting import PLACE, Draft, listed
from imconnect.domain.events import PlaceDue, PlaceReason, TimerKind
from imconnect.domain.messages import Purpose
from imconnect.domain.playbook import Pace
from imconnect.domain.waiting import notice_due


def to_a_person(draft: Draft) -> None:
    """Into the line, to be told the reference and the place at once."""
    if draft.now_is.stage in (Stage.WAITING, Stage.WITH_AGENT):
        return
    draft.become(Stage.WAITING)
    if draft.now_is.kept:
        language = draft.pack.default_language
        titles = (draft.pack.article(slug, language).title for slug in draft.now_is.kept if slug in draft.pack.topics)
        also = draft.pack.label("list_separator", language).join(titles)
        draft.actions.append(Note("", draft.pack.label("note_also", language, titles=also)))
    draft.now_is = replace(
        draft.now_is,
        waiting_since=draft.now,
        asked_for=(),
        tries=0,
        offered=(),
        unclear=0,
        next_best=(),
        told_place=None,
        told_at=None,
    )
    draft.actions.append(ClearTimer(TimerKind.GIVE_UP_COLLECTING))
    draft.actions.append(FollowUp(PlaceDue(PlaceReason.QUEUED)))


def pace(draft: Draft) -> Pace:
    return draft.playbook.pace_on(draft.now_is.address.channel)


def tell_place_due(draft: Draft, event: PlaceDue) -> str:
    """Tell somebody where they stand, if that still is so and still matters."""
    line = draft.now_is.line
    if draft.now_is.stage is not Stage.WAITING or line is None:
        return "overtaken"
    match event.reason:
        case PlaceReason.QUEUED:
            slug = "queued"
        case PlaceReason.HANDED_BACK:
            slug = "handed-back"
        case PlaceReason.RAISED:
            slug = "place"
        case PlaceReason.MOVED_UP:
            gap = pace(draft).notice_gap
            if not notice_due(draft.now_is.told_place, line.place, draft.now_is.told_at, draft.now, gap):
                return "overtaken"
            slug = "next-in-line" if line.place == 1 else "moved-up"
    _say_place(draft, slug, line)
    if event.reason is PlaceReason.QUEUED:
        _meanwhile(draft)
    return f"told: {slug}"


def _say_place(draft: Draft, slug: str, line: PlaceInLine) -> None:
    now_is = draft.now_is
    wait = _wait(draft, line.wait)
    draft.notice(slug, slot=PLACE, reference=now_is.reference, place=line.place, wait=wait)
    draft.now_is = replace(now_is, told_place=line.place, told_at=draft.now)
    remind = draft.now + timedelta(seconds=pace(draft).remind_after)
    draft.actions.append(SetTimer(TimerKind.REMIND, remind))


def _meanwhile(draft: Draft) -> None:
    """What may help while waiting: the guides that fit the case, and when people are there again."""
    playbook, language = draft.playbook, draft.language
    if not playbook.hours.open_at(draft.now):
        draft.notice("outside-hours", hours=_hours(draft))
    topic = playbook.topics.get(draft.now_is.topic or "")
    if topic is not None and topic.guides:
        choices = [draft.choice(slug) for slug in topic.guides]
        titles = listed(draft, (choice.label for choice in choices))
        text = playbook.notice("while-waiting", language, titles=titles)
        draft.say(Purpose.NOTICE, "while-waiting", text, choices)


def _hours(draft: Draft) -> str:
    """When people are there, in words."""
    playbook, hours = draft.playbook, draft.playbook.hours
    days = listed(draft, (playbook.label(f"day_{day}", draft.language) for day in sorted(hours.days)))
    opens, closes = f"{hours.opens:%H:%M}", f"{hours.closes:%H:%M}"
    return playbook.label("hours_line", draft.language, days=days, opens=opens, closes=closes, zone=hours.zone.key)


def _wait(draft: Draft, seconds: int | None) -> str:
    """The expected wait in words."""
    if seconds is None:
        return draft.playbook.label("wait_unknown", draft.language)
    if seconds <= 120:
        return draft.playbook.label("wait_soon", draft.language)
    if seconds <= 5_400:
        return draft.playbook.label("wait_minutes", draft.language, minutes=seconds // 60)
    return draft.playbook.label("wait_hours", draft.language, hours=-(-seconds // 3_600))


def tell_place(draft: Draft) -> str:
    """Answer "how long still?"; if more urgent cases went first, say so."""
    line = draft.now_is.line
    if draft.now_is.stage is not Stage.WAITING:
        draft.notice("not-in-line")
        return "not in line"
    if line is None:
        return "told next"  # just joined: the notice with the place is on its way
    told = draft.now_is.told_place
    _say_place(draft, "place-later" if told is not None and line.place > told else "place", line)
    return "told: place"


def remind(draft: Draft) -> str:
    if draft.now_is.stage is not Stage.WAITING or draft.now_is.line is None:
        return "overtaken"
    _say_place(draft, "still-waiting", draft.now_is.line)
    return "told: still-waiting"


def give_up_collecting(draft: Draft) -> str:
    """The missing details did not come: a person sees the case as it is."""
    if draft.now_is.stage is not Stage.COLLECTING:
        return "overtaken"
    to_a_person(draft)
    return "queued with what there is"


def forget_what_is_due(draft: Draft) -> None:
    draft.actions += [
        WithdrawNotices(),
        ClearTimer(TimerKind.REMIND),
        ClearTimer(TimerKind.GIVE_UP_COLLECTING),
    ]
