"""The gate of a host for all replicas: one login at a time, and pauses are shared."""

from contextlib import suppress
from typing import Any, LiteralString

from exporter.account.login import LOGIN_TURN, HostGate
from exporter.account.postgresql.connections import FAILURES, Connections
from exporter.account.quotas import Backoff
from exporter.clock import Clock
from exporter.northbound.errors import CallError

_WAIT = 1.0  # seconds until another replica's turn is looked after again

_ACQUIRE_TURN = """
INSERT INTO fusionsolar_host AS host (host, holder, turn_ends)
VALUES (%(host)s, %(id)s, clock_timestamp() + %(turn)s * interval '1 s')
ON CONFLICT (host) DO UPDATE SET holder = excluded.holder, turn_ends = excluded.turn_ends
WHERE host.turn_ends <= clock_timestamp() RETURNING host
"""
_RELEASE_TURN = (
    "UPDATE fusionsolar_host SET turn_ends = '-infinity' WHERE host = %s AND holder = %s"
)
_PAUSE = """
INSERT INTO fusionsolar_host (host, pause, paused_until)
VALUES (%(host)s, %(pause)s, clock_timestamp() + %(left)s * interval '1 s')
ON CONFLICT (host) DO UPDATE SET pause = excluded.pause, paused_until = excluded.paused_until
"""
_READ = """
SELECT pause, extract(epoch FROM greatest(paused_until, 'epoch') - clock_timestamp())::float8
FROM fusionsolar_host WHERE host = %s
"""


class SharedHostGate(HostGate):
    """The gate of one host, in this process and in the database. Any thread may use it."""

    __slots__ = ("_clock", "_connections", "_host", "_me")

    def __init__(self, connections: Connections, clock: Clock, host: str, me: str) -> None:
        super().__init__()
        self._connections = connections
        self._clock = clock
        self._host = host
        self._me = me

    def acquire_turn(self, now: float) -> float:
        """Acquires the turn to log in; returns 0, or the seconds after which to try again."""
        wait = super().acquire_turn(now)
        if wait > 0:
            return wait
        values = {"host": self._host, "id": self._me, "turn": LOGIN_TURN}
        try:
            with self._connections.transaction() as connection:
                if connection.execute(_ACQUIRE_TURN, values).fetchone():
                    return 0.0
        except FAILURES:  # nor could the login be stored
            pass
        super().release_turn(now)
        return _WAIT

    def release_turn(self, acquired_at: float) -> None:
        """Releases the turn that was acquired then, unless another account has it by now."""
        super().release_turn(acquired_at)
        self._write(_RELEASE_TURN, (self._host, self._me))

    def refuse(self, start: float, now: float, error: CallError, scale: float) -> None:
        """Makes all accounts wait, those of other replicas too."""
        before = self.pause.until
        super().refuse(start, now, error, scale)
        if self.pause.until != before:
            left = self.pause.until - self._clock.now()
            self._write(_PAUSE, {"host": self._host, "pause": self.pause.wait, "left": left})

    def lift(self) -> None:
        """Lets all accounts go on at once, those of other replicas too."""
        if self.pause != Backoff():
            super().lift()
            self._write(_PAUSE, {"host": self._host, "pause": 0.0, "left": 0.0})

    def look(self) -> None:
        """Takes over the pause that another replica has begun, or lifted.

        Raises:
            psycopg.Error, OSError, SchemaError: The database is out of reach.
        """
        now = self._clock.now()
        with self._connections.transaction() as connection:
            found = connection.execute(_READ, (self._host,)).fetchone()
        if found is not None and found[1] > max(0.0, self.pause.until - now + _WAIT):
            self.pause = Backoff(found[0], now + found[1])
        elif found is not None and not found[0] and self.pause.until > now:
            super().lift()

    def _write(self, statement: LiteralString, values: Any) -> None:
        with suppress(*FAILURES), self._connections.transaction() as connection:
            connection.execute(statement, values)
