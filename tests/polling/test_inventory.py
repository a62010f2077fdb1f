"""The fleet as last seen: additions at once, removals after two lists, never by an empty one."""

import json

import pytest

from exporter.northbound.records import Device, Plant
from exporter.polling.inventory import Filter, Inventory
from exporter.polling.tolerance import Gaps


def plants(*codes):
    return [Plant(code, f"name of {code}") for code in codes]


def devices(plant, *ids, kind=1):
    return [Device(i, plant, kind, f"name of {i}", serial_number=f"SN{i}") for i in ids]


def known(inventory):
    return sorted(inventory.plants), sorted(inventory.devices)


def fleet(inventory=None):
    inventory = inventory or Inventory()
    inventory.add_plants(plants("A", "B"))
    inventory.end_plant_list({"A", "B"})
    inventory.take_devices(["A", "B"], devices("A", "1", "2") + devices("B", "3"))
    return inventory


def test_what_is_listed_is_known():
    assert known(fleet()) == (["A", "B"], ["1", "2", "3"])


def test_a_device_is_gone_after_two_lists_without_it():
    inventory = fleet()

    inventory.take_devices(["A", "B"], devices("A", "1") + devices("B", "3"))
    assert known(inventory)[1] == ["1", "2", "3"]

    inventory.take_devices(["A", "B"], devices("A", "1") + devices("B", "3"))
    assert known(inventory)[1] == ["1", "3"]


def test_a_device_that_comes_back_between_two_lists_stays():
    inventory = fleet()
    for listed in (("1",), ("1", "2"), ("1",)):
        inventory.take_devices(["A"], devices("A", *listed))

    assert known(inventory)[1] == ["1", "2", "3"]


def test_one_list_is_enough_for_a_device_over_which_calls_failed():
    inventory = fleet()

    inventory.take_devices(["A"], devices("A", "1"), doubted={"2"})

    assert known(inventory)[1] == ["1", "3"]


def test_an_empty_list_changes_nothing():
    inventory = fleet()
    for _ in range(3):
        inventory.take_devices(["A", "B"], [], doubted={"1"})
        inventory.end_plant_list(set(), doubted={"A"})

    assert known(inventory) == (["A", "B"], ["1", "2", "3"])


def test_an_empty_list_that_is_believed_takes_all_plants_away():
    inventory = fleet()

    assert inventory.end_plant_list(set(), believed=True) == ["A", "B"]

    assert known(inventory) == ([], [])


def test_a_list_tells_which_plants_it_took_away():
    inventory = fleet()

    assert [inventory.end_plant_list({"B"}) for _ in range(3)] == [[], ["A"], []]


def test_why_there_is_nothing_to_export_is_told():
    assign = "assign plants to the northbound account in the management system"
    unread, some, none, unwanted, silent = (
        Inventory(), fleet(), Inventory(), fleet(Inventory(plants=Filter(("C",)))), fleet(),
    )  # fmt: skip
    none.end_plant_list(set())
    some.end_plant_list(set())
    silent.end_plant_list(set(), silent=True)

    assert [each.lack for each in (unread, some, none, unwanted, silent)] == [
        "",
        "",
        f"the plant list is empty: {assign}",
        "`plants` of the configuration leaves none of those listed (2)",
        f"the plant list is empty, and nothing answers about the plants known (2): {assign}",
    ]


def test_a_plant_that_goes_takes_its_devices_along():
    inventory = fleet()

    inventory.end_plant_list({"B"})
    inventory.end_plant_list({"B"})

    assert known(inventory) == (["B"], ["3"])


def test_a_device_that_moved_is_not_missed_by_its_old_plant():
    inventory = fleet()

    inventory.take_devices(["B"], devices("B", "3", "2"))
    for _ in range(3):
        inventory.take_devices(["A"], devices("A", "1"))

    assert inventory.devices["2"].plant_code == "B"
    assert known(inventory)[1] == ["1", "2", "3"]


def test_a_list_of_some_plants_says_nothing_about_others():
    inventory = fleet()
    for _ in range(3):
        inventory.take_devices(["A"], devices("A", "1", "2"))

    assert known(inventory)[1] == ["1", "2", "3"]


def test_a_new_name_is_taken_over():
    inventory = fleet()

    inventory.add_plants([Plant("A", "renamed")])
    inventory.take_devices(["A"], [Device("1", "A", 1, "renamed")])

    assert inventory.plants["A"].name == "renamed"
    assert inventory.devices["1"].name == "renamed"


def test_filters_match_any_name_of_a_thing():
    for wanted, expected in [
        (Filter(("A",)), ["A"]),
        (Filter(("name of ?",)), ["A", "B"]),
        (Filter(("*",), ("name of B",)), ["A"]),
        (Filter(()), []),
    ]:
        assert known(fleet(Inventory(plants=wanted)))[0] == expected
    for wanted, expected in [
        (Filter(("SN1", "2")), ["1", "2"]),
        (Filter(("*",), ("name of 1", "name*2")), ["3"]),
        (Filter(("name of [12]",)), []),
    ]:
        assert known(fleet(Inventory(devices=wanted)))[1] == expected


def test_brackets_in_a_name_are_no_wildcard():
    inventory = Inventory(plants=Filter(("Roof [1]",)))

    inventory.add_plants([Plant("A", "Roof [1]"), Plant("B", "Roof 1")])

    assert known(inventory)[0] == ["A"]


def test_devices_of_plants_that_are_left_out_are_left_out():
    assert known(fleet(Inventory(plants=Filter(("B",))))) == (["B"], ["3"])


def test_a_thing_renamed_out_of_the_filter_goes():
    inventory = fleet(Inventory(plants=Filter(("name*",)), devices=Filter(("name*",))))

    inventory.take_devices(["A"], [Device("1", "A", 1, "other"), *devices("A", "2")])
    inventory.add_plants([Plant("B", "other")])

    assert known(inventory) == (["A"], ["2"])


def test_only_the_configured_device_types_are_kept():
    inventory = fleet(Inventory(device_types=("battery", "type_99")))

    inventory.take_devices(["A"], devices("A", "5", kind=39) + devices("A", "6", kind=99))

    assert known(inventory)[1] == ["5", "6"]


@pytest.mark.parametrize("kind", ["plants", "devices", "device_types"])
def test_what_was_listed_under_other_filters_is_only_a_part(kind):
    narrow = ["string_inverter"] if kind == "device_types" else Filter(exclude=("Hill",))
    stored = {name: body for (_, name), body in Inventory(**{kind: narrow}).remember().items()}
    fleets = Inventory(**{kind: narrow}), Inventory()

    for fleet in fleets:
        fleet.recall(json.loads(json.dumps(stored)), Gaps(None))

    assert [fleet.is_partial for fleet in fleets] == [False, True]


def test_the_size_counts_what_an_interface_serves():
    inventory = fleet()
    inventory.take_devices(["B"], devices("B", "3") + devices("B", "7", kind=62))

    size = inventory.size({1, 39})

    assert (size.plants, dict(size.devices)) == (2, {1: 3})
    assert inventory.by_type({1, 39}) == {1: ["1", "2", "3"]}
