"""What plants and devices report: values as of now, five-minute rows, statistics, upgrades."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Parsed, Reading, TimedReading, Upgrade
from exporter.polling.handlers.base import DefaultHandler, Outcome, Request, heard_of, milliseconds
from exporter.polling.lane import Lane, Turn
from exporter.polling.ports import Clock, Sink
from exporter.polling.statistics import Periods
from exporter.polling.tolerance import Gaps


class ReadingsHandler(DefaultHandler):
    """Values as of now."""

    def apply(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        self._sink.readings(self._interface, turn.group.members, parsed)
        return heard_of(turn, (reading.subject for reading in parsed.records if reading.values))


class RowsHandler(DefaultHandler):
    """The day so far in steps of five minutes, of which the newest row is wanted."""

    def __init__(self, interface: Interface, sink: Sink, clock: Clock, lane: Lane) -> None:
        super().__init__(interface, sink, clock)
        self._lane = lane

    def request(self, turn: Turn) -> Request:
        # Just after midnight the day has no row yet.
        day = milliseconds(self._clock.time() - self._interface.late)
        return self._interface.path, self._body(turn, collectTime=day)

    def apply(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        newest: dict[str, TimedReading] = {}
        oldest = self._clock.time() - self._lane.max_age
        for row in parsed.records:
            if row.reading.values and row.start >= oldest:
                known = newest.get(row.reading.subject, row)
                newest[row.reading.subject] = max(known, row, key=lambda each: each.start)
        readings: Parsed[Reading] = Parsed(tuple(row.reading for row in newest.values()))
        measured = {subject: row.start for subject, row in newest.items()}
        self._sink.readings(self._interface, turn.group.members, readings, measured)
        return heard_of(turn, newest)


class StatisticsHandler(DefaultHandler):
    """The running period and the last full one."""

    def __init__(self, interface: Interface, sink: Sink, clock: Clock) -> None:
        super().__init__(interface, sink, clock)
        self._periods = Periods(interface.longest)

    def request(self, turn: Turn) -> Request:
        earlier = self._earlier(turn)
        time = self._clock.time() if earlier is None else earlier
        return self._interface.path, self._body(turn, collectTime=milliseconds(time))

    def _earlier(self, turn: Turn) -> float | None:
        """Which earlier time an extra call is about, unless it is for members who are new."""
        members = turn.group.members
        extra = turn.extra and self._periods.knows(members)
        return self._periods.look_before(members) if extra else None

    def apply(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        members = turn.group.members
        earlier = self._earlier(turn) is not None
        windows = self._periods.take(members, parsed.records, self._clock.time(), earlier=earlier)
        self._sink.statistics(self._interface, windows)
        heard = {row.reading.subject for row in parsed.records if row.reading.values}
        if earlier:  # which not everybody needs to have
            heard |= {name for name, each in windows.items() if each.current or each.previous}
        more = self._periods.look_before(members) is not None
        return heard_of(turn, heard, again=more)

    def recover(self, turn: Turn, error: CallError) -> Outcome | None:  # noqa: ARG002  # as above
        if self._earlier(turn) is None:
            # The call that repeats this one is about now as well.
            self._periods.want_nothing(turn.group.members)
        return None

    def retain_only(self, members: Collection[str]) -> None:
        self._periods.forget(members)

    def changes(self) -> Mapping[tuple[str, str], Any]:
        changes = self._periods.changes()
        return {(self._kind, subject): rows for subject, rows in changes.items()}

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        for subject, rows in read(self._kind).items():
            gaps.attempt(self._kind, self._periods.recall, {subject: rows})

    @property
    def _kind(self) -> str:
        return f"periods/{self._interface.name}"


class UpgradesHandler(DefaultHandler):
    """The last upgrade of each device."""

    def apply(self, turn: Turn, parsed: Parsed[Upgrade]) -> Outcome:
        self._sink.upgrades(self._interface, turn.group.members, parsed)
        return Outcome()  # most devices were never upgraded
