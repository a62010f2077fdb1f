"""The year in its shortened form: some days of each climate, and what the alerts make of them.

`make year` runs whole years. What the rules cannot do yet stands in KNOWN, and must leave it when
they can.
"""

import shutil
from dataclasses import replace

import pytest
from year.evaluate import evaluate
from year.world import Scene, Window

pytestmark = pytest.mark.slow
needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus")),
    reason="prometheus is not installed",
)


def days(first, last):
    return Window(first - 15, first, last)


DESERT = Scene("desert", days(200, 210), kinds=("home", "placeless"), turn=2)
# With and without what the exporter has learned to expect.
SEASONS = {
    "snow in Bavaria": Scene("bavaria", days(20, 30), kinds=("cottage", "eastwest", "farm")),
    "melt in the far north": Scene("arctic", days(112, 122), kinds=("home", "cottage"), turn=3),
    "storms in Singapore": Scene("singapore", days(150, 160), kinds=("eastwest", "wall"), turn=1),
    "summer in Texas": Scene("texas", days(172, 179), kinds=("limited", "clipped", "field")),
    "winter in the desert": DESERT,
    "winter in the desert, nothing expected": replace(DESERT, expecting=False),
}

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
