"""The days and months of the statistics, each where it belongs in time.

Prometheus knows when a value was scraped, not which day it is of. The start of a period stands
beside its values, so a value is drawn at the step nearest to when its period began, which for days
and months is a midnight: the zones of plants and browsers differ by half a day at most.
"""

from dataclasses import dataclass

from grafana.source.promql import Select

_EITHER = 'window=~"current|previous"'
_DAY = 86_400  # s


@dataclass(frozen=True)
class Calendar:
    """A period, the hours from its start in which its last value comes, and how often to look.

    `step` are the days from step to step of the panels.
    """

    period: str
    hours: int
    every: str
    step: int = 1


DAYS = Calendar("day", 36, "30m")
MONTHS = Calendar("month", 37 * 24, "6h")
YEARS = Calendar("year", 372 * 24, "1d", step=7)


def by_period(of: Select, quantity: str, calendar: Calendar, later: int = 0) -> str:
    """A quantity of the period that begins at each step, or so many hours after it."""
    return _by_period(of, quantity, calendar, later)


def by_past_period(of: Select, quantity: str, calendar: Calendar) -> str:
    """The same of periods that are over."""
    return _by_period(of, quantity, calendar, windows='window="previous"')


def year_before(of: Select, quantity: str, calendar: Calendar) -> str:
    """A quantity of the period a year before each step; a leap day is no hindrance."""
    return _by_period(of, quantity, calendar, -365 * 24, leap=_DAY)


def _by_period(  # noqa: PLR0913  # all that such a query differs in
    of: Select,
    quantity: str,
    calendar: Calendar,
    later: int = 0,
    *,
    leap: int = 0,
    windows: str = _EITHER,
) -> str:
    period, near = f'period="{calendar.period}"', calendar.step * _DAY // 2
    hours = calendar.hours
    seen = f"[{hours}h:{calendar.every}] offset {-hours - later}h"
    starts = of("plant_period_start_timestamp_seconds", period, windows)
    values = of(f"plant_period_{quantity}", period, windows)
    begun = f"last_over_time({starts}{seen}) - time() - {later * 3600}"
    return (
        f"sum(max without (window) (last_over_time({values}{seen}) "
        f"and on (plant_code, window) (({begun}) >= -{near + leap} < {near})))"
    )
