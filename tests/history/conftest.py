"""An account with one plant under the limits of newer accounts."""

import pytest
from commands.world import world


@pytest.fixture
def home(tmp_path):
    with world(tmp_path, limits="v6") as made:
        made.configure(account={"limits": "v6"})
        yield made
