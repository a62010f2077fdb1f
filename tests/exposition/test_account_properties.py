"""Whatever is asked, answered, listed and unlisted: the page shows the last answers, once each."""

import re

import pytest
from exposition.world import DEVICES, PLANTS, World
from hypothesis import given
from hypothesis import strategies as st

from exporter.northbound.records import Device, Plant

pytestmark = pytest.mark.slow

NAMES = "12345"  # of plants and devices alike
METRICS = {
    "plant": "fusionsolar_plant_day_income",
    1: "fusionsolar_inverter_frequency_hertz",
    17: "fusionsolar_meter_frequency_hertz",
}
KEYS = {"plant": "day_income", 1: "elec_freq", 17: "grid_frequency"}
DEVICE = re.compile(r"device_id=(.*?),.*plant_code=(.*?)[,}]")

subsets = st.sets(st.sampled_from(NAMES))
fleets = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.sampled_from("123"), st.sampled_from([1, 17]))
)
steps = st.one_of(
    st.tuples(st.just("fleet"), st.sets(st.sampled_from("123")), fleets),
    st.tuples(st.sampled_from([PLANTS, DEVICES]), subsets, subsets),
)


class Model:
    """What ought to be on the page: the last answer about each that is still known."""

    def __init__(self):
        self.plants = set()
        self.devices = {}
        self.last = {}

    def fleet(self, plants, devices):
        self.last = {
            (kind, name): value
            for (kind, name), value in self.last.items()
            if (name in plants if kind == "plant" else devices.get(name, (0, 0))[1] == kind)
        }
        self.plants, self.devices = plants, devices

    def kind(self, interface, name):
        """The metric's kind for a known name, else None."""
        if interface is PLANTS:
            return "plant" if name in self.plants else None
        return self.devices[name][1] if name in self.devices else None

    def series(self):
        return {
            f"{METRICS[kind]}{{account=home,{self._identity(kind, name)}}}": value
            for (kind, name), value in self.last.items()
        }

    def _identity(self, kind, name):
        if kind == "plant":
            return f"plant_code={name}"
        return f"device_id={name},plant_code={self.devices[name][0]}"


@given(st.lists(steps, max_size=15))
def test_the_page_is_the_last_answers_about_the_fleet(steps):
    world, model = World(), Model()
    for turn, (what, first, second) in enumerate(steps, start=1):
        if what == "fleet":
            devices = {name: it for name, it in second.items() if it[0] in first}
            world.fleet(
                *(Plant(code, "") for code in first),
                *(Device(name, plant, kind) for name, (plant, kind) in devices.items()),
            )
            model.fleet(first, devices)
        else:
            asked, answered = sorted(first), first & second
            values = {}
            for name in asked:
                kind = model.kind(what, name)
                if kind is not None:
                    model.last.pop((kind, name), None)
                    if name in answered:
                        model.last[kind, name] = turn
                        values[name] = {KEYS[kind]: float(turn)}
            world.answer(what, asked, values)
        shown = world.series()
        expected = model.series()
        metrics = tuple(f"{metric}{{" for metric in METRICS.values())
        assert {s: v for s, v in shown.items() if s.startswith(metrics)} == expected
        known = {(name, plant) for name, (plant, _) in model.devices.items()}
        assert {
            DEVICE.search(series).groups() for series in shown if "device_id" in series
        } <= known
