"""Is the session dead, or an interface refused? Servers tell it in many ways."""

from itertools import pairwise

import pytest
from account.world import HOUR, SimulationEnd, View, account, later, poller, refused, run
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.account.login import Liveness
from exporter.northbound.errors import Reaction
from exporter.northbound.interfaces import Limit

pytestmark = pytest.mark.slow

MINUTE = 60
NEXT = Reaction.NEXT_TURN

# How servers tell that they know no such session, beside codes and words of a lost one.
TONGUES = {
    "401": refused("401", Reaction.SUSPEND),
    "20010": refused("20010", NEXT),
    "20400": refused("20400", Reaction.SUSPEND),
    "refused": refused("refused", NEXT),
    "malformed": refused("malformed", NEXT, enveloped=False),
    "empty": refused("empty", NEXT, enveloped=False),
    "redirect": refused("redirect", NEXT, enveloped=False),
    "http_400": refused("http_400", NEXT, enveloped=False),
    "http_500": refused("http_500", NEXT, enveloped=False),
}
LOST = [refused("305", Reaction.LOG_IN), refused("http_401", Reaction.LOG_IN, enveloped=False)]


def dies(server, error, *, after=HOUR, logins=1):
    """From then on every call fails with this error, until so many logins more."""
    start = server.clock.now()
    logged_in = []

    def script(name, _):
        if server.clock.now() - start < after:
            return None
        if name == "login":
            logged_in.append(name)
            return None
        return error if len(logged_in) < logins else None

    server.script = script


@pytest.mark.parametrize("error", TONGUES.values(), ids=TONGUES)
def test_a_session_that_dies_in_whatever_way_is_opened_anew(error):
    server, view = account(hours=2), View()
    dies(server, error)

    run(poller(server, view))

    assert len(server.paths("login")) == 2
    back = [call for call in later(server, 1) if call[3] == "ok" and call[1] != "login"]
    assert back[0][0] - 1_000 - HOUR < 3 * MINUTE
    assert {call[1] for call in back} >= {"getStationRealKpi", "getDevRealKpi"}
    assert view.last["up"] is True
    assert view.shown["session_lost"] == 0


def test_it_takes_three_calls_on_two_interfaces():
    server = account(hours=2)
    dies(server, TONGUES["401"])

    run(poller(server))

    second_login = server.paths("login")[1][0]
    failed = [call for call in server.calls if call[3] == "401" and call[0] < second_login]
    assert len(failed) == 3
    assert {call[1] for call in failed} == {"getStationRealKpi", "getDevRealKpi"}


def test_what_was_refused_meanwhile_is_asked_again_at_once():
    server, view = account(hours=2), View()
    dies(server, TONGUES["401"])
    # Statistics are asked once an hour, and would be silent for another one.
    walked = ("login", "getStationList", "getDevList", "getStationRealKpi", "getKpiStationDay")

    run(poller(server, view, walked=walked))

    (login,) = [call[0] for call in later(server, 1) if call[1] == "login"]
    asked = [call for call in server.paths("getKpiStationDay") if call[0] > login]
    assert asked[0][0] - login < 2 * MINUTE
    assert asked[0][3] == "ok"


def test_where_a_login_does_not_help_the_next_ones_come_ever_more_rarely():
    server = account(hours=18)
    dies(server, TONGUES["malformed"], logins=10**6)

    with capture_logs() as logs:
        run(poller(server))

    hours = [round((at - HOUR) / HOUR, 1) for at in server.times("login")[1:]]
    assert hours == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5]
    assert [e["event"] for e in logs if "anew" in e["event"]] == [
        "no interface gave a proper answer, logged in anew"
    ] * 6


def test_the_only_interface_is_enough():
    server = account(hours=2)
    dies(server, TONGUES["401"], after=0, logins=2)

    run(poller(server))

    assert [call[1] for call in server.calls[:5]] == [
        "login", "getStationList", "stations", "getStationList", "login",
    ]  # fmt: skip
    assert server.paths("getDevRealKpi")


@pytest.mark.parametrize(
    "error",
    [
        refused("timeout", NEXT, enveloped=False),
        refused("connection", NEXT, enveloped=False),
        refused("tls", NEXT, enveloped=False),
        refused("407", Reaction.BACK_OFF),
        refused("20200", Reaction.BACK_OFF),
        refused("http_429", Reaction.PAUSE, enveloped=False),
    ],
    ids=lambda error: error.reason,
)
def test_who_does_not_answer_or_is_called_too_often_says_nothing_about_the_session(error):
    server = account(hours=5)
    dies(server, error)

    run(poller(server))

    assert len(server.paths("login")) == 1


def test_a_login_that_fails_while_the_server_is_in_trouble_leaves_the_session_as_it_is():
    server, view = account(hours=3), View()
    start = server.clock.now()
    bad = refused("http_502", NEXT, enveloped=False)
    server.script = lambda *_: bad if 1 <= (server.clock.now() - start) / HOUR < 2 else None

    run(poller(server, view))

    back = [call for call in later(server, 2) if call[3] == "ok"]
    assert back[0][0] - start - 2 * HOUR < MINUTE + 1
    assert "login" not in {call[1] for call in back}
    assert view.last["up"] is True


def test_a_dead_session_of_a_previous_run_is_opened_anew():
    database = Database()
    server = account(hours=1)
    run(poller(server, database=database))
    server.clock.end += 2 * HOUR
    dies(server, TONGUES["malformed"], after=0)

    run(poller(server, database=database))

    assert len(server.paths("login")) == 2
    assert server.calls[-1][3] == "ok"


