"""The daemon as a process that is killed, started again, and told to read its configuration."""

import contextlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error

import pytest
from daemon import PASSWORD, account, devices_on, exporter, refusals, serving, system

from exporter.northbound.interfaces import INTERFACES

pytestmark = pytest.mark.slow

STATE = {"state": {"directory": "state"}}


def slow(url, **more):
    """An account whose values stay for hours, so that they outlive a restart on any machine."""
    calls_made = account(url, **{"timeout": "20s", **more})
    calls_made["interfaces"] = {
        name: ({"every": "1h"} if INTERFACES[name].polled else {}) | each
        for name, each in calls_made["interfaces"].items()
    }
    return calls_made


def test_fleet_and_values_are_on_the_page_before_the_first_call(tmp_path):
    with serving(system(plants=2)) as server:
        accounts = [slow(server.url)]
        with exporter(tmp_path, accounts, **STATE) as daemon:
            before = devices_on(daemon.ready().page())
            daemon.stop(signal.SIGKILL)

    with exporter(tmp_path, accounts, **STATE) as daemon:  # now without a server
        page = daemon.page()

    assert devices_on(page) == before
    assert re.search(r"^fusionsolar_interface_last_success_timestamp", page, re.MULTILINE)


def test_kills_at_any_moment_cost_one_login_and_no_refusal(tmp_path):
    dice = random.Random(4)  # noqa: S311  # dice, not keys
    management = system(plants=2)
    with serving(management) as server:
        accounts = [account(server.url)]
        with exporter(tmp_path, accounts, **STATE) as daemon:
            daemon.ready().stop(signal.SIGKILL)
        for _ in range(5):
            with exporter(tmp_path, accounts, **STATE) as daemon:
                assert "fusionsolar_device_info" in daemon.page()
                enough = calls_made(management) + dice.randrange(4)
                daemon.wait(lambda: calls_made(management) >= enough)  # noqa: B023  # waited for at once
                daemon.stop(signal.SIGKILL)

    assert set(refusals(management).values()) == {0}
    assert len(management.calls.of("api", "login").arrivals) == 1


def calls_made(management):
    return sum(len(calls.arrivals) for calls in management.calls.accounts().values())


