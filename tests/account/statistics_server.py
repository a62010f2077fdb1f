"""A server's statistics by real calendars, and a client that asks for them as the poller does."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from account.calendars import LONGEST, period, utc_mark
from account.calendars import periods as calendar_periods
from account.restarts import periods

from exporter.account.statistics import Periods
from exporter.northbound.records import Reading, TimedReading, Values

HOUR = 3_600.0
DAY = 86_400.0


@dataclass
class Plant:
    """A plant as the server sees it: a row's value is how much of its period is over."""

    zone: str = "Europe/Berlin"
    name: str = "P"
    lag: float = 0.0  # after which a period has a row
    since: float = 0.0  # when the plant was built
    nulls: bool = False  # whether periods without values have rows
    marks_utc: bool = False

    def rows(self, kind, asked, now):
        zone = ZoneInfo(self.zone)
        for start, end in calendar_periods(kind, zone, asked):
            has_values = self.since < end and start + self.lag <= now
            values = {"over": min(now, end) - start} if has_values else {}
            if values or self.nulls:
                mark = utc_mark(start, zone) if self.marks_utc else start
                yield TimedReading(mark, Reading(self.name, Values(values)))

    def newest(self, kind, now):
        """The newest period that has a row with values, and the one before it."""
        zone = ZoneInfo(self.zone)
        running = period(kind, zone, now - self.lag)
        before = period(kind, zone, running[0] - 1)
        return running, before


class StatisticsClient:
    """Asks about plants as the poller does, and keeps an account of extra questions."""

    def __init__(self, kind, *plants):
        self.kind = kind
        self.plants = plants
        self.extra = []
        self.restart(periods())

    def restart(self, rows):
        """Goes on with what a previous process has stored."""
        self.rows = rows
        self.periods = Periods(LONGEST[self.kind], rows)

    def ask(self, now, spoil=list):
        names = [plant.name for plant in self.plants]
        windows = self.periods.apply(names, spoil(self._answer(now, now)), now, earlier=False)
        time = self.periods.earlier_time(names)
        if time is not None:
            self.extra.append(time)
            answer = spoil(self._answer(time, now))
            windows = self.periods.apply(names, answer, now, earlier=True)
        return windows

    def _answer(self, asked, now):
        return [row for plant in self.plants for row in plant.rows(self.kind, asked, now)]


def starts(windows):
    return tuple(row and row.start for row in (windows.current, windows.previous))


def is_over(row):
    return row.reading.values["over"]


def row(start, value=1.0, name="P"):
    return TimedReading(start, Reading(name, Values({} if value is None else {"over": value})))
