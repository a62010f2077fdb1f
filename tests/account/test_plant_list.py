"""The list of plants, whole or in pages, classic or new."""

from itertools import pairwise

import pytest
from account.world import (
    HOUR,
    PARKED,
    SELDOM,
    View,
    account,
    at,
    poller,
    refused,
    run,
)

from exporter.northbound.errors import Reaction

pytestmark = pytest.mark.slow


def test_an_account_without_the_classic_list_uses_the_paged_one_for_a_day():
    server, view = account(plants=250, devices={1: 3}, hours=49), View()
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None

    run(poller(server, view, every=SELDOM))

    assert len(view.last["fleet"][0]) == 250
    assert [call[2]["pageNo"] for call in server.paths("stations")[:4]] == [1, 2, 3, 1]
    assert [t // HOUR for t in server.times("getStationList")] == [0, 30]
    assert view.last["permitted", "getStationList"] is True
    assert {key[1] for key in view.last if key[0] == "request"} == {
        "login", "getStationList", "getDevList", "getStationRealKpi", "getDevRealKpi",
    }  # fmt: skip


def test_a_classic_list_in_pages_is_asked_anew_in_pages_of_ours():
    server, view = account(plants=25, devices={1: 3}, hours=1), View()
    pages = server.answer_stations
    server.answer_getStationList = lambda body: pages(body or {"pageNo": 1, "pageSize": 10})

    run(poller(server, view))

    assert len(view.last["fleet"][0]) == 25
    assert [call[2] for call in server.paths("getStationList")] == [
        {},
        {"pageNo": 1, "pageSize": 100},
    ]


@pytest.mark.parametrize("size", [10, 100, 250])
def test_a_classic_list_in_pages_is_read_to_its_end(size):
    server, view = account(plants=250, devices={}, hours=1), View()
    pages = server.answer_stations
    first = {"pageNo": 1, "pageSize": size}
    server.answer_getStationList = lambda body: pages(body or first) | {"pageCount": 25}

    run(poller(server, view))

    asked = [call[2].get("pageNo") for call in server.paths("getStationList")]
    assert asked == [None, 1, 2, 3, 4]
    assert len(view.last["fleet"][0]) == 250


def test_a_page_count_that_promises_too_much_ends_with_the_plants():
    server, view = account(plants=150, devices={}, hours=1), View()
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None
    pages = server.answer_stations
    server.answer_stations = lambda body: pages(body) | {"pageCount": 9_999}

    run(poller(server, view))

    assert [call[2]["pageNo"] for call in server.paths("stations")] == [1, 2, 3]
    assert len(view.last["fleet"][0]) == 150


def test_pages_that_are_all_the_same_end_the_list():
    server, view = account(plants=150, devices={}, hours=1), View()
    server.script = lambda name, _: refused("401", PARKED) if name == "getStationList" else None
    pages = server.answer_stations
    first = {"pageNo": 1, "pageSize": 100}
    server.answer_stations = lambda _: pages(first) | {"pageCount": 9_999}

    run(poller(server, view))

    assert [call[2]["pageNo"] for call in server.paths("stations")] == [1, 2]
    assert len(view.last["fleet"][0]) == 100


def test_a_page_that_fails_is_repeated_and_nothing_is_lost():
    server, view = account(plants=250, devices={}, hours=1), View()
    errors = [refused("20004", Reaction.NEXT_TURN)]

    def script(name, body):
        if name == "getStationList":
            return refused("401", PARKED)
        return errors.pop() if errors and body.get("pageNo") == 2 else None

    server.script = script
    run(poller(server, view))

    assert [call[2]["pageNo"] for call in server.paths("stations")] == [1, 2, 2, 3]
    assert len(view.last["fleet"][0]) == 250


def test_a_page_that_is_no_more_does_not_hold_up_the_list_for_ever():
    server, view = account(plants=101, devices={}, hours=31), View()

    def script(name, body):
        if name == "getStationList":
            return refused("401", PARKED)
        if body.get("pageNo") == 2:
            server.plants.pop("P100", None)
            return refused("30005", Reaction.NEXT_TURN)
        return None

    server.script = script
    run(poller(server, view, every=SELDOM))

    assert [call[2]["pageNo"] for call in server.paths("stations")[:4]] == [1, 2, 2, 1]
    assert len(view.last["fleet"][0]) == 100
    assert server.times("getStationList")[-1] >= 24 * HOUR


@pytest.mark.parametrize("reason", ["401", "http_404"])
def test_where_the_classic_list_is_gone_the_paged_one_is_used(reason):
    server, view = account(hours=0.2), View()
    server.script = lambda name, _: (
        refused(reason, Reaction.NEXT_TURN) if name == "getStationList" else None
    )

    run(poller(server, view))

    assert view.last["fleet"][0] == {"P0"}


@pytest.mark.parametrize("paged", ["401", "http_404"])
def test_an_account_that_has_neither_list_waits_for_the_classic_one_to_be_granted(paged):
    server, view = account(plants=3, devices={}, hours=12), View()
    granted = []
    refusals = {
        "getStationList": refused("401", PARKED),
        "stations": refused(paged, PARKED if paged == "401" else Reaction.NEXT_TURN),
    }
    server.script = lambda name, _: None if granted else refusals.get(name)
    at(server, 6, lambda: granted.append(True))

    run(poller(server, view, every=SELDOM))

    assert len(server.times("stations")) == 1
    assert view.last["permitted", "getStationList"] is True
    assert len(view.last["fleet"][0]) == 3
    times = server.times("getStationList")
    rests = [round((b - a) / HOUR) for a, b in pairwise(times)]
    # Tried a few times, then left alone for 1, 2 and 4 hours, until it is granted.
    assert [rest for rest in rests if rest] == [1, 2, 4]


def test_what_was_left_alone_is_asked_again_once_its_owner_was_here():
    server = account(plants=3, hours=2)
    refusal = refused("401", PARKED)
    server.script = lambda name, _: refusal if name == "getStationRealKpi" else None
    walker = poller(server)
    at(server, 0.5, walker.resume)

    run(walker)

    tried = server.times("getStationRealKpi")
    assert len([time for time in tried if time < 0.5 * HOUR]) == 3
    assert 0.5 * HOUR <= tried[3] < 0.55 * HOUR
