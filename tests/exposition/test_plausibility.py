"""What a reading can be, and what it cannot be although it is a number."""

import pytest
from exposition.world import DAYS, DEVICES, PLANTS, World

from exporter.catalogue.index import ROWS, lookup
from exporter.catalogue.model import Kind
from exporter.catalogue.ranges import range_of
from exporter.exposition.plausibility import NOTHING_KNOWN, Output, is_plausible
from exporter.northbound.records import Device, Plant

NOW = 1_750_798_800.0
KNOWN = Output(9_900.0, 9_900.0)


def plausible(interface, device_type, key, raw, output=NOTHING_KNOWN):
    row = lookup(interface, device_type)[key]
    return is_plausible(row.range, raw, raw * row.factor, output)


REAL = [
    (1, "pv1_u", 1_500.0, "a system of 1 500 V"),
    (1, "pv1_u", -0.1, "an offset at night"),
    (1, "pv1_i", -11.2, "a string that others feed"),
    (1, "ab_u", 800.0, "a large string inverter"),
    (14, "center_i", 4_200.0, "a central inverter"),
    (1, "active_power", 352.0, "the largest string inverter"),
    (14, "active_power", 9_200.0, "the largest central inverter"),
    (1, "active_power", -0.02, "an inverter at night"),
    (1, "active_power", 0.0, "an inverter asleep"),
    (1, "efficiency", 100.0, "a constant of some inverters"),
    (1, "elec_freq", 0.0, "no grid"),
    (1, "elec_freq", 16.7, "a railway"),
    (1, "temperature", 92.0, "an inverter in the sun"),
    (1, "total_cap", 655.35, "a counter on its way"),
    (1, "day_cap", 655.35, "a day that ended there"),
    (1, "close_time", 1_750_726_800_000.0, "a time"),
    (8, "ab_u", 35_000.0, "medium voltage"),
    (8, "active_power", 120_000.0, "a power station"),
    (10, "temperature", -62.0, "Yakutsk"),
    (10, "pv_temperature", 95.0, "modules on a roof"),
    (10, "radiant_line", 1_620.0, "the edge of a cloud"),
    (10, "radiant_line", -3.0, "a sensor at night"),
    (10, "radiant_total", 42.0, "a polar day"),
    (17, "ab_u", 110_000.0, "high voltage"),
    (17, "active_power", -2_400_000.0, "a factory"),
    (17, "power_factor", -1.0, "all of it drawn"),
    (39, "battery_soc", 100.4, "a full battery"),
    (39, "battery_soh", 0.0, "not told"),
    (39, "ch_discharge_power", 32_767.0, "a power may pass through it"),
    (41, "ch_discharge_power", -5_000_000.0, "a storage of its own"),
    (47, "meter_i", -63.0, "signed by direction"),
]  # fmt: skip


@pytest.mark.parametrize(("device_type", "key", "raw", "_what"), REAL, ids=[row[3] for row in REAL])
def test_no_real_extreme_is_lost(device_type, key, raw, _what):
    assert plausible(DEVICES.name, device_type, key, raw)


@pytest.mark.parametrize(
    ("device_type", "key", "raw"),
    [
        (1, "active_power", -99_999_999.0),
        (1, "active_power", 25_400.0),
        (1, "active_power", 2_147_483.647),
        (1, "temperature", -982.4),
        (1, "temperature", 3_276.7),
        (1, "temperature", 127.0 * 2),
        (1, "efficiency", 655.35),
        (1, "elec_freq", 65.535),
        (1, "elec_freq", 655.35),
        (1, "elec_freq", -1.0),
        (1, "power_factor", 32.767),
        (1, "power_factor", -32.768),
        (1, "pv1_u", 6_553.5),
        (1, "pv1_u", 655.35),
        (1, "pv1_u", -1.0),
        (1, "pv1_i", 327.67),
        (1, "pv1_i", 6_553.5),
        (1, "total_cap", -1.0),
        (1, "total_cap", 42_949_672.95),
        (1, "total_cap", 4_294_967_295.0),
        (1, "day_cap", 42_949_672.95),
        (1, "day_cap", -1.0),
        (1, "open_time", -1.0),
        (1, "open_time", 1_750_798_800.0),
        (1, "open_time", 253_402_300_799_999.0),
        (1, "close_time", 4_294_967_295_000.0),
        (10, "wind_speed", 655.35),
        (10, "radiant_line", 65_535.0),
        (10, "radiant_total", 6_553.5),
        (15, "thunder_count", 65_535.0),
        (15, "temprature", -3_276.8),
        (17, "active_power", 2_147_483_647.0),
        (17, "active_cap", -1.0),
        (39, "battery_soc", 6_553.5),
        (39, "battery_soc", 255.0),
        (39, "battery_soc", -1.0),
        (39, "battery_soh", 255.0),
        (39, "ch_discharge_power", 2_147_483_647.0),
        (47, "active_power", -66_553_500.0),
        (47, "meter_u", 6_553.5),
        (47, "reverse_active_cap", 42_949_672.95),
        (47, "grid_frequency", 655.35),
    ],
)
def test_what_cannot_be_is_not_shown(device_type, key, raw):
    assert not plausible(DEVICES.name, device_type, key, raw)


