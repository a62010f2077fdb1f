"""What is made of a capacity that somebody entered, so that none costs an honest reading."""

import pytest
from exposition.world import DEVICE_DAYS, DEVICES, PLANTS, World

from exporter.exposition.plausibility import rating_of
from exporter.northbound.records import Device, Plant

POWER = "fusionsolar_inverter_active_power_watts"
ENERGY = "fusionsolar_plant_day_energy_joules"


def inverter(name="1", kind=1, model=""):
    return Device(name, "P", kind, model=model)


def powers_after(world, **sent):
    world.answer(DEVICES, list("123"), {name[1:]: {"active_power": p} for name, p in sent.items()})
    return sorted(world.series(POWER).values())


def world_of(capacity, *devices):
    world = World()
    world.fleet(Plant("P", "Plant", capacity), *devices)
    return world


def test_ten_times_its_plant_is_no_inverters_power():
    assert powers_after(world_of(9_900.0, inverter()), _1=99.0) == [99_000.0]
    assert powers_after(world_of(9_900.0, inverter()), _1=99.1) == []


@pytest.mark.parametrize("capacity", [None, 0.0, 9.9, 990.0])
def test_a_capacity_that_leaves_an_inverter_less_than_a_kilowatt_is_not_trusted(capacity):
    assert powers_after(world_of(capacity, inverter()), _1=99.1) == [99_100.0]


def test_a_central_inverter_has_a_hundred_kilowatts_at_least():
    assert powers_after(world_of(2_500.0, inverter(kind=14)), _1=2_500.0) == [2_500_000.0]


def test_a_model_names_its_power():
    assert powers_after(world_of(5_000.0, inverter(model="SUN2000-100KTL-M2")), _1=101.0) == [
        101_000.0
    ]
    assert powers_after(world_of(5e6, inverter(model="SUN2000-4KTL-L1")), _1=41.0) == []


@pytest.mark.parametrize(
    ("model", "watts"),
    [
        ("SUN2000-10KTL-M1", 10e3),
        ("SUN2000L-4.6KTL", 4.6e3),
        ("SUN2000-330KTL-H1", 330e3),
        ("SUN2000-12/15/17KTL-M2", None),
        ("LUNA2000-10-S0", None),
        ("SmartLogger3000", None),
        ("", None),
    ],
)
def test_only_a_plain_name_is_a_rating(model, watts):
    assert rating_of(inverter(model=model)) == watts


def test_statistics_tell_a_capacity_too():
    world = world_of(5_000.0, inverter())
    day = (world.epoch - 3_600, {"installed_capacity": 100.0, "product_power": 400.0})
    world.show_statistics(DEVICE_DAYS, {"1": (day, None)})
    assert len(world.series("fusionsolar_inverter_period_energy_joules")) == 1
    assert powers_after(world, _1=80.0) == [80_000.0]


def test_an_overflow_is_no_capacity():
    world = world_of(5_000.0, inverter())
    day = (world.epoch - 3_600, {"installed_capacity": 4_294_967.295})
    world.show_statistics(DEVICE_DAYS, {"1": (day, None)})
    assert powers_after(world, _1=80.0) == []


def energies_after(world, total):
    world.answer(PLANTS, ["P"], {"P": {"day_power": 400.0, "total_power": total}})
    return list(world.series(ENERGY).values())


def test_a_plant_that_produced_more_than_its_capacity_ever_could_is_not_judged_by_it():
    world = world_of(5_000.0, inverter())
    assert energies_after(world, 100_000.0) == []
    world = world_of(5_000.0, inverter())
    energies_after(world, 300_000.0)
    assert energies_after(world, 300_000.0) == [pytest.approx(400 * 3.6e6)]


def test_a_plant_whose_counter_proves_more_is_judged_by_that():
    world = world_of(5_000.0, inverter())
    total = 1_000.0
    for _ in range(290):  # 100 kW for a day, while 5 were entered
        world.at += 300.0
        total += 100 / 12
        energies_after(world, total)
    assert energies_after(world, total) == [pytest.approx(400 * 3.6e6)]


def test_of_a_gone_inverter_nothing_is_known():
    world = world_of(5_000.0, inverter())
    day = (world.epoch - 3_600, {"installed_capacity": 100.0})
    world.show_statistics(DEVICE_DAYS, {"1": (day, None)})
    world.fleet(Plant("P", "Plant", 5_000.0))
    world.fleet(Plant("P", "Plant", 5_000.0), inverter())
    assert powers_after(world, _1=80.0) == []
