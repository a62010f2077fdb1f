"""An archive in the database that replicas share: each holder continues where the last stopped.

Read by parts: a transaction has to end in seconds, and of devices over years there are many units.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from exporter.account.postgresql.connections import FAILURES, from_text, to_text
from exporter.account.postgresql.fence import Fence
from exporter.account.postgresql.leases import FencedError
from exporter.account.postgresql.rows import reason_of
from exporter.history import archive
from exporter.history.plan import MAX_UTC_OFFSET, HistoryUnit

PART = 10_000  # rows that are read at once

_CREATE = """
CREATE TABLE IF NOT EXISTS fusionsolar_history_answer (
    account text NOT NULL, interface text NOT NULL, subject text NOT NULL,
    begin double precision NOT NULL, until double precision NOT NULL, refused text NOT NULL,
    rows bytea,
    PRIMARY KEY (account, interface, subject, begin)
);
CREATE TABLE IF NOT EXISTS fusionsolar_history_sent (
    account text NOT NULL, target text NOT NULL, interface text NOT NULL, subject text NOT NULL,
    begin double precision NOT NULL, since double precision NOT NULL,
    until double precision NOT NULL,
    PRIMARY KEY (account, target, interface, subject, begin)
);
CREATE TABLE IF NOT EXISTS fusionsolar_history_call (
    account text NOT NULL, interface text NOT NULL, device_type integer,
    start double precision NOT NULL, lasted double precision NOT NULL
);
CREATE INDEX IF NOT EXISTS fusionsolar_history_call_of ON fusionsolar_history_call (account);
"""
_IS_THERE = "SELECT to_regclass('fusionsolar_history_call_of')"

_PUT_ANSWERS = """
INSERT INTO fusionsolar_history_answer
SELECT %s, * FROM unnest(
    %s::text[], %s::text[], %s::float8[], %s::float8[], %s::text[], %s::bytea[]
)
ON CONFLICT (account, interface, subject, begin) DO UPDATE
    SET until = excluded.until, refused = excluded.refused, rows = excluded.rows
"""
_COVERED = """
SELECT subject, begin, until, refused FROM fusionsolar_history_answer
WHERE account = %(account)s AND interface = %(interface)s
    AND (%(after)s::text IS NULL OR (subject, begin) > (%(after)s, %(after_begin)s))
ORDER BY subject, begin LIMIT %(most)s
"""
_ROWS = """
SELECT rows FROM fusionsolar_history_answer
WHERE account = %s AND interface = %s AND subject = %s AND begin = %s
"""
_UNSENT = """
SELECT a.interface, a.subject, a.begin, a.until, s.since, s.until
FROM fusionsolar_history_answer a LEFT JOIN fusionsolar_history_sent s
    ON s.account = a.account AND s.target = %(target)s
    AND s.interface = a.interface AND s.subject = a.subject AND s.begin = a.begin
WHERE a.account = %(account)s AND a.rows IS NOT NULL
    AND greatest(a.begin - %(offset)s, %(start)s) < least(a.until, %(end)s) AND NOT coalesce(
        s.since <= greatest(a.begin - %(offset)s, %(start)s)
        AND s.until >= least(a.until, %(end)s), FALSE
    )
    AND (%(after)s::text IS NULL OR (a.begin, a.interface, a.subject)
        > (%(after_begin)s, %(after_interface)s, %(after)s))
ORDER BY a.begin, a.interface, a.subject LIMIT %(most)s
"""
_PUT_SENT = """
INSERT INTO fusionsolar_history_sent AS had
SELECT %s, %s, * FROM unnest(%s::text[], %s::text[], %s::float8[], %s::float8[], %s::float8[])
ON CONFLICT (account, target, interface, subject, begin) DO UPDATE
    SET since = least(had.since, excluded.since), until = greatest(had.until, excluded.until)
