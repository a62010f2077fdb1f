"""The stack, for those who ask for it: it takes a minute, and Debian's packages."""

from pathlib import Path

import pytest
from stack.observations import observe
from stack.services import MISSING, Stack

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def stack(request, tmp_path_factory):
    """The running stack."""
    config = request.config
    asked = (config.invocation_params.dir / arg.partition("::")[0] for arg in config.args)
    if not any(path.is_relative_to(HERE) for path in asked):
        pytest.skip("takes a minute and real servers: make stack-test")
    if MISSING:
        pytest.skip(f"needs Debian's {', '.join(MISSING)}")
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def seen(stack):
    """What was seen of it, from good health to trouble and back."""
    return observe(stack)
