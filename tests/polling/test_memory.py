"""The file that survives a restart: whole or not at all, ours alone, and never in the way."""

import errno
import fcntl
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporter.polling import memory as module
from exporter.polling.memory import Memory, OccupiedError, file_of, lock

SOME = {("lane", "a"): [1.5, None], ("lane", "b"): {"x": "ü\n"}, ("session", ""): {"token": "t"}}
MORE = {("lane", "b"): None, ("lane", "c"): list(range(2_000))}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "account.sqlite"


def kept(path):
    """What a new process would find."""
    with closing(Memory(path)) as memory:
        return {kind: memory.read(kind) for kind in ("lane", "session")}


def written(path, *changes):
    """A file that a process has left, after these changes."""
    memory = Memory(path)
    for each in changes:
        memory.write(each)
    return memory


def events(logs):
    return [entry["event"] for entry in logs]


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_was_written_is_read_by_kind_and_name(path, on_disk):
    memory = written(path if on_disk else None, SOME, MORE)

    assert memory.read("lane") == {"a": [1.5, None], "c": list(range(2_000))}
    assert memory.read("session") == {"": {"token": "t"}}
    assert memory.read("nothing") == {}
    memory.close()


def test_without_a_path_nothing_is_written_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    written(None, SOME)

    assert list(tmp_path.iterdir()) == []


def test_a_new_process_reads_what_a_killed_one_had_written(path, tmp_path):
    memory = written(path, SOME)

    assert kept(left_by_a_kill(path, tmp_path / "left")) == {
        "lane": {"a": [1.5, None], "b": {"x": "ü\n"}},
        "session": {"": {"token": "t"}},
    }
    memory.close()


def left_by_a_kill(path, directory):
    """The files as they are now, which is what a process leaves that is killed now."""
    shutil.copytree(path.parent, directory)
    return directory / path.name


