"""What an operator or the machine can get wrong: one line that names it and the cure, and nothing lost."""

import asyncio
import contextlib
import os
import resource
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from tests.faults.desks import Desk, Desks, desks_in, environment
from tests.faults.packs import small_pack
from tests.worlds.counterparty import Loft, open_loft
from tests.worlds.needs import needs_postgres
from tests.worlds.postgres import Cluster, running_cluster


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return small_pack(tmp_path)


async def _complaint(desks: Desks, *arguments: str, **settings: str) -> str:
    """What a desk that cannot start says: one line, and exit code 1."""
    desk = await desks.start(*arguments, **settings)
    code = await desk.ended()
    lines = desk.says().splitlines()
    assert (code, len(lines)) == (1, 1), desk.says()
    return lines[0]


async def _works(desks: Desks, loft: Loft, **settings: str) -> Desk:
    """A desk that starts and answers; what was written meanwhile arrives."""
    desk = await desks.start(**settings)
    written = len(loft.letters)
    await loft.until(lambda loft: loft.acknowledged >= written and len(loft.shown) >= written)
    return desk


# ------------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "named", "cure"),
    [
        ({"web__prot": "8080"}, "web.prot", "did you mean web.port?"),
        ({"colour": "red"}, "colour", "known are:"),
        ({"web__port": "eighty"}, "web.port", "should be a valid integer"),
        ({"log__level": "loud"}, "log.level", "'debug', 'info'"),
        ({"pigeon__keyed": "true"}, "pigeon.url", "IMCONNECT_PIGEON__URL"),
        ({"database__url": "mysql://there"}, "database.url", "sqlite:///PATH or postgresql://"),
        ({"database__url": "sqlite://"}, "database.url", "sqlite:///imconnect.db"),
    ],
)
async def test_a_wrong_variable_stops_the_start_with_its_name_and_the_cure(
    tmp_path: Path, pack: Path, settings: dict[str, str], named: str, cure: str
) -> None:
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, **settings)

        assert named in said
        assert cure in said


@pytest.mark.parametrize(
    ("file", "named"),
    [("[web]\nprot = 8080\n", "web.prot"), ('[web]\nport = "eighty"\n', "web.port"), ("[web\n", "imconnect.toml")],
)
async def test_a_wrong_settings_file_stops_the_start_with_what_is_wrong_in_it(
    tmp_path: Path, pack: Path, file: str, named: str
) -> None:
    (tmp_path / "imconnect.toml").write_text(file, encoding="utf-8")
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        del desks.settings["web.port"]
        said = await _complaint(desks)

        assert named in said


async def test_half_a_channel_in_the_file_is_not_taken_for_a_channel_that_is_off(tmp_path: Path, pack: Path) -> None:
    (tmp_path / "imconnect.toml").write_text('[telegram]\nmode = "poll"\n', encoding="utf-8")
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks)

        assert "telegram.token is missing" in said


# ----------------------------------------------------------------------------------------------------------- the pack


async def test_a_pack_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    async with desks_in(tmp_path, {"pack": str(tmp_path / "nowhere")}) as desks:
        said = await _complaint(desks)

        assert "nowhere" in said


async def test_a_spoiled_pack_stops_the_start_with_the_file_that_is_wrong(tmp_path: Path, pack: Path) -> None:
    (pack / "zh" / "notices" / "welcome.md").unlink()
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks)

        assert "zh/notices/welcome.md" in said


# --------------------------------------------------------------------------------------------------- the SQLite file


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, pack: Path) -> None:
    other = tmp_path / "a.db"
    other.write_bytes(b"minutes of the meeting\n" * 500)
    before = other.read_bytes()
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks)

        assert "not a SQLite database" in said
        assert "database.url" in said
        assert other.read_bytes() == before


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path, pack: Path) -> None:
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, database__url=f"sqlite:///{tmp_path}/none/a.db")

        assert "none/a.db" in said
        assert "check that the folder exists" in said


