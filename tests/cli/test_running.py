"""A desk in a process of its own: started, worked on from a terminal, and stopped."""

import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import Command, Customer, Desk

Start = Callable[..., Desk]


def address(line: str) -> str:
    return line.split()[1]


def waited_for(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What *look* finds, once it finds something."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return found


def test_a_demo_tells_where_it_is_and_lets_an_agent_in_once(start: Start) -> None:
    desk = start("demo")
    chat, inbox = address(desk.until("  chat ")), address(desk.until("  inbox "))
    link = desk.until("  sign in ").split()[2]
    desk.until("Ctrl-C")
    token = link.partition("token=")[2]

    assert httpx.get(chat).status_code == 200
    assert httpx.get(inbox).status_code == 401
    first = httpx.post(link.partition("?")[0], data={"token": token})
    again = httpx.post(link.partition("?")[0], data={"token": token})
    assert (first.status_code, again.status_code) == (303, 403)
    assert desk.stop(signal.SIGINT) == 0
    assert desk.said[-1] == "imconnect: stopped; everything taken is kept"


def test_an_agents_acts_from_a_terminal_reach_the_customer(
    start: Start, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")  # a reference is what every other command asks for: no list may cut it
    desk = start("run", IMCONNECT_LOG__LEVEL="debug")
    url = address(desk.until("  chat ")).removesuffix("/chat")
    desk.until("Ctrl-C")
    with httpx.Client(base_url=url, headers={"Accept-Language": "en"}) as browser:
        customer = Customer(browser)
        customer.says("I want to talk to a person please")
        listed = waited_for(
            lambda: [one for one in json.loads(command("conversation", "list", "--json").out) if one["place"]]
        )
        reference = listed[0]["reference"]
        assert reference in command("conversation", "list").out
        assert (listed[0]["place"], listed[0]["stage"], listed[0]["agent"]) == (1, "waiting", None)

        def acts(act: str, *words: str, agent: str = "Lin") -> tuple[int, str]:
            ran = command("conversation", act, reference, *words, "--agent", agent)
            return ran.code, (ran.out or ran.err).strip()

        nobody = acts("take")
        command("agent", "add", "Lin")
        command("agent", "add", "Wei")
        done = [
            nobody,
            acts("reply", "Hello"),
            acts("take"),
            acts("take", agent="Wei"),
            acts("reply", " "),
            acts("reply", "Please send legal winner thank year wave sausage worth useful legal winner thank yellow"),
            acts("reply", "The transfer is on its way."),
            acts("note", "Asked the node team."),
        ]
        assert done == [
            (1, "imconnect: Lin: no such agent; add them with `imconnect agent add`"),
            (1, f"imconnect: {reference}: refused: nobody has taken it; take it first"),
            (0, f"{reference}: taken"),
            (1, f"imconnect: {reference}: refused: it is with another agent; ask them to hand it back"),
            (1, f"imconnect: {reference}: refused: there is nothing in it; write something"),
            (1, f"imconnect: {reference}: refused: the text holds a phrase, key, password or code; leave it out"),
            (0, f"{reference}: replied"),
            (0, f"{reference}: noted"),
        ]
        waited_for(lambda: "The transfer is on its way." in customer.page())
        assert "Asked the node team." not in customer.page()

        shown = json.loads(command("conversation", "show", reference, "--json").out)
        assert (shown["stage"], shown["agent"]) == ("with_agent", "Lin")
        assert {"speaker": "note", "text": "Asked the node team."}.items() <= shown["lines"][-1].items()
        assert "The transfer is on its way." in command("conversation", "show", reference).out

        ended = [acts("handback"), acts("resolve", agent="Wei"), acts("reply", "One more thing")]
        assert ended == [
            (0, f"{reference}: handed back"),
            (0, f"{reference}: resolved"),
            (1, f"imconnect: {reference}: refused: it is resolved; it opens again when the customer writes"),
        ]
        assert json.loads(command("conversation", "list", "--json").out) == []
    assert desk.stop() == 0
    assert not any("transfer is on its way" in line or "talk to a person" in line for line in desk.said)


def test_a_conversation_that_is_not_there_is_told_with_where_to_look(command: Command) -> None:
    command("migrate")
    command("agent", "add", "Lin")
    says = "imconnect: IM-NONE: there is no such conversation; see `imconnect conversation list`\n"

    ran = [command("conversation", "show", "IM-NONE"), command("conversation", "take", "IM-NONE", "--agent", "Lin")]

    assert [(one.code, one.err) for one in ran] == [(1, says), (1, says)]


def test_a_second_desk_on_the_same_file_is_refused(start: Start) -> None:
    first = start("run")
    first.until("Ctrl-C")
    second = start("run")

    assert second.ended() == 1
    assert second.said == [
        (
            f"imconnect: database imconnect.db: another desk (process {first.process.pid}) runs on it; stop that one, "
            "or name another file with database.url"
        )
    ]


def test_a_port_that_is_taken_stops_the_start_before_a_database_is_made(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        desk = start("run", IMCONNECT_WEB__PORT=port)

        assert desk.ended() == 1
    assert desk.said == [
        (
            f"imconnect: web.port {port} on 127.0.0.1 cannot be used (Address already in use); "
            "stop the program that has it, or set another"
        )
    ]
    assert not (tmp_path / "imconnect.db").exists()
