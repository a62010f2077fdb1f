"""What each interface answers, and how it refuses."""

import json

import pytest
from simulator.kpi_keys import COUNTS, KEYS

from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.http.system import User
from exporter.simulator.world.fleet import Fleet, SimDevice, SimPlant, build
from exporter.simulator.world.kpis import DEVICE_KPIS

HOUSE = SimPlant(
    code="NE=1",
    name='Haus "Ä" \\ ☀',
    capacity_kw=5.5,
    latitude=49.25,
    longitude=11.5,
    devices=(
        SimDevice(-7, "WR", 1, "NE=1", "SN1", "SUN2000-5KTL-L1", "V100", size=5.5, strings=2),
        SimDevice(2**53 + 1, "Zähler", 47, "NE=1", model="DTSU666-H"),
    ),
)


@pytest.fixture
def house(client_of):
    return client_of(Fleet([HOUSE]), pause=60.0)


@pytest.fixture
def newest(client_of):
    return client_of(Fleet([HOUSE]), pause=60.0, edition="26")


def test_a_login_answers_with_the_token_in_header_and_cookie(new_client):
    answer = new_client().send("login", {"userName": "demo", "systemCode": "demo"})
    headers = dict(answer.headers)
    assert headers["xsrf-token"].endswith("=")
    assert headers["Set-Cookie"].startswith(f"XSRF-TOKEN={headers['xsrf-token']};")
    assert json.loads(answer.body) == {
        "success": True,
        "data": None,
        "failCode": 0,
        "params": {"userName": "demo", "currentTime": 1782212400000},
        "message": None,
    }


def test_the_plant_list_is_that_of_the_reference_in_megawatts(house):
    answer = house.ask("getStationList")
    assert answer == {
        "success": True,
        "data": [
            {
                "stationCode": "NE=1",
                "stationName": 'Haus "Ä" \\ ☀',
                "stationAddr": None,
                "capacity": 0.0055,
                "buildState": "2",
                "combineType": "3",
                "aidType": 1,
                "stationLinkman": "Owner",
                "linkmanPho": "Encrypted",
            }
        ],
        "failCode": 0,
        "params": {"currentTime": 1782212460000},
        "message": None,
    }


NEW_STYLE = {
    "plantCode": "NE=1",
    "plantName": 'Haus "Ä" \\ ☀',
    "plantAddress": None,
    "longitude": "11.5",
    "latitude": "49.25",
    "capacity": 5.5,
    "contactPerson": "Owner",
    "contactMethod": "",
    "gridConnectionDate": "2020-06-23T10:00:00+02:00",
}


def test_the_newer_plant_list_comes_in_pages_in_kilowatts(house):
    page = house.ask("stations", pageNo=1, pageSize=10)["data"]
    assert page == {"list": [NEW_STYLE], "pageCount": 1, "pageNo": 1, "pageSize": 10, "total": 1}


def test_the_older_plant_list_can_answer_in_pages_itself(client_of):
    page = client_of(Fleet([HOUSE]), edition="2022").ask("getStationList")["data"]
    assert page == {"list": [NEW_STYLE], "pageCount": 1, "pageNo": 1, "pageSize": 100, "total": 1}


def test_pages_hold_every_plant_once(client_of):
    many = client_of(build(plants=25))
    pages = [many.ask("stations", pageNo=n, pageSize=10)["data"] for n in (1, 2, 3, 4)]
    assert [len(page["list"]) for page in pages] == [10, 10, 5, 0]
    assert {page["pageCount"] for page in pages} == {3}
    codes = [plant["plantCode"] for page in pages for plant in page["list"]]
    assert codes == list(many.system.fleet.plants)


def test_the_device_list_is_exact_beyond_doubles_and_below_zero(house):
    data = house.ask("getDevList", stationCodes="NE=1")["data"]
    assert data == [
        {
            "id": -7,
            "devDn": "NE=-7",
            "devName": "WR",
            "stationCode": "NE=1",
            "esnCode": "SN1",
            "devTypeId": 1,
            "softwareVersion": "V100",
            "invType": "SUN2000-5KTL-L1",
            "model": "SUN2000-5KTL-L1",
            "longitude": 11.5,
            "latitude": 49.25,
            "optimizerNumber": 0,
        },
        {
            "id": 9007199254740993,
            "devDn": "NE=9007199254740993",
            "devName": "Zähler",
            "stationCode": "NE=1",
            "esnCode": None,
            "devTypeId": 47,
            "softwareVersion": None,
            "invType": None,
            "model": "DTSU666-H",
            "longitude": 11.5,
            "latitude": 49.25,
            "optimizerNumber": 0,
        },
    ]


