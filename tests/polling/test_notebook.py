"""What an account's thread takes up from an earlier life, and from commands beside it."""

import math

import pytest
from polling.world import DAY, EPOCH, Sink, account, poller, run
from structlog.testing import capture_logs

from exporter.polling.memory import Memory

EVERY_MINUTE = ["getStationRealKpi", "getDevRealKpi"]


@pytest.mark.parametrize(("away", "waiting"), [(30.0, []), (600.0, EVERY_MINUTE)])
def test_after_a_while_a_fleet_has_to_be_asked_again_before_it_is_ready(away, waiting):
    server, memory = account(hours=1.0), Memory()
    run(poller(server, memory=memory))
    server.clock.at += away

    again = poller(server, memory=memory)

    assert [reason.split(":")[0] for reason in again.waiting] == waiting
    assert again.ready is (waiting == [])


def test_an_account_that_comes_back_after_weeks_is_ready_once_all_of_it_was_asked():
    server, memory = account(hours=1.0), Memory()
    run(poller(server, memory=memory))
    server.clock.at += 40 * DAY
    server.clock.end = server.clock.at + 300.0

    again = poller(server, memory=memory)
    before = again.ready
    run(again)

    assert (before, again.ready) == (False, True)


def test_what_is_not_understood_is_told_by_its_file_but_never_quoted(tmp_path):
    path = tmp_path / "account.sqlite"
    memory = Memory(path)
    memory.write({("fleet", "plants"): {"secret": "t0ken"}, ("lane", "getDevList"): "t0ken"})

    with capture_logs() as logs:
        poller(account(), memory=memory)
    memory.close()

    told = [entry for entry in logs if entry["event"].startswith("state was not understood")]
    assert [(entry["part"], entry["reason"]) for entry in told] == [
        ("fleet", "a list expected"),
        ("calls", "a mapping expected"),
    ]
    assert {entry["file"] for entry in told} == {str(path)}
    assert "t0ken" not in str(logs)


# --- commands -----------------------------------------------------------------------------------


def call(start, end, *, interface="getDevUpgradeInfo", under_way=False):
    """What a command writes of a call, in seconds after now."""
    return {
        "interface": interface,
        "device_type": None,
        "start": start + 1_000.0 + EPOCH,
        "end": end + 1_000.0 + EPOCH,
        "under_way": under_way,
    }


def notebook(*calls):
    """The notebook of a daemon beside a command that has made these calls."""
    memory = Memory()
    memory.write({("call", str(n)): each for n, each in enumerate(calls)})
    beside = poller(account(), memory=memory)
    return beside._notebook, memory  # the daemon's thread asks it within a claim


@pytest.mark.parametrize("interface", ["getDevList", "snIsRegister"])
def test_while_a_commands_call_is_under_way_the_daemon_makes_none_and_looks_again(interface):
    now = 1_000.0
    notes, memory = notebook(call(-5, 55, interface=interface, under_way=True))

    assert notes.note_others() == now + 1.0
    assert list(memory.read("call")) == ["0"]


def test_while_a_commands_call_is_under_way_the_daemon_does_not_log_in_either():
    server, memory = account(), Memory()
    memory.write({("call", "0"): call(-5, 55, under_way=True)})
    beside = poller(server, memory=memory)

    assert beside.step() == 1.0
    assert server.calls == []

    server.clock.at += 60.0
    beside.step()
    assert [call[1] for call in server.calls] == ["login"]


@pytest.mark.parametrize(
    "over",
    [call(-5, -4), call(-5, 55), call(-61, -1, under_way=True), call(300, 360, under_way=True)],
    ids=["answered", "given up", "killed", "killed before the clock was put back"],
)
def test_a_commands_call_that_is_over_keeps_the_daemon_from_none(over):
    notes, _ = notebook(over)

    assert notes.note_others() == -math.inf


def test_a_commands_call_that_is_over_is_taken_over():
    notes, memory = notebook(call(-5, -4, interface="getDevList"))

    notes.note_others()

    assert memory.read("call") == {}
    (known,) = memory.read("lane")["getDevList"]["calls"]
    assert known[1:3] == pytest.approx([EPOCH + 995.0, EPOCH + 996.0])


def test_what_a_person_told_a_command_is_heard_before_the_next_call():
    heard = []

    class Listening(Sink):
        def accept(self, read):
            heard.append(dict(read("counters/accepted")))

    memory = Memory()
    order = ["devices", "7", "fusionsolar_inverter_energy_joules_total"]
    memory.write({("counters/accepted", "x"): order})

    poller(account(), Listening(), memory=memory).step()

    assert heard == [{"x": order}]