@pytest.fixture
def read_only(tmp_path: Path) -> Generator[Path]:
    """A folder nobody can write to: root is not stopped by modes, only by the mount."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid() == 0:
        _mount(folder, "ro,size=64k")
    else:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield folder
    if os.geteuid() == 0:
        subprocess.run(["umount", str(folder)], check=True)
    else:
        folder.chmod(stat.S_IRWXU)


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, pack: Path, read_only: Path) -> None:
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, database__url=f"sqlite:///{read_only}/a.db")

        assert "read-only/a.db" in said
        assert "writable" in said


async def test_a_locked_database_stops_the_start_and_nothing_is_lost(tmp_path: Path, pack: Path) -> None:
    async with open_loft() as loft, desks_in(tmp_path, {"pack": str(pack), "pigeon.url": loft.url}) as desks:
        await loft.write("ann", "start", "start")
        first = await _works(desks, loft)
        await first.stop()
        with sqlite3.connect(tmp_path / "a.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            await loft.write("ann", "thanks")
            desk = await desks.start()
            code = await desk.ended()
        other.close()
        complaints = desk.says().splitlines()
        last = await _works(desks, loft)
        await last.stop()

        assert code == 1
        assert len(complaints) == 1
        assert "locked by another program; end it" in complaints[0]
        assert loft.shown_to("ann") == ["welcome en", "thanks en"]


async def test_a_database_locked_while_the_desk_runs_holds_it_up_and_loses_nothing(tmp_path: Path, pack: Path) -> None:
    async with open_loft() as loft, desks_in(tmp_path, {"pack": str(pack), "pigeon.url": loft.url}) as desks:
        await loft.write("ann", "start", "start")
        desk = await _works(desks, loft)
        with sqlite3.connect(tmp_path / "a.db", isolation_level=None, timeout=30) as other:
            other.execute("BEGIN IMMEDIATE")
            await loft.write("ann", "thanks")
            await _until(lambda: "locked by another program" in desk.says())
            acknowledged = loft.acknowledged
            other.execute("ROLLBACK")
        other.close()
        await loft.until(lambda loft: len(loft.shown) == 2)
        code = await desk.stop()

        assert acknowledged == 1
        assert loft.shown_to("ann") == ["welcome en", "thanks en"]
        assert code == 0


async def test_a_second_desk_on_the_same_file_is_refused_and_the_first_goes_on(tmp_path: Path, pack: Path) -> None:
    async with open_loft() as loft, desks_in(tmp_path, {"pack": str(pack), "pigeon.url": loft.url}) as desks:
        first = await desks.start()
        await first.ready()
        said = await _complaint(desks)
        await loft.write("ann", "start", "start")
        await loft.until(lambda loft: len(loft.shown) == 1)
        await first.stop()

        assert f"process {first.process.pid}" in said
        assert "database.url" in said


# ----------------------------------------------------------------------------------------------------- a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A disk of its own, of which a test can take the last byte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk: run the tests as root")
    _mount(folder, "size=8m")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_holds_the_desk_up_and_loses_nothing(tmp_path: Path, pack: Path, small_disk: Path) -> None:
    settings = {"pack": str(pack), "database.url": f"sqlite:///{small_disk}/a.db"}
    async with open_loft() as loft, desks_in(tmp_path, {**settings, "pigeon.url": loft.url}) as desks:
        await loft.write("ann", "start", "start")
        desk = await _works(desks, loft)
        _fill(small_disk)
        for number in range(60):
            await loft.write(f"peer-{number}", "start", "start")
        await _until(lambda: "the disk is full; free some space" in desk.says())
        acknowledged, shown = loft.acknowledged, len(loft.shown)
        (small_disk / "filler").unlink()
        await loft.until(lambda loft: len(loft.shown) == 61)
        code = await desk.stop()

        assert acknowledged < 61
        assert shown < 61
        assert loft.repeats() == 0
        assert code == 0


async def test_a_disk_that_is_full_at_the_start_stops_it(tmp_path: Path, pack: Path, small_disk: Path) -> None:
    _fill(small_disk)
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, database__url=f"sqlite:///{small_disk}/a.db")

        assert "the disk is full; free some space" in said


def test_a_file_that_may_not_grow_stops_the_start(tmp_path: Path, pack: Path) -> None:
    settings = {"pack": str(pack), "database.url": f"sqlite:///{tmp_path}/a.db", "web.port": "0"}
    ended = subprocess.run(
        [sys.executable, "-m", "imconnect", "migrate"],
        cwd=tmp_path, env=environment(settings), capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (32_768, 32_768)),
    )  # fmt: skip

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "disk" in ended.stderr


# ----------------------------------------------------------------------------------------------------------- the rest


async def test_a_taken_port_stops_the_start_before_anything_is_written(tmp_path: Path, pack: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
            said = await _complaint(desks, web__port=str(port))

        assert f"web.port {port}" in said
        assert "stop the program that has it, or set another" in said
        assert not (tmp_path / "a.db").exists()


async def test_part_of_a_desk_does_not_run_on_sqlite(tmp_path: Path, pack: Path) -> None:
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, "--only", "workers")

        assert "--only needs PostgreSQL" in said
        assert "database.url" in said


async def test_a_part_that_does_not_exist_is_refused(tmp_path: Path, pack: Path) -> None:
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, "--only", "cooks")

        assert "--only cooks" in said
        assert "connectors, workers or web" in said


# --------------------------------------------------------------------------------------------------------- PostgreSQL


async def test_a_server_that_does_not_answer_stops_the_start(tmp_path: Path, pack: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
            said = await _complaint(desks, database__url=f"postgresql://desk:hunter2@127.0.0.1:{port}/desk")

        assert "no server answers there; start PostgreSQL or correct database.url" in said
        assert "hunter2" not in said


@needs_postgres
async def test_a_database_that_is_not_there_is_named(tmp_path: Path, pack: Path, cluster: Cluster) -> None:
    async with desks_in(tmp_path, {"pack": str(pack)}) as desks:
        said = await _complaint(desks, database__url=cluster.url("nowhere"))

        assert "/nowhere: does not exist; create it or correct database.url" in said


@pytest.fixture
def own_cluster() -> Generator[Cluster]:
    """A server that only this test uses, and may stop."""
    with running_cluster() as cluster:
        yield cluster


@needs_postgres
async def test_a_server_that_goes_away_and_comes_back_holds_the_desk_up_and_loses_nothing(
    tmp_path: Path, pack: Path, own_cluster: Cluster
) -> None:
    settings = {"pack": str(pack), "database.url": own_cluster.url("postgres")}
    async with open_loft() as loft, desks_in(tmp_path, {**settings, "pigeon.url": loft.url}) as desks:
        await loft.write("ann", "start", "start")
        desk = await _works(desks, loft)
        own_cluster.stop()
        await loft.write("ann", "thanks")
        await _until(lambda: "store unavailable" in desk.says())
        acknowledged = loft.acknowledged
        own_cluster.start()
        await loft.until(lambda loft: len(loft.shown) == 2)
        await loft.write("ann", "start", "start")
        await loft.until(lambda loft: len(loft.shown) == 3)
        code = await desk.stop()

        assert acknowledged == 1
        assert loft.shown_to("ann") == ["welcome en", "thanks en", "welcome en"]
        assert code == 0
        assert "Traceback" not in desk.says()


# -------------------------------------------------------------------------------------------------------------- parts


def _mount(folder: Path, options: str) -> None:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("this machine lets nobody mount: run the tests where root may")


def _fill(disk: Path) -> None:
    """To the last block, whatever the desk writes meanwhile."""
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 4096)


async def _until(happened: Callable[[], bool], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not happened():  # noqa: ASYNC110 - it is another process that makes it happen
            await asyncio.sleep(0.05)
