"""What tests of this room share."""

from contextlib import ExitStack

import pytest
from web.process import SMALL, Serving


@pytest.fixture(scope="module")
def module_process():
    """A process for all tests of a file."""
    with ExitStack() as stack:
        yield Serving(stack, SMALL)
