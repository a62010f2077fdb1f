"""Which row of a statistics answer is which period: the running one, the one just before it.

The server reckons in each plant's own time zone, and every row carries its own start. So this
needs no time zone, only how long a period may last: clocks that are put back or forward make days,
months and years an hour longer or shorter.
"""

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from math import inf

from exporter.northbound.interfaces import CLOCK_CHANGE, DAY, HOUR, local_days
from exporter.northbound.records import TimedReading, Windows

# Some servers mark a local day with midnight UTC, which may lie ahead by as much.
MAX_ZONE_OFFSET = 14 * HOUR
_SHORTEST_DAYS = {31: 28, 366: 365}  # of a month and of a year


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A row of statistics, and when it was read, in seconds since the epoch."""

    row: TimedReading
    read_at: float


@dataclass(frozen=True, slots=True)
class _Length:
    """How many seconds a period may last, and may lie between the starts of it and of the next.

    `two` is how long two of them may last in a row: clocks are not put back in both.
    """

    longest: float
    least_apart: float
    most_apart: float
    two: float

    @classmethod
    def of(cls, longest: float) -> "_Length":
        """By the longest period in seconds, whether or not it takes a change of clocks in."""
        days = int(longest // DAY)
        if not days:
            # An hour stays one, but may begin half an hour off where clocks change by as much.
            slack = CLOCK_CHANGE / 2
            return cls(longest, longest - slack, longest + slack, 2 * longest)
        longest = local_days(days)
        shortest = _SHORTEST_DAYS.get(days, days) * DAY - CLOCK_CHANGE
        return cls(longest, shortest, longest, local_days(2 * days))


class Periods:
    """The rows last seen of each subject of one interface. Pure: every time is an argument.

    `longest` is how many seconds a period may last; a change of clocks within it may be left out.
    `rows` are those of a previous run. All times are seconds since the epoch.
    """

    def __init__(
        self, longest: float, rows: MutableMapping[str, tuple[PeriodRow, ...]] | None = None
    ) -> None:
        self._length = _Length.of(longest)
        self._rows = {} if rows is None else rows
        self._looked_before: dict[str, float] = {}  # which start was looked for, or before
        self._wanted: dict[str, tuple[float, float]] = {}

    def apply(
        self, asked: Collection[str], rows: Iterable[TimedReading], now: float, *, earlier: bool
    ) -> Mapping[str, Windows]:
        """Applies an answer; returns what is known of each subject that was asked about.

        `earlier` tells that the answer is to a question about an earlier time: it says nothing
        about what is newer.
        """
        answered: dict[str, dict[float, PeriodRow]] = {subject: {} for subject in asked}
        for row in rows:
            if row.reading.subject in answered and row.start <= now + MAX_ZONE_OFFSET:
                answered[row.reading.subject][row.start] = PeriodRow(row, now)
        windows: dict[str, Windows] = {}
        for subject, new in answered.items():
            known = self._merge(subject, new, now, earlier=earlier)
            found = self._windows(known, now)
            windows[subject] = found if new or earlier else self._without_running(known, now)
            if not earlier:
                self._note_earlier_time(subject, new, found, known, now)
            elif subject in self._wanted:
                self._looked_before[subject], _ = self._wanted.pop(subject)
            self._store_rows(subject, found, known)
        return windows

    def knows(self, asked: Collection[str]) -> bool:
        """Whether each of them was asked about before."""
        return all(subject in self._rows for subject in asked)

    def earlier_time(self, asked: Collection[str]) -> float | None:
        """The time to ask about once more, for those whose last full period is not known."""
        times = (self._wanted[subject][1] for subject in asked if subject in self._wanted)
        return min(times, default=None)

    def drop_earlier_times(self, asked: Collection[str]) -> None:
        """Leaves it to the next answer what is to be asked about once more."""
        for subject in asked:
            self._wanted.pop(subject, None)

    def may_be_over(self, start: float, now: float) -> bool:
        """Whether a period of this start may have ended, or may not: its length is not known."""
        return start + self._length.least_apart <= now < start + self._length.longest

    def _merge(
        self, subject: str, new: Mapping[float, PeriodRow], now: float, *, earlier: bool
    ) -> dict[float, PeriodRow]:
        """The rows with values: the answer's, and older ones that it does not speak about.

        Rows that begin closer together than periods do are about the same one: the answer's stands,
        and of two in one answer the later.
        """
        oldest = min(new, default=now + MAX_ZONE_OFFSET)
        newest = max(new, default=oldest) if earlier else now + MAX_ZONE_OFFSET
        with_values = {start: row for start, row in new.items() if row.row.reading.values}
        kept = {
            start: row
            for start, row in self._known_rows(subject).items()
            if not oldest <= start <= newest and start <= now + MAX_ZONE_OFFSET
        }
        length = self._length
        recent = now - length.longest - length.most_apart
        merged: dict[float, PeriodRow] = {}
        for rows in (with_values, kept):
            for start in sorted((each for each in rows if each > recent), reverse=True):
                if all(abs(start - other) >= length.least_apart for other in merged):
                    merged[start] = rows[start]
        return merged

    def _windows(self, known: Mapping[float, PeriodRow], now: float) -> Windows:
        if not known or now >= max(known) + self._length.longest:
            return self._without_running(known, now)
        newest = max(known)
        before = max((start for start in known if start < newest), default=-inf)
        follows = newest - before <= self._length.most_apart
        return Windows(known[newest].row, known[before].row if follows else None)

    def _without_running(self, known: Mapping[float, PeriodRow], now: float) -> Windows:
        """What is left without a row of the running period: the one before, if it has a row."""
        length = self._length
        over = [start for start in known if start + length.longest <= now < start + length.two]
        return Windows(None, known[max(over)].row if over else None)

    def _note_earlier_time(
        self,
        subject: str,
        new: Mapping[float, PeriodRow],
        found: Windows,
        known: Mapping[float, PeriodRow],
        now: float,
    ) -> None:
        """Notes which time to ask about for the last full period, once for each such gap.

        A kept row that was last read before this answer begins may not be the full one. Where there
        is none, the answer may begin after it; if it does not, that period has no values.
        """
        self._wanted.pop(subject, None)
        length, gap = self._length, None
        if found.previous is not None:
            start = found.previous.start
            full = known[start].read_at >= min(new, default=start + length.longest)
            gap = None if full else (start, start)
        elif new:
            running = found.current.start if found.current else now
            begins_after = min(new) > running - length.least_apart
            gap = (min(new), min(new) - 0.001) if begins_after else None
        if gap is not None and self._looked_before.get(subject) != gap[0]:
            self._wanted[subject] = gap

    def _store_rows(self, subject: str, found: Windows, known: Mapping[float, PeriodRow]) -> None:
        kept = tuple(known[row.start] for row in (found.current, found.previous) if row)
        if kept != self._rows.get(subject):
            self._rows[subject] = kept

    def _known_rows(self, subject: str) -> Mapping[float, PeriodRow]:
        return {each.row.start: each for each in self._rows.get(subject, ())}

    def retain_only(self, subjects: Collection[str]) -> None:
        """Drops the questions about all but these."""
        for questions in (self._looked_before, self._wanted):
            for subject in questions.keys() - subjects:
                questions.pop(subject)
