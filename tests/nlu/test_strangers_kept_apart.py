"""The strangers' questions measure something only as long as no pack has learnt them."""

import json
from collections import Counter
from pathlib import Path

from imconnect.content import bundled_pack, phrasings, read_pack
from imconnect.nlu.normalise import squeezed

QUESTIONS = [
    json.loads(line) for line in (Path(__file__).parent / "strangers.jsonl").read_text(encoding="utf-8").splitlines()
]
CRIES = (Path(__file__).parent / "cries.txt").read_text(encoding="utf-8").splitlines()


def test_no_strangers_question_stands_in_the_pack() -> None:
    said = {squeezed(one.text) for one in phrasings(bundled_pack())}

    assert [text for text in (*(one["text"] for one in QUESTIONS), *CRIES) if squeezed(text) in said] == []
    assert len(set(CRIES)) >= 60


def test_strangers_speak_in_voices_the_pack_does_not_have() -> None:
    assert {one["voice"] for one in QUESTIONS}.isdisjoint(one.voice for one in phrasings(bundled_pack()))


def test_strangers_ask_about_every_topic_and_a_fifth_of_them_about_none() -> None:
    asked = Counter(one["label"] for one in QUESTIONS)
    out_of_scope = asked.pop(None)

    assert len(QUESTIONS) >= 450
    assert out_of_scope >= len(QUESTIONS) * 0.19
    assert set(asked) == set(read_pack(bundled_pack()).topics)
    assert min(asked.values()) >= 8
