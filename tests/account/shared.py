"""Replicas of a test, without threads: a test lets them beat, and says when they are dead."""

import psycopg
from account.restarts import Clock

from exporter.account.postgresql.connections import Connections, DatabaseClock
from exporter.account.postgresql.replica import SETTLING_TIME, Replica
from exporter.account.postgresql.rows import PostgresRows


class StillClock(Clock):
    """A steady clock that a test moves."""

    def advance(self, seconds):
        self.at += seconds


class Member:
    """One replica, its connections, and its clock."""

    def __init__(self, url, accounts=("a",), *, share=True):
        self.connections = Connections(url)
        self.clock = StillClock(1000.0)
        self.replica = Replica(self.connections, self.clock, share=share)
        self.replica.configure(accounts)

    def beat(self):
        self.replica.beat()
        return sorted(self.replica.leases)

    def settle(self):
        """Beats until it takes part."""
        self.beat()
        self.clock.advance(SETTLING_TIME)
        return self.beat()

    def rows(self, clock=None, account="a"):
        clock = clock or DatabaseClock(self.connections.wall)
        lease = self.replica.leases[account]
        return PostgresRows(self.connections, account, clock, self.replica.id, lease)

    def guest(self, account="a"):
        clock = DatabaseClock(self.connections.wall)
        return PostgresRows(self.connections, account, clock, self.replica.id, None)

    def close(self):
        self.connections.close()


def execute(url, statement, *values):
    """What somebody else does to the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else None


def expire(url, member):
    """A replica's lease runs out."""
    past = "UPDATE fusionsolar_replica SET expires_at = clock_timestamp() WHERE id = %s"
    execute(url, past, member.replica.id)
