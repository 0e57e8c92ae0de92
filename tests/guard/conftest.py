"""One guard for all: it keeps no state."""

import pytest

from imconnect.guard import Guard


@pytest.fixture(scope="session")
def guard() -> Guard:
    return Guard()
