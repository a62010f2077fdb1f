"""A state file that a process has left, and what another finds in it."""

import json
import shutil
from contextlib import closing

from exporter.account.codec import StoredRow
from exporter.account.database import Database
from exporter.account.model import AccountState
from exporter.clock import ClockStamp

SOME = {
    ("interface", "a"): [1.5, None],
    ("interface", "b"): {"x": "ü\n"},
    ("session", ""): {"token": "t"},
}
MORE = {("interface", "b"): None, ("interface", "c"): list(range(2_000))}


def write_rows(database, values, stamp=ClockStamp("boot", 1.0, 2.0)):  # noqa: B008  # frozen
    """Writes values as rows."""
    database.write(
        {
            key: None if value is None else StoredRow(json.dumps(value, ensure_ascii=False), stamp)
            for key, value in values.items()
        }
    )


def values(database, kind):
    """The values of the rows of a kind."""
    return {name: json.loads(row.body) for name, row in database.read(kind).items()}


def all_values(database):
    """The values of all rows, by kind and name."""
    return {
        (section.kind, name): value
        for section in AccountState().sections
        for name, value in values(database, section.kind).items()
    }


def write_file(path, *changes):
    """A file that a process has left, after these changes."""
    database = Database(path)
    for each in changes:
        write_rows(database, each)
    return database


def left_by_a_kill(path, directory):
    """The files as they are now, which is what a process leaves that is killed now."""
    shutil.copytree(path.parent, directory)
    return directory / path.name


def read_file(path):
    """What a new process would find."""
    with closing(Database(path)) as database:
        return read_sections(database)


def read_sections(database):
    return {kind: values(database, kind) for kind in ("interface", "session")}


def events(logs):
    return [entry["event"] for entry in logs]
