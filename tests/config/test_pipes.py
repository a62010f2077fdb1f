"""What is no file, or has no end, keeps nobody waiting."""

import os
import threading
from math import inf
from pathlib import Path

import pytest
from config.web_directory import HASH

from exporter.config import ConfigError, load
from exporter.config.web import WebConfig

TEXT = "accounts: [{username: u, password: p}]"
TOO_LARGE = 10_000_001


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "config.yaml"
    os.mkfifo(path)
    return path


def refusal(path, pipe_timeout=0.05):
    with pytest.raises(ConfigError) as refused:
        load(path, {}, pipe_timeout)
    return str(refused.value)


@pytest.mark.parametrize("pipe_timeout", [20.0, inf])
def test_a_configuration_that_is_written_to_a_pipe_is_read(pipe, pipe_timeout):
    writer = threading.Thread(target=pipe.write_text, args=(TEXT,))
    writer.start()
    settings = load(pipe, {}, pipe_timeout)
    writer.join()
    assert [account.username for account in settings.accounts] == ["u"]


def test_a_pipe_to_which_nobody_writes_is_refused_after_a_while(pipe):
    reason = f"{pipe}: is a pipe to which nobody wrote all within 0.05 s"
    assert refusal(pipe) == reason
    assert refusal(pipe) == reason


def test_a_pipe_that_is_never_closed_is_refused_after_a_while(pipe):
    file = os.open(pipe, os.O_RDWR)
    os.write(file, TEXT.encode())
    assert refusal(pipe) == f"{pipe}: is a pipe to which nobody wrote all within 0.05 s"
    os.close(file)


@pytest.mark.parametrize("pipe_timeout", [20.0, inf])
def test_a_configuration_without_end_is_refused(pipe_timeout):
    assert refusal(Path("/dev/zero"), pipe_timeout) == "/dev/zero: is larger than 10 MB"


def too_large_file(path):
    with path.open("wb") as file:
        file.truncate(TOO_LARGE)  # which takes no place on the disk
    return path


def test_a_file_too_large_to_be_meant_is_refused(tmp_path):
    path = too_large_file(tmp_path / "config.yaml")
    assert refusal(path) == f"{path}: is larger than 10 MB"


@pytest.mark.parametrize(
    ("keys", "place"),
    [("password_file: a", "password_file"), ("password: p, tls: {ca_file: a}", "tls.ca_file")],
)
def test_a_named_file_too_large_to_be_meant_is_refused(tmp_path, keys, place):
    path = tmp_path / "config.yaml"
    path.write_text(f"accounts: [{{username: u, {keys}}}]")
    too_large_file(tmp_path / "a")
    assert refusal(path) == f"{path}: accounts[0].{place}: is larger than 10 MB"


@pytest.mark.parametrize("endless", ["/dev/zero", "/dev/null"])
def test_a_web_configuration_that_is_no_file_is_refused_unread(endless):
    with pytest.raises(ConfigError, match=f"^{endless}: is not a file$"):
        WebConfig(Path(endless))


def test_a_web_configuration_too_large_to_be_meant_is_refused(web_directory):
    web_directory.write(basic_auth_users={"alice": HASH})
    config = web_directory.open()
    before = config.current()
    too_large_file(web_directory.path)
    web_directory.clock.at += 1
    assert config.current() is before
