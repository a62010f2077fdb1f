"""The answers about the past of one account, and what targets have of them.

A call is scarce, so that its answer is kept: what has arrived is never asked for again, whatever
becomes of us before it is sent, and a second target costs no call. It is no section of the state:
that is in memory as a whole, and this may be gigabytes.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple, Protocol

from pydantic import TypeAdapter, ValidationError

from exporter.account.quotas import CallLog
from exporter.history.plan import MAX_UTC_OFFSET, HistoryUnit
from exporter.northbound.interfaces import INTERFACES, Content
from exporter.northbound.records import Alarm, TimedReading

_ROWS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[TimedReading, ...])
_ALARMS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Alarm, ...])

Rows = tuple[TimedReading, ...]
Answer = Rows | tuple[Alarm, ...]


class ArchiveError(Exception):
    """It cannot be used. The text says why."""


class ArchiveBusyError(ArchiveError):
    """Somebody else fetches the past of the account now."""

    def __init__(self) -> None:
        super().__init__("another process fetches the history of this account")


@dataclass(frozen=True, slots=True)
class Covered:
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


class KeptAnswer(NamedTuple):
    """What was answered about a unit, packed; all times are seconds since the epoch."""

    interface: str
    subject: str
    begin: float
    until: float
    refused: str
    rows: bytes | None


class SentUnit(NamedTuple):
    """What a target has of a unit: from when until when; of one `since` inf, as `Pending` says."""

    interface: str
    subject: str
    begin: float
    since: float
    until: float


class UnsentUnit(NamedTuple):
    """A unit of which a target lacks something: until when it was answered, and what it has."""

    interface: str
    subject: str
    begin: float
    until: float
    had_since: float | None
    had_until: float | None


class MadeCall(NamedTuple):
    """A call of history: its start in seconds since the epoch, and how long it lasted."""

    interface: str
    device_type: int | None
    start: float
    lasted: float


class ArchiveStore(Protocol):
    """Keeps the rows of an archive. What a method has written outlives us.

    Raises:
        ArchiveError: From every method: they cannot be read or written.
    """

    def put_answers(self, answers: Sequence[KeptAnswer]) -> None:
        """Keeps these, all or none, in place of what stood there of the same units."""
        ...

    def covered(self, interface: str) -> Iterable[tuple[str, float, float, str]]:
        """Subject, begin, until and refusal of all answers of an interface."""
        ...

    def rows(self, unit: HistoryUnit) -> bytes | None:
        """What an answer brought about a unit, packed; None for nothing."""
        ...

    def unsent(self, target: str, start: float, end: float) -> Iterable[UnsentUnit]:
        """Of which units a target lacks anything of a time; by begin, interface and subject.

        What a unit tells may lie before its begin, by `MAX_UTC_OFFSET`.
        """
        ...

    def put_sent(self, target: str, units: Sequence[SentUnit]) -> None:
        """Notes that a target has these, besides what it had."""
        ...

    def put_call(self, call: MadeCall, oldest: float) -> None:
        """Notes a call, and forgets those that began before `oldest`."""
        ...

    def calls(self, interface: str) -> Iterable[MadeCall]:
        """The calls of an interface, by their start."""
        ...


class Archive:
    """The answers of one account. Used by one thread; what a method has written outlives us.

    Raises:
        ArchiveError: From every method: its store cannot be used.
    """

    def __init__(self, store: ArchiveStore) -> None:
        self._store = store

    # --- answers -------------------------------------------------------------------------------

    def keep(self, rows: Mapping[HistoryUnit, Answer], until: float, refused: str = "") -> None:
        """Keeps the answer of a call: the rows of its units, which lack nothing before `until`."""
        self._store.put_answers(
            [
                KeptAnswer(
                    *(unit.interface, unit.subject, unit.begin),
                    *(until, refused, _packed(unit.interface, found)),
                )
                for unit, found in rows.items()
            ]
        )

    def covered(self, interface: str) -> Mapping[HistoryUnit, Covered]:
        """How far each unit of an interface was answered."""
        return {
            HistoryUnit(begin, interface, subject): Covered(until, refused)
            for subject, begin, until, refused in self._store.covered(interface)
        }

    def rows(self, unit: HistoryUnit) -> tuple[Any, ...]:
        """The rows or alarms of a unit; none if it was not answered."""
        return _unpacked(unit.interface, self._store.rows(unit))

    # --- what targets have ---------------------------------------------------------------------

    def pending(self, target: str, start: float, end: float) -> Iterator[Pending]:
        """What a target lacks of what was answered of a time; the earliest units first."""
        for each in self._store.unsent(target, start, end):
            since, until = max(start, each.begin - MAX_UTC_OFFSET), min(each.until, end)
            from_ = inf if each.had_since is None else each.had_since
            had = -inf if each.had_until is None else each.had_until
            yield Pending(
                HistoryUnit(each.begin, each.interface, each.subject),
                max(since, had) if from_ <= since else since,
                until,
                is_again=from_ == inf and until <= had,
            )

    def sent(self, target: str, done: Iterable[Pending]) -> None:
        """Notes what a target has by now, for good.

        One without a begin is to be sent again, with what the unit before it adds.
        """
        self._store.put_sent(
            target,
            [
                SentUnit(unit.interface, unit.subject, unit.begin, each.since, each.until)
                for each in done
                for unit in (each.unit,)
            ],
        )

    # --- calls ---------------------------------------------------------------------------------

    def note_call(self, interface: str, device_type: int | None, start: float, end: float) -> None:
        """Notes a call of history, in seconds since the epoch, and forgets those of days ago."""
        call = MadeCall(interface, device_type, start, end - start)
        self._store.put_call(call, oldest=start - 3 * 86_400)

    def calls(self, interface: str, offset: float) -> CallLog:
        """The calls of history; `offset` is what the wall clock shows more than the steady one."""
        log = CallLog()
        for call in self._store.calls(interface):
            begun = call.start - offset
            log.record(begun, begun + call.lasted, call.device_type)
        return log


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