@pytest.mark.parametrize(
    ("interface", "device_type", "key", "most"),
    [
        ("getStationRealKpi", None, "day_power", 9.9 * 25),
        ("getStationRealKpi", None, "month_power", 9.9 * (31 * 24 + 1)),
        ("getKpiStationHour", None, "inverter_power", 9.9 * 3),
        ("getKpiStationDay", None, "inverter_power", 9.9 * 25),
        ("getKpiStationMonth", None, "inverter_power", 9.9 * (31 * 24 + 1)),
        ("getKpiStationYear", None, "inverter_power", 9.9 * 366 * 24),
        ("getKpiStationDay", None, "ongrid_power", 9.9 * 25 * 10),
        ("getDevRealKpi", 1, "day_cap", 9.9 * 25 * 3),
        ("getDevKpiDay", 1, "product_power", 9.9 * 25 * 3),
        ("getDevRealKpi", 1, "active_power", 99.0),
        ("getDevRealKpi", 1, "mppt_power", 99.0),
        ("getDevRealKpi", 47, "active_power", 9.9e6),
    ],
)
def test_nothing_delivers_more_than_the_plant_can(interface, device_type, key, most):
    assert plausible(interface, device_type, key, most - 0.01, KNOWN)
    assert not plausible(interface, device_type, key, most + 0.01, KNOWN)


def test_consumption_and_storage_are_not_bounded_by_the_modules():
    assert plausible("getKpiStationDay", None, "use_power", 90_000.0, KNOWN)
    assert plausible("getDevRealKpi", 39, "charge_cap", 3_000.0, KNOWN)


def test_the_last_number_of_a_register_is_no_power_where_it_is_out_of_reach():
    assert plausible(DEVICES.name, 47, "active_power", 32_767.0, Output(9_900.0, 50_000.0))
    assert not plausible(DEVICES.name, 47, "active_power", 65_535.0, Output(9_900.0, 50_000.0))


def test_every_number_but_money_and_trees_has_a_range():
    without = {
        row.key
        for row in ROWS
        if row.metric is not None
        and row.states is None
        and row.metric.kind in (Kind.GAUGE, Kind.COUNTER)
        and range_of(row.metric) is None
        and not row.metric.name.endswith("timestamp_seconds")
    }
    assert without == {"day_income", "total_income", "power_profit", "reduction_total_tree"}


# On the page

PLANT, METER = Plant("P", "Plant", 9_900.0), Device("7", "P", 47)


def test_what_cannot_be_is_absent_and_counted():
    world = World()
    world.telemetry.introduce("home", [DEVICES.name])
    world.fleet(PLANT, METER)
    rejected = {"interface": DEVICES.name, "reason": "implausible"}
    assert world.self_metric("fusionsolar_values_rejected_total", **rejected) == 0
    world.answer(DEVICES, ["7"], {"7": {"active_power": -66_553_500.0, "meter_u": 231.0}})
    assert set(world.series("fusionsolar_meter").values()) == {231.0}
    assert world.self_metric("fusionsolar_values_rejected_total", **rejected) == 1


def test_a_lifetime_counter_outlasts_what_cannot_be():
    world = World()
    world.fleet(PLANT, METER)
    seen = []
    for value in (100.0, 42_949_672.95, -1.0, 100.5):
        world.answer(DEVICES, ["7"], {"7": {"active_cap": value}})
        seen.append(list(world.series("fusionsolar_meter").values()))
    assert seen == [[3.6e8], [], [], [3.618e8]]


def test_a_running_day_longer_than_the_sun_is_absent():
    world = World()
    world.fleet(PLANT)
    rows = {"P": ((NOW - 3_600, {"inverter_power": 910.0}), (NOW - 90_000, {"inverter_power": 40}))}
    world.show_statistics(DAYS, rows)
    world.answer(PLANTS, ["P"], {"P": {"day_power": 910.0, "total_power": 6_925.39}})
    shown = world.series("fusionsolar_plant")
    energies = {name: value for name, value in shown.items() if "energy" in name}
    assert sorted(energies.values()) == [pytest.approx(1.44e8), pytest.approx(6_925.39 * 3.6e6)]


@pytest.mark.parametrize("time", [0.0, -1.0, 1_750_798_800.0, 253_402_300_799_999.0])
def test_a_time_that_is_none_is_absent(time):
    world = World()
    world.fleet(PLANT, Device("1", "P", 1))
    world.answer(DEVICES, ["1"], {"1": {"close_time": time, "open_time": 1_750_755_600_000.0}})
    assert [name.partition("{")[0] for name in world.series("fusionsolar_inverter")] == [
        "fusionsolar_inverter_startup_timestamp_seconds"
    ]


def test_no_time_is_nothing_to_count():
    world = World()
    world.telemetry.introduce("home", [DEVICES.name])
    world.fleet(PLANT, Device("1", "P", 1))
    world.answer(DEVICES, ["1"], {"1": {"close_time": 0.0}})
    rejected = {"interface": DEVICES.name, "reason": "implausible"}
    assert world.self_metric("fusionsolar_values_rejected_total", **rejected) == 0
