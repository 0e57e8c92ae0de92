"""Commands as an operator gives them, and a desk that runs meanwhile."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import httpx
import pytest
import structlog

from imconnect.cli import main

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """In an empty folder, with no settings of this machine's, and the matcher that takes neither seconds nor memory."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("IMCONNECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IMCONNECT_MATCHER", "ngrams")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Generator[Command]:
    """Runs `imconnect` with these words."""

    def run(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["imconnect", *words])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    yield run
    structlog.reset_defaults()  # `run` has logs go to a standard error that is gone by now


class Desk:
    """A desk in a process of its own. What it says on standard error is read as it comes."""

    def __init__(self, folder: Path, words: tuple[str, ...], environ: Mapping[str, str]) -> None:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("IMCONNECT_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "imconnect", *words],
            cwd=folder,
            env={**plain, **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._lines: Queue[str | None] = Queue()
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def until(self, sign: str) -> str:
        """The first line from now on with *sign* in it."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_SECONDS)
            except Empty:
                line = None
            assert line is not None, f"never said {sign!r}: {self.said}"
            self.said.append(line)
            if sign in line:
                return line

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(by)
        return self.ended()

    def ended(self) -> int:
        code = self.process.wait(PATIENCE_SECONDS)
        self._reading.join(PATIENCE_SECONDS)
        while (line := self._lines.get(timeout=PATIENCE_SECONDS)) is not None:
            self.said.append(line)
        return code

    def be_rid_of(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reading.join()
        if self.process.stderr is not None:
            self.process.stderr.close()


@pytest.fixture
def start(tmp_path: Path) -> Generator[Callable[..., Desk]]:
    """Starts desks; those still running at the end are killed."""
    desks: list[Desk] = []

    def begin(*words: str, **environ: str) -> Desk:
        desk = Desk(tmp_path, words, {"IMCONNECT_WEB__PORT": "0", "IMCONNECT_MATCHER": "ngrams", **environ})
        desks.append(desk)
        return desk

    yield begin
    for desk in desks:
        desk.be_rid_of()


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody at the chat page, without scripts."""

    browser: httpx.Client

    def says(self, text: str) -> None:
        page = self.browser.get("/chat").text
        field = re.search(r'id="composer".*?name="id" value="([^"]+)"', page, re.DOTALL)
        assert field is not None
        answer = self.browser.post("/chat/messages", data={"id": field[1], "text": text})
        assert answer.status_code == 303

    def page(self) -> str:
        return self.browser.get("/chat").text
