"""What each fault makes of an answer."""

import gzip
import json
import math

import pytest

from exporter.simulator.http.answers import Behaviour
from exporter.simulator.http.faults import ANSWER_CHANGES, DATA_CHANGES, KINDS, REPLACEMENTS, Faults
from exporter.simulator.world.fleet import build

PAIR = "getDevRealKpi"


def ask(client, ids=None):
    """The items of a call for two inverters."""
    ids = ids or client.ids(1)[:2]
    return client.ask(PAIR, devIds=",".join(ids), devTypeId="1")["data"]


def raw(client):
    return client.send(PAIR, {"devIds": ",".join(client.ids(1)[:2]), "devTypeId": "1"})


def test_a_fault_strikes_its_interface_as_often_as_told(client):
    client.system.faults.add("fail_code", interface="getDevList", count=2, value=20200)
    assert client.code("getStationList") == 0
    codes = [client.code("getDevList", stationCodes=client.plants()) for _ in range(3)]
    assert codes == [20200, 20200, 0]
    assert client.system.faults.pending == ()


def test_a_fault_may_strike_every_nth_call(client):
    client.system.faults.add("fail_code", every=3, count=2)
    codes = [client.code("getStationList") for _ in range(9)]
    assert codes == [0, 0, 20004, 0, 0, 20004, 0, 0, 0]


def test_a_fault_may_strike_one_account_only(client):
    client.system.faults.add("fail_code", account="another")
    assert client.code("getStationList") == 0
    client.system.faults.add("fail_code", account="demo")
    assert client.code("getStationList") == 20004


def test_a_fault_may_strike_by_chance_repeatably(client_of):
    def codes(seed):
        one = client_of(faults=Faults(seed=seed))
        one.system.faults.add("fail_code", probability=0.5)
        return [one.code("getStationList") for _ in range(40)]

    assert codes(1) == codes(1)
    assert codes(1) != codes(2)
    assert 5 < codes(1).count(20004) < 35


def test_faults_end_when_cleared(client):
    client.system.faults.add("http_status", value=500)
    assert raw(client).status == 500
    client.system.faults.clear()
    assert raw(client).status == 200


def test_an_unknown_kind_is_an_error_that_names_the_known():
    with pytest.raises(
        ValueError, match=r"no fault is called 'flood'; there are bad_parameters, charset, "
    ):
        Faults().add("flood")


def test_each_kind_stands_in_one_table():
    assert len(REPLACEMENTS) + len(DATA_CHANGES) + len(ANSWER_CHANGES) == len(KINDS)


def test_a_call_that_meets_a_fault_spends_the_allowance(client_of):
    hasty = client_of(pause=1.0)
    hasty.system.faults.add("http_status", count=1)
    assert hasty.send("getStationList").status == 502
    assert hasty.code("getStationList") == 407


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 503])
def test_http_errors_come_as_html(client, status):
    client.system.faults.add("http_status", value=status)
    answer = raw(client)
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (status, "text/html")


def test_403_is_that_of_the_quota_control(client):
    client.system.faults.add("http_status", value=403)
    body = json.loads(raw(client).body)
    assert body["errorCode"] == 49401021002
    assert body["exceptionInfo"].startswith("Request is rejected by api quotaControl.")


def test_bad_parameters_are_refused_as_by_the_gateway(client):
    client.system.faults.add("bad_parameters")
    answer = raw(client)
    assert answer.status == 400
    assert json.loads(answer.body)["exceptionType"] == "ROA_EXFRAME_EXCEPTION"


def test_a_failing_login_makes_no_session(new_client):
    one = new_client()
    one.system.faults.add("http_status", interface="login", count=1)
    assert one.send("login", {"userName": "demo", "systemCode": "demo"}).headers == (
        ("Content-Type", "text/html"),
    )


