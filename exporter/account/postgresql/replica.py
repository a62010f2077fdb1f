"""One replica among others: it sends heartbeats, and acquires and releases accounts."""

import socket
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from hashlib import sha256
from secrets import token_hex
from threading import Event, Lock, Thread

import psycopg
import structlog

from exporter.account.migrations import VERSION
from exporter.account.postgresql import leases
from exporter.account.postgresql.balance import balance
from exporter.account.postgresql.connections import FAILURES, Connections
from exporter.account.postgresql.leases import HEARTBEAT, LEASE, AccountHolder, Lease, Peer
from exporter.account.postgresql.rows import reason_of
from exporter.clock import Clock, SystemClock

# Seconds without taking anything after a start, or after the database was away: others that start
# or come back at the same time are to be known first, or one would take all.
SETTLING_TIME = 3 * HEARTBEAT


class Replica:
    """What one process holds. One thread lets it `beat`; any thread may ask.

    One that does not `share`, as a command's, takes only what it is told to.
    """

    def __init__(
        self, connections: Connections, clock: Clock | None = None, *, share: bool = True
    ) -> None:
        self.id = f"{socket.gethostname()}-{token_hex(4)}"
        self._connections = connections
        self._clock = clock or SystemClock()
        self._share = share
        self._accounts: frozenset[str] = frozenset()
        self._introduced: frozenset[str] | None = None
        self._leases: dict[str, Lease] = {}
        self._leaving: set[str] = set()
        self._lock = Lock()
        self._asking = Lock()  # or a beat would bring back what is let go meanwhile
        self._beat_at: float | None = None
        self._alive_since = 0.0
        self._failing = False
        self._stopped = Event()
        self._thread: Thread | None = None
        self._log = structlog.get_logger().bind(replica=self.id)

    @property
    def has_begun(self) -> bool:
        """Whether the database has been reached, and others have had the time to be known."""
        return self._beat_at is not None and self._is_settled(self._beat_at)

    @property
    def leases(self) -> Mapping[str, Lease]:
        """The accounts that it holds and is not to release, by name."""
        with self._lock:
            return {name: each for name, each in self._leases.items() if name not in self._leaving}

    @property
    def leaving(self) -> Collection[str]:
        """The accounts that it is to release, as soon as no call is under way."""
        with self._lock:
            return set(self._leaving)

    @property
    def is_alive(self) -> bool:
        """Whether its accounts are its own by now, as far as it knows."""
        return self._beat_at is not None and self._clock.now() < self._beat_at + LEASE

    def configure(self, accounts: Collection[str]) -> None:
        """Sets the configured accounts; others that it holds are to be released."""
        with self._lock:
            self._accounts = frozenset(accounts)
            self._leaving |= self._leases.keys() - self._accounts

    def start(self, changed: Callable[[], None]) -> None:
        """Sends heartbeats from a thread, which calls `changed` when its leases may differ."""
        self._thread = Thread(target=self._run, args=(changed,), name="leases", daemon=True)
        self._thread.start()

    def _run(self, changed: Callable[[], None]) -> None:
        while not self._stopped.is_set():
            self.try_to_beat()
            changed()
            self._stopped.wait(HEARTBEAT)

    def try_to_beat(self) -> None:
        """Beats, or says once that it cannot."""
        try:
            self.beat()
        except FAILURES as error:
            if not self._failing:
                self._log.warning("database unreachable", reason=reason_of(error))
            self._failing = True
        else:
            if self._failing:
                self._log.info("database reachable again")
            self._failing = False

    def beat(self) -> None:
        """Sends a heartbeat, reads what it holds, and acquires or releases what it should.

        Raises:
            psycopg.Error, OSError, SchemaError: The database is out of reach.
        """
        with self._asking:
            self._beat()

    def _beat(self) -> None:
        now, accounts = self._clock.now(), self._accounts
        me = Peer(self.id, _peers(accounts) if self._share else "", VERSION)
        acquired: Collection[Lease] = ()
        with self._connections.transaction() as connection:
            self._connections.read_clock(connection)
            if self._introduced != accounts:
                leases.register(connection, accounts)
            leases.renew(connection, me)
            alive = leases.replicas(connection)
            held = leases.holders(connection, accounts | self._leases.keys())
            if self._beat_at is None or now - self._beat_at >= LEASE:
                self._alive_since = now
            if self._share and self._is_settled(now):
                acquired = self._balance(connection, me, alive, held)
        self._introduced = accounts if len(held) >= len(accounts) else None  # some were deleted
        self._beat_at = now
        self._note(held, acquired)

    def _is_settled(self, now: float) -> bool:
        return now - self._alive_since >= SETTLING_TIME

    def _balance(
        self,
        connection: psycopg.Connection[tuple[object, ...]],
        me: Peer,
        alive: Collection[Peer],
        held: Mapping[str, AccountHolder],
    ) -> Collection[Lease]:
        newest = max(each.version for each in alive)
        # What a later version wrote is left to it, as long as there is one.
        mine = [
            each.account
            for each in held.values()
            if each.account in self._accounts and not me.version < each.version <= newest
        ]
        peers = [each.id for each in alive if each.peers == me.peers]
        holders = {each.account: each.holder for each in held.values()}
        decided = balance(self.id, mine, holders, peers)
        if decided.release is not None:
            with self._lock:
                self._leaving.add(decided.release)  # the same one, until it is let go
        free = [name for name in mine if holders[name] is None]
        return (
            list(leases.acquire(connection, self.id, free, decided.acquire))
            if decided.acquire
            else ()
        )

    def _note(self, held: Mapping[str, AccountHolder], acquired: Collection[Lease]) -> None:
        """What it holds now: as the database has it, whatever it thought before."""
        found = {each.account: each for each in acquired}
        with self._lock:
            for each in held.values():
                if each.holder == self.id:
                    known = self._leases.get(each.account)
                    # One that it does not know of was taken by a beat whose end it did not see.
                    same = known is not None and known.epoch == each.epoch
                    lease = known if same else Lease(each.account, each.epoch, abandoned=True)
                    found[each.account] = lease  # type: ignore[assignment]  # known where it is the same
            lost = self._leases.keys() - found.keys()
            self._leases = found
            self._leaving &= found.keys()
        if lost:
            self._log.warning("accounts were taken over by other replicas", accounts=len(lost))

    def acquire(self, account: str) -> bool:
        """Acquires one account, unless a live replica holds it; returns whether it has it.

        Raises:
            psycopg.Error, OSError, SchemaError: The database is out of reach.
        """
        with self._connections.transaction() as connection:
            acquired = leases.acquire(connection, self.id, [account], 1)
        with self._lock:
            self._leases |= {each.account: each for each in acquired}
            return account in self._leases

    def release(self, account: str) -> None:
        """Releases an account, which another may acquire at once; a failure is tried again."""
        with self._lock:
            lease = self._leases.get(account)
            if lease is None:
                return
            self._leaving.add(account)
        with self._asking:
            try:
                with self._connections.transaction() as connection:
                    leases.release(connection, self.id, lease)
            except FAILURES:
                return
            with self._lock:
                if self._leases.get(account) == lease:
                    del self._leases[account]
                self._leaving.discard(account)

    def leave(self) -> None:
        """Leaves all that it holds to others, who need not wait until it is known to be dead."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        if not self._share:  # no call of a command is under way any more
            for account in [*self._leases]:
                self.release(account)
        with suppress(*FAILURES), self._connections.transaction() as connection:
            leases.leave(connection, self.id)


def _peers(accounts: Collection[str]) -> str:
    """What replicas have in common that share the same accounts, in the same version."""
    return sha256("\n".join([str(VERSION), *sorted(accounts)]).encode()).hexdigest()[:16]
