"""Fuzzing: seconds of it on every run, ten minutes of each part by hand (docs/security.md says how)."""

import importlib.util
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz import properties

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
TEXTS = st.lists(st.one_of(st.sampled_from(properties.PIECES), st.text(max_size=12)), max_size=40).map("".join)
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "replace")


thoroughly = settings(max_examples=EXAMPLES, deadline=None)


@thoroughly
@given(TEXTS)
def test_whatever_is_written_the_guard_holds(text: str) -> None:
    properties.guard_holds(text)


@thoroughly
@given(TEXTS, st.sets(st.sampled_from(properties.DETAILS)))
def test_whatever_is_written_the_details_hold(text: str, asked_for: set[str]) -> None:
    properties.details_hold(text, frozenset(asked_for), NOW)


@thoroughly
@given(TEXTS)
def test_whatever_is_written_the_links_hold(text: str) -> None:
    properties.links_hold(text)


@thoroughly
@given(
    st.text(max_size=20),
    st.sampled_from(properties.CLAIMED),
    st.one_of(
        st.binary(max_size=300),
        st.builds(encoded, TEXTS, st.sampled_from(properties.ENCODINGS)),
    ),
)
def test_whatever_is_in_a_file_its_verdict_holds(name: str, claimed: str, content: bytes) -> None:
    properties.files_hold(name, claimed, content)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: pip install atheris (Python up to 3.13)",
)
@pytest.mark.parametrize("part", ["guard", "details", "links", "files"])
def test_a_part_survives_seconds_of_coverage_guided_fuzzing(part: str, tmp_path: Path) -> None:
    target = Path(__file__).with_name("target.py")
    run = subprocess.run(
        [sys.executable, str(target), part, "-max_total_time=2", f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-2000:].decode(errors="replace")
