"""Whatever an account lives through, restarts included: a sound page, and the same after each."""

from exposition.world import DAYS, DEVICE_DAYS, DEVICES, PLANTS, Memory, World
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

from exporter.exposition.alarms import SEVERITIES
from exporter.exposition.page import Format
from exporter.northbound.records import Alarm, Device, Plant

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
        st.just("tell_statistics"), st.sampled_from([DAYS, DEVICE_DAYS]), of(st.tuples(rows, rows))
    ),
    st.tuples(st.just("tell_alarms"), of(st.tuples(alarms, alarms))),
    st.tuples(st.just("tell_upgrades"), asked, of(upgrades)),
    st.tuples(st.just("pass"), st.sampled_from([1.0, 200.0, 301.0])),
    st.tuples(st.just("restart")),
)


class Life:
    """One account over several processes, which only the memory joins."""

    def __init__(self):
        self.memory = Memory()
        self.members = ()
        self.world = self.new_world()

    def new_world(self, **clocks):
        return World(severities=SEVERITIES, max_active_per_plant=2, **clocks)

    def fleet(self, told):
        plants, devices = told
        self.members = (
            *(Plant(code, f"Plant {code}") for code in plants),
            *(Device(d, plant, kind) for d, (plant, kind) in devices.items() if plant in plants),
        )
        self.world.fleet(*self.members)

    def elapse(self, seconds):
        self.world.at += seconds
        self.world.epoch += seconds

    def restart(self):
        before = self.world
        self.memory.write(before.sink.changes())
        self.world = self.new_world(at=7.0, epoch=before.epoch)
        self.world.fleet(*self.members)
        self.world.sink.recall(self.memory.read)
        assert self.world.series() == before.series()

    def live(self, what, *told):
        match what:
            case "fleet" | "restart":
                getattr(self, what)(*told)
            case "pass":
                self.elapse(*told)
            case _:
                getattr(self.world, what)(*told)


@settings(max_examples=300)
@given(fleets, st.lists(steps, max_size=20))
def test_no_history_shows_a_series_twice_or_loses_one_in_a_restart(fleet, steps):
    life = Life()
    life.fleet(fleet)
    for step in steps:
        life.live(*step)
        life.world.series()  # finds what is there twice
    life.restart()
    shown = life.world.series()
    page = life.world.page.exposition(Format.OPENMETRICS).decode()
    read = [sample for family in openmetrics_families(page) for sample in family.samples]
    assert len(read) == len(shown)
