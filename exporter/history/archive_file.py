"""An archive in a SQLite file, one an account, beside its state."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from exporter.account.state_directory import locked_file
from exporter.history import archive
from exporter.history.plan import MAX_UTC_OFFSET, HistoryUnit

_APPLICATION_ID = 0x46534548  # says that a file is ours
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
_BUSY_TIMEOUT = 30.0  # seconds for another process that writes

_PUT_ANSWER = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)"
_COVERED = "SELECT subject, begin, until, refused FROM answers WHERE interface = ?"
_ROWS = "SELECT rows FROM answers WHERE interface = ? AND subject = ? AND begin = ?"
_UNSENT = """
SELECT a.interface, a.subject, a.begin, a.until, s.since, s.until
FROM answers a LEFT JOIN sent s ON s.target = :target
    AND s.interface = a.interface AND s.subject = a.subject AND s.begin = a.begin
WHERE a.rows NOT NULL AND max(a.begin - :offset, :start) < min(a.until, :end) AND NOT coalesce(
    s.since <= max(a.begin - :offset, :start) AND s.until >= min(a.until, :end), FALSE
)
ORDER BY a.begin, a.interface, a.subject
"""
_PUT_SENT = """
INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET since = min(since, excluded.since), until = max(until, excluded.until)
"""
_FORGET_CALLS = "DELETE FROM calls WHERE start < ?"
_PUT_CALL = "INSERT INTO calls VALUES (?, ?, ?, ?)"
_CALLS = """
SELECT device_type, start, lasted FROM calls WHERE interface = ? ORDER BY start
"""


@contextmanager
def archive_in_file(path: Path) -> Iterator[archive.Archive]:
    """The archive in a file, for one job alone.

    Raises:
        ArchiveBusyError: It is in use.
        ArchiveError: It cannot be used.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = locked_file(path.with_suffix(".history-lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise archive.ArchiveBusyError from None
    except OSError as error:
        raise archive.ArchiveError(f"{path}: {error.strerror}") from error
    with lock, closing(ArchiveFile(path)) as opened:
        yield opened


class ArchiveFile(archive.Archive):
    """The rows in a file. One cannot be made of a file that is not ours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._file = sqlite3.connect(path, timeout=_BUSY_TIMEOUT, isolation_level=None)
            self._set_up()
        except (OSError, sqlite3.Error) as error:
            raise archive.ArchiveError(f"{path}: {error}") from error

    def _set_up(self) -> None:
        file = self._file
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")
        file.execute("BEGIN IMMEDIATE")
        if not file.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in filter(str.strip, _SCHEMA.split(";")):
                file.execute(statement)
            file.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            file.execute(f"PRAGMA user_version = {VERSION}")
        file.execute("COMMIT")
        mark, version = (
            file.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if (mark, version) != (_APPLICATION_ID, VERSION):
            file.close()
            raise archive.ArchiveError(f"{self._path} is no archive of this version; move it away")

    def close(self) -> None:
        """Lets the file go."""
        with suppress(sqlite3.Error):
            self._file.close()

    def _put_answers(self, answers: Sequence[archive.Row]) -> None:
        self._write((_PUT_ANSWER, answers))

    def _coverage_rows(self, interface: str) -> Iterable[archive.Row]:
        return self._ask(_COVERED, (interface,))

    def _rows(self, unit: HistoryUnit) -> bytes | None:
        found = self._ask(_ROWS, (unit.interface, unit.subject, unit.begin))
        return found[0][0] if found else None

    def _unsent_rows(self, target: str, start: float, end: float) -> Iterable[archive.Row]:
        return self._ask(
            _UNSENT, {"target": target, "start": start, "end": end, "offset": MAX_UTC_OFFSET}
        )

    def _put_sent(self, target: str, units: Sequence[archive.Row]) -> None:
        self._write((_PUT_SENT, [(target, *each) for each in units]))

    def _put_call(self, call: archive.Row, oldest: float) -> None:
        self._write((_FORGET_CALLS, [(oldest,)]), (_PUT_CALL, [call]))

    def _calls(self, interface: str) -> Iterable[archive.Row]:
        return self._ask(_CALLS, (interface,))

    def _write(self, *statements: tuple[str, Sequence[archive.Row]]) -> None:
        try:
            self._file.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                self._file.executemany(statement, values)
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            raise archive.ArchiveError(f"{self._path}: {error}") from error

    def _ask(self, question: str, values: Any) -> list[Any]:
        try:
            with closing(self._file.execute(question, values)) as found:
                return found.fetchall()
        except sqlite3.Error as error:
            raise archive.ArchiveError(f"{self._path}: {error}") from error
