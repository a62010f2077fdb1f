"""What plants and devices report: values as of now, five-minute rows, statistics, settings."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from exporter.account.alarm_windows import MAX_CLOCK_LEAD
from exporter.account.changes import Changes
from exporter.account.fleet import Fleet
from exporter.account.handlers.base import (
    Handler,
    Outcome,
    Request,
    milliseconds,
    outcome_of,
)
from exporter.account.interface_schedule import InterfaceSchedule, PlannedCall
from exporter.account.model import AccountState
from exporter.account.statistics import Periods
from exporter.clock import Clock
from exporter.northbound.errors import CallError
from exporter.northbound.interfaces import Interface
from exporter.northbound.records import Parsed, Reading, TimedReading, Upgrade, Values


def _by_name(asked: Collection[str], readings: Iterable[Reading]) -> dict[str, Reading]:
    """The reading of each that was asked about: an empty one of those left out."""
    found = {reading.subject: reading for reading in readings}
    return {name: found.get(name) or Reading(name, Values({})) for name in asked}


class ReadingsHandler(Handler):
    """Values as of now."""

    def apply(self, planned: PlannedCall, parsed: Parsed[Reading], changes: Changes) -> Outcome:
        values = _by_name(planned.members, parsed.records)
        self._store_values(changes, values)
        return outcome_of(
            planned, (reading.subject for reading in parsed.records if reading.values)
        )


class RowsHandler(Handler):
    """The day so far, or a while, in steps of five minutes, of which the newest row is wanted."""

    def __init__(
        self, interface: Interface, state: AccountState, clock: Clock, schedule: InterfaceSchedule
    ) -> None:
        super().__init__(interface, state, clock)
        self._schedule = schedule

    def request(self, planned: PlannedCall) -> Request:
        return self._interface.path, self._body(planned, **self._requested_span(self._clock.time()))

    def _requested_span(self, now: float) -> Mapping[str, int]:
        window = self._interface.window
        if window:
            return {"startTime": milliseconds(now - window), "endTime": milliseconds(now)}
        # Just after midnight the day has no row yet.
        return {"collectTime": milliseconds(now - self._interface.lag)}

    def apply(
        self, planned: PlannedCall, parsed: Parsed[TimedReading], changes: Changes
    ) -> Outcome:
        newest: dict[str, TimedReading] = {}
        now = self._clock.time()
        oldest, latest = now - self._schedule.max_age, now + MAX_CLOCK_LEAD
        for row in parsed.records:
            if row.reading.values and oldest <= row.start <= latest:
                known = newest.get(row.reading.subject, row)
                newest[row.reading.subject] = max(known, row, key=lambda each: each.start)
        values = _by_name(planned.members, (row.reading for row in newest.values()))
        measured = {subject: row.start for subject, row in newest.items()}
        self._store_values(changes, values, measured)
        return outcome_of(planned, newest)


class HistoryHandler(RowsHandler):
    """The same of one device, by its DN."""

    def __init__(  # noqa: PLR0913  # what rows need, and where the DNs are
        self,
        interface: Interface,
        state: AccountState,
        clock: Clock,
        schedule: InterfaceSchedule,
        *,
        fleet: Fleet,
        log: Any,
    ) -> None:
        super().__init__(interface, state, clock, schedule)
        self._fleet = fleet
        self._log = log
        self._nameless = 0

    def asked(self, planned: PlannedCall) -> Collection[str]:
        return {self._fleet.devices[name].dn: name for name in planned.members}

    def _body(self, planned: PlannedCall, **more: object) -> Mapping[str, Any]:
        (dn,) = self.asked(planned)
        return {"devDn": dn, "devTypeId": planned.batch.device_type, **more}

    def retain_only(self, members: Collection[str]) -> None:  # noqa: ARG002  # the fleet knows the others
        nameless = len(self._fleet.nameless(self._interface.device_types))
        if nameless != self._nameless:
            self._nameless = nameless
            self._log.warning(
                "the list gives devices no DN, by which they are asked",
                interface=self._interface.name,
                devices=nameless,
            )


class StatisticsHandler(Handler):
    """The running period and the last full one."""

    def __init__(self, interface: Interface, state: AccountState, clock: Clock) -> None:
        super().__init__(interface, state, clock)
        self._periods = Periods(interface.period_seconds, state.statistics[interface.name])

    def request(self, planned: PlannedCall) -> Request:
        earlier = self._earlier_time(planned)
        time = self._clock.time() if earlier is None else earlier
        return self._interface.path, self._body(planned, collectTime=milliseconds(time))

    def _earlier_time(self, planned: PlannedCall) -> float | None:
        """Which earlier time an extra call is about, unless it is for members who are new."""
        members = planned.members
        extra = planned.extra and self._periods.knows(members)
        return self._periods.earlier_time(members) if extra else None

    def apply(
        self, planned: PlannedCall, parsed: Parsed[TimedReading], changes: Changes
    ) -> Outcome:
        members = planned.members
        earlier = self._earlier_time(planned) is not None
        windows = self._periods.apply(members, parsed.records, self._clock.time(), earlier=earlier)
        self._store_values(changes, windows)
        answered = {row.reading.subject for row in parsed.records if row.reading.values}
        if earlier:  # which not everybody needs to have
            answered |= {name for name, each in windows.items() if each.current or each.previous}
        more = self._periods.earlier_time(members) is not None
        return outcome_of(planned, answered, again=more)

    def recover(self, planned: PlannedCall, error: CallError) -> Outcome | None:  # noqa: ARG002  # as above
        if self._earlier_time(planned) is None:
            # The call that repeats this one is about now as well.
            self._periods.drop_earlier_times(planned.members)
        return None

    def retain_only(self, members: Collection[str]) -> None:
        self._periods.retain_only(members)


class ConfigurationHandler(Handler):
    """How a plant is configured; one plant a call."""

    def _body(self, planned: PlannedCall, **more: object) -> Mapping[str, Any]:
        (code,) = planned.members
        return {"plantCode": code, **more}

    def apply(self, planned: PlannedCall, parsed: Parsed[Reading], changes: Changes) -> Outcome:
        self._store_values(changes, _by_name(planned.members, parsed.records))
        return Outcome()  # many plants have no such setting


class UpgradesHandler(Handler):
    """The last upgrade of each device."""

    def apply(self, planned: PlannedCall, parsed: Parsed[Upgrade], changes: Changes) -> Outcome:
        values = _by_name(planned.members, (each.reading for each in parsed.records))
        for each in parsed.records:
            self._state.upgrades[each.reading.subject] = (each.source_version, each.target_version)
        self._store_values(changes, values)
        return Outcome()  # most devices were never upgraded
