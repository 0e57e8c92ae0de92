"""Fuzzing, where its engine is installed: ten seconds on every run, ten minutes by hand."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: pip install atheris (Python up to 3.13)",
)
def test_the_guard_survives_ten_seconds_of_fuzzing(tmp_path: Path) -> None:
    target = Path(__file__).with_name("guard_target.py")
    run = subprocess.run(
        [sys.executable, str(target), "-max_total_time=10", f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-2000:].decode(errors="replace")