def second(path):
    """What a daemon says that is started beside another, and ends at once."""
    return subprocess.run(  # noqa: S603  # our own program
        [
            sys.executable,
            *("-m", "exporter", "--config.file", str(path)),
            *("--web.listen-address", "127.0.0.1:0"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@contextlib.contextmanager
def locked_for_writing(directory):
    """The state as if another process wrote there: whoever wants to read waits, again and again."""
    with contextlib.ExitStack() as stack:
        for path in (directory / "state").glob("*.sqlite"):
            file = stack.enter_context(contextlib.closing(sqlite3.connect(path)))
            file.execute("BEGIN IMMEDIATE")
        yield


def test_it_answers_at_once_and_ends_while_it_still_restores(tmp_path):
    accounts = [account("http://127.0.0.1:9")]
    with exporter(tmp_path, accounts, **STATE) as daemon:
        daemon.page()
    reason = "restoring: 0 of 1 accounts done, not yet home"
    with locked_for_writing(tmp_path), exporter(tmp_path, accounts, **STATE) as daemon:
        assert daemon.get("/-/healthy") == (200, "Healthy.\n")
        assert daemon.get("/metrics") == (503, f"No page yet, {reason}.\n")
        assert daemon.get("/-/ready") == (
            503,
            f"Not ready.\n{reason}\nhome: its state is being restored\n",
        )
        status, html = daemon.get("/")
        assert (status, html.count("its state is being restored") > 0) == (200, True)

        assert daemon.stop() == 0
        assert daemon.log.splitlines()[-1].endswith("event=stopped")


@pytest.mark.parametrize("state", [STATE, {"state": {}}], ids=["configured", "by default"])
def test_a_second_daemon_on_the_same_account_refuses(tmp_path, state):
    with exporter(tmp_path, [account("http://127.0.0.1:9")], **state) as daemon:
        used = second(daemon.path)
        directory = re.search(r'event="state directory" directory=(\S+)', daemon.log)[1]

    assert used.returncode == 2
    assert used.stderr == (
        "fusionsolar-exporter: state.directory: account home is used by another process "
        f"(state in {directory})\n"
    )


def test_daemons_of_different_accounts_share_a_directory(tmp_path):
    (tmp_path / "other").mkdir()
    state = {"state": {"directory": str(tmp_path / "state")}}
    with serving(system(plants=1, users={"api": PASSWORD, "api2": PASSWORD})) as server:
        one, other = account(server.url), account(server.url, username="api2")
        with (
            exporter(tmp_path, [one], **state) as daemon,
            exporter(tmp_path / "other", [other], **state) as beside,
        ):
            daemon.ready()
            beside.ready()

    assert len(list((tmp_path / "state").glob("*.sqlite"))) == 2


def test_without_a_word_about_it_the_state_is_kept_where_the_environment_offers(tmp_path):
    management = system(plants=1)
    with serving(management) as server:
        accounts = [account(server.url)]
        for _ in range(2):
            with exporter(tmp_path, accounts, state={}) as daemon:
                daemon.ready().stop(signal.SIGKILL)

    directory = f"{os.environ['XDG_STATE_HOME']}/fusionsolar-exporter"
    assert f'event="state directory" directory={directory}' in daemon.log
    assert len(management.calls.of("api", "login").arrivals) == 1


def test_six_restarts_with_a_wrong_password_are_one_login(tmp_path):
    management = system(plants=1)
    with serving(management) as server:
        accounts = [account(server.url, password="wrong")]
        for _ in range(6):
            with exporter(tmp_path, accounts, state={}) as daemon:
                daemon.wait(lambda: "credentials are refused" in daemon.get("/-/ready")[1])
                daemon.stop(signal.SIGKILL)

    assert len(management.calls.of("api", "login").arrivals) == 1


def test_whoever_declines_to_keep_anything_is_told_what_a_restart_costs(tmp_path):
    with exporter(tmp_path, [account("http://127.0.0.1:9")], state={"directory": None}) as daemon:
        (line,) = [each for each in daemon.log.splitlines() if "no state directory" in each]

    assert "level=warning" in line
    assert "a login of every account" in line
    assert 'reason="state.directory is null"' in line


def test_where_the_state_cannot_be_kept_it_says_so_and_goes_on(tmp_path):
    (tmp_path / "state").touch()
    accounts = [account("http://127.0.0.1:9", name=name, username=name) for name in "ab"]
    with exporter(tmp_path, accounts, **STATE) as daemon:
        assert daemon.get("/-/healthy")[0] == 200
        assert daemon.log.count("state directory cannot be used") == 1
        assert f'directory={tmp_path / "state"} reason="File exists"' in daemon.log


@pytest.mark.parametrize("by", ["signal", "request"])
def test_a_reload_applies_what_stands_on_disk(tmp_path, by):
    reload = {
        "signal": lambda: os.kill(daemon.process.pid, signal.SIGHUP),
        "request": lambda: daemon.get("/-/reload", "POST"),
    }[by]
    with serving(system(plants=1)) as server:
        home, dead = slow(server.url), account("http://127.0.0.1:9", name="dead")
        with exporter(tmp_path, [home, dead], "--web.enable-lifecycle") as daemon:
            daemon.wait(lambda: devices_on(daemon.page()))
            daemon.configure([home | {"timeout": "3s"}])
            reload()
            daemon.wait(lambda: "configuration reloaded" in daemon.log)

            assert 'account="dead"' not in daemon.page()
            assert devices_on(daemon.page())
            daemon.wait(lambda: daemon.get("/-/ready")[0] == 200)
            assert daemon.value('fusionsolar_api_logins_total{account="home"}') == 1

            daemon.path.write_text("accounts: nonsense")
            reload()
            successful = "fusionsolar_exporter_config_last_reload_successful"
            daemon.wait(lambda: daemon.value(successful) == 0)
            assert devices_on(daemon.page())


def test_a_configuration_that_became_a_pipe_is_refused_and_the_next_one_read(tmp_path):
    accounts = [account("http://127.0.0.1:9")]
    with exporter(tmp_path, accounts, "--web.enable-lifecycle") as daemon:
        daemon.path.unlink()
        os.mkfifo(daemon.path)
        reason = f"{daemon.path}: is a pipe to which nobody wrote all within 5 s"
        assert daemon.get("/-/reload", "POST") == (500, f"Not reloaded: {reason}\n")

        daemon.path.unlink()
        daemon.configure(accounts)
        assert daemon.get("/-/reload", "POST") == (200, "Reloaded.\n")


@pytest.mark.parametrize("by", ["signal", "request"])
def test_a_signal_ends_it_even_during_a_reload(tmp_path, by):
    management = system(plants=1)
    with serving(management) as server:
        management.faults.add("hang_before_headers", interface="getDevRealKpi")
        accounts = [account(server.url, timeout="10m")]
        with exporter(tmp_path, accounts, "--web.enable-lifecycle") as daemon:
            daemon.wait(lambda: management.calls.of("api", "getDevRealKpi").arrivals)
            daemon.configure([account(server.url, timeout="9m")])
            if by == "signal":
                os.kill(daemon.process.pid, signal.SIGHUP)
            else:
                threading.Thread(target=ask_for_a_reload, args=(daemon,), daemon=True).start()
            daemon.wait(lambda: "reloading the configuration" in daemon.log)

            assert daemon.stop() == 0


def ask_for_a_reload(daemon):
    with contextlib.suppress(urllib.error.URLError, ConnectionError):
        daemon.get("/-/reload", "POST")
