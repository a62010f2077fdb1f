"""Forty accounts in one process: a thread each, and one's trouble or change is no other's."""

import socket
import threading

import pytest
from daemon import PASSWORD, system
from reloads.running import account, wait, wait_until_restored
from structlog.testing import capture_logs

from exporter.northbound.interfaces import INTERFACES

pytestmark = pytest.mark.slow

NAMES = tuple(f"a{number:02}" for number in range(40))
BROKEN = NAMES[7]
POLLED = ("getStationList", "getDevList", "getStationRealKpi", "getDevRealKpi")


def wait_until_polled(running):
    """All have logged in and shown what they have."""
    wait(lambda: not running.accounts.waiting())
    return running


def configured(server, name, **more):
    made = account(server.url, name=name, username=name, **more)
    off = {each: {"enabled": False} for each in INTERFACES if INTERFACES[each].polled}
    made["interfaces"] |= off | {each: made["interfaces"][each] for each in POLLED}
    return made


@pytest.fixture
def management():
    return system(plants=1, users=dict.fromkeys(NAMES, PASSWORD))


def threads_since(before):
    """Those that last longer than a call."""
    names = [each.name for each in {*threading.enumerate()} - before]
    return sorted(name for name in names if name != "deadline")


def test_each_has_one_thread_and_a_reload_touches_that_which_changed(
    management, server, start_accounts
):
    before = {*threading.enumerate()}
    accounts = {name: configured(server, name) for name in NAMES}
    running = wait_until_polled(wait_until_restored(start_accounts(None, *accounts.values())))
    assert threads_since(before) == [f"poller {name}" for name in NAMES]
    threads, calls = running.threads(), len(management.calls.of(NAMES[0], "getDevList").arrivals)

    accounts[NAMES[1]] = configured(server, NAMES[1], timeout="7s")
    del accounts[NAMES[2]]
    assert running.change(*accounts.values()) is None

    now = running.threads()
    assert {name for name in threads if now.get(name) is not threads[name]} == {
        f"poller {NAMES[1]}",
        f"poller {NAMES[2]}",
    }
    assert threads_since(before) == [f"poller {name}" for name in accounts]
    assert {
        name for name in NAMES if len(management.calls.of(name, "login").arrivals) != 1
    } == set()
    assert len(management.calls.of(NAMES[0], "getDevList").arrivals) == calls


def test_the_past_of_each_takes_a_thread_more(server, start_accounts, tmp_path):
    before = {*threading.enumerate()}
    past = {"enabled": True, "remote_write": {"url": "http://127.0.0.1:9/"}, "from": "2025-01-01"}
    accounts = [configured(server, name) for name in NAMES[:2]]
    wait_until_restored(start_accounts(tmp_path, *accounts, history=past))
    assert threads_since(before) == [
        *("history a00", "history a01"),
        *("poller a00", "poller a01"),
    ]


def test_the_trouble_of_one_is_on_its_own_series_and_lines_alone(server, start_accounts):
    with socket.create_server(("127.0.0.1", 0)) as nobody:  # takes connections, and never answers
        port = nobody.getsockname()[1]
        accounts = {name: configured(server, name) for name in NAMES}
        accounts[BROKEN] |= {"base_url": f"http://127.0.0.1:{port}", "timeout": "1s"}
        with capture_logs() as logs:
            running = wait_until_restored(start_accounts(None, *accounts.values()))
            wait(lambda: {each.split(":")[0] for each in running.accounts.waiting()} == {BROKEN})
            running.stop()
    names = {each.get("account") for each in logs if each["log_level"] in ("warning", "error")}
    assert names == {BROKEN}
    without = {key[0] for key in running.series() if ("account", BROKEN) in key}
    assert not {name for name in without if "inverter" in name}
