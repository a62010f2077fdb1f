"""Logins: the one call that locks owners out when it is made too often."""

from itertools import pairwise

import pytest
from account.world import FakeClock, Server, View, fleet, poller, run
from structlog.testing import capture_logs

from exporter.account.login import HostGate
from exporter.northbound.errors import CallError, Failure, Reaction
from exporter.northbound.interfaces import Limit

MINUTE = 60
HOUR = 60 * MINUTE


def account(hours=2.0, **options):
    return Server(FakeClock(hours * HOUR), "classic", *fleet(1, {1: 1}), latency=0.0, **options)


def refuse_logins(server, error, times=10**9):
    def script(name, _):
        nonlocal times
        if name == "login" and times:
            times -= 1
            return error
        return None

    server.script = script


@pytest.mark.parametrize(
    ("error", "minutes"),
    [
        (
            CallError(Failure("20400", Reaction.REFUSE_CREDENTIALS, "wrong", enveloped=True)),
            [0, 15, 45, 75, 105],
        ),
        (
            CallError(Failure("empty", Reaction.REFUSE_CREDENTIALS, "empty body")),
            [0, 15, 45, 75, 105],
        ),
        (
            CallError(Failure("http_401", Reaction.REFUSE_CREDENTIALS, "unauthorized")),
            [0, 15, 45, 75, 105],
        ),
        (
            CallError(Failure("connection", Reaction.NEXT_TURN, "refused")),
            [0, 1, 3, 7, 15, 31, 61, 91],
        ),
        (
            CallError(Failure("no_token", Reaction.NEXT_TURN, "no token")),
            [0, 1, 3, 7, 15, 31, 61, 91],
        ),
        (
            CallError(Failure("407", Reaction.BACK_OFF, "too often", enveloped=True)),
            [0, 1, 3, 7, 15, 31, 63],
        ),
        (CallError(Failure("http_403", Reaction.PAUSE, "quota")), [0, 5, 15, 35, 75]),
    ],
)
def test_how_long_a_refused_login_waits(error, minutes):
    server = account()
    refuse_logins(server, error)

    run(poller(server))

    assert [at // MINUTE for at in server.times("login")] == minutes
    assert server.paths("getStationList") == []


def test_waits_without_an_answer_scale_with_the_allowance():
    server = account(hours=0.02)
    refuse_logins(server, CallError(Failure("connection", Reaction.NEXT_TURN, "refused")))
    server.count_arrival = lambda *call: server.calls.append([call[2], *call[:2], None])

    run(poller(server, overrides={"login": (Limit(1, 1.0),)}))

    assert server.times("login") == [0, 1, 3, 7, 15, 31, 61]


def test_after_a_refusal_a_login_that_succeeds_starts_everything():
    server, view = account(), View()
    refuse_logins(
        server, CallError(Failure("20400", Reaction.REFUSE_CREDENTIALS, "wrong")), times=1
    )

    run(poller(server, view))

    assert server.times("login")[1] == 15 * MINUTE
    assert view.last["up"] is True
    assert view.read["getDevRealKpi", "100000"]


def test_an_expired_session_is_renewed_at_once_and_the_call_repeated():
    server = account(hours=3, session_seconds=100)  # lists stop for hours, calls go on
    server.session_end = -1

    def expire(name, _):
        # As servers do: a session ends half an hour after its login, whatever is called.
        if name != "login" and server.clock.now() - server.opened > 1_800:
            return CallError(Failure("305", Reaction.LOG_IN, "log in again", enveloped=True))
        if name == "login":
            server.opened = server.clock.now()
        return None

    server.script = expire
    view = View()
    run(poller(server, view))

    assert len(server.paths("login")) == 6
    assert view.shown["session_lost"] == 0
    lost = [call for call in server.calls if call[3] == "305"]
    assert len(lost) == 5
    for call in lost:
        after = [other for other in server.paths(call[1]) if other[0] > call[0]]
        assert after[0][2] == call[2]
        assert after[0][0] - call[0] < 61


@pytest.mark.slow
def test_sessions_that_calls_prolong_are_never_renewed():
    server = account(hours=12, session_seconds=1_800, extends=True)

    run(poller(server))

    assert len(server.paths("login")) == 1


def test_a_stolen_session_doubles_the_wait_and_says_so():
    server, view = account(hours=6), View()

    def steal(name, _):
        # Another program logs in a minute after each of our logins.
        if name == "login":
            server.thief = server.clock.now() + MINUTE
        elif server.clock.now() >= server.thief:
            return CallError(Failure("305", Reaction.LOG_IN, "log in again", enveloped=True))
        return None

    server.script = steal
    with capture_logs() as logs:
        run(poller(server, view))

    logins = server.times("login")
    gaps = [round((b - a) / MINUTE) for a, b in pairwise(logins)]
    assert gaps[:7] == [1, 2, 3, 5, 9, 17, 31]
    assert set(gaps[7:]) == {31}
    assert view.shown["session_lost"] == len(logins) - 1
    assert any("another program logs in" in entry["event"] for entry in logs)


def test_a_session_that_lasts_again_ends_the_doubling():
    server = account(hours=4)
    thieves = [1, 1, 1, 30, 1, 1, 10**6]

    def steal(name, _):
        if name == "login":
            server.thief = server.clock.now() + thieves.pop(0) * MINUTE
        elif server.clock.now() >= server.thief:
            return CallError(Failure("305", Reaction.LOG_IN, "log in again", enveloped=True))
        return None

    server.script = steal
    run(poller(server))

    logins = server.times("login")
    gaps = [round((b - a) / MINUTE) for a, b in pairwise(logins)]
    assert gaps == [1, 2, 3, 30, 2, 3]


@pytest.mark.parametrize("reason", ["305", "306", "307", "http_401"])
def test_every_way_to_lose_a_session_logs_in_again(reason):
    server = account(hours=0.1)
    errors = [CallError(Failure(reason, Reaction.LOG_IN, "log in again"))]
    server.script = lambda name, _: errors.pop() if name == "getDevList" and errors else None

    run(poller(server))

    assert len(server.paths("login")) == 2
    assert [call[3] for call in server.paths("getDevList")] == [reason, "ok"]


def test_a_call_is_repeated_once_only():
    server = account(hours=0.5)

    def refuse_session(name, _):
        if name == "getStationRealKpi":
            return CallError(Failure("305", Reaction.LOG_IN, "log in again", enveloped=True))
        return None

    server.script = refuse_session
    run(poller(server))

    assert len(server.paths("getDevRealKpi")) > 1


def test_logins_to_one_host_take_turns():
    gate = HostGate()
    server = account(hours=0.01)
    original = server.login
    others_wait = []

    def login():
        others_wait.append(gate.acquire_turn(server.clock.now()))
        return original()

    server.login = login
    run(poller(server, gate=gate))

    assert others_wait == [0.5]
    assert gate.acquire_turn(server.clock.now()) == 0.0


def test_a_login_to_a_dead_host_keeps_the_hosts_other_accounts_waiting_for_seconds_only():
    gate = HostGate()
    assert gate.acquire_turn(1_000.0) == 0.0
    assert gate.acquire_turn(1_004.9) == pytest.approx(0.1)
    assert gate.acquire_turn(1_000.1) == 0.5  # most turns end long before they have to
    assert gate.acquire_turn(1_005.0) == 0.0  # whose turn the first one, timed out, does not end
    gate.release_turn(1_000.0)
    assert gate.acquire_turn(1_006.0) == 0.5


def test_an_account_that_waited_for_its_turn_looks_again_before_it_logs_in():
    gate = HostGate()
    server = account(hours=0.2)
    gate.acquire_turn(server.clock.now())  # another account, which is refused
    now = server.clock.now()
    gate.refuse(now, now, CallError(Failure("http_429", Reaction.PAUSE, "load")), 1.0)

    run(poller(server, gate=gate))

    assert server.times("login") == [300]


def test_calls_under_way_when_a_pause_begins_do_not_double_it():
    gate = HostGate()
    error = CallError(Failure("http_429", Reaction.PAUSE, "load"))

    gate.refuse(1_000.0, 1_002.0, error, 1.0)
    gate.refuse(1_001.0, 1_003.0, error, 1.0)
    assert gate.pause.until == 1_002.0 + 300

    gate.refuse(1_303.0, 1_304.0, error, 1.0)
    assert gate.pause.until == 1_304.0 + 600


@pytest.mark.parametrize("reason", ["http_403", "http_429"])
def test_a_refusal_for_load_pauses_the_hosts_other_accounts(reason):
    gate = HostGate()
    first = account(hours=0.1)
    first.script = lambda name, _: (
        CallError(Failure(reason, Reaction.PAUSE, "quota")) if name == "getStationList" else None
    )
    run(poller(first, gate=gate))
    assert first.times("getStationList") == [0, 300]

    second = account(hours=1)
    run(poller(second, gate=gate, account="b"))

    # The second refusal costs twice five minutes.
    assert min(second.times("login")) == 300 + 600


def test_a_success_shortens_the_next_pause():
    server = account(hours=1)
    answers = ["http_429", "http_429", None, None, None, "http_429"]

    def script(name, _):
        if name != "getDevRealKpi" or not answers:
            return None
        reason = answers.pop(0)
        return CallError(Failure(reason, Reaction.PAUSE, "quota")) if reason else None

    server.script = script
    run(poller(server))

    gaps = [round((b - a) / MINUTE) for a, b in pairwise(server.times("getDevRealKpi"))]
    # Between two refusals the plants were answered: the wait never grows.
    assert gaps[:6] == [5, 5, 1, 1, 1, 5]


def test_refused_credentials_are_named_while_not_ready():
    server = account()
    refuse_logins(
        server, CallError(Failure("20400", Reaction.REFUSE_CREDENTIALS, "wrong password"))
    )
    walker = poller(server)

    run(walker)

    assert not walker.ready
    assert walker.waiting[0].startswith("the credentials are refused (20400: user name or password")
