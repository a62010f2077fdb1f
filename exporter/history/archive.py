"""The answers about the past of one account, and what targets have of them.

A call is scarce, so that its answer is kept: what has arrived is never asked for again, whatever
becomes of us before it is sent, and a second target costs no call. It is no section of the state:
that is in memory as a whole, and this may be gigabytes.
"""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any

from pydantic import TypeAdapter, ValidationError

from exporter.account.quotas import CallLog
from exporter.history.plan import MAX_UTC_OFFSET, HistoryUnit
from exporter.northbound.interfaces import DAY, INTERFACES, Content
from exporter.northbound.records import Alarm, TimedReading

_ROWS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[TimedReading, ...])
_ALARMS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Alarm, ...])

Rows = tuple[TimedReading, ...]
Answer = Rows | tuple[Alarm, ...]
Row = tuple[Any, ...]  # as it is kept; all times are seconds since the epoch


class ArchiveError(Exception):
    """It cannot be used. The text says why."""


class ArchiveBusyError(ArchiveError):
    """Somebody else fetches the past of the account now."""

    def __init__(self) -> None:
        super().__init__("another process fetches the history of this account")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a unit was answered or sent: all before `until`; why it was `refused`, if it was."""

    until: float = -inf
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A unit of which a target lacks what lies between two times.

    `is_again` where it has all of it, but without what the unit before it adds.
    """

    unit: HistoryUnit
    since: float
    until: float
    is_again: bool = False


class Archive(ABC):
    """The answers of one account. Used by one thread; what a method has written outlives us.

    A subclass keeps the rows. An answer's has interface, subject, begin, until when, why it was
    refused and what it brought, packed; what a target has, interface, subject, begin, since when
    and until when; a call's interface, device type, start and duration.

    Raises:
        ArchiveError: From every method: what it is kept in cannot be used.
    """

    # --- answers -------------------------------------------------------------------------------

    def store(self, rows: Mapping[HistoryUnit, Answer], until: float, refused: str = "") -> None:
        """Keeps the answer of a call: the rows of its units, which lack nothing before `until`."""
        self._put_answers(
            [
                (
                    *(unit.interface, unit.subject, unit.begin),
                    *(until, refused, _packed(unit.interface, found)),
                )
                for unit, found in rows.items()
            ]
        )

    @abstractmethod
    def _put_answers(self, answers: Sequence[Row]) -> None:
        """Keeps these, all or none, in place of what stood there of the same units."""

    def covered(self, interface: str) -> Mapping[HistoryUnit, Coverage]:
        """How far each unit of an interface was answered."""
        return {
            HistoryUnit(begin, interface, subject): Coverage(until, refused)
            for subject, begin, until, refused in self._coverage_rows(interface)
        }

    @abstractmethod
    def _coverage_rows(self, interface: str) -> Iterable[Row]:
        """Subject, begin, until and refusal of all answers of an interface."""

    def rows(self, unit: HistoryUnit) -> tuple[Any, ...]:
        """The rows or alarms of a unit; none if it was not answered."""
        return _unpacked(unit.interface, self._rows(unit))

    @abstractmethod
    def _rows(self, unit: HistoryUnit) -> bytes | None:
        """What an answer brought about a unit, packed; None for nothing."""

    # --- what targets have ---------------------------------------------------------------------

    def pending(self, target: str, start: float, end: float) -> Iterator[Pending]:
        """What a target lacks of what was answered of a time; the earliest units first."""
        for interface, subject, begin, until, *had in self._unsent_rows(target, start, end):
            had_since, had_until = had if had[0] is not None else (inf, -inf)
            since, last = max(start, begin - MAX_UTC_OFFSET), min(until, end)
            yield Pending(
                HistoryUnit(begin, interface, subject),
                max(since, had_until) if had_since <= since else since,
                last,
                is_again=had_since == inf and last <= had_until,
            )

    @abstractmethod
    def _unsent_rows(self, target: str, start: float, end: float) -> Iterable[Row]:
        """Of which units a target lacks anything of a time; by begin, interface and subject.

        Interface, subject, begin, until when it was answered, and since and until when the target
        has it. What a unit tells may lie before its begin, by `MAX_UTC_OFFSET`.
        """

    def sent(self, target: str, done: Iterable[Pending]) -> None:
        """Notes what a target has by now, for good.

        One without a begin is to be sent again, with what the unit before it adds.
        """
        units = [(each.unit, each.since, each.until) for each in done]
        self._put_sent(
            target, [(unit.interface, unit.subject, unit.begin, *span) for unit, *span in units]
        )

    @abstractmethod
    def _put_sent(self, target: str, units: Sequence[Row]) -> None:
        """Notes that a target has these, besides what it had."""

    # --- calls ---------------------------------------------------------------------------------

    def note_call(self, interface: str, device_type: int | None, start: float, end: float) -> None:
        """Notes a call of history, in seconds since the epoch, and forgets those of days ago."""
        self._put_call((interface, device_type, start, end - start), oldest=start - 3 * DAY)

    @abstractmethod
    def _put_call(self, call: Row, oldest: float) -> None:
        """Notes a call, and forgets those that began before `oldest`."""

    def calls(self, interface: str, offset: float) -> CallLog:
        """The calls of history; `offset` is what the wall clock shows more than the steady one."""
        log = CallLog()
        for device_type, start, lasted in self._calls(interface):
            begun = start - offset
            log.record(begun, begun + lasted, device_type)
        return log

    @abstractmethod
    def _calls(self, interface: str) -> Iterable[Row]:
        """Device type, start and duration of the calls of an interface, by their start."""


def _adapter(interface: str) -> TypeAdapter[tuple[Any, ...]]:
    return _ALARMS if INTERFACES[interface].content is Content.ALARMS else _ROWS


def _packed(interface: str, rows: Answer) -> bytes | None:
    return zlib.compress(_adapter(interface).dump_json(rows)) if rows else None


def _unpacked(interface: str, body: bytes | None) -> tuple[Any, ...]:
    """What was kept; nothing where it is not understood."""
    with suppress(ValidationError, zlib.error):
        if body is not None:
            return _adapter(interface).validate_json(zlib.decompress(body))
    return ()
