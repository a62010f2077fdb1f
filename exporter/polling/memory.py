"""What survives a restart: plain data in one SQLite file an account.

SQLite because its transactions hold when the process is killed at any moment, and because a
command may read and write beside the daemon.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import structlog

VERSION = 1  # of the file
_MARK = 0x46534558  # says that a file is ours
_PATIENCE = 5.0  # seconds for another process that writes

_TABLE = """CREATE TABLE things (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
)"""
_PUT = """INSERT INTO things VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET body = excluded.body, crc = excluded.crc"""
_ROWS = "SELECT kind, name, body, crc FROM things"
_TABLES = "SELECT sql FROM sqlite_master WHERE sql NOT NULL"

# What SQLite says when the disk is at fault, or another process; all else is about the file.
_DISK = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM,
})  # fmt: skip


class _DamagedError(Exception):
    """The file is not ours, or not as it was written."""


class _VersionError(_DamagedError):
    """The file is ours, but of another version."""

    def __init__(self, version: int) -> None:
        super().__init__(f"of version {version}")
        self.suffix = f".version-{version}"


class Memory:
    """The plain data of one account, by kind and name. Used by one thread at a time.

    The file is opened, and checked as a whole, when it is first used. Nothing here ever raises.
    What cannot be written is kept until it can: without a path all data do so, and outlive a reload
    only. A damaged file is put aside by the process that has `locked` it, and so is one of another
    version, after its rows were taken over: readers of plain data leave out what they do not
    understand. Any other process lets such a file be, and knows nothing: it may be in use.
    """

    def __init__(self, path: Path | None = None, *, locked: bool = True) -> None:
        self._path = path
        self._locked = locked
        self._log = structlog.get_logger().bind(file=str(self))
        self._unwritten: dict[tuple[str, str], str | None] = {}
        self._file: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None  # of the open file, whatever its name
        self._claimed = False
        self._trouble = False
        self._misread: set[str] = set()
        with self._careful():
            if path and locked and path.is_file() and not path.stat().st_size:
                self._log.warning("state was damaged, starting anew", reason="the file was empty")

    def __str__(self) -> str:
        """The path of the file, as the log names it; empty where there is none."""
        return str(self._path or "")

    @property
    def is_kept(self) -> bool:
        """Whether all that was written is in a file; any thread may ask."""
        return self._path is not None and not self._trouble

    @contextmanager
    def claim(self) -> Iterator[None]:
        """While it is held, no other process decides to make a call; its end is what writes."""
        self._claimed = True
        with self._careful():
            if (file := self._open()) is not None:
                file.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._claimed = False
            with self._careful():
                self._save()

    def read(self, kind: str) -> dict[str, Any]:
        """All of one kind, by name."""
        found: dict[str, str | None] = {}
        with self._careful():
            if (file := self._open()) is not None:
                wanted = "SELECT name, body FROM things WHERE kind = ?"
                found.update(file.execute(wanted, (kind,)).fetchall())
        found |= {name: body for (of, name), body in self._unwritten.items() if of == kind}
        rows = ((name, self._parsed(kind, body)) for name, body in found.items() if body)
        return {name: row for name, row in rows if row is not None}

    def _parsed(self, kind: str, body: str) -> Any:
        """A row; None where it is not understood."""
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            if kind not in self._misread:
                self._misread.add(kind)
                self._log.warning(
                    "state was not understood, going on without",
                    part=kind,
                    reason=type(error).__name__,
                )
            return None

    def write(self, changes: Mapping[tuple[str, str], Any]) -> None:
        """Keeps these, all or none; what is None is dropped."""
        self._unwritten |= {key: _text(body) for key, body in changes.items()}
        if self._unwritten and not self._claimed:
            with self._careful():
                self._save()

    def close(self) -> None:
        """Lets the file go."""
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None

    def _open(self) -> sqlite3.Connection | None:
        if self._file and not self._file.in_transaction and self._identity != _id_of(self._path):
            self._rescue(self._file)
        if self._file is None and self._path is not None:
            try:
                self._file = _connect(self._path)
            except (sqlite3.Error, UnicodeError, _DamagedError) as error:
                if not (self._locked and _is_damage(error)):
                    raise
                self._file = self._begin_anew(self._path, error)
                self._identity = _id_of(self._path)
                self._save()  # what was taken over stands in no other file of ours
            self._identity = _id_of(self._path)
        return self._file

    def _begin_anew(self, path: Path, error: Exception) -> sqlite3.Connection:
        """Puts a file aside that is not as we write it; of another version it is taken over."""
        if isinstance(error, _VersionError):
            self._unwritten = _rows_of(path) | self._unwritten
            aside = _put_aside(path, error.suffix)
            self._log.warning(
                "state of another version, taking over what is understood", kept_as=aside
            )
        else:
            aside = _put_aside(path, ".damaged")
            self._log.warning("state was damaged, starting anew", reason=str(error), kept_as=aside)
        return _connect(path)

    def _rescue(self, file: sqlite3.Connection) -> None:
        """Takes what a deleted file still holds, to be written into the one in its place."""
        self._log.warning("state was deleted while in use, writing it anew")
        try:
            rows = file.execute("SELECT kind, name, body FROM things").fetchall()
            self._unwritten = {(kind, name): body for kind, name, body in rows} | self._unwritten
        finally:
            self.close()  # what cannot be read now never will be

    def _save(self) -> None:
        file = self._open()
        if file is None or not (self._unwritten or file.in_transaction):
            return
        if not file.in_transaction:
            file.execute("BEGIN IMMEDIATE")
        for (kind, name), body in self._unwritten.items():
            if body is None:
                file.execute("DELETE FROM things WHERE kind = ? AND name = ?", (kind, name))
            else:
                row = (kind, name, body, _sum(kind, name, body))
                file.execute(_PUT, row)
        file.execute("COMMIT")
        self._unwritten.clear()
        if self._trouble:
            self._trouble = False
            self._log.info("state is kept again")

    @contextmanager
    def _careful(self) -> Iterator[None]:
        """Goes on without the file when it fails, and says so once."""
        try:
            yield
        except (OSError, sqlite3.Error, UnicodeError, _DamagedError) as error:
            if self._file is not None and self._file.in_transaction:
                with suppress(sqlite3.Error):
                    self._file.execute("ROLLBACK")
            if _is_damage(error):
                self.close()  # to be put aside when it is opened again
            if not self._trouble:
                self._log.warning("state cannot be kept, going on without", reason=_words(error))
            self._trouble = True


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # which SQLite copies to the files beside it
    file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _set_up(file)
    except BaseException:
        file.close()
        raise
    return file


def _set_up(file: sqlite3.Connection) -> None:
    file.text_factory = _decoded
    file.execute("BEGIN IMMEDIATE")  # of two that open a new file at once, one makes the table
    if not file.execute(_TABLES).fetchall():
        file.execute(_TABLE)
        file.execute(f"PRAGMA application_id = {_MARK}")
        file.execute(f"PRAGMA user_version = {VERSION}")
    file.execute("COMMIT")
    _check(file)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")  # a call's start outlives a power cut


def _check(file: sqlite3.Connection) -> None:
    tables = [sql for (sql,) in file.execute(_TABLES)]
    version = _fact(file, "PRAGMA user_version")
    if _fact(file, "PRAGMA application_id") != _MARK:
        raise _DamagedError("not a state file")
    if version != VERSION:
        raise _VersionError(version)
    rows = file.execute(_ROWS)
    if (
        tables != [_TABLE]
        or _fact(file, "PRAGMA quick_check(1)") != "ok"
        or any(_sum(*row) != crc for *row, crc in rows)
    ):
        raise _DamagedError("not what was written")


def _fact(file: sqlite3.Connection, question: str) -> Any:
    return file.execute(question).fetchone()[0]


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return not isinstance(error, OSError) and code & 0xFF not in _DISK


def _id_of(path: Path | None) -> tuple[int, int] | None:
    """Which file stands there; None for none."""
    with suppress(OSError):
        if path is not None:
            found = path.stat()
            return found.st_dev, found.st_ino
    return None


def _rows_of(path: Path) -> dict[tuple[str, str], str | None]:
    """The rows of a file of another version, as far as it has rows like ours."""
    with suppress(sqlite3.Error, UnicodeError), closing(sqlite3.connect(path)) as file:
        rows = (row for *row, crc in file.execute(_ROWS).fetchall() if _sum(*row) == crc)
        return {(kind, name): body for kind, name, body in rows}
    return {}


def _put_aside(path: Path, suffix: str) -> str:
    aside = path.with_suffix(suffix)
    for beside in (f"{path}-wal", f"{path}-shm"):
        Path(beside).unlink(missing_ok=True)
    path.replace(aside)
    return aside.name


def _text(body: Any) -> str | None:
    return None if body is None else json.dumps(body, separators=(",", ":"))


def _decoded(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _sum(kind: object, name: object, body: object) -> int:
    return crc32(f"{kind}\n{name}\n{body}".encode())


def _words(error: Exception) -> str:
    """What went wrong; the path stands beside it."""
    return getattr(error, "strerror", None) or str(error)
