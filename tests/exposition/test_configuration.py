"""Settings of plants on the page: modes that are sent in words, and their parameters."""

import pytest
from exposition.world import World

from exporter.catalogue.index import ROWS
from exporter.northbound.interfaces import INTERFACES
from exporter.northbound.records import Plant, Reading, Values

EXPORT, BATTERY = INTERFACES["active-power-control-mode"], INTERFACES["battery-mode"]
MODE = "fusionsolar_plant_export_limit_mode"


def new_world():
    world = World()
    world.fleet(Plant("P", "Hill"))
    world.plan(EXPORT)
    world.plan(BATTERY)
    return world


def answer(world, words, values=None, interface=EXPORT):
    world.read(interface, [Reading("P", Values(values or {}), texts=words)])


def state_of(world, metric=MODE):
    """The states that are 1, after making sure that there are others at 0."""
    series = world.series(f"{metric}{{")
    assert 0.0 in series.values()
    return [s.split(f"{metric}=")[1].split(",")[0] for s, value in series.items() if value]


WORDS = [
    (row.interface, row.key, word, row.metric.name, name)
    for row in ROWS
    for word, name in (row.words or {}).items()
]


@pytest.mark.parametrize(("interface", "key", "word", "metric", "name"), WORDS)
def test_every_word_is_a_state_however_it_is_cased(interface, key, word, metric, name):
    for sent in (word, word.upper(), word.lower()):
        world = new_world()
        answer(world, {key: sent}, interface=INTERFACES[interface])
        assert state_of(world, metric) == [name]
        assert world.self_metric("fusionsolar_unknown_states_total", metric=metric) is None


def test_the_words_are_those_that_clients_of_the_interface_send():
    assert {(key, word, name) for _, key, word, _, name in WORDS} == {
        *(
            (key, word, name)
            for key in ("controlMode", "activePowerControlMode")
            for word, name in (
                ("noLimit", "no_limit"),
                ("zeroExportLimitation", "zero_export_limitation"),
                ("limitedPowerGridKW", "limited_power_grid_kw"),
                ("limitedPowerGridPercent", "limited_power_grid_percent"),
                ("other", "other"),
            )
        ),
        ("limitationMode", "totalPower", "total_power"),
        ("limitationMode", "singlePhasePower", "single_phase_power"),
        ("operationMode", "maximumSelfConsumption", "maximum_self_consumption"),
        ("operationMode", "fullyFidToGrid", "fully_fed_to_grid"),
        ("operationMode", "fullyFedToGrid", "fully_fed_to_grid"),
        ("operationMode", "TOU", "time_of_use"),
        ("operationMode", "thirdPartyDispatch", "third_party_dispatch"),
        ("operationMode", "other", "other"),
        ("redundantPVEnergyPriority", "fedToGridPreference", "fed_to_grid"),
        ("redundantPVEnergyPriority", "chargePreference", "charge"),
    }


def test_a_word_that_no_table_has_is_unknown_and_counted():
    world = new_world()
    answer(world, {"controlMode": "somethingNew"})
    assert state_of(world) == ["unknown"]
    assert world.self_metric("fusionsolar_unknown_states_total", metric=MODE) == 1
    assert world.view.unknown_keys == []


def test_of_both_names_of_the_mode_the_documented_one_counts():
    world = new_world()
    answer(world, {"controlMode": "noLimit", "activePowerControlMode": "other"})
    assert state_of(world) == ["no_limit"]


def test_parameters_come_in_base_units():
    world = new_world()
    answer(world, {}, {"maxGridFeedInPowerValue": 7.5, "maxGridFeedInPowerPercent": 60.0})
    answer(world, {}, {"allowedAcChargePower": 2.5}, BATTERY)
    assert world.series("fusionsolar_plant_export") == {
        "fusionsolar_plant_export_limit_watts{account=home,plant_code=P}": 7_500.0,
        "fusionsolar_plant_export_limit_ratio{account=home,plant_code=P}": 0.6,
    }
    assert world.series("fusionsolar_plant_battery") == {
        "fusionsolar_plant_battery_allowed_charge_power_watts{account=home,plant_code=P}": 2_500.0,
    }


def test_a_limit_of_nothing_is_a_limit():
    world = new_world()
    answer(world, {}, {"maxGridFeedInPowerValue": 0.0})
    assert list(world.series("fusionsolar_plant_export").values()) == [0.0]


def test_settings_are_no_reading_of_the_plant():
    world = new_world()
    answer(world, {"controlMode": "noLimit"}, {"maxGridFeedInPowerValue": 7.5})
    assert world.series("fusionsolar_plant_last_reading") == {}


def test_settings_age_vanish_and_survive_a_restart():
    world = new_world()
    answer(world, {"controlMode": "noLimit"}, {"maxGridFeedInPowerValue": 7.5})
    again = world.restart(after=100.0)
    again.plan(EXPORT)
    assert again.series("fusionsolar_plant_export") == world.series("fusionsolar_plant_export")
    assert again.self_metric("fusionsolar_unknown_states_total", metric=MODE) is None
    again.elapse(201.0)
    assert again.series("fusionsolar_plant_export") == {}

    answer(world, {})
    assert world.series("fusionsolar_plant_export") == {}
