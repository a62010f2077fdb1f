"""What tests of this room share."""

import pytest


@pytest.fixture
def path(tmp_path):
    """Where the state of an account is kept."""
    return tmp_path / "state" / "account.sqlite"
