"""Upgrades: ordered, under way, ended; and who has registered what."""

import pytest

from exporter.simulator.http.system import User
from exporter.simulator.world.fleet import Fleet, SimDevice, SimPlant, build

DEVICES = (
    SimDevice(1, "A", 1, "NE=1", "SN1", software_version="V100R001C00SPC099"),
    SimDevice(2, "B", 1, "NE=1", "SN2", software_version="V100R001C00SPC161"),
    SimDevice(3, "C", 1, "NE=1", "SN3"),
    SimDevice(4, "D", 38, "NE=1", "SN4", software_version="beta"),
    SimDevice(5, "E", 47, "NE=1"),
)
PLANT = SimPlant("NE=1", "House", 5.0, 49.0, 11.0, devices=DEVICES)


@pytest.fixture
def house(client_of):
    made = client_of(Fleet([PLANT]), pause=60.0)
    for number in (1, 2, 3, 4):
        made.system.upgrades.set_outcome(number)
    return made


def order(client, ids="1", type_id="1"):
    return client.ask("devUpgrade", devIds=ids, devTypeId=type_id)["data"]


def records(client, ids="1", type_id="1"):
    return client.ask("getDevUpgradeInfo", devIds=ids, devTypeId=type_id)["data"]


def versions(client):
    devices = client.ask("getDevList", stationCodes="NE=1")["data"]
    return {device["id"]: device["softwareVersion"] for device in devices}


def test_each_order_has_its_own_result(house):
    house.system.upgrades.set_outcome(2, refusal=20021)
    assert order(house, "1,2,3") == [
        {"devId": 1, "result": True, "failCode": 0},
        {"devId": 2, "result": False, "failCode": 20021},
        {"devId": 3, "result": False, "failCode": 20020},
    ]


def test_an_upgrade_goes_from_nothing_to_success(house):
    ordered = house.clock.now
    order(house)
    course = [records(house)[0] for _ in range(10)]
    assert course[0] == {
        "devId": 1,
        "lastUpgradeTime": round(ordered * 1000),
        "sourceVersion": "V100R001C00SPC099",
        "targetVersion": "V100R001C00SPC100",
        "process": 0.0,
        "upgradeResult": 4,
    }
    assert [record["upgradeResult"] for record in course] == [4] * 9 + [1]
    process = [record["process"] for record in course]
    assert process == sorted(set(process))
    assert process[-1] == 100


def test_an_order_takes_a_moment_to_start(client_of):
    slow = client_of(Fleet([PLANT]), pause=60.0, upgrade_seconds=3600.0)
    slow.system.start_upgrade(1)
    slow.clock.now += 1.0
    assert (records(slow)[0]["upgradeResult"], records(slow)[0]["process"]) == (0, 0.0)


def test_the_software_changes_with_success_only(house):
    house.system.upgrades.set_outcome(2, result=2)
    order(house, "1,2")
    old = {1: "V100R001C00SPC099", 2: "V100R001C00SPC161", 3: None, 4: "beta", 5: None}
    assert versions(house) == old
    house.clock.now += 600.0
    assert versions(house) == old | {1: "V100R001C00SPC100"}


@pytest.mark.parametrize("outcome", [2, 3, 5])
def test_an_upgrade_can_end_badly_and_be_ordered_again(house, outcome):
    house.system.upgrades.set_outcome(1, result=outcome)
    order(house)
    house.clock.now += 600.0
    [record] = records(house)
    assert (record["upgradeResult"], record["process"]) == (outcome, 60.0)
    house.system.upgrades.set_outcome(1)
    order(house)
    house.clock.now += 600.0
    assert records(house)[0]["upgradeResult"] == 1


def test_an_order_while_one_runs_changes_nothing(house):
    order(house)
    [before] = records(house)
    assert order(house) == [{"devId": 1, "result": True, "failCode": 0}]
    assert records(house)[0]["lastUpgradeTime"] == before["lastUpgradeTime"]


def test_after_a_success_there_is_no_newer_package(house):
    order(house)
    house.clock.now += 600.0
    assert order(house) == [{"devId": 1, "result": False, "failCode": 20020}]
    assert records(house)[0]["upgradeResult"] == 1


def test_a_version_without_a_number_gets_one(house):
    order(house, "4", "38")
    assert records(house, "4", "38")[0]["targetVersion"] == "beta1"


def test_only_devices_with_a_record_have_a_row(house):
    assert house.code("getDevUpgradeInfo", devIds="1,2", devTypeId="1") == 20022
    order(house, "2")
    assert [record["devId"] for record in records(house, "1,2")] == [2]


def test_one_upgrade_may_be_under_way_from_the_start(client_of):
    demo = client_of(build(), pause=60.0)
    number = demo.system.start_upgrade()
    demo.clock.now += 60.0
    assert str(number) == demo.ids(1)[0]
    ids = ",".join(demo.ids(1))
    assert [(r["devId"], r["upgradeResult"]) for r in records(demo, ids)] == [(number, 4)]
    with pytest.raises(KeyError):
        demo.system.start_upgrade(12)


def test_most_upgrades_succeed_and_some_do_not(client_of):
    many = client_of(build(plants=60, devices=1_000))
    results, ended = set(), []
    ids = many.ids(1)
    for start in range(0, len(ids), 10):
        asked = ",".join(ids[start : start + 10])
        results |= {row["failCode"] for row in order(many, asked)}
        ended += [record["upgradeResult"] for record in records(many, asked)]
    assert results == {0, 20020, 20021}
    assert set(ended) == {1, 2, 5}
    assert ended.count(1) > len(ended) / 2


def test_records_need_the_permission_to_upgrade(client_of):
    reader = client_of(users={"demo": User("demo", refused=frozenset({"devUpgrade"}))})
    assert reader.code("devUpgrade", devIds="1", devTypeId="1") == 401
    assert reader.code("getDevUpgradeInfo", devIds="1", devTypeId="1") == 401
    assert reader.code("getStationList") == 0


OWNER = "owner@example.com"
SERIALS_21 = ",".join(f"SN{number}" for number in range(21))


def test_serial_numbers_are_registered_or_not(house):
    answer = house.ask("snIsRegister", SN="SN1,SN9", userName=OWNER, key="7")
    assert (answer["success"], answer["failCode"]) == (True, 0)
    assert answer["data"] == {"detail": {"SN1": True, "SN9": False}, "key": "7"}


def test_who_owns_what_can_be_chosen(client_of):
    one = client_of(Fleet([PLANT]), owners={"a@example.com": {"SN9"}})
    detail = one.ask("snIsRegister", SN="SN1,SN9", userName="a@example.com")["data"]["detail"]
    assert detail == {"SN1": False, "SN9": True}
    assert one.ask("snIsRegister", SN="SN1", userName=OWNER)["success"] is False


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"userName": "nobody"}, "user does not exist"),
        ({"userName": ""}, "userName cannot be empty"),
        ({"SN": ""}, "SN cannot be empty"),
        ({"SN": "SN1,,SN2"}, "SN cannot be empty"),
        ({"SN": SERIALS_21}, "a maximum of 20 SNs can be queried at a time"),
        ({"key": "x" * 257}, "key contains more than 256 characters"),
    ],
)
def test_a_refused_registration_has_a_message_and_no_code(house, parameters, message):
    asked = {"SN": "SN1", "userName": OWNER, "key": "x" * 256} | parameters
    answer = house.ask("snIsRegister", **asked)
    assert (answer["success"], answer["failCode"], answer["message"]) == (False, 0, message)
    assert answer["data"] == asked
