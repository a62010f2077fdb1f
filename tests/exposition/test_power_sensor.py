"""A power sensor of newer servers: three phases, of which the first has another key, or one."""

import re

import pytest
from exposition.world import DEVICES, World, payload

from exporter.exposition.translate import Translator
from exporter.northbound import parsing
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Device, Plant, Reading, Values

THREE, ONE = "1000000033393047", "1000000041000047"


def gauges_after(values, interface=DEVICES):
    """What one sensor's gauges say, by metric and phase or line."""
    world = World()
    world.fleet(Plant("HOME", "Home", 9_900.0), Device("1", "HOME", 47))
    world.plan(interface)
    world.answer(interface, ["1"], {"1": values})
    found = {}
    for series, value in world.series("fusionsolar_meter_").items():
        name, labels = re.fullmatch(r"fusionsolar_meter_(\w+)\{(.*)\}", series).groups()
        if not re.search("state|status|_total$", name):
            parts = re.search(r"(?:phase|line)=(\w+)", labels)
            found[f"{name} {parts[1]}" if parts else name] = value
    return found


def captured_values(device):
    data = payload("getDevRealKpi/power_sensor_three_phase")["data"]
    (values,) = (
        each.values
        for each in parsing.device_readings(data, [THREE, ONE]).records
        if each.subject == device
    )
    return values


def test_a_sensor_of_three_phases_shows_all_of_them():
    assert gauges_after(captured_values(THREE)) == {
        "active_power_watts": 2_591.0,
        "phase_active_power_watts a": 1_677.0,
        "phase_active_power_watts b": -1_261.0,
        "phase_active_power_watts c": 2_175.0,
        "reactive_power_vars": 296.0,
        "power_factor": 0.993,
        "frequency_hertz": 49.99,
        "voltage_volts": 232.6,
        "current_amperes": 7.31,
        "phase_voltage_volts a": 232.6,
        "phase_voltage_volts b": 233.1,
        "phase_voltage_volts c": 231.8,
        "phase_current_amperes a": 7.31,
        "phase_current_amperes b": -5.42,
        "phase_current_amperes c": 9.4,
        "line_voltage_volts ab": 403.4,
        "line_voltage_volts bc": 402.6,
        "line_voltage_volts ca": 402.2,
    }


def test_the_phases_of_a_sensor_add_up_to_its_power():
    found = gauges_after(captured_values(THREE))
    phases = sum(value for name, value in found.items() if name.startswith("phase_active"))
    assert phases == found["active_power_watts"]


def test_a_sensor_of_one_phase_shows_no_phases():
    assert gauges_after(captured_values(ONE)) == {
        "active_power_watts": 0.0,
        "reactive_power_vars": 296.0,
        "power_factor": 0.0,
        "frequency_hertz": 50.01,
        "voltage_volts": 229.4,
        "current_amperes": 0.0,
    }


@pytest.mark.parametrize(
    ("values", "phases"),
    [
        ({"meter_u": 231.0, "b_u": 232.0}, {"a": 231.0, "b": 232.0}),
        ({"meter_u": 231.0, "c_u": 232.0}, {"c": 232.0}),
        ({"a_u": 230.0, "meter_u": 231.0, "b_u": 232.0}, {"a": 230.0, "b": 232.0}),
        ({"b_u": 232.0}, {"b": 232.0}),
        ({"meter_u": 9_999.0, "b_u": 232.0}, {"a": 9_999.0, "b": 232.0}),
        ({"meter_u": -1.0, "b_u": 232.0}, {"b": 232.0}),
    ],
)
def test_phase_a_is_what_the_sensor_sends_as_its_own_voltage(values, phases):
    found = gauges_after(values)
    assert {n[-1]: v for n, v in found.items() if n.startswith("phase_voltage")} == phases


def test_a_phase_a_that_cannot_be_used_has_no_stand_in():
    world = World()
    world.fleet(Plant("HOME", "Home"), Device("1", "HOME", 47))
    world.answer(
        DEVICES, ["1"], {"1": {"meter_u": 231.0, "b_u": 232.0}}, {"1": {"a_u": "not_a_number"}}
    )
    assert list(world.series("fusionsolar_meter_phase_voltage_volts{").values()) == [232.0]


def test_five_minute_data_have_the_same_phases():
    found = gauges_after({"meter_i": 3.5, "b_i": 4.5}, INTERFACES["getDevFiveMinutes"])
    assert {n[-1]: v for n, v in found.items() if "phase" in n} == {"a": 3.5, "b": 4.5}


def test_the_factor_of_its_own_voltage_holds_for_phase_a_as_well():
    translator = Translator({(47, "meter_u"): 10.0, (47, "a_u"): 7.0})
    reading = Reading("1", Values({"meter_u": 2_300.0, "b_u": 231.0}))
    result = translator.translate("getDevRealKpi", 47, reading, 1e9)
    assert list(result.samples.values()) == [23_000.0, 231.0, 23_000.0]
