"""What tests of the e-mail channel share: two mail servers for all of them, and an authority."""

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.worlds.mail import Authority, MailServers, running_mail


@pytest.fixture(scope="session")
def mail_servers() -> Generator[MailServers]:
    """Dovecot and Postfix; tests that use them are marked `needs_mail_servers`."""
    with running_mail() as servers:
        yield servers


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority for servers that are scripted."""
    folder: Path = tmp_path_factory.mktemp("authority")
    return Authority.made_in(folder)
