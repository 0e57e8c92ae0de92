"""What an agent and an operator do from a terminal, on the database of a desk."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Command

from imconnect.storage import DatabaseUrl, SqlStore
from imconnect.testing.makers import NOON, received


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """No desk is running here: nobody waits for a turn."""
    monkeypatch.setattr("imconnect.desk.agents.PATIENCE_SECONDS", 0.0)


async def _store(folder: Path) -> SqlStore:
    return await SqlStore.open(DatabaseUrl.parse(f"sqlite:///{folder}/imconnect.db"), new_reference=lambda: "IM-1001")


@pytest.fixture
def case(tmp_path: Path, command: Command) -> str:
    """A conversation, and the agents Lin and Mei."""
    for name in ("Lin", "Mei"):
        assert command("agent", "add", name).code == 0

    async def said() -> None:
        store = await _store(tmp_path)
        await store.record([received("where is my transfer")], NOON)
        await store.close()

    asyncio.run(said())
    return "IM-1001"


def _acts(folder: Path) -> list[str]:
    """The kinds of what waits for its turn."""

    async def waiting() -> list[str]:
        store = await _store(folder)
        async with store.turn(9, NOON) as turn:
            kinds = [type(pending.event).__name__ for found in turn.cases for pending in found.events]
        await store.close()
        return kinds

    return asyncio.run(waiting())


def test_agents_are_listed_with_their_handles(command: Command, case: str) -> None:
    command("agent", "link", "Mei", "telegram", "4711")
    shown = json.loads(command("agent", "list", "--json").out)

    assert shown == [
        {"name": "Lin", "handles": []},
        {"name": "Mei", "handles": [{"channel": "telegram", "handle": "4711"}]},
    ]
    assert command("agent", "list").out.splitlines() == ["Lin", "Mei  telegram:4711"]


def test_a_handle_belongs_to_one_agent_at_a_time_and_to_nobody_once_unlinked(command: Command, case: str) -> None:
    command("agent", "link", "Mei", "telegram", "4711")
    command("agent", "link", "Lin", "telegram", "4711")
    moved = command("agent", "list").out.splitlines()
    unlinked = command("agent", "unlink", "telegram", "4711")
    again = command("agent", "unlink", "telegram", "4711")

    assert moved == ["Lin  telegram:4711", "Mei"]
    assert (unlinked.code, again.code) == (0, 1)
    assert "is no agent's" in again.err


def test_a_handle_is_linked_to_an_agent_there_is(command: Command, case: str) -> None:
    ran = command("agent", "link", "Nobody", "telegram", "4711")

    assert (ran.code, ran.err) == (1, "imconnect: Nobody: no such agent; add them with `imconnect agent add`\n")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("transfer", "Mei"), "AgentTransferred"),
        (("snippet", "fees"), "AgentSentSnippet"),
        (("admit", "ben"), "AgentAdmitted"),
    ],
)
def test_what_names_something_is_recorded(
    tmp_path: Path, command: Command, case: str, words: tuple[str, str], kind: str
) -> None:
    ran = command("conversation", words[0], case, words[1], "--agent", "Lin")

    assert (ran.code, kind in _acts(tmp_path)) == (0, True)


def test_nobody_can_be_handed_a_case_who_is_not_there(tmp_path: Path, command: Command, case: str) -> None:
    ran = command("conversation", "transfer", case, "Nobody", "--agent", "Lin")

    assert ran.code == 1
    assert "there is no agent of that name" in ran.err
    assert "AgentTransferred" not in _acts(tmp_path)


def test_a_link_that_is_not_ours_is_sent_only_if_its_host_is_named(tmp_path: Path, command: Command, case: str) -> None:
    """S-14: the second click of a terminal."""
    text = "see https://unheard-of.example.org/x"
    stopped = command("conversation", "reply", case, text, "--agent", "Lin")
    before = _acts(tmp_path)
    other = command("conversation", "reply", case, text, "--agent", "Lin", "--anyway", "other.example.org")
    sent = command("conversation", "reply", case, text, "--agent", "Lin", "--anyway", "unheard-of.example.org")

    assert (stopped.code, other.code, sent.code) == (1, 1, 0)
    assert "links to unheard-of.example.org, which is not on the official list" in stopped.err
    assert "AgentReplied" not in before
    assert _acts(tmp_path).count("AgentReplied") == 1


def test_a_link_that_deceives_is_not_sent_at_all(command: Command, case: str) -> None:
    """S-14: look-alike and IP hosts are refused."""
    ran = command("conversation", "reply", case, "see http://192.0.2.7/", "--agent", "Lin", "--anyway", "192.0.2.7")

    assert ran.code == 1
    assert "take the link out" in ran.err
