"""A month of each edition of the interface: all that an account may call, and no call too early."""

import json
import re
from contextlib import suppress

import pytest
import responses
from account.world import DAY, FakeClock, SimulationEnd, UnsavedDatabase, View

from exporter.account.account_polling import AccountConfig
from exporter.account.fleet import Fleet
from exporter.account.handlers import AlarmFilter
from exporter.account.login import HostGate
from exporter.account.poller import Poller
from exporter.config import Settings
from exporter.northbound.client import Client
from exporter.northbound.interfaces import INTERFACES
from exporter.simulator.endpoints.table import SINCE, UNTIL
from exporter.simulator.http.system import System
from exporter.simulator.world.fleet import build
from exporter.wiring import poll_configs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("requested")]

URL = "http://management.example"
ORDER = ("2020", "2022", "26")
SAME_VALUES = {"getDevRealKpi", "getDevFiveMinutes", "getDevHistoryKpi", "device/history"}


def all_poll_configs(edition, limits, source):
    """The configuration of all interfaces of an edition, with device values from one source.

    None is called more often than every six hours, to keep the test short.
    """
    names = {
        name
        for name, row in INTERFACES.items()
        if row.polled
        and ORDER.index(SINCE.get(name, "2020")) <= ORDER.index(edition)
        and ORDER.index(edition) <= ORDER.index(UNTIL.get(name, "26"))
        and name not in SAME_VALUES - {source}
    }
    interfaces = {
        name: {"enabled": name in names, "every": f"{max(row.every, 21_600):.0f}s"}
        for name, row in INTERFACES.items()
        if row.polled
    }
    account = {"username": "api", "password": "secret", "limits": limits}
    settings = Settings.model_validate({"accounts": [account], "interfaces": interfaces})
    return list(poll_configs(settings, settings.accounts[0]))


class Month:
    """An account of the simulator, polled for a month; `codes` are what calls were answered."""

    def __init__(self, edition, limits, source):
        self.clock = FakeClock(31 * DAY)
        self.system = System(
            build(0, plants=1),
            clock=self.clock.time,
            edition=edition,
            limits=limits,
            users={"api": "secret"},
            session_seconds=5 * DAY,
        )
        self.codes = {}
        configs = all_poll_configs(edition, limits, source)
        self.names = {each.interface.name for each in configs}
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            mock.add_callback(responses.POST, re.compile(URL), self._answer)
            self._poll(configs)

    def _answer(self, request):
        answer = self.system.handle("POST", request.path_url, request.headers, request.body)
        code = json.loads(answer.body).get("failCode", answer.status)
        self.codes.setdefault(request.path_url.rpartition("/")[2], set()).add(code)
        self.clock.advance(0.2)
        return answer.status, dict(answer.headers), answer.body

    def _poll(self, configs):
        poller = Poller(
            AccountConfig("a", configs, 30.0, AlarmFilter(), Fleet),
            client=Client(URL, "api", "secret", timeout=30.0),
            view=View(),
            clock=self.clock,
            gate=HostGate(),
            database=UnsavedDatabase(),
        )
        poller.restore()
        with suppress(SimulationEnd):
            while True:  # every bug is seen, and waits are slept at one stretch
                self.clock.wait(poller.step())


@pytest.mark.parametrize(
    ("edition", "limits", "source"),
    [
        ("2020", "classic", "getDevRealKpi"),
        ("2022", "v6", "getDevHistoryKpi"),
        ("26", "v25", "device/history"),
        ("26", "safe", "getDevRealKpi"),
    ],
)
def test_a_month_of_an_edition_has_no_call_that_is_refused(edition, limits, source):
    month = Month(edition, limits, source)

    calls = month.system.calls.accounts()
    assert {name: list(log.refusals) for (_, name), log in calls.items() if log.refusals} == {}
    # No upgrade was ever made, not every plant has a setting, and sessions end.
    usual = {0, 305, 20022, 20609, 20614}
    unexpected = {name: codes - usual for name, codes in month.codes.items() if codes - usual}
    assert unexpected == ({"getStationList": {400}} if edition == "26" else {})  # then page by page
    assert {name for _, name in calls} - {"stations"} == month.names
