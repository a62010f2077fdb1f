"""Values follow sun and weather, and fit each other."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from exporter.simulator.world import energy, periods, sun, weather
from exporter.simulator.world.fleet import build
from exporter.simulator.world.kpis import DEVICE_KPIS, plant_kpis
from exporter.simulator.world.plant_state import PlantState
from exporter.simulator.world.weather import Cell

FLEET = build()
HOUSE, BODEGA, PARK, CASA, COLD_STORE, KISARAZU = FLEET.plants.values()
MIDNIGHT = sun.midnight(sun.local_day(1782212400, 11)[0], 11)  # 23 June 2026 at HOUSE, by the sun
JUNE_23 = date(2026, 6, 23)
CIVIL_MIDNIGHT = int(periods.beginning(HOUSE.zone, JUNE_23))  # an hour earlier: summer time
HOUR = 3600


def values(plant, type_id, time, number=0):
    devices = [device for device in plant.devices if device.type_id == type_id]
    return DEVICE_KPIS[type_id](devices[number], PlantState(plant, time, FLEET.seed))


def plant_values(plant, time):
    return plant_kpis(PlantState(plant, time, FLEET.seed))


def integral(power, start, end, step=60):
    points = [power(time) for time in range(start, end + 1, step)]
    return sum(a + b for a, b in pairwise(points)) / 2 * step / HOUR


def test_local_midnight_is_midnight_by_the_meridian():
    assert sun.midnight(0, 0) == datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    assert sun.local_day(sun.midnight(100, -117) + 5, -117) == (100, 5)
    assert sun.zone_seconds(-117) == -8 * HOUR


def test_the_sun_is_highest_at_noon_and_below_the_horizon_by_night():
    sines = sun.elevation_sines(172, 49, 15)
    assert sines.index(max(sines)) == sun.SLOTS // 2
    # Day 172 is the June solstice: 90 - 49 + 23.44 degrees.
    assert max(sines) == pytest.approx(0.902, abs=0.002)
    assert sines[0] < 0


def test_the_sun_shines_on_some_plant_at_any_hour():
    for hour in range(24):
        powers = [
            PlantState(plant, MIDNIGHT + hour * HOUR, FLEET.seed).modules.power
            for plant in FLEET.plants.values()
        ]
        assert max(powers) > 0


def test_an_inverter_sleeps_by_night_and_works_by_day():
    night, noon = values(HOUSE, 1, MIDNIGHT + HOUR), values(HOUSE, 1, MIDNIGHT + 12 * HOUR)
    assert (night["inverter_state"], night["active_power"], night["a_u"]) == (40960, 0.0, 0.0)
    assert noon["inverter_state"] in (512, 513)
    assert noon["active_power"] > 0
    assert noon["a_u"] == pytest.approx(230, abs=5)
    assert noon["elec_freq"] == pytest.approx(50, abs=0.1)


@pytest.mark.slow
def test_an_inverter_is_power_limited_at_its_ceiling_only():
    limited = 0
    for quarter in range(4 * 24 * 30):
        time = MIDNIGHT + quarter * 900
        at = values(PARK, 14, time)
        share = PlantState(PARK, time, FLEET.seed).modules.power
        assert (at["inverter_state"] == 513) == (share > weather.CEILING - 1e-9)
        limited += at["inverter_state"] == 513
    assert 0 < limited < 4 * 24 * 10


def test_opening_and_closing_are_the_latest_ones():
    night, noon = values(HOUSE, 1, MIDNIGHT + HOUR), values(HOUSE, 1, MIDNIGHT + 12 * HOUR)
    late = values(HOUSE, 1, MIDNIGHT + 23 * HOUR)
    yesterday = (MIDNIGHT - 24 * HOUR) * 1000
    assert yesterday < night["open_time"] < night["close_time"] < MIDNIGHT * 1000
    assert MIDNIGHT * 1000 < noon["open_time"] < (MIDNIGHT + 6 * HOUR) * 1000
    assert noon["close_time"] is None
    assert late["open_time"] == noon["open_time"]
    assert (MIDNIGHT + 18 * HOUR) * 1000 < late["close_time"] < (MIDNIGHT + 23 * HOUR) * 1000


@pytest.mark.slow
@pytest.mark.parametrize("end", [7.21, 12.0, 15.9, 24.0 - 1 / 60])
def test_a_days_energy_is_the_integral_of_its_power(end):
    until = CIVIL_MIDNIGHT + int(end * 60) * 60
    summed = integral(lambda time: values(HOUSE, 1, time)["active_power"], CIVIL_MIDNIGHT, until)
    assert values(HOUSE, 1, until)["day_cap"] == pytest.approx(summed, abs=0.02, rel=0.002)


def test_a_plants_energy_is_that_of_its_inverters():
    time = MIDNIGHT + 15 * HOUR
    inverters = [values(BODEGA, 1, time, number) for number in range(4)]
    plant = plant_values(BODEGA, time)
    for key, key_of_plant in (("day_cap", "day_power"), ("total_cap", "total_power")):
        summed = sum(inverter[key] for inverter in inverters)
        assert plant[key_of_plant] == pytest.approx(summed, abs=0.01)


def test_a_months_energy_is_the_sum_of_its_days():
    starts = [periods.beginning(HOUSE.zone, JUNE_23 - timedelta(days=n)) for n in range(-1, 23)]
    ends = [start - 0.001 for start in starts[:-1]]  # of 23 down to 1 June
    summed = sum(plant_values(HOUSE, end)["day_power"] for end in ends)
    assert plant_values(HOUSE, ends[0])["month_power"] == pytest.approx(summed, rel=0.001)
    first = starts[-1]
    assert plant_values(HOUSE, first)["month_power"] == 0.0
    assert plant_values(HOUSE, first - 1)["month_power"] > 500


def test_what_restarts_daily_restarts_at_civil_midnight():
    start = periods.beginning(CASA.zone, JUNE_23)
    before, after = values(CASA, 39, start - 1), values(CASA, 39, start + 1)
    assert before["discharge_cap"] > 1
    assert after["discharge_cap"] == pytest.approx(0, abs=0.01)
    assert plant_values(HOUSE, CIVIL_MIDNIGHT - 1)["day_power"] > 1
    assert plant_values(HOUSE, CIVIL_MIDNIGHT + 1)["day_power"] == 0


LIFETIME = [
    (HOUSE, 1, "total_cap"),
    (HOUSE, 1, "mppt_1_cap"),
    (HOUSE, 47, "active_cap"),
    (HOUSE, 47, "reverse_active_cap"),
    (BODEGA, 17, "positive_active_peak"),
    (PARK, 14, "total_cap"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "type_id", "key"), LIFETIME)
def test_lifetime_energies_never_fall(plant, type_id, key):
    times = range(MIDNIGHT - 400 * 86_400, MIDNIGHT + 400 * 86_400, 17 * HOUR + 137)
    series = [values(plant, type_id, time)[key] for time in times]
    assert series == sorted(series)
    assert 0 < series[0] < series[-1]


def test_lifetime_energy_grows_by_each_days_energy_also_over_new_year():
    new_year = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    for day in range(sun.local_day(new_year, 11)[0] - 3, sun.local_day(new_year, 11)[0] + 3):
        start, end = sun.midnight(day, 11), sun.midnight(day + 1, 11)
        grown = values(HOUSE, 1, end)["total_cap"] - values(HOUSE, 1, start)["total_cap"]
        assert grown == pytest.approx(values(HOUSE, 1, end - 1)["day_cap"], abs=0.01)


def test_a_clock_far_from_ours_has_energies_too():
    for time in (0, 1_000, 4e9):
        assert values(HOUSE, 1, time)["total_cap"] > 0
        assert values(HOUSE, 47, time)["active_cap"] > 0


def test_production_is_load_battery_and_grid_at_every_instant():
    for quarter in range(97):
        time = MIDNIGHT - 12 * HOUR + quarter * 900
        day, seconds = sun.local_day(time, 11)
        drawn = energy.load(Cell(FLEET.seed, 49, 11), HOUSE.use, day % weather.CYCLE)
        produced = values(HOUSE, 1, time)["active_power"] * 1000
        battery = values(HOUSE, 39, time)["ch_discharge_power"]
        load = drawn[int(seconds // 900)] * HOUSE.capacity_kw * 1000
        meter = values(HOUSE, 47, time)["active_power"]
        assert meter == pytest.approx(produced - load - battery, abs=1.5)


@pytest.mark.slow
def test_a_meters_energies_are_the_integrals_of_its_power():
    start, end = MIDNIGHT, MIDNIGHT + 24 * HOUR
    for key, sign in (("active_cap", 1), ("reverse_active_cap", -1)):
        summed = integral(
            lambda time, sign=sign: max(0, sign * values(HOUSE, 47, time)["active_power"] / 1000),
            start,
            end,
        )
        grown = values(HOUSE, 47, end)[key] - values(HOUSE, 47, start)[key]
        assert grown == pytest.approx(summed, abs=0.02)


def test_a_battery_stays_within_its_capacity_and_is_used():
    size = next(device.size for device in HOUSE.devices if device.type_id == 39)
    levels = []
    for quarter in range(4 * 24 * 20):
        at = values(HOUSE, 39, MIDNIGHT + quarter * 900)
        assert 5 <= at["battery_soc"] <= 100
        assert abs(at["ch_discharge_power"]) <= at["max_charge_power"]
        levels.append(at["battery_soc"])
    assert min(levels) < 20
    assert max(levels) > 90
    before, after = values(HOUSE, 39, MIDNIGHT + 8 * HOUR), values(HOUSE, 39, MIDNIGHT + 13 * HOUR)
    flowed = (after["charge_cap"] - before["charge_cap"]) - (
        after["discharge_cap"] - before["discharge_cap"]
    )
    filled = (after["battery_soc"] - before["battery_soc"]) / 95 * size
    assert filled == pytest.approx(flowed, abs=0.02)


def test_a_battery_goes_on_through_midnight():
    end, start = (values(HOUSE, 39, MIDNIGHT + offset) for offset in (-1, 1))
    assert start["battery_soc"] == pytest.approx(end["battery_soc"], abs=0.2)
    assert start["ch_discharge_power"] == pytest.approx(end["ch_discharge_power"], abs=10)


def test_a_residential_battery_tells_no_state_of_health():
    assert values(HOUSE, 39, MIDNIGHT)["battery_soh"] == 0


def test_a_larger_storages_health_falls_with_its_age_by_its_own_pace():
    birthdays = [
        PlantState(BODEGA, MIDNIGHT, FLEET.seed).counting_since + n * 365 * 86_400
        for n in range(16)
    ]
    first, second = (
        [values(BODEGA, 41, birthday, number)["battery_soh"] for birthday in birthdays]
        for number in (0, 1)
    )
    for ages in (first, second):
        assert ages[0] == 100
        assert all(1.1 <= before - after <= 1.9 for before, after in pairwise(ages))
        assert ages[-1] > 70
    assert first != second


@pytest.mark.parametrize(("plant", "type_id"), [(HOUSE, 1), (BODEGA, 1), (CASA, 38)])
def test_strings_share_the_dc_power(plant, type_id):
    noon = MIDNIGHT + (12 if plant is not CASA else 19) * HOUR
    at = values(plant, type_id, noon)
    inputs = [key.removesuffix("_u") for key in at if key.startswith("pv") and key.endswith("_u")]
    summed = sum(at[f"{name}_u"] * at[f"{name}_i"] for name in inputs)
    assert summed == pytest.approx(at["mppt_power"] * 1000, rel=0.002)
    assert at["active_power"] < at["mppt_power"]


def test_irradiation_is_the_integral_of_irradiance():
    end = MIDNIGHT + 15 * HOUR
    begin = sun.midnight(sun.local_day(end, -6)[0], -6)
    hours = integral(lambda time: values(BODEGA, 10, time)["horiz_radiant_line"], begin, end)
    total = values(BODEGA, 10, end)["horiz_radiant_total"]
    assert total == pytest.approx(hours * 3600 / 1e6, rel=0.005)


def test_tariffs_add_up():
    at = values(BODEGA, 17, MIDNIGHT + 12 * HOUR)
    tariffs = [at[f"reverse_active_{tariff}"] for tariff in ("top", "peak", "power", "valley")]
    assert sum(tariffs) == pytest.approx(at["reverse_active_cap"], abs=0.01)


def test_the_same_seed_gives_the_same_fleet_and_weather():
    again = build()
    assert dict(again.plants) == dict(FLEET.plants)
    assert dict(build(seed=1).plants) != dict(FLEET.plants)
    assert weather.irradiance(Cell(0, 49, 11), 170) != weather.irradiance(Cell(1, 49, 11), 170)


def test_weather_is_the_same_in_every_process():
    # A pinned value: a change of the formula is a change of every restarted counter.
    assert weather.production_before(Cell(0, 49, 11))[-1] == pytest.approx(2328.77, abs=0.01)


def test_years_and_fair_days_differ():
    before = weather.production_before(Cell(0, 49, 11))
    years = [before[365 * (year + 1)] - before[365 * year] for year in range(2)]
    assert all(1100 < year < 1250 for year in years)
    assert max(years) - min(years) > 10
    days = sorted(before[day + 1] - before[day] for day in range(150, 210))
    assert max(more - less for less, more in pairwise(days)) < 0.6


def test_the_mains_of_one_area_wander_without_a_rhythm():
    times = [MIDNIGHT + 300 * number for number in range(2000)]
    hertz = [PlantState(HOUSE, time, FLEET.seed).frequency for time in times]
    assert hertz == [PlantState(BODEGA, time, FLEET.seed).frequency for time in times]
    apart = [each - 50 for each in hertz]
    assert max(map(abs, apart)) < 0.05
    whole = sum(each * each for each in apart)
    for lag in range(2, 300):
        assert abs(sum(a * b for a, b in zip(apart, apart[lag:], strict=False))) < 0.15 * whole


def test_inverters_side_by_side_are_not_equally_warm():
    time = MIDNIGHT + 12 * HOUR
    temperatures = [values(BODEGA, 1, time, number)["temperature"] for number in range(4)]
    assert len(set(temperatures)) > 1
    assert max(temperatures) - min(temperatures) < 8


def test_a_power_that_changes_sign_is_split_where_it_does():
    # A quarter hour from 3 kW down to -1 kW: three quarters of it above, one below.
    series = energy.Series.of([3.0, -1.0] + [-1.0] * (sun.SLOTS - 1))
    assert series.at(900) == (-1.0, pytest.approx(0.28125), pytest.approx(0.03125))
    assert series.at(675) == (pytest.approx(0.0), pytest.approx(0.28125), 0.0)


def test_a_grid_meter_tells_watts_and_its_phases_kilowatts():
    for hour in (1, 12):
        time = MIDNIGHT + hour * HOUR
        at, balance = values(BODEGA, 17, time), PlantState(BODEGA, time, FLEET.seed).grid
        assert at["active_power"] == pytest.approx(balance.power * 320_000, abs=0.1)
        phases = sum(at[f"active_power_{phase}"] for phase in "abc")
        assert phases == pytest.approx(at["active_power"] / 1000, abs=0.002)
        assert at["power_factor"] * at["active_power"] > 0


NOONS = [
    (HOUSE, 1, 12, 50, (230, 230, 230)),
    (PARK, 14, 20, 60, (277, 277, 277)),
    (CASA, 38, 19, 60, (220, 0, 0)),
    (COLD_STORE, 1, 3, 50, (230, 230, 230)),
    (KISARAZU, 38, 3, 50, (202, 0, 0)),
]


@pytest.mark.parametrize(("plant", "type_id", "hour", "hertz", "volts"), NOONS)
def test_a_plant_is_at_the_mains_of_its_country(plant, type_id, hour, hertz, volts):
    at = values(plant, type_id, MIDNIGHT + hour * HOUR)
    assert at["elec_freq"] == pytest.approx(hertz, abs=0.06)
    assert [at[f"{phase}_u"] for phase in "abc"] == [pytest.approx(v, rel=0.03) for v in volts]
    assert [at[f"{phase}_i"] > 0 for phase in "abc"] == [v > 0 for v in volts]
    lines = [at["ab_u"], at["bc_u"], at["ca_u"]] if "ab_u" in at else []
    assert [v > 0 for v in lines] == [all(volts)] * len(lines)


def test_plants_of_one_grid_see_one_frequency_and_others_another():
    hertz = [PlantState(plant, MIDNIGHT, FLEET.seed).frequency for plant in FLEET.plants.values()]
    assert hertz[0] == hertz[1]
    assert len(set(hertz)) == 5


def test_a_transformer_lifts_480_volts_to_34_500():
    at = values(PARK, 8, MIDNIGHT + 20 * HOUR)
    assert [at[f"{line}_u"] for line in ("ab", "bc", "ca")] == [pytest.approx(34_500, rel=0.03)] * 3


def test_no_phase_is_like_another():
    at = values(BODEGA, 17, MIDNIGHT + 12 * HOUR)
    for key in ("{}_u", "{}_i", "active_power_{}"):
        assert len({at[key.format(phase)] for phase in "abc"}) == 3
    shares = [at[f"active_power_{phase}"] * 1000 / at["active_power"] for phase in "abc"]
    assert max(shares) - min(shares) > 0.02


def test_a_load_is_another_one_each_day_and_a_steady_one_is_not():
    cell = Cell(FLEET.seed, 49, 11)
    days = [energy.load(cell, HOUSE.use, day) for day in (170, 171)]
    assert days[0][-1] == days[1][0]
    differ = [one != other for one, other in zip(*days, strict=True)]
    assert sum(differ) > 90
    assert set(energy.load(cell, PARK.use, 170)) == {0.003}


def test_the_performance_ratio_breathes():
    starts = [periods.beginning(HOUSE.zone, JUNE_23 + timedelta(days=n)) for n in range(21)]
    states = [PlantState(HOUSE, end - 1, FLEET.seed) for end in starts[1:]]
    ratios = [
        state.produced(state.midnight) / state.irradiation(state.midnight) for state in states
    ]
    assert 0.8 < min(ratios) < max(ratios) < 0.95
    assert max(ratios) - min(ratios) > 0.02


def test_dust_costs_power_until_it_rains():
    dry = [weather.cleanness(Cell(0, 35, -117), day) for day in range(365)]
    assert max(dry) == 1.0
    assert all(after == 1.0 or before - after < 0.0016 for before, after in pairwise(dry))
    assert 0.97 <= min(dry) < 0.99


def test_inverters_and_modules_are_colder_in_the_morning_than_under_as_much_light_later():
    noon = MIDNIGHT + 20 * HOUR
    morning, evening = (PlantState(PARK, noon + hours * HOUR, FLEET.seed) for hours in (-5, 5))
    for state, sign in ((morning, 1), (evening, -1)):
        light_alone = weather.module_temperature(state.ambient, 1000 * state.irradiance[0])
        assert sign * (light_alone - state.module_temperature) > 0.1
        assert sign * (state.modules.power - state.warmth) > 0.01


def test_the_air_goes_on_through_midnight_and_no_day_is_like_the_last():
    cell = Cell(0, 49, 11)
    for day in range(364):
        end, start = weather.temperature(cell, day, 86_400), weather.temperature(cell, day + 1, 0)
        assert end == pytest.approx(start, abs=0.25)
    afternoons = {round(weather.temperature(cell, day, 15 * HOUR)) for day in range(170, 190)}
    assert len(afternoons) > 5


def test_the_strings_of_a_tracker_have_one_voltage_that_falls_with_the_heat():
    morning, noon = (values(BODEGA, 1, MIDNIGHT + hour * HOUR) for hour in (8, 13))
    assert noon["pv1_u"] == noon["pv2_u"] != noon["pv3_u"] == noon["pv4_u"]
    assert noon["pv1_u"] < morning["pv1_u"]


def test_an_inverters_efficiency_depends_on_its_load():
    efficiencies = [values(HOUSE, 1, MIDNIGHT + hour * HOUR)["efficiency"] for hour in (6, 9, 13)]
    assert len(set(efficiencies)) == 3
    assert all(90 < efficiency < 99 for efficiency in efficiencies)
