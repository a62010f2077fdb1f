"""A state file that is foreign, damaged, deleted, out of reach: said once, gone on without."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from textwrap import dedent

import pytest
import structlog
from account.restarts import Clock
from account.state_files import (
    MORE,
    SOME,
    events,
    left_by_a_kill,
    read_file,
    values,
    write_file,
    write_rows,
)
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.account.model import AccountState
from exporter.account.store import Store
from exporter.northbound.interfaces import Subject


def a_text(path):
    path.write_text("nothing of ours\n" * 500)


def another_program(path):
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE things (whatever)")


def another_version(path, *statements):
    write_file(path, SOME).close()
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.execute("PRAGMA user_version = 9")
        file.commit()


def write_truncated(path):
    write_file(path, SOME, MORE).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


SPOILERS = [a_text, another_program, write_truncated]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_foreign_or_damaged_file_is_put_aside_and_said_once(path, spoil):
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()

    with capture_logs() as logs:
        database = Database(path)
        assert values(database, "interface") == {}
        write_rows(database, SOME)
        database.close()

    assert events(logs) == ["state was damaged, starting anew"]
    assert logs[0]["file"] == str(path)
    assert path.with_suffix(".damaged").read_bytes() == content
    assert read_file(path)["session"] == {"": {"token": "t"}}


@pytest.mark.parametrize(
    ("changes", "understood"),
    [
        ([], {"a": [1.5, None], "b": {"x": "ü\n"}}),
        (["ALTER TABLE rows ADD COLUMN more"], {"a": [1.5, None], "b": {"x": "ü\n"}}),
        (["ALTER TABLE rows RENAME TO lines"], {}),
    ],
)
def test_a_file_of_a_later_version_is_taken_over_as_far_as_it_is_understood_and_kept_whole(
    path, changes, understood
):
    another_version(path, *changes)
    content = path.read_bytes()

    with capture_logs() as logs:
        database = Database(path)
        database.read("interface")
        left = left_by_a_kill(path, path.parent.parent / "left")
        database.close()

    assert events(logs) == ["state of a later version, taking over what is understood"]
    assert logs[0]["kept_as"] == path.with_suffix(".version-9").name
    assert path.with_suffix(".version-9").read_bytes() == content
    assert read_file(left)["interface"] == understood  # at once, whenever the process is killed


@pytest.mark.parametrize("spoil", [*SPOILERS, another_version])
def test_without_the_lock_a_file_that_is_not_understood_is_let_be(path, spoil):
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()

    with capture_logs() as logs, closing(Database(path, locked=False)) as database:
        assert values(database, "interface") == {}
        write_rows(database, SOME)

    assert events(logs) == ["state cannot be kept, continuing without it"]
    assert path.read_bytes() == content
    assert not path.with_suffix(".damaged").exists()


def test_two_that_make_a_file_at_once_both_find_it_healthy(path):
    together = threading.Barrier(2)

    def write_files():
        for n in range(20):
            together.wait()
            write_file(path.with_name(f"{n}.sqlite"), SOME).close()

    other = threading.Thread(target=write_files)
    other.start()
    write_files()
    other.join()

    assert list(path.parent.glob("*.damaged")) == []


def test_a_file_that_a_power_loss_has_emptied_is_begun_anew_and_said_once(path):
    path.parent.mkdir()
    path.touch()

    with capture_logs() as logs:
        write_file(path, SOME, MORE).close()
        write_file(path, SOME).close()

    assert [(entry["event"], entry["file"], entry["reason"]) for entry in logs] == [
        ("state was damaged, starting anew", str(path), "the file was empty")
    ]
    assert not path.with_suffix(".damaged").exists()
    assert read_file(path)["session"] == {"": {"token": "t"}}


def test_a_file_that_another_process_is_about_to_fill_is_not_taken_for_an_emptied_one(path):
    path.parent.mkdir()
    path.touch()

    with capture_logs() as logs, closing(Database(path, locked=False)) as database:
        assert values(database, "interface") == {}

    assert logs == []


def test_a_new_file_is_no_damage(path):
    with capture_logs() as logs:
        write_file(path, SOME).close()

    assert logs == []


STEPS = [
    {("interface", name): [n, name * 300], ("session", ""): n} for n, name in enumerate("abcdef")
]


@pytest.fixture(scope="module")
def leftovers(tmp_path_factory):
    """What a killed process left, with and without a write-ahead log."""
    path = tmp_path_factory.mktemp("leftovers") / "state" / "account.sqlite"
    database = Database(path)
    for step in STEPS:
        write_rows(database, step)
    with_log = left_by_a_kill(path, path.parent.parent / "with log")
    database.close()
    return with_log.parent, path.parent


@given(data=st.data())
def test_whatever_happens_to_its_bytes_what_is_left_is_read_and_it_goes_on(
    leftovers, tmp_path_factory, data
):
    directories = leftovers
    directory = tmp_path_factory.mktemp("spoilt") / "state"
    shutil.copytree(data.draw(st.sampled_from(directories)), directory)
    path = directory / "account.sqlite"
    for file in sorted(directory.iterdir()):
        content = bytearray(file.read_bytes())
        dice = random.Random(data.draw(st.integers(0, 2**32)))  # noqa: S311  # dice, not keys
        for _ in range(dice.choice([0, 1, 1, 3, 50]) if content else 0):
            content[dice.randrange(len(content))] = dice.randrange(256)
        cut = dice.choice([len(content), len(content), dice.randrange(len(content) + 1)])
        file.write_bytes(content[:cut])

    with closing(Database(path)) as database:
        database.read("interface")
    write_file(path, {("interface", "new"): "n"}).close()

    with closing(Database(path)) as database:
        assert database.read("interface")["new"].body == '"n"'
    shutil.rmtree(directory)


def test_a_file_that_is_spoilt_while_in_use_is_replaced(path):
    database = write_file(path, SOME)
    with capture_logs() as logs:
        for file in path.parent.iterdir():
            if not file.name.endswith("-shm"):
                file.write_bytes(b"spoilt" * 2_000)
        shm = path.with_name(f"{path.name}-shm")
        shm.write_bytes(bytes(shm.stat().st_size))
        write_rows(database, {("interface", "a"): "one"})
        write_rows(database, {("interface", "b"): "two"})
    database.close()

    assert read_file(path)["interface"] == {"a": "one", "b": "two"}
    assert events(logs) == [
        "state cannot be kept, continuing without it",
        "state was damaged, starting anew",
        "state is kept again",
    ]


def delete_directory(path):
    shutil.rmtree(path.parent)


def delete_files(path):
    for file in path.parent.iterdir():
        file.unlink()


def replace_by_anothers(path):
    """As where a command looks at the state just then."""
    delete_files(path)
    with closing(Database(path, locked=False)) as other:
        write_rows(
            other, {("foreign_call", "1"): {"interface": "getDevList", "start": 1, "lasted": 2}}
        )


@pytest.mark.parametrize("remove", [delete_directory, delete_files, replace_by_anothers])
def test_what_is_deleted_while_in_use_is_written_anew_and_said_once(path, remove):
    database, state = Database(path), AccountState()
    with capture_logs() as logs:
        store = Store(state, database, Clock(), structlog.get_logger())
        state.last_readings[Subject.PLANTS]["P"] = 1.5
        state.last_readings[Subject.PLANTS]["Q"] = 2.5
        store.save()
        remove(path)
        with store.database.claim():
            state.last_readings[Subject.PLANTS]["P"] = 3.5
            store.save()
            left = left_by_a_kill(path, path.parent.parent / "left")
        store.save()
    database.close()

    with closing(Database(path)) as found:
        assert values(found, "last_reading/plants") == {"P": 3.5, "Q": 2.5}
        others = {"1"} if remove is replace_by_anothers else set()
        assert set(found.read("foreign_call")) == others
    assert left.exists()
    assert events(logs) == ["state was deleted while in use, writing it anew"]


def test_where_nothing_can_be_written_it_goes_on_and_writes_once_it_can(path):
    path.parent.write_text("a file where the directory should be")

    with capture_logs() as logs:
        database = write_file(path, SOME, MORE)
        assert values(database, "session") == {"": {"token": "t"}}
        with database.claim():
            write_rows(database, {("interface", "d"): 4})
        assert events(logs) == ["state cannot be kept, continuing without it"]
        assert (logs[0]["file"], logs[0]["reason"]) == (str(path), "File exists")
        path.parent.unlink()
        write_rows(database, {("interface", "e"): 5})
    database.close()

    assert events(logs)[1:] == ["state is kept again"]
    assert read_file(path)["interface"] == {
        "a": [1.5, None],
        "c": list(range(2_000)),
        "d": 4,
        "e": 5,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to somebody else")
def test_a_directory_of_somebody_else_is_said_and_gone_on_without(path):
    path.parent.mkdir(mode=0o755)

    done = child(
        """
        import os
        os.setuid(65534)
        database = Database(path)
        put(database, {("interface", "a"): 1})
        print(values(database, "interface"))
        """,
        path.parent / "account.sqlite",
    )

    assert done == [
        f"state cannot be kept, continuing without it: {path}: Permission denied",
        "{'a': 1}",
    ]


def test_on_a_full_disk_it_goes_on_and_writes_once_there_is_room(path):
    done = child(
        """
        from resource import RLIMIT_FSIZE, RLIM_INFINITY, setrlimit
        database = Database(path)
        put(database, {("interface", "a"): "before"})
        setrlimit(RLIMIT_FSIZE, (40_000, RLIM_INFINITY))
        for n in range(3):
            with database.claim():
                put(database, {("interface", "a"): "x" * 99_000, ("interface", "b"): n})
        print(values(database, "interface")["b"], values(Database(path), "interface"))
        setrlimit(RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))
        put(database, {("interface", "c"): "after"})
        print({name: len(str(body)) for name, body in values(Database(path), "interface").items()})
        """,
        path,
    )

    assert done[0].startswith(f"state cannot be kept, continuing without it: {path}: ")
    assert done[1] == "2 {'a': 'before'}"
    assert "kept again" in done[2]
    assert done[3:] == ["{'a': 99000, 'b': 1, 'c': 5}"]


def child(program, path):
    """The lines that a process of its own prints, its log among them."""
    head = (
        "import json\nimport structlog\nfrom pathlib import Path\n"
        "from exporter.account.codec import StoredRow\nfrom exporter.clock import ClockStamp\n"
        "def put(database, values):\n"
        "    stamp = ClockStamp(None, 0.0, 0.0)\n"
        "    database.write({k: StoredRow(json.dumps(v), stamp) for k, v in values.items()})\n"
        "def values(database, kind):\n"
        "    return {n: json.loads(row.body) for n, row in database.read(kind).items()}\n"
        "from exporter.account.database import Database\n"
        "told = lambda _, __, entry: ': '.join([entry.pop('event'), *entry.values()])\n"
        "structlog.configure(processors=[told])\n"
        f"path = Path({str(path)!r})\n"
    )
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", head + dedent(program)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
