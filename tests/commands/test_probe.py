"""Allowances of a command: the daemon's, whether it runs or not."""

from math import inf

import pytest
from commands.probing import QUERY, QUESTION, STATION, Client, calls_of, probe, stored_calls

from exporter.account import database as databases
from exporter.account.codec import StoredRow
from exporter.account.database import Database
from exporter.account.interface_schedule import InterfaceState
from exporter.account.login import Login
from exporter.account.model import ForeignCall
from exporter.account.probe import NotNowError
from exporter.account.quotas import Backoff
from exporter.clock import ClockStamp
from exporter.config import load
from exporter.northbound.errors import CallError, reason_error
from exporter.northbound.interfaces import INTERFACES
from exporter.wiring import client_of

pytestmark = pytest.mark.slow


def test_a_call_waits_for_the_daemons_last_one(home):
    database, now = Database(), home.clock.now()
    with home.stored(database) as state:
        state.interfaces["getStationRealKpi"] = stored_calls((now - 240, 1.0))

    probe(home, database).call(STATION, {"stationCodes": "NE=33554432"})

    assert home.clock.waits == [64]  # a window of five minutes and a hundredth


def test_a_call_that_is_not_allowed_soon_is_not_made(home):
    database, now = Database(), home.clock.now()
    with home.stored(database) as state:
        state.interfaces["getStationRealKpi"] = stored_calls((now, 0.0))

    with pytest.raises(NotNowError, match="getStationRealKpi is allowed in 303 s") as raised:
        probe(home, database).call(STATION, {"stationCodes": "NE=33554432"})

    assert raised.value.seconds == pytest.approx(303)
    assert home.calls("getStationRealKpi") == 0
    assert home.clock.waits == []


def test_a_backoff_of_the_daemon_holds(home):
    database, until = Database(), home.clock.now() + 40
    with home.stored(database) as state:
        state.interfaces["snIsRegister"] = stored_calls(backoff=Backoff(60.0, until))

    probe(home, database).call(QUERY, QUESTION)

    assert home.clock.waits == [40]


def test_a_call_that_a_killed_daemon_left_without_an_end_ended_before_us(home):
    database, now = Database(), home.clock.now()
    with home.stored(database) as state:
        state.interfaces["snIsRegister"] = stored_calls((now - 900, inf))

    probe(home, database).call(QUERY, QUESTION)

    assert home.clock.waits == [61]


def test_the_daemon_and_its_commands_do_not_call_at_once(home):
    database, now = home.database, home.clock.now()
    probe(home, database).open()
    with home.stored(database) as state:
        state.interfaces["getDevList"] = stored_calls((now, inf))
    beside = probe(home, database, guest=True)

    with pytest.raises(NotNowError):
        beside.call(QUERY, QUESTION)
    assert home.calls("snIsRegister") == 0

    with home.stored(database) as state:
        state.interfaces["getDevList"] = stored_calls((now, 1.0))
    beside.call(QUERY, QUESTION)


def test_commands_do_not_call_at_once_either(home):
    database, now = home.database, home.clock.now()
    probe(home, database).open()
    other = ForeignCall("getDevUpgradeInfo", now, 60.0, device_type=1, under_way=True)
    with home.stored(database) as state:
        state.foreign_calls["other"] = other

    probe(home, database, guest=True).call(QUERY, QUESTION)

    assert home.clock.waits == [1] * 60  # when it must have been killed


# One that is polled, one that is not, and the login.
@pytest.mark.parametrize("name", ["getKpiStationDay", "getKpiStationHour", "login"])
def test_after_a_restart_no_call_of_the_killed_daemon_is_under_way(home, name):
    with home.daemon():
        home.clock.pass_by(60)
    with home.stored() as state:
        now = home.clock.now()
        if name == "login":
            state.logins.change("", Login).log.start(now, now)
        else:
            state.interfaces.change(name, InterfaceState).log.start(now, now)

    with home.daemon():
        probe(home, home.database, guest=True).call(QUERY, QUESTION)

    assert home.clock.waits == []


def test_a_command_of_another_version_leaves_the_state_to_the_running_daemon(home, monkeypatch):
    with home.daemon():
        home.clock.pass_by(60)
        with monkeypatch.context() as other:
            other.setattr(databases, "VERSION", databases.VERSION + 1)
            status = home.run("registered", "--user", "owner@example.com", "--sn", "BV1")
        home.clock.pass_by(60)

    assert status == 1
    assert home.calls("login") == 1
    assert not list(home.state.glob("*.damaged"))
    with home.stored() as state:
        assert state.login.token is not None


