"""One replica with its state in a database: what it says, a reload, and the commands beside it."""

import re
import subprocess
import sys

import pytest
from daemon import account, exporter, refusals, serving, system

pytestmark = pytest.mark.slow

HELD = "fusionsolar_exporter_account_held"


def run(directory, *arguments, program=("-m", "exporter")):
    """A command on the configuration of a directory."""
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, *program, *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def without_a_driver(directory, *arguments):
    """The same in a process that cannot import psycopg."""
    start = "import sys; sys.modules['psycopg'] = None; from exporter import cli; cli.main()"
    return run(directory, *arguments, program=("-c", start))


def held_accounts(daemon):
    found = re.findall(rf'^{HELD}\{{account="(\w+)"\}} (\S+)$', daemon.page(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def accounts_on(page):
    """Those of which a plant is on the page."""
    return set(re.findall(r'plant_info\{account="(\w+)"', page))


def test_its_accounts_are_taken_kept_over_a_restart_and_follow_a_reload(tmp_path, database_url):
    management = system(plants=2, users={"a": "x", "b": "x", "c": "x"})
    state = {"state": {"database": database_url}}
    with serving(management) as server:
        a, b, c = (account(server.url, n, username=n, password="x") for n in "abc")
        with exporter(tmp_path, [a, b], **state) as daemon:
            status, text = daemon.get("/-/ready")
            assert status == 503
            assert "its share of the accounts is not known yet (state in postgresql://" in text
            assert held_accounts(daemon) in ({}, {"a": 0.0, "b": 0.0})
            daemon.ready().wait(lambda: held_accounts(daemon) == {"a": 1.0, "b": 1.0})
            # An account is held before it has logged in.
            daemon.wait(lambda: {"a", "b"} <= accounts_on(daemon.page()))

            daemon.configure([b, c], **state)
            daemon.process.send_signal(1)
            daemon.wait(lambda: held_accounts(daemon) == {"b": 1.0, "c": 1.0})
            daemon.wait(lambda: "c" in accounts_on(daemon.page()))
            assert 'account="a"' not in daemon.page()
            assert daemon.stop() == 0
        with exporter(tmp_path, [b, c], **state) as daemon:
            daemon.wait(lambda: held_accounts(daemon) == {"b": 1.0, "c": 1.0})
            daemon.wait(lambda: "c" in accounts_on(daemon.page()))

    logins = {name: len(management.calls.of(name, "login").arrivals) for name in "abc"}
    assert logins == {"a": 1, "b": 1, "c": 1}
    assert set(refusals(management).values()) == {0}


def test_commands_go_by_the_session_of_the_holder_or_take_the_account_for_a_while(
    tmp_path, database_url
):
    management = system(plants=1)
    state = {"state": {"database": database_url}}
    with serving(management) as server:
        accounts = [account(server.url)]
        with exporter(tmp_path, accounts, **state) as daemon:
            daemon.ready()
            beside = run(tmp_path, "counters", "list")
            checked = run(tmp_path, "check", "--format", "json")
            daemon.stop()
        alone = run(tmp_path, "check", "--format", "json")
        with exporter(tmp_path, accounts, **state) as daemon:
            daemon.ready()

    for each in (beside, checked, alone):
        assert each.returncode == 0, each.stderr
    assert "the exporter runs already" in checked.stdout
    assert "start it: " in alone.stdout
    assert len(management.calls.of("api", "login").arrivals) == 1
    assert set(refusals(management).values()) == {0}


def test_the_past_that_a_command_has_fetched_is_in_the_database_for_all(tmp_path, database_url):
    management = system(plants=1)
    state = {"state": {"database": database_url}}
    with serving(management) as server:
        accounts = [account(server.url)]
        flags = ("--from", "2020-01-01", "--to", "2024-01-01", "--sources", "getKpiStationMonth")
        with exporter(tmp_path, accounts, **state) as daemon:
            daemon.ready()
            beside = run(tmp_path, "history", *flags, "--share", "1", "--openmetrics", "beside")
            daemon.stop()
        alone = run(tmp_path, "history", *flags, "--openmetrics", "alone")

    for each in (beside, alone):
        assert each.returncode == 0, each.stderr
    assert "4 calls made, " in beside.stderr
    assert "0 calls made, " in alone.stderr
    written, again = (
        [path.read_text() for path in (tmp_path / name).glob("*.om")]
        for name in ("beside", "alone")
    )
    assert written == again != []
    assert len(management.calls.of("api", "login").arrivals) == 1
    assert set(refusals(management).values()) == {0}


def test_a_command_that_cannot_know_who_holds_the_account_logs_in_nowhere(tmp_path):
    management = system(plants=1)
    with serving(management) as server:
        url = "postgresql://exporter@127.0.0.1:1/state"
        with exporter(tmp_path, [account(server.url)], state={"database": url}) as daemon:
            assert daemon.get("/-/healthy")[0] == 200
            done = run(tmp_path, "check")
            assert daemon.stop() == 0

    assert done.returncode == 1
    assert re.fullmatch(r"fusionsolar-exporter: state\.database: connection .*\n", done.stderr)
    assert management.calls.accounts() == {}


@pytest.mark.parametrize("command", [(), ("check",)])
def test_a_url_that_postgresql_does_not_understand_is_one_line(tmp_path, command):
    (tmp_path / "config.yaml").write_text(
        "accounts: [{username: api-user, password: secret}]\n"
        "state: {database: 'postgresql://[hidden/state'}\n"
    )
    listening = () if command else ("--web.listen-address", "127.0.0.1:0")

    done = run(tmp_path, *command, *listening)

    assert done.returncode == 2
    told = "fusionsolar-exporter: state.database: is no URL that PostgreSQL understands"
    assert done.stderr == f"{told}\n"


def test_without_the_driver_it_says_what_to_install(tmp_path):
    (tmp_path / "config.yaml").write_text(
        "accounts: [{username: api-user, password: secret}]\n"
        "state: {database: 'postgresql://db/state'}\n"
    )

    done = without_a_driver(tmp_path, "check")

    assert done.returncode == 2
    assert done.stderr == (
        "fusionsolar-exporter: state.database: needs a driver;"
        " install fusionsolar-exporter[postgresql]\n"
    )


def test_without_a_database_there_need_be_no_driver(tmp_path):
    done = without_a_driver(tmp_path, "--version")

    assert done.stderr == ""
    assert done.stdout.startswith("fusionsolar-exporter ")
