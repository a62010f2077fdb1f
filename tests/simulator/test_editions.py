"""What the editions of the interface have, and what their accounts may call."""

import json

import pytest

from exporter.simulator.world.fleet import build

HISTORIES = ("getDevHistoryKpi", "device/history")


def inverter(one):
    return next(d for d in one.system.fleet.devices.values() if d.type_id in (1, 38))


def asked_of(one, minutes=60.0, back=0.0, **changed):
    """What both histories are asked about an inverter, each as it wants it."""
    device, now = inverter(one), round(one.clock.now * 1000)
    end = now - round(back * 60_000)
    span = {"startTime": end - round(minutes * 60_000), "endTime": end}
    ten = {"devIds": str(device.id), "devTypeId": str(device.type_id), **span, **changed}
    single = {"devDn": f"NE={device.id}", "devTypeId": device.type_id, **span, **changed}
    return {"getDevHistoryKpi": ten, "device/history": single}


@pytest.mark.parametrize(
    ("edition", "missing", "refused"),
    [
        ("2020", set(HISTORIES), set()),
        ("2022", {"device/history"}, {"getDevFiveMinutes"}),
        ("26", set(), {"getDevFiveMinutes"}),
    ],
)
def test_an_edition_has_its_interfaces(client_of, edition, missing, refused):
    one = client_of(edition=edition)
    asked = asked_of(one)
    five = {"devIds": str(inverter(one).id), "devTypeId": "1", "collectTime": 1}
    statuses = {name: one.send(name, asked[name]).status for name in HISTORIES}
    assert {name for name, status in statuses.items() if status == 404} == missing
    assert (one.code("getDevFiveMinutes", **five) == 401) == ("getDevFiveMinutes" in refused)


def test_edition_26_wants_pages_of_the_plant_list(client_of):
    one = client_of(edition="26")
    answer = one.send("getStationList")
    assert (answer.status, json.loads(answer.body)["exceptionType"]) == (
        400,
        "ROA_EXFRAME_EXCEPTION",
    )
    assert one.ask("getStationList", pageNo=1, pageSize=10)["data"]["total"] == 6
    assert one.code("stations", pageNo=1) == 30005


def test_edition_26_refuses_malformed_parameters_by_its_gateway(client_of):
    one = client_of(edition="26")
    assert one.send("getDevRealKpi", {"devIds": "1", "devTypeId": "1"}).status == 200
    assert (
        one.send("getDevHistoryKpi", asked_of(one, startTime="noon")["getDevHistoryKpi"]).status
        == 400
    )


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_has_a_row_every_fifth_minute_and_is_late(client_of, name):
    one = client_of(edition="26", pause=0.0)
    one.clock.now += 299
    values = "dataItemMap" if name == "getDevHistoryKpi" else "dataItems"
    rows = one.ask(name, **asked_of(one)[name])["data"]
    times = [row["collectTime"] // 1000 for row in rows]
    assert times == list(range(times[0], times[-1] + 1, 300))
    assert 300 <= one.clock.now - times[-1] < 600
    assert len(rows) == 11
    assert (
        rows[-1][values].keys() == one.readings(inverter(one).type_id)[str(inverter(one).id)].keys()
    )


@pytest.mark.parametrize("name", HISTORIES)
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"minutes": -1}, 20604),
        ({"minutes": 4 * 1440}, 30032),
        ({"back": -600}, 0),
    ],
)
def test_a_history_is_of_a_time_that_has_rows(client_of, name, changed, code):
    one = client_of(edition="26", pause=0.0)
    answer = one.ask(name, **asked_of(one, **changed)[name])
    assert answer["failCode"] == code
    assert code or answer["data"] == []


def test_a_device_is_known_by_its_dn_and_type(client_of):
    one = client_of(edition="26")
    asked = asked_of(one)["device/history"]
    assert one.code("device/history", **{**asked, "devDn": "NE=0"}) == 20008
    assert one.code("device/history", **{**asked, "devTypeId": 47}) == 20006
    listed = one.ask("getDevList", stationCodes=one.plants())["data"]
    assert asked["devDn"] in {device["devDn"] for device in listed}


def test_ten_devices_are_all_that_a_history_is_asked_about(client_of):
    one = client_of(build(plants=60), edition="26")
    ids = one.ids(47)
    for count, code in ((10, 0), (11, 30031)):
        asked = asked_of(one, devIds=",".join(ids[:count]), devTypeId="47")["getDevHistoryKpi"]
        assert one.code("getDevHistoryKpi", **asked) == code