def test_an_injected_407_says_so_in_data(client):
    client.system.faults.add("fail_code", value=407, count=1)
    assert client.ask("getStationList")["data"] == "ACCESS_FREQUENCY_IS_TOO_HIGH"


def test_a_code_can_hide_in_data(client):
    client.system.faults.add("fail_code_in_data")
    answer = client.ask("getStationList")
    assert (answer["success"], answer["data"], answer["failCode"]) == (False, 20007, 0)


def test_a_redirect_leads_to_another_host(client):
    client.system.faults.add("redirect", value="http://other.example/")
    answer = raw(client)
    assert (answer.status, answer.headers) == (307, (("Location", "http://other.example/"),))


def test_a_stolen_session_is_gone(client):
    client.system.faults.add("session_stolen", count=1)
    assert [client.code("getStationList") for _ in range(2)] == [305, 305]
    client.login()
    assert client.code("getStationList") == 0


def test_a_poisoned_device_fails_every_batch_it_is_in(client):
    good, bad, *_ = client.ids(1)
    client.system.faults.add("fail_code", interface=PAIR, value=20008, members=[bad])
    together = client.code(PAIR, devIds=f"{good},{bad}", devTypeId="1")
    assert (together, client.code(PAIR, devIds=good, devTypeId="1")) == (20008, 0)


def test_a_poisoned_plant_fails_every_batch_it_is_in(client):
    good, bad, *_ = client.system.fleet.plants
    client.system.faults.add("fail_code", value=20007, members=[bad])
    together = client.code("getStationRealKpi", stationCodes=f"{good},{bad}")
    assert (together, client.code("getStationRealKpi", stationCodes=good)) == (20007, 0)


def test_items_can_be_left_out(client):
    first, second, *_ = client.ids(1)
    client.system.faults.add("left_out", members=[int(second)])
    assert [str(item["devId"]) for item in ask(client)] == [first]


def test_items_can_come_twice_or_unasked(client):
    first, second, *_ = client.ids(1)
    client.system.faults.add("twice", members=[first], count=1)
    assert [str(item["devId"]) for item in ask(client)] == [first, first, second]
    client.system.faults.add("not_asked_for", count=1)
    assert [str(item["devId"]) for item in ask(client)] == [first, second, "1"]
    client.system.faults.add("not_asked_for", count=1)
    plants = client.ask("getStationRealKpi", stationCodes=client.plants())["data"]
    assert plants[-1]["stationCode"] == "NE=0"


def test_items_can_be_no_items(client):
    client.system.faults.add("wrong_items", members=client.ids(1)[:1])
    assert ask(client)[:4] == [None, 7, "item", []]


def test_maps_can_be_null_or_full_of_nulls(client):
    client.system.faults.add("null_map", count=1)
    assert [item["dataItemMap"] for item in ask(client)] == [None, None]
    client.system.faults.add("null_values", count=1)
    assert set(ask(client)[0]["dataItemMap"].values()) == {None}


def test_all_values_can_be_one(client):
    client.system.faults.add("value", value="N/A")
    assert set(ask(client)[0]["dataItemMap"].values()) == {"N/A"}


def test_odd_values_are_all_there(client):
    client.system.faults.add("odd_values")
    body = raw(client).body
    for literal in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b'"N/A"', b'""', b"true", b'{"n'):
        assert b": " + literal in body
    values = json.loads(body)["data"][0]["dataItemMap"].values()
    assert 10**400 in [value for value in values if isinstance(value, int)]
    assert any(isinstance(value, float) and math.isnan(value) for value in values)


def test_unknown_keys_can_appear(client):
    client.system.faults.add("unknown_keys")
    values = ask(client)[0]["dataItemMap"]
    assert (values["selfUsePower"], values["battery_unit_info"]) == (1.5, [{"soh": 99}])


PERIOD = {"beginTime": 1_780_000_000_000, "endTime": 1_782_000_000_000, "language": "en_US"}
ROWS = {"collectTime": 1_779_000_000_000}  # in May, a month that grows no more


