"""Each failCode, sent by the simulator, through the real client, to what the poller then does."""

import json
import re
from itertools import pairwise

import pytest
import responses
from account.world import EPOCH, HOUR, FakeClock, SimulationEnd, UnsavedDatabase, View

from exporter.account.account_polling import AccountConfig
from exporter.account.fleet import Fleet
from exporter.account.handlers import AlarmFilter
from exporter.account.interface_schedule import PollConfig
from exporter.account.login import HostGate
from exporter.account.poller import Poller
from exporter.northbound.client import Client
from exporter.northbound.errors import FAIL_CODES, ROWS
from exporter.northbound.interfaces import EDITIONS, INTERFACES
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build

pytestmark = pytest.mark.slow

URL = "http://management.example"
MINUTE = 60
WALKED = ("login", "getStationList", "getDevList", "getStationRealKpi", "getAlarmList")
PLANTS = 6

LOGS_IN = (305, 306, 307)
BACKS_OFF = (407, 20200)
RESTS_TODAY = (20618,)
PARKS = (401, 20009, 20013, 20029)
REREADS = (20006, 20007, 20008, 20045, 20046, 20056, 20621, 20622, 30017)
SKIPS = (20609, 20610, 20614, 20623, 20624, 20625, 20626, 20629, 20631)
SPLITS = (20014, 20015, 20016, 20017, 20018, 30031)
REFUSES = (20001, 20002, 20003, 20400, 20403, 30029)
WAITS_FOR_ITS_TURN = (
    *(20004, 20005, 20010, 20011, 20012, 20019, 20020, 20021, 20022, 20023, 20024, 20025),
    *(20026, 20027, 20028, 20055, 20604, 20605, 20606, 20607, 20608, 20611, 20612),
    *(30004, 30005, 30006, 30007, 30008, 30021, 30022, 30030, 30032, 30034, 30040),
)
OF_ORDERS = tuple(row.code for row in ROWS if "order to devices" in row.meaning)
OF_ALARMS = (20024, 20025)  # there they mean another language


def test_every_code_has_its_case_here():
    cases = [
        *(LOGS_IN, BACKS_OFF, RESTS_TODAY, PARKS, REREADS, SKIPS, SPLITS, REFUSES),
        *(WAITS_FOR_ITS_TURN, OF_ORDERS),
    ]
    assert sorted(code for codes in cases for code in codes) == sorted(FAIL_CODES)


class PolledAccount:
    """An account of the simulator, polled for some hours; `calls` are time, name and plants."""

    def __init__(
        self, code=None, *, interface="getStationRealKpi", count=None, hours=3.0, begin=None
    ):
        self.clock = FakeClock(hours * HOUR, begin)
        self.system = System(
            build(0, plants=PLANTS),
            clock=self.clock.time,
            limits="classic",
            users={"api": "secret"},
            session_seconds=24 * HOUR,
            alarm_history=False,  # a month of alarms would come every minute
        )
        self.view = View()
        self.calls = []
        self.languages = []
        if code is not None:
            self.system.faults.add("fail_code", interface=interface, value=code, count=count)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.add_callback(responses.POST, re.compile(URL), self._answer)
            self._poll()

    def _answer(self, request):
        name = request.path_url.rpartition("/")[2]
        body = json.loads(request.body)
        self.calls.append((self.clock.now(), name, len(body.get("stationCodes", "").split(","))))
        if "language" in body:
            self.languages.append(body["language"])
        answer = self.system.handle("POST", request.path_url, request.headers, request.body)
        self.clock.advance(0.2)
        return answer.status, dict(answer.headers), answer.body

    def _poll(self):
        polled = [
            PollConfig(
                INTERFACES[name], EDITIONS["classic"](INTERFACES[name]), INTERFACES[name].every
            )
            for name in WALKED
        ]
        poller = Poller(
            AccountConfig("a", polled, 30.0, AlarmFilter(), Fleet),
            client=Client(URL, "api", "secret", timeout=30.0),
            view=self.view,
            clock=self.clock,
            gate=HostGate(),
            database=UnsavedDatabase(),
        )
        poller.restore()
        try:
            poller.run()
        except SimulationEnd:
            return

    def times(self, name):
        return [time for time, called, _ in self.calls if called == name]

    def gaps(self, name):
        return [round((b - a) / MINUTE) for a, b in pairwise(self.times(name))]

    def sizes(self, name):
        return [plants for _, called, plants in self.calls if called == name]

    @property
    def refused(self):
        calls = self.system.calls.accounts().values()
        return sum(len(each.refusals) for each in calls)


def test_without_a_failure_nothing_of_all_that_happens():
    polled = PolledAccount(hours=0.5)
    assert len(polled.times("login")) == 1
    assert len(polled.times("getStationList")) == 1
    assert set(polled.gaps("getStationRealKpi")) == {1}
    assert set(polled.sizes("getStationRealKpi")) == {PLANTS}


