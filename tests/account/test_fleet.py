"""The fleet as last seen: additions at once, removals after two lists, never by an empty one."""

import copy

import pytest

from exporter.account.fleet import Fleet, FleetFilter, FleetState
from exporter.northbound.records import Device, Plant


def plants(*codes):
    return [Plant(code, f"name of {code}") for code in codes]


def devices(plant, *ids, kind=1):
    return [Device(i, plant, kind, f"name of {i}", serial_number=f"SN{i}") for i in ids]


def known(fleet):
    return sorted(fleet.plants), sorted(fleet.devices)


def listed_fleet(fleet=None):
    fleet = fleet or Fleet()
    fleet.add_plants(plants("A", "B"))
    fleet.end_plant_list({"A", "B"})
    fleet.list_devices(["A", "B"], devices("A", "1", "2") + devices("B", "3"))
    return fleet


def test_what_is_listed_is_known():
    assert known(listed_fleet()) == (["A", "B"], ["1", "2", "3"])


def test_a_device_is_gone_after_two_lists_without_it():
    fleet = listed_fleet()

    fleet.list_devices(["A", "B"], devices("A", "1") + devices("B", "3"))
    assert known(fleet)[1] == ["1", "2", "3"]

    fleet.list_devices(["A", "B"], devices("A", "1") + devices("B", "3"))
    assert known(fleet)[1] == ["1", "3"]


def test_a_device_that_comes_back_between_two_lists_stays():
    fleet = listed_fleet()
    for ids in (("1",), ("1", "2"), ("1",)):
        fleet.list_devices(["A"], devices("A", *ids))

    assert known(fleet)[1] == ["1", "2", "3"]


def test_one_list_is_enough_for_a_device_over_which_calls_failed():
    fleet = listed_fleet()

    fleet.list_devices(["A"], devices("A", "1"), suspects={"2"})

    assert known(fleet)[1] == ["1", "3"]


def test_an_empty_list_changes_nothing():
    fleet = listed_fleet()
    for _ in range(3):
        fleet.list_devices(["A", "B"], [], suspects={"1"})
        fleet.end_plant_list(set(), suspects={"A"})

    assert known(fleet) == (["A", "B"], ["1", "2", "3"])


def test_an_empty_list_that_is_believed_takes_all_plants_away():
    fleet = listed_fleet()

    assert fleet.end_plant_list(set(), accepted=True) == ["A", "B"]

    assert known(fleet) == ([], [])


def test_a_list_tells_which_plants_it_took_away():
    fleet = listed_fleet()

    assert [fleet.end_plant_list({"B"}) for _ in range(3)] == [[], ["A"], []]


def test_why_there_is_nothing_to_export_is_told():
    assign = "assign plants to the northbound account in the management system"
    unread, none = Fleet(), Fleet()
    some, silent = listed_fleet(), listed_fleet()
    unwanted = listed_fleet(Fleet(plants=FleetFilter(("C",))))
    none.end_plant_list(set())
    some.end_plant_list(set())
    silent.end_plant_list(set(), unanswered=True)

    assert [each.no_data_reason for each in (unread, some, none, unwanted, silent)] == [
        "",
        "",
        f"the plant list is empty: {assign}",
        "`plants` of the configuration leaves none of those listed (2)",
        f"the plant list is empty, and nothing answers about the plants known (2): {assign}",
    ]


def test_a_plant_that_goes_takes_its_devices_along():
    fleet = listed_fleet()

    fleet.end_plant_list({"B"})
    fleet.end_plant_list({"B"})

    assert known(fleet) == (["B"], ["3"])


def test_a_device_that_moved_is_not_missed_by_its_old_plant():
    fleet = listed_fleet()

    fleet.list_devices(["B"], devices("B", "3", "2"))
    for _ in range(3):
        fleet.list_devices(["A"], devices("A", "1"))

    assert fleet.devices["2"].plant_code == "B"
    assert known(fleet)[1] == ["1", "2", "3"]


def test_a_list_of_some_plants_says_nothing_about_others():
    fleet = listed_fleet()
    for _ in range(3):
        fleet.list_devices(["A"], devices("A", "1", "2"))

    assert known(fleet)[1] == ["1", "2", "3"]


def test_a_new_name_is_taken_over():
    fleet = listed_fleet()

    fleet.add_plants([Plant("A", "renamed")])
    fleet.list_devices(["A"], [Device("1", "A", 1, "renamed")])

    assert fleet.plants["A"].name == "renamed"
    assert fleet.devices["1"].name == "renamed"


def test_filters_match_any_name_of_a_thing():
    for wanted, expected in [
        (FleetFilter(("A",)), ["A"]),
        (FleetFilter(("name of ?",)), ["A", "B"]),
        (FleetFilter(("*",), ("name of B",)), ["A"]),
        (FleetFilter(()), []),
    ]:
        assert known(listed_fleet(Fleet(plants=wanted)))[0] == expected
    for wanted, expected in [
        (FleetFilter(("SN1", "2")), ["1", "2"]),
        (FleetFilter(("*",), ("name of 1", "name*2")), ["3"]),
        (FleetFilter(("name of [12]",)), []),
    ]:
        assert known(listed_fleet(Fleet(devices=wanted)))[1] == expected


def test_brackets_in_a_name_are_no_wildcard():
    fleet = Fleet(plants=FleetFilter(("Roof [1]",)))

    fleet.add_plants([Plant("A", "Roof [1]"), Plant("B", "Roof 1")])

    assert known(fleet)[0] == ["A"]


def test_devices_of_plants_that_are_left_out_are_left_out():
    assert known(listed_fleet(Fleet(plants=FleetFilter(("B",))))) == (["B"], ["3"])


def test_a_thing_renamed_out_of_the_filter_goes():
    fleet = listed_fleet(Fleet(plants=FleetFilter(("name*",)), devices=FleetFilter(("name*",))))

    fleet.list_devices(["A"], [Device("1", "A", 1, "other"), *devices("A", "2")])
    fleet.add_plants([Plant("B", "other")])

    assert known(fleet) == (["A"], ["2"])


def test_only_the_configured_device_types_are_kept():
    fleet = listed_fleet(Fleet(device_types=("battery", "type_99")))

    fleet.list_devices(["A"], devices("A", "5", kind=39) + devices("A", "6", kind=99))

    assert known(fleet)[1] == ["5", "6"]


@pytest.mark.parametrize("kind", ["plants", "devices", "device_types"])
def test_what_was_listed_under_other_filters_is_only_a_part(kind):
    narrow = ["string_inverter"] if kind == "device_types" else FleetFilter(exclude=("Hill",))
    state = FleetState()
    Fleet(state, **{kind: narrow})
    again = FleetState(filters=state.filters)

    assert Fleet(copy.deepcopy(again), **{kind: narrow}).is_partial is False
    assert Fleet(again).is_partial is True


def test_the_size_counts_what_an_interface_serves():
    fleet = listed_fleet()
    fleet.list_devices(["B"], devices("B", "3") + devices("B", "7", kind=62))

    size = fleet.size({1, 39})

    assert (size.plants, dict(size.devices)) == (2, {1: 3})
    assert fleet.by_type({1, 39}) == {1: ["1", "2", "3"]}
