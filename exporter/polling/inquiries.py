"""How each kind of interface is asked, and what is made of its answers: one class a kind."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Protocol, assert_never

from exporter.northbound.codes import ALARM_SEVERITIES, ALARM_TYPES
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, Content, Interface
from exporter.northbound.records import Alarm, Parsed, Reading, TimedReading, Upgrade
from exporter.polling.alarm_windows import FARTHEST_BACK, Reach, Window
from exporter.polling.alarms import AlarmBook
from exporter.polling.eras import epoch_of
from exporter.polling.inventory import Inventory
from exporter.polling.lane import Lane, Turn
from exporter.polling.pages import Listed, PlantPages, missing_from
from exporter.polling.ports import Clock, Sink
from exporter.polling.statistics import Periods
from exporter.polling.tolerance import Gaps, build
from exporter.polling.walk import Walk

Request = tuple[str, Mapping[str, Any]]  # path and parameters
NOTHING_NEW: Mapping[tuple[str, str], Any] = {}

PLANT_LIST_FORM = "plant list form"  # the kind under which it is written down

EMPTY_LISTS = 3  # in a row, before they are believed

LANGUAGE_REFUSALS = frozenset({"20024", "20025"})
# Both are spoken by some servers, and only one of them by most.
ENGLISH = ("en_US", "en_UK")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means for its batch and for the fleet.

    `silent` are the members it brought nothing about; `again` asks the batch once more in this
    round; `refit` tells that the fleet may have changed. `missing` is how many items a list counts
    but did not give, None where it does not say how many.
    """

    silent: frozenset[str] = frozenset()
    again: bool = False
    refit: bool = False
    missing: int | None = 0


