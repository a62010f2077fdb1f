"""The file of one account: rows of JSON in SQLite, by kind and name.

SQLite because its transactions hold when the process is killed at any moment, and because a
command may read and write beside the daemon.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from exporter.account.codec import StoredRow
from exporter.account.migrations import CREATE, MIGRATIONS, VERSION
from exporter.account.store import Key, RowStore

_MARK = 0x46534558  # says that a file is ours
_BUSY_TIMEOUT = 5.0  # seconds for another process that writes
_CACHE = 256  # kB of a file's pages in memory: there may be hundreds of accounts

# A row changes where it stands: one that replaces it would be elsewhere, and change the index.
_PUT = """INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET
    body = excluded.body, boot = excluded.boot,
    clock_offset = excluded.clock_offset, written = excluded.written"""
_DROP = "DELETE FROM rows WHERE kind = ? AND name = ?"
_ALL = "SELECT kind, name, body, boot, clock_offset, written FROM rows"

# What SQLite says when the disk is at fault, or another process; all else is about the file.
_DISK = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM,
})  # fmt: skip


class _DamagedError(Exception):
    """The file is not ours, or damaged."""


class _VersionError(_DamagedError):
    """The file is ours, but of a version that this one does not use as it is."""

    def __init__(self, version: int) -> None:
        super().__init__(f"of version {version}")
        self.version = version


class Database(RowStore):
    """The rows of one account in a file.

    The file is opened, checked and, if an earlier version wrote it, migrated when it is first used.
    Without a path rows outlive a reload only. A damaged file is put aside by the process that has
    `locked` it, and so is one of a later version. Any other process lets such a file be, and knows
    nothing: it may be in use.
    """

    def __init__(self, path: Path | None = None, *, locked: bool = True) -> None:
        super().__init__()
        self._path = path
        self._locked = locked
        self._log = structlog.get_logger().bind(file=str(self))
        self._file: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None  # of the open file, whatever its name
        self._deleted = False
        with self._tolerating_failures():
            if path and locked and path.is_file() and not path.stat().st_size:
                self._log.warning("state was damaged, starting anew", reason="the file was empty")

    def __str__(self) -> str:
        """The path of the file, as the log names it; empty where there is none."""
        return str(self._path or "")

    @property
    def is_kept(self) -> bool:
        return self._path is not None and not self._failing

    @contextmanager
    def claim(self) -> Iterator[None]:
        self._claimed = self
        with self._tolerating_failures():
            if (file := self._open()) is not None:
                file.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._claimed = None
            with self._tolerating_failures():
                self._flush()

    def was_deleted(self) -> bool:
        with self._tolerating_failures():
            self._open()
        deleted, self._deleted = self._deleted, False
        return deleted

    def close(self) -> None:
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None

    def _stored_rows(self, kind: str) -> dict[str, StoredRow]:
        file = self._open()
        if file is None:
            return {}
        rows = file.execute(f"{_ALL} WHERE kind = ?", (kind,))  # a constant
        return {name: StoredRow.of(*rest) for _, name, *rest in rows.fetchall()}

    def _open(self) -> sqlite3.Connection | None:
        if self._file and not self._file.in_transaction and self._identity != _id_of(self._path):
            self._log.warning("state was deleted while in use, writing it anew")
            self._deleted = True
            self.close()
        if self._file is None and self._path is not None:
            try:
                self._file = _connect(self._path, migrate=self._locked)
            except (sqlite3.Error, UnicodeError, _DamagedError) as error:
                if not (self._locked and _is_damage(error)):
                    raise
                self._file = self._replace_file(self._path, error)
                self._identity = _id_of(self._path)
                self._flush()  # what was taken over stands in no other file of ours
            self._identity = _id_of(self._path)
        return self._file

    def _replace_file(self, path: Path, error: Exception) -> sqlite3.Connection:
        """Puts a file aside that cannot be used; of a later version its rows are taken over."""
        if isinstance(error, _VersionError):
            self._unwritten = _rows_of(path) | self._unwritten
            aside = _put_aside(path, f".version-{error.version}")
            self._log.warning(
                "state of a later version, taking over what is understood", kept_as=aside
            )
        else:
            aside = _put_aside(path, ".damaged")
            self._log.warning("state was damaged, starting anew", reason=str(error), kept_as=aside)
        return _connect(path, migrate=True)

    def _flush(self) -> None:
        file = self._open()
        if file is None or not (self._unwritten or file.in_transaction):
            return
        if not file.in_transaction:
            file.execute("BEGIN IMMEDIATE")
        file.executemany(_DROP, [key for key, row in self._unwritten.items() if row is None])
        file.executemany(
            _PUT,
            [(*key, *row.columns) for key, row in self._unwritten.items() if row is not None],
        )
        file.execute("COMMIT")
        self._unwritten.clear()
        if self._failing:
            self._failing = False
            self._log.info("state is kept again")

    @contextmanager
    def _tolerating_failures(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, UnicodeError, _DamagedError) as error:
            if self._file is not None and self._file.in_transaction:
                with suppress(sqlite3.Error):
                    self._file.execute("ROLLBACK")
            if _is_damage(error):
                self.close()  # to be put aside when it is opened again
            if not self._failing:
                self._log.warning(
                    "state cannot be kept, continuing without it", reason=_reason(error)
                )
            self._failing = True


def _connect(path: Path, *, migrate: bool) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # which SQLite copies to the files beside it
    file = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    try:
        _set_up(file, migrate=migrate)
    except BaseException:
        file.close()
        raise
    return file


def _set_up(file: sqlite3.Connection, *, migrate: bool) -> None:
    file.text_factory = _decoded
    file.execute("BEGIN IMMEDIATE")  # of two that open a new file at once, one makes the table
    if not file.execute("SELECT 1 FROM sqlite_master").fetchone():
        file.execute(CREATE)
        file.execute(f"PRAGMA application_id = {_MARK}")
        file.execute(f"PRAGMA user_version = {VERSION}")
    if _scalar(file, "PRAGMA application_id") != _MARK:
        raise _DamagedError("not a state file")
    if _scalar(file, "PRAGMA integrity_check(1)") != "ok":
        raise _DamagedError("not what was written")
    version = _scalar(file, "PRAGMA user_version")
    if (version not in MIGRATIONS and version != VERSION) or (version != VERSION and not migrate):
        raise _VersionError(version)
    for step in range(version, VERSION):
        MIGRATIONS[step](file)
        file.execute(f"PRAGMA user_version = {step + 1}")
    if file.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall() != [(CREATE,)]:
        raise _DamagedError("not what was written")
    file.execute("COMMIT")
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")  # a call's start outlives a power cut
    file.execute(f"PRAGMA cache_size = -{_CACHE}")  # the system caches files, too


def _scalar(file: sqlite3.Connection, question: str) -> Any:
    return file.execute(question).fetchone()[0]


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return not isinstance(error, OSError) and code & 0xFF not in _DISK


def _id_of(path: Path | None) -> tuple[int, int] | None:
    """The device and inode of a file; None where there is none."""
    with suppress(OSError):
        if path is not None:
            found = path.stat()
            return found.st_dev, found.st_ino
    return None


def _rows_of(path: Path) -> dict[Key, StoredRow | None]:
    """The rows of a file of a later version, as far as it has rows like ours."""
    with suppress(sqlite3.Error, UnicodeError), closing(sqlite3.connect(path)) as file:
        return {
            (kind, name): StoredRow.of(*rest) for kind, name, *rest in file.execute(_ALL).fetchall()
        }
    return {}


def _put_aside(path: Path, suffix: str) -> str:
    aside = path.with_suffix(suffix)
    for beside in (f"{path}-wal", f"{path}-shm"):
        Path(beside).unlink(missing_ok=True)
    path.replace(aside)
    return aside.name


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _reason(error: Exception) -> str:
    """What went wrong; the path is logged beside it."""
    return getattr(error, "strerror", None) or str(error)
