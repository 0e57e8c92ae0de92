"""What some tests cannot have on every machine: skipped by name there, with the command that installs it.

With `IMCONNECT_TEST_ALL=1` nothing is skipped: what is missing fails the tests that need it.
"""

import os
import shutil
import subprocess
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


def _server(name: str) -> Path | None:
    """Programs for administrators are not on everybody's path."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def _version_of(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout


def _no_mail_servers() -> str:
    """Why Dovecot and Postfix cannot be run here, and the cure; nothing if they can."""
    if DOVECOT is None or DOVEADM is None or POSTFIX is None:
        return (
            "no mail servers here: apt-get install -y --no-install-recommends dovecot-imapd dovecot-lmtpd postfix "
            "(scripts/install-worlds does it without starting them)"
        )
    if not _version_of(DOVECOT).startswith("2.3."):
        return (
            "the mail world is written for Dovecot 2.3, whose settings 2.4 does not read: use Debian 12 or Ubuntu 24.04"
        )
    return "" if os.geteuid() == 0 else "Postfix starts for root alone: run these tests as root"


DOVECOT, DOVEADM, POSTFIX = _server("dovecot"), _server("doveadm"), _server("postfix")
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
needs_mail_servers = pytest.mark.skipif(bool(_no_mail_servers()) and not ALL, reason=_no_mail_servers() or "none")
