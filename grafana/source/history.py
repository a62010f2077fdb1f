"""The days and months of the statistics, each where it belongs in time.

Prometheus knows when a value was scraped, not which day it is of. The start of a period stands
beside its values, so a value is drawn at the midnight from which its period began, give or take
half a day: the zones of plants and browsers differ.
"""

from dataclasses import dataclass

from grafana.source.promql import Select

_EITHER = 'window=~"current|previous"'
_HALF_A_DAY = 43_200  # s


@dataclass(frozen=True)
class Calendar:
    """A period, the hours from its start in which its last value comes, and how often to look."""

    period: str
    hours: int
    every: str


DAYS = Calendar("day", 36, "30m")
MONTHS = Calendar("month", 37 * 24, "6h")


def dated(of: Select, quantity: str, calendar: Calendar, later: int = 0) -> str:
    """A quantity of the period that begins at each step, or so many hours after it."""
    return _dated(of, quantity, calendar, later, _HALF_A_DAY)


def a_year_before(of: Select, quantity: str, calendar: Calendar) -> str:
    """A quantity of the period a year before each step; a leap day is no hindrance."""
    return _dated(of, quantity, calendar, -365 * 24, 3 * _HALF_A_DAY)


def _dated(of: Select, quantity: str, calendar: Calendar, later: int, early: int) -> str:
    period = f'period="{calendar.period}"'
    hours = calendar.hours
    seen = f"[{hours}h:{calendar.every}] offset {-hours - later}h"
    starts = of("plant_period_start_timestamp_seconds", period, _EITHER)
    values = of(f"plant_period_{quantity}", period, _EITHER)
    begun = f"last_over_time({starts}{seen}) - time() - {later * 3600}"
    return (
        f"sum(max without (window) (last_over_time({values}{seen}) "
        f"and on (account, plant_code, window) (({begun}) >= -{early} < {_HALF_A_DAY})))"
    )
