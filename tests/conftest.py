"""What every test relies on."""

import pytest

pytest.register_assert_rewrite("imconnect.testing.conformance")
