"""Fetches what is missing of an account's past, call by call, within what history may use."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from exporter.account.alarm_windows import MAX_LOOKBACK
from exporter.account.fleet import Fleet
from exporter.account.handlers.alarms import ENGLISH, LANGUAGE_REFUSALS
from exporter.account.handlers.base import milliseconds
from exporter.account.probe import Probe
from exporter.account.quotas import Backoff, Quota, pace
from exporter.clock import Clock, offset_of
from exporter.history.archive import Answer, Archive
from exporter.history.budget import seconds_for
from exporter.history.plan import HistoryUnit, Piece, calendar_of, moment_of
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, HOUR, MINUTE, Content, Interface
from exporter.northbound.records import Alarm, Parsed, TimedReading

# Until the newest rows are final: the day's are reckoned hours after it.
FINAL_AFTER: Mapping[Content, float] = {
    Content.STATISTICS: 6 * HOUR,
    Content.ROWS: HOUR,
    Content.ALARMS: 6 * HOUR,
}
MAX_TRIES = 3  # of a piece in a run
TOO_OLD = "20026"  # the server keeps nothing of that time
# What a failure says of the account, and not of what was asked.
_OF_THE_ACCOUNT = (
    *(Reaction.BACK_OFF, Reaction.PAUSE, Reaction.NEXT_DAY),
    *(Reaction.LOG_IN, Reaction.REFUSE_CREDENTIALS),
)
_TOO_LONG = frozenset({"20027", "30032"})  # of fewer days it would tell


@dataclass(slots=True)
class HistorySource:
    """An interface whose past is wanted: its pieces, and what history may use of its allowance.

    It is given up with the reason for that.
    """

    interface: Interface
    quotas: tuple[Quota, ...]
    left: deque[Piece] = field(default_factory=deque)
    done: int = 0
    failed: int = 0
    given_up: str = ""
    backoff: Backoff = field(default_factory=Backoff)

    @property
    def is_open(self) -> bool:
        """Whether there is anything left that may be asked."""
        return bool(self.left) and bool(self.quotas) and not self.given_up

    @property
    def seconds(self) -> float:
        """About how long the rest takes."""
        return seconds_for(len(self.left), self.quotas)


@dataclass
class Fetcher:
    """Makes the calls of several sources, one after the other, and keeps their answers.

    `fleet` knows the names of devices; `alarms` are the language and the filters of questions about
    alarms. `report` is told, in words, how far it is.
    """

    probe: Probe
    archive: Archive
    fleet: Fleet
    clock: Clock
    alarms: Mapping[str, str]
    report: Callable[[str], None]
    sources: Sequence[HistorySource] = ()
    _refused_languages: int = 0  # in a row

    def __post_init__(self) -> None:
        first = self.alarms.get("language", ENGLISH[0])
        self._languages = deque(dict.fromkeys((first, *ENGLISH)))

    # --- what comes next -----------------------------------------------------------------------

    def due(self) -> float:
        """The earliest time for the next call; inf when nothing is left."""
        return min((self._due(each) for each in self.sources), default=inf)

    def _due(self, source: HistorySource) -> float:
        if not source.is_open:
            return inf
        interface, kind = source.interface, source.left[0].device_type
        own = self.archive.calls(interface.name, offset_of(self.clock))
        return max(
            source.backoff.until,
            own.earliest(source.quotas, kind, burst=True),
            self.probe.due(interface, kind),
        )

    def step(self) -> bool:
        """Makes the call that is due first; returns whether anything is left after it."""
        open_sources = [each for each in self.sources if each.is_open]
        if open_sources:
            self._fetch(min(open_sources, key=self._due))
        return any(each.is_open for each in self.sources)

    # --- one call ------------------------------------------------------------------------------

    def _fetch(self, source: HistorySource) -> None:
        piece = source.left.popleft()
        try:
            rows = self._ask(piece)
        except CallError as error:
            self._failed(source, piece, error)
            return
        except BaseException:
            source.left.appendleft(piece)  # it was not asked, or nobody heard the answer
            raise
        self._store_answer(piece, rows)
        source.done += 1
        self._refused_languages = 0
        source.backoff.succeeded()

    def _ask(self, piece: Piece) -> tuple[Any, ...]:
        start = self.clock.time()
        asked = self._names(piece)
        body = self._body(piece, asked)

        def call() -> Any:
            try:
                data = self.probe.call(piece.interface, body, device_type=piece.device_type)
            except CallError:
                self._note(piece, start)
                raise
            self._note(piece, start)
            return data

        parsed: Parsed[Any] = piece.interface.answer(call, asked)
        return parsed.records

    def _note(self, piece: Piece, start: float) -> None:
        name = piece.interface.name
        self.archive.note_call(name, piece.device_type, start, self.clock.time())

    def _names(self, piece: Piece) -> Any:
        """The members, as answers have them."""
        if not piece.interface.by_dn:
            return piece.members
        return {self.fleet.devices[name].dn: name for name in piece.members}

    def _body(self, piece: Piece, asked: Any) -> Mapping[str, Any]:
        interface = piece.interface
        if interface.by_dn:
            named: Mapping[str, Any] = {"devDn": next(iter(asked)), "devTypeId": piece.device_type}
        else:
            named = interface.body(piece.device_type, piece.members)
        if interface.content is Content.ALARMS:
            return {**named, **self._alarms_of(piece)}
        if interface.content is Content.ROWS and interface.window:
            end = min(milliseconds(piece.end) - 1, milliseconds(self.clock.time()))
            return {**named, "startTime": milliseconds(piece.begin), "endTime": end}
        return {**named, "collectTime": milliseconds(moment_of(piece, self.clock.time()))}

    def _alarms_of(self, piece: Piece) -> Mapping[str, Any]:
        now = self.clock.time()
        return {
            **self.alarms,
            "beginTime": milliseconds(max(piece.begin, now - MAX_LOOKBACK)),
            "endTime": milliseconds(min(piece.end, now)),
            "language": self._languages[0],
        }

    def _store_answer(self, piece: Piece, records: Iterable[Any], refused: str = "") -> None:
        found: dict[HistoryUnit, list[Any]] = {unit: [] for unit in piece.units}
        for record in records:
            unit = _unit_of(piece, record)
            if unit in found:
                found[unit].append(record)
        until = self.clock.time() - FINAL_AFTER[piece.interface.content]
        kept: Mapping[HistoryUnit, Answer] = {unit: tuple(each) for unit, each in found.items()}
        self.archive.store(kept, until, refused)

    # --- when it fails -------------------------------------------------------------------------

    def _failed(self, source: HistorySource, piece: Piece, error: CallError) -> None:
        if error.reason in LANGUAGE_REFUSALS and self._next_language():
            source.left.appendleft(piece)
            return
        smaller = piece.shorter() if error.reason in _TOO_LONG else piece.halves()
        match error.reaction:
            case _ if error.reason == TOO_OLD:
                self._store_answer(piece, (), error.reason)
                source.done += 1
            case Reaction.SUSPEND:
                source.given_up = f"{error.describe()} [{error.reason}]"
            case Reaction.SPLIT | Reaction.REREAD_FLEET | Reaction.SKIP_MEMBER if smaller:
                source.left.extendleft(reversed(smaller))
            case Reaction.REREAD_FLEET | Reaction.SKIP_MEMBER:
                self._store_answer(piece, (), error.reason)
                source.done += 1
            case _ if error.reason in _TOO_LONG and smaller:
                source.left.extendleft(reversed(smaller))
            case _:
                self._retry_later(source, piece, error)
        self.report(f"{source.interface.name}: {error.describe()} [{error.reason}]")

    def _next_language(self) -> bool:
        """Whether there is a language that was not refused yet."""
        self._languages.rotate(-1)
        self._refused_languages += 1
        return self._refused_languages < len(self._languages)

    def _retry_later(self, source: HistorySource, piece: Piece, error: CallError) -> None:
        now = self.clock.now()
        frequent = error.reaction in _OF_THE_ACCOUNT
        least = pace(source.quotas) if frequent else MINUTE
        source.backoff.refused(now, HOUR if error.reaction is Reaction.NEXT_DAY else least, HOUR)
        if error.retry_after:
            source.backoff.hold(now, min(error.retry_after, DAY))
        if frequent:  # which is not about this piece
            source.left.appendleft(piece)
            return
        tried = replace(piece, tries=piece.tries + 1)
        if tried.tries < MAX_TRIES:
            source.left.append(tried)
        else:
            source.failed += 1


def _unit_of(piece: Piece, record: TimedReading | Alarm) -> HistoryUnit | None:
    """The unit that a record is of; None for one without values."""
    interface, begin = piece.interface, piece.begin
    if isinstance(record, Alarm):
        return HistoryUnit(begin, interface.name, record.plant_code)
    if not record.reading.values:
        return None
    if interface.content is Content.ROWS and interface.window:  # perhaps of several days
        begin = calendar_of(interface).begin(record.start)
    return HistoryUnit(begin, interface.name, record.reading.subject)
