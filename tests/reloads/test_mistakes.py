"""A configuration that cannot be applied, or not wholly, disturbs nobody."""

import threading
from contextlib import closing

import pytest
from daemon import PASSWORD
from reloads.running import (
    account,
    ready,
    wait,
)
from structlog.testing import capture_logs

from exporter import accounts as accounts_of
from exporter.account.poller import Poller
from exporter.account.state_directory import OccupiedError, StateDirectory, key_of
from exporter.config import ConfigError
from exporter.simulator.http.system import User

pytestmark = pytest.mark.slow


def test_a_mistake_that_shows_when_it_is_applied_disturbs_nobody(
    server, run, tmp_path, monkeypatch
):
    running = ready(run(tmp_path, account(server.url)))
    threads, good = running.threads(), running.settings

    with monkeypatch.context() as broken:
        broken.setattr(accounts_of, "client_of", raising)
        assert running.change(account(server.url, timeout="3s")) == "a bug; the log says more"

    assert running.threads() == threads
    running.settings = good
    assert running.reload() is None
    assert running.threads() == threads


def test_an_account_that_another_process_works_with_is_not_taken_and_nothing_changes(
    server, run, tmp_path
):
    running = ready(run(tmp_path, account(server.url)))
    threads, good = running.threads(), running.settings
    elsewhere = StateDirectory(tmp_path)
    elsewhere.occupy({key_of(server.url, "other"): "theirs"})

    other = account(server.url, name="other", username="other")
    assert running.change(account(server.url, timeout="3s"), other) == (
        f"account other is used by another process (state in {tmp_path})"
    )

    assert running.threads() == threads
    assert running.value("fusionsolar_exporter_config_last_reload_successful") == 0
    elsewhere.close()
    running.settings = good
    assert running.reload() is None
    assert running.threads() == threads


def test_an_account_that_is_removed_is_free_for_another_process(server, run, tmp_path):
    other = account(server.url, name="other", username="other")
    running = run(tmp_path, account(server.url), other)
    running.change(account(server.url))

    with closing(StateDirectory(tmp_path)) as elsewhere:
        elsewhere.occupy({key_of(server.url, "other"): "theirs"})
        with pytest.raises(OccupiedError):
            elsewhere.occupy({key_of(server.url, "api"): "mine"})


def raising(*_, **__):
    raise RuntimeError("a bug")


def test_a_change_that_fails_half_way_is_undone(server, run, tmp_path, monkeypatch):
    running = ready(run(tmp_path, account(server.url)))
    assert running.change(account(server.url, timeout="3s")) is None
    applied = running.settings.accounts[0]
    other = account(server.url, name="other", username="other")
    made = []

    with monkeypatch.context() as broken:
        broken.setattr(accounts_of, "Poller", poller_failing_for("other", made))
        assert running.change(account(server.url, timeout="4s"), other) is not None

    assert pollers() == ["poller home"]
    assert [(each.name, each.timeout) for each in made[-1:]] == [("home", applied.timeout)]
    assert running.names("other") == set()
    assert running.value("fusionsolar_exporter_config_last_reload_successful") == 0

    assert running.reload() is None
    assert sorted(pollers()) == ["poller home", "poller other"]


def poller_failing_for(account, configurations):
    """A poller that cannot be made for one account; notes for which configurations it was."""

    def make(config, **more):
        configurations.append(config)
        return (raising if config.name == account else Poller)(config, **more)

    return make


def pollers():
    """The names of all pollers' threads, however many have the same."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("poller ")]


def test_an_account_that_could_not_be_started_again_is_started_by_the_next_reload(
    server, run, tmp_path, monkeypatch
):
    running = ready(run(tmp_path, account(server.url)))
    good = running.settings
    with monkeypatch.context() as broken:
        broken.setattr(accounts_of, "Poller", raising)
        assert running.change(account(server.url, timeout="3s")) is not None
    assert pollers() == []

    running.settings = good
    assert running.reload() is None

    assert pollers() == ["poller home"]
    wait(lambda: "fusionsolar_inverter_state_code" in running.names())


def test_a_broken_file_keeps_the_old_and_says_so(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    threads, good = running.threads(), running.settings
    applied = running.value("fusionsolar_exporter_config_last_reload_success_timestamp_seconds")
    running.settings = ConfigError("config.yaml: accounts[0].timeout: nonsense")

    with capture_logs() as logs:
        assert running.reload() == "config.yaml: accounts[0].timeout: nonsense"

    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        "configuration not reloaded, keeping the previous one"
    ]
    assert running.threads() == threads
    assert running.value("fusionsolar_exporter_config_last_reload_successful") == 0

    running.settings = good
    assert running.reload() is None
    assert running.value("fusionsolar_exporter_config_last_reload_successful") == 1
    assert (
        running.value("fusionsolar_exporter_config_last_reload_success_timestamp_seconds") > applied
    )
    assert running.threads() == threads


def test_a_bug_while_reading_is_no_end(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    running.settings = RecursionError("deep")

    assert running.reload() == "a bug; the log says more"

    assert list(running.threads()) == ["poller home"]


def test_what_was_left_alone_is_asked_again_though_nothing_changed(
    management, server, run, tmp_path
):
    management.users["api"] = User(PASSWORD, refused=frozenset({"getStationRealKpi"}))
    often = account(server.url, every="1s")
    running = run(tmp_path, often)
    permitted = {"account": "home", "interface": "getStationRealKpi"}
    name = "fusionsolar_interface_permitted"
    wait(lambda: len(management.calls.of("api", "getStationRealKpi").arrivals) == 3)
    management.users["api"] = User(PASSWORD)

    assert running.change(often) is None

    wait(lambda: running.value(name, **permitted) == 1)
