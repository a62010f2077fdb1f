"""An account with one plant, and the log of the process, which each command sets up."""

import logging

import pytest
import structlog
from commands.world import world


@pytest.fixture
def home(tmp_path):
    with world(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def log_of_the_tests():
    """Leaves the log as it was."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers
    levels = {
        name: logging.getLogger(name).level for name in ("", "asyncio", "urllib3", "exporter")
    }
    yield
    structlog.configure(**before)
    logging.getLogger().handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
