"""Sessions that are good for a time that the login tells, as those of an OAuth client are."""

import pytest
from account.world import FakeClock, Server, fleet, poller, run

from exporter.account.database import Database
from exporter.account.login import Login
from exporter.northbound.errors import CallError, Failure, Reaction

MINUTE, HOUR = 60, 3_600


def server_for(hours, **options):
    """A server whose sessions last as long as the login says, however much is called."""
    lasting = {"lifetime": HOUR, "session_seconds": HOUR, "extends": False, **options}
    return Server(FakeClock(hours * HOUR), "classic", *fleet(1, {1: 2}), **lasting)


@pytest.mark.slow
def test_a_session_is_renewed_before_it_ends_and_no_call_is_refused():
    server = server_for(5.5)

    run(poller(server))

    minutes = [at // MINUTE for at in server.times("login")]
    assert minutes == [0, 59, 119, 179, 238, 298]
    assert {outcome for *_, outcome in server.calls} - {"ok"} == {None}  # which logins have


def test_a_session_that_lasts_seconds_costs_no_more_logins_than_are_allowed():
    server = server_for(0.5, lifetime=10, session_seconds=10)

    run(poller(server))

    assert len(server.times("login")) <= 31
    assert len(server.times("getDevRealKpi")) > 10
    assert server.refused == []


def test_a_session_that_ends_before_its_time_is_renewed_once_and_the_call_repeated():
    server = server_for(0.4)

    def end_session(name, _body):
        if name == "getDevRealKpi" and len(server.times(name)) == 3:
            server.valid = None

    server.script = end_session
    run(poller(server))

    assert len(server.times("login")) == 2
    assert [each[3] for each in server.calls if each[1] == "getDevRealKpi"][2:4] == ["305", "ok"]


@pytest.mark.slow
def test_a_restart_goes_on_with_the_session_and_knows_when_it_ends(tmp_path):
    path = tmp_path / "a.sqlite"
    server = server_for(0.5)
    run(poller(server, database=Database(path)))
    server.clock.end += HOUR

    server.token = None
    run(poller(server, database=Database(path)))

    assert [at // MINUTE for at in server.times("login")] == [0, 59]


def test_a_session_whose_end_is_not_told_has_none():
    login = Login()
    assert not login.has_expired(1e9)
    login.opened(1_000.0)
    assert not login.has_expired(1e9)


def test_a_session_ends_a_little_before_its_time():
    login = Login()
    login.opened(1_000.0, 3_600.0)
    assert not login.has_expired(4_540.0)
    assert login.has_expired(4_540.1)
    login.opened(1_000.0, 10.0)
    assert not login.has_expired(1_009.0)
    assert login.has_expired(1_009.1)


def test_a_renewal_that_fails_leaves_no_session_to_call_with():
    server = server_for(3)

    def refuse(name, _body):
        if name == "login" and server.clock.now() > 1_000 + HOUR / 2:
            return CallError(Failure("http_503", Reaction.NEXT_TURN, "busy"))
        return None

    server.script = refuse
    made = poller(server)
    run(made)

    last = max(at for name in ("getDevRealKpi", "getStationRealKpi") for at in server.times(name))
    assert last // MINUTE <= 59
    assert made.report.logged_in is False
    assert made.report.login_failure.reason == "http_503"


def test_new_credentials_are_tried_within_a_minute_without_a_restart():
    server = server_for(0.2)
    server.script = lambda name, _body: (
        CallError(Failure("20400", Reaction.REFUSE_CREDENTIALS, "wrong", enveloped=True))
        if name == "login" and server.password == "secret"
        else None
    )

    def change(seconds, pass_by=server.clock.advance):
        pass_by(seconds)
        if server.clock.now() > 1_000 + 5 * MINUTE:
            server.password = "another"

    server.clock.advance = change
    made = poller(server)
    run(made)

    assert [at // MINUTE for at in server.times("login")] == [0, 5]
    assert made.report.refusal is None
    assert made.report.logged_in is True
