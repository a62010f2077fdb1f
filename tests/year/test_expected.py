"""The year's expected powers come from the exporter's own code, from what it exposes."""

from dataclasses import replace
from statistics import median

import pytest
from year import plants
from year.climates import CLIMATES
from year.expected import ExpectedPowerSeries
from year.faults import FAULT_KINDS, FaultSite, seed_fault
from year.plant_series import PlantSeries
from year.timeline import STEPS_PER_DAY
from year.weather import Weather

TEXAS = CLIMATES["texas"]
WEATHER = Weather(TEXAS, 1)
FIRST = 150
LAST = next(day for day in range(FIRST + 20, FIRST + 60) if WEATHER.condition(day) == "clear")
INVERTER, STRING, PLANT = (
    f"fusionsolar_{each}_expected_power_watts" for each in ("inverter", "inverter_string", "plant")
)
POWER = "fusionsolar_inverter_dc_power_watts"


def last_day(plant, faults=()):
    series = PlantSeries(plant, WEATHER, faults, ExpectedPowerSeries(plant, TEXAS.latitude))
    for day in range(FIRST, LAST + 1):
        rows = {(name, labels.get("string")): v for name, labels, v in series.rows(day, ())}
    return rows


def performance(rows):
    """An inverter's power relative to the expected one, in the middle of a day."""
    expected, given = rows[INVERTER, None], rows[POWER, None]
    return median(given[step] / expected[step] for step in range(110, 180))


@pytest.mark.slow
def test_what_is_given_in_the_sun_is_what_is_expected():
    rows = last_day(plants.cottage(TEXAS, "c"))
    assert 0.9 < performance(rows) < 1.05
    assert {string for name, string in rows if name == STRING} == {"1", "2"}
    assert rows[PLANT, None] == rows[INVERTER, None]
    assert rows[INVERTER, None][0] is None


@pytest.mark.slow
def test_a_fault_does_not_become_what_is_expected():
    plant = plants.cottage(TEXAS, "c")
    half = next(kind for kind in FAULT_KINDS if kind.name == "only inverter at half")
    days = range(FIRST, LAST + 30)
    fault = seed_fault(WEATHER, half, FaultSite("homes", plant), days)
    fault = replace(fault, start=(LAST - 8) * STEPS_PER_DAY, end=(LAST + 1) * STEPS_PER_DAY)
    assert 0.45 < performance(last_day(plant, [fault])) < 0.55


def test_nothing_is_expected_where_the_place_is_not_known():
    assert not any("expected" in name for name, _ in last_day(plants.placeless(TEXAS, "p")))
