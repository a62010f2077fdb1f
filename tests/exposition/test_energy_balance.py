"""What a plant's energies say of each other, from a captured answer to the page."""

import pytest
from exposition.world import PLANTS, World, payload

from exporter.northbound import parsing
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Plant

HOME, WORKS = "5D02E8B40AD342159AC8D8A2BCD4FAB5", "BA4372D08E014822AB065017416F254C"
PERIODS = ["Day", "Month", "Year"]


def page_of(answer, show):
    """The energies of each plant in kWh, by what is between `plant_` and `_energy`."""
    world = World()
    world.fleet(Plant(HOME, "Home", 11_400.0), Plant(WORKS, "Works", 1_465_000.0))
    show(world, answer)
    energies = {HOME: {}, WORKS: {}}
    for series, joules in world.series("fusionsolar_plant_").items():
        name, _, labels = series.partition("{")
        if name.endswith("_energy_joules"):
            plant = next(code for code in energies if code in labels)
            quantity = name.removeprefix("fusionsolar_plant_").removesuffix("_energy_joules")
            energies[plant][quantity] = round(joules / 3.6e6, 6)
    return energies


def of_period(period, answer="getKpiStationDay/self_consumption"):
    interface = INTERFACES[f"getKpiStation{period}"]

    def show(world, data):
        rows = parsing.plant_statistics(data, [HOME, WORKS]).records
        world.plan(interface)
        current = {row.reading.subject: (row.start, row.reading.values) for row in rows}
        world.show_statistics(interface, {code: (row, None) for code, row in current.items()})

    found = page_of(payload(answer)["data"], show)
    return {
        plant: {name.removeprefix("period_"): value for name, value in energies.items()}
        for plant, energies in found.items()
    }


@pytest.mark.parametrize("period", PERIODS)
def test_a_plant_with_a_battery_shows_all_that_was_sent(period):
    assert of_period(period)[HOME] == {
        "pv": 59.55,
        "inverter": 58.9,
        "feed_in": 25.16,
        "self_consumed": 34.39,
        "self_supplied": 33.49,
        "consumed": 39.58,
        "purchased": 6.09,
        "charge": 10.41,
        "discharge": 9.51,
    }


@pytest.mark.parametrize("period", PERIODS)
def test_what_supplies_itself_is_what_is_used_less_charged_plus_discharged(period):
    energy = of_period(period)[HOME]
    balance = energy["self_consumed"] - energy["charge"] + energy["discharge"]
    assert energy["self_supplied"] == round(balance, 6)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("plant", [HOME, WORKS])
def test_what_modules_give_is_used_or_fed_in(period, plant):
    energy = of_period(period)[plant]
    assert energy["pv"] == round(energy["self_consumed"] + energy["feed_in"], 6)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("plant", [HOME, WORKS])
def test_what_is_consumed_is_self_supplied_or_purchased(period, plant):
    energy = of_period(period)[plant]
    assert energy["consumed"] == round(energy["self_supplied"] + energy["purchased"], 6)


@pytest.mark.parametrize("period", PERIODS)
def test_without_a_battery_what_is_consumed_is_used_or_purchased(period):
    energy = of_period(period)[WORKS]
    assert energy["consumed"] == round(energy["self_consumed"] + energy["purchased"], 6)
    assert {"charge", "discharge"}.isdisjoint(energy)


def test_an_hour_has_what_servers_send_of_hours():
    assert of_period("Hour", "getKpiStationHour/newer")[HOME] == {
        "pv": 6.2,
        "inverter": 5.9,
        "feed_in": 1.5,
        "self_supplied": 3.6,
        "charge": 1.4,
        "discharge": 0.3,
    }


def test_todays_feed_in_and_consumption_have_two_spellings_of_which_the_first_stands():
    def show(world, data):
        readings = parsing.plant_readings(data, [HOME, WORKS]).records
        world.answer(PLANTS, [HOME, WORKS], {each.subject: each.values for each in readings})

    assert page_of(payload("getStationRealKpi/newer")["data"], show) == {
        WORKS: {"day": 33.37, "month": 702.5, "day_feed_in": 4.53, "day_consumed": 20.3},
        HOME: {"day": 9.08, "month": 181.02, "day_feed_in": 1.25, "day_consumed": 6.5},
    }
