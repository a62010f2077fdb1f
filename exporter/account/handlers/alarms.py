"""Alarms: which are wanted, and which window is asked about next."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.account.alarm_windows import MAX_LOOKBACK, Window
from exporter.account.alarms import AlarmTracker
from exporter.account.changes import Changes
from exporter.account.handlers.base import Handler, Outcome, Request, milliseconds
from exporter.account.interface_schedule import PlannedCall
from exporter.account.model import AccountState
from exporter.clock import Clock
from exporter.northbound.enums import ALARM_SEVERITIES, ALARM_TYPES
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, Interface
from exporter.northbound.records import Alarm, Parsed

LANGUAGE_REFUSALS = frozenset({"20024", "20025"})
# Some servers know both, most only one of them.
ENGLISH = ("en_US", "en_UK")


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms are wanted, and in which language; no severities or types: all of them."""

    language: str = ENGLISH[0]
    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class AlarmsHandler(Handler):
    """The newest window in every round, older ones in between."""

    def __init__(
        self,
        interface: Interface,
        state: AccountState,
        clock: Clock,
        alarm_filter: AlarmFilter,
        log: Any,
    ) -> None:
        super().__init__(interface, state, clock)
        self._log = log
        self._tracker = AlarmTracker(state.alarms, state.alarm_query.reach)
        self._languages = deque(dict.fromkeys((alarm_filter.language, *ENGLISH)))
        self._refused_languages = 0  # in a row
        self._misunderstood: set[object] = set()  # batches whose question is put again
        self._failures = 0  # of the older window that is next
        self._filters = {"levels": "", "types": "", **filters_of(alarm_filter)}
        if state.alarm_query.filters not in ({}, self._filters):
            self._tracker.count_anew()
        state.alarm_query.filters = self._filters
        self._older: Window | None = None  # the older window that is being asked about
        self._window = self._tracker.newest_window(clock.time())

    def request(self, planned: PlannedCall) -> Request:
        now = self._clock.time()
        # A question whose language was refused is put again.
        sweeps = planned.extra and planned.batch not in self._misunderstood
        self._older = self._next_older_window(planned.members, now) if sweeps else None
        self._window = self._tracker.newest_window(now)
        if self._older is not None:
            # It was planned hours ago, and the server has forgotten a part meanwhile.
            begin = max(self._older.begin, now - MAX_LOOKBACK)
            self._window = Window(begin, self._older.end)
        return self._interface.path, self._body(
            planned,
            beginTime=milliseconds(self._window.begin),
            endTime=milliseconds(self._window.end),
            language=self._languages[0],
            **{name: codes for name, codes in self._filters.items() if codes},
        )

    def _next_older_window(self, members: Collection[str], now: float) -> Window | None:
        """The next older window, without those that the server has forgotten since the plan."""
        window = self._tracker.older_window(members)
        while window is not None and window.end <= now - MAX_LOOKBACK:
            self._tracker.drop_window(members, window)
            window = self._tracker.older_window(members)
        return window

    def apply(self, planned: PlannedCall, parsed: Parsed[Alarm], changes: Changes) -> Outcome:
        members, now = planned.members, self._clock.time()
        self._refused_languages = 0
        self._misunderstood.discard(planned.batch)
        length = self._tracker.coverage.length
        if self._older is None:
            found = self._tracker.apply_recent(members, self._window, parsed.records, now)
        else:
            found = self._tracker.apply_older(members, self._window, parsed.records, now)
            self._tracker.drop_window(members, self._older)
            self._failures = 0
        self._state.alarm_queries.changed.add("")
        for code, each in found.items():
            self._count(code, each.new)
        self._store_values(changes, {c: each.active for c, each in found.items()})
        self._log_findings(length)
        more = self._older is None and self._tracker.older_window(members) is not None
        return Outcome(again=more)

    def _count(self, plant: str, new: Iterable[Alarm]) -> None:
        """Counts what was seen for the first time, by severity."""
        totals = self._state.alarm_totals.get(plant, {})
        for alarm in new:
            totals = {**totals, alarm.severity: totals.get(alarm.severity, 0.0) + 1}
        if totals != self._state.alarm_totals.get(plant):
            self._state.alarm_totals[plant] = totals

    def _log_findings(self, length_before: float) -> None:
        """Logs what an answer showed of the server itself."""
        if self._tracker.coverage.length < length_before:
            self._log.warning(
                "the server cuts alarm windows, asking about shorter ones",
                days=round(self._tracker.coverage.length / DAY),
            )
        for alarm in self._tracker.unstable():
            self._log.warning(
                "an alarm comes with another time in each answer, counting it no more",
                plant_code=alarm.plant_code,
                alarm_id=alarm.alarm_id,
                device_name=alarm.device_name,
            )

    def recover(self, planned: PlannedCall, error: CallError) -> Outcome | None:
        if error.reason in LANGUAGE_REFUSALS:
            return self._next_language(planned)
        if self._older is None or error.reaction is not Reaction.NEXT_TURN:
            return None
        # Whatever is wrong with an older window must not hold up the others.
        self._failures += 1
        if error.enveloped or self._failures > 1:
            self._tracker.drop_window(planned.members, self._older)
            self._failures = 0
        return Outcome()

    def _next_language(self, planned: PlannedCall) -> Outcome | None:
        self._languages.rotate(-1)
        self._refused_languages += 1
        if self._refused_languages >= len(self._languages):
            return None
        self._misunderstood.add(planned.batch)
        return Outcome(again=True)

    def retain_only(self, members: Collection[str]) -> None:  # noqa: ARG002  # alarms are the state's
        self._misunderstood.clear()


def filters_of(alarm_filter: AlarmFilter) -> Mapping[str, str]:
    """The parameters by which only these severities and types are asked for."""
    codes = {
        "levels": _codes(ALARM_SEVERITIES, alarm_filter.severities),
        "types": _codes(ALARM_TYPES, alarm_filter.types),
    }
    return {name: each for name, each in codes.items() if each}


def _codes(table: Mapping[int, str], names: Collection[str]) -> str:
    return ",".join(str(code) for code, name in table.items() if name in names)
