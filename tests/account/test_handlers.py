"""What is asked of statistics, 5-minute data, alarms and upgrades, and when."""

from itertools import pairwise

import pytest
import structlog
from account.calendars import moment
from account.polled import START, bodies, server_alarm, spans, walk
from account.world import (
    DAY,
    EPOCH,
    HOUR,
    SELDOM,
    WALKED,
    FakeClock,
    Server,
    View,
    account,
    fleet,
    poller,
    refused,
    run,
)

from exporter.account.database import Database
from exporter.account.fleet import Fleet
from exporter.account.handlers import AlarmFilter, handlers_of
from exporter.account.handlers.alarms import AlarmsHandler
from exporter.account.interface_schedule import InterfaceSchedule, PollConfig
from exporter.account.model import AccountState
from exporter.account.schedule import Schedule
from exporter.northbound.errors import Reaction, fail_code_error
from exporter.northbound.interfaces import INTERFACES

pytestmark = pytest.mark.slow

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
    terms = AlarmFilter("de_DE", ("critical", "minor"), ("protection",))

    walk(server, "getAlarmList", alarms=terms)

    body = bodies(server, "getAlarmList")[0]
    assert (body["levels"], body["types"], body["language"]) == ("1,3", "3", "de_DE")
    assert "status" not in body


def test_five_minute_data_are_of_the_day_that_has_rows_and_twenty_devices_a_call():
    server, view = account(devices={1: 45}, hours=0.2), View()
    server.lag = 600
    walk(server, "getDevFiveMinutes", view=view)

    asked = bodies(server, "getDevFiveMinutes")
    assert [len(body["devIds"].split(",")) for body in asked[:3]] == [20, 20, 5]
    measured = [each.at for each in view.state.answers["getDevFiveMinutes"].values()]
    assert len(measured) == 45
    assert all(0 <= START + 700 - at < 1_400 for at in measured)


def test_just_after_midnight_five_minute_data_are_yesterdays():
    server, view = account(hours=0.1), View()
    server.clock.at = moment("2023-11-20 00:05") - EPOCH
    server.clock.end = server.clock.at + 60
    server.lag = 600

    walk(server, "getDevFiveMinutes", view=view)

    asked = bodies(server, "getDevFiveMinutes")[0]["collectTime"] / 1e3
    assert moment("2023-11-19 23:45") <= asked < moment("2023-11-20")
    assert view.read["getDevFiveMinutes", "100000"]


def test_upgrades_are_asked_about_ten_devices_of_one_type_at_a_time():
    server = account(devices={1: 25, 38: 1, 39: 3}, hours=0.3)
    server.upgraded = {100_003}

    walk(server, "getDevUpgradeInfo")

    asked = bodies(server, "getDevUpgradeInfo")
    assert sorted(len(body["devIds"].split(",")) for body in asked[:4]) == [1, 5, 10, 10]
    assert {body["devTypeId"] for body in asked} == {"1", "38"}


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
    assert len(sweep) == 55
    assert max(begin for begin, _ in spans(server)) >= 364.8


def test_an_alarm_from_long_ago_is_shown_and_does_not_count():
    server, view = account(hours=2), View()
    server.troubles = [server_alarm(START - 200 * DAY), server_alarm(START - 400 * DAY)]
    walk(server, "getAlarmList", view=view)

    active = view.answers("getAlarmList")["P0"]
    assert [alarm.raised for alarm in active] == [START - 200 * DAY]
    assert view.state.alarm_totals["P0"] == {}


def test_on_the_first_of_a_month_one_call_more_brings_the_last_day():
    server, view = account(hours=1), View()
    server.clock.at = moment("2023-12-01 06:00") - EPOCH
    server.clock.end = server.clock.at + 5 * HOUR
    answers = []
    view.answered = lambda name, _, answer: answers.append(answer.value) if "Day" in name else None

    walk(server, "getKpiStationDay", view=view)

    asked = [body["collectTime"] / 1e3 for body in bodies(server, "getKpiStationDay")]
    assert asked[1] == moment("2023-12-01") - 0.001
    assert sum(time < moment("2023-12-01") for time in asked) == 1
    assert answers[0].previous is None
    assert {each.previous.start for each in answers[1:]} == {moment("2023-11-30")}


@pytest.mark.parametrize(("before", "counted"), [(("critical",), 0), (("critical", "minor"), 1)])
def test_alarms_that_other_filters_hid_do_not_count(before, counted):
    server, view, database = account(hours=0.5), View(), Database()
    walk(server, "getAlarmList", database=database, alarms=AlarmFilter("en_UK", before))
    server.troubles.append(server_alarm(START, level=3))
    server.clock.end += HOUR
    server.drop_token()

    walk(
        server,
        "getAlarmList",
        view=view,
        database=database,
        alarms=AlarmFilter("en_UK", ("critical", "minor")),
    )

    assert sum(view.state.alarm_totals["P0"].values()) == counted


def is_about_older_window(body, server):
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
    server, view = account(hours=115, edition="v6", languages={"en_US"}), View()
    server.script = lambda name, body: (
        failure if name == "getAlarmList" and is_about_older_window(body, server) else None
    )

    walk(server, "getAlarmList", view=view, every=SELDOM)

    asked = bodies(server, "getAlarmList")
    sweep = [body["beginTime"] for body in asked if body["endTime"] / 1e3 < START]
    tries = 1 if failure.enveloped else 2
    assert len(sweep) == 54 * tries  # the server had forgotten one when its turn came
    assert len({begin // (DAY * 1_000) for begin in sweep}) == 53  # days
    assert view.shown["alarms"] == len(asked) - len(sweep)
    assert view.last["unanswered", "getAlarmList"] == 0


def test_the_language_of_one_batch_does_not_change_what_another_is_asked():
    server = account(plants=150, hours=1)
    server.languages = {"en_UK"}

    walk(server, "getAlarmList")

    asked = bodies(server, "getAlarmList")
    first = asked[0]["stationCodes"]
    spoken = [body for body in asked if body["language"] == "en_UK"]
    repeated = next(body for body in spoken if body["stationCodes"] == first)
    assert repeated["endTime"] / 1e3 > START


def test_a_bug_while_asking_costs_one_turn_and_no_interface(capsys, monkeypatch):
    server = account(hours=2)
    original, asked = AlarmsHandler.request, []

    def request(self, planned):
        asked.append(planned)
        if len(asked) == 3:
            raise ValueError("a bug")
        return original(self, planned)

    monkeypatch.setattr(AlarmsHandler, "request", request)
    run(poller(server, walked=(*WALKED, "getAlarmList")))

    assert len(server.paths("getAlarmList")) > 100
    assert capsys.readouterr() == ("", "")


def test_every_interface_that_is_polled_has_a_handler_and_what_is_never_planned_has_none():
    state, polled, log = AccountState(), Fleet(), structlog.get_logger()
    configs = [PollConfig(each, each.classic, 0.0) for each in INTERFACES.values()]
    schedule = Schedule(map(InterfaceSchedule, configs), polled, log)

    made = handlers_of(state, polled, schedule, FakeClock(HOUR), alarms=AlarmFilter(), log=log)

    assert INTERFACES.keys() - made.keys() == {"login", "devUpgrade", "snIsRegister"}
