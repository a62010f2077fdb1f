"""What the alerts make of the year in its shortened form.

`make year` runs whole years. What the rules cannot do yet stands in KNOWN, and must leave it when
they can.
"""

import shutil

import pytest
from year.evaluate import evaluate
from year.seasons import SEASONS

pytestmark = pytest.mark.slow
needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus")),
    reason="prometheus is not installed",
)


# What still fires for no reason, and which faults are still missed.
KNOWN = {
    # A plant that sleeps under snow is disconnected by day, and so is its meter.
    "snow in Bavaria": ({"PlantDisconnected", "MeterOffline"}, set()),
    # In the frost a battery takes nothing, and for a while after it.
    "melt in the far north": ({"BatteryNotCharging"}, set()),
    # Nothing is there to compare the only inverter of a plant with.
    "storms in Singapore": (set(), {"only inverter at half"}),
}


@needs_prometheus
@pytest.mark.parametrize("name", SEASONS)
def test_alerts_tell_every_fault_in_time_and_nothing_else(name):
    verdict = evaluate(SEASONS[name])
    false = {episode.name for episode in verdict.false}
    missed = {each.fault.kind.name for each in verdict.told if not each.in_time}
    assert (false, missed) == KNOWN.get(name, (set(), set())), "\n".join(
        map(str, [*verdict.false, *verdict.told])
    )
