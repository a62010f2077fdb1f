"""The rows of one account in PostgreSQL, fenced: who has lost the account writes nothing."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from math import inf
from sqlite3 import connect
from typing import Any

import structlog

from exporter.account.codec import StoredRow
from exporter.account.migrations import CREATE, MIGRATIONS, VERSION
from exporter.account.postgresql.connections import (
    FAILURES,
    OUTAGES,
    Connections,
    from_text,
    to_text,
)
from exporter.account.postgresql.leases import FencedError, Lease, claim, claim_as_guest
from exporter.account.store import RowStore
from exporter.clock import Clock

_READ = """
SELECT name, body, boot, clock_offset, written FROM fusionsolar_row
WHERE account = %s AND kind = %s
"""
_READ_ALL = """
SELECT kind, name, body, boot, clock_offset, written FROM fusionsolar_row WHERE account = %s
"""
_PUT = """
INSERT INTO fusionsolar_row (account, kind, name, body, boot, clock_offset, written)
SELECT %s, * FROM
    unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::float8[], %s::float8[])
ON CONFLICT (account, kind, name) DO UPDATE SET body = excluded.body, boot = excluded.boot,
    clock_offset = excluded.clock_offset, written = excluded.written
"""
_DROP = """
DELETE FROM fusionsolar_row USING unnest(%s::text[], %s::text[]) AS gone (kind, name)
WHERE account = %s AND fusionsolar_row.kind = gone.kind AND fusionsolar_row.name = gone.name
"""
_DROP_ALL = "DELETE FROM fusionsolar_row WHERE account = %s"
_VERSION = "SELECT version FROM fusionsolar_account WHERE account = %s"
_SET_VERSION = "UPDATE fusionsolar_account SET version = %s WHERE account = %s"


class PostgresRows(RowStore):
    """The rows of one account, as the holder of its lease, or `beside` it.

    That is a command, without a lease, or what the holder itself does beside its polling.

    No call may be made whose start is not stored: another replica would not know of it.
    """

    def __init__(  # noqa: PLR0913  # whose they are, and who reads them
        self,
        connections: Connections,
        account: str,
        clock: Clock,
        me: str,
        lease: Lease | None,
        *,
        beside: bool = False,
    ) -> None:
        super().__init__()
        self.lease = lease
        self._beside = beside or lease is None
        self._connections = connections
        self._account = account
        self._clock = clock
        self._me = me
        self._abandoned = lease is not None and lease.abandoned
        self._lasts_until = -inf  # by the steady clock: what the last claim was granted
        self._is_current = lease is None  # whether the rows are of this version
        self._loaded: dict[str, dict[str, StoredRow]] | None = None  # before the first claim
        self._log = structlog.get_logger().bind(file=str(self))

    def __str__(self) -> str:
        """The database, as the log names it."""
        return self._connections.name

    @property
    def may_call(self) -> bool:
        """Whether the last claim was granted and written, and the lease lasts; any thread may ask.

        By a clock that goes on while the process is stopped or the machine sleeps.
        """
        return self._clock.now() < self._lasts_until

    @contextmanager
    def claim(self) -> Iterator[None]:
        self._lasts_until, self._loaded = -inf, None
        opened = ExitStack()
        with self._tolerating_failures(), ExitStack() as entering:
            connection = entering.enter_context(self._connections.transaction())
            self._lasts_until = self._lock_row(connection)
            self._claimed = connection
            opened = entering.pop_all()
        try:
            yield
        finally:
            claimed, self._claimed = self._claimed, None
            with self._tolerating_failures():
                with opened:
                    if claimed is not None:
                        self._put(claimed)
                if claimed is not None:
                    self._note_success()

    def was_abandoned(self) -> bool:
        abandoned, self._abandoned = self._abandoned, False
        return abandoned

    def close(self) -> None:
        self._loaded = None  # the connections are others' too

    def _stored_rows(self, kind: str) -> dict[str, StoredRow]:
        if self._claimed is not None or self._beside:
            return self._select(kind)
        if self._loaded is None:
            self._loaded = self._load()
        return dict(self._loaded.get(kind, {}))

    def _flush(self) -> None:
        with self._connections.transaction() as connection:
            self._lock_row(connection)
            self._put(connection)
        self._note_success()

    def _lock_row(self, connection: Any) -> float:
        """Keeps all others away until the transaction ends; returns until when the lease lasts."""
        if self.lease is None:
            claim_as_guest(connection, self._account)
            return inf
        before = self._clock.now()
        left = claim(connection, self._me, self.lease)
        if left is None:
            raise FencedError
        if not self._is_current:
            self._migrate(connection)
            self._is_current = True
        return before + left

    def _migrate(self, connection: Any) -> None:
        (version,) = connection.execute(_VERSION, (self._account,)).fetchone()
        if version == VERSION:
            return
        if version in MIGRATIONS:
            rows = connection.execute(_READ_ALL, (self._account,)).fetchall()
            connection.execute(_DROP_ALL, (self._account,))
            _insert(connection, self._account, migrated(rows, version))
        else:
            self._log.warning("state of a later version, taking over what is understood")
        connection.execute(_SET_VERSION, (VERSION, self._account))

    def _load(self) -> dict[str, dict[str, StoredRow]]:
        """All rows at once, as the one who takes an account over reads them."""
        found: dict[str, dict[str, StoredRow]] = {}
        with self._connections.transaction() as connection:
            self._lock_row(connection)
            for kind, name, *rest in connection.execute(_READ_ALL, (self._account,)):
                found.setdefault(kind, {})[from_text(name)] = StoredRow.of(*rest)
        return found

    def _select(self, kind: str) -> dict[str, StoredRow]:
        with ExitStack() as stack:
            connection = self._claimed or stack.enter_context(self._connections.transaction())
            rows = connection.execute(_READ, (self._account, kind))
            return {from_text(name): StoredRow.of(*rest) for name, *rest in rows}

    def _put(self, connection: Any) -> None:
        gone = [key for key, row in self._unwritten.items() if row is None]
        if gone:
            kinds, names = [kind for kind, _ in gone], [to_text(name) for _, name in gone]
            connection.execute(_DROP, (kinds, names, self._account))
        rows = [
            (kind, to_text(name), *row.columns)
            for (kind, name), row in self._unwritten.items()
            if row is not None
        ]
        _insert(connection, self._account, rows)

    def _note_success(self) -> None:
        self._unwritten.clear()
        if self._failing:
            self._failing = False
            self._log.debug("state is kept again")

    @contextmanager
    def _tolerating_failures(self) -> Iterator[None]:
        try:
            yield
        except FencedError as error:
            self._lasts_until = -inf
            self._unwritten.clear()  # it is not ours to write any more
            if not self._failing:
                self._log.info("state is not kept", reason=str(error))
            self._failing = True
        except (*FAILURES, UnicodeError) as error:
            self._lasts_until = -inf
            if not self._failing:
                # Of a database that is away, the replica tells once for all its accounts.
                self._log.log(
                    logging.DEBUG if isinstance(error, OUTAGES) else logging.WARNING,
                    "state cannot be kept, no call is made until it can",
                    reason=reason_of(error),
                )
            self._failing = True


def reason_of(error: BaseException) -> str:
    """The first line of what went wrong, which names no password."""
    lines = str(error.__cause__ or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def migrated(rows: Iterable[Any], version: int) -> list[tuple[Any, ...]]:
    """Rows of an earlier version as those of this one, by the migrations of files."""
    with closing(connect(":memory:", isolation_level=None)) as file:
        file.execute(CREATE)
        file.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", rows)
        for step in range(version, VERSION):
            MIGRATIONS[step](file)
        return file.execute(
            "SELECT kind, name, body, boot, clock_offset, written FROM rows"
        ).fetchall()


def _insert(connection: Any, account: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(_PUT, (account, *columns))
