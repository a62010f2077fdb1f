"""A call too early is refused, by a strictly sliding window."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.northbound.interfaces import DAY, INTERFACES, Growth, Limit
from exporter.simulator.http.limits import CallLog, Size, calls_allowed
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

REALTIME = INTERFACES["getDevRealKpi"]
PLANTS = INTERFACES["getStationRealKpi"]


@pytest.mark.parametrize(
    ("limit", "device_type", "calls"),
    [
        (Limit(1, 60.0), None, 1),
        (Limit(0, 300.0, Growth.PLANTS), None, 2),
        (Limit(24, 300.0, Growth.PLANTS), None, 26),
        (Limit(0, 300.0, Growth.DEVICES), None, 4),
        (Limit(0, 300.0, Growth.DEVICES), 1, 3),
        (Limit(0, 300.0, Growth.DEVICES), 39, 1),
        (Limit(0, 300.0, Growth.DEVICES), 8, 1),
        (Limit(24, 300.0, Growth.PLANTS, each=10), None, 44),
        (Limit(0, 300.0, Growth.LARGER), None, 4),
        (Limit(0, 300.0, Growth.PLANTS, per=50), None, 3),
    ],
)
def test_allowances_grow_with_the_hundreds_begun(limit, device_type, calls):
    assert calls_allowed(limit, Size(101, {1: 201, 39: 100}), device_type) == calls


def test_a_call_is_refused_until_a_whole_window_has_passed():
    log = CallLog("classic", refusals_count=False)
    times = [0.0, 59.999, 60.0, 119.0, 120.0]
    assert [log.admit("a", PLANTS, now, Size(1)) for now in times] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_refused_calls_spend_the_allowance_too():
    log = CallLog("classic")
    times = [0.0, 59.0, 118.0, 178.0]
    assert [log.admit("a", PLANTS, now, Size(1)) for now in times] == [True, False, False, True]


def test_a_device_type_has_its_own_hundreds():
    log, size = CallLog("v6"), Size(1, {1: 1, 39: 1})
    assert log.admit("a", REALTIME, 0.0, size, 1)
    assert not log.admit("a", REALTIME, 1.0, size, 1)
    assert CallLog("v6").admit("a", REALTIME, 1.0, size, 39)


def test_device_types_share_the_sum_of_their_hundreds():
    log, size = CallLog("v6"), Size(1, {1: 101})
    assert log.admit("a", REALTIME, 0.0, size, 1)
    assert log.admit("a", REALTIME, 0.0, size, 39)
    assert not log.admit("a", REALTIME, 0.0, size, 8)


def test_accounts_and_interfaces_are_counted_apart():
    log = CallLog("classic")
    assert log.admit("a", PLANTS, 0.0, Size(1))
    assert log.admit("b", PLANTS, 0.0, Size(1))
    assert log.admit("a", REALTIME, 0.0, Size(1))


def test_safe_obeys_both_editions():
    log, size = CallLog("safe", refusals_count=False), Size(130)
    admitted = [now for now in range(601) if log.admit("a", PLANTS, float(now), size)]
    assert admitted == [0, 60, 300, 360, 600]


def test_a_minute_can_be_short():
    log = CallLog("classic", minute=0.5)
    assert [log.admit("a", PLANTS, now, Size(1)) for now in (0.0, 0.5, 0.75)] == [True, True, False]


def test_the_most_calls_are_those_of_a_perfect_caller():
    log = CallLog("safe")
    assert log.allowed_calls("getStationRealKpi", 600.0, Size(130)) == 4
    assert log.allowed_calls("getDevRealKpi", 600.0, Size(130, {1: 230, 39: 20, 47: 100})) == 10
    assert CallLog("classic").allowed_calls("getDevRealKpi", 600.0, Size(1)) == 10


def test_the_log_keeps_arrivals_and_refusals():
    log = CallLog("classic")
    for now in (0.0, 10.0):
        log.admit("a", REALTIME, now, Size(1, {1: 1}), 1)
    for calls in (log.of("a", "getDevRealKpi"), log.of("a", "getDevRealKpi", 1)):
        assert (list(calls.arrivals), list(calls.refusals)) == ([0.0, 10.0], [10.0])
    assert list(log.accounts()) == [("a", "getDevRealKpi")]


def _naive(times, limits, *, refusals_count):
    counted, verdicts = [], []
    for now in times:
        fits = all(sum(now - then < window for then in counted) < calls for calls, window in limits)
        verdicts.append(fits)
        if fits or refusals_count:
            counted.append(now)
    return verdicts


@given(
    gaps=st.lists(st.integers(0, 200), max_size=60),
    plants=st.integers(1, 450),
    refusals_count=st.booleans(),
    edition=st.sampled_from(["classic", "v6", "safe"]),
)
def test_the_log_agrees_with_a_naive_counter(gaps, plants, refusals_count, edition):
    times = [float(sum(gaps[:count])) for count in range(1, len(gaps) + 1)]
    limits = {
        "classic": [(1, 60.0)],
        "v6": [(-(-plants // 100), 300.0), (1, 60.0)],
        "safe": [(-(-plants // 100), 300.0), (1, 60.0)],
    }[edition]
    log = CallLog(edition, refusals_count=refusals_count)
    verdicts = [log.admit("a", PLANTS, now, Size(plants)) for now in times]
    assert verdicts == _naive(times, limits, refusals_count=refusals_count)


def test_a_system_refuses_with_407(client_of):
    hasty = client_of(pause=1.0)
    assert hasty.code("getStationList") == 0
    answer = hasty.ask("getStationList")
    assert (answer["success"], answer["failCode"]) == (False, 407)
    assert answer["data"] == "ACCESS_FREQUENCY_IS_TOO_HIGH"


def test_the_newer_list_spends_the_allowance_of_the_old(client_of):
    hasty = client_of(pause=1.0)
    assert hasty.code("getStationList") == 0
    assert hasty.code("stations", pageNo=1, pageSize=10) == 407


def test_a_call_without_a_session_spends_nothing(client_of):
    one = client_of(pause=1.0)
    for _ in range(3):
        answer = one.send("getStationList", headers={"XSRF-TOKEN": "gone"})
        assert json.loads(answer.body)["failCode"] == 305
    assert one.code("getStationList") == 0


def test_a_system_knows_its_accounts_size(client_of):
    large = client_of(build(plants=130, devices=2000))
    size = large.system.size("demo")
    assert (size.plants, sum(size.devices.values())) == (130, 2000)
    assert large.system.allowed_calls("getStationRealKpi", 600.0) == 10
    strict = client_of(build(plants=130, devices=2000), limits="v6")
    assert strict.system.allowed_calls("getStationRealKpi", 600.0) == 4


@pytest.mark.parametrize(
    ("edition", "limits", "calls"),
    [("2020", None, 1440), ("2022", None, 24), ("26", None, 34), ("26", "classic", 1440)],
)
def test_an_account_lives_under_the_limits_of_its_edition(client_of, edition, limits, calls):
    system = client_of(edition=edition, limits=limits).system
    assert system.allowed_calls("getStationList", DAY) == calls


def test_there_is_no_other_edition():
    with pytest.raises(KeyError):
        System(build(), clock=lambda: 0.0, edition="2021")


def test_logins_are_limited_too(new_client):
    hasty = new_client(pause=30.0)
    assert [hasty.login()["failCode"] for _ in range(2)] == [0, 407]


A_DAY = [24 + 2, 24 + 3 + 1, 24 + 3 + 1 + 1]  # by plants, by inverters and batteries, by all types
V6 = {
    "login": 5 * 144, "getStationList": 24,
    "getStationRealKpi": 2 * 288, "getDevRealKpi": 5 * 288,
    "getKpiStationHour": A_DAY[0], "getKpiStationDay": A_DAY[0],
    "getKpiStationMonth": A_DAY[0], "getKpiStationYear": A_DAY[0],
    "getDevList": A_DAY[0],
    "getDevKpiDay": A_DAY[1], "getDevKpiMonth": A_DAY[1], "getDevKpiYear": A_DAY[1],
    "getDevFiveMinutes": A_DAY[2],
    "getDevHistoryKpi": 24 + 23 + 2 + 10,
    "device/history": pytest.approx((230 + 20 + 100) * 144, abs=1),
    "getAlarmList": 2 * 48,
    "devUpgrade": 1440, "getDevUpgradeInfo": 1440, "snIsRegister": 1440,
    "active-power-control-mode": A_DAY[0], "battery-mode": A_DAY[0],
}  # fmt: skip


V25 = {**V6, "getStationList": 2 * 10 + 24, "getAlarmList": (3 + 1 + 1) * 48}


@pytest.mark.parametrize("name", INTERFACES)
def test_each_interface_has_the_calls_a_day_of_its_edition(name):
    size = Size(130, {1: 230, 39: 20, 47: 100, 62: 500})
    classic = V6[name] if name == "device/history" else 1440  # which older servers lack
    assert CallLog("classic").allowed_calls(name, 86_400.0, size) == classic
    assert CallLog("v6").allowed_calls(name, 86_400.0, size) == V6[name]
    assert CallLog("v25").allowed_calls(name, 86_400.0, size) == V25[name]
