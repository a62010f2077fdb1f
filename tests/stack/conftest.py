"""Fixtures of tests that take minutes, and of the stack, which needs Debian's packages."""

from pathlib import Path

import pytest
from stack.observations import observe
from stack.services import MISSING, Stack

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def requested(request):
    """Skips unless these tests were requested by their path."""
    config = request.config
    paths = (config.invocation_params.dir / arg.partition("::")[0] for arg in config.args)
    if not any(path.is_relative_to(HERE) for path in paths):
        pytest.skip("takes minutes: make stack-test")


@pytest.fixture(scope="session")
def servers(requested):  # noqa: ARG001  # for its skip
    """Skips, where real servers are missing."""
    if MISSING:
        pytest.skip(f"needs Debian's {', '.join(MISSING)}")


@pytest.fixture(scope="session")
def stack(servers, tmp_path_factory):  # noqa: ARG001  # for its skip
    """The running stack."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def observed(stack):
    """What was observed of it, from good health to trouble and back."""
    return observe(stack)
