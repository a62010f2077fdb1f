"""A changed configuration is taken over without losing what need not be lost."""

import gc
import sqlite3
import threading
from contextlib import contextmanager

import pytest
from reloads.running import (
    account,
    logins,
    ready,
    series_in,
    wait,
)
from structlog.testing import capture_logs

from exporter import accounts as accounts_of
from exporter.account.poller import Poller
from exporter.config import ConfigError
from exporter.exposition.page import NO_ACCOUNT, Format
from exporter.simulator.http.system import User

pytestmark = pytest.mark.slow


def test_a_changed_account_keeps_session_and_data(management, server, run, state):
    running = ready(run(state, account(server.url)))
    before = running.series()

    assert running.change(account(server.url, timeout="3s")) is None

    assert running.series().keys() >= {key for key in before if "plant_code" in dict(key[1:])}
    calls = len(management.calls.of("api", "getDevRealKpi").arrivals)
    running.change(account(server.url, every="1s"))
    wait(lambda: len(management.calls.of("api", "getDevRealKpi").arrivals) > calls)
    assert logins(management) == 1


def test_an_unchanged_account_goes_on_undisturbed(management, server, run, tmp_path):
    home, other = account(server.url), account(server.url, name="other", username="other")
    running = ready(run(tmp_path, home, other))
    thread, lists = running.threads()["poller other"], listed(management, "other")

    running.change(account(server.url, timeout="3s"), other)

    assert running.threads()["poller other"] is thread
    assert thread.is_alive()
    assert logins(management, "other") == 1
    assert listed(management, "other") <= lists + 1


