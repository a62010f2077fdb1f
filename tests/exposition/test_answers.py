"""Statistics, 5-minute data and upgrades on an account's page; and an account that goes."""

import pytest
from exposition.world import (
    ACCOUNT_INFO,
    DAYS,
    DEVICE_DAYS,
    DEVICES,
    PLANTS,
    UPGRADES,
    World,
)

from exporter.exposition.alarms import SEVERITIES
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Device, Plant

HILL, MILL = Plant("HILL", "Hill"), Plant("MILL", "Mill")
A, B = Device("1", "HILL", 1), Device("2", "HILL", 39)
TODAY, YESTERDAY = 1_750_716_000.0, 1_750_629_600.0
READ_AT = "fusionsolar_device_last_reading_timestamp_seconds"
FIVE_MINUTES = INTERFACES["getDevFiveMinutes"]


@pytest.fixture
def world():
    world = World()
    world.fleet(HILL, MILL, A, B)
    return world


def statistic(quantity, window, period="day", plant="HILL"):
    name = f"fusionsolar_plant_period_{quantity}"
    return f"{name}{{account=home,period={period},plant_code={plant},window={window}}}"


# Statistics


def test_both_periods_are_shown_each_with_its_own_start(world):
    rows = {"HILL": ((TODAY, {"inverter_power": 2.0}), (YESTERDAY, {"inverter_power": 5.0}))}
    world.show_statistics(DAYS, rows)
    assert world.series("fusionsolar_plant_period") == {
        statistic("inverter_energy_joules", "current"): 7.2e6,
        statistic("inverter_energy_joules", "previous"): 1.8e7,
        statistic("start_timestamp_seconds", "current"): TODAY,
        statistic("start_timestamp_seconds", "previous"): YESTERDAY,
    }


def test_a_period_that_is_not_known_has_no_series(world):
    yesterday = (YESTERDAY, {"inverter_power": 5.0})
    world.show_statistics(DAYS, {"HILL": (None, yesterday), "MILL": (None, None)})
    assert world.series("fusionsolar_plant_period") == {
        statistic("inverter_energy_joules", "previous"): 1.8e7,
        statistic("start_timestamp_seconds", "previous"): YESTERDAY,
    }


def test_each_interface_has_its_own_periods_side_by_side(world):
    months = INTERFACES["getKpiStationMonth"]
    world.plan(months, max_age=300.0)
    for interface in (DAYS, months):
        world.show_statistics(interface, {"HILL": ((TODAY, {"inverter_power": 2.0}), None)})
    assert set(world.series("fusionsolar_plant_period_inverter")) == {
        statistic("inverter_energy_joules", "current", "day"),
        statistic("inverter_energy_joules", "current", "month"),
    }


def test_devices_have_statistics_by_their_type(world):
    rows = {"1": ((TODAY, {"product_power": 2.0}), None), "2": ((TODAY, {"charge_cap": 1.0}), None)}
    world.show_statistics(DEVICE_DAYS, rows)
    series = world.series()
    assert {s.partition("{")[0] for s in series if "period=" in s} == {
        "fusionsolar_battery_period_charge_energy_joules",
        "fusionsolar_battery_period_start_timestamp_seconds",
        "fusionsolar_inverter_period_energy_joules",
        "fusionsolar_inverter_period_start_timestamp_seconds",
    }


def test_statistics_are_no_reading(world):
    world.show_statistics(DAYS, {"HILL": ((TODAY, {"inverter_power": 2.0}), None)})
    world.show_statistics(DEVICE_DAYS, {"2": ((TODAY, {"charge_cap": 2.0}), None)})
    assert [series for series in world.series() if "last_reading" in series] == []


def test_statistics_age_as_their_plan_says(world):
    world.show_statistics(DAYS, {"HILL": ((TODAY, {"inverter_power": 2.0}), None)})
    world.at += 301.0
    assert world.series("fusionsolar_plant_period") == {}


def test_a_batch_of_statistics_may_be_cut_and_joined(world):
    def energies():
        found = world.series("fusionsolar_plant_period_inverter")
        return {series.split("plant_code=")[1][:4]: value for series, value in found.items()}

    def row(energy):
        return ((TODAY, {"inverter_power": energy}), None)

    world.show_statistics(DAYS, {"HILL": row(1.0), "MILL": row(2.0)})
    world.show_statistics(DAYS, {"HILL": row(3.0)})
    assert energies() == {"HILL": 1.08e7, "MILL": 7.2e6}
    world.show_statistics(DAYS, {"MILL": row(4.0), "HILL": row(5.0)})
    assert energies() == {"HILL": 1.8e7, "MILL": 1.44e7}


def test_unusable_statistics_are_counted_like_any_value(world):
    world.show_statistics(
        DAYS, {"HILL": ((TODAY, {"new_key": 1.0, "inverter_power": 1e308}), None)}
    )
    assert list(world.view.unknown_keys) == [("plant", "new_key")]
    of = {"interface": DAYS.name}
    assert world.self_metric("fusionsolar_unknown_keys_total", **of) == 1
    assert world.self_metric("fusionsolar_values_rejected_total", **of, reason="not_finite") == 1


