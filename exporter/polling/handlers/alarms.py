"""Alarms: which are wanted, and which window is asked about next."""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from exporter.northbound.codes import ALARM_SEVERITIES, ALARM_TYPES
from exporter.northbound.errors import CallError, Reaction
from exporter.northbound.interfaces import DAY, Interface
from exporter.northbound.records import Alarm, Parsed
from exporter.polling.alarm_windows import FARTHEST_BACK, Reach, Window
from exporter.polling.alarms import AlarmBook
from exporter.polling.handlers.base import DefaultHandler, Outcome, Request, milliseconds
from exporter.polling.lane import Turn
from exporter.polling.ports import Clock, Sink
from exporter.polling.tolerance import Gaps, build

LANGUAGE_REFUSALS = frozenset({"20024", "20025"})
# Both are spoken by some servers, and only one of them by most.
ENGLISH = ("en_US", "en_UK")


@dataclass(frozen=True, slots=True)
class AlarmTerms:
    """Which alarms are wanted, and in which language; no severities or types: all of them."""

    language: str = ENGLISH[0]
    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class AlarmsHandler(DefaultHandler):
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
            beginTime=milliseconds(self._window.begin),
            endTime=milliseconds(self._window.end),
            language=self._languages[0],
            **{name: codes for name, codes in self._filters.items() if codes},
        )

    def apply(self, turn: Turn, parsed: Parsed[Alarm]) -> Outcome:
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

    def recover(self, turn: Turn, error: CallError) -> Outcome | None:
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

    def retain_only(self, members: Collection[str]) -> None:
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


def _codes(table: Mapping[int, str], names: Collection[str]) -> str:
    return ",".join(str(code) for code, name in table.items() if name in names)
