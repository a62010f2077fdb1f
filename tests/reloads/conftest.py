"""What every test of a reload starts from."""

import pytest
from daemon import PASSWORD, refusals, serving, system
from reloads.running import Running, wait_until_restored

from exporter.simulator.http.system import User


@pytest.fixture
def management():
    return system(plants=1, users={"api": User(PASSWORD), "other": User(PASSWORD)})


@pytest.fixture
def server(management):
    with serving(management) as server:
        yield server
    assert set(refusals(management).values()) <= {0}


@pytest.fixture(params=["directory", "none"])
def state(request, tmp_path):
    return tmp_path / "state" if request.param == "directory" else None


@pytest.fixture
def start_accounts(request):
    """Starts a daemon's inside that ends with the test."""

    def start(state, *accounts, **more):
        running = Running(state, *accounts, **more)
        request.addfinalizer(running.stop)
        return running

    return start


@pytest.fixture
def run(start_accounts):
    """Starts a daemon's inside, and waits until it has restored what it knew."""
    return lambda *args, **more: wait_until_restored(start_accounts(*args, **more))
