"""One account's past: which parts are wanted, fetched and sent."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf

from exporter.account.alarm_windows import MAX_LOOKBACK
from exporter.account.fleet import Fleet
from exporter.account.probe import Probe
from exporter.account.quotas import Quota
from exporter.clock import Clock
from exporter.history.archive import Archive
from exporter.history.fetcher import FINAL_AFTER, Fetcher, HistorySource
from exporter.history.plan import MAX_UTC_OFFSET, HistoryUnit, Member, Span, calendar_of, pieces
from exporter.history.replay import Replay
from exporter.history.sender import Sender
from exporter.history.series import Target
from exporter.northbound.interfaces import DAY, INTERFACES, Content, Interface, Subject

YEARS = INTERFACES["getKpiStationYear"]


@dataclass(frozen=True, slots=True)
class HistorySelection:
    """What of the past is wanted: of these interfaces, plants and devices, in this time.

    Without a `start`, all that the plants' yearly statistics tell of. `alarms` are the language and
    the filters of alarms.
    """

    interfaces: Sequence[Interface]
    plants: Collection[str]
    devices: Collection[str]
    start: float | None
    end: float
    alarms: Mapping[str, str] = field(default_factory=dict)

    def contradiction(self, start: str) -> str | None:
        """What is wrong where its times include nothing; `start` names where that is set."""
        if self.start is None or self.start < self.end:
            return None
        end = datetime.fromtimestamp(self.end, UTC)
        return f"the past ends at {end:%Y-%m-%d %H:%M} UTC, and {start} is no earlier"


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far it is: calls made, left and given up, and about how many seconds the rest takes."""

    done: int
    left: int
    failed: int
    seconds: float


class UnknownStartError(Exception):
    """Nobody said how far back the past goes, and the management system does not, either."""


@dataclass
class Job:
    """Fetches and sends the past of one account.

    `quotas_of` says what history may use of an interface's allowance.
    """

    probe: Probe
    archive: Archive
    fleet: Fleet
    clock: Clock
    wanted: HistorySelection
    quotas_of: Callable[[Interface], tuple[Quota, ...]]
    report: Callable[[str], None]
    _fetcher: Fetcher = field(init=False)

    def __post_init__(self) -> None:
        self._fetcher = Fetcher(
            self.probe, self.archive, self.fleet, self.clock, self.wanted.alarms, self.report
        )

    # --- what is wanted ------------------------------------------------------------------------

    @property
    def sources(self) -> Sequence[HistorySource]:
        """The interfaces with what is left of each."""
        return self._fetcher.sources

    @property
    def progress(self) -> JobProgress:
        """How far it is."""
        left = [each for each in self.sources if each.is_open]
        return JobProgress(
            sum(each.done for each in self.sources),
            sum(len(each.left) for each in left),
            sum(each.failed for each in self.sources),
            max((each.seconds for each in left), default=0.0),
        )

    @property
    def shortfalls(self) -> Iterator[str]:
        """Why some of what is wanted does not come, in words."""
        if contradiction := self.wanted.contradiction("history.from"):
            yield contradiction
        for each in self.sources:
            if each.given_up:
                yield f"{each.interface.name}: given up: {each.given_up}"
            elif each.left and not each.quotas:
                yield f"{each.interface.name}: the daemon needs its whole allowance; set a share"
        if failed := self.progress.failed:
            yield f"calls failed: {failed}; the next run asks for only those"

    def first_years(self) -> Mapping[str, float]:
        """By plant code, about when the first year with any energy began; as far as is known."""
        found: dict[str, float] = {}
        for unit in self.archive.covered(YEARS.name):
            starts = [
                row.start for row in self.archive.rows(unit) if any(row.reading.values.values())
            ]
            if starts:
                found[unit.subject] = min(starts) + MAX_UTC_OFFSET
        return found

    def plan_years(self) -> bool:
        """Plans the call that tells how far back the past goes; returns whether it is needed."""
        if self.wanted.start is not None or self.first_years():
            return False
        span = Span(0.0, self.wanted.end)
        self._fetcher.sources = [self._source(YEARS, span, {})]
        return any(each.is_open for each in self.sources)

    def plan(self) -> None:
        """Plans all that is missing.

        Raises:
            UnknownStartError: It is not known how far back to go.
        """
        since = self.first_years()
        span = self.span(since)
        self._fetcher.sources = [self._source(each, span, since) for each in self.wanted.interfaces]

    def span(self, since: Mapping[str, float]) -> Span:
        """The time that is wanted, by the first years of plants.

        Raises:
            UnknownStartError: It is not known how far back to go.
        """
        start = self.wanted.start
        if start is None:
            known = [since[code] for code in self.wanted.plants if code in since]
            if not known:
                raise UnknownStartError
            start = min(known) - MAX_UTC_OFFSET
        return Span(start, self.wanted.end)

    def _source(
        self, interface: Interface, span: Span, since: Mapping[str, float]
    ) -> HistorySource:
        """An interface with the pieces of it that are missing.

        What lay ahead when a unit was answered is asked for again when a day has gone by.
        """
        covered = self.archive.covered(interface.name)
        settled = self.clock.time() - FINAL_AFTER[interface.content]
        longest = calendar_of(interface).longest

        def is_done(unit: HistoryUnit) -> bool:
            found = covered.get(unit)
            if found is None:
                return False
            end = min(unit.begin + longest + MAX_UTC_OFFSET, span.end, settled - DAY)
            return bool(found.refused) or found.until >= end

        start = span.start
        if interface.content is Content.ALARMS:
            start = max(start, self.clock.time() - MAX_LOOKBACK)
        wanted = Span(start, min(span.end, settled))
        missing = pieces(interface, self._members(interface, since), wanted, is_done)
        return HistorySource(interface, self.quotas_of(interface), deque(missing))

    def _members(self, interface: Interface, since: Mapping[str, float]) -> Iterable[Member]:
        if interface.subject is Subject.PLANTS:
            for code in self.wanted.plants:
                yield Member(code, None, since.get(code, -inf))
            return
        for name in self.wanted.devices:
            device = self.fleet.devices[name]
            if device.type_id in interface.device_types and (device.dn or not interface.by_dn):
                yield Member(name, device.type_id, since.get(device.plant_code, -inf))

    # --- what is done --------------------------------------------------------------------------

    def due(self) -> float:
        """The earliest time for the next call; inf when none is left."""
        return self._fetcher.due()

    def step(self) -> bool:
        """Makes one call and keeps its answer; returns whether any is left after it.

        Raises:
            NotNowError, NoSessionError: Nobody may call now.
        """
        return self._fetcher.step()

    def send(self, replay: Replay, target: Target) -> int:
        """Sends a target what it lacks of what is wanted; returns how many samples that were.

        Raises:
            TargetError: It does not take them.
        """
        since = self.first_years()
        devices = self.fleet.devices
        members = {
            Subject.PLANTS: frozenset(self.wanted.plants),
            Subject.DEVICES: frozenset(self.wanted.devices),
        }
        wanted = {each.name: members[each.subject] for each in self.wanted.interfaces}

        def is_wanted(unit: HistoryUnit) -> bool:
            return unit.subject in wanted.get(unit.interface, ())

        def since_of(name: str) -> float:
            device = devices.get(name)
            return since.get(device.plant_code if device else name, -inf)

        return Sender(self.archive, replay, target, self.span(since), is_wanted, since_of).run()
