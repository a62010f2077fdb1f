"""`unknown_keys: export`: numbers under keys that the catalogue lacks, as they were sent."""

import pytest
from exposition.world import DAYS, DEVICE_DAYS, DEVICES, EPOCH, PLANTS, World
from structlog.testing import capture_logs

from exporter.exposition.translate import MAX_UNKNOWN_KEYS
from exporter.northbound.parsing import device_readings
from exporter.northbound.records import Device, Plant

OF_DEVICE = "fusionsolar_device_unknown_value"
OF_PLANT = "fusionsolar_plant_unknown_value"
HILL = Plant("P", "Hill")
INVERTER = Device("1", "P", 1, "roof")
# Of a type that no table of the catalogue has.
NOVELTY = Device("2", "P", 99_999, "novelty")


def new_world(*, max_keys=MAX_UNKNOWN_KEYS):
    world = World(max_unknown_keys=max_keys)
    world.fleet(HILL, INVERTER, NOVELTY)
    return world


def device_series(key, device="1"):
    return f"{OF_DEVICE}{{account=home,device_id={device},key={key},plant_code=P}}"


def plant_series(key):
    return f"{OF_PLANT}{{account=home,key={key},plant_code=P}}"


def test_numbers_of_plants_and_devices_are_shown_raw():
    world = new_world()
    world.answer(PLANTS, ["P"], {"P": {"novel": 12.5, "real_health_state": 3.0}})
    world.answer(DEVICES, ["1"], {"1": {"novel": -3.0, "active_power": 4.0}})
    world.answer(DEVICES, ["2"], {"2": {"active_power": 4.0}})

    assert world.series(OF_PLANT) == {plant_series("novel"): 12.5}
    assert world.series(OF_DEVICE) == {
        device_series("novel"): -3.0,
        device_series("active_power", "2"): 4.0,
    }
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=DEVICES.name) == 2
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=PLANTS.name) == 1


def test_without_the_setting_they_are_only_counted():
    world = new_world(max_keys=0)
    with capture_logs() as logs:
        world.answer(DEVICES, ["1"], {"1": {"novel": 1.0}})
    assert [each["event"] for each in logs] == ["unknown key"]
    assert world.series(OF_DEVICE) == {}
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=DEVICES.name) == 1


def test_only_numbers_get_through_and_none_that_may_be_an_id_or_a_telephone_number():
    world = new_world()
    sent = {
        "novel": "1.5",
        "none": None,
        "absent": "N/A",
        "owner": "A. Person",
        "phone": "491711234567",
        "id": 1_000_000_000,
        "no_value": -(2**31),
        "large": 999_999_999.5,
        "yes": True,
        "list": [1],
        "long" * 100: 2.0,
    }
    parsed = device_readings([{"devId": "1", "dataItemMap": sent}], ["1"])
    readings = {each.subject: each for each in parsed.records}
    world.answer(DEVICES, ["1"], {"1": readings["1"].values}, {"1": readings["1"].rejected})

    assert world.series(OF_DEVICE) == {
        device_series("novel"): 1.5,
        device_series("large"): 999_999_999.5,
        device_series("long" * 32): 2.0,
    }


def test_statistics_stay_counted():
    world = new_world()
    world.show_statistics(DAYS, {"P": ((EPOCH, {"novel": 1.0}), None)})
    world.show_statistics(DEVICE_DAYS, {"1": ((EPOCH, {"novel": 1.0}), None)})
    assert (world.series(OF_PLANT), world.series(OF_DEVICE)) == ({}, {})
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=DAYS.name) == 1


def test_an_account_has_only_so_many_keys_and_the_log_says_it_once():
    world = new_world()
    with capture_logs() as logs:
        for start in (0, 60, 120, 180):
            values = {f"key_{start + n}": float(n) for n in range(60)}
            world.answer(DEVICES, ["1"], {"1": values})
            world.answer(DEVICES, ["2"], {"2": {"key_0": 7.0, f"late_{start}": 8.0}})
            world.answer(PLANTS, ["P"], {"P": {"key_1": 9.0}})

    assert world.series(OF_PLANT) == {plant_series("key_1"): 9.0}
    # What is known of before is shown of whatever sends it; the last answer's keys are too many.
    assert world.series(OF_DEVICE) == {device_series("key_0", "2"): 7.0}
    assert world.self_metric("fusionsolar_unknown_keys_total", interface=DEVICES.name) == 4 * 62
    told = [each for each in logs if each["event"] == "more unknown keys than are exported"]
    assert told == [
        {
            "event": told[0]["event"],
            "log_level": "warning",
            "account": "home",
            "most": MAX_UNKNOWN_KEYS,
        }
    ]


def test_they_age_and_vanish_like_every_other_value_of_their_answer():
    world = new_world()
    world.answer(DEVICES, ["1"], {"1": {"novel": 1.0, "active_power": 4.0}})
    world.elapse(300.0)
    assert world.series(OF_DEVICE) == {device_series("novel"): 1.0}
    world.elapse(1.0)
    assert world.series(OF_DEVICE) == {}

    world.answer(DEVICES, ["1"], {"1": {"novel": 2.0}})
    world.answer(DEVICES, ["1"], {"1": {"active_power": 4.0}})
    assert world.series(OF_DEVICE) == {}


def test_they_are_there_again_after_a_restart_and_not_counted_twice():
    before = new_world()
    before.answer(DEVICES, ["1"], {"1": {"novel": 1.0}})
    before.answer(PLANTS, ["P"], {"P": {"novel": 2.0}})
    world = before.restart()
    assert world.series(OF_DEVICE) == {device_series("novel"): 1.0}
    assert world.series(OF_PLANT) == {plant_series("novel"): 2.0}
    assert not world.self_metric("fusionsolar_unknown_keys_total", interface=DEVICES.name)


@pytest.mark.parametrize("key", ['quote"', "back\\slash", "new\nline", "Zähler", "a b"])
def test_any_key_is_a_label_of_a_page_that_can_be_read(key):
    world = new_world()
    world.answer(DEVICES, ["1"], {"1": {key: 1.0}})
    assert world.series(OF_DEVICE) == {device_series(key): 1.0}
