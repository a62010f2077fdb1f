"""State that another version has written, or nobody: a row costs itself, and polling goes on."""

import copy
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polling.alarming import Trouble
from polling.world import DAY, EPOCH, EVERYTHING, account, poller, run
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from exporter.exposition.account import AccountSink
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry
from exporter.exposition.translate import Translator
from exporter.polling.memory import Memory

JUNK = [None, True, -1, 0.5, 1e300, math.nan, math.inf, 10**400, "", "new", [], {}, [[]], {"x": 1}]


def sink(clock):
    return AccountSink(
        "a",
        page=Page(CollectorRegistry(), clock.now),
        telemetry=Telemetry(),
        translator=Translator({}),
        places={},
        now=clock.now,
        wall=clock.time,
        severities=("critical", "major", "minor", "warning"),
        max_active_per_plant=10,
    )


def call(at, **more):
    """What a command writes of a call that it made then."""
    row = {"interface": "getDevUpgradeInfo", "device_type": 1, "start": at, "end": at + 1}
    return row | {"under_way": False} | more


@pytest.fixture(scope="module")
def left():
    """A management system, and all that a daemon and commands beside it have left of it."""
    alarm = Trouble("P0", "S1", 7, 1, raised=EPOCH, visible=EPOCH)
    server = account(0.2, devices={1: 2, 39: 1}, troubles=[alarm])
    memory = Memory()
    run(poller(server, sink(server.clock), memory=memory, walked=EVERYTHING))
    now = server.clock.time()
    memory.write({("call", str(n)): call(now - n) for n in range(2)})
    rows = {key: json.loads(body) for key, body in memory._unwritten.items() if body}
    assert len({kind for kind, _ in rows}) > 12
    return server, rows


def again(left, rows):
    """A new daemon on a copy of that system, that finds these rows."""
    server = copy.deepcopy(left[0])
    server.token = None
    server.clock.end = math.inf
    memory = Memory()
    memory.write(rows)
    return server, memory, poller(server, sink(server.clock), memory=memory, walked=EVERYTHING)


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


@settings(max_examples=200)
@given(data=st.data())
def test_whatever_became_of_rows_polling_goes_on(left, data):
    _, rows = left
    kind = data.draw(st.sampled_from(sorted({kind for kind, _ in rows})))
    names = sorted(name for of, name in rows if of == kind)
    changed = {
        (kind, name): data.draw(mutated(rows[kind, name]))
        for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    }

    server, _, at_work = again(left, rows | changed)

    assert goes_on(server, at_work)


@settings(max_examples=50)
@given(data=st.data())
def test_whatever_a_command_of_another_version_writes_meanwhile_polling_goes_on(left, data):
    server, memory, at_work = again(left, left[1])
    row = data.draw(mutated(call(server.clock.time(), under_way=data.draw(st.booleans()))))
    memory.write({("call", "new"): row})

    assert goes_on(server, at_work)


@pytest.mark.parametrize(
    "more",
    [{"novelty": 7}, {"start": 1e12, "end": 1e12 + 60}, {"end": 1e12}, {"end": 1e300}],
    ids=["with an unknown field", "in the future", "without an end", "without measure"],
)
@pytest.mark.parametrize("under_way", [True, False])
def test_a_strange_call_of_a_command_holds_nobody_up_for_long(left, more, under_way):
    server, memory, at_work = again(left, left[1])
    row = call(server.clock.time() - 5, interface="getStationRealKpi", under_way=under_way)
    memory.write({("call", "new"): row | more})

    assert goes_on(server, at_work)


def test_unknown_fields_are_ignored_wherever_they_are_and_nothing_is_said(left):
    def extended(value):
        match value:
            case dict():
                return {key: extended(each) for key, each in value.items()} | {"novelty": [7]}
            case list():
                return [extended(each) for each in value]
        return value

    names = ("plants", "devices")
    rows = {
        key: extended(row)
        if key[0] in {"lane", "session", "call", "book"} or key[1] in names
        else row
        for key, row in left[1].items()
    }
    with capture_logs() as logs:
        server, memory, at_work = again(left, rows)
        before = {name: row["calls"] for name, row in memory.read("lane").items()}

    assert [entry for entry in logs if entry["log_level"] != "info"] == []
    assert at_work.ready
    assert server.token is not None
    assert {name: len(calls) for name, calls in before.items()} == {
        name: len(row["calls"]) for (kind, name), row in left[1].items() if kind == "lane"
    }


def test_a_plant_that_is_not_understood_costs_itself_and_the_list_is_read_again(left):
    rows = copy.deepcopy(left[1])
    rows["fleet", "devices"][0]["name"] = {"secret": "t0ken"}
    with capture_logs() as logs:
        server, _, at_work = again(left, rows)
    known = set(at_work._inventory.devices)
    lists = len(server.paths("getDevList"))

    assert goes_on(server, at_work)

    assert len(known) == len(rows["fleet", "devices"]) - 1
    assert len(server.paths("getDevList")) == lists + 1
    assert len(at_work._inventory.devices) == len(rows["fleet", "devices"])
    told = [entry for entry in logs if entry["event"].startswith("state was not understood")]
    assert [(entry["part"], entry["reason"]) for entry in told] == [("fleet", "name: string_type")]
    assert "t0ken" not in str(logs)


def test_a_call_of_unknown_time_counts_as_one_that_was_just_made(left):
    rows = copy.deepcopy(left[1])
    rows["lane", "getStationRealKpi"]["calls"] = [{"at": "some time"}]
    server, _, at_work = again(left, rows)
    start, calls = server.clock.at, len(server.calls)

    assert goes_on(server, at_work)

    first = next(each for each in server.calls[calls:] if each[1] == "getStationRealKpi")
    assert 60.0 < first[0] - start < 62.0
    assert server.refused == []


def test_a_wait_of_a_reaction_that_is_not_known_costs_no_other(left):
    rows = copy.deepcopy(left[1])
    session = rows["session", ""]
    until = left[0].clock.time() + 900.0
    session["waits"] |= {"of another version": [60.0, until], "refuse_credentials": [900.0, until]}
    session["token"] = None

    server, _, at_work = again(left, rows)

    assert at_work.step() == pytest.approx(900.0)
    assert server.token is None
