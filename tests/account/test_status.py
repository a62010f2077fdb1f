"""What other threads see of an account's polling."""

from account.world import EPOCH, PARKED, account, poller, refused, run

from exporter.account.login import HostGate
from exporter.northbound.errors import Reaction, login_reason_error
from exporter.status.model import FailureStatus


def interfaces_of(report):
    return {each.name: each for each in report.interfaces}


def test_before_the_first_call_nothing_is_known_and_the_login_is_next():
    server = account()
    report = poller(server).report
    assert (report.logged_in, report.refusal, report.login_failure) == (False, None, None)
    assert report.waiting[0] == "not logged in"
    assert report.login.allowance == ((1, 60.0),)
    assert report.login.next_call == server.time()
    assert interfaces_of(report)["getStationList"].next_call == server.time()
    assert interfaces_of(report)["getStationRealKpi"].next_call is None
    assert interfaces_of(report)["getDevRealKpi"].batches == 0


def test_a_walk_under_way_is_told_with_its_allowance_pace_and_next_call():
    server = account(hours=0.5, plants=150, devices={1: 250}, edition="v6")
    walked = poller(server)
    run(walked)
    report = walked.report
    assert report.logged_in
    assert report.waiting == ()
    assert report.login.next_call is None
    each = interfaces_of(report)["getDevRealKpi"]
    assert each.allowance == ((3, 300.0),)
    assert (each.pace, each.walk, each.batches, each.answered) == (100.0, 300.0, 3, 3)
    assert server.time() - 100 < each.next_call < server.time() + 100
    assert interfaces_of(report)["getDevList"].allowance == ((26, 86_400.0), (1, 60.0))


def test_of_two_limits_with_one_window_the_stricter_is_told():
    report = poller(account(edition="safe")).report
    assert interfaces_of(report)["getStationList"].allowance == ((24, 86_400.0), (1, 60.0))


def test_refused_credentials_are_told_with_the_next_login():
    server = account(hours=0.1)
    server.script = lambda name, _: (
        refused("20400", Reaction.REFUSE_CREDENTIALS, enveloped=True) if name == "login" else None
    )
    walked = poller(server)
    run(walked)
    report = walked.report
    assert report.refusal == FailureStatus("20400", login_reason_error("20400").meaning)
    assert report.login_failure.reason == "20400"
    assert not report.logged_in
    assert 15 * 60 <= report.login.next_call - (1_000 + EPOCH) < 15 * 60 + 1
    assert interfaces_of(report)["getStationList"].next_call == report.login.next_call


def test_a_call_that_fails_is_told_with_its_meaning_until_it_succeeds():
    server = account(hours=0.5)
    server.script = lambda name, _: refused("401", PARKED) if name == "getDevRealKpi" else None
    walked = poller(server)
    run(walked)
    each = interfaces_of(walked.report)["getDevRealKpi"]
    assert [failure.reason for failure in each.failures] == ["401"]
    assert "grant it" in each.failures[0].meaning
    assert each.unanswered == 2
    assert each.next_call > server.time() + 1_000
    assert interfaces_of(walked.report)["getStationRealKpi"].failures == ()
    server.script = lambda *_: None
    server.clock.end += 3 * 3_600
    run(walked)
    each = interfaces_of(walked.report)["getDevRealKpi"]
    assert (each.failures, each.unanswered) == ((), 0)


def test_a_pause_of_the_host_is_a_pause_of_every_interface():
    server = account(hours=0.2)
    gate = HostGate()
    walked = poller(server, gate=gate)
    server.script = lambda name, _: (
        refused("http_429", Reaction.PAUSE, enveloped=False)
        if name == "getStationRealKpi"
        else None
    )
    run(walked)
    until = gate.pause.until + EPOCH
    assert {each.next_call >= until for each in walked.report.interfaces} == {True}
