"""A refusal for the load on the whole system pauses the host, and is no sign of a lost session."""

from dataclasses import replace
from itertools import pairwise

import pytest
from account.world import account, poller, refused, run

from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import Limit

pytestmark = pytest.mark.slow

MINUTE = 60


def load(retry_after):
    error = refused("http_429", Reaction.PAUSE, enveloped=False)
    return CallError(replace(error.failure, retry_after=retry_after))


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [(0, [5, 10, 20, 40, 60, 60]), (180, [5, 10, 20, 40, 60, 60]), (1_200, [20, 40, 60, 60])],
)
@pytest.mark.parametrize("edition", ["classic", "v6", "safe"])
def test_refusals_for_load_rest_five_minutes_at_least_and_an_hour_at_most(edition, asked, minutes):
    server = account(hours=6, edition=edition)
    server.script = lambda name, _: None if name == "login" else load(asked)

    run(poller(server))

    times = server.times("getStationList")
    gaps = [(b - a) // MINUTE for a, b in pairwise(times)]
    assert gaps[: len(minutes)] == minutes


def test_what_the_server_asks_for_is_obeyed_beyond_an_hour():
    server = account(hours=4)
    errors = [load(7_200)]
    server.script = lambda name, _: errors.pop() if errors and name != "login" else None

    run(poller(server))

    assert server.times("getStationList")[:2] == [0, 7_200]


def test_an_allowance_of_a_day_does_not_make_the_pause_one():
    server = account(hours=2)
    errors = [load(0)]
    server.script = lambda name, _: errors.pop() if errors and name == "getDevRealKpi" else None

    run(poller(server, overrides={"getDevRealKpi": (Limit(25, 86_400),)}))

    silent = [b - a for a, b in pairwise(server.times("getStationRealKpi"))]
    assert max(silent) <= 6 * MINUTE


def test_a_reload_lifts_the_pause():
    server = account(hours=1)
    errors = [load(86_400)]
    server.script = lambda name, _: errors.pop() if errors and name != "login" else None
    walker = poller(server)
    assert walker.step() <= 0
    walker.step()
    assert walker.step() > 80_000

    walker.resume()

    assert walker.step() < 61
    run(walker)
    assert server.paths("getDevRealKpi")


@pytest.mark.parametrize("reason", ["407", "http_503"])
def test_other_refusals_too_may_ask_to_be_left_alone(reason):
    error = refused(reason, Reaction.BACK_OFF if reason == "407" else Reaction.NEXT_TURN)
    error = CallError(replace(error.failure, retry_after=900))
    server = account(hours=1)
    errors = [error]
    server.script = lambda name, _: errors.pop() if errors and name == "getDevRealKpi" else None

    run(poller(server))

    assert [t // MINUTE for t in server.times("getDevRealKpi")[:2]] == [0, 15]
    assert len(server.paths("getStationRealKpi")) > 55


def test_a_login_obeys_it_as_well():
    server = account(hours=2)
    error = refused("407", Reaction.BACK_OFF)
    error = CallError(replace(error.failure, retry_after=3_600))
    errors = [error]
    server.script = lambda name, _: errors.pop() if errors and name == "login" else None

    run(poller(server))

    assert server.times("login") == [0, 3_600]
