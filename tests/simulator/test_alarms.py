"""Alarms: raised by hand or by the devices themselves, listed, filtered, told."""

from collections import Counter

import pytest

from exporter.simulator.endpoints.profile import LANGUAGES
from exporter.simulator.world.fleet import build

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def client_without_alarms(client_of):
    """A system whose devices raise no alarms by themselves."""

    def make(**options):
        return client_of(build(), **{"pause": HOUR, "alarm_history": False, **options})

    return make


def ask(client, days=31, back=0.0, **parameters):
    end = client.clock.now - back
    period = {"beginTime": round((end - days * DAY) * 1000), "endTime": round(end * 1000)}
    asked = {"stationCodes": client.plants(), "language": "en_US", **period, **parameters}
    return client.ask("getAlarmList", **asked)["data"]


def device(client, type_id=1):
    return next(d for d in client.system.fleet.devices.values() if d.type_id == type_id)


def test_an_alarm_is_that_of_the_reference(client_without_alarms):
    one = client_without_alarms()
    inverter = device(one)
    raised = one.clock.now
    one.system.raise_alarm(inverter.id, alarm_id=2032)
    assert ask(one) == [
        {
            "stationCode": inverter.plant_code,
            "alarmName": "Grid Loss",
            "devName": inverter.name,
            "repairSuggestion": "1. Wait for the grid.\n2. Close the AC breaker.",
            "esnCode": inverter.esn,
            "devTypeId": 1,
            "causeId": 1,
            "alarmCause": "1. The grid has failed.\n2. The AC breaker is open.",
            "alarmType": 3,
            "raiseTime": round(raised * 1000),
            "alarmId": 2032,
            "stationName": "Haus Müller",
            "lev": 2,
            "status": 1,
        }
    ]


def test_an_alarm_is_acknowledged_and_cleared(client_without_alarms):
    one = client_without_alarms()
    number = one.system.raise_alarm(device(one).id)
    assert [alarm["status"] for alarm in ask(one)] == [1]
    one.system.acknowledge(number)
    assert [alarm["status"] for alarm in ask(one)] == [2]
    one.system.clear(number)
    assert [alarm["status"] for alarm in ask(one)] == [6]


@pytest.mark.parametrize("status", [4, 5, 6])
def test_some_systems_list_only_what_is_active(client_without_alarms, status):
    one = client_without_alarms(keeps_cleared=False)
    number = one.system.raise_alarm(device(one).id)
    assert len(ask(one)) == 1
    one.system.acknowledge(number)
    assert len(ask(one)) == 1
    one.system.clear(number, status)
    assert ask(one) == []


def test_an_alarm_may_become_visible_late(client_without_alarms):
    one = client_without_alarms()
    now = one.clock.now
    one.system.raise_alarm(device(one).id, raised=now - 5 * HOUR, visible=now + 2 * HOUR)
    assert ask(one) == ask(one) == []
    assert [alarm["raiseTime"] for alarm in ask(one)] == [round((now - 5 * HOUR) * 1000)]


def test_the_period_counts_when_an_alarm_was_raised(client_without_alarms):
    one = client_without_alarms(pause=0.001, minute=1e-9)
    raised = one.clock.now - 40 * DAY
    one.system.raise_alarm(device(one).id, raised=raised, visible=raised)
    assert ask(one) == []
    assert len(ask(one, back=10 * DAY)) == 1
    edge = round(raised * 1000)
    assert len(ask(one, beginTime=edge, endTime=edge)) == 1
    assert ask(one, beginTime=edge + 1, endTime=edge + 1) == []


def test_fields_of_an_alarm_can_be_chosen(client_without_alarms):
    one = client_without_alarms()
    one.system.raise_alarm(device(one).id, alarm_id=99, cause_id=7, name="Flood", level=1, type=5)
    [alarm] = ask(one)
    alarms = [alarm[key] for key in ("alarmId", "causeId", "alarmName", "lev", "alarmType")]
    assert alarms == [99, 7, "Flood", 1, 5]


def test_unknown_devices_raise_no_alarms(client_without_alarms):
    with pytest.raises(KeyError):
        client_without_alarms().system.raise_alarm(12)
    with pytest.raises(KeyError):
        client_without_alarms().system.clear(1)


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({}, ["C", "B", "A"]),
        ({"levels": "1"}, ["A"]),
        ({"levels": "1, 3"}, ["C", "A"]),
        ({"types": "2"}, ["B", "A"]),
        ({"devTypes": "39"}, ["C"]),
        ({"devTypes": "1,38"}, ["B", "A"]),
        ({"status": "2"}, ["B"]),
        ({"status": "1,2"}, ["C", "B", "A"]),
        ({"devName": "Batt"}, ["C"]),
        ({"levels": "4"}, []),
        ({"levels": "1,2", "status": "2"}, ["B"]),
    ],
)
def test_filters_choose(client_without_alarms, parameters, names):
    one = client_without_alarms()
    raised = one.clock.now
    inverter, battery = device(one).id, device(one, 39).id
    one.system.raise_alarm(inverter, name="A", level=1, type=2, raised=raised - 3)
    number = one.system.raise_alarm(inverter, name="B", level=2, type=2, raised=raised - 2)
    one.system.raise_alarm(battery, name="C", level=3, type=3, raised=raised - 1)
    one.system.acknowledge(number)
    assert [alarm["alarmName"] for alarm in ask(one, **parameters)] == names


