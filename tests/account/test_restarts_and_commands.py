"""What an account goes on with: what a previous run has left, and commands beside it."""

import pytest
from account.commands import NOW, call, store_as_command
from account.state_files import values, write_rows
from account.world import DAY, View, account, poller, run
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.account.model import AcceptedValue
from exporter.northbound.interfaces import Subject

EVERY_MINUTE = ["getStationRealKpi", "getDevRealKpi"]


@pytest.mark.parametrize(("away", "waiting"), [(30.0, []), (600.0, EVERY_MINUTE)])
def test_after_a_while_a_fleet_has_to_be_asked_again_before_it_is_ready(away, waiting):
    server, database = account(hours=1.0), Database()
    run(poller(server, database=database))
    server.clock.at += away

    again = poller(server, database=database)

    assert [reason.split(":")[0] for reason in again.waiting] == waiting
    assert again.ready is (waiting == [])


def test_an_account_that_comes_back_after_weeks_is_ready_once_all_of_it_was_asked():
    server, database = account(hours=1.0), Database()
    run(poller(server, database=database))
    server.clock.at += 40 * DAY
    server.clock.end = server.clock.at + 300.0

    again = poller(server, database=database)
    before = again.ready
    run(again)

    assert (before, again.ready) == (False, True)


def test_what_is_not_understood_is_told_by_its_file_but_never_quoted(tmp_path):
    path = tmp_path / "account.sqlite"
    database = Database(path)
    write_rows(database, {("fleet", ""): {"plants": "t0ken"}, ("batches", "getDevList"): "t0ken"})

    with capture_logs() as logs:
        poller(account(), database=database)
    database.close()

    entries = [entry for entry in logs if entry["event"].startswith("state was not understood")]
    assert [(entry["part"], entry["reason"]) for entry in entries] == [
        ("batches", "list_type"),
        ("fleet", "plants: dict_type"),
    ]
    assert {entry["file"] for entry in entries} == {str(path)}
    assert "t0ken" not in str(logs)


# --- commands -----------------------------------------------------------------------------------


def daemon_beside_command(*calls, **more):
    """A server, its database, and a daemon beside a command that has made these calls."""
    server, database = account(), Database()
    store_as_command(database, foreign_calls={str(n): each for n, each in enumerate(calls)}, **more)
    return server, database, poller(server, database=database)


@pytest.mark.parametrize("interface", ["getDevList", "snIsRegister"])
def test_while_a_commands_call_is_under_way_the_daemon_makes_none_and_looks_again(interface):
    server, database, daemon = daemon_beside_command(
        call(-5, 55, interface=interface, under_way=True)
    )

    assert daemon.step() == 1.0
    assert server.calls == []
    assert list(database.read("foreign_call")) == ["0"]

    server.clock.at += 60.0
    daemon.step()
    assert [call[1] for call in server.calls] == ["login"]


@pytest.mark.parametrize(
    "over",
    [call(-5, -4), call(-5, 55), call(-61, -1, under_way=True), call(300, 360, under_way=True)],
    ids=["answered", "given up", "killed", "killed before the clock was put back"],
)
def test_a_commands_call_that_is_over_keeps_the_daemon_from_none(over):
    server, _, daemon = daemon_beside_command(over)

    daemon.step()

    assert [call[1] for call in server.calls] == ["login"]


def test_a_commands_call_that_is_over_counts_among_those_of_its_interface():
    _, database, daemon = daemon_beside_command(call(-5, -4, interface="getDevList"))

    daemon.step()

    assert database.read("foreign_call") == {}
    (known,) = values(database, "interface")["getDevList"]["log"]["calls"]
    assert (known["start"], known["lasted"]) == (NOW - 5, 1.0)


def test_a_call_of_a_command_that_is_not_understood_is_no_call():
    server, database = account(), Database()
    write_rows(database, {("foreign_call", "0"): {"interface": 7}})

    poller(server, database=database).step()

    assert [call[1] for call in server.calls] == ["login"]
    assert database.read("foreign_call") == {}


def test_what_an_operator_accepts_is_shown_with_the_next_call():
    accepted = AcceptedValue(Subject.DEVICES, "7", "fusionsolar_inverter_energy_joules_total")
    database, view = Database(), View()
    daemon = poller(account(), view, database=database)
    store_as_command(database, accepted={"x": accepted})

    daemon.step()

    assert view.state.accepted == {"x": accepted}