PLANT_KEYS = {
    "real_health_state", "day_power", "month_power", "total_power", "day_income", "total_income",
}  # fmt: skip


def test_plants_report_the_keys_of_the_reference(client):
    data = client.ask("getStationRealKpi", stationCodes=client.plants())["data"]
    assert [item["stationCode"] for item in data] == list(client.system.fleet.plants)
    assert all(item["dataItemMap"].keys() == PLANT_KEYS for item in data)
    assert all(isinstance(v, float | int) for item in data for v in item["dataItemMap"].values())


def test_plants_values_can_be_text(client_of):
    talker = client_of(kpis_as_text=True)
    data = talker.ask("getStationRealKpi", stationCodes=talker.plants())["data"]
    assert data[0]["dataItemMap"]["real_health_state"] == "3"
    assert all(isinstance(v, str) for item in data for v in item["dataItemMap"].values())


@pytest.mark.parametrize("type_id", sorted(DEVICE_KPIS))
def test_devices_report_the_keys_of_the_reference(client, type_id):
    readings = client.readings(type_id)
    assert list(readings) == client.ids(type_id)
    for values in readings.values():
        assert values.keys() == KEYS[type_id]
        assert len(values) == COUNTS[type_id]


def test_a_fleet_holds_every_type_with_values_and_some_without(by_type):
    types = by_type(build().devices.values())
    assert types.keys() == DEVICE_KPIS.keys() | {2, 46, 62}


CODES_101 = ",".join(f"NE={number}" for number in range(101))
IDS_101 = ",".join(str(number) for number in range(101))
IDS_11 = ",".join(str(number) for number in range(11))
NOW_MS, DAY_MS = 1782212460000, 86_400_000
ALARMS = {
    "stationCodes": "NE=1",
    "beginTime": NOW_MS - 31 * DAY_MS,
    "endTime": NOW_MS,
    "language": "en_US",
}


