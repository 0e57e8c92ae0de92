"""What some tests cannot have on every machine: skipped by name there, with the command that installs it.

With `IMCONNECT_TEST_ALL=1` nothing is skipped: what is missing fails the tests that need it.
"""

import os
import shutil
from pathlib import Path

import pytest

ALL = os.environ.get("IMCONNECT_TEST_ALL") == "1"


def _found(names: tuple[str, ...]) -> Path | None:
    paths = (shutil.which(name) for name in names)
    return next((Path(path) for path in paths if path), None)


def _postgres() -> Path | None:
    """The folder of the server's programs; Debian keeps them off the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = debian[-1] if debian else _found(("initdb",))
    return initdb.parent if initdb else None


CHROMIUM = _found(("chromium", "chromium-browser", "google-chrome"))
POSTGRES = _postgres()

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not ALL,
    reason="no Chromium here: apt-get install -y --no-install-recommends chromium fonts-noto-cjk",
)
needs_postgres = pytest.mark.skipif(
    POSTGRES is None and not ALL,
    reason="no PostgreSQL server here: apt-get install -y --no-install-recommends postgresql",
)
