"""Calls of an account that may be another's by now: none is made, and theirs are waited for."""

from contextlib import contextmanager
from math import inf

import pytest
import structlog
from account.world import TIMEOUT, View, account, poller, run

from exporter.account.database import Database
from exporter.account.interface_schedule import InterfaceState
from exporter.account.login import Login
from exporter.account.model import AccountState
from exporter.account.quotas import Call, CallLog
from exporter.account.store import Store
from exporter.clock import SystemClock
from exporter.northbound.errors import NotSentError

NOW = 1_000.0


class Shared(Database):
    """Rows that others may take over; `permitted` says at which look the account is still ours."""

    def __init__(self, *, abandoned=False):
        super().__init__()
        self.permitted = lambda: True
        self._abandoned = abandoned

    @property
    def may_call(self):
        return self.permitted()

    def was_abandoned(self):
        return self._abandoned


class Stolen(Shared):
    """Rows whose claims are refused once the call's start is stored, as by a commit that fails."""

    def __init__(self):
        super().__init__()
        self.claimed = False
        self.permitted = lambda: self.claimed

    @contextmanager
    def claim(self):
        self.claimed = True
        with super().claim():
            yield
        self.claimed = False


def test_an_account_that_is_not_ours_is_not_called_and_nothing_is_counted():
    server, rows = account(hours=0.1), Shared()
    rows.permitted = lambda: False
    view = View()
    run(poller(server, view, database=rows))

    assert server.tried == []
    assert view.state.login.log.calls == []


def test_a_call_whose_start_is_not_stored_is_not_made_but_counts():
    server, view = account(hours=0.01), View()
    run(poller(server, view, database=Stolen()))

    assert server.tried == []
    assert [call.lasted for call in view.state.login.log.calls] == [0.0]


def test_once_it_is_ours_again_it_is_called_with_the_same_session():
    server, rows = account(hours=1.0), Shared()
    rows.permitted = lambda: not 1_500 < server.clock.now() < 2_500
    run(poller(server, database=rows))

    assert len(server.paths("login")) == 1
    assert server.refused == []
    assert [call for call in server.calls if 1_500 < call[0] < 2_500] == []
    assert len([call for call in server.calls if call[0] > 2_500]) > 10


def test_a_login_that_is_not_sent_leaves_the_session():
    server, view = account(), View()
    polling = poller(server, view, database=Shared())
    while not server.paths("getDevList"):
        server.clock.advance(polling.step())
    token = server.token

    def unsent():
        server.drop_token()
        raise NotSentError

    server.login = unsent
    view.state.login.lifetime = 0.0
    view.state.login.log.calls.clear()
    while view.state.login.log.calls == []:
        server.clock.advance(max(0.1, polling.step()))

    assert server.token == token


def left_open(rows, **calls):
    """What somebody left who began these calls: so many seconds ago each."""
    state = AccountState()
    state.logins[""] = Login(token="t", since=0.0, log=CallLog([Call(0.0, 0.0, 1.0)]))
    for name, ago in calls.items():
        log = CallLog([Call(NOW - ago, NOW - ago, inf)])
        state.interfaces[name] = InterfaceState(log=log)
    Store(state, rows, account().clock, structlog.get_logger()).save()


@pytest.mark.parametrize(
    ("abandoned", "first", "again"),
    [
        (False, NOW, NOW + 60 * 1.01),  # a process that was killed: its call has ended
        # One that may be alive is over it for 25 s more, and it may arrive for 30 s after that.
        (True, NOW + 25.0, NOW + 55.0 + 60 * 1.01),
    ],
)
def test_a_call_of_a_holder_who_may_be_alive_is_waited_for(abandoned, first, again):
    server, rows = account(hours=1.0, latency=0.0), Shared(abandoned=abandoned)
    server.token = server.valid = "t"
    server.session_end = inf
    left_open(rows, getDevRealKpi=5.0)

    run(poller(server, database=rows))

    assert server.paths("login") == []
    assert server.calls[0][:2] == [pytest.approx(first, abs=1.0), "getStationList"]
    assert server.paths("getDevRealKpi")[0][0] == pytest.approx(again, abs=1.0)


def test_a_call_that_has_ended_is_not_waited_for():
    log = CallLog([Call(10.0, 10.0, 2.0), Call(20.0, 20.0, inf), Call(inf, inf, inf)])

    assert log.abandon(TIMEOUT) == 50.0
    assert [call.lasted for call in log.calls] == [2.0, 60.0, inf]
    assert CallLog([Call(10.0, 10.0, 2.0)]).abandon(TIMEOUT) == -inf


def test_without_replicas_an_account_stays_ours():
    rows = Database()

    assert rows.may_call
    assert not rows.was_abandoned()
    assert SystemClock().now() > 0
