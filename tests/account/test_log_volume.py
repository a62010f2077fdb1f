"""However an account fails, and for however long, its log stays short: it tells of changes."""

from collections import Counter

import pytest
from account.world import EVERYTHING, HOUR, account, at, poller, run
from structlog.testing import capture_logs

pytestmark = pytest.mark.slow

HOURS = 13.0  # the first of them in good health
MOST = 20  # lines in an hour
# A session that somebody else ends is told of each time, as only its owner can mend that.
FAULTS = {"connection": 30, "timeout": 30, "http_502": 30, "http_429": 30, "20004": 40, "305": 60}


def lines_by_hour(server):
    """How many lines of `info` and above each hour has."""
    hours, seen, pass_ = Counter(), 0, server.clock.advance
    with capture_logs() as logs:

        def advance(seconds):
            nonlocal seen
            hour = int((server.clock.now() - 1_000) // HOUR)
            hours[hour] += sum(each["log_level"] != "debug" for each in logs[seen:])
            seen = len(logs)
            pass_(seconds)

        server.clock.advance = advance
        run(poller(server, walked=EVERYTHING))
    return hours


@pytest.mark.parametrize("fault", FAULTS)
def test_an_outage_is_told_of_when_it_begins_and_not_call_by_call(fault):
    server = account(hours=HOURS, plants=3, devices={1: 20, 38: 3, 39: 2}, faults=(fault,))
    at(server, 1.0, lambda: setattr(server, "fault_share", 1.0))

    hours = lines_by_hour(server)

    assert {hour: lines for hour, lines in hours.items() if lines > MOST} == {}
    assert 10 < sum(hours.values()) <= FAULTS[fault]


@pytest.mark.parametrize("fault", FAULTS)
def test_of_what_comes_and_goes_each_interface_is_told_of_and_then_hardly_any(fault):
    server = account(hours=HOURS, plants=3, devices={1: 20, 38: 3, 39: 2}, faults=(fault,))
    at(server, 1.0, lambda: setattr(server, "fault_share", 0.5))

    hours = lines_by_hour(server)

    first = [hours.pop(hour) for hour in (1, 2)]
    assert sum(first) <= 3 * len(EVERYTHING) + 2 * MOST
    assert {hour: lines for hour, lines in hours.items() if lines > MOST} == {}
