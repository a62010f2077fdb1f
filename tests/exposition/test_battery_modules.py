"""What newer servers tell of a battery: what it is rated for, its modules, and how it works."""

import pytest
from exposition.world import DEVICES, World, payload

from exporter.northbound import parsing
from exporter.northbound.enums import BATTERY_MODES
from exporter.northbound.records import Device, Plant

STACKS, ONE_EACH = "1000000033393039", "1000000033393040"


@pytest.fixture
def world():
    world = World()
    world.fleet(Plant("HOME", "Home"), Device(STACKS, "HOME", 39), Device(ONE_EACH, "HOME", 39))
    return world


def answer(world, data):
    readings = parsing.device_readings(data, [STACKS, ONE_EACH]).records
    world.read(DEVICES, readings)


def of_modules(world, metric, label=None):
    """By device, stack and module: the value of a series, or one of its labels."""
    found = {}
    for series, value in world.series(f"fusionsolar_battery_module_{metric}{{").items():
        labels = dict(pair.split("=") for pair in series[series.index("{") + 1 : -1].split(","))
        place = labels["device_id"], labels["unit"], labels["module"]
        found[place] = labels[label] if label else round(value, 6)
    return found


def test_each_module_has_its_state_of_health_by_its_place(world):
    answer(world, payload("getDevRealKpi/battery_modules")["data"])
    assert of_modules(world, "state_of_health_ratio") == {
        (STACKS, "1", "1"): 0.95,
        (STACKS, "1", "2"): 0.965,
        (STACKS, "2", "1"): 1.0,
        (ONE_EACH, "1", "1"): 0.975,
    }


def test_each_module_has_its_serial_number_as_it_was_sent(world):
    answer(world, payload("getDevRealKpi/battery_modules")["data"])
    assert of_modules(world, "info", "serial_number") == {
        (STACKS, "1", "1"): "HV2240000001",
        (STACKS, "1", "2"): "HV2240000002",
        (STACKS, "1", "3"): "HV2240000003",
        (STACKS, "2", "1"): "0022400004",
        (ONE_EACH, "2", "1"): "HV2240000009",
    }


def test_modules_are_shown_again_after_a_restart(world):
    answer(world, payload("getDevRealKpi/battery_modules")["data"])
    before = of_modules(world, "info", "serial_number")
    after = world.restart()
    assert of_modules(after, "info", "serial_number") == before


def test_a_state_of_health_of_zero_is_none(world):
    answer(world, payload("getDevRealKpi/battery_modules")["data"])
    assert [
        (STACKS in series, value)
        for series, value in world.series("fusionsolar_battery_state_of_health_ratio{").items()
    ] == [(False, 0.98)]


def test_the_rated_energy_is_in_joules(world):
    answer(world, payload("getDevRealKpi/battery_modules")["data"])
    assert list(world.series("fusionsolar_battery_rated_energy_joules{").values()) == [
        15 * 3.6e6,
        5 * 3.6e6,
    ]


def test_no_key_of_a_battery_is_unknown(world):
    answer(world, payload("getDevRealKpi/battery_modules")["data"])
    assert world.view.unknown_keys == []


@pytest.mark.parametrize(
    ("sent", "unknown"),
    [
        ({"unit1": [{"sn": "A", "soc": 5}]}, ["battery_unit_info.unit1.1.soc"]),
        ({"unit9": [{"sn": "A"}]}, ["battery_unit_info.unit9.1.sn"]),
        ([{"soh": 5}], ["battery_unit_info.1.soh"]),
    ],
)
def test_what_else_is_told_of_modules_is_unknown(world, sent, unknown):
    answer(world, [{"devId": STACKS, "dataItemMap": {"battery_unit_info": sent}}])
    assert [key for _, key in world.view.unknown_keys] == unknown


@pytest.mark.parametrize("beside", [{}, {"battery_soc": "bad"}])
@pytest.mark.parametrize("sent", ['{"unit1": []}', 3])
def test_modules_that_are_no_object_are_an_unknown_key(world, sent, beside):
    answer(world, [{"devId": STACKS, "dataItemMap": {"battery_unit_info": sent, **beside}}])
    assert [key for _, key in world.view.unknown_keys] == ["battery_unit_info"]


def test_another_object_is_one_unknown_key_and_a_known_one_of_the_wrong_type(world):
    values = {"other": {"a": {"b": 1}, "c": {"sn": "A"}}, "battery_soc": {"value": 5}}
    answer(world, [{"devId": STACKS, "dataItemMap": values}])
    assert [key for _, key in world.view.unknown_keys] == ["other"]
    assert (
        world.self_metric(
            "fusionsolar_values_rejected_total", interface="getDevRealKpi", reason="wrong_type"
        )
        == 1
    )


def test_a_bad_state_of_health_costs_itself(world):
    modules = {"unit1": [{"sn": "A", "soh": "bad"}, {"sn": "B", "soh": "90%"}, "text", None]}
    answer(world, [{"devId": STACKS, "dataItemMap": {"battery_unit_info": modules}}])
    assert of_modules(world, "state_of_health_ratio") == {(STACKS, "1", "2"): 0.9}
    assert of_modules(world, "info", "serial_number") == {
        (STACKS, "1", "1"): "A",
        (STACKS, "1", "2"): "B",
    }


@pytest.mark.parametrize(("code", "name"), BATTERY_MODES.items())
def test_every_mode_to_12_has_a_name(world, code, name):
    answer(world, [{"devId": STACKS, "dataItemMap": {"ch_discharge_model": float(code)}}])
    (shown,) = (
        series for series, value in world.series("fusionsolar_battery_mode{").items() if value
    )
    assert f"fusionsolar_battery_mode={name}," in shown
    assert sorted(BATTERY_MODES) == list(range(13))
