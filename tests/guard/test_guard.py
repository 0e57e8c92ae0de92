"""The guard's own promises: it fails closed, in time, and shows nothing."""

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imconnect.domain.readings import Certainty
from imconnect.guard import Guard, GuardUnavailable, Inspected, inspection, keys, lexicon, tables
from imconnect.guard.inspection import LONGEST

GUARD = Guard()
PIECES = st.sampled_from(
    [
        "abandon",
        "zoo",
        "的",
        "一",
        "word 3:",
        "0x",
        "ab12" * 16,
        "密码是",
        "code 123456",
        "\u200b",
        "\n",
        " ",
        "https://",
        "[1,2,",
    ]
)


@given(st.text(max_size=300))
def test_any_text_is_inspected_without_a_fault(text: str) -> None:
    assert isinstance(GUARD.inspect(text), Inspected)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_mixture_is_kept_as_it_is_or_told_as_a_secret(text: str) -> None:
    inspected = GUARD.inspect(text)

    assert (inspected.secret is None) == (inspected.text == text)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_what_is_left_holds_no_further_secret(text: str) -> None:
    assert GUARD.inspect(GUARD.inspect(text).text).secret is None


def test_a_fault_inside_withholds_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a private word")

    monkeypatch.setattr(keys, "find", broken)
    inspected = GUARD.inspect("a private word")

    assert inspected.secret is not None
    assert ("private word" in inspected.text, inspected.secret.certainty) == (False, Certainty.LIKELY)


@pytest.mark.parametrize("part", [(lexicon, "Mnemonic"), (tables, "read")])
def test_a_guard_that_cannot_load_says_so(part: tuple[object, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise OSError("no such file")

    monkeypatch.setattr(part[0], part[1], missing)
    with pytest.raises(GuardUnavailable):
        Guard()


def test_what_was_typed_never_shows_in_a_repr() -> None:
    assert "hello" not in repr(GUARD.inspect("hello"))


def test_what_is_too_long_to_read_is_not_kept() -> None:
    inspected = GUARD.inspect("a b " * LONGEST)

    assert len(inspected.text) == LONGEST


def test_a_phrase_across_the_end_of_what_is_read_is_withheld() -> None:
    phrase = "shallow verb kid cactus object tiger lunar canvas fossil rhythm vivid prize"

    assert GUARD.inspect("1 " * (LONGEST // 2 - 10) + phrase).text == "[recovery_phrase removed]"


@pytest.mark.parametrize(
    "text",
    [
        "abandon " * 8_000,
        "的" * 64_000,
        "".join(chr(random.Random(n).randrange(0x4E00, 0x9FA0)) for n in range(64_000)),
        "a" * 64_000,
        "ab " * 21_000,
        "code 验证码 1 " * 5_000,
        "密码是" * 21_000,
        "https://etherscan.io/tx/ " * 2_500,
        "a" + "\u0301\u0316" * 32_000,
        "1, " * 21_000,
        "aA" * 32_000,
        "wc: otpauth " * 5_000,
    ],
    ids=range(12),
)
def test_64_thousand_characters_made_to_be_slow_take_a_fraction_of_a_second(text: str) -> None:
    begun = time.thread_time()
    GUARD.inspect(text)

    assert time.thread_time() - begun < 0.5  # ten times what was measured: tests run beside others


def test_the_tables_are_lists_and_counts_and_no_text() -> None:
    folder = Path(inspection.__file__).parent / "tables"

    assert {path.suffix for path in folder.iterdir() if path.name not in ("__init__.py", "__pycache__")} == {".gz"}
    assert set(json.dumps(tables.read("english.json.gz"))) <= set('{}", :-abcdefghijklmnopqrstuvwxyz0123456789')