@pytest.mark.parametrize("code", LOGS_IN)
def test_a_lost_session_is_opened_again_and_the_call_repeated(code):
    polled = PolledAccount(code, count=1, hours=0.2)
    assert len(polled.times("login")) == 2
    # The repetition takes the next allowed moment, and no turn is lost.
    assert set(polled.gaps("getStationRealKpi")) == {1}
    assert polled.refused == 0


@pytest.mark.parametrize("code", BACKS_OFF)
def test_a_refusal_for_frequency_makes_the_interface_wait_ever_longer(code):
    polled = PolledAccount(code, hours=1.2)
    assert polled.gaps("getStationRealKpi")[:6] == [1, 2, 4, 8, 16, 32]
    assert set(polled.gaps("getAlarmList")) == {1}
    assert len(polled.times("login")) == 1


@pytest.mark.parametrize("code", RESTS_TODAY)
def test_an_interface_whose_calls_of_the_day_are_used_up_rests_until_tomorrow(code):
    midnight = 24 * HOUR - EPOCH % (24 * HOUR)  # no plant has told of one
    polled = PolledAccount(code, count=1, begin=midnight - HOUR)
    first, again = polled.times("getStationRealKpi")[:2]
    assert (round((first - midnight) / MINUTE), round((again - midnight) / MINUTE)) == (-60, 15)
    assert set(polled.gaps("getStationRealKpi")[1:]) == {1}
    assert set(polled.gaps("getAlarmList")) == {1}


@pytest.mark.parametrize("code", PARKS)
def test_what_only_the_owner_can_mend_is_tried_three_times_then_left_alone(code):
    polled = PolledAccount(code, hours=3.2)
    assert polled.gaps("getStationRealKpi")[:3] == [1, 1, 60]
    assert set(polled.gaps("getAlarmList")) == {1}
    # Only a missing permission is one.
    last = polled.view.last.get(("permitted", "getStationRealKpi"))
    assert last is (False if code == 401 else None)


@pytest.mark.parametrize("code", REREADS)
def test_a_fleet_that_has_changed_is_listed_anew_and_its_batch_asked_in_halves(code):
    polled = PolledAccount(code, count=1, hours=0.2)
    assert len(polled.times("getStationList")) == 2
    sizes = polled.sizes("getStationRealKpi")
    assert sizes[:3] == [PLANTS, PLANTS // 2, PLANTS // 2]
    assert sizes[-1] == PLANTS  # both halves were well, and are one again


@pytest.mark.parametrize("code", [20007, 20056, 20622])
def test_a_batch_that_is_refused_plant_by_plant_rests_ever_longer(code):
    polled = PolledAccount(code, hours=5)
    assert polled.sizes("getStationRealKpi")[:6] == [PLANTS, 3, 3, 2, 1, 2]
    assert polled.gaps("getStationRealKpi") == [*[1] * 12, 60, 120]
    assert set(polled.gaps("getAlarmList")) == {1}


@pytest.mark.parametrize("code", SPLITS)
def test_a_batch_that_is_too_large_is_halved(code):
    polled = PolledAccount(code, count=1, hours=0.2)
    assert polled.sizes("getStationRealKpi")[:1] == [PLANTS]
    assert set(polled.sizes("getStationRealKpi")[1:]) == {PLANTS // 2}
    assert len(polled.times("getStationList")) == 1


@pytest.mark.parametrize("code", [*REFUSES, *LOGS_IN, 401, 20009, 20028, 30030])
def test_refused_credentials_are_tried_after_15_then_every_30_minutes(code):
    polled = PolledAccount(code, interface="login")
    assert polled.gaps("login")[:4] == [15, 30, 30, 30]
    assert {name for _, name, _ in polled.calls} == {"login"}


@pytest.mark.parametrize("code", [20004, 30008])
def test_a_server_that_fails_a_login_is_asked_again_sooner(code):
    polled = PolledAccount(code, interface="login")
    assert polled.gaps("login")[:5] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("code", REFUSES)
def test_only_a_login_decides_about_credentials(code):
    polled = PolledAccount(code, count=4, hours=1.2)
    assert polled.gaps("getStationRealKpi")[:3] == [1, 1, 60]
    assert len(polled.times("login")) == 1
    assert set(polled.gaps("getAlarmList")[2:]) == {1}


@pytest.mark.parametrize("code", [*WAITS_FOR_ITS_TURN, *SKIPS, OF_ORDERS[0]])
def test_every_other_failure_costs_the_batch_its_turn_and_no_more(code):
    polled = PolledAccount(code, hours=0.2)
    assert set(polled.gaps("getStationRealKpi")) == {1}
    assert set(polled.sizes("getStationRealKpi")) == {PLANTS}
    assert len(polled.times("login")) == 1
    assert len(polled.times("getStationList")) == 1


@pytest.mark.parametrize("code", OF_ALARMS)
def test_a_language_that_is_refused_is_replaced_by_the_other_english(code):
    polled = PolledAccount(code, interface="getAlarmList", count=1, hours=0.2)
    assert set(polled.gaps("getAlarmList")) == {1}
    assert polled.languages[:3] == ["en_US", "en_UK", "en_US"]  # this server knows no en_UK
    assert set(polled.languages[3:]) == {"en_US"}
