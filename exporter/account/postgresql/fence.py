"""A part of an account beside its state that one process works with at a time, as its past."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

from exporter.account.postgresql import leases
from exporter.account.postgresql.connections import FAILURES, Connections
from exporter.account.postgresql.leases import FencedError, Lease


class Fence:
    """Held by a lease of its own: its work may outlast that of the account, or a replica.

    The lease lasts as long as this replica lives. Within the process a lock keeps others away. The
    transactions of all that have the same `turn` come one after the other: what polls needs the
    connections more.
    """

    def __init__(self, connections: Connections, me: str, name: str, turn: Lock) -> None:
        self.name = name
        self._turn = turn
        self._connections = connections
        self._me = me
        self._taken = Lock()
        self._lease: Lease

    def __str__(self) -> str:
        """The database, without its user."""
        return self._connections.name

    def acquire(self) -> bool:
        """Acquires it, to be released; returns whether it is ours alone.

        Raises:
            psycopg.Error, OSError, SchemaError: The database is out of reach.
        """
        if not self._taken.acquire(blocking=False):
            return False
        is_ours = False
        try:
            with self._turn, self._connections.transaction() as connection:
                leases.register(connection, [self.name])
                # Again: what was acquired, or released, by a transaction whose end was not seen.
                acquired = list(leases.acquire(connection, self._me, [self.name], 1, again=True))
            if acquired:
                [self._lease], is_ours = acquired, True
        finally:
            if not is_ours:
                self._taken.release()
        return is_ours

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A transaction of the holder; no other one is under way.

        Raises:
            FencedError: Another process has it by now.
            psycopg.Error, OSError, SchemaError: It failed, or took too long; nothing is written.
        """
        with self._turn, self._connections.transaction() as connection:
            if leases.claim(connection, self._me, self._lease) is None:
                raise FencedError
            yield connection

    def release(self) -> None:
        """Releases it, for anybody to acquire at once."""
        with suppress(*FAILURES), self._turn, self._connections.transaction() as connection:
            leases.release(connection, self._me, self._lease)
        self._taken.release()
