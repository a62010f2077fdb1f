"""Devices that are away, whose last values the server goes on sending."""

import pytest
from exposition.world import DEVICES, World

from exporter.northbound.records import Device, Plant

LAST = {"active_power": 1.432, "elec_freq": 50.0, "day_cap": 9.1, "total_cap": 6_925.39}
MEASURED = {"active_power_watts", "frequency_hertz"}
STAY = {"day_energy_joules", "energy_joules_total"}


@pytest.fixture
def world():
    world = World()
    world.fleet(
        Plant("P", "Plant"), Device("1", "P", 1), Device("2", "P", 39), Device("3", "P", 47)
    )
    return world


def visible_metrics(world, device="1", **values):
    """The numbers on the page after an answer about a device, without the states."""
    world.answer(DEVICES, [device], {device: values})
    names = (name.partition("{")[0] for name in world.series() if f"device_id={device}," in name)
    short = {name.split("_", 2)[2] for name in names if "_state" not in name and "info" not in name}
    return short - {"last_reading_timestamp_seconds"}


def test_a_device_that_is_there_tells_all(world):
    assert visible_metrics(world, **LAST, run_state=1.0, inverter_state=512.0) == MEASURED | STAY


@pytest.mark.parametrize(
    "state", [{"run_state": 0.0}, {"run_state": 0.0, "inverter_state": 512.0},
              {"inverter_state": 45_056.0}, {"run_state": 1.0, "inverter_state": 45_056.0}],
)  # fmt: skip
def test_an_offline_device_does_not_produce(world, state):
    visible_metrics(world, **LAST, run_state=1.0, inverter_state=512.0)
    for _ in range(3):
        assert visible_metrics(world, **LAST, **state) == STAY


def test_its_state_goes_on_saying_so(world):
    visible_metrics(world, **LAST, run_state=0.0)
    code = "fusionsolar_inverter_run_state_code{account=home,device_id=1,plant_code=P}"
    assert world.series("fusionsolar_inverter_run_state_code") == {code: 0.0}


def test_an_inverter_at_night_gives_nothing_and_says_so(world):
    night = {"active_power": 0.0, "elec_freq": 0.0, "day_cap": 9.1, "total_cap": 6_925.39}
    assert visible_metrics(world, **night, run_state=0.0) == MEASURED | STAY


def test_what_goes_on_reporting_is_there_whatever_the_server_calls_it(world):
    visible_metrics(world, **LAST, run_state=0.0)
    changed = {**LAST, "active_power": 1.5}
    assert visible_metrics(world, **changed, run_state=0.0) == MEASURED | STAY
    world.at += 14 * 60.0  # three uploads
    assert visible_metrics(world, **changed, run_state=0.0) == MEASURED | STAY
    world.at += 60.0
    assert visible_metrics(world, **changed, run_state=0.0) == STAY


def test_a_device_that_is_back_tells_all_at_once(world):
    visible_metrics(world, **LAST, run_state=0.0)
    assert visible_metrics(world, **LAST, run_state=1.0) == MEASURED | STAY


def test_batteries_and_meters_are_no_exception(world):
    battery = {"ch_discharge_power": 900.0, "battery_soc": 81.0, "charge_cap": 2.0}
    assert visible_metrics(world, "2", **battery, battery_status=0.0) == {
        "status", "status_code", "day_charge_energy_joules",
    }  # fmt: skip
    meter = {"active_power": 900.0, "active_cap": 7_345.0}
    assert visible_metrics(world, "3", **meter, meter_status=0.0) == {
        "status", "status_code", "positive_active_energy_joules_total",
    }  # fmt: skip


def test_a_restart_shows_no_more_than_before(world):
    visible_metrics(world, **LAST, run_state=0.0)
    again = world.restart()
    assert again.series("fusionsolar_inverter") == world.series("fusionsolar_inverter")
    assert visible_metrics(again, **LAST, run_state=0.0) == STAY