def test_only_the_owner_may_read_the_files(path):
    taken, memory = lock(path.parent), written(path, SOME)

    names = {file.name for file in path.parent.iterdir()}
    assert names == {"lock", path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    memory.close()
    taken.close()


def test_a_file_that_others_could_read_is_closed_to_them(path):
    written(path, SOME).close()
    path.chmod(0o644)

    written(path, MORE).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_name_of_a_file_tells_nobody_whose_it_is(tmp_path):
    one = file_of(tmp_path, "https://eu5.example.com", "api-user")
    other = file_of(tmp_path, "https://eu5.example.com", "api-user2")

    assert one != other
    assert "api" not in one.name
    assert "eu5" not in one.name


# --- claims -------------------------------------------------------------------------------------


def test_a_claim_writes_all_at_its_end(path, tmp_path):
    memory = written(path, SOME)

    with memory.claim():
        memory.write({("lane", "a"): 1})
        memory.write({("lane", "b"): 2})
        assert memory.read("lane") == {"a": 1, "b": 2}
        before = kept(left_by_a_kill(path, tmp_path / "within"))

    assert before["lane"] == {"a": [1.5, None], "b": {"x": "ü\n"}}
    assert kept(left_by_a_kill(path, tmp_path / "after"))["lane"] == {"a": 1, "b": 2}
    memory.close()


def test_two_processes_see_what_the_other_wrote_but_claim_one_at_a_time(path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    daemon, command = Memory(path), Memory(path)
    daemon.write(SOME)
    assert command.read("session") == {"": {"token": "t"}}

    with capture_logs() as logs:
        with command.claim():
            daemon.write({("lane", "a"): "late"})
            assert command.read("lane")["a"] == [1.5, None]
        daemon.write({("lane", "b"): "next"})

    assert command.read("lane") == {"a": "late", "b": "next"}
    assert events(logs) == ["state cannot be kept, going on without", "state is kept again"]
    daemon.close()
    command.close()


# --- what is not as it should be ----------------------------------------------------------------


def a_text(path):
    path.write_text("nothing of ours\n" * 500)


def another_program(path):
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE things (whatever)")


def another_version(path):
    written(path, SOME).close()
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {module.VERSION + 1}")


def half_of_it(path):
    written(path, SOME, MORE).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def another_value(path):
    written(path, SOME).close()
    path.write_bytes(path.read_bytes().replace(b"[1.5,null]", b"[9.5,null]"))


SPOILERS = [a_text, another_program, another_version, half_of_it, another_value]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_foreign_or_damaged_file_is_put_aside_and_said_once(path, spoil):
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()

    with capture_logs() as logs:
        memory = Memory(path)
        assert memory.read("lane") == {}
        memory.write(SOME)
        memory.close()

    assert events(logs) == ["state was damaged, starting anew"]
    assert logs[0]["file"] == str(path)
    assert path.with_suffix(".damaged").read_bytes() == content
    assert kept(path)["session"] == {"": {"token": "t"}}


@pytest.mark.parametrize("spoil", SPOILERS)
def test_without_the_lock_a_file_that_is_not_understood_is_let_be(path, spoil):
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()

    with capture_logs() as logs, closing(Memory(path, locked=False)) as memory:
        assert memory.read("lane") == {}
        memory.write(SOME)

    assert events(logs) == ["state cannot be kept, going on without"]
    assert path.read_bytes() == content
    assert not path.with_suffix(".damaged").exists()


def test_two_that_make_a_file_at_once_both_find_it_healthy(path):
    together = threading.Barrier(2)

    def open_them():
        for n in range(20):
            together.wait()
            written(path.with_name(f"{n}.sqlite"), SOME).close()

    other = threading.Thread(target=open_them)
    other.start()
    open_them()
    other.join()

    assert list(path.parent.glob("*.damaged")) == []


def test_a_file_that_a_power_loss_has_emptied_is_begun_anew_and_said_once(path):
    path.parent.mkdir()
    path.touch()

    with capture_logs() as logs:
        written(path, SOME, MORE).close()
        written(path, SOME).close()

    assert [(entry["event"], entry["file"], entry["reason"]) for entry in logs] == [
        ("state was damaged, starting anew", str(path), "the file was empty")
    ]
    assert not path.with_suffix(".damaged").exists()
    assert kept(path)["session"] == {"": {"token": "t"}}


def test_a_file_that_another_process_is_about_to_fill_is_not_taken_for_an_emptied_one(path):
    path.parent.mkdir()
    path.touch()

    with capture_logs() as logs, closing(Memory(path, locked=False)) as memory:
        assert memory.read("lane") == {}

    assert logs == []


def test_a_new_file_is_no_damage(path):
    with capture_logs() as logs:
        written(path, SOME).close()

    assert logs == []


STEPS = [{("lane", name): [n, name * 300], ("session", ""): n} for n, name in enumerate("abcdef")]


@pytest.fixture(scope="module")
def leftovers(tmp_path_factory):
    """What a killed process left, with and without a write-ahead log, and all it may have meant."""
    path = tmp_path_factory.mktemp("leftovers") / "state" / "account.sqlite"
    memory = Memory(path)
    states = [kept_by(memory)]
    for step in STEPS:
        memory.write(step)
        states.append(kept_by(memory))
    with_log = left_by_a_kill(path, path.parent.parent / "with log")
    memory.close()
    return (with_log.parent, path.parent), states


def kept_by(memory):
    return {kind: memory.read(kind) for kind in ("lane", "session")}


@settings(max_examples=150)
@given(data=st.data())
def test_whatever_happens_to_its_bytes_it_is_read_as_it_once_was_or_not_at_all(
    leftovers, tmp_path_factory, data
):
    directories, states = leftovers
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

    found = kept(path)
    written(path, {("lane", "new"): "n"}).close()

    assert found in states
    assert kept(path)["lane"] == {**found["lane"], "new": "n"}
    shutil.rmtree(directory)


def test_a_file_that_is_spoilt_while_in_use_is_replaced(path):
    memory = written(path, SOME)
    with capture_logs() as logs:
        for file in path.parent.iterdir():
            if not file.name.endswith("-shm"):
                file.write_bytes(b"spoilt" * 2_000)
        shm = path.with_name(f"{path.name}-shm")
        shm.write_bytes(bytes(shm.stat().st_size))
        memory.write({("lane", "a"): "one"})
        memory.write({("lane", "b"): "two"})
    memory.close()

    assert kept(path)["lane"] == {"a": "one", "b": "two"}
    assert events(logs) == [
        "state cannot be kept, going on without",
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
    other = Memory(path, locked=False)
    other.write({("call", "1"): "of a command"})
    other.close()


@pytest.mark.parametrize("remove", [delete_directory, delete_files, replace_by_anothers])
def test_what_is_deleted_while_in_use_is_written_anew_and_said_once(path, remove):
    memory = written(path, SOME)
    with capture_logs() as logs:
        remove(path)
        with memory.claim():
            memory.write({("lane", "a"): "new"})
        assert memory.read("session") == {"": {"token": "t"}}
        memory.write({("lane", "b"): None})
    memory.close()

    assert kept(path)["session"] == {"": {"token": "t"}}
    assert kept(path)["lane"] == {"a": "new"}
    with closing(Memory(path)) as found:
        others = {"1": "of a command"} if remove is replace_by_anothers else {}
        assert found.read("call") == others
    assert events(logs) == ["state was deleted while in use, writing it anew"]


def test_what_is_deleted_and_cannot_be_read_any_more_is_begun_anew(path):
    memory = written(path, SOME)
    memory.close()
    memory._file = sqlite3.connect(":memory:", isolation_level=None)  # without our table
    delete_files(path)
    with capture_logs() as logs:
        memory.write({("lane", "a"): "one"})
        memory.write({("lane", "b"): "two"})
    memory.close()

    assert kept(path)["lane"] == {"a": "one", "b": "two"}
    assert events(logs) == [
        "state was deleted while in use, writing it anew",
        "state cannot be kept, going on without",
        "state is kept again",
    ]


def test_where_nothing_can_be_written_it_goes_on_and_writes_once_it_can(path):
    path.parent.write_text("a file where the directory should be")

    with capture_logs() as logs:
        memory = written(path, SOME, MORE)
        assert memory.read("session") == {"": {"token": "t"}}
        with memory.claim():
            memory.write({("lane", "d"): 4})
        assert events(logs) == ["state cannot be kept, going on without"]
        assert (logs[0]["file"], logs[0]["reason"]) == (str(path), "File exists")
        path.parent.unlink()
        memory.write({("lane", "e"): 5})
    memory.close()

    assert events(logs)[1:] == ["state is kept again"]
    assert kept(path)["lane"] == {"a": [1.5, None], "c": list(range(2_000)), "d": 4, "e": 5}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory to somebody else")
def test_a_directory_of_somebody_else_is_said_and_gone_on_without(path):
    path.parent.mkdir(mode=0o755)

    done = child(
        """
        import os
        os.setuid(65534)
        print(lock(path.parent))
        memory = Memory(path)
        memory.write({("lane", "a"): 1})
        print(memory.read("lane"))
        """,
        path.parent / "account.sqlite",
    )

    assert done == [
        f"state directory cannot be used: {path.parent}: Permission denied",
        "None",
        f"state cannot be kept, going on without: {path}: Permission denied",
        "{'a': 1}",
    ]


def test_on_a_full_disk_it_goes_on_and_writes_once_there_is_room(path):
    done = child(
        """
        from resource import RLIMIT_FSIZE, RLIM_INFINITY, setrlimit
        memory = Memory(path)
        memory.write({("lane", "a"): "before"})
        setrlimit(RLIMIT_FSIZE, (40_000, RLIM_INFINITY))
        for n in range(3):
            with memory.claim():
                memory.write({("lane", "a"): "x" * 99_000, ("lane", "b"): n})
        print(memory.read("lane")["b"], Memory(path).read("lane"))
        setrlimit(RLIMIT_FSIZE, (RLIM_INFINITY, RLIM_INFINITY))
        memory.write({("lane", "c"): "after"})
        print({name: len(str(body)) for name, body in Memory(path).read("lane").items()})
        """,
        path,
    )

    assert done[0].startswith(f"state cannot be kept, going on without: {path}: ")
    assert done[1] == "2 {'a': 'before'}"
    assert "kept again" in done[2]
    assert done[3:] == ["{'a': 99000, 'b': 1, 'c': 5}"]


def child(program, path):
    """The lines that a process of its own prints, its log among them."""
    head = (
        "import structlog\nfrom pathlib import Path\n"
        "from exporter.polling.memory import Memory, lock\n"
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


# --- the lock -----------------------------------------------------------------------------------


def test_a_directory_has_one_owner_at_a_time(tmp_path):
    taken = lock(tmp_path / "state")
    with pytest.raises(OccupiedError, match="is used by another process"):
        lock(tmp_path / "state")
    taken.close()

    again = lock(tmp_path / "state")

    assert again is not None
    again.close()


def test_where_there_can_be_no_directory_there_is_no_lock_and_it_says_where_and_why(tmp_path):
    (tmp_path / "file").touch()

    with capture_logs() as logs:
        assert lock(tmp_path / "file" / "state") is None

    assert logs == [
        {
            "event": "state directory cannot be used",
            "log_level": "warning",
            "directory": str(tmp_path / "file" / "state"),
            "reason": "Not a directory",
        }
    ]


def test_on_a_file_system_without_locks_there_is_none_and_it_says_why(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)

    with capture_logs() as logs:
        assert lock(tmp_path) is None

    assert [entry["reason"] for entry in logs] == ["No locks available"]
