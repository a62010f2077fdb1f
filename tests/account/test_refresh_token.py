"""The file of a refresh token: whole, private, the newest, and used by one process at a time."""

import os
import stat
from pathlib import Path

import pytest

from exporter.account.refresh_token import RefreshTokenFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "refresh-token"


@pytest.fixture
def token_file(path):
    return RefreshTokenFile(path)


def fill_disk(monkeypatch, call="fsync"):
    """Lets a disk be full."""

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)


def test_a_token_is_read_as_a_person_or_the_command_writes_it(token_file, path):
    for written in ("r-1", "r-1\n", " r-1\r\n", "\ufeffr-1\r\n"):
        path.write_text(written)
        assert token_file.read() == "r-1"


@pytest.mark.parametrize("written", ["", "\n", "two words", "r-ü", "x" * 70_000])
def test_what_is_no_token_is_none(token_file, path, written):
    path.write_text(written)
    assert token_file.read() is None


def test_without_a_file_there_is_none(token_file):
    assert token_file.read() is None


def test_a_pipe_in_its_place_keeps_nobody_waiting(token_file, path):
    os.mkfifo(path)
    assert token_file.read() is None


def test_only_its_owner_may_read_a_written_token(token_file, path):
    path.write_text("r-1\n")
    path.chmod(0o644)
    token_file.write("r-2")
    assert path.read_text() == "r-2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_token_is_on_disk_before_it_is_in_place_and_its_name_right_after(
    token_file, path, monkeypatch
):
    path.write_text("r-1\n")
    seen = []

    def sync(file, really=os.fsync):
        kind = "directory" if stat.S_ISDIR(os.fstat(file).st_mode) else "file"
        seen.append((kind, path.read_text()))
        really(file)

    monkeypatch.setattr(os, "fsync", sync)
    token_file.write("r-2")
    assert seen == [("file", "r-1\n"), ("directory", "r-2\n")]


def test_a_full_disk_leaves_the_token_as_it_was_and_no_litter(token_file, path, monkeypatch):
    path.write_text("r-1\n")
    assert token_file.read() == "r-1"
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        token_file.write("r-2")
    assert [(each.name, each.read_text()) for each in path.parent.iterdir()] == [
        ("refresh-token", "r-1\n")
    ]


def test_what_could_not_be_written_is_the_newest_until_it_is(token_file, path, monkeypatch):
    path.write_text("r-1\n")
    token_file.read()
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        token_file.write("r-2")
    assert (token_file.read(), token_file.is_unsaved) == ("r-2", True)
    monkeypatch.undo()
    token_file.write(token_file.read())
    assert (path.read_text(), token_file.read(), token_file.is_unsaved) == ("r-2\n", "r-2", False)


def test_what_somebody_writes_meanwhile_is_newer_than_what_could_not_be_written(
    token_file, path, monkeypatch
):
    path.write_text("r-1\n")
    token_file.read()
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        token_file.write("r-2")
    path.write_text("r-3\n")
    assert (token_file.read(), token_file.is_unsaved) == ("r-3", False)


@pytest.mark.parametrize("lost", [lambda path: path.unlink(), lambda path: path.write_text("")])
def test_what_could_not_be_written_outlives_the_loss_of_the_file(
    token_file, path, monkeypatch, lost
):
    path.write_text("r-1\n")
    token_file.read()
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        token_file.write("r-2")
    lost(path)
    assert (token_file.read(), token_file.is_unsaved) == ("r-2", True)
    path.write_text("r-1\n")  # it is back
    assert (token_file.read(), token_file.is_unsaved) == ("r-2", True)


def test_writing_what_stands_there_fails_without_anything_unsaved(token_file, path, monkeypatch):
    path.write_text("r-1\n")
    token = token_file.read()
    fill_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        token_file.write(token)
    assert (token_file.read(), token_file.is_unsaved) == ("r-1", False)


def test_a_link_stays_one(token_file, path, tmp_path):
    target = tmp_path / "volume" / "token"
    target.parent.mkdir()
    target.write_text("r-1\n")
    path.symlink_to(target)
    token_file.write("r-2")
    assert path.is_symlink()
    assert target.read_text() == "r-2\n"


def test_one_at_a_time_uses_it(token_file, path):
    with token_file.locked(), pytest.raises(BlockingIOError), RefreshTokenFile(path).locked():
        pass
    with RefreshTokenFile(path).locked():
        pass


def test_where_nothing_can_be_written_there_is_no_lock_either(tmp_path):
    with (
        pytest.raises(FileNotFoundError),
        RefreshTokenFile(tmp_path / "missing" / "token").locked(),
    ):
        pass


def test_the_lock_is_private_and_stands_beside_it(token_file, path):
    with token_file.locked():
        lock = Path(f"{path}.lock")
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