@pytest.mark.parametrize(
    # Until the end of a guest's call is known, it may be given up after 30 s, and arrive as much
    # later; of the owner's no other process thinks that it is over.
    ("guest", "lasts"),
    [(True, 60.0), (False, inf)],
)
def test_a_call_is_on_disk_before_it_is_made_and_its_end_afterwards(home, guest, lasts):
    database = Database()
    client = Client(home, database, {})
    start = home.clock.now()

    probe(home, database, guest=guest, client=client).call(QUERY, QUESTION)

    assert client.seen == [[(start, lasts)]]
    with home.stored(database) as state:
        assert calls_of(state) == [(start, 0.0)]
        assert [call.under_way for call in state.foreign_calls.values()] == [False] * guest


@pytest.mark.parametrize("guest", [True, False])
def test_a_call_that_was_given_up_may_still_arrive(home, guest):
    database = Database()
    client = Client(home, database, reason_error("timeout"))

    with pytest.raises(CallError):
        probe(home, database, guest=guest, client=client).call(QUERY, QUESTION)

    with home.stored(database) as state:
        assert calls_of(state) == [(home.clock.now(), 30.0)]


def test_the_daemon_waits_for_a_commands_call_and_counts_all_of_its_time(home):
    made = []

    def count():
        return sum(home.calls(name) for name in INTERFACES)

    def give_up(*_):
        before = count()
        home.clock.pass_by(29)  # in which the next call of a minute is due
        made.append(count() - before)
        home.clock.pass_by(1)
        raise reason_error("timeout")

    with home.daemon():
        home.clock.pass_by(290)
        client = client_of(load(home.config, {}).accounts[0])
        client.call = give_up
        beside = probe(home, home.database, guest=True, client=client)
        start = home.clock.now()
        with pytest.raises(CallError, match="timeout"):
            beside.call(INTERFACES["getStationList"], {})
        home.clock.pass_by(90)

    assert made == [0]
    with home.stored() as state:
        assert state.foreign_calls == {}
        *_, last = state.interfaces["getStationList"].log.calls
        assert (last.start, last.lasted) == pytest.approx((start, 60.0))


@pytest.mark.parametrize("step", [-86_400, -30, 30, 86_400])
def test_a_clock_that_is_set_meanwhile_neither_ends_a_wait_nor_lengthens_it(home, step):
    database = Database()
    client = Client(home, database, {}, {})
    probe(home, database, client=client).call(QUERY, QUESTION)
    home.clock.step += step

    probe(home, database, client=client).call(QUERY, QUESTION)

    assert home.clock.waits == [61]


def test_a_clock_that_is_set_during_a_call_makes_it_no_longer(home):
    database = Database()
    client = Client(home, database)

    def call(*_):
        home.clock.step += 86_400
        home.clock.pass_by(5)
        return {}

    client.call = call
    probe(home, database, client=client).call(QUERY, QUESTION)

    with home.stored(database) as state:
        ((_, lasted),) = calls_of(state)
        assert lasted == pytest.approx(5.0)


def test_a_call_that_is_not_understood_is_left_out(home):
    database = Database()
    stamp = ClockStamp.of(home.clock)
    call, log = '{"interface": "snIsRegister", "at": "some time"}', '{"log": "?", "backoff": "?"}'
    database.write(
        {
            ("foreign_call", "1"): StoredRow(call, stamp),
            ("interface", "snIsRegister"): StoredRow(log, stamp),
        }
    )

    probe(home, database).call(QUERY, QUESTION)

    assert home.clock.waits == [61]  # what the daemon wrote may be a call that was just made


def test_daemon_and_commands_share_an_allowance_for_hours_without_a_refusal(home):
    with home.daemon():
        home.clock.pass_by(600)
        for _ in range(6):
            home.run("upgrade", "status")
            home.run("registered", "--user", "owner@example.com", "--sn", "BV1")
            home.run("check")
            home.clock.pass_by(300)

    assert home.refused() == 0
    assert home.calls("login") <= 4  # one for each half hour that a session lasts
    assert home.calls("snIsRegister") == 6
    with home.stored() as state:  # the daemon has taken over what it polls itself
        assert state.foreign_calls == {}
        assert {"snIsRegister", "getDevUpgradeInfo"} <= state.interfaces.keys()


def test_a_restarted_daemon_counts_the_calls_of_commands_once(home):
    home.run("check")
    for _ in range(3):
        with home.daemon():
            home.clock.pass_by(60)

    with home.stored() as state:
        calls = state.interfaces["getStationList"].log.calls
        assert len(calls) == home.calls("getStationList")
