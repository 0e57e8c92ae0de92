"""Each command: what it is for, what it says when all is well, and the one line it says when it is not."""

import json
import logging
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from tests.cli.conftest import Command
from typer.core import TyperGroup

from imconnect.cli.main import app
from imconnect.cli.running import PlacesOnly
from imconnect.content import bundled_pack

TOKEN = "123456:" + "a" * 30


def every_command(group: TyperGroup, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from every_command(found, (*above, name))
        else:
            yield (*above, name)


def all_commands() -> list[str]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return [" ".join(words) for words in every_command(group)]


def test_the_commands_that_programs_rely_on_are_there() -> None:
    promised = {
        *("run", "demo", "doctor", "migrate", "explain", "bench", "pack check", "agent add", "match eval"),
        "mail parse",
        *(f"conversation {act}" for act in ("list", "show", "take", "resolve", "handback", "reply", "note")),
    }

    assert promised <= set(all_commands())


@pytest.mark.parametrize("words", all_commands())
def test_every_command_says_what_it_is_for(words: str, command: Command) -> None:
    ran = command(*words.split(), "--help")

    assert ran.code == 0
    assert re.search(r"Usage: .*\n\s*\n\s*\S+", ran.out)


def test_without_a_command_the_commands_are_listed(command: Command) -> None:
    ran = command()

    assert all(name in ran.out + ran.err for name in ("doctor", "explain", "conversation"))


def test_python_runs_it_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imconnect", "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert done.returncode == 0
    assert "doctor" in done.stdout


# ----------------------------------------------------------------------------------------------------------- complaints

COMPLAINTS = (
    ("explain", "explain takes one message, or --jsonl FILE"),
    ("explain hello --jsonl -", "explain takes one message, or --jsonl FILE"),
    ("explain --jsonl none.jsonl", "none.jsonl: cannot be read (No such file or directory); correct --jsonl"),
    ("run --only nobody", "--only nobody: must be connectors, workers or web"),
    ("run --only web", "--only needs PostgreSQL: SQLite belongs to one process; set database.url"),
    ("--config none.toml doctor", "none.toml: there is no such file; correct --config"),
    ("conversation list", "database sqlite:///imconnect.db: has no tables yet; run: imconnect migrate"),
    ("agent add ", "the name is empty; give the alias customers will read"),
)


@pytest.mark.parametrize(("line", "says"), COMPLAINTS)
def test_what_an_operator_can_mend_is_one_line_and_exit_code_1(line: str, says: str, command: Command) -> None:
    ran = command(*line.split(" "))

    assert (ran.code, ran.err, ran.out) == (1, f"imconnect: {says}\n", "")


def test_a_mistyped_command_is_exit_code_2(command: Command) -> None:
    assert command("explian").code == 2


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("IMCONNECT_WEB__PROT", "1", "web.prot is not a setting; did you mean web.port?"),
        ("IMCONNECT_PACK", "nowhere", "pack: nowhere: there is no such folder; name the folder that holds pack.toml"),
        (
            "IMCONNECT_DATABASE__URL",
            "mysql://u:p@h/n",
            "database.url must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME",
        ),
        (
            "IMCONNECT_DATABASE__URL",
            "sqlite:///none/desk.db",
            "database sqlite:///none/desk.db: cannot be opened; check that the folder exists and is writable",
        ),
        (
            "IMCONNECT_DATABASE__URL",
            "postgresql://u:hush@127.0.0.1:1/n",
            (
                "database postgresql://u:***@127.0.0.1:1/n: "
                "no server answers there; start PostgreSQL or correct database.url"
            ),
        ),
        (
            "IMCONNECT_WEB__HOST",
            "192.0.2.1",
            (
                "web.port 8080 on 192.0.2.1 cannot be used (Cannot assign requested address); "
                "stop the program that has it, or set another"
            ),
        ),
    ],
)
def test_a_desk_that_cannot_start_says_why_in_one_line(
    variable: str, value: str, says: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    ran = command("run")

    assert (ran.code, ran.err) == (1, f"imconnect: {says}\n")


# -------------------------------------------------------------------------------------------------------------- doctor


def test_doctor_finds_a_desk_well_once_its_tables_are_made(command: Command) -> None:
    command("migrate")

    ran = command("doctor")

    assert ran.code == 0
    assert [line[:4] for line in ran.out.splitlines()] == ["ok  "] * 4


@pytest.mark.parametrize(
    ("variable", "value", "subject"),
    [
        ("IMCONNECT_PACK", "nowhere", "pack"),
        ("IMCONNECT_DATABASE__URL", "mysql://u:p@h/n", "database"),
        ("IMCONNECT_DATABASE__URL", "sqlite:///none/desk.db", "database"),
        ("IMCONNECT_TELEGRAM__TOKEN", TOKEN, "telegram.token"),
    ],
)
def test_doctor_names_what_is_not_well_and_only_that(
    variable: str, value: str, subject: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("migrate")
    monkeypatch.setenv(variable, value)
    if "TELEGRAM" in variable:
        monkeypatch.setenv("IMCONNECT_TELEGRAM__API_ROOT", "http://127.0.0.1:1")

    ran = command("doctor")

    failed = [line.removeprefix("FAIL  ").partition(":")[0] for line in ran.out.splitlines() if line.startswith("FAIL")]
    assert (ran.code, failed) == (1, [subject])
    assert TOKEN not in ran.out + ran.err


# ------------------------------------------------------------------------------------------- migrate, pack and agents


def test_migrate_may_be_run_again(command: Command) -> None:
    first, second = command("migrate"), command("migrate")

    assert re.fullmatch(r"sqlite:///imconnect\.db is at revision \d{4}\n", first.out)
    assert (second.code, second.out) == (0, first.out)


def test_pack_check_finds_the_shipped_pack_sound(command: Command) -> None:
    ran = command("pack", "check")

    assert ran.code == 0
    assert re.fullmatch(r".*: no fault; \d+ topics, \d+ phrasings, \d+ off topic\n", ran.out)


def test_pack_check_names_every_fault_of_a_folder(tmp_path: Path, command: Command) -> None:
    spoiled = tmp_path / "pack"
    spoiled.mkdir()
    (spoiled / "pack.toml").write_text('nmae = "Purse"\n', encoding="utf-8")

    ran = command("pack", "check", str(spoiled))

    assert ran.code == 1
    assert ran.out.startswith("pack.toml")


def test_an_agent_is_given_a_link_and_the_database_only_its_hash(tmp_path: Path, command: Command) -> None:
    ran = command("agent", "add", "Lin")

    found = re.fullmatch(r"http://127\.0\.0\.1:8080/inbox/sign-in\?token=([\w-]{32})\n", ran.out)
    assert found is not None
    kept = sqlite3.connect(tmp_path / "imconnect.db")
    everything = "\n".join(kept.iterdump())
    kept.close()
    assert "Lin" in everything
    assert found[1] not in everything


def test_a_sign_in_link_begins_with_the_public_address(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMCONNECT_WEB__PUBLIC_URL", "https://desk.example/")

    assert command("agent", "add", "Lin").out.startswith("https://desk.example/inbox/sign-in?token=")


def test_match_eval_measures_questions_of_ones_own(tmp_path: Path, command: Command) -> None:
    questions = {"fees": ("what does it cost", "how much is the fee"), "sign-in": ("cannot sign in", "login fails")}
    rows = [{"text": text, "label": label} for label, texts in questions.items() for text in texts]
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    train.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    test.write_text("\n".join(json.dumps(row) for row in [*rows, {"text": "lovely weather", "label": None}]), "utf-8")

    ran = command("match", "eval", "--train", str(train), "--test", str(test), "--json")

    assert ran.code == 0
    assert json.loads(ran.out)["accuracy"] >= 0.5


def test_the_shipped_pack_lies_where_the_program_looks() -> None:
    assert (bundled_pack() / "pack.toml").is_file()


# ---------------------------------------------------------------------------------------------------------------- logs


def test_a_librarys_error_is_logged_by_its_place_and_never_in_its_words() -> None:
    error = ValueError("DETAIL: Failing row contains (what a customer wrote)")
    record = logging.LogRecord(
        "uvicorn.error", logging.ERROR, __file__, 1, "Exception in %s", ("app",), (type(error), error, None)
    )

    told = PlacesOnly().format(record)

    assert "a customer wrote" not in told
    assert re.search(r"uvicorn\.error ERROR Exception in app: ValueError at", told)


def test_of_a_task_nobody_waited_for_only_the_first_line_is_logged() -> None:
    text = "Task exception was never retrieved\nfuture: <Task exception=ValueError('what a customer wrote')>"

    told = PlacesOnly().format(logging.LogRecord("asyncio", logging.ERROR, __file__, 1, text, None, None))

    assert told.endswith("asyncio ERROR Task exception was never retrieved")


def test_a_defect_is_told_by_its_places_and_never_in_its_words(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(*_: object) -> None:
        raise LookupError("what a customer wrote")

    monkeypatch.setattr(sys.modules["imconnect.cli.main"], "app", spoilt)

    ran = command("doctor")

    assert (ran.code, ran.err.splitlines()[-1]) == (
        1,
        "imconnect: a defect: LookupError; please report the lines above",
    )
    assert "in spoilt" in ran.err
    assert "what a customer wrote" not in ran.err.replace('raise LookupError("what a customer wrote")', "")