@pytest.mark.parametrize(
    ("interface", "parameters", "code"),
    [
        ("stations", {"pageSize": 10}, 30004),
        ("stations", {"pageNo": 0, "pageSize": 10}, 30004),
        ("stations", {"pageNo": "1", "pageSize": 10}, 30004),
        ("stations", {"pageNo": 1}, 30005),
        ("stations", {"pageNo": 1, "pageSize": 25}, 30006),
        ("stations", {"pageNo": 1, "pageSize": "10"}, 30006),
        ("getDevList", {}, 20010),
        ("getDevList", {"stationCodes": ""}, 20010),
        ("getDevList", {"stationCodes": ["NE=1"]}, 20010),
        ("getDevList", {"stationCodes": "NE=1, NE=1"}, 20010),
        ("getDevList", {"stationCodes": "NE=1,"}, 20010),
        ("getDevList", {"stationCodes": "NE=1,NE=1"}, 20010),
        ("getDevList", {"stationCodes": CODES_101}, 20015),
        ("getDevList", {"stationCodes": "NE=1,NE=2"}, 20007),
        ("getStationRealKpi", {}, 20010),
        ("getStationRealKpi", {"stationCodes": CODES_101}, 20014),
        ("getStationRealKpi", {"stationCodes": "NE=2"}, 20007),
        ("getDevRealKpi", {"devTypeId": "1"}, 20011),
        ("getDevRealKpi", {"devIds": "", "devTypeId": "1"}, 20005),
        ("getDevRealKpi", {"devIds": "-7,-7", "devTypeId": "1"}, 20005),
        ("getDevRealKpi", {"devIds": " -7", "devTypeId": "1"}, 20005),
        ("getDevRealKpi", {"devIds": "seven", "devTypeId": "1"}, 20005),
        ("getDevRealKpi", {"devIds": IDS_101, "devTypeId": "1"}, 20016),
        ("getDevRealKpi", {"devIds": "-7,8", "devTypeId": "1"}, 20008),
        ("getDevRealKpi", {"devIds": "-7,9007199254740993", "devTypeId": "1"}, 20006),
        ("getDevRealKpi", {"devIds": "-7", "devTypeId": "62"}, 20013),
        ("getDevRealKpi", {"devIds": "-7"}, 20013),
        ("getDevRealKpi", {"devIds": "-7", "devTypeId": 1}, 20013),
        ("getKpiStationDay", {"collectTime": 1}, 20010),
        ("getKpiStationDay", {"stationCodes": CODES_101, "collectTime": 1}, 20014),
        ("getKpiStationDay", {"stationCodes": "NE=2", "collectTime": 1}, 20007),
        ("getKpiStationDay", {"stationCodes": "NE=1"}, 20012),
        ("getKpiStationDay", {"stationCodes": "NE=1", "collectTime": ""}, 20012),
        ("getKpiStationDay", {"stationCodes": "NE=1", "collectTime": "noon"}, 30030),
        ("getKpiStationDay", {"stationCodes": "NE=1", "collectTime": -1}, 30030),
        ("getKpiStationDay", {"stationCodes": "NE=1", "collectTime": 10**300}, 30030),
        ("getKpiStationDay", {"stationCodes": "NE=1", "collectTime": "9" * 5000}, 30030),
        ("getDevKpiDay", {"devIds": IDS_101, "devTypeId": "1", "collectTime": 1}, 20017),
        ("getDevKpiDay", {"devIds": "-7", "devTypeId": "47", "collectTime": 1}, 20013),
        ("getDevKpiDay", {"devIds": "-7", "devTypeId": "39", "collectTime": 1}, 20006),
        ("getDevKpiDay", {"devIds": "-7", "devTypeId": "1"}, 20012),
        ("getDevFiveMinutes", {"devIds": IDS_101, "devTypeId": "1", "collectTime": 1}, 20016),
        ("getDevFiveMinutes", {"devIds": "-7", "devTypeId": "62", "collectTime": 1}, 20013),
        ("getDevFiveMinutes", {"devIds": "-7", "devTypeId": "1"}, 20012),
        ("devUpgrade", {"devIds": IDS_11, "devTypeId": "1"}, 20018),
        ("devUpgrade", {"devIds": "-7", "devTypeId": "47"}, 20013),
        ("devUpgrade", {"devIds": "-7", "devTypeId": "38"}, 20006),
        ("devUpgrade", {"devIds": "8", "devTypeId": "1"}, 20008),
        ("devUpgrade", {"devTypeId": "1"}, 20011),
        ("getDevUpgradeInfo", {"devIds": IDS_11, "devTypeId": "1"}, 20018),
        ("getDevUpgradeInfo", {"devIds": "-7", "devTypeId": "1"}, 20022),
        ("getDevUpgradeInfo", {"devIds": "-7", "devTypeId": "14"}, 20013),
        ("getAlarmList", {**ALARMS, "stationCodes": CODES_101}, 20015),
        ("getAlarmList", {**ALARMS, "stationCodes": "NE=2"}, 20007),
        ("getAlarmList", {**ALARMS, "beginTime": None}, 20012),
        ("getAlarmList", {**ALARMS, "endTime": None}, 20012),
        ("getAlarmList", {**ALARMS, "beginTime": NOW_MS, "endTime": NOW_MS - 1}, 20023),
        ("getAlarmList", {**ALARMS, "language": ""}, 20024),
        ("getAlarmList", {**ALARMS, "language": "en_UK"}, 20025),
        ("getAlarmList", {**ALARMS, "language": ["en_US"]}, 20025),
        ("getAlarmList", {**ALARMS, "beginTime": 0}, 20026),
        ("getAlarmList", {**ALARMS, "beginTime": NOW_MS - 31 * DAY_MS - 1}, 20027),
        ("getAlarmList", {**ALARMS, "status": "new"}, 30030),
        ("getAlarmList", {**ALARMS, "levels": 1}, 30030),
    ],
)
def test_sloppy_calls_are_refused(house, interface, parameters, code):
    answer = house.ask(interface, **parameters)
    assert (answer["success"], answer["data"], answer["failCode"]) == (False, None, code)
    now = answer["params"].pop("currentTime")
    assert (now, answer["params"]) == (1782212460000, parameters)


