"""Values as of now from what newer servers call history: of ten devices a call, or of one."""

from functools import partial
from itertools import pairwise

import pytest
from account.polled import START, bodies, walk
from account.world import HOUR, View, account, at, poller, refused, run
from structlog.testing import capture_logs

from exporter.account.database import Database
from exporter.northbound.errors import Reaction

pytestmark = pytest.mark.slow

ONE, TEN = "device/history", "getDevHistoryKpi"
LISTS = ("login", "getStationList", "getDevList")


def named(server, nameless=()):
    """Gives the devices of a server a DN each, but for some."""
    for number, device in server.devices.items():
        if number not in nameless:
            device["devDn"] = f"NE={number}"
    return server


def world(devices, hours=0.4, edition="v25", **options):
    server = named(account(devices=devices, hours=hours, edition=edition, **options))
    server.lag = 400
    return server


def asked(server, name="history"):
    """When each device was asked about, by its name."""
    times = {}
    for arrival, called, body, _ in server.calls:
        if called == name:
            times.setdefault(body.get("devDn") or body["devIds"], []).append(arrival)
    return times


def test_ten_devices_a_call_are_asked_about_the_last_hour():
    server, view = world({1: 23, 39: 2}), View()

    walk(server, TEN, view=view)

    asked = bodies(server, TEN)
    assert [len(body["devIds"].split(",")) for body in asked[:4]] == [10, 10, 3, 2]
    assert asked[0].keys() == {"devIds", "devTypeId", "startTime", "endTime"}
    assert asked[0]["endTime"] - asked[0]["startTime"] == 3_600_000
    assert type(asked[0]["startTime"]) is int
    assert server.refused == []


@pytest.mark.parametrize("name", [ONE, TEN])
def test_the_newest_row_wins_and_tells_its_time(name):
    server, view = world({1: 1}, hours=0.2), View()

    walk(server, name, view=view)

    (answer,) = view.state.answers[name].values()
    assert answer.value.values == {"active_power": answer.at}
    assert START - 700 <= answer.at <= server.time() - 400


@pytest.mark.parametrize("name", [ONE, TEN])
def test_a_row_from_a_time_that_has_not_come_hides_no_other(name):
    server, view = world({1: 1}, hours=0.2), View()
    marks = server.marks
    server.marks = lambda *asked: [*marks(*asked), START + 86_400, START + 10 * 86_400]

    walk(server, name, view=view)

    (answer,) = view.state.answers[name].values()
    assert answer.value.values == {"active_power": answer.at}
    assert START - 700 <= answer.at <= server.time() - 400


def test_one_device_a_call_is_asked_by_its_dn_and_with_its_type_as_a_number():
    server = world({1: 1, 39: 1})

    walk(server, ONE)

    first, second = bodies(server, "history")[:2]
    assert [(each["devDn"], each["devTypeId"]) for each in (first, second)] == [
        ("NE=100000", 1),
        ("NE=3900000", 39),
    ]
    assert first.keys() == {"devDn", "devTypeId", "startTime", "endTime"}


@pytest.mark.parametrize("edition", ["v25", "safe"])
def test_each_device_is_asked_once_in_ten_minutes_evenly(edition):
    server = world({1: 3, 39: 2}, hours=3, edition=edition)

    run(poller(server, walked=(*LISTS, ONE)))

    calls = [call[0] for call in server.paths("history")]
    assert len(calls) >= 0.97 * (3 * HOUR - 1_000) / 120
    assert min(b - a for a, b in pairwise(calls)) >= 120
    assert all(b - a >= 600 for times in asked(server).values() for a, b in pairwise(times))
    assert server.refused == []


def test_devices_without_a_dn_are_told_once_and_asked_when_they_have_one():
    server, view = account(devices={1: 3}, hours=3, edition="v25"), View()
    named(server, nameless=[100_001])
    at(server, 1.5, partial(named, server))

    with capture_logs() as logs:
        run(poller(server, view, walked=(*LISTS, ONE), every={"getDevList": HOUR}))

    entries = [(each["interface"], each["devices"]) for each in logs if "no DN" in each["event"]]
    assert entries == [(ONE, 1), (ONE, 0)]
    times = asked(server)
    assert min(times["NE=100000"]) < 1_010
    assert 1.5 * HOUR < min(times["NE=100001"]) - 1_000 < 2.2 * HOUR


def test_a_fleet_that_an_earlier_version_left_is_listed_for_its_dns():
    server, database = account(devices={1: 2}, hours=1, edition="v25"), Database()
    run(poller(server, walked=LISTS, database=database))
    named(server)
    server.clock.end += 0.5 * HOUR

    run(poller(server, walked=(*LISTS, ONE), database=database))

    assert len(server.paths("getDevList")) == 2
    assert asked(server).keys() == {"NE=100000", "NE=100001"}


@pytest.mark.parametrize("name", [ONE, TEN])
def test_a_history_without_rows_is_silence(name):
    server, view = world({1: 2}, hours=0.5), View()
    server.marks = lambda *_: []  # dark, offline, ahead of the server's clock

    walker = poller(server, view, walked=(*LISTS, name))
    run(walker)

    assert walker.ready
    assert view.last["unanswered", name] == 2
    assert [each.value.values for each in view.state.answers[name].values()] == [{}, {}]


def test_rows_of_another_device_are_not_taken_for_those_asked_for():
    server, view = world({1: 1}, hours=0.2), View()
    answer = server.answer_history
    server.answer_history = lambda body: [
        {**row, "devDn": "NE=elsewhere"} for row in answer(body)["list"]
    ]

    walk(server, ONE, view=view)

    assert view.last["unanswered", ONE] == 1
    assert [each.value.values for each in view.state.answers[ONE].values()] == [{}]


def test_a_device_that_is_refused_leaves_the_others_alone():
    server = world({1: 3}, hours=1)
    server.script = lambda name, body: (
        refused("20621", Reaction.REREAD_FLEET)
        if name == "history" and body["devDn"] == "NE=100001"
        else None
    )

    run(poller(server, walked=(*LISTS, ONE)))

    times = asked(server)
    assert len(times["NE=100000"]) >= 5
    assert len(times["NE=100001"]) <= 4
