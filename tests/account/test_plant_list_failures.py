"""Failures of the plant list in a row: an answer, another form and a new start end the row."""

import pytest
from account.world import PARKED, View, account, poller, refused, run

from exporter.northbound.errors import fail_code_error

LISTS = ("getStationList", "stations")
ABNORMAL = 20004  # says nothing about the form


def asked(server):
    """How the list was asked for: interface, page and page size."""
    return [
        (name, body.get("pageNo"), body.get("pageSize"))
        for name, body in server.tried
        if name in LISTS
    ]


def fail_once(server, *failures):
    """The server fails each of these calls, (interface, page), once."""
    remaining = list(failures)

    def script(name, body):
        call = (name, body.get("pageNo"))
        if call in remaining:
            remaining.remove(call)
            return fail_code_error(ABNORMAL)
        return None

    server.script = script


def paged(server, *pages):
    """The account has only the newer list, whose pages fail once for each time they are named."""
    fail_once(server, *(("stations", page) for page in pages))
    fails = server.script
    server.script = lambda name, body: (
        refused("401", PARKED) if name == "getStationList" else fails(name, body)
    )


@pytest.mark.slow
def test_a_page_that_fails_once_after_another_that_did_is_asked_for_again_alone():
    server, view = account(plants=250, devices={}, hours=1, edition="v6"), View()
    paged(server, 2, 3)

    run(poller(server, view))

    assert [page for name, page, _ in asked(server) if name == "stations"] == [1, 2, 2, 3, 3]
    assert len(view.last["fleet"][0]) == 250


def test_after_a_new_start_a_first_page_that_fails_once_is_asked_for_in_the_same_form():
    server, view = account(plants=250, devices={}, hours=1, edition="v6"), View()
    paged(server, 2, 2)
    fails, starts = server.script, []

    def script(name, body):
        if (name, body.get("pageNo")) == ("stations", 1):
            starts.append(body)
            if len(starts) == 2:
                return fail_code_error(ABNORMAL)
        return fails(name, body)

    server.script = script

    run(poller(server, view))

    assert [call for call in asked(server) if call[0] == "stations"] == [
        ("stations", page, 100) for page in (1, 2, 2, 1, 1, 2, 3)
    ]
    assert len(view.last["fleet"][0]) == 250


def test_each_form_of_the_list_may_fail_three_times():
    server, view = account(plants=3, devices={}, hours=1), View()
    fail_once(server, *[("getStationList", None)] * 3, *[("getStationList", 1)] * 2)

    run(poller(server, view))

    assert (
        asked(server)[:6] == [("getStationList", None, None)] * 3 + [("getStationList", 1, 100)] * 3
    )
    assert len(view.last["fleet"][0]) == 3
