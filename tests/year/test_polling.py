"""How devices are polled: what is exposed of them, and how exact it is."""

import pytest
from year import plants
from year.climates import CLIMATES
from year.plant_series import PlantSeries
from year.polling import POLLING, Polling
from year.simulation import Scenario, Simulation, window
from year.timeline import DAY_SECONDS, EPOCH, STEP_SECONDS, STEPS_PER_DAY
from year.weather import Weather

pytestmark = pytest.mark.slow

TEXAS = CLIMATES["texas"]
WEATHER = Weather(TEXAS, 1)
DAY = next(day for day in range(150, 250) if WEATHER.condition(day) == "clear")
FARM = plants.farm(TEXAS, "farm")
POWER, READING_TIME = (
    "fusionsolar_inverter_dc_power_watts",
    "fusionsolar_device_last_reading_timestamp_seconds",
)


def day_values(polling):
    """A day's values of a farm, by metric, device and string."""
    rows = PlantSeries(FARM, WEATHER, polling=polling).rows(DAY, [])
    return {
        (name, labels.get("device_id"), labels.get("string")): values
        for name, labels, values in rows
    }


def change_steps(values):
    """The steps at which a value is another than before."""
    return [step for step in range(1, STEPS_PER_DAY) if values[step] != values[step - 1]]


def test_a_slow_account_polls_each_device_every_quarter_of_an_hour_at_a_time_of_its_own():
    series = day_values(POLLING["slow"])
    phases = [
        {step % 3 for step in change_steps(series[READING_TIME, f"farm/{device}", None])}
        for device in ("east", "middle", "west", "meter", "battery")
    ]
    assert [len(each) for each in phases] == [1] * 5
    assert len(set.union(*phases)) > 1
    assert POLLING["slow"].walk_seconds == 900


def test_a_reading_is_of_the_step_at_which_the_device_was_polled():
    exact, slow = day_values(POLLING["exact"]), day_values(POLLING["slow"])
    for step in range(3, STEPS_PER_DAY):
        seconds = slow[READING_TIME, "farm/east", None][step] - EPOCH - DAY * DAY_SECONDS
        polled = seconds // STEP_SECONDS
        assert slow[POWER, "farm/east", None][step] == exact[POWER, "farm/east", None][polled]


def test_a_rough_reading_is_off_by_little():
    exact, rough = day_values(POLLING["exact"]), day_values(Polling(error=0.015))
    watts = exact[POWER, "farm/east", None]
    deviations = [abs(a - b) for a, b in zip(watts, rough[POWER, "farm/east", None], strict=True)]
    assert max(deviations) > 0
    assert [n for n, each in enumerate(deviations) if each > 0.015 * watts[n]] == []


def test_a_rough_reading_is_rounded():
    rough = day_values(POLLING["rough"])
    assert [watts for watts in rough[POWER, "farm/east", None] if watts % 10] == []


def test_a_stalled_reading_stands_still_for_an_hour():
    series = day_values(Polling(stall_share=1.0))
    times = series[READING_TIME, "farm/east", None]
    still = [step for step in range(1, STEPS_PER_DAY) if times[step] == times[step - 1]]
    assert len(still) == 12
    assert still == list(range(still[0], still[0] + 12))


@pytest.mark.parametrize(("polling", "seconds"), [("exact", 300), ("slow", 900)])
def test_the_exported_walk_lasts_as_long(polling, seconds):
    scenario = Scenario(
        "texas", window(46, 47), plant_kinds=("home",), polling=polling, with_expected_power=False
    )
    _, rows = next(Simulation(scenario).days())
    walks = {
        value
        for name, _, values in rows
        if name == "fusionsolar_interface_walk_seconds"
        for value in values
        if value is not None
    }
    assert walks == {seconds}