def test_a_lenient_server_takes_a_type_as_a_number(client_of):
    lenient = client_of(Fleet([HOUSE]), lenient_types=True)
    assert lenient.code("getDevRealKpi", devIds="-7", devTypeId=1) == 0


def test_a_body_that_is_no_object_is_refused(house):
    for body in (b"[]", b"{", b"\xff", b"[" * 100_000):
        answer = house.system.handle("POST", "/thirdData/getStationList", house.headers, body)
        assert json.loads(answer.body)["failCode"] == 30030


def test_other_paths_and_methods_are_http_errors(house):
    assert house.system.handle("POST", "/thirdData/logout", {}).status == 404
    answer = house.system.handle("GET", "/thirdData/getStationList", house.headers)
    assert (answer.status, answer.headers) == (405, (("Allow", "POST"),))


# Chapter 4 of the reference, and what newer servers added.
CODES = [
    305, 306, 307, 401, 407, *range(20001, 20030), 20045, 20046, 20055, 20056, 20200, 20400, 20403,
    *range(20604, 20610), 20614, 20618, 20621, 20622, 20629, 20631,
    30004, 30005, 30006, 30008, 30017, 30021, 30022, 30029, 30030, 30031, 30032, 30034, 30040,
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_injected_everywhere(newest, code):
    newest.system.faults.add("fail_code", value=code)
    for row in INTERFACES.values():
        assert newest.code(row.name) == code


def test_only_interfaces_that_are_refused_are_beyond_the_account(client_of):
    users = {"demo": User("demo", refused=frozenset({"getAlarmList"}))}
    newer = client_of(edition="26", users=users)
    answer = newer.ask("getAlarmList")
    assert (answer["failCode"], answer["message"]) == (401, "Invalid access to current interface!")
    refused = {name for name in INTERFACES if newer.ask(name).get("failCode") == 401}
    assert refused == {"getAlarmList", "getDevFiveMinutes"}


ODD = [
    None,
    "",
    0,
    -1,
    1.5,
    True,
    "x",
    "1",
    ",",
    [],
    ["1"],
    {},
    {"a": 1},
    10**40,
    "\x00",
    "é" * 300,
]
NAMES = [
    "stationCodes", "devIds", "devTypeId", "collectTime", "beginTime", "endTime", "language",
    "status", "levels", "devTypes", "types", "devName", "SN", "userName", "key", "pageNo",
    "pageSize", "plantCode",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_parameter_breaks_the_system(newest, name):
    device = {"devIds": "-7", "devTypeId": "1"}
    person = {"SN": "SN1", "userName": "owner@example.com"}
    good = {**ALARMS, **device, **person, "collectTime": 1, "pageNo": 1, "pageSize": 10}
    for row in INTERFACES.values():
        for odd in ODD:
            answer = newest.ask(row.name, **{**good, name: odd})
            if "exceptionType" not in answer:  # of the gateway
                assert answer["success"] is (answer["failCode"] == 0 and answer["message"] is None)


def test_an_account_may_have_only_the_newer_list(client_of):
    newer = client_of(users={"demo": User("demo", refused=frozenset({"getStationList"}))})
    assert newer.code("getStationList") == 401
    assert newer.code("stations", pageNo=1, pageSize=10) == 0


def test_accounts_see_their_own_plants_only(client_of):
    two = Fleet([HOUSE, *build().plants.values()])
    own = client_of(two, users={"demo": User("demo", plants=frozenset({"NE=1"}))})
    assert [plant["stationCode"] for plant in own.ask("getStationList")["data"]] == ["NE=1"]
    assert own.code("getDevList", stationCodes=list(two.plants)[1]) == 20007
    foreign = str(list(two.devices)[2])
    assert own.code("getDevRealKpi", devIds=foreign, devTypeId="1") == 20008
    assert own.readings(1, ["-7"])["-7"]["run_state"] == 1


def test_a_password_never_comes_back(new_client):
    answer = new_client().send("login", {"userName": "demo", "systemCode": "hidden"})
    assert b"hidden" not in answer.body
    assert "hidden" not in repr(User("hidden"))
