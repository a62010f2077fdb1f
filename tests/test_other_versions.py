"""State that another version has written, or nobody: a row costs itself, and polling goes on."""

import copy
import math

import pytest
from account.server_alarms import ServerAlarm
from account.state_files import all_values, values, write_rows
from account.world import DAY, EPOCH, EVERYTHING, account, poller, run
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.clock import ClockStamp
from exporter.exposition.account import AccountView
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator

pytestmark = pytest.mark.slow

JUNK = [None, True, -1, 0.5, 1e300, math.nan, math.inf, 10**400, "", "new", [], {}, [[]], {"x": 1}]


def view(clock):
    return AccountView(
        "a",
        page=Page({}, clock.now),
        telemetry=Telemetry(),
        translator=Translator({}),
        places={},
        now=clock.now,
        wall=clock.time,
        severities=("critical", "major", "minor", "warning"),
        max_active_per_plant=10,
    )


def call(at, **more):
    """What a command stores of a call that it made then, by the steady clock."""
    row = {"interface": "getDevUpgradeInfo", "device_type": 1, "start": at, "lasted": 1.0}
    return row | {"under_way": False} | more


def stamp_of(server):
    return ClockStamp.of(server.clock)


@pytest.fixture(scope="module")
def stored_state():
    """A management system, and all that a daemon and commands beside it have left of it."""
    alarm = ServerAlarm("P0", "S1", 7, 1, raised=EPOCH, visible=EPOCH)
    server = account(0.2, devices={1: 2, 39: 1}, troubles=[alarm])
    database = Database()
    run(poller(server, view(server.clock), database=database, walked=EVERYTHING))
    now = server.clock.now()
    calls = {("foreign_call", str(n)): call(now - n) for n in range(2)}
    write_rows(database, calls, stamp_of(server))
    rows = all_values(database)
    assert len({kind for kind, _ in rows}) > 12
    return server, rows


def restart(stored_state, rows):
    """A new daemon on a copy of that system, that finds these rows; `shown` is its sink."""
    server = copy.deepcopy(stored_state[0])
    server.token = None
    server.clock.end = math.inf
    database = Database()
    write_rows(database, rows, stamp_of(server))
    return (
        server,
        database,
        poller(server, view(server.clock), database=database, walked=EVERYTHING),
    )


def goes_on(server, at_work):
    """Polls for five minutes after the first answer, which must come within little over a day:

    no stored wait is longer.
    """
    start, calls = server.clock.at, len(server.calls)
    end = start + 1.1 * DAY
    while server.clock.at < end:
        nap = at_work.step()
        answered = [each for each in server.calls[calls:] if each[3] == "ok"]
        end = min(end, server.clock.at + 300.0) if answered else end
        server.clock.at += min(max(nap, 0.01), 60.0)
    return bool(answered)


@st.composite
def mutated(draw, value):
    """The value with something about it changed, removed or added, somewhere in it."""
    keys = list(value) if isinstance(value, dict) else None
    keys = list(range(len(value))) if isinstance(value, list) else keys
    if keys and draw(st.integers(0, 3)):
        key, changed = draw(st.sampled_from(keys)), copy.copy(value)
        changed[key] = draw(mutated(value[key]))
        return changed
    how = draw(st.sampled_from(["replace", "remove", "add", "wrap"]))
    if how == "remove" and keys:
        changed = copy.copy(value)
        del changed[draw(st.sampled_from(keys))]
        return changed
    if how == "add" and isinstance(value, list):
        return [*value, draw(st.sampled_from(JUNK))]
    if how == "add" and isinstance(value, dict):
        return value | {draw(st.sampled_from(["novelty", "1", ""])): draw(st.sampled_from(JUNK))}
    return [value] if how == "wrap" else draw(st.sampled_from(JUNK))


@given(data=st.data())
def test_whatever_became_of_rows_polling_goes_on(stored_state, data):
    _, rows = stored_state
    kind = data.draw(st.sampled_from(sorted({kind for kind, _ in rows})))
    names = sorted(name for of, name in rows if of == kind)
    changed = {
        (kind, name): data.draw(mutated(rows[kind, name]))
        for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    }

    server, _, at_work = restart(stored_state, rows | changed)

    assert goes_on(server, at_work)


