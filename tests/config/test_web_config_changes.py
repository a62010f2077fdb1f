"""The web configuration is read again when a file of it changes; a broken one does not count."""

import os

import pytest
import structlog
import yaml
from config.web_directory import HASH


def test_a_change_is_seen_a_second_after_the_last_look(web_directory) -> None:
    web_directory.write(basic_auth_users={"alice": HASH})
    config = web_directory.open()
    web_directory.write(basic_auth_users={"bob": HASH})
    web_directory.clock.at += 0.9
    assert list(config.current().users) == ["alice"]
    web_directory.clock.at += 0.1
    with structlog.testing.capture_logs() as logs:
        assert list(config.current().users) == ["bob"]
    assert [line["event"] for line in logs] == ["web configuration read again"]


def test_what_has_not_changed_is_not_read_again(web_directory) -> None:
    web_directory.write_tls()
    config = web_directory.open()
    before = config.current()
    web_directory.clock.at += 60
    assert config.current() is before


@pytest.mark.parametrize("file", ["server.pem", "server.key", "ca.pem"])
def test_a_file_that_it_names_is_watched_too(web_directory, file: str) -> None:
    web_directory.write_tls(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.pem")
    config = web_directory.open()
    before = config.current()
    os.utime(web_directory.directory / file, (0, 0))
    web_directory.clock.at += 1
    assert config.current().tls is not before.tls


def test_a_file_replaced_by_one_that_looks_alike_is_read(web_directory) -> None:
    web_directory.write(basic_auth_users={"alice": HASH})
    config = web_directory.open()
    times = web_directory.path.stat().st_mtime_ns
    other = web_directory.directory / "new.yaml"
    other.write_text(yaml.safe_dump({"basic_auth_users": {"carol": HASH}}))
    os.utime(other, ns=(times, times))
    other.replace(web_directory.path)
    web_directory.clock.at += 1
    assert list(config.current().users) == ["carol"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda web_directory: web_directory.path.write_text(""),
        lambda web_directory: web_directory.path.write_text("tls_server_config: {"),
        lambda web_directory: web_directory.path.unlink(),
        lambda web_directory: web_directory.write(
            tls_server_config={"cert_file": "new.pem", "key_file": "n.key"}
        ),
        lambda web_directory: (web_directory.directory / "server.pem").unlink(),
        lambda web_directory: web_directory.ca.issue_cert("x").private_key_pem.write_to_path(
            web_directory.directory / "server.key"
        ),
    ],
)
def test_a_broken_one_leaves_the_one_before_and_says_so_once(web_directory, spoil) -> None:
    web_directory.write_tls()
    config = web_directory.open()
    before = config.current()
    spoil(web_directory)
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            web_directory.clock.at += 1
            assert config.current() is before
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "web configuration refused, keeping the previous one")
    ]
    assert str(web_directory.directory) in logs[0]["reason"]
    web_directory.write_certificate("two.example")
    web_directory.write_tls()
    web_directory.clock.at += 1
    assert config.current() is not before


def test_a_pipe_in_its_place_keeps_nobody_waiting(web_directory) -> None:
    web_directory.write_tls()
    config = web_directory.open()
    before = config.current()
    web_directory.path.unlink()
    os.mkfifo(web_directory.path)
    web_directory.clock.at += 1
    with structlog.testing.capture_logs() as logs:
        assert config.current() is before
    assert [line["reason"] for line in logs] == [f"{web_directory.path}: is not a file"]


def test_a_broken_one_that_changes_is_spoken_of_again(web_directory) -> None:
    web_directory.path.write_text("{}")
    config = web_directory.open()
    with structlog.testing.capture_logs() as logs:
        for text in ("a", "b: c", "d: e"):
            web_directory.path.write_text(text)
            web_directory.clock.at += 1
            config.current()
    assert len(logs) == 3
    assert len({line["reason"] for line in logs}) == 3


def test_a_file_that_was_missing_is_waited_for(web_directory) -> None:
    web_directory.write_tls()
    config = web_directory.open()
    before = config.current()
    web_directory.write_tls(cert_file="later.pem")
    web_directory.clock.at += 1
    assert config.current() is before
    (web_directory.directory / "later.pem").write_text(web_directory.text("server.pem"))
    web_directory.clock.at += 1
    assert config.current() is not before