@pytest.mark.parametrize(
    ("languages", "spoken", "unknown"),
    [
        (LANGUAGES, "en_US", "en_UK"),
        (LANGUAGES - {"en_US"} | {"en_UK"}, "en_UK", "en_US"),  # as in the reference of 2020
        ({"it_IT"}, "it_IT", "fr_FR"),
    ],
)
def test_a_system_speaks_its_own_languages(client_without_alarms, languages, spoken, unknown):
    one = client_without_alarms(languages=languages)
    now = round(one.clock.now * 1000)
    asked = {"stationCodes": one.plants(), "beginTime": now, "endTime": now}
    assert one.code("getAlarmList", language=spoken, **asked) == 0
    assert one.code("getAlarmList", language=unknown, **asked) == 20025


def test_names_may_be_those_of_the_language(client_without_alarms):
    one = client_without_alarms(localised=True)
    one.system.raise_alarm(device(one).id, alarm_id=2032)
    names = [ask(one, language=tag)[0]["alarmName"] for tag in ("de_DE", "zh_CN", "fr_FR")]
    assert names == ["Netzausfall", "电网掉电", "Grid Loss"]


def test_numbers_may_be_text(client_without_alarms):
    one = client_without_alarms(alarms_as_text=True)
    one.system.raise_alarm(device(one).id)
    [alarm] = ask(one, levels="2", status="1")
    fields = ("devTypeId", "causeId", "alarmType", "raiseTime", "alarmId", "lev", "status")
    assert all(isinstance(alarm[field], str) for field in fields)
    assert alarm["status"] == "1"


def test_a_recovery_time_may_stand_for_the_status(client_without_alarms):
    one = client_without_alarms(alarms_without_status=True)
    number = one.system.raise_alarm(device(one).id)
    [alarm] = ask(one)
    assert "status" not in alarm
    assert alarm["recoveryTime"] is None
    cleared = one.clock.now
    one.system.clear(number)
    assert ask(one, status="6")[0]["recoveryTime"] == round(cleared * 1000)


def large(client_of, plants):
    return client_of(build(plants=plants, devices=500 * plants), alarm_history=False)


def test_plants_with_more_than_a_thousand_devices_are_too_many(client_of):
    one = large(client_of, 3)
    codes = list(one.system.fleet.plants)
    now = round(one.clock.now * 1000)
    asked = {"beginTime": now, "endTime": now, "language": "en_US"}
    assert one.code("getAlarmList", stationCodes=",".join(codes), **asked) == 20016
    assert one.code("getAlarmList", stationCodes=",".join(codes[:2]), **asked) == 0


def test_a_call_of_edition_26_is_about_a_hundred_devices_at_most(client_of):
    one = client_of(build(plants=3, devices=150), alarm_history=False, edition="26")
    codes = list(one.system.fleet.plants)
    now = round(one.clock.now * 1000)
    asked = {"beginTime": now, "endTime": now, "language": "en_US"}
    assert one.code("getAlarmList", stationCodes=",".join(codes), **asked) == 20016
    assert one.code("getAlarmList", stationCodes=",".join(codes[:2]), **asked) == 0


def test_a_plant_with_more_than_a_thousand_devices_can_be_asked_about_alone(client_of):
    one = client_of(build(plants=1, devices=1_200), alarm_history=False)
    assert ask(one) == []


def identity(alarm):
    names = ("stationCode", "esnCode", "devName", "alarmId", "causeId", "raiseTime")
    return tuple(alarm[name] for name in names)


def test_devices_raise_alarms_that_are_seen_to_and_go(client_of):
    one = client_of(build(plants=30), pause=1.0)
    alarms = ask(one)
    statuses = Counter(alarm["status"] for alarm in alarms)
    assert statuses.keys() == {1, 2, 3, 4, 5, 6}
    assert statuses[4] + statuses[5] + statuses[6] > 0.8 * len(alarms)
    assert {alarm["lev"] for alarm in alarms} == {1, 2, 3, 4}
    assert {alarm["alarmType"] for alarm in alarms} == {1, 2, 3, 4, 5}
    assert len(set(map(identity, alarms))) == len(alarms)
    times = [alarm["raiseTime"] for alarm in alarms]
    assert times == sorted(times, reverse=True)


def test_history_is_the_same_whenever_it_is_asked_for(client_of):
    one, other = (client_of(build(), pause=0.001, minute=1e-9) for _ in range(2))
    assert ask(one) == ask(other)
    long_ago = {identity(alarm) for alarm in ask(one, days=20, back=30 * DAY)}
    one.clock.now += 100 * DAY
    assert long_ago == {identity(alarm) for alarm in ask(one, days=20, back=130 * DAY)}
    assert len(long_ago) > 20
    assert ask(client_of(build(seed=1)))[0] != ask(other)[0]


def test_some_alarms_are_listed_hours_after_they_were_raised(client_of):
    one = client_of(build(plants=30), pause=0.001, minute=1e-9, alarm_every=DAY)
    end = one.clock.now
    seen = {identity(alarm) for alarm in ask(one)}
    one.clock.now += 6 * HOUR
    back = one.clock.now - end
    later = {identity(alarm) for alarm in ask(one, days=30, back=back)}
    assert later - seen


def test_statuses_only_go_forward_until_they_end(client_of):
    one = client_of(build(), pause=HOUR, alarm_every=DAY)
    start = one.clock.now
    last = {}
    for _ in range(60):
        now = one.clock.now
        for alarm in ask(one, beginTime=round((start - DAY) * 1000), endTime=round(now * 1000)):
            before = last.get(identity(alarm), 1)
            assert alarm["status"] >= before
            assert before < 4 or alarm["status"] == before
            last[identity(alarm)] = alarm["status"]
    assert set(last.values()) >= {4, 5, 6}


def test_alarms_come_as_often_as_told(client_of):
    rare, often = (client_of(build(), alarm_every=every * DAY) for every in (20, 2))
    assert 5 * len(ask(rare)) < len(ask(often))
