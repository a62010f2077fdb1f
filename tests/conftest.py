"""What all tests share: importable helpers, logs that do not print, bounded searches."""

import sys
from pathlib import Path

import structlog
from hypothesis import Phase, settings

sys.path[:0] = [str(Path(__file__).parent)]


def _drop(*_):
    raise structlog.DropEvent


# capture_logs replaces the processors; until then nothing is printed.
structlog.configure(processors=[_drop])

# Shrinking a simulated day takes minutes: a failure is shown as it was found. Nor is any test about
# how long something takes.
settings.register_profile(
    "project", phases=[Phase.explicit, Phase.reuse, Phase.generate], deadline=None
)
settings.load_profile("project")