def test_a_configuration_that_cannot_be_read_leaves_the_targets(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    running.settings = ConfigError("broken")
    assert running.reload() == "broken"
    assert list(running.reload.targets()) == ["home"]


def test_accounts_apart_are_the_whole_page(server, run, tmp_path):
    other = account(server.url, name="other", username="other")
    running = ready(run(tmp_path, account(server.url), other))
    wait(lambda: "fusionsolar_inverter_state_code" in running.names("other"))

    page = running.page.frozen()
    home, apart, itself = (
        series_in(page.exposition(Format.TEXT, [each])).keys()
        for each in ("home", "other", NO_ACCOUNT)
    )

    assert {dict(labels)["account"] for _, *labels in home} == {"home"}
    assert {dict(labels)["account"] for _, *labels in apart} == {"other"}
    assert [labels for _, *labels in itself if "account" in dict(labels)] == []
    assert ("fusionsolar_up", ("account", "home")) in home
    assert ("fusionsolar_exporter_errors_total", ("part", "web")) in itself
    assert home | apart | itself == series_in(page.exposition(Format.TEXT)).keys()


def listed(management, user):
    return len(management.calls.of(user, "getDevList").arrivals)


def test_an_account_is_removed_with_all_its_series_and_another_is_added(server, run, tmp_path):
    other = account(server.url, name="other", username="other")
    running = ready(run(tmp_path, account(server.url)))

    running.change(other)

    assert running.names("home") == set()
    assert list(running.threads()) == ["poller other"]
    wait(lambda: "fusionsolar_inverter_state_code" in running.names("other"))


def test_a_renamed_account_keeps_all_but_its_name(management, server, run, state):
    running = ready(run(state, account(server.url)))
    before = len([key for key in running.series() if "device_id" in dict(key[1:])])

    running.change(account(server.url, name="roof"))

    after = [key for key in running.series() if "device_id" in dict(key[1:])]
    assert len(after) >= before
    assert {dict(key[1:])["account"] for key in after} == {"roof"}
    assert running.names("home") == set()
    assert logins(management) == 1


def test_a_changed_account_counts_on_and_stays_up(management, server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    before = running.series()
    management.faults.add("hang_before_headers")

    running.change(account(server.url), currency="EUR")

    after = running.series()
    own = ("fusionsolar_api_", "fusionsolar_interface_last_success", "fusionsolar_values_rejected")
    counted = [key for key in before if key[0].startswith(own)]
    assert [key for key in counted if after.get(key, -1) < before[key]] == []
    assert running.value("fusionsolar_up", account="home") == 1


NOBODY = "http://127.0.0.1:9"


def writable(running):
    return running.value("fusionsolar_exporter_state_writable", account="home")


def test_the_page_says_whether_the_state_can_be_written(run, tmp_path):
    (tmp_path / "file").touch()
    assert writable(run(tmp_path / "file", account(NOBODY))) == 0
    assert writable(run(tmp_path, account(NOBODY))) == 1

    running = run(None, account(NOBODY))
    assert writable(running) is None
    running.change(account(NOBODY, timeout="3s"), state={})  # nor does the environment offer one
    assert writable(running) == 0
    assert running.accounts.status().accounts[0].counts.state_kept is False


def test_a_state_that_cannot_be_written_for_a_while_is_0_until_it_can(server, run, tmp_path):
    state = tmp_path / "state"
    (tmp_path / "kept").mkdir()
    state.symlink_to("kept")
    running = run(state, account(server.url, every="0s"))
    wait(lambda: "fusionsolar_device_info" in running.names())
    assert writable(running) == 1

    (tmp_path / "file").touch()
    (tmp_path / "file").replace(state)  # at once: else it could make the directory anew meanwhile
    wait(lambda: writable(running) == 0)

    state.unlink()
    wait(lambda: writable(running) == 1)


def test_a_changed_password_is_tried_at_once(management, server, run, tmp_path):
    management.users["api"] = User("another")
    running = run(tmp_path, account(server.url))
    wait(lambda: logins(management) == 1 and "refused" in str(running.accounts.waiting()))

    running.change(account(server.url, name="renamed", password="another"))

    wait(lambda: not running.accounts.waiting())
    assert logins(management) == 2


def test_readiness_latches(management, server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    management.faults.add("http_status", value=502)

    running.change(account(server.url), account(server.url, name="other", username="other"))

    assert running.accounts.waiting() == []


@contextmanager
def repeatedly(read):
    """Looks again and again, from another thread, while the block lasts."""
    ended = threading.Event()

    def watch():
        while not ended.is_set():
            read()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_an_account_that_is_replaced_is_never_taken_for_ready(management, server, run, tmp_path):
    management.faults.add("http_status", value=502)
    running = run(tmp_path, account(server.url))
    seen = set()

    with repeatedly(lambda: seen.add(bool(running.accounts.waiting()))):
        for n in range(10):
            running.change(account(server.url, name=f"n{n % 2}"))

    assert seen == {True}


def test_no_scrape_meets_a_gap(server, run, tmp_path):
    running = ready(run(tmp_path, account(server.url)))
    device_counts = []

    def scrape():
        device_counts.append(b"".join(running.accounts.parts(Format.TEXT)).count(b"device_id="))

    scrape()
    with repeatedly(scrape):
        for n in range(1000):  # on a busy machine few scrapes fall into each
            running.change(account(server.url, timeout=f"{n % 4 + 3}s"))
            if n >= 3 and len(device_counts) > 11:
                break

    before, *during = device_counts
    assert len(during) > 10
    assert min(during) >= before


def test_a_reload_waits_for_the_call_under_way_and_others_for_the_reload(
    management, server, run, tmp_path, monkeypatch
):
    running = ready(run(tmp_path, account(server.url, every="1s", timeout="2s")))
    management.faults.add("hang_before_headers", interface="getDevRealKpi", count=1)
    wait(lambda: not management.faults.pending)
    done, timeouts = [], []

    def make(config, **more):
        timeouts.append(config.timeout)
        return Poller(config, **more)

    monkeypatch.setattr(accounts_of, "Poller", make)

    first = threading.Thread(
        target=lambda: done.append(running.change(account(server.url, timeout="3s")))
    )
    first.start()
    running.change(account(server.url, timeout="4s"))
    first.join()

    assert done == [None]
    assert timeouts[-1] == running.settings.accounts[0].timeout
    assert list(running.threads()) == ["poller home"]
    assert logins(management) == 1


def test_two_accounts_of_one_user_are_warned_of(run, tmp_path):
    twins = account("https://localhost:9"), account("https://LOCALHOST:9/api", name="twin")

    with capture_logs() as logs:
        run(tmp_path, *twins)

    warned = [entry for entry in logs if "two accounts log in as the same user" in entry["event"]]
    assert [entry["account"] for entry in warned] == ["twin"]


def test_reloads_leave_no_thread_and_no_file_open(server, run, tmp_path):
    running = ready(run(tmp_path / "state", account(server.url)))

    for n in range(5):
        other = account(server.url, name=f"n{n}", username="other")
        running.change(account(server.url, timeout=f"{n + 3}s"), *([other] if n % 2 else []))
    running.change(account(server.url))

    gc.unfreeze()
    gc.collect()
    assert list(running.threads()) == ["poller home"]
    ours = [each for each in gc.get_objects() if isinstance(each, sqlite3.Connection)]
    assert sum(is_open(each) for each in ours) == 1


def is_open(connection):
    try:
        connection.total_changes  # noqa: B018  # asks it
    except sqlite3.ProgrammingError:
        return False
    return True


def test_what_a_reload_changed_is_on_the_next_page(server, run, tmp_path, monkeypatch):
    """Pages are kept for a second, as long as their version stays."""
    running = ready(run(tmp_path, account(server.url)))
    versions = []
    for gauge in (running.telemetry.reload_successful, running.telemetry.reload_timestamp):
        monkeypatch.setattr(gauge, "set", lambda _: versions.append(running.page.version))
    running.stop()  # so that nothing else changes the page

    assert running.change(account(server.url)) is None
    assert running.page.version > versions[-1]

    running.settings = ConfigError("a mistake")
    assert running.reload() == "a mistake"
    assert running.page.version > versions[-1]
