"""Which replica holds which account: read, acquired, renewed and released in the database.

A replica proves every few seconds that it lives, in one row; an account's row names its holder, and
an epoch that each change of holders raises. So one write keeps any number of accounts. All times
are those of the database's clock: what a replica may still do is told to it in seconds left.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exporter.account.migrations import VERSION

LEASE = 15.0  # seconds that a replica's accounts are its own after its last sign of life
HEARTBEAT = 2.0  # seconds from one sign of life to the next
LOST = -1  # an epoch that no account has

_RENEW = """
INSERT INTO fusionsolar_replica VALUES (
    %(id)s, %(peers)s, %(version)s, clock_timestamp() + %(lease)s * interval '1 s'
)
ON CONFLICT (id) DO UPDATE
    SET peers = excluded.peers, version = excluded.version, expires_at = excluded.expires_at
"""
_DELETE_EXPIRED = (
    "DELETE FROM fusionsolar_replica WHERE expires_at < clock_timestamp() - interval '1 hour'"
)
_REGISTER = """
INSERT INTO fusionsolar_account (account, version) SELECT unnest(%s::text[]), %s
ON CONFLICT DO NOTHING
"""
_REPLICAS = """
SELECT id, peers, version FROM fusionsolar_replica WHERE expires_at > clock_timestamp()
"""
_HOLDERS = """
SELECT account, a.version, holder, epoch, r.expires_at > clock_timestamp()
FROM fusionsolar_account a LEFT JOIN fusionsolar_replica r ON r.id = holder
WHERE account = ANY (%s)
"""
# An account whose holder is at its row just now is not waited for.
_ACQUIRE = """
WITH free AS (
    SELECT account, holder FROM fusionsolar_account a
    WHERE account = ANY (%(accounts)s) AND NOT EXISTS (
        SELECT FROM fusionsolar_replica r WHERE r.id = a.holder AND expires_at > clock_timestamp()
            AND NOT (%(again)s AND r.id = %(id)s)
    )
    ORDER BY account LIMIT %(most)s FOR UPDATE OF a SKIP LOCKED
)
UPDATE fusionsolar_account a SET holder = %(id)s, epoch = epoch + 1
FROM free WHERE a.account = free.account
RETURNING a.account, epoch, free.holder IS NOT NULL
"""
_RELEASE = """
UPDATE fusionsolar_account SET holder = NULL WHERE account = %s AND holder = %s AND epoch = %s
"""
_LEAVE = "DELETE FROM fusionsolar_replica WHERE id = %s"
_CLAIM = """
SELECT extract(epoch FROM r.expires_at - clock_timestamp())::float8
FROM fusionsolar_account a LEFT JOIN fusionsolar_replica r ON r.id = holder
WHERE account = %s AND holder = %s AND epoch = %s
FOR UPDATE OF a
"""
_CLAIM_AS_GUEST = "SELECT FROM fusionsolar_account WHERE account = %s FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Lease:
    """An account that is held, by its epoch.

    `abandoned` says that the holder before never let it go, and may be at work still.
    """

    account: str
    epoch: int
    abandoned: bool = False


class FencedError(Exception):
    """Somebody else holds the account by now."""

    def __init__(self) -> None:
        super().__init__("another replica holds the account")


@dataclass(frozen=True, slots=True)
class Peer:
    """A replica that lives; those with the same `peers` share the same accounts."""

    id: str
    peers: str
    version: int


@dataclass(frozen=True, slots=True)
class AccountHolder:
    """An account as the database has it; without a holder that lives, `holder` is None."""

    account: str
    version: int
    holder: str | None
    epoch: int


def renew(connection: Any, me: Peer) -> None:
    """Proves that a replica lives."""
    values = {"id": me.id, "peers": me.peers, "version": me.version, "lease": LEASE}
    connection.execute(_RENEW, values)


def register(connection: Any, accounts: Collection[str]) -> None:
    """Has rows for all of these accounts, and none of replicas that are long gone."""
    connection.execute(_DELETE_EXPIRED)
    connection.execute(_REGISTER, (sorted(accounts), VERSION))


def replicas(connection: Any) -> list[Peer]:
    """Those that live."""
    return [Peer(*row) for row in connection.execute(_REPLICAS)]


def holders(connection: Any, accounts: Collection[str]) -> Mapping[str, AccountHolder]:
    """Who holds these accounts."""
    rows = connection.execute(_HOLDERS, (list(accounts),))
    return {
        account: AccountHolder(account, version, holder if alive else None, epoch)
        for account, version, holder, epoch, alive in rows
    }


def acquire(
    connection: Any, me: str, accounts: Collection[str], most: int, *, again: bool = False
) -> Iterable[Lease]:
    """Acquires up to so many of these accounts: free ones, and its own with `again`."""
    values = {"id": me, "accounts": list(accounts), "most": most, "again": again}
    return [Lease(*row) for row in connection.execute(_ACQUIRE, values)]


def release(connection: Any, me: str, lease: Lease) -> None:
    """Releases an account, which any replica may acquire at once."""
    connection.execute(_RELEASE, (lease.account, me, lease.epoch))


def leave(connection: Any, me: str) -> None:
    """Deregisters a replica."""
    connection.execute(_LEAVE, (me,))


def claim(connection: Any, me: str, lease: Lease) -> float | None:
    """Locks an account's row for this transaction; returns how long the lease lasts, in seconds.

    That is 0 or less where it is over, but no other replica has acquired the account; None where
    one has.
    """
    row = connection.execute(_CLAIM, (lease.account, me, lease.epoch)).fetchone()
    return None if row is None else row[0] if row[0] is not None else 0.0


def claim_as_guest(connection: Any, account: str) -> None:
    """Locks an account's row for this transaction, whichever replica holds it."""
    connection.execute(_CLAIM_AS_GUEST, (account,))
