"""What a refused call costs, and whom."""

from itertools import pairwise

import pytest
from account.world import (
    HOUR,
    PARKED,
    View,
    account,
    poller,
    refused,
    run,
)

from exporter.northbound.errors import Reaction


@pytest.mark.slow
def test_an_interface_without_permission_is_tried_three_times_then_parked():
    server, view = account(hours=16), View()
    server.script = lambda name, _: refused("401", PARKED) if name == "getDevRealKpi" else None

    run(poller(server, view))

    minutes = [t // 60 for t in server.times("getDevRealKpi")]
    assert minutes == [0, 1, 2, 62, 182, 422, 902]
    assert view.last["permitted", "getDevRealKpi"] is False
    assert len(server.paths("getStationRealKpi")) > 900


@pytest.mark.slow
def test_a_permission_that_comes_back_unparks():
    server, view = account(hours=6), View()
    errors = [refused("401", PARKED)] * 3
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server, view))

    assert [t // 60 for t in server.times("getDevRealKpi")[:5]] == [0, 1, 2, 62, 63]
    assert view.last["permitted", "getDevRealKpi"] is True


@pytest.mark.slow
def test_after_a_success_a_refused_permission_has_three_tries_again():
    server = account(hours=6)
    answers = ["401", "401", "401", None, "401", "401", "401"]

    def script(name, _):
        if name != "getDevRealKpi" or not answers:
            return None
        return refused("401", PARKED) if answers.pop(0) else None

    server.script = script
    run(poller(server))

    assert [t // 60 for t in server.times("getDevRealKpi")[:8]] == [0, 1, 2, 62, 63, 64, 65, 125]


def test_a_permission_is_about_the_interface_whatever_type_was_asked_for():
    server = account(devices={1: 2, 39: 2}, hours=1.5)
    server.script = lambda name, _: refused("401", PARKED) if name == "getDevRealKpi" else None

    run(poller(server))

    assert [t // 60 for t in server.times("getDevRealKpi")] == [0, 1, 2, 62]


@pytest.mark.slow
@pytest.mark.parametrize("code", ["20009", "20013"])
def test_kpis_that_are_not_configured_park_their_device_type_only(code):
    server, view = account(devices={1: 2, 39: 2}, hours=6), View()
    server.script = lambda _, body: refused(code, PARKED) if body.get("devTypeId") == "39" else None

    run(poller(server, view))

    asked = [call[2]["devTypeId"] for call in server.paths("getDevRealKpi")]
    assert asked.count("39") == 5
    assert asked.count("1") > 340
    assert view.last["unanswered", "getDevRealKpi"] == 2


def test_plant_kpis_that_are_not_configured_park_the_interface():
    server = account(hours=2.5)
    server.script = lambda name, _: (
        refused("20009", PARKED) if name == "getStationRealKpi" else None
    )

    run(poller(server))

    assert [t // 60 for t in server.times("getStationRealKpi")] == [0, 1, 2, 62]


def test_refused_for_its_frequency_an_interface_waits_longer_each_time():
    server = account(hours=1)
    server.script = lambda name, _: (
        refused("407", Reaction.BACK_OFF) if name == "getDevRealKpi" else None
    )

    run(poller(server))

    minutes = [t // 60 for t in server.times("getDevRealKpi")]
    assert minutes == [0, 1, 3, 7, 15, 31]
    assert len(server.paths("getStationRealKpi")) > 55


def test_each_success_halves_the_wait():
    server = account(hours=1)
    answers = ["407", "407", "407", None, "407", None, None, None, "407"]

    def script(name, _):
        if name != "getDevRealKpi" or not answers:
            return None
        return refused("407", Reaction.BACK_OFF) if answers.pop(0) else None

    server.script = script
    run(poller(server))

    times = server.times("getDevRealKpi")
    gaps = [round((b - a) / 60) for a, b in pairwise(times)]
    assert gaps[:9] == [1, 2, 4, 1, 4, 1, 1, 1, 1]


def test_a_call_that_failed_waits_for_its_next_turn():
    server = account(devices={1: 150}, hours=0.2)
    errors = [refused("http_502", Reaction.NEXT_TURN, enveloped=False)]
    server.script = lambda name, _: errors.pop() if name == "getDevRealKpi" and errors else None

    run(poller(server))

    asked = [ids[0] for ids in server.asked("getDevRealKpi")]
    assert asked[:4] == ["100000", "100100", "100000", "100100"]


def test_after_a_pause_calls_keep_their_distance_instead_of_catching_up():
    server = account(
        devices=dict.fromkeys((1, 14, 38, 15, 10, 17, 47, 39), 2), edition="v6", hours=4
    )
    errors = [refused("http_429", Reaction.PAUSE, enveloped=False)] * 4

    def script(_, __):
        return errors.pop() if errors and server.clock.now() > 1_000 + HOUR else None

    server.script = script
    run(poller(server))

    times = [call[0] - 1_000 for call in server.paths("getDevRealKpi")]
    resumed = next(t for t in times if t > 2 * HOUR)
    gaps = [b - a for a, b in pairwise(t for t in times if resumed <= t < resumed + HOUR)]
    assert sum(gap < 0.9 * 300 / 8 for gap in gaps) <= 2
