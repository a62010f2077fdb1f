"""Hands a target what it lacks of the archive; costs no call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf

from exporter.history.archive import Archive, Coverage, Pending
from exporter.history.plan import HistoryUnit, Span, calendar_of, previous_begin
from exporter.history.replay import Replay
from exporter.history.series import Target
from exporter.northbound.interfaces import INTERFACES, Content

MAX_UNITS = 200  # between two notes of what the target has


@dataclass
class Sender:
    """Sends what was answered of a time to one target, as far as it is wanted.

    `since_of` says how far back there can be anything of a plant or device.
    """

    archive: Archive
    replay: Replay
    target: Target
    span: Span
    is_wanted: Callable[[HistoryUnit], bool]
    since_of: Callable[[str], float]
    _covered: dict[str, Mapping[HistoryUnit, Coverage]] = field(default_factory=dict)

    def run(self) -> int:
        """Sends all that can be; returns how many samples that were.

        Raises:
            TargetError: The target does not take them.
            ArchiveError: The archive cannot be used.
        """
        samples, done = 0, []
        for pending in self.archive.pending(self.target.name, self.span.start, self.span.end):
            if not self._is_ready(pending):
                continue
            samples += self._send(pending)
            is_whole = self._has_previous(pending.unit)
            done.append(pending if is_whole else replace(pending, since=inf))
            if len(done) >= MAX_UNITS:
                self._note(done)
                done = []
        self._note(done)
        return samples

    def _note(self, done: list[Pending]) -> None:
        """Notes what the target has for good by now: killed between, it gets it twice."""
        self.target.flush()
        self.archive.sent(self.target.name, done)

    def _is_ready(self, pending: Pending) -> bool:
        """Whether it is wanted, and the unit before it is known or will never be."""
        unit = pending.unit
        if not self.is_wanted(unit):
            return False
        if self._has_previous(unit):
            return True
        begin = calendar_of(INTERFACES[unit.interface]).begin
        first = begin(max(self.span.start, self.since_of(unit.subject)))
        return unit.begin <= first and not pending.is_again

    def _has_previous(self, unit: HistoryUnit) -> bool:
        """Whether the unit before it was answered, or there is none."""
        interface = INTERFACES[unit.interface]
        if interface.content is Content.ALARMS:  # which say all by themselves
            return True
        before = previous_begin(calendar_of(interface), unit.begin)
        return before is None or replace(unit, begin=before) in self._coverage_of(unit.interface)

    def _coverage_of(self, interface: str) -> Mapping[HistoryUnit, Coverage]:
        if interface not in self._covered:
            self._covered[interface] = self.archive.covered(interface)
        return self._covered[interface]

    def _send(self, pending: Pending) -> int:
        unit = pending.unit
        before = previous_begin(calendar_of(INTERFACES[unit.interface]), unit.begin)
        earlier = () if before is None else self.archive.rows(replace(unit, begin=before))
        series = self.replay.series(pending, earlier, self.archive.rows(unit))
        self.target.write(series)
        return sum(len(each.samples) for each in series)
