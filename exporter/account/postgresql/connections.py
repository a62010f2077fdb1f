"""Connections to one database, shared by the threads of a process, each transaction in time.

A pool of our own: psycopg's waits longer and longer for a database that is gone, and none of its
time-outs ends a statement whose answer a cut network has swallowed.
"""

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from exporter.account.postgresql.schema import SchemaError, ensure
from exporter.clock import SystemClock

MAX_CONNECTIONS = 4  # at once; transactions take milliseconds
TIMEOUT = 5.0  # seconds for a transaction, and for the server until it ends an idle one
_RETRY = 0.5  # seconds without another try after a failed one
_MAX_ROUND_TRIP = 0.25  # seconds that reading the database's clock may take
_SET_UP = (
    f"SET idle_in_transaction_session_timeout = {TIMEOUT * 1000:.0f};"
    f"SET statement_timeout = {TIMEOUT * 1000:.0f};"
    "SET TIME ZONE 'UTC'"
)
# Wherever the URL says nothing else: a connection fails, instead of waiting for hours.
_DEFAULTS = {
    "connect_timeout": "3",
    "tcp_user_timeout": "5000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "application_name": "fusionsolar-exporter",
}

OUTAGES = (psycopg.OperationalError, OSError)
FAILURES = (psycopg.Error, OSError, SchemaError)


class DatabaseClock(SystemClock):
    """The machine's steady clock, and the database's wall clock: one for all replicas.

    The hosts' own may differ by more than the limits' margins; stored times are compared by this.
    """

    def __init__(self, wall: "WallClock") -> None:
        super().__init__()
        self._wall = wall

    def time(self) -> float:
        """Seconds since the epoch."""
        return self.now() + self._wall.offset


class WallClock:
    """What the database's clock shows more than the machine's steady one; its own until asked."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.offset = clock.time() - clock.now()
        self._known = False

    def note(self, before: float, shown: float, after: float) -> None:
        """Notes a reading of it, made between two moments of the steady clock."""
        if not self._known or after - before < _MAX_ROUND_TRIP:
            self.offset = shown - (before + after) / 2
            self._known = True


class Connections:
    """Opened when they are needed, and again after they are lost. Any thread may use them."""

    def __init__(self, url: str) -> None:
        """Opens none yet.

        Raises:
            ValueError: It is no URL of a PostgreSQL database; the text quotes nothing of it.
        """
        _refuse_split_password(url)
        try:
            given: dict[str, Any] = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise ValueError("is no URL that PostgreSQL understands") from None
        self._conninfo = make_conninfo(**{**_DEFAULTS, **given})
        self.name = f"postgresql://{given.get('host', '')}/{given.get('dbname', '')}"
        self.wall = WallClock()
        self._clock = SystemClock()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._idle: list[psycopg.Connection[Any]] = []
        self._since: dict[psycopg.Connection[Any], float] = {}  # in use, since when
        self._lock = threading.Lock()
        self._failed_at = -TIMEOUT
        self._failure: Exception | None = None
        self._watching = False
        self._ensured = False
        self._closed = threading.Event()

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of at most `TIMEOUT` seconds.

        Raises:
            psycopg.Error, OSError, SchemaError: It failed, or took too long; nothing is written.
        """
        if not self._slots.acquire(timeout=TIMEOUT):
            raise psycopg.OperationalError("all connections are in use")
        try:
            connection = self._borrow()
            try:
                with connection.transaction():
                    yield connection
            except psycopg.Error:
                # What failed may be the connection's own, such as being read-only.
                connection.close()
                raise
            finally:
                self._give_back(connection)
        finally:
            self._slots.release()

    def read_clock(self, connection: psycopg.Connection[Any]) -> None:
        """Looks at the database's clock."""
        before = self._clock.now()
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        if row is not None:
            self.wall.note(before, row[0], self._clock.now())

    def close(self) -> None:
        """Closes all that are not in use."""
        self._closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    def _borrow(self) -> psycopg.Connection[Any]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            if connection is None and self._clock.now() - self._failed_at < _RETRY:
                raise psycopg.OperationalError("was out of reach just now") from self._failure
        if connection is None:
            connection = self._open()
        with self._lock:
            self._since[connection] = self._clock.now()
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="database watch", daemon=True).start()
        return connection

    def _open(self) -> psycopg.Connection[Any]:
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
            try:
                connection.execute(_SET_UP)
                self.read_clock(connection)
                if not self._ensured:
                    ensure(connection)
                    self._ensured = True
            except BaseException:
                connection.close()
                raise
        except FAILURES as error:
            with self._lock:
                self._failed_at, self._failure = self._clock.now(), error
            raise
        return connection

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        healthy = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with self._lock:
            self._since.pop(connection, None)
            if healthy and not self._closed.is_set():
                self._idle.append(connection)
                return
            # A server that restarts has ended the others too.
            idle, self._idle = self._idle, []
        for each in (connection, *idle):
            each.close()

    def _watch(self) -> None:
        """Cuts what takes too long: nobody else ends a wait for an answer that was lost."""
        while not self._closed.wait(TIMEOUT / 5):
            late = self._clock.now() - TIMEOUT
            with self._lock:
                for connection, since in self._since.items():
                    if since < late:
                        _shut_down(connection)


def _refuse_split_password(url: str) -> None:
    """A password ends at its first @ or /, so that the rest of it would be a host or a database.

    Both are told in the log and on pages.

    Raises:
        ValueError: It is split.
    """
    place = url.partition("://")[2].partition("?")[0]
    before, at, after = place.partition("@")
    if at and ("/" in before or "@" in after):
        raise ValueError("has a password with @ or /, which have to be written as %40 and %2F")


def _shut_down(connection: psycopg.Connection[Any]) -> None:
    with suppress(OSError, psycopg.Error):
        number = os.dup(connection.fileno())
        with socket.socket(fileno=number) as cut:
            cut.shutdown(socket.SHUT_RDWR)


# --- names, as texts of PostgreSQL, which lack one character -------------------------------------

_ESCAPED = re.compile(r"\\[\\0]")


def to_text(name: str) -> str:
    """A name without the one character that no text of PostgreSQL has."""
    return name.replace("\\", "\\\\").replace("\0", "\\0")


def from_text(stored: str) -> str:
    """The name that was stored so."""
    return _ESCAPED.sub(lambda found: "\0" if found[0] == "\\0" else "\\", stored)
