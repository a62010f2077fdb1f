"""What survives a restart: plain data in one SQLite file an account.

SQLite because its transactions hold when the process is killed at any moment, and because a
command may read and write beside the daemon. Without a directory the data live in memory, and
outlive a reload only.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import structlog

VERSION = 1  # of the data: another version's is not understood
_MARK = 0x46534558  # says that a file is ours
_PATIENCE = 5.0  # seconds for another process that writes

_TABLE = """
CREATE TABLE IF NOT EXISTS things (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID
"""


class OccupiedError(Exception):
    """Another process has the state directory."""


class _ForeignError(Exception):
    """The file is not ours, or of another version."""


def lock(directory: Path) -> IO[bytes] | None:
    """Takes the directory for this process, until the file returned is closed.

    None where that is not possible, since nothing can be kept there either.

    Raises:
        OccupiedError: Another process has it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = os.fdopen(os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    except OSError:
        return None
    try:
        fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        taken.close()
        raise OccupiedError(f"{directory} is used by another process") from None
    return taken


def file_of(directory: Path, base_url: str, username: str) -> Path:
    """Where the data of an account are kept; the name tells nobody whose they are."""
    owner = f"{base_url}\n{username}"
    return directory / f"{sha256(owner.encode()).hexdigest()[:16]}.sqlite"


class Memory:
    """The plain data of one account, by kind and name. Used by one thread at a time.

    Nothing here ever raises: a file that cannot be read is put aside, one that cannot be written
    is said once, and what could not be written is written with the next that can.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._log = structlog.get_logger()
        self._unwritten: dict[tuple[str, str], Any] = {}
        self._trouble: str | None = None
        self._file = self._opened(path)

    def _opened(self, path: Path | None) -> sqlite3.Connection:
        if path is None:
            return _connect(":memory:")
        try:
            return self._open(path)
        except (OSError, sqlite3.Error, _ForeignError) as error:
            self._log.warning("state cannot be kept, going on without", reason=_words(error))
            return _connect(":memory:")

    def _open(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        try:
            return _connect(str(path))
        except (sqlite3.DatabaseError, _ForeignError) as error:
            if isinstance(error, sqlite3.OperationalError):  # the disk's fault, not the file's
                raise
            aside = path.with_suffix(".unreadable")
            self._log.warning(
                "state was not readable, starting anew", reason=_words(error), kept_as=aside.name
            )
            for beside in (f"{path}-wal", f"{path}-shm"):
                Path(beside).unlink(missing_ok=True)
            path.replace(aside)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            return _connect(str(path))

    @contextmanager
    def claim(self) -> Iterator[None]:
        """While it is held, no other process decides to make a call."""
        with suppress(sqlite3.Error):
            self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            if self._file.in_transaction:
                self._commit()

    def read(self, kind: str) -> dict[str, Any]:
        """All of one kind, by name."""
        try:
            rows = self._file.execute("SELECT name, body FROM things WHERE kind = ?", (kind,))
            return {name: json.loads(body) for name, body in rows}
        except (sqlite3.Error, ValueError) as error:
            self._failed(error)
            return {}

    def write(self, changes: Mapping[tuple[str, str], Any]) -> None:
        """Keeps these, all or none; what is None is dropped."""
        self._unwritten |= changes
        if not self._unwritten:
            return
        gone = [key for key, body in self._unwritten.items() if body is None]
        kept = [(*key, _text(body)) for key, body in self._unwritten.items() if body is not None]
        claimed = self._file.in_transaction
        try:
            if not claimed:
                self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("DELETE FROM things WHERE kind = ? AND name = ?", gone)
            self._file.executemany("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", kept)
        except sqlite3.Error as error:
            self._failed(error)
            return
        if not claimed:
            self._commit()

    def _commit(self) -> None:
        try:
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            self._failed(error)
            return
        self._unwritten.clear()
        if self._trouble is not None:
            self._trouble = None
            self._log.info("state is kept again")

    def _failed(self, error: Exception) -> None:
        with suppress(sqlite3.Error):
            self._file.execute("ROLLBACK")
        if self._trouble is None:
            self._log.warning("state cannot be kept, going on without", reason=_words(error))
        self._trouble = _words(error)

    def close(self) -> None:
        """Lets the file go."""
        self._file.close()


def _connect(path: str) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _set_up(file)
    except BaseException:
        file.close()
        raise
    return file


def _set_up(file: sqlite3.Connection) -> None:
    facts = ("SELECT count(*) FROM sqlite_master", "PRAGMA application_id", "PRAGMA user_version")
    tables, mark, version = (file.execute(fact).fetchone()[0] for fact in facts)
    if tables and (mark, version) != (_MARK, VERSION):
        raise _ForeignError("not a state file of this version")
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")  # a call's start outlives a power cut
    if not tables:
        file.execute(_TABLE)
        file.execute(f"PRAGMA application_id = {_MARK}")
        file.execute(f"PRAGMA user_version = {VERSION}")


def _text(body: Any) -> str:
    return json.dumps(body, ensure_ascii=True, separators=(",", ":"))


def _words(error: Exception) -> str:
    """What went wrong, without the path: it may be long and nobody's business."""
    return error.strerror or "" if isinstance(error, OSError) else str(error)
