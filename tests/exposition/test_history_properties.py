"""Whatever happens to an account, restarts included: a sound page, the same after each."""

import pytest
from exposition.world import DAYS, DEVICE_DAYS, DEVICES, PLANTS, World
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Format
from exporter.northbound.records import Alarm, Device, Plant

pytestmark = pytest.mark.slow

NAMES = "1234"  # of plants and devices alike
DEVICE_TYPES = (1, 39)

numbers = st.sampled_from([0.0, 1.0, 2.0, 4.0, 10.0, 512.0, 1e308])
values = st.dictionaries(
    st.sampled_from(
        ["total_power", "real_health_state", "total_cap", "active_power", "battery_soc", "new"]
    ),
    numbers,
)
totals = st.dictionaries(
    st.sampled_from(["inverter_power", "charge_cap", "product_power"]), numbers
)
rows = st.none() | st.tuples(st.sampled_from([0.0, 86_400.0, 1.75e9]), totals)
texts = st.sampled_from(["", "a", '"\\\n'])
alarms = st.lists(
    st.builds(
        Alarm,
        plant_code=st.just("1"),
        serial_number=texts,
        alarm_id=texts,
        cause_id=texts,
        raised=st.sampled_from([1.0, 2.0]),
        name=texts,
        severity=st.sampled_from(SEVERITIES),
        status=st.none() | st.just(2),
    ),
    max_size=4,
)
upgrades = st.tuples(
    st.dictionaries(st.sampled_from(["upgradeResult", "process", "lastUpgradeTime"]), numbers),
    texts,
    texts,
)
name = st.sampled_from(NAMES)
asked = st.sets(name).map(sorted)


def of(each):
    return st.dictionaries(name, each)


fleets = st.tuples(
    st.sets(name), of(st.tuples(st.sampled_from(NAMES), st.sampled_from(DEVICE_TYPES)))
)
steps = st.one_of(
    st.tuples(st.just("fleet"), fleets),
    st.tuples(st.just("answer"), st.sampled_from([PLANTS, DEVICES]), asked, of(values)),
    st.tuples(
        st.just("show_statistics"), st.sampled_from([DAYS, DEVICE_DAYS]), of(st.tuples(rows, rows))
    ),
    st.tuples(st.just("show_alarms"), of(st.tuples(alarms, alarms))),
    st.tuples(st.just("show_upgrades"), asked, of(upgrades)),
    st.tuples(st.just("elapse"), st.sampled_from([1.0, 200.0, 301.0])),
    st.tuples(st.just("restart")),
)


class Runs:
    """One account over several processes, which only the database joins."""

    def __init__(self):
        self.world = World(severities=SEVERITIES, max_active_per_plant=2)

    def fleet(self, members):
        plants, devices = members
        self.world.fleet(
            *(Plant(code, f"Plant {code}") for code in plants),
            *(Device(d, plant, kind) for d, (plant, kind) in devices.items() if plant in plants),
        )

    def restart(self):
        before, self.world = self.world, self.world.restart()
        assert self.world.series() == before.series()

    def step(self, what, *given):
        of = self if what in ("fleet", "restart") else self.world
        getattr(of, what)(*given)


@given(fleets, st.lists(steps, max_size=20))
def test_no_history_shows_a_series_twice_or_loses_one_in_a_restart(fleet, steps):
    runs = Runs()
    runs.fleet(fleet)
    for step in steps:
        runs.step(*step)
        runs.world.series()  # finds what is there twice
    runs.restart()
    shown = runs.world.series()
    page = runs.world.page.exposition(Format.OPENMETRICS).decode()
    read = [sample for family in openmetrics_families(page) for sample in family.samples]
    assert len(read) == len(shown)
