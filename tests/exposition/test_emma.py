"""An EMMA, whose powers and counters run the other way round, beside the other meters."""

import re

from exposition.world import DEVICES, World, payload

from exporter.exposition.translate import Translator
from exporter.northbound import parsing
from exporter.northbound.records import Device, Plant, Reading, Values

EMMA = Device("45112561", "HOME", 23070)
ELSEWHERE = Device("45112562", "MILL", 23070)


def page_of(*devices_and_values):
    """The page after an answer about each of these devices."""
    world = World()
    world.fleet(
        Plant("HOME", "Home", 9_900.0),
        Plant("MILL", "Mill", 9_900.0),
        *(device for device, _ in devices_and_values),
    )
    for device, values in devices_and_values:
        world.answer(DEVICES, [device.id], {device.id: values})
    return world


def test_the_captured_answer_is_shown_with_the_signs_of_the_other_meters():
    (data,) = payload("getDevRealKpi/emma")["data"][:1]
    (reading,) = parsing.device_readings([data], [EMMA.id]).records
    world = page_of((EMMA, reading.values))

    shown = {
        series.partition("{")[0].removeprefix("fusionsolar_meter_")
        + "".join(re.findall(r"(?:phase|line)=(\w+)", series)): round(value, 3)
        for series, value in world.series("fusionsolar_meter_").items()
        if "state" not in series
    }
    assert shown == {
        "active_power_watts": 1_319.0,
        "phase_active_power_wattsa": -212.0,
        "phase_active_power_wattsb": 1_403.0,
        "phase_active_power_wattsc": 128.0,
        "reactive_power_vars": 648.0,
        "power_factor": 0.897,
        "positive_active_energy_joules_total": round(912.84 * 3.6e6, 3),
        "reverse_active_energy_joules_total": round(5_298.26 * 3.6e6, 3),
        "line_voltage_voltsab": 404.1,
        "line_voltage_voltsbc": 405.3,
        "line_voltage_voltsca": 403.8,
        "phase_voltage_voltsa": 233.4,
        "phase_voltage_voltsb": 234.1,
        "phase_voltage_voltsc": 232.9,
        "phase_current_amperesa": 0.98,
        "phase_current_amperesb": 6.02,
        "phase_current_amperesc": 0.61,
        "external_active_power_watts": 2_750.0,
        "external_positive_active_energy_joules_total": round(1_207.5 * 3.6e6, 3),
        "external_reverse_active_energy_joules_total": round(3.25 * 3.6e6, 3),
    }


def test_nothing_flows_without_a_sign():
    world = page_of((EMMA, {"active_power": 0.0, "reactive_power": -0.0, "active_power_a": 0.0}))
    shown = world.series("fusionsolar_meter_").values()
    assert [str(value) for value in shown] == ["0.0", "0.0", "0.0"]


def total(world, metric, plant):
    """What `sum by (plant_code)` says, with its digits rounded."""
    return round(
        sum(
            value
            for series, value in world.series(f"fusionsolar_meter_{metric}{{").items()
            if f"plant_code={plant}" in series
        ),
        3,
    )


def test_a_sum_over_a_plant_with_an_emma_is_that_of_the_same_plant_with_a_power_sensor():
    sensor = Device("47", "HOME", 47)
    world = page_of(
        (ELSEWHERE, {"active_power": -1.319, "reactive_power": -0.648, "active_cap": 5298.26,
                     "reverse_active_cap": 912.84, "ex_active_power": -2.75,
                     "ex_active_cap": 3.25, "ex_reverse_active_cap": 1207.5}),
        (sensor, {"active_power": 1319.0, "reactive_power": 648.0, "active_cap": 912.84,
                  "reverse_active_cap": 5298.26}),
    )  # fmt: skip

    for metric in (
        "active_power_watts",
        "reactive_power_vars",
        "positive_active_energy_joules_total",
        "reverse_active_energy_joules_total",
    ):
        assert total(world, metric, "MILL") == total(world, metric, "HOME") != 0


def powers(factor, *readings):
    """The active power of an EMMA after each reading."""
    translator = Translator({(23070, "active_power"): factor} if factor else {})
    results = [
        translator.translate("getDevRealKpi", 23070, Reading(EMMA.id, Values(values)), 1e9)
        for values in readings
    ]
    return [
        round(value, 3)
        for result in results
        for series, value in result.samples.items()
        if series.metric.name == "fusionsolar_meter_active_power_watts"
    ]


def test_a_configured_factor_replaces_the_sign_as_well():
    assert powers(None, {"active_power": -1.319}) == [1_319.0]
    assert powers(1000.0, {"active_power": -1.319}) == [-1_319.0]
    assert powers(-1.0, {"active_power": -1319.0}) == [1_319.0]


def test_what_no_connection_carries_is_not_shown_in_either_direction():
    assert powers(None, {"active_power": 99_999.0}, {"active_power": -99_999.0}) == []


def test_its_counters_are_held_as_those_of_other_meters():
    world = page_of((EMMA, {"active_cap": 5298.26}))
    world.elapse(300.0)
    world.answer(DEVICES, [EMMA.id], {EMMA.id: {"active_cap": 529.8}})
    (drawn,) = world.series("fusionsolar_meter_reverse_active_energy_joules_total{").values()
    assert round(drawn / 3.6e6, 2) == 5298.26
