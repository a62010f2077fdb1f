"""Accounts without plants: from the start, withdrawn from them, or only for a while."""

import pytest
from account.world import HOUR, View, account, at, poller, run
from structlog.testing import capture_logs

pytestmark = pytest.mark.slow

ASSIGN = "assign plants to the northbound account in the management system"
NONE = f"the plant list is empty: {ASSIGN}"
KEPT = "the plant list came back empty; those known are kept"


def list_events(logs):
    """What the log says of the list, with its numbers."""
    wanted = {"there is nothing to export", "plants are gone from the list", KEPT}
    return [
        (entry["event"], entry.get("plants"), entry.get("reason"))
        for entry in logs
        if entry["event"] in wanted
    ]


def clear_fleet(server):
    server.plants.clear()
    server.devices.clear()


def test_an_account_without_plants_is_ready_and_says_once_that_there_is_nothing_to_export():
    server = account(plants=0, devices={}, hours=13)
    walker = poller(server)

    with capture_logs() as logs:
        run(walker)

    assert walker.ready
    assert list_events(logs) == [("there is nothing to export", None, NONE)]
    assert walker.report.no_data_reason == NONE


@pytest.mark.parametrize("edition", ["classic", "v6"])
def test_plants_that_are_withdrawn_are_gone_after_several_empty_lists(edition):
    server, view = account(plants=3, devices={1: 3}, hours=24, edition=edition), View()
    fleets = []
    at(server, 3, lambda: clear_fleet(server))
    at(server, 8.9, lambda: fleets.append(view.last["fleet"]))
    walker = poller(server, view)

    with capture_logs() as logs:
        run(walker)

    assert [len(plants) for plants, _ in fleets] == [3]
    assert view.last["fleet"] == (set(), set())
    assert list_events(logs) == [
        (KEPT, 3, None),
        ("there is nothing to export", None,
         f"the plant list is empty, and nothing answers about the plants known (3): {ASSIGN}"),
        ("plants are gone from the list", 3, None),
        ("there is nothing to export", None, NONE),
    ]  # fmt: skip
    assert walker.report.no_data_reason == NONE
    assert server.refused == []


def test_one_plant_that_is_withdrawn_is_a_line_in_the_log():
    server = account(plants=3, devices={}, hours=13)
    at(server, 3, lambda: server.plants.pop("P1"))

    with capture_logs() as logs:
        run(poller(server))

    assert list_events(logs) == [("plants are gone from the list", 1, None)]


def test_an_empty_list_is_not_believed_while_plants_answer():
    server, view = account(plants=3, devices={1: 3}, hours=49), View()
    fine = server.answer_getStationList
    server.answer_getStationList = lambda body: (
        [] if server.clock.now() > 1_000 + 3 * HOUR else fine(body)
    )
    walker = poller(server, view)

    with capture_logs() as logs:
        run(walker)

    assert len(view.last["fleet"][0]) == 3
    assert list_events(logs) == [(KEPT, 3, None)]
    assert walker.report.no_data_reason == ""


def test_an_empty_list_is_not_believed_while_statistics_are_all_that_is_asked_and_answer():
    server, view = account(plants=3, devices={}, hours=49), View()
    fine = server.answer_getStationList
    server.answer_getStationList = lambda body: (
        [] if server.clock.now() > 1_000 + 3 * HOUR else fine(body)
    )

    run(poller(server, view, walked=("login", "getStationList", "getKpiStationDay")))

    assert len(view.last["fleet"][0]) == 3


def test_a_server_that_knows_nothing_for_hours_takes_no_plant_away():
    server, view = account(plants=3, devices={1: 3}, hours=13), View()
    plants, devices = dict(server.plants), dict(server.devices)
    at(server, 3, lambda: clear_fleet(server))
    at(server, 8, lambda: (server.plants.update(plants), server.devices.update(devices)))

    with capture_logs() as logs:
        run(poller(server, view))

    assert len(view.last["fleet"][0]) == 3
    assert [
        event for event, *_ in list_events(logs) if event == "plants are gone from the list"
    ] == []


def test_plants_that_are_assigned_again_are_found():
    server, view = account(plants=0, devices={}, hours=13), View()
    at(server, 3, lambda: server.plants.update(P0={}))
    walker = poller(server, view)

    run(walker)

    assert view.last["fleet"][0] == {"P0"}
    assert walker.report.no_data_reason == ""