@given(data=st.data())
def test_whatever_a_command_of_another_version_writes_meanwhile_polling_goes_on(stored_state, data):
    server, database, at_work = restart(stored_state, stored_state[1])
    row = data.draw(mutated(call(server.clock.now(), under_way=data.draw(st.booleans()))))
    write_rows(database, {("foreign_call", "new"): row}, stamp_of(server))

    assert goes_on(server, at_work)


@pytest.mark.parametrize(
    "more",
    [{"novelty": 7}, {"start": 1e12, "lasted": 60.0}, {"lasted": 1e12}, {"lasted": 1e300}],
    ids=["with an unknown field", "in the future", "without an end", "without measure"],
)
@pytest.mark.parametrize("under_way", [True, False])
def test_a_strange_call_of_a_command_holds_nobody_up_for_long(stored_state, more, under_way):
    server, database, at_work = restart(stored_state, stored_state[1])
    row = call(server.clock.now() - 5, interface="getStationRealKpi", under_way=under_way)
    write_rows(database, {("foreign_call", "new"): row | more}, stamp_of(server))

    assert goes_on(server, at_work)


def test_unknown_fields_are_ignored_wherever_they_are_and_nothing_is_said(stored_state):
    def extended(value):
        match value:
            case dict():
                return {key: extended(each) for key, each in value.items()} | {"novelty": [7]}
            case list():
                return [extended(each) for each in value]
        return value

    mappings = {"alarm_totals", "counters/plants", "counters/devices"}
    rows = {
        key: row
        if key[0] in mappings or key[0].startswith(("answer/", "statistics/"))
        else extended(row)
        for key, row in stored_state[1].items()
    }
    rows["fleet", ""]["plants"].pop("novelty")
    rows["fleet", ""]["devices"].pop("novelty")
    rows["alarm_query", ""]["filters"].pop("novelty")
    with capture_logs() as logs:
        server, database, at_work = restart(stored_state, rows)

    assert [entry for entry in logs if entry["log_level"] != "info"] == []
    assert at_work.ready
    assert server.token is not None
    assert {
        name: len(row["log"]["calls"]) for name, row in values(database, "interface").items()
    } == {
        name: len(row["log"]["calls"])
        for (kind, name), row in stored_state[1].items()
        if kind == "interface"
    }


def test_a_device_that_is_not_understood_costs_itself_and_the_list_is_read_again(stored_state):
    rows = copy.deepcopy(stored_state[1])
    devices = rows["fleet", ""]["devices"]
    devices["100000"]["id"] = {"secret": "t0ken"}
    with capture_logs() as logs:
        server, database, at_work = restart(stored_state, rows)
    known = values(database, "fleet")[""]["devices"]
    lists = len(server.paths("getDevList"))

    assert goes_on(server, at_work)

    assert known.keys() == devices.keys() - {"100000"}
    assert len(server.paths("getDevList")) == lists + 1
    assert values(database, "fleet")[""]["devices"].keys() == devices.keys()
    told = [entry for entry in logs if entry["event"].startswith("state was not understood")]
    assert [(entry["part"], entry["reason"]) for entry in told] == [
        ("fleet", "devices: string_type")
    ]
    assert "t0ken" not in str(logs)


def test_a_call_of_unknown_time_counts_as_one_that_was_just_made(stored_state):
    rows = copy.deepcopy(stored_state[1])
    rows["interface", "getStationRealKpi"]["log"]["calls"] = ["some time"]
    server, _, at_work = restart(stored_state, rows)
    start, calls = server.clock.at, len(server.calls)

    assert goes_on(server, at_work)

    first = next(each for each in server.calls[calls:] if each[1] == "getStationRealKpi")
    assert 60.0 < first[0] - start < 62.0
    assert server.refused == []


def test_a_wait_that_is_not_understood_costs_no_other(stored_state):
    rows = copy.deepcopy(stored_state[1])
    login = rows["login", ""]
    until = stored_state[0].clock.now() + 900.0
    login["frequency_wait"] = {"wait": "long", "until": [until]}
    login["credentials_wait"] = {"wait": 900.0, "until": until}
    login["token"] = None

    server, _, at_work = restart(stored_state, rows)

    assert at_work.step() == pytest.approx(900.0)
    assert server.token is None
