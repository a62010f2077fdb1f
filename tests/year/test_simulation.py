"""What happens in the simulation shows where it should, and nowhere else."""

from dataclasses import replace
from itertools import product

import pytest
from year import events, plants
from year.account_series import AccountSeries
from year.climates import CLIMATES
from year.faults import FAULT_KINDS, Fault, FaultSite, deadline, seed_fault
from year.plant_series import PlantSeries
from year.simulation import Scenario, Simulation, window
from year.timeline import STEPS_PER_DAY
from year.weather import Weather

pytestmark = pytest.mark.slow

TEXAS = CLIMATES["texas"]
WEATHER = Weather(TEXAS, 1)
DAY = next(day for day in range(150, 250) if WEATHER.condition(day) == "clear")
BEGINS = DAY * STEPS_PER_DAY + 100  # in the morning
ENDS = (DAY + 1) * STEPS_PER_DAY
PLANTS = {
    name: replace(make(TEXAS, name), curtailed_share=0.0)
    for name, make in plants.PLANT_KINDS.items()
}

# What each kind of fault changes; `None` is a series without values.
CHANGED = {
    "only inverter off": "fusionsolar_inverter_active_power_watts",
    "only inverter shut down": "fusionsolar_inverter_state_code",
    "only inverter silent": None,
    "only inverter at half": "fusionsolar_inverter_dc_power_watts",
    "plant off": "fusionsolar_inverter_active_power_watts",
    "all modules soiled": "fusionsolar_inverter_dc_power_watts",
    "park soiled": "fusionsolar_inverter_dc_power_watts",
    "inverter off": "fusionsolar_inverter_active_power_watts",
    "inverter at half": "fusionsolar_inverter_dc_power_watts",
    "inverter silent": None,
    "inverter at 85 %": "fusionsolar_inverter_dc_power_watts",
    "inverter in decline": "fusionsolar_inverter_dc_power_watts",
    "string out": "fusionsolar_inverter_string_current_amperes",
    "string of a field out": "fusionsolar_inverter_string_current_amperes",
    "string weak": "fusionsolar_inverter_string_current_amperes",
    "most strings out": "fusionsolar_inverter_string_current_amperes",
    "values stuck": "fusionsolar_inverter_dc_power_watts",
    "offline with values": "fusionsolar_inverter_run_state_code",
    "insulation low": "fusionsolar_inverter_state_code",
    "too hot inside": "fusionsolar_inverter_temperature_celsius",
    "weak grid at 112 %": "fusionsolar_meter_voltage_volts",
    "frequency off": "fusionsolar_meter_frequency_hertz",
    "battery gives nothing": "fusionsolar_battery_power_watts",
    "battery takes nothing": "fusionsolar_battery_power_watts",
    "battery worn": "fusionsolar_battery_state_of_health_ratio",
    "battery faulty": "fusionsolar_battery_status_code",
    "meter offline": None,
    "account refused": "fusionsolar_up",
    "account down": "fusionsolar_up",
    "session stolen": "fusionsolar_api_sessions_lost_total",
    "interface without answers": "fusionsolar_interface_last_success_timestamp_seconds",
    "plants withdrawn": "fusionsolar_plants",
}


def by_series(rows):
    return {(name, *labels.values()): values for name, labels, values in rows}


def values_of(rows, metric):
    return next(values for series, values in rows.items() if series[0] == metric)


def morning_fault(kind):
    """A fault that begins in the morning, and ends at midnight."""
    if kind.account_effect:
        return Fault(kind, "homes", None, None, None, BEGINS, ENDS, ENDS)
    plant = PLANTS[kind.plants[0]]
    fault = seed_fault(WEATHER, kind, FaultSite(plant.account, plant), range(DAY, DAY + 200))
    return replace(fault, start=BEGINS, end=ENDS)


def day_values(kind, faults):
    """The values of a day, with faults of a kind."""
    if kind.account_effect:
        return by_series(AccountSeries("homes", WEATHER, faults).rows(DAY))
    series = PlantSeries(PLANTS[kind.plants[0]], WEATHER, faults)
    by_series(series.rows(DAY - 1, []))
    return by_series(series.rows(DAY, []))


