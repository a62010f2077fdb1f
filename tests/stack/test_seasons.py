"""The alerts over the short scenarios of the simulated year.

`make year` runs whole years.
"""

import pytest
from year.evaluate import evaluate
from year.seasons import SEASONS

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("name", SEASONS)
def test_alerts_report_every_fault_in_time_and_nothing_else(name):
    assessment = evaluate(SEASONS[name])
    false = [str(episode) for episode in assessment.false_alerts]
    missed = [str(each) for each in assessment.detections if not each.in_time]
    assert (false, missed) == ([], [])