def calls_by_shape(client):
    """A call of each shape of answer, with what its items are about: a member, and its name."""
    code = next(iter(client.system.fleet.plants))
    device = client.ids(1)[0]
    client.system.upgrades.set_outcome(int(device))
    client.system.upgrades.order(client.system.fleet.devices[int(device)], client.clock.now)
    plants = {"stationCodes": client.plants()}
    devices = {"devIds": ",".join(client.ids(1)), "devTypeId": "1"}
    return [
        ("getDevList", plants, code, "stationCode"),
        ("getKpiStationDay", plants | ROWS, code, "stationCode"),
        ("getDevKpiDay", devices | ROWS, device, "devId"),
        ("getDevFiveMinutes", devices | ROWS, device, "devId"),
        ("getDevUpgradeInfo", devices, device, "devId"),
        ("devUpgrade", devices, device, "devId"),
        ("getAlarmList", plants | PERIOD, code, "stationCode"),
    ]


def about(data, name, member):
    return [item for item in data if str(item[name]) == member]


@pytest.mark.slow
def test_items_of_every_shape_can_be_lost_doubled_or_unasked_for(client):
    faults = client.system.faults
    for interface, parameters, member, name in calls_by_shape(client):
        whole = client.ask(interface, **parameters)["data"]
        mine = about(whole, name, member)
        assert mine
        faults.add("left_out", members=[member])
        assert about(client.ask(interface, **parameters)["data"], name, member) == []
        faults.clear()
        faults.add("thinned")
        assert len(client.ask(interface, **parameters)["data"]) == -(-len(whole) // 2)
        faults.clear()
        faults.add("twice", members=[member])
        doubled = client.ask(interface, **parameters)["data"]
        assert len(about(doubled, name, member)) == 2 * len(mine)
        faults.clear()
        faults.add("not_asked_for")
        assert str(client.ask(interface, **parameters)["data"][-1][name]) in {"NE=0", "1"}
        faults.clear()


def test_every_nth_item_can_be_lost(client):
    whole = client.ask("getDevList", stationCodes=client.plants())["data"]
    client.system.faults.add("thinned", value=10)
    left = client.ask("getDevList", stationCodes=client.plants())["data"]
    assert left == [item for number, item in enumerate(whole, 1) if number % 10]


def test_values_of_every_shape_can_be_bent(client):
    faults = client.system.faults
    for interface, parameters, member, name in calls_by_shape(client):
        faults.add("unknown_keys", members=[member])
        [item, *_] = about(client.ask(interface, **parameters)["data"], name, member)
        assert item.get("dataItemMap", item)["selfUsePower"] == 1.5
        faults.clear()
        faults.add("null_values", members=[member])
        [item, *_] = about(client.ask(interface, **parameters)["data"], name, member)
        values = item.get("dataItemMap", item)
        assert {values[key] for key in values.keys() - {name, "id"}} == {None}
        faults.clear()


def test_a_poisoned_member_fails_every_interface(client):
    for interface, parameters, member, _ in calls_by_shape(client):
        client.system.faults.add("fail_code", value=20056, members=[member])
        assert client.code(interface, **parameters) == 20056
        client.system.faults.clear()
        assert client.code(interface, **parameters) == 0


def test_a_registration_can_be_bent_too(client):
    asked = {"SN": "SN1", "userName": "owner@example.com"}
    client.system.faults.add("value", value="yes", members=["SN1"])
    assert client.ask("snIsRegister", **asked)["data"]["detail"] == {"SN1": "yes"}
    assert client.ask("snIsRegister", **asked | {"SN": "SN2"})["data"]["detail"] == {"SN2": False}


def test_names_of_alarms_can_hold_half_a_character(client):
    client.system.faults.add("lone_surrogates")
    alarms = client.ask("getAlarmList", stationCodes=client.plants(), **PERIOD)["data"]
    assert alarms[0]["alarmName"].startswith("\ud83c")


@pytest.mark.parametrize("value", ["text", 7, {"a": 1}, None, []])
def test_data_can_be_anything(client, value):
    client.system.faults.add("data_as", value=value)
    assert ask(client) == value


def test_bends_leave_what_is_no_list_alone(client):
    client.system.faults.add("data_as", value="text")
    for kind in ("null_map", "not_asked_for", "thinned"):
        client.system.faults.add(kind)
    assert ask(client) == "text"


def test_html_comes_with_200(client):
    client.system.faults.add("html")
    answer = raw(client)
    assert (answer.status, answer.headers[0]) == (200, ("Content-Type", "text/html"))
    assert answer.body.startswith(b"<html>")


def test_a_content_type_can_be_wrong(client):
    client.system.faults.add("content_type")
    answer = raw(client)
    assert answer.headers[0] == ("Content-Type", "text/plain")
    assert json.loads(answer.body)["success"] is True


def test_a_charset_can_be_wrong(client):
    client.system.faults.add("charset")
    answer = raw(client)
    assert answer.headers[0][1].endswith("UTF-8")
    assert json.loads(answer.body.decode("utf-16-le"))["success"] is True


def test_a_charset_can_be_one_that_is_no_json(client):
    client.system.faults.add("charset", value="cp500")
    assert json.loads(raw(client).body.decode("cp500"))["success"] is True


def test_bodies_can_be_empty_or_cut(client):
    client.system.faults.add("empty_body", count=1)
    assert raw(client).body == b""
    client.system.faults.add("truncated_json", count=1)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(raw(client).body)


def test_bodies_can_be_huge(client):
    client.system.faults.add("huge_body", value=3_000_000)
    body = raw(client).body
    assert len(body) > 3_000_000
    assert json.loads(body)["success"] is True


def test_a_small_body_can_unfold_hugely(client):
    client.system.faults.add("gzip_bomb", value=3_000_000)
    answer = raw(client)
    assert dict(answer.headers)["Content-Encoding"] == "gzip"
    assert len(answer.body) < 100_000
    assert len(gzip.decompress(answer.body)) > 3_000_000


def test_data_can_be_nested_beyond_recursion(client):
    client.system.faults.add("deep_nesting")
    with pytest.raises(RecursionError):
        json.loads(raw(client).body)


def test_keys_can_come_twice(client):
    client.system.faults.add("duplicate_keys")
    assert raw(client).body.startswith(b'{"success": false, "success": true')


def test_names_can_hold_half_a_character(client):
    client.system.faults.add("lone_surrogates")
    names = [plant["stationName"] for plant in client.ask("getStationList")["data"]]
    assert names[0] == "\ud83cHaus Müller"


def test_a_token_can_change_on_the_way(client):
    client.system.faults.add("new_token", count=1)
    token = dict(client.send("getStationList").headers)["xsrf-token"]
    assert client.code("getStationList") == 305
    client.headers = {"XSRF-TOKEN": token}
    assert client.code("getStationList") == 0


def test_a_login_can_come_without_a_token(new_client):
    one = new_client()
    one.system.faults.add("no_token")
    assert one.login()["success"] is True
    assert one.headers == {}


@pytest.mark.parametrize("behaviour", [b for b in Behaviour if b is not Behaviour.NORMAL])
def test_bytes_can_travel_badly(client, behaviour):
    client.system.faults.add(behaviour.value)
    answer = raw(client)
    assert answer.behaviour is behaviour
    assert json.loads(answer.body)["success"] is True


def test_faults_that_do_not_strike_change_nothing(client_of):
    plain, faulty = client_of(build()), client_of(build())
    faulty.system.faults.add("null_map", interface="getStationRealKpi")
    faulty.system.faults.add("empty_body", members=["nobody"])
    assert raw(plain) == raw(faulty)
