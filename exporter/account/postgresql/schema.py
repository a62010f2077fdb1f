"""The tables: accounts with who holds them, their rows, the replicas that live, and the hosts."""

from typing import Any

SCHEMA = 1  # of these tables; what is in the rows has a version of its own, by account
_MARK = 0x46534558  # the advisory lock under which they are created

_CREATE = """
CREATE TABLE fusionsolar_schema (version integer NOT NULL);
CREATE TABLE fusionsolar_replica (
    id text PRIMARY KEY, peers text NOT NULL, version integer NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE fusionsolar_account (
    account text PRIMARY KEY, version integer NOT NULL, holder text, epoch bigint NOT NULL DEFAULT 0
);
CREATE TABLE fusionsolar_row (
    account text NOT NULL, kind text NOT NULL, name text NOT NULL, body text NOT NULL,
    boot text, clock_offset double precision NOT NULL, written double precision NOT NULL,
    PRIMARY KEY (account, kind, name)
) WITH (fillfactor = 80);
CREATE TABLE fusionsolar_host (
    host text PRIMARY KEY, holder text, turn_ends timestamptz NOT NULL DEFAULT '-infinity',
    pause double precision NOT NULL DEFAULT 0, paused_until timestamptz NOT NULL DEFAULT '-infinity'
);
"""


class SchemaError(Exception):
    """The tables are those of a later version."""


def ensure(connection: Any) -> None:
    """Makes the tables, where there are none.

    Raises:
        SchemaError: They are of a later version.
        psycopg.Error: The database is out of reach, or does not let us.
    """
    # Asked first: a user that may not create anything may still use what is there.
    if not connection.execute("SELECT to_regclass('fusionsolar_host')").fetchone()[0]:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MARK,))
            if not connection.execute("SELECT to_regclass('fusionsolar_host')").fetchone()[0]:
                connection.execute(_CREATE)
                connection.execute("INSERT INTO fusionsolar_schema VALUES (%s)", (SCHEMA,))
    (version,) = connection.execute("SELECT max(version) FROM fusionsolar_schema").fetchone()
    if version != SCHEMA:
        raise SchemaError(f"its tables are of version {version}, this one uses {SCHEMA}")
