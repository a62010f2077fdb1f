"""A Power-M site: each of its devices a subject of its own."""

import pytest
from exposition.world import DEVICES, World

from exporter.catalogue.index import ROWS, lookup
from exporter.catalogue.model import Kind, Metric
from exporter.catalogue.ranges import OF_SUBJECTS, range_of
from exporter.northbound.records import Device, Plant

SITE = Plant("SITE", "Site", 2_000.0)


def samples_after(device_type, values, *more):
    """The samples of a device's metrics after answers of five minutes each, without labels."""
    world = World()
    world.fleet(SITE, Device("1", "SITE", device_type))
    for each in (values, *more):
        world.answer(DEVICES, ["1"], {"1": each})
        world.elapse(300.0)
    return {
        series.partition("{")[0].removeprefix("fusionsolar_"): value
        for series, value in world.series().items()
        if "device_id=1" in series and "_device_" not in series
    }


@pytest.mark.parametrize(
    ("device_type", "key", "code", "metric", "state"),
    [
        (60001, "mains_state", 0, "mains_state", "unavailable"),
        (60001, "mains_state", 1, "mains_state", "available"),
        (60001, "grid_quality_grade", 0, "mains_quality", "undetermined"),
        (60001, "grid_quality_grade", 4, "mains_quality", "class_4"),
        (60003, "running_state", 0, "genset_state", "undetermined"),
        (60003, "running_state", 2, "genset_state", "running"),
        (60014, "battery_state", 0, "rack_state", "initial_power_on"),
        (60014, "battery_state", 5, "rack_state", "charging"),
        (60014, "battery_state", 8, "rack_state", "standby"),
        (60044, "on_off_state", 0, "solar_supply_unit_state", "on"),
        (60044, "on_off_state", 1, "solar_supply_unit_state", "off"),
        (60044, "on_off_state", 2, "solar_supply_unit_state", "unknown"),
    ],
)
def test_a_code_has_its_name(device_type, key, code, metric, state):
    world = World()
    world.fleet(SITE, Device("1", "SITE", device_type))
    world.answer(DEVICES, ["1"], {"1": {key: float(code)}})
    name = f"fusionsolar_{metric}"
    (current,) = (series for series, on in world.series(f"{name}{{").items() if on)
    assert f"{name}={state}," in current


@pytest.mark.parametrize(
    ("device_type", "values", "samples"),
    [
        (60001, {"active_power": 2.94, "supply_duration_per_total": 3021.5},
         {"mains_active_power_watts": 2_940.0, "mains_supply_seconds": 10_877_400.0}),
        (60003, {"output_power": 5.5, "load_rate": 45.8},
         {"genset_output_power_watts": 5_500.0, "genset_load_ratio": 0.458}),
        (60010, {"active_power": 1.42}, {"ac_output_active_power_watts": 1_420.0}),
        (60014, {"charge_discharge_power": -1.62, "remaining_backup_time": 6.25},
         {"rack_power_watts": -1_620.0, "rack_remaining_backup_seconds": 22_500.0}),
        (60043, {"total_output_power": 2190.0},
         {"solar_supply_group_output_power_watts": 2_190.0}),
        (60044, {"output_current": 21.3}, {"solar_supply_unit_output_current_amperes": 21.3}),
        (60092, {"ac_output_frequency": 50.0, "ac_output_apparent_power": 2.39},
         {"converter_output_frequency_hertz": 50.0,
          "converter_output_apparent_power_volt_amperes": 2_390.0}),
    ],
)  # fmt: skip
def test_each_device_has_metrics_of_its_own(device_type, values, samples):
    assert {
        name: round(value, 6) for name, value in samples_after(device_type, values).items()
    } == samples


def test_a_counter_may_grow_by_more_than_the_modules_of_the_site_deliver():
    # 10.8 kW at a site of 2 kW.
    answers = [{"total_energy_consumption": 100 + 0.9 * n} for n in range(20)]
    assert {
        name: round(value / 3.6e6, 6) for name, value in samples_after(60001, *answers).items()
    } == {"mains_energy_joules_total": 117.1}


def test_the_range_of_a_quantity_is_found_by_the_whole_name_of_its_subject():
    two_words = Metric("fusionsolar_solar_supply_unit_x_volts", Kind.GAUGE, "X.", "volts")
    beginning = Metric("fusionsolar_meters_x_watts", Kind.GAUGE, "X.", "watts")
    of_meters = Metric("fusionsolar_meter_x_watts", Kind.GAUGE, "X.", "watts")
    assert range_of(of_meters) is OF_SUBJECTS["meter", "watts"]
    assert range_of(two_words) is range_of(lookup("getDevRealKpi", 60001)["ac_voltage"].metric)
    assert range_of(beginning) is range_of(lookup("getDevRealKpi", 60001)["active_power"].metric)


def test_no_metric_of_a_site_is_that_of_another_subject():
    of_sites = {row.metric.name for row in ROWS if (row.device_type or 0) > 60_000}
    others = {row.metric.name for row in ROWS if (row.device_type or 0) < 60_000}
    assert of_sites & others == set()
