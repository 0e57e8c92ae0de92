"""The pack grows, from a terminal."""

import asyncio
import io
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Command

from imconnect.content import bundled_pack
from imconnect.domain.messages import Address, Handle, Incoming, Language
from imconnect.domain.questions import Became
from imconnect.domain.responder import decide
from imconnect.ports import Received, Settled, SettledQuestion
from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.testing.makers import PLAYBOOK, message

NOW = datetime(2026, 1, 5, tzinfo=UTC)
ODD, WALLET = "blorp the quux my frobnicator", "0x52908400098527886E0F7030069857D2E4169EE7"
ADDED = SettledQuestion("a" * 32, Became.ADDED, "Mei", NOW, "wibble my wobble", "x" * 32, "fees", Language.ENGLISH)
STRANGE = SettledQuestion("b" * 32, Became.OFF_TOPIC, "Mei", NOW, "grault the garply", "y" * 32, None, Language.ENGLISH)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A desk's database, in which one question was not answered and two were added."""
    url = f"sqlite:///{tmp_path}/desk.db"
    monkeypatch.setenv("IMCONNECT_DATABASE__URL", url)
    asyncio.run(fill(url, ADDED, STRANGE))
    return url


async def fill(url: str, *settled: SettledQuestion) -> None:
    store = await SqlStore.open(DatabaseUrl.parse(url), new_reference=lambda: "TW-1")
    address = Address("web", "chat", "ann")
    await store.record([Received(Incoming("1", address, Handle("ann"), f"{ODD} {WALLET}", NOW))], NOW)
    async with store.turn(10, NOW) as turn:
        (case,) = turn.cases
        decision = decide(case.conversation, message(ODD), PLAYBOOK, NOW)
        await turn.apply([Settled(decision.conversation, ((case.events[0].id, decision.outcome, ()),))], NOW)
    for one in settled:
        await store.settle_question(one)
    await store.close()


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundled_pack(), tmp_path / "checkout"))


@pytest.mark.usefixtures("database")
def test_questions_are_exported_without_a_value_of_anybodys(command: Command) -> None:
    ran = command("pack", "questions", "--json")

    assert ran.code == 0
    assert [json.loads(line) for line in ran.out.splitlines()] == [
        {"text": ADDED.text, "label": "fees"},
        {"text": STRANGE.text, "label": None},
        {"text": f"{ODD} …", "proposed": None, "kind": "unanswered", "times": 1},
    ]
    assert ran.err.endswith("1 open questions, 2 added\n")


@pytest.mark.usefixtures("database")
def test_only_what_was_added_can_be_asked_for(command: Command) -> None:
    ran = command("pack", "questions", "--labelled", "--json")

    assert [json.loads(line)["text"] for line in ran.out.splitlines()] == [ADDED.text, STRANGE.text]


@pytest.mark.usefixtures("database")
def test_questions_can_be_read(command: Command) -> None:
    ran = command("pack", "questions")

    assert ran.out.splitlines() == [
        f"added       fees: {ADDED.text}",
        f"added       off topic: {STRANGE.text}",
        f"unanswered   1  {ODD} …",
    ]


@pytest.mark.usefixtures("database")
def test_what_was_added_is_written_into_a_pack_once(command: Command, pack: Path) -> None:
    first, second = command("pack", "gather", str(pack)), command("pack", "gather", str(pack))
    checked = command("pack", "check", str(pack))

    assert first.out == f"{pack}: 2 written (en/topics/fees.txt 1, off-topic.txt 1), 0 there already\n"
    assert second.out == f"{pack}: 0 written, 0 there already\n"
    assert (pack / "en/topics/fees.txt").read_text(encoding="utf-8").count(ADDED.text) == 1
    assert checked.code == 0


@pytest.mark.usefixtures("database")
def test_a_line_that_a_person_took_out_again_stays_out(command: Command, pack: Path) -> None:
    file = pack / "en/topics/fees.txt"
    command("pack", "gather", str(pack))
    file.write_text(
        file.read_text(encoding="utf-8").replace(ADDED.text + "\n", "so it was put better\n"), encoding="utf-8"
    )
    command("pack", "gather", str(pack))

    assert ADDED.text not in file.read_text(encoding="utf-8")
    assert file.read_text(encoding="utf-8").endswith("so it was put better\n")


def test_examples_of_an_unknown_topic_wait_and_are_told(database: str, command: Command, pack: Path) -> None:
    gone = SettledQuestion("c" * 32, Became.ADDED, "Mei", NOW, "quux", "z" * 32, "card-order", Language.ENGLISH)
    asyncio.run(one_more(database, gone))
    ran = command("pack", "gather", str(pack))

    assert ran.code == 0
    assert "1 left out: this pack has no topic card-order; add it, or take them back in the inbox" in ran.err
    assert asyncio.run(unwritten(database)) == ["quux"]


