from dataclasses import replace

from imconnect.nlu.calibration import Scored, Stakes
from imconnect.nlu.lexical import NgramMatcher
from imconnect.nlu.matching import PRIOR, Row
from imconnect.nlu.rehearsal import Heard, Point, Rehearsal, Share

EASY = replace(PRIOR, cut=0.5, cautious_cut=0.5)
"""Sure from even odds on, so that a score of 1 with a clear lead is an answer."""


def heard(text: str, topic: str | None, voice: str, *ranked: tuple[str, float]) -> Heard:
    return Heard(text, topic, voice, Scored(tuple(name for name, _ in ranked), tuple(score for _, score in ranked)))


def rehearsal(*rows: Heard) -> Rehearsal:
    return Rehearsal(rows, EASY, Stakes(), frozenset())


SURE = ("fees", 1.0), ("swap", 0.1)
ROWS = (
    heard("what is the fee", "fees", "terse", *SURE),
    heard("fee?", "fees", "terse", *SURE),
    heard("what do you take", "fees", "angry", ("swap", 0.4), ("fees", 0.35)),
    heard("does changing coins cost", "swap", "angry", *SURE),
    heard("tell me a joke", None, "", ("fees", 0.01)),
)


def test_each_voice_has_its_share_and_the_worst_comes_first() -> None:
    assert rehearsal(*ROWS).by_voice() == [Share("angry", 2, 0.0, 1.0), Share("terse", 2, 1.0, 1.0)]


def test_each_topic_has_its_share_and_off_topic_rows_are_none() -> None:
    assert rehearsal(*ROWS).by_topic() == [Share("swap", 1, 0.0, 1.0), Share("fees", 3, 2 / 3, 1.0)]
    assert rehearsal(*ROWS).overall() == Share("all", 4, 0.5, 1.0)


def test_mix_ups_are_counted_by_pair_with_the_surest_row_as_example() -> None:
    found = rehearsal(*ROWS, heard("cost of a change", "swap", "terse", ("fees", 0.3))).mistaken()

    assert [(one.topic, one.taken_for, one.count, one.rows) for one in found] == [
        ("swap", "fees", 2, 2),
        ("fees", "swap", 1, 3),
    ]
    assert found[0].example == "does changing coins cost"


def test_only_rows_that_surely_sound_like_another_topic_are_in_conflict() -> None:
    found = rehearsal(*ROWS).conflicting(0.9)

    assert [one.text for _, one in found] == ["does changing coins cost"]


def test_the_cut_offs_divide_rows_into_right_wrong_offered_and_refused() -> None:
    inside, outside = rehearsal(*ROWS).outcome(off_topic=False), rehearsal(*ROWS).outcome(off_topic=True)

    assert (inside.rows, inside.right, inside.wrong, inside.offered, inside.refused) == (4, 0.5, 0.25, 0.25, 0)
    assert (outside.rows, outside.wrong, outside.refused) == (1, 0, 1)


def test_a_topic_never_put_to_the_test_is_offered_not_answered() -> None:
    lonely = replace(rehearsal(*ROWS), lonely=frozenset({"fees"}))

    assert lonely.outcome(off_topic=False).right == 0


def test_precision_falls_as_coverage_grows() -> None:
    points = rehearsal(*ROWS).curve(4)

    assert [point.coverage for point in points] == [0.25, 0.5, 0.75, 1]
    assert points[-1].precision == 0.5
    assert isinstance(points[0], Point)
    assert points[0].cut >= points[-1].cut


def test_a_rehearsal_of_n_grams_leaves_out_the_whole_voice() -> None:
    """A word only one voice uses cannot be known to a matcher that never heard that voice."""
    voices = ("terse", "angry", "elderly", "teen")
    shared = [
        Row(f"{what} {end} {voice}", topic, voice=voice)
        for voice in voices
        for topic, what in (("fees", "network fee"), ("swap", "swap coins"))
        for end in ("please", "now", "today", "help")
    ]
    own = [Row(f"zyzzyva {end}", "swap", voice="terse") for end in ("one", "two", "three")]
    found = {one.text: one.taken_for for one in NgramMatcher.rehearse([*shared, *own]).heard}

    assert found["network fee please terse"] == "fees"
    assert found["zyzzyva one"] is None
