"""What becomes of refused questions about statistics, alarms and upgrades, and how large one is."""

from itertools import pairwise

import pytest
from account.polled import START, bodies, spans, walk
from account.world import (
    HOUR,
    PARKED,
    SELDOM,
    FakeClock,
    Server,
    View,
    account,
    fleet,
    refused,
)

from exporter.account.database import Database
from exporter.account.handlers import AlarmFilter
from exporter.northbound.errors import Reaction, fail_code_error

pytestmark = pytest.mark.slow


def test_devices_that_were_never_upgraded_are_no_failure():
    server, view = account(hours=0.2), View()
    failures = []
    view.request = lambda name, _, error: failures.append((name, error)) if error else None

    walk(server, "getDevUpgradeInfo", view=view)

    assert {call[3] for call in server.paths("getDevUpgradeInfo")} == {"20022"}
    assert failures == []
    assert view.shown["upgrades"] == len(server.paths("getDevUpgradeInfo"))


@pytest.mark.parametrize(("known", "first"), [("en_UK", "en_US"), ("en_US", "en_UK")])
def test_a_language_that_the_server_does_not_know_costs_one_call(known, first):
    server, view = account(plants=150, hours=0.3), View()
    server.languages = {known}

    walk(server, "getAlarmList", view=view, alarms=AlarmFilter(first))

    calls = server.paths("getAlarmList")[:3]
    assert [call[2]["language"] for call in calls] == [first, known, known]
    assert [call[3] for call in calls] == ["20025", "ok", "ok"]
    assert calls[0][2]["stationCodes"] == calls[2][2]["stationCodes"]  # still in the first round
    assert spans(server)[2] == pytest.approx(spans(server)[0], abs=0.01)


def test_a_language_that_was_known_and_is_no_more_loses_no_turn():
    server = account(hours=3)
    tongues = iter([{"en_US"}] * 10 + [{"en_UK"}] * 10 + [{"en_US"}] * 5_000)

    def script(name, _):
        if name == "getAlarmList":
            server.languages = next(tongues)

    server.script = script
    walk(server, "getAlarmList")

    calls = server.paths("getAlarmList")
    assert [at for at, call in enumerate(calls) if call[3] != "ok"] == [10, 20]
    newest = [call[0] for call in calls if call[3] == "ok" and call[2]["endTime"] / 1e3 > START]
    assert max(b - a for a, b in pairwise(newest)) < 200


def test_without_a_language_in_common_every_turn_tries_another():
    server = account(hours=0.5)
    server.languages = {"zh_CN"}

    walk(server, "getAlarmList")

    tried = [body["language"] for body in bodies(server, "getAlarmList")]
    assert set(tried) == {"en_US", "en_UK"}
    assert {call[3] for call in server.paths("getAlarmList")} == {"20025"}
    assert server.refused == []


@pytest.mark.parametrize("code", [20014, 20015, 20016, 20017, 20018])
def test_a_batch_that_is_too_large_is_split_until_it_fits_over_a_restart_too(code):
    server, view, database = account(plants=100, hours=2), View(), Database()
    server.script = lambda name, body: (
        fail_code_error(code)
        if name == "getKpiStationDay" and len(body["stationCodes"].split(",")) > 30
        else None
    )
    walk(server, "getKpiStationDay", view=view, database=database)
    server.clock.end += 2 * HOUR
    server.drop_token()
    walk(server, "getKpiStationDay", view=view, database=database)

    assert [call[3] for call in server.paths("getKpiStationDay")].count(str(code)) == 3
    windows = view.answers("getKpiStationDay")
    assert windows.keys() == server.plants.keys()
    assert all(each.current for each in windows.values())


def test_sizes_that_were_refused_for_an_hour_are_asked_again_the_next_day():
    server, database = account(plants=100, hours=4), Database()
    server.script = lambda name, body: (
        fail_code_error(20014)
        if name == "getKpiStationDay"
        and server.time() < START + HOUR
        and len(body["stationCodes"].split(",")) > 30
        else None
    )

    walk(server, "getKpiStationDay", database=database, every=SELDOM)
    sizes = [len(body["stationCodes"].split(",")) for body in bodies(server, "getKpiStationDay")]
    server.clock.end += 28 * HOUR
    server.drop_token()
    walk(server, "getKpiStationDay", database=database, every=SELDOM)

    later = [len(body["stationCodes"].split(",")) for body in bodies(server, "getKpiStationDay")]
    assert sorted(sizes[:7]) == [25, 25, 25, 25, 50, 50, 100]
    assert set(sizes[7:]) == {25}
    assert later[-3:] == [100, 100, 100]
    assert [call[3] for call in server.paths("getKpiStationDay")].count("20014") == 3


def test_alarms_are_asked_for_at_most_100_plants_and_1000_devices_at_once():
    plants, devices = fleet(120, {1: 2_400})
    devices |= {n: {"devTypeId": 10, "stationCode": "P7"} for n in range(1_200)}
    server = Server(FakeClock(2 * HOUR), "classic", plants, devices)

    walk(server, "getAlarmList")

    calls = [call for call in server.paths("getAlarmList") if call[0] > 1_000 + HOUR]
    assert {call[3] for call in calls} == {"ok"}
    asked = [body["stationCodes"].split(",") for body in bodies(server, "getAlarmList")[-8:]]
    assert {code for codes in asked for code in codes} == set(plants)
    assert ["P7"] in asked


def test_alarms_wait_until_devices_are_listed_so_that_no_batch_is_too_heavy():
    server = Server(FakeClock(HOUR), "classic", *fleet(60, {1: 1_800}))

    walk(server, "getAlarmList")

    asked = [body["stationCodes"].split(",") for body in bodies(server, "getAlarmList")]
    assert max(map(len, asked)) == 33  # of 30 devices each


def test_without_permission_only_alarms_are_parked_and_nobody_waits_for_them():
    server, view = account(hours=6), View()
    server.script = lambda name, _: refused("401", PARKED) if name == "getAlarmList" else None

    walker = walk(server, "getAlarmList", "getKpiStationDay", view=view)

    minutes = [(b - a) // 60 for a, b in pairwise(server.times("getAlarmList"))]
    assert minutes == [1, 1, 60, 120]
    assert walker.ready
    assert view.last["permitted", "getAlarmList"] is False
    assert len(server.paths("getDevRealKpi")) > 350


def test_readiness_waits_for_neither_statistics_nor_alarms():
    names = ("getAlarmList", "getKpiStationDay", "getDevUpgradeInfo")
    server = account(hours=0.2)
    server.script = lambda name, _: (
        refused("http_502", Reaction.NEXT_TURN, enveloped=False) if name in names else None
    )

    assert walk(server, *names).ready
