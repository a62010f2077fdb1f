"""The answers about the past, on disk: one SQLite file an account, beside its state.

A call is scarce, so that its answer is kept: what has arrived is never asked for again, whatever
becomes of us before it is sent, and a second target costs no call. It is no section of the state:
that is in memory as a whole, and this may be gigabytes.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from exporter.account.quotas import CallLog
from exporter.history.plan import HistoryUnit
from exporter.northbound.interfaces import INTERFACES, Content
from exporter.northbound.records import Alarm, TimedReading

_MARK = 0x46534548  # says that a file is ours
VERSION = 1
_SCHEMA = """
CREATE TABLE answers (
    interface TEXT, subject TEXT, begin REAL, until REAL, refused TEXT, rows BLOB,
    PRIMARY KEY (interface, subject, begin)
) WITHOUT ROWID;
CREATE TABLE sent (
    target TEXT, interface TEXT, subject TEXT, begin REAL, since REAL, until REAL,
    PRIMARY KEY (target, interface, subject, begin)
) WITHOUT ROWID;
CREATE TABLE calls (interface TEXT, device_type INTEGER, start REAL, lasted REAL);
"""
_ROWS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[TimedReading, ...])
_ALARMS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[Alarm, ...])
_PATIENCE = 30.0  # seconds for another process that writes

Rows = tuple[TimedReading, ...]
Answer = Rows | tuple[Alarm, ...]


class ArchiveError(Exception):
    """The file cannot be used. The text says why."""


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


class Archive:
    """The answers of one account. Used by one thread; what a method has written is on the disk.

    Raises:
        ArchiveError: From every method: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            self._set_up()
        except (OSError, sqlite3.Error) as error:
            raise ArchiveError(f"{path}: {error}") from error

    def _set_up(self) -> None:
        file = self._file
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")
        file.execute("BEGIN IMMEDIATE")
        if not file.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in filter(str.strip, _SCHEMA.split(";")):
                file.execute(statement)
            file.execute(f"PRAGMA application_id = {_MARK}")
            file.execute(f"PRAGMA user_version = {VERSION}")
        file.execute("COMMIT")
        mark, version = (
            file.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if (mark, version) != (_MARK, VERSION):
            file.close()
            raise ArchiveError(f"{self._path} is no archive of this version; move it away")

    def close(self) -> None:
        """Lets the file go."""
        with suppress(sqlite3.Error):
            self._file.close()

    # --- answers -------------------------------------------------------------------------------

    def keep(self, rows: Mapping[HistoryUnit, Answer], until: float, refused: str = "") -> None:
        """Keeps the answer of a call: the rows of its units, which lack nothing before `until`."""
        values = [
            (
                each.interface,
                each.subject,
                each.begin,
                until,
                refused,
                _packed(each.interface, found),
            )
            for each, found in rows.items()
        ]
        self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", values)

    def _write(self, statement: str, values: Iterable[tuple[object, ...]]) -> None:
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany(statement, values)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            raise ArchiveError(f"{self._path}: {error}") from error

    def _ask(self, question: str, *values: object) -> list[tuple[object, ...]]:
        try:
            with closing(self._file.execute(question, values)) as found:
                return found.fetchall()
        except sqlite3.Error as error:
            raise ArchiveError(f"{self._path}: {error}") from error

    def covered(self, interface: str) -> Mapping[HistoryUnit, Covered]:
        """How far each unit of an interface was answered."""
        rows = self._ask(
            "SELECT subject, begin, until, refused FROM answers WHERE interface = ?", interface
        )
        return {
            HistoryUnit(float(str(begin)), interface, str(subject)): Covered(
                float(str(until)), str(why)
            )
            for subject, begin, until, why in rows
        }

    def rows(self, unit: HistoryUnit) -> tuple[Any, ...]:
        """The rows or alarms of a unit; none if it was not answered."""
        found = self._ask(
            "SELECT rows FROM answers WHERE interface = ? AND subject = ? AND begin = ?",
            *(unit.interface, unit.subject, unit.begin),
        )
        return _unpacked(unit.interface, found[0][0]) if found else ()

    # --- what targets have ---------------------------------------------------------------------

    def pending(self, target: str, start: float, end: float) -> Iterator[Pending]:
        """What a target lacks of what was answered of a time; the earliest units first."""
        rows = self._ask(
            "SELECT a.interface, a.subject, a.begin, a.until, s.since, s.until FROM answers a "
            "LEFT JOIN sent s ON s.target = ? AND s.interface = a.interface "
            "AND s.subject = a.subject AND s.begin = a.begin "
            "WHERE a.rows NOT NULL ORDER BY a.begin, a.interface, a.subject",
            target,
        )
        for interface, subject, *times in rows:
            begin, until, *sent = (None if time is None else float(str(time)) for time in times)
            unit = HistoryUnit(begin or 0.0, str(interface), str(subject))
            since, upto = max(start, unit.begin), min(until or -inf, end)
            from_, had = (-inf if each is None else each for each in sent)
            if had > -inf and from_ <= since:
                since = max(since, had)
            if since < upto:
                yield Pending(unit, since, upto, is_again=from_ == inf and upto <= had)

    def sent(self, target: str, done: Iterable[Pending]) -> None:
        """Notes what a target has by now, for good.

        One without a begin is to be sent again, with what the unit before it adds.
        """
        self._write(
            "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET since = min(since, excluded.since), until = max(until, excluded.until)",
            [
                (target, unit.interface, unit.subject, unit.begin, each.since, each.until)
                for each in done
                for unit in (each.unit,)
            ],
        )

    # --- calls ---------------------------------------------------------------------------------

    def note_call(self, interface: str, device_type: int | None, start: float, end: float) -> None:
        """Notes a call of history, in seconds since the epoch, and forgets those of days ago."""
        self._write("DELETE FROM calls WHERE start < ?", [(start - 3 * 86_400,)])
        self._write(
            "INSERT INTO calls VALUES (?, ?, ?, ?)", [(interface, device_type, start, end - start)]
        )

    def calls(self, interface: str, offset: float) -> CallLog:
        """The calls of history; `offset` is what the wall clock shows more than the steady one."""
        log = CallLog()
        rows = self._ask(
            "SELECT start, lasted, device_type FROM calls WHERE interface = ? ORDER BY start",
            interface,
        )
        for start, lasted, device_type in rows:
            begun = float(str(start)) - offset
            kind = None if device_type is None else int(str(device_type))
            log.record(begun, begun + float(str(lasted)), kind)
        return log


def _adapter(interface: str) -> TypeAdapter[tuple[Any, ...]]:
    return _ALARMS if INTERFACES[interface].content is Content.ALARMS else _ROWS


def _packed(interface: str, rows: Answer) -> bytes | None:
    return zlib.compress(_adapter(interface).dump_json(rows)) if rows else None


def _unpacked(interface: str, body: object) -> tuple[Any, ...]:
    """What was kept; nothing where it is not understood."""
    with suppress(ValidationError, zlib.error):
        if isinstance(body, bytes):
            return _adapter(interface).validate_json(zlib.decompress(body))
    return ()
