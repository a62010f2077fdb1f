"""How many calls history may make beside the daemon."""

from math import inf

from exporter.account.quotas import Quota
from exporter.history.budget import quotas_left, seconds_for
from exporter.northbound.interfaces import DAY, HOUR, MINUTE

A_DAY, A_MINUTE = Quota(25, DAY), Quota(1, MINUTE)


def test_without_a_daemon_all_is_allowed():
    assert quotas_left([A_DAY, A_MINUTE], 0.0, 1.0) == (A_DAY, A_MINUTE)


def test_what_the_daemon_leaves_over():
    assert quotas_left([A_DAY], 24 / DAY) == (Quota(1, DAY),)
    assert quotas_left([A_DAY], 4 / DAY) == (Quota(21, DAY),)


def test_less_than_a_call_is_one_in_more_time():
    (left,) = quotas_left([A_MINUTE], 1 / HOUR)
    assert left.calls == 1
    assert round(left.window, 6) == round(MINUTE / (1 - 1 / 60), 6)


def test_where_the_daemon_takes_all_nothing_is_left():
    assert quotas_left([A_DAY, A_MINUTE], 25 / DAY) == ()
    assert quotas_left([A_DAY, A_MINUTE], 1.0) == ()


def test_a_share_is_taken_whatever_the_daemon_does():
    assert quotas_left([A_DAY, A_MINUTE], 1.0, 0.5) == (Quota(12, DAY), Quota(1, 2 * MINUTE))


def test_of_each_device_type_as_much_is_left():
    of_type = Quota(25, DAY, device_type=1)
    assert quotas_left([of_type], 0.0, 0.2) == (Quota(5, DAY, device_type=1),)


def test_how_long_calls_take():
    assert seconds_for(0, [A_DAY, A_MINUTE]) == 0.0
    assert seconds_for(1, [A_DAY, A_MINUTE]) == 0.0
    assert seconds_for(25, [A_DAY, A_MINUTE]) == 24 * MINUTE
    assert seconds_for(26, [A_DAY, A_MINUTE]) == DAY
    assert seconds_for(1, []) == inf