def test_restarts_do_not_repeat_a_login_that_did_not_help():
    database = Database()
    server = account(hours=0.2)
    dies(server, TONGUES["malformed"], after=0, logins=10**6)
    for _ in range(8):
        run(poller(server, database=database))
        server.clock.end += 0.2 * HOUR

    minutes = [at // MINUTE for at in server.times("login")]
    assert minutes[0] == 0
    assert minutes[2] - minutes[1] >= 30
    assert len(minutes) <= 4


# --- one interface that tells of a lost session which works elsewhere ----------------------------


@pytest.mark.parametrize("error", LOST, ids=lambda error: error.reason)
def test_a_session_that_works_elsewhere_is_not_dead(error):
    server, view = account(hours=4), View()
    server.script = lambda name, _: error if name == "getDevRealKpi" else None

    run(poller(server, view))

    assert len(server.paths("login")) == 2
    assert len(server.paths("getStationRealKpi")) > 230
    assert view.shown["session_lost"] == 0
    assert view.last["up"] is True
    # Once more because of the login, as a refusal among three; then rests of 1 and 2 hours.
    minutes = [t // MINUTE for t in server.times("getDevRealKpi")]
    assert minutes == [0, 1, 2, 3, 63, 183]


def test_a_credentials_code_on_a_data_interface_is_that_interfaces_failure():
    server, view = account(hours=4), View()
    error = TONGUES["20400"]
    server.script = lambda name, _: error if name == "getDevRealKpi" else None

    run(poller(server, view))

    assert len(server.paths("login")) == 1
    assert [t // MINUTE for t in server.times("getDevRealKpi")] == [0, 1, 2, 62, 182]
    assert len(server.paths("getStationRealKpi")) > 230
    assert view.last["up"] is True


def test_an_interface_that_told_of_a_loss_is_believed_again_once_it_has_answered():
    server = account(hours=3)
    losses = [1.0, 2.0]

    def script(name, _):
        if losses and name == "getDevRealKpi" and server.clock.now() - 1_000 > losses[0] * HOUR:
            losses.pop(0)
            server.valid = None

    server.script = script
    run(poller(server))

    assert [round(at / HOUR, 1) for at in server.times("login")] == [0.0, 1.0, 2.0]


def test_who_calls_the_session_lost_is_believed_once_and_then_needs_a_witness():
    liveness, error = Liveness(), LOST[0]

    def react(caller, *, repeated=False, young=True):
        return liveness.reaction((caller, None), error, repeated=repeated, young=young)

    assert react("a") is Reaction.LOG_IN
    assert react("a", repeated=True) is Reaction.NEXT_TURN
    assert react("a") is Reaction.NEXT_TURN  # nobody has answered since, and nobody else says so
    assert react("b") is Reaction.LOG_IN
    liveness.answered(("c", None))
    assert react("a") is Reaction.SUSPEND
    liveness.answered(("a", None))
    assert react("a") is Reaction.LOG_IN  # for it was right before


def test_who_claimed_a_loss_alone_is_believed_when_it_insists_or_the_session_may_have_expired():
    liveness, error, caller = Liveness(), LOST[0], ("a", None)
    assert liveness.reaction(caller, error, repeated=False, young=True) is Reaction.LOG_IN
    liveness.answered(caller)
    assert liveness.reaction(caller, error, repeated=False, young=True) is Reaction.NEXT_TURN
    assert liveness.reaction(caller, error, repeated=False, young=True) is Reaction.LOG_IN
    liveness.answered(caller)
    assert liveness.reaction(caller, error, repeated=False, young=False) is Reaction.LOG_IN


@pytest.mark.parametrize("error", LOST, ids=lambda error: error.reason)
def test_a_session_that_is_lost_to_one_device_type_alone_is_not_dead(error):
    server, view = account(hours=4, devices={1: 2, 47: 2}), View()
    server.script = lambda _, body: error if body.get("devTypeId") == "47" else None

    run(poller(server, view))

    assert len(server.paths("login")) == 2
    assert view.shown["session_lost"] == 0
    asked = [call[2]["devTypeId"] for call in server.paths("getDevRealKpi")]
    assert asked.count("1") > 220
    assert asked.count("47") == 6


def test_an_interface_that_calls_the_session_lost_now_and_then_costs_no_more_than_expiries_do():
    server, view = account(hours=2), View()
    asked = []

    def script(name, _):
        if name != "getDevRealKpi":
            return None
        asked.append(name)
        return LOST[0] if len(asked) % 2 else None

    server.script = script
    run(poller(server, view))

    gaps = [b - a for a, b in pairwise(server.times("login")[1:])]
    assert min(gaps) >= 25 * MINUTE  # when each session may have expired
    assert view.shown["session_lost"] == 0
    assert len(server.paths("getStationRealKpi")) > 110


def test_a_list_that_calls_every_session_lost_costs_ever_fewer_logins():
    server = account(hours=18)
    server.script = lambda name, _: LOST[0] if name == "getStationList" else None

    run(poller(server))

    assert len(server.paths("login")) <= 9


def test_one_login_is_tried_though_everything_rests():
    server = account(hours=3)
    dies(server, TONGUES["401"], after=HOUR)

    run(poller(server, overrides={"login": (Limit(1, 300.0),)}))

    second = server.times("login")[1] - HOUR
    assert second < 6 * MINUTE
    assert server.calls[-1][3] == "ok"


# --- a bug of ours -------------------------------------------------------------------------------


def test_a_poller_that_only_raises_is_not_up_and_counts_each_bug():
    server, view = account(hours=1), View()
    walker = poller(server, view)
    for _ in range(6):
        walker.step()
    assert view.last["up"] is True

    def step():
        raise RuntimeError("a bug")

    walker.step = step
    server.clock.end = server.clock.now() + 3 * MINUTE
    with pytest.raises(SimulationEnd):
        walker.run()

    assert view.shown["bug"] == 3
    assert view.last["up"] is False
