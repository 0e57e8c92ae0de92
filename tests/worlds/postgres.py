"""A PostgreSQL server of the tests' own: made in a temporary folder, without fsync, gone afterwards."""

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine
from tests.worlds.needs import POSTGRES

OWNER = "postgres"
"""The account the server runs under where the tests run as root: PostgreSQL refuses to."""


@dataclass(slots=True)
class Cluster:
    """A running server. Anybody on this machine may connect as `postgres`."""

    folder: Path
    port: int
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    async def create(self, template: str = "template1") -> str:
        """Make a database like *template*; returns its name."""
        name = f"scratch_{next(self._numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    async def drop(self, name: str) -> None:
        await self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def run(self, statement: str, database: str = "postgres") -> None:
        url = self.url(database).replace("postgresql:", "postgresql+asyncpg:")
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.exec_driver_sql(statement)
        await engine.dispose()

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            "-c fsync=off -c full_page_writes=off -c max_connections=200"
        )
        _as_owner(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def stop(self) -> None:
        """End it at once, as a power cut would."""
        _as_owner("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")


@contextmanager
def running_cluster() -> Generator[Cluster]:
    """A server that runs until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="imconnect-pg-"))
    try:
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        _as_owner(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8",
            "--locale=C.UTF-8",
        )  # fmt: skip
        cluster = Cluster(folder, _free_port())
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_owner(program: str, *arguments: str) -> None:
    if POSTGRES is None:
        raise RuntimeError("PostgreSQL's server programs are not installed")
    command = [str(POSTGRES / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", OWNER, "--", *command]
    # The server inherits what it is given: a pipe would stay open for as long as it runs.
    subprocess.run(
        command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
