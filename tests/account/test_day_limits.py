"""What an account may ask a day is used up: the interface rests until midnight at the plants."""

from itertools import pairwise

import pytest
from account.test_commands_beside import probe
from account.world import EPOCH, HOUR, View, account, poller, refused, run

from exporter.account.database import Database
from exporter.account.probe import NotNowError
from exporter.northbound.errors import Reaction
from exporter.northbound.interfaces import INTERFACES

pytestmark = pytest.mark.slow

DAY = 24 * HOUR
QUARTER = 900
WALKED = ("login", "getStationList", "getDevList", "getStationRealKpi", "getKpiStationDay")


def use_up_calls(server, begin, end):
    """From when until when, in hours, the calls of the day are used up."""
    server.script = lambda name, _: (
        refused("20618", Reaction.NEXT_DAY)
        if name == "getStationRealKpi" and begin <= (server.clock.now() - 1_000) / HOUR < end
        else None
    )


def longest_rest(server):
    """From when until when nothing was asked, in seconds since the epoch."""
    arrivals = [round(call[0] + EPOCH) for call in server.paths("getStationRealKpi")]
    return max(pairwise(arrivals), key=lambda two: two[1] - two[0])


@pytest.mark.parametrize(
    ("zones", "midnight"),
    [
        (["UTC"], 0),
        (["Asia/Shanghai"], -8),
        (["America/Lima"], 5),
        (["Asia/Shanghai", "America/Lima"], 5),
    ],
)
def test_calls_are_tried_again_after_midnight_at_every_plant(zones, midnight):
    server = account(plants=len(zones), devices={}, hours=32)
    for plant, zone in zip(server.plants.values(), zones, strict=True):
        plant["zone"] = zone
    use_up_calls(server, 8, 8.01)

    run(poller(server, walked=WALKED))

    since, until = longest_rest(server)
    assert until - since == pytest.approx((midnight * HOUR - since) % DAY + QUARTER, abs=2)
    assert server.refused == []


def test_a_day_that_ends_at_another_time_is_found_in_ever_larger_steps():
    server = account(devices={}, hours=20)
    use_up_calls(server, 1, 12)  # from 23:30 on

    run(poller(server, walked=WALKED))

    times = [call[0] for call in server.calls if call[3] == "20618"]
    assert [round((b - a) / QUARTER) for a, b in pairwise(times)] == [3, 4, 8, 16]


def test_the_rest_survives_a_restart_and_commands_heed_it():
    server, database = account(devices={}, hours=8.2), Database()
    use_up_calls(server, 8, 8.1)
    run(poller(server, walked=WALKED, database=database))
    asked = len(server.paths("getStationRealKpi"))

    server.clock.end += 8 * HOUR
    run(poller(server, walked=WALKED, database=database))
    server.clock.end += HOUR
    with pytest.raises(NotNowError):
        probe(server, database, guest=False).call(
            INTERFACES["getStationRealKpi"], {"stationCodes": "P0"}
        )

    assert len(server.paths("getStationRealKpi")) == asked
    assert len(server.paths("getKpiStationDay")) > 15


def test_an_account_whose_calls_are_used_up_is_up_after_a_restart():
    server, database, view = account(devices={}, hours=8), Database(), View()
    use_up_calls(server, 7, 9)
    run(poller(server, walked=WALKED, database=database))

    poller(server, view, walked=WALKED, database=database)  # before any call

    assert view.last["up"] is True


def test_an_account_is_not_up_before_its_first_login():
    server, view = account(devices={}), View()
    poller(server, view, walked=WALKED)
    assert "up" not in view.last
