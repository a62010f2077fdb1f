"""How devices are asked in the year: what a page shows of them, and how exact it is."""

import pytest
from year import plants
from year.asking import ASKING, Asking
from year.climates import CLIMATES
from year.readings import Page
from year.sky import EPOCH, STEP, STEPS, Sky
from year.world import Scene, World, window

pytestmark = pytest.mark.slow

TEXAS = CLIMATES["texas"]
SKY = Sky(TEXAS, 1)
DAY = next(day for day in range(150, 250) if SKY.kind(day) == "clear")
FARM = plants.farm(TEXAS, "farm")
POWER, READ = (
    "fusionsolar_inverter_dc_power_watts",
    "fusionsolar_device_last_reading_timestamp_seconds",
)


def told(asking):
    """A day's values of a farm, by metric and device."""
    rows = Page(FARM, SKY, asking=asking).day(DAY, [])
    return {
        (name, labels.get("device_id"), labels.get("string")): values
        for name, labels, values in rows
    }


def changes(values):
    """The steps at which a value is another than before."""
    return [step for step in range(1, STEPS) if values[step] != values[step - 1]]


def test_a_slow_account_asks_each_device_every_quarter_of_an_hour_at_a_time_of_its_own():
    page = told(ASKING["slow"])
    phases = [
        {step % 3 for step in changes(page[READ, f"farm/{device}", None])}
        for device in ("east", "middle", "west", "meter", "battery")
    ]
    assert [len(each) for each in phases] == [1] * 5
    assert len(set.union(*phases)) > 1
    assert ASKING["slow"].seconds == 900


def test_a_reading_is_what_was_when_it_was_asked_for():
    exact, slow = told(ASKING["exact"]), told(ASKING["slow"])
    for step in range(3, STEPS):
        asked = (slow[READ, "farm/east", None][step] - EPOCH) // STEP - DAY * STEPS
        assert slow[POWER, "farm/east", None][step] == exact[POWER, "farm/east", None][asked]


def test_a_rough_reading_is_off_by_little():
    exact, rough = told(ASKING["exact"]), told(Asking(error=0.015))
    watts = exact[POWER, "farm/east", None]
    off = [abs(a - b) for a, b in zip(watts, rough[POWER, "farm/east", None], strict=True)]
    assert max(off) > 0
    assert [n for n, each in enumerate(off) if each > 0.015 * watts[n]] == []


def test_a_rough_reading_is_rounded():
    rough = told(ASKING["rough"])
    assert [watts for watts in rough[POWER, "farm/east", None] if watts % 10] == []


def test_a_late_reading_stands_for_an_hour():
    page = told(Asking(late=1.0))
    times = page[READ, "farm/east", None]
    still = [step for step in range(1, STEPS) if times[step] == times[step - 1]]
    assert len(still) == 12
    assert still == list(range(still[0], still[0] + 12))


@pytest.mark.parametrize(("asking", "seconds"), [("exact", 300), ("slow", 900)])
def test_the_walk_that_an_exporter_tells_is_as_long(asking, seconds):
    scene = Scene("texas", window(46, 47), kinds=("home",), asking=asking, expecting=False)
    _, rows = next(World(scene).days())
    walks = {
        value
        for name, _, values in rows
        if name == "fusionsolar_interface_walk_seconds"
        for value in values
        if value is not None
    }
    assert walks == {seconds}
