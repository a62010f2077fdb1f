"""What Prometheus makes of a plant's, an inverter's and a meter's counters, restarts included.

The answers come every half second, as from a server that is asked as fast as it likes: no step is
there for lack of time, and none is hidden by it.
"""

from itertools import pairwise

import pytest
from exposition.world import DEVICES, PLANTS, World

from exporter.northbound.records import Device, Plant

GROWING = (6_925.39, 6_925.5, 6_925.7, 6_925.8, 6_925.9, 6_926.0, 6_926.1)
COUNTERS = {  # interface, what is asked about, the key, and the metric
    "plant": (PLANTS, "P", "total_power", "fusionsolar_plant_energy_joules_total"),
    "inverter": (DEVICES, "1", "total_cap", "fusionsolar_inverter_energy_joules_total"),
    "mppt": (DEVICES, "1", "mppt_3_cap", "fusionsolar_inverter_mppt_energy_joules_total"),
    "meter": (DEVICES, "2", "active_cap", "fusionsolar_meter_positive_active_energy_joules_total"),
}
FAULTS = {
    "a hundred times": (692_560.0,),
    "ten times": (69_256.0,),
    "40 % more": (9_700.0,),
    "two answers long": (9_700.0, 9_700.1),
    "three answers long": (9_700.0, 9_700.1, 9_700.2),
    "in two ways": (9_700.0, 692_560.0, 9_700.2),
    "standing still": (9_700.0,) * 8,
    "a register's end": (42_949_672.95,),
    "no value": (-1.0, -1.0),
    "nothing": (0.0,) * 6,
    "half": (3_462.8, 3_462.9, 3_463.0, 3_463.1, 3_463.2),
    "up and down": (692_560.0, 3_000.2, 9_700.0, 0.0),
    "null": (None, None),
}


class Runs:
    """One account over several processes; what Prometheus scraped of one counter, in kWh."""

    def __init__(self, capacity, counter):
        self.fleet = (
            Plant("P", "Roof", capacity),
            Device("1", "P", 1),
            Device("2", "P", 47),
        )
        self.interface, self.name, self.key, self.metric = COUNTERS[counter]
        self.world, self.samples = World(fleet=self.fleet), []

    def answer(self, value):
        self.world.elapse(0.5)
        values = {} if value is None else {self.key: value}
        self.world.answer(self.interface, [self.name], {self.name: values})
        self.samples += (each / 3.6e6 for each in self.world.series(self.metric).values())

    def restart(self):
        self.world = self.world.restart()

    def increase(self):
        return sum(b - a if b >= a else b for a, b in pairwise(self.samples))


@pytest.mark.parametrize("capacity", [9_900.0, None], ids=["known", "unknown"])
@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_increase_is_the_true_one(fault, counter, capacity):
    answers = (*GROWING[:2], *fault, *GROWING[2:])
    for restart in {None, 2, 3, 2 + len(fault)}:  # before, amid and after the fault
        runs = Runs(capacity, counter)
        for n, value in enumerate(answers):
            if n == restart:
                runs.restart()
            runs.answer(value)
        assert runs.increase() == pytest.approx(GROWING[-1] - GROWING[0])
        assert runs.samples == sorted(runs.samples)


def test_a_sum_that_lacked_a_member_goes_on_where_it_was():
    runs = Runs(9_900.0, "plant")
    for value in (9_000.0, 9_000.5, *(3_000.2,) * 4, 3_000.4, 9_001.0, 9_001.5):
        runs.answer(value)
    assert runs.increase() == pytest.approx(1.5)
