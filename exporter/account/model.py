"""What one account knows: the only thing that changes, is stored, and is read by others.

Everything stands in sections, rows by name. A row that was changed is stored as a whole.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, assert_never

from exporter.account.alarm_windows import WindowCoverage
from exporter.account.alarms import PlantAlarmState
from exporter.account.batches import Batch
from exporter.account.codec import Amount, Codec, FutureTime, PastTime
from exporter.account.counters import Counters
from exporter.account.fleet import FleetState
from exporter.account.interface_schedule import InterfaceState
from exporter.account.learned_power import LearnedPower
from exporter.account.login import Login
from exporter.account.plant_pages import PlantListState
from exporter.account.quotas import MAX_CALL_DURATION, WithLog
from exporter.account.statistics import PeriodRow
from exporter.northbound.interfaces import INTERFACES, PLANT_DAYS, Content, Subject
from exporter.northbound.records import Alarm, Reading, Windows

Value = TypeVar("Value")
_ROUNDING = 1.0  # seconds, far more than is lost where a time is written and read


def _value_type(content: Content) -> Any:
    """What an answer leaves of one plant or device; None for lists, which become the fleet."""
    match content:
        case Content.READINGS | Content.ROWS | Content.UPGRADES | Content.CONFIGURATION:
            return Reading
        case Content.STATISTICS:
            return Windows
        case Content.ALARMS:
            return tuple[Alarm, ...]
        case Content.PLANTS | Content.DEVICES | Content.NOTHING:
            return None
        case missed:
            assert_never(missed)


VALUES: Mapping[Content, Any] = {
    content: kind for content in Content if (kind := _value_type(content)) is not None
}
LatestValue = Reading | Windows | tuple[Alarm, ...]
Held = TypeVar("Held", bound=LatestValue)


@dataclass(frozen=True, slots=True)
class LatestAnswer(Generic[Held]):
    """The newest answer about a plant or device.

    `at` is when its values were true, or else when they came, in seconds since the epoch; by the
    steady clock that is `read_at`.
    """

    at: float
    read_at: PastTime
    value: Held


@dataclass(slots=True)
class InterfaceResult:
    """What the last answers of an interface showed.

    The last success is in seconds since the epoch; `permitted` is None until an answer shows it.
    """

    last_success: float | None = None
    permitted: bool | None = None


@dataclass(slots=True)
class AlarmQuery:
    """Which alarms were asked for, and how much of a window the server answers."""

    filters: dict[str, str] = field(default_factory=dict)
    reach: WindowCoverage = field(default_factory=WindowCoverage)


@dataclass(frozen=True, slots=True)
class ForeignCall:
    """A call that a command makes beside the daemon; under way, it lasts as long as can be."""

    interface: str
    start: FutureTime
    lasted: float
    device_type: int | None = None
    under_way: bool = False

    @property
    def end(self) -> float:
        """The latest time at which it may arrive."""
        return self.start + min(max(self.lasted, 0.0), MAX_CALL_DURATION)

    def is_under_way(self, now: float) -> bool:
        """Whether a command is making it, unless it was killed over it.

        One from the future was made before the clock was put back.
        """
        return self.under_way and self.start <= now + _ROUNDING and now < self.end


@dataclass(frozen=True, slots=True)
class AcceptedValue:
    """A counter of a plant or device whose value, held back until now, an operator accepts."""

    subject: Subject
    name: str
    metric: str


@dataclass(frozen=True, slots=True)
class PhaseUnit:
    """In which unit a meter sends the powers of its phases, as its readings show.

    `unit` is empty until it is decided. The last `agreed` readings in a row spoke for `seen`; the
    newest that counted had this `total`, in watts, and this sum of `phases`, as sent. It is
    `doubted` while readings contradict what was taken for true, and none is decided anew.
    """

    unit: str = ""
    seen: str = ""
    agreed: int = 0
    total: float = 0.0
    phases: float = 0.0
    doubted: bool = False


class Section(dict[str, Value]):
    """Rows of one kind by name, perhaps of plants or devices; knows which of them were changed."""

    def __init__(self, kind: str, value: Any, subject: Subject = Subject.ACCOUNT) -> None:
        super().__init__()
        self.kind = kind
        self.subject = subject
        self.changed: set[str] = set()
        self._value = value

    @cached_property
    def codec(self) -> Codec[Value]:
        """Writes and reads the rows."""
        return Codec(self._value)

    def __setitem__(self, name: str, value: Value) -> None:
        self.changed.add(name)
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.changed.add(name)
        super().__delitem__(name)

    def change(self, name: str, make: Callable[[], Value]) -> Value:
        """A row that is about to be changed; it is made if there is none."""
        self.changed.add(name)
        return self.get_or_add(name, make)

    def restore(self, name: str, value: Value) -> None:
        """Sets a row as it was stored."""
        super().__setitem__(name, value)

    def drop(self, names: Collection[str]) -> None:
        """Drops these rows, as far as there are any."""
        for name in names:
            if name in self:
                del self[name]

    def get_or_add(self, name: str, make: Callable[[], Value]) -> Value:
        """A row, which is made if there is none."""
        if name not in self:
            self[name] = make()
        return self[name]


def _by_interface(kind: str, contents: Collection[Content], value: Any) -> dict[str, Section[Any]]:
    return {
        each.name: Section(f"{kind}/{each.name}", value(each.content), each.subject)
        for each in INTERFACES.values()
        if each.content in contents
    }


class AccountState:
    """All sections. What there is once of an account is the row without a name."""

    def __init__(self) -> None:
        self.logins: Section[Login] = Section("login", Annotated[Login, WithLog])
        self.interfaces: Section[InterfaceState] = Section(
            "interface", Annotated[InterfaceState, WithLog]
        )
        self.batches: Section[list[Batch]] = Section("batches", list[Batch])
        self.fleets: Section[FleetState] = Section("fleet", FleetState)
        self.plant_lists: Section[PlantListState] = Section("plant_list", PlantListState)
        self.first_shown: Section[float] = Section("first_shown", float)
        self.results: Section[InterfaceResult] = Section("result", InterfaceResult)
        self.foreign_calls: Section[ForeignCall] = Section("foreign_call", ForeignCall)
        self.accepted: Section[AcceptedValue] = Section("accepted", AcceptedValue)
        self.answers: dict[str, Section[LatestAnswer[LatestValue]]] = _by_interface(
            "answer",
            VALUES.keys(),
            lambda content: LatestAnswer[VALUES[content]],  # type: ignore[valid-type]  # a type that is a value
        )
        self.statistics: dict[str, Section[tuple[PeriodRow, ...]]] = _by_interface(
            "statistics", [Content.STATISTICS], lambda _: tuple[PeriodRow, ...]
        )
        self.alarm_queries: Section[AlarmQuery] = Section("alarm_query", AlarmQuery)
        self.alarms: Section[PlantAlarmState] = Section("alarms", PlantAlarmState, Subject.PLANTS)
        self.alarm_totals: Section[dict[str, float]] = Section(
            "alarm_totals", dict[str, Amount], Subject.PLANTS
        )
        self.upgrades: Section[tuple[str, str]] = Section(
            "upgrade", tuple[str, str], Subject.DEVICES
        )
        self.phase_units: Section[PhaseUnit] = Section("phase_unit", PhaseUnit, Subject.DEVICES)
        self.learned_power: Section[LearnedPower] = Section(
            "learned_power", LearnedPower, Subject.DEVICES
        )
        self.last_readings: dict[Subject, Section[float]] = {
            subject: Section(f"last_reading/{subject.value}", float, subject)
            for subject in (Subject.PLANTS, Subject.DEVICES)
        }
        self.counters: dict[Subject, Section[Counters]] = {
            subject: Section(f"counters/{subject.value}", Counters, subject)
            for subject in (Subject.PLANTS, Subject.DEVICES)
        }

    @property
    def sections(self) -> Iterator[Section[Any]]:
        """All of them."""
        for each in vars(self).values():
            yield from each.values() if not isinstance(each, Section) else (each,)

    @property
    def login(self) -> Login:
        """The session."""
        return self.logins.get_or_add("", Login)

    @property
    def fleet(self) -> FleetState:
        """The plants and devices."""
        return self.fleets.get_or_add("", FleetState)

    @property
    def plant_list(self) -> PlantListState:
        """How the plant list is asked for."""
        return self.plant_lists.get_or_add("", PlantListState)

    @property
    def alarm_query(self) -> AlarmQuery:
        """How alarms are asked for."""
        return self.alarm_queries.get_or_add("", AlarmQuery)

    def midnights(self) -> Collection[float]:
        """Midnights at the plants, as far as statistics tell, in seconds since the epoch."""
        days = self.statistics[PLANT_DAYS.name].values()
        return {each.row.start for rows in days for each in rows}

    def drop(self, subject: Subject, names: Collection[str]) -> None:
        """Drops all that is known of plants or devices that are gone."""
        for section in self.sections:
            if section.subject is subject:
                section.drop(names)

    def drop_unknown(self) -> None:
        """Drops what a previous run knew of plants and devices that are not in the fleet."""
        for section in self.sections:
            if section.subject is Subject.PLANTS:
                section.drop(section.keys() - self.fleet.plants.keys())
            elif section.subject is Subject.DEVICES:
                section.drop(section.keys() - self.fleet.devices.keys())

    def abandon(self, timeout: float) -> float:
        """Counts calls without an end as long as the process that makes them can take over them.

        Returns:
            Until when one may be under way; -inf if none is.
        """
        logs = (self.login.log, *(each.log for each in self.interfaces.values()))
        return max(log.abandon(timeout) for log in logs)

    def after_restart(self, now: float) -> None:
        """Goes on where a previous run ended, of which no call is under way any more."""
        self.login.after_restart(now)
        self.logins.changed.add("")
        self.interfaces.changed.update(self.interfaces)
        for interface in self.interfaces.values():
            interface.after_restart(now)
        for batches in self.batches.values():
            for batch in batches:
                batch.after_restart(now)

    def mark_times(self) -> None:
        """Has all rows stored anew by which calls are made: the wall clock was set."""
        for section in (self.logins, self.interfaces, self.batches, self.plant_lists):
            section.changed.update(section)
