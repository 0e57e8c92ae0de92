"""Settings: a file, the environment which wins, and one line about everything that is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from imconnect.settings import CoreSettings, Settings, SettingsError, load_settings, loopback
from imconnect_telegram.settings import TelegramSettings

TOKEN = "123456:" + "a" * 30
SPILT = "hunter2-hunter2"


class PigeonSettings(BaseModel):
    """A channel of another package."""

    model_config = ConfigDict(extra="forbid")

    loft: Annotated[str, Field(description="where the birds live")]
    ring: SecretStr | None = None


CHANNELS: Mapping[str, type[BaseModel]] = {"telegram": TelegramSettings, "pigeon": PigeonSettings}


KNOWN = sorted([*CoreSettings.model_fields, *CHANNELS])


def load(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    return load_settings(file, environ or {}, list(CHANNELS), CHANNELS.__getitem__)


def written(folder: Path, text: str) -> Path:
    path = folder / "imconnect.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    monkeypatch.chdir(tmp_path)


def test_a_desk_needs_no_settings() -> None:
    settings = load()

    assert (settings.core.database.url, settings.core.web.port, settings.channels) == (
        "sqlite:///imconnect.db",
        8080,
        {},
    )


def test_imconnect_toml_is_read_where_the_desk_is_started(tmp_path: Path) -> None:
    written(tmp_path, "[web]\nport = 9000\n")

    assert load().core.web.port == 9000


def test_a_named_file_is_read_instead(tmp_path: Path) -> None:
    written(tmp_path, "[web]\nport = 9000\n")
    other = tmp_path / "other.toml"
    other.write_text("[web]\nport = 9001\n", encoding="utf-8")

    assert load(file=other).core.web.port == 9001


def test_the_environment_wins_over_the_file_key_by_key(tmp_path: Path) -> None:
    written(tmp_path, '[web]\nport = 9000\nhost = "::1"\n')

    web = load({"IMCONNECT_WEB__PORT": "9001"}).core.web

    assert (web.port, web.host) == (9001, "::1")


def test_a_top_level_key_may_come_from_the_environment(tmp_path: Path) -> None:
    assert load({"IMCONNECT_PACK": str(tmp_path)}).core.pack == tmp_path


def test_variables_of_other_programs_and_of_the_tests_are_left_alone() -> None:
    settings = load({"PATH": "/bin", "IMCONNECT_TEST_ALL": "1", "IMCONNECT_CONFIG": "x"})

    assert settings == Settings()


def test_a_channel_without_settings_is_off_and_one_with_settings_is_on() -> None:
    settings = load({"IMCONNECT_TELEGRAM__TOKEN": TOKEN})

    assert list(settings.channels) == ["telegram"]


def test_a_channel_of_another_package_is_checked_by_its_own_settings(tmp_path: Path) -> None:
    written(tmp_path, '[pigeon]\nloft = "roof"\n')

    assert load().channels == {"pigeon": PigeonSettings(loft="roof")}


WRONG = (
    ("[web]\nprot = 1\n", "web.prot is not a setting; did you mean web.port?"),
    ("[web]\nzzzz = 1\n", "web.zzzz is not a setting; remove it"),
    ('[telegrm]\ntoken = "x"\n', "telegrm is not a setting, nor an installed channel; did you mean telegram?"),
    (
        "qqqq = 1\n",
        "qqqq is not a setting, nor an installed channel; known are: " + ", ".join(KNOWN),
    ),
    ("web = 9000\n", "web must be a section with keys of its own, such as web.host"),
    ("telegram = 1\n", "telegram must be a section with keys of its own, such as telegram.token"),
    (
        '[telegram]\nmode = "poll"\n',
        "telegram.token is missing (from @BotFather, such as 123456:ABC…); set it, or IMCONNECT_TELEGRAM__TOKEN",
    ),
    ("[pigeon]\n", "pigeon.loft is missing (where the birds live); set it, or IMCONNECT_PIGEON__LOFT"),
    (
        f'[telegram]\ntoken = "{TOKEN}"\nmode = "webhook"\n',
        "telegram is not right: mode = webhook needs telegram.webhook_url and telegram.webhook_secret",
    ),
    (
        '[log]\nlevel = "loud"\n',
        "log.level is not right: it should be 'debug', 'info', 'warning' or 'error' (least level written)",
    ),
)


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_what_is_wrong_is_told_with_its_key_and_the_cure(text: str, says: str, tmp_path: Path) -> None:
    written(tmp_path, text)

    with pytest.raises(SettingsError) as wrong:
        load()
    assert str(wrong.value) == says


SPILLS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("[web]\nport = '{spilt}'\n", {}),
    ("[database]\nurl = ['{spilt}']\n", {}),
    ("web = '{spilt}'\n", {}),
    ("[telegram]\ntoken = '{spilt}'\n", {}),
    ("[telegram]\ntoken = '{token}'\nmode = '{spilt}'\n", {}),
    ("[telegram]\ntoken = '{token}'\nwebhook_secret = '{spilt}!'\n", {}),
    ("[telegram]\ntoken = '{token}'\nstaff_chat = '{spilt}'\n", {}),
    ("telegram = '{spilt}'\n", {}),
    ("[web]\nport = '{spilt}\n", {}),
    ("", {"IMCONNECT_WEB": SPILT, "IMCONNECT_WEB__PORT": SPILT}),
)


@pytest.mark.parametrize(("text", "environ"), SPILLS)
def test_a_wrong_value_is_never_repeated_and_the_complaint_is_one_line(
    text: str, environ: Mapping[str, str], tmp_path: Path
) -> None:
    written(tmp_path, text.format(spilt=SPILT, token=TOKEN))

    with pytest.raises(SettingsError) as wrong:
        load(environ)
    told = str(wrong.value)
    assert SPILT not in told
    assert "\n" not in told


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no such file; correct --config"):
        load(file=tmp_path / "none.toml")


def test_a_file_that_cannot_be_read_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read \(IsADirectoryError\)"):
        load(file=tmp_path)


def test_a_file_in_another_encoding_is_told_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "imconnect.toml"
    path.write_bytes('pack = "包"'.encode("gb18030"))

    with pytest.raises(SettingsError, match=r"cannot be read \(UnicodeDecodeError\)"):
        load()


def test_only_this_machine_counts_as_loopback() -> None:
    hosts = {host: loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "0.0.0.0", "mail.example")}

    assert [host for host, near in hosts.items() if not near] == ["0.0.0.0", "mail.example"]


# ------------------------------------------------------------------------------------------------------ second opinion

SERVER = {"IMCONNECT_OPINION__URL": "https://llm.example/v1", "IMCONNECT_OPINION__MODEL": "small"}


def test_there_is_no_second_reader_unless_one_is_set() -> None:
    assert not load().core.opinion.on
    assert load(SERVER).core.opinion.on


def test_the_key_of_the_second_reader_is_never_shown() -> None:
    opinion = load({**SERVER, "IMCONNECT_OPINION__KEY": SPILT}).core.opinion

    assert SPILT not in repr(opinion) + opinion.model_dump_json()
    assert opinion.key is not None
    assert opinion.key.get_secret_value() == SPILT


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:1/v1", "https://a.b"])
def test_the_second_reader_may_be_anywhere_over_tls_and_here_without(url: str) -> None:
    assert load({**SERVER, "IMCONNECT_OPINION__URL": url}).core.opinion.url == url


WRONG_OPINIONS: tuple[tuple[Mapping[str, str], str], ...] = (
    (
        {"URL": "https://llm.example/v1"},
        "opinion is not right: opinion.model is missing; set it too, or remove opinion.url",
    ),
    ({"MODEL": "small"}, "opinion is not right: opinion.url is missing; set it too, or remove opinion.model"),
    ({"KEY": SPILT}, "opinion is not right: opinion.url is missing; set it too, or remove opinion.key"),
    (
        {"URL": "http://llm.example/v1"},
        "opinion.url is not right: it must begin with https://; http:// only to this machine",
    ),
    (
        {"URL": "http://10.0.0.1/v1"},
        "opinion.url is not right: it must begin with https://; http:// only to this machine",
    ),
    (
        {"URL": "ftp://localhost/v1"},
        "opinion.url is not right: it must begin with https://; http:// only to this machine",
    ),
    ({"URL": "http://[::1/v1"}, "opinion.url is not right: it must be an address such as https://llm.example.com/v1"),
    ({"URL": "https://"}, "opinion.url is not right: it must be a plain address; a key belongs into opinion.key"),
    ({"URL": f"https://u:{SPILT}@a.b/v1"}, "opinion.url is not right: it must be a plain address; a key belongs into"),
    (
        {"URL": f"https://a.b/v1?key={SPILT}"},
        "opinion.url is not right: it must be a plain address; a key belongs into",
    ),
    (
        {"URL": "https://a.b:99999/v1"},
        "opinion.url is not right: it must be an address such as https://llm.example.com",
    ),
    ({"KEY": f"{SPILT} {SPILT}"}, "opinion.key is not right: it must be one word"),
    ({"KEY": f"{SPILT}\n"}, "opinion.key is not right: it must be one word"),
    ({"KEY": f"钥匙{SPILT}"}, "opinion.key is not right: it must be one word"),
    ({"KEY": ""}, "opinion.key is not right: it must be one word"),
    ({"TIMEOUT": "9"}, "opinion.timeout is not right: it should be less than or equal to 8"),
    ({"TIMEOUT": "0"}, "opinion.timeout is not right: it should be greater than 0"),
)


@pytest.mark.parametrize(("given", "says"), WRONG_OPINIONS)
def test_a_second_reader_that_is_half_set_or_would_lay_messages_open_stops_the_start(
    given: Mapping[str, str], says: str
) -> None:
    with pytest.raises(SettingsError) as wrong:
        load({f"IMCONNECT_OPINION__{name}": value for name, value in given.items()})
    told = str(wrong.value)
    assert told.startswith(says)
    assert SPILT not in told
    assert "\n" not in told
