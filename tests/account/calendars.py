"""Real calendars: which periods a plant's statistics have, in its own time zone."""

from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

# The clocks may be put back in a day, a month and a year.
LONGEST = {
    "Hour": 3_600.0,
    "Day": 25 * 3_600.0,
    "Month": 31 * 86_400.0 + 3_600,
    "Year": 366 * 86_400.0 + 3_600,
}


def moment(text, zone="UTC"):
    """Seconds since the epoch of a local time, as "2026-03-29 02:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def _midnight(zone, year, month=1, day=1):
    return datetime(year, month, day, tzinfo=zone).timestamp()


def _after(year, month):
    return (year + month // 12, month % 12 + 1)


@cache
def _years(zone, year):
    return [_midnight(zone, each) for each in range(year - 24, year + 2)]


@cache
def _months(zone, year):
    return [_midnight(zone, year, month) for month in range(1, 13)] + [_midnight(zone, year + 1)]


@cache
def _days(zone, year, month):
    end = _midnight(zone, *_after(year, month))
    days = [_midnight(zone, year, month, day) for day in range(1, 29)]
    for day in range(29, 32):
        try:
            days.append(_midnight(zone, year, month, day))
        except ValueError:
            break
    return [*days, end]


@cache
def _hours(zone, year, month, day):
    days = _days(zone, year, month)
    start, end = days[day - 1 : day + 1]
    return [*(start + 3_600 * n for n in range(round((end - start) / 3_600))), end]


def periods(kind, zone, time):
    """The periods, (start, end), that an answer about this time has a row for.

    Hours of its day, days of its month, months of its year, 25 years: as the plant's clock says.
    """
    local = datetime.fromtimestamp(time, zone)
    cuts = {
        "Hour": lambda: _hours(zone, local.year, local.month, local.day),
        "Day": lambda: _days(zone, local.year, local.month),
        "Month": lambda: _months(zone, local.year),
        "Year": lambda: _years(zone, local.year),
    }[kind]()
    return list(pairwise(cuts))


def period(kind, zone, time):
    """The period that this time lies in."""
    return next((start, end) for start, end in periods(kind, zone, time) if start <= time < end)


def utc_mark(start, zone):
    """How some servers mark a local day: with midnight UTC of its date."""
    date = datetime.fromtimestamp(start, zone)
    return datetime(date.year, date.month, date.day, tzinfo=UTC).timestamp()
