"""When hours, days, months and years begin by a zone's own clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from exporter.simulator.world import periods

BERLIN = "Europe/Berlin"


def utc(*parts):
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        (BERLIN, date(2026, 6, 23), utc(2026, 6, 22, 22)),
        ("Asia/Kolkata", date(2026, 6, 23), utc(2026, 6, 22, 18, 30)),
        ("America/Los_Angeles", date(2026, 1, 1), utc(2026, 1, 1, 8)),
        # Clocks that leap over midnight: the day begins at one.
        ("Africa/Cairo", date(2026, 4, 24), utc(2026, 4, 23, 22)),
        # Clocks that have midnight twice: the day begins at the first.
        ("America/Havana", date(2026, 11, 1), utc(2026, 11, 1, 4)),
    ],
)
def test_a_day_begins_with_its_first_instant(zone, day, start):
    assert periods.beginning(zone, day) == start
    assert periods.local_date(zone, start) == day
    assert periods.local_date(zone, start - 1) == day - timedelta(days=1)


@pytest.mark.parametrize(("day", "count"), [((3, 29), 23), ((6, 23), 24), ((10, 25), 25)])
def test_hours_last_an_hour_whatever_the_clock_does(day, count):
    hours = periods.hours(BERLIN, date(2026, *day))
    assert len(hours) == count + 1
    assert {end - start for start, end in pairwise(hours)} == {3600.0}


def test_the_shortened_hour_of_a_half_hour_change_is_the_last():
    hours = periods.hours("Australia/Lord_Howe", date(2026, 10, 4))
    assert [end - start for start, end in pairwise(hours)] == [3600.0] * 23 + [1800.0]


def test_months_have_their_days_and_years_their_months():
    assert len(periods.days(BERLIN, date(2024, 2, 29))) == 29 + 1
    assert len(periods.days(BERLIN, date(2026, 12, 31))) == 31 + 1
    months = periods.months(BERLIN, date(2026, 12, 31))
    assert months[0] == periods.beginning(BERLIN, date(2026, 1, 1))
    assert months[12] == periods.beginning(BERLIN, date(2027, 1, 1))
    assert len(periods.years(BERLIN, 2020, 2026)) == 7 + 1
