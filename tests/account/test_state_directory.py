"""The directory that processes share: each account's file is one process's own."""

import errno
import fcntl
import os
import stat
from contextlib import closing

import pytest
from structlog.testing import capture_logs

from exporter.account.state_directory import OccupiedError, StateDirectory, file_of, key_of

HOME, WORK = (key_of("https://eu5.example.com", name) for name in ("home", "work"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a" / "state"


@pytest.fixture
def open_directory(path):
    """Opens the directory as one process does, as often as asked; all are closed at the end."""
    directories = []

    def open_it():
        directories.append(StateDirectory(path))
        return directories[-1]

    yield open_it
    for each in directories:
        each.close()


def test_the_name_of_a_file_tells_nobody_whose_it_is(tmp_path):
    one = file_of(tmp_path, key_of("https://eu5.example.com", "api-user"))
    other = file_of(tmp_path, key_of("https://eu5.example.com", "api-user2"))

    assert one != other
    assert "api" not in one.name
    assert "eu5" not in one.name


def test_two_processes_with_different_accounts_share_a_directory(open_directory, path):
    one, other = open_directory(), open_directory()

    one.occupy({HOME: "home"})
    other.occupy({WORK: "work"})

    assert (one.path_of(HOME), one.path_of(WORK)) == (file_of(path, HOME), None)
    assert (other.path_of(HOME), other.path_of(WORK)) == (None, file_of(path, WORK))


def test_an_account_has_one_process_at_a_time_and_the_other_is_told_its_name(open_directory, path):
    one, other = open_directory(), open_directory()
    one.occupy({HOME: "home"})

    with pytest.raises(OccupiedError) as refusal:
        other.occupy({WORK: "work", HOME: "mine"})

    assert str(refusal.value) == f"account mine is used by another process (state in {path})"
    open_directory().occupy({WORK: "work"})  # of which the other has taken nothing
    one.retain_only({WORK})
    other.occupy({HOME: "mine"})


def test_a_process_takes_more_accounts_and_leaves_some_as_its_configuration_changes(open_directory):
    one, other = open_directory(), open_directory()
    one.occupy({HOME: "home"})
    one.occupy({HOME: "home", WORK: "work"})
    one.retain_only({WORK})

    other.occupy({HOME: "home"})
    with pytest.raises(OccupiedError, match="account work"):
        other.occupy({WORK: "work"})


def test_a_process_of_an_earlier_version_which_locks_the_directory_is_respected(
    open_directory, path
):
    path.mkdir(parents=True)
    with (path / "lock").open("wb") as earlier:
        fcntl.flock(earlier, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(OccupiedError) as refusal:
            open_directory().occupy({HOME: "home"})
    open_directory().occupy({HOME: "home"})
    with (path / "lock").open("wb") as later, pytest.raises(BlockingIOError):
        fcntl.flock(later, fcntl.LOCK_EX | fcntl.LOCK_NB)

    assert str(refusal.value) == f"{path} is used by an earlier version"


def test_only_the_owner_may_enter_it(open_directory, path):
    open_directory().occupy({HOME: "home"})

    assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()} == {0o600}
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_where_there_can_be_no_directory_nothing_is_kept_and_it_says_where_and_why_once(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "state"

    with capture_logs() as logs, closing(StateDirectory(path)) as directory:
        directory.occupy({HOME: "home", WORK: "work"})
        directory.occupy({HOME: "home", WORK: "work"})
        assert (directory.path_of(HOME), directory.path_of(WORK)) == (None, None)

    assert logs == [
        {
            "event": "state directory cannot be used",
            "log_level": "warning",
            "directory": str(path),
            "reason": "Not a directory",
        }
    ]


def test_on_a_file_system_without_locks_nothing_is_kept_and_it_says_why(
    open_directory, monkeypatch
):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with capture_logs() as logs:
        directory = open_directory()
        directory.occupy({HOME: "home"})

    assert directory.path_of(HOME) is None
    assert [entry["reason"] for entry in logs] == ["No locks available"]