@pytest.mark.parametrize(
    "kind", [k for k in FAULT_KINDS if k.name in CHANGED], ids=lambda k: k.name
)
def test_a_fault_changes_what_it_should_from_its_start_on(kind):
    before, after = day_values(kind, []), day_values(kind, [morning_fault(kind)])
    start = BEGINS - DAY * STEPS_PER_DAY
    assert before.keys() >= after.keys()
    changed = {series[0] for series in after if after[series][start:] != before[series][start:]}
    assert {series for series in after if after[series][:start] != before[series][:start]} == set()
    if CHANGED[kind.name] is None:
        assert any(set(values[start:]) == {None} for values in after.values())
    else:
        assert CHANGED[kind.name] in changed


def test_every_kind_of_fault_is_tried():
    assert {kind.name for kind in FAULT_KINDS} - CHANGED.keys() == {"exporter down"}
    missing = {kind.name for kind in FAULT_KINDS}
    for climate, rotation in product(CLIMATES, (0, 1)):
        simulation = Simulation(Scenario(climate, window(0, 365), fault_rotation=rotation))
        missing -= {fault.kind.name for fault in simulation.faults}
        if not missing:  # each year more takes half a second
            break
    assert missing == set()


def test_a_fault_must_be_reported_within_its_hours_of_light():
    kinds = {kind.name: kind for kind in FAULT_KINDS}
    night = DAY * STEPS_PER_DAY
    assert deadline(WEATHER, kinds["battery faulty"], night) == night + 12
    assert 8 * 12 < deadline(WEATHER, kinds["inverter off"], night) - night < 12 * 12
    assert deadline(WEATHER, kinds["string out"], night) == night + STEPS_PER_DAY
    assert deadline(WEATHER, kinds["string out"], night + 1) >= night + 2 * STEPS_PER_DAY


def test_none_can_be_seen_in_a_polar_night():
    arctic = Weather(CLIMATES["arctic"], 1)
    kinds = {kind.name: kind for kind in FAULT_KINDS}
    assert deadline(arctic, kinds["only inverter off"], 330 * STEPS_PER_DAY) is None


def test_values_stay_exposed_for_25_minutes_of_an_outage():
    first = DAY * STEPS_PER_DAY
    series = PlantSeries(PLANTS["eastwest"], WEATHER)
    rows = by_series(series.rows(DAY, [(first + 144, first + 156)]))
    power = values_of(rows, "fusionsolar_inverter_active_power_watts")
    assert power[144:149] == [power[143]] * 5
    assert power[149:156] == [None] * 7
    assert None not in power[:149] + power[156:]


def test_a_plant_that_sleeps_at_night_has_no_readings_then_and_counts_as_disconnected():
    rows = by_series(PlantSeries(PLANTS["cottage"], WEATHER).rows(DAY, []))
    power = values_of(rows, "fusionsolar_inverter_active_power_watts")
    health = values_of(rows, "fusionsolar_plant_health_state_code")
    assert (power[10], health[10], health[150]) == (None, 1, 3)


def test_snow_covers_all_and_leaves_string_by_string():
    series = PlantSeries(PLANTS["eastwest"], Weather(CLIMATES["bavaria"], 1))
    covered = []
    for day in range(-5, 60):
        list(series.rows(day, []))
        covered.append(len(series.model.snow_cover))
    assert set(covered) >= {0, 4}
    assert set(covered) & {1, 2, 3}


def test_a_battery_outdoors_takes_nothing_when_it_freezes():
    series = PlantSeries(PLANTS["home"], Weather(CLIMATES["arctic"], 1))
    charging = []
    for day in range(60, 80):
        rows = by_series(series.rows(day, []))
        cold = [air < 0 for air in series.weather.day(day).ambient_temperature]
        power = values_of(rows, "fusionsolar_battery_power_watts")
        charging += [watts for watts, freezes in zip(power, cold, strict=True) if freezes]
    assert max(charging) == 0.0


def test_the_utility_limits_fields_of_which_only_some_report_it():
    for name, reported in (("field", True), ("clipped", False)):
        plant = replace(PLANTS[name], curtailed_share=1.0)
        assert events.power_limit(WEATHER, plant, DAY) is not None
        rows = by_series(PlantSeries(plant, WEATHER).rows(DAY, []))
        states = values_of(rows, "fusionsolar_inverter_state_code")
        assert (513 in states) is reported


def test_what_happens_is_a_function_of_the_seed():
    scenario = Scenario("bavaria", window(30, 31), plant_kinds=("home",))
    days = [[list(rows) for _, rows in Simulation(scenario).days()] for _ in range(2)]
    assert days[0] == days[1]
    other = [list(rows) for _, rows in Simulation(replace(scenario, seed=2)).days()]
    assert other != days[0]
