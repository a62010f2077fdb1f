"""What takes minutes, for those who ask for it; and the stack, which takes Debian's packages."""

from pathlib import Path

import pytest
from stack.observations import observe
from stack.services import MISSING, Stack

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def asked(request):
    """Skips, unless these tests were asked for."""
    config = request.config
    named = (config.invocation_params.dir / arg.partition("::")[0] for arg in config.args)
    if not any(path.is_relative_to(HERE) for path in named):
        pytest.skip("takes minutes: make stack-test")


@pytest.fixture(scope="session")
def servers(asked):  # noqa: ARG001  # it is the question whether
    """Skips, where real servers are missing."""
    if MISSING:
        pytest.skip(f"needs Debian's {', '.join(MISSING)}")


@pytest.fixture(scope="session")
def stack(servers, tmp_path_factory):  # noqa: ARG001  # it is the question whether
    """The running stack."""
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def seen(stack):
    """What was seen of it, from good health to trouble and back."""
    return observe(stack)
