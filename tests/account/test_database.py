"""The file that survives a restart: whole or not at all, ours alone, and never in the way."""

import stat

import pytest
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
from structlog.testing import capture_logs

from exporter.account import database as module
from exporter.account.database import Database


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_was_written_is_read_by_kind_and_name(path, on_disk):
    database = write_file(path if on_disk else None, SOME, MORE)

    assert values(database, "interface") == {"a": [1.5, None], "c": list(range(2_000))}
    assert values(database, "session") == {"": {"token": "t"}}
    assert values(database, "nothing") == {}
    database.close()


def test_without_a_path_nothing_is_written_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    write_file(None, SOME)

    assert list(tmp_path.iterdir()) == []


def test_a_new_process_reads_what_a_killed_one_had_written(path, tmp_path):
    database = write_file(path, SOME)

    assert read_file(left_by_a_kill(path, tmp_path / "left")) == {
        "interface": {"a": [1.5, None], "b": {"x": "ü\n"}},
        "session": {"": {"token": "t"}},
    }
    database.close()


def test_only_the_owner_may_read_the_files(path):
    database = write_file(path, SOME)

    names = {file.name for file in path.parent.iterdir()}
    assert names == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    database.close()


def test_a_file_that_others_could_read_is_closed_to_them(path):
    write_file(path, SOME).close()
    path.chmod(0o644)

    write_file(path, MORE).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- claims -------------------------------------------------------------------------------------


def test_a_claim_writes_all_at_its_end(path, tmp_path):
    database = write_file(path, SOME)

    with database.claim():
        write_rows(database, {("interface", "a"): 1})
        write_rows(database, {("interface", "b"): 2})
        assert values(database, "interface") == {"a": 1, "b": 2}
        before = read_file(left_by_a_kill(path, tmp_path / "within"))

    assert before["interface"] == {"a": [1.5, None], "b": {"x": "ü\n"}}
    assert read_file(left_by_a_kill(path, tmp_path / "after"))["interface"] == {"a": 1, "b": 2}
    database.close()


def test_two_processes_see_what_the_other_wrote_but_claim_one_at_a_time(path, monkeypatch):
    monkeypatch.setattr(module, "_BUSY_TIMEOUT", 0.01)
    daemon, command = Database(path), Database(path)
    write_rows(daemon, SOME)
    assert values(command, "session") == {"": {"token": "t"}}

    with capture_logs() as logs:
        with command.claim():
            write_rows(daemon, {("interface", "a"): "late"})
            assert values(command, "interface")["a"] == [1.5, None]
        write_rows(daemon, {("interface", "b"): "next"})

    assert values(command, "interface") == {"a": "late", "b": "next"}
    assert events(logs) == ["state cannot be kept, continuing without it", "state is kept again"]
    daemon.close()
    command.close()
