"""The file that survives a restart: whole or not at all, ours alone, and never in the way."""

import errno
import fcntl
import os
import stat

import pytest
from polling.kept import MORE, SOME, events, kept, left_by_a_kill, written
from structlog.testing import capture_logs

from exporter.polling import memory as module
from exporter.polling.memory import Memory, OccupiedError, file_of, lock


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
