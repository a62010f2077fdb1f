"""What is asked of statistics, 5-minute data, alarms and upgrades, and what becomes of refusals."""

from itertools import pairwise

import pytest
from polling.alarming import Trouble
from polling.calendars import moment
from polling.world import (
    DAY,
    EPOCH,
    HOUR,
    PARKED,
    WALKED,
    FakeClock,
    Server,
    Sink,
    account,
    fleet,
    poller,
    refused,
    run,
)

from exporter.northbound.errors import Reaction, fail_code_error
from exporter.polling.inquiries import AlarmTerms
from exporter.polling.memory import Memory

START = EPOCH + 1_000  # what the server's clock says at the start


def walk(server, *names, sink=None, **settings):
    """Polls with these interfaces beside those of every account."""
    walker = poller(server, sink, walked=(*WALKED, *names), **settings)
    run(walker)
    return walker


def bodies(server, name):
    return [call[2] for call in server.paths(name)]


def spans(server):
    """The windows that alarms were asked about, in days before the start."""
    return [
        ((START - body["beginTime"] / 1e3) / DAY, (START - body["endTime"] / 1e3) / DAY)
        for body in bodies(server, "getAlarmList")
    ]


def trouble(raised, **traits):
    return Trouble("P0", "S1", 65534, 1, raised, raised, **traits)


# --- requests ----------------------------------------------------------------------------------


def test_statistics_of_plants_are_asked_about_now_in_milliseconds():
    server = account(plants=2, hours=0.2)

    walk(server, "getKpiStationDay")

    body = bodies(server, "getKpiStationDay")[0]
    assert body.keys() == {"stationCodes", "collectTime"}
    assert body["stationCodes"] == "P0,P1"
    assert type(body["collectTime"]) is int
    assert 0 <= body["collectTime"] - START * 1_000 < 200_000


def test_statistics_of_devices_name_their_type_as_text():
    server = account(devices={1: 2, 39: 1, 10: 1}, hours=0.2)

    walk(server, "getKpiStationDay", "getDevKpiDay")

    asked = bodies(server, "getDevKpiDay")
    assert {body["devTypeId"] for body in asked} == {"1", "39"}  # EMIs have no statistics
    assert all(body.keys() == {"devIds", "devTypeId", "collectTime"} for body in asked)


def test_alarms_are_asked_for_in_a_window_of_at_most_31_days():
    server = account(plants=2, hours=0.2)

    walk(server, "getAlarmList")

    body = bodies(server, "getAlarmList")[0]
    assert body.keys() == {"stationCodes", "beginTime", "endTime", "language"}
    assert body["language"] == "en_US"
    assert type(body["beginTime"]) is int
    assert type(body["endTime"]) is int
    assert 30.9 * DAY <= (body["endTime"] - body["beginTime"]) / 1e3 <= 31 * DAY
    assert body["endTime"] / 1e3 >= START + HOUR  # the server's clock may be ahead


def test_only_the_severities_and_types_that_are_wanted_are_asked_for():
    server = account(hours=0.2)
    terms = AlarmTerms("de_DE", ("critical", "minor"), ("protection",))

    walk(server, "getAlarmList", alarms=terms)

    body = bodies(server, "getAlarmList")[0]
    assert (body["levels"], body["types"], body["language"]) == ("1,3", "3", "de_DE")
    assert "status" not in body


def test_five_minute_data_are_of_the_day_that_has_rows_and_twenty_devices_a_call():
    server, sink = account(devices={1: 45}, hours=0.2), Sink()
    server.lag = 600
    told = {}
    sink.readings = lambda interface, _, __, measured=None: told.update(
        measured if interface.name == "getDevFiveMinutes" else {}
    )

    walk(server, "getDevFiveMinutes", sink=sink)

    asked = bodies(server, "getDevFiveMinutes")
    assert [len(body["devIds"].split(",")) for body in asked[:3]] == [20, 20, 5]
    assert len(told) == 45
    assert all(0 <= START + 700 - at < 1_400 for at in told.values())


def test_just_after_midnight_five_minute_data_are_yesterdays():
    server, sink = account(hours=0.1), Sink()
    server.clock.at = moment("2023-11-20 00:05") - EPOCH
    server.clock.end = server.clock.at + 60
    server.lag = 600

    walk(server, "getDevFiveMinutes", sink=sink)

    asked = bodies(server, "getDevFiveMinutes")[0]["collectTime"] / 1e3
    assert moment("2023-11-19 23:45") <= asked < moment("2023-11-20")
    assert sink.read["getDevFiveMinutes", "100000"]


