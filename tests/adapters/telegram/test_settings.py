"""What an operator sets for Telegram is checked before anything starts, and what is wrong is said without the value."""

from pathlib import Path

import pytest

from imconnect.settings import SettingsError, load_settings
from imconnect_telegram import TelegramSettings

TOKEN = "424242:AAHb0tT0kenForTheWorldOnLoopback00"
SECRET = "a-secret-of-the-desk-0123"


def load(**values: str) -> TelegramSettings:
    environment = {f"IMCONNECT_TELEGRAM__{key.upper()}": value for key, value in values.items()}
    settings = load_settings(None, environment, {"telegram"}, lambda _: TelegramSettings)
    chosen = settings.channels["telegram"]
    assert isinstance(chosen, TelegramSettings)
    return chosen


@pytest.fixture(autouse=True)
def no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_token_is_enough() -> None:
    chosen = load(token=TOKEN)

    assert (chosen.bot_id, chosen.mode, chosen.api_root) == ("424242", "poll", "https://api.telegram.org")


def test_numbers_and_addresses_come_from_the_environment_too() -> None:
    chosen = load(token=TOKEN, staff_chat="-1001234567890", api_root="http://127.0.0.1:8081/", messages_per_second="5")

    assert (chosen.staff_chat, chosen.api_root, chosen.messages_per_second) == (
        -1001234567890,
        "http://127.0.0.1:8081",
        5.0,
    )


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "telegram"),
        ({"token": "my-token"}, "telegram.token is not right: this is no bot token"),
        ({"api_root": "http://x"}, "telegram.token is missing"),
        ({"token": TOKEN, "api_root": "api.telegram.org"}, "telegram.api_root is not right"),
        ({"token": TOKEN, "mode": "push"}, "telegram.mode is not right"),
        ({"token": TOKEN, "mode": "webhook"}, "needs telegram.webhook_url and telegram.webhook_secret"),
        ({"token": TOKEN, "webhook_secret": "not this one!"}, "telegram.webhook_secret is not right"),
        ({"token": TOKEN, "messages_per_second": "0"}, "telegram.messages_per_second is not right"),
        ({"token": TOKEN, "tokn": "x"}, "telegram.tokn is not a setting; did you mean telegram.token?"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(values: dict[str, str], says: str) -> None:
    if not values:
        values = {"mode": "poll"}
    with pytest.raises(SettingsError) as refused:
        load(**values)

    assert says in str(refused.value)
    assert "my-token" not in str(refused.value)


def test_another_servers_token_may_be_as_short_as_it_likes() -> None:
    chosen = load(token="42:TEST", api_root="http://127.0.0.1:8081")

    assert chosen.bot_id == "42"
    with pytest.raises(SettingsError, match="this is no bot token"):
        load(token="TEST", api_root="http://127.0.0.1:8081")


def test_neither_token_nor_secret_shows_when_settings_are_printed() -> None:
    chosen = load(token=TOKEN, mode="webhook", webhook_url="https://desk.example/tg", webhook_secret=SECRET)

    assert TOKEN not in repr(chosen)
    assert SECRET not in repr(chosen)