# 5-minute data


def test_values_that_tell_when_they_were_measured_are_that_old(world):
    world.plan(FIVE_MINUTES, max_age=300.0)
    values = {"1": {"active_power": 1.0}, "2": {"battery_soc": 50.0}}
    world.answer(FIVE_MINUTES, ["1", "2"], values, measured={"1": 1_750_798_500.0})
    assert world.series(READ_AT) == {
        f"{READ_AT}{{account=home,device_id=1,plant_code=HILL}}": 1_750_798_500.0,
        f"{READ_AT}{{account=home,device_id=2,plant_code=HILL}}": world.epoch,
    }


def test_a_device_has_one_last_reading_whichever_interface_brought_it(world):
    world.answer(DEVICES, ["1"], {"1": {"active_power": 1.0}})
    world.answer(FIVE_MINUTES, ["1"], {"1": {"active_power": 1.0}}, measured={"1": 5.0})
    assert list(world.series(READ_AT).values()) == [5.0]


# Upgrades

RUNNING = {"upgradeResult": 4.0, "process": 60.0, "lastUpgradeTime": 1.75e12}
INFO = "fusionsolar_device_upgrade_info"


def test_an_upgrade_has_a_state_a_progress_a_time_and_its_versions(world):
    world.show_upgrades(["1"], {"1": (RUNNING, "V1", "V2")})
    of = "{account=home,device_id=1,plant_code=HILL"
    shown = world.series("fusionsolar_device_upgrade")
    states = {series for series in shown if series.startswith("fusionsolar_device_upgrade_state{")}
    assert [shown[series] for series in states if "=upgrading" in series] == [1.0]
    assert {series: shown[series] for series in shown.keys() - states} == {
        f"fusionsolar_device_upgrade_state_code{of}}}": 4.0,
        f"fusionsolar_device_upgrade_progress_ratio{of}}}": 0.6,
        f"fusionsolar_device_upgrade_timestamp_seconds{of}}}": 1.75e9,
        f"{INFO}{of},source_version=V1,target_version=V2}}": 1.0,
    }


def test_a_device_that_was_never_upgraded_has_none_of_it(world):
    world.show_upgrades(["1"], {})
    assert world.series("fusionsolar_device_upgrade") == {}
    assert world.series(READ_AT) == {}


def test_the_versions_of_an_upgrade_never_age(world):
    world.show_upgrades(["1"], {"1": (RUNNING, "V1", "V2")})
    world.at += 1e9
    (series,) = world.series("fusionsolar_device_upgrade")
    assert series.startswith(INFO)


def test_another_upgrade_replaces_the_versions(world):
    world.show_upgrades(["1"], {"1": (RUNNING, "V1", "V2")})
    world.show_upgrades(["1"], {"1": (RUNNING, "V2", "V3")})
    (series,) = world.series(INFO)
    assert "source_version=V2,target_version=V3" in series


def test_upgrades_of_unknown_devices_are_not_shown(world):
    world.show_upgrades(["1", "99"], dict.fromkeys(["1", "99"], (RUNNING, "V1", "V2")))
    assert len(world.series(INFO)) == 1


def test_a_moved_device_takes_its_statistics_and_upgrades_along_and_a_gone_one_all(world):
    world.show_upgrades(["1"], {"1": (RUNNING, "V1", "V2")})
    world.show_statistics(DEVICE_DAYS, {"1": ((TODAY, {"product_power": 2.0}), None)})
    before = [s for s in world.series() if "device_id=1" in s]
    world.fleet(HILL, MILL, Device("1", "MILL", 1))
    moved = [s for s in world.series() if "device_id=1" in s]
    assert moved == [s.replace("plant_code=HILL", "plant_code=MILL") for s in before]
    world.fleet(HILL, MILL)
    assert [s for s in world.series() if "device_id=1" in s] == []


# An account that goes


def test_a_closed_account_leaves_the_page_to_the_others():
    world = World(severities=SEVERITIES)
    office = World("office", page=world.page, severities=SEVERITIES)
    for each in (world, office):
        each.fleet(HILL, A)
        each.answer(DEVICES, ["1"], {"1": {"active_power": 1.0}})
        each.answer(PLANTS, ["HILL"], {"HILL": {"day_power": 1.0}})
        each.show_alarms({"HILL": ([], [])})
        each.show_upgrades(["1"], {"1": (RUNNING, "V1", "V2")})
    everything = set(world.series())
    world.view.close()
    assert set(world.series()) == {series for series in everything if "account=office" in series}


def test_a_closed_account_forgets_its_plan():
    world = World()
    world.view.close()
    world.fleet(HILL, A)
    world.answer(DEVICES, ["1"], {"1": {"active_power": 1.0}})
    assert world.series("fusionsolar_inverter") == {}


def test_the_account_itself_is_there_from_the_start_and_needs_no_fleet():
    world = World()
    world.plan(UPGRADES, max_age=1.0)
    assert world.series() == {ACCOUNT_INFO: 1.0}
