"""`explain`: the shape outside programs rely on, field by field."""

import io
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Command
from tests.faults.packs import small_pack

HASH = "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"

ASKED: Sequence[dict[str, str]] = (
    {"conversation": "en", "text": "my transfer has not arrived"},
    {"conversation": "zh", "channel": "telegram", "text": "怎么重置密码", "at": "2026-03-01T12:00:00Z"},
    {"conversation": "en", "text": f"https://etherscan.io/tx/{HASH}", "at": "2026-01-01T00:01:00Z"},
    {"conversation": "en", "text": ADDRESS, "at": "2026-01-01T00:02:00+00:00"},
    {"conversation": "leak", "text": PHRASE},
    {"conversation": "vague", "text": "it does not work"},
    {"conversation": "person", "text": "人工"},
)


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All of it asked at once, in one run."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("explain")
    said = io.StringIO()
    try:
        patch.chdir(folder)
        patch.setattr("sys.argv", ["imconnect", "explain", "--jsonl", "asked.jsonl"])
        patch.setattr("sys.stdout", said)
        Path("asked.jsonl").write_text("\n".join(json.dumps(one) for one in ASKED) + "\n\n", encoding="utf-8")
        from imconnect.cli.main import app

        app(standalone_mode=False)
        assert [path.name for path in folder.iterdir()] == ["asked.jsonl"], "something was stored"
    finally:
        patch.undo()
    return [json.loads(line) for line in said.getvalue().splitlines()]


def test_every_line_has_its_answer_in_order(explained: list[dict[str, Any]]) -> None:
    assert [one["conversation"] for one in explained] == [asked["conversation"] for asked in ASKED]


def test_every_answer_has_every_field(explained: list[dict[str, Any]]) -> None:
    fields = {
        *("conversation", "language", "text", "secret", "details", "links", "topic", "candidates"),
        *("stage", "asked_for", "answer", "priority", "reply"),
    }

    assert [set(one) - {"secret_earlier"} for one in explained] == [fields] * len(ASKED)


def test_a_question_is_placed_answered_and_what_is_missing_asked_for(explained: list[dict[str, Any]]) -> None:
    first = explained[0]

    assert (first["language"], first["topic"], first["answer"]) == ("en", "tx-not-received", "tx-not-received")
    assert (first["stage"], first["asked_for"]) == ("collecting", ["transaction_hash", "chain", "wallet_address"])
    assert first["priority"] == "normal"
    assert first["candidates"][0]["topic"] == "tx-not-received"
    assert 0 < first["candidates"][0]["probability"] <= 1
    assert first["secret"] is None
    assert first["reply"]


def test_another_conversation_is_answered_in_its_own_language(explained: list[dict[str, Any]]) -> None:
    assert (explained[1]["language"], explained[1]["answer"]) == ("zh", "password-reset")


def test_an_explorers_link_counts_as_hash_and_tells_the_chain(explained: list[dict[str, Any]]) -> None:
    link = explained[2]

    assert link["details"]["transaction_hash"] == {"value": HASH, "chain": "ethereum", "problem": None}
    assert link["links"] == [{"host": "etherscan.io", "verdict": "explorer"}]
    assert link["asked_for"] == ["wallet_address"]


def test_a_dialogue_goes_on_until_the_case_is_complete(explained: list[dict[str, Any]]) -> None:
    last = explained[3]

    assert last["details"]["wallet_address"]["value"] == ADDRESS
    assert (last["stage"], last["asked_for"]) == ("waiting", [])


def test_a_secret_is_told_by_its_kind_and_never_shown(explained: list[dict[str, Any]]) -> None:
    leak = explained[4]

    assert leak["secret"] == {"kind": "recovery_phrase", "certainty": "certain"}
    assert (leak["priority"], leak["stage"]) == ("urgent", "waiting")
    assert "sausage" not in json.dumps(explained)


def test_a_vague_message_gets_choices_and_no_answer(explained: list[dict[str, Any]]) -> None:
    vague = explained[5]

    assert (vague["topic"], vague["answer"], vague["stage"]) == (None, None, "clarifying")


def test_who_wants_a_person_is_put_into_the_line(explained: list[dict[str, Any]]) -> None:
    assert explained[6]["stage"] == "waiting"


def test_one_message_is_shown_for_reading(command: Command) -> None:
    ran = command("explain", "怎么重置密码")

    assert ran.code == 0
    assert json.loads(ran.out)["topic"] == "password-reset"
    assert "怎么重置密码" in ran.out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "line 1: must be"),
        ('{"text": "secret words"}', "line 1: must be"),
        ('["secret words"]', "line 1: must be"),
        ('{"conversation": "c", "text": 7}', "line 1: text must be a string"),
        ('{"conversation": "c", "text": "secret words", "at": "noon"}', "line 1: must be"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_by_its_number_and_not_quoted(
    line: str, says: str, tmp_path: Path, command: Command
) -> None:
    (tmp_path / "asked.jsonl").write_text(line, encoding="utf-8")

    ran = command("explain", "--jsonl", "asked.jsonl")

    assert ran.code == 1
    assert ran.err.startswith(f"imconnect: {says}")
    assert ran.err.count("\n") == 1
    assert "secret words" not in ran.err


def test_sqlite_is_not_touched_by_an_explanation(tmp_path: Path, command: Command) -> None:
    command("migrate")
    before = "\n".join(sqlite3.connect(tmp_path / "imconnect.db").iterdump())

    command("explain", "人工")

    assert "\n".join(sqlite3.connect(tmp_path / "imconnect.db").iterdump()) == before


# ------------------------------------------------------------------------------------------------------ second opinion

NOBODY_THERE = {"IMCONNECT_OPINION__URL": "http://127.0.0.1:9/v1", "IMCONNECT_OPINION__MODEL": "small"}


def test_what_a_second_reader_would_be_asked_is_shown_and_nobody_is_asked(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMCONNECT_PACK", str(small_pack(tmp_path)))
    monkeypatch.setenv("IMCONNECT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IMCONNECT_MATCHER", "ngrams")
    plain = json.loads(command("explain", "真人要多少钱").out)
    for name, value in NOBODY_THERE.items():
        monkeypatch.setenv(name, value)
    doubtful = json.loads(command("explain", "真人要多少钱").out)
    sure = json.loads(command("explain", "转账要多少钱").out)

    assert doubtful.pop("second_opinion") == {
        "text": "真人要多少钱",
        "topics": [
            {"id": "fees", "title": "fees zh", "about": "Answer fees."},
            {"id": "human", "title": "human zh", "about": "Answer human."},
        ],
    }
    assert doubtful == plain
    assert (plain["topic"], [one["topic"] for one in plain["candidates"]]) == (None, ["fees", "human"])
    assert (sure["topic"], "second_opinion" in sure) == ("fees", False)
