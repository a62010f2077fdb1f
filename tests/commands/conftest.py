"""Commands set the log up for their process; here many share one."""

import logging

import pytest
import structlog


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
