"""What the past consists of, and how it is asked for. Pure: times are seconds since the epoch.

A unit is what is asked about one plant or device at least: the hours of a day, the days of a month,
the months of a year, all years, the 5-minute rows of a day, the alarms of a week. A piece is what
one call is about: units of several plants or devices, and of several days where an interface takes
them.

Units go by the calendar of UTC; servers reckon in the zone of each plant. For each unit a moment is
named that lies in it in every zone.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from math import inf

from exporter.account.alarm_windows import WEEK
from exporter.northbound.interfaces import DAY, HOUR, Content, Interface

# By which a day may begin elsewhere before it does in UTC, or end after it.
MAX_UTC_OFFSET = 14 * HOUR


@dataclass(frozen=True, slots=True)
class Calendar:
    """How time is cut into units.

    `begin` gives the begin of the unit that a time lies in. A moment `inside` a unit, so many
    seconds after its begin, lies in it in every zone. `step` is how many seconds lie between two
    samples of statistics: panels look for those of hours at every half hour, of days at every third
    hour, of months and years at every sixth. `lead` is so many seconds that from so long before a
    unit's begin until so long before its end, it and the unit before it together tell all in every
    zone: in the east, days begin earlier.
    """

    begin: Callable[[float], float]
    longest: float
    inside: float = 0.0
    step: float = 0.0
    lead: float = 0.0


def _day(time: float) -> float:
    return time // DAY * DAY


def _month(time: float) -> float:
    return _first_of_month(time, month=None)


def _year(time: float) -> float:
    return _first_of_month(time, month=1)


def _first_of_month(time: float, month: int | None) -> float:
    there = datetime.fromtimestamp(time, UTC)
    return datetime(there.year, month or there.month, 1, tzinfo=UTC).timestamp()


# Ten o'clock: no zone whose clocks are put forward and back has its midnight near.
_MORNING = 10 * HOUR
_DAYS = Calendar(_day, DAY)
_LOCAL_DAYS = Calendar(_day, DAY, _MORNING, step=HOUR / 2, lead=DAY - _MORNING - HOUR)
# Some servers cut longer windows of alarms to that.
_WEEKS = Calendar(lambda time: time // WEEK * WEEK, WEEK)
# By the days of a period of statistics.
_OF_STATISTICS: Mapping[int, Calendar] = {
    0: _LOCAL_DAYS,
    1: Calendar(_month, 31 * DAY, 14 * DAY, step=3 * HOUR),
    31: Calendar(_year, 366 * DAY, 180 * DAY, step=6 * HOUR),
    366: Calendar(lambda _: 0.0, inf, step=6 * HOUR),
}


def calendar_of(interface: Interface) -> Calendar:
    """How an interface's past is cut into units."""
    if interface.content is Content.ALARMS:
        return _WEEKS
    if interface.content is Content.STATISTICS:
        return _OF_STATISTICS[int(interface.period_seconds // DAY)]
    return _DAYS if interface.window else _LOCAL_DAYS


@dataclass(frozen=True, slots=True, order=True)
class HistoryUnit:
    """What is asked about one plant or device at least; `begin` is that of its time."""

    begin: float
    interface: str
    subject: str


def next_begin(calendar: Calendar, begin: float) -> float:
    """When the unit after this one begins; inf if there is none."""
    if calendar.longest == inf:
        return inf
    return calendar.begin(begin + calendar.longest + (0 if calendar.longest == DAY else DAY))


def begins(calendar: Calendar, start: float, end: float) -> Iterator[float]:
    """The begins of all units of a time, the earliest first."""
    begin = calendar.begin(start)
    while begin < end:
        yield begin
        begin = next_begin(calendar, begin)


def previous_begin(calendar: Calendar, begin: float) -> float | None:
    """When the unit before this one begins; None if there is none."""
    return None if calendar.longest == inf else calendar.begin(begin - 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one call is about: these plants or devices, from the begin of a unit to an end.

    `tries` are how often it has failed.
    """

    interface: Interface
    device_type: int | None
    members: tuple[str, ...]
    begin: float
    end: float
    tries: int = 0

    @property
    def units(self) -> Iterator[HistoryUnit]:
        """Its units."""
        calendar = calendar_of(self.interface)
        for begin in begins(calendar, self.begin, self.end):
            for member in self.members:
                yield HistoryUnit(begin, self.interface.name, member)

    def halves(self) -> tuple["Piece", ...]:
        """Two pieces with half of it each, by members or by days; none if it cannot be halved."""
        if len(self.members) > 1:
            middle = len(self.members) // 2
            parts = self.members[:middle], self.members[middle:]
            return tuple(replace(self, members=part) for part in parts)
        return self.shorter()

    def shorter(self) -> tuple["Piece", ...]:
        """Pieces of one unit's time each; none if it is no longer."""
        times = list(begins(calendar_of(self.interface), self.begin, self.end))
        if len(times) == 1 or self.end == inf:
            return ()
        return tuple(
            replace(self, begin=begin, end=next_begin(calendar_of(self.interface), begin))
            for begin in reversed(times)
        )


@dataclass(frozen=True, slots=True)
class Member:
    """A plant or device that is asked about, as far back as there can be anything of it."""

    name: str
    device_type: int | None = None
    since: float = -inf


@dataclass(frozen=True, slots=True)
class Span:
    """A time that is wanted."""

    start: float
    end: float


def pieces(
    interface: Interface,
    members: Iterable[Member],
    span: Span,
    is_done: Callable[[HistoryUnit], bool],
) -> Iterator[Piece]:
    """The calls that are wanted and not done, the latest first.

    Members of one type share a call, as far as the same is missing of them.
    """
    calendar = calendar_of(interface)
    by_type = groupby(sorted(members, key=_type_and_name), key=lambda each: each.device_type)
    groups = [(device_type, list(group)) for device_type, group in by_type]
    found: list[Piece] = []
    for begin in begins(calendar, span.start, span.end + calendar.lead):
        end = next_begin(calendar, begin)
        for device_type, group in groups:
            missing = tuple(
                each.name
                for each in group
                if each.since < end and not is_done(HistoryUnit(begin, interface.name, each.name))
            )
            for first in range(0, len(missing), interface.batch):
                part = missing[first : first + interface.batch]
                found.append(Piece(interface, device_type, part, begin, end))
    found.reverse()
    return _joined(found, interface.max_days)


def _type_and_name(member: Member) -> tuple[int, str]:
    return member.device_type or 0, member.name


def _joined(latest_first: Collection[Piece], max_days: int) -> Iterator[Piece]:
    """Joins pieces about the same members whose days follow each other."""
    if max_days == 1:
        yield from latest_first
        return
    later: dict[tuple[str, ...], Piece] = {}
    for piece in latest_first:
        known = later.get(piece.members)
        if known is None:
            later[piece.members] = piece
        elif piece.end == known.begin and known.end - piece.begin <= max_days * DAY:
            later[piece.members] = replace(known, begin=piece.begin)
        else:
            later[piece.members] = piece
            yield known
    yield from later.values()


def moment_of(piece: Piece, now: float) -> float:
    """A moment in a unit, by which it is asked for."""
    calendar = calendar_of(piece.interface)
    return now if calendar.longest == inf else min(piece.begin + calendar.inside, now)
