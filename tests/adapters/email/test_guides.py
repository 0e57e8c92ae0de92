"""What the guides and the example file tell an operator to write is accepted as it stands."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from tests.adapters.email.test_signing import rsa_key

from imconnect.registry import installed, load
from imconnect.settings import Settings, load_settings
from imconnect_discord.settings import DiscordSettings
from imconnect_email.settings import EmailSettings

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/channels/email.md").read_text(encoding="utf-8")
LISTINGS = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
WHOLE = [one for one in LISTINGS if "[email.imap]" in one]
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz"
KEY = "/etc/imconnect/desk.pem"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return rsa_key(tmp_path, 1024)


@pytest.fixture
def accepted(tmp_path: Path, key: Path) -> Callable[[str], Settings]:
    """What the desk makes of a file, with a key where one is named."""

    def read(text: str) -> Settings:
        file = tmp_path / "imconnect.toml"
        file.write_text(text.replace(KEY, str(key)), encoding="utf-8")
        points = installed()
        models: Mapping[str, type[BaseModel]] = {name: load(name, points).Settings for name in ("discord", "email")}
        return load_settings(file, {}, models.keys(), models.__getitem__)

    return read


def uncommented(section: str) -> str:
    """The section of the example file, as an operator has it who takes every sign away."""
    text = (ROOT / "imconnect.example.toml").read_text(encoding="utf-8")
    found = re.search(rf"^# \[{section}\]\n(?:# .*\n)+", text, re.MULTILINE)
    assert found is not None
    return re.sub("(?m)^# ", "", found[0])


def test_the_example_for_email_is_accepted_when_uncommented(accepted: Callable[[str], Settings]) -> None:
    section = accepted(uncommented("email")).channels["email"]

    assert isinstance(section, EmailSettings)
    assert section.signing() is not None
    assert section.imap.at == ("imap.example.com", 993)


def test_the_example_for_discord_is_accepted_when_uncommented(accepted: Callable[[str], Settings]) -> None:
    section = accepted(uncommented("discord").replace('"…"', f'"{TOKEN}"')).channels["discord"]

    assert isinstance(section, DiscordSettings)
    assert section.staff_channel is not None


@pytest.mark.parametrize("number", range(len(WHOLE)))
def test_each_listing_of_the_guide_is_whole(number: int, accepted: Callable[[str], Settings]) -> None:
    section = accepted(WHOLE[number]).channels["email"]

    assert isinstance(section, EmailSettings)
    assert section.address == "support@example.com"


def test_what_the_guide_adds_fits_to_what_it_begins_with(accepted: Callable[[str], Settings]) -> None:
    parts = [one for one in LISTINGS if one not in WHOLE]

    assert [accepted(WHOLE[0] + one).channels["email"] for one in parts]


def test_every_provider_has_its_listing() -> None:
    hosts = {host_of(tomllib.loads(one)) for one in WHOLE}

    assert hosts >= {
        "imap.gmail.com",
        "outlook.office365.com",
        "imap.exmail.qq.com",
        "imap.qiye.163.com",
        "imap.fastmail.com",
        "mail.example.com",
    }


def host_of(tree: Mapping[str, Any]) -> str:
    return str(tree["email"]["imap"]["host"])