def test_upgrades_are_asked_about_ten_devices_of_one_type_at_a_time():
    server = account(devices={1: 25, 38: 1, 39: 3}, hours=0.3)
    server.upgraded = {100_003}

    walk(server, "getDevUpgradeInfo")

    asked = bodies(server, "getDevUpgradeInfo")
    assert sorted(len(body["devIds"].split(",")) for body in asked[:4]) == [1, 5, 10, 10]
    assert {body["devTypeId"] for body in asked} == {"1", "38"}


# --- refusals ----------------------------------------------------------------------------------


def test_devices_that_were_never_upgraded_are_no_failure():
    server, sink = account(hours=0.2), Sink()
    failures = []
    sink.request = lambda name, _, error: failures.append((name, error)) if error else None

    walk(server, "getDevUpgradeInfo", sink=sink)

    assert {call[3] for call in server.paths("getDevUpgradeInfo")} == {"20022"}
    assert failures == []
    assert sink.told["upgrades"] == len(server.paths("getDevUpgradeInfo"))


@pytest.mark.parametrize(("known", "first"), [("en_UK", "en_US"), ("en_US", "en_UK")])
def test_a_language_that_the_server_does_not_know_costs_one_call(known, first):
    server, sink = account(plants=150, hours=0.3), Sink()
    server.languages = {known}

    walk(server, "getAlarmList", sink=sink, alarms=AlarmTerms(first))

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
def test_a_batch_that_is_too_large_is_split_until_it_fits_and_for_good(code):
    server, sink, memory = account(plants=100, hours=2), Sink(), Memory()
    server.script = lambda name, body: (
        fail_code_error(code)
        if name == "getKpiStationDay" and len(body["stationCodes"].split(",")) > 30
        else None
    )
    told = {}
    sink.statistics = lambda _, windows: told.update(windows)

    walk(server, "getKpiStationDay", sink=sink, memory=memory)
    server.clock.end += 2 * HOUR
    server.forget()
    walk(server, "getKpiStationDay", sink=sink, memory=memory)

    assert [call[3] for call in server.paths("getKpiStationDay")].count(str(code)) == 3
    assert told.keys() == server.plants.keys()
    assert all(windows.current for windows in told.values())


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
    server, sink = account(hours=6), Sink()
    server.script = lambda name, _: refused("401", PARKED) if name == "getAlarmList" else None

    walker = walk(server, "getAlarmList", "getKpiStationDay", sink=sink)

    minutes = [(b - a) // 60 for a, b in pairwise(server.times("getAlarmList"))]
    assert minutes == [1, 1, 60, 120]
    assert walker.ready
    assert sink.last["permitted", "getAlarmList"] == (False,)
    assert len(server.paths("getDevRealKpi")) > 350


def test_readiness_waits_for_neither_statistics_nor_alarms():
    names = ("getAlarmList", "getKpiStationDay", "getDevUpgradeInfo")
    server = account(hours=0.2)
    server.script = lambda name, _: (
        refused("http_502", Reaction.NEXT_TURN, enveloped=False) if name in names else None
    )

    assert walk(server, *names).ready


# --- turns -------------------------------------------------------------------------------------


def test_the_first_round_of_statistics_is_hurried_and_the_later_ones_even():
    server = Server(FakeClock(40 * HOUR), "v6", *fleet(350, {1: 4}), session_seconds=1e9)
    rarely = dict.fromkeys(("getStationRealKpi", "getDevRealKpi"), 6 * HOUR)

    walk(server, "getKpiStationDay", every=rarely)

    times = server.times("getKpiStationDay")
    assert times[3] - times[0] < 4 * 70
    later = [b - a for a, b in pairwise(times) if a > HOUR]
    assert min(later) > 0.9 * DAY / 28
    assert server.refused == []


def test_sweeps_of_older_alarms_alternate_with_the_newest_window():
    server = account(hours=3)

    walk(server, "getAlarmList")

    old = [end > 0 for _, end in spans(server)]
    sweep = [at for at, each in enumerate(old) if each]
    assert all(b - a == 2 for a, b in pairwise(sweep))
    assert len(sweep) == 12
    assert max(begin for begin, _ in spans(server)) >= 364.9


def test_an_alarm_from_long_ago_is_shown_and_does_not_count():
    server, sink = account(hours=2), Sink()
    server.troubles = [trouble(START - 200 * DAY), trouble(START - 400 * DAY)]
    told = []
    sink.alarms = lambda _, plants: told.append(plants["P0"])

    walk(server, "getAlarmList", sink=sink)

    assert [alarm.raised for alarm in told[-1].active] == [START - 200 * DAY]
    assert not any(each.new for each in told)


def test_on_the_first_of_a_month_one_call_more_brings_the_last_day():
    server, sink = account(hours=1), Sink()
    server.clock.at = moment("2023-12-01 06:00") - EPOCH
    server.clock.end = server.clock.at + 5 * HOUR
    told = []
    sink.statistics = lambda _, windows: told.append(windows["P0"])

    walk(server, "getKpiStationDay", sink=sink)

    asked = [body["collectTime"] / 1e3 for body in bodies(server, "getKpiStationDay")]
    assert asked[1] == moment("2023-12-01") - 0.001
    assert sum(time < moment("2023-12-01") for time in asked) == 1
    assert told[0].previous is None
    assert {each.previous.start for each in told[1:]} == {moment("2023-11-30")}


@pytest.mark.parametrize(("before", "counted"), [(("critical",), 0), (("critical", "minor"), 1)])
def test_alarms_that_other_filters_hid_do_not_count(before, counted):
    server, sink, memory, new = account(hours=0.5), Sink(), Memory(), []
    sink.alarms = lambda _, plants: new.extend(a for told in plants.values() for a in told.new)
    walk(server, "getAlarmList", memory=memory, alarms=AlarmTerms("en_UK", before))
    server.troubles.append(trouble(START, level=3))
    server.clock.end += HOUR
    server.forget()

    walk(
        server,
        "getAlarmList",
        sink=sink,
        memory=memory,
        alarms=AlarmTerms("en_UK", ("critical", "minor")),
    )

    assert len(new) == counted


def older(body, server):
    """Whether a question is about an older window than the newest."""
    return body["endTime"] / 1e3 < server.time()


@pytest.mark.parametrize(
    "failure",
    [
        fail_code_error(30030),
        fail_code_error(30008),
        fail_code_error(20027),
        refused("http_500", Reaction.NEXT_TURN, enveloped=False),
    ],
    ids=lambda failure: failure.reason,
)
def test_an_older_window_that_is_refused_holds_up_no_other(failure):
    server, sink = account(hours=30, edition="v6", languages={"en_US"}), Sink()
    server.script = lambda name, body: (
        failure if name == "getAlarmList" and older(body, server) else None
    )

    walk(server, "getAlarmList", sink=sink)

    asked = bodies(server, "getAlarmList")
    sweep = [body["beginTime"] for body in asked if body["endTime"] / 1e3 < START]
    tries = 1 if failure.enveloped else 2
    assert len(sweep) == 12 * tries
    assert len({begin // (DAY * 1_000) for begin in sweep}) == 12
    assert sink.told["alarms"] == len(asked) - len(sweep)
    assert sink.last["unanswered", "getAlarmList"] == (0,)


def test_the_language_of_one_batch_does_not_change_what_another_is_asked():
    server = account(plants=150, hours=1)
    server.languages = {"en_UK"}

    walk(server, "getAlarmList")

    asked = bodies(server, "getAlarmList")
    first = asked[0]["stationCodes"]
    spoken = [body for body in asked if body["language"] == "en_UK"]
    repeated = next(body for body in spoken if body["stationCodes"] == first)
    assert repeated["endTime"] / 1e3 > START


def test_a_bug_while_asking_costs_one_turn_and_no_interface(capsys):
    server = account(hours=2)
    walker = poller(server, walked=(*WALKED, "getAlarmList"))
    inquiry = walker._inquiries["getAlarmList"]
    original, asked = inquiry.request, []

    def request(turn):
        asked.append(turn)
        if len(asked) == 3:
            raise ValueError("a bug")
        return original(turn)

    inquiry.request = request
    run(walker)

    assert len(server.paths("getAlarmList")) > 100
    assert capsys.readouterr() == ("", "")
