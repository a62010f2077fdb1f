"""The world of the year: what happens shows where it should, and nowhere else."""

from dataclasses import replace
from itertools import product

import pytest
from year import events, plants
from year.accounts import Account
from year.climates import CLIMATES
from year.faults import KINDS, Fault, FaultSite, deadline, seeded
from year.readings import Page
from year.sky import STEPS, Sky
from year.world import Scene, World, window

pytestmark = pytest.mark.slow

TEXAS = CLIMATES["texas"]
SKY = Sky(TEXAS, 1)
DAY = next(day for day in range(150, 250) if SKY.kind(day) == "clear")
BEGINS = DAY * STEPS + 100  # in the morning
ENDS = DAY * STEPS + STEPS
PLANT = {name: replace(make(TEXAS, name), curtailed=0.0) for name, make in plants.KINDS.items()}

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


def shown(page, day, silent=()):
    return {(name, *labels.values()): values for name, labels, values in page.day(day, silent)}


def a_fault(kind):
    """One that begins in the morning, and ends at midnight."""
    if kind.account:
        return Fault(kind, "homes", None, None, None, BEGINS, ENDS, ENDS)
    plant = PLANT[kind.plants[0]]
    found = seeded(SKY, kind, FaultSite(plant.account, plant), range(DAY, DAY + 200))
    return replace(found, start=BEGINS, end=ENDS)


def day_of(kind, faults):
    """The page of a day on which a kind of fault happens."""
    if kind.account:
        rows = Account("homes", SKY, faults).rows(DAY)
        return {(name, *labels.values()): values for name, labels, values in rows}
    page = Page(PLANT[kind.plants[0]], SKY, faults)
    shown(page, DAY - 1)
    return shown(page, DAY)


@pytest.mark.parametrize("kind", [k for k in KINDS if k.name in CHANGED], ids=lambda k: k.name)
def test_a_fault_changes_what_it_should_from_its_start_on(kind):
    before, after = day_of(kind, []), day_of(kind, [a_fault(kind)])
    start = BEGINS - DAY * STEPS
    assert before.keys() >= after.keys()
    changed = {series[0] for series in after if after[series][start:] != before[series][start:]}
    assert {series for series in after if after[series][:start] != before[series][:start]} == set()
    if CHANGED[kind.name] is None:
        assert any(set(values[start:]) == {None} for values in after.values())
    else:
        assert CHANGED[kind.name] in changed


def test_every_kind_of_fault_is_tried():
    assert {kind.name for kind in KINDS} - CHANGED.keys() == {"exporter down"}
    missing = {kind.name for kind in KINDS}
    for climate, turn in product(CLIMATES, (0, 1)):
        world = World(Scene(climate, window(0, 365), turn=turn))
        missing -= {fault.kind.name for fault in world.faults}
        if not missing:  # each year more takes half a second
            break
    assert missing == set()


def test_a_fault_must_be_told_in_its_time_of_light():
    kinds = {kind.name: kind for kind in KINDS}
    night = DAY * STEPS
    assert deadline(SKY, kinds["battery faulty"], night) == night + 12
    assert 8 * 12 < deadline(SKY, kinds["inverter off"], night) - night < 12 * 12
    assert deadline(SKY, kinds["string out"], night) == night + STEPS
    assert deadline(SKY, kinds["string out"], night + 1) >= night + 2 * STEPS


def test_none_can_be_seen_in_a_polar_night():
    arctic = Sky(CLIMATES["arctic"], 1)
    kinds = {kind.name: kind for kind in KINDS}
    assert deadline(arctic, kinds["only inverter off"], 330 * STEPS) is None


def test_values_stay_on_the_page_for_25_minutes_of_an_outage():
    page = Page(PLANT["eastwest"], SKY)
    first = DAY * STEPS
    rows = shown(page, DAY, [(first + 144, first + 156)])
    power = next(v for k, v in rows.items() if k[0] == "fusionsolar_inverter_active_power_watts")
    assert power[144:149] == [power[143]] * 5
    assert power[149:156] == [None] * 7
    assert None not in power[:149] + power[156:]


def test_a_plant_that_sleeps_tells_nothing_at_night_and_counts_as_disconnected():
    rows = shown(Page(PLANT["cottage"], SKY), DAY)
    power = next(v for k, v in rows.items() if k[0] == "fusionsolar_inverter_active_power_watts")
    health = next(v for k, v in rows.items() if k[0] == "fusionsolar_plant_health_state_code")
    assert (power[10], health[10], health[150]) == (None, 1, 3)


def test_snow_covers_all_and_leaves_string_by_string():
    page = Page(PLANT["eastwest"], Sky(CLIMATES["bavaria"], 1))
    covered = []
    for day in range(-5, 60):
        list(page.day(day, ()))
        covered.append(len(page.running.snow))
    assert set(covered) >= {0, 4}
    assert set(covered) & {1, 2, 3}


def test_a_battery_outdoors_takes_nothing_when_it_freezes():
    page = Page(PLANT["home"], Sky(CLIMATES["arctic"], 1))
    taken = []
    for day in range(60, 80):
        rows = shown(page, day)
        cold = [air < 0 for air in page.sky.day(day).ambient]
        power = next(v for k, v in rows.items() if k[0] == "fusionsolar_battery_power_watts")
        taken += [watts for watts, freezes in zip(power, cold, strict=True) if freezes]
    assert max(taken) == 0.0


def test_the_utility_limits_fields_and_only_some_of_them_say_so():
    for name, said in (("field", True), ("clipped", False)):
        plant = replace(PLANT[name], curtailed=1.0)
        ceiling = events.ceiling(SKY, plant, DAY)
        assert ceiling is not None
        rows = shown(Page(plant, SKY), DAY)
        states = next(v for k, v in rows.items() if k[0] == "fusionsolar_inverter_state_code")
        assert (513 in states) is said


def test_what_happens_is_a_function_of_the_seed():
    scene = Scene("bavaria", window(30, 31), kinds=("home",))
    days = [[list(rows) for _, rows in World(scene).days()] for _ in range(2)]
    assert days[0] == days[1]
    other = [list(rows) for _, rows in World(replace(scene, seed=2)).days()]
    assert other != days[0]
