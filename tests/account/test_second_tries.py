"""A call that failed in a round whose next is hours away is tried again within it."""

from itertools import pairwise

import pytest
from account.calendars import moment
from account.world import EPOCH, HOUR, WALKED, account, poller, refused, run

from exporter.northbound.errors import Reaction

pytestmark = pytest.mark.slow

OUTAGE = refused("http_502", Reaction.NEXT_TURN, enveloped=False)
NONSENSE = refused("20004", Reaction.NEXT_TURN)
WELL = None


def calls_after(name, *outcomes, hours, edition="classic", since="2023-11-15 06:00"):
    """Minutes since the first of an interface's calls, and the time that each is about.

    `outcomes` is what becomes of one call after another; all is well with any later one.
    """
    server, left = account(edition=edition), list(outcomes)
    server.clock.at = moment(since) - EPOCH
    server.clock.end = server.clock.at + hours * HOUR
    server.script = lambda called, _: left.pop(0) if called == name and left else WELL
    run(poller(server, walked=(*WALKED, name)))
    calls = server.paths(name)
    return [((at - calls[0][0]) / 60, body["collectTime"] / 1e3) for at, _, body, _ in calls]


def pauses(calls):
    return [round(then - now) for (now, _), (then, _) in pairwise(calls)]


def test_it_is_tried_again_at_its_pace_and_then_ever_more_rarely():
    failing = calls_after("getKpiStationYear", *[OUTAGE] * 9, hours=30)

    assert pauses(failing) == [1, 2, 4, 8, 16, 32, 60, 60, 60, 24 * 60 - 243]


def test_under_a_days_allowance_it_is_tried_again_at_that_pace():
    failing = calls_after("getKpiStationYear", OUTAGE, OUTAGE, hours=4, edition="v6")

    assert pauses(failing) == [58, 60]


def test_an_answer_that_waiting_would_not_better_is_waited_for_until_the_next_round():
    assert len(calls_after("getKpiStationYear", NONSENSE, hours=23)) == 1


@pytest.mark.parametrize(
    ("outcomes", "earlier"),
    [
        ([WELL, OUTAGE, OUTAGE], [False, True, True, True, False]),
        ([WELL, NONSENSE, OUTAGE], [False, True, False, False, True]),
    ],
)
def test_what_is_tried_again_is_what_was_asked(outcomes, earlier):
    """On the first of a month the day before is asked about in a call of its own."""
    calls = calls_after("getKpiStationDay", *outcomes, hours=2, since="2023-12-01 06:00")

    assert [time < moment("2023-12-01") for _, time in calls] == earlier