async def one_more(url: str, settled: SettledQuestion) -> None:
    store = await SqlStore.open(DatabaseUrl.parse(url), new_reference=lambda: "TW-1")
    await store.settle_question(settled)
    await store.close()


async def unwritten(url: str) -> list[str]:
    store = await SqlStore.open(DatabaseUrl.parse(url), new_reference=lambda: "TW-1")
    found = [one.text for one in await store.examples() if one.written_at is None]
    await store.close()
    return found


@pytest.mark.usefixtures("database")
def test_a_folder_that_is_no_pack_is_told_in_one_line(command: Command, tmp_path: Path) -> None:
    ran = command("pack", "gather", str(tmp_path / "nowhere"))

    assert ran.code == 1
    assert ran.err.startswith(f"imconnect: pack {tmp_path / 'nowhere'}: ")
    assert ran.err.count("\n") == 1


@pytest.mark.usefixtures("database")
def test_a_file_that_cannot_be_written_is_told_in_one_line_and_nothing_is_marked(
    command: Command, pack: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    ran = command("pack", "gather", str(pack))

    assert ran.code == 1
    assert "cannot be written (Permission denied); check its rights, then gather again" in ran.err
    assert asyncio.run(unwritten(database)) == [ADDED.text, STRANGE.text]


def test_without_a_database_nothing_can_be_gathered(command: Command, pack: Path, tmp_path: Path) -> None:
    ran = command("pack", "gather", str(pack))

    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "migrate" in ran.err


def test_collected_questions_can_be_handed_straight_to_a_comparison(
    database: str, command: Command, pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database
    monkeypatch.setenv("IMCONNECT_CACHE", str(pack.parent / "cache"))
    for file in pack.glob("*/topics/*.txt"):  # so that learning takes a second
        file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8")
    grown = Path(shutil.copytree(pack, pack.parent / "grown"))
    command("pack", "gather", str(grown))
    asked = command("pack", "questions", "--json").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(asked.encode())))
    ran = command("pack", "diff", str(pack), str(grown), "--questions", "-", "--matcher", "ngrams", "--json")
    changed = {line["text"]: line for line in map(json.loads, ran.out.splitlines())}

    assert ran.code == 0
    assert (changed[ADDED.text]["label"], changed[ADDED.text]["new"]) == ("fees", "fees")
    assert changed[ADDED.text]["old"] != "fees"


def test_a_pack_can_be_learnt_before_there_is_a_database(
    command: Command, pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(monkeypatch, pack, tmp_path)
    ran = command("pack", "learn")

    assert ran.code == 0
    assert "learnt; kept in " in ran.out
    assert not (tmp_path / "imconnect.db").exists()


def test_what_was_added_is_learnt_with_the_pack(
    database: str, command: Command, pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of learning is named after what was learnt: another name, another lesson."""
    assert database
    learn(monkeypatch, pack, tmp_path)
    command("pack", "learn")
    with_added = set((tmp_path / "cache").rglob("*"))
    monkeypatch.setenv("IMCONNECT_DATABASE__URL", f"sqlite:///{tmp_path}/none.db")
    command("pack", "learn")

    assert set((tmp_path / "cache").rglob("*")) - with_added


def learn(monkeypatch: pytest.MonkeyPatch, pack: Path, folder: Path) -> None:
    """A pack so thin that it is learnt in a second."""
    for file in pack.glob("*/topics/*.txt"):
        file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8")
    monkeypatch.setenv("IMCONNECT_PACK", str(pack))
    monkeypatch.setenv("IMCONNECT_MATCHER", "ngrams")
    monkeypatch.setenv("IMCONNECT_CACHE", str(folder / "cache"))


@pytest.mark.usefixtures("database")
def test_what_leads_decided_can_be_measured_against(command: Command, tmp_path: Path) -> None:
    decided = tmp_path / "real.jsonl"
    decided.write_text(command("pack", "questions", "--labelled", "--json").out, encoding="utf-8")
    taught = tmp_path / "taught.jsonl"
    rows = [(f"{word} my wobble", "fees") for word in ("wibble", "the", "please")]
    rows += [(f"{word} a password", "password-reset") for word in ("forgot", "reset", "lost")]
    taught.write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in rows), encoding="utf-8")
    ran = command("match", "eval", "--train", str(taught), "--test", str(decided), "--matcher", "ngrams", "--json")

    assert ran.code == 0
    assert json.loads(ran.out)["accuracy"] == 1.0
