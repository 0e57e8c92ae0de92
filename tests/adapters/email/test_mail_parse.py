"""`imconnect mail parse`: one JSON line a mail, whatever is in it."""

import json
import os
import sys
from collections.abc import Callable
from importlib import invalidate_caches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from tests.adapters.email.samples import FOLDER, names, raw
from typer.testing import CliRunner

from imconnect.cli import mail
from imconnect.cli.speech import Complaint
from imconnect.settings import Settings
from imconnect_email.parsing import parse

PROMISED = {
    *(
        "file",
        "ok",
        "from",
        "from_trusted",
        "subject",
        "text",
        "new_text",
        "message_id",
        "references",
        "auto",
        "bounce",
    ),
    *("attachments", "problem"),
}

Run = Callable[..., list[dict[str, Any]]]


def app() -> typer.Typer:
    """The command as `imconnect mail parse` has it."""
    group = typer.Typer()
    group.command("parse")(mail.parse)
    group.callback()(lambda: None)
    return group


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs it where a package says that it reads mail."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("IMCONNECT_")]:
        monkeypatch.delenv(name)
    installed(tmp_path, monkeypatch, "imconnect_email.parsing:parse")

    def go(*words: object, **environ: str) -> list[dict[str, Any]]:
        done = CliRunner().invoke(app(), ["parse", *map(str, words)], env=environ, catch_exceptions=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return go


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    info = folder / "reads_mail-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: reads-mail\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{mail.GROUP}]\nemail = {point}\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    invalidate_caches()


def test_what_the_mail_channel_reads_is_what_the_command_shows() -> None:
    reader: mail.Reader = parse

    assert reader(raw("reply_qq_zh"), None).new_text == "还是没有收到。"


def test_a_folder_gives_a_line_for_each_mail_in_it(run: Run) -> None:
    lines = run(FOLDER)

    assert [Path(line["file"]).stem for line in lines] == names()
    assert all(set(line) >= PROMISED for line in lines)


def test_a_line_says_what_was_read(run: Run) -> None:
    (line,) = run(FOLDER / "file_names.eml")

    assert line["ok"] is True
    assert (line["from"], line["subject"], line["text"]) == ("alice@example.com", "files", "Files.")
    assert (line["message_id"], line["problem"], line["bounce"]) == ("<m1@example.com>", None, None)
    assert line["attachments"][0] == {"name": "转账记录.pdf", "type": "application/pdf", "bytes": 8}


def test_references_hold_what_is_answered(run: Run) -> None:
    (line,) = run(FOLDER / "reply_qq_zh.eml")

    assert line["references"] == ["<im.abcdefghijklmnop.abcdefghijklmnop@im.example>"]


def test_a_bounce_and_an_automatic_mail_are_told(run: Run) -> None:
    bounce, away = run(FOLDER / "bounce_qmail.eml", FOLDER / "auto_vacation.eml")

    assert bounce["bounce"] == {
        "message_id": "<im.abcdefghijklmnop.qrstuvwxyz234567@im.example>",
        "recipient": "alice@example.com",
        "status": "5.1.1",
        "final": True,
    }
    assert (away["auto"], away["auto_kind"]) == (True, "auto-replied")


def test_a_sender_is_trusted_by_the_word_of_the_named_server_alone(run: Run) -> None:
    one = FOLDER / "trust_dmarc_pass.eml"
    (unsaid,), (named,) = run(one), run(one, "--trusted-authserv-id", "mx.im.example")
    (set_,), (other,) = run(one, **{mail.AUTHSERV_ID: "mx.im.example"}), run(one, "--trusted-authserv-id", "mx.x")

    assert [line["from_trusted"] for line in (unsaid, named, set_, other)] == [False, True, True, False]


def test_what_the_settings_name_is_believed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Section(BaseModel):
        trusted_authserv_id: str = "mx.im.example"

    def settings(_: typer.Context) -> Settings:
        return Settings(channels={"email": Section()})

    monkeypatch.setattr(mail, "settings_of", settings)
    (line,) = run(FOLDER / "trust_dmarc_pass.eml")

    assert line["from_trusted"] is True


def test_a_hostile_mail_is_a_problem_and_not_the_end(run: Run, tmp_path: Path) -> None:
    """E-20: `ok: false`, and the next line comes."""
    hostile = tmp_path / "a.eml"
    hostile.write_bytes(b"From: a@b.example\r\n" + b"X-A: b\r\n" * 5_000 + b"\r\nHi")
    first, second = run(hostile, FOLDER / "nested.eml")

    assert (first["ok"], first["problem"]) == (False, "more than 1000 header fields")
    assert second["ok"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="nothing else is there for every user, and cannot be read")
def test_a_file_that_cannot_be_read_is_a_line_too(run: Run) -> None:
    one, other = run("/proc/self/mem", FOLDER / "nested.eml")

    assert (one["ok"], one["problem"]) == (False, "cannot be read (Input/output error)")
    assert set(one) == set(other)


def test_a_path_that_is_not_there_is_complained_of(run: Run, tmp_path: Path) -> None:
    with pytest.raises(Complaint, match="there is no such file or folder; correct the path"):
        run(tmp_path / "none.eml")


def test_without_a_package_that_reads_mail_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*, group: str) -> list[object]:
        assert group == mail.GROUP
        return []

    monkeypatch.setattr(mail, "entry_points", none)

    with pytest.raises(Complaint, match="no installed package reads mail: reinstall imconnect"):
        CliRunner().invoke(app(), ["parse", str(FOLDER)], catch_exceptions=False)


def test_a_package_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, "imconnect_email.nowhere:parse")
    first = next(iter(entry_points(group=mail.GROUP)))

    def only(*, group: str) -> list[object]:
        return [first]

    monkeypatch.setattr(mail, "entry_points", only)

    with pytest.raises(Complaint, match=r"imconnect_email\.nowhere"):
        CliRunner().invoke(app(), ["parse", str(FOLDER)], catch_exceptions=False)
