"""How plants are configured, as the simulated system tells it."""

import pytest

from exporter.simulator.world.fleet import BATTERIES, build

EXPORT, BATTERY = "active-power-control-mode", "battery-mode"


@pytest.fixture
def newest(client_of):
    return client_of(edition="26")


def plants_of(kind):
    return [plant for plant in build().plants.values() if plant.combine_type == kind]


def test_homes_have_an_export_limit_and_others_none(newest):
    home, business = plants_of("3")[0], plants_of("2")[0]
    limits = {"zeroExportLimitationParam": None, "limitedPowerGridPercentParam": None}
    assert newest.ask(EXPORT, plantCode=home.code)["data"] == {
        "plantCode": home.code,
        "controlMode": "limitedPowerGridKW",
        **limits,
        "limitedPowerGridValueParam": {
            "limitationMode": "totalPower", "maxGridFeedInPowerValue": home.capacity_kw,
        },
    }  # fmt: skip
    assert newest.ask(EXPORT, plantCode=business.code)["data"] == {
        "plantCode": business.code,
        "controlMode": "noLimit",
        **limits,
        "limitedPowerGridValueParam": None,
    }


def test_batteries_work_for_the_home_or_by_the_hour(newest):
    home, business = plants_of("3")[0], plants_of("2")[0]
    assert newest.ask(BATTERY, plantCode=home.code)["data"] == {
        "plantCode": home.code,
        "operationMode": "maximumSelfConsumption",
        "touOperationModeParamDetail": None,
    }
    data = newest.ask(BATTERY, plantCode=business.code)["data"]
    size = sum(device.size for device in business.devices if device.type_id in BATTERIES)
    assert data["operationMode"] == "TOU"
    assert data["touOperationModeParamDetail"]["allowedAcChargePower"] == size / 4 > 0


def test_a_network_with_several_masters_has_no_setting(newest):
    utility = plants_of("1")[0]
    assert newest.code(EXPORT, plantCode=utility.code) == 20609
    assert newest.code(BATTERY, plantCode=utility.code) == 20609


def test_a_plant_without_a_battery_has_no_mode_of_it(newest):
    home = plants_of("3")[0]
    for device in home.devices:
        if device.type_id in BATTERIES:
            newest.system.fleet.remove_device(device.id)
    assert newest.code(BATTERY, plantCode=home.code) == 20614
    assert newest.code(EXPORT, plantCode=home.code) == 0


def test_one_known_plant_is_asked_about(newest):
    assert newest.code(EXPORT) == 20010
    assert newest.code(EXPORT, plantCode="NE=0") == 20007


@pytest.mark.parametrize("edition", ["2020", "2022"])
def test_older_servers_do_not_have_it(client_of, edition):
    assert client_of(edition=edition).send(EXPORT, {}).status == 404


def test_faults_are_about_the_plant_that_is_named(newest):
    first, second = (plant.code for plant in plants_of("3")[:2])
    newest.system.faults.add("fail_code", interface=EXPORT, value=20631, members=[first])
    assert newest.code(EXPORT, plantCode=first) == 20631
    assert newest.code(EXPORT, plantCode=second) == 0
