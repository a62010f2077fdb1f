"""What the alerts make of the year in its shortened form.

`make year` runs whole years.
"""

import pytest
from year.evaluate import evaluate
from year.seasons import SEASONS

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("name", SEASONS)
def test_alerts_tell_every_fault_in_time_and_nothing_else(name):
    verdict = evaluate(SEASONS[name])
    false = [str(episode) for episode in verdict.false]
    missed = [str(told) for told in verdict.told if not told.in_time]
    assert (false, missed) == ([], [])
