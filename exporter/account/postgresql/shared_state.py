"""The accounts' state in PostgreSQL, as one process uses it: the daemon's or a command's."""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from exporter.account.postgresql.connections import FAILURES, Connections, DatabaseClock
from exporter.account.postgresql.fence import Fence
from exporter.account.postgresql.host_gate import SharedHostGate
from exporter.account.postgresql.leases import Lease
from exporter.account.postgresql.replica import Replica
from exporter.account.postgresql.rows import PostgresRows, reason_of
from exporter.account.state_directory import AccountKey, OccupiedError, UnreachableError


class SharedState:
    """The state of all accounts, of which this process holds some. Any thread may ask."""

    def __init__(self, url: str, *, share: bool = True) -> None:
        """Reaches for nothing yet.

        Raises:
            ValueError: The URL is none.
        """
        self._connections = Connections(url)
        self.replica = Replica(self._connections, share=share)
        self._gates: dict[str, SharedHostGate] = {}
        self._fences: dict[str, Fence] = {}
        self._turn = Lock()  # of all fences

    def __str__(self) -> str:
        """The database, without its user."""
        return self._connections.name

    def clock(self) -> DatabaseClock:
        """A clock for one account."""
        return DatabaseClock(self._connections.wall)

    def gate(self, host: str) -> SharedHostGate:
        """The gate of a host, which is always the same."""
        return self._gates.setdefault(
            host, SharedHostGate(self._connections, self.clock(), host, self.replica.id)
        )

    def rows(self, key: AccountKey, lease: Lease | None, *, beside: bool = False) -> PostgresRows:
        """The rows of an account: of a lease, or as a command finds them beside its holder."""
        return PostgresRows(
            self._connections, key, self.clock(), self.replica.id, lease, beside=beside
        )

    def fence(self, key: AccountKey, part: str) -> Fence:
        """What keeps others from a part of an account, which is always the same."""
        name = f"{key}/{part}"
        made = Fence(self._connections, self.replica.id, name, self._turn)
        return self._fences.setdefault(name, made)

    def start(self, changed: Callable[[], None]) -> None:
        """Holds its share of the accounts from now on; calls `changed` when that may differ."""

        def look() -> None:
            with suppress(*FAILURES):
                for gate in list(self._gates.values()):
                    gate.look()
            changed()

        self.replica.start(look)

    def close(self) -> None:
        """Lets all go at once."""
        self.replica.leave()
        self._connections.close()

    def acquire(self, key: AccountKey, name: str) -> None:
        """Acquires an account for a while.

        Raises:
            OccupiedError: A replica works with it.
            UnreachableError: The database cannot be used.
        """
        self.replica.configure({*self.replica.leases, key})
        try:
            self.replica.beat()
            if self.replica.acquire(key):
                return
        except FAILURES as error:
            raise UnreachableError(reason_of(error)) from None
        raise OccupiedError(f"account {name} is used by another process (state in {self})")