"""
_FORGET_CALLS = "DELETE FROM fusionsolar_history_call WHERE account = %s AND start < %s"
_PUT_CALL = "INSERT INTO fusionsolar_history_call VALUES (%s, %s, %s, %s, %s)"
_CALLS = """
SELECT device_type, start, lasted FROM fusionsolar_history_call
WHERE account = %s AND interface = %s ORDER BY start
"""


@contextmanager
def archive_in_tables(fence: Fence) -> Iterator[archive.Archive]:
    """The archive in the database, for one job alone.

    Raises:
        ArchiveBusyError: It is in use, by this process or another one.
        ArchiveError: The database is out of reach, or does not let us.
    """
    with _archive_errors(fence):
        if not fence.acquire():
            raise archive.ArchiveBusyError
    try:
        with _archive_errors(fence), fence.transaction() as connection:
            # Asked first: a user that may not create anything may still use what is there.
            if not connection.execute(_IS_THERE).fetchone()[0]:
                connection.execute(_CREATE)
        yield ArchiveTables(fence)
    finally:
        fence.release()


@contextmanager
def _archive_errors(fence: Fence) -> Iterator[None]:
    try:
        yield
    except FencedError:
        raise archive.ArchiveBusyError from None
    except (*FAILURES, UnicodeError) as error:
        raise archive.ArchiveError(f"{fence}: {reason_of(error)}") from error


class ArchiveTables(archive.Archive):
    """The rows of one account in tables for all."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._account = fence.name

    def _put_answers(self, answers: Sequence[archive.Row]) -> None:
        if answers:
            self._run(_PUT_ANSWERS, (self._account, *_columns(answers)))

    def _coverage_rows(self, interface: str) -> Iterator[archive.Row]:
        values: dict[str, Any] = {"interface": interface, "after": None, "after_begin": None}
        for subject, *rest in self._parts(_COVERED, values, ("after", "after_begin")):
            yield (from_text(subject), *rest)

    def _rows(self, unit: HistoryUnit) -> bytes | None:
        values = self._account, unit.interface, to_text(unit.subject), unit.begin
        found = self._run(_ROWS, values)
        return found[0][0] if found else None

    def _unsent_rows(self, target: str, start: float, end: float) -> Iterator[archive.Row]:
        key = ("after_interface", "after", "after_begin")
        values = {
            "target": target,
            "start": start,
            "end": end,
            "offset": MAX_UTC_OFFSET,
        } | dict.fromkeys(key)
        for interface, subject, *rest in self._parts(_UNSENT, values, key):
            yield (interface, from_text(subject), *rest)

    def _put_sent(self, target: str, units: Sequence[archive.Row]) -> None:
        if units:
            self._run(_PUT_SENT, (self._account, target, *_columns(units)))

    def _put_call(self, call: archive.Row, oldest: float) -> None:
        with _archive_errors(self._fence), self._fence.transaction() as connection:
            connection.execute(_FORGET_CALLS, (self._account, oldest))
            connection.execute(_PUT_CALL, (self._account, *call))

    def _calls(self, interface: str) -> Iterable[archive.Row]:
        return self._run(_CALLS, (self._account, interface))

    def _run(self, statement: str, values: Any) -> list[Any]:
        """What a statement brings, if it brings anything."""
        with _archive_errors(self._fence), self._fence.transaction() as connection:
            done = connection.execute(statement, values)
            return done.fetchall() if done.description else []

    def _parts(self, question: str, values: dict[str, Any], key: Sequence[str]) -> Iterator[Any]:
        """All rows, part by part; those that come after the last one, by the columns of `key`."""
        values = values | {"account": self._account, "most": PART}
        found = self._run(question, values)
        while found:
            yield from found
            if len(found) < PART:
                return
            values |= dict(zip(key, found[-1], strict=False))
            found = self._run(question, values)


def _columns(rows: Sequence[archive.Row]) -> list[list[Any]]:
    """The columns of rows of interface, subject and what else there is."""
    interfaces, subjects, *others = (list(column) for column in zip(*rows, strict=True))
    return [interfaces, [*map(to_text, subjects)], *others]
