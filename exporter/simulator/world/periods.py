"""The calendar of a place: when the hours, days, months and years of its own clock begin.

Each function gives the starts of one period's parts and, last, its end, in s since the epoch.
Offsets are the zone's: a day may have 23 or 25 hours, and begin on a half one.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_HOUR = 3600.0

Instants = tuple[float, ...]


def local_date(zone: str, instant: float) -> date:
    """The date that a zone's clock shows. Raises ValueError or OverflowError far from ours."""
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).date()


@lru_cache(maxsize=8192)
def beginning(zone: str, day: date) -> float:
    """The first instant of a local day, also where the clock leaps over midnight."""
    return datetime.combine(day, time(), ZoneInfo(zone)).timestamp()


@lru_cache(maxsize=1024)
def hours(zone: str, day: date) -> Instants:
    """The hours of a local day: 23 to 25 of them."""
    start, end = beginning(zone, day), beginning(zone, day + timedelta(days=1))
    count = -(-(end - start) // _HOUR)
    return (*(start + number * _HOUR for number in range(int(count))), end)


@lru_cache(maxsize=1024)
def days(zone: str, day: date) -> Instants:
    """The days of a date's month."""
    first = day.replace(day=1)
    last = _next_month(first)
    dates = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(beginning(zone, each) for each in dates)


@lru_cache(maxsize=1024)
def months(zone: str, day: date) -> Instants:
    """The months of a date's year."""
    firsts = [date(day.year, month, 1) for month in range(1, 13)]
    return tuple(beginning(zone, each) for each in (*firsts, date(day.year + 1, 1, 1)))


@lru_cache(maxsize=1024)
def years(zone: str, first: int, last: int) -> Instants:
    """The years from one to another, both included."""
    return tuple(beginning(zone, date(year, 1, 1)) for year in range(first, last + 2))


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
