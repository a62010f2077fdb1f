"""The web configuration is read again when a file of it changes; a broken one does not count."""

import os

import pytest
import structlog
import yaml
from config.place import HASH


def test_a_change_is_seen_a_second_after_the_last_look(place) -> None:
    place.write(basic_auth_users={"alice": HASH})
    config = place.opened()
    place.write(basic_auth_users={"bob": HASH})
    place.clock.at += 0.9
    assert list(config.current().users) == ["alice"]
    place.clock.at += 0.1
    with structlog.testing.capture_logs() as said:
        assert list(config.current().users) == ["bob"]
    assert [line["event"] for line in said] == ["web configuration read again"]


def test_what_has_not_changed_is_not_read_again(place) -> None:
    place.write_tls()
    config = place.opened()
    before = config.current()
    place.clock.at += 60
    assert config.current() is before


@pytest.mark.parametrize("file", ["server.pem", "server.key", "ca.pem"])
def test_a_file_that_it_names_is_watched_too(place, file: str) -> None:
    place.write_tls(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.pem")
    config = place.opened()
    before = config.current()
    os.utime(place.directory / file, (0, 0))
    place.clock.at += 1
    assert config.current().tls is not before.tls


def test_a_file_replaced_by_one_that_looks_alike_is_read(place) -> None:
    place.write(basic_auth_users={"alice": HASH})
    config = place.opened()
    times = place.path.stat().st_mtime_ns
    other = place.directory / "new.yaml"
    other.write_text(yaml.safe_dump({"basic_auth_users": {"carol": HASH}}))
    os.utime(other, ns=(times, times))
    other.replace(place.path)
    place.clock.at += 1
    assert list(config.current().users) == ["carol"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: place.path.write_text(""),
        lambda place: place.path.write_text("tls_server_config: {"),
        lambda place: place.path.unlink(),
        lambda place: place.write(tls_server_config={"cert_file": "new.pem", "key_file": "n.key"}),
        lambda place: (place.directory / "server.pem").unlink(),
        lambda place: place.ca.issue_cert("x").private_key_pem.write_to_path(
            place.directory / "server.key"
        ),
    ],
)
def test_a_broken_one_leaves_the_one_before_and_says_so_once(place, spoil) -> None:
    place.write_tls()
    config = place.opened()
    before = config.current()
    spoil(place)
    with structlog.testing.capture_logs() as said:
        for _ in range(3):
            place.clock.at += 1
            assert config.current() is before
    assert [(line["log_level"], line["event"]) for line in said] == [
        ("warning", "web configuration refused, the one before holds")
    ]
    assert str(place.directory) in said[0]["reason"]
    place.show("two.example")
    place.write_tls()
    place.clock.at += 1
    assert config.current() is not before


def test_a_pipe_in_its_place_keeps_nobody_waiting(place) -> None:
    place.write_tls()
    config = place.opened()
    before = config.current()
    place.path.unlink()
    os.mkfifo(place.path)
    place.clock.at += 1
    with structlog.testing.capture_logs() as said:
        assert config.current() is before
    assert [line["reason"] for line in said] == [f"{place.path}: is not a file"]


def test_a_broken_one_that_changes_is_spoken_of_again(place) -> None:
    place.path.write_text("{}")
    config = place.opened()
    with structlog.testing.capture_logs() as said:
        for text in ("a", "b: c", "d: e"):
            place.path.write_text(text)
            place.clock.at += 1
            config.current()
    assert len(said) == 3
    assert len({line["reason"] for line in said}) == 3


def test_a_file_that_was_missing_is_waited_for(place) -> None:
    place.write_tls()
    config = place.opened()
    before = config.current()
    place.write_tls(cert_file="later.pem")
    place.clock.at += 1
    assert config.current() is before
    (place.directory / "later.pem").write_text(place.text("server.pem"))
    place.clock.at += 1
    assert config.current() is not before