@dataclass(frozen=True, slots=True)
class AlarmTerms:
    """Which alarms are wanted, and in which language; no severities or types: all of them."""

    language: str = ENGLISH[0]
    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Inquiry(Protocol):
    """One interface of one account: what it is asked next, and what its answers mean."""

    def request(self, turn: Turn) -> Request:
        """Path and parameters of the next call."""
        ...

    def take(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        """Takes an answer in, and tells the sink."""
        ...

    def mends(self, turn: Turn, error: CallError) -> Outcome | None:
        """What a failure means where it is none: ask in another way, or do without."""
        ...

    def keep(self, members: Collection[str]) -> None:
        """Drops what it knows of all but these."""
        ...

    def changes(self) -> Mapping[tuple[str, str], Any]:
        """What of its knowledge changed since the last call, as plain data."""
        ...

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        """Takes up what an earlier life knew, as far as it is understood."""
        ...


class _Plain:
    """An inquiry that asks always alike and remembers nothing."""

    def __init__(self, interface: Interface, sink: Sink, clock: Clock) -> None:
        self._interface = interface
        self._sink = sink
        self._clock = clock

    def request(self, turn: Turn) -> Request:
        return self._interface.path, self._body(turn)

    def _body(self, turn: Turn, **more: object) -> Mapping[str, Any]:
        return {**self._interface.body(turn.batch.device_type, turn.group.members), **more}

    def mends(self, turn: Turn, error: CallError) -> Outcome | None:  # noqa: ARG002  # because most failures are no hints
        return None

    def keep(self, members: Collection[str]) -> None:
        pass

    def changes(self) -> Mapping[tuple[str, str], Any]:
        return NOTHING_NEW

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        pass


class _List(_Plain):
    """A list of the fleet."""

    def __init__(
        self, interface: Interface, sink: Sink, clock: Clock, inventory: Inventory, walk: Walk
    ) -> None:
        super().__init__(interface, sink, clock)
        self._inventory = inventory
        self._walk = walk
        self._log = walk.log.bind(interface=interface.name)
        self._missing: dict[tuple[str, ...], int | None] = {}  # by who was asked about

    def _tell_missing(self, turn: Turn, missing: int | None) -> None:
        """Says that a list is not whole, once until that changes."""
        members = turn.group.members
        if missing == self._missing.get(members, 0):
            return
        self._missing[members] = missing
        if missing == 0:
            del self._missing[members]
            self._log.info("the list is whole again")
            return
        self._log.warning(
            "the list gave fewer items than it counts; whatever it left out is kept",
            missing="unknown" if missing is None else missing,
        )


class _PlantList(_List):
    """The list of plants, whole or page by page."""

    def __init__(
        self, interface: Interface, sink: Sink, clock: Clock, inventory: Inventory, walk: Walk
    ) -> None:
        super().__init__(interface, sink, clock, inventory, walk)
        self._pages = PlantPages()
        self._empty = 0  # lists in a row, while nothing answered about the plants
        self._empty_since = inf
        self._was_empty = False
        self._lack = ""

    def request(self, turn: Turn) -> Request:  # noqa: ARG002  # because it is asked about nothing
        return self._pages.request(self._clock.now())

    def take(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        self._inventory.add_plants(parsed.records)
        listed = self._pages.take(parsed, self._clock.now())
        return Outcome(again=True, refit=True) if listed is None else self._end(turn, listed)

    def _end(self, turn: Turn, listed: Listed) -> Outcome:
        if listed.missing == 0:
            self._end_whole(listed.codes)
        self._tell_missing(turn, listed.missing)
        return Outcome(refit=True, missing=listed.missing)

    def _end_whole(self, codes: Collection[str]) -> None:
        silent = self._walk.is_silent()
        gone = self._inventory.end_plant_list(
            codes,
            self._walk.doubted(),
            silent=silent,
            believed=bool(codes) or self._is_withdrawn(silent=silent),
        )
        if codes:
            self._empty = 0
        self._tell_change(codes, gone)

    def _is_withdrawn(self, *, silent: bool) -> bool:
        """Whether an empty list is to be believed.

        Servers give one now and then. It is if several agree, over a round at least, while nothing
        answers about the plants either.
        """
        now, lane = self._clock.now(), self._walk.lanes[self._interface.name]
        self._empty = self._empty + 1 if silent else 0
        if self._empty == 1:
            self._empty_since = now
        lasted = now - self._empty_since >= max(lane.every, lane.pace)
        return self._empty >= EMPTY_LISTS and lasted

    def _tell_change(self, codes: Collection[str], gone: Collection[str]) -> None:
        left = len(self._inventory.plants)
        if gone:
            self._log.warning("plants are gone from the list", plants=len(gone), left=left)
        elif left and not codes and not self._was_empty:
            self._log.warning("the plant list came back empty; those known are kept", plants=left)
        self._was_empty = not codes
        if self._inventory.lack not in ("", self._lack):
            self._log.warning("there is nothing to export", reason=self._inventory.lack)
        self._lack = self._inventory.lack

    def mends(self, turn: Turn, error: CallError) -> Outcome | None:
        step = self._pages.refused(error, self._clock.now())
        if isinstance(step, Listed):
            return self._end(turn, step)
        return Outcome(again=True) if step else None

    def changes(self) -> Mapping[tuple[str, str], Any]:
        return {(PLANT_LIST_FORM, ""): self._pages.remember(epoch_of(self._clock))}

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        stored = read(PLANT_LIST_FORM).get("")
        if stored is not None:
            epoch, now = epoch_of(self._clock), self._clock.now()
            gaps.attempt(PLANT_LIST_FORM, self._pages.recall, stored, epoch, now)


class _DeviceList(_List):
    """The devices of plants."""

    def take(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        members, missing = turn.group.members, missing_from(parsed)
        self._inventory.take_devices(
            members, parsed.records, self._walk.doubted(), whole=missing == 0
        )
        self._tell_missing(turn, missing)
        return Outcome(refit=True, missing=missing)


class _Readings(_Plain):
    """Values as of now."""

    def take(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        self._sink.readings(self._interface, turn.group.members, parsed)
        return _heard(turn, (reading.subject for reading in parsed.records if reading.values))


class _Rows(_Plain):
    """The day so far in steps of five minutes, of which the newest row is wanted."""

    def __init__(self, interface: Interface, sink: Sink, clock: Clock, lane: Lane) -> None:
        super().__init__(interface, sink, clock)
        self._lane = lane

    def request(self, turn: Turn) -> Request:
        # Just after midnight the day has no row yet.
        day = _milliseconds(self._clock.time() - self._interface.late)
        return self._interface.path, self._body(turn, collectTime=day)

    def take(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        newest: dict[str, TimedReading] = {}
        oldest = self._clock.time() - self._lane.max_age
        for row in parsed.records:
            if row.reading.values and row.start >= oldest:
                known = newest.get(row.reading.subject, row)
                newest[row.reading.subject] = max(known, row, key=lambda each: each.start)
        readings: Parsed[Reading] = Parsed(tuple(row.reading for row in newest.values()))
        measured = {subject: row.start for subject, row in newest.items()}
        self._sink.readings(self._interface, turn.group.members, readings, measured)
        return _heard(turn, newest)


class _Statistics(_Plain):
    """The running period and the last full one."""

    def __init__(self, interface: Interface, sink: Sink, clock: Clock) -> None:
        super().__init__(interface, sink, clock)
        self._periods = Periods(interface.longest)

    def request(self, turn: Turn) -> Request:
        earlier = self._earlier(turn)
        time = self._clock.time() if earlier is None else earlier
        return self._interface.path, self._body(turn, collectTime=_milliseconds(time))

    def _earlier(self, turn: Turn) -> float | None:
        """Which earlier time an extra call is about, unless it is for members who are new."""
        members = turn.group.members
        extra = turn.extra and self._periods.knows(members)
        return self._periods.look_before(members) if extra else None

    def take(self, turn: Turn, parsed: Parsed[Any]) -> Outcome:
        members = turn.group.members
        earlier = self._earlier(turn) is not None
        windows = self._periods.take(members, parsed.records, self._clock.time(), earlier=earlier)
        self._sink.statistics(self._interface, windows)
        heard = {row.reading.subject for row in parsed.records if row.reading.values}
        if earlier:  # which not everybody needs to have
            heard |= {name for name, each in windows.items() if each.current or each.previous}
        more = self._periods.look_before(members) is not None
        return _heard(turn, heard, again=more)

    def mends(self, turn: Turn, error: CallError) -> Outcome | None:  # noqa: ARG002  # as above
        if self._earlier(turn) is None:
            # The call that repeats this one is about now as well.
            self._periods.want_nothing(turn.group.members)
        return None

    def keep(self, members: Collection[str]) -> None:
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


class _Alarms(_Plain):
    """The newest window in every round, older ones in between."""

    def __init__(
        self, interface: Interface, sink: Sink, clock: Clock, terms: AlarmTerms, log: Any
    ) -> None:
        super().__init__(interface, sink, clock)
        self._log = log
        self._book = AlarmBook()
        self._languages = deque(dict.fromkeys((terms.language, *ENGLISH)))
        self._refused_languages = 0  # in a row
        self._misunderstood: set[object] = set()  # batches whose question is put again
        self._failures = 0  # of the older window that is next
        self._filters = {
            "levels": _codes(ALARM_SEVERITIES, terms.severities),
            "types": _codes(ALARM_TYPES, terms.types),
        }
        self._planned: Window | None = None  # the older window that is being asked about
        self._window = self._book.newest_window(clock.time())

    def request(self, turn: Turn) -> Request:
        now = self._clock.time()
        # A question whose language was refused is put again.
        sweeps = turn.extra and turn.batch not in self._misunderstood
        self._planned = self._book.older_window(turn.group.members) if sweeps else None
        self._window = self._book.newest_window(now)
        if self._planned is not None:
            # It was planned hours ago, and the server forgets meanwhile.
            begin = max(self._planned.begin, now - FARTHEST_BACK)
            self._window = Window(begin, self._planned.end)
        return self._interface.path, self._body(
            turn,
            beginTime=_milliseconds(self._window.begin),
            endTime=_milliseconds(self._window.end),
            language=self._languages[0],
            **{name: codes for name, codes in self._filters.items() if codes},
        )

    def take(self, turn: Turn, parsed: Parsed[Alarm]) -> Outcome:
        members, now = turn.group.members, self._clock.time()
        self._refused_languages = 0
        self._misunderstood.discard(turn.batch)
        length = self._book.reach.length
        if self._planned is None:
            told = self._book.look(members, self._window, parsed.records, now)
        else:
            told = self._book.look_back(members, self._window, parsed.records, now)
            self._book.skip(members, self._planned)
            self._failures = 0
        self._sink.alarms(self._interface, told)
        self._tell(length)
        more = self._planned is None and self._book.older_window(members) is not None
        return Outcome(again=more)

    def _tell(self, length_before: float) -> None:
        """Logs what an answer told of the server itself."""
        if self._book.reach.length < length_before:
            self._log.warning(
                "the server cuts alarm windows, asking about shorter ones",
                days=round(self._book.reach.length / DAY),
            )
        for alarm in self._book.restless():
            self._log.warning(
                "an alarm comes with another time in each answer, counting it no more",
                plant_code=alarm.plant_code,
                alarm_id=alarm.alarm_id,
                device_name=alarm.device_name,
            )

    def mends(self, turn: Turn, error: CallError) -> Outcome | None:
        if error.reason in LANGUAGE_REFUSALS:
            return self._speak_otherwise(turn)
        if self._planned is None or error.reaction is not Reaction.NEXT_TURN:
            return None
        # Whatever is wrong with an older window must not hold up the others.
        self._failures += 1
        if error.enveloped or self._failures > 1:
            self._book.skip(turn.group.members, self._planned)
            self._failures = 0
        return Outcome()

    def _speak_otherwise(self, turn: Turn) -> Outcome | None:
        self._languages.rotate(-1)
        self._refused_languages += 1
        if self._refused_languages >= len(self._languages):
            return None
        self._misunderstood.add(turn.batch)
        return Outcome(again=True)

    def keep(self, members: Collection[str]) -> None:
        self._book.forget(members)
        self._misunderstood.clear()

    def changes(self) -> Mapping[tuple[str, str], Any]:
        changes = {("book", plant): known for plant, known in self._book.changes().items()}
        if not changes:
            return changes
        terms = {("book terms", ""): self._filters, ("book reach", ""): asdict(self._book.reach)}
        return {**changes, **terms}

    def recall(self, read: Callable[[str], Mapping[str, Any]], gaps: Gaps) -> None:
        for plant, known in read("book").items():
            gaps.attempt("book", self._book.recall, {plant: known})
        # Under other filters, what was there before would seem to be new.
        other = read("book terms").get("", self._filters) != self._filters
        self._book.recall({}, anew=other)
        if (reach := read("book reach").get("")) is not None:
            self._book.reach = gaps.attempt("book", build, Reach, reach) or self._book.reach


class _Upgrades(_Plain):
    """The last upgrade of each device."""

    def take(self, turn: Turn, parsed: Parsed[Upgrade]) -> Outcome:
        self._sink.upgrades(self._interface, turn.group.members, parsed)
        return Outcome()  # most devices were never upgraded


def _heard(turn: Turn, heard: Iterable[str], *, again: bool = False) -> Outcome:
    return Outcome(frozenset(turn.group.members).difference(heard), again=again)


def _milliseconds(time: float) -> int:
    return round(time * 1000)


def _codes(table: Mapping[int, str], names: Collection[str]) -> str:
    return ",".join(str(code) for code, name in table.items() if name in names)


def inquiries_of(
    walk: Walk, inventory: Inventory, sink: Sink, clock: Clock, alarms: AlarmTerms
) -> Mapping[str, Inquiry]:
    """The inquiry of each interface that is walked, by name."""
    made: dict[str, Inquiry] = {}
    for name, lane in walk.lanes.items():
        interface = lane.interface
        match interface.content:
            case Content.PLANTS:
                made[name] = _PlantList(interface, sink, clock, inventory, walk)
            case Content.DEVICES:
                made[name] = _DeviceList(interface, sink, clock, inventory, walk)
            case Content.ROWS:
                made[name] = _Rows(interface, sink, clock, lane)
            case Content.STATISTICS:
                made[name] = _Statistics(interface, sink, clock)
            case Content.ALARMS:
                made[name] = _Alarms(interface, sink, clock, alarms, walk.log)
            case Content.UPGRADES:
                made[name] = _Upgrades(interface, sink, clock)
            case Content.READINGS:
                made[name] = _Readings(interface, sink, clock)
            case Content.NOTHING:
                continue  # the login, which has no turns
            case missed:
                assert_never(missed)
    return made
