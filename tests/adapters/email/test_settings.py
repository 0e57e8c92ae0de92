"""What an operator sets for e-mail is checked before anything starts, and what is wrong is said without the value."""

from pathlib import Path

import pytest

from imconnect.settings import SettingsError, load_settings
from imconnect_email.settings import EmailSettings

PASSWORD = "a-password-of-the-desk"
WHOLE = {
    "address": "support@im.example",
    "imap__host": "imap.im.example",
    "imap__user": "support@im.example",
    "imap__password": PASSWORD,
    "smtp__host": "smtp.im.example",
    "smtp__user": "support@im.example",
    "smtp__password": PASSWORD,
}
TOKENS = {
    "address": "support@im.example",
    "auth": "xoauth2",
    "imap__host": "imap.im.example",
    "imap__user": "support@im.example",
    "smtp__host": "smtp.im.example",
    "smtp__user": "support@im.example",
    "oauth__token_command": "mail-token support",
}


def load(values: dict[str, str]) -> EmailSettings:
    environment = {f"IMCONNECT_EMAIL__{key.upper()}": value for key, value in values.items()}
    chosen = load_settings(None, environment, {"email"}, lambda _: EmailSettings).channels["email"]
    assert isinstance(chosen, EmailSettings)
    return chosen


@pytest.fixture(autouse=True)
def no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_address_and_two_servers_are_enough() -> None:
    chosen = load(WHOLE)

    assert (chosen.imap.at, chosen.smtp.at) == (("imap.im.example", 993), ("smtp.im.example", 465))
    assert (chosen.folders, chosen.purge_secrets, chosen.trusted_authserv_id) == (("INBOX",), True, None)


@pytest.mark.parametrize(("tls", "imap", "smtp"), [("implicit", 993, 465), ("starttls", 143, 587)])
def test_ports_are_the_usual_ones_unless_given(tls: str, imap: int, smtp: int) -> None:
    usual = load({**WHOLE, "imap__tls": tls, "smtp__tls": tls})
    given = load({**WHOLE, "imap__tls": tls, "smtp__tls": tls, "imap__port": "1993", "smtp__port": "1465"})

    assert (usual.imap.at[1], usual.smtp.at[1]) == (imap, smtp)
    assert (given.imap.at[1], given.smtp.at[1]) == (1993, 1465)


def test_folders_come_from_one_line_of_the_environment() -> None:
    assert load({**WHOLE, "folders": "INBOX, 工单"}).folders == ("INBOX", "工单")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_be_spoken_to_in_the_clear(host: str) -> None:
    chosen = load({**WHOLE, "imap__host": host, "smtp__host": host, "imap__tls": "off", "smtp__tls": "off"})

    assert (chosen.imap.context(), chosen.smtp.context()) == (None, None)


def test_a_server_that_knows_this_machine_needs_no_login_for_sending() -> None:
    chosen = load({key: value for key, value in WHOLE.items() if key not in {"smtp__user", "smtp__password"}})

    assert chosen.smtp.user is None


def test_tokens_take_the_place_of_passwords() -> None:
    endpoint = {key: value for key, value in TOKENS.items() if key != "oauth__token_command"} | {
        "oauth__token_url": "https://login.im.example/token",
        "oauth__client_id": "c",
        "oauth__refresh_token": "r",
    }

    assert not load(TOKENS).oauth.refreshes
    assert load(endpoint).oauth.refreshes


@pytest.mark.parametrize("missing", ["address", "imap__host", "imap__user", "imap__password", "smtp__host"])
def test_what_is_missing_is_named_with_its_cure(missing: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({key: value for key, value in WHOLE.items() if key != missing})

    assert f"email.{missing.replace('__', '.')} is missing" in str(refused.value)
    assert f"IMCONNECT_EMAIL__{missing.upper()}" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"address": "support"}, "email.address is not right"),
        ({"address": "a b@im.example"}, "email.address is not right"),
        ({"imap__host": "imaps://imap.im.example"}, "email.imap.host is not right"),
        ({"imap__port": "0"}, "email.imap.port is not right"),
        ({"imap__tls": "maybe"}, "email.imap.tls is not right"),
        ({"imap__tls": "off"}, "email.imap.tls = off sends passwords and mail in the clear"),
        ({"smtp__tls": "off"}, "email.smtp.tls = off sends passwords and mail in the clear"),
        ({"imap__tls": "off", "imap__host": "127.0.0.1.evil.example"}, "email.imap.tls = off"),
        ({"imap__ca_file": "absent.pem"}, "email.imap.ca_file is not right"),
        ({"imap__hots": "x"}, "email.imap.hots is not a setting; did you mean email.imap.host?"),
        ({"trusted_authserv_id": "mx.im.example; dmarc=pass"}, "email.trusted_authserv_id is not right"),
        ({"folders": "INBOX,INBOX"}, "email.folders is not right"),
        ({"folders": "INBOX,,x"}, "email.folders is not right"),
        ({"idle_seconds": "1740"}, "email.idle_seconds is not right"),
        ({"largest_mail": "10"}, "email.largest_mail is not right"),
        ({"oauth__token_url": "http://login.im.example"}, "email.oauth.token_url is not right"),
        ({"oauth__token_command": "mail-token 'support"}, "email.oauth.token_command is not right"),
        ({"auth": "xoauth2"}, "email.imap.password is not used with email.auth = xoauth2"),
        ({"dkim__selector": "desk", "dkim__key_file": "absent.pem"}, "email.dkim.key_file cannot be read: name a file"),
        ({"dkim__selector": "desk", "dkim__key_file": "."}, "email.dkim.key_file cannot be read: name a file"),
        ({"dkim__selector": "desk"}, "email.dkim.key_file is missing; set it"),
        ({"dkim__key_file": "desk.pem"}, "email.dkim.selector is missing; set it"),
        ({"dkim__domain": "im.example"}, "email.dkim.domain needs"),
        ({"dkim__selector": "a b"}, "email.dkim.selector is not right"),
        ({"auth": "magic"}, "email.auth is not right"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(values: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**WHOLE, **values})

    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_half_a_login_for_sending_is_named() -> None:
    for missing in ("smtp__user", "smtp__password"):
        with pytest.raises(SettingsError, match=f"email.{missing.replace('__', '.')} is missing"):
            load({key: value for key, value in WHOLE.items() if key != missing})


def test_tokens_need_one_source() -> None:
    for values in ({"oauth__token_command": None}, {"oauth__token_url": "https://x.example/"}):
        given = {key: value for key, value in {**TOKENS, **values}.items() if value is not None}
        both = {**given, "oauth__client_id": "c", "oauth__refresh_token": "r"}
        with pytest.raises(SettingsError, match="needs either"):
            load(both)


def test_neither_passwords_nor_tokens_show_when_settings_are_printed() -> None:
    shown = repr(load(WHOLE)) + repr(load({**TOKENS, "oauth__client_secret": "sesame"}))

    assert PASSWORD not in shown
    assert "sesame" not in shown
    assert "mail-token" not in shown
