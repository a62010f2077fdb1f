"""Weather, module planes and the battery behave as real ones do."""

import pytest
from year.battery_model import BatteryModel
from year.climates import CLIMATES
from year.plants import Battery, roof_facing
from year.surfaces import Surface, irradiance, shaded_share, specific_power
from year.timeline import STEP_SECONDS
from year.weather import Weather

pytestmark = pytest.mark.slow

BAVARIA = CLIMATES["bavaria"]
# kWh that a kW of modules gives in a year, roughly as atlases of such places have it.
YIELDS = {
    "desert": (1900, 2500),
    "singapore": (1100, 1500),
    "bavaria": (950, 1350),
    "texas": (1500, 1950),
    "arctic": (700, 1100),
}


@pytest.mark.parametrize("name", CLIMATES)
def test_a_kilowatt_yields_in_a_year_what_it_does_in_such_a_place(name):
    climate = CLIMATES[name]
    weather, roof = Weather(climate, 1), roof_facing(climate)
    kilowatt_hours = (
        sum(sum(specific_power(roof, weather.day(day))) for day in range(365)) * STEP_SECONDS / 3600
    )
    least, most = YIELDS[name]
    assert least < kilowatt_hours < most


def test_the_same_seed_has_the_same_weather_and_another_one_another():
    days = [[Weather(BAVARIA, seed).condition(day) for day in range(60)] for seed in (1, 1, 2)]
    assert days[0] == days[1] != days[2]


def test_the_sun_of_the_far_north_stays_away_in_midwinter_and_up_in_midsummer():
    weather = Weather(CLIMATES["arctic"], 1)
    assert max(weather.day(354).elevation) < 0 < min(weather.day(171).elevation)


def test_east_peaks_before_noon_and_west_after():
    day = next(
        day for day in map(Weather(BAVARIA, 1).day, range(150, 200)) if day.condition == "clear"
    )
    peaks = [
        max(range(288), key=irradiance(roof_facing(BAVARIA, degrees_west), day).__getitem__)
        for degrees_west in (-90, 90)
    ]
    assert peaks[0] < 144 < peaks[1]


def test_a_wall_hides_a_low_sun_and_not_a_high_one():
    wall = (20, 120, 55)
    assert [shaded_share(wall, 70, height) for height in (10, 55, 80)] == [1.0, 0.5, 0.0]
    assert [shaded_share(wall, azimuth, 10) for azimuth in (19, 24, 121)] == [0.0, 0.5, 0.0]
    assert shaded_share(None, 70, 10) == 0.0


def test_a_chimney_takes_all_in_the_sun_and_little_under_clouds():
    weather, shaded = Weather(BAVARIA, 1), Surface(180, 20, chimney=(150, 210, 89))
    free = Surface(180, 20)
    left = {
        day.condition: specific_power(shaded, day)[144] / specific_power(free, day)[144]
        for day in map(weather.day, range(150, 250))
    }
    assert left["clear"] < 0.1
    assert left["overcast"] > 0.8


def test_a_battery_takes_and_gives_within_its_limits_and_not_when_cold():
    battery = BatteryModel(Battery("b", 3.6e6, 1000))
    powers = [
        battery.step(5000, 20, set()),
        battery.step(-300, 20, set()),
        battery.step(-300, 20, {"no discharge"}),
        battery.step(300, -1, set()),
        battery.step(300, 20, {"no charge"}),
        battery.step(-300, -1, set()),
    ]
    assert powers == [1000, -300, 0, 0, 0, -300]
    assert battery.take_day()[0] == powers
    for _ in range(100):
        battery.step(5000, 20, set())
    assert battery.charge == pytest.approx(0.99)
