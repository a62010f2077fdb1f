"""What all tests share: importable helpers, logs that do not print, bounded searches."""

import gc
import re
import sys
from hashlib import pbkdf2_hmac
from itertools import count
from pathlib import Path
from secrets import token_hex

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings

sys.path[:0] = [str(Path(__file__).parent)]

from postgres import INITDB, postgres  # noqa: E402  # found by the path above

# Thousands of tests stay to the end: garbage is seldom looked for among all that has lasted.
gc.set_threshold(*gc.get_threshold()[:2], 1_000)


def _drop(*_):
    raise structlog.DropEvent


_SLOW_FILE = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.slow\b", re.MULTILINE)


def pytest_ignore_collect(collection_path, config):
    """Where only fast tests are wanted, files of slow ones are not even imported."""
    if config.option.markexpr == "not slow" and collection_path.suffix == ".py":
        return bool(_SLOW_FILE.search(collection_path.read_text("utf-8"))) or None
    return None


def pytest_collection_modifyitems(items):
    """Files of slow tests come first: of several processes none is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _silence():
    """Nothing is printed, whatever a test before has configured, until one captures the logs."""
    structlog.reset_defaults()
    structlog.configure(processors=[_drop])


@pytest.fixture(scope="session")
def _homes(tmp_path_factory):
    """Where no test reads or leaves anything of a user: a new place for each."""
    directory = tmp_path_factory.mktemp("homes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(directory))  # of processes that outlive a test
        patch.delenv("FUSIONSOLAR_STATE_DIRECTORY", raising=False)
        patch.delenv("STATE_DIRECTORY", raising=False)
        yield (directory / str(n) for n in count())


@pytest.fixture(autouse=True)
def _home_of_its_own(_homes, monkeypatch):
    """What a test keeps without saying where is found by no other."""
    monkeypatch.setenv("XDG_STATE_HOME", str(next(_homes)))


@pytest.fixture(autouse=True)
def digests(monkeypatch):
    """The rounds of each digest of a password that was asked for; one is made of a single round."""
    asked = []

    def quick(name, password, salt, rounds):
        asked.append(rounds)
        return pbkdf2_hmac(name, password, salt, 1)

    monkeypatch.setattr("exporter.northbound.client.pbkdf2_hmac", quick)
    return asked


# Shrinking a simulated day takes minutes: a failure is shown as it was found. Nor is any test about
# how long something takes.
settings.register_profile(
    "project",
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
# A few of them, while something is being written.
settings.register_profile("quick", settings.get_profile("project"), max_examples=10)
# More, and the same in every run, so that a change is judged by what it changes.
settings.register_profile(
    "repeatable", settings.get_profile("project"), derandomize=True, max_examples=100
)
settings.load_profile("project")


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server, one for all tests of a process."""
    if INITDB is None:
        pytest.skip("needs postgresql")
    with postgres() as server:
        yield server


@pytest.fixture
def database_url(postgres_server):
    """An empty database of the test's own."""
    return postgres_server.create(token_hex(8))
