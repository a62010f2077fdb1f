"""When a call is allowed: windows counted from ends, a grid of due times, waits that double."""

from math import inf

import pytest

from exporter.account.quotas import (
    Backoff,
    CallLog,
    DayBackoff,
    FleetSize,
    Quota,
    Suspension,
    pace,
    quotas,
)
from exporter.northbound.interfaces import DAY, EDITIONS, INTERFACES, Growth, Limit

FLEET = FleetSize(plants=120, devices={1: 250, 39: 20})


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (Limit(1, 60.0), [Quota(1, 60.0)]),
        (Limit(24, 86_400.0, Growth.PLANTS), [Quota(26, 86_400.0)]),
        (Limit(0, 300.0, Growth.PLANTS), [Quota(2, 300.0)]),
        (Limit(24, 86_400.0, Growth.PLANTS, each=10), [Quota(44, 86_400.0)]),
        (Limit(0, 1_800.0, Growth.LARGER), [Quota(4, 1_800.0)]),
        (Limit(0, 60.0, Growth.PLANTS, per=50), [Quota(3, 60.0)]),
        (
            Limit(0, 300.0, Growth.DEVICES),
            [Quota(4, 300.0), Quota(3, 300.0, 1), Quota(1, 300.0, 39)],
        ),
    ],
)
def test_a_limit_grows_with_the_fleet(limit, expected):
    assert list(quotas([limit], FLEET)) == expected


def test_the_larger_of_two_growths_may_be_that_of_plants():
    few_devices = FleetSize(plants=301, devices={1: 100, 39: 20})
    assert quotas([Limit(0, 1_800.0, Growth.LARGER)], few_devices) == (Quota(4, 1_800.0),)


def test_an_unknown_fleet_is_allowed_one_call():
    assert quotas([Limit(0, 300.0, Growth.DEVICES)], FleetSize()) == (Quota(1, 300.0),)


@pytest.mark.parametrize(
    ("interface", "edition", "expected"),
    [
        # The worked examples of the newer reference: 20 plants and 120 plants.
        ("getStationRealKpi", "v6", {20: 300.0, 120: 150.0}),
        ("getKpiStationDay", "v6", {20: 86_400 / 25, 120: 86_400 / 26}),
        ("getStationRealKpi", "classic", {20: 60.0, 120: 60.0}),
        ("getStationRealKpi", "safe", {20: 300.0, 120: 150.0, 900: 60.0}),
        ("login", "safe", {20: 120.0}),
        ("getStationList", "v25", {20: 86_400 / 34, 120: 86_400 / 44}),
        ("getStationList", "safe", {20: 86_400 / 24, 120: 86_400 / 24}),
        ("getStationRealKpi", "v25", {20: 300.0, 120: 150.0}),
        ("getAlarmList", "v25", {20: 1_800.0, 120: 900.0}),
    ],
)
def test_the_pace_of_an_edition(interface, edition, expected):
    limits = EDITIONS[edition](INTERFACES[interface])

    paces = {plants: pace(quotas(limits, FleetSize(plants))) for plants in expected}

    assert paces == expected


def call_log(*calls, device_type=None):
    log = CallLog()
    for due, start, end in calls:
        log.start(due, start, device_type)
        log.end(end, [Quota(9, 300.0)])
    return log


def test_an_interface_never_called_may_be_called_at_once():
    assert CallLog().earliest([Quota(1, 60.0)], None) == -inf


def test_a_window_counts_from_the_end_of_the_nth_call_before_and_a_margin():
    log = call_log((0, 0, 2), (50, 50, 58))

    assert log.earliest([Quota(2, 100.0)], None) == 2 + 101
    assert log.earliest([Quota(1, 100.0)], None) == 58 + 101


def test_a_late_call_does_not_delay_its_followers():
    log = call_log((0, 0, 1), (100, 130, 131))

    assert log.earliest([Quota(9, 900.0)], None) == 200


def test_calls_are_never_closer_than_half_a_pace():
    log = call_log((0, 0, 1), (100, 190, 191))

    assert log.earliest([Quota(9, 900.0)], None) == 240


def test_in_a_hurry_only_the_windows_count_and_a_minute_of_a_day():
    log = call_log((0, 0, 1))

    assert log.earliest([Quota(25, 86_400.0)], None, burst=True) == 1 + 60.6
    assert log.earliest([Quota(25, 86_400.0), Quota(1, 60.0)], None, burst=True) == 61.6


def test_every_quota_must_allow_the_call():
    log = call_log((0, 0, 1))

    assert log.earliest([Quota(1, 60.0), Quota(24, 86_400.0)], None) == 3_600


def test_a_quota_of_one_type_counts_that_type_only():
    log = call_log((0, 0, 1), device_type=1)
    quotas = [Quota(4, 300.0), Quota(1, 300.0, 1), Quota(1, 300.0, 39)]

    assert log.earliest(quotas, 1) == 1 + 303
    assert log.earliest(quotas, 39) == 75


def test_a_call_given_up_on_may_still_arrive():
    log = CallLog()
    log.start(0, 0)
    log.end(30, [Quota(1, 60.0)], margin=30)

    assert log.earliest([Quota(1, 60.0)], None) == 60 + 60.6


def test_a_call_under_way_blocks():
    log = CallLog()
    log.start(0, 0)

    assert log.earliest([Quota(1, 60.0)], None) == inf


def test_the_log_forgets_what_no_window_remembers():
    log = CallLog()
    for at in range(0, 100_000, 60):
        log.start(at, at, 1)
        log.end(at + 1, [Quota(5, 300.0)])

    assert len(log.calls) == 6


def test_a_wait_doubles_to_its_longest_and_halves_with_each_success():
    backoff, waits = Backoff(), []
    for _ in range(5):
        backoff.refused(1_000, 60, 300)
        waits.append((backoff.wait, backoff.until))
    backoff.succeeded()
    backoff.refused(2_000, 60, 300)

    assert waits == [(60, 1_060), (120, 1_120), (240, 1_240), (300, 1_300), (300, 1_300)]
    assert backoff.until == 2_300
    for _ in range(10):
        backoff.succeeded()
    backoff.refused(3_000, 60, 300)
    assert backoff.until == 3_060


def test_a_pace_longer_than_the_longest_wait_is_waited():
    backoff = Backoff()

    backoff.refused(0, 4_000, 3_600)
    backoff.refused(0, 4_000, 3_600)

    assert backoff.until == 4_000


def test_a_day_whose_calls_are_used_up_is_rested_out_then_one_hour_more_then_two():
    day, rests = DayBackoff(), []
    for _ in range(11):
        day.refused(0, 50_000)
        rests.append(day.until)

    assert rests == [50_900, *(3_600 * hours for hours in (1, 2, 4, 8, 16, 24, 24, 24, 24, 24))]
    day.succeeded()
    day.refused(100_000, 86_000)
    assert day.until == 100_000 + DAY


@pytest.mark.parametrize(
    ("stored", "refusals", "until"),
    [((3, 1e12), 3, 86_500), ((-1, 200), 0, 200), ((99, -9), 8, -9)],
)
def test_a_stored_rest_is_kept_within_a_day(stored, refusals, until):
    day = DayBackoff(*stored)

    day.after_restart(100)

    assert (day.refusals, day.until) == (refusals, until)


def test_the_third_refusal_in_a_row_suspends_for_one_hour_then_two_up_to_a_day():
    suspension, rests = Suspension(), []
    for _ in range(9):
        suspension.refused(0)
        rests.append(max(suspension.until, 0) / 3_600)

    assert rests == [0, 0, 1, 2, 4, 8, 16, 24, 24]
