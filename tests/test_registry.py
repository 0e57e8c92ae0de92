"""Channels are found by their entry points, whoever's package declares them."""

import subprocess
import sys
from importlib import invalidate_caches
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from imconnect.registry import GROUP, RegistryError, installed, load
from imconnect_telegram import TelegramAdapter

PIGEON = """\
from pydantic import BaseModel


class PigeonAdapter:
    Settings = BaseModel
"""


def packaged(folder: Path, name: str, points: str, code: str = PIGEON) -> None:
    """A package of somebody else's, as an installer leaves it: a module and its metadata."""
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}\n", encoding="utf-8")


def on_the_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    invalidate_caches()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where other packages are installed."""
    on_the_path(monkeypatch, tmp_path)
    return tmp_path


def test_the_shipped_channels_are_found() -> None:
    assert load("telegram", installed()) is TelegramAdapter


def test_a_channel_of_another_package_is_found_and_loaded(site: Path) -> None:
    packaged(site, "loft_one", "pigeon = loft_one:PigeonAdapter")

    found = load("pigeon", installed())

    assert (getattr(found, "__module__", ""), getattr(found, "__name__", "")) == ("loft_one", "PigeonAdapter")


def test_two_channels_of_one_name_are_refused(site: Path) -> None:
    packaged(site, "loft_two", "pigeon = loft_two:PigeonAdapter")
    packaged(site, "loft_three", "pigeon = loft_three:PigeonAdapter")

    with pytest.raises(RegistryError) as refused:
        installed()
    assert str(refused.value).startswith("two packages offer the channel 'pigeon' (")
    assert "loft_two:PigeonAdapter" in str(refused.value)
    assert "loft_three:PigeonAdapter" in str(refused.value)


def test_a_shipped_channel_cannot_be_taken_over_by_another_package(site: Path) -> None:
    packaged(site, "loft_four", "telegram = loft_four:PigeonAdapter")

    with pytest.raises(RegistryError, match="two packages offer the channel 'telegram'"):
        installed()


def test_one_package_seen_twice_on_the_path_is_one_channel(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged(site, "loft_five", "pigeon = loft_five:PigeonAdapter")
    (site / "again").mkdir()
    packaged(site / "again", "loft_five", "pigeon = loft_five:PigeonAdapter")
    on_the_path(monkeypatch, site / "again")

    assert installed()["pigeon"].value == "loft_five:PigeonAdapter"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("no_such_module:Adapter", "the channel 'pigeon' cannot be imported"),
        ("imconnect_telegram:NoSuchAdapter", "the channel 'pigeon' cannot be imported"),
        ("imconnect.ports:Sent", "the channel 'pigeon': imconnect.ports:Sent is no adapter"),
    ],
)
def test_a_package_that_holds_no_adapter_is_told_in_one_line(value: str, says: str) -> None:
    points = {"pigeon": EntryPoint("pigeon", value, GROUP)}

    with pytest.raises(RegistryError) as refused:
        load("pigeon", points)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


def test_a_channel_that_is_off_is_never_imported() -> None:
    code = "import sys; from imconnect.registry import installed; installed(); print('telegram' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert said == "False"
