"""The year's expected powers come from the exporter's own code, of what its page shows."""

from dataclasses import replace
from statistics import median

import pytest
from year import plants
from year.climates import CLIMATES
from year.expected import Expected
from year.faults import KINDS, FaultSite, seeded
from year.readings import Page
from year.sky import STEPS, Sky

TEXAS = CLIMATES["texas"]
SKY = Sky(TEXAS, 1)
FIRST = 150
LAST = next(day for day in range(FIRST + 20, FIRST + 60) if SKY.kind(day) == "clear")
INVERTER, STRING, PLANT = (
    f"fusionsolar_{each}_expected_power_watts" for each in ("inverter", "inverter_string", "plant")
)
POWER = "fusionsolar_inverter_dc_power_watts"


def last_day(plant, faults=()):
    page = Page(plant, SKY, faults, Expected(plant, TEXAS.latitude))
    for day in range(FIRST, LAST + 1):
        rows = {(name, labels.get("string")): v for name, labels, v in page.day(day, ())}
    return rows


def of_expected(rows):
    """What an inverter gave of what was expected, in the middle of a day."""
    expected, given = rows[INVERTER, None], rows[POWER, None]
    return median(given[step] / expected[step] for step in range(110, 180))


@pytest.mark.slow
def test_what_is_given_in_the_sun_is_what_is_expected():
    rows = last_day(plants.cottage(TEXAS, "c"))
    assert 0.9 < of_expected(rows) < 1.05
    assert {string for name, string in rows if name == STRING} == {"1", "2"}
    assert rows[PLANT, None] == rows[INVERTER, None]
    assert rows[INVERTER, None][0] is None


@pytest.mark.slow
def test_a_fault_does_not_become_what_is_expected():
    plant = plants.cottage(TEXAS, "c")
    half = next(kind for kind in KINDS if kind.name == "only inverter at half")
    days = range(FIRST, LAST + 30)
    fault = seeded(SKY, half, FaultSite("homes", plant), days)
    fault = replace(fault, start=(LAST - 8) * STEPS, end=(LAST + 1) * STEPS)
    assert 0.45 < of_expected(last_day(plant, [fault])) < 0.55


def test_nothing_is_expected_where_the_place_is_not_known():
    assert not any("expected" in name for name, _ in last_day(plants.placeless(TEXAS, "p")))
